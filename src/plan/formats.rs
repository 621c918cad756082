//! Which formats a stream or table gets, and whether they can hold its columns.

use crate::formats::{Format, Serde};
use crate::sql::Span;
use crate::types::{Column, Schema, SqlType};

use super::error::{PlanError, PlanErrorKind};
use super::properties::{FormatName, Properties, property_error};
use super::settings::Settings;

/// Separator of DELIMITED columns unless another is given.
const DELIMITER: char = ',';

/// The format `name` with the delimiter given for it.
pub(super) fn format(name: FormatName, delimiter: Option<char>, span: Span) -> Result<Format, PlanError> {
    let format = match name {
        FormatName::None => Format::None,
        FormatName::Kafka => Format::Kafka,
        FormatName::Delimited => return Ok(Format::Delimited { delimiter: delimiter.unwrap_or(DELIMITER) }),
        FormatName::Json => Format::Json,
    };
    if delimiter.is_some() {
        let message = format!("{} does not support the following configs: [delimiter]", format.name());
        return Err(property_error(message, span));
    }
    Ok(format)
}

/// The format that the property `name` sets as default.
pub(super) fn default_format(settings: &Settings, name: &str) -> Result<Option<Format>, PlanError> {
    let named = settings.property(name).map(|value| FormatName::read(value, Span::NONE)).transpose()?;
    named.map(|named| format(named, None, Span::NONE)).transpose()
}

/// The format of keys that nothing else decides.
pub(super) fn default_key_format(settings: &Settings) -> Result<Format, PlanError> {
    Ok(default_format(settings, "ksql.persistence.default.format.key")?.unwrap_or(Format::Kafka))
}

/// How keys of `columns` are laid out in `format`: a single column stands alone.
pub(super) fn key_serde(format: Format, columns: &[Column]) -> Serde {
    Serde { format, wrap_single: columns.len() != 1 }
}

/// How a source or sink of `columns` is read or written: without key columns there are no key bytes, whatever format
/// later keys would get.
pub(super) fn effective_key_serde(serde: &Serde, columns: &[Column]) -> Serde {
    if columns.is_empty() { Serde { format: Format::None, wrap_single: true } } else { serde.clone() }
}

/// How values of `columns` are laid out in `format`, as the WITH clause and the settings want it.
pub(super) fn value_serde(
    format: Format,
    columns: &[Column],
    properties: &Properties,
    settings: &Settings,
    span: Span,
) -> Result<Serde, PlanError> {
    let free_choice = matches!(format, Format::Json);
    if let Some(wrap) = properties.wrap_single_value {
        if columns.len() != 1 {
            return Err(property_error(
                "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas".to_owned(),
                span,
            ));
        }
        if !free_choice && wrap {
            let message = format!("Format '{}' does not support 'WRAP_SINGLE_VALUE' set to '{wrap}'.", format.name());
            return Err(property_error(message, span));
        }
        return Ok(Serde { format, wrap_single: wrap });
    }
    let wrap_single = free_choice && settings.is_on("ksql.persistence.wrap.single.values", true);
    Ok(Serde { wrap_single: wrap_single || columns.len() != 1, format })
}

/// How values travel through an internal topic whose rows come from a source with `source` values. What the format of
/// the source cannot hold goes as JSON.
pub(super) fn internal_value_serde(source: &Serde, columns: &[Column]) -> Serde {
    let fits = !columns.is_empty() && unsupported(&source.format, columns, false).is_none();
    let format = if fits { source.format.clone() } else { Format::Json };
    let wrap_single = matches!(format, Format::Json) || columns.len() != 1;
    Serde { format, wrap_single }
}

/// How keys of `columns` travel through an internal topic: in `format` if it can hold them, else as JSON.
pub(super) fn internal_key_serde(format: Format, columns: &[Column], settings: &Settings) -> Result<Serde, PlanError> {
    let format = if format == Format::None { default_key_format(settings)? } else { format };
    let fits = unsupported(&format, columns, true).is_none();
    Ok(key_serde(if fits { format } else { Format::Json }, columns))
}

/// Whether the formats can hold the columns.
pub(super) fn check_schema(schema: &Schema, key: &Serde, value: &Serde, span: Span) -> Result<(), PlanError> {
    for column in &schema.key {
        if contains_map(&column.sql_type) {
            let text = format!(
                "Map keys, including types that contain maps, are not supported as they may lead to unexpected \
                 behavior due to inconsistent serialization. Key column name: `{}`. Column type: {}. See \
                 https://github.com/confluentinc/ksql/issues/6621 for more.",
                column.name, column.sql_type
            );
            return Err(PlanError::refused(text, span));
        }
    }
    check_side(&schema.key, key, true, span)?;
    check_side(&schema.value, value, false, span)
}

fn check_side(columns: &[Column], serde: &Serde, is_key: bool, span: Span) -> Result<(), PlanError> {
    let Some(reason) = unsupported(&serde.format, columns, is_key) else {
        return Ok(());
    };
    let features = match serde.format {
        Format::Json if columns.len() == 1 && serde.wrap_single => "WRAP_SINGLES",
        Format::Json if columns.len() == 1 => "UNWRAP_SINGLES",
        _ => "",
    };
    let kind = PlanErrorKind::Format {
        is_key,
        format: serde.format.name(),
        columns: print_columns(columns, is_key),
        features,
        reason,
    };
    Err(PlanError::at(kind, span))
}

fn print_columns(columns: &[Column], is_key: bool) -> String {
    let role = if is_key { " KEY" } else { "" };
    let columns: Vec<String> = columns.iter().map(|column| format!("{column}{role}")).collect();
    columns.join(", ")
}

/// Why `format` cannot hold `columns`, in ksqlDB's words.
fn unsupported(format: &Format, columns: &[Column], is_key: bool) -> Option<String> {
    let print = || print_columns(columns, is_key);
    match format {
        Format::None if columns.is_empty() => None,
        Format::None => {
            Some(format!("The 'NONE' format can only be used when no columns are defined. Got: [{}]", print()))
        }
        Format::Kafka => match columns {
            [] => None,
            [column] => unsupported_by_kafka(&column.sql_type),
            _ => Some(format!("The 'KAFKA' format only supports a single field. Got: [{}]", print())),
        },
        Format::Delimited { .. } => columns.iter().find_map(|column| {
            let nested = matches!(column.sql_type, SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_));
            nested.then(|| {
                format!(
                    "The 'DELIMITED' format does not support type '{}', column: `{}`",
                    column.sql_type.base_name(),
                    column.name
                )
            })
        }),
        Format::Json => columns
            .iter()
            .any(|column| has_other_map_keys(&column.sql_type))
            .then(|| "JSON only supports MAP types with STRING keys".to_owned()),
    }
}

fn unsupported_by_kafka(sql_type: &SqlType) -> Option<String> {
    let supported =
        matches!(sql_type, SqlType::Integer | SqlType::Bigint | SqlType::Double | SqlType::String | SqlType::Bytes);
    (!supported).then(|| format!("The 'KAFKA' format does not support type '{}'", sql_type.base_name()))
}

fn contains_map(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Map(..) => true,
        SqlType::Array(element) => contains_map(element),
        SqlType::Struct(fields) => fields.iter().any(|field| contains_map(&field.sql_type)),
        _ => false,
    }
}

fn has_other_map_keys(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Map(key, value) => **key != SqlType::String || has_other_map_keys(value),
        SqlType::Array(element) => has_other_map_keys(element),
        SqlType::Struct(fields) => fields.iter().any(|field| has_other_map_keys(&field.sql_type)),
        _ => false,
    }
}
