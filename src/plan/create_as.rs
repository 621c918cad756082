//! `CREATE STREAM|TABLE … AS SELECT`: the query, and the stream or table that it fills.

use std::sync::Arc;

use crate::catalog::{Catalog, Collection, DataSource, QueryInfo, QueryKind};
use crate::formats::{Format, Serde};
use crate::sql::Span;
use crate::sql::ast::{CreateAsSelect, SourceKind};
use crate::types::Schema;

use super::create_source::{already_there, check_retention, collection, timestamp_column};
use super::declared_topic::{check_existing, schema_validation};
use super::error::{PlanError, PlanErrorKind};
use super::formats::{self, check_schema, default_key_format, effective_key_serde, key_serde, value_serde};
use super::planned::{PlannedCreateAs, SinkTopic, create_as_prefix, query_id};
use super::properties::{Clause, Properties, SideProperties};
use super::query::{self, PlannedQuery};
use super::replace_source::check_new;
use super::reserved_topics::{READ_ONLY_HINT, is_read_only};
use super::sanitize::sanitized;
use super::select::Purpose;
use super::settings::{Settings, TopicFacts};
use super::{Planned, QueryPlan, Sink, passes, upgrade};

/// Retention of windowed tables' topics when nothing longer is asked for: a week.
const RETENTION_DEFAULT_MS: i64 = 604_800_000;

/// Plans `create`, whose text is `sql`.
pub(super) fn plan(
    create: &CreateAsSelect,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    let name = create.name.as_str();
    let collection = collection(create.kind);
    if let Some(skipped) = already_there(catalog, name, collection, create.if_not_exists) {
        return Ok(skipped);
    }
    let properties = Properties::read(&create.properties, Clause::CreateAs)?;
    let planned =
        query::plan(&create.query, catalog, settings, Purpose::Persistent(name), properties.timestamp.as_ref())?;
    check_kind(create, &planned)?;
    let source = data_source(create, sql, &properties, &planned, settings);
    let mut source = source.map_err(|error| match error.kind() {
        PlanErrorKind::Format { .. } => error.quoting(sanitized(create, &planned.scope).to_string()),
        _ => error,
    })?;
    check_new(&source, create.or_replace, catalog, settings, &create.name, create.span)?;
    let former = former_query(create, catalog)?;
    if let Some(former) = &former {
        source.created_by_query = Some(former.id.clone());
    }
    let topic = sink_topic(&source, &properties, &planned, settings, create.span)?;
    let id = source.created_by_query.clone().expect("a query fills it");
    let query_info = QueryInfo {
        id,
        kind: QueryKind::CreateAs,
        reads: planned.scope.source_names(),
        sink: name.to_owned(),
        functions: planned.functions,
        sql: sql.to_owned(),
    };
    let sink = Sink {
        name: name.to_owned(),
        topic: source.topic.clone(),
        key_serde: effective_key_serde(&source.key_serde, &source.schema.key),
        value_serde: source.value_serde.clone(),
        partitions: topic.partitions,
        timestamp: source.timestamp.clone(),
    };
    let mut query = passes::planned(planned.root, Some(sink), None);
    if let Some(former) = &former {
        upgrade(former, &mut query, settings, create.span)?;
    }
    let (or_replace, upgrades) = (create.or_replace, former.is_some());
    Ok(Planned::CreateAs(Box::new(PlannedCreateAs { source, query_info, query, topic, or_replace, upgrades })))
}

/// A stream comes of a stream, a table of a table.
fn check_kind(create: &CreateAsSelect, planned: &PlannedQuery) -> Result<(), PlanError> {
    let (result, other) = match planned.root.collection() {
        Collection::Stream => ("STREAM", SourceKind::Stream),
        Collection::Table => ("TABLE", SourceKind::Table),
    };
    if other == create.kind {
        return Ok(());
    }
    let text = format!(
        "Invalid result type. Your SELECT query produces a {result}. Please use CREATE {result} AS SELECT statement \
         instead."
    );
    Err(PlanError::refused(text, create.span))
}

/// The query that fills what `create` replaces; nothing else may write there.
fn former_query(create: &CreateAsSelect, catalog: &Catalog) -> Result<Option<Arc<QueryInfo>>, PlanError> {
    if !create.or_replace {
        return Ok(None);
    }
    let name = create.name.as_str();
    let mut writers: Vec<&Arc<QueryInfo>> = catalog.writers(name).collect();
    let former = writers.pop().cloned();
    if writers.is_empty() {
        return Ok(former);
    }
    let ids: Vec<&str> = catalog.writers(name).map(|query| query.id.as_str()).collect();
    let text = format!(
        "REPLACE for sink {name} is not supported because there are multiple queries writing into it: [{}]",
        ids.join(", ")
    );
    Err(PlanError::refused_with_hint(text, "terminate those of INSERT INTO first", create.span))
}

/// Makes `query` go on where `former` stops.
fn upgrade(former: &QueryInfo, query: &mut QueryPlan, settings: &Settings, span: Span) -> Result<(), PlanError> {
    let Some(old) = settings.plans.plan(&former.id) else {
        let text = format!("the plan of {} is not known", former.id);
        return Err(PlanError::refused(text, span));
    };
    upgrade::upgrade(&old, query).map_err(|error| {
        let hint = format!("drop {} and create it again to begin anew, or give the new one another name", former.sink);
        PlanError::refused_with_hint(error.to_string(), hint, span)
    })
}

fn data_source(
    create: &CreateAsSelect,
    sql: &str,
    properties: &Properties,
    planned: &PlannedQuery,
    settings: &Settings,
) -> Result<DataSource, PlanError> {
    let name = create.name.as_str();
    let span = create.span;
    let schema: Schema = planned.root.schema();
    let leftmost = &planned.scope.sources[0].data;
    let key_serde = derived_key_serde(properties, leftmost, &schema, planned.is_keyless, settings, span)?;
    let value_format = derived_format(&properties.value, &leftmost.value_serde.format, span)?;
    let value_serde = value_serde(value_format, &schema.value, properties, settings, span)?;
    check_schema(&schema, &key_serde, &value_serde, span)?;
    let prefix = settings.property("ksql.output.topic.name.prefix").unwrap_or_default();
    let topic = properties.topic.clone().unwrap_or_else(|| format!("{prefix}{name}"));
    let timestamp = timestamp_column(properties, &schema, span)?;
    let window = planned.root.window();
    check_retention(properties, create.kind, window, span)?;
    Ok(DataSource {
        name: name.to_owned(),
        collection: collection(create.kind),
        schema,
        headers: Vec::new(),
        topic,
        key_serde,
        value_serde,
        envelope: None,
        window,
        window_type: planned.window_type,
        timestamp,
        is_source: false,
        sql: sql.to_owned(),
        created_by_query: Some(query_id(create_as_prefix(create.kind), name, settings)),
    })
}

/// The format that a WITH clause names, else that of the left-most source; its schema is the source's own.
fn derived_format(side: &SideProperties, inherited: &Format, span: Span) -> Result<Format, PlanError> {
    match &side.format {
        Some(named) => formats::format(named, side, span),
        None => formats::unnamed_format(&inherited.clone().derived(), side, span),
    }
}

fn derived_key_serde(
    properties: &Properties,
    leftmost: &DataSource,
    schema: &Schema,
    is_keyless: bool,
    settings: &Settings,
    span: Span,
) -> Result<Serde, PlanError> {
    if schema.key.is_empty() {
        let names_one = properties.key.format.as_ref().is_some_and(|named| *named != Format::None);
        if properties.key_format_alone && names_one {
            return Err(PlanError::refused("Key format specified for stream without key columns.", span));
        }
        if is_keyless {
            return Ok(Serde { format: Format::None, wrap_single: true });
        }
    }
    let inherited = match &leftmost.key_serde.format {
        Format::None if !schema.key.is_empty() => default_key_format(settings)?,
        format => format.clone(),
    };
    let format = derived_format(&properties.key, &inherited, span)?;
    Ok(key_serde(format, &schema.key))
}

fn sink_topic(
    source: &DataSource,
    properties: &Properties,
    planned: &PlannedQuery,
    settings: &Settings,
    span: Span,
) -> Result<SinkTopic, PlanError> {
    if is_read_only(&source.topic, settings) {
        let text = format!("Cannot write into read-only topic: {}", source.topic);
        return Err(PlanError::refused_with_hint(text, READ_ONLY_HINT, span));
    }
    let found = settings.topics.find(&source.topic);
    if let Some(found) = found.as_ref().filter(|_| !settings.topics.is_past()) {
        check_existing(&source.topic, found, properties, span)?;
    }
    let leftmost = settings.topics.find(&planned.scope.sources[0].data.topic);
    let count = |topic: TopicFacts| topic.partitions;
    let inherits = settings.is_on("ksql.create.topic.inherit.source.replicas.enabled", true);
    let retention_ms = match (source.is_table(), source.window.is_some()) {
        (true, true) => {
            let window = planned.window_retention_ms.unwrap_or_default();
            let asked = properties.retention_ms.or(leftmost.and_then(|topic| topic.retention_ms));
            Some(window.max(asked.unwrap_or(RETENTION_DEFAULT_MS)))
        }
        (true, false) => None,
        (false, _) => match properties.retention_ms {
            Some(asked) => (asked >= 0).then_some(asked),
            None => leftmost.and_then(|topic| topic.retention_ms),
        },
    };
    Ok(SinkTopic {
        name: source.topic.clone(),
        exists: found.is_some(),
        partitions: found.map(count).or(properties.partitions).or(leftmost.map(count)),
        replicas: properties.replicas.or(leftmost.filter(|_| inherits).and_then(|topic| topic.replicas)),
        compact: source.is_table(),
        retention_ms,
        validation: schema_validation(properties, source, span)?,
    })
}
