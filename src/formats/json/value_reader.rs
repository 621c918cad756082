//! Readers of JSON values: each appends what it reads to the column it owns, with ksqlDB's coercions.
//!
//! A reader that fails may leave part of a cell behind; whoever started the row truncates all columns to where it began.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

use crate::formats::decimal_bytes::{big_endian, fit};
use crate::formats::extents::Extents;
use crate::formats::scalar_column::{BytesColumn, ScalarColumn, decimal_parameters};
use crate::types::json_scanner::Scanner;
use crate::types::json_text::{unescape, write_text};
use crate::types::number_text::{NumberText, parse_f64, parse_i32, parse_i64};
use crate::types::{SqlType, java_text};

use super::dialect::Dialect;
use super::fault::{Fault, Scan};
use super::record_reader::RecordReader;

/// Buffers for the rare values that cannot go straight to their column.
#[derive(Default)]
pub(super) struct Scratch {
    /// How the document is written.
    pub(super) dialect: Dialect,
    text: Vec<u8>,
    digits: Vec<u8>,
    order: Vec<u32>,
}

/// Reads values of one column, field or element.
pub(super) enum ValueReader {
    /// Takes any value and keeps nothing: a STRING that nobody needs.
    Ignored,
    /// Checks values as the inner reader does and keeps nothing.
    Checked(Box<ValueReader>),
    Scalar(ScalarColumn, SqlType),
    List(Box<ListReader>),
    Map(Box<MapReader>),
    Record(Box<RecordReader>),
}

impl ValueReader {
    pub(super) fn new(sql_type: &SqlType) -> Self {
        if let Some(column) = ScalarColumn::new(sql_type) {
            return Self::Scalar(column, sql_type.clone());
        }
        match sql_type {
            SqlType::Array(element) => Self::List(Box::new(ListReader::new(element))),
            SqlType::Map(_, value) => Self::Map(Box::new(MapReader::new(value))),
            SqlType::Struct(fields) => {
                let fields = fields.iter().map(|field| (field.name.clone(), Self::new(&field.sql_type)));
                let DataType::Struct(arrow) = sql_type.arrow() else { unreachable!("structs are Arrow structs") };
                Self::Record(Box::new(RecordReader::new(fields, arrow, sql_type.to_string())))
            }
            scalar => unreachable!("{scalar} has a scalar column"),
        }
    }

    /// A reader for a column whose values are only checked.
    pub(super) fn checking(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::String => Self::Ignored,
            other => Self::Checked(Box::new(Self::new(other))),
        }
    }

    /// Whether a value that begins with `token` may be one of these.
    pub(super) fn may_begin_with(&self, token: u8) -> bool {
        let is_number = token == b'-' || token.is_ascii_digit();
        match self {
            Self::Scalar(ScalarColumn::Text(_) | ScalarColumn::Bytes(_), _) | Self::Ignored => token == b'"',
            Self::Scalar(ScalarColumn::Boolean(_), _) => matches!(token, b't' | b'f'),
            Self::Scalar(ScalarColumn::Decimal128(_) | ScalarColumn::Decimal256(_), _) => is_number || token == b'"',
            Self::Scalar(..) => is_number,
            Self::Checked(inner) => inner.may_begin_with(token),
            Self::List(_) => token == b'[',
            Self::Map(_) => matches!(token, b'{' | b'['),
            Self::Record(record) => token == b'{' || record.unites(&|field| field.may_begin_with(token)),
        }
    }

    /// Whether a text may be one of these where nothing else takes it: numbers without digits are written as texts.
    pub(super) fn may_be_text(&self) -> bool {
        match self {
            Self::Scalar(ScalarColumn::Double(_), _) => true,
            Self::Checked(inner) => inner.may_be_text(),
            Self::Record(record) => record.unites(&Self::may_be_text),
            _ => false,
        }
    }

    /// Whether the values are kept.
    pub(super) fn keeps(&self) -> bool {
        !matches!(self, Self::Ignored | Self::Checked(_))
    }

    #[inline]
    pub(super) fn read(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        match self {
            Self::Scalar(column, sql_type) => read_scalar(column, sql_type, scanner, scratch),
            Self::Ignored => Ok(scanner.skip_value()?),
            Self::Checked(inner) => inner.read(scanner, scratch),
            Self::List(list) => list.read(scanner, scratch),
            Self::Map(map) => map.read(scanner, scratch),
            Self::Record(record) => record.read(scanner, scratch),
        }
    }

    pub(super) fn push_null(&mut self) {
        match self {
            Self::Scalar(column, _) => column.push_null(),
            Self::Ignored | Self::Checked(_) => {}
            Self::List(list) => list.extents.push_null(),
            Self::Map(map) => map.extents.push_null(),
            Self::Record(record) => record.push_null(),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Scalar(column, _) => column.len(),
            Self::Ignored | Self::Checked(_) => 0,
            Self::List(list) => list.extents.len(),
            Self::Map(map) => map.extents.len(),
            Self::Record(record) => record.len(),
        }
    }

    /// Drops the values from `len` on, finished or not.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Scalar(column, _) => column.truncate(len),
            Self::Ignored => {}
            Self::Checked(inner) => inner.truncate(0),
            Self::List(list) => list.truncate(len),
            Self::Map(map) => map.truncate(len),
            Self::Record(record) => record.truncate(len),
        }
    }

    /// The array of all values. Only for readers that keep them.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Scalar(column, _) => column.finish(),
            Self::List(list) => list.finish(),
            Self::Map(map) => map.finish(),
            Self::Record(record) => record.finish(),
            Self::Ignored | Self::Checked(_) => unreachable!("nothing was kept"),
        }
    }
}

/// The error for the value that began at `start`: it is not an `expected`.
#[cold]
fn mismatch<T>(scanner: &mut Scanner<'_>, start: usize, expected: &SqlType) -> Scan<T> {
    scanner.rewind(start);
    scanner.skip_value()?;
    Err(Fault::mismatch(expected, scanner.between(start, scanner.position())))
}

#[inline]
fn read_scalar(
    column: &mut ScalarColumn,
    sql_type: &SqlType,
    scanner: &mut Scanner<'_>,
    scratch: &mut Scratch,
) -> Scan<()> {
    let token = scanner.next_token();
    if token == b'n' {
        scanner.null()?;
        column.push_null();
        return Ok(());
    }
    let start = scanner.position();
    let read = match column {
        ScalarColumn::Text(column) => return read_text(column, token, scanner, scratch),
        ScalarColumn::Bytes(column) => return read_bytes(column, token, scanner, scratch),
        ScalarColumn::Boolean(column) => match token {
            b't' | b'f' => Some(scanner.boolean()?).map(|value| column.push(value)),
            _ => None,
        },
        ScalarColumn::Bigint(column) => read_i64(token, scanner, scratch)?.map(|value| column.push(value)),
        ScalarColumn::Timestamp(column) => read_i64(token, scanner, scratch)?.map(|value| column.push(value)),
        ScalarColumn::Integer(column) => read_i32(token, scanner, scratch)?.map(|value| column.push(value)),
        ScalarColumn::Date(column) => read_i32(token, scanner, scratch)?.map(|value| column.push(value)),
        ScalarColumn::Time(column) => read_i32(token, scanner, scratch)?.map(|value| column.push(value)),
        ScalarColumn::Double(column) => {
            let fit = |number: NumberText<'_>| number.to_f64();
            read_number(token, scanner, scratch, fit, parse_f64)?.map(|value| column.push(value))
        }
        ScalarColumn::Decimal128(_) | ScalarColumn::Decimal256(_)
            if token == b'"' && scratch.dialect.base64_decimals =>
        {
            return read_base64_decimal(column, sql_type, scanner, scratch);
        }
        ScalarColumn::Decimal128(column) => {
            let (precision, scale) = decimal_parameters(sql_type);
            let fit = |number: NumberText<'_>| number.to_decimal128(precision, scale);
            let parse = |text: &[u8]| fit(NumberText::parse(text)?);
            read_number(token, scanner, scratch, fit, parse)?.map(|value| column.push(value))
        }
        ScalarColumn::Decimal256(column) => {
            let (precision, scale) = decimal_parameters(sql_type);
            let fit = |number: NumberText<'_>| number.to_decimal256(precision, scale);
            let parse = |text: &[u8]| fit(NumberText::parse(text)?);
            read_number(token, scanner, scratch, fit, parse)?.map(|value| column.push(value))
        }
    };
    match read {
        Some(()) => Ok(()),
        None => mismatch(scanner, start, sql_type),
    }
}

/// What a text stands for; `buffer` is for one with escapes.
#[inline]
fn plain<'t>(text: &'t [u8], escaped: bool, buffer: &'t mut Vec<u8>) -> &'t [u8] {
    if !escaped {
        return text;
    }
    buffer.clear();
    unescape(text, buffer);
    buffer
}

/// Appends what a text stands for.
#[inline]
fn append(out: &mut Vec<u8>, text: &[u8], escaped: bool) {
    if escaped {
        unescape(text, out);
    } else {
        out.extend_from_slice(text);
    }
}

/// Reads digits as bytes in base64.
fn read_base64_decimal(
    column: &mut ScalarColumn,
    sql_type: &SqlType,
    scanner: &mut Scanner<'_>,
    scratch: &mut Scratch,
) -> Scan<()> {
    let start = scanner.position();
    let (text, escaped) = scanner.text()?;
    let text = plain(text, escaped, &mut scratch.text);
    scratch.digits.clear();
    let digits = java_text::read_base64(&mut scratch.digits, text).then(|| big_endian(&scratch.digits));
    let scale = decimal_parameters(sql_type).1;
    match (column, digits.and_then(|digits| fit(digits, scale, sql_type).ok())) {
        // A DECIMAL of at most 38 digits fits.
        (ScalarColumn::Decimal128(column), Some(digits)) => column.push(digits.to_i128().unwrap_or_default()),
        (ScalarColumn::Decimal256(column), Some(digits)) => column.push(digits),
        _ => return mismatch(scanner, start, sql_type),
    }
    Ok(())
}

#[inline]
fn read_i64(token: u8, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<Option<i64>> {
    let fit = |number: NumberText<'_>| number.to_i64();
    read_number(token, scanner, scratch, fit, parse_i64)
}

#[inline]
fn read_i32(token: u8, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<Option<i32>> {
    let fit = |number: NumberText<'_>| i32::try_from(number.to_i64()?).ok();
    read_number(token, scanner, scratch, fit, parse_i32)
}

/// Reads a number, or text that holds one. `None` when the value is neither or does not fit.
#[inline]
fn read_number<T>(
    token: u8,
    scanner: &mut Scanner<'_>,
    scratch: &mut Scratch,
    fit: impl Fn(NumberText<'_>) -> Option<T>,
    parse: impl Fn(&[u8]) -> Option<T>,
) -> Scan<Option<T>> {
    match token {
        b'-' | b'0'..=b'9' => Ok(fit(scanner.number()?)),
        b'"' => {
            let (text, escaped) = scanner.text()?;
            Ok(parse(plain(text, escaped, &mut scratch.text)))
        }
        _ => Ok(None),
    }
}

/// Reads any value as text: text as it is, numbers as Java prints them, objects and arrays as compact JSON.
#[inline]
fn read_text(column: &mut BytesColumn, token: u8, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
    if token == b'"' {
        let (text, escaped) = scanner.text()?;
        append(&mut column.data, text, escaped);
    } else {
        read_other_as_text(&mut column.data, token, scanner, scratch)?;
    }
    if column.end() { Ok(()) } else { Err(Fault::too_large()) }
}

fn read_other_as_text(out: &mut Vec<u8>, token: u8, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
    let start = scanner.position();
    match token {
        b'-' | b'0'..=b'9' => scanner.number()?.write_java(out, &mut scratch.digits),
        b'{' | b'[' => {
            scanner.skip_value()?;
            write_compact(out, scanner.between(start, scanner.position()), scratch)?;
        }
        _ => {
            scanner.skip_value()?;
            out.extend_from_slice(scanner.between(start, scanner.position()));
        }
    }
    Ok(())
}

/// Writes `json`, which is well-formed, without blanks, with numbers and escapes as Jackson writes them.
fn write_compact(out: &mut Vec<u8>, json: &[u8], scratch: &mut Scratch) -> Scan<()> {
    let mut scanner = Scanner::new(json);
    while scanner.next_token() != 0 {
        let start = scanner.position();
        match scanner.peek() {
            b'"' => {
                let (text, escaped) = scanner.text()?;
                if escaped {
                    write_text(out, plain(text, escaped, &mut scratch.text));
                } else {
                    out.extend_from_slice(scanner.between(start, scanner.position()));
                }
            }
            b'-' | b'0'..=b'9' => scanner.number()?.write_java(out, &mut scratch.digits),
            byte => {
                out.push(byte);
                scanner.skip_byte();
            }
        }
    }
    Ok(())
}

fn read_bytes(column: &mut BytesColumn, token: u8, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
    let start = scanner.position();
    if token != b'"' {
        return mismatch(scanner, start, &SqlType::Bytes);
    }
    let (text, escaped) = scanner.text()?;
    let text = plain(text, escaped, &mut scratch.text);
    if !java_text::read_base64(&mut column.data, text) {
        return mismatch(scanner, start, &SqlType::Bytes);
    }
    if column.end() { Ok(()) } else { Err(Fault::too_large()) }
}

/// Reads JSON arrays into an ARRAY.
pub(super) struct ListReader {
    extents: Extents,
    element: ValueReader,
    sql_type: SqlType,
    field: FieldRef,
}

impl ListReader {
    fn new(element: &SqlType) -> Self {
        Self {
            extents: Extents::new(),
            element: ValueReader::new(element),
            sql_type: SqlType::Array(Box::new(element.clone())),
            field: Arc::new(Field::new_list_field(element.arrow(), true)),
        }
    }

    fn read(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        match scanner.next_token() {
            b'n' => {
                scanner.null()?;
                self.extents.push_null();
                return Ok(());
            }
            b'[' => scanner.skip_byte(),
            _ => return mismatch(scanner, scanner.position(), &self.sql_type),
        }
        let mut index = 0;
        while scanner.another(index == 0, b']')? {
            self.element.read(scanner, scratch).map_err(|fault| fault.in_element(index))?;
            index += 1;
        }
        self.extents.end(self.element.len());
        Ok(())
    }

    fn truncate(&mut self, len: usize) {
        self.element.truncate(self.extents.truncate(len));
    }

    fn finish(&mut self) -> ArrayRef {
        self.extents.finish_lists(&self.field, self.element.finish())
    }
}

/// Reads JSON objects into a MAP with text keys. Of equal keys the last one counts.
pub(super) struct MapReader {
    extents: Extents,
    keys: BytesColumn,
    values: ValueReader,
    sql_type: SqlType,
    fields: Fields,
}

impl MapReader {
    fn new(value: &SqlType) -> Self {
        let fields = vec![Field::new("key", DataType::Utf8, false), Field::new("value", value.arrow(), true)];
        Self {
            extents: Extents::new(),
            keys: BytesColumn::new(),
            values: ValueReader::new(value),
            sql_type: SqlType::Map(Box::new(SqlType::String), Box::new(value.clone())),
            fields: fields.into(),
        }
    }

    fn read(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<()> {
        match scanner.next_token() {
            b'n' => {
                scanner.null()?;
                self.extents.push_null();
                Ok(())
            }
            b'{' => self.read_once(scanner, scratch, Self::read_entries),
            b'[' if scratch.dialect.entries => self.read_once(scanner, scratch, Self::read_elements),
            _ => mismatch(scanner, scanner.position(), &self.sql_type),
        }
    }

    /// Reads what stands at the cursor with `read`, whose last argument are the ascending indices of entries that are left out.
    fn read_once<'s>(
        &mut self,
        scanner: &mut Scanner<'s>,
        scratch: &mut Scratch,
        read: fn(&mut Self, &mut Scanner<'s>, &mut Scratch, &[u32]) -> Scan<()>,
    ) -> Scan<()> {
        let start = scanner.position();
        let base = self.keys.len();
        read(self, scanner, scratch, &[])?;
        // Of equal keys the last one counts.
        let repeated = self.keys.repeated(base, &mut scratch.order);
        if !repeated.is_empty() {
            scanner.rewind(start);
            self.keys.truncate(base);
            self.values.truncate(base);
            read(self, scanner, scratch, &repeated)?;
        }
        self.extents.end(self.keys.len());
        Ok(())
    }

    /// Reads the object at the cursor but for the entries at the ascending indices `left_out`.
    fn read_entries(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch, left_out: &[u32]) -> Scan<()> {
        scanner.skip_byte();
        let mut index = 0;
        while scanner.another(index == 0, b'}')? {
            let (key, escaped) = scanner.member_name()?;
            index += 1;
            if left_out.binary_search(&(index - 1)).is_ok() {
                scanner.skip_value()?;
                continue;
            }
            append(&mut self.keys.data, key, escaped);
            if !self.keys.end() {
                return Err(Fault::too_large());
            }
            self.values.read(scanner, scratch).map_err(|fault| fault.in_member(&String::from_utf8_lossy(key)))?;
        }
        Ok(())
    }

    /// Reads the array at the cursor, of objects with a key and a value, but for those at the ascending indices `left_out`. Entries without
    /// a key are left out.
    fn read_elements(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch, left_out: &[u32]) -> Scan<()> {
        scanner.skip_byte();
        let (mut element, mut index) = (0, 0);
        while scanner.another(element == 0, b']')? {
            let len = self.keys.len();
            let has_key = self.read_entry(scanner, scratch).map_err(|fault| fault.in_element(element))?;
            if !has_key || left_out.binary_search(&index).is_ok() {
                self.keys.truncate(len);
                self.values.truncate(len);
            }
            index += u32::from(has_key);
            element += 1;
        }
        Ok(())
    }

    /// Reads an object with a key and a value; whether it has a key.
    fn read_entry(&mut self, scanner: &mut Scanner<'_>, scratch: &mut Scratch) -> Scan<bool> {
        let start = scanner.position();
        if scanner.next_token() != b'{' {
            return mismatch(scanner, start, &self.sql_type);
        }
        scanner.skip_byte();
        let (len, mut first) = (self.keys.len(), true);
        let (mut has_key, mut has_value) = (false, false);
        while scanner.another(first, b'}')? {
            first = false;
            match scanner.member_name()?.0 {
                b"key" => {
                    self.keys.truncate(len);
                    let token = scanner.next_token();
                    has_key = token != b'n';
                    if has_key {
                        read_text(&mut self.keys, token, scanner, scratch)?;
                    } else {
                        scanner.null()?;
                    }
                }
                b"value" => {
                    self.values.truncate(len);
                    self.values.read(scanner, scratch).map_err(|fault| fault.in_member("value"))?;
                    has_value = true;
                }
                _ => scanner.skip_value()?,
            }
        }
        if !has_value {
            self.values.push_null();
        }
        Ok(has_key)
    }

    fn truncate(&mut self, len: usize) {
        let entries = self.extents.truncate(len);
        self.keys.truncate(entries);
        self.values.truncate(entries);
    }

    fn finish(&mut self) -> ArrayRef {
        let entries: Vec<ArrayRef> = vec![Arc::new(self.keys.finish_text()), self.values.finish()];
        self.extents.finish_maps(&self.fields, entries)
    }
}
