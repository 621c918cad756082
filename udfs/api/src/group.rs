//! Aggregate functions as authors write them: a value of Rust for each group, and what is done with it row by row.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::{Accumulator, AggregateCall, Build, Fold, Folded, Write};

/// What is done with one row: adds it to a state, or takes it back if the flag says so.
pub type Step<'a, S> = Box<dyn Fn(&mut S, usize, bool) -> Result<(), String> + 'a>;

/// The state of a group. The attribute [`aggregate`](crate::aggregate) makes it of a block of methods.
pub trait Group: Default + Send + 'static {
    /// What a group gives.
    type Result: Write;

    /// What is kept of a group in storage.
    type Stored: Write;

    /// What is done with rows of these arguments, which have a value per row; `literals` have one each.
    fn step<'a>(columns: &'a [ArrayRef], literals: &'a [ArrayRef]) -> Step<'a, Self>;

    /// Adds `later`, whose rows came after those of this one.
    ///
    /// # Errors
    /// Why that cannot be; the state is as it was.
    fn merge(&mut self, later: &Self) -> Result<(), String>;

    /// What the group gives now.
    fn result(&self) -> Self::Result;

    /// What storage gets.
    fn store(&self) -> Self::Stored;

    /// The states that `column` has kept.
    fn restore(column: &ArrayRef) -> Vec<Self>;

    /// Memory that the state takes beside its size, about.
    fn bytes(&self) -> usize {
        0
    }
}

/// The states of all groups of `call`.
///
/// # Errors
/// None: it is what [`Aggregate`](super::Aggregate) gives.
pub fn grouped<G: Group>(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(Grouped::<G> { literals: call.literals.to_vec(), states: std::marker::PhantomData }))
}

struct Grouped<G> {
    literals: Vec<ArrayRef>,
    states: std::marker::PhantomData<fn() -> G>,
}

type Results<G> = <<G as Group>::Result as Write>::Builder;
type Stored<G> = <<G as Group>::Stored as Write>::Builder;

impl<G: Group> Fold for Grouped<G> {
    type State = G;
    type Arguments<'a> = Step<'a, G>;
    type Results = Results<G>;

    fn initial(&self) -> G {
        G::default()
    }

    fn arguments<'a>(&'a self, columns: &'a [ArrayRef]) -> Step<'a, G> {
        G::step(columns, &self.literals)
    }

    fn add(&self, state: &mut G, step: &Step<'_, G>, row: usize) -> Result<(), String> {
        guarded(|| step(state, row, false))
    }

    fn undo(&self, state: &mut G, step: &Step<'_, G>, row: usize) -> Result<(), String> {
        guarded(|| step(state, row, true))
    }

    fn merge(&self, into: &mut G, from: &G) -> Result<(), String> {
        guarded(|| into.merge(from))
    }

    fn result(&self, state: &G, results: &mut Results<G>) -> Result<(), String> {
        match guarded(|| Ok(state.result())) {
            Ok(result) => result.write(results),
            Err(reason) => {
                results.append_null();
                Err(reason)
            }
        }
    }

    fn finish(&self, results: Results<G>) -> ArrayRef {
        results.finish()
    }

    fn heap_bytes(&self, state: &G) -> usize {
        state.bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![G::Stored::arrow()]
    }

    fn store(&self, states: &[&G]) -> Result<Vec<ArrayRef>, String> {
        let mut column = Stored::<G>::default();
        let unkept = |reason| format!("a group cannot be kept: {reason}");
        for state in states {
            guarded(|| Ok(state.store())).and_then(|stored| stored.write(&mut column)).map_err(unkept)?;
        }
        Ok(vec![column.finish()])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<G>, String> {
        guarded(|| Ok(G::restore(&columns[0])))
            .map_err(|reason| format!("what was kept of a group cannot be taken: {reason}"))
    }
}

/// What `work` gives; a panic is an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// A panic in words.
pub(crate) fn panicked(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    format!("the function panicked: {}", text.unwrap_or_else(|| "without a word".to_owned()))
}

/// What adding a row to a group comes to: nothing, or an error.
pub trait Outcome {
    /// As a result whose error is a text.
    ///
    /// # Errors
    /// The error.
    fn into_result(self) -> Result<(), String>;
}

impl Outcome for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: std::fmt::Display> Outcome for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}
