//! Arrays and maps made of elements that are there already.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanBufferBuilder, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{concat, take};
use arrow::datatypes::DataType;

use levada_udf::Batch;

use super::elements;

/// The elements that each row has, by their place in a column.
pub(super) struct Selection {
    elements: Vec<u32>,
    ends: Vec<i32>,
    valid: BooleanBufferBuilder,
}

impl Selection {
    /// Room for `rows` rows.
    pub(super) fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows + 1);
        ends.push(0);
        Self { elements: Vec::new(), ends, valid: BooleanBufferBuilder::new(rows) }
    }

    /// Adds an element to the row that is not ended yet.
    #[inline]
    pub(super) fn push(&mut self, element: usize) {
        self.elements.push(element as u32);
    }

    /// Adds elements to the row that is not ended yet.
    pub(super) fn extend(&mut self, elements: impl IntoIterator<Item = usize>) {
        self.elements.extend(elements.into_iter().map(|element| element as u32));
    }

    /// The elements of the row that is not ended yet.
    pub(super) fn row(&mut self) -> &mut [u32] {
        let start = self.ends[self.ends.len() - 1] as usize;
        &mut self.elements[start..]
    }

    /// Ends a row. It fails if a column has no room for so many elements.
    pub(super) fn end(&mut self, batch: &mut Batch<'_>) {
        let row = self.ends.len() - 1;
        if let Ok(end) = i32::try_from(self.elements.len()) {
            self.ends.push(end);
            self.valid.append(true);
        } else {
            batch.fail(row, "the results of a batch have more than 2,147,483,647 elements");
            self.elements.truncate(self.ends[row] as usize);
            self.end_null();
        }
    }

    /// Ends a row that is NULL.
    pub(super) fn end_null(&mut self) {
        self.ends.push(self.ends[self.ends.len() - 1]);
        self.valid.append(false);
    }

    fn finish(mut self) -> (UInt32Array, OffsetBuffer<i32>, Option<NullBuffer>) {
        let nulls = NullBuffer::new(self.valid.finish());
        let nulls = Some(nulls).filter(|nulls| nulls.null_count() > 0);
        (self.elements.into(), OffsetBuffer::new(self.ends.into()), nulls)
    }

    /// Arrays of type `result` with elements of `column`.
    pub(super) fn lists(self, column: &ArrayRef, result: &DataType) -> ArrayRef {
        let (elements, offsets, nulls) = self.finish();
        elements::lists(result, offsets, gathered(column, &elements), nulls)
    }

    /// Maps of type `result` with entries of `keys` and `values`.
    pub(super) fn maps(self, keys: &ArrayRef, values: &ArrayRef, result: &DataType) -> ArrayRef {
        let (entries, offsets, nulls) = self.finish();
        elements::maps(result, offsets, gathered(keys, &entries), gathered(values, &entries), nulls)
    }

    /// Maps of type `result` whose keys are these of `keys`, and whose values are those that `of_values` has of `values`.
    pub(super) fn maps_with(self, keys: &ArrayRef, of_values: Self, values: &ArrayRef, result: &DataType) -> ArrayRef {
        let ((entries, offsets, nulls), (of_values, ..)) = (self.finish(), of_values.finish());
        elements::maps(result, offsets, gathered(keys, &entries), gathered(values, &of_values), nulls)
    }
}

fn gathered(column: &ArrayRef, elements: &UInt32Array) -> ArrayRef {
    take(column, elements, None).expect("elements are within their column")
}

/// The elements of `left` and after them those of `right`, of one type. What has no type has no elements.
pub(super) fn chained(left: &ArrayRef, right: &ArrayRef) -> ArrayRef {
    let columns: Vec<&dyn Array> =
        [left, right].into_iter().filter(|column| *column.data_type() != DataType::Null).map(AsRef::as_ref).collect();
    match columns.as_slice() {
        [] => Arc::clone(left),
        columns => concat(columns).expect("both are of one type"),
    }
}
