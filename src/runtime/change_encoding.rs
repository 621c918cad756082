//! Both sides of a table's change in one record value, as Kafka Streams lays it out between a table's `GROUP BY` and its
//! aggregation (semantics 4.7).
//!
//! ```text
//! old ‖ 00                                       the old row is taken back
//! new ‖ 01                                       the new row is added
//! zigzag varint length of new ‖ new ‖ old ‖ 02   both
//! ```

use arrow::array::{Array, BinaryArray, BinaryBuilder};

use crate::types::RowError;

const OLD: u8 = 0;
const NEW: u8 = 1;
const BOTH: u8 = 2;

/// One value per row of `new` and `old`; null where both are.
pub fn join(new: &BinaryArray, old: &BinaryArray) -> BinaryArray {
    let mut values = BinaryBuilder::with_capacity(new.len(), new.value_data().len() + old.value_data().len());
    let mut value = Vec::new();
    for row in 0..new.len() {
        value.clear();
        match (new.is_valid(row), old.is_valid(row)) {
            (false, false) => {
                values.append_null();
                continue;
            }
            (false, true) => {
                value.extend_from_slice(old.value(row));
                value.push(OLD);
            }
            (true, false) => {
                value.extend_from_slice(new.value(row));
                value.push(NEW);
            }
            (true, true) => {
                encode_length(new.value(row).len(), &mut value);
                value.extend_from_slice(new.value(row));
                value.extend_from_slice(old.value(row));
                value.push(BOTH);
            }
        }
        values.append_value(&value);
    }
    values.finish()
}

/// The new and the old side of every value, and the rows that are no such value.
pub fn split(values: &BinaryArray) -> (BinaryArray, BinaryArray, Vec<RowError>) {
    let (mut new, mut old) = (BinaryBuilder::new(), BinaryBuilder::new());
    let mut errors = Vec::new();
    for row in 0..values.len() {
        let sides = if values.is_valid(row) { split_value(values.value(row)) } else { Some((None, None)) };
        let (new_side, old_side) = sides.unwrap_or_else(|| {
            errors.push(RowError::new(row, "the value is no table change"));
            (None, None)
        });
        new.append_option(new_side);
        old.append_option(old_side);
    }
    (new.finish(), old.finish(), errors)
}

type Sides<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

fn split_value(value: &[u8]) -> Option<Sides<'_>> {
    let (kind, sides) = value.split_last()?;
    match *kind {
        OLD => Some((None, Some(sides))),
        NEW => Some((Some(sides), None)),
        BOTH => {
            let (length, rest) = decode_length(sides)?;
            let (new, old) = rest.split_at_checked(length)?;
            Some((Some(new), Some(old)))
        }
        _ => None,
    }
}

fn encode_length(length: usize, out: &mut Vec<u8>) {
    // Lengths are not negative, so zigzag only doubles them.
    crate::state::row_format::encode_varint(length as u64 * 2, out);
}

fn decode_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut reader = crate::state::row_format::Reader { bytes };
    let length = reader.varint().ok()?;
    Some((usize::try_from(length / 2).ok()?, reader.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_read_back() {
        let new = BinaryArray::from(vec![Some(&b"new"[..]), None, Some(b"n"), None]);
        let old = BinaryArray::from(vec![None, Some(&b"old"[..]), Some(b"o"), None]);
        let joined = join(&new, &old);
        assert_eq!(joined.value(0), b"new\x01");
        assert_eq!(joined.value(1), b"old\x00");
        assert_eq!(joined.value(2), b"\x02no\x02");
        let (new_side, old_side, errors) = split(&joined);
        assert_eq!((new_side, old_side, errors), (new, old, vec![]));
    }

    #[test]
    fn other_bytes_are_errors() {
        let values = BinaryArray::from(vec![Some(&b""[..]), Some(b"x\x07"), Some(b"\x40x\x02")]);
        let (_, _, errors) = split(&values);
        assert_eq!(errors.iter().map(|error| error.row).collect::<Vec<_>>(), [0, 1, 2]);
    }
}
