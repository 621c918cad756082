//! Where the lists or maps of a column under construction end among their elements.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListArray, MapArray, NullBufferBuilder, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields};

/// Cells of a column of lists or maps, whose elements are kept elsewhere.
pub(super) struct Extents {
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

const FITS: &str = "children have as many cells as their parent says";

impl Extents {
    /// No cells.
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], nulls: NullBufferBuilder::new(0) }
    }

    /// Cells so far.
    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Elements of all cells.
    pub(super) fn elements(&self) -> usize {
        self.offsets[self.offsets.len() - 1] as usize
    }

    /// Appends a cell, with which there are so many `elements`.
    pub(super) fn end(&mut self, elements: usize) {
        self.offsets.push(elements as i32);
        self.nulls.append_non_null();
    }

    /// Appends NULL.
    pub(super) fn push_null(&mut self) {
        self.offsets.push(self.offsets[self.offsets.len() - 1]);
        self.nulls.append_null();
    }

    /// Drops the cells from `len` on. Returns how many elements the others have.
    pub(super) fn truncate(&mut self, len: usize) -> usize {
        if len < self.len() {
            self.offsets.truncate(len + 1);
            self.nulls.truncate(len);
        }
        self.elements()
    }

    /// The lists of `elements`; there are no cells afterwards.
    pub(super) fn finish_lists(&mut self, field: &FieldRef, elements: ArrayRef) -> ArrayRef {
        let offsets = self.finish_offsets();
        Arc::new(ListArray::try_new(Arc::clone(field), offsets, elements, self.nulls.finish()).expect(FITS))
    }

    /// The maps of `entries`, which are keys and values; there are no cells afterwards.
    pub(super) fn finish_maps(&mut self, fields: &Fields, entries: Vec<ArrayRef>) -> ArrayRef {
        let offsets = self.finish_offsets();
        let entries = StructArray::try_new(fields.clone(), entries, None).expect(FITS);
        let field = Arc::new(Field::new("entries", DataType::Struct(fields.clone()), false));
        Arc::new(MapArray::try_new(field, offsets, entries, self.nulls.finish(), false).expect(FITS))
    }

    fn finish_offsets(&mut self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(std::mem::replace(&mut self.offsets, vec![0]).into())
    }
}
