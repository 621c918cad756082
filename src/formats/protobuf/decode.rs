//! Protobuf to columns, by the writer's message.

use arrow::array::{Array, ArrayRef, BinaryArray, new_null_array};

use super::framing::{Framing, header_length, split_header};
use super::leaf_reader::{push_cell, read_leaf};
use super::plan::{Action, Compiler, Element, End, EndKind, Leaf, MessagePlan, Step};
use super::wire::{DELIMITED, delimited, number, skip, tag, wire_type};
use crate::formats::byte_reader::{ByteReader, Fault, Read, write_varint};
use crate::formats::nested_column::{MapColumn, NestedColumn, RecordColumn};
use crate::formats::rows::RowMarks;
use crate::formats::scalar_column::ScalarColumn;
use crate::formats::schemas::{SchemaLookup, no_schema};
use crate::formats::writer_plans::{Found, WriterPlans};
use crate::formats::{Decoded, Decoder};
use crate::registry::protobuf::{MessageId, ProtobufSchema};
use crate::types::{Column, SqlType};

/// Decodes messages whose fields are columns.
pub(in crate::formats) struct ProtobufDecoder {
    columns: Vec<Column>,
    needed: Vec<bool>,
    writers: Writers,
    scratch: Scratch,
}

/// Whose records are read.
enum Writers {
    /// All records have one message.
    One(Result<Plan, String>),
    /// Records name their message.
    Registered(SchemaLookup<ProtobufSchema>, WriterPlans<Plan>),
}

/// How records of one writer's message are read.
struct Plan {
    root: MessagePlan,
    /// For each column of the plan the message that had it last, see [`Reader::message`].
    marks: Vec<u64>,
}

impl Plan {
    fn new(schema: &ProtobufSchema, id: MessageId, columns: &[Column], needed: &[bool]) -> Result<Self, String> {
        let columns: Vec<(&str, &SqlType)> =
            columns.iter().map(|column| (column.name.as_str(), &column.sql_type)).collect();
        let mut compiler = Compiler::new(schema);
        let root = compiler.message(id, &columns, needed)?;
        Ok(Self { root, marks: vec![0; compiler.marks] })
    }
}

/// Buffers that outlive a record.
#[derive(Default)]
struct Scratch {
    /// Messages read so far, twice: an even number that marks the current one.
    message: u64,
    order: Vec<u32>,
}

impl ProtobufDecoder {
    pub(in crate::formats) fn new(columns: &[Column], needed: &[bool], framing: Framing) -> Self {
        let writers = match framing {
            Framing::Bare(schema, message) => Writers::One(Plan::new(&schema, message, columns, needed)),
            Framing::Registered(schemas) => Writers::Registered(schemas, WriterPlans::new()),
        };
        Self { columns: columns.to_vec(), needed: needed.to_vec(), writers, scratch: Scratch::default() }
    }

    fn read_row(&mut self, record: &[u8], columns: &mut [NestedColumn]) -> Result<(), String> {
        let Self { columns: declared, needed, writers, scratch } = self;
        let (plan, message) = match writers {
            Writers::One(plan) => (plan, record),
            Writers::Registered(schemas, plans) => {
                let header = match plans.header_of(record) {
                    Some(header) => header,
                    None => &record[..header_length(record)?],
                };
                (plans.get(header, || find_plan(schemas, header, declared, needed)), &record[header.len()..])
            }
        };
        let plan = plan.as_mut().map_err(|reason| reason.clone())?;
        let mut reader = Reader {
            marks: &mut plan.marks,
            scratch,
            merges_left: MERGES_MAX,
            cells_left: CELLS_MIN + CELLS_PER_BYTE * message.len(),
        };
        reader.message(&plan.root, message, columns).map_err(|fault| fault.to_string())
    }
}

fn find_plan(
    schemas: &SchemaLookup<ProtobufSchema>,
    header: &[u8],
    columns: &[Column],
    needed: &[bool],
) -> Found<Plan> {
    let (id, path) = match split_header(header) {
        Ok(split) => split,
        Err(reason) => return Found::Absent(reason),
    };
    let schema = match schemas(id) {
        Ok(Some(schema)) => schema,
        absent => return Found::Absent(absent.err().unwrap_or_else(|| no_schema(id))),
    };
    let Some(message) = schema.at(&path) else {
        return Found::Absent(format!("schema {id} has no message at {path:?}"));
    };
    let plan = Plan::new(&schema, message, columns, needed);
    Found::Plan(plan.map_err(|reason| format!("schema {id} does not fit the columns: {reason}")))
}

impl Decoder for ProtobufDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let rows = bytes.len();
        if let Writers::Registered(_, plans) = &mut self.writers {
            plans.begin_batch();
        }
        let mut columns: Vec<NestedColumn> =
            self.columns.iter().map(|column| NestedColumn::new(&column.sql_type)).collect();
        let mut marks = RowMarks::default();
        let push_null = |columns: &mut [NestedColumn], needed: &[bool]| {
            columns.iter_mut().zip(needed).filter(|(_, needed)| **needed).for_each(|(column, _)| column.push_null());
        };
        for row in 0..rows {
            if bytes.is_null(row) {
                marks.null(row);
                push_null(&mut columns, &self.needed);
            } else if let Err(reason) = self.read_row(bytes.value(row), &mut columns) {
                marks.error(row, reason);
                columns.iter_mut().for_each(|column| column.truncate(row));
                push_null(&mut columns, &self.needed);
            }
        }
        let finish = |(column, (declared, needed)): (&mut NestedColumn, (&Column, &bool))| -> ArrayRef {
            if *needed { column.finish() } else { new_null_array(&declared.sql_type.arrow(), rows) }
        };
        let columns = columns.iter_mut().zip(self.columns.iter().zip(&self.needed)).map(finish).collect();
        Decoded { columns, nulls: marks.null_bits(rows), errors: marks.errors }
    }
}

/// Messages of one record that may come in several parts, which have to be put together.
const MERGES_MAX: u32 = 1_000;

/// Cells that a record may fill with default values, whatever its size: two bytes can be a message of any number of fields.
const CELLS_MIN: usize = 1 << 16;

/// And as many for each byte.
const CELLS_PER_BYTE: usize = 64;

/// A record being read.
struct Reader<'p> {
    marks: &'p mut [u64],
    scratch: &'p mut Scratch,
    merges_left: u32,
    cells_left: usize,
}

impl Reader<'_> {
    /// Reads the message `bytes` into one cell of each column that the plan has.
    ///
    /// Each message has an even number of its own. A column's mark is that number when its field has come, and one more when
    /// all parts of it were put together.
    fn message(&mut self, plan: &MessagePlan, bytes: &[u8], columns: &mut [NestedColumn]) -> Read<()> {
        let left = self.cells_left.checked_sub(plan.ends.len());
        self.cells_left = left.ok_or_else(|| Fault::Wrong("too many values for its size are left out".to_owned()))?;
        self.scratch.message += 2;
        let message = self.scratch.message;
        let mut reader = ByteReader::new(bytes);
        let mut expected = 0;
        while !reader.is_at_end() {
            let tag = reader.varint()?;
            let step = match plan.step(expected) {
                Some(step) if step.tag == tag => step,
                _ => match plan.find(number(tag)).and_then(|index| plan.step(index)) {
                    Some(step) => step,
                    None => {
                        skip(&mut reader, tag)?;
                        continue;
                    }
                },
            };
            expected = step.next;
            self.field(step, tag, &mut reader, (bytes, message), &mut columns[step.column])?;
        }
        for end in &plan.ends {
            if self.marks[end.mark] < message || matches!(end.kind, EndKind::List | EndKind::Map(_)) {
                self.end(end, plan, (bytes, message), &mut columns[end.column])?;
            }
        }
        Ok(())
    }

    /// Reads a value of the field of `step`. `whole` are the bytes and the number of the message that it stands in.
    #[inline]
    fn field(
        &mut self,
        step: &Step,
        tag: u64,
        reader: &mut ByteReader<'_>,
        whole: (&[u8], u64),
        column: &mut NestedColumn,
    ) -> Read<()> {
        let found = wire_type(tag);
        if found != step.wire_type && !(step.packable && found == DELIMITED) {
            return skip(reader, tag);
        }
        let (bytes, message) = whole;
        let mark = self.marks[step.mark];
        match (&step.action, column) {
            (Action::One(leaf), NestedColumn::Scalar(column, sql_type)) => {
                if mark >= message {
                    if matches!(leaf, Leaf::WellKnown(_)) {
                        return self.merged(step, reader, tag, bytes, mark == message, |_, whole| {
                            column.truncate(column.len() - 1);
                            let mut value = Vec::new();
                            write_varint(&mut value, whole.len() as u64);
                            value.extend_from_slice(whole);
                            read_leaf(leaf, &mut ByteReader::new(&value), column, sql_type).map(drop)
                        });
                    }
                    column.truncate(column.len() - 1);
                }
                if read_leaf(leaf, reader, column, sql_type)? {
                    self.marks[step.mark] = message;
                } else {
                    // An enum's number that its reader would not know: the value is not there.
                    self.marks[step.mark] = 0;
                }
            }
            (Action::Message(plan), NestedColumn::Record(record)) => {
                if mark >= message {
                    return self.merged(step, reader, tag, bytes, mark == message, |reader, whole| {
                        record.truncate_last();
                        reader.record(plan, whole, record)
                    });
                }
                self.record(plan, delimited(reader)?, record)?;
                self.marks[step.mark] = message;
            }
            (Action::List(element), NestedColumn::List(list)) => {
                if found == step.wire_type {
                    return self.element(element, reader, &mut list.element);
                }
                let mut packed = ByteReader::new(delimited(reader)?);
                while !packed.is_at_end() {
                    self.element(element, &mut packed, &mut list.element)?;
                }
            }
            (Action::Map(plan), NestedColumn::Map(map)) => {
                self.entry(plan, delimited(reader)?, map)?;
            }
            (Action::Choice(member, action), NestedColumn::Record(record)) => {
                if mark >= message {
                    record.truncate_last();
                }
                self.marks[step.mark] = 0;
                if self.choice(*member, action, reader, record)? {
                    self.marks[step.mark] = message;
                }
            }
            _ => unreachable!("plans are compiled for their columns"),
        }
        Ok(())
    }

    fn element(&mut self, element: &Element, reader: &mut ByteReader<'_>, column: &mut NestedColumn) -> Read<()> {
        match (element, column) {
            (Element::Leaf(leaf), NestedColumn::Scalar(column, sql_type)) => {
                read_leaf(leaf, reader, column, sql_type).map(drop)
            }
            (Element::Message(plan), NestedColumn::Record(record)) => self.record(plan, delimited(reader)?, record),
            _ => unreachable!("plans are compiled for their columns"),
        }
    }

    fn record(&mut self, plan: &MessagePlan, bytes: &[u8], record: &mut RecordColumn) -> Read<()> {
        self.message(plan, bytes, &mut record.fields)?;
        record.end();
        Ok(())
    }

    /// Reads an entry; false, and nothing is left, if its key is NULL.
    fn entry(&mut self, plan: &MessagePlan, bytes: &[u8], map: &mut MapColumn) -> Read<bool> {
        let index = map.entries[0].len();
        self.message(plan, bytes, &mut *map.entries)?;
        let is_kept = !map.is_null_key(index);
        if !is_kept {
            map.drop_last_entry();
        }
        Ok(is_kept)
    }

    /// Reads one of several fields: the others are NULL. False, and no cell, if its value is not there.
    fn choice(
        &mut self,
        member: usize,
        action: &Action,
        reader: &mut ByteReader<'_>,
        record: &mut RecordColumn,
    ) -> Read<bool> {
        let is_there = match (action, &mut record.fields[member]) {
            (Action::One(leaf), NestedColumn::Scalar(column, sql_type)) => read_leaf(leaf, reader, column, sql_type)?,
            (Action::Message(plan), NestedColumn::Record(inner)) => {
                self.record(plan, delimited(reader)?, inner)?;
                true
            }
            _ => unreachable!("choices are single values"),
        };
        if is_there {
            let others = record.fields.iter_mut().enumerate().filter(|(index, _)| *index != member);
            others.for_each(|(_, column)| column.push_null());
            record.end();
        }
        Ok(is_there)
    }

    /// A field that came before comes again: what it holds is that of all its parts together, one after the other. Puts them
    /// together the first time that this happens.
    fn merged(
        &mut self,
        step: &Step,
        reader: &mut ByteReader<'_>,
        tag: u64,
        bytes: &[u8],
        is_first: bool,
        read: impl FnOnce(&mut Self, &[u8]) -> Read<()>,
    ) -> Read<()> {
        skip(reader, tag)?;
        if !is_first {
            return Ok(());
        }
        let left = self.merges_left.checked_sub(1);
        self.merges_left = left.ok_or_else(|| Fault::Wrong("too many messages come in parts".to_owned()))?;
        let mut whole = Vec::new();
        each_value(step.number, bytes, |part| {
            check_fields(part)?;
            whole.extend_from_slice(part);
            Ok(())
        })?;
        self.marks[step.mark] += 1;
        read(self, &whole)
    }

    /// Gives the column of `end` its cell, if that is not there.
    fn end(&mut self, end: &End, plan: &MessagePlan, whole: (&[u8], u64), column: &mut NestedColumn) -> Read<()> {
        match (&end.kind, column) {
            (EndKind::Null, column) => column.push_null(),
            (EndKind::Default(cell), NestedColumn::Scalar(column, sql_type)) => push_cell(column, cell, sql_type)?,
            (EndKind::Empty(step), NestedColumn::Record(record)) => match plan.step(*step).map(|step| &step.action) {
                Some(Action::Message(plan)) => self.record(plan, &[], record)?,
                _ => unreachable!("the step is that of a message"),
            },
            (EndKind::List, NestedColumn::List(list)) => list.end(),
            (EndKind::Map(step), NestedColumn::Map(map)) => {
                self.drop_repeated(plan.step(*step).expect("the step is that of a map"), whole.0, map)?;
                map.end();
            }
            _ => unreachable!("plans are compiled for their columns"),
        }
        Ok(())
    }

    /// Of entries with equal keys the last one counts: if there are any, the map is read again without the others.
    fn drop_repeated(&mut self, step: &Step, bytes: &[u8], map: &mut MapColumn) -> Read<()> {
        let base = map.closed_entries();
        let NestedColumn::Scalar(ScalarColumn::Text(keys), _) = &map.entries[0] else {
            unreachable!("keys of maps are texts")
        };
        let repeated = keys.repeated(base, &mut self.scratch.order);
        if repeated.is_empty() {
            return Ok(());
        }
        let Action::Map(plan) = &step.action else { unreachable!("the step is that of a map") };
        map.truncate_entries(base);
        let mut index = 0;
        each_value(step.number, bytes, |entry| {
            if self.entry(plan, entry, map)? {
                if repeated.binary_search(&index).is_ok() {
                    map.drop_last_entry();
                }
                index += 1;
            }
            Ok(())
        })
    }
}

/// Refuses a part of a message that ends within a field: another part would go on with it.
fn check_fields(part: &[u8]) -> Read<()> {
    let mut reader = ByteReader::new(part);
    while !reader.is_at_end() {
        let tag = reader.varint()?;
        skip(&mut reader, tag)?;
    }
    Ok(())
}

/// Hands every value of the delimited field `number` of the message `bytes` to `take`.
fn each_value(number: u32, bytes: &[u8], mut take: impl FnMut(&[u8]) -> Read<()>) -> Read<()> {
    let mut reader = ByteReader::new(bytes);
    while !reader.is_at_end() {
        let found = reader.varint()?;
        if found == tag(number, DELIMITED) { take(delimited(&mut reader)?)? } else { skip(&mut reader, found)? }
    }
    Ok(())
}
