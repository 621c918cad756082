//! `INT_FROM_BYTES(bytes [, order])`.

use levada_udf::scalar;

use super::endian;

/// The INTEGER that 4 bytes hold.
#[scalar(
    name = "int_from_bytes",
    example("INT_FROM_BYTES(TO_BYTES('000007E5', 'hex'))" = "2021")
)]
pub(super) fn big_endian(bytes: &[u8]) -> Result<i32, String> {
    endian::big_endian(bytes).map(i32::from_be_bytes)
}

/// The same of bytes in the order 'BIG_ENDIAN' or 'LITTLE_ENDIAN'.
#[scalar(name = "int_from_bytes")]
pub(super) fn ordered(bytes: &[u8], order: &str) -> Result<i32, String> {
    endian::ordered(bytes, order).map(i32::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_bytes_is_said() {
        assert_eq!(big_endian(&[0, 0, 7, 0xe5]), Ok(2021));
        assert_eq!(ordered(&[0, 0, 7, 0xe5], "BIG_ENDIAN"), Ok(2021));
        assert_eq!(ordered(&[0xe5, 7, 0, 0], "LITTLE_ENDIAN"), Ok(2021));
        assert!(ordered(&[0, 0, 7, 0xe5], "big").is_err());
        assert!(big_endian(&[0; 5]).is_err());
    }
}
