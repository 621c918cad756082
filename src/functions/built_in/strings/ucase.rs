//! `UCASE(text)`.

use std::sync::LazyLock;

use levada_udf::arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::letter_case::{LetterCase, Table};

/// The text in capitals.
#[scalar(name = "ucase", signature = "(text STRING) -> STRING", example("UCASE('MiXeD')" = "'MIXED'"))]
pub(super) fn ucase(batch: &mut Batch<'_>) -> ArrayRef {
    static TABLE: LazyLock<Table> = LazyLock::new(|| Table::new(|character| character.to_uppercase().to_string()));
    LetterCase { ascii: <[u8]>::make_ascii_uppercase, table: || &TABLE, any: str::to_uppercase }.of(batch)
}
