//! Where expressions report rows that fail. DataFusion's interface has no place for that, so it is beside it: one list
//! per thread, alive while a [`CompiledExpr`](super::CompiledExpr) is evaluated.

use std::cell::RefCell;

use arrow::buffer::BooleanBuffer;

use crate::types::RowError;

thread_local! {
    static SINK: RefCell<Sink> = const { RefCell::new(Sink { errors: Vec::new(), wanted: Vec::new(), silenced: 0 }) };
}

struct Sink {
    errors: Vec<RowError>,
    /// Which rows count at the moment, innermost last: those that reach the branch being evaluated.
    wanted: Vec<BooleanBuffer>,
    silenced: u32,
}

/// Reports that `row` failed, if it counts at the moment.
pub(super) fn report(row: usize, reason: impl FnOnce() -> String) {
    SINK.with_borrow_mut(|sink| {
        if sink.silenced == 0 && sink.wanted.last().is_none_or(|wanted| wanted.value(row)) {
            sink.errors.push(RowError::new(row, reason()));
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

/// Runs `evaluate` and returns what was reported.
pub(super) fn collect<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<RowError>) {
    let result = evaluate();
    (result, SINK.with_borrow_mut(|sink| std::mem::take(&mut sink.errors)))
}
