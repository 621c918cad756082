//! Dates and times. Formats are Java's patterns, units the words of intervals.

use super::{Function, scalar};

const CATEGORY: &str = "DATE / TIME";

pub(super) fn functions() -> Vec<Function> {
    let mut functions = current();
    functions.extend(deprecated());
    functions
}

fn current() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function("convert_tz", "The time in another zone.", &["(time TIMESTAMP, from STRING, to STRING) -> TIMESTAMP"]),
        function("dateadd", "A date so much later.", &["(unit UNIT, count INT, date DATE) -> DATE"]),
        function("datesub", "A date so much earlier.", &["(unit UNIT, count INT, date DATE) -> DATE"]),
        function("format_date", "A date as text.", &["(date DATE, format STRING) -> STRING"]),
        function("format_time", "A time as text.", &["(time TIME, format STRING) -> STRING"]),
        function(
            "format_timestamp",
            "A timestamp as text, in UTC unless a zone is given.",
            &["(time TIMESTAMP, format STRING) -> STRING", "(time TIMESTAMP, format STRING, zone STRING) -> STRING"],
        ),
        function("from_days", "The date so many days after 1970-01-01.", &["(days INT) -> DATE"]),
        function(
            "from_unixtime",
            "The timestamp so many milliseconds after 1970-01-01.",
            &["(millis BIGINT) -> TIMESTAMP"],
        ),
        function("parse_date", "The date that a text means.", &["(text STRING, format STRING) -> DATE"]),
        function("parse_time", "The time that a text means.", &["(text STRING, format STRING) -> TIME"]),
        function(
            "parse_timestamp",
            "The timestamp that a text means, in UTC unless it or a zone says otherwise.",
            &["(text STRING, format STRING) -> TIMESTAMP", "(text STRING, format STRING, zone STRING) -> TIMESTAMP"],
        ),
        function("timeadd", "A time so much later.", &["(unit UNIT, count INT, time TIME) -> TIME"]),
        function("timesub", "A time so much earlier.", &["(unit UNIT, count INT, time TIME) -> TIME"]),
        function(
            "timestampadd",
            "A timestamp so much later.",
            &["(unit UNIT, count INT, time TIMESTAMP) -> TIMESTAMP"],
        ),
        function(
            "timestampsub",
            "A timestamp so much earlier.",
            &["(unit UNIT, count INT, time TIMESTAMP) -> TIMESTAMP"],
        ),
        function(
            "unix_date",
            "Days since 1970-01-01, of today if no date is given.",
            &["() -> INT", "(date DATE) -> INT"],
        ),
        function(
            "unix_timestamp",
            "Milliseconds since 1970-01-01, of now if no time is given.",
            &["() -> BIGINT", "(time TIMESTAMP) -> BIGINT"],
        ),
    ]
}

/// Numbers for times, from before there were types for them.
fn deprecated() -> Vec<Function> {
    let function = |spelling, description, signatures: &[&str]| scalar(CATEGORY, spelling, description, signatures);
    vec![
        function(
            "datetostring",
            "Days since 1970-01-01 as text. Write FORMAT_DATE instead.",
            &["(days INT, format STRING) -> STRING"],
        ),
        function(
            "stringtodate",
            "The days since 1970-01-01 that a text means. Write PARSE_DATE instead.",
            &["(text STRING, format STRING) -> INT"],
        ),
        function(
            "stringtotimestamp",
            "The milliseconds since 1970-01-01 that a text means. Write PARSE_TIMESTAMP instead.",
            &["(text STRING, format STRING) -> BIGINT", "(text STRING, format STRING, zone STRING) -> BIGINT"],
        ),
        function(
            "timestamptostring",
            "Milliseconds since 1970-01-01 as text. Write FORMAT_TIMESTAMP instead.",
            &["(millis BIGINT, format STRING) -> STRING", "(millis BIGINT, format STRING, zone STRING) -> STRING"],
        ),
    ]
}
