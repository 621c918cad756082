//! Rows from one server to another, and to clients that want columns: a stream of Arrow's IPC format.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{Schema, SchemaRef};
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;

use super::super::problem::{Code, Problem};
use crate::engine::ResultRows;
use crate::types::Column;

fn schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(Column::field).collect::<Vec<_>>()))
}

/// `rows` as a stream.
pub fn encode(rows: &ResultRows) -> Result<Vec<u8>, Problem> {
    let failed = |error| Problem::new(Code::SERVER_ERROR, format!("the rows cannot be written: {error}"));
    let mut writer = StreamWriter::try_new(Vec::new(), &schema(&rows.columns)).map_err(failed)?;
    rows.batches.iter().try_for_each(|batch| writer.write(batch)).map_err(failed)?;
    writer.into_inner().map_err(failed)
}

/// The rows of the stream `bytes`, which should have `columns`.
///
/// # Errors
/// A reason, where it is no such stream.
pub fn decode(bytes: &[u8], columns: &[Column]) -> Result<Vec<RecordBatch>, String> {
    let reader = StreamReader::try_new(Cursor::new(bytes), None).map_err(|error| error.to_string())?;
    if reader.schema() != schema(columns) {
        return Err("it understands the query otherwise: it may not have carried out the newest statements".to_owned());
    }
    reader.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;
    use crate::engine::ColumnRole;
    use crate::types::SqlType;

    #[test]
    fn rows_are_read_as_they_were_written() {
        let column = |name: &str, sql_type| Column { name: name.to_owned(), sql_type };
        let columns = vec![column("K", SqlType::String), column("N", SqlType::Bigint)];
        let keys = StringArray::from(vec![Some("a"), None]);
        let numbers = Int64Array::from(vec![None, Some(7)]);
        let batch = RecordBatch::try_new(schema(&columns), vec![Arc::new(keys), Arc::new(numbers)]).expect("columns");
        let roles = vec![ColumnRole::Key, ColumnRole::Value];
        let rows = ResultRows { columns: columns.clone(), roles, batches: vec![batch.clone()], end: None };
        let bytes = encode(&rows).expect("it can be written");
        assert_eq!(decode(&bytes, &columns), Ok(vec![batch]));
        assert!(decode(&bytes, &columns[..1]).is_err(), "other columns");
        assert!(decode(&bytes[..bytes.len() / 2], &columns).is_err(), "cut");
        let none = encode(&ResultRows { batches: Vec::new(), ..rows }).expect("it can be written");
        assert_eq!(decode(&none, &columns), Ok(Vec::new()));
    }
}
