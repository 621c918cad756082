//! Calls of functions that take lambdas.
//!
//! The body of a lambda is compiled for batches of elements: first the columns that it reads, of the row that each element is of,
//! then its parameters. So it is evaluated once for all elements of all rows, and a lambda within it sees the parameters of the
//! outer one as columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion_common::Result;
use datafusion_physical_expr::PhysicalExpr;

use super::compile::{Scope, arrow_type, compile, unary};
use super::kernel::operand;
use super::physical::{Node, physical};
use super::{Expr, ExprKind, in_place, row_errors};
use crate::functions::{Failures, Lambda, LambdaBody, LambdaCall};
use crate::types::SqlType;

/// Elements that a lambda is evaluated over at once: each has a copy of the columns that the lambda reads.
const ELEMENTS_MAX: usize = 1 << 16;

/// The call of `name`, which `body` computes.
pub(super) fn compile_call(
    name: &str,
    body: LambdaBody,
    arguments: &[Expr],
    scope: Scope<'_>,
    data_type: DataType,
) -> Arc<dyn PhysicalExpr> {
    let (mut values, mut lambdas) = (Vec::new(), Vec::new());
    for argument in arguments {
        match &argument.kind {
            ExprKind::Lambda(parameters, body) => lambdas.push(CompiledLambda::new(parameters, body, scope)),
            _ => values.push(in_place::compile(compile(argument, scope))),
        }
    }
    physical(CompiledCall { name: name.to_owned(), body, values, lambdas, data_type })
}

/// `computed`, which fails where it is NULL: an operand was.
pub(super) fn without_nulls(computed: Arc<dyn PhysicalExpr>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    unary("arithmetic in a lambda", computed, data_type, |values| {
        if let Some(nulls) = values.nulls() {
            let rows = (!nulls.inner()).set_indices().collect::<Vec<_>>();
            rows.into_iter().for_each(|row| row_errors::report(row, || "an operand is NULL".to_owned()));
        }
        Arc::clone(values)
    })
}

#[derive(Debug)]
struct CompiledCall {
    name: String,
    body: LambdaBody,
    values: Vec<Arc<dyn PhysicalExpr>>,
    lambdas: Vec<CompiledLambda>,
    data_type: DataType,
}

impl Node for CompiledCall {
    fn name(&self) -> &str {
        &self.name
    }

    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.values.iter().collect()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let values = self.values.iter().map(|value| operand(value, batch)).collect::<Result<Vec<_>>>()?;
        let lambdas: Vec<LambdaOfBatch<'_>> =
            self.lambdas.iter().map(|lambda| LambdaOfBatch { lambda, batch }).collect();
        let lambdas: Vec<&dyn Lambda> = lambdas.iter().map(|lambda| lambda as &dyn Lambda).collect();
        let mut report = |row: usize, reason: String| row_errors::report(row, || reason);
        let mut call = LambdaCall::new(&values, &lambdas, batch.num_rows(), &self.data_type, &mut report);
        Ok(self.body.evaluate(&mut call))
    }
}

/// A column of the batches that the body of a lambda is evaluated over.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// A column of the rows around.
    Column(usize),
    /// A parameter of the lambda.
    Parameter(usize),
}

#[derive(Debug)]
struct CompiledLambda {
    body: Arc<dyn PhysicalExpr>,
    sources: Vec<Source>,
    elements: SchemaRef,
    data_type: DataType,
}

impl CompiledLambda {
    /// The lambda that makes `body` of `parameters`, among rows of `scope`.
    fn new(parameters: &[String], body: &Expr, scope: Scope<'_>) -> Self {
        let width = scope.rows.fields().len();
        let (mut bound, mut types) = (body.clone(), BTreeMap::new());
        let names: Vec<(&str, usize)> = parameters.iter().map(String::as_str).zip(width..).collect();
        bind(&mut bound, &names, &mut types);
        let mut used = BTreeSet::new();
        bound.columns(&mut used);
        let fields = used.iter().map(|&column| match types.get(&column) {
            Some(sql_type) => Arc::new(Field::new(&parameters[column - width], SqlType::arrow(sql_type), true)),
            None => Arc::clone(&scope.rows.fields()[column]),
        });
        let elements: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<FieldRef>>()));
        let source = |&column: &usize| {
            if column < width { Source::Column(column) } else { Source::Parameter(column - width) }
        };
        let bound = bound.map_columns(&|column| used.range(..column).count());
        Self {
            body: compile(&bound, Scope { rows: &elements, is_lambda: true }),
            sources: used.iter().map(source).collect(),
            data_type: arrow_type(body),
            elements,
        }
    }
}

/// Puts columns in the place of the parameters `names`, and notes their types.
fn bind(expr: &mut Expr, names: &[(&str, usize)], types: &mut BTreeMap<usize, SqlType>) {
    if let ExprKind::Variable(name) = &expr.kind
        && let Some((_, column)) = names.iter().find(|(known, _)| known == name)
    {
        types.extend(expr.sql_type.clone().map(|sql_type| (*column, sql_type)));
        expr.kind = ExprKind::Column(*column);
    }
    expr.children_mut().into_iter().for_each(|child| bind(child, names, types));
}

/// A lambda, and the rows whose columns it reads.
struct LambdaOfBatch<'a> {
    lambda: &'a CompiledLambda,
    batch: &'a RecordBatch,
}

impl Lambda for LambdaOfBatch<'_> {
    fn evaluate(&self, rows: &[u32], parameters: &[ArrayRef], failures: &mut Failures<'_>) -> ArrayRef {
        let mut values = Vec::with_capacity(rows.len().div_ceil(ELEMENTS_MAX));
        for first in (0..rows.len()).step_by(ELEMENTS_MAX) {
            let some_rows = &rows[first..rows.len().min(first + ELEMENTS_MAX)];
            let parameters: Vec<_> =
                parameters.iter().map(|parameter| parameter.slice(first, some_rows.len())).collect();
            let mut failures = |element: usize, reason: String| failures(first + element, reason);
            values.push(self.evaluate_some(some_rows, &parameters, &mut failures));
        }
        match values.as_slice() {
            [] => new_empty_array(&self.lambda.data_type),
            [all] => Arc::clone(all),
            several => {
                let several: Vec<&dyn Array> = several.iter().map(AsRef::as_ref).collect();
                concat(&several).unwrap_or_else(|error| self.all_failed(rows.len(), &error, failures))
            }
        }
    }
}

impl LambdaOfBatch<'_> {
    /// Not more than [`ELEMENTS_MAX`] elements.
    fn evaluate_some(&self, rows: &[u32], parameters: &[ArrayRef], failures: &mut Failures<'_>) -> ArrayRef {
        let evaluated = self.elements(rows, parameters).and_then(|elements| {
            let evaluate = || self.lambda.body.evaluate(&elements)?.into_array(rows.len());
            let (values, failed) = row_errors::apart(evaluate);
            report(rows, failed, failures);
            values
        });
        evaluated.unwrap_or_else(|error| self.all_failed(rows.len(), &error, failures))
    }

    /// The batch that the body is evaluated over.
    fn elements(&self, rows: &[u32], parameters: &[ArrayRef]) -> Result<RecordBatch> {
        let reads_columns = self.lambda.sources.iter().any(|source| matches!(source, Source::Column(_)));
        let indices = UInt32Array::from(if reads_columns { rows.to_vec() } else { Vec::new() });
        let column = |source: &Source| match *source {
            Source::Column(column) => take(self.batch.column(column), &indices, None),
            Source::Parameter(parameter) => Ok(Arc::clone(&parameters[parameter])),
        };
        let columns = self.lambda.sources.iter().map(column).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len())).with_match_field_names(false);
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.lambda.elements), columns, &options)?)
    }

    fn all_failed(&self, elements: usize, error: &dyn fmt::Display, failures: &mut Failures<'_>) -> ArrayRef {
        (0..elements).for_each(|element| failures(element, error.to_string()));
        new_null_array(&self.lambda.data_type, elements)
    }
}

/// Reports what failed among elements that are of `rows`: nothing is evaluated in a row after its first element that fails.
fn report(rows: &[u32], failed: Vec<row_errors::Failure>, failures: &mut Failures<'_>) {
    let mut last = HashMap::new();
    for failure in failed.iter().filter(|failure| !failure.contained) {
        let element = failure.error.row as usize;
        last.entry(rows[element]).and_modify(|last: &mut usize| *last = element.min(*last)).or_insert(element);
    }
    for failure in failed {
        let element = failure.error.row as usize;
        let row = rows[element];
        match last.get(&row) {
            Some(&last) if element > last => {}
            _ if failure.contained => row_errors::report_contained(row as usize, failure.error.reason),
            _ => failures(element, failure.error.reason),
        }
    }
}
