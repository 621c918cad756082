//! What computes a function.

use std::fmt;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use levada_udf::{Accumulator, Aggregate, AggregateCall, Batch, Operand, Scalar};

use super::{Replacement, Unfit};

/// Takes the rows that fail, and why.
pub type Failures<'a> = dyn FnMut(usize, String) + 'a;

/// Computes a scalar function for a batch: one value per row. A row that fails is reported and NULL.
#[derive(Clone)]
pub struct ScalarBody {
    scalar: Arc<dyn Scalar>,
    /// The same, if it is written in SQL.
    inline: Option<Arc<dyn InlineScalar>>,
}

/// What computes a scalar function that is written in SQL.
pub trait InlineScalar: Scalar {
    /// What computes calls whose argument `i` is `constants[i]`, an array of one value, in every row; `None` where none is constant.
    fn given(&self, constants: &[Option<ArrayRef>]) -> Option<ScalarBody>;

    /// The same with the functions that it calls as they are after `replacement`.
    ///
    /// # Errors
    /// A call that a new version does not take.
    fn replaced(&self, replacement: &Replacement<'_>) -> Result<ScalarBody, Unfit>;

    /// Operations that it consists of, those of the functions that it calls among them.
    fn size(&self) -> ExpressionSize;

    /// It may give something else at every call, whatever its arguments.
    fn is_volatile(&self) -> bool;
}

/// How much an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpressionSize {
    /// Operations.
    pub operations: usize,
    /// How many of them contain each other at most.
    pub height: usize,
}

impl ScalarBody {
    /// `scalar` as a body.
    pub fn new(scalar: impl Scalar + 'static) -> Self {
        Self::from(Arc::new(scalar) as Arc<dyn Scalar>)
    }

    /// `inline` as a body.
    pub fn inline(inline: impl InlineScalar + 'static) -> Self {
        let inline: Arc<dyn InlineScalar> = Arc::new(inline);
        Self { scalar: Arc::clone(&inline) as Arc<dyn Scalar>, inline: Some(inline) }
    }

    /// The body of a function that is written in SQL.
    pub fn as_inline(&self) -> Option<&dyn InlineScalar> {
        self.inline.as_deref()
    }

    /// One value of type `result` per row.
    pub fn evaluate(
        &self,
        arguments: &[Operand],
        rows: usize,
        result: &DataType,
        failures: &mut Failures<'_>,
    ) -> ArrayRef {
        let mut report = |row: usize, reason: String| failures(row, reason);
        self.scalar.evaluate(&mut Batch::new(arguments, rows, result, &mut report))
    }
}

impl From<Arc<dyn Scalar>> for ScalarBody {
    fn from(scalar: Arc<dyn Scalar>) -> Self {
        Self { scalar, inline: None }
    }
}

impl PartialEq for ScalarBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.scalar, &other.scalar)
    }
}

impl fmt::Debug for ScalarBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScalarBody")
    }
}

/// Computes a table function for a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct TableBody {
    /// An array per row, of the values in the rows that come of it; NULL stands for none, and for a row that fails.
    pub lists: ScalarBody,
    /// Rows that it may be given at once, so that its arrays fit memory whatever they are.
    pub rows_max: usize,
}

/// Makes the state of an aggregate function.
#[derive(Clone)]
pub struct AggregateBody(Arc<dyn Aggregate>);

impl AggregateBody {
    /// The state of a call.
    ///
    /// # Errors
    /// Literals or properties that the function cannot do with.
    pub fn accumulator(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
        self.0.accumulator(call)
    }
}

impl From<Arc<dyn Aggregate>> for AggregateBody {
    fn from(aggregate: Arc<dyn Aggregate>) -> Self {
        Self(aggregate)
    }
}

impl PartialEq for AggregateBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for AggregateBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AggregateBody")
    }
}
