//! Parts of an expression whose failures are NULL in their place: casts, the items of constructors and the arguments of functions.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{Column, Literal};

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
    Arc::new(InPlace { part })
}

impl PhysicalExpr for InPlace {
    fn data_type(&self, rows: &Schema) -> Result<DataType> {
        self.part.data_type(rows)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let values = row_errors::in_place(|| self.part.evaluate(batch)?.into_array(batch.num_rows()))?;
        Ok(ColumnarValue::Array(values))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.part]
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        datafusion_common::not_impl_err!("expressions are compiled once and not rewritten")
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.part.fmt_sql(f)
    }
}

impl fmt::Display for InPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.part.fmt(f)
    }
}

impl PartialEq for InPlace {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for InPlace {}

impl Hash for InPlace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        "in place".hash(state);
    }
}
