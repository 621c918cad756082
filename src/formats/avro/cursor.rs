//! The bytes of a datum.

/// Why bytes are no datum of their schema.
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

/// A place in the bytes of a datum.
pub struct Cursor<'a> {
    rest: &'a [u8],
    /// Elements of arrays and maps that may still come: no more than the datum has bytes, unless they take none.
    elements_left: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, elements_left: bytes.len().max(EMPTY_ELEMENTS_MAX) }
    }

    /// Whether everything was read.
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

    #[inline]
    fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Fault::Short)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// A zigzag number of variable length.
    #[inline]
    pub fn long(&mut self) -> Read<i64> {
        let mut value = 0_u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Ok((value >> 1) as i64 ^ -((value & 1) as i64));
            }
        }
        Err(if self.rest.len() < 10 { Fault::Short } else { Fault::LongNumber })
    }

    /// As [`Cursor::long`], of 32 bits.
    #[inline]
    pub fn int(&mut self) -> Read<i32> {
        i32::try_from(self.long()?).map_err(|_| Fault::LongNumber)
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

    /// A byte that is 0 or 1.
    #[inline]
    pub fn boolean(&mut self) -> Read<bool> {
        match self.array::<1>()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(Fault::Wrong(format!("{other} is no boolean"))),
        }
    }

    /// A length, and as many bytes.
    #[inline]
    pub fn bytes(&mut self) -> Read<&'a [u8]> {
        let len = self.long()?;
        self.take(usize::try_from(len).map_err(|_| Fault::Wrong(format!("{len} is no length")))?)
    }

    /// The number of elements of the next block of an array or map; 0 after the last.
    pub fn block(&mut self) -> Read<usize> {
        let mut count = self.long()?;
        if count < 0 {
            // The size of the block in bytes, for those that skip it.
            self.long()?;
            count = count.checked_neg().ok_or(Fault::LongNumber)?;
        }
        let count = usize::try_from(count).map_err(|_| Fault::LongNumber)?;
        let left = self.elements_left.checked_sub(count);
        self.elements_left =
            left.ok_or_else(|| Fault::Wrong(format!("a block of {count} elements in {} bytes", self.rest.len())))?;
        Ok(count)
    }
}

/// As many elements a datum may have that take no bytes: a few blocks of them could fill the memory.
const EMPTY_ELEMENTS_MAX: usize = 65_536;

/// Appends a zigzag number of variable length.
#[inline]
pub fn write_long(out: &mut Vec<u8>, value: i64) {
    let mut rest = ((value << 1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_the_bytes_they_need() {
        for (value, bytes) in [
            (0, &[0][..]),
            (-1, &[1]),
            (1, &[2]),
            (-64, &[0x7f]),
            (64, &[0x80, 0x01]),
            (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
            (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        ] {
            let mut written = Vec::new();
            write_long(&mut written, value);
            assert_eq!(written, bytes, "{value}");
            assert_eq!(Cursor::new(bytes).long(), Ok(value));
        }
    }

    #[test]
    fn what_is_cut_or_endless_is_a_fault() {
        assert_eq!(Cursor::new(&[0x80]).long(), Err(Fault::Short));
        assert_eq!(Cursor::new(&[0xff; 12]).long(), Err(Fault::LongNumber));
        assert_eq!(Cursor::new(&[8, b'a']).bytes(), Err(Fault::Short));
        assert!(matches!(Cursor::new(&[0x80, 0x80, 0x80, 0x01, 0]).block(), Err(Fault::Wrong(_))));
        assert!(matches!(Cursor::new(&[2]).boolean(), Err(Fault::Wrong(_))));
        // Negative counts stand in front of the size of their block, and the least has no positive twin.
        assert_eq!(Cursor::new(&[3, 2, 0]).block(), Ok(2));
        let least = [&[0xff; 9][..], &[1, 0]].concat();
        assert_eq!(Cursor::new(&least).block(), Err(Fault::LongNumber));
        assert!(matches!(Cursor::new(&[1, b'a']).bytes(), Err(Fault::Wrong(_))));
    }

    #[test]
    fn many_blocks_of_elements_without_bytes_are_a_fault() {
        let mut block = Vec::new();
        write_long(&mut block, 60_000);
        let blocks = block.repeat(1_000);
        let mut cursor = Cursor::new(&blocks);
        assert_eq!(cursor.block(), Ok(60_000));
        assert!(matches!(cursor.block(), Err(Fault::Wrong(_))));
    }
}
