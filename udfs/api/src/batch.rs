//! What a function is given for many rows at once.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Datum, UInt32Array};
use arrow::datatypes::DataType;

/// The values of an argument: one per row, or one for all rows.
#[derive(Debug, Clone)]
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

    /// Whether it is one value for all rows.
    pub fn is_constant(&self) -> bool {
        matches!(self, Self::Constant(_))
    }

    /// The values of `rows` rows from row `first` on.
    #[must_use]
    pub fn slice(&self, first: usize, rows: usize) -> Self {
        match self {
            Self::Column(array) => Self::Column(array.slice(first, rows)),
            Self::Constant(array) => Self::Constant(Arc::clone(array)),
        }
    }

    /// One value per row.
    pub fn expanded(&self, rows: usize) -> ArrayRef {
        match self {
            Self::Column(array) => Arc::clone(array),
            Self::Constant(array) => {
                let indices = UInt32Array::from(vec![0; rows]);
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

/// Arguments of many calls of a function, and where it says which of them fail.
pub struct Batch<'a> {
    arguments: &'a [Operand],
    rows: usize,
    result: &'a DataType,
    failures: &'a mut dyn FnMut(usize, String),
}

impl<'a> Batch<'a> {
    /// `rows` calls with these arguments, of the types of the signature; `result` is what they give. `failures` takes the rows that
    /// fail, and why.
    pub fn new(
        arguments: &'a [Operand],
        rows: usize,
        result: &'a DataType,
        failures: &'a mut dyn FnMut(usize, String),
    ) -> Self {
        Self { arguments, rows, result, failures }
    }

    /// The arguments, as many as the call has.
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

    /// `row` fails: it is NULL in the result, whatever the array says there, and `reason` is logged.
    pub fn fail(&mut self, row: usize, reason: impl Into<String>) {
        (self.failures)(row, reason.into());
    }
}
