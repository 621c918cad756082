//! `CASE WHEN … THEN … [ELSE …] END`: the first true branch. A branch can fail only for rows that reach it.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_physical_expr::PhysicalExpr;

use super::kernel::operand;
use super::physical::{Node, physical};
use super::{logic, row_errors};

#[derive(Debug)]
struct Case {
    branches: Vec<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>,
    otherwise: Option<Arc<dyn PhysicalExpr>>,
    data_type: DataType,
}

pub(super) fn compile(
    branches: Vec<(Arc<dyn PhysicalExpr>, Arc<dyn PhysicalExpr>)>,
    otherwise: Option<Arc<dyn PhysicalExpr>>,
    data_type: DataType,
) -> Arc<dyn PhysicalExpr> {
    physical(Case { branches, otherwise, data_type })
}

impl Case {
    /// `result` with the values of `then` in the rows of `mask`.
    fn fill(
        &self,
        result: &ArrayRef,
        mask: &BooleanBuffer,
        then: &Arc<dyn PhysicalExpr>,
        batch: &RecordBatch,
    ) -> Result<ArrayRef> {
        if mask.count_set_bits() == 0 {
            return Ok(Arc::clone(result));
        }
        let values = row_errors::only(mask, || operand(then, batch))?.expanded(batch.num_rows());
        if *values.data_type() == DataType::Null {
            return Ok(Arc::clone(result));
        }
        Ok(zip(&BooleanArray::new(mask.clone(), None), &values, result)?)
    }
}

impl Node for Case {
    fn name(&self) -> &'static str {
        "CASE"
    }

    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.branches.iter().flat_map(|(when, then)| [when, then]).chain(&self.otherwise).collect()
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        let mut result = new_null_array(&self.data_type, rows);
        let mut open = BooleanBuffer::new_set(rows);
        for (when, then) in &self.branches {
            if open.count_set_bits() == 0 {
                break;
            }
            let condition = row_errors::only(&open, || -> Result<ArrayRef> {
                let condition = operand(when, batch)?.expanded(rows);
                logic::report_nulls(condition.as_boolean(), "WHEN");
                Ok(condition)
            })?;
            let condition = condition.as_boolean();
            let truth = logic::true_rows(condition);
            let reached = &open & &truth;
            result = self.fill(&result, &reached, then, batch)?;
            open = &open & &!&truth;
        }
        if let Some(otherwise) = &self.otherwise {
            result = self.fill(&result, &open, otherwise, batch)?;
        }
        Ok(result)
    }
}
