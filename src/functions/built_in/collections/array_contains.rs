//! `ARRAY_CONTAINS(array, element)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;

/// Whether a value, or NULL, is among the elements; false if there is no array.
#[scalar(
    name = "ARRAY_CONTAINS",
    signature = "(array ARRAY<T>, element T) -> BOOLEAN",
    example("ARRAY_CONTAINS(ARRAY['a', 'b'], 'b')" = "TRUE")
)]
pub(super) fn array_contains(batch: &mut Batch<'_>) -> ArrayRef {
    let wanted = &batch.arguments()[1];
    let arrays = Elements::new(&batch.arguments()[0]);
    let identities = Identities::new(&[wanted.array(), &arrays.column()]);
    let (wanted_ids, ids) = (identities.of(0), identities.of(1));
    let contains = |row: usize| {
        let wanted = wanted_ids[wanted.index(row)];
        arrays.range(row).is_some_and(|range| ids[range].contains(&wanted))
    };
    Arc::new((0..batch.rows()).map(|row| Some(contains(row))).collect::<BooleanArray>())
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::super::super::evaluated;
    use super::super::tests::{arrays, numbers};

    #[test]
    fn null_is_found_and_not_in_null() {
        let array = || Some(vec![Some(1), None]);
        let found = evaluated(
            "ARRAY_CONTAINS",
            &[
                arrays([array(), array(), array(), None, Some(vec![Some(1)])]),
                numbers([Some(1), Some(2), None, None, None]),
            ],
            5,
        );
        let found: Vec<_> = found.as_boolean().iter().collect();
        assert_eq!(found, [true, false, true, false, false].map(Some));
    }
}
