//! Nodes of compiled expressions as DataFusion's physical expressions. They are compiled once and evaluated: none is ever rewritten,
//! or found equal to another.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::Result;
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

/// A node of a compiled expression.
pub(super) trait Node: fmt::Debug + Send + Sync + 'static {
    /// What it is called where an expression is shown.
    fn name(&self) -> &str;

    /// The type of its values over rows of `rows`.
    fn data_type(&self, rows: &Schema) -> Result<DataType>;

    /// The expressions that it evaluates.
    fn inputs(&self) -> Vec<&Arc<dyn PhysicalExpr>>;

    /// A value for each row of `batch`.
    fn evaluate(&self, batch: &RecordBatch) -> Result<ArrayRef>;
}

/// `node` as a physical expression.
pub(super) fn physical(node: impl Node) -> Arc<dyn PhysicalExpr> {
    Arc::new(Physical(node))
}

#[derive(Debug)]
struct Physical<N>(N);

impl<N: Node> PhysicalExpr for Physical<N> {
    fn data_type(&self, rows: &Schema) -> Result<DataType> {
        self.0.data_type(rows)
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        self.0.evaluate(batch).map(ColumnarValue::Array)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        self.0.inputs()
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        datafusion_common::not_impl_err!("expressions are compiled once and not rewritten")
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl<N: Node> fmt::Display for Physical<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl<N> PartialEq for Physical<N> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl<N> Eq for Physical<N> {}

impl<N: Node> Hash for Physical<N> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.name().hash(state);
    }
}
