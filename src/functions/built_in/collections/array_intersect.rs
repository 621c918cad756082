//! `ARRAY_INTERSECT(left, right)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::equality::Marks;
use super::set_operation;

/// The elements that two arrays have in common, each once, in the order of the first array.
#[scalar(
    name = "array_intersect",
    signature = "(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_INTERSECT(ARRAY[3, 1, 3, 2], ARRAY[2, 3])" = "ARRAY[3, 2]")
)]
pub(super) fn array_intersect(batch: &mut Batch<'_>) -> ArrayRef {
    set_operation::of_first(batch, Marks::take)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists};

    #[test]
    fn what_both_have_comes_once_in_the_order_of_the_first() {
        let left = arrays([Some(vec![Some(3), None, Some(1), Some(3)]), Some(vec![Some(1)]), None, Some(vec![None])]);
        let right = arrays([Some(vec![None, Some(1), Some(3)]), Some(vec![]), Some(vec![]), None]);
        let expected = [Some(vec![Some(3), None, Some(1)]), Some(vec![]), None, None];
        assert_eq!(lists("ARRAY_INTERSECT", &[left, right]), expected);
    }
}
