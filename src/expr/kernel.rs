//! A physical expression that is a function over the arrays of its inputs.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

pub(super) use levada_udf::Operand;

use super::physical::{Node, physical};

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
        physical(Self { name: name.into(), inputs, data_type, function: Box::new(function) })
    }
}

/// The values of `expr` over `batch`.
pub(super) fn operand(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<Operand> {
    Ok(match expr.evaluate(batch)? {
        ColumnarValue::Array(array) => Operand::Column(array),
        ColumnarValue::Scalar(scalar) => Operand::Constant(scalar.to_array()?),
    })
}

impl Node for Kernel {
    fn name(&self) -> &str {
        &self.name
    }

    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.inputs.iter().collect()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let operands = self.inputs.iter().map(|input| operand(input, batch)).collect::<Result<Vec<_>>>()?;
        Ok((self.function)(&operands, batch.num_rows()))
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel").field("name", &self.name).finish_non_exhaustive()
    }
}
