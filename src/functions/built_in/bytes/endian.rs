//! In which order the bytes of a number stand.

/// The `N` bytes of a number, the most significant one first.
pub(super) fn big_endian<const N: usize>(bytes: &[u8]) -> Result<[u8; N], String> {
    bytes.try_into().map_err(|_| format!("the number has {N} bytes, not {}", bytes.len()))
}

/// The same of `bytes` in `order`.
pub(super) fn ordered<const N: usize>(bytes: &[u8], order: &str) -> Result<[u8; N], String> {
    let mut number = big_endian(bytes)?;
    match order {
        "BIG_ENDIAN" => {}
        "LITTLE_ENDIAN" => number.reverse(),
        _ => return Err(format!("the order of bytes is 'BIG_ENDIAN' or 'LITTLE_ENDIAN', not '{order}'")),
    }
    Ok(number)
}
