//! JSON, with ksqlDB's coercions on the way in and Jackson's spelling on the way out.
//!
//! | column | reads | writes |
//! |---|---|---|
//! | BOOLEAN | `true`, `false` | the same |
//! | INTEGER, BIGINT | whole numbers in range, and text that Java parses as one | number |
//! | DOUBLE | numbers, and text that Java parses as one | number as Java prints it; `"NaN"`, `"Infinity"` |
//! | DECIMAL | numbers and text that fit without rounding | plain number with the column's scale |
//! | STRING | any value: text as it is, objects and arrays as compact JSON | text |
//! | BYTES | base64 | base64 |
//! | DATE, TIME, TIMESTAMP | as integers: days, milliseconds, milliseconds | number |
//! | ARRAY, MAP, STRUCT | array, object, object | the same |
//!
//! Any of them reads `null`. A document is one pass of [`scanner`] under the readers of [`value_reader`] and
//! [`record_reader`], which append to the columns as they go; a row that fails is cut off again.

mod dialect;
mod encode;
mod fault;
mod record_reader;
#[cfg(test)]
mod tests;
mod value_reader;

use arrow::array::{Array, ArrayRef, BinaryArray, new_null_array};
use arrow::datatypes::{DataType, Fields};

use crate::types::Column;
use crate::types::json_scanner::Scanner;

use super::rows::{RowMarks, Utf8Check};
use super::{Decoded, Decoder};

pub(super) use dialect::{Dialect, is_union_field};
pub(super) use encode::{JsonEncoder, RecordTemplate, TypeTemplate};

use fault::{Fault, Scan};
use record_reader::RecordReader;
use value_reader::{Scratch, ValueReader};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes JSON objects into columns, or bare values into an only column.
pub(super) struct JsonDecoder {
    root: Root,
    types: Vec<DataType>,
    scratch: Scratch,
}

enum Root {
    /// An object with a member per column.
    Record(RecordReader),
    /// The value of the only column.
    Bare { name: String, reader: ValueReader },
}

impl JsonDecoder {
    pub(super) fn new(columns: &[Column], needed: &[bool], bare: bool) -> Self {
        let types: Vec<DataType> = columns.iter().map(|column| column.sql_type.arrow()).collect();
        let reader = |column: &Column, needed: bool| {
            if needed { ValueReader::new(&column.sql_type) } else { ValueReader::checking(&column.sql_type) }
        };
        let mut fields =
            columns.iter().zip(needed).map(|(column, &needed)| (column.name.clone(), reader(column, needed)));
        let root = match if bare { fields.next() } else { None } {
            Some((name, reader)) => Root::Bare { name, reader },
            None => Root::Record(RecordReader::new(fields, Fields::empty(), "an object with columns".into())),
        };
        Self { root, types, scratch: Scratch::default() }
    }

    /// Reads the record at `row`; false if it is null as a whole.
    #[inline]
    fn read_row(&mut self, record: &[u8]) -> Scan<bool> {
        let mut scanner = Scanner::new(record.strip_prefix(BYTE_ORDER_MARK).unwrap_or(record));
        let token = scanner.next_token();
        match &mut self.root {
            Root::Record(reader) if token == b'{' => reader.read_object(&mut scanner, &mut self.scratch)?,
            Root::Record(reader) => {
                reader.read(&mut scanner, &mut self.scratch)?;
                scanner.end()?;
                return Ok(false);
            }
            Root::Bare { name, reader } => {
                reader.read(&mut scanner, &mut self.scratch).map_err(|fault| fault.in_member(name))?;
            }
        }
        scanner.end()?;
        Ok(true)
    }

    fn push_null(&mut self) {
        match &mut self.root {
            Root::Record(reader) => reader.push_null(),
            Root::Bare { reader, .. } => reader.push_null(),
        }
    }

    /// Replaces whatever was read of the record at `row` by nulls.
    #[cold]
    fn reject(&mut self, row: usize) {
        match &mut self.root {
            Root::Record(reader) => reader.truncate(row),
            Root::Bare { reader, .. } => reader.truncate(row),
        }
        self.push_null();
    }

    fn finish(&mut self, rows: usize) -> Vec<ArrayRef> {
        let kept = match &mut self.root {
            Root::Record(reader) => reader.finish_fields(),
            Root::Bare { reader, .. } if reader.keeps() => vec![Some(reader.finish())],
            Root::Bare { reader, .. } => {
                reader.truncate(0);
                vec![None]
            }
        };
        let fill = |(array, data_type): (Option<ArrayRef>, &DataType)| {
            array.unwrap_or_else(|| new_null_array(data_type, rows))
        };
        kept.into_iter().zip(&self.types).map(fill).collect()
    }
}

impl Decoder for JsonDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        self.decode_documents(bytes, |record| Ok((record, Dialect::default())))
    }
}

impl JsonDecoder {
    /// Decodes every row of `bytes`, of which `split` gives the document and how it is written.
    pub(super) fn decode_documents<'r>(
        &mut self,
        bytes: &'r BinaryArray,
        mut split: impl FnMut(&'r [u8]) -> Result<(&'r [u8], Dialect), String>,
    ) -> Decoded {
        let rows = bytes.len();
        let utf8 = Utf8Check::new(bytes);
        let mut marks = RowMarks::default();
        for row in 0..rows {
            if bytes.is_null(row) {
                self.push_null();
                marks.null(row);
                continue;
            }
            let read = match split(bytes.value(row)) {
                Ok((document, dialect)) => {
                    self.scratch.dialect = dialect;
                    let read = if utf8.is_utf8(document) { self.read_row(document) } else { Err(Fault::not_text()) };
                    read.map_err(|fault| fault.to_string())
                }
                Err(reason) => Err(reason),
            };
            match read {
                Ok(true) => {}
                Ok(false) => marks.null(row),
                Err(reason) => {
                    self.reject(row);
                    marks.error(row, reason);
                }
            }
        }
        Decoded { columns: self.finish(rows), nulls: marks.null_bits(rows), errors: marks.errors }
    }
}
