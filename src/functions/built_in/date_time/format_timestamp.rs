//! `FORMAT_TIMESTAMP(timestamp, format[, zone])`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Timestamp, scalar};

use super::by_pattern::formatted_moments;
use crate::types::ZoneClock;

/// A timestamp as text, in UTC unless a zone is given.
#[scalar(
    signature = "(time TIMESTAMP, format STRING) -> STRING",
    signature = "(time TIMESTAMP, format STRING, zone STRING) -> STRING",
    example("FORMAT_TIMESTAMP(CAST('2021-07-01T12:00:00' AS TIMESTAMP), 'yyyy-MM-dd HH:mm z', 'Europe/Paris')" = "'2021-07-01 14:00 CEST'")
)]
pub(super) fn format_timestamp(batch: &mut Batch<'_>) -> ArrayRef {
    formatted_moments(batch, ZoneClock::utc(), |time: Timestamp| time.0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, StringArray, TimestampMillisecondArray};
    use levada_udf::Operand;

    use super::super::super::tests::evaluated_with_failures;

    #[test]
    fn each_row_has_its_pattern_and_zone() {
        let text = |values: Vec<Option<&str>>| Operand::Column(Arc::new(StringArray::from(values)) as ArrayRef);
        let times = TimestampMillisecondArray::from(vec![Some(0), Some(0), Some(0), None, Some(0)]);
        let formats = text(vec![Some("HH:mm z"), Some("'"), Some("yyyy"), Some("HH"), Some("HH:mm z")]);
        let zones = text(vec![Some("Asia/Tokyo"), Some("UTC"), Some("Mars"), Some("UTC"), None]);
        let arguments = [Operand::Column(Arc::new(times)), formats, zones];
        let (texts, failures) = evaluated_with_failures("FORMAT_TIMESTAMP", &arguments, 5);
        assert_eq!(texts.as_string::<i32>().iter().collect::<Vec<_>>(), [Some("09:00 JST"), None, None, None, None]);
        assert_eq!(failures.iter().map(|(row, _)| *row).collect::<Vec<_>>(), [1, 2]);
    }
}
