//! Listings: SHOW and DESCRIBE, as ksqlDB's command line lays them out (ksqldb-surface 7.2).

use super::response::Listing;
use crate::catalog::{Catalog, Collection, DataSource, HeaderColumn, QueryInfo, QueryKind};
use crate::formats::Format;
use crate::topics::TopicInfo;
use crate::types::Column;

fn listing(title: impl Into<String>, columns: &[&str], rows: Vec<Vec<String>>) -> Listing {
    Listing::table(title, columns, rows)
}

/// Lines of text without columns.
pub fn lines(title: impl Into<String>, lines: impl IntoIterator<Item = String>) -> Listing {
    listing(title, &[], lines.into_iter().map(|line| vec![line]).collect())
}

/// `SHOW STREAMS` or `SHOW TABLES`.
pub fn sources(catalog: &Catalog, collection: Collection) -> Listing {
    let name = match collection {
        Collection::Stream => "Stream Name",
        Collection::Table => "Table Name",
    };
    let sources = catalog.sources().filter(|source| source.collection == collection);
    let row = |source: &std::sync::Arc<DataSource>| {
        vec![
            source.name.clone(),
            source.topic.clone(),
            source.key_serde.format.name().to_owned(),
            source.value_serde.format.name().to_owned(),
            source.window.is_some().to_string(),
        ]
    };
    listing("", &[name, "Kafka Topic", "Key Format", "Value Format", "Windowed"], sources.map(row).collect())
}

/// `SHOW TOPICS`; internal topics only with `all`.
pub fn topics(topics: &[TopicInfo], all: bool) -> Listing {
    let shown = topics.iter().filter(|topic| all || !topic.name.starts_with("_confluent"));
    let row = |topic: &TopicInfo| {
        let replicas = topic.config.replicas.unwrap_or(1);
        vec![topic.name.clone(), topic.config.partitions.to_string(), replicas.to_string()]
    };
    listing("", &["Kafka Topic", "Partitions", "Partition Replicas"], shown.map(row).collect())
}

/// `SHOW QUERIES`; `status` tells a query's state.
pub fn queries(catalog: &Catalog, status: impl Fn(&QueryInfo) -> String) -> Vec<Listing> {
    let row = |query: &std::sync::Arc<QueryInfo>| {
        let topic = match query.kind {
            QueryKind::CreateSource => String::new(),
            _ => catalog.source(&query.sink).map_or_else(String::new, |source| source.topic.clone()),
        };
        vec![
            query.id.to_string(),
            "PERSISTENT".to_owned(),
            status(query),
            query.sink.clone(),
            topic,
            one_line(&query.sql),
        ]
    };
    let columns = ["Query ID", "Query Type", "Status", "Sink Name", "Sink Kafka Topic", "Query String"];
    vec![
        listing("", &columns, catalog.queries().map(row).collect()),
        lines("", ["For detailed information on a Query run: EXPLAIN <Query ID>;".to_owned()]),
    ]
}

/// `SHOW PROPERTIES`.
pub fn properties<'a>(properties: impl IntoIterator<Item = (&'a String, &'a String)>) -> Listing {
    let rows = properties.into_iter().map(|(name, value)| vec![name.clone(), shown_value(name, value)]);
    listing("", &["Property", "Effective Value"], rows.collect())
}

/// Secrets are not shown.
fn shown_value(name: &str, value: &str) -> String {
    let secret = ["password", "secret", "sasl.jaas.config", "credential", "token", "ssl.key"];
    if secret.iter().any(|word| name.to_ascii_lowercase().contains(word)) {
        "[hidden]".to_owned()
    } else {
        value.to_owned()
    }
}

/// `SHOW VARIABLES`.
pub fn variables<'a>(variables: impl IntoIterator<Item = (&'a String, &'a String)>) -> Listing {
    let rows = variables.into_iter().map(|(name, value)| vec![name.clone(), value.clone()]);
    listing("", &["Variable Name", "Value"], rows.collect())
}

/// `SHOW TYPES`.
pub fn types(catalog: &Catalog) -> Listing {
    let rows = catalog.custom_types().map(|(name, sql_type)| vec![name.to_owned(), sql_type.to_string()]);
    listing("", &["Type Name", "Schema"], rows.collect())
}

/// Columns with their roles, as in `DESCRIBE`.
pub fn fields(key: &[Column], value: &[Column], table: bool, window: Option<&str>) -> Listing {
    let role = if table { "primary key" } else { "key" };
    let window = window.map_or_else(String::new, |name| format!(" (Window type: {name})"));
    let key_rows =
        key.iter().map(|column| vec![column.name.clone(), format!("{} ({role}){window}", shown_type(column))]);
    let value_rows = value.iter().map(|column| vec![column.name.clone(), shown_type(column)]);
    listing("", &["Field", "Type"], key_rows.chain(value_rows).collect())
}

/// ksqlDB's command line says VARCHAR(STRING) for texts.
fn shown_type(column: &Column) -> String {
    match &column.sql_type {
        crate::types::SqlType::String => "VARCHAR(STRING)".to_owned(),
        other => other.to_string(),
    }
}

/// `DESCRIBE name`.
pub fn describe(source: &DataSource) -> Vec<Listing> {
    let name = format!("{:<21}: {}", "Name", source.name);
    let hint = format!(
        "For runtime statistics and query details run: DESCRIBE {} EXTENDED;",
        crate::sql::quote_name(&source.name)
    );
    vec![Listing { title: name, ..source_fields(source) }, lines("", [hint])]
}

/// `DESCRIBE name EXTENDED`, without statistics. `topic` is its topic, if there is one.
pub fn describe_extended(catalog: &Catalog, source: &DataSource, topic: Option<&TopicInfo>) -> Vec<Listing> {
    let timestamp = source.timestamp_column().map_or("Not set - using <ROWTIME>", |column| &column.name);
    let size = topic.map_or_else(String::new, |topic| {
        let replicas = topic.config.replicas.unwrap_or(1);
        format!(" (partitions: {}, replication: {replicas})", topic.config.partitions)
    });
    let facts = Listing::facts([
        ("Name", source.name.clone()),
        ("Type", source.collection.keyword().to_owned()),
        ("Timestamp field", timestamp.to_owned()),
        ("Key format", format_name(&source.key_serde.format).to_owned()),
        ("Value format", format_name(&source.value_serde.format).to_owned()),
        ("Kafka topic", format!("{}{size}", source.topic)),
        ("Statement", one_line(&source.sql)),
    ]);
    let queries = |title: &str, queries: Vec<&std::sync::Arc<QueryInfo>>| {
        let rows = queries.iter().map(|query| vec![query.id.to_string(), one_line(&query.sql)]).collect();
        listing(title, &["Query ID", "Query String"], rows)
    };
    let lists = [
        queries("Queries that read from this source", catalog.readers(&source.name).collect()),
        queries("Queries that write from this source", catalog.writers(&source.name).collect()),
    ];
    let lists = lists.into_iter().filter(|list| !list.rows.is_empty());
    [facts, source_fields(source)].into_iter().chain(lists).collect()
}

fn source_fields(source: &DataSource) -> Listing {
    let window = source.window_type.map(crate::catalog::WindowType::name);
    let mut fields = fields(&source.schema.key, &source.schema.value, source.is_table(), window);
    for (i, header) in source.headers.iter().enumerate() {
        let at = source.schema.key.len() + header.position + i;
        let row = vec![header.column.name.clone(), format!("{} ({})", shown_type(&header.column), role(header))];
        fields.rows.insert(at.min(fields.rows.len()), row);
    }
    fields
}

/// `headers` or `header('name')`.
fn role(header: &HeaderColumn) -> String {
    match &header.header {
        Some(name) => format!("header('{name}')"),
        None => "headers".to_owned(),
    }
}

fn format_name(format: &Format) -> &'static str {
    format.name()
}

/// A statement without its line breaks.
pub fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::Serde;
    use crate::types::{Schema, SqlType};

    #[test]
    fn columns_of_headers_stand_where_they_are_declared() {
        let column = |name: &str, sql_type| Column::new(name, sql_type);
        let header = |name: &str, header: Option<&str>, position| HeaderColumn {
            column: column(name, SqlType::Bytes),
            header: header.map(str::to_owned),
            position,
        };
        let serde = Serde { format: Format::Json, wrap_single: true };
        let source = DataSource {
            name: "S".to_owned(),
            collection: Collection::Stream,
            schema: Schema {
                key: vec![column("K", SqlType::Integer)],
                value: vec![column("A", SqlType::String), column("B", SqlType::Double)],
            },
            headers: vec![header("H", Some("h"), 1), header("I", None, 2)],
            topic: "s".to_owned(),
            key_serde: serde.clone(),
            value_serde: serde,
            window: None,
            window_type: None,
            timestamp: None,
            is_source: false,
            sql: String::new(),
            created_by_query: None,
        };
        let rows: Vec<String> = source_fields(&source).rows.iter().map(|row| row.join(" | ")).collect();
        let expected = [
            "K | INTEGER (key)",
            "A | VARCHAR(STRING)",
            "H | BYTES (header('h'))",
            "B | DOUBLE",
            "I | BYTES (headers)",
        ];
        assert_eq!(rows, expected);
    }
}
