//! The state of an aggregate function for many groups.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use super::Configuration;

/// The rows of one update, in order.
pub struct Update<'a> {
    /// Slot of each row: the number of its group.
    pub slots: &'a [u32],
    /// The arguments, with a value per row each.
    pub arguments: &'a [ArrayRef],
    /// Rows that are taken back instead of added; `None` when there is none.
    pub undone: Option<&'a [bool]>,
}

impl Update<'_> {
    /// Whether `row` is taken back.
    pub fn is_undone(&self, row: usize) -> bool {
        self.undone.is_some_and(|undone| undone[row])
    }
}

/// A row that could not be folded, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Its place in the update.
    pub row: usize,
    /// For people.
    pub reason: String,
}

/// What a call of an aggregate function is made with.
#[derive(Clone, Copy)]
pub struct AggregateCall<'a> {
    /// Types of the arguments that come from rows.
    pub arguments: &'a [DataType],
    /// The literals among the arguments, an array of one value each.
    pub literals: &'a [ArrayRef],
    /// Type of the result.
    pub result: &'a DataType,
    /// Properties that hold for the query and are meant for the function.
    pub configuration: &'a Configuration,
}

/// What computes an aggregate function.
pub trait Aggregate: Send + Sync {
    /// The state of a call, for no group yet.
    ///
    /// # Errors
    /// Literals or properties that the function cannot do with.
    fn accumulator(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String>;
}

impl<F> Aggregate for F
where
    F: Fn(&AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> + Send + Sync,
{
    fn accumulator(&self, call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
        self(call)
    }
}

/// State of one aggregate function for all groups.
pub trait Accumulator: Send {
    /// Makes room for slots below `slots`; new ones hold the initial value.
    fn grow(&mut self, slots: usize);

    /// Sets `slot` to the initial value.
    fn reset(&mut self, slot: u32);

    /// Folds rows in order. With `emit`, returns the result after each row.
    fn update(&mut self, rows: &Update<'_>, emit: bool) -> Option<ArrayRef>;

    /// Adds the state of `from`, which stays as it is, to that of `into`, as if the rows of `from` had come after those of
    /// `into`.
    ///
    /// # Errors
    /// Why there is no such state; `into` is as it was.
    fn merge(&mut self, into: u32, from: u32) -> Result<(), String>;

    /// Rows of the last update that could not be folded, with the reason; they left the state as it was.
    fn take_rejected(&mut self) -> Vec<Rejected> {
        Vec::new()
    }

    /// Current results of `slots`.
    fn results(&self, slots: &[u32]) -> ArrayRef;

    /// Memory that the state of a slot takes whatever is in it, about.
    fn slot_bytes(&self) -> usize;

    /// Memory that all states take beside that, about.
    fn heap_bytes(&self) -> usize {
        0
    }

    /// Types of the columns that hold the state in storage.
    fn state_types(&self) -> Vec<DataType>;

    /// State of `slots`, as columns of [`Accumulator::state_types`].
    ///
    /// # Errors
    /// Why a group cannot be kept; the query stops with that.
    fn state(&self, slots: &[u32]) -> Result<Vec<ArrayRef>, String>;

    /// Sets the state of `slots` to what [`Accumulator::state`] gave.
    ///
    /// # Errors
    /// Why there is no state of that; the query stops with that.
    fn load(&mut self, slots: &[u32], columns: &[ArrayRef]) -> Result<(), String>;
}
