//! `CUBE_EXPLODE(columns)`: a row for every subset of the elements, in which the others are NULL.
//!
//! The subsets are counted like binary numbers, whose lowest digit is the last element: first none, at last all. An element that
//! is NULL is the same in and out of a subset, so it is in none.

use std::sync::Arc;

use arrow::array::{Array, ArrayBuilder, ArrayRef, AsArray, ListArray, UInt32Builder};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};

use levada_udf::{Batch, table};

/// Elements that a list may have.
const COLUMNS_MAX: usize = 20;

/// `rows` of the function: so many have fewer than 2³¹ elements in their subsets, which is what an array holds.
const ROWS_MAX: usize = 64;

const _: () = assert!((ROWS_MAX * COLUMNS_MAX) << COLUMNS_MAX < i32::MAX as usize);

/// A row for every subset of the elements, the others NULL.
#[table(
    signature = "(columns ARRAY<T>) -> ARRAY<T>",
    rows = 64,
    example(
        "CUBE_EXPLODE(ARRAY[1, 2])" = "ARRAY[ARRAY[CAST(NULL AS INT), CAST(NULL AS INT)], ARRAY[CAST(NULL AS INT), 2], ARRAY[1, CAST(NULL AS INT)], ARRAY[1, 2]]"
    )
)]
pub(super) fn cube_explode(batch: &mut Batch<'_>) -> ArrayRef {
    let rows = batch.rows();
    let all = batch.arguments()[0].expanded(rows);
    let columns = all.as_list::<i32>();
    let mut elements = UInt32Builder::new();
    let (mut ends_of_subsets, mut ends_of_rows) = (vec![0], vec![0]);
    for row in 0..rows {
        let width = if columns.is_null(row) { 0 } else { columns.value_length(row) as usize };
        if width > COLUMNS_MAX {
            batch.fail(row, format!("{width} columns are more than the {COLUMNS_MAX} that CUBE_EXPLODE takes"));
        } else if columns.is_valid(row) {
            let first = columns.value_offsets()[row] as usize;
            let digit = |column: usize| 1_u32 << (width - 1 - column);
            let present = (0..width).filter(|column| columns.values().is_valid(first + column)).map(digit).sum::<u32>();
            let mut subset = 0;
            loop {
                for column in 0..width {
                    elements.append_option((subset & digit(column) != 0).then_some((first + column) as u32));
                }
                ends_of_subsets.push(elements.len() as i32);
                if subset == present {
                    break;
                }
                // The next greater number with digits among those of `present` only.
                subset = subset.wrapping_sub(present) & present;
            }
        }
        ends_of_rows.push(ends_of_subsets.len() as i32 - 1);
    }
    let values = take(columns.values(), &elements.finish(), None).expect("elements are within their lists");
    let subsets: ArrayRef = Arc::new(list(ends_of_subsets, values));
    Arc::new(list(ends_of_rows, subsets))
}

fn list(ends: Vec<i32>, values: ArrayRef) -> ListArray {
    let field = |data_type: &DataType| Arc::new(Field::new_list_field(data_type.clone(), true));
    ListArray::new(field(values.data_type()), OffsetBuffer::new(ends.into()), values, None)
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Int32Type;

    use levada_udf::Operand;

    use super::*;

    type Numbers = Vec<Option<i32>>;

    fn evaluated(lists: Vec<Option<Numbers>>) -> (Vec<Vec<Numbers>>, Vec<String>) {
        let (rows, mut failures) = (lists.len(), Vec::new());
        let column = Operand::Column(Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)));
        let mut note = |row: usize, reason: String| failures.push(format!("{row}: {reason}"));
        let found = cube_explode(&mut Batch::new(&[column], rows, &DataType::Null, &mut note));
        let numbers = |subset: ArrayRef| subset.as_primitive::<Int32Type>().iter().collect();
        let subsets = |row: ArrayRef| row.as_list::<i32>().iter().flatten().map(numbers).collect();
        (found.as_list::<i32>().iter().flatten().map(subsets).collect(), failures)
    }

    #[test]
    fn subsets_are_counted_from_none_to_all() {
        let (found, _) = evaluated(vec![Some(vec![Some(1), Some(2)])]);
        let expected = vec![vec![None, None], vec![None, Some(2)], vec![Some(1), None], vec![Some(1), Some(2)]];
        assert_eq!(found, [expected]);
    }

    #[test]
    fn an_element_that_is_null_makes_no_subset() {
        let (found, _) = evaluated(vec![Some(vec![Some(1), None, Some(3)])]);
        let expected = vec![
            vec![None, None, None],
            vec![None, None, Some(3)],
            vec![Some(1), None, None],
            vec![Some(1), None, Some(3)],
        ];
        assert_eq!(found, [expected]);
    }

    #[test]
    fn no_elements_have_one_subset_and_null_has_none() {
        assert_eq!(evaluated(vec![None, Some(vec![])]).0, [vec![], vec![vec![]]]);
    }

    #[test]
    fn too_many_columns_fail() {
        let (found, failures) = evaluated(vec![Some(vec![Some(1); 21]), Some(vec![Some(1)])]);
        assert_eq!(failures, ["0: 21 columns are more than the 20 that CUBE_EXPLODE takes"]);
        assert_eq!(found, [vec![], vec![vec![None], vec![Some(1)]]]);
    }
}
