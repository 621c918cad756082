//! Where expressions report rows that fail. DataFusion's interface has no place for that, so it is beside it: one list
//! per thread, alive while a [`CompiledExpr`](super::CompiledExpr) is evaluated.
//!
//! A failure makes the whole expression NULL in its row, however deep it was, except below a part that is evaluated
//! [`in_place`]: there the part is NULL and the rest goes on.

use std::cell::RefCell;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::nullif;

use crate::types::RowError;

thread_local! {
    static SINK: RefCell<Sink> = const { RefCell::new(Sink::new()) };
}

struct Sink {
    errors: Vec<Failure>,
    /// Which rows count at the moment, innermost last: those that reach the branch being evaluated.
    wanted: Vec<BooleanBuffer>,
    silenced: u32,
}

impl Sink {
    const fn new() -> Self {
        Self { errors: Vec::new(), wanted: Vec::new(), silenced: 0 }
    }
}

/// A failure in one row.
pub(super) struct Failure {
    pub(super) error: RowError,
    /// Whether a part took it in place: the expression has a value.
    pub(super) contained: bool,
}

/// Reports that `row` failed, if it counts at the moment.
pub(super) fn report(row: usize, reason: impl FnOnce() -> String) {
    SINK.with_borrow_mut(|sink| {
        if sink.silenced == 0 && sink.wanted.last().is_none_or(|wanted| wanted.value(row)) {
            sink.errors.push(Failure { error: RowError::new(row, reason()), contained: false });
        }
    });
}

/// Runs `evaluate` while only the rows of `mask` count.
pub(super) fn only<T>(mask: &BooleanBuffer, evaluate: impl FnOnce() -> T) -> T {
    SINK.with_borrow_mut(|sink| {
        let wanted = sink.wanted.last().map_or_else(|| mask.clone(), |outer| outer & mask);
        sink.wanted.push(wanted);
    });
    let result = evaluate();
    SINK.with_borrow_mut(|sink| drop(sink.wanted.pop()));
    result
}

/// Runs `evaluate` while no row counts.
pub(super) fn silenced<T>(evaluate: impl FnOnce() -> T) -> T {
    SINK.with_borrow_mut(|sink| sink.silenced += 1);
    let result = evaluate();
    SINK.with_borrow_mut(|sink| sink.silenced -= 1);
    result
}

/// Runs `evaluate`, which gives one value per row; rows that fail in it are NULL and fail no further.
pub(super) fn in_place<E>(evaluate: impl FnOnce() -> Result<ArrayRef, E>) -> Result<ArrayRef, E> {
    let before = SINK.with_borrow(|sink| sink.errors.len());
    let values = evaluate()?;
    SINK.with_borrow_mut(|sink| {
        let values = nulled(values, &sink.errors[before..]);
        sink.errors[before..].iter_mut().for_each(|failure| failure.contained = true);
        Ok(values)
    })
}

/// Reports that `row` failed in a part that takes it in place.
pub(super) fn report_contained(row: usize, reason: String) {
    SINK.with_borrow_mut(|sink| {
        if sink.silenced == 0 && sink.wanted.last().is_none_or(|wanted| wanted.value(row)) {
            sink.errors.push(Failure { error: RowError::new(row, reason), contained: true });
        }
    });
}

/// Runs `evaluate`, which computes the function `name` for the same rows; what is reported in it says so.
pub(super) fn within<T>(name: &str, evaluate: impl FnOnce() -> T) -> T {
    let before = SINK.with_borrow(|sink| sink.errors.len());
    let result = evaluate();
    SINK.with_borrow_mut(|sink| {
        for Failure { error, .. } in &mut sink.errors[before..] {
            error.reason = format!("{name}: {}", error.reason);
        }
    });
    result
}

/// Runs `evaluate`, whose rows are others than those around it, and returns what was reported.
pub(super) fn apart<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Failure>) {
    let around = SINK.with_borrow_mut(|sink| std::mem::replace(sink, Sink::new()));
    let result = evaluate();
    let apart = SINK.with_borrow_mut(|sink| std::mem::replace(sink, around));
    (result, apart.errors)
}

/// Runs `evaluate` and returns what was reported.
pub(super) fn collect<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Failure>) {
    let result = evaluate();
    (result, SINK.with_borrow_mut(|sink| std::mem::take(&mut sink.errors)))
}

/// `values` with NULL in the rows of the failures that nothing contains.
pub(super) fn nulled(values: ArrayRef, failures: &[Failure]) -> ArrayRef {
    if failures.iter().all(|failure| failure.contained) {
        return values;
    }
    let mut failed = vec![false; values.len()];
    failures.iter().filter(|failure| !failure.contained).for_each(|failure| failed[failure.error.row as usize] = true);
    nullif(&values, &BooleanArray::from(failed)).expect("the mask has a value per row")
}
