//! What computes a function.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Datum};

/// The values of an argument: one per row, or one for all rows.
pub enum Operand {
    /// One per row.
    Column(ArrayRef),
    /// One for all rows.
    Constant(ArrayRef),
}

impl Operand {
    /// The values.
    pub fn array(&self) -> &ArrayRef {
        match self {
            Self::Column(array) | Self::Constant(array) => array,
        }
    }

    /// Where the value of `row` stands in the array.
    pub fn index(&self, row: usize) -> usize {
        match self {
            Self::Column(_) => row,
            Self::Constant(_) => 0,
        }
    }

    /// Whether the value of `row` is NULL.
    pub fn is_null(&self, row: usize) -> bool {
        self.array().is_null(self.index(row))
    }

    /// One value per row.
    pub fn expanded(&self, rows: usize) -> ArrayRef {
        match self {
            Self::Column(array) => Arc::clone(array),
            Self::Constant(array) => {
                let indices = arrow::array::UInt32Array::from(vec![0; rows]);
                arrow::compute::take(array, &indices, None).expect("a constant has one value")
            }
        }
    }
}

impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        match self {
            Self::Column(array) => (array.as_ref(), false),
            Self::Constant(array) => (array.as_ref(), true),
        }
    }
}

/// Takes the rows that fail, and why.
pub type Failures<'a> = dyn FnMut(usize, String) + 'a;

type Evaluate = dyn Fn(&[Operand], usize, &mut Failures) -> ArrayRef + Send + Sync;

/// Computes a scalar function for a batch: one value per row. A row that fails is reported and NULL.
#[derive(Clone)]
pub struct ScalarBody(Arc<Evaluate>);

impl ScalarBody {
    /// The body that calls `evaluate` with the arguments and the number of rows.
    pub fn new(evaluate: impl Fn(&[Operand], usize, &mut Failures) -> ArrayRef + Send + Sync + 'static) -> Self {
        Self(Arc::new(evaluate))
    }

    /// One value per row.
    pub fn evaluate(&self, arguments: &[Operand], rows: usize, failures: &mut Failures) -> ArrayRef {
        (self.0)(arguments, rows, failures)
    }
}

impl PartialEq for ScalarBody {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
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

/// The accumulators of aggregate functions that there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AggregateBody {
    /// Rows, or rows whose argument is not null.
    Count,
    /// Sum; integers wrap.
    Sum,
    /// Least value.
    Min,
    /// Greatest value.
    Max,
    /// Mean of numbers.
    Avg,
}
