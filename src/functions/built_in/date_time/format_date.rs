//! `FORMAT_DATE(date, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Date, scalar};

use super::by_pattern::{date_formatter, formatted};

/// A date as text.
#[scalar(signature = "(date DATE, format STRING) -> STRING", example("FORMAT_DATE(CAST('2021-03-01' AS DATE), 'EEE d MMM yyyy')" = "'Mon 1 Mar 2021'"))]
pub(super) fn format_date(batch: &mut Batch<'_>) -> ArrayRef {
    formatted(batch, date_formatter, |formatter, out, date: Date| formatter.write_date(out, i64::from(date.0)))
}
