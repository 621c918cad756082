//! Parts of an expression whose failures are NULL in their place: casts, the items of constructors and the arguments of functions.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};

use super::physical::{Node, physical};
use super::row_errors;

#[derive(Debug)]
struct InPlace {
    part: Arc<dyn PhysicalExpr>,
}

/// `part`, with rows that fail in it NULL.
pub(super) fn compile(part: Arc<dyn PhysicalExpr>) -> Arc<dyn PhysicalExpr> {
    if part.downcast_ref::<Column>().is_some() || part.downcast_ref::<Literal>().is_some() {
        return part;
    }
    physical(InPlace { part })
}

impl Node for InPlace {
    fn name(&self) -> &'static str {
        "in place"
    }

    fn data_type(&self, rows: &Schema) -> Result<DataType> {
        self.part.data_type(rows)
    }

    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.part]
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        row_errors::in_place(|| self.part.evaluate(batch)?.into_array(batch.num_rows()))
    }
}
