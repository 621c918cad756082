//! The first, or the last, values to arrive.
//!
//! Sessions that are merged are not in the order in which their rows arrived, so each value has a number. Numbers grow in a process,
//! over all queries; a value of an earlier process is older than all of this one.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock};

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values};

use super::list_of;
use super::packed::Packed;

/// Which values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

/// Set in numbers of this process.
const OURS: i64 = 1 << 62;

/// The number of the next value.
static NEXT: AtomicI64 = AtomicI64::new(0);

/// Differs from process to process.
static PROCESS: LazyLock<i64> = LazyLock::new(|| RandomState::new().hash_one(0) as i64);

/// What a call of EARLIEST_BY_OFFSET or LATEST_BY_OFFSET keeps.
pub(super) fn accumulator(call: &AggregateCall<'_>, end: End) -> Result<Box<dyn Accumulator>, String> {
    let count = call.literals.iter().find(|literal| *literal.data_type() == DataType::Int32);
    let count = match count.map(AsArray::as_primitive::<Int32Type>) {
        Some(count) if count.is_valid(0) && count.value(0) > 0 => Some(count.value(0) as usize),
        Some(_) => return Err("the number of values must be 1 or greater".to_owned()),
        None => None,
    };
    let ignores = call.literals.iter().find(|literal| *literal.data_type() == DataType::Boolean);
    let ignores_nulls = ignores.is_none_or(|literal| literal.is_null(0) || literal.as_boolean().value(0));
    let values = Values::new(&call.arguments[0])?;
    Ok(Folded::boxed(ByOffset { values, end, count: count.unwrap_or(1), is_list: count.is_some(), ignores_nulls }))
}

/// Up to `count` values in the order of their arrival.
struct ByOffset {
    values: Values,
    end: End,
    count: usize,
    /// The result is an array; otherwise it is the only value.
    is_list: bool,
    ignores_nulls: bool,
}

/// The values of an update.
struct Arrived {
    values: Encoded,
    column: ArrayRef,
    /// Number of the first.
    first: i64,
}

/// Number and value of an entry.
fn split(entry: &[u8]) -> (i64, &[u8]) {
    let (number, value) = entry.split_first_chunk().expect("an entry begins with its number");
    (i64::from_le_bytes(*number), value)
}

impl Fold for ByOffset {
    /// Entries in the order of their numbers.
    type State = Packed;
    type Arguments<'a> = Arrived;
    type Results = EncodedLists;

    fn initial(&self) -> Packed {
        Packed::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Arrived {
        let column = Arc::clone(&columns[0]);
        let first = NEXT.fetch_add(column.len() as i64, Ordering::Relaxed) | OURS;
        Arrived { values: self.values.encode(&column), column, first }
    }

    fn add(&self, state: &mut Packed, arrived: &Arrived, row: usize) -> Result<(), String> {
        if self.ignores_nulls && arrived.column.is_null(row) {
            return Ok(());
        }
        if state.len() == self.count {
            match self.end {
                End::First => return Ok(()),
                End::Last if self.count == 1 => state.clear(),
                End::Last => state.remove_first(),
            }
        }
        state.push(&[&(arrived.first + row as i64).to_le_bytes(), arrived.values.get(row)]);
        Ok(())
    }

    fn merge(&self, into: &mut Packed, from: &Packed) -> Result<(), String> {
        let both = std::mem::take(into);
        let mut entries: Vec<&[u8]> = both.iter().chain(from.iter()).collect();
        entries.sort_by_key(|entry| split(entry).0);
        let kept = match self.end {
            End::First => &entries[..self.count.min(entries.len())],
            End::Last => &entries[entries.len().saturating_sub(self.count)..],
        };
        kept.iter().for_each(|entry| into.push(&[entry]));
        Ok(())
    }

    fn result(&self, state: &Packed, results: &mut EncodedLists) -> Result<(), String> {
        if self.is_list {
            return results.push(state.iter().map(|entry| split(entry).1));
        }
        results.push([state.iter().next().map_or(self.values.null(), |entry| split(entry).1)])
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        if self.is_list { results.finish(&self.values) } else { results.values(&self.values) }
    }

    fn heap_bytes(&self, state: &Packed) -> usize {
        state.heap_bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::Int64, list_of(&DataType::Int64), list_of(self.values.data_type())]
    }

    fn store(&self, states: &[&Packed]) -> Result<Vec<ArrayRef>, String> {
        let mut values = EncodedLists::default();
        for state in states {
            values.push(state.iter().map(|entry| split(entry).1))?;
        }
        let numbers = states.iter().flat_map(|state| state.iter().map(|entry| split(entry).0));
        let numbers = Arc::new(Int64Array::from_iter_values(numbers));
        let offsets = OffsetBuffer::from_lengths(states.iter().map(|state| state.len()));
        let field = Arc::new(Field::new_list_field(DataType::Int64, true));
        let processes = Int64Array::from(vec![*PROCESS; states.len()]);
        Ok(vec![
            Arc::new(processes),
            Arc::new(ListArray::new(field, offsets, numbers, None)),
            values.finish(&self.values),
        ])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Packed>, String> {
        let processes = columns[0].as_primitive::<Int64Type>().values();
        let [numbers, lists] = [1, 2].map(|i| columns[i].as_list::<i32>());
        let (numbered, encoded) = (numbers.values().as_primitive::<Int64Type>(), self.values.encode(lists.values()));
        // Numbers of this process stay above those that were loaded: they will have been given by an earlier one.
        let greatest = numbered.values().iter().map(|number| number & !OURS).max();
        NEXT.fetch_max(greatest.map_or(0, |greatest| greatest + 1), Ordering::Relaxed);
        let states = processes.iter().enumerate().map(|(row, process)| {
            let (first, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
            let numbers = &numbered.values()[numbers.value_offsets()[row] as usize..];
            let mut state = Packed::default();
            for (place, &number) in (first..end).zip(numbers) {
                let number = if process == &*PROCESS { number } else { number & !OURS };
                state.push(&[&number.to_le_bytes(), encoded.get(place)]);
            }
            state
        });
        Ok(states.collect())
    }
}
