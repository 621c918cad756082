use proptest::prelude::*;

use super::*;
use crate::types::ZoneClock;
use crate::types::calendar::DAY_MS;

/// What `text` means by `pattern`, as milliseconds since the epoch in UTC.
fn moment(pattern: &str, text: &str) -> Option<i64> {
    let compiled = TimePattern::new(pattern).expect(pattern);
    compiled.parse(text).and_then(|parsed| parsed.timestamp(|local_ms| local_ms)).ok()
}

/// `ms` in the zone `id`, by `pattern`.
fn shown(pattern: &str, ms: i64, id: &str) -> Result<String, String> {
    let formatter = TimePattern::new(pattern)?.formatter(Shows::Timestamp)?;
    let mut text = String::new();
    formatter.write_timestamp(&mut text, ms, &mut ZoneClock::new(id)?)?;
    Ok(text)
}

#[test]
fn texts_are_read_by_their_pattern() {
    let cases = [
        ("yyyy-MM-dd'T'HH:mm:ss'Z'", "2013-01-01T05:00:00Z", Some(1_357_016_400_000)),
        ("yyyy-MM-dd HH:mm:ss.SSS", "1970-01-01 00:00:01.250", Some(1250)),
        ("yyyy-MM-dd'T'HH:mm:ssX", "1970-01-01T01:00:00+01", Some(0)),
        ("yyyy-MM-dd'T'HH:mm:ssX", "1970-01-01T01:00:00z", Some(3_600_000)),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "1970-01-01T00:00:00-01:30", Some(5_400_000)),
        ("yyyy-MM-dd'T'HH:mm:ssXXX", "1970-01-01T00:00:00-0130", None),
        ("yyyy-MM-dd'T'HH:mm O", "1970-01-01T01:30 GMT+1:30", Some(0)),
        ("yyyy-MM-dd'T'HH:mm VV", "1970-01-01T01:00 Europe/Paris", Some(0)),
        ("yyyy-MM-dd'T'HH:mm:ss zzz", "2018-05-11T21:58:33 PST", Some(1_526_101_113_000)),
        ("dd MMM yyyy", "02 jan 1970", Some(DAY_MS)),
        ("MMMM d, yyyy h:mm a", "January 1, 1970 1:05 PM", Some(47_100_000)),
        ("h:mm", "1:05", Some(3_900_000)),
        ("a", "pm", Some(18 * 3_600_000)),
        ("yyyyMMdd", "19700103", Some(2 * DAY_MS)),
        ("yyyyMMddHHmmssSSS", "19700101000001250", Some(1250)),
        ("dMyyyy", "311970", None),
        ("yy-M-d", "70-1-1", Some(3_155_760_000_000)),
        ("yyyy-MM-dd", "+1970-01-01", None),
        ("uuuu-MM-dd", "-0001-01-01", Some(-719_893 * DAY_MS)),
        ("G y", "BC 1", Some(-719_528 * DAY_MS)),
        ("yyyy-MM-dd[ HH:mm]", "1970-01-01", Some(0)),
        ("yyyy-MM-dd[ HH:mm]", "1970-01-01 00:01", Some(60_000)),
        ("yyyy-MM-dd[ HH:mm", "1970-01-01", Some(0)),
        ("HH:mm", "00:02", Some(120_000)),
        ("HH:mm", "24:00", Some(DAY_MS)),
        ("kk:mm", "24:01", Some(60_000)),
        ("yyyy-DDD", "1970-002", Some(DAY_MS)),
        ("DDD", "366", None),
        ("YYYY-'W'ww-e", "1970-W01-5", Some(0)),
        ("yyyy-MM-W-E", "1970-01-2-Sun", Some(3 * DAY_MS)),
        ("g", "40588", Some(DAY_MS)),
        ("ppd.M.yyyy", " 2.1.1970", Some(DAY_MS)),
        ("E d MMM yyyy", "Thu 1 Jan 1970", Some(0)),
        ("E d MMM yyyy", "Fri 1 Jan 1970", None),
        ("yyyy-MM-dd", "1970-01-01x", None),
        ("yyyy-MM-dd", "1970-13-01", None),
        ("yyyy-MM-dd", "01.01.1970", None),
        // A day beyond the month's end means its last one.
        ("yyyy-MM-dd", "1970-02-31", Some(58 * DAY_MS)),
        ("yyyy-MM-dd", "1970-02-32", None),
        ("yyyy-MM-dd HH", "1970-01-01 25", None),
        ("ss.A", "01.1000", Some(1000)),
        ("ss.A", "02.1000", None),
        ("yyyy", "999999999", None),
        ("n", "99999999999999999999", None),
    ];
    for (pattern, text, expected) in cases {
        assert_eq!(moment(pattern, text), expected, "{text} by {pattern}");
    }
}

#[test]
fn moments_are_written_by_a_pattern() {
    // 2021-07-04T22:06:07.089Z, a Sunday.
    let check = |pattern: &str, id: &str, expected: &str| {
        assert_eq!(shown(pattern, 1_625_436_367_089, id).as_deref(), Ok(expected), "{pattern}");
    };
    let los_angeles = "America/Los_Angeles";
    check("yyyy-MM-dd HH:mm:ss.SSS XXX zzz", los_angeles, "2021-07-04 15:06:07.089 -07:00 PDT");
    check("G GGGG u uu yyyyy Q QQ QQQ QQQQ", los_angeles, "AD Anno Domini 2021 21 02021 3 03 Q3 3rd quarter");
    check("M MM MMM MMMM MMMMM L LLLL", los_angeles, "7 07 Jul July J 7 July");
    check("d D DDD E EEEE EEEEE e ee eee c cccc F", los_angeles, "4 185 185 Sun Sunday S 1 01 Sun 1 Sunday 4");
    check("Y YY YYYY w ww W g", los_angeles, "2021 21 2021 28 28 2 59399");
    check("a h hh K k H m s S n A N", los_angeles, "PM 3 03 3 15 15 6 7 0 89000000 54367089 54367089000000");
    check("VV z zzzz v vvvv", los_angeles, "America/Los_Angeles PDT Pacific Daylight Time PT Pacific Time");
    check(
        "X XX x xx xxx Z ZZZZ ZZZZZ O OOOO",
        "+05:30",
        "+0530 +0530 +0530 +0530 +05:30 +0530 GMT+05:30 +05:30 GMT+5:30 GMT+05:30",
    );
    check("X XXX x xxx Z O VV z", "UTC", "Z Z +00 +00:00 +0000 GMT UTC UTC");
    check("ppppH|pppH'h'", los_angeles, "  15| 15h");
    check("[yyyy[-MM]]'T'''", los_angeles, "2021-07T'");
    check("VV z O", "UTC+2", "UTC+02:00 UTC+02:00 GMT+2");
    check("z zzzz", "Asia/Kolkata", "IST India Standard Time");
    // Clocks are moved in summer after tzdb's tables have ended.
    assert_eq!(
        shown("yyyy-MM-dd HH:mm z", 203_819_535_072_155, "Europe/Paris").as_deref(),
        Ok("8428-10-13 11:31 CEST")
    );
    assert_eq!(shown("yyyy G", -99_999_999_999_999, "UTC").as_deref(), Ok("1200 BC"));
    assert_eq!(shown("y", i64::MAX, "UTC").as_deref(), Ok("292278994"));
    assert_eq!(shown("y", i64::MIN, "Europe/Paris").as_deref(), Ok("292275056"));
    assert!(shown("ppyyyy", 0, "UTC").is_err());
}

#[test]
fn parts_that_are_not_there_are_left_out_or_refused() {
    let check = |pattern: &str, shows, expected: Result<&str, &str>| {
        let mut text = String::new();
        let formatter = TimePattern::new(pattern).and_then(|pattern| pattern.formatter(shows));
        let written = formatter.and_then(|formatter| match shows {
            Shows::Date => formatter.write_date(&mut text, 0),
            _ => formatter.write_time(&mut text, 3_600_000),
        });
        assert_eq!(written.as_ref().map(|()| text.as_str()).map_err(String::as_str), expected, "{pattern}");
    };
    check("yyyy[ HH]", Shows::Date, Ok("1970"));
    check("yyyy HH", Shows::Date, Err("Unsupported field: HourOfDay"));
    check("[yyyy ]HH", Shows::Time, Ok("01"));
    check("HH E", Shows::Time, Err("Unsupported field: DayOfWeek"));
    check("HH z", Shows::Time, Err("Unable to extract ZoneId from temporal"));
}

#[test]
fn wrong_patterns_say_why() {
    let check = |pattern: &str, reason: &str| {
        assert_eq!(TimePattern::new(pattern).map(|_| ()), Err(reason.to_owned()), "{pattern}");
    };
    check("yyyy-ii", "Unknown pattern letter: i");
    check("yyyy]MM", "Pattern invalid as it contains ] without previous [");
    check("yyyy'T", "Pattern ends with an incomplete string literal: yyyy'T");
    check("{", "Pattern includes reserved character: '{'");
    check("ddd", "Too many pattern letters: d");
    check("V", "Pattern letter count must be 2: V");
    check("SSSSSSSSSS", "Minimum width must be from 0 to 9 inclusive but was 10");
    check("pp-", "Pad letter 'p' must be followed by valid pad pattern: pp-");
    check(&"y".repeat(20), "The minimum width must be from 1 to 19 inclusive but was 20");
    check(&"[".repeat(100), "Too many optional sections in each other");
}

proptest! {
    #[test]
    fn what_is_written_reads_back(ms in -60_000_000_000_000_i64..250_000_000_000_000, pattern in 0..PATTERNS.len(), zone in 0..4_usize) {
        let (pattern, id) = (PATTERNS[pattern], ["UTC", "+05:30", "Europe/Paris", "America/New_York"][zone]);
        let mut clock = ZoneClock::new(id).expect("a zone");
        // Of two moments that clocks show alike, the text without an offset means the first.
        let ms = clock.to_local_ms(ms);
        let ms = clock.to_utc_ms(ms);
        let text = shown(pattern, ms, id).expect("a text");
        let parsed = TimePattern::new(pattern).and_then(|pattern| pattern.parse(&text));
        prop_assert_eq!(parsed.and_then(|parsed| parsed.timestamp(|local_ms| clock.to_utc_ms(local_ms))), Ok(ms), "{}", text);
    }

    #[test]
    fn any_pattern_and_text_is_met_with_an_answer(pattern in "[a-zA-Z'\\[\\]:. é-]{0,12}", text in "\\PC{0,20}", ms: i64) {
        if let Ok(compiled) = TimePattern::new(&pattern) {
            let _ = compiled.parse(&text).map(|parsed| (parsed.date_or_default(), parsed.timestamp(|local_ms| local_ms)));
            if let Ok(written) = shown(&pattern, ms, "Europe/Paris") {
                let _ = compiled.parse(&written).map(|parsed| parsed.timestamp(|local_ms| local_ms));
            }
        }
    }
}

/// They say all of a moment.
const PATTERNS: [&str; 8] = [
    "uuuu-MM-dd'T'HH:mm:ss.SSS",
    "EEEE d MMMM u, h:mm:ss.SSS a",
    "uuuu DDD A",
    "G yyyy QQQ M d k m s n",
    "YYYY-ww-e N",
    "uuuu-MM-dd HH:mm:ss.SSSXXXXX",
    "g A",
    "uuuu-MM-dd HH:mm:ss.SSS VV",
];
