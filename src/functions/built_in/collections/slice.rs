//! `SLICE(array, from, to)`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::Int32Type;
use levada_udf::{Batch, Operand, scalar};

use super::super::elements::Elements;
use super::super::selection::Selection;

/// The elements from one position to another, both included; NULL stands for the first or the last one.
#[scalar(
    name = "slice",
    signature = "(array ARRAY<T>, from INT, to INT) -> ARRAY<T>",
    example("SLICE(ARRAY[1, 2, 3, 4], 2, 3)" = "ARRAY[2, 3]")
)]
pub(super) fn slice(batch: &mut Batch<'_>) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    let (from, to) = (&batch.arguments()[1], &batch.arguments()[2]);
    let column = arrays.column();
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let within = arrays.range(row).and_then(|range| {
            let start = position(from, row).map_or(0, |from| from - 1);
            let end = position(to, row).unwrap_or(range.len() as i64);
            let is_within = 0 <= start && start <= end && end <= range.len() as i64;
            is_within.then(|| range.start + start as usize..range.start + end as usize)
        });
        match within {
            Some(places) => {
                kept.extend(places);
                kept.end(batch);
            }
            None => kept.end_null(),
        }
    }
    kept.lists(&column, batch.result_type())
}

/// The position that `operand` has in `row`; `None` if it is NULL.
fn position(operand: &Operand, row: usize) -> Option<i64> {
    let positions = operand.array().as_primitive_opt::<Int32Type>()?;
    (!operand.is_null(row)).then(|| i64::from(positions.value(operand.index(row))))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists, numbers};

    #[test]
    fn positions_outside_give_null() {
        let array = || Some(vec![Some(1), Some(2), Some(3)]);
        let rows = arrays([array(), array(), array(), array(), array(), array(), array(), None]);
        let from = numbers([Some(2), None, Some(0), Some(2), Some(4), Some(3), Some(i32::MIN), Some(1)]);
        let to = numbers([Some(3), Some(1), Some(2), Some(4), None, Some(1), None, Some(1)]);
        let expected = [Some(vec![Some(2), Some(3)]), Some(vec![Some(1)]), None, None, Some(vec![]), None, None, None];
        assert_eq!(lists("SLICE", &[rows, from, to]), expected);
    }
}
