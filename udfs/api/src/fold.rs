//! Aggregate functions whose groups have one value of Rust each.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::{Accumulator, Rejected, Update};

/// What an aggregate function does with the state of one group. [`Folded`] makes an [`Accumulator`] of it.
pub trait Fold: Send + 'static {
    /// State of a group.
    type State: Send + 'static;

    /// The arguments of many rows, looked at once.
    type Arguments<'a>;

    /// A column of results that grows.
    type Results: Default;

    /// The state of a group without rows.
    fn initial(&self) -> Self::State;

    /// Looks at the arguments of an update.
    fn arguments<'a>(&'a self, columns: &'a [ArrayRef]) -> Self::Arguments<'a>;

    /// Adds `row`.
    ///
    /// # Errors
    /// Why it cannot be added; the state is as it was.
    fn add(&self, state: &mut Self::State, arguments: &Self::Arguments<'_>, row: usize) -> Result<(), String>;

    /// Takes `row` back, which was added before. Only functions that tables may use have it.
    ///
    /// # Errors
    /// Why it cannot be taken back; the state is as it was.
    fn undo(&self, _: &mut Self::State, _: &Self::Arguments<'_>, _: usize) -> Result<(), String> {
        Err("the function cannot take rows back".to_owned())
    }

    /// Adds `from` as if its rows had come after those of `into`.
    ///
    /// # Errors
    /// Why there is no such state; `into` is as it was.
    fn merge(&self, into: &mut Self::State, from: &Self::State) -> Result<(), String>;

    /// Adds the result of `state`.
    ///
    /// # Errors
    /// Why there is none; NULL was added.
    fn result(&self, state: &Self::State, results: &mut Self::Results) -> Result<(), String>;

    /// The column of results.
    fn finish(&self, results: Self::Results) -> ArrayRef;

    /// Memory that `state` takes beside its size, about.
    fn heap_bytes(&self, _: &Self::State) -> usize {
        0
    }

    /// Types of the columns that hold states in storage.
    fn stored_types(&self) -> Vec<DataType>;

    /// States as columns of these types.
    ///
    /// # Errors
    /// Why one cannot be kept.
    fn store(&self, states: &[&Self::State]) -> Result<Vec<ArrayRef>, String>;

    /// The states that [`Fold::store`] made `columns` of.
    ///
    /// # Errors
    /// Why there is no such state.
    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Self::State>, String>;
}

/// Memory that the state of a group may take beside its size: rows that would add to more are rejected, so that results and
/// states fit arrays.
const HEAP_BYTES_MAX: usize = 32 << 20;

/// The states of all groups of a [`Fold`].
#[derive(Debug)]
pub struct Folded<F: Fold> {
    fold: F,
    states: Vec<F::State>,
    heap_bytes: usize,
    rejected: Vec<Rejected>,
}

fn too_large() -> String {
    format!("the values of the group take more than {} MiB", HEAP_BYTES_MAX >> 20)
}

impl<F: Fold> Folded<F> {
    /// No group yet.
    pub fn new(fold: F) -> Self {
        Self { fold, states: Vec::new(), heap_bytes: 0, rejected: Vec::new() }
    }

    /// No group yet, as what aggregate functions give.
    pub fn boxed(fold: F) -> Box<dyn Accumulator> {
        Box::new(Self::new(fold))
    }

    fn set(&mut self, slot: u32, state: F::State) {
        let place = &mut self.states[slot as usize];
        self.heap_bytes = self.heap_bytes + self.fold.heap_bytes(&state) - self.fold.heap_bytes(place);
        *place = state;
    }
}

impl<F: Fold> Accumulator for Folded<F> {
    fn grow(&mut self, slots: usize) {
        let Self { fold, states, heap_bytes, .. } = self;
        states.resize_with(slots.max(states.len()), || {
            let state = fold.initial();
            *heap_bytes += fold.heap_bytes(&state);
            state
        });
    }

    fn reset(&mut self, slot: u32) {
        self.set(slot, self.fold.initial());
    }

    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef> {
        let arguments = self.fold.arguments(rows.arguments);
        let mut results = F::Results::default();
        for (row, &slot) in rows.slots.iter().enumerate() {
            let state = &mut self.states[slot as usize];
            let before = self.fold.heap_bytes(state);
            let folded = if rows.is_undone(row) {
                self.fold.undo(state, &arguments, row)
            } else if before > HEAP_BYTES_MAX {
                Err(too_large())
            } else {
                self.fold.add(state, &arguments, row)
            };
            self.heap_bytes = self.heap_bytes + self.fold.heap_bytes(state) - before;
            let shown = if emit { self.fold.result(state, &mut results) } else { Ok(()) };
            if let Err(reason) = folded.and(shown) {
                self.rejected.push(Rejected { row, reason });
            }
        }
        emit.then(|| self.fold.finish(results))
    }

    fn merge(&mut self, into: u32, from: u32) -> Result<(), String> {
        let Ok([into, from]) = self.states.get_disjoint_mut([into as usize, from as usize]) else {
            return Err("a group is not merged with itself".to_owned());
        };
        let before = self.fold.heap_bytes(into);
        if before + self.fold.heap_bytes(from) > HEAP_BYTES_MAX {
            return Err(too_large());
        }
        let merged = self.fold.merge(into, from);
        self.heap_bytes = self.heap_bytes + self.fold.heap_bytes(into) - before;
        merged
    }

    fn take_rejected(&mut self) -> Vec<Rejected> {
        std::mem::take(&mut self.rejected)
    }

    fn results(&self, slots: &[u32]) -> ArrayRef {
        let mut results = F::Results::default();
        for &slot in slots {
            // A result that there is none of is NULL.
            let _ = self.fold.result(&self.states[slot as usize], &mut results);
        }
        self.fold.finish(results)
    }

    fn slot_bytes(&self) -> usize {
        size_of::<F::State>()
    }

    fn heap_bytes(&self) -> usize {
        self.heap_bytes
    }

    fn state_types(&self) -> Vec<DataType> {
        self.fold.stored_types()
    }

    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String> {
        let states: Vec<&F::State> = slots.iter().map(|&slot| &self.states[slot as usize]).collect();
        self.fold.store(&states)
    }

    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String> {
        for (state, &slot) in self.fold.restore(columns)?.into_iter().zip(slots) {
            self.set(slot, state);
        }
        Ok(())
    }
}
