//! Streams and tables: what a topic's records mean.

use super::QueryId;
use crate::formats::{Format, Serde};
use crate::types::{Column, Schema, WindowKind};

/// Whether rows are independent facts or the newest state of their key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collection {
    /// Every row is a fact.
    Stream,
    /// A row replaces the former one with its key.
    Table,
}

impl Collection {
    /// `STREAM` or `TABLE`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Stream => "STREAM",
            Self::Table => "TABLE",
        }
    }

    /// `stream` or `table`, for the middle of a sentence.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Stream => "stream",
            Self::Table => "table",
        }
    }
}

/// Where event time comes from, when not from the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimestampColumn {
    /// Index into key columns followed by value columns.
    pub column: usize,
    /// `TIMESTAMP_FORMAT`: a java.time pattern, for STRING columns.
    pub format: Option<String>,
}

/// The word a windowed key was declared with (`WINDOW_TYPE`). Tumbling and hopping keys have the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowType {
    /// Windows that touch.
    Tumbling,
    /// Windows that overlap.
    Hopping,
    /// Windows that end with a gap.
    Session,
}

impl WindowType {
    /// The word as in `WINDOW_TYPE`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tumbling => "TUMBLING",
            Self::Hopping => "HOPPING",
            Self::Session => "SESSION",
        }
    }
}

/// What a record holds its row in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Envelope {
    /// Debezium's change events: see [`crate::formats::debezium`].
    Debezium,
}

/// A column that shows headers of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderColumn {
    /// Name and type.
    pub column: Column,
    /// `HEADER('name')`: the last header with this name; `None`: `HEADERS`, all of them.
    pub header: Option<String>,
    /// How many value columns are declared before it.
    pub position: usize,
}

impl HeaderColumn {
    /// How its role is declared: `HEADERS` or `HEADER('name')`.
    pub fn role(&self) -> String {
        match &self.header {
            Some(name) => format!("HEADER('{name}')"),
            None => "HEADERS".to_owned(),
        }
    }
}

/// A stream or a table over a topic.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSource {
    /// Name as stored: upper case unless it was quoted.
    pub name: String,
    /// Stream or table.
    pub collection: Collection,
    /// Key and value columns.
    pub schema: Schema,
    /// Columns of headers, in order.
    pub headers: Vec<HeaderColumn>,
    /// Topic that holds its records.
    pub topic: String,
    /// Bytes of the key.
    pub key_serde: Serde,
    /// Bytes of the value.
    pub value_serde: Serde,
    /// What keys and values hold their columns in, besides the format.
    pub envelope: Option<Envelope>,
    /// The key is windowed.
    pub window: Option<WindowKind>,
    /// How the window was declared; set exactly when `window` is.
    pub window_type: Option<WindowType>,
    /// Event time column.
    pub timestamp: Option<TimestampColumn>,
    /// `CREATE SOURCE …`: read-only.
    pub is_source: bool,
    /// The statement that created it.
    pub sql: String,
    /// The query that fills it: of `CREATE … AS SELECT`, or of `CREATE SOURCE TABLE`.
    pub created_by_query: Option<QueryId>,
}

impl DataSource {
    /// A source without a topic: its rows are there when they are asked for.
    pub fn without_topic(name: &str, collection: Collection, schema: Schema) -> Self {
        let serde = Serde { format: Format::None, wrap_single: false };
        Self {
            name: name.to_owned(),
            collection,
            schema,
            headers: Vec::new(),
            topic: String::new(),
            key_serde: serde.clone(),
            value_serde: serde,
            envelope: None,
            window: None,
            window_type: None,
            timestamp: None,
            is_source: true,
            sql: String::new(),
            created_by_query: None,
        }
    }

    /// Whether its rows form a table.
    pub fn is_table(&self) -> bool {
        self.collection == Collection::Table
    }

    /// Key columns, then value columns.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.schema.key.iter().chain(&self.schema.value)
    }

    /// Name of the event time column, if one is declared.
    pub fn timestamp_column(&self) -> Option<&Column> {
        self.timestamp.as_ref().and_then(|timestamp| self.columns().nth(timestamp.column))
    }
}
