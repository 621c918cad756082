//! How columns are written by a JSON Schema: that of the columns, or one that a statement names.

use std::collections::HashSet;

use serde_json::Value;

use crate::formats::json::{JsonEncoder, RecordTemplate, TypeTemplate, is_union_field};
use crate::formats::nested_column::{columns_of, find_field};
use crate::formats::schemas::write_id;
use crate::registry::json_schema::{DECIMAL, JsonSchema, Shape, noted};
use crate::types::{Column, SqlType, StructField};

/// An encoder, and whether its schema has the columns' names and asks for nothing else.
pub(in crate::formats) struct FilledSchema {
    pub(in crate::formats) encoder: JsonEncoder,
    pub(in crate::formats) is_filled: bool,
}

/// The encoder of `columns` by `schema`, which has the id `id`.
///
/// # Errors
/// A text that says which column the schema has no room for.
pub(in crate::formats) fn encoder(
    columns: &[Column],
    bare: bool,
    id: u32,
    schema: &JsonSchema,
) -> Result<FilledSchema, String> {
    let mut header = Vec::new();
    write_id(&mut header, id);
    let mut compiler = Compiler { schema, is_filled: true };
    let record = if bare {
        let column = &columns[0];
        let template = compiler.template(schema.root(), &column.sql_type)?;
        RecordTemplate::of([(column.name.as_str(), template)])
    } else {
        let fields: Vec<(&str, &SqlType)> =
            columns.iter().map(|column| (column.name.as_str(), &column.sql_type)).collect();
        compiler.record(schema.root(), &fields)?
    };
    Ok(FilledSchema { encoder: JsonEncoder::by_template(record, bare, header), is_filled: compiler.is_filled })
}

struct Compiler<'a> {
    schema: &'a JsonSchema,
    is_filled: bool,
}

impl Compiler<'_> {
    fn record(&mut self, node: &Value, fields: &[(&str, &SqlType)]) -> Result<RecordTemplate, String> {
        let Some(properties) = self.schema.properties(node) else { return Err("the schema is no object".to_owned()) };
        let required = node.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let mut required: HashSet<&str> = required.collect();
        let mut templates = Vec::with_capacity(fields.len());
        let columns: Vec<String> = fields.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut places = vec![None; fields.len()];
        for (index, column) in columns_of(&columns, properties.iter().map(|(name, _)| *name)).into_iter().enumerate() {
            if let Some(column) = column {
                places[column] = Some(index);
            }
        }
        for ((name, sql_type), found) in fields.iter().zip(places) {
            let found = found.ok_or_else(|| format!("the schema has no field {name}"))?;
            let (property, node) = properties[found];
            required.remove(property);
            self.is_filled &= property == *name;
            let template = self.template(node, sql_type).map_err(|reason| format!("field {property}: {reason}"))?;
            templates.push((property, template));
        }
        self.is_filled &= required.is_empty();
        Ok(RecordTemplate::of(templates))
    }

    fn template(&mut self, node: &Value, sql_type: &SqlType) -> Result<TypeTemplate, String> {
        let schema = self.schema;
        let shape = schema.settled(node);
        let no_room = || Err(format!("the schema has no room for {sql_type}"));
        match (shape, sql_type) {
            (Shape::Choice(branches), SqlType::Struct(fields)) if is_union(fields) => {
                let names: Vec<String> = (0..branches.len()).map(|i| format!("connect_union_field_{i}")).collect();
                let mut templates = Vec::with_capacity(fields.len());
                for field in fields {
                    let branch = find_field(&names, &field.name.to_lowercase()).map(|index| branches[index]);
                    let branch = branch.ok_or_else(|| format!("the schema has no type for {}", field.name))?;
                    templates.push(self.template(branch, &field.sql_type)?);
                }
                Ok(TypeTemplate::Union(templates))
            }
            (Shape::Typed("array", object), SqlType::Array(element)) => match object.get("items") {
                Some(items) => Ok(TypeTemplate::List(Box::new(self.template(items, element)?))),
                None => no_room(),
            },
            (Shape::Typed("array", object), SqlType::Map(_, value)) => {
                let entry = object.get("items").and_then(|items| schema.properties(items));
                let values = entry.iter().flatten().find(|(name, _)| *name == "value");
                match values {
                    Some((_, node)) => Ok(TypeTemplate::Entries(Box::new(self.template(node, value)?))),
                    None => no_room(),
                }
            }
            (Shape::Typed("object", object), SqlType::Map(_, value)) => match object.get("additionalProperties") {
                Some(node) => Ok(TypeTemplate::Map(Box::new(self.template(node, value)?))),
                None => no_room(),
            },
            (Shape::Typed("object", _) | Shape::AllOf(_), SqlType::Struct(fields)) => {
                let fields: Vec<(&str, &SqlType)> =
                    fields.iter().map(|field| (field.name.as_str(), &field.sql_type)).collect();
                self.record(node_behind(schema, node), &fields).map(TypeTemplate::Record)
            }
            (Shape::Typed("string", object), SqlType::Decimal { .. }) if noted(object, "title") == Some(DECIMAL) => {
                Ok(TypeTemplate::Base64Decimal(sql_type.clone()))
            }
            (Shape::Typed(kind, _), scalar) if takes(kind, scalar) => Ok(TypeTemplate::Scalar(scalar.clone())),
            (Shape::Enum, SqlType::String) => Ok(TypeTemplate::Scalar(SqlType::String)),
            _ => no_room(),
        }
    }
}

/// The schema that `node` leads to, whose `required` counts.
fn node_behind<'a>(schema: &'a JsonSchema, node: &'a Value) -> &'a Value {
    match schema.shape(node) {
        Shape::Reference(target) => schema.resolve(target).unwrap_or(node),
        Shape::Choice(branches) if branches.len() == 1 => branches[0],
        _ => node,
    }
}

fn is_union(fields: &[StructField]) -> bool {
    !fields.is_empty() && fields.iter().all(|field| is_union_field(&field.name))
}

/// Whether values of a scalar type are of the type `kind` of JSON Schema.
fn takes(kind: &str, sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Boolean => kind == "boolean",
        SqlType::Integer | SqlType::Bigint | SqlType::Date | SqlType::Time | SqlType::Timestamp => {
            matches!(kind, "integer" | "number")
        }
        SqlType::Double | SqlType::Decimal { .. } => kind == "number",
        SqlType::String | SqlType::Bytes => kind == "string",
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => false,
    }
}
