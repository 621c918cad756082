//! Bytes as digits, `0x00ff`.

/// `bytes` as digits.
pub(super) fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |digits, byte| digits + &format!("{byte:02x}"))
}

/// The bytes of `text`; `None` if it is not `0x` and two digits for each.
pub(super) fn bytes(text: &[u8]) -> Option<Vec<u8>> {
    let digits = text.strip_prefix(b"0x")?;
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let byte = |pair: &[u8]| match *pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_become_their_bytes_again() {
        for some in [&[][..], &[0], &[0, 0x7f, 0xff]] {
            assert_eq!(bytes(digits(some).as_bytes()).as_deref(), Some(some));
        }
        assert_eq!(digits(&[0, 0x7f]), "0x007f");
        assert_eq!(bytes(b"0xAb").as_deref(), Some(&[0xab][..]));
    }

    #[test]
    fn other_texts_are_none() {
        for text in ["", "00", "0x0", "0x0g", "0x 0", "0x\u{e9}"] {
            assert_eq!(bytes(text.as_bytes()), None, "{text}");
        }
    }
}
