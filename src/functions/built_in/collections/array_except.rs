//! `ARRAY_EXCEPT(left, right)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::equality::Marks;
use super::set_operation;

/// The elements of one array that are not in another, each once.
#[scalar(
    name = "array_except",
    signature = "(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_EXCEPT(ARRAY[3, 1, 3, 2], ARRAY[2])" = "ARRAY[3, 1]")
)]
pub(super) fn array_except(batch: &mut Batch<'_>) -> ArrayRef {
    set_operation::of_first(batch, Marks::mark)
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
