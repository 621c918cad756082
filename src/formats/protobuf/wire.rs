//! Messages as bytes: fields behind their tags, in any order.
//!
//! ```text
//! field   tag (varint: number << 3 | wire type) ‖ value
//! value   varint │ 8 bytes │ length (varint) ‖ bytes │ fields ‖ end of group │ 4 bytes
//! ```

use crate::formats::byte_reader::{ByteReader, Fault, Read, unzigzag, write_varint};
use crate::registry::protobuf::Scalar;
use crate::types::java_text::shortest;

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

/// A whole number. Those without a sign that have 64 bits are taken as if they had one.
#[inline]
pub fn integer(scalar: Scalar, reader: &mut ByteReader<'_>) -> Read<i64> {
    Ok(match scalar {
        Scalar::Int32 => i64::from(reader.varint()? as i32),
        Scalar::Int64 | Scalar::Uint64 => reader.varint()? as i64,
        Scalar::Uint32 => i64::from(reader.varint()? as u32),
        Scalar::Sint32 => unzigzag(u64::from(reader.varint()? as u32)),
        Scalar::Sint64 => unzigzag(reader.varint()?),
        Scalar::Fixed32 => i64::from(u32::from_le_bytes(reader.array()?)),
        Scalar::Sfixed32 => i64::from(i32::from_le_bytes(reader.array()?)),
        Scalar::Fixed64 | Scalar::Sfixed64 => i64::from_le_bytes(reader.array()?),
        Scalar::Double | Scalar::Float | Scalar::Bool | Scalar::String | Scalar::Bytes => {
            unreachable!("whole numbers are read of what has them")
        }
    })
}

/// A value of any scalar type.
pub enum ScalarValue<'a> {
    /// A whole number.
    Integer(i64),
    /// A whole number of 64 bits without a sign.
    Unsigned(u64),
    /// Any other number; one of four bytes with as few digits as tell it from others.
    Number(f64),
    /// `bool`
    Boolean(bool),
    /// `string`, `bytes`
    Bytes(&'a [u8]),
}

/// A value of the type `kind`.
pub fn scalar<'a>(kind: Scalar, reader: &mut ByteReader<'a>) -> Read<ScalarValue<'a>> {
    Ok(match kind {
        Scalar::Double => ScalarValue::Number(reader.double()?),
        Scalar::Float => ScalarValue::Number(shortest(reader.float()?)),
        Scalar::Bool => ScalarValue::Boolean(reader.varint()? != 0),
        Scalar::String | Scalar::Bytes => ScalarValue::Bytes(delimited(reader)?),
        Scalar::Uint64 | Scalar::Fixed64 => ScalarValue::Unsigned(integer(kind, reader)?.cast_unsigned()),
        _ => ScalarValue::Integer(integer(kind, reader)?),
    })
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
    // The length takes more than the byte that was kept for it: it is written behind, and turned to the front.
    let end = out.len();
    write_varint(out, length as u64);
    let extra = out.len() - end;
    out[start + 1..].rotate_right(extra);
    out.remove(start);
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
