//! `ARRAY_SORT(array[, direction])`.

use arrow::array::{Array, ArrayRef, AsArray};
use levada_udf::{Batch, Operand, scalar};

use super::super::elements::Elements;
use super::super::order::with_order;
use super::super::selection::Selection;

/// The elements in order, NULLs last; 'DESC' turns it around.
#[scalar(
    name = "array_sort",
    signature = "(array ARRAY<T>) -> ARRAY<T>",
    signature = "(array ARRAY<T>, direction STRING) -> ARRAY<T>",
    example("ARRAY_SORT(ARRAY[2, NULL, 3, 1])" = "ARRAY[1, 2, 3, NULL]"),
    example("ARRAY_SORT(ARRAY[2, NULL, 3, 1], 'DESC')" = "ARRAY[3, 2, 1, NULL]")
)]
pub(super) fn array_sort(batch: &mut Batch<'_>) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    let column = arrays.column();
    let direction = batch.arguments().get(1);
    let (mut kept, rows) = (Selection::new(batch.rows()), batch.rows());
    let sorted = with_order!(column, compare => {
        for row in 0..rows {
            let (Some(range), Some(direction)) = (arrays.range(row), direction_of(direction, row)) else {
                kept.end_null();
                continue;
            };
            kept.extend(range.clone().filter(|&place| column.is_valid(place)));
            let by_value = |&a: &u32, &b: &u32| compare(a as usize, b as usize);
            match direction {
                Direction::Ascending => kept.row().sort_by(by_value),
                Direction::Descending => kept.row().sort_by(|a, b| by_value(b, a)),
            }
            kept.extend(range.filter(|&place| column.is_null(place)));
            kept.end(batch);
        }
    });
    if sorted.is_none() {
        for row in 0..rows {
            let Some(range) = arrays.range(row).filter(|_| direction_of(direction, row).is_some()) else {
                kept.end_null();
                continue;
            };
            if range.clone().any(|place| column.is_valid(place)) {
                batch.fail(row, "elements of this type have no order");
            }
            kept.extend(range);
            kept.end(batch);
        }
    }
    kept.lists(&column, batch.result_type())
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Ascending,
    Descending,
}

/// The direction of `row`; `None` if it is NULL or no direction.
fn direction_of(operand: Option<&Operand>, row: usize) -> Option<Direction> {
    let Some(operand) = operand else { return Some(Direction::Ascending) };
    let texts = operand.array().as_string_opt::<i32>()?;
    let index = operand.index(row);
    let text = texts.is_valid(index).then(|| texts.value(index))?;
    let is_any_of = |names: [&str; 2]| names.iter().any(|name| text.eq_ignore_ascii_case(name));
    if is_any_of(["ASC", "ASCENDING"]) {
        Some(Direction::Ascending)
    } else {
        is_any_of(["DESC", "DESCENDING"]).then_some(Direction::Descending)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::super::tests::{arrays, lists};
    use super::*;

    #[test]
    fn nulls_are_last_both_ways() {
        let array = || Some(vec![Some(2), None, Some(3), Some(1)]);
        let up = || Some(vec![Some(1), Some(2), Some(3), None]);
        let down = || Some(vec![Some(3), Some(2), Some(1), None]);
        assert_eq!(lists("ARRAY_SORT", &[arrays([array(), None, Some(vec![])])]), [up(), None, Some(vec![])]);
        let directions = [Some("asc"), Some("Descending"), Some("DESC"), Some("up"), None];
        let directions = Operand::Column(Arc::new(StringArray::from(directions.to_vec())));
        let rows = arrays([array(), array(), array(), array(), array()]);
        assert_eq!(lists("ARRAY_SORT", &[rows, directions]), [up(), down(), down(), None, None]);
    }
}
