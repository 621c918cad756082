//! stub
use crate::types::{RowError, SqlType};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::buffer::BooleanBuffer;
use arrow::datatypes::SchemaRef;
/// stub
#[derive(Debug, Clone)]
pub struct Expr(pub usize, pub SqlType);
impl Expr {
    /// stub
    pub fn sql_type(&self) -> Option<&SqlType> {
        Some(&self.1)
    }
}
/// stub
pub struct CompiledExpr(usize);
impl CompiledExpr {
    /// stub
    pub fn new(expr: &Expr, _: &SchemaRef) -> Self {
        Self(expr.0)
    }
    /// stub
    pub fn evaluate(&self, rows: &RecordBatch, _: &mut Vec<RowError>) -> ArrayRef {
        rows.column(self.0).clone()
    }
    /// stub
    pub fn evaluate_mask(&self, _: &RecordBatch, _: &mut Vec<RowError>) -> BooleanBuffer {
        unimplemented!()
    }
}
