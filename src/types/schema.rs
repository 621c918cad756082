//! Schemas of streams and tables: key columns and value columns.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema as ArrowSchema, SchemaRef};

use super::SqlType;

/// A named column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Column name as stored: upper case unless it was quoted.
    pub name: String,
    /// Column type.
    pub sql_type: SqlType,
}

impl Column {
    /// A column called `name` of type `sql_type`.
    pub fn new(name: impl Into<String>, sql_type: SqlType) -> Self {
        Self { name: name.into(), sql_type }
    }

    /// The nullable Arrow field of this column.
    pub fn field(&self) -> Field {
        Field::new(&self.name, self.sql_type.arrow(), true)
    }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.name, self.sql_type)
    }
}

/// Key and value columns of a stream, a table, or the edge between two operators.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Schema {
    /// Columns of the record key, in order.
    pub key: Vec<Column>,
    /// Columns of the record value, in order.
    pub value: Vec<Column>,
}

impl Schema {
    /// The layout in which expressions see a batch: key columns, value columns, then `ROWTIME` (BIGINT) and, where
    /// `windowed`, `WINDOWSTART` and `WINDOWEND` (BIGINT). Expressions refer to columns by index into it.
    pub fn row_schema(&self, windowed: bool) -> SchemaRef {
        let mut fields: Vec<Field> = self.key.iter().chain(&self.value).map(Column::field).collect();
        fields.push(Field::new("ROWTIME", DataType::Int64, true));
        if windowed {
            fields.push(Field::new("WINDOWSTART", DataType::Int64, true));
            fields.push(Field::new("WINDOWEND", DataType::Int64, true));
        }
        Arc::new(ArrowSchema::new(fields))
    }

    /// How this schema is shown: `` `ID` BIGINT KEY, `NAME` STRING ``, with `PRIMARY KEY` for tables.
    pub fn display(&self, table: bool) -> SchemaDisplay<'_> {
        SchemaDisplay { schema: self, table }
    }
}

/// Text form of a [`Schema`], see [`Schema::display`].
pub struct SchemaDisplay<'a> {
    schema: &'a Schema,
    table: bool,
}

impl fmt::Display for SchemaDisplay<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = if self.table { " PRIMARY KEY" } else { " KEY" };
        let keys = self.schema.key.iter().map(|column| (column, key));
        let values = self.schema.value.iter().map(|column| (column, ""));
        for (i, (column, role)) in keys.chain(values).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{column}{role}")?;
        }
        Ok(())
    }
}
