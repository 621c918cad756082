//! Chunks of records as bytes: the columns of a [`RecordChunk`] one after the other, numbers packed to the narrowest
//! width that fits, texts as they are, so that decoding is a few loops and shares the bytes it was given.
//!
//! ```text
//! chunk   := version u8 = 1 │ flags u8 │ rows u32 │ times numbers │ [distances numbers] │ keys column │ values column │ [headers]
//! column  := [valid: one bit per row, lowest first] │ lengths numbers │ bytes of all rows
//! numbers := base, zigzag varint │ width u8 ∈ {0, 1, 2, 4, 8} │ rows × (number − base), width bytes each
//! headers := per row: count varint, per header: name length varint │ name │ 0 or (1 + value length) varint │ value
//!
//! flags   := 1: keys have validity bits, 2: values have, 4: distances follow, 8: headers follow
//! ```
//!
//! All fixed-width numbers are little-endian. Offsets are not in the bytes: a chunk is stored under its last offset,
//! and without distances its records are consecutive up to there. With distances, the offset of a record is the last
//! offset minus its distance: compaction left gaps.
//!
//! Whatever the bytes are, decoding gives a chunk or [`StorageError::Corrupt`].

use arrow::array::{Array, BinaryArray, BooleanBufferBuilder};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use crate::storage::StorageError;
use crate::types::{Header, Headers, RecordChunk};

const VERSION: u8 = 1;

const KEYS_HAVE_NULLS: u8 = 1;
const VALUES_HAVE_NULLS: u8 = 2;
const HAS_DISTANCES: u8 = 4;
const HAS_HEADERS: u8 = 8;
const ALL_FLAGS: u8 = KEYS_HAVE_NULLS | VALUES_HAVE_NULLS | HAS_DISTANCES | HAS_HEADERS;

/// More rows than any chunk has; bounds what garbage can make decoding allocate.
pub(super) const ROWS_MAX: usize = 1 << 16;

/// Offsets of the records in an encoded chunk.
#[derive(Debug, Clone, Copy)]
pub(super) enum Offsets {
    /// Consecutive, whatever the chunks say.
    Consecutive,
    /// Those of the chunks, to be stored under this last offset.
    UpTo(i64),
}

/// The bytes of the records of `chunks`, together at most [`ROWS_MAX`], as one chunk.
pub(super) fn encode(chunks: &[RecordChunk], offsets: Offsets) -> Vec<u8> {
    let rows: usize = chunks.iter().map(RecordChunk::len).sum();
    debug_assert!(rows <= ROWS_MAX, "writers split chunks before");
    let bytes: usize = chunks.iter().map(RecordChunk::byte_size).sum();
    let mut out = Vec::with_capacity(bytes + rows * 16 + 64);
    out.push(VERSION);
    out.push(flags(chunks, offsets));
    out.extend((rows as u32).to_le_bytes());
    put_numbers(&mut out, || chunks.iter().flat_map(|chunk| chunk.timestamps.iter().copied()));
    if let Offsets::UpTo(last) = offsets {
        put_numbers(&mut out, || chunks.iter().flat_map(|chunk| chunk.offsets.iter().map(move |offset| last - offset)));
    }
    put_column(&mut out, rows, chunks.iter().map(|chunk| &chunk.keys));
    put_column(&mut out, rows, chunks.iter().map(|chunk| &chunk.values));
    if chunks.iter().any(|chunk| chunk.headers.is_some()) {
        put_headers(&mut out, chunks);
    }
    out
}

fn flags(chunks: &[RecordChunk], offsets: Offsets) -> u8 {
    let any = |flag: u8, has: &dyn Fn(&RecordChunk) -> bool| if chunks.iter().any(has) { flag } else { 0 };
    let distances = if matches!(offsets, Offsets::UpTo(_)) { HAS_DISTANCES } else { 0 };
    any(KEYS_HAVE_NULLS, &|chunk| chunk.keys.null_count() > 0)
        | any(VALUES_HAVE_NULLS, &|chunk| chunk.values.null_count() > 0)
        | any(HAS_HEADERS, &|chunk| chunk.headers.is_some())
        | distances
}

fn put_numbers<I: Iterator<Item = i64>>(out: &mut Vec<u8>, numbers: impl Fn() -> I) {
    let (min, max) = numbers().fold((i64::MAX, i64::MIN), |(min, max), number| (min.min(number), max.max(number)));
    let base = if min > max { 0 } else { min };
    put_varint(out, zigzag(base));
    let delta = |number: i64| number.wrapping_sub(base) as u64;
    match delta(max.max(base)) {
        0 => out.push(0),
        1..=0xff => {
            out.push(1);
            out.extend(numbers().map(|number| delta(number) as u8));
        }
        0x100..=0xffff => {
            out.push(2);
            numbers().for_each(|number| out.extend_from_slice(&(delta(number) as u16).to_le_bytes()));
        }
        0x1_0000..=0xffff_ffff => {
            out.push(4);
            numbers().for_each(|number| out.extend_from_slice(&(delta(number) as u32).to_le_bytes()));
        }
        _ => {
            out.push(8);
            numbers().for_each(|number| out.extend_from_slice(&delta(number).to_le_bytes()));
        }
    }
}

fn put_column<'a>(out: &mut Vec<u8>, rows: usize, arrays: impl Iterator<Item = &'a BinaryArray> + Clone) {
    if arrays.clone().any(|array| array.null_count() > 0) {
        let mut valid = BooleanBufferBuilder::new(rows);
        for array in arrays.clone() {
            match array.nulls() {
                Some(nulls) => valid.append_buffer(nulls.inner()),
                None => valid.append_n(array.len(), true),
            }
        }
        out.extend_from_slice(valid.as_slice());
    }
    put_numbers(out, || {
        arrays.clone().flat_map(|array| array.value_offsets().windows(2).map(|ends| i64::from(ends[1] - ends[0])))
    });
    for array in arrays {
        let ends = array.value_offsets();
        out.extend_from_slice(&array.value_data()[ends[0] as usize..ends[array.len()] as usize]);
    }
}

fn put_headers(out: &mut Vec<u8>, chunks: &[RecordChunk]) {
    for chunk in chunks {
        for row in 0..chunk.len() {
            let headers = chunk.headers_at(row);
            put_varint(out, headers.len() as u64);
            for Header { key, value } in headers {
                put_varint(out, key.len() as u64);
                out.extend_from_slice(key.as_bytes());
                put_varint(out, value.as_ref().map_or(0, |value| 1 + value.len() as u64));
                out.extend_from_slice(value.as_deref().unwrap_or_default());
            }
        }
    }
}

fn put_varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)) as u64
}

/// The records in `bytes`, stored under `offset_last`. Keys and values share `bytes`.
pub(super) fn decode(bytes: Vec<u8>, offset_last: i64) -> Result<RecordChunk, StorageError> {
    let bytes = Buffer::from_vec(bytes);
    let mut reader = Reader { bytes: &bytes, at: 0 };
    let version = reader.byte()?;
    if version != VERSION {
        return Err(corrupt(format!("a chunk has version {version}, this binary reads version {VERSION}")));
    }
    let flags = reader.byte()?;
    if flags & !ALL_FLAGS != 0 {
        return Err(corrupt(format!("a chunk has unknown flags {flags:#x}")));
    }
    let rows = u32::from_le_bytes(reader.array()?) as usize;
    if rows > ROWS_MAX {
        return Err(corrupt(format!("a chunk has {rows} rows")));
    }
    let timestamps = reader.numbers(rows)?.into();
    let offsets = match flags & HAS_DISTANCES {
        0 => (offset_last - rows as i64 + 1..=offset_last).collect(),
        _ => reader.offsets(rows, offset_last)?,
    };
    let keys = reader.column(rows, flags & KEYS_HAVE_NULLS != 0)?;
    let values = reader.column(rows, flags & VALUES_HAVE_NULLS != 0)?;
    let headers = if flags & HAS_HEADERS == 0 { None } else { Some(reader.all_headers(rows)?) };
    match bytes.len() - reader.at {
        0 => Ok(RecordChunk { keys, values, timestamps, offsets, headers }),
        rest => Err(corrupt(format!("a chunk is followed by {rest} bytes"))),
    }
}

struct Reader<'a> {
    bytes: &'a Buffer,
    at: usize,
}

impl Reader<'_> {
    fn take(&mut self, length: usize) -> Result<&[u8], StorageError> {
        let end = self.at.checked_add(length).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or_else(|| corrupt(format!("a chunk of {} bytes ends early", self.bytes.len())))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], StorageError> {
        Ok(self.take(N)?.try_into().expect("take gives the length it was asked for"))
    }

    fn byte(&mut self) -> Result<u8, StorageError> {
        Ok(self.array::<1>()?[0])
    }

    fn varint(&mut self) -> Result<u64, StorageError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(corrupt("a number has more than 64 bits"))
    }

    fn length(&mut self) -> Result<usize, StorageError> {
        usize::try_from(self.varint()?).map_err(|_| corrupt("a length is too large"))
    }

    fn numbers(&mut self, rows: usize) -> Result<Vec<i64>, StorageError> {
        let zigzag = self.varint()?;
        let base = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let plus = |delta: u64| base.wrapping_add(delta as i64);
        let width = usize::from(self.byte()?);
        let packed = if matches!(width, 0 | 1 | 2 | 4 | 8) {
            self.take(rows * width)?
        } else {
            return Err(corrupt(format!("numbers of {width} bytes")));
        };
        Ok(match width {
            0 => vec![base; rows],
            1 => packed.iter().map(|&delta| plus(delta.into())).collect(),
            2 => packed.as_chunks().0.iter().map(|delta| plus(u16::from_le_bytes(*delta).into())).collect(),
            4 => packed.as_chunks().0.iter().map(|delta| plus(u32::from_le_bytes(*delta).into())).collect(),
            _ => packed.as_chunks().0.iter().map(|delta| plus(u64::from_le_bytes(*delta))).collect(),
        })
    }

    fn offsets(&mut self, rows: usize, offset_last: i64) -> Result<ScalarBuffer<i64>, StorageError> {
        let distances = self.numbers(rows)?;
        let descending = distances.windows(2).all(|pair| pair[0] > pair[1]);
        let in_range = distances.first().is_none_or(|&first| first <= offset_last) && distances.last() >= Some(&0);
        if rows == 0 || (descending && in_range) {
            Ok(distances.iter().map(|distance| offset_last - distance).collect())
        } else {
            Err(corrupt("offsets of a chunk do not ascend"))
        }
    }

    fn column(&mut self, rows: usize, has_nulls: bool) -> Result<BinaryArray, StorageError> {
        let nulls = if has_nulls { Some(self.nulls(rows)?) } else { None };
        let mut ends = Vec::with_capacity(rows + 1);
        let mut end = 0_i32;
        ends.push(end);
        for length in self.numbers(rows)? {
            let longer = i32::try_from(length).ok().filter(|length| *length >= 0);
            let longer = longer.and_then(|length| end.checked_add(length));
            end = longer.ok_or_else(|| corrupt("lengths of a chunk are out of range"))?;
            ends.push(end);
        }
        let start = self.at;
        self.take(end as usize)?;
        let texts = self.bytes.slice_with_length(start, end as usize);
        BinaryArray::try_new(OffsetBuffer::new(ends.into()), texts, nulls).map_err(|error| corrupt(error.to_string()))
    }

    fn nulls(&mut self, rows: usize) -> Result<NullBuffer, StorageError> {
        let bits = Buffer::from(self.take(rows.div_ceil(8))?);
        Ok(NullBuffer::new(BooleanBuffer::new(bits, 0, rows)))
    }

    fn all_headers(&mut self, rows: usize) -> Result<std::sync::Arc<[Headers]>, StorageError> {
        (0..rows).map(|_| self.headers()).collect()
    }

    fn headers(&mut self) -> Result<Headers, StorageError> {
        let count = self.length()?;
        (0..count).map(|_| self.header()).collect()
    }

    fn header(&mut self) -> Result<Header, StorageError> {
        let length = self.length()?;
        let key = std::str::from_utf8(self.take(length)?).map_err(|_| corrupt("a header name is not text"))?.to_owned();
        let value = match self.length()? {
            0 => None,
            length => Some(self.take(length - 1)?.to_vec()),
        };
        Ok(Header { key, value })
    }
}

fn corrupt(reason: impl Into<String>) -> StorageError {
    StorageError::Corrupt(reason.into())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::collection::vec;
    use proptest::option;
    use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};

    use super::*;
    use crate::topics::tests::{Row, chunk_of, rows_of};

    fn row(key: Option<&str>, value: Option<&str>, timestamp: i64) -> Row {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Row { key: key.map(bytes), value: value.map(bytes), timestamp, offset: 0, headers: Vec::new() }
    }

    /// Encodes `rows` in pieces of `piece` rows as one chunk and expects them back.
    fn check(rows: &[Row], piece: usize) {
        let chunks: Vec<RecordChunk> = rows.chunks(piece).map(chunk_of).collect();
        let offset_last = rows.last().map_or(41, |row| row.offset + 3);
        let decoded = decode(encode(&chunks, Offsets::UpTo(offset_last)), offset_last).expect("own bytes decode");
        assert_eq!(rows_of(&decoded), rows);

        let consecutive = decode(encode(&chunks, Offsets::Consecutive), 1_000_000).expect("own bytes decode");
        let first = 1_000_001 - rows.len() as i64;
        let renumbered = |(row, index): (&Row, i64)| Row { offset: first + index, ..row.clone() };
        let expected: Vec<Row> = rows.iter().zip(0..).map(renumbered).collect();
        assert_eq!(rows_of(&consecutive), expected);
    }

    #[test]
    fn records_come_back_as_they_were() {
        check(&[], 1);
        check(&[row(None, None, 0)], 1);
        check(&[row(Some(""), Some(""), -1)], 1);
        let many: Vec<Row> = (0..1000)
            .map(|index| Row { offset: index * 3, ..row(Some("key"), Some(&"v".repeat(index as usize)), index * 1000) })
            .collect();
        check(&many, 1000);
        check(&many, 7);
    }

    #[test]
    fn extreme_times_come_back() {
        let at = |timestamp, offset| Row { offset, ..row(None, Some("x"), timestamp) };
        check(&[at(i64::MAX, 0), at(i64::MIN, 1), at(0, 2)], 3);
        check(&[at(i64::MIN, 0)], 1);
        check(&[at(0, 0), at(255, 1)], 2);
        check(&[at(0, 0), at(256, 1)], 2);
        check(&[at(0, 0), at(65_536, 1), at(1 << 32, 2)], 1);
    }

    #[test]
    fn slices_encode_only_their_rows() {
        let rows: Vec<Row> = (0..20)
            .map(|index| Row { offset: index, ..row((index % 3 == 0).then_some("k"), Some("v"), index) })
            .collect();
        let slice = chunk_of(&rows).slice(5, 11);
        let decoded = decode(encode(&[slice], Offsets::UpTo(15)), 15).expect("own bytes decode");
        assert_eq!(rows_of(&decoded), rows[5..16]);
    }

    #[test]
    fn a_chunk_costs_little_beside_its_texts() {
        let rows: Vec<Row> =
            (0..4000).map(|index| row(Some("key"), Some("value"), 1_700_000_000_000 + index)).collect();
        let bytes = encode(&[chunk_of(&rows)], Offsets::Consecutive);
        assert!(bytes.len() < 4000 * (8 + 2) + 100, "{}", bytes.len());
    }

    #[test]
    fn another_version_is_refused() {
        let mut bytes = encode(&[chunk_of(&[row(None, Some("x"), 0)])], Offsets::Consecutive);
        bytes[0] = 2;
        let error = decode(bytes, 0).expect_err("version 2 is unknown");
        assert_eq!(error.to_string(), "storage is corrupt: a chunk has version 2, this binary reads version 1");
    }

    #[test]
    fn every_truncation_is_corrupt() {
        let header = Header { key: "trace".into(), value: Some(b"1".to_vec()) };
        let with_headers = Row { headers: vec![header], ..row(Some("k"), None, 5) };
        let rows = [with_headers, Row { offset: 4, ..row(None, Some("value"), 70_000) }];
        let bytes = encode(&[chunk_of(&rows)], Offsets::UpTo(4));
        for length in 0..bytes.len() {
            let error = decode(bytes[..length].to_vec(), 4).expect_err("a part is not a chunk");
            assert!(matches!(error, StorageError::Corrupt(_)), "{error}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(decode(longer, 4).is_err());
    }

    fn any_row() -> impl Strategy<Value = Row> {
        let text = || option::of(vec(any::<u8>(), 0..12));
        let header = ("[a-z]{0,3}", text()).prop_map(|(key, value)| Header { key, value });
        let headers = prop_oneof![3 => Just(Vec::new()), 1 => vec(header, 1..3)];
        (text(), text(), any::<i64>(), headers).prop_map(|(key, value, timestamp, headers)| Row {
            key,
            value,
            timestamp,
            offset: 0,
            headers,
        })
    }

    proptest! {
        #[test]
        fn any_records_come_back(rows in vec((any_row(), 1_i64..5), 0..60), piece in 1_usize..20) {
            let mut offset = -1;
            let gaps = rows.into_iter().map(|(row, gap)| { offset += gap; Row { offset, ..row } });
            check(&gaps.collect::<Vec<_>>(), piece);
        }

        #[test]
        fn garbage_never_panics(bytes in vec(any::<u8>(), 0..200), offset_last in 0_i64..1000) {
            let _ = decode(bytes, offset_last);
        }

        #[test]
        fn changed_bytes_never_panic(rows in vec(any_row(), 1..20), at in any::<u16>(), byte in any::<u8>()) {
            let mut bytes = encode(&[chunk_of(&rows)], Offsets::Consecutive);
            let at = usize::from(at) % bytes.len();
            bytes[at] = byte;
            if let Ok(chunk) = decode(bytes, 1 << 40) {
                let lengths = [chunk.keys.len(), chunk.values.len(), chunk.timestamps.len(), chunk.offsets.len()];
                assert_eq!(lengths, [chunk.len(); 4]);
            }
        }
    }

    #[test]
    fn decoded_texts_share_the_bytes() {
        let bytes = encode(&[chunk_of(&[row(Some("key"), Some("value"), 1)])], Offsets::Consecutive);
        let range = bytes.as_ptr_range();
        let chunk = decode(bytes, 0).expect("own bytes decode");
        assert!(range.contains(&chunk.values.value(0).as_ptr()));
        assert!(chunk.headers.as_ref().is_none_or(|headers| Arc::strong_count(headers) == 1));
    }
}
