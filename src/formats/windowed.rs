//! stub
use crate::types::{RowError, WindowColumns, WindowKind};
use arrow::array::BinaryArray;
use arrow::buffer::ScalarBuffer;
/// stub
pub struct Split {
    /// stub
    pub keys: BinaryArray,
    /// stub
    pub start: ScalarBuffer<i64>,
    /// stub
    pub end: ScalarBuffer<i64>,
    /// stub
    pub errors: Vec<RowError>,
}
/// stub
pub fn split(_: &BinaryArray, _: WindowKind) -> Split {
    unimplemented!()
}
/// stub
pub fn join(_: &BinaryArray, _: &WindowColumns, _: WindowKind) -> BinaryArray {
    unimplemented!()
}
