//! What stands in front of a message: the id of the writer's file, and the place of the message in it.
//!
//! ```text
//! 0 (1 byte) ‖ id (4, big-endian) ‖ length of the path ‖ path      numbers are zigzag varints
//!                                   0                              the first message of the file
//! ```

use crate::formats::byte_reader::{ByteReader, unzigzag, write_varint, zigzag};
use crate::formats::schemas::{SchemaLookup, split_id, write_id};
use crate::registry::protobuf::{MessageId, ProtobufSchema};

/// How the message of a record is found.
pub(in crate::formats) enum Framing {
    /// Nothing stands in front: all records have this message.
    Bare(Box<ProtobufSchema>, MessageId),
    /// Records name their message.
    Registered(SchemaLookup<ProtobufSchema>),
}

/// Messages are not nested deeper.
const PATH_MAX: i64 = 64;

/// Bytes in front of the message of `record`.
pub(in crate::formats) fn header_length(record: &[u8]) -> Result<usize, String> {
    let (_, rest) = split_id(record)?;
    let mut reader = ByteReader::new(rest);
    read_path(&mut reader, &mut |_| ()).ok_or("the bytes do not begin with the place of a message")?;
    Ok(record.len() - reader.rest().len())
}

/// The id and the place in `header`.
pub(in crate::formats) fn split_header(header: &[u8]) -> Result<(u32, Vec<u32>), String> {
    let (id, rest) = split_id(header)?;
    let mut path = Vec::new();
    read_path(&mut ByteReader::new(rest), &mut |index| path.push(index))
        .ok_or("the bytes do not begin with the place of a message")?;
    if path.is_empty() {
        path.push(0);
    }
    Ok((id, path))
}

fn read_path(reader: &mut ByteReader<'_>, take: &mut impl FnMut(u32)) -> Option<()> {
    let length = unzigzag(reader.varint().ok()?);
    if !(0..=PATH_MAX).contains(&length) {
        return None;
    }
    for _ in 0..length {
        take(u32::try_from(unzigzag(reader.varint().ok()?)).ok()?);
    }
    Some(())
}

/// What stands in front of messages at `path` of the file `id`.
pub(super) fn header(id: u32, path: &[u32]) -> Vec<u8> {
    let mut header = Vec::new();
    write_id(&mut header, id);
    if path == [0] {
        header.push(0);
    } else {
        write_varint(&mut header, zigzag(path.len() as i64));
        path.iter().for_each(|index| write_varint(&mut header, zigzag(i64::from(*index))));
    }
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_messages_come_back() {
        for (path, bytes) in
            [(&[0][..], &[0][..]), (&[1], &[2, 2]), (&[0, 0], &[4, 0, 0]), (&[2, 100], &[4, 4, 0xc8, 1])]
        {
            let mut record = header(258, path);
            assert_eq!(record[..5], [0, 0, 0, 1, 2]);
            assert_eq!(record[5..], *bytes);
            assert_eq!(split_header(&record), Ok((258, path.to_vec())));
            record.extend_from_slice(&[9, 9]);
            assert_eq!(header_length(&record), Ok(5 + bytes.len()));
        }
        assert_eq!(split_header(&[0, 0, 0, 0, 1, 2, 0]), Ok((1, vec![0])), "the long form of the first message");
    }

    #[test]
    fn what_has_no_place_is_an_error() {
        for rest in [&[][..], &[2], &[1], &[2, 1], &[0x80, 0x80], &[0xfe, 0xff, 0xff, 0xff, 0x0f]] {
            let record = [&[0, 0, 0, 0, 1], rest].concat();
            let reason = "the bytes do not begin with the place of a message";
            assert_eq!(header_length(&record), Err(reason.to_owned()), "{rest:?}");
        }
        assert!(header_length(b"{}").is_err());
    }
}
