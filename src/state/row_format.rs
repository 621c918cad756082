//! Rows of state as bytes: our own format, never a topic's.
//!
//! ```text
//! row    := version: u8 = 1, cell*
//! cell   := 00                       null
//!         | 01 value
//! value  := fixed width, little endian
//!         | text, bytes: varint length, content
//!         | list: varint count, cell* | struct: cell* | map: varint count, (cell cell)*
//! ```
//!
//! Columns are only ever appended: a query that is replaced by one with more columns finds shorter rows.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanBuilder, Date32Builder, Decimal128Builder, Decimal256Builder,
    Float64Builder, Int32Builder, Int64Builder, ListArray, MapArray, StringBuilder, StructArray,
    Time32MillisecondBuilder, TimestampMillisecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, FieldRef, Fields, Float64Type, Int32Type, Int64Type,
    Time32MillisecondType, TimeUnit, TimestampMillisecondType, i256,
};

use super::StateError;

/// Version of the row format.
pub const VERSION: u8 = 1;

/// Appends the row `row` of `columns` to `out`.
pub fn encode_row(columns: &[ArrayRef], row: usize, out: &mut Vec<u8>) {
    out.push(VERSION);
    for column in columns {
        encode_cell(column, row, out);
    }
}

/// Encodes rows into vectors that are just as large as they.
#[derive(Debug, Default)]
pub struct RowEncoder {
    row: Vec<u8>,
}

impl RowEncoder {
    /// `before`, then the row `row` of `columns`.
    pub fn encode(&mut self, before: &[u8], columns: &[ArrayRef], row: usize) -> Vec<u8> {
        self.row.clear();
        self.row.extend_from_slice(before);
        encode_row(columns, row, &mut self.row);
        self.row.clone()
    }
}

/// Appends `value` as seven bits a byte, low bits first.
pub fn encode_varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn encode_cell(column: &dyn Array, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.push(0);
        return;
    }
    out.push(1);
    match column.data_type() {
        DataType::Boolean => out.push(u8::from(column.as_boolean().value(row))),
        DataType::Int32 => out.extend(column.as_primitive::<Int32Type>().value(row).to_le_bytes()),
        DataType::Int64 => out.extend(column.as_primitive::<Int64Type>().value(row).to_le_bytes()),
        DataType::Float64 => out.extend(column.as_primitive::<Float64Type>().value(row).to_le_bytes()),
        DataType::Date32 => out.extend(column.as_primitive::<Date32Type>().value(row).to_le_bytes()),
        DataType::Time32(TimeUnit::Millisecond) => {
            out.extend(column.as_primitive::<Time32MillisecondType>().value(row).to_le_bytes());
        }
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            out.extend(column.as_primitive::<TimestampMillisecondType>().value(row).to_le_bytes());
        }
        DataType::Decimal128(..) => out.extend(column.as_primitive::<Decimal128Type>().value(row).to_le_bytes()),
        DataType::Decimal256(..) => out.extend(column.as_primitive::<Decimal256Type>().value(row).to_le_bytes()),
        DataType::Utf8 => encode_bytes(column.as_string::<i32>().value(row).as_bytes(), out),
        DataType::Binary => encode_bytes(column.as_binary::<i32>().value(row), out),
        DataType::List(_) => {
            let elements = column.as_list::<i32>().value(row);
            encode_varint(elements.len() as u64, out);
            (0..elements.len()).for_each(|i| encode_cell(&elements, i, out));
        }
        DataType::Struct(_) => {
            for field in column.as_struct().columns() {
                encode_cell(field, row, out);
            }
        }
        DataType::Map(..) => {
            let entries = column.as_map().value(row);
            encode_varint(entries.len() as u64, out);
            for i in 0..entries.len() {
                encode_cell(entries.column(0), i, out);
                encode_cell(entries.column(1), i, out);
            }
        }
        other => unreachable!("no SQL type is held in {other} arrays"),
    }
}

fn encode_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    encode_varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

/// Decodes rows into columns of `types`. A row that was written when it had fewer columns has nulls in the rest.
///
/// # Errors
/// [`StateError::Corrupt`] when the bytes are no such row.
pub fn decode_rows<'a>(
    types: &[DataType],
    rows: impl IntoIterator<Item = &'a [u8]>,
) -> Result<Vec<ArrayRef>, StateError> {
    decode_rows_counted(types, rows).map(|(columns, _)| columns)
}

/// As [`decode_rows`], and how many columns each row was written with.
///
/// # Errors
/// [`StateError::Corrupt`] when the bytes are no such row.
pub fn decode_rows_counted<'a>(
    types: &[DataType],
    rows: impl IntoIterator<Item = &'a [u8]>,
) -> Result<(Vec<ArrayRef>, Vec<usize>), StateError> {
    let mut columns: Vec<CellBuilder> = types.iter().map(CellBuilder::new).collect();
    let mut counts = Vec::new();
    for row in rows {
        let mut reader = Reader { bytes: row };
        let version = reader.byte()?;
        if version != VERSION {
            return Err(StateError::Corrupt(format!("a row has format version {version}")));
        }
        let mut count = 0;
        for column in &mut columns {
            if reader.bytes.is_empty() {
                column.push_null();
            } else {
                column.read(&mut reader)?;
                count += 1;
            }
        }
        if !reader.bytes.is_empty() {
            return Err(StateError::Corrupt("a row is longer than its columns".to_owned()));
        }
        counts.push(count);
    }
    Ok((columns.into_iter().map(CellBuilder::finish).collect(), counts))
}

/// Takes values off the front of bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    /// What is left.
    pub bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next byte.
    pub fn byte(&mut self) -> Result<u8, StateError> {
        Ok(self.array::<1>()?[0])
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], StateError> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(truncated)?;
        self.bytes = rest;
        Ok(*head)
    }

    /// The next `length` bytes.
    pub fn slice(&mut self, length: usize) -> Result<&'a [u8], StateError> {
        let (head, rest) = self.bytes.split_at_checked(length).ok_or_else(truncated)?;
        self.bytes = rest;
        Ok(head)
    }

    /// The next varint.
    pub fn varint(&mut self) -> Result<u64, StateError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(StateError::Corrupt("a length has too many bytes".to_owned()))
    }
}

fn truncated() -> StateError {
    StateError::Corrupt("a row is shorter than its columns".to_owned())
}

enum CellBuilder {
    Boolean(BooleanBuilder),
    Int32(Int32Builder),
    Int64(Int64Builder),
    Float64(Float64Builder),
    Date32(Date32Builder),
    Time32(Time32MillisecondBuilder),
    Timestamp(TimestampMillisecondBuilder),
    Decimal128(Decimal128Builder, DataType),
    Decimal256(Decimal256Builder, DataType),
    Utf8(StringBuilder),
    Binary(BinaryBuilder),
    List(FieldRef, Box<CellBuilder>, Nested),
    Struct(Fields, Vec<CellBuilder>, Nested),
    Map(FieldRef, Box<[CellBuilder; 2]>, Nested),
}

/// Ends and validity of nested cells.
struct Nested {
    ends: Vec<i32>,
    valid: Vec<bool>,
}

impl Nested {
    fn new() -> Self {
        Self { ends: vec![0], valid: Vec::new() }
    }

    fn push(&mut self, count: usize, valid: bool) {
        let last = self.ends.last().copied().unwrap_or(0);
        self.ends.push(last + count as i32);
        self.valid.push(valid);
    }

    fn parts(self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        (OffsetBuffer::new(ScalarBuffer::from(self.ends)), Some(NullBuffer::from(self.valid)))
    }
}

impl CellBuilder {
    fn new(data_type: &DataType) -> Self {
        match data_type {
            DataType::Boolean => Self::Boolean(BooleanBuilder::new()),
            DataType::Int32 => Self::Int32(Int32Builder::new()),
            DataType::Int64 => Self::Int64(Int64Builder::new()),
            DataType::Float64 => Self::Float64(Float64Builder::new()),
            DataType::Date32 => Self::Date32(Date32Builder::new()),
            DataType::Time32(_) => Self::Time32(Time32MillisecondBuilder::new()),
            DataType::Timestamp(..) => Self::Timestamp(TimestampMillisecondBuilder::new()),
            DataType::Decimal128(..) => Self::Decimal128(Decimal128Builder::new(), data_type.clone()),
            DataType::Decimal256(..) => Self::Decimal256(Decimal256Builder::new(), data_type.clone()),
            DataType::Utf8 => Self::Utf8(StringBuilder::new()),
            DataType::Binary => Self::Binary(BinaryBuilder::new()),
            DataType::List(field) => {
                Self::List(Arc::clone(field), Box::new(Self::new(field.data_type())), Nested::new())
            }
            DataType::Struct(fields) => Self::Struct(
                fields.clone(),
                fields.iter().map(|field| Self::new(field.data_type())).collect(),
                Nested::new(),
            ),
            DataType::Map(field, _) => {
                let DataType::Struct(entry) = field.data_type() else { unreachable!("map entries are structs") };
                let builders = [Self::new(entry[0].data_type()), Self::new(entry[1].data_type())];
                Self::Map(Arc::clone(field), Box::new(builders), Nested::new())
            }
            other => unreachable!("no SQL type is held in {other} arrays"),
        }
    }

    fn read(&mut self, reader: &mut Reader<'_>) -> Result<(), StateError> {
        if reader.byte()? == 0 {
            self.push_null();
            return Ok(());
        }
        match self {
            Self::Boolean(builder) => builder.append_value(reader.byte()? != 0),
            Self::Int32(builder) => builder.append_value(i32::from_le_bytes(reader.array()?)),
            Self::Int64(builder) => builder.append_value(i64::from_le_bytes(reader.array()?)),
            Self::Float64(builder) => builder.append_value(f64::from_le_bytes(reader.array()?)),
            Self::Date32(builder) => builder.append_value(i32::from_le_bytes(reader.array()?)),
            Self::Time32(builder) => builder.append_value(i32::from_le_bytes(reader.array()?)),
            Self::Timestamp(builder) => builder.append_value(i64::from_le_bytes(reader.array()?)),
            Self::Decimal128(builder, _) => builder.append_value(i128::from_le_bytes(reader.array()?)),
            Self::Decimal256(builder, _) => builder.append_value(i256::from_le_bytes(reader.array()?)),
            Self::Utf8(builder) => {
                let length = reader.varint()? as usize;
                let text = std::str::from_utf8(reader.slice(length)?);
                builder.append_value(text.map_err(|_| StateError::Corrupt("a text is not UTF-8".to_owned()))?);
            }
            Self::Binary(builder) => {
                let length = reader.varint()? as usize;
                builder.append_value(reader.slice(length)?);
            }
            Self::List(_, element, nested) => {
                let count = reader.varint()? as usize;
                for _ in 0..count {
                    element.read(reader)?;
                }
                nested.push(count, true);
            }
            Self::Struct(_, fields, nested) => {
                for field in fields {
                    field.read(reader)?;
                }
                nested.push(1, true);
            }
            Self::Map(_, entry, nested) => {
                let count = reader.varint()? as usize;
                for _ in 0..count {
                    entry[0].read(reader)?;
                    entry[1].read(reader)?;
                }
                nested.push(count, true);
            }
        }
        Ok(())
    }

    fn push_null(&mut self) {
        match self {
            Self::Boolean(builder) => builder.append_null(),
            Self::Int32(builder) => builder.append_null(),
            Self::Int64(builder) => builder.append_null(),
            Self::Float64(builder) => builder.append_null(),
            Self::Date32(builder) => builder.append_null(),
            Self::Time32(builder) => builder.append_null(),
            Self::Timestamp(builder) => builder.append_null(),
            Self::Decimal128(builder, _) => builder.append_null(),
            Self::Decimal256(builder, _) => builder.append_null(),
            Self::Utf8(builder) => builder.append_null(),
            Self::Binary(builder) => builder.append_null(),
            Self::List(_, _, nested) | Self::Map(_, _, nested) => nested.push(0, false),
            Self::Struct(_, fields, nested) => {
                fields.iter_mut().for_each(Self::push_null);
                nested.push(1, false);
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Boolean(mut builder) => Arc::new(builder.finish()),
            Self::Int32(mut builder) => Arc::new(builder.finish()),
            Self::Int64(mut builder) => Arc::new(builder.finish()),
            Self::Float64(mut builder) => Arc::new(builder.finish()),
            Self::Date32(mut builder) => Arc::new(builder.finish()),
            Self::Time32(mut builder) => Arc::new(builder.finish()),
            Self::Timestamp(mut builder) => Arc::new(builder.finish()),
            Self::Decimal128(mut builder, data_type) => Arc::new(builder.finish().with_data_type(data_type)),
            Self::Decimal256(mut builder, data_type) => Arc::new(builder.finish().with_data_type(data_type)),
            Self::Utf8(mut builder) => Arc::new(builder.finish()),
            Self::Binary(mut builder) => Arc::new(builder.finish()),
            Self::List(field, element, nested) => {
                let (offsets, nulls) = nested.parts();
                Arc::new(ListArray::new(field, offsets, element.finish(), nulls))
            }
            Self::Struct(fields, builders, nested) => {
                let length = nested.valid.len();
                let columns: Vec<ArrayRef> = builders.into_iter().map(Self::finish).collect();
                let (_, nulls) = nested.parts();
                let array = StructArray::try_new_with_length(fields, columns, nulls, length);
                Arc::new(array.expect("fields were built side by side"))
            }
            Self::Map(field, entry, nested) => {
                let DataType::Struct(fields) = field.data_type() else { unreachable!("map entries are structs") };
                let columns = entry.map(Self::finish).to_vec();
                let entries = StructArray::new(fields.clone(), columns, None);
                let (offsets, nulls) = nested.parts();
                Arc::new(MapArray::new(field, offsets, entries, nulls, false))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};
    use arrow::datatypes::Int32Type;

    use super::*;

    fn round_trip(columns: &[ArrayRef]) {
        let rows: Vec<Vec<u8>> = (0..columns[0].len())
            .map(|row| {
                let mut bytes = Vec::new();
                encode_row(columns, row, &mut bytes);
                bytes
            })
            .collect();
        let types: Vec<DataType> = columns.iter().map(|column| column.data_type().clone()).collect();
        let decoded = decode_rows(&types, rows.iter().map(Vec::as_slice)).expect("rows we wrote");
        assert_eq!(decoded, columns);
        let ends: Vec<usize> = (0..=columns.len())
            .map(|count| {
                let mut bytes = Vec::new();
                encode_row(&columns[..count], 0, &mut bytes);
                bytes.len()
            })
            .collect();
        for length in 0..rows[0].len() {
            let cut = decode_rows_counted(&types, [&rows[0][..length]]);
            match ends.iter().position(|&end| end == length) {
                Some(count) => {
                    let (columns, counts) = cut.expect("a row of fewer columns");
                    assert_eq!(counts, [count]);
                    assert!(columns[count..].iter().all(|column| column.is_null(0)), "the rest is null");
                }
                None => assert!(matches!(cut, Err(StateError::Corrupt(_))), "a row cut at {length} is an error"),
            }
        }
        let longer = decode_rows(&types[1..], rows.iter().map(Vec::as_slice));
        assert!(matches!(longer, Err(StateError::Corrupt(_))), "a row of more columns is an error");
    }

    #[test]
    fn a_row_of_another_version_is_refused() {
        let mut bytes = Vec::new();
        encode_row(&[Arc::new(Int64Array::from(vec![7]))], 0, &mut bytes);
        bytes[0] = VERSION + 1;
        let error = decode_rows(&[DataType::Int64], [bytes.as_slice()]).expect_err("version 2 is unknown");
        assert!(error.to_string().ends_with("a row has format version 2"), "{error}");
    }

    #[test]
    fn rows_are_read_back_as_they_were_written() {
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(7)]));
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("ü"), Some(""), None]));
        let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(vec![
            Some(vec![Some(1), None]),
            None,
            Some(vec![]),
        ]));
        round_trip(&[numbers, texts, lists]);
    }
}
