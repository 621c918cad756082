//! `STRINGTODATE(text, format)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::by_pattern::parsed;
use super::parse_date::date;
use crate::types::ZoneClock;
use crate::types::time_pattern::TimePattern;

/// The days since 1970-01-01 that a text means. Write PARSE_DATE instead.
#[scalar(signature = "(text STRING, format STRING) -> INT", example("STRINGTODATE('02/01/1970', 'dd/MM/yyyy')" = "1"))]
pub(super) fn stringtodate(batch: &mut Batch<'_>) -> ArrayRef {
    parsed(batch, TimePattern::new, ZoneClock::utc(), |parsed, _| Ok(date(parsed.date()?)?.0))
}
