//! `HISTOGRAM(value)`.

use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::datatypes::{DataType, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Build, Entries, Fold, Folded, Write, aggregate};

use super::distinct::Distinct;

/// Different values that are counted.
const VALUES_MAX: usize = 1000;

/// How often each value occurs.
#[aggregate(
    name = "HISTOGRAM",
    signature = "(value STRING) -> MAP<STRING, BIGINT>",
    undo,
    example("HISTOGRAM(v) FROM VALUES ('a'), ('b'), ('a') AS (v)" = "MAP('a' := CAST(2 AS BIGINT), 'b' := CAST(1 AS BIGINT))")
)]
#[expect(clippy::unnecessary_wraps, reason = "other functions refuse calls")]
pub(super) fn histogram(_: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(Histogram))
}

/// How often each value occurs. Those that come when there are a thousand already are not counted.
struct Histogram;

/// Text in the order of its arrival.
type Counts = Distinct<i64>;

fn text(value: &[u8]) -> &str {
    std::str::from_utf8(value).expect("it came from a text column")
}

fn add(state: &mut Counts, value: &[u8], count: i64) {
    let is_full = state.len() >= VALUES_MAX;
    match state.get_mut(value) {
        Some(known) => *known += count,
        None if is_full => {}
        None => state.insert(value, count),
    }
}

impl Fold for Histogram {
    type State = Counts;
    type Arguments<'a> = &'a StringArray;
    type Results = <Entries<&'static str, i64> as Write>::Builder;

    fn initial(&self) -> Counts {
        Distinct::default()
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> &'a StringArray {
        columns[0].as_string()
    }

    fn add(&self, state: &mut Counts, values: &&StringArray, row: usize) -> Result<(), String> {
        if values.is_valid(row) {
            add(state, values.value(row).as_bytes(), 1);
        }
        Ok(())
    }

    fn undo(&self, state: &mut Counts, values: &&StringArray, row: usize) -> Result<(), String> {
        let value = values.value(row).as_bytes();
        if values.is_valid(row)
            && let Some(count) = state.get_mut(value)
        {
            *count -= 1;
            if *count == 0 {
                state.remove(value);
            }
        }
        Ok(())
    }

    fn merge(&self, into: &mut Counts, from: &Counts) -> Result<(), String> {
        from.iter().for_each(|(value, &count)| add(into, value, count));
        Ok(())
    }

    fn result(&self, state: &Counts, results: &mut Self::Results) -> Result<(), String> {
        Entries(state.iter().map(|(value, &count)| (text(value), count)).collect()).write(results)
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        results.finish()
    }

    fn heap_bytes(&self, state: &Counts) -> usize {
        state.heap_bytes()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![Self::Results::default().finish().data_type().clone()]
    }

    fn store(&self, states: &[&Counts]) -> Result<Vec<ArrayRef>, String> {
        let mut results = Self::Results::default();
        for state in states {
            self.result(state, &mut results)?;
        }
        Ok(vec![results.finish()])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Counts>, String> {
        let maps = columns[0].as_map();
        let (values, counts) = (maps.keys().as_string::<i32>(), maps.values().as_primitive::<Int64Type>());
        let states = maps.value_offsets().windows(2).map(|range| {
            let mut state = Distinct::default();
            for place in range[0] as usize..range[1] as usize {
                state.insert(values.value(place).as_bytes(), counts.value(place));
            }
            state
        });
        Ok(states.collect())
    }
}
