//! `ARRAY_CONCAT(left, right)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::selection::{Selection, chained};

/// The elements of one array after those of another; NULL has none.
#[scalar(
    name = "array_concat",
    signature = "(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_CONCAT(ARRAY[1, 2], ARRAY[2, 3])" = "ARRAY[1, 2, 2, 3]")
)]
pub(super) fn array_concat(batch: &mut Batch<'_>) -> ArrayRef {
    let (left, right) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let (lefts, rights) = (left.column(), right.column());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let (first, second) = (left.range(row), right.range(row));
        if first.is_none() && second.is_none() {
            kept.end_null();
            continue;
        }
        kept.extend(first.into_iter().flatten());
        kept.extend(second.into_iter().flatten().map(|place| lefts.len() + place));
        kept.end(batch);
    }
    kept.lists(&chained(&lefts, &rights), batch.result_type())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists};

    #[test]
    fn null_adds_nothing() {
        let left = arrays([Some(vec![Some(1), None]), None, Some(vec![Some(2)]), None, Some(vec![])]);
        let right = arrays([Some(vec![Some(3)]), Some(vec![Some(4)]), None, None, Some(vec![])]);
        let expected =
            [Some(vec![Some(1), None, Some(3)]), Some(vec![Some(4)]), Some(vec![Some(2)]), None, Some(vec![])];
        assert_eq!(lists("ARRAY_CONCAT", &[left, right]), expected);
    }
}
