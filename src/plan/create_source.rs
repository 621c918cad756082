//! `CREATE STREAM|TABLE` over a topic.

use crate::catalog::{Catalog, Collection, DataSource, HeaderColumn, TimestampColumn, WindowType};
use crate::formats::{Format, Serde};
use crate::sql::Span;
use crate::sql::ast::{ColumnRole, CreateSource, SourceKind};
use crate::types::{Column, Schema, SqlType, WindowKind};

use super::Planned;
use super::declared_topic::{partitions_to_create, schema_validation};
use super::error::PlanError;
use super::formats::{self, check_schema, default_format, default_key_format, key_serde, unnamed_format, value_serde};
use super::headers::HeaderColumns;
use super::names::check_column_name;
use super::planned::{PlannedSource, query_id};
use super::properties::{Clause, Properties, property_error};
use super::replace_source::check_new;
use super::settings::Settings;
use super::type_expr::resolve_type;

/// Plans `create`, whose text is `sql`.
pub(super) fn plan(
    create: &CreateSource,
    sql: &str,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<Planned, PlanError> {
    let name = create.name.as_str();
    let collection = collection(create.kind);
    if let Some(skipped) = already_there(catalog, name, collection, create.if_not_exists) {
        return Ok(skipped);
    }
    let properties = Properties::read(&create.properties, Clause::Create)?;
    let mut source = data_source(create, sql, &properties, catalog, settings)?;
    check_new(&source, create.or_replace, catalog, settings, &create.name, create.span)?;
    let partitions = partitions_to_create(&source.topic, &properties, settings, create.span)?;
    let materialize =
        source.is_source && source.is_table() && settings.is_on("ksql.source.table.materialization.enabled", true);
    // A query that fills what is replaced goes on.
    source.created_by_query = catalog.source(name).and_then(|existing| existing.created_by_query.clone());
    if materialize {
        source.created_by_query = Some(query_id("CST", name, settings));
    }
    let query = materialize.then(|| super::materialize::query(&source));
    let validation = schema_validation(&properties, &source, create.span)?;
    Ok(Planned::CreateSource(Box::new(PlannedSource {
        source,
        partitions,
        replicas: properties.replicas,
        retention_ms: properties.retention_ms,
        validation,
        or_replace: create.or_replace,
        query,
    })))
}

/// The kind of collection that a statement speaks of.
pub(super) fn collection(kind: SourceKind) -> Collection {
    match kind {
        SourceKind::Stream => Collection::Stream,
        SourceKind::Table => Collection::Table,
    }
}

/// What `IF NOT EXISTS` answers when the name is taken.
pub(super) fn already_there(catalog: &Catalog, name: &str, adding: Collection, if_not_exists: bool) -> Option<Planned> {
    let existing = catalog.source(name).filter(|_| if_not_exists)?;
    let (adding, existing) = (adding.noun(), existing.collection.noun());
    let message = format!("Cannot add {adding} `{name}`: A {existing} with the same name already exists");
    Some(Planned::Nothing { message })
}

fn data_source(
    create: &CreateSource,
    sql: &str,
    properties: &Properties,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<DataSource, PlanError> {
    let span = create.span;
    let (key_format, value_format) = declared_formats(properties, settings, span)?;
    if create.columns.is_empty() && (key_format.infers_schemas() || value_format.infers_schemas()) {
        return Err(PlanError::refused(super::schemas::NO_REGISTRY, span));
    }
    let topic = properties.topic.clone().ok_or_else(|| {
        let message =
            "Failed to prepare statement: Missing required property \"KAFKA_TOPIC\" which has no default value.";
        property_error(message.to_owned(), span)
    })?;
    let (schema, headers) = schema(create, catalog, settings)?;
    if create.kind == SourceKind::Table && schema.key.is_empty() {
        return Err(PlanError::refused_with_hint(
            "Tables require a PRIMARY KEY. Please define the PRIMARY KEY.",
            "write PRIMARY KEY after the type of the column that identifies a row",
            span,
        ));
    }
    let (window, window_type) = window(properties, &schema, span)?;
    let key_serde = key_serde(key_format, &schema.key);
    let value_serde = value_serde(value_format, &schema.value, properties, settings, span)?;
    check_schema(&schema, &key_serde, &value_serde, span)?;
    check_envelope(properties, &value_serde, span)?;
    let timestamp = timestamp_column(properties, &schema, span)?;
    check_retention(properties, create.kind, window, span)?;
    Ok(DataSource {
        name: create.name.name.clone(),
        collection: collection(create.kind),
        schema,
        headers,
        topic,
        key_serde,
        value_serde,
        envelope: properties.envelope,
        window,
        window_type,
        timestamp,
        is_source: create.is_source,
        sql: sql.to_owned(),
        created_by_query: None,
    })
}

/// Rows of tables stay until they are deleted, those of windowed ones as long as their windows.
pub(super) fn check_retention(
    properties: &Properties,
    kind: SourceKind,
    window: Option<WindowKind>,
    span: Span,
) -> Result<(), PlanError> {
    if properties.retention_ms.is_none() || kind == SourceKind::Stream || window.is_some() {
        return Ok(());
    }
    let message =
        "Invalid config variable in the WITH clause: RETENTION_MS. Non-windowed tables do not support retention.";
    Err(property_error(message.to_owned(), span))
}

/// An envelope is a record with fields, of which the row is one.
fn check_envelope(properties: &Properties, value: &Serde, span: Span) -> Result<(), PlanError> {
    let holds_records = !matches!(value.format, Format::None | Format::Kafka | Format::Delimited { .. });
    if properties.envelope.is_none() || holds_records {
        return Ok(());
    }
    let message = format!("Format '{}' does not support 'ENVELOPE'.", value.format.name());
    Err(property_error(message, span))
}

/// The formats that the WITH clause and the settings give keys and values.
pub(super) fn declared_formats(
    properties: &Properties,
    settings: &Settings,
    span: Span,
) -> Result<(Format, Format), PlanError> {
    let key = match &properties.key.format {
        Some(named) => formats::format(named, &properties.key, span)?,
        None => unnamed_format(&default_key_format(settings)?, &properties.key, span)?,
    };
    let value = match &properties.value.format {
        Some(named) => formats::format(named, &properties.value, span)?,
        None => {
            let default = default_format(settings, "ksql.persistence.default.format.value")?;
            unnamed_format(&default.ok_or_else(|| missing_value_format(span))?, &properties.value, span)?
        }
    };
    Ok((key, value))
}

fn missing_value_format(span: Span) -> PlanError {
    let message = "Statement is missing the 'VALUE_FORMAT' property from the WITH clause. Either provide one or set a \
                   default via the 'ksql.persistence.default.format.value' config.";
    property_error(message.to_owned(), span)
}

fn schema(
    create: &CreateSource,
    catalog: &Catalog,
    settings: &Settings,
) -> Result<(Schema, Vec<HeaderColumn>), PlanError> {
    if create.columns.is_empty() {
        return Err(PlanError::refused_with_hint(
            "No columns supplied.",
            "list the columns after the name: (ID BIGINT KEY, NAME STRING)",
            create.span,
        ));
    }
    let mut schema = Schema::default();
    let mut headers = HeaderColumns::default();
    for definition in &create.columns {
        let name = definition.name.as_str();
        check_column_name(name, definition.span)?;
        let sql_type = resolve_type(&definition.data_type, catalog, definition.span)?;
        let column = Column::new(name, sql_type);
        match &definition.role {
            ColumnRole::Value => schema.value.push(column),
            ColumnRole::Key | ColumnRole::PrimaryKey => schema.key.push(column),
            ColumnRole::Headers => headers.add(column, None, schema.value.len(), definition.span)?,
            ColumnRole::Header(header) => headers.add(column, Some(header), schema.value.len(), definition.span)?,
        }
    }
    check_duplicates(&schema, create.span)?;
    let headers = headers.finish(create.kind, settings, create.span)?;
    check_header_names(&headers, &schema, create.span)?;
    Ok((schema, headers))
}

fn check_header_names(headers: &[HeaderColumn], schema: &Schema, span: Span) -> Result<(), PlanError> {
    for (i, header) in headers.iter().enumerate() {
        let name = &header.column.name;
        let mut others = headers[..i].iter().map(|other| &other.column).chain(&schema.key).chain(&schema.value);
        if others.any(|other| other.name == *name) {
            let text = format!("Duplicate headers columns found in schema: {} {}", header.column, header.role());
            return Err(PlanError::refused(text, span));
        }
    }
    Ok(())
}

/// Names are unique in the key, in the value, and between the two.
pub(super) fn check_duplicates(schema: &Schema, span: Span) -> Result<(), PlanError> {
    let sides = [("key", &schema.key, " KEY"), ("value", &schema.value, "")];
    for (side, columns, role) in sides {
        let mut twice: Vec<String> = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            let known = columns[..i].iter().any(|other| other.name == column.name);
            let other_side = side == "value" && schema.key.iter().any(|key| key.name == column.name);
            if known || other_side {
                twice.push(format!("{column}{role}"));
            }
        }
        if !twice.is_empty() {
            let text = format!("Duplicate {side} columns found in schema: {}", twice.join(", "));
            return Err(PlanError::refused(text, span));
        }
    }
    Ok(())
}

fn window(
    properties: &Properties,
    schema: &Schema,
    span: Span,
) -> Result<(Option<WindowKind>, Option<WindowType>), PlanError> {
    let error = |text: String| Err(property_error(text, span));
    let Some(window_type) = properties.window_type else {
        if properties.window_size_ms.is_some() {
            return error("'WINDOW_SIZE' can only be set together with 'WINDOW_TYPE'.".to_owned());
        }
        return Ok((None, None));
    };
    let kind = match (window_type, properties.window_size_ms) {
        (WindowType::Session, Some(_)) => {
            return error("'WINDOW_SIZE' should not be set for SESSION windows.".to_owned());
        }
        (WindowType::Session, None) => WindowKind::Session,
        (_, Some(size_ms)) if size_ms > 0 => WindowKind::Time { size_ms },
        (_, Some(_)) => return error("Configuration WINDOW_SIZE is invalid: it must be positive".to_owned()),
        (other, None) => {
            let example = "For example: 'WINDOW_SIZE'='10 SECONDS'";
            return error(format!(
                "{} windows require 'WINDOW_SIZE' to be provided in the WITH clause. {example}",
                other.name()
            ));
        }
    };
    if schema.key.is_empty() {
        return Err(PlanError::refused("Windowed sources require a key column.", span));
    }
    Ok((Some(kind), Some(window_type)))
}

/// The event time column that the WITH clause names, looked up in `schema`.
pub(super) fn timestamp_column(
    properties: &Properties,
    schema: &Schema,
    span: Span,
) -> Result<Option<TimestampColumn>, PlanError> {
    let Some((name, place)) = &properties.timestamp else {
        if properties.timestamp_format.is_some() {
            let message = "Failed to prepare statement: 'TIMESTAMP_FORMAT' can only be set together with 'TIMESTAMP'.";
            return Err(property_error(message.to_owned(), span));
        }
        return Ok(None);
    };
    let mut columns = schema.key.iter().chain(&schema.value);
    let Some(column) = columns.position(|column| column.name == *name) else {
        return Err(unknown_timestamp(name, *place));
    };
    let sql_type = &schema.key.iter().chain(&schema.value).nth(column).expect("the column was found there").sql_type;
    let format = properties.timestamp_format.clone();
    let fits = match sql_type {
        SqlType::String => format.is_some(),
        SqlType::Bigint | SqlType::Timestamp => format.is_none(),
        _ => false,
    };
    if !fits {
        let message = format!(
            "Timestamp column, `{name}`, should be LONG(INT64), TIMESTAMP, or a String with a timestamp_format \
             specified."
        );
        return Err(property_error(message, *place));
    }
    Ok(Some(TimestampColumn { column, format }))
}

/// WITH names an event time column that is not there.
pub(super) fn unknown_timestamp(name: &str, span: Span) -> PlanError {
    let message = format!("The TIMESTAMP column set in the WITH clause does not exist in the schema: '{name}'");
    property_error(message, span)
}
