//! `DATETOSTRING(days, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::by_pattern::{date_formatter, formatted};

/// Days since 1970-01-01 as text. Write FORMAT_DATE instead.
#[scalar(signature = "(days INT, format STRING) -> STRING", example("DATETOSTRING(1, 'dd/MM/yyyy')" = "'02/01/1970'"))]
pub(super) fn datetostring(batch: &mut Batch<'_>) -> ArrayRef {
    formatted(batch, date_formatter, |formatter, out, days: i32| formatter.write_date(out, i64::from(days)))
}
