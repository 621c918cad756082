//! `UCASE(text)`.

use levada_udf::arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::letter_case::LetterCase;

/// The text in capitals.
#[scalar(name = "ucase", signature = "(text STRING) -> STRING", example("UCASE('MiXeD')" = "'MIXED'"))]
pub(super) fn ucase(batch: &mut Batch<'_>) -> ArrayRef {
    LetterCase { ascii: <[u8]>::make_ascii_uppercase, any: str::to_uppercase }.of(batch)
}
