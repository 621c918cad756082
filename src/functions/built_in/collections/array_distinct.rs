//! `ARRAY_DISTINCT(array)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;
use super::super::selection::Selection;

/// The elements without repetitions, in the order in which they come first.
#[scalar(
    name = "array_distinct",
    signature = "(array ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_DISTINCT(ARRAY[2, 1, 2])" = "ARRAY[2, 1]")
)]
pub(super) fn array_distinct(batch: &mut Batch<'_>) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    let column = arrays.column();
    let identities = Identities::new(&[&column]);
    let (ids, mut met) = (identities.of(0), identities.marks());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let Some(range) = arrays.range(row) else {
            kept.end_null();
            continue;
        };
        kept.extend(range.filter(|&place| met.mark(ids[place], row as u32)));
        kept.end(batch);
    }
    kept.lists(&column, batch.result_type())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists};

    #[test]
    fn each_row_has_its_own_repetitions() {
        let array =
            arrays([Some(vec![Some(1), None, Some(1), None]), None, Some(vec![]), Some(vec![None, Some(2), Some(1)])]);
        let expected = [Some(vec![Some(1), None]), None, Some(vec![]), Some(vec![None, Some(2), Some(1)])];
        assert_eq!(lists("ARRAY_DISTINCT", &[array]), expected);
    }
}
