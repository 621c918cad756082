//! Options and their values as text.

use std::fmt::Write as _;

use prost_reflect::{DynamicMessage, Kind, MapKey, ReflectMessage as _, Value};

/// Names and values of `options`, in order of the numbers that they have; extensions last.
pub(super) fn options(options: &DynamicMessage) -> Vec<(String, String)> {
    const UNINTERPRETED: &str = "uninterpreted_option";
    let mut all = Vec::new();
    let own = options.fields().filter(|(field, _)| field.name() != UNINTERPRETED);
    for (field, value) in own {
        each(value, |value| all.push((field.name().to_owned(), text(value, &field.kind()))));
    }
    for (extension, value) in options.extensions() {
        let name = format!("({})", extension.full_name());
        each(value, |value| all.push((name.clone(), text(value, &extension.kind()))));
    }
    all
}

/// A repeated option stands once for each of its values.
fn each(value: &Value, mut give: impl FnMut(&Value)) {
    match value {
        Value::List(values) => values.iter().for_each(give),
        value => give(value),
    }
}

fn text(value: &Value, kind: &Kind) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::I32(value) => value.to_string(),
        Value::I64(value) => value.to_string(),
        Value::U32(value) => value.to_string(),
        Value::U64(value) => value.to_string(),
        Value::F32(value) => value.to_string(),
        Value::F64(value) => value.to_string(),
        Value::String(text) => quoted(text.as_bytes(), true),
        Value::Bytes(bytes) => quoted(bytes, false),
        Value::EnumNumber(number) => {
            let value = kind.as_enum().and_then(|kind| kind.get_value(*number));
            value.map_or_else(|| number.to_string(), |value| value.name().to_owned())
        }
        Value::Message(message) => message_text(message),
        Value::List(values) => {
            let values: Vec<String> = values.iter().map(|value| text(value, kind)).collect();
            format!("[{}]", values.join(", "))
        }
        Value::Map(entries) => {
            let (key_kind, value_kind) = match kind.as_message() {
                Some(entry) => (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind()),
                None => (kind.clone(), kind.clone()),
            };
            let entry = |(key, value): (&MapKey, &Value)| {
                let (key, value) = (text(&key.clone().into(), &key_kind), text(value, &value_kind));
                format!("{{ key: {key}, value: {value} }}")
            };
            let mut entries: Vec<String> = entries.iter().map(entry).collect();
            entries.sort_unstable();
            format!("[{}]", entries.join(", "))
        }
    }
}

fn message_text(message: &DynamicMessage) -> String {
    debug_assert!(!message.descriptor().is_map_entry());
    let fields = message.fields().map(|(field, value)| format!("{}: {}", field.name(), text(value, &field.kind())));
    let extensions = message.extensions();
    let extensions = extensions.map(|(one, value)| format!("[{}]: {}", one.full_name(), text(value, &one.kind())));
    format!("{{ {} }}", fields.chain(extensions).collect::<Vec<_>>().join(", "))
}

/// In double quotes; of a text, what is printable stays as it is.
pub(super) fn quoted(bytes: &[u8], is_text: bool) -> String {
    let mut out = String::from("\"");
    let escape = |character: char, out: &mut String| match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        ' '..='~' => out.push(character),
        other if is_text && !other.is_control() => out.push(other),
        other => {
            let mut buffer = [0; 4];
            let encoded: &[u8] = if is_text { other.encode_utf8(&mut buffer).as_bytes() } else { &[other as u8] };
            // Writing to a text does not fail.
            encoded.iter().for_each(|byte| write!(out, "\\{byte:03o}").unwrap_or_default());
        }
    };
    match std::str::from_utf8(bytes) {
        Ok(text) if is_text => text.chars().for_each(|character| escape(character, &mut out)),
        _ => bytes.iter().for_each(|byte| escape(char::from(*byte), &mut out)),
    }
    out.push('"');
    out
}
