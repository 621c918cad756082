//! `ARRAY_REMOVE(array, element)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;
use super::super::selection::Selection;

/// The elements that do not equal a value, or are not NULL.
#[scalar(
    name = "array_remove",
    signature = "(array ARRAY<T>, element T) -> ARRAY<T>",
    example("ARRAY_REMOVE(ARRAY[1, 2, 1, 3], 1)" = "ARRAY[2, 3]")
)]
pub(super) fn array_remove(batch: &mut Batch<'_>) -> ArrayRef {
    let unwanted = &batch.arguments()[1];
    let arrays = Elements::new(&batch.arguments()[0]);
    let column = arrays.column();
    let identities = Identities::new(&[&column, unwanted.array()]);
    let (ids, unwanted_ids) = (identities.of(0), identities.of(1));
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let Some(range) = arrays.range(row) else {
            kept.end_null();
            continue;
        };
        let unwanted = unwanted_ids[unwanted.index(row)];
        kept.extend(range.filter(|&place| ids[place] != unwanted));
        kept.end(batch);
    }
    kept.lists(&column, batch.result_type())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists, numbers};

    #[test]
    fn null_removes_nulls() {
        let array = || Some(vec![Some(1), None, Some(2), Some(1)]);
        let arguments = [arrays([array(), array(), array(), None]), numbers([Some(1), None, Some(3), Some(1)])];
        let expected = [Some(vec![None, Some(2)]), Some(vec![Some(1), Some(2), Some(1)]), array(), None];
        assert_eq!(lists("ARRAY_REMOVE", &arguments), expected);
    }
}
