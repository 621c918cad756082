//! Which formats a stream or table gets, and whether they can hold its columns.

use crate::formats::{Format, SchemaSettings, Serde, Side, printed};
use crate::sql::{Span, similar_names};
use crate::types::{Column, Schema, SqlType};

use super::error::{PlanError, PlanErrorKind, did_you_mean};
use super::properties::{Properties, SideProperties, property_error};
use super::settings::Settings;

/// The format called `name`, in any case.
pub(super) fn named_format(name: &str, span: Span) -> Result<Format, PlanError> {
    let wanted = name.trim().to_uppercase();
    Format::named(&wanted).ok_or_else(|| {
        let known = Format::all().map(|format| format.name());
        let hint = did_you_mean(&similar_names(&wanted, known.into_iter()));
        let hint = hint.unwrap_or_else(|| format!("the formats are {}", known.join(", ")));
        PlanError::refused_with_hint(format!("Unknown format: {wanted}"), hint, span)
    })
}

/// The format `named` with what the WITH clause says of that side.
pub(super) fn format(named: &Format, side: &SideProperties, span: Span) -> Result<Format, PlanError> {
    let settings = |allowed: &[&str]| schema_settings(named.name(), side, allowed, span);
    Ok(match named {
        Format::None | Format::Kafka | Format::Json => {
            settings(&[])?;
            named.clone()
        }
        Format::Delimited { delimiter } => {
            settings(&[CONFIG_DELIMITER])?;
            Format::Delimited { delimiter: side.delimiter.unwrap_or(*delimiter) }
        }
        Format::Avro(_) => Format::Avro(settings(&[FULL_NAME, SCHEMA_ID])?),
        Format::JsonSr(_) => Format::JsonSr(settings(&[SCHEMA_ID])?),
        Format::Protobuf(_) => Format::Protobuf(settings(&[FULL_NAME, SCHEMA_ID, NULLABLE])?),
        Format::ProtobufNoSr(_) => Format::ProtobufNoSr(settings(&[NULLABLE])?),
    })
}

/// The format `inherited` that no statement names, with what the WITH clause says of that side.
pub(super) fn unnamed_format(inherited: &Format, side: &SideProperties, span: Span) -> Result<Format, PlanError> {
    if side.delimiter.is_none() && side.full_name.is_none() && side.schema_id.is_none() && side.nullable.is_none() {
        return Ok(inherited.clone());
    }
    let nullable = inherited.schema_settings().and_then(|settings| settings.nullable);
    format(inherited, &SideProperties { nullable: side.nullable.or(nullable), ..side.clone() }, span)
}

const CONFIG_DELIMITER: &str = "delimiter";
const FULL_NAME: &str = "fullSchemaName";
const SCHEMA_ID: &str = "schemaId";
const NULLABLE: &str = "nullableRepresentation";

/// What `side` says of schemas, for a format that can be told what is `allowed`.
fn schema_settings(
    format: &str,
    side: &SideProperties,
    allowed: &[&str],
    span: Span,
) -> Result<SchemaSettings, PlanError> {
    let given = [
        (CONFIG_DELIMITER, side.delimiter.is_some()),
        (FULL_NAME, side.full_name.is_some()),
        (SCHEMA_ID, side.schema_id.is_some()),
        (NULLABLE, side.nullable.is_some()),
    ];
    let excess = given.iter().filter(|(name, given)| *given && !allowed.contains(name));
    let excess: Vec<&str> = excess.map(|(name, _)| *name).collect();
    if excess.contains(&SCHEMA_ID) {
        let name = if side.is_key { "KEY" } else { "VALUE" };
        let message = format!(
            "{name}_FORMAT should support schema inference when {name}_SCHEMA_ID is provided. Current format is {format}."
        );
        return Err(property_error(message, span));
    }
    if !excess.is_empty() {
        let message = format!("{format} does not support the following configs: [{}]", excess.join(", "));
        return Err(property_error(message, span));
    }
    let full_name = side.full_name.as_deref().map(str::trim);
    if full_name == Some("") {
        let message = "fullSchemaName cannot be empty. Format configuration: {fullSchemaName=}";
        return Err(property_error(message.to_owned(), span));
    }
    Ok(SchemaSettings { full_name: full_name.map(str::to_owned), schema_id: side.schema_id, nullable: side.nullable })
}

/// The format that the property `name` sets as default.
pub(super) fn default_format(settings: &Settings, name: &str) -> Result<Option<Format>, PlanError> {
    settings.property(name).map(|value| named_format(value, Span::NONE)).transpose()
}

/// The format of keys that nothing else decides.
pub(super) fn default_key_format(settings: &Settings) -> Result<Format, PlanError> {
    Ok(default_format(settings, "ksql.persistence.default.format.key")?.unwrap_or(Format::Kafka))
}

/// How keys of `columns` are laid out in `format`: a single column stands alone where that can be.
pub(super) fn key_serde(format: Format, columns: &[Column]) -> Serde {
    Serde { wrap_single: columns.len() != 1 || !format.can_unwrap(), format }
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
    if let Some(wrap) = properties.wrap_single_value {
        if columns.len() != 1 {
            return Err(property_error(
                "'WRAP_SINGLE_VALUE' is only valid for single-field value schemas".to_owned(),
                span,
            ));
        }
        check_wrapping(&format, wrap, span)?;
        return Ok(Serde { format, wrap_single: wrap });
    }
    let wrap_single = match (format.can_wrap(), format.can_unwrap()) {
        (true, true) => settings.is_on("ksql.persistence.wrap.single.values", true),
        (can_wrap, _) => can_wrap,
    };
    Ok(Serde { wrap_single: wrap_single || columns.len() != 1, format })
}

/// Whether a single column of `format` can be stored as `WRAP_SINGLE_VALUE` wants it.
pub(super) fn check_wrapping(format: &Format, wrap: bool, span: Span) -> Result<(), PlanError> {
    if if wrap { format.can_wrap() } else { format.can_unwrap() } {
        return Ok(());
    }
    let message = format!("Format '{}' does not support 'WRAP_SINGLE_VALUE' set to '{wrap}'.", format.name());
    Err(property_error(message, span))
}

/// How values travel through an internal topic whose rows come from a source with `source` values. What the format of
/// the source cannot hold goes as JSON.
pub(super) fn internal_value_serde(source: &Serde, columns: &[Column]) -> Serde {
    let wrapped = |format: Format| Serde { wrap_single: format.can_wrap() || columns.len() != 1, format };
    let serde = wrapped(source.format.clone().derived());
    let fits = !columns.is_empty() && serde.supports(columns, Side::Value).is_ok();
    if fits { serde } else { wrapped(Format::Json) }
}

/// How keys of `columns` travel through an internal topic: in `format` if it can hold them, else as JSON.
pub(super) fn internal_key_serde(format: Format, columns: &[Column], settings: &Settings) -> Result<Serde, PlanError> {
    let format = if format == Format::None { default_key_format(settings)? } else { format.derived() };
    let serde = key_serde(format, columns);
    Ok(if serde.supports(columns, Side::Key).is_ok() { serde } else { key_serde(Format::Json, columns) })
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
    let side = if is_key { Side::Key } else { Side::Value };
    let Err(reason) = serde.supports(columns, side) else {
        return Ok(());
    };
    let features = match (columns, serde.format.can_wrap() && serde.format.can_unwrap()) {
        ([_], true) if serde.wrap_single => "WRAP_SINGLES",
        ([_], true) => "UNWRAP_SINGLES",
        _ => "",
    };
    let kind = PlanErrorKind::Format {
        is_key,
        format: serde.format.name(),
        columns: printed(columns, side),
        features,
        reason: reason.to_string(),
    };
    Err(PlanError::at(kind, span))
}

fn contains_map(sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Map(..) => true,
        SqlType::Array(element) => contains_map(element),
        SqlType::Struct(fields) => fields.iter().any(|field| contains_map(&field.sql_type)),
        _ => false,
    }
}
