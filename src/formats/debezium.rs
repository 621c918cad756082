//! Debezium's change events: keys and values that hold the row of a database inside of something else.
//!
//! ```text
//! value   {"before": …, "after": {columns}, "op": "c" | "r" | "u" | "d", …}      ──▶ columns; "d" is a tombstone
//! key     {columns}
//! JSON    {"schema": …, "payload": what stands above}                           ──▶ the same
//! ```
//!
//! The format reads the envelope as columns of its own; what is in them becomes the columns of the row.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::zip::zip;
use arrow::compute::{is_not_null, is_null};

use super::{Decoded, Decoder, Format, FormatError, Schemas, Serde, Side};
use crate::types::{Column, RowError, SqlType, StructField};

const AFTER: &str = "AFTER";
const OP: &str = "OP";
const PAYLOAD: &str = "PAYLOAD";

/// Reads rows out of change events.
struct DebeziumDecoder {
    inner: Box<dyn Decoder>,
    side: Side,
    columns: Vec<Column>,
    /// Where each column stands among those that are read; `None` if it is not needed.
    places: Vec<Option<usize>>,
    /// How many columns are read.
    read: usize,
}

/// The decoder of change events of `serde` whose rows have `columns`, of which only those set in `needed` are built.
///
/// # Errors
/// The format cannot hold them.
pub fn decoder(
    schemas: &Schemas,
    serde: &Serde,
    columns: &[Column],
    needed: &[bool],
    side: Side,
) -> Result<Box<dyn Decoder>, FormatError> {
    let mut read = 0;
    let place = |needed: &bool| {
        needed.then(|| {
            read += 1;
            read - 1
        })
    };
    let places: Vec<Option<usize>> = needed.iter().map(place).collect();
    let row: Vec<Column> =
        columns.iter().zip(needed).filter(|(_, needed)| **needed).map(|(column, _)| column.clone()).collect();
    let envelope = match side {
        Side::Key => row,
        Side::Value => vec![after(&row), Column::new(OP, SqlType::String)],
    };
    let mut all = envelope.clone();
    if serde.format == Format::Json {
        all.push(Column::new(PAYLOAD, structure(&envelope)));
    }
    let inner = schemas.decoder(&Serde { wrap_single: true, ..serde.clone() }, &all, &vec![true; all.len()])?;
    Ok(Box::new(DebeziumDecoder { inner, side, columns: columns.to_vec(), places, read }))
}

/// The columns of the row as one. A struct has fields, needed or not.
fn after(row: &[Column]) -> Column {
    let none = [Column::new(OP, SqlType::String)];
    Column::new(AFTER, structure(if row.is_empty() { &none } else { row }))
}

fn structure(columns: &[Column]) -> SqlType {
    let field = |column: &Column| StructField { name: column.name.clone(), sql_type: column.sql_type.clone() };
    SqlType::Struct(columns.iter().map(field).collect())
}

/// `columns`, or what is in the payload where there is one.
fn unpacked(mut columns: Vec<ArrayRef>, envelope: usize) -> Vec<ArrayRef> {
    let Some(payload) = columns.get(envelope).cloned() else { return columns };
    columns.truncate(envelope);
    if payload.null_count() == payload.len() {
        return columns;
    }
    let has_payload = is_not_null(&payload).expect("a column has places for NULL");
    let inside = payload.as_struct().columns();
    let chosen = columns.iter().zip(inside).map(|(outside, inside)| zip(&has_payload, inside, outside));
    chosen.collect::<Result<_, _>>().expect("both are of one type")
}

impl Decoder for DebeziumDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let Decoded { columns, nulls, mut errors } = self.inner.decode(bytes);
        let (rows, nulls_of) =
            (bytes.len(), |nulls: &Option<BooleanBuffer>, row| nulls.as_ref().is_some_and(|nulls| nulls.value(row)));
        if self.side == Side::Key {
            let columns = unpacked(columns, self.read);
            return Decoded { columns: self.placed(&columns, rows), nulls, errors };
        }
        let envelope = unpacked(columns, 2);
        let (after, op) = (&envelope[0], envelope[1].as_string::<i32>());
        let has_no_row = is_null(after).expect("a column has places for NULL");
        let failed: Vec<u32> = errors.iter().map(|error| error.row).collect();
        let mut deleted = Vec::with_capacity(rows);
        for row in 0..rows {
            let is_null = nulls_of(&nulls, row);
            let op = op.is_valid(row).then(|| op.value(row));
            deleted.push(is_null || op == Some("d"));
            if is_null || failed.binary_search(&(row as u32)).is_ok() {
                continue;
            }
            let reason = match op {
                Some("d") => continue,
                Some("c" | "r" | "u") if !has_no_row.value(row) => continue,
                Some("c" | "r" | "u") => "the change event has no 'after'".to_owned(),
                Some(op) => format!("a change event with op '{op}' changes no row"),
                None => "it is no change event of Debezium: it has no 'op'".to_owned(),
            };
            errors.push(RowError::new(row, reason));
        }
        errors.sort_by_key(|error| error.row);
        let nulls = Some(BooleanBuffer::from(deleted)).filter(|nulls| nulls.count_set_bits() > 0);
        Decoded { columns: self.placed(after.as_struct().columns(), rows), nulls, errors }
    }
}

impl DebeziumDecoder {
    /// All declared columns, of `read`, which are those that are needed.
    fn placed(&self, read: &[ArrayRef], rows: usize) -> Vec<ArrayRef> {
        let column = |(column, place): (&Column, &Option<usize>)| match place {
            Some(place) => ArrayRef::clone(&read[*place]),
            None => new_null_array(&column.sql_type.arrow(), rows),
        };
        self.columns.iter().zip(&self.places).map(column).collect()
    }
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int32Type;

    use super::*;

    fn columns() -> Vec<Column> {
        vec![Column::new("ID", SqlType::Integer), Column::new("NAME", SqlType::String)]
    }

    fn decoded(side: Side, needed: &[bool], records: &[Option<&str>]) -> Decoded {
        let serde = Serde { format: Format::Json, wrap_single: true };
        let mut decoder = decoder(&Schemas::default(), &serde, &columns(), needed, side).expect("JSON holds them");
        let records: Vec<Option<&[u8]>> = records.iter().map(|record| record.map(str::as_bytes)).collect();
        decoder.decode(&BinaryArray::from(records))
    }

    fn numbers(decoded: &Decoded) -> Vec<Option<i32>> {
        decoded.columns[0].as_primitive::<Int32Type>().iter().collect()
    }

    #[test]
    fn a_value_is_what_the_row_was_after_the_change() {
        let found = decoded(
            Side::Value,
            &[true, true],
            &[
                Some(r#"{"before": null, "after": {"id": 1, "name": "a"}, "op": "c", "ts_ms": 5}"#),
                Some(
                    r#"{"schema": {"type": "struct"}, "payload": {"before": {"id": 1}, "after": {"id": 2, "name": "b"}, "op": "u"}}"#,
                ),
                Some(r#"{"before": {"id": 3}, "after": null, "op": "d"}"#),
                None,
            ],
        );
        assert_eq!(numbers(&found), [Some(1), Some(2), None, None]);
        assert_eq!(found.columns[1].as_string::<i32>().value(1), "b");
        assert_eq!(found.nulls, Some(BooleanBuffer::from(vec![false, false, true, true])));
        assert!(found.errors.is_empty());
    }

    #[test]
    fn what_is_no_change_of_a_row_is_an_error() {
        let found = decoded(
            Side::Value,
            &[true, true],
            &[
                Some(r#"{"id": 1, "name": "a"}"#),
                Some(r#"{"op": "t"}"#),
                Some("{"),
                Some(r#"{"after": null, "op": "c"}"#),
                Some(r#"{"after": {"id": "x"}, "op": "c"}"#),
            ],
        );
        let rows: Vec<u32> = found.errors.iter().map(|error| error.row).collect();
        assert_eq!(rows, [0, 1, 2, 3, 4], "{:?}", found.errors);
        assert_eq!(found.errors[0].reason, "it is no change event of Debezium: it has no 'op'");
        assert_eq!(found.errors[1].reason, "a change event with op 't' changes no row");
        assert_eq!(found.errors[3].reason, "the change event has no 'after'");
    }

    #[test]
    fn columns_that_are_not_needed_are_null() {
        let record = Some(r#"{"after": {"id": 1, "name": "a"}, "op": "r"}"#);
        let found = decoded(Side::Value, &[true, false], &[record]);
        assert_eq!((numbers(&found), found.columns[1].null_count()), (vec![Some(1)], 1));
        let found = decoded(Side::Value, &[false, false], &[record]);
        assert_eq!((found.columns[0].null_count(), found.columns[1].null_count()), (1, 1));
        assert!(found.nulls.is_none() && found.errors.is_empty());
    }

    #[test]
    fn a_key_is_a_record_with_or_without_its_schema() {
        let records = [r#"{"id": 1, "name": "a"}"#, r#"{"schema": {}, "payload": {"id": 2, "name": "b"}}"#];
        let found = decoded(Side::Key, &[true, true], &records.map(Some));
        assert_eq!(numbers(&found), [Some(1), Some(2)]);
    }
}
