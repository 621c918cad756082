//! KAFKA: the primitive serializers that Kafka itself ships. One column, its bytes and nothing else.
//!
//! | column | bytes |
//! |---|---|
//! | INTEGER | 4, big endian |
//! | BIGINT | 8, big endian |
//! | DOUBLE | 8, IEEE 754, big endian |
//! | STRING | UTF-8 |
//! | BYTES | as they are |

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{Float64Type, Int32Type, Int64Type};

use crate::types::{Column, SqlType};

use super::rows::{RowMarks, RowsWriter, Utf8Check};
use super::scalar_column::ScalarColumn;
use super::{Decoded, Decoder, Encoded, Encoder};

/// Whether the format can carry `sql_type`.
pub(super) fn supports(sql_type: &SqlType) -> bool {
    matches!(sql_type, SqlType::Integer | SqlType::Bigint | SqlType::Double | SqlType::String | SqlType::Bytes)
}

/// Decodes the bytes of one column.
pub(super) struct KafkaDecoder {
    column: Column,
    cells: ScalarColumn,
    needed: bool,
}

impl KafkaDecoder {
    /// A decoder of `column`, whose type the format supports.
    pub(super) fn new(column: &Column, needed: bool) -> Self {
        let cells = ScalarColumn::new(&column.sql_type).expect("supported types are scalar");
        Self { column: column.clone(), cells, needed }
    }

    fn read(&mut self, record: &[u8], utf8: &Utf8Check) -> Result<(), String> {
        match &mut self.cells {
            ScalarColumn::Integer(cells) => cells.push(i32::from_be_bytes(fixed(&self.column, record)?)),
            ScalarColumn::Bigint(cells) => cells.push(i64::from_be_bytes(fixed(&self.column, record)?)),
            ScalarColumn::Double(cells) => cells.push(f64::from_be_bytes(fixed(&self.column, record)?)),
            ScalarColumn::Text(_) if !utf8.is_utf8(record) => {
                return Err(format!("column {}: invalid UTF-8", self.column.name));
            }
            ScalarColumn::Text(cells) | ScalarColumn::Bytes(cells) => {
                cells.data.extend_from_slice(record);
                if !cells.end() {
                    return Err(format!("column {}: the batch holds more than two gigabytes", self.column.name));
                }
            }
            _ => unreachable!("a decoder is only built for supported types"),
        }
        Ok(())
    }
}

/// `record` as the bytes of a value of fixed width.
fn fixed<const N: usize>(column: &Column, record: &[u8]) -> Result<[u8; N], String> {
    record.try_into().map_err(|_| {
        format!("column {}: expected {N} bytes for {}, got {}", column.name, column.sql_type, record.len())
    })
}

impl Decoder for KafkaDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let rows = bytes.len();
        let utf8 = Utf8Check::new(bytes);
        let mut marks = RowMarks::default();
        for row in 0..rows {
            if bytes.is_null(row) {
                self.cells.push_null();
                marks.null(row);
            } else if let Err(reason) = self.read(bytes.value(row), &utf8) {
                self.cells.push_null();
                marks.error(row, reason);
            }
        }
        let mut column = self.cells.finish();
        if !self.needed {
            column = new_null_array(column.data_type(), rows);
        }
        Decoded { columns: vec![column], nulls: marks.null_bits(rows), errors: marks.errors }
    }
}

/// Encodes one column.
pub(super) struct KafkaEncoder {
    sql_type: SqlType,
}

impl KafkaEncoder {
    /// An encoder of `column`, whose type the format supports.
    pub(super) fn new(column: &Column) -> Self {
        Self { sql_type: column.sql_type.clone() }
    }
}

impl Encoder for KafkaEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let column = &columns[0];
        match &self.sql_type {
            SqlType::Integer => {
                let values = column.as_primitive::<Int32Type>().values();
                write_rows(column, rows, nulls, |row, out| out.extend_from_slice(&values[row].to_be_bytes()))
            }
            SqlType::Bigint => {
                let values = column.as_primitive::<Int64Type>().values();
                write_rows(column, rows, nulls, |row, out| out.extend_from_slice(&values[row].to_be_bytes()))
            }
            SqlType::Double => {
                let values = column.as_primitive::<Float64Type>().values();
                write_rows(column, rows, nulls, |row, out| out.extend_from_slice(&values[row].to_be_bytes()))
            }
            SqlType::String => {
                let values = column.as_string::<i32>();
                write_rows(column, rows, nulls, |row, out| out.extend_from_slice(values.value(row).as_bytes()))
            }
            SqlType::Bytes => {
                let values = column.as_binary::<i32>();
                write_rows(column, rows, nulls, |row, out| out.extend_from_slice(values.value(row)))
            }
            other => unreachable!("an encoder is only built for supported types, not {other}"),
        }
    }
}

/// Writes each row of `column` with `write`; nulls of the column and of the rows become null bytes.
fn write_rows(
    column: &ArrayRef,
    rows: usize,
    nulls: Option<&BooleanBuffer>,
    write: impl Fn(usize, &mut Vec<u8>),
) -> Encoded {
    let mut writer = RowsWriter::new(rows, rows * 8);
    for row in 0..rows {
        if column.is_null(row) || nulls.is_some_and(|nulls| nulls.value(row)) {
            writer.null();
        } else {
            write(row, &mut writer.out);
            writer.end();
        }
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Int32Array, Int64Array, StringArray};

    use super::*;

    fn decode(sql_type: SqlType, records: &[Option<&[u8]>]) -> Decoded {
        KafkaDecoder::new(&Column::new("A", sql_type), true).decode(&BinaryArray::from(records.to_vec()))
    }

    #[test]
    fn integers_are_big_endian_and_of_exact_width() {
        let decoded = decode(SqlType::Integer, &[Some(&[0, 0, 1, 2]), None, Some(&[1, 2, 3])]);
        assert_eq!(decoded.columns[0].as_ref(), &Int32Array::from(vec![Some(258), None, None]));
        assert_eq!(decoded.nulls.map(|nulls| nulls.iter().collect::<Vec<_>>()), Some(vec![false, true, false]));
        assert_eq!(decoded.errors.len(), 1);
        assert_eq!(decoded.errors[0].row, 2);
        assert_eq!(decoded.errors[0].reason, "column A: expected 4 bytes for INTEGER, got 3");
    }

    #[test]
    fn text_must_be_utf8_and_may_be_empty() {
        let split = "é".as_bytes();
        let records: [Option<&[u8]>; 4] = [Some(b""), Some("é".as_bytes()), Some(&split[..1]), Some(&split[1..])];
        let decoded = decode(SqlType::String, &records);
        assert_eq!(decoded.columns[0].as_ref(), &StringArray::from(vec![Some(""), Some("é"), None, None]));
        assert_eq!(decoded.errors.iter().map(|error| error.row).collect::<Vec<_>>(), [2, 3]);
    }

    #[test]
    fn columns_that_are_not_needed_are_checked_and_null() {
        let mut decoder = KafkaDecoder::new(&Column::new("A", SqlType::Bigint), false);
        let records: Vec<&[u8]> = vec![&[0; 8], &[0; 7]];
        let decoded = decoder.decode(&BinaryArray::from(records));
        assert_eq!(decoded.columns[0].null_count(), 2);
        assert_eq!(decoded.errors.len(), 1);
    }

    #[test]
    fn every_type_round_trips() {
        let columns: [(SqlType, ArrayRef); 5] = [
            (SqlType::Integer, Arc::new(Int32Array::from(vec![Some(-1), None]))),
            (SqlType::Bigint, Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
            (SqlType::Double, Arc::new(arrow::array::Float64Array::from(vec![Some(-0.5), None]))),
            (SqlType::String, Arc::new(StringArray::from(vec![Some("ü"), None]))),
            (SqlType::Bytes, Arc::new(BinaryArray::from(vec![Some(&[0xff_u8][..]), None]))),
        ];
        for (sql_type, array) in columns {
            let column = Column::new("A", sql_type);
            let encoded = KafkaEncoder::new(&column).encode(&[Arc::clone(&array)], 2, None);
            assert!(encoded.bytes.is_null(1));
            let decoded = KafkaDecoder::new(&column, true).decode(&encoded.bytes);
            assert_eq!(&decoded.columns[0], &array);
        }
    }
}
