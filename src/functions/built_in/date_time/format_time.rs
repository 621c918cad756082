//! `FORMAT_TIME(time, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, Time, scalar};

use super::by_pattern::{formatted, time_formatter};

/// A time of day as text.
#[scalar(signature = "(time TIME, format STRING) -> STRING", example("FORMAT_TIME(CAST('13:05:00' AS TIME), 'h:mm a')" = "'1:05 PM'"))]
pub(super) fn format_time(batch: &mut Batch<'_>) -> ArrayRef {
    formatted(batch, time_formatter, |formatter, out, time: Time| formatter.write_time(out, time.0))
}
