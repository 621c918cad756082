//! System tables: tables whose rows the engine makes when somebody asks. They have no topic and cannot be changed, and a SELECT
//! without EMIT reads them as it reads any table.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use super::{Collection, DataSource};
use crate::formats::{Format, Serde};
use crate::types::{Column, Schema, SqlType};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Number,
    Real,
    Time,
    Flag,
}

use Kind::{Flag, Number, Real, Text, Time};

/// A system table: its name, its key columns, its other columns.
struct Definition {
    name: &'static str,
    key: &'static [(&'static str, Kind)],
    value: &'static [(&'static str, Kind)],
}

const DEFINITIONS: [Definition; 11] = [
    Definition {
        name: "LEVADA_QUERIES",
        key: &[("QUERY_ID", Text)],
        value: &[
            ("STATE", Text),
            ("SINK", Text),
            ("TOPIC_NAME", Text),
            ("RECORDS_READ", Number),
            ("BYTES_READ", Number),
            ("RECORDS_WRITTEN", Number),
            ("BYTES_WRITTEN", Number),
            ("DEAD_LETTERS", Number),
            ("LAG", Number),
            ("READ_PER_SECOND", Real),
            ("WRITTEN_PER_SECOND", Real),
            ("FAILURES", Number),
            ("PROBLEM", Text),
            ("LAST_WRITTEN", Time),
            ("STATEMENT", Text),
        ],
    },
    Definition {
        name: "LEVADA_TASKS",
        key: &[("QUERY_ID", Text), ("TASK", Text)],
        value: &[
            ("STATE", Text),
            ("LAG", Number),
            ("STREAM_TIME", Time),
            ("COMMITS", Number),
            ("LAST_COMMIT", Time),
            ("MEMORY_BYTES", Number),
            ("RESTORED", Number),
            ("TO_RESTORE", Number),
        ],
    },
    Definition {
        name: "LEVADA_LAG",
        key: &[("QUERY_ID", Text), ("TASK", Text), ("TOPIC_NAME", Text), ("TOPIC_PARTITION", Number)],
        value: &[
            ("LAG", Number),
            ("POSITION", Number),
            ("END_OFFSET", Number),
            ("STREAM_TIME", Time),
            ("IS_SOURCE", Flag),
            ("RECORDS_READ", Number),
            ("BYTES_READ", Number),
            ("NULL_KEYS", Number),
            ("NULL_VALUES", Number),
            ("REJECTED", Number),
            ("WAITING", Number),
        ],
    },
    Definition {
        name: "LEVADA_OPERATORS",
        key: &[("QUERY_ID", Text), ("TASK", Text), ("OPERATOR", Text)],
        value: &[
            ("ROWS_IN", Number),
            ("ROWS_IN_RIGHT", Number),
            ("ROWS_OUT", Number),
            ("FAILED", Number),
            ("FILTERED", Number),
            ("NULL_KEY", Number),
            ("NULL_VALUE", Number),
            ("LATE", Number),
            ("UNMATCHED", Number),
            ("WAITED", Number),
            ("EMPTY", Number),
            ("STREAM_TIME", Time),
            ("OPEN_WINDOWS", Number),
            ("NEXT_CLOSE", Time),
        ],
    },
    Definition {
        name: "LEVADA_STORES",
        key: &[("QUERY_ID", Text), ("TASK", Text), ("STORE", Text)],
        value: &[("ENTRIES", Number), ("BYTES", Number), ("RESTORED", Number), ("TO_RESTORE", Number)],
    },
    Definition {
        name: "LEVADA_TOPICS",
        key: &[("TOPIC_NAME", Text)],
        value: &[
            ("PARTITIONS", Number),
            ("REPLICAS", Number),
            ("RECORDS", Number),
            ("RECORDS_READ", Number),
            ("RECORDS_WRITTEN", Number),
            ("READERS", Number),
            ("WRITERS", Number),
        ],
    },
    Definition {
        name: "LEVADA_DEAD_LETTERS",
        key: &[("LETTER", Number)],
        value: &[
            ("QUERY_ID", Text),
            ("TOPIC_NAME", Text),
            ("TOPIC_PARTITION", Number),
            ("TOPIC_OFFSET", Number),
            ("STAGE", Text),
            ("REASON", Text),
            ("RECORD_KEY", Text),
            ("RECORD_VALUE", Text),
            ("RECORD_TIME", Time),
        ],
    },
    Definition {
        name: "LEVADA_ERRORS",
        key: &[("QUERY_ID", Text), ("NUMBER", Number)],
        value: &[("OCCURRED", Time), ("CLASS", Text), ("MESSAGE", Text)],
    },
    Definition {
        name: "LEVADA_FUNCTIONS",
        key: &[("FUNCTION", Text)],
        value: &[("CALLS", Number), ("SECONDS_TAKEN", Real), ("BYTES_MAX", Number), ("SLOW_CALLS", Number)],
    },
    Definition {
        name: "LEVADA_METRICS",
        key: &[("NAME", Text), ("LABELS", Text)],
        value: &[("NUMBER", Real), ("KIND", Text), ("HELP", Text)],
    },
    Definition {
        name: "LEVADA_DIAGNOSES",
        key: &[("QUERY_ID", Text), ("NUMBER", Number)],
        value: &[("FINDING", Text)],
    },
];

impl Kind {
    fn sql_type(self) -> SqlType {
        match self {
            Text => SqlType::String,
            Number => SqlType::Bigint,
            Real => SqlType::Double,
            Time => SqlType::Timestamp,
            Flag => SqlType::Boolean,
        }
    }
}

impl Definition {
    fn source(&self) -> DataSource {
        let columns = |columns: &[(&str, Kind)]| -> Vec<Column> {
            columns.iter().map(|(name, kind)| Column::new(*name, kind.sql_type())).collect()
        };
        let schema = Schema { key: columns(self.key), value: columns(self.value) };
        // DESCRIBE names a format: rows are given as JSON would hold them.
        let serde = Serde { format: Format::Json, wrap_single: true };
        let source = DataSource::without_topic(self.name, Collection::Table, schema);
        DataSource { key_serde: serde.clone(), value_serde: serde, ..source }
    }
}

static TABLES: LazyLock<BTreeMap<&'static str, Arc<DataSource>>> =
    LazyLock::new(|| DEFINITIONS.iter().map(|definition| (definition.name, Arc::new(definition.source()))).collect());

/// The system table called `name`.
pub fn system_table(name: &str) -> Option<&'static Arc<DataSource>> {
    TABLES.get(name)
}

/// All system tables, by name.
#[cfg(test)]
pub(crate) fn system_tables() -> impl Iterator<Item = &'static Arc<DataSource>> {
    TABLES.values()
}
