//! Random dates, times, zones and patterns.

use super::call::Value;
use super::random::{between, once_in, pick};
use crate::crash::Random;
use levada::expr::Literal;

const DAY_MS: i64 = 86_400_000;

const ZONES: [&str; 22] = [
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Europe/Dublin",
    "Europe/London",
    "America/Sao_Paulo",
    "Asia/Tehran",
    "Africa/Cairo",
    "+05:30",
    "-03:00",
    "GMT+2",
    "UTC-7",
    "Z",
    "Etc/GMT+5",
    "Nowhere/City",
    "+19:00",
    "GMT",
];

pub fn zone(random: &mut Random) -> &'static str {
    pick(random, &ZONES)
}

/// Moments at which the clocks of some zone were moved.
const CHANGES: [i64; 10] = [
    1_711_846_800_000,
    1_729_990_800_000,
    1_615_705_200_000,
    1_636_264_800_000,
    1_633_187_400_000,
    1_617_463_800_000,
    1_325_239_200_000,
    1_647_729_000_000,
    -1_693_706_400_000,
    1_540_695_600_000,
];

/// A moment from 1890 to 2100, now and then one further away.
pub fn moment(random: &mut Random) -> i64 {
    match random.next(4) {
        0 => pick(random, &CHANGES) + between(random, -3 * 3_600_000, 3 * 3_600_000),
        1 => between(random, -62_135_596_800_000, 253_402_300_799_999),
        _ => between(random, -2_524_521_600_000, 4_102_444_800_000),
    }
}

pub fn timestamp(random: &mut Random) -> Value {
    let moment = moment(random);
    Value::new(Literal::Timestamp(moment))
}

/// A moment from 1901 to 2086: rules of summer time are known until then, and of moments before, `java.util.TimeZone` and `java.time` tell different things.
pub fn recent_timestamp(random: &mut Random) -> Value {
    Value::new(Literal::Timestamp(moment(random).clamp(-2_177_452_800_000, 3_690_000_000_000)))
}

pub fn date(random: &mut Random) -> Value {
    // 29 February of years that have one and of 2000.
    let leap = [19_782, 11_016, -671, 59, 789];
    let days = if once_in(random, 4) { pick(random, &leap) } else { moment(random).div_euclid(DAY_MS) };
    Value::new(Literal::Date(days as i32))
}

pub fn time(random: &mut Random) -> Value {
    let ms =
        if once_in(random, 4) { pick(random, &[0, 86_399_999, 43_200_000, 1]) } else { between(random, 0, DAY_MS - 1) };
    Value::new(Literal::Time(ms as i32))
}

pub fn unit(random: &mut Random) -> Value {
    Value::unit(pick(random, &["MILLISECONDS", "SECONDS", "MINUTES", "HOURS", "DAYS"]))
}

const DATE_LETTERS: [&str; 24] = [
    "yyyy", "uuuu", "yy", "y", "M", "MM", "MMM", "MMMM", "MMMMM", "LLL", "d", "dd", "D", "DDD", "Q", "QQQ", "E",
    "EEEE", "EEEEE", "e", "G", "w", "YYYY", "W",
];

const TIME_LETTERS: [&str; 18] =
    ["H", "HH", "h", "hh", "k", "K", "KK", "m", "mm", "s", "ss", "S", "SSS", "SSSSSS", "a", "A", "n", "N"];

const ZONE_LETTERS: [&str; 14] =
    ["VV", "z", "zzzz", "O", "OOOO", "X", "XX", "XXX", "XXXX", "XXXXX", "x", "xxx", "Z", "ZZZZZ"];

/// A pattern to format by: parts of a date, of a time, of a zone, as is said; some it has in spite of that, and some are wrong.
pub fn format(random: &mut Random, has_date: bool, has_time: bool, has_zone: bool) -> String {
    let mut letters: Vec<&str> = Vec::new();
    let wrong = once_in(random, 20);
    for (is_there, some) in [(has_date, &DATE_LETTERS[..]), (has_time, &TIME_LETTERS), (has_zone, &ZONE_LETTERS)] {
        if is_there || wrong {
            letters.extend(some);
        }
    }
    let mut pattern = String::new();
    for _ in 0..=random.next(6) {
        match random.next(12) {
            0 => pattern.push_str(pick(random, &["'T'", "''", "'o''clock'", "[", "]", "p", "pp", "é", "😀", "#", "'"])),
            1 => {
                pattern
                    .push_str(pick(random, &["ppp", "q", "F", "c", "g", "yyyyy", "ddd", "EEEEEE", "l", "SSSSSSSSS"]));
            }
            _ => pattern.push_str(pick(random, &letters)),
        }
        pattern.push_str(pick(random, &["", "-", ":", " ", "/", ".", ", "]));
    }
    pattern
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A pattern and a text that it may read: of a date, a time, a zone as is said.
pub fn to_parse(random: &mut Random, has_date: bool, has_time: bool, has_zone: bool) -> (String, String) {
    let mut parts: Vec<(&str, String)> = Vec::new();
    if has_date {
        date_parts(random, &mut parts);
    }
    if has_date && has_time {
        parts.push(pick(random, &[("'T'", "T"), (" ", " "), ("'at'", "at"), ("", "")]).owned());
    }
    if has_time {
        time_parts(random, &mut parts);
    }
    if has_zone {
        let zone = zone(random).to_owned();
        let offset = pick(random, &["+02:00", "-07:30", "Z", "+00:00", "+0130", "+14"]).to_owned();
        parts.push(pick(
            random,
            &[(" VV", format!(" {zone}")), ("XXX", offset.clone()), ("X", offset.clone()), ("xxx", offset)],
        ));
    }
    let pattern: String = parts.iter().map(|(letters, _)| *letters).collect();
    let text: String = parts.into_iter().map(|(_, text)| text).collect();
    (pattern, if once_in(random, 8) { damaged(random, &text) } else { text })
}

trait Owned {
    fn owned(self) -> (&'static str, String);
}

impl Owned for (&'static str, &str) {
    fn owned(self) -> (&'static str, String) {
        (self.0, self.1.to_owned())
    }
}

fn date_parts(random: &mut Random, parts: &mut Vec<(&'static str, String)>) {
    let year = if once_in(random, 6) { between(random, 1, 9999) } else { between(random, 1890, 2100) };
    let (month, day) = (between(random, 1, 12), between(random, 1, 31));
    let separator = pick(random, &["-", "/", ".", ""]);
    let year = pick(
        random,
        &[("yyyy", format!("{year:04}")), ("uuuu", format!("{year:04}")), ("yy", format!("{:02}", year % 100))],
    );
    if once_in(random, 6) {
        parts.extend([year, (separator, separator.to_owned()), ("DDD", format!("{:03}", between(random, 1, 366)))]);
        return;
    }
    let name = MONTHS[month as usize - 1].to_owned();
    let month = pick(random, &[("MM", format!("{month:02}")), ("MM", format!("{month:02}")), ("MMM", name)]);
    let day = ("dd", format!("{day:02}"));
    let separated = |parts: &mut Vec<(&'static str, String)>| parts.push((separator, separator.to_owned()));
    parts.push(year);
    if once_in(random, 10) {
        return;
    }
    separated(parts);
    parts.push(month);
    if once_in(random, 10) {
        return;
    }
    separated(parts);
    parts.push(day);
}

fn time_parts(random: &mut Random, parts: &mut Vec<(&'static str, String)>) {
    let (hour, minute, second) = (between(random, 0, 24), between(random, 0, 59), between(random, 0, 60));
    let half = pick(random, &["AM", "PM"]);
    if once_in(random, 3) {
        parts.push(("hh", format!("{:02}", between(random, 0, 12))));
        parts.push((":mm a", format!(":{minute:02} {half}")));
        return;
    }
    parts.push(pick(random, &[("HH", format!("{hour:02}")), ("H", hour.to_string()), ("kk", format!("{hour:02}"))]));
    parts.push((":mm", format!(":{minute:02}")));
    if once_in(random, 3) {
        return;
    }
    parts.push((":ss", format!(":{second:02}")));
    let fraction = between(random, 0, 999);
    match random.next(4) {
        0 => parts.push((".SSS", format!(".{fraction:03}"))),
        1 => parts.push(("[.SSS]", String::new())),
        2 => parts.push(("SS", format!("{:02}", fraction / 10))),
        _ => {}
    }
}

/// A text with a character too many, or too few, or another one.
fn damaged(random: &mut Random, text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    let at = random.next(characters.len() as u64 + 1) as usize;
    match random.next(3) {
        0 => characters.insert(at, pick(random, &['0', ' ', '-', 'x', '😀'])),
        1 if at < characters.len() => drop(characters.remove(at)),
        _ if at < characters.len() => characters[at] = pick(random, &['9', '3', '٣', '-']),
        _ => {}
    }
    characters.into_iter().collect()
}
