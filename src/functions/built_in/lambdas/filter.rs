//! `FILTER(array, x => …)`, `FILTER(map, (k, v) => …)`.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::buffer::OffsetBuffer;
use arrow::compute::filter;

use super::super::Function;
use super::super::elements::{Flattened, lists, maps};
use super::of_arrays_and_maps;
use crate::functions::{LambdaBody, LambdaCall};

pub(super) fn function() -> Function {
    of_arrays_and_maps(
        "filter",
        "The elements or entries for which a lambda is true.",
        ("(array ARRAY<T>, condition LAMBDA<T, BOOLEAN>) -> ARRAY<T>", LambdaBody::new(array)),
        ("(map MAP<K, V>, condition LAMBDA<K, V, BOOLEAN>) -> MAP<K, V>", LambdaBody::new(map)),
        ("FILTER(ARRAY[5, 12, 7, 20], x => x > 6)", "ARRAY[12, 7, 20]"),
    )
}

fn array(call: &mut LambdaCall<'_>) -> ArrayRef {
    let elements = Flattened::new(&call.arguments()[0], call.rows());
    let (mut columns, offsets) = kept(call, &elements);
    lists(call.result_type(), offsets, columns.remove(0), elements.nulls)
}

fn map(call: &mut LambdaCall<'_>) -> ArrayRef {
    let entries = Flattened::new(&call.arguments()[0], call.rows());
    let (mut columns, offsets) = kept(call, &entries);
    let keys = columns.remove(0);
    maps(call.result_type(), offsets, keys, columns.remove(0), entries.nulls)
}

/// The columns of the elements for which the lambda is true, and where those of each row begin and end. A condition that is NULL
/// fails the row.
fn kept(call: &mut LambdaCall<'_>, elements: &Flattened) -> (Vec<ArrayRef>, OffsetBuffer<i32>) {
    let conditions = call.apply(0, &elements.rows, &elements.columns);
    let conditions = conditions.as_boolean();
    if let Some(nulls) = conditions.nulls() {
        for element in (!nulls.inner()).set_indices() {
            call.fail(elements.rows[element], "the condition is NULL");
        }
    }
    let mask = BooleanArray::new(conditions.values().clone(), None);
    let columns = elements
        .columns
        .iter()
        .map(|column| filter(column, &mask).expect("the mask has a value per element"))
        .collect();
    let count = |row| {
        let range = elements.range(row);
        mask.values().slice(range.start, range.len()).count_set_bits()
    };
    (columns, OffsetBuffer::from_lengths((0..call.rows()).map(count)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::ListArray;
    use arrow::datatypes::{DataType, Field, Int32Type};
    use levada_udf::Operand;

    use super::super::tests::{TestLambda, evaluated};
    use super::*;

    #[test]
    fn a_condition_that_is_null_fails_the_row() {
        let column = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), Some(9), Some(3)]),
            Some(vec![Some(1), None]),
            None,
            Some(vec![Some(9)]),
        ]);
        let small = TestLambda(|_: &[u32], parameters: &[ArrayRef]| {
            let values = parameters[0].as_primitive::<Int32Type>();
            let small: BooleanArray = values.iter().map(|value| value.map(|value| value < 5)).collect();
            (Arc::new(small) as ArrayRef, Vec::new())
        });
        let result = DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)));
        let (found, failures) =
            evaluated(&LambdaBody::new(array), &[Operand::Column(Arc::new(column))], &small, 4, &result);
        assert_eq!(failures, [(1, "the condition is NULL".to_owned())]);
        let found: Vec<Option<Vec<i32>>> = found
            .as_list::<i32>()
            .iter()
            .map(|list| list.map(|list| list.as_primitive::<Int32Type>().iter().flatten().collect()))
            .collect();
        assert_eq!((&found[0], &found[2..]), (&Some(vec![1, 3]), &[None, Some(vec![])][..]));
    }
}
