//! `ATTR(value)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, ListArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values, aggregate};

use super::distinct::Distinct;
use super::list_of;

/// The value that all rows of the group have, NULL if they differ.
#[aggregate(
    name = "ATTR",
    signature = "(value T) -> T",
    keeps = "ARRAY<STRUCT<VALUE T, COUNT INT>>",
    undo,
    example("ATTR(v) FROM VALUES (7), (7) AS (v)" = "7"),
    example("ATTR(v) FROM VALUES (7), (8) AS (v)" = "CAST(NULL AS INT)")
)]
pub(super) fn attr(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(Attr { values: Values::new(&call.arguments[0])? }))
}

/// The value that all rows have; NULL when they differ, or there is none. NULL is a value like others.
struct Attr {
    values: Values,
}

impl Fold for Attr {
    /// How many rows have each value.
    type State = Distinct<i64>;
    type Arguments<'a> = Encoded;
    type Results = EncodedLists;

    fn initial(&self) -> Self::State {
        Distinct::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Encoded {
        self.values.encode(&columns[0])
    }

    fn add(&self, state: &mut Self::State, arguments: &Encoded, row: usize) -> Result<(), String> {
        add(state, arguments.get(row), 1);
        Ok(())
    }

    fn undo(&self, state: &mut Self::State, arguments: &Encoded, row: usize) -> Result<(), String> {
        let value = arguments.get(row);
        if let Some(count) = state.get_mut(value) {
            *count -= 1;
            if *count == 0 {
                state.remove(value);
            }
        }
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) -> Result<(), String> {
        from.iter().for_each(|(value, &count)| add(into, value, count));
        Ok(())
    }

    fn result(&self, state: &Self::State, results: &mut EncodedLists) -> Result<(), String> {
        let only = state.iter().next().filter(|_| state.len() == 1);
        results.push([only.map_or(self.values.null(), |(value, _)| value)])
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        results.values(&self.values)
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.heap_bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![list_of(self.values.data_type()), list_of(&DataType::Int64)]
    }

    fn store(&self, states: &[&Self::State]) -> Result<Vec<ArrayRef>, String> {
        let mut values = EncodedLists::default();
        for state in states {
            values.push(state.iter().map(|(value, _)| value))?;
        }
        let counts = states.iter().flat_map(|state| state.iter().map(|(_, &count)| count));
        let offsets = OffsetBuffer::from_lengths(states.iter().map(|state| state.len()));
        let field = Arc::new(Field::new_list_field(DataType::Int64, true));
        let counts = Arc::new(Int64Array::from_iter_values(counts));
        Ok(vec![values.finish(&self.values), Arc::new(ListArray::new(field, offsets, counts, None))])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Self::State>, String> {
        let (values, counts) = (columns[0].as_list::<i32>(), columns[1].as_list::<i32>());
        let (encoded, counted) = (self.values.encode(values.values()), counts.values().as_primitive::<Int64Type>());
        let ranges = values.value_offsets().windows(2).zip(counts.value_offsets());
        let states = ranges.map(|(range, &first)| {
            let mut state = Distinct::default();
            let places = range[0] as usize..range[1] as usize;
            let counts = &counted.values()[first as usize..];
            places.zip(counts).for_each(|(place, &count)| state.insert(encoded.get(place), count));
            state
        });
        Ok(states.collect())
    }
}

fn add(state: &mut Distinct<i64>, value: &[u8], count: i64) {
    match state.get_mut(value) {
        Some(known) => *known += count,
        None => state.insert(value, count),
    }
}
