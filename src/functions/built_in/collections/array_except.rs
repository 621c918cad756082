//! `ARRAY_EXCEPT(left, right)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;
use super::super::selection::Selection;

/// The elements of one array that are not in another, each once.
#[scalar(
    name = "array_except",
    signature = "(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_EXCEPT(ARRAY[3, 1, 3, 2], ARRAY[2])" = "ARRAY[3, 1]")
)]
pub(super) fn array_except(batch: &mut Batch<'_>) -> ArrayRef {
    let (left, right) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let column = left.column();
    let identities = Identities::new(&[&column, &right.column()]);
    let (ids, other_ids, mut met) = (identities.of(0), identities.of(1), identities.marks());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let (Some(range), Some(others)) = (left.range(row), right.range(row)) else {
            kept.end_null();
            continue;
        };
        for &other in &other_ids[others] {
            met.mark(other, row as u32);
        }
        kept.extend(range.filter(|&place| met.mark(ids[place], row as u32)));
        kept.end(batch);
    }
    kept.lists(&column, batch.result_type())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists};

    #[test]
    fn what_is_left_comes_once_in_the_order_of_the_first() {
        let left = arrays([Some(vec![Some(3), None, Some(3), Some(1)]), Some(vec![Some(1)]), None, Some(vec![None])]);
        let right = arrays([Some(vec![Some(1)]), Some(vec![None]), Some(vec![]), None]);
        let expected = [Some(vec![Some(3), None]), Some(vec![Some(1)]), None, None];
        assert_eq!(lists("ARRAY_EXCEPT", &[left, right]), expected);
    }
}
