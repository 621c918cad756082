//! Columns to JSON, as ksqlDB writes it: compact, fields in the order of the schema, nulls written out.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::i256;

use crate::formats::decimal_bytes::Digits;
use crate::formats::rows::RowsWriter;
use crate::formats::scalar_cells::ScalarCells;
use crate::formats::schemas::split_id;
use crate::formats::{Encoded, Encoder};
use crate::types::json_text::{special_byte, write_text};
use crate::types::{Column, SqlType, java_text};

/// Encodes rows as JSON objects, or as bare values of their only column.
pub(in crate::formats) struct JsonEncoder {
    record: RecordTemplate,
    /// The only column, where it stands alone.
    bare: bool,
    /// What stands in front of every document.
    header: Vec<u8>,
    /// Bytes per row of the last batch: what to reserve for the next.
    row_bytes: usize,
}

impl JsonEncoder {
    pub(in crate::formats) fn new(columns: &[Column], bare: bool) -> Self {
        let fields = columns.iter().map(|column| (column.name.as_str(), TypeTemplate::new(&column.sql_type)));
        Self::by_template(RecordTemplate::of(fields), bare, Vec::new())
    }

    /// Writes records as `record` says, behind `header`.
    pub(in crate::formats) fn by_template(record: RecordTemplate, bare: bool, header: Vec<u8>) -> Self {
        Self { record, bare, header, row_bytes: 64 }
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
            writer.out.extend_from_slice(&self.header);
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

    fn schema_id(&self) -> Option<u32> {
        split_id(&self.header).ok().map(|(id, _)| id)
    }
}

/// What stands between the values of a record, and how to write these.
pub(in crate::formats) struct RecordTemplate {
    /// `{"A":` for the first field, `,"B":` for the others.
    prefixes: Vec<Box<[u8]>>,
    types: Vec<TypeTemplate>,
}

impl RecordTemplate {
    /// Objects of these members.
    pub(in crate::formats) fn of<'a>(fields: impl IntoIterator<Item = (&'a str, TypeTemplate)>) -> Self {
        let (mut prefixes, mut types) = (Vec::new(), Vec::new());
        for (name, template) in fields {
            let mut prefix = vec![if prefixes.is_empty() { b'{' } else { b',' }];
            write_text(&mut prefix, name.as_bytes());
            prefix.push(b':');
            prefixes.push(prefix.into());
            types.push(template);
        }
        Self { prefixes, types }
    }
}

/// A type, with the parts of its text that are known beforehand.
pub(in crate::formats) enum TypeTemplate {
    Scalar(SqlType),
    /// A DECIMAL, by its digits as bytes.
    Base64Decimal(SqlType),
    List(Box<TypeTemplate>),
    Map(Box<TypeTemplate>),
    /// A map as an array of objects with a key and a value.
    Entries(Box<TypeTemplate>),
    Record(RecordTemplate),
    /// The member of a struct that is not NULL.
    Union(Vec<TypeTemplate>),
}

impl TypeTemplate {
    fn new(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Array(element) => Self::List(Box::new(Self::new(element))),
            SqlType::Map(_, value) => Self::Map(Box::new(Self::new(value))),
            SqlType::Struct(fields) => {
                let fields = fields.iter().map(|field| (field.name.as_str(), Self::new(&field.sql_type)));
                Self::Record(RecordTemplate::of(fields))
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
    /// Values whose text can stand in JSON as it is.
    Plain(ScalarCells<'a>),
    /// Values whose text takes quotes and needs no escapes.
    Quoted(ScalarCells<'a>),
    /// Text that needs escapes somewhere in the column.
    Text(&'a StringArray),
    /// Numbers, but for those that are none.
    Double(ScalarCells<'a>, &'a [f64]),
    List(&'a [i32], Box<Cells<'a>>),
    Map(&'a [i32], &'a StringArray, Box<Cells<'a>>),
    Entries(&'a [i32], &'a StringArray, Box<Cells<'a>>),
    Record(&'a [Box<[u8]>], Vec<Cells<'a>>),
    Base64Decimal(ScalarCells<'a>),
    Union(Vec<Cells<'a>>),
}

impl<'a> Cells<'a> {
    fn new(template: &'a TypeTemplate, array: &'a ArrayRef) -> Self {
        let values = match template {
            TypeTemplate::Scalar(sql_type) => Values::scalar(ScalarCells::new(sql_type, array)),
            TypeTemplate::List(element) => {
                let list = array.as_list::<i32>();
                Values::List(list.value_offsets(), Box::new(Self::new(element, list.values())))
            }
            TypeTemplate::Map(value) => {
                let map = array.as_map();
                let cells = Box::new(Self::new(value, map.values()));
                Values::Map(map.value_offsets(), map.keys().as_string(), cells)
            }
            TypeTemplate::Entries(value) => {
                let map = array.as_map();
                let cells = Box::new(Self::new(value, map.values()));
                Values::Entries(map.value_offsets(), map.keys().as_string(), cells)
            }
            TypeTemplate::Base64Decimal(sql_type) => Values::Base64Decimal(ScalarCells::new(sql_type, array)),
            TypeTemplate::Union(members) => {
                let columns = array.as_struct().columns();
                Values::Union(members.iter().zip(columns).map(|(member, column)| Self::new(member, column)).collect())
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
            Values::Plain(cells) => cells.write(out, row),
            Values::Text(values) => write_text(out, values.value(row).as_bytes()),
            Values::Double(cells, values) if values[row].is_finite() => cells.write(out, row),
            Values::Quoted(cells) | Values::Double(cells, _) => write_quoted(out, cells, row),
            Values::List(offsets, elements) => write_list(out, offsets, elements, row),
            Values::Map(offsets, keys, values) => write_map(out, offsets, keys, values, row),
            Values::Entries(offsets, keys, values) => write_entries(out, offsets, keys, values, row),
            Values::Record(prefixes, fields) => write_record(out, prefixes, fields, row),
            Values::Base64Decimal(cells) => write_base64_decimal(out, cells, row),
            Values::Union(members) => match members.iter().find(|member| !member.is_null(row)) {
                Some(member) => member.write(out, row),
                None => out.extend_from_slice(b"null"),
            },
        }
    }
}

impl<'a> Values<'a> {
    fn scalar(cells: ScalarCells<'a>) -> Self {
        match cells {
            ScalarCells::Double(values) => Self::Double(cells, values),
            ScalarCells::Text(text) => {
                let (start, end) = (text.value_offsets()[0] as usize, text.value_offsets()[text.len()] as usize);
                let data = &text.value_data()[start..end];
                if special_byte(data) == data.len() { Self::Quoted(cells) } else { Self::Text(text) }
            }
            ScalarCells::Bytes(_) => Self::Quoted(cells),
            _ => Self::Plain(cells),
        }
    }
}

#[inline]
fn write_quoted(out: &mut Vec<u8>, cells: &ScalarCells<'_>, row: usize) {
    out.push(b'"');
    cells.write(out, row);
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

fn write_map(out: &mut Vec<u8>, offsets: &[i32], keys: &StringArray, values: &Cells<'_>, row: usize) {
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

fn write_entries(out: &mut Vec<u8>, offsets: &[i32], keys: &StringArray, values: &Cells<'_>, row: usize) {
    out.push(b'[');
    for at in offsets[row]..offsets[row + 1] {
        out.extend_from_slice(if at > offsets[row] { b",{\"key\":" } else { b"{\"key\":" });
        write_text(out, keys.value(at as usize).as_bytes());
        out.extend_from_slice(b",\"value\":");
        values.write(out, at as usize);
        out.push(b'}');
    }
    out.push(b']');
}

fn write_base64_decimal(out: &mut Vec<u8>, cells: &ScalarCells<'_>, row: usize) {
    let digits = match cells {
        ScalarCells::Decimal128(values, _) => i256::from_i128(values[row]),
        ScalarCells::Decimal256(values, _) => values[row],
        _ => unreachable!("templates are made for their columns"),
    };
    out.push(b'"');
    java_text::write_base64(out, Digits::new(digits).bytes());
    out.push(b'"');
}

#[inline]
fn write_record(out: &mut Vec<u8>, prefixes: &[Box<[u8]>], fields: &[Cells<'_>], row: usize) {
    for (prefix, cells) in prefixes.iter().zip(fields) {
        out.extend_from_slice(prefix);
        cells.write(out, row);
    }
    out.extend_from_slice(if prefixes.is_empty() { b"{}" } else { b"}" });
}
