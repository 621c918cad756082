//! Messages as bytes: fields behind their tags, in any order.
//!
//! ```text
//! field   tag (varint: number << 3 | wire type) ‖ value
//! value   varint │ 8 bytes │ length (varint) ‖ bytes │ fields ‖ end of group │ 4 bytes
//! ```

use crate::formats::byte_reader::{ByteReader, Fault, Read, write_varint};
use crate::registry::protobuf::Scalar;

/// A number of variable length.
pub const VARINT: u8 = 0;
/// Eight bytes.
pub const FIXED64: u8 = 1;
/// A length, and as many bytes.
pub const DELIMITED: u8 = 2;
const GROUP: u8 = 3;
const GROUP_END: u8 = 4;
/// Four bytes.
pub const FIXED32: u8 = 5;

/// What stands in front of a field.
pub const fn tag(number: u32, wire_type: u8) -> u64 {
    (number as u64) << 3 | wire_type as u64
}

/// The wire type of a tag.
#[inline]
pub fn wire_type(tag: u64) -> u8 {
    (tag & 7) as u8
}

/// The field's number of a tag.
pub fn number(tag: u64) -> u64 {
    tag >> 3
}

/// The wire type of one value of `scalar`.
pub fn wire_type_of(scalar: Scalar) -> u8 {
    match scalar {
        Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64 => FIXED64,
        Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32 => FIXED32,
        Scalar::String | Scalar::Bytes => DELIMITED,
        _ => VARINT,
    }
}

/// A length, and as many bytes.
#[inline]
pub fn delimited<'a>(reader: &mut ByteReader<'a>) -> Read<&'a [u8]> {
    let length = reader.varint()?;
    reader.take(usize::try_from(length).map_err(|_| Fault::Short)?)
}

/// Groups within groups that are skipped; Protobuf's own readers allow 100.
const GROUPS_MAX: usize = 100;

/// Steps over the value behind `tag`.
#[inline]
pub fn skip(reader: &mut ByteReader<'_>, tag: u64) -> Read<()> {
    if number(tag) == 0 || tag > u64::from(u32::MAX) {
        return Err(Fault::Wrong(format!("a field has the number {}", number(tag))));
    }
    match wire_type(tag) {
        VARINT => drop(reader.varint()?),
        FIXED64 => drop(reader.take(8)?),
        DELIMITED => drop(delimited(reader)?),
        FIXED32 => drop(reader.take(4)?),
        GROUP => return skip_group(reader, tag),
        GROUP_END => return Err(Fault::Wrong("a group ends that has not begun".to_owned())),
        other => return Err(Fault::Wrong(format!("there is no wire type {other}"))),
    }
    Ok(())
}

/// Steps over the fields of the group that `tag` begins, and its end.
#[cold]
fn skip_group(reader: &mut ByteReader<'_>, tag: u64) -> Read<()> {
    let mut open = vec![number(tag)];
    while let Some(inner) = open.last() {
        let tag = reader.varint()?;
        match wire_type(tag) {
            GROUP_END if *inner == number(tag) => drop(open.pop()),
            GROUP if open.len() < GROUPS_MAX => open.push(number(tag)),
            GROUP => return Err(Fault::Wrong(format!("groups are nested more than {GROUPS_MAX} deep"))),
            _ => skip(reader, tag)?,
        }
    }
    Ok(())
}

/// Appends what `write` writes, behind its length.
#[inline]
pub fn write_delimited(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), String>,
) -> Result<(), String> {
    let start = out.len();
    out.push(0);
    write(out)?;
    let length = out.len() - start - 1;
    if length < 0x80 {
        out[start] = length as u8;
        return Ok(());
    }
    // The length takes more than the byte that was kept for it.
    let mut prefix = Vec::with_capacity(5);
    write_varint(&mut prefix, length as u64);
    out.splice(start..=start, prefix);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_value_can_be_skipped() {
        for (bytes, left) in [
            (&[0x08, 0x96, 0x01, 9][..], 1),
            (&[0x09, 1, 2, 3, 4, 5, 6, 7, 8], 0),
            (&[0x0a, 2, 1, 2, 9], 1),
            (&[0x0d, 1, 2, 3, 4], 0),
            // A group 1 with a field and a group 2 within.
            (&[0x0b, 0x10, 1, 0x13, 0x14, 0x0c, 7, 7], 2),
        ] {
            let mut reader = ByteReader::new(bytes);
            let tag = reader.varint().expect("a tag");
            assert_eq!((skip(&mut reader, tag), reader.rest().len()), (Ok(()), left), "{bytes:?}");
        }
    }

    #[test]
    fn what_is_no_field_is_a_fault() {
        let skipped = |bytes: &[u8]| {
            let mut reader = ByteReader::new(bytes);
            let tag = reader.varint().expect("a tag");
            skip(&mut reader, tag).map_err(|fault| fault.to_string())
        };
        assert_eq!(skipped(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err("the bytes end too early".to_owned()));
        assert_eq!(skipped(&[0x02, 0]), Err("a field has the number 0".to_owned()));
        assert_eq!(skipped(&[0x0c]), Err("a group ends that has not begun".to_owned()));
        assert_eq!(skipped(&[0x0b, 0x14]), Err("a group ends that has not begun".to_owned()));
        assert_eq!(skipped(&[0x0f]), Err("there is no wire type 7".to_owned()));
        assert_eq!(skipped(&vec![0x0b; 1_000_000]), Err("groups are nested more than 100 deep".to_owned()));
    }

    #[test]
    fn lengths_stand_in_front_of_what_they_measure() {
        for length in [0, 1, 127, 128, 300, 20_000] {
            let mut out = vec![7];
            write_delimited(&mut out, |out| {
                out.extend(std::iter::repeat_n(9, length));
                Ok(())
            })
            .expect("nothing fails");
            let mut reader = ByteReader::new(&out[1..]);
            assert_eq!(delimited(&mut reader).map(<[u8]>::len), Ok(length));
            assert!(reader.is_at_end());
        }
    }
}
