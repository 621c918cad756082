//! Texts in JSON: escaped as Jackson does it, and back.

/// Appends `text` with its quotes. Quotes, backslashes and control characters are escaped, nothing else.
#[inline]
pub fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    loop {
        let at = special_byte(rest);
        out.extend_from_slice(&rest[..at]);
        let Some(&byte) = rest.get(at) else { break };
        write_escape(out, byte);
        rest = &rest[at + 1..];
    }
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let short = match byte {
        b'"' | b'\\' => byte,
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
            out.extend_from_slice(b"\\u00");
            return out.extend_from_slice(&digits);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

/// Index of the first quote, backslash or control character; the length where there is none.
///
/// Eight bytes at a time. Each test may also mark bytes above one that it marks rightly, so the lowest mark is right.
#[inline]
pub fn special_byte(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 255;
    const HIGHS: u64 = ONES << 7;
    let equals = |word: u64, byte: u8| {
        let zeroed = word ^ (ONES * u64::from(byte));
        zeroed.wrapping_sub(ONES) & !zeroed
    };
    let mut at = 0;
    while let Some(chunk) = bytes[at..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let marks = (equals(word, b'"') | equals(word, b'\\') | control) & HIGHS;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < bytes.len() && !matches!(bytes[at], b'"' | b'\\' | 0..=0x1f) {
        at += 1;
    }
    at
}

/// The number that four hexadecimal digits at the start stand for.
pub fn hex4(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>()?.iter().try_fold(0, |value, &byte| Some(value << 4 | char::from(byte).to_digit(16)?))
}

/// Appends what the text `raw`, without its quotes and with good escapes only, stands for. Halves of surrogate pairs that stand
/// alone, which UTF-8 cannot hold, become U+FFFD.
pub fn unescape(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..at]);
        let (character, length) = unescape_one(&rest[at..]);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
}

/// The character of the escape at the start of `escape`, and the escape's length.
fn unescape_one(escape: &[u8]) -> (char, usize) {
    match escape[1] {
        b'b' => ('\u{8}', 2),
        b'f' => ('\u{c}', 2),
        b'n' => ('\n', 2),
        b'r' => ('\r', 2),
        b't' => ('\t', 2),
        b'u' => {
            let unit = |from: usize| escape.get(from..).and_then(hex4).unwrap_or(0);
            let high = unit(2);
            let low = if escape[6..].starts_with(b"\\u") { unit(8) } else { 0 };
            if (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(&low) {
                let code = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12);
            }
            (char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
        }
        other => (char::from(other), 2),
    }
}
