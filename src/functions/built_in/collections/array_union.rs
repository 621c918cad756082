//! `ARRAY_UNION(left, right)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;
use super::super::selection::{Selection, chained};

/// The elements of two arrays without repetitions.
#[scalar(
    name = "array_union",
    signature = "(left ARRAY<T>, right ARRAY<T>) -> ARRAY<T>",
    example("ARRAY_UNION(ARRAY[3, 1, 3], ARRAY[2, 1])" = "ARRAY[3, 1, 2]")
)]
pub(super) fn array_union(batch: &mut Batch<'_>) -> ArrayRef {
    let (left, right) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let (lefts, rights) = (left.column(), right.column());
    let both = chained(&lefts, &rights);
    let identities = Identities::new(&[&both]);
    let (ids, mut met) = (identities.of(0), identities.marks());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let (Some(first), Some(second)) = (left.range(row), right.range(row)) else {
            kept.end_null();
            continue;
        };
        let places = first.chain(second.map(|place| lefts.len() + place));
        kept.extend(places.filter(|&place| met.mark(ids[place], row as u32)));
        kept.end(batch);
    }
    kept.lists(&both, batch.result_type())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{arrays, lists};

    #[test]
    fn the_first_ones_of_the_first_array_come_first() {
        let left = arrays([Some(vec![Some(3), None, Some(3)]), Some(vec![]), None, Some(vec![])]);
        let right = arrays([Some(vec![Some(1), None, Some(3)]), Some(vec![Some(3)]), Some(vec![]), None]);
        let expected = [Some(vec![Some(3), None, Some(1)]), Some(vec![Some(3)]), None, None];
        assert_eq!(lists("ARRAY_UNION", &[left, right]), expected);
    }
}
