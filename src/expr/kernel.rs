//! A physical expression that is a function over the arrays of its inputs.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Datum, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

/// The values of an input: one per row, or one for all rows.
pub(super) enum Operand {
    Column(ArrayRef),
    Constant(ArrayRef),
}

impl Operand {
    pub(super) fn array(&self) -> &ArrayRef {
        match self {
            Self::Column(array) | Self::Constant(array) => array,
        }
    }

    /// Where the value of `row` stands in the array.
    pub(super) fn index(&self, row: usize) -> usize {
        match self {
            Self::Column(_) => row,
            Self::Constant(_) => 0,
        }
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        self.array().is_null(self.index(row))
    }

    /// One value per row.
    pub(super) fn expanded(&self, rows: usize) -> ArrayRef {
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

type Function = dyn Fn(&[Operand], usize) -> ArrayRef + Send + Sync;

/// A function over its inputs' values; gives one value per row.
pub(super) struct Kernel {
    name: String,
    inputs: Vec<Arc<dyn PhysicalExpr>>,
    data_type: DataType,
    function: Box<Function>,
}

impl Kernel {
    pub(super) fn compile(
        name: impl Into<String>,
        inputs: Vec<Arc<dyn PhysicalExpr>>,
        data_type: DataType,
        function: impl Fn(&[Operand], usize) -> ArrayRef + Send + Sync + 'static,
    ) -> Arc<dyn PhysicalExpr> {
        Arc::new(Self { name: name.into(), inputs, data_type, function: Box::new(function) })
    }
}

/// The values of `expr` over `batch`.
pub(super) fn operand(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<Operand> {
    Ok(match expr.evaluate(batch)? {
        ColumnarValue::Array(array) => Operand::Column(array),
        ColumnarValue::Scalar(scalar) => Operand::Constant(scalar.to_array()?),
    })
}

impl PhysicalExpr for Kernel {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let operands = self.inputs.iter().map(|input| operand(input, batch)).collect::<Result<Vec<_>>>()?;
        Ok(ColumnarValue::Array((self.function)(&operands, batch.num_rows())))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.inputs.iter().collect()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        datafusion_common::not_impl_err!("expressions are compiled once and not rewritten")
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Kernel {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Kernel {}

impl Hash for Kernel {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
