//! Columns to JSON, as ksqlDB writes it: compact, fields in the order of the schema, nulls written out.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, GenericBinaryArray, GenericStringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type,
    Time32MillisecondType, TimestampMillisecondType, i256,
};

use crate::formats::rows::RowsWriter;
use crate::formats::{Encoded, Encoder};
use crate::types::{Column, SqlType, java_text};

use super::escape::{is_clean, write_text};

/// Encodes rows as JSON objects, or as bare values of their only column.
pub(in crate::formats) struct JsonEncoder {
    record: RecordTemplate,
    /// The only column, where it stands alone.
    bare: bool,
    /// Bytes per row of the last batch: what to reserve for the next.
    row_bytes: usize,
}

impl JsonEncoder {
    pub(in crate::formats) fn new(columns: &[Column], bare: bool) -> Self {
        let fields = columns.iter().map(|column| (column.name.as_str(), &column.sql_type));
        Self { record: RecordTemplate::new(fields), bare, row_bytes: 64 }
    }
}

impl Encoder for JsonEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let mut writer = RowsWriter::new(rows, rows * (self.row_bytes + self.row_bytes / 8));
        let cells: Vec<Cells<'_>> =
            self.record.types.iter().zip(columns).map(|(template, column)| Cells::new(template, column)).collect();
        for row in 0..rows {
            if nulls.is_some_and(|nulls| nulls.value(row)) || self.bare && cells[0].is_null(row) {
                writer.null();
                continue;
            }
            if self.bare {
                cells[0].write(&mut writer.out, row);
            } else {
                write_record(&mut writer.out, &self.record.prefixes, &cells, row);
            }
            writer.end();
        }
        if let Some(row_bytes) = writer.out.len().checked_div(rows) {
            self.row_bytes = row_bytes;
        }
        writer.finish()
    }
}

/// What stands between the values of a record, and how to write these.
struct RecordTemplate {
    /// `{"A":` for the first field, `,"B":` for the others.
    prefixes: Vec<Box<[u8]>>,
    types: Vec<TypeTemplate>,
}

impl RecordTemplate {
    fn new<'a>(fields: impl Iterator<Item = (&'a str, &'a SqlType)>) -> Self {
        let (mut prefixes, mut types) = (Vec::new(), Vec::new());
        for (name, sql_type) in fields {
            let mut prefix = vec![if prefixes.is_empty() { b'{' } else { b',' }];
            write_text(&mut prefix, name.as_bytes());
            prefix.push(b':');
            prefixes.push(prefix.into());
            types.push(TypeTemplate::new(sql_type));
        }
        Self { prefixes, types }
    }
}

/// A type, with the parts of its text that are known beforehand.
enum TypeTemplate {
    Scalar(SqlType),
    List(Box<TypeTemplate>),
    Map(Box<TypeTemplate>),
    Record(RecordTemplate),
}

impl TypeTemplate {
    fn new(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Array(element) => Self::List(Box::new(Self::new(element))),
            SqlType::Map(_, value) => Self::Map(Box::new(Self::new(value))),
            SqlType::Struct(fields) => {
                let fields = fields.iter().map(|field| (field.name.as_str(), &field.sql_type));
                Self::Record(RecordTemplate::new(fields))
            }
            scalar => Self::Scalar(scalar.clone()),
        }
    }
}

/// One column of a batch, downcast once.
struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    values: Values<'a>,
}

enum Values<'a> {
    Boolean(&'a BooleanArray),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Double(&'a [f64]),
    Decimal128(&'a [i128], u8),
    Decimal256(&'a [i256], u8),
    /// Text, and whether none of it needs escapes.
    Text(&'a GenericStringArray<i32>, bool),
    Bytes(&'a GenericBinaryArray<i32>),
    List(&'a [i32], Box<Cells<'a>>),
    Map(&'a [i32], &'a GenericStringArray<i32>, Box<Cells<'a>>),
    Record(&'a [Box<[u8]>], Vec<Cells<'a>>),
}

fn primitive<T: ArrowPrimitiveType>(array: &ArrayRef) -> &[T::Native] {
    array.as_primitive::<T>().values()
}

impl<'a> Cells<'a> {
    fn new(template: &'a TypeTemplate, array: &'a ArrayRef) -> Self {
        let values = match template {
            TypeTemplate::Scalar(sql_type) => Values::new(sql_type, array),
            TypeTemplate::List(element) => {
                let list = array.as_list::<i32>();
                Values::List(list.value_offsets(), Box::new(Self::new(element, list.values())))
            }
            TypeTemplate::Map(value) => {
                let map = array.as_map();
                let cells = Box::new(Self::new(value, map.values()));
                Values::Map(map.value_offsets(), map.keys().as_string(), cells)
            }
            TypeTemplate::Record(record) => {
                let columns = array.as_struct().columns();
                let cells = record.types.iter().zip(columns).map(|(template, column)| Self::new(template, column));
                Values::Record(&record.prefixes, cells.collect())
            }
        };
        Self { nulls: array.nulls().filter(|nulls| nulls.null_count() > 0), values }
    }

    #[inline]
    fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    #[inline]
    fn write(&self, out: &mut Vec<u8>, row: usize) {
        if self.is_null(row) {
            return out.extend_from_slice(b"null");
        }
        match &self.values {
            Values::Boolean(values) => {
                out.extend_from_slice(if values.value(row) { b"true" } else { b"false" });
            }
            Values::Int32(values) => out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes()),
            Values::Int64(values) => out.extend_from_slice(itoa::Buffer::new().format(values[row]).as_bytes()),
            Values::Double(values) => write_double(out, values[row]),
            Values::Decimal128(values, scale) => java_text::write_decimal128(out, values[row], *scale),
            Values::Decimal256(values, scale) => java_text::write_decimal256(out, values[row], *scale),
            Values::Text(values, true) => write_clean_text(out, values.value(row).as_bytes()),
            Values::Text(values, false) => write_text(out, values.value(row).as_bytes()),
            Values::Bytes(values) => {
                out.push(b'"');
                java_text::write_base64(out, values.value(row));
                out.push(b'"');
            }
            Values::List(offsets, elements) => write_list(out, offsets, elements, row),
            Values::Map(offsets, keys, values) => write_map(out, offsets, keys, values, row),
            Values::Record(prefixes, fields) => write_record(out, prefixes, fields, row),
        }
    }
}

impl<'a> Values<'a> {
    fn new(sql_type: &SqlType, array: &'a ArrayRef) -> Self {
        match sql_type {
            SqlType::Boolean => Self::Boolean(array.as_boolean()),
            SqlType::Integer => Self::Int32(primitive::<Int32Type>(array)),
            SqlType::Date => Self::Int32(primitive::<Date32Type>(array)),
            SqlType::Time => Self::Int32(primitive::<Time32MillisecondType>(array)),
            SqlType::Bigint => Self::Int64(primitive::<Int64Type>(array)),
            SqlType::Timestamp => Self::Int64(primitive::<TimestampMillisecondType>(array)),
            SqlType::Double => Self::Double(primitive::<Float64Type>(array)),
            SqlType::Decimal { precision, scale } if *precision <= 38 => {
                Self::Decimal128(primitive::<Decimal128Type>(array), *scale)
            }
            SqlType::Decimal { scale, .. } => Self::Decimal256(primitive::<Decimal256Type>(array), *scale),
            SqlType::String => {
                let text = array.as_string::<i32>();
                let (start, end) = (text.value_offsets()[0] as usize, text.value_offsets()[text.len()] as usize);
                Self::Text(text, is_clean(&text.value_data()[start..end]))
            }
            SqlType::Bytes => Self::Bytes(array.as_binary()),
            nested => unreachable!("{nested} has a template of its own"),
        }
    }
}

#[inline]
fn write_clean_text(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Doubles that are not numbers are text in JSON.
#[inline]
fn write_double(out: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        return java_text::write_double(out, value);
    }
    out.push(b'"');
    java_text::write_double(out, value);
    out.push(b'"');
}

fn write_list(out: &mut Vec<u8>, offsets: &[i32], elements: &Cells<'_>, row: usize) {
    out.push(b'[');
    for at in offsets[row]..offsets[row + 1] {
        if at > offsets[row] {
            out.push(b',');
        }
        elements.write(out, at as usize);
    }
    out.push(b']');
}

fn write_map(out: &mut Vec<u8>, offsets: &[i32], keys: &GenericStringArray<i32>, values: &Cells<'_>, row: usize) {
    out.push(b'{');
    for at in offsets[row]..offsets[row + 1] {
        if at > offsets[row] {
            out.push(b',');
        }
        write_text(out, keys.value(at as usize).as_bytes());
        out.push(b':');
        values.write(out, at as usize);
    }
    out.push(b'}');
}

#[inline]
fn write_record(out: &mut Vec<u8>, prefixes: &[Box<[u8]>], fields: &[Cells<'_>], row: usize) {
    for (prefix, cells) in prefixes.iter().zip(fields) {
        out.extend_from_slice(prefix);
        cells.write(out, row);
    }
    out.extend_from_slice(if prefixes.is_empty() { b"{}" } else { b"}" });
}
