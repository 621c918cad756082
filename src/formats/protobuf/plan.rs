//! Writers' messages compiled against columns: for each number what is read, and where it goes.

use std::sync::Arc;

use super::wire::{DELIMITED, VARINT, tag, wire_type_of};
use crate::formats::nested_column::{columns_of, find_field};
use crate::registry::protobuf::{
    Entry, Enum, Field, FieldDefault, FieldKind, MessageId, Presence, ProtobufSchema, Scalar, WellKnown,
};
use crate::types::SqlType;

/// How a message is read.
pub(super) struct MessagePlan {
    /// Fields that are read, by number.
    steps: Vec<Step>,
    /// Index of the step of each small number, or [`NONE`].
    by_number: Vec<u32>,
    /// What is done with each column when the message ends.
    pub(super) ends: Vec<End>,
}

/// Greatest number that is looked up by index.
const SMALL_MAX: u32 = 1_023;

const NONE: u32 = u32::MAX;

/// How a field is read.
pub(super) struct Step {
    pub(super) number: u32,
    /// The tag that its writer is expected to use.
    pub(super) tag: u64,
    /// Wire type of one value.
    pub(super) wire_type: u8,
    /// Whether several values may stand in one field.
    pub(super) packable: bool,
    /// The step that is expected next.
    pub(super) next: usize,
    /// Index among all columns of the plan: those of messages within have their own.
    pub(super) mark: usize,
    pub(super) column: usize,
    pub(super) action: Action,
}

/// What is done with a value.
pub(super) enum Action {
    One(Leaf),
    Message(MessagePlan),
    List(Element),
    /// Entries, as messages of two columns.
    Map(MessagePlan),
    /// One of several fields, of which the column has a cell each.
    Choice(usize, Box<Action>),
}

/// An element of a list.
pub(super) enum Element {
    Leaf(Leaf),
    Message(MessagePlan),
}

/// A value that is no message of columns.
#[derive(Debug, Clone)]
pub(super) enum Leaf {
    Scalar(Scalar),
    Enum(Arc<EnumNames>),
    WellKnown(WellKnown),
}

/// Names of an enum by number.
#[derive(Debug)]
pub(super) struct EnumNames {
    name: String,
    by_number: Vec<(i32, String)>,
    open: bool,
}

impl EnumNames {
    fn new(enumeration: &Enum) -> Self {
        let name = enumeration.name.rsplit('.').next().unwrap_or_default().to_owned();
        let mut by_number: Vec<(i32, String)> =
            enumeration.values.iter().map(|(name, number)| (*number, name.clone())).collect();
        // Of several names of one number the first counts.
        by_number.sort_by_key(|(number, _)| *number);
        by_number.dedup_by_key(|(number, _)| *number);
        Self { name, by_number, open: enumeration.open }
    }

    /// The name of `number`; `None` for a number that the writer's reader would not know.
    pub(super) fn get(&self, number: i32) -> Option<std::borrow::Cow<'_, str>> {
        match self.by_number.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(index) => Some(self.by_number[index].1.as_str().into()),
            Err(_) if self.open => Some(format!("UNKNOWN_ENUM_VALUE_{}_{number}", self.name).into()),
            Err(_) => None,
        }
    }
}

/// What is done with a column when a message ends.
pub(super) struct End {
    pub(super) column: usize,
    pub(super) mark: usize,
    pub(super) kind: EndKind,
}

/// What becomes of a column whose field did not come, or that holds any number of values.
pub(super) enum EndKind {
    Null,
    Default(Cell),
    /// The message of this step, without any field.
    Empty(usize),
    List,
    /// The map of this step.
    Map(usize),
}

/// A default value, ready for its column.
#[derive(Debug, Clone)]
pub(super) enum Cell {
    Integer(i64),
    Double(f64),
    Bytes(Vec<u8>),
}

impl MessagePlan {
    /// The step of the field with this number.
    pub(super) fn find(&self, number: u64) -> Option<usize> {
        if let Some(index) = self.by_number.get(number as usize) {
            return (*index != NONE).then_some(*index as usize);
        }
        self.steps.binary_search_by_key(&number, |step| u64::from(step.number)).ok()
    }

    #[inline]
    pub(super) fn step(&self, index: usize) -> Option<&Step> {
        self.steps.get(index)
    }
}

/// Compiles messages of `schema`.
pub(super) struct Compiler<'a> {
    schema: &'a ProtobufSchema,
    /// Columns of all messages so far.
    pub(super) marks: usize,
}

/// Columns that a message is read into.
struct Columns<'a> {
    names: Vec<String>,
    types: Vec<&'a SqlType>,
    needed: &'a [bool],
}

impl<'a> Compiler<'a> {
    pub(super) fn new(schema: &'a ProtobufSchema) -> Self {
        Self { schema, marks: 0 }
    }

    /// How the message `id` is read into `columns`, of which those set in `needed` have cells.
    pub(super) fn message(
        &mut self,
        id: MessageId,
        columns: &[(&str, &SqlType)],
        needed: &[bool],
    ) -> Result<MessagePlan, String> {
        let columns = Columns {
            names: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            types: columns.iter().map(|(_, sql_type)| *sql_type).collect(),
            needed,
        };
        let first_mark = self.marks;
        self.marks += columns.names.len();
        let mut steps = Vec::new();
        let mut ends: Vec<Option<EndKind>> = columns.names.iter().map(|_| None).collect();
        let schema = self.schema;
        let message = schema.message(id);
        for (index, one_of) in message.one_ofs.iter().enumerate() {
            let name = format!("{one_of}_{index}");
            let Some(column) = find_field(&columns.names, &name).filter(|column| ends[*column].is_none()) else {
                continue;
            };
            if columns.needed[column] {
                let choices = message.fields.iter().filter(|field| field.one_of == Some(index));
                self.choices(choices, columns.types[column], column, first_mark + column, &mut steps)
                    .map_err(|reason| format!("field {name}: {reason}"))?;
            }
            ends[column] = Some(EndKind::Null);
        }
        let plain: Vec<&Field> = message.fields.iter().filter(|field| field.one_of.is_none()).collect();
        let found = columns_of(&columns.names, plain.iter().map(|field| field.name.as_str()));
        for (field, found) in plain.into_iter().zip(found) {
            let Some(column) = found.filter(|column| ends[*column].is_none()) else {
                continue;
            };
            let sql_type = columns.types[column];
            ends[column] = Some(EndKind::Null);
            if !columns.needed[column] {
                continue;
            }
            let action = self.action(field, sql_type).map_err(|reason| format!("field {}: {reason}", field.name))?;
            ends[column] = Some(self.absent(field, &action, message.entry, sql_type));
            steps.push(Step::new(field, column, first_mark + column, action));
        }
        let ends = ends
            .into_iter()
            .enumerate()
            .filter(|(column, _)| columns.needed[*column])
            .map(|(column, kind)| End { column, mark: first_mark + column, kind: kind.unwrap_or(EndKind::Null) });
        Ok(MessagePlan::new(steps, ends.collect()))
    }

    fn choices<'f>(
        &mut self,
        choices: impl Iterator<Item = &'f Field>,
        sql_type: &SqlType,
        column: usize,
        mark: usize,
        steps: &mut Vec<Step>,
    ) -> Result<(), String> {
        let SqlType::Struct(members) = sql_type else { return Err(format!("a oneof cannot be read as {sql_type}")) };
        let names: Vec<String> = members.iter().map(|member| member.name.clone()).collect();
        let choices: Vec<&Field> = choices.collect();
        let found = columns_of(&names, choices.iter().map(|field| field.name.as_str()));
        for (field, found) in choices.into_iter().zip(found) {
            let Some(member) = found else { continue };
            let action = self.action(field, &members[member].sql_type);
            let action = action.map_err(|reason| format!("field {}: {reason}", field.name))?;
            let mut step = Step::new(field, column, mark, action);
            step.action = Action::Choice(member, Box::new(step.action));
            steps.push(step);
        }
        Ok(())
    }

    fn action(&mut self, field: &Field, sql_type: &SqlType) -> Result<Action, String> {
        match (field.kind, sql_type) {
            (FieldKind::Message(id), SqlType::Map(key, value))
                if field.repeated && self.schema.message(id).entry.is_some() =>
            {
                let [key_field, value_field] = self.schema.message(id).fields.as_slice() else {
                    unreachable!("entries have two fields")
                };
                let columns = [(key_field.name.as_str(), &**key), (value_field.name.as_str(), &**value)];
                Ok(Action::Map(self.message(id, &columns, &[true, true])?))
            }
            (_, SqlType::Array(element)) if field.repeated => Ok(Action::List(match self.element(field, element)? {
                Action::One(leaf) => Element::Leaf(leaf),
                Action::Message(plan) => Element::Message(plan),
                _ => unreachable!("elements are leaves or messages"),
            })),
            (_, other) if field.repeated => Err(format!("a repeated field cannot be read as {other}")),
            _ => self.element(field, sql_type),
        }
    }

    /// A single value of `field`.
    fn element(&mut self, field: &Field, sql_type: &SqlType) -> Result<Action, String> {
        let misfit = |name: &str| Err(format!("{name} cannot be read as {sql_type}"));
        let leaf = match (field.kind, sql_type) {
            (FieldKind::Message(id), SqlType::Struct(fields)) => {
                let columns: Vec<(&str, &SqlType)> =
                    fields.iter().map(|field| (field.name.as_str(), &field.sql_type)).collect();
                return Ok(Action::Message(self.message(id, &columns, &vec![true; fields.len()])?));
            }
            (FieldKind::Message(id), _) => return misfit(&self.schema.message(id).name),
            (FieldKind::Group, _) => return misfit("a group"),
            (FieldKind::Scalar(scalar), _) if scalar_fits(scalar, sql_type) => Leaf::Scalar(scalar),
            (FieldKind::Scalar(scalar), _) => return misfit(scalar.name()),
            (FieldKind::Enum(id), SqlType::String) => Leaf::Enum(Arc::new(EnumNames::new(self.schema.enumeration(id)))),
            (FieldKind::Enum(id), _) => return misfit(&self.schema.enumeration(id).name),
            (FieldKind::WellKnown(known), _) if well_known_fits(known, sql_type) => Leaf::WellKnown(known),
            (FieldKind::WellKnown(known), _) => return misfit(&format!("{known:?}")),
        };
        Ok(Action::One(leaf))
    }

    /// What stands for a field that does not come.
    fn absent(&self, field: &Field, action: &Action, entry: Option<Entry>, sql_type: &SqlType) -> EndKind {
        match action {
            Action::List(_) => EndKind::List,
            // The index of the step is known when the steps are in order.
            Action::Map(_) => EndKind::Map(0),
            Action::Message(_) if entry == Some(Entry::Map) => EndKind::Empty(0),
            Action::One(Leaf::WellKnown(_)) | Action::Message(_) | Action::Choice(..) => EndKind::Null,
            Action::One(_) if field.presence == Presence::Optional => EndKind::Null,
            Action::One(leaf) => EndKind::Default(self.default(field, leaf, sql_type)),
        }
    }

    fn default(&self, field: &Field, leaf: &Leaf, sql_type: &SqlType) -> Cell {
        if let Leaf::Enum(names) = leaf {
            let FieldKind::Enum(id) = field.kind else { unreachable!("leaves are of their fields") };
            let values = &self.schema.enumeration(id).values;
            let number = match field.default {
                Some(FieldDefault::Integer(number)) => number as i32,
                _ => values.first().map_or(0, |(_, number)| *number),
            };
            return Cell::Bytes(names.get(number).map_or_else(Vec::new, |name| name.as_bytes().to_vec()));
        }
        match (&field.default, sql_type) {
            (Some(FieldDefault::Bytes(bytes)), _) => Cell::Bytes(bytes.clone()),
            (Some(FieldDefault::Double(number)), _) => Cell::Double(*number),
            (Some(FieldDefault::Integer(number)), SqlType::Double) => Cell::Double(*number as f64),
            (Some(FieldDefault::Integer(number)), SqlType::String) => Cell::Bytes(number.to_string().into_bytes()),
            (Some(FieldDefault::Integer(number)), _) => Cell::Integer(*number),
            (None, SqlType::Double) => Cell::Double(0.0),
            (None, SqlType::String) if !matches!(leaf, Leaf::Scalar(Scalar::String)) => {
                Cell::Bytes(if matches!(leaf, Leaf::Scalar(Scalar::Bool)) { b"false".to_vec() } else { b"0".to_vec() })
            }
            (None, SqlType::String | SqlType::Bytes) => Cell::Bytes(Vec::new()),
            (None, _) => Cell::Integer(0),
        }
    }
}

impl MessagePlan {
    fn new(mut steps: Vec<Step>, mut ends: Vec<End>) -> Self {
        steps.sort_by_key(|step| step.number);
        // Of fields with one number, which no compiler of Protobuf lets through, the first counts.
        steps.dedup_by_key(|step| step.number);
        let small = steps.iter().map(|step| step.number).filter(|number| *number <= SMALL_MAX).max();
        let mut by_number = vec![NONE; small.map_or(0, |number| number as usize + 1)];
        for (index, step) in steps.iter_mut().enumerate() {
            step.next = if step.tag == tag(step.number, DELIMITED) && step.packable || !step.is_repeated() {
                index + 1
            } else {
                index
            };
            if let Some(place) = by_number.get_mut(step.number as usize) {
                *place = index as u32;
            }
        }
        for end in &mut ends {
            if let EndKind::Map(step) | EndKind::Empty(step) = &mut end.kind {
                let of_column = steps.iter().position(|step| step.column == end.column);
                *step = of_column.expect("the column has a step");
            }
        }
        Self { steps, by_number, ends }
    }
}

impl Step {
    fn new(field: &Field, column: usize, mark: usize, action: Action) -> Self {
        let wire_type = match field.kind {
            FieldKind::Scalar(scalar) => wire_type_of(scalar),
            FieldKind::Enum(_) => VARINT,
            _ => DELIMITED,
        };
        let packable = field.repeated && wire_type != DELIMITED;
        let expected = if packable && field.packed { DELIMITED } else { wire_type };
        let tag = tag(field.number, expected);
        Self { number: field.number, tag, wire_type, packable, next: 0, mark, column, action }
    }

    fn is_repeated(&self) -> bool {
        matches!(self.action, Action::List(_) | Action::Map(_))
    }
}

/// Whether values of `scalar` can stand in a column of this type.
fn scalar_fits(scalar: Scalar, sql_type: &SqlType) -> bool {
    let is_int32 = matches!(scalar, Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32);
    let is_float = matches!(scalar, Scalar::Float | Scalar::Double);
    let is_integer = !is_float && !matches!(scalar, Scalar::Bool | Scalar::String | Scalar::Bytes);
    match sql_type {
        SqlType::Boolean => scalar == Scalar::Bool,
        SqlType::Integer | SqlType::Date | SqlType::Time => is_int32,
        SqlType::Bigint | SqlType::Timestamp | SqlType::Decimal { .. } => is_integer,
        SqlType::Double => is_integer || is_float,
        SqlType::String => is_integer || matches!(scalar, Scalar::Bool | Scalar::String),
        SqlType::Bytes => scalar == Scalar::Bytes,
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => false,
    }
}

fn well_known_fits(known: WellKnown, sql_type: &SqlType) -> bool {
    match known {
        WellKnown::Decimal => matches!(sql_type, SqlType::Decimal { .. }),
        WellKnown::Date => *sql_type == SqlType::Date,
        WellKnown::TimeOfDay => *sql_type == SqlType::Time,
        WellKnown::Timestamp => *sql_type == SqlType::Timestamp,
        WellKnown::Wrapper(scalar) => scalar_fits(scalar, sql_type),
    }
}
