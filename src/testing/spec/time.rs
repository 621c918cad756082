//! Times as specs write them: `5s`, `1500ms`, `2h`, `2013-01-01T05:00:00Z`.

use chrono::{DateTime, SecondsFormat};

/// Milliseconds per unit, longest names first.
const UNITS: [(&str, i64); 5] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

/// From here on a time is shown as a date: no spec counts seconds that far.
const DATES_FROM: i64 = 10_000_000_000;

/// Milliseconds since the epoch.
pub fn parse(text: &str) -> Option<i64> {
    if text.contains('T') {
        return DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis());
    }
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1));
    digits.parse::<i64>().ok()?.checked_mul(factor)
}

/// The shortest text that says the same.
pub fn show(milliseconds: i64) -> String {
    let date = DateTime::from_timestamp_millis(milliseconds).filter(|_| milliseconds >= DATES_FROM);
    if let Some(date) = date {
        return date.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    }
    if milliseconds % 1_000 == 0 { format!("{}s", milliseconds / 1_000) } else { format!("{milliseconds}ms") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        let table = [
            ("5s", 5_000, "5s"),
            ("1500", 1_500, "1500ms"),
            ("2m", 120_000, "120s"),
            ("1h", 3_600_000, "3600s"),
            ("-1ms", -1, "-1ms"),
            ("2013-01-01T05:00:00Z", 1_357_016_400_000, "2013-01-01T05:00:00Z"),
            ("2013-01-01T05:00:00.250Z", 1_357_016_400_250, "2013-01-01T05:00:00.250Z"),
        ];
        for (text, milliseconds, shown) in table {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
            assert_eq!(show(milliseconds), shown);
        }
        assert_eq!(parse("soon"), None);
    }
}
