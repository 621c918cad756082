//! `COLLECT_LIST(value)`.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::DataType;

use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values, aggregate};

use super::packed::Packed;
use super::{limit, list_of};

/// All values in the order of their arrival.
#[aggregate(
    name = "COLLECT_LIST",
    signature = "(value T) -> ARRAY<T>",
    undo,
    example("COLLECT_LIST(v) FROM VALUES ('b'), ('a'), ('b') AS (v)" = "ARRAY['b', 'a', 'b']")
)]
pub(super) fn collect_list(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    let limit = limit(call, "ksql.functions.collect_list.limit")?;
    Ok(Folded::boxed(CollectList { values: Values::new(&call.arguments[0])?, limit }))
}

/// All values in the order of their arrival, NULL too, as long as there are fewer than the limit.
struct CollectList {
    values: Values,
    limit: usize,
}

impl Fold for CollectList {
    type State = Packed;
    type Arguments<'a> = Encoded;
    type Results = EncodedLists;

    fn initial(&self) -> Packed {
        Packed::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Encoded {
        self.values.encode(&columns[0])
    }

    fn add(&self, state: &mut Packed, arguments: &Encoded, row: usize) -> Result<(), String> {
        if state.len() < self.limit {
            state.push(&[arguments.get(row)]);
        }
        Ok(())
    }

    fn undo(&self, state: &mut Packed, arguments: &Encoded, row: usize) -> Result<(), String> {
        state.remove_last_equal(arguments.get(row));
        Ok(())
    }

    fn merge(&self, into: &mut Packed, from: &Packed) -> Result<(), String> {
        if from.len() <= self.limit.saturating_sub(into.len()) {
            into.extend(from);
        } else {
            from.iter().take(self.limit.saturating_sub(into.len())).for_each(|value| into.push(&[value]));
        }
        Ok(())
    }

    fn result(&self, state: &Packed, results: &mut EncodedLists) -> Result<(), String> {
        results.push(state.iter())
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        results.finish(&self.values)
    }

    fn heap_bytes(&self, state: &Packed) -> usize {
        state.heap_bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![list_of(self.values.data_type())]
    }

    fn store(&self, states: &[&Packed]) -> Result<Vec<ArrayRef>, String> {
        let mut values = EncodedLists::default();
        for state in states {
            values.push(state.iter())?;
        }
        Ok(vec![values.finish(&self.values)])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Packed>, String> {
        let lists = columns[0].as_list::<i32>();
        let encoded = self.values.encode(lists.values());
        let states = lists.value_offsets().windows(2).map(|range| {
            let mut state = Packed::default();
            (range[0] as usize..range[1] as usize).for_each(|place| state.push(&[encoded.get(place)]));
            state
        });
        Ok(states.collect())
    }
}
