//! The bytes of a datum.

use crate::formats::byte_reader::{ByteReader, unzigzag, write_varint, zigzag};

pub use crate::formats::byte_reader::{Fault, Read};

/// A place in the bytes of a datum.
pub struct Cursor<'a> {
    bytes: ByteReader<'a>,
    /// Elements of arrays and maps that may still come: no more than the datum has bytes, unless they take none.
    elements_left: usize,
}

impl<'a> Cursor<'a> {
    /// The beginning of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes: ByteReader::new(bytes), elements_left: bytes.len().max(EMPTY_ELEMENTS_MAX) }
    }

    /// Whether everything was read.
    pub fn is_at_end(&self) -> bool {
        self.bytes.is_at_end()
    }

    /// The next `len` bytes.
    #[inline]
    pub fn take(&mut self, len: usize) -> Read<&'a [u8]> {
        self.bytes.take(len)
    }

    /// A zigzag number of variable length.
    #[inline]
    pub fn long(&mut self) -> Read<i64> {
        Ok(unzigzag(self.bytes.varint()?))
    }

    /// As [`Cursor::long`], of 32 bits.
    #[inline]
    pub fn int(&mut self) -> Read<i32> {
        i32::try_from(self.long()?).map_err(|_| Fault::LongNumber)
    }

    /// A number of four bytes.
    #[inline]
    pub fn float(&mut self) -> Read<f32> {
        self.bytes.float()
    }

    /// A number of eight bytes.
    #[inline]
    pub fn double(&mut self) -> Read<f64> {
        self.bytes.double()
    }

    /// A byte that is 0 or 1.
    #[inline]
    pub fn boolean(&mut self) -> Read<bool> {
        match self.bytes.array::<1>()? {
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
        self.elements_left = left
            .ok_or_else(|| Fault::Wrong(format!("a block of {count} elements in {} bytes", self.bytes.rest().len())))?;
        Ok(count)
    }
}

/// As many elements a datum may have that take no bytes: a few blocks of them could fill the memory.
const EMPTY_ELEMENTS_MAX: usize = 65_536;

/// Appends a zigzag number of variable length.
#[inline]
pub fn write_long(out: &mut Vec<u8>, value: i64) {
    write_varint(out, zigzag(value));
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
