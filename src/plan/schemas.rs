//! Statements and Schema Registry: columns that a statement leaves to a schema, and the schemas of what it declares.
//!
//! A CREATE that lists no columns for a side of its records gets them from the registry *before* it is analyzed: what
//! comes out is a statement with all columns written out. That statement is analyzed, logged and replayed, so that a
//! source stays what it was when it was created, whatever the registry says later.

use crate::catalog::{Catalog, DataSource, Envelope};
use crate::formats::{Format, Serde};
use crate::registry::{
    self, Names, SchemaDocument, SchemaError, SchemaRegistry, SchemaType, key_subject, read_type, value_subject,
    write_schema,
};
use crate::sql::ast::{ColumnDefinition, ColumnRole, CreateSource, Identifier, SourceKind, Statement};
use crate::sql::{ParsedStatement, Span};
use crate::types::{Column, SqlType};

use super::Planned;
use super::create_source::{already_there, collection, declared_formats};
use super::error::PlanError;
use super::formats::{check_wrapping, key_serde};
use super::properties::{Clause, Properties};
use super::settings::Settings;
use super::type_expr::written_type;

/// A registry, or what to say when one is needed.
pub type Registry<'a> = Result<&'a dyn SchemaRegistry, &'a str>;

/// What is said without a registry.
pub const NO_REGISTRY: &str =
    "KSQL is not configured to use a schema registry. To enable it, please set ksql.schema.registry.url";

/// `parsed` with the columns that `registry` knows; `None` if it leaves nothing open.
pub fn complete(
    parsed: &ParsedStatement,
    catalog: &Catalog,
    settings: &Settings,
    registry: Registry,
) -> Result<Option<ParsedStatement>, PlanError> {
    let Statement::CreateSource(create) = &parsed.statement else { return Ok(None) };
    let Some(columns) = inferred(create, catalog, settings, registry)? else { return Ok(None) };
    let statement = Statement::CreateSource(CreateSource { columns, ..create.clone() });
    let text = format!("{statement};");
    Ok(Some(ParsedStatement { statement, text, span: parsed.span, has_variables: parsed.has_variables }))
}

/// Checks that the query that `parsed` starts, of which `planned` was made, writes the columns that the schemas begin with which it
/// names by their ids.
pub fn check_named_schemas(parsed: &ParsedStatement, planned: &Planned, registry: Registry) -> Result<(), PlanError> {
    match (&parsed.statement, planned) {
        (Statement::CreateAsSelect(create), Planned::CreateAs(planned)) => {
            check_result(&planned.source, registry, create.span)
        }
        _ => Ok(()),
    }
}

/// A side of the records of a topic.
#[derive(Clone, Copy)]
struct Side<'a> {
    topic: &'a str,
    is_key: bool,
    format: &'a Format,
    envelope: Option<Envelope>,
    span: Span,
}

/// All columns of `create`, if some are to be learnt.
fn inferred(
    create: &CreateSource,
    catalog: &Catalog,
    settings: &Settings,
    registry: Registry,
) -> Result<Option<Vec<ColumnDefinition>>, PlanError> {
    if already_there(catalog, create.name.as_str(), collection(create.kind), create.if_not_exists).is_some() {
        return Ok(None);
    }
    let properties = Properties::read(&create.properties, Clause::Create)?;
    let Some(topic) = &properties.topic else { return Ok(None) };
    let (key_format, value_format) = declared_formats(&properties, settings, create.span)?;
    let is_key = |column: &&ColumnDefinition| matches!(column.role, ColumnRole::Key | ColumnRole::PrimaryKey);
    let has_key = create.columns.iter().any(|column| is_key(&column));
    let has_value = create.columns.iter().any(|column| column.role == ColumnRole::Value);
    for (id, has_columns, name) in
        [(properties.key.schema_id, has_key, "KEY"), (properties.value.schema_id, has_value, "VALUE")]
    {
        if id.is_some() && has_columns {
            let text = format!("Table elements and {name}_SCHEMA_ID cannot both exist for create statement.");
            return Err(PlanError::refused(text, create.span));
        }
    }
    let envelope = properties.envelope;
    let side = |is_key, format| Side { topic, is_key, format, envelope, span: create.span };
    let mut columns = Vec::new();
    if key_format.infers_schemas() && !has_key {
        let side = side(true, &key_format);
        // The key of a change event is a record, each of whose fields is a column.
        let alone = key_format.can_unwrap() && envelope.is_none();
        columns.extend(side.columns(alone, registry)?.into_iter().map(|column| define(column, key_role(create.kind))));
    }
    columns.extend(create.columns.iter().cloned());
    if value_format.infers_schemas() && !has_value {
        let side = side(false, &value_format);
        let wraps = settings.is_on("ksql.persistence.wrap.single.values", true);
        let wraps = properties.wrap_single_value.unwrap_or(wraps || !value_format.can_unwrap());
        check_wrapping(&value_format, wraps, create.span)?;
        let mut learnt = side.columns(!wraps, registry)?;
        if envelope.is_some() {
            // The row has what the key has, too.
            learnt.retain(|column| !columns.iter().any(|known| known.name.as_str() == column.name));
        }
        columns.extend(learnt.into_iter().map(|column| define(column, ColumnRole::Value)));
    }
    Ok((columns.len() > create.columns.len()).then_some(columns))
}

fn key_role(kind: SourceKind) -> ColumnRole {
    match kind {
        SourceKind::Stream => ColumnRole::Key,
        SourceKind::Table => ColumnRole::PrimaryKey,
    }
}

fn define(column: Column, role: ColumnRole) -> ColumnDefinition {
    let data_type = written_type(&column.sql_type);
    ColumnDefinition { name: Identifier::new(column.name), data_type, role, span: Span::NONE }
}

/// A query writes the columns that its schema begins with.
fn check_result(source: &DataSource, registry: Registry, span: Span) -> Result<(), PlanError> {
    let sides = [
        (true, &source.key_serde, &source.schema.key, "key"),
        (false, &source.value_serde, &source.schema.value, "value"),
    ];
    for (is_key, serde, columns, name) in sides {
        if serde.format.schema_settings().is_none_or(|settings| settings.schema_id.is_none()) {
            continue;
        }
        let alone = !serde.wrap_single && columns.len() == 1;
        let side = Side { topic: &source.topic, is_key, format: &serde.format, envelope: None, span };
        let registered = side.columns(alone, registry)?;
        // The name of what stands alone is nowhere in the schema.
        let fits = |(column, other): (&Column, Option<&Column>)| {
            other.is_some_and(|other| column.sql_type == other.sql_type && (alone || column.name == other.name))
        };
        let changed = columns.iter().enumerate().filter(|(i, column)| !fits((column, registered.get(*i))));
        let changed: Vec<String> = changed.map(|(_, column)| column.to_string()).collect();
        if !changed.is_empty() {
            let registered: Vec<String> = registered.iter().map(Column::to_string).collect();
            let text = format!(
                "The following {name} columns are changed, missing or reordered: [{}]. Schema from schema registry is [{}]",
                changed.join(", "),
                registered.join(", ")
            );
            return Err(PlanError::refused(text, span));
        }
    }
    Ok(())
}

impl Side<'_> {
    /// The columns of the schema; with `alone`, one of the whole type.
    fn columns(self, alone: bool, registry: Registry) -> Result<Vec<Column>, PlanError> {
        let registry = registry.map_err(|text| PlanError::refused(text, self.span))?;
        let settings = self.format.schema_settings();
        let id = settings.and_then(|settings| settings.schema_id);
        let document = self.document(id, registry)?;
        self.check_language(document.schema_type)?;
        // A schema that is named by its id is taken to the letter.
        let names = if id.is_some() { Names::AsWritten } else { Names::Upper };
        let full_name = settings.and_then(|settings| settings.full_name.as_deref());
        let read = match read_type(&document, registry, full_name, names) {
            Ok(read) if self.envelope.is_some() => self.row(read)?,
            Ok(read) => read,
            Err(SchemaError::UnknownName { known, .. }) => {
                let hint = format!("the schema has {}", known.join(", "));
                return Err(self.missing(id, Some(hint)));
            }
            Err(error) => return Err(self.incompatible(&error)),
        };
        match read {
            whole if alone => Ok(vec![Column::new(if self.is_key { "ROWKEY" } else { "ROWVAL" }, whole)]),
            SqlType::Struct(fields) => {
                Ok(fields.into_iter().map(|field| Column::new(field.name, field.sql_type)).collect())
            }
            _ => {
                let text = "Schema returned from schema registry is anonymous type. To use this schema with ksqlDB, set \
                            'WRAP_SINGLE_VALUE=false' in the WITH clause properties.";
                Err(PlanError::refused(text, self.span))
            }
        }
    }

    /// What is the row in a change event of this type.
    fn row(self, read: SqlType) -> Result<SqlType, PlanError> {
        if self.is_key {
            return Ok(read);
        }
        let fields = match read {
            SqlType::Struct(fields) => fields,
            _ => Vec::new(),
        };
        let known: Vec<String> = fields.iter().map(|field| field.name.clone()).collect();
        let row = fields.into_iter().find(|field| field.name.eq_ignore_ascii_case("after"));
        match row.map(|row| row.sql_type) {
            Some(row @ SqlType::Struct(_)) => Ok(row),
            _ => {
                let text = format!(
                    "The value schema for topic: {} is none of a change event of Debezium: it has no record 'after'.",
                    self.topic
                );
                let hint = format!("the schema has {}; without ENVELOPE its fields are the columns", known.join(", "));
                Err(PlanError::refused_with_hint(text, hint, self.span))
            }
        }
    }

    fn document(self, id: Option<u32>, registry: &dyn SchemaRegistry) -> Result<SchemaDocument, PlanError> {
        let found = match id {
            Some(id) => registry.by_id(id),
            None => registry.latest(&self.subject()).map(|latest| latest.map(|latest| latest.schema)),
        };
        let found = found.map_err(|error| PlanError::refused(error.to_string(), self.span))?;
        found.ok_or_else(|| self.missing(id, None))
    }

    fn subject(self) -> String {
        if self.is_key { key_subject(self.topic) } else { value_subject(self.topic) }
    }

    fn missing(self, id: Option<u32>, hint: Option<String>) -> PlanError {
        let what = if self.is_key { "keys" } else { "values" };
        let place = match id {
            Some(id) => format!("Schema Id: {id}"),
            None => format!("Subject: {}", self.subject()),
        };
        let text = format!(
            "Schema for message {what} on topic '{}' does not exist in the Schema Registry.\n{place}\nPossible causes \
             include:\n- The topic itself does not exist\n- Messages on the topic are not serialized using a format Schema \
             Registry supports\n- The schema is registered on a different instance of the Schema Registry\n- You do not have \
             permissions to access the Schema Registry",
            self.topic
        );
        let hint = hint.unwrap_or_else(|| {
            format!("register a schema, or list the columns; PRINT '{}' shows what the topic holds", self.topic)
        });
        PlanError::refused_with_hint(text, hint, self.span)
    }

    fn incompatible(self, error: &SchemaError) -> PlanError {
        let what = if self.is_key { "key" } else { "value" };
        let text = format!(
            "Unable to verify if the {what} schema for topic: {} is compatible with ksqlDB.\nReason: {error}",
            self.topic
        );
        PlanError::refused_with_hint(text, "list the columns instead", self.span)
    }

    fn check_language(self, found: SchemaType) -> Result<(), PlanError> {
        if schema_type(self.format) == Some(found) {
            return Ok(());
        }
        let (what, property) = if self.is_key { ("Key", "KEY_FORMAT") } else { ("Value", "VALUE_FORMAT") };
        let found = match found {
            SchemaType::Json => "JSON_SR",
            other => other.name(),
        };
        let text = format!(
            "{what} schema is not in the expected format. You may want to set {property} to '{found}'.\ntopic: {}\n\
             expected format: {}\nactual format from Schema Registry: {found}",
            self.topic,
            self.format.name()
        );
        Err(PlanError::refused(text, self.span))
    }
}

fn schema_type(format: &Format) -> Option<SchemaType> {
    match format {
        Format::Avro(_) => Some(SchemaType::Avro),
        Format::JsonSr(_) => Some(SchemaType::Json),
        Format::Protobuf(_) => Some(SchemaType::Protobuf),
        _ => None,
    }
}

/// The schemas of the columns of `source`, with their subjects; none for what is read by a schema that has an id.
pub fn declared_schemas(source: &DataSource) -> Vec<(String, SchemaDocument)> {
    if source.envelope.is_some() {
        // The schema of what is around the row is somebody else's.
        return Vec::new();
    }
    let key = (key_serde(source.key_serde.format.clone(), &source.schema.key), &source.schema.key);
    let write = |(serde, columns): (&Serde, &[Column]), side| -> Option<SchemaDocument> {
        let schema_type = schema_type(&serde.format).filter(|_| !columns.is_empty())?;
        let settings = serde.format.schema_settings()?;
        let bare = !serde.wrap_single && columns.len() == 1;
        let schema = write_schema(schema_type, columns, bare, side, &source.name, settings.style());
        settings.schema_id.is_none().then_some(schema)
    };
    let key = write((&key.0, key.1), registry::Side::Key).map(|schema| (key_subject(&source.topic), schema));
    let value = write((&source.value_serde, &source.schema.value), registry::Side::Value);
    key.into_iter().chain(value.map(|schema| (value_subject(&source.topic), schema))).collect()
}
