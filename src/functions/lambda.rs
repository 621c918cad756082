//! What computes a function that takes lambdas.
//!
//! A lambda is evaluated over many elements of many rows at once: the body of a function gives it the row that each element is of,
//! for the columns that the lambda may read, and the values of its parameters.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use levada_udf::Operand;

use super::Failures;

/// A lambda among the arguments of a call.
pub trait Lambda {
    /// What it makes of elements, a value each. Element `i` is of row `rows[i]`, and is the value at `i` of all `parameters`.
    /// Elements for which it fails have any value, and are reported to `failures` by their index.
    fn evaluate(&self, rows: &[u32], parameters: &[ArrayRef], failures: &mut Failures<'_>) -> ArrayRef;
}

/// Many calls of a function that takes lambdas, and where it says which of them fail.
pub struct LambdaCall<'a> {
    arguments: &'a [Operand],
    lambdas: &'a [&'a dyn Lambda],
    rows: usize,
    result: &'a DataType,
    failed: Vec<bool>,
    failures: &'a mut Failures<'a>,
}

impl<'a> LambdaCall<'a> {
    /// `rows` calls with these arguments, of which lambdas are apart, that give values of type `result`. `failures` takes the rows
    /// that fail, once each.
    pub fn new(
        arguments: &'a [Operand],
        lambdas: &'a [&'a dyn Lambda],
        rows: usize,
        result: &'a DataType,
        failures: &'a mut Failures<'a>,
    ) -> Self {
        Self { arguments, lambdas, rows, result, failed: vec![false; rows], failures }
    }

    /// The arguments that are no lambdas.
    pub fn arguments(&self) -> &'a [Operand] {
        self.arguments
    }

    /// Number of calls.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Type of the array to give.
    pub fn result_type(&self) -> &'a DataType {
        self.result
    }

    /// `row` fails: it is NULL in the result, whatever the array says there. The first reason is logged.
    pub fn fail(&mut self, row: u32, reason: impl Into<String>) {
        if !std::mem::replace(&mut self.failed[row as usize], true) {
            (self.failures)(row as usize, reason.into());
        }
    }

    /// Whether `row` has failed.
    pub fn has_failed(&self, row: u32) -> bool {
        self.failed[row as usize]
    }

    /// What lambda `index` makes of elements, see [`Lambda::evaluate`]. Rows of elements for which it fails fail.
    pub fn apply(&mut self, index: usize, rows: &[u32], parameters: &[ArrayRef]) -> ArrayRef {
        let lambda = self.lambdas[index];
        lambda.evaluate(rows, parameters, &mut |element, reason| self.fail(rows[element], reason))
    }
}

/// Computes a function that takes lambdas, for a batch: one value per row.
pub trait LambdaFunction: Send + Sync {
    /// One value of the type of the result per row.
    fn evaluate(&self, call: &mut LambdaCall<'_>) -> ArrayRef;
}

impl<F> LambdaFunction for F
where
    F: Fn(&mut LambdaCall<'_>) -> ArrayRef + Send + Sync,
{
    fn evaluate(&self, call: &mut LambdaCall<'_>) -> ArrayRef {
        self(call)
    }
}

/// A [`LambdaFunction`] that calls share.
#[derive(Clone)]
pub struct LambdaBody(Arc<dyn LambdaFunction>);

impl LambdaBody {
    /// `function` as a body.
    pub fn new(function: impl LambdaFunction + 'static) -> Self {
        Self(Arc::new(function))
    }

    /// One value per row.
    pub fn evaluate(&self, call: &mut LambdaCall<'_>) -> ArrayRef {
        self.0.evaluate(call)
    }
}

impl PartialEq for LambdaBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for LambdaBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LambdaBody")
    }
}
