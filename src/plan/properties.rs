//! The WITH clause: names and values of properties, checked one by one.

use crate::catalog::WindowType;
use crate::sql::Span;
use crate::sql::ast::{Literal, Property};

use super::error::{PlanError, PlanErrorKind};

/// Which statement a WITH clause belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clause {
    /// `CREATE STREAM|TABLE`.
    Create,
    /// `CREATE STREAM|TABLE … AS SELECT`.
    CreateAs,
    /// `INSERT INTO … SELECT`.
    Insert,
}

/// What a WITH clause says.
#[derive(Debug, Clone, Default)]
pub(super) struct Properties {
    pub(super) topic: Option<String>,
    pub(super) key_format: Option<FormatName>,
    pub(super) value_format: Option<FormatName>,
    /// Whether the key format was named alone, not by `FORMAT`.
    pub(super) key_format_alone: bool,
    pub(super) key_delimiter: Option<char>,
    pub(super) value_delimiter: Option<char>,
    pub(super) partitions: Option<u32>,
    pub(super) replicas: Option<u16>,
    pub(super) timestamp: Option<(String, Span)>,
    pub(super) timestamp_format: Option<String>,
    pub(super) wrap_single_value: Option<bool>,
    pub(super) retention_ms: Option<i64>,
    pub(super) window_type: Option<WindowType>,
    pub(super) window_size_ms: Option<i64>,
    pub(super) query_id: Option<(String, Span)>,
}

/// A format, not yet with its delimiter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FormatName {
    /// No bytes.
    None,
    /// Kafka's primitive serializers.
    Kafka,
    /// CSV.
    Delimited,
    /// JSON.
    Json,
}

impl FormatName {
    /// The format called `name`.
    pub(super) fn read(name: &str, span: Span) -> Result<Self, PlanError> {
        match name.to_uppercase().as_str() {
            "NONE" => Ok(Self::None),
            "KAFKA" => Ok(Self::Kafka),
            "DELIMITED" => Ok(Self::Delimited),
            "JSON" => Ok(Self::Json),
            later @ ("AVRO" | "JSON_SR" | "PROTOBUF" | "PROTOBUF_NOSR") => {
                Err(PlanError::not_supported(format!("the format {later}"), span))
            }
            unknown => Err(property_error(format!("Unknown format: {unknown}"), span)),
        }
    }
}

impl Properties {
    /// Reads the properties of a statement of kind `clause`.
    pub(super) fn read(properties: &[Property], clause: Clause) -> Result<Self, PlanError> {
        let mut read = Self::default();
        let mut format = None;
        for property in properties {
            let name = property.name.to_uppercase();
            if !is_allowed(&name, clause) {
                let message = format!("Invalid config variable(s) in the WITH clause: {}", property.name);
                return Err(match name.as_str() {
                    // What KSQL had before it had key columns.
                    "KEY" => PlanError::refused_with_hint(
                        message,
                        "write KEY behind the type of the column: (id INT KEY, …); in a table PRIMARY KEY",
                        property.span,
                    ),
                    _ => property_error(message, property.span),
                });
            }
            if name == "FORMAT" {
                format = Some((FormatName::read(&text(property), property.span)?, property.span));
            } else {
                read.set(&name, property)?;
            }
        }
        if let Some((format, span)) = format {
            read.set_both_formats(format, span)?;
        }
        Ok(read)
    }

    fn set_both_formats(&mut self, format: FormatName, span: Span) -> Result<(), PlanError> {
        let alone = [("KEY_FORMAT", self.key_format), ("VALUE_FORMAT", self.value_format)];
        if let Some((name, _)) = alone.iter().find(|(_, set)| set.is_some()) {
            let message = format!(
                "Cannot supply both '{name}' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats."
            );
            return Err(property_error(message, span));
        }
        self.key_format = Some(format);
        self.value_format = Some(format);
        Ok(())
    }

    fn set(&mut self, name: &str, property: &Property) -> Result<(), PlanError> {
        let span = property.span;
        match name {
            "KAFKA_TOPIC" => self.topic = Some(text(property)),
            "KEY_FORMAT" => {
                self.key_format = Some(FormatName::read(&text(property), span)?);
                self.key_format_alone = true;
            }
            "VALUE_FORMAT" => self.value_format = Some(FormatName::read(&text(property), span)?),
            "KEY_DELIMITER" => self.key_delimiter = Some(delimiter(property)?),
            "VALUE_DELIMITER" => self.value_delimiter = Some(delimiter(property)?),
            "PARTITIONS" => self.partitions = Some(count(property)?),
            "TIMESTAMP" => self.timestamp = Some((column_name(&text(property)), span)),
            "TIMESTAMP_FORMAT" => self.timestamp_format = Some(text(property)),
            "WRAP_SINGLE_VALUE" => self.wrap_single_value = Some(boolean(property)?),
            "RETENTION_MS" => self.retention_ms = Some(retention(property)?),
            "WINDOW_TYPE" => self.window_type = Some(window_type(property)?),
            "WINDOW_SIZE" => self.window_size_ms = Some(duration(property)?),
            "QUERY_ID" => self.query_id = Some((text(property).to_uppercase(), span)),
            "REPLICAS" => self.replicas = Some(count(property)?),
            "SOURCE_CONNECTOR" | "SOURCED_BY_CONNECTOR" => {}
            other => return Err(PlanError::not_supported(format!("the property {other}"), span)),
        }
        Ok(())
    }
}

const SINK_PROPERTIES: [&str; 21] = [
    "KAFKA_TOPIC",
    "FORMAT",
    "KEY_FORMAT",
    "VALUE_FORMAT",
    "KEY_DELIMITER",
    "VALUE_DELIMITER",
    "PARTITIONS",
    "REPLICAS",
    "RETENTION_MS",
    "TIMESTAMP",
    "TIMESTAMP_FORMAT",
    "WRAP_SINGLE_VALUE",
    "KEY_SCHEMA_ID",
    "VALUE_SCHEMA_ID",
    "KEY_SCHEMA_FULL_NAME",
    "VALUE_SCHEMA_FULL_NAME",
    "VALUE_AVRO_SCHEMA_FULL_NAME",
    "KEY_PROTOBUF_NULLABLE_REPRESENTATION",
    "VALUE_PROTOBUF_NULLABLE_REPRESENTATION",
    "SOURCED_BY_CONNECTOR",
    "CLEANUP_POLICY",
];

const SOURCE_PROPERTIES: [&str; 3] = ["WINDOW_TYPE", "WINDOW_SIZE", "SOURCE_CONNECTOR"];

fn is_allowed(name: &str, clause: Clause) -> bool {
    match clause {
        Clause::Create => SINK_PROPERTIES.contains(&name) || SOURCE_PROPERTIES.contains(&name),
        Clause::CreateAs => SINK_PROPERTIES.contains(&name),
        Clause::Insert => name == "QUERY_ID",
    }
}

pub(super) fn property_error(message: String, span: Span) -> PlanError {
    PlanError::at(PlanErrorKind::Property { message }, span)
}

fn invalid(property: &Property, reason: &str) -> PlanError {
    let message = format!("Failed to prepare statement: Configuration {} is invalid: {reason}", property.name);
    property_error(message, property.span)
}

/// Texts, numbers and booleans are interchangeable: `'1'` is `1`.
fn text(property: &Property) -> String {
    match &property.value {
        Literal::Null => "null".to_owned(),
        Literal::Boolean(value) => value.to_string(),
        Literal::Integer(value) => value.to_string(),
        Literal::BigInt(value) => value.to_string(),
        Literal::Double(value) => value.value().to_string(),
        Literal::Decimal(value) => value.as_str().to_owned(),
        Literal::String(value) => value.clone(),
        Literal::Variable(name) => format!("${{{name}}}"),
    }
}

fn number(property: &Property) -> Result<i64, PlanError> {
    let text = text(property);
    text.trim().parse().map_err(|_| invalid(property, &format!("Not a number: '{text}'")))
}

/// A number from 1 to the greatest of its type.
fn count<T: TryFrom<i64>>(property: &Property) -> Result<T, PlanError> {
    let count = number(property)?;
    if count < 1 {
        return Err(invalid(property, &format!("Value {count} must be greater than 0")));
    }
    T::try_from(count).map_err(|_| invalid(property, &format!("Value {count} is too large")))
}

/// Milliseconds; -1 is for ever.
fn retention(property: &Property) -> Result<i64, PlanError> {
    match number(property)? {
        retention @ -1.. => Ok(retention),
        other => Err(invalid(property, &format!("Value {other} must be at least -1"))),
    }
}

fn boolean(property: &Property) -> Result<bool, PlanError> {
    match text(property).to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(invalid(property, &format!("Expected value to be either true or false, not '{other}'"))),
    }
}

fn delimiter(property: &Property) -> Result<char, PlanError> {
    const EXAMPLE: &str = "\nExample valid value: ';'";
    let text = text(property);
    match text.to_uppercase().as_str() {
        "TAB" => return Ok('\t'),
        "SPACE" => return Ok(' '),
        _ => {}
    }
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(only), None) if only != ' ' && only != '\t' => Ok(only),
        _ if text.trim().is_empty() => Err(invalid(
            property,
            &format!(
                "Delimiter cannot be empty, if you meant to have a tab or space for delimiter, please use the special \
                 values 'TAB' or 'SPACE'{EXAMPLE}"
            ),
        )),
        _ => Err(invalid(
            property,
            &format!("Invalid delimiter value: '{text}'. Delimiter must be a single character or TAB,SPACE{EXAMPLE}"),
        )),
    }
}

fn window_type(property: &Property) -> Result<WindowType, PlanError> {
    match text(property).to_uppercase().as_str() {
        "TUMBLING" => Ok(WindowType::Tumbling),
        "HOPPING" => Ok(WindowType::Hopping),
        "SESSION" => Ok(WindowType::Session),
        other => Err(invalid(property, &format!("String must be one of: SESSION, HOPPING, TUMBLING. Got: {other}"))),
    }
}

/// `'10 SECONDS'` in milliseconds.
fn duration(property: &Property) -> Result<i64, PlanError> {
    let text = text(property);
    let error = |reason: &str| invalid(property, &format!("Invalid duration: '{text}'. {reason}"));
    let mut words = text.split_whitespace();
    let (Some(size), Some(unit), None) = (words.next(), words.next(), words.next()) else {
        return Err(error("Expected a number and a unit, e.g. '10 SECONDS'"));
    };
    let size: i64 = size.parse().map_err(|_| error(&format!("Not a number: '{size}'")))?;
    let unit = unit.to_uppercase();
    let unit_ms = match unit.trim_end_matches('S') {
        "MILLISECOND" => 1,
        "SECOND" => 1_000,
        "MINUTE" => 60_000,
        "HOUR" => 3_600_000,
        "DAY" => 86_400_000,
        _ => return Err(error(&format!("Unknown time unit: '{unit}'"))),
    };
    Ok(size.saturating_mul(unit_ms))
}

/// A column named in a text, with the case rules of identifiers.
fn column_name(text: &str) -> String {
    let quoted = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    quoted('`').or_else(|| quoted('"')).map_or_else(|| text.to_uppercase(), str::to_owned)
}
