//! `FROM_BYTES(bytes, encoding)`.

use std::fmt::Display;

use levada_udf::{Shown, scalar};

use super::super::encoding::Encoding;

/// Bytes as a text: hex, utf8, ascii or base64.
#[scalar(name = "from_bytes", example("FROM_BYTES(TO_BYTES('Zm9v', 'base64'), 'utf8')" = "'foo'"))]
pub(super) fn from_bytes(bytes: &[u8], encoding: &str) -> Result<Shown<impl Display>, String> {
    Encoding::named(encoding).map(|encoding| Shown(encoding.encoded(bytes)))
}
