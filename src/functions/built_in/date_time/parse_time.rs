//! `PARSE_TIME(text, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Time, scalar};

use super::by_pattern::parsed;
use crate::types::ZoneClock;
use crate::types::time_pattern::TimePattern;

/// The time of day that a text means.
#[scalar(signature = "(text STRING, format STRING) -> TIME", example("PARSE_TIME('1:05 PM', 'h:mm a')" = "CAST('13:05:00' AS TIME)"))]
pub(super) fn parse_time(batch: &mut Batch<'_>) -> ArrayRef {
    parsed(batch, pattern, ZoneClock::utc(), |parsed, _| parsed.time().map(Time))
}

fn pattern(format: &str) -> Result<TimePattern, String> {
    let pattern = TimePattern::new(format)?;
    if pattern.has_date_fields() { Err("Time format contains date field.".to_owned()) } else { Ok(pattern) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, StringArray};
    use levada_udf::Operand;

    use super::super::super::tests::evaluated_with_failures;

    #[test]
    fn other_fields_are_refused() {
        for (name, text, format, reason) in [
            ("PARSE_TIME", "1970 01", "yyyy HH", "Time format contains date field."),
            ("PARSE_DATE", "1970 01", "yyyy HH", "Date format contains time field."),
            ("PARSE_TIME", "01", "mm", "The text is no whole time"),
        ] {
            let arguments = [text, format].map(|text| Operand::Constant(Arc::new(StringArray::from(vec![text]))));
            let (values, failures) = evaluated_with_failures(name, &arguments, 1);
            assert!(values.is_null(0), "{name}");
            assert_eq!(failures, [(0, reason.to_owned())], "{name}");
        }
    }
}
