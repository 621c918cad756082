//! `TO_BYTES(text, encoding)`.

use levada_udf::scalar;

use super::super::encoding::Encoding;

/// The bytes of a text: hex, utf8, ascii or base64.
#[scalar(name = "to_bytes", example("FROM_BYTES(TO_BYTES('foo', 'utf8'), 'hex')" = "'666f6f'"))]
pub(super) fn to_bytes(text: &str, encoding: &str) -> Result<Vec<u8>, String> {
    Encoding::named(encoding)?.decode(text)
}
