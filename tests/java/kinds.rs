//! What is called, and with what.

use super::call::{Call, Value};
use super::random::{
    any_bigint, any_double, any_integer, between, bigint, bytes, decimal, decimal_of, double, integer, letters,
    number_text, once_in, pick, string, text,
};
use super::{regex, time};
use crate::crash::Random;

/// A name, and what makes a call of the kind.
pub type Kind = (&'static str, fn(&mut Random) -> Call);

fn call(name: impl Into<String>, arguments: impl Into<Vec<Value>>) -> Call {
    Call { name: name.into(), arguments: arguments.into() }
}

pub const KINDS: [Kind; 72] = [
    // Order.
    ("< of texts", |random| {
        let start = text(random, 9);
        let sides = [0; 2].map(|_| string(format!("{start}{}", text(random, 3))));
        call(pick(random, &["<", "<=", ">", ">="]), sides)
    }),
    ("< of bytes", |random| {
        let sides = [bytes(random), bytes(random)];
        call(pick(random, &["<", "<=", ">", ">="]), sides)
    }),
    ("< of numbers", |random| {
        let sides = [0; 2].map(|_| double(any_double(random, true)));
        call(pick(random, &["<", "<=", ">", ">="]), sides)
    }),
    ("GREATEST of texts", |random| call("GREATEST", [0; 3].map(|_| string(text(random, 3))))),
    ("LEAST of bytes", |random| call("LEAST", [0; 3].map(|_| bytes(random)))),
    ("LEAST of doubles", |random| call("LEAST", [0; 3].map(|_| double(any_double(random, false))))),
    ("GREATEST of doubles", |random| call("GREATEST", [0; 3].map(|_| double(any_double(random, false))))),
    ("ARRAY_SORT", |random| call("SORT", [string(text(random, 12)), string(pick(random, &["a", " ", "", "é"]))])),
    // Texts.
    ("SUBSTRING", |random| {
        let mut arguments = vec![string(text(random, 10)), integer(between(random, -12, 12))];
        if once_in(random, 2) {
            arguments.push(integer(between(random, -2, 12)));
        }
        call("SUBSTRING", arguments)
    }),
    ("INSTR", |random| {
        let (whole, part) = (text(random, 12), text(random, 2));
        let mut arguments = vec![string(whole.clone() + &part + &whole), string(part)];
        let (position, occurrence) = (between(random, -14, 14), between(random, 0, 3));
        arguments.extend([integer(position), integer(occurrence)].into_iter().take(random.next(3) as usize));
        call("INSTR", arguments)
    }),
    ("LPAD", |random| call("LPAD", padding(random))),
    ("RPAD", |random| call("RPAD", padding(random))),
    ("TRIM", |random| call("TRIM", [string(text(random, 8))])),
    ("REPLACE", |random| {
        let (whole, part) = (text(random, 8), text(random, 2));
        call("REPLACE", [string(whole.clone() + &part + &whole), string(part), string(text(random, 2))])
    }),
    ("SPLIT", |random| {
        let (whole, part) = (text(random, 6), text(random, 1));
        call("SPLIT", [string(format!("{part}{whole}{part}{whole}{part}")), string(part)])
    }),
    ("UCASE", |random| call("UCASE", [string(letters(random, 14))])),
    ("LCASE", |random| call("LCASE", [string(letters(random, 14))])),
    ("INITCAP", |random| call("INITCAP", [string(letters(random, 14))])),
    ("UCASE of any text", |random| call("UCASE", [string(text(random, 14))])),
    ("LCASE of any text", |random| call("LCASE", [string(text(random, 14))])),
    ("LEN", |random| call("LEN", [string(text(random, 14))])),
    ("LEN of bytes", |random| call("LEN", [bytes(random)])),
    ("CHR", |random| {
        let code = between(random, -1, 0x0011_0000);
        call("CHR", [integer(pick(random, &[code, code % 0x300, 0xD800, 0xDFFF, 0x1F600]))])
    }),
    ("CHR of escapes", |random| {
        let some = ["\\u0041", "\\u00e9", "\\uD83D\\uDE00", "\\u0000", "\\uFFFD", "\\u0301"];
        call("CHR", [string((0..=random.next(3)).map(|_| pick(random, &some)).collect::<String>())])
    }),
    ("CONCAT", |random| call("CONCAT", [0; 3].map(|_| string(text(random, 4))))),
    ("MASK", |random| call("MASK", [string(text(random, 10))])),
    ("MASK of letters", |random| call("MASK", [string(letters(random, 10))])),
    ("MASK_LEFT", |random| call("MASK_LEFT", [string(text(random, 10)), integer(between(random, -1, 12))])),
    ("MASK_RIGHT", |random| call("MASK_RIGHT", [string(text(random, 10)), integer(between(random, -1, 12))])),
    ("MASK_KEEP_LEFT", |random| call("MASK_KEEP_LEFT", [string(text(random, 10)), integer(between(random, -1, 12))])),
    ("MASK_KEEP_RIGHT", |random| call("MASK_KEEP_RIGHT", [string(text(random, 10)), integer(between(random, -1, 12))])),
    ("ENCODE", |random| {
        let from = pick(random, &["utf8", "utf8", "ascii", "hex", "base64"]);
        let coded = pick(
            random,
            &["00ff", "0x4A4b", "0xA4b", "X'4a'", "4", "zz", "c3a9", "QUJD", "w6k=", "w6k", "QQ", "=", "ff41c3"],
        );
        let value = if ["hex", "base64"].contains(&from) { coded.to_owned() } else { text(random, 6) };
        call("ENCODE", [string(value), string(from), string(encoding(random))])
    }),
    ("TO_BYTES", |random| call("TO_BYTES", [string(text(random, 6)), string(pick(random, &["utf8", "ascii"]))])),
    ("FROM_BYTES", |random| call("FROM_BYTES", [bytes(random), string(encoding(random))])),
    ("MD5", |random| call("MD5", [string(text(random, 10))])),
    // Regular expressions.
    ("REGEXP_EXTRACT", |random| call("REGEXP_EXTRACT", matching(random))),
    ("REGEXP_EXTRACT_ALL", |random| call("REGEXP_EXTRACT_ALL", matching(random))),
    ("REGEXP_REPLACE", |random| {
        let (text, pattern) = (regex::text(random), regex::pattern(random));
        call("REGEXP_REPLACE", [string(text), string(pattern), string(regex::replacement(random))])
    }),
    ("REGEXP_SPLIT_TO_ARRAY", |random| {
        call("REGEXP_SPLIT_TO_ARRAY", [string(regex::text(random)), string(regex::pattern(random))])
    }),
    // Dates and times.
    ("FORMAT_DATE", |random| {
        call("FORMAT_DATE", [time::date(random), string(time::format(random, true, false, false))])
    }),
    ("FORMAT_TIME", |random| {
        call("FORMAT_TIME", [time::time(random), string(time::format(random, false, true, false))])
    }),
    ("FORMAT_TIMESTAMP", |random| {
        let mut arguments = vec![time::timestamp(random), string(time::format(random, true, true, true))];
        if !once_in(random, 4) {
            arguments.push(string(time::zone(random)));
        }
        call("FORMAT_TIMESTAMP", arguments)
    }),
    ("names of zones", |random| {
        // Some that Java names by where they are said to belong, and one that is too new for a JDK of last year.
        let zone = pick(random, &chrono_tz::TZ_VARIANTS).name();
        let zone = if UNNAMED.contains(&zone) { "Europe/Paris" } else { zone };
        call("FORMAT_TIMESTAMP", [time::recent_timestamp(random), string("z zzzz v vvvv VV XXXXX"), string(zone)])
    }),
    ("PARSE_DATE", |random| {
        let has_time = once_in(random, 10);
        let (pattern, text) = time::to_parse(random, true, has_time, false);
        call("PARSE_DATE", [string(text), string(pattern)])
    }),
    ("PARSE_TIME", |random| {
        let has_date = once_in(random, 10);
        let (pattern, text) = time::to_parse(random, has_date, true, false);
        call("PARSE_TIME", [string(text), string(pattern)])
    }),
    ("PARSE_TIMESTAMP", |random| {
        let (has_time, has_zone) = (!once_in(random, 4), once_in(random, 3));
        let (pattern, text) = time::to_parse(random, true, has_time, has_zone);
        let mut arguments = vec![string(text), string(pattern)];
        if once_in(random, 2) {
            arguments.push(string(time::zone(random)));
        }
        call("PARSE_TIMESTAMP", arguments)
    }),
    ("DATEADD", |random| call("DATEADD", [time::unit(random), integer(between(random, -99, 99)), time::date(random)])),
    ("TIMEADD", |random| call("TIMEADD", [time::unit(random), integer(any_integer(random)), time::time(random)])),
    ("TIMESTAMPADD", |random| {
        call("TIMESTAMPADD", [time::unit(random), integer(between(random, -99_999, 99_999)), time::timestamp(random)])
    }),
    ("CONVERT_TZ", |random| {
        call("CONVERT_TZ", [time::recent_timestamp(random), string(time::zone(random)), string(time::zone(random))])
    }),
    ("CAST of times", |random| {
        let (value, types): (Value, &[&str]) = match random.next(3) {
            0 => (time::date(random), &["STRING", "TIMESTAMP"]),
            1 => (time::time(random), &["STRING"]),
            _ => (time::timestamp(random), &["STRING", "DATE", "TIME"]),
        };
        call(format!("CAST {}", pick(random, types)), [value])
    }),
    // Numbers.
    ("arithmetic of DECIMAL", |random| {
        let sides = [decimal(random, 15), decimal(random, 15)];
        call(pick(random, &["+", "-", "*", "%"]), sides)
    }),
    ("division of DECIMAL", |random| {
        let (whole, by) = (decimal(random, 12), pick(random, &[(1, 0), (2, 1), (5, 3), (8, 2)]));
        call("/", [whole, decimal_of(random, by.0, by.1)])
    }),
    ("arithmetic of wide DECIMAL", |random| {
        let sides = [decimal(random, 37), decimal(random, 37)];
        call(pick(random, &["+", "-", "*"]), sides)
    }),
    ("DECIMAL and integers", |random| {
        let whole = if once_in(random, 2) { integer(any_integer(random)) } else { bigint(any_bigint(random)) };
        let mut sides = vec![decimal(random, 15), whole];
        if once_in(random, 2) {
            sides.reverse();
        }
        call(pick(random, &["+", "-", "*", "/", "%"]), sides)
    }),
    ("arithmetic of integers", |random| {
        call(pick(random, &["+", "-", "*", "/", "%"]), [integer(any_integer(random)), integer(any_integer(random))])
    }),
    ("arithmetic of BIGINT", |random| {
        call(pick(random, &["+", "-", "*", "/", "%"]), [bigint(any_bigint(random)), bigint(any_bigint(random))])
    }),
    ("arithmetic of DOUBLE", |random| {
        let sides = [double(any_double(random, false)), double(any_double(random, false))];
        call(pick(random, &["+", "-", "*", "/", "%"]), sides)
    }),
    ("ROUND of DECIMAL", |random| {
        let precision = between(random, 1, 20) as u8;
        let has_places = once_in(random, 2);
        // Without places some digits must be before the point.
        let scale = between(random, 0, i64::from(precision) - i64::from(!has_places)) as u8;
        let mut arguments = vec![decimal_of(random, precision, scale)];
        if has_places {
            arguments.push(integer(between(random, -5, 12)));
        }
        call(pick(random, &["ROUND", "TRUNC"]), arguments)
    }),
    ("CEIL of DECIMAL", |random| call(pick(random, &["CEIL", "FLOOR", "ABS"]), [decimal(random, 37)])),
    ("ROUND of DOUBLE", |random| {
        let mut arguments = vec![double(any_double(random, false))];
        if once_in(random, 2) {
            arguments.push(integer(between(random, -20, 20)));
        }
        call(pick(random, &["ROUND", "TRUNC"]), arguments)
    }),
    ("CEIL of DOUBLE", |random| {
        call(pick(random, &["CEIL", "FLOOR", "ABS", "SIGN"]), [double(any_double(random, false))])
    }),
    ("CAST of numbers to STRING", |random| {
        let value = match random.next(4) {
            0 => integer(any_integer(random)),
            1 => bigint(any_bigint(random)),
            2 => decimal(random, 37),
            _ => double(any_double(random, false)),
        };
        call("CAST STRING", [value])
    }),
    ("CAST of DOUBLE to STRING", |random| call("CAST STRING", [double(any_double(random, false))])),
    ("CAST of STRING", |random| {
        let to = pick(random, &["INTEGER", "BIGINT", "DOUBLE", "DECIMAL(9, 3)", "DECIMAL(38, 20)"]);
        call(format!("CAST {to}"), [string(number_text(random))])
    }),
    ("CAST of STRING to BOOLEAN", |random| {
        let texts = ["true", "T", "yEs", "y", "", " ", "truer", "false", "1", " tr ", "no", "TRU", "ye", "ﬀ"];
        call("CAST BOOLEAN", [string(pick(random, &texts))])
    }),
    ("CAST of DOUBLE", |random| {
        let to = pick(random, &["INTEGER", "BIGINT", "DECIMAL(9, 3)", "DECIMAL(38, 20)", "DECIMAL(2, 1)"]);
        call(format!("CAST {to}"), [double(any_double(random, true))])
    }),
    ("CAST of small DOUBLE to DECIMAL", |random| {
        call(format!("CAST {}", decimal_type(random)), [double(between(random, -99_999, 99_999) as f64 / 1000.0)])
    }),
    ("CAST of DECIMAL", |random| {
        let to = pick(random, &["INTEGER", "BIGINT", "DOUBLE"]);
        call(format!("CAST {to}"), [decimal(random, 25)])
    }),
    ("CAST of DECIMAL to DECIMAL", |random| call(format!("CAST {}", decimal_type(random)), [decimal(random, 9)])),
    ("CAST of integers to DECIMAL", |random| {
        let value = if once_in(random, 2) { integer(any_integer(random)) } else { bigint(any_bigint(random)) };
        call(format!("CAST {}", decimal_type(random)), [value])
    }),
    // URLs.
    ("URL", |random| {
        let functions = ["URL_EXTRACT_FRAGMENT", "URL_EXTRACT_HOST", "URL_EXTRACT_PATH", "URL_EXTRACT_PORT"];
        let name = pick(random, &[&functions[..], &["URL_EXTRACT_PROTOCOL", "URL_EXTRACT_QUERY"]].concat());
        if once_in(random, 4) {
            let name = pick(random, &["URL_ENCODE_PARAM", "URL_DECODE_PARAM"]);
            let coded = (0..random.next(6)).map(|_| pick(random, &["%41", "%c3%a9", "+", "a", "%", "%zz", "%ff", "é"]));
            let coded = coded.collect::<String>();
            return call(name, [string(if once_in(random, 2) { coded } else { text(random, 8) })]);
        }
        call(name, [string(url(random))])
    }),
];

/// Zones that are not compared.
const UNNAMED: [&str; 10] = [
    "Africa/Windhoek",
    "America/Coyhaique",
    "America/Punta_Arenas",
    "Asia/Atyrau",
    "Asia/Barnaul",
    "Asia/Tomsk",
    "Europe/Astrakhan",
    "Europe/Saratov",
    "Europe/Ulyanovsk",
    "Pacific/Kanton",
];

fn padding(random: &mut Random) -> [Value; 3] {
    [string(text(random, 6)), integer(between(random, -1, 14)), string(text(random, 3))]
}

fn encoding(random: &mut Random) -> &'static str {
    pick(random, &["hex", "utf8", "ascii", "base64", "utf9"])
}

fn matching(random: &mut Random) -> Vec<Value> {
    let mut arguments = vec![string(regex::pattern(random)), string(regex::text(random))];
    if once_in(random, 2) {
        arguments.push(integer(between(random, 0, 3)));
    }
    arguments
}

fn decimal_type(random: &mut Random) -> String {
    let precision = between(random, 1, 12);
    format!("DECIMAL({precision}, {})", between(random, 0, precision))
}

fn url(random: &mut Random) -> String {
    let scheme = pick(random, &["http://", "HTTPS://", "ftp:", "mailto:", "//", "", "1a://", "a+b.c-d://"]);
    let user = pick(random, &["", "", "me@", "me:pw@", "%41@"]);
    let host = pick(
        random,
        &["example.com", "EXAMPLE.com", "127.0.0.1", "[::1]", "[fe80::1%25eth0]", "a_b", "-a.com", "a..b", "", "é.com"],
    );
    let port = pick(random, &["", "", ":80", ":", ":99999999999", ":0080", ":x"]);
    let path = pick(random, &["", "/", "/a/b", "/a%20b", "/é", "/a b", "//x", "/a;b=c", "a/b", "/%zz"]);
    let query = pick(random, &["", "", "?", "?a=1", "?a=%26&b=c+d", "?é", "?a?b", "?a b", "?[x]"]);
    let fragment = pick(random, &["", "", "#", "#x", "#%C3%A9", "#a#b", "#?"]);
    format!("{scheme}{user}{host}{port}{path}{query}{fragment}")
}
