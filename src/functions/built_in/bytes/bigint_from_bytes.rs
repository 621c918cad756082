//! `BIGINT_FROM_BYTES(bytes [, order])`.

use levada_udf::scalar;

use super::endian;

/// The BIGINT that 8 bytes hold.
#[scalar(
    name = "bigint_from_bytes",
    example("BIGINT_FROM_BYTES(TO_BYTES('000000012A05F201', 'hex'))" = "5000000001")
)]
pub(super) fn big_endian(bytes: &[u8]) -> Result<i64, String> {
    endian::big_endian(bytes).map(i64::from_be_bytes)
}

/// The same of bytes in the order 'BIG_ENDIAN' or 'LITTLE_ENDIAN'.
#[scalar(name = "bigint_from_bytes")]
pub(super) fn ordered(bytes: &[u8], order: &str) -> Result<i64, String> {
    endian::ordered(bytes, order).map(i64::from_be_bytes)
}
