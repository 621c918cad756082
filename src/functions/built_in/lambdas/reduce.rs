//! `REDUCE(array, initial, (s, x) => …)`, `REDUCE(map, initial, (s, k, v) => …)`.
//!
//! Entries of a map are taken in the order that a hash map of Java has, since results may depend on it.

use std::cmp::Reverse;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::{concat, filter, take};

use super::super::Function;
use super::super::elements::Flattened;
use super::of_arrays_and_maps;
use crate::functions::{LambdaBody, LambdaCall};

pub(super) fn function() -> Function {
    of_arrays_and_maps(
        "reduce",
        "What a lambda makes of a first value and all elements or entries, one after the other.",
        ("(array ARRAY<T>, initial S, reducer LAMBDA<S, T, S>) -> S", LambdaBody::new(reduce)),
        ("(map MAP<K, V>, initial S, reducer LAMBDA<S, K, V, S>) -> S", LambdaBody::new(reduce)),
        ("REDUCE(ARRAY[1, 2, 3], 10, (s, x) => s + x)", "16"),
    )
}

/// Takes one element of every row at a time. Rows without elements keep the first value; if that is NULL, so is the result.
fn reduce(call: &mut LambdaCall<'_>) -> ArrayRef {
    let elements = Flattened::new(&call.arguments()[0], call.rows());
    let initial = call.arguments()[1].expanded(call.rows());
    let order = hash_order(&elements);
    // Rows with more elements first, so that those that go on are always the first ones.
    let length = |row: u32| elements.range(row as usize).len();
    let mut rows: Vec<u32> = (0..call.rows() as u32).filter(|&row| initial.is_valid(row as usize)).collect();
    rows.sort_by_key(|&row| Reverse(length(row)));
    let mut states = take(&initial, &UInt32Array::from(rows.clone()), None).expect("rows are within the batch");
    let mut results = Results { rows: Vec::new(), states: Vec::new() };
    for step in 0.. {
        let going_on = rows.partition_point(|&row| length(row) > step);
        results.add(&rows[going_on..], states.slice(going_on, rows.len() - going_on));
        rows.truncate(going_on);
        if rows.is_empty() {
            break;
        }
        let place = |row: u32| elements.range(row as usize).start + step;
        let at: UInt32Array = match &order {
            Some(order) => rows.iter().map(|&row| order[place(row)]).collect(),
            None => rows.iter().map(|&row| place(row) as u32).collect(),
        };
        let element = |column: &ArrayRef| take(column, &at, None).expect("elements are within their column");
        let parameters: Vec<ArrayRef> =
            std::iter::once(states.slice(0, going_on)).chain(elements.columns.iter().map(element)).collect();
        states = call.apply(0, &rows, &parameters);
        if rows.iter().any(|&row| call.has_failed(row)) {
            let goes_on: BooleanArray = rows.iter().map(|&row| Some(!call.has_failed(row))).collect();
            states = filter(&states, &goes_on).expect("the mask has a value per row");
            rows.retain(|&row| !call.has_failed(row));
        }
    }
    results.by_row(call)
}

/// The entries of maps with texts as keys, those of each row in the order of a hash map of Java that was made for as many as
/// there are.
fn hash_order(entries: &Flattened) -> Option<Vec<u32>> {
    let [keys, _] = entries.columns.as_slice() else { return None };
    let keys = keys.as_string_opt::<i32>()?;
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    for ends in entries.offsets.windows(2) {
        let row = &mut order[ends[0] as usize..ends[1] as usize];
        let least = row.len().next_power_of_two();
        // It grows when more than three quarters are taken.
        let buckets = if row.len() * 4 > least * 3 { least * 2 } else { least };
        row.sort_by_cached_key(|&entry| java_hash(keys.value(entry as usize)) as usize & (buckets - 1));
    }
    Some(order)
}

/// Java's hash of a text as hash maps use it: that of its UTF-16 units, the upper half mixed into the lower one.
fn java_hash(text: &str) -> u32 {
    let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ hash >> 16
}

/// States of rows that have no elements left.
struct Results {
    rows: Vec<u32>,
    states: Vec<ArrayRef>,
}

impl Results {
    fn add(&mut self, rows: &[u32], states: ArrayRef) {
        if !rows.is_empty() {
            self.rows.extend_from_slice(rows);
            self.states.push(states);
        }
    }

    /// One per row of `call`: NULL for those that have none.
    fn by_row(self, call: &mut LambdaCall<'_>) -> ArrayRef {
        let rows = call.rows();
        let states: Vec<&dyn Array> = self.states.iter().map(AsRef::as_ref).collect();
        if states.is_empty() {
            return arrow::array::new_null_array(call.result_type(), rows);
        }
        let mut places = vec![None; rows];
        self.rows.iter().zip(0_u32..).for_each(|(&row, place)| places[row as usize] = Some(place));
        let in_order = concat(&states).and_then(|states| take(&states, &UInt32Array::from(places), None));
        in_order.unwrap_or_else(|error| {
            (0..rows as u32).for_each(|row| call.fail(row, error.to_string()));
            arrow::array::new_null_array(call.result_type(), rows)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int32Builder, ListArray, MapBuilder, StringArray, StringBuilder};
    use arrow::datatypes::{DataType, Int32Type};
    use levada_udf::Operand;

    use super::super::tests::{TestLambda, evaluated};
    use super::*;

    #[test]
    fn rows_take_as_many_steps_as_they_have_elements() {
        let column = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), Some(2)]),
            None,
            Some(vec![Some(1), Some(2), Some(3)]),
            Some(vec![]),
            Some(vec![Some(4), None, Some(5)]),
            Some(vec![Some(7)]),
        ]);
        let initial = Int32Array::from(vec![Some(10), Some(20), Some(30), Some(40), Some(50), None]);
        // s * 10 + x, so that the order of elements shows.
        let shifted = TestLambda(|_: &[u32], parameters: &[ArrayRef]| {
            let [states, values] = [0, 1].map(|index| parameters[index].as_primitive::<Int32Type>());
            let next = states.iter().zip(values).map(|(state, value)| Some(state? * 10 + value?));
            let failed = (0..values.len()).filter(|&i| values.is_null(i)).collect();
            (Arc::new(next.collect::<Int32Array>()) as ArrayRef, failed)
        });
        let arguments = [Operand::Column(Arc::new(column)), Operand::Column(Arc::new(initial))];
        let (found, failures) = evaluated(&LambdaBody::new(reduce), &arguments, &shifted, 6, &DataType::Int32);
        assert_eq!(failures, [(4, "element 1 fails".to_owned())]);
        let expected = Int32Array::from(vec![Some(1012), Some(20), Some(30123), Some(40), None, None]);
        assert_eq!(*found.as_primitive::<Int32Type>(), expected);
    }
    #[test]
    fn entries_come_in_the_order_of_a_hash_map_of_java() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for map in [vec!["b"], vec!["nope", "Aa", "BB", "sure, yeah", "yes, thanks"], vec!["10", "9", "a"]] {
            for key in map {
                builder.keys().append_value(key);
                builder.values().append_value(0);
            }
            builder.append(true).expect("as many keys as values");
        }
        let joined = TestLambda(|_: &[u32], parameters: &[ArrayRef]| {
            let [states, keys] = [0, 1].map(|index| parameters[index].as_string::<i32>());
            let next = states.iter().zip(keys).map(|(state, key)| Some(format!("{} {}", state?, key?)));
            (Arc::new(next.collect::<StringArray>()) as ArrayRef, Vec::new())
        });
        let initial = Operand::Constant(Arc::new(StringArray::from(vec![">"])));
        let arguments = [Operand::Column(Arc::new(builder.finish())), initial];
        let (found, _) = evaluated(&LambdaBody::new(reduce), &arguments, &joined, 3, &DataType::Utf8);
        let expected = StringArray::from(vec!["> b", "> Aa BB yes, thanks sure, yeah nope", "> 9 a 10"]);
        assert_eq!(*found.as_string::<i32>(), expected);
    }
}
