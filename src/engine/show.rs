//! Listings: SHOW and DESCRIBE, as ksqlDB's command line lays them out (ksqldb-surface 7.2).

use super::response::{Listing, ListingForm};
use crate::catalog::{Catalog, Collection, DataSource, HeaderColumn, QueryInfo, QueryKind};
use crate::functions::plugins;
use crate::topics::{TopicConsumers, TopicInfo};
use crate::types::Column;

fn listing(title: impl Into<String>, columns: &[&str], rows: Vec<Vec<String>>) -> Listing {
    Listing::table(title, columns, rows)
}

/// Lines of text without columns.
pub fn lines(title: impl Into<String>, lines: impl IntoIterator<Item = String>) -> Listing {
    listing(title, &[], lines.into_iter().map(|line| vec![line]).collect())
}

/// Lines that tell a person where to look further.
pub fn advice<const N: usize>(texts: [&str; N]) -> Listing {
    Listing { form: ListingForm::Advice, ..lines("", texts.map(str::to_owned)) }
}

/// What is wrong with functions of users at the moment, if anything is.
pub fn complaints() -> Option<Listing> {
    let complaints = plugins::complaints();
    (!complaints.is_empty()).then(|| Listing { form: ListingForm::Advice, ..lines("", complaints) })
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

/// `SHOW TOPICS`.
pub fn topics<'a>(topics: impl IntoIterator<Item = &'a TopicInfo>) -> Listing {
    listing("", &TOPIC_COLUMNS, topics.into_iter().map(topic_row).collect())
}

/// `SHOW TOPICS EXTENDED`; `consumers` are those of all topics, each group once per topic.
pub fn topics_extended<'a>(topics: impl IntoIterator<Item = &'a TopicInfo>, consumers: &[TopicConsumers]) -> Listing {
    let row = |topic: &TopicInfo| {
        let of_topic = consumers.iter().filter(|found| found.topic == topic.name);
        let (members, groups) = of_topic.fold((0, 0), |sum, found| (sum.0 + found.consumers, sum.1 + 1));
        let mut row = topic_row(topic);
        row.extend([members.to_string(), groups.to_string()]);
        row
    };
    let columns = [&TOPIC_COLUMNS[..], &["Consumers", "Consumer Groups"]].concat();
    listing("", &columns, topics.into_iter().map(row).collect())
}

const TOPIC_COLUMNS: [&str; 3] = ["Kafka Topic", "Partitions", "Partition Replicas"];

fn topic_row(topic: &TopicInfo) -> Vec<String> {
    vec![topic.name.clone(), topic.config.partitions.to_string(), replicas(topic)]
}

/// Copies of each partition: one number if that is the same for all, else one per partition.
fn replicas(topic: &TopicInfo) -> String {
    let one = topic.config.replicas.unwrap_or(1);
    match topic.replicas.as_slice() {
        [first, rest @ ..] if rest.iter().any(|other| other != first) => {
            topic.replicas.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")
        }
        [first, ..] => first.to_string(),
        [] => one.to_string(),
    }
}

/// `SHOW QUERIES`; `status` tells a persistent query's state, `pushed` are the ids and texts of push queries.
pub fn queries<'a>(
    catalog: &Catalog,
    status: impl Fn(&QueryInfo) -> String,
    pushed: impl Iterator<Item = (&'a str, &'a str)>,
) -> Vec<Listing> {
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
    let pushed = pushed.map(|(id, sql)| [id, "PUSH", "RUNNING:1", "", "", &one_line(sql)].map(str::to_owned).to_vec());
    let columns = ["Query ID", "Query Type", "Status", "Sink Name", "Sink Kafka Topic", "Query String"];
    vec![
        listing("", &columns, catalog.queries().map(row).chain(pushed).collect()),
        advice(["For detailed information on a Query run: EXPLAIN <Query ID>;"]),
    ]
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
    // As wide as ksqlDB pads the type, so that roles stand one below the other.
    let key_rows =
        key.iter().map(|column| vec![column.name.clone(), format!("{:<16} ({role}){window}", shown_type(column))]);
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
    vec![Listing { title: name, ..source_fields(source) }, advice([&hint])]
}

/// `DESCRIBE name EXTENDED`, without statistics. `topic` is its topic, if there is one; `status` tells a query's state.
pub fn describe_extended(
    catalog: &Catalog,
    source: &DataSource,
    topic: Option<&TopicInfo>,
    status: impl Fn(&QueryInfo) -> String,
) -> Vec<Listing> {
    let timestamp = source.timestamp_column().map_or("Not set - using <ROWTIME>", |column| &column.name);
    let size = topic.map_or_else(String::new, |topic| {
        format!(" (partitions: {}, replication: {})", topic.config.partitions, replicas(topic))
    });
    let facts = Listing::facts([
        ("Name", source.name.clone()),
        ("Type", source.collection.keyword().to_owned()),
        ("Timestamp field", timestamp.to_owned()),
        ("Key format", source.key_serde.format.name().to_owned()),
        ("Value format", source.value_serde.format.name().to_owned()),
        ("Kafka topic", format!("{}{size}", source.topic)),
        ("Statement", one_line(&source.sql)),
    ]);
    [facts, source_fields(source)].into_iter().chain(dependents(catalog, source, status)).collect()
}

/// What would stop a source from being dropped, and who reads and writes it. Lists without entries are left out.
fn dependents(
    catalog: &Catalog,
    source: &DataSource,
    status: impl Fn(&QueryInfo) -> String,
) -> impl Iterator<Item = Listing> {
    let kind = source.collection.keyword();
    let derived = catalog.readers(&source.name).filter(|query| query.kind == QueryKind::CreateAs);
    let derived = derived.map(|query| vec![query.sink.clone()]).collect();
    let row = |query: &std::sync::Arc<QueryInfo>| vec![query.id.to_string(), status(query), one_line(&query.sql)];
    let queries = |what: &str, queries: Vec<Vec<String>>| {
        listing(format!("Queries that {what} this {kind}"), &["Query ID", "Status", "Query String"], queries)
    };
    let lists = [
        listing("Sources that have a DROP constraint on this source", &["Source Name"], derived),
        queries("read from", catalog.readers(&source.name).map(row).collect()),
        // As ksqlDB says it.
        queries("write from", catalog.writers(&source.name).map(row).collect()),
    ];
    let has_queries = lists[1..].iter().any(|list| !list.rows.is_empty());
    let footer = "For query topology and execution plan please run: EXPLAIN <QueryId>";
    let footer = has_queries.then(|| advice([footer, ""]));
    lists.into_iter().filter(|list| !list.rows.is_empty()).chain(footer)
}

fn source_fields(source: &DataSource) -> Listing {
    let window = source.window_type.map(crate::catalog::WindowType::name);
    let mut fields = fields(&source.schema.key, &source.schema.value, source.is_table(), window);
    for (i, header) in source.headers.iter().enumerate() {
        let at = source.schema.key.len() + header.position + i;
        let row = vec![header.column.name.clone(), format!("{:<16} ({})", shown_type(&header.column), role(header))];
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

/// A statement without its line breaks.
pub fn one_line(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Done, Engine, EngineOptions, Response, Session};
    use crate::formats::{Format, Serde};
    use crate::topics::{MemoryTopics, TopicConfig, Topics};
    use crate::types::{Schema, SqlType};

    fn engine(setup: &str) -> Engine {
        let topics = Arc::new(MemoryTopics::new());
        for name in ["berths", "_schemas", "_confluent-ksql-default_levada-commands"] {
            topics.create(name, &TopicConfig::with_partitions(2)).expect("a new topic");
        }
        let options = EngineOptions { threads: false, ..EngineOptions::default() };
        let engine = Engine::with_options(topics, options).expect("memory is empty");
        engine.execute(&mut Session::default(), setup, &mut |_| ()).expect("the statements are right");
        engine
    }

    /// What a statement answers: titles, headings and rows, a line each; cells with `|` between them.
    fn answer(engine: &Engine, statement: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let show = &mut |response| match response {
            Response::Message(text) | Response::Done(Done { message: text, .. }) => lines.push(text),
            Response::Listing(listings) => {
                for listing in listings {
                    lines.extend([listing.title, listing.columns.join("|")]);
                    lines.extend(listing.rows.iter().map(|row| row.join("|")));
                }
            }
            other => panic!("{other:?}"),
        };
        engine.execute(&mut Session::default(), statement, show).expect("it can be answered");
        lines.retain(|line| !line.is_empty());
        lines
    }

    const BERTHS: &str = "CREATE STREAM berths (ship STRING KEY, place BIGINT) \
                          WITH (kafka_topic = 'berths', value_format = 'json');";

    #[test]
    fn topics_are_hidden_unless_all_are_asked_for() {
        let engine = engine("");
        assert_eq!(answer(&engine, "SHOW TOPICS;"), ["Kafka Topic|Partitions|Partition Replicas", "berths|2|1"]);
        let all = answer(&engine, "LIST ALL TOPICS;");
        assert_eq!(all[1..], ["_confluent-ksql-default_levada-commands|2|1", "_schemas|2|1", "berths|2|1"]);
    }

    #[test]
    fn consumers_are_those_of_running_queries() {
        let engine = engine(&format!(
            "{BERTHS} CREATE STREAM a AS SELECT * FROM berths; CREATE STREAM b AS SELECT * FROM berths; PAUSE CSAS_B_2;"
        ));
        let topics = answer(&engine, "SHOW TOPICS EXTENDED;");
        assert_eq!(topics[0], "Kafka Topic|Partitions|Partition Replicas|Consumers|Consumer Groups");
        assert!(topics.contains(&"berths|2|1|2|1".to_owned()), "a task for each partition: {topics:?}");
        assert!(topics.contains(&"A|2|1|0|0".to_owned()), "{topics:?}");
    }

    #[test]
    fn replicas_are_one_number_where_they_are_the_same() {
        let topic = |replicas: &[u16]| TopicInfo {
            replicas: replicas.to_vec(),
            ..TopicInfo::new("t", TopicConfig { replicas: Some(9), ..TopicConfig::with_partitions(3) })
        };
        for (found, shown) in [(&[][..], "9"), (&[3, 3, 3], "3"), (&[3, 2, 3], "3, 2, 3")] {
            assert_eq!(replicas(&topic(found)), shown);
        }
    }

    #[test]
    fn nothing_there_is_said() {
        let engine = engine("");
        for (statement, said) in [
            ("SHOW STREAMS EXTENDED;", "No streams exist."),
            ("DESCRIBE TABLES;", "No tables exist."),
            ("DESCRIBE STREAMS EXTENDED;", "No streams exist."),
            ("SHOW QUERIES EXTENDED;", "No queries exist."),
        ] {
            assert_eq!(answer(&engine, statement), [said], "{statement}");
        }
    }

    #[test]
    fn a_description_shows_roles_and_windows() {
        let engine = engine(&format!(
            "{BERTHS} CREATE TABLE n AS SELECT ship, COUNT(*) AS n FROM berths WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ship;"
        ));
        let stream = [
            "Name                 : BERTHS",
            "Field|Type",
            "SHIP|VARCHAR(STRING)  (key)",
            "PLACE|BIGINT",
            "For runtime statistics and query details run: DESCRIBE BERTHS EXTENDED;",
        ];
        assert_eq!(answer(&engine, "DESCRIBE berths;"), stream);
        assert_eq!(answer(&engine, "DESCRIBE STREAMS;"), stream);
        let table = answer(&engine, "DESCRIBE n;");
        assert_eq!(table[2..4], ["SHIP|VARCHAR(STRING)  (primary key) (Window type: TUMBLING)", "N|BIGINT"]);
    }

    #[test]
    fn an_extended_description_shows_who_depends_on_it() {
        let engine = engine(&format!("{BERTHS} CREATE STREAM a AS SELECT * FROM berths WHERE place > 1;"));
        let query = "CSAS_A_1|RUNNING|CREATE STREAM a AS SELECT * FROM berths WHERE place > 1;";
        let lists = [
            "Sources that have a DROP constraint on this source",
            "Source Name",
            "A",
            "Queries that read from this STREAM",
            "Query ID|Status|Query String",
            query,
            "For query topology and execution plan please run: EXPLAIN <QueryId>",
        ];
        for statement in ["DESCRIBE berths EXTENDED;", "DESCRIBE EXTENDED berths;"] {
            let shown = answer(&engine, statement);
            assert!(shown.windows(lists.len()).any(|lines| lines == lists), "{shown:?}");
            assert!(shown[1].contains("|Not set - using <ROWTIME>|KAFKA|JSON|berths (partitions: 2, replication: 1)|"));
        }
        let written = answer(&engine, "DESCRIBE a EXTENDED;");
        assert!(written.contains(&"Queries that write from this STREAM".to_owned()), "{written:?}");
        assert!(written.contains(&query.to_owned()), "{written:?}");
    }

    #[test]
    fn a_query_keeps_what_was_set_when_it_was_created() {
        let engine = engine(&format!(
            "{BERTHS} SET 'auto.offset.reset' = 'earliest'; CREATE STREAM a AS SELECT * FROM berths; \
             UNSET 'auto.offset.reset'; CREATE STREAM b AS SELECT * FROM berths;"
        ));
        let set = ["Overridden Properties", "Property|Value", "auto.offset.reset|earliest"];
        let shown = answer(&engine, "EXPLAIN CSAS_A_1;");
        assert!(shown.windows(set.len()).any(|lines| lines == set), "{shown:?}");
        assert!(!answer(&engine, "EXPLAIN csas_b_2;").contains(&set[0].to_owned()));
        let error =
            engine.execute(&mut Session::default(), "EXPLAIN csas_b_3;", &mut |_| ()).expect_err("no such query");
        let text = "Query with id:CSAS_B_3 does not exist, use SHOW QUERIES to view the full set of queries.";
        assert_eq!((error.message.as_str(), error.hint.as_deref()), (text, Some("did you mean CSAS_B_2?")));
    }

    #[test]
    fn push_queries_are_listed_while_they_run() {
        let engine = engine(BERTHS);
        let mut pushed = None;
        let statement = "SELECT * FROM berths EMIT CHANGES;";
        engine
            .execute(&mut Session::default(), statement, &mut |response| pushed = Some(response))
            .expect("the stream is there");
        let listed = answer(&engine, "SHOW QUERIES;");
        assert!(listed[1].starts_with("transient_") && listed[1].ends_with(&format!("|PUSH|RUNNING:1|||{statement}")));
        drop(pushed);
        let footer = "For detailed information on a Query run: EXPLAIN <Query ID>;";
        assert_eq!(answer(&engine, "SHOW QUERIES;")[1..], [footer]);
    }

    #[test]
    fn columns_of_headers_stand_where_they_are_declared() {
        let column = |name: &str, sql_type| Column::new(name, sql_type);
        let header = |name: &str, header: Option<&str>, position| HeaderColumn {
            column: column(name, SqlType::Bytes),
            header: header.map(str::to_owned),
            position,
        };
        let serde = Serde { format: Format::Json, wrap_single: true };
        let schema = Schema {
            key: vec![column("K", SqlType::Integer)],
            value: vec![column("A", SqlType::String), column("B", SqlType::Double)],
        };
        let source = DataSource {
            headers: vec![header("H", Some("h"), 1), header("I", None, 2)],
            topic: "s".to_owned(),
            key_serde: serde.clone(),
            value_serde: serde,
            is_source: false,
            ..DataSource::without_topic("S", Collection::Stream, schema)
        };
        let rows: Vec<String> = source_fields(&source).rows.iter().map(|row| row.join(" | ")).collect();
        let expected = [
            "K | INTEGER          (key)",
            "A | VARCHAR(STRING)",
            "H | BYTES            (header('h'))",
            "B | DOUBLE",
            "I | BYTES            (headers)",
        ];
        assert_eq!(rows, expected);
    }
}
