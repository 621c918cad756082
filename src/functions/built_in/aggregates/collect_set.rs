//! `COLLECT_SET(value)`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;

use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values, aggregate};

use super::distinct::Distinct;
use super::{limit, list_of};

/// All values without repetitions.
#[aggregate(
    name = "COLLECT_SET",
    signature = "(value T) -> ARRAY<T>",
    example("COLLECT_SET(v) FROM VALUES ('b'), ('a'), ('b') AS (v)" = "ARRAY['b', 'a']")
)]
pub(super) fn collect_set(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    let limit = limit(call, "ksql.functions.collect_set.limit")?;
    Ok(Folded::boxed(CollectSet { values: Values::new(&call.arguments[0])?, limit }))
}

/// Different values in the order of their arrival, NULL too, as long as there are fewer than the limit.
struct CollectSet {
    values: Values,
    limit: usize,
}

impl CollectSet {
    fn add_value(&self, state: &mut Distinct<()>, value: &[u8]) {
        if state.len() < self.limit && !state.contains(value) {
            state.insert(value, ());
        }
    }
}

impl Fold for CollectSet {
    type State = Distinct<()>;
    type Arguments<'a> = Encoded;
    type Results = EncodedLists;

    fn initial(&self) -> Self::State {
        Distinct::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Encoded {
        self.values.encode(&columns[0])
    }

    fn add(&self, state: &mut Self::State, arguments: &Encoded, row: usize) -> Result<(), String> {
        self.add_value(state, arguments.get(row));
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) -> Result<(), String> {
        from.iter().for_each(|(value, ())| self.add_value(into, value));
        Ok(())
    }

    fn result(&self, state: &Self::State, results: &mut EncodedLists) -> Result<(), String> {
        results.push(state.iter().map(|(value, ())| value))
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        results.finish(&self.values)
    }

    fn heap_bytes(&self, state: &Self::State) -> usize {
        state.heap_bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![list_of(self.values.data_type())]
    }

    fn store(&self, states: &[&Self::State]) -> Result<Vec<ArrayRef>, String> {
        let mut values = EncodedLists::default();
        for state in states {
            values.push(state.iter().map(|(value, ())| value))?;
        }
        Ok(vec![values.finish(&self.values)])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Self::State>, String> {
        let lists = columns[0].as_list::<i32>();
        let encoded = self.values.encode(lists.values());
        let states = lists.value_offsets().windows(2).map(|range| {
            let mut state = Distinct::default();
            (range[0] as usize..range[1] as usize).for_each(|place| state.insert(encoded.get(place), ()));
            state
        });
        Ok(states.collect())
    }
}
