//! Binary records, read from front to back, and numbers of variable length.

/// Why bytes are no record of their schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// They end too early.
    Short,
    /// A number has more bytes than any.
    LongNumber,
    /// Anything else.
    Wrong(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Short => f.write_str("the bytes end too early"),
            Self::LongNumber => f.write_str("a number has too many bytes"),
            Self::Wrong(reason) => f.write_str(reason),
        }
    }
}

/// What reading gives.
pub type Read<T> = Result<T, Fault>;

/// A place in the bytes of a record.
#[derive(Debug, Clone)]
pub struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    /// The beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Whether everything was read.
    #[inline]
    pub fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A number of variable length: seven bits per byte, the lowest first.
    #[inline]
    pub fn varint(&mut self) -> Read<u64> {
        match self.rest {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.rest = rest;
                Ok(u64::from(*byte))
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Read<u64> {
        let mut value = 0_u64;
        for (index, byte) in self.rest.iter().take(VARINT_BYTES_MAX).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok(value);
            }
        }
        Err(if self.rest.len() < VARINT_BYTES_MAX { Fault::Short } else { Fault::LongNumber })
    }

    /// A number of four bytes.
    #[inline]
    pub fn float(&mut self) -> Read<f32> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// A number of eight bytes.
    #[inline]
    pub fn double(&mut self) -> Read<f64> {
        Ok(f64::from_le_bytes(self.array()?))
    }
}

/// Bytes of the longest number of 64 bits.
const VARINT_BYTES_MAX: usize = 10;

/// Appends a number of variable length.
#[inline]
pub fn write_varint(out: &mut Vec<u8>, value: u64) {
    let mut rest = value;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// Signed numbers as unsigned ones, the small ones first: 0, -1, 1, -2.
#[inline]
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// What [`zigzag`] made of a number.
#[inline]
pub fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Whether `bytes` are text.
#[inline]
pub(super) fn is_utf8(bytes: &[u8]) -> bool {
    bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_bytes_they_need() {
        for (value, bytes) in [
            (0, &[0][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (300, &[0xac, 0x02]),
            (u64::MAX, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut written = Vec::new();
            write_varint(&mut written, value);
            assert_eq!(written, bytes, "{value}");
            assert_eq!(ByteReader::new(bytes).varint(), Ok(value));
        }
        assert_eq!(ByteReader::new(&[0x80]).varint(), Err(Fault::Short));
        assert_eq!(ByteReader::new(&[0xff; 12]).varint(), Err(Fault::LongNumber));
        assert_eq!([0, -1, 1, i64::MIN].map(zigzag), [0, 1, 2, u64::MAX]);
        assert_eq!([0, -1, 1, i64::MIN, i64::MAX].map(|value| unzigzag(zigzag(value))), [0, -1, 1, i64::MIN, i64::MAX]);
    }
}
