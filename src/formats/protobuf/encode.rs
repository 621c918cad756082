//! Columns to Protobuf, by one message: that of the columns, or one that a statement names.

use std::cell::Cell;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::i256;

use super::framing::header;
use super::leaf_reader::SECONDS;
use super::wire::{DELIMITED, FIXED32, FIXED64, VARINT, tag, wire_type_of, write_delimited};
use crate::formats::byte_reader::{write_varint, zigzag};
use crate::formats::decimal_bytes::Digits;
use crate::formats::nested_cells::{Cells, Values};
use crate::formats::nested_column::{columns_of, find_field};
use crate::formats::rows::RowsWriter;
use crate::formats::scalar_cells::ScalarCells;
use crate::formats::schemas::split_id;
use crate::formats::{Encoded, Encoder};
use crate::registry::protobuf::{Field, FieldKind, MessageId, Presence, ProtobufSchema, Scalar, WellKnown};
use crate::types::calendar::CivilDate;
use crate::types::{Column, SqlType};

/// Encodes rows as messages.
pub(in crate::formats) struct ProtobufEncoder {
    header: Vec<u8>,
    types: Vec<SqlType>,
    root: Vec<Template>,
    /// Whether fields are called as their columns are.
    has_own_names: bool,
    /// Bytes per row of the last batch: what to reserve for the next.
    row_bytes: usize,
}

/// How the cells of a column are written as a field.
struct Template {
    name: String,
    tag: u64,
    column: usize,
    /// Whether a default value is written, since it is told from null.
    presence: bool,
    required: bool,
    kind: Kind,
}

enum Kind {
    One(Leaf),
    Message(Vec<Template>),
    List(Leaf),
    /// A list whose elements stand in one field.
    Packed(Leaf),
    Messages(Vec<Template>),
    /// Entries of a map, by the fields of their key and value.
    Map(Box<[Template; 2]>),
    /// One field for the first member that is not null.
    Choice(Vec<Template>),
}

/// What a scalar becomes.
enum Leaf {
    Scalar(Scalar),
    /// Numbers by name.
    Enum(Vec<(String, i32)>),
    WellKnown(WellKnown),
}

impl ProtobufEncoder {
    /// Writes `columns` as the message `id` of `schema`, behind the id of the schema if it has one.
    ///
    /// # Errors
    /// A text that says which column the message has no room for.
    pub(in crate::formats) fn new(
        columns: &[Column],
        schema: &ProtobufSchema,
        id: MessageId,
        schema_id: Option<u32>,
    ) -> Result<Self, String> {
        let names: Vec<(&str, &SqlType)> =
            columns.iter().map(|column| (column.name.as_str(), &column.sql_type)).collect();
        let compiler = Compiler { schema, has_own_names: Cell::new(true) };
        let root = compiler.message(id, &names)?;
        let types = columns.iter().map(|column| column.sql_type.clone()).collect();
        let path = &schema.message(id).path;
        let header = schema_id.map_or_else(Vec::new, |schema_id| header(schema_id, path));
        Ok(Self { header, types, root, has_own_names: compiler.has_own_names.get(), row_bytes: 64 })
    }

    /// Whether fields are called as their columns are, and not only in other letters.
    pub(in crate::formats) fn has_own_names(&self) -> bool {
        self.has_own_names
    }

    /// Whether the message tells nulls of all columns from default values.
    pub(in crate::formats) fn keeps_nulls(&self) -> bool {
        self.root.iter().all(Template::keeps_nulls)
    }
}

impl Template {
    fn keeps_nulls(&self) -> bool {
        match &self.kind {
            Kind::One(_) => self.presence,
            Kind::Message(fields) | Kind::Messages(fields) | Kind::Choice(fields) => {
                fields.iter().all(Template::keeps_nulls)
            }
            Kind::List(_) | Kind::Packed(_) | Kind::Map(_) => true,
        }
    }
}

impl Encoder for ProtobufEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let mut writer = RowsWriter::new(rows, rows * (self.row_bytes + self.row_bytes / 8));
        let cells = Cells::of_columns(&self.types, columns);
        for row in 0..rows {
            if nulls.is_some_and(|nulls| nulls.value(row)) {
                writer.null();
                continue;
            }
            writer.out.extend_from_slice(&self.header);
            match write_message(&self.root, &cells, &mut writer.out, row) {
                Ok(()) => writer.end(),
                Err(reason) => writer.fail(format!("Unable to serialize record: {reason}")),
            }
        }
        if let Some(row_bytes) = writer.out.len().checked_div(rows) {
            self.row_bytes = row_bytes;
        }
        writer.finish()
    }

    fn schema_id(&self) -> Option<u32> {
        split_id(&self.header).ok().map(|(id, _)| id)
    }
}

/// Compiles types against messages of a file.
struct Compiler<'a> {
    schema: &'a ProtobufSchema,
    has_own_names: Cell<bool>,
}

impl Compiler<'_> {
    /// The fields of the message `id` that columns fill, by number.
    fn message(&self, id: MessageId, columns: &[(&str, &SqlType)]) -> Result<Vec<Template>, String> {
        let message = self.schema.message(id);
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut templates: Vec<Template> = Vec::new();
        let mut is_filled = vec![false; columns.len()];
        for (index, one_of) in message.one_ofs.iter().enumerate() {
            let name = format!("{one_of}_{index}");
            let Some(column) = find_field(&names, &name).filter(|column| !is_filled[*column]) else { continue };
            is_filled[column] = true;
            let choices = message.fields.iter().filter(|field| field.one_of == Some(index));
            let SqlType::Struct(members) = columns[column].1 else {
                return Err(format!("the schema has no room for {}, of the column {name}", columns[column].1));
            };
            let members: Vec<(&str, &SqlType)> =
                members.iter().map(|member| (member.name.as_str(), &member.sql_type)).collect();
            let kind = Kind::Choice(self.fields(choices, &members)?);
            templates.push(Template { name, tag: 0, column, presence: false, required: false, kind });
        }
        let plain = message.fields.iter().filter(|field| field.one_of.is_none());
        let open: Vec<(&str, &SqlType)> = columns
            .iter()
            .zip(&is_filled)
            // What a choice has taken is no field.
            .map(|((name, sql_type), is_filled)| (if *is_filled { "" } else { *name }, *sql_type))
            .collect();
        templates.extend(self.fields(plain, &open)?);
        for template in &templates {
            is_filled[template.column] = true;
        }
        if let Some(lost) = is_filled.iter().position(|filled| !filled) {
            return Err(format!("the schema has no field {}", names[lost]));
        }
        templates.sort_by_key(Template::first_tag);
        Ok(templates)
    }

    fn fields<'f>(
        &self,
        fields: impl Iterator<Item = &'f Field>,
        columns: &[(&str, &SqlType)],
    ) -> Result<Vec<Template>, String> {
        let names: Vec<String> = columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut templates: Vec<Template> = Vec::new();
        let fields: Vec<&Field> = fields.collect();
        let found = columns_of(&names, fields.iter().map(|field| field.name.as_str()));
        for (field, found) in fields.into_iter().zip(found) {
            let Some(column) = found else {
                if field.presence == Presence::Required {
                    return Err(format!("the field {} must have a value", field.name));
                }
                continue;
            };
            if names[column] != field.name {
                self.has_own_names.set(false);
            }
            let template = self.template(field, column, columns[column].1);
            templates.push(template.map_err(|reason| format!("field {}: {reason}", field.name))?);
        }
        Ok(templates)
    }

    fn template(&self, field: &Field, column: usize, sql_type: &SqlType) -> Result<Template, String> {
        let kind = match (field.kind, sql_type) {
            (FieldKind::Message(id), SqlType::Map(key, value))
                if field.repeated && self.schema.message(id).entry.is_some() =>
            {
                let [key_field, value_field] = self.schema.message(id).fields.as_slice() else {
                    unreachable!("entries have two fields")
                };
                let (key, value) = (self.template(key_field, 0, key)?, self.template(value_field, 1, value)?);
                Kind::Map(Box::new([key, value]))
            }
            (FieldKind::Message(id), SqlType::Array(element)) if field.repeated => {
                Kind::Messages(self.inner(id, element)?)
            }
            (_, SqlType::Array(element)) if field.repeated => {
                let leaf = self.leaf(field, element)?;
                if field.packed && leaf.wire_type() != DELIMITED { Kind::Packed(leaf) } else { Kind::List(leaf) }
            }
            (_, other) if field.repeated => return Err(no_room(other)),
            (FieldKind::Message(id), _) => Kind::Message(self.inner(id, sql_type)?),
            _ => Kind::One(self.leaf(field, sql_type)?),
        };
        let wire_type = match &kind {
            Kind::One(leaf) | Kind::List(leaf) => leaf.wire_type(),
            _ => DELIMITED,
        };
        Ok(Template {
            name: field.name.clone(),
            tag: tag(field.number, wire_type),
            column,
            presence: field.presence != Presence::Implicit
                || field.one_of.is_some()
                || matches!(&kind, Kind::One(Leaf::WellKnown(_))),
            required: field.presence == Presence::Required,
            kind,
        })
    }

    fn inner(&self, id: MessageId, sql_type: &SqlType) -> Result<Vec<Template>, String> {
        let SqlType::Struct(fields) = sql_type else { return Err(no_room(sql_type)) };
        let columns: Vec<(&str, &SqlType)> =
            fields.iter().map(|field| (field.name.as_str(), &field.sql_type)).collect();
        self.message(id, &columns)
    }

    fn leaf(&self, field: &Field, sql_type: &SqlType) -> Result<Leaf, String> {
        match field.kind {
            FieldKind::Scalar(scalar) if takes(scalar, sql_type) => Ok(Leaf::Scalar(scalar)),
            FieldKind::Enum(id) if *sql_type == SqlType::String => {
                Ok(Leaf::Enum(self.schema.enumeration(id).values.clone()))
            }
            FieldKind::WellKnown(known) if known_takes(known, sql_type) => Ok(Leaf::WellKnown(known)),
            _ => Err(no_room(sql_type)),
        }
    }
}

fn no_room(sql_type: &SqlType) -> String {
    format!("the schema has no room for {sql_type}")
}

/// Whether values of this type can be written as `scalar`.
fn takes(scalar: Scalar, sql_type: &SqlType) -> bool {
    let is_64 = matches!(scalar, Scalar::Int64 | Scalar::Uint64 | Scalar::Sint64 | Scalar::Fixed64 | Scalar::Sfixed64);
    match sql_type {
        SqlType::Boolean => scalar == Scalar::Bool,
        SqlType::Integer => {
            matches!(scalar, Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32)
                || matches!(scalar, Scalar::Int64 | Scalar::Sint64 | Scalar::Sfixed64)
        }
        SqlType::Date | SqlType::Time => matches!(scalar, Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32),
        SqlType::Bigint => is_64 || matches!(scalar, Scalar::Uint32 | Scalar::Fixed32),
        SqlType::Timestamp => is_64,
        SqlType::Double => matches!(scalar, Scalar::Double | Scalar::Float),
        SqlType::String => scalar == Scalar::String,
        SqlType::Bytes => scalar == Scalar::Bytes,
        SqlType::Decimal { .. } | SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => false,
    }
}

fn known_takes(known: WellKnown, sql_type: &SqlType) -> bool {
    match known {
        WellKnown::Decimal => matches!(sql_type, SqlType::Decimal { .. }),
        WellKnown::Date => *sql_type == SqlType::Date,
        WellKnown::TimeOfDay => *sql_type == SqlType::Time,
        WellKnown::Timestamp => *sql_type == SqlType::Timestamp,
        WellKnown::Wrapper(scalar) => takes(scalar, sql_type),
    }
}

impl Leaf {
    fn wire_type(&self) -> u8 {
        match self {
            Self::Scalar(scalar) => wire_type_of(*scalar),
            Self::Enum(_) => VARINT,
            Self::WellKnown(_) => DELIMITED,
        }
    }
}

impl Template {
    /// By which fields are in order.
    fn first_tag(&self) -> u64 {
        match &self.kind {
            Kind::Choice(members) => members.iter().map(|member| member.tag).min().unwrap_or(0),
            _ => self.tag,
        }
    }
}

/// Appends the fields of the message at `row`.
fn write_message(fields: &[Template], cells: &[Cells<'_>], out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    fields.iter().try_for_each(|field| write_field(field, &cells[field.column], out, row))
}

#[inline]
fn write_field(field: &Template, cells: &Cells<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    if cells.is_null(row) {
        return if field.required { Err(in_field(field, "it must have a value")) } else { Ok(()) };
    }
    match (&field.kind, &cells.values) {
        (Kind::One(Leaf::Scalar(scalar)), Values::Scalar(values)) => {
            if !field.presence && is_default(values, row) {
                return Ok(());
            }
            write_varint(out, field.tag);
            write_scalar(*scalar, values, out, row).map_err(|reason| in_field(field, &reason))
        }
        (kind, values) => write_rest(field, kind, values, out, row).map_err(|reason| in_field(field, &reason)),
    }
}

#[cold]
fn in_field(field: &Template, reason: &str) -> String {
    format!("field {}: {reason}", field.name)
}

/// As [`write_field`], of what is no scalar.
fn write_rest(field: &Template, kind: &Kind, values: &Values<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    match (kind, values) {
        (Kind::One(leaf), Values::Scalar(values)) => {
            let start = out.len();
            write_varint(out, field.tag);
            let value = out.len();
            write_leaf(leaf, values, out, row)?;
            if !field.presence && out[value..] == [0] {
                out.truncate(start);
            }
        }
        (Kind::Message(fields), Values::Record(cells)) => {
            write_varint(out, field.tag);
            write_delimited(out, |out| write_message(fields, cells, out, row))?;
        }
        (Kind::List(leaf), Values::List(offsets, elements)) => {
            for element in offsets[row] as usize..offsets[row + 1] as usize {
                write_varint(out, field.tag);
                write_element(leaf, elements, out, element)?;
            }
        }
        (Kind::Packed(leaf), Values::List(offsets, elements)) => {
            if offsets[row] < offsets[row + 1] {
                write_varint(out, field.tag);
                write_delimited(out, |out| {
                    (offsets[row] as usize..offsets[row + 1] as usize)
                        .try_for_each(|element| write_element(leaf, elements, out, element))
                })?;
            }
        }
        (Kind::Messages(fields), Values::List(offsets, elements)) => {
            let Values::Record(cells) = &elements.values else { unreachable!("messages are structs") };
            for element in offsets[row] as usize..offsets[row + 1] as usize {
                write_varint(out, field.tag);
                // There is no null among the elements of a list: it is a message without fields.
                if elements.is_null(element) {
                    out.push(0);
                } else {
                    write_delimited(out, |out| write_message(fields, cells, out, element))?;
                }
            }
        }
        (Kind::Map(entry), Values::Map(offsets, keys, values)) => {
            for index in offsets[row] as usize..offsets[row + 1] as usize {
                write_varint(out, field.tag);
                write_delimited(out, |out| {
                    write_field(&entry[0], keys, out, index)?;
                    write_field(&entry[1], values, out, index)
                })?;
            }
        }
        (Kind::Choice(members), Values::Record(cells)) => {
            let set = members.iter().find(|member| !cells[member.column].is_null(row));
            if let Some(member) = set {
                write_field(member, &cells[member.column], out, row)?;
            }
        }
        _ => unreachable!("cells are made for their template"),
    }
    Ok(())
}

/// There is no null among the elements of a list: it is the default value.
fn write_element(leaf: &Leaf, elements: &Cells<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    let Values::Scalar(values) = &elements.values else { unreachable!("leaves are scalars") };
    if !elements.is_null(row) {
        return write_leaf(leaf, values, out, row);
    }
    match (leaf, values) {
        // Messages without fields that no reader takes: there is no day 0, and a number has digits.
        (Leaf::WellKnown(WellKnown::Date), _) => {
            return write_delimited(out, |out| {
                write_numbers([1970, 1, 1], out);
                Ok(())
            });
        }
        (
            Leaf::WellKnown(WellKnown::Decimal),
            ScalarCells::Decimal128(_, scale) | ScalarCells::Decimal256(_, scale),
        ) => {
            return write_delimited(out, |out| {
                write_decimal(i256::ZERO, *scale, out);
                Ok(())
            });
        }
        _ => {}
    }
    match leaf.wire_type() {
        FIXED64 => out.extend_from_slice(&[0; 8]),
        FIXED32 => out.extend_from_slice(&[0; 4]),
        // 0, or no bytes.
        _ => out.push(0),
    }
    Ok(())
}

fn write_leaf(leaf: &Leaf, values: &ScalarCells<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    match (leaf, values) {
        (Leaf::Scalar(scalar), values) => write_scalar(*scalar, values, out, row),
        (Leaf::Enum(names), ScalarCells::Text(values)) => {
            let name = values.value(row);
            let found = names.iter().find(|(known, _)| known == name);
            let (_, number) = found.ok_or_else(|| format!("'{name}' is no name of the enum"))?;
            write_varint(out, i64::from(*number) as u64);
            Ok(())
        }
        (Leaf::WellKnown(known), values) => write_delimited(out, |out| write_well_known(*known, values, out, row)),
        _ => unreachable!("cells are made for their template"),
    }
}

/// Whether the value is one that stands for a field that is not there.
#[inline]
fn is_default(values: &ScalarCells<'_>, row: usize) -> bool {
    match values {
        ScalarCells::Boolean(values) => !values.value(row),
        ScalarCells::Int32(values) => values[row] == 0,
        ScalarCells::Int64(values) => values[row] == 0,
        // -0.0 is another value.
        ScalarCells::Double(values) => values[row].to_bits() == 0,
        ScalarCells::Text(values) => values.value_length(row) == 0,
        ScalarCells::Bytes(values) => values.value_length(row) == 0,
        ScalarCells::Decimal128(..) | ScalarCells::Decimal256(..) => false,
    }
}

#[inline]
fn write_scalar(scalar: Scalar, values: &ScalarCells<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    match values {
        ScalarCells::Boolean(values) => out.push(u8::from(values.value(row))),
        ScalarCells::Int32(values) => write_integer(scalar, i64::from(values[row]), out)?,
        ScalarCells::Int64(values) => write_integer(scalar, values[row], out)?,
        ScalarCells::Double(values) if scalar == Scalar::Float => {
            out.extend_from_slice(&(values[row] as f32).to_le_bytes());
        }
        ScalarCells::Double(values) => out.extend_from_slice(&values[row].to_le_bytes()),
        ScalarCells::Text(values) => write_bytes(out, values.value(row).as_bytes()),
        ScalarCells::Bytes(values) => write_bytes(out, values.value(row)),
        ScalarCells::Decimal128(..) | ScalarCells::Decimal256(..) => {
            unreachable!("decimals are messages of their own")
        }
    }
    Ok(())
}

#[inline]
fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[inline]
fn write_integer(scalar: Scalar, value: i64, out: &mut Vec<u8>) -> Result<(), String> {
    match scalar {
        Scalar::Int32 | Scalar::Int64 | Scalar::Uint64 => write_varint(out, value as u64),
        Scalar::Sint32 | Scalar::Sint64 => write_varint(out, zigzag(value)),
        Scalar::Fixed64 | Scalar::Sfixed64 => out.extend_from_slice(&value.to_le_bytes()),
        Scalar::Sfixed32 => out.extend_from_slice(&(value as i32).to_le_bytes()),
        Scalar::Uint32 | Scalar::Fixed32 => {
            let value = u32::try_from(value).map_err(|_| format!("{value} does not fit {}", scalar.name()))?;
            if scalar == Scalar::Uint32 {
                write_varint(out, u64::from(value));
            } else {
                out.extend_from_slice(&value.to_le_bytes());
            }
        }
        _ => unreachable!("templates are compiled for their columns"),
    }
    Ok(())
}

fn write_well_known(known: WellKnown, values: &ScalarCells<'_>, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    match (known, values) {
        (WellKnown::Wrapper(scalar), values) => {
            if !is_default(values, row) {
                write_varint(out, tag(1, wire_type_of(scalar)));
                write_scalar(scalar, values, out, row)?;
            }
        }
        (WellKnown::Timestamp, ScalarCells::Int64(values)) => {
            let (seconds, millis) = (values[row].div_euclid(1_000), values[row].rem_euclid(1_000));
            if !SECONDS.contains(&seconds) {
                return Err(format!("the time {} is not in the years 1 to 9999", values[row]));
            }
            write_numbers([seconds, millis * 1_000_000], out);
        }
        (WellKnown::Date, ScalarCells::Int32(values)) => {
            let date = CivilDate::new(i64::from(values[row]));
            write_numbers([date.year, i64::from(date.month), i64::from(date.day)], out);
        }
        (WellKnown::TimeOfDay, ScalarCells::Int32(values)) => {
            let millis = i64::from(values[row]);
            if !(0..86_400_000).contains(&millis) {
                return Err(format!("{millis} milliseconds are no time of a day"));
            }
            let seconds = millis / 1_000;
            write_numbers([seconds / 3_600, seconds / 60 % 60, seconds % 60, millis % 1_000 * 1_000_000], out);
        }
        (WellKnown::Decimal, ScalarCells::Decimal128(values, scale)) => {
            write_decimal(i256::from_i128(values[row]), *scale, out);
        }
        (WellKnown::Decimal, ScalarCells::Decimal256(values, scale)) => write_decimal(values[row], *scale, out),
        _ => unreachable!("templates are compiled for their columns"),
    }
    Ok(())
}

/// The fields 1 and following, but for those that are 0.
fn write_numbers<const N: usize>(numbers: [i64; N], out: &mut Vec<u8>) {
    for (number, value) in (1..).zip(numbers) {
        if value != 0 {
            write_varint(out, tag(number, VARINT));
            write_varint(out, value as u64);
        }
    }
}

fn write_decimal(digits: i256, scale: u8, out: &mut Vec<u8>) {
    out.push(tag(1, DELIMITED) as u8);
    write_bytes(out, Digits::new(digits).bytes());
    let precision = match digits.to_i128() {
        Some(digits) => i64::from(digits.unsigned_abs().checked_ilog10().unwrap_or(0)) + 1,
        None => digits.to_string().trim_start_matches('-').len() as i64,
    };
    write_numbers([0, precision, i64::from(scale)], out);
}
