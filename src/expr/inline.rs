//! Functions that are written in SQL: an expression over parameters, compiled once for all calls.
//!
//! A call evaluates its arguments, each once, and then the expression over rows of them. The rows are those around the call: what
//! counts there counts in the function, and a CAST that fails in it is NULL in its place.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion_common::Result;
use datafusion_physical_expr::PhysicalExpr;
use levada_udf::{Batch, Scalar};

use super::compile::{Scope, compile};
use super::{CallBody, Expr, ExprKind, Literal, row_errors};
use crate::functions::{ExpressionSize, InlineScalar, Replacement, ScalarBody, Unfit};
use crate::types::SqlType;

/// What computes the function `name` with parameters of these types, for which column `i` stands in `body`.
pub fn inline_function(name: &str, parameters: Vec<SqlType>, body: Expr) -> ScalarBody {
    ScalarBody::inline(InlineFunction::new(name, parameters, body))
}

struct InlineFunction {
    name: String,
    parameters: Vec<SqlType>,
    body: Expr,
    /// The parameters that the body reads: columns of the rows that it is compiled for.
    used: Vec<usize>,
    rows: SchemaRef,
    compiled: Arc<dyn PhysicalExpr>,
    size: ExpressionSize,
}

impl InlineFunction {
    fn new(name: &str, parameters: Vec<SqlType>, body: Expr) -> Self {
        let body = body.folded().map_or(body, |(folded, _)| folded);
        let mut used = std::collections::BTreeSet::new();
        body.columns(&mut used);
        let field = |index: &usize| Arc::new(Field::new(format!("P{index}"), parameters[*index].arrow(), true));
        let rows: SchemaRef = Arc::new(Schema::new(used.iter().map(field).collect::<Vec<FieldRef>>()));
        let over_rows = body.map_columns(&|column| used.range(..column).count());
        let compiled = compile(&over_rows, Scope { rows: &rows, is_lambda: false });
        let (size, used) = (body.size(), used.into_iter().collect());
        Self { name: name.to_owned(), parameters, body, used, rows, compiled, size }
    }

    fn evaluated(&self, batch: &Batch<'_>) -> Result<ArrayRef> {
        let count = batch.rows();
        let columns = self.used.iter().map(|index| batch.arguments()[*index].expanded(count)).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(count)).with_match_field_names(false);
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.rows), columns, &options)?;
        row_errors::within(&self.name, || self.compiled.evaluate(&rows)?.into_array(count))
    }
}

impl Scalar for InlineFunction {
    fn evaluate(&self, batch: &mut Batch<'_>) -> ArrayRef {
        self.evaluated(batch).unwrap_or_else(|error| {
            (0..batch.rows()).for_each(|row| batch.fail(row, format!("{}: {error}", self.name)));
            new_null_array(batch.result_type(), batch.rows())
        })
    }
}

impl InlineScalar for InlineFunction {
    fn given(&self, constants: &[Option<ArrayRef>]) -> Option<ScalarBody> {
        let mut body = self.body.clone();
        let constant = |index: usize| {
            let array = constants.get(index)?.as_ref()?;
            if array.is_null(0) { Some(Literal::Null) } else { Literal::of(array, &self.parameters[index]) }
        };
        body.put_constants(&constant).then(|| inline_function(&self.name, self.parameters.clone(), body))
    }

    fn replaced(&self, replacement: &Replacement<'_>) -> std::result::Result<ScalarBody, Unfit> {
        let mut body = self.body.clone();
        body.replace_calls(replacement)?;
        Ok(inline_function(&self.name, self.parameters.clone(), body))
    }

    fn size(&self) -> ExpressionSize {
        self.size
    }

    fn is_volatile(&self) -> bool {
        self.body.is_volatile()
    }
}

impl fmt::Debug for InlineFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InlineFunction").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Expr {
    /// Puts literals in the place of columns that are constant; whether there are any.
    fn put_constants(&mut self, constant: &dyn Fn(usize) -> Option<Literal>) -> bool {
        if let ExprKind::Column(index) = self.kind {
            let literal = constant(index);
            let is_constant = literal.is_some();
            if let Some(literal) = literal {
                self.kind = ExprKind::Literal(literal);
            }
            return is_constant;
        }
        self.children_mut().into_iter().fold(false, |any, child| child.put_constants(constant) | any)
    }

    /// Its operations, those of the functions that it calls among them.
    pub fn size(&self) -> ExpressionSize {
        let body = match &self.kind {
            ExprKind::Call(call) => call.inline().map(InlineScalar::size),
            _ => None,
        };
        let parts = self.children().into_iter().map(Self::size).chain(body);
        let whole = parts.fold(ExpressionSize { operations: 0, height: 0 }, |whole, part| ExpressionSize {
            operations: whole.operations.saturating_add(part.operations),
            height: whole.height.max(part.height),
        });
        ExpressionSize { operations: whole.operations.saturating_add(1), height: whole.height + 1 }
    }

    /// Whether it may have another value each time, whatever the row.
    pub fn is_volatile(&self) -> bool {
        matches!(&self.kind, ExprKind::Call(call) if call.is_volatile)
            || self.children().into_iter().any(Self::is_volatile)
    }
}

impl super::Call {
    /// What computes it, if that is written in SQL.
    pub(super) fn inline(&self) -> Option<&dyn InlineScalar> {
        match &self.body {
            Some(CallBody::Values(body)) => body.as_inline(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int32Array};
    use arrow::datatypes::{DataType, Int32Type};

    use super::super::{ArithmeticOp, CompiledExpr};
    use super::*;
    use crate::functions::{Binding, Function, FunctionKind, Registry};

    fn int(index: usize) -> Expr {
        Expr::column(index, SqlType::Integer)
    }

    fn divided(left: Expr, right: Expr) -> Expr {
        Expr::arithmetic(ArithmeticOp::Divide, left, right).expect("numbers")
    }

    /// A function of INTs with this body.
    fn function(name: &str, parameters: usize, body: Expr) -> Function {
        let list = (0..parameters).map(|i| format!("p{i} INT")).collect::<Vec<_>>().join(", ");
        let signature = format!("({list}) -> INT");
        let mut registry = Registry::default();
        let defined = registry.define(name, FunctionKind::Scalar, &[&signature]);
        defined.variations[0].scalar = Some(inline_function(name, vec![SqlType::Integer; parameters], body));
        defined.clone()
    }

    fn call(function: &Function, arguments: Vec<Expr>) -> Expr {
        Expr::call(function, 0, &Binding::default(), arguments, SqlType::Integer)
    }

    /// Values and failures of `expr` over a column.
    fn evaluated(expr: &Expr, column: Vec<Option<i32>>) -> (Vec<Option<i32>>, Vec<String>) {
        let rows: SchemaRef = Arc::new(Schema::new(vec![Field::new("V", DataType::Int32, true)]));
        let batch =
            RecordBatch::try_new(Arc::clone(&rows), vec![Arc::new(Int32Array::from(column))]).expect("a column");
        let mut errors = Vec::new();
        let values = CompiledExpr::new(expr, &rows).evaluate(&batch, &mut errors);
        let failures = errors.into_iter().map(|error| format!("{} {}", error.row, error.reason)).collect();
        (values.as_primitive::<Int32Type>().iter().collect(), failures)
    }

    #[test]
    fn a_row_that_fails_in_a_function_is_null_and_names_it() {
        let share = function("SHARE", 2, divided(int(0), int(1)));
        let twice = function("TWICE", 1, call(&share, vec![int(0), int(0)]));
        let expr = call(&twice, vec![int(0)]);
        let (values, failures) = evaluated(&expr, vec![Some(3), Some(0), None]);
        assert_eq!(values, [Some(1), None, None]);
        assert_eq!(failures, ["1 TWICE(V): TWICE: SHARE: 0 / 0: division by zero"]);
    }

    #[test]
    fn constant_arguments_stay_constants_in_the_body() {
        let share = function("SHARE", 2, divided(int(0), int(1)));
        let twelve = Expr::literal(Literal::Integer(12));
        let (values, failures) = evaluated(&call(&share, vec![twelve.clone(), int(0)]), vec![Some(3), Some(0)]);
        assert_eq!((values, failures.len()), (vec![Some(4), None], 1));
        let body = share.variations[0].scalar.as_ref().and_then(ScalarBody::as_inline).expect("it is inline");
        let given =
            body.given(&[Some(twelve.as_literal().expect("a literal").array()), None]).expect("one is constant");
        assert_eq!(given.as_inline().expect("it still is").size(), ExpressionSize { operations: 3, height: 2 });
        assert!(body.given(&[None, None]).is_none());
    }

    #[test]
    fn the_size_of_a_function_is_that_of_all_that_it_calls() {
        let mut doubled = function("D0", 1, divided(int(0), int(0)));
        for level in 1..70 {
            let body = divided(call(&doubled, vec![int(0)]), call(&doubled, vec![int(0)]));
            doubled = function(&format!("D{level}"), 1, body);
        }
        let size = call(&doubled, vec![int(0)]).size();
        assert_eq!(size, ExpressionSize { operations: usize::MAX, height: 141 });
    }

    #[test]
    fn a_chain_of_many_operations_is_looked_at_once() {
        let chain = (0..500).fold(int(0), |left, _| divided(left, int(0)));
        assert_eq!(chain.size(), ExpressionSize { operations: 1001, height: 501 });
    }

    #[test]
    fn calls_follow_a_function_that_is_replaced() {
        let (mut before, mut after) = (Registry::default(), Registry::default());
        before.add(function("F", 1, int(0)));
        let mut expr = divided(call(before.get("F").expect("it is there"), vec![int(0)]), int(0));
        after.add(function("F", 1, Expr::literal(Literal::Integer(10))));
        let names = ["F".to_owned()].into();
        let replacement = Replacement { before: &before, after: &after, names: &names };
        assert_eq!(expr.replace_calls(&replacement), Ok(true));
        assert_eq!(evaluated(&expr, vec![Some(5)]).0, [Some(2)]);
        after.add(function("F", 2, int(1)));
        let replacement = Replacement { before: &before, after: &after, names: &names };
        let unfit = expr.replace_calls(&replacement).expect_err("it takes two");
        assert_eq!(unfit.to_string(), "it calls F(INTEGER), which gives INTEGER");
    }
}
