//! `LCASE(text)`.

use levada_udf::arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::letter_case::LetterCase;

/// The text in small letters.
#[scalar(name = "lcase", signature = "(text STRING) -> STRING", example("LCASE('MiXeD')" = "'mixed'"))]
pub(super) fn lcase(batch: &mut Batch<'_>) -> ArrayRef {
    LetterCase { ascii: <[u8]>::make_ascii_lowercase, any: str::to_lowercase }.of(batch)
}
