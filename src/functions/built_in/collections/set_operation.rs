//! Arrays as sets: which elements of one stand in another.

use arrow::array::ArrayRef;
use levada_udf::Batch;

use super::super::elements::Elements;
use super::super::equality::{Identities, Marks};
use super::super::selection::Selection;

/// The elements of the first array that `keeps` takes, in their order. It is given what the second array has marked, an element,
/// and the row.
pub(super) fn of_first(batch: &mut Batch<'_>, keeps: impl Fn(&mut Marks, u32, u32) -> bool) -> ArrayRef {
    let (left, right) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let column = left.column();
    let identities = Identities::new(&[&column, &right.column()]);
    let (ids, other_ids, mut marks) = (identities.of(0), identities.of(1), identities.marks());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let (Some(range), Some(others)) = (left.range(row), right.range(row)) else {
            kept.end_null();
            continue;
        };
        for &other in &other_ids[others] {
            marks.mark(other, row as u32);
        }
        kept.extend(range.filter(|&place| keeps(&mut marks, ids[place], row as u32)));
        kept.end(batch);
    }
    kept.lists(&column, batch.result_type())
}
