//! Typed expressions to physical ones.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion_common::ScalarValue;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal as PhysicalLiteral};

use super::kernel::Kernel;
use super::{Call, CallBody, Expr, ExprKind, Literal};
use super::{arithmetic, case, cast, in_place, lambda, like, logic, nested, row_errors};
use crate::types::RowError;

/// An expression ready to be evaluated over batches of one layout.
#[derive(Debug, Clone)]
pub struct CompiledExpr {
    physical: Arc<dyn PhysicalExpr>,
    text: Arc<str>,
}

impl CompiledExpr {
    /// Compiles `expr` for batches of `rows`.
    pub fn new(expr: &Expr, rows: &SchemaRef) -> Self {
        let names: Vec<String> = rows.fields().iter().map(|field| field.name().clone()).collect();
        Self {
            physical: compile(expr, Scope { rows, is_lambda: false }),
            text: expr.display(&names).to_string().into(),
        }
    }

    /// The value of every row; rows that fail are NULL and added to `errors`. A CAST that fails is NULL in its place
    /// only, and is added too.
    pub fn evaluate(&self, rows: &RecordBatch, errors: &mut Vec<RowError>) -> ArrayRef {
        let (value, failures) = row_errors::collect(|| self.physical.evaluate(rows));
        let value = value.and_then(|value| value.into_array(rows.num_rows()));
        let value = value.map(|array| row_errors::nulled(array, &failures));
        errors.extend(failures.into_iter().map(|failure| RowError {
            row: failure.error.row,
            reason: format!("{}: {}", self.text, failure.error.reason),
        }));
        match value {
            Ok(array) => array,
            Err(error) => {
                errors.extend((0..rows.num_rows()).map(|row| RowError::new(row, format!("{}: {error}", self.text))));
                let data_type = self.physical.data_type(rows.schema_ref()).unwrap_or(DataType::Null);
                arrow::array::new_null_array(&data_type, rows.num_rows())
            }
        }
    }

    /// The rows for which the expression, a BOOLEAN, is true.
    pub fn evaluate_mask(&self, rows: &RecordBatch, errors: &mut Vec<RowError>) -> BooleanBuffer {
        let values = self.evaluate(rows, errors);
        logic::true_rows(values.as_boolean())
    }
}

impl Expr {
    /// The value of an expression without columns, as an array of one row.
    ///
    /// # Errors
    /// The reason why the value cannot be computed.
    pub fn constant(&self) -> Result<ArrayRef, String> {
        let row = one_row();
        let mut errors = Vec::new();
        let value = CompiledExpr::new(self, row.schema_ref()).evaluate(&row, &mut errors);
        match errors.pop() {
            Some(error) => Err(error.reason),
            None => Ok(value),
        }
    }
}

/// A row without columns, over which constants are evaluated.
fn one_row() -> RecordBatch {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)
        .expect("no columns have any count of rows")
}

/// The Arrow type of `expr`'s values.
pub(super) fn arrow_type(expr: &Expr) -> DataType {
    expr.sql_type().map_or(DataType::Null, crate::types::SqlType::arrow)
}

/// Where an expression stands.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// Layout of the rows that it is evaluated over.
    pub(super) rows: &'a SchemaRef,
    /// Whether that is the body of a lambda: there, arithmetic with NULL fails.
    pub(super) is_lambda: bool,
}

pub(super) fn compile(expr: &Expr, scope: Scope<'_>) -> Arc<dyn PhysicalExpr> {
    let physical = compile_node(expr, scope);
    // A function may give something else at every call.
    let computes = !matches!(
        expr.kind,
        ExprKind::Column(_) | ExprKind::Literal(_) | ExprKind::Variable(_) | ExprKind::Lambda(..) | ExprKind::Call(_)
    );
    if computes && expr.children().iter().all(|child| matches!(child.kind, ExprKind::Literal(_))) {
        return folded(&physical).unwrap_or(physical);
    }
    physical
}

/// The constant that `physical` gives, if it does not fail.
fn folded(physical: &Arc<dyn PhysicalExpr>) -> Option<Arc<dyn PhysicalExpr>> {
    let (value, failures) = row_errors::collect(|| physical.evaluate(&one_row()));
    if !failures.is_empty() {
        return None;
    }
    let scalar = match value.ok()? {
        ColumnarValue::Scalar(scalar) => scalar,
        ColumnarValue::Array(array) => ScalarValue::try_from_array(&array, 0).ok()?,
    };
    Some(Arc::new(PhysicalLiteral::new(scalar)))
}

fn compile_node(expr: &Expr, scope: Scope<'_>) -> Arc<dyn PhysicalExpr> {
    let one = |child: &Expr| compile(child, scope);
    let part = |child: &Expr| in_place::compile(compile(child, scope));
    let data_type = arrow_type(expr);
    let strict = |computed| if scope.is_lambda { lambda::without_nulls(computed, arrow_type(expr)) } else { computed };
    match &expr.kind {
        ExprKind::Column(index) => Arc::new(Column::new(scope.rows.field(*index).name(), *index)),
        ExprKind::Literal(literal) => Arc::new(PhysicalLiteral::new(scalar(literal, &data_type))),
        ExprKind::Arithmetic(op, left, right) => {
            strict(arithmetic::compile(*op, vec![one(left), one(right)], data_type))
        }
        ExprKind::Negate(operand) => strict(arithmetic::compile_negate(one(operand), data_type)),
        ExprKind::Concat(left, right) => arithmetic::compile_concat(vec![one(left), one(right)], data_type),
        ExprKind::Compare(op, left, right) => logic::compile_compare(*op, vec![one(left), one(right)]),
        ExprKind::And(left, right) => logic::compile_connective(logic::Connective::And, one(left), one(right)),
        ExprKind::Or(left, right) => logic::compile_connective(logic::Connective::Or, one(left), one(right)),
        ExprKind::Not(operand) => logic::compile_not(one(operand)),
        ExprKind::IsNull(operand) => logic::compile_is_null(one(operand), true),
        ExprKind::IsNotNull(operand) => logic::compile_is_null(one(operand), false),
        ExprKind::InList(left, list) => {
            let inputs = std::iter::once(&**left).chain(list).map(one).collect();
            logic::compile_in(inputs)
        }
        ExprKind::Like { text, pattern, escape } => like::compile(vec![one(text), one(pattern)], *escape),
        ExprKind::Case { branches, otherwise } => {
            let branches = branches.iter().map(|(when, then)| (one(when), one(then))).collect();
            case::compile(branches, otherwise.as_deref().map(one), data_type)
        }
        ExprKind::Cast(operand) => match (operand.sql_type(), expr.sql_type()) {
            (Some(from), Some(to)) => in_place::compile(cast::compile(one(operand), from.clone(), to.clone())),
            _ => Arc::new(PhysicalLiteral::new(scalar(&Literal::Null, &data_type))),
        },
        ExprKind::Field(operand, index) => nested::compile_field(one(operand), *index, data_type),
        ExprKind::Index(operand, index) => nested::compile_index(vec![one(operand), one(index)], data_type),
        ExprKind::MapGet(operand, key) => nested::compile_map_get(vec![one(operand), one(key)], data_type),
        ExprKind::MakeArray(elements) => nested::compile_array(elements.iter().map(part).collect(), data_type),
        ExprKind::MakeMap(entries) => {
            let inputs = entries.iter().flat_map(|(key, value)| [part(key), part(value)]).collect();
            nested::compile_map(inputs, data_type)
        }
        ExprKind::Call(call) => compile_call(call, scope, data_type),
        ExprKind::Lambda(..) | ExprKind::Variable(_) => uncomputed("a lambda in this place".to_owned(), data_type),
        ExprKind::MakeStruct(fields) => {
            nested::compile_struct(fields.iter().map(|(_, value)| part(value)).collect(), data_type)
        }
    }
}

fn compile_call(call: &Call, scope: Scope<'_>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    let arguments = || call.arguments.iter().map(|argument| in_place::compile(compile(argument, scope))).collect();
    match call.body.clone() {
        Some(CallBody::Lambdas(body)) => lambda::compile_call(&call.name, body, &call.arguments, scope, data_type),
        Some(CallBody::Values(body)) => {
            let body = body.as_inline().and_then(|inline| inline.given(&constants(call))).unwrap_or(body);
            Kernel::compile(&call.name, arguments(), data_type.clone(), move |operands, rows| {
                body.evaluate(operands, rows, &data_type, &mut |row, reason| row_errors::report(row, || reason))
            })
        }
        None => uncomputed(format!("the function {}", call.name), data_type),
    }
}

/// The arguments of `call` that are the same in every row, one value each.
fn constants(call: &Call) -> Vec<Option<ArrayRef>> {
    let constant = |argument: &Expr| {
        let literal = argument.as_literal()?;
        scalar(literal, &arrow_type(argument)).to_array().ok()
    };
    call.arguments.iter().map(constant).collect()
}

/// Stands for what nothing computes, which no statement can say: its rows fail, as the last defence.
fn uncomputed(what: String, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    Kernel::compile(what.clone(), vec![], data_type.clone(), move |_, rows| {
        (0..rows).for_each(|row| row_errors::report(row, || format!("nothing computes {what}")));
        arrow::array::new_null_array(&data_type, rows)
    })
}

/// `literal` as a value of `data_type`.
fn scalar(literal: &Literal, data_type: &DataType) -> ScalarValue {
    let array = match literal {
        Literal::Null => arrow::array::new_null_array(data_type, 1),
        other => other.array(),
    };
    ScalarValue::try_from_array(&array, 0).unwrap_or(ScalarValue::Null)
}

/// A kernel over one input whose nulls stay null.
pub(super) fn unary(
    name: &str,
    input: Arc<dyn PhysicalExpr>,
    data_type: DataType,
    function: impl Fn(&ArrayRef) -> ArrayRef + Send + Sync + 'static,
) -> Arc<dyn PhysicalExpr> {
    Kernel::compile(name, vec![input], data_type, move |operands, rows| function(&operands[0].expanded(rows)))
}
