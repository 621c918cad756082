//! `LCASE(text)`.

use std::sync::LazyLock;

use levada_udf::arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::letter_case::{LetterCase, Table};

/// The text in small letters.
#[scalar(name = "lcase", signature = "(text STRING) -> STRING", example("LCASE('MiXeD')" = "'mixed'"))]
pub(super) fn lcase(batch: &mut Batch<'_>) -> ArrayRef {
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(|character| character.to_lowercase().to_string()));
    LetterCase { ascii: <[u8]>::make_ascii_lowercase, table: || &TABLE, any: str::to_lowercase }.of(batch)
}
