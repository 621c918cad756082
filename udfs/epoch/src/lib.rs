//! An example of a plug-in: one scalar function. The README says how to build and to call it.

use chrono::NaiveDateTime;
use levada_udf::{plugin, scalar};

plugin![epoch_ms];

/// Milliseconds since 1970 of a text that a pattern of strftime describes; without a zone it is UTC.
#[scalar(
    category = "DATE / TIME",
    example("epoch_ms('01.06.2024 12:30', '%d.%m.%Y %H:%M')" = "1717245000000")
)]
fn epoch_ms(
    /// What is read, with date and time.
    text: &str,
    /// How it is written: %Y-%m-%d %H:%M:%S, for example.
    pattern: &str,
) -> Result<i64, String> {
    match NaiveDateTime::parse_from_str(text, pattern) {
        Ok(time) => Ok(time.and_utc().timestamp_millis()),
        Err(error) => Err(format!("cannot read '{text}' as '{pattern}': {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_by_their_pattern() {
        assert_eq!(epoch_ms("1970-01-02 00:00:01", "%Y-%m-%d %H:%M:%S"), Ok(86_401_000));
        assert_eq!(
            epoch_ms("31.02.2024 10:00", "%d.%m.%Y %H:%M"),
            Err("cannot read '31.02.2024 10:00' as '%d.%m.%Y %H:%M': input is out of range".to_owned())
        );
    }
}
