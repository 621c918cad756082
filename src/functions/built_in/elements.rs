//! The elements of arrays and the entries of maps.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray, UInt32Array, new_empty_array,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::DataType;

use levada_udf::Operand;

/// The elements of the arrays of an argument, or the entries of its maps.
pub(super) struct Elements<'a> {
    /// The elements of all rows; of maps, the keys and the values. None where the argument has no type.
    pub(super) columns: Vec<ArrayRef>,
    offsets: &'a [i32],
    nulls: Option<&'a NullBuffer>,
    /// 0 where all rows have one value.
    step: usize,
}

impl<'a> Elements<'a> {
    /// Those of `operand`, arrays or maps.
    pub(super) fn new(operand: &'a Operand) -> Self {
        let array = operand.array();
        let (columns, offsets): (Vec<&ArrayRef>, &[i32]) = match array.data_type() {
            DataType::List(_) => (vec![array.as_list::<i32>().values()], array.as_list::<i32>().value_offsets()),
            DataType::Map(..) => {
                let maps = array.as_map();
                (vec![maps.keys(), maps.values()], maps.value_offsets())
            }
            _ => (Vec::new(), &[]),
        };
        // A slice has the elements of all that it is a slice of.
        let first = offsets.first().map_or(0, |&first| first as usize);
        let length = offsets.last().map_or(0, |&last| last as usize) - first;
        let columns = columns.iter().map(|column| column.slice(first, length)).collect();
        Self { columns, offsets, nulls: array.nulls(), step: usize::from(!operand.is_constant()) }
    }

    /// Where those of `row` are; `None` if it is NULL.
    #[inline]
    pub(super) fn range(&self, row: usize) -> Option<Range<usize>> {
        let (first, index) = (*self.offsets.first()?, row * self.step);
        if self.nulls.is_some_and(|nulls| nulls.is_null(index)) {
            return None;
        }
        Some((self.offsets[index] - first) as usize..(self.offsets[index + 1] - first) as usize)
    }

    /// The elements of arrays.
    pub(super) fn column(&self) -> ArrayRef {
        self.columns.first().map_or_else(|| new_empty_array(&DataType::Null), Arc::clone)
    }
}

/// The elements of all rows of an argument, one row's after the other's.
pub(super) struct Flattened {
    /// The elements; of maps, the keys and the values.
    pub(super) columns: Vec<ArrayRef>,
    /// Which row each element is of.
    pub(super) rows: Vec<u32>,
    /// Where those of each row begin and end.
    pub(super) offsets: OffsetBuffer<i32>,
    /// Which rows are not NULL.
    pub(super) nulls: Option<NullBuffer>,
}

impl Flattened {
    /// The elements of `operand`, arrays or maps, in `rows` rows.
    pub(super) fn new(operand: &Operand, rows: usize) -> Self {
        let expanded = Operand::Column(operand.expanded(rows));
        let elements = Elements::new(&expanded);
        let mut lengths = Vec::with_capacity(rows);
        let mut row_of = Vec::new();
        for row in 0..rows {
            let length = elements.range(row).map_or(0, |range| range.len());
            lengths.push(length);
            row_of.resize(row_of.len() + length, row as u32);
        }
        let columns = if elements.columns.iter().all(|column| column.len() == row_of.len()) {
            elements.columns
        } else {
            // Rows that are NULL have elements nevertheless.
            let places = (0..rows).filter_map(|row| elements.range(row)).flatten().map(|place| place as u32);
            let places: UInt32Array = places.collect();
            let gather = |column: &ArrayRef| take(column, &places, None).expect("elements are within their column");
            elements.columns.iter().map(gather).collect()
        };
        let nulls = expanded.array().nulls().cloned();
        Self { columns, rows: row_of, offsets: OffsetBuffer::from_lengths(lengths), nulls }
    }

    /// Where the elements of `row` are.
    pub(super) fn range(&self, row: usize) -> Range<usize> {
        self.offsets[row] as usize..self.offsets[row + 1] as usize
    }
}

/// Arrays of type `result`.
pub(super) fn lists(
    result: &DataType,
    offsets: OffsetBuffer<i32>,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let DataType::List(field) = result else { unreachable!("the function gives arrays") };
    Arc::new(ListArray::new(Arc::clone(field), offsets, values, nulls))
}

/// Maps of type `result`.
pub(super) fn maps(
    result: &DataType,
    offsets: OffsetBuffer<i32>,
    keys: ArrayRef,
    values: ArrayRef,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let DataType::Map(field, _) = result else { unreachable!("the function gives maps") };
    let DataType::Struct(fields) = field.data_type() else { unreachable!("entries are structs") };
    let entries = StructArray::new(fields.clone(), vec![keys, values], None);
    Arc::new(MapArray::new(Arc::clone(field), offsets, entries, nulls, false))
}

/// Keys of maps to be: texts have `null` for NULL, as where MAP makes a map.
pub(super) fn spelled_out(keys: &ArrayRef) -> ArrayRef {
    match keys.as_string_opt::<i32>() {
        Some(texts) if texts.null_count() > 0 => {
            Arc::new(texts.iter().map(|text| Some(text.unwrap_or("null"))).collect::<StringArray>())
        }
        _ => Arc::clone(keys),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int32Array;
    use arrow::buffer::ScalarBuffer;
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    #[test]
    fn elements_of_null_and_of_rows_before_a_slice_are_left_out() {
        let values = Arc::new(Int32Array::from_iter_values(0..8));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(vec![0, 2, 4, 6, 8]));
        let field = Arc::new(Field::new_list_field(DataType::Int32, true));
        let nulls = NullBuffer::from(vec![true, true, false, true]);
        let all = ListArray::new(field, offsets, values, Some(nulls));
        for (first, expected, rows) in
            [(1, vec![2, 3, 6, 7], vec![0, 0, 2, 2]), (2, vec![6, 7], vec![1, 1]), (0, vec![0, 1, 2, 3, 6, 7], vec![])]
        {
            let slice = Operand::Column(Arc::new(all.slice(first, 4 - first)));
            let found = Flattened::new(&slice, 4 - first);
            assert_eq!(found.columns[0].as_primitive::<Int32Type>().values(), &expected, "from {first}");
            if !rows.is_empty() {
                assert_eq!(found.rows, rows, "from {first}");
            }
            assert_eq!(found.range(3 - first), expected.len() - 2..expected.len());
        }
    }
}
