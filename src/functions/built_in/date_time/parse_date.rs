//! `PARSE_DATE(text, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Date, scalar};

use super::by_pattern::parsed;
use crate::types::ZoneClock;
use crate::types::time_pattern::TimePattern;

/// The date that a text means, or begins with.
#[scalar(signature = "(text STRING, format STRING) -> DATE", example("PARSE_DATE('1 Mar 2021', 'd MMM yyyy')" = "CAST('2021-03-01' AS DATE)"))]
pub(super) fn parse_date(batch: &mut Batch<'_>) -> ArrayRef {
    parsed(batch, pattern, ZoneClock::utc(), |parsed, _| date(parsed.date_or_default()?))
}

/// The date of `days` since 1970-01-01.
pub(super) fn date(days: i64) -> Result<Date, String> {
    i32::try_from(days).map(Date).map_err(|_| "The date is out of range".to_owned())
}

fn pattern(format: &str) -> Result<TimePattern, String> {
    let pattern = TimePattern::new(format)?;
    if pattern.has_time_fields() { Err("Date format contains time field.".to_owned()) } else { Ok(pattern.of_start()) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Date32Array, StringArray};
    use arrow::datatypes::Date32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;

    #[test]
    fn what_follows_the_date_does_not_count() {
        let texts =
            Operand::Column(Arc::new(StringArray::from(vec!["2003-12-24", "2003-12-24-01-01", "2003-12-24 noon"])));
        let format = Operand::Constant(Arc::new(StringArray::from(vec!["yyyy-MM-dd"])));
        let dates = evaluated("PARSE_DATE", &[texts, format], 3);
        assert_eq!(*dates.as_primitive::<Date32Type>(), Date32Array::from(vec![12_410; 3]));
    }
}
