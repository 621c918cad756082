//! Avro to columns. The writer's schema is found by the id in front of each record, and compiled against the columns once.

use arrow::array::{Array, ArrayRef, BinaryArray, new_null_array};
use arrow::datatypes::i256;

use super::cursor::{Cursor, Fault, Read};
use crate::formats::decimal_bytes::{self, big_endian};
use crate::formats::nested_column::{NestedColumn, columns_of, find_field};
use crate::formats::rows::RowMarks;
use crate::formats::scalar_column::ScalarColumn;
use crate::formats::schemas::{SchemaLookup, no_schema, split_id};
use crate::formats::writer_plans::{Found, WriterPlans};
use crate::formats::{Decoded, Decoder};
use crate::registry::avro::{AvroSchema, Node, NodeId};
use crate::types::{Column, SqlType};

/// Decodes records, or bare values of the only column.
pub(in crate::formats) struct AvroDecoder {
    columns: Vec<Column>,
    needed: Vec<bool>,
    bare: bool,
    schemas: SchemaLookup<AvroSchema>,
    /// What to do with records of the schemas seen so far.
    plans: WriterPlans<Plan>,
}

/// A schema, and where its values go.
struct Plan {
    schema: AvroSchema,
    step: Step,
    /// Columns that are built.
    built: Vec<usize>,
}

/// What is done with a value of a node.
enum Step {
    /// It is read and forgotten.
    Skip(NodeId),
    /// It is NULL.
    Null,
    Scalar(NodeId),
    List(Box<Step>),
    /// A map, by its values.
    Map(Box<Step>),
    /// A map written as an array of keys and values.
    Entries(Box<Step>, Box<Step>),
    Record {
        /// For each field of the writer what is done and for which column.
        fields: Vec<(Step, Option<usize>)>,
        /// Columns that the writer does not know.
        missing: Vec<usize>,
    },
    /// The branch says what is done.
    Union(Vec<Step>),
    /// Each branch goes into a column of its own.
    Branches {
        /// For each branch what is done and for which column.
        branches: Vec<(Step, Option<usize>)>,
        /// All columns that are built.
        columns: Vec<usize>,
    },
}

impl AvroDecoder {
    pub(in crate::formats) fn new(
        columns: &[Column],
        needed: &[bool],
        bare: bool,
        schemas: SchemaLookup<AvroSchema>,
    ) -> Self {
        Self { columns: columns.to_vec(), needed: needed.to_vec(), bare, schemas, plans: WriterPlans::new() }
    }

    fn read_row(&mut self, bytes: &[u8], columns: &mut [NestedColumn]) -> Result<(), String> {
        let (id, datum) = split_id(bytes)?;
        let Self { columns: declared, needed, bare, schemas, plans } = self;
        let plan = plans.get(&bytes[..bytes.len() - datum.len()], || match schemas(id) {
            Ok(Some(schema)) => Found::Plan(
                Plan::new(schema, declared, needed, *bare)
                    .map_err(|reason| format!("schema {id} does not fit the columns: {reason}")),
            ),
            absent => Found::Absent(absent.err().unwrap_or_else(|| no_schema(id))),
        });
        let plan = plan.as_ref().map_err(Clone::clone)?;
        let mut reader = Reader { schema: &plan.schema, cursor: Cursor::new(datum), depth: 0 };
        let read = if *bare { reader.read(&plan.step, &mut columns[0]) } else { reader.row(plan, columns) };
        read.and_then(|()| {
            if reader.cursor.is_at_end() { Ok(()) } else { Err(Fault::Wrong("bytes are left over".to_owned())) }
        })
        .map_err(|fault| fault.to_string())
    }
}

impl Plan {
    fn new(schema: AvroSchema, columns: &[Column], needed: &[bool], bare: bool) -> Result<Self, String> {
        let compiler = Compiler { schema: &schema };
        let root = schema.root();
        let step = if bare {
            compiler.step(root, &columns[0].sql_type)?
        } else {
            let columns = columns.iter().map(|column| (column.name.clone(), &column.sql_type)).collect();
            compiler.row(root, columns, needed)?
        };
        let built = (0..needed.len()).filter(|index| needed[*index]).collect();
        Ok(Self { schema, step, built })
    }

    fn is_nullable(&self) -> bool {
        matches!(self.schema.node(self.schema.root()), Node::Union(_))
    }
}

impl Decoder for AvroDecoder {
    fn decode(&mut self, bytes: &BinaryArray) -> Decoded {
        let rows = bytes.len();
        self.plans.begin_batch();
        let mut columns: Vec<NestedColumn> =
            self.columns.iter().map(|column| NestedColumn::new(&column.sql_type)).collect();
        let mut marks = RowMarks::default();
        for row in 0..rows {
            if bytes.is_null(row) {
                marks.null(row);
                columns.iter_mut().for_each(NestedColumn::push_null);
                continue;
            }
            if let Err(reason) = self.read_row(bytes.value(row), &mut columns) {
                marks.error(row, reason);
                for column in &mut columns {
                    column.truncate(row);
                    column.push_null();
                }
            }
        }
        let finish = |(column, (declared, needed)): (&mut NestedColumn, (&Column, &bool))| -> ArrayRef {
            if *needed { column.finish() } else { new_null_array(&declared.sql_type.arrow(), rows) }
        };
        let columns = columns.iter_mut().zip(self.columns.iter().zip(&self.needed)).map(finish).collect();
        Decoded { columns, nulls: marks.null_bits(rows), errors: marks.errors }
    }
}

/// Compiles nodes of a schema against types.
struct Compiler<'a> {
    schema: &'a AvroSchema,
}

impl Compiler<'_> {
    fn step(&self, node: NodeId, sql_type: &SqlType) -> Result<Step, String> {
        let misfit = || Err(format!("{} cannot be read as {sql_type}", self.schema.kind(node)));
        match (self.schema.node(node), sql_type) {
            (Node::Null, _) => Ok(Step::Null),
            (Node::Union(_), _) => self.union(node, sql_type),
            (Node::Array(items), SqlType::Array(element)) => Ok(Step::List(Box::new(self.step(*items, element)?))),
            (Node::Array(items), SqlType::Map(key, value)) if self.schema.is_entry(*items) => {
                let fields = self.schema.fields(*items).unwrap_or_default();
                let (key, value) = (self.step(fields[0].node, key)?, self.step(fields[1].node, value)?);
                Ok(Step::Entries(Box::new(key), Box::new(value)))
            }
            (Node::Map(values), SqlType::Map(key, value)) if **key == SqlType::String => {
                Ok(Step::Map(Box::new(self.step(*values, value)?)))
            }
            (Node::Record(_), SqlType::Struct(fields)) => {
                let columns = fields.iter().map(|field| (field.name.clone(), &field.sql_type)).collect();
                self.record(node, columns, &vec![true; fields.len()])
            }
            (scalar, sql_type) if fits(scalar, sql_type) => Ok(Step::Scalar(node)),
            _ => misfit(),
        }
    }

    /// What is done with the record `node`. Of a union of several records, each goes into the column of its name; where no column
    /// has such a name, the fields of all go into the columns of theirs.
    fn row(&self, node: NodeId, columns: Vec<(String, &SqlType)>, needed: &[bool]) -> Result<Step, String> {
        let Some(branches) = self.schema.several(node) else {
            return self.record(self.schema.without_null(node), columns, needed);
        };
        let names: Vec<String> = columns.iter().map(|(name, _)| name.clone()).collect();
        if branches.iter().any(|branch| find_field(&names, self.schema.branch_name(*branch)).is_some()) {
            return self.branches(branches, columns, needed);
        }
        let steps = branches.iter().map(|branch| match self.schema.node(*branch) {
            Node::Null => Ok(Step::Null),
            _ => self.record(*branch, columns.clone(), needed),
        });
        steps.collect::<Result<_, _>>().map(Step::Union)
    }

    /// The fields of `node` for the columns of which `needed` are built.
    fn record(&self, node: NodeId, columns: Vec<(String, &SqlType)>, needed: &[bool]) -> Result<Step, String> {
        let Some(written) = self.schema.fields(node) else {
            return Err(format!("{} is no record", self.schema.kind(node)));
        };
        let (names, types): (Vec<String>, Vec<&SqlType>) = columns.into_iter().unzip();
        let mut fields = Vec::with_capacity(written.len());
        let mut missing: Vec<usize> = (0..names.len()).collect();
        let found = columns_of(&names, written.iter().map(|field| field.name.as_str()));
        for (field, found) in written.iter().zip(found) {
            missing.retain(|index| Some(*index) != found);
            let step = match found {
                Some(index) if needed[index] => {
                    let step = self.step(field.node, types[index]);
                    step.map_err(|reason| format!("field {}: {reason}", field.name))?
                }
                _ => Step::Skip(field.node),
            };
            let kept = found.filter(|index| needed[*index]);
            fields.push((step, kept));
        }
        // Columns that nobody needs have no cells.
        missing.retain(|index| needed[*index]);
        Ok(Step::Record { fields, missing })
    }

    fn union(&self, node: NodeId, sql_type: &SqlType) -> Result<Step, String> {
        if let (SqlType::Struct(fields), Some(branches)) = (sql_type, self.schema.several(node)) {
            let columns = fields.iter().map(|field| (field.name.clone(), &field.sql_type)).collect();
            return self.branches(branches, columns, &vec![true; fields.len()]);
        }
        let Node::Union(branches) = self.schema.node(node) else { unreachable!("it is a union") };
        let steps = branches.iter().map(|branch| self.step(*branch, sql_type));
        steps.collect::<Result<_, _>>().map(Step::Union)
    }

    /// Each of `branches` for the column of its name, if that is `needed`.
    fn branches(&self, branches: &[NodeId], columns: Vec<(String, &SqlType)>, needed: &[bool]) -> Result<Step, String> {
        let (names, types): (Vec<String>, Vec<&SqlType>) = columns.into_iter().unzip();
        let named = |branch: &NodeId| find_field(&names, self.schema.branch_name(*branch));
        let steps = branches.iter().map(|branch| {
            Ok(match named(branch).filter(|index| needed[*index]) {
                _ if *self.schema.node(*branch) == Node::Null => (Step::Null, None),
                Some(index) => {
                    let step = self.step(*branch, types[index]);
                    let name = self.schema.branch_name(*branch);
                    (step.map_err(|reason| format!("branch {name}: {reason}"))?, Some(index))
                }
                None => (Step::Skip(*branch), None),
            })
        });
        let branches = steps.collect::<Result<_, String>>()?;
        Ok(Step::Branches { branches, columns: (0..names.len()).filter(|index| needed[*index]).collect() })
    }
}

/// Whether values of a node can stand in a column of this type.
fn fits(node: &Node, sql_type: &SqlType) -> bool {
    match sql_type {
        SqlType::Boolean => matches!(node, Node::Boolean),
        SqlType::Integer | SqlType::Date | SqlType::Time => matches!(node, Node::Int),
        SqlType::Bigint | SqlType::Timestamp => matches!(node, Node::Int | Node::Long),
        SqlType::Double => matches!(node, Node::Int | Node::Long | Node::Float | Node::Double),
        SqlType::Decimal { .. } => {
            matches!(node, Node::Bytes { scale: Some(_) } | Node::Fixed { scale: Some(_), .. } | Node::Int | Node::Long)
        }
        SqlType::String => matches!(node, Node::String | Node::Enum(_) | Node::Int | Node::Long | Node::Boolean),
        SqlType::Bytes => matches!(node, Node::Bytes { .. } | Node::Fixed { .. }),
        SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => false,
    }
}

/// A datum being read.
struct Reader<'a> {
    schema: &'a AvroSchema,
    cursor: Cursor<'a>,
    depth: u32,
}

/// Values nested deeper are refused: a schema may hold itself.
const DEPTH_MAX: u32 = 256;

impl Reader<'_> {
    fn read(&mut self, step: &Step, column: &mut NestedColumn) -> Read<()> {
        match (step, column) {
            (Step::Null, column) => column.push_null(),
            (Step::Skip(node), column) => {
                self.skip(*node)?;
                column.push_null();
            }
            (Step::Union(steps), column) => {
                let step = self.branch(steps)?;
                self.read(step, column)?;
            }
            (Step::Scalar(node), NestedColumn::Scalar(column, sql_type)) => self.scalar(*node, column, sql_type)?,
            (Step::List(element), NestedColumn::List(list)) => {
                self.blocks(|reader| reader.read(element, &mut list.element))?;
                list.end();
            }
            (Step::Map(value), NestedColumn::Map(map)) => {
                self.blocks(|reader| {
                    let [NestedColumn::Scalar(ScalarColumn::Text(keys), _), values] = &mut *map.entries else {
                        unreachable!("keys of maps are texts")
                    };
                    keys.push_text(reader.cursor.bytes()?)?;
                    reader.read(value, values)
                })?;
                map.end();
            }
            (Step::Entries(key, value), NestedColumn::Map(map)) => {
                self.blocks(|reader| {
                    let [keys, values] = &mut *map.entries;
                    let before = keys.len();
                    reader.read(key, keys)?;
                    reader.read(value, values)?;
                    if map.is_null_key(before) {
                        map.drop_last_entry();
                    }
                    Ok(())
                })?;
                map.end();
            }
            (Step::Record { fields, missing }, NestedColumn::Record(record)) => {
                self.fields(fields, missing, &mut record.fields, false)?;
                record.end();
            }
            (Step::Branches { branches, columns }, NestedColumn::Record(record)) => match self.branch(branches)? {
                (Step::Skip(node), None) => {
                    self.skip(*node)?;
                    record.push_null();
                }
                (_, None) => record.push_null(),
                (step, found) => {
                    self.place(step, *found, columns, &mut record.fields)?;
                    record.end();
                }
            },
            _ => unreachable!("steps are compiled for their columns"),
        }
        Ok(())
    }

    /// Reads a whole record.
    fn row(&mut self, plan: &Plan, columns: &mut [NestedColumn]) -> Read<()> {
        match &plan.step {
            Step::Record { fields, missing } => self.fields(fields, missing, columns, plan.is_nullable()),
            Step::Branches { branches, columns: built } => {
                let (step, found) = self.branch(branches)?;
                self.place(step, *found, built, columns)
            }
            Step::Union(branches) => match self.branch(branches)? {
                Step::Record { fields, missing } => self.fields(fields, missing, columns, false),
                _ => {
                    plan.built.iter().for_each(|index| columns[*index].push_null());
                    Ok(())
                }
            },
            _ => unreachable!("columns are the fields of a record"),
        }
    }

    /// Reads the fields of a record into `columns`.
    fn fields(
        &mut self,
        fields: &[(Step, Option<usize>)],
        missing: &[usize],
        columns: &mut [NestedColumn],
        nullable: bool,
    ) -> Read<()> {
        if nullable {
            // A record in a union with null: the branch of the record has fields, the other none.
            let schema = self.schema;
            let Node::Union(branches) = schema.node(schema.root()) else { unreachable!("it is a union") };
            let branch = self.branch(branches)?;
            if *self.schema.node(*branch) == Node::Null {
                let kept = fields.iter().filter_map(|(_, column)| *column);
                kept.chain(missing.iter().copied()).for_each(|column| columns[column].push_null());
                return Ok(());
            }
        }
        for (step, column) in fields {
            match (step, column) {
                (step, Some(column)) => self.read(step, &mut columns[*column])?,
                (Step::Skip(node), None) => self.skip(*node)?,
                _ => unreachable!("what has no column is skipped"),
            }
        }
        missing.iter().for_each(|column| columns[*column].push_null());
        Ok(())
    }

    /// That one of `branches` which the datum says.
    fn branch<'s, B>(&mut self, branches: &'s [B]) -> Read<&'s B> {
        let index = self.cursor.long()?;
        usize::try_from(index).ok().and_then(|index| branches.get(index)).ok_or_else(|| no_branch(index))
    }

    /// Reads the value of a branch into the column `found`; the others of those that are `built` are NULL.
    fn place(&mut self, step: &Step, found: Option<usize>, built: &[usize], columns: &mut [NestedColumn]) -> Read<()> {
        if let (Step::Skip(node), None) = (step, found) {
            self.skip(*node)?;
        }
        for &index in built {
            if found == Some(index) { self.read(step, &mut columns[index])? } else { columns[index].push_null() }
        }
        Ok(())
    }

    /// Reads the elements of an array or map.
    fn blocks(&mut self, mut read: impl FnMut(&mut Self) -> Read<()>) -> Read<()> {
        loop {
            let count = self.cursor.block()?;
            if count == 0 {
                return Ok(());
            }
            for _ in 0..count {
                read(self)?;
            }
        }
    }

    #[inline]
    fn scalar(&mut self, node: NodeId, column: &mut ScalarColumn, sql_type: &SqlType) -> Read<()> {
        let node = self.schema.node(node);
        match (node, column) {
            (Node::Boolean, ScalarColumn::Boolean(column)) => column.push(self.cursor.boolean()?),
            (Node::Int, ScalarColumn::Integer(column)) => column.push(self.cursor.int()?),
            (Node::Int, ScalarColumn::Date(column)) => column.push(self.cursor.int()?),
            (Node::Int, ScalarColumn::Time(column)) => column.push(self.cursor.int()?),
            (Node::Int | Node::Long, ScalarColumn::Bigint(column)) => column.push(self.cursor.long()?),
            (Node::Int | Node::Long, ScalarColumn::Timestamp(column)) => column.push(self.cursor.long()?),
            (Node::Int | Node::Long, ScalarColumn::Double(column)) => column.push(self.cursor.long()? as f64),
            (Node::Float, ScalarColumn::Double(column)) => column.push(f64::from(self.cursor.float()?)),
            (Node::Double, ScalarColumn::Double(column)) => column.push(self.cursor.double()?),
            (Node::String, ScalarColumn::Text(column)) => {
                column.push_text(self.cursor.bytes()?)?;
            }
            (Node::Int | Node::Long, ScalarColumn::Text(column)) => {
                column.push(itoa::Buffer::new().format(self.cursor.long()?).as_bytes())?;
            }
            (Node::Boolean, ScalarColumn::Text(column)) => {
                column.push(if self.cursor.boolean()? { b"true" } else { b"false" })?;
            }
            (Node::Enum(symbols), ScalarColumn::Text(column)) => {
                let index = self.cursor.long()?;
                let symbol = usize::try_from(index).ok().and_then(|index| symbols.get(index));
                let symbol = symbol.ok_or_else(|| Fault::Wrong(format!("an enum has no symbol {index}")))?;
                column.push(symbol.as_bytes())?;
            }
            (Node::Bytes { .. }, ScalarColumn::Bytes(column)) => {
                column.push(self.cursor.bytes()?)?;
            }
            (Node::Fixed { size, .. }, ScalarColumn::Bytes(column)) => {
                column.push(self.cursor.take(*size)?)?;
            }
            (node, ScalarColumn::Decimal128(column)) => {
                let digits = self.decimal(node, sql_type)?;
                column.push(digits.to_i128().unwrap_or_default());
            }
            (node, ScalarColumn::Decimal256(column)) => column.push(self.decimal(node, sql_type)?),
            _ => unreachable!("steps are compiled for their columns"),
        }
        Ok(())
    }

    /// Digits of a decimal with the scale of `sql_type`.
    fn decimal(&mut self, node: &Node, sql_type: &SqlType) -> Read<i256> {
        let (digits, from) = match node {
            Node::Int | Node::Long => (Some(i256::from_i128(self.cursor.long()?.into())), 0),
            Node::Fixed { size, scale } => (big_endian(self.cursor.take(*size)?), scale.unwrap_or(0)),
            Node::Bytes { scale } => (big_endian(self.cursor.bytes()?), scale.unwrap_or(0)),
            _ => unreachable!("steps are compiled for their columns"),
        };
        decimal_bytes::fit(digits, from, sql_type)
    }

    fn skip(&mut self, node: NodeId) -> Read<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Fault::Wrong(format!("values are nested more than {DEPTH_MAX} deep")));
        }
        let schema = self.schema;
        match schema.node(node) {
            Node::Null | Node::Open => {}
            Node::Boolean => drop(self.cursor.boolean()?),
            Node::Int | Node::Long | Node::Enum(_) => drop(self.cursor.long()?),
            Node::Float => drop(self.cursor.float()?),
            Node::Double => drop(self.cursor.double()?),
            Node::Bytes { .. } | Node::String => drop(self.cursor.bytes()?),
            Node::Fixed { size, .. } => drop(self.cursor.take(*size)?),
            Node::Array(items) => self.blocks(|reader| reader.skip(*items))?,
            Node::Map(values) => self.blocks(|reader| {
                reader.cursor.bytes()?;
                reader.skip(*values)
            })?,
            Node::Record(fields) => fields.iter().try_for_each(|field| self.skip(field.node))?,
            Node::Union(branches) => {
                let branch = self.branch(branches)?;
                self.skip(*branch)?;
            }
        }
        self.depth -= 1;
        Ok(())
    }
}

fn no_branch(index: i64) -> Fault {
    Fault::Wrong(format!("a union has no branch {index}"))
}
