//! `DOUBLE_FROM_BYTES(bytes [, order])`.

use levada_udf::scalar;

use super::endian;

/// The DOUBLE that 8 bytes hold.
#[scalar(
    name = "double_from_bytes",
    example("DOUBLE_FROM_BYTES(TO_BYTES('3FF8000000000000', 'hex'))" = "CAST(1.5 AS DOUBLE)")
)]
pub(super) fn big_endian(bytes: &[u8]) -> Result<f64, String> {
    endian::big_endian(bytes).map(f64::from_be_bytes)
}

/// The same of bytes in the order 'BIG_ENDIAN' or 'LITTLE_ENDIAN'.
#[scalar(name = "double_from_bytes")]
pub(super) fn ordered(bytes: &[u8], order: &str) -> Result<f64, String> {
    endian::ordered(bytes, order).map(f64::from_be_bytes)
}
