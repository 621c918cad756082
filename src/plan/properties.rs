//! The WITH clause: names and values of properties, checked one by one.

use crate::catalog::{Envelope, WindowType};
use crate::formats::{Format, NullableRepresentation};
use crate::sql::Span;
use crate::sql::ast::{Literal, Property};
use crate::sql::similar_names;
use crate::types::time_pattern::TimePattern;

use super::error::{PlanError, PlanErrorKind, did_you_mean};
use super::formats::named_format;

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
    pub(super) key: SideProperties,
    pub(super) value: SideProperties,
    /// Whether the key format was named alone, not by `FORMAT`.
    pub(super) key_format_alone: bool,
    pub(super) partitions: Option<u32>,
    pub(super) replicas: Option<u16>,
    pub(super) timestamp: Option<(String, Span)>,
    pub(super) timestamp_format: Option<String>,
    pub(super) wrap_single_value: Option<bool>,
    /// `ENVELOPE`: what records hold their row in.
    pub(super) envelope: Option<Envelope>,
    pub(super) retention_ms: Option<i64>,
    pub(super) window_type: Option<WindowType>,
    pub(super) window_size_ms: Option<i64>,
    pub(super) query_id: Option<(String, Span)>,
}

/// What a WITH clause says of keys, or of values.
#[derive(Debug, Clone, Default)]
pub(super) struct SideProperties {
    /// As its name says: without settings.
    pub(super) format: Option<Format>,
    pub(super) delimiter: Option<char>,
    pub(super) full_name: Option<String>,
    pub(super) schema_id: Option<u32>,
    /// Whether it is the side of keys.
    pub(super) is_key: bool,
    pub(super) nullable: Option<NullableRepresentation>,
    /// Whether the topic takes only records of registered schemas.
    pub(super) validation: Option<bool>,
}

impl Properties {
    /// Reads the properties of a statement of kind `clause`.
    pub(super) fn read(properties: &[Property], clause: Clause) -> Result<Self, PlanError> {
        let mut read = Self::default();
        read.key.is_key = true;
        let mut format = None;
        check_names(properties, clause)?;
        for property in properties {
            let name = property.name.to_uppercase();
            if name == "FORMAT" {
                format = Some((named_format(&text(property), property.span)?, property.span));
            } else {
                read.set(&name, property)?;
            }
        }
        if let Some((format, span)) = format {
            read.set_both_formats(format, span)?;
        }
        Ok(read)
    }

    fn set_both_formats(&mut self, format: Format, span: Span) -> Result<(), PlanError> {
        let alone = [("KEY_FORMAT", &self.key.format), ("VALUE_FORMAT", &self.value.format)];
        if let Some((name, _)) = alone.iter().find(|(_, set)| set.is_some()) {
            let message = format!(
                "Cannot supply both '{name}' and 'FORMAT' properties, as 'FORMAT' sets both key and value formats."
            );
            return Err(property_error(message, span));
        }
        self.key.format = Some(format.clone());
        self.value.format = Some(format);
        Ok(())
    }

    fn set(&mut self, name: &str, property: &Property) -> Result<(), PlanError> {
        let span = property.span;
        match name {
            "KAFKA_TOPIC" => self.topic = Some(text(property)),
            "PARTITIONS" => self.partitions = Some(count(property)?),
            "TIMESTAMP" => self.timestamp = Some((column_name(&text(property)), span)),
            "TIMESTAMP_FORMAT" => self.timestamp_format = Some(timestamp_format(property)?),
            "WRAP_SINGLE_VALUE" => self.wrap_single_value = Some(boolean(property)?),
            "RETENTION_MS" => self.retention_ms = Some(retention(property)?),
            "WINDOW_TYPE" => self.window_type = Some(window_type(property)?),
            "WINDOW_SIZE" => self.window_size_ms = Some(duration(property)?),
            "QUERY_ID" => self.query_id = Some((text(property).to_uppercase(), span)),
            "REPLICAS" => self.replicas = Some(count(property)?),
            "ENVELOPE" => self.envelope = Some(envelope(property)?),
            // They say which connector fills or empties the topic, and change nothing.
            "SOURCE_CONNECTOR" | "SOURCED_BY_CONNECTOR" => {}
            "CLEANUP_POLICY" => return Err(cleanup_policy(span)),
            "VALUE_AVRO_SCHEMA_FULL_NAME" | "VALUE_SCHEMA_FULL_NAME" => {
                if self.value.full_name.replace(text(property)).is_some() {
                    let message = "Cannot supply both 'VALUE_AVRO_SCHEMA_FULL_NAME' and 'VALUE_SCHEMA_FULL_NAME' \
                                   properties. Please only set 'VALUE_SCHEMA_FULL_NAME'.";
                    return Err(property_error(message.to_owned(), span));
                }
            }
            sided => {
                self.key_format_alone |= sided == "KEY_FORMAT";
                let (side, name) = match sided.strip_prefix("KEY_") {
                    Some(name) => (&mut self.key, name),
                    None => (&mut self.value, sided.strip_prefix("VALUE_").unwrap_or(sided)),
                };
                side.set(name, property)?;
            }
        }
        Ok(())
    }
}

impl SideProperties {
    /// `name` is without `KEY_` or `VALUE_` in front.
    fn set(&mut self, name: &str, property: &Property) -> Result<(), PlanError> {
        match name {
            "FORMAT" => self.format = Some(named_format(&text(property), property.span)?),
            "DELIMITER" => self.delimiter = Some(delimiter(property)?),
            "SCHEMA_ID" => self.schema_id = Some(count(property)?),
            "SCHEMA_FULL_NAME" => self.full_name = Some(text(property)),
            "SCHEMA_VALIDATION" => self.validation = Some(boolean(property)?),
            "PROTOBUF_NULLABLE_REPRESENTATION" => self.nullable = Some(nullable(property)?),
            other => return Err(PlanError::not_supported(format!("the property {other}"), property.span)),
        }
        Ok(())
    }
}

fn check_names(properties: &[Property], clause: Clause) -> Result<(), PlanError> {
    let is_unknown = |property: &&Property| !allowed(clause).any(|name| property.name.eq_ignore_ascii_case(name));
    let unknown: Vec<&Property> = properties.iter().filter(is_unknown).collect();
    let Some(first) = unknown.first() else { return Ok(()) };
    let names: Vec<&str> = unknown.iter().map(|property| property.name.as_str()).collect();
    let message = format!("Invalid config variable(s) in the WITH clause: {}", names.join(","));
    Err(match misnamed(first, clause) {
        Some(hint) => PlanError::refused_with_hint(message, hint, first.span),
        None => property_error(message, first.span),
    })
}

/// What to write instead of a property that is not there.
fn misnamed(property: &Property, clause: Clause) -> Option<String> {
    if property.name.eq_ignore_ascii_case("KEY") {
        return Some(match clause {
            Clause::Create => format!(
                "mark the column in the list of columns: {} type KEY for a stream, PRIMARY KEY for a table",
                text(property)
            ),
            _ => "the key follows from PARTITION BY or GROUP BY".to_owned(),
        });
    }
    if SINK_PROPERTIES.iter().chain(&SOURCE_PROPERTIES).any(|known| property.name.eq_ignore_ascii_case(known)) {
        return Some(match clause {
            Clause::Insert => "INSERT INTO writes as the stream was declared".to_owned(),
            _ => "it belongs to CREATE STREAM or CREATE TABLE with a list of columns".to_owned(),
        });
    }
    did_you_mean(&similar_names(&property.name, allowed(clause)))
}

fn cleanup_policy(span: Span) -> PlanError {
    let text = "Invalid config variable in the WITH clause: CLEANUP_POLICY.\nThe CLEANUP_POLICY config is automatically \
                inferred based on the type of source (STREAM or TABLE).\nUsers can't set the CLEANUP_POLICY config \
                manually.";
    property_error(text.to_owned(), span)
}

const SINK_PROPERTIES: [&str; 23] = [
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
    "KEY_SCHEMA_VALIDATION",
    "VALUE_SCHEMA_VALIDATION",
    "SOURCED_BY_CONNECTOR",
    "CLEANUP_POLICY",
];

const SOURCE_PROPERTIES: [&str; 4] = ["WINDOW_TYPE", "WINDOW_SIZE", "SOURCE_CONNECTOR", "ENVELOPE"];

/// Properties that a clause may have.
fn allowed(clause: Clause) -> impl Iterator<Item = &'static str> + Clone {
    let (sink, source, insert): (&[&str], &[&str], &[&str]) = match clause {
        Clause::Create => (&SINK_PROPERTIES, &SOURCE_PROPERTIES, &[]),
        Clause::CreateAs => (&SINK_PROPERTIES, &[], &[]),
        Clause::Insert => (&[], &[], &["QUERY_ID"]),
    };
    sink.iter().chain(source).chain(insert).copied()
}

pub(super) fn property_error(message: String, span: Span) -> PlanError {
    PlanError::at(PlanErrorKind::Property { message }, span)
}

fn invalid(property: &Property, reason: &str) -> PlanError {
    let message = format!("Failed to prepare statement: Configuration {} is invalid: {reason}", property.name);
    property_error(message, property.span)
}

fn envelope(property: &Property) -> Result<Envelope, PlanError> {
    let name = text(property);
    if name.trim().eq_ignore_ascii_case("DEBEZIUM") {
        return Ok(Envelope::Debezium);
    }
    Err(invalid(property, &format!("there is no envelope '{name}': it is DEBEZIUM, or none")))
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

fn nullable(property: &Property) -> Result<NullableRepresentation, PlanError> {
    match text(property).to_uppercase().as_str() {
        "OPTIONAL" => Ok(NullableRepresentation::Optional),
        "WRAPPER" => Ok(NullableRepresentation::Wrapper),
        other => Err(invalid(property, &format!("String must be one of: OPTIONAL, WRAPPER. Got: {other}"))),
    }
}

/// A pattern of java.time.
fn timestamp_format(property: &Property) -> Result<String, PlanError> {
    let pattern = text(property);
    match TimePattern::new(&pattern) {
        Ok(_) => Ok(pattern),
        Err(reason) => {
            let message = format!("Invalid datetime format for config:TIMESTAMP_FORMAT, reason:{reason}");
            Err(property_error(message, property.span))
        }
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
