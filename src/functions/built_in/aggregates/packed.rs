//! Byte strings one behind the other.

use std::ops::Range;

/// Byte strings in one allocation, each after its length.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    len: usize,
}

impl Packed {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Memory beside the size.
    pub(super) fn heap_bytes(&self) -> usize {
        self.bytes.capacity()
    }

    /// Adds `parts` as one.
    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let mut length = parts.iter().map(|part| part.len()).sum::<usize>();
        while length >= 0x80 {
            self.bytes.push(length as u8 | 0x80);
            length >>= 7;
        }
        self.bytes.push(length as u8);
        parts.iter().for_each(|part| self.bytes.extend_from_slice(part));
        self.len += 1;
    }

    /// Adds all of `other`.
    pub(super) fn extend(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.len += other.len;
    }

    /// Removes all, but keeps the memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.len = 0;
    }

    /// They in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.places().map(|place| &self.bytes[place.end - place.length..place.end])
    }

    /// Removes the first.
    pub(super) fn remove_first(&mut self) {
        let first = self.places().next();
        first.into_iter().for_each(|place| self.remove(place.range()));
    }

    /// Removes the last one that is `wanted`, if any is.
    pub(super) fn remove_last_equal(&mut self, wanted: &[u8]) {
        let last = self.places().filter(|place| self.bytes[place.end - place.length..place.end] == *wanted).last();
        last.into_iter().for_each(|place| self.remove(place.range()));
    }

    fn remove(&mut self, range: Range<usize>) {
        self.bytes.drain(range);
        self.len -= 1;
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let start = next;
            let (mut length, mut shift) = (0, 0);
            loop {
                let byte = *self.bytes.get(next)?;
                next += 1;
                length |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            next += length;
            Some(Place { start, end: next, length })
        })
    }
}

/// Where a byte string stands.
struct Place {
    /// Where its length begins.
    start: usize,
    end: usize,
    length: usize,
}

impl Place {
    fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_removed_leaves_the_others() {
        let long = vec![7; 300];
        let mut packed = Packed::default();
        for value in [b"a".as_slice(), &long, b"", b"a", b"b"] {
            packed.push(&[value]);
        }
        packed.remove_last_equal(b"a");
        assert_eq!(packed.iter().collect::<Vec<_>>(), [b"a".as_slice(), &long, b"", b"b"]);
        packed.remove_last_equal(b"c");
        packed.remove_first();
        packed.push(&[b"c", b"d"]);
        assert_eq!(packed.iter().collect::<Vec<_>>(), [long.as_slice(), b"", b"b", b"cd"]);
        assert_eq!(packed.len(), 4);
    }
}
