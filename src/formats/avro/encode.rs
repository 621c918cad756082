//! Columns to Avro, by one schema: that of the columns, or one that a statement names.

use std::collections::HashSet;

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::i256;

use super::cursor::write_long;
use super::default::datum;
use crate::formats::decimal_bytes::{Digits, widen};
use crate::formats::nested_cells::{Cells, Values};
use crate::formats::nested_column::columns_of;
use crate::formats::rows::RowsWriter;
use crate::formats::scalar_cells::ScalarCells;
use crate::formats::schemas::write_id;
use crate::formats::{Encoded, Encoder};
use crate::registry::avro::{AvroSchema, Node, NodeId};
use crate::types::{Column, SqlType};

/// Encodes rows as records, or as bare values of their only column.
pub(in crate::formats) struct AvroEncoder {
    id: u32,
    types: Vec<SqlType>,
    root: Template,
    bare: bool,
}

/// How values of a type are written by a node.
struct Template {
    /// Branches of a union: that of null, and that of the value.
    null: Option<i64>,
    value: Option<i64>,
    /// What is written where there is no value and null cannot be.
    default: Option<Vec<u8>>,
    kind: Kind,
}

enum Kind {
    Scalar(Leaf),
    List(Box<Template>),
    Map(Box<Template>),
    Entries(Box<Template>, Box<Template>),
    Record(Vec<Field>),
    /// Branches of a union, of which one has a value.
    Branches(Vec<Branch>),
    /// Nothing fills it.
    Absent,
}

/// A branch of a union, with the column that fills it.
struct Branch {
    number: i64,
    column: usize,
    template: Template,
}

/// A field of the schema, with the column that fills it.
struct Field {
    name: String,
    column: Option<usize>,
    template: Template,
}

/// What a scalar becomes.
enum Leaf {
    Plain,
    Float,
    Enum(Vec<String>),
    Fixed(usize),
    /// Digits with this scale, in so many bytes or as many as needed.
    Decimal {
        scale: u8,
        size: Option<usize>,
    },
}

impl AvroEncoder {
    /// Writes `columns` by `schema`, which has the id `id`.
    ///
    /// # Errors
    /// A text that says which column the schema has no room for.
    pub(in crate::formats) fn new(
        columns: &[Column],
        bare: bool,
        id: u32,
        schema: &AvroSchema,
    ) -> Result<Self, String> {
        let compiler = Compiler { schema };
        let root = if bare {
            compiler.template(schema.root(), &columns[0].sql_type)?
        } else {
            let types = columns.iter().map(|column| (column.name.clone(), column.sql_type.clone())).collect();
            compiler.row(schema.root(), types)?
        };
        Ok(Self { id, types: columns.iter().map(|column| column.sql_type.clone()).collect(), root, bare })
    }

    /// Whether every field of the schema has a column, or may be null.
    pub(in crate::formats) fn fills_its_schema(&self) -> bool {
        self.root.is_filled()
    }
}

impl Template {
    fn is_filled(&self) -> bool {
        match &self.kind {
            Kind::Scalar(..) => true,
            Kind::Absent => self.null.is_some() || self.default.is_some(),
            Kind::List(part) | Kind::Map(part) => part.is_filled(),
            Kind::Entries(key, value) => key.is_filled() && value.is_filled(),
            Kind::Record(fields) => fields.iter().all(|field| field.template.is_filled()),
            Kind::Branches(branches) => branches.iter().all(|branch| branch.template.is_filled()),
        }
    }
}

impl Encoder for AvroEncoder {
    fn encode(&mut self, columns: &[ArrayRef], rows: usize, nulls: Option<&BooleanBuffer>) -> Encoded {
        let mut writer = RowsWriter::new(rows, rows * 64);
        let cells = Cells::of_columns(&self.types, columns);
        for row in 0..rows {
            if nulls.is_some_and(|nulls| nulls.value(row)) || self.bare && cells[0].is_null(row) {
                writer.null();
                continue;
            }
            write_id(&mut writer.out, self.id);
            let written = match &self.root.kind {
                Kind::Record(fields) if !self.bare => {
                    if let Some(branch) = self.root.value {
                        write_long(&mut writer.out, branch);
                    }
                    write_fields(fields, &cells, &mut writer.out, row)
                }
                Kind::Branches(branches) if !self.bare => {
                    write_branch(branches, self.root.null, &cells, &mut writer.out, row)
                }
                _ => write_value(&cells[0], &self.root, &mut writer.out, row),
            };
            match written {
                Ok(()) => writer.end(),
                Err(reason) => writer.fail(format!("Unable to serialize record: {reason}")),
            }
        }
        writer.finish()
    }

    fn schema_id(&self) -> Option<u32> {
        Some(self.id)
    }
}

/// Compiles types against nodes of a schema.
struct Compiler<'a> {
    schema: &'a AvroSchema,
}

impl Compiler<'_> {
    /// The node behind a union, with its branch and that of null.
    fn branches(&self, node: NodeId) -> (NodeId, Option<i64>, Option<i64>) {
        let Node::Union(branches) = self.schema.node(node) else { return (node, None, None) };
        let is_null = |branch: &NodeId| *self.schema.node(*branch) == Node::Null;
        let null = branches.iter().position(is_null).map(|index| index as i64);
        match branches.iter().position(|branch| !is_null(branch)) {
            Some(index) => (branches[index], null, Some(index as i64)),
            None => (node, null, None),
        }
    }

    fn template(&self, node: NodeId, sql_type: &SqlType) -> Result<Template, String> {
        if let (SqlType::Struct(fields), Some(_)) = (sql_type, self.schema.several(node)) {
            let columns = fields.iter().map(|field| (field.name.clone(), field.sql_type.clone())).collect();
            return self.row(node, columns);
        }
        let (node, null, value) = self.branches(node);
        let schema = self.schema;
        let kind = match (schema.node(node), sql_type) {
            (Node::Array(items), SqlType::Array(element)) => Kind::List(Box::new(self.template(*items, element)?)),
            (Node::Array(items), SqlType::Map(key, element)) if schema.is_entry(*items) => {
                let fields = schema.fields(*items).unwrap_or_default();
                let (key, element) = (self.template(fields[0].node, key)?, self.template(fields[1].node, element)?);
                Kind::Entries(Box::new(key), Box::new(element))
            }
            (Node::Map(values), SqlType::Map(key, element)) if **key == SqlType::String => {
                Kind::Map(Box::new(self.template(*values, element)?))
            }
            (Node::Record(_), SqlType::Struct(fields)) => {
                let fields = fields.iter().map(|field| (field.name.clone(), field.sql_type.clone())).collect();
                self.record(node, fields)?.kind
            }
            (node, sql_type) => match leaf(node, sql_type) {
                Some(leaf) => Kind::Scalar(leaf),
                None => return Err(format!("the schema has no room for {sql_type}")),
            },
        };
        Ok(Template { null, value, default: None, kind })
    }

    /// How `columns` are written by `node`, a record or a union of several types with a column for each.
    fn row(&self, node: NodeId, columns: Vec<(String, SqlType)>) -> Result<Template, String> {
        let Some(branches) = self.schema.several(node) else { return self.record(node, columns) };
        let known: Vec<String> = branches.iter().map(|branch| self.schema.branch_name(*branch).to_owned()).collect();
        let mut filled = Vec::with_capacity(columns.len());
        for (column, (name, sql_type)) in columns.iter().enumerate() {
            let index = known.iter().position(|branch| branch == name);
            let index = index.or_else(|| known.iter().position(|branch| branch.to_uppercase() == *name));
            let Some(index) = index else {
                return Err(format!("the union has no branch {name}: it has {}", known.join(", ")));
            };
            let template = self.template(branches[index], sql_type);
            let template = template.map_err(|reason| format!("branch {}: {reason}", known[index]))?;
            filled.push(Branch { number: index as i64, column, template });
        }
        let (_, null, _) = self.branches(node);
        Ok(Template { null, value: None, default: None, kind: Kind::Branches(filled) })
    }

    fn record(&self, node: NodeId, columns: Vec<(String, SqlType)>) -> Result<Template, String> {
        let (node, null, value) = self.branches(node);
        let Some(written) = self.schema.fields(node) else { return Err("the schema is no record".to_owned()) };
        let (names, types): (Vec<String>, Vec<SqlType>) = columns.into_iter().unzip();
        // Avro knows no points in names.
        let avro_names: Vec<String> = names.iter().map(|name| name.replace('.', "_")).collect();
        let found = columns_of(&avro_names, written.iter().map(|field| field.name.as_str()));
        let filled: HashSet<usize> = found.iter().copied().flatten().collect();
        if let Some(lost) = (0..avro_names.len()).find(|column| !filled.contains(column)) {
            return Err(format!("the schema has no field {}", avro_names[lost]));
        }
        let mut fields = Vec::with_capacity(written.len());
        for (field, column) in written.iter().zip(found) {
            let template = match column {
                Some(index) => self
                    .template(field.node, &types[index])
                    .map_err(|reason| format!("field {}: {reason}", field.name))?,
                None => {
                    let (_, null, value) = self.branches(field.node);
                    Template { null, value, default: None, kind: Kind::Absent }
                }
            };
            let default = field.default.as_ref().and_then(|value| datum(self.schema, field.node, value));
            fields.push(Field { name: field.name.clone(), column, template: Template { default, ..template } });
        }
        Ok(Template { null, value, default: None, kind: Kind::Record(fields) })
    }
}

/// How values of a scalar type are written by `node`; `None` if they are not.
fn leaf(node: &Node, sql_type: &SqlType) -> Option<Leaf> {
    Some(match (sql_type, node) {
        (SqlType::Boolean, Node::Boolean)
        | (SqlType::Integer, Node::Int | Node::Long)
        | (SqlType::Date | SqlType::Time, Node::Int)
        | (SqlType::Bigint | SqlType::Timestamp, Node::Long)
        | (SqlType::Double, Node::Double)
        | (SqlType::String, Node::String)
        | (SqlType::Bytes, Node::Bytes { scale: None }) => Leaf::Plain,
        (SqlType::Double, Node::Float) => Leaf::Float,
        (SqlType::String, Node::Enum(symbols)) => Leaf::Enum(symbols.clone()),
        (SqlType::Bytes, Node::Fixed { size, scale: None }) => Leaf::Fixed(*size),
        (SqlType::Decimal { .. }, Node::Bytes { scale: Some(scale) }) => Leaf::Decimal { scale: *scale, size: None },
        (SqlType::Decimal { .. }, Node::Fixed { size, scale: Some(scale) }) => {
            Leaf::Decimal { scale: *scale, size: Some(*size) }
        }
        _ => return None,
    })
}

/// Appends the cell at `row`.
fn write_value(cells: &Cells<'_>, template: &Template, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    if cells.is_null(row) {
        return write_null(template, out);
    }
    if let Some(branch) = template.value {
        write_long(out, branch);
    }
    match (&cells.values, &template.kind) {
        (Values::Scalar(cells), Kind::Scalar(leaf)) => write_scalar(cells, leaf, out, row)?,
        (Values::List(offsets, elements), Kind::List(template)) => {
            write_block(out, offsets, row, |out, element| write_value(elements, template, out, element))?;
        }
        (Values::Map(offsets, keys, values), Kind::Map(template)) => {
            let Values::Scalar(ScalarCells::Text(keys)) = &keys.values else { unreachable!("keys are texts") };
            write_block(out, offsets, row, |out, entry| {
                write_bytes(out, keys.value(entry).as_bytes());
                write_value(values, template, out, entry)
            })?;
        }
        (Values::Map(offsets, keys, values), Kind::Entries(key, value)) => {
            write_block(out, offsets, row, |out, entry| {
                write_value(keys, key, out, entry)?;
                write_value(values, value, out, entry)
            })?;
        }
        (Values::Record(cells), Kind::Record(fields)) => write_fields(fields, cells, out, row)?,
        (Values::Record(cells), Kind::Branches(branches)) => write_branch(branches, template.null, cells, out, row)?,
        _ => unreachable!("cells are made for their template"),
    }
    Ok(())
}

fn write_fields(fields: &[Field], cells: &[Cells<'_>], out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    for Field { name, column, template } in fields {
        let written = match column {
            Some(column) => write_value(&cells[*column], template, out, row),
            None => write_null(template, out),
        };
        written.map_err(|reason| format!("field {name}: {reason}"))?;
    }
    Ok(())
}

/// Appends the branch whose column has a value, else that of null, which is `null`.
fn write_branch(
    branches: &[Branch],
    null: Option<i64>,
    cells: &[Cells<'_>],
    out: &mut Vec<u8>,
    row: usize,
) -> Result<(), String> {
    let mut filled = branches.iter().filter(|branch| !cells[branch.column].is_null(row));
    match (filled.next(), filled.next(), null) {
        (Some(Branch { number, column, template }), None, _) => {
            write_long(out, *number);
            write_value(&cells[*column], template, out, row)
        }
        (Some(_), Some(_), _) => Err("several branches of a union have a value, and it holds one".to_owned()),
        (None, _, Some(null)) => {
            write_long(out, null);
            Ok(())
        }
        (None, _, None) => Err("no branch of the union has a value".to_owned()),
    }
}

fn write_null(template: &Template, out: &mut Vec<u8>) -> Result<(), String> {
    match (template.null, &template.default) {
        (Some(branch), _) => write_long(out, branch),
        (None, Some(default)) => out.extend_from_slice(default),
        (None, None) => return Err("the schema takes no null".to_owned()),
    }
    Ok(())
}

/// One block with all elements of a row, and the end.
fn write_block(
    out: &mut Vec<u8>,
    offsets: &[i32],
    row: usize,
    mut write: impl FnMut(&mut Vec<u8>, usize) -> Result<(), String>,
) -> Result<(), String> {
    let range = offsets[row] as usize..offsets[row + 1] as usize;
    if !range.is_empty() {
        write_long(out, range.len() as i64);
        range.into_iter().try_for_each(|element| write(out, element))?;
    }
    out.push(0);
    Ok(())
}

fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

#[inline]
fn write_scalar(cells: &ScalarCells<'_>, leaf: &Leaf, out: &mut Vec<u8>, row: usize) -> Result<(), String> {
    match (cells, leaf) {
        (ScalarCells::Boolean(values), _) => out.push(u8::from(values.value(row))),
        (ScalarCells::Int32(values), _) => write_long(out, values[row].into()),
        (ScalarCells::Int64(values), _) => write_long(out, values[row]),
        (ScalarCells::Double(values), Leaf::Float) => out.extend_from_slice(&(values[row] as f32).to_le_bytes()),
        (ScalarCells::Double(values), _) => out.extend_from_slice(&values[row].to_le_bytes()),
        (ScalarCells::Decimal128(values, from), leaf) => {
            write_decimal(out, i256::from_i128(values[row]), *from, leaf)?;
        }
        (ScalarCells::Decimal256(values, from), leaf) => write_decimal(out, values[row], *from, leaf)?,
        (ScalarCells::Text(values), Leaf::Enum(symbols)) => {
            let text = values.value(row);
            let symbol = symbols.iter().position(|symbol| symbol == text);
            write_long(out, symbol.ok_or_else(|| format!("'{text}' is no symbol of the enum"))? as i64);
        }
        (ScalarCells::Text(values), _) => write_bytes(out, values.value(row).as_bytes()),
        (ScalarCells::Bytes(values), Leaf::Fixed(size)) => {
            let bytes = values.value(row);
            if bytes.len() != *size {
                return Err(format!("{} bytes where the schema has {size}", bytes.len()));
            }
            out.extend_from_slice(bytes);
        }
        (ScalarCells::Bytes(values), _) => write_bytes(out, values.value(row)),
    }
    Ok(())
}

fn write_decimal(out: &mut Vec<u8>, digits: i256, from: u8, leaf: &Leaf) -> Result<(), String> {
    let Leaf::Decimal { scale, size } = leaf else { unreachable!("decimals have decimal nodes") };
    let digits = widen(digits, from, *scale);
    let digits = digits.ok_or_else(|| format!("a decimal has more digits than the schema's scale {scale} takes"))?;
    let written = Digits::new(digits);
    let bytes = written.bytes();
    match size {
        None => write_bytes(out, bytes),
        Some(size) if bytes.len() <= *size => {
            out.extend(std::iter::repeat_n(if digits < i256::ZERO { 0xff } else { 0 }, size - bytes.len()));
            out.extend_from_slice(bytes);
        }
        Some(size) => return Err(format!("a decimal has more than {size} bytes")),
    }
    Ok(())
}
