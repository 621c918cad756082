//! Streams and tables: in a list, and one by one.

use serde_json::{Value, json};

use super::{query, schema};
use crate::catalog::{Catalog, Collection, DataSource, QueryId, QueryKind};
use crate::engine::{Engine, EngineError, QueryFacts, QueryOutline, Session};
use crate::topics::TopicInfo;

/// A stream or table of a list.
fn listed(source: &DataSource) -> Value {
    json!({
        "type": source.collection.keyword(),
        "name": source.name,
        "topic": source.topic,
        "keyFormat": source.key_serde.format.name(),
        "valueFormat": source.value_serde.format.name(),
        "isWindowed": source.window.is_some(),
    })
}

/// All streams, or all tables.
pub fn list(catalog: &Catalog, collection: Collection) -> Vec<Value> {
    catalog.sources().filter(|source| source.collection == collection).map(|source| listed(source)).collect()
}

/// All about the stream or table `name`; with `extended` how far its queries are and what they have done.
pub fn description(
    engine: &Engine,
    session: &Session,
    name: &str,
    extended: bool,
) -> Result<Option<Value>, EngineError> {
    let catalog = engine.catalog();
    let Some(source) = catalog.source(name) else { return Ok(None) };
    let (outlines, _) = engine.outlines();
    let of = |ids: Vec<QueryId>| -> Vec<Value> {
        let known = |outline: &&QueryOutline| ids.contains(&outline.info.id);
        outlines.iter().filter(known).map(|outline| query::outline(&catalog, outline)).collect()
    };
    let readers: Vec<QueryId> = catalog.readers(name).map(|info| info.id.clone()).collect();
    let writers: Vec<QueryId> = catalog.writers(name).map(|info| info.id.clone()).collect();
    let derived = catalog.readers(name).filter(|info| info.kind == QueryKind::CreateAs);
    let constraints: Vec<&str> = derived.map(|info| info.sink.as_str()).collect();
    let (topic, facts) = if extended {
        let queries = if writers.is_empty() { &readers } else { &writers };
        (engine.topic(&source.topic)?, engine.query_facts(session, queries))
    } else {
        (None, Vec::new())
    };
    Ok(Some(json!({
        "name": source.name,
        "windowType": source.window_type.map(crate::catalog::WindowType::name),
        "readQueries": of(readers),
        "writeQueries": of(writers),
        "fields": schema::source_fields(source),
        "type": source.collection.keyword(),
        "timestamp": source.timestamp_column().map_or("", |column| column.name.as_str()),
        "statistics": statistics(&facts),
        "errorStats": errors(&facts),
        "extended": extended,
        "keyFormat": source.key_serde.format.name(),
        "valueFormat": source.value_serde.format.name(),
        "topic": source.topic,
        "partitions": topic.as_ref().map_or(0, |topic| topic.config.partitions),
        "replication": topic.as_ref().map_or(0, replication),
        "statement": source.sql,
        "queryOffsetSummaries": facts.iter().map(query::offsets).collect::<Vec<Value>>(),
        "sourceConstraints": constraints,
        "clusterStatistics": [],
        "clusterErrorStats": [],
    })))
}

/// The names of all streams, or all tables.
pub fn names(catalog: &Catalog, collection: Collection) -> Vec<String> {
    let wanted = catalog.sources().filter(|source| source.collection == collection);
    wanted.map(|source| source.name.clone()).collect()
}

/// Copies of the partitions of a topic.
pub fn replication(topic: &TopicInfo) -> u16 {
    topic.replicas.first().copied().or(topic.config.replicas).unwrap_or(1)
}

/// Figures of queries, as a line of text.
fn statistics(facts: &[QueryFacts]) -> String {
    let lines = facts.iter().map(|facts| {
        let (rows_in, rows_out, _) = facts.totals;
        let last = facts.last_out_ms.map(|at| format!(" last-message: {at}")).unwrap_or_default();
        format!(
            "messages-per-sec: {:10.2} total-messages: {rows_out:9} consumer-messages-per-sec: {:10.2} consumer-total-messages: {rows_in:9}{last}",
            facts.rates.rows_out, facts.rates.rows_in
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn errors(facts: &[QueryFacts]) -> String {
    let lines = facts.iter().filter(|facts| facts.totals.2 > 0);
    lines.map(|facts| format!("rejected-messages: {:9}", facts.totals.2)).collect::<Vec<_>>().join("\n")
}
