//! `OBJ_COL_ARG` and `GENERIC_VAR_ARG`: the first argument of all rows without NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field};
use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values, aggregate};

/// Rows without NULL.
#[aggregate(name = "OBJ_COL_ARG", signature = "(value INT, others ANY...) -> ARRAY<INT>")]
pub(super) fn obj_col_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    Ok(Folded::boxed(Collected { values: Values::new(&call.arguments[0])? }))
}

/// Rows without NULL.
#[aggregate(name = "GENERIC_VAR_ARG", signature = "(value A, other B, more C...) -> ARRAY<A>")]
pub(super) fn generic_var_arg(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    obj_col_arg(call)
}

struct Collected {
    values: Values,
}

impl Fold for Collected {
    type State = Vec<Box<[u8]>>;
    type Arguments<'a> = (&'a [ArrayRef], Encoded);
    type Results = EncodedLists;

    fn initial(&self) -> Self::State {
        Vec::new()
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> Self::Arguments<'a> {
        (columns, self.values.encode(&columns[0]))
    }

    fn add(&self, state: &mut Self::State, (columns, values): &Self::Arguments<'_>, row: usize) -> Result<(), String> {
        if columns.iter().all(|column| column.is_valid(row)) {
            state.push(values.get(row).into());
        }
        Ok(())
    }

    fn merge(&self, into: &mut Self::State, from: &Self::State) -> Result<(), String> {
        into.extend_from_slice(from);
        Ok(())
    }

    fn result(&self, state: &Self::State, results: &mut EncodedLists) -> Result<(), String> {
        results.push(state.iter().map(|value| &**value))
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        results.finish(&self.values)
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![DataType::List(Arc::new(Field::new_list_field(self.values.data_type().clone(), true)))]
    }

    fn store(&self, states: &[&Self::State]) -> Result<Vec<ArrayRef>, String> {
        let mut lists = EncodedLists::default();
        for state in states {
            self.result(state, &mut lists)?;
        }
        Ok(vec![lists.finish(&self.values)])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Self::State>, String> {
        let lists = columns[0].as_list::<i32>();
        let encoded = self.values.encode(lists.values());
        let ranges = lists.value_offsets().windows(2).map(|range| range[0] as usize..range[1] as usize);
        Ok(ranges.map(|places| places.map(|place| encoded.get(place).into()).collect()).collect())
    }
}
