//! `TRANSFORM(array, x => …)`, `TRANSFORM(map, (k, v) => …, (k, v) => …)`.

use arrow::array::{Array, ArrayRef, UInt32Array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;

use super::super::Function;
use super::super::elements::{Flattened, lists, maps, spelled_out};
use super::super::equality::Identities;
use super::of_arrays_and_maps;
use crate::functions::{LambdaBody, LambdaCall};

pub(super) fn function() -> Function {
    of_arrays_and_maps(
        "transform",
        "What a lambda makes of every element, or of the keys and the values.",
        ("(array ARRAY<T>, element LAMBDA<T, R>) -> ARRAY<R>", LambdaBody::new(array)),
        ("(map MAP<K, V>, key LAMBDA<K, V, R>, value LAMBDA<K, V, S>) -> MAP<R, S>", LambdaBody::new(map)),
        ("TRANSFORM(ARRAY[1, 2, 3], x => x * x)", "ARRAY[1, 4, 9]"),
    )
}

fn array(call: &mut LambdaCall<'_>) -> ArrayRef {
    let elements = Flattened::new(&call.arguments()[0], call.rows());
    let made = call.apply(0, &elements.rows, &elements.columns);
    lists(call.result_type(), elements.offsets, made, elements.nulls)
}

/// Keys that become equal fail the row.
fn map(call: &mut LambdaCall<'_>) -> ArrayRef {
    let entries = Flattened::new(&call.arguments()[0], call.rows());
    let keys = spelled_out(&call.apply(0, &entries.rows, &entries.columns));
    let values = call.apply(1, &entries.rows, &entries.columns);
    let identities = Identities::new(&[&keys]);
    let mut seen = identities.marks();
    for (entry, &row) in entries.rows.iter().enumerate() {
        if keys.is_null(entry) {
            call.fail(row, "a new key is NULL");
        } else if !seen.mark(identities.of(0)[entry], row) {
            call.fail(row, "two new keys are equal");
        }
    }
    if (0..call.rows()).all(|row| !call.has_failed(row as u32)) {
        return maps(call.result_type(), entries.offsets, keys, values, entries.nulls);
    }
    // A key that is NULL has no place in a map, not even in a row that is NULL.
    let is_kept = |row: u32| !call.has_failed(row);
    let kept = entries.rows.iter().zip(0_u32..).filter(|(row, _)| is_kept(**row));
    let kept: UInt32Array = kept.map(|(_, entry)| entry).collect();
    let length = |row: usize| if is_kept(row as u32) { entries.range(row).len() } else { 0 };
    let offsets = OffsetBuffer::from_lengths((0..call.rows()).map(length));
    let gather = |column: &ArrayRef| take(column, &kept, None).expect("entries are within their column");
    maps(call.result_type(), offsets, gather(&keys), gather(&values), entries.nulls)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int32Array, ListArray};
    use arrow::datatypes::{DataType, Field, Int32Type};
    use levada_udf::Operand;

    use super::super::tests::{TestLambda, evaluated};
    use super::*;

    #[test]
    fn a_failing_element_fails_its_row_once() {
        let column = ListArray::from_iter_primitive::<Int32Type, _, _>([
            Some(vec![Some(1), None, None]),
            None,
            Some(vec![]),
            Some(vec![Some(2)]),
        ]);
        let doubled = TestLambda(|rows: &[u32], parameters: &[ArrayRef]| {
            assert_eq!(rows, [0, 0, 0, 3]);
            let values = parameters[0].as_primitive::<Int32Type>();
            let doubled: Int32Array = values.unary(|value| value * 2);
            (Arc::new(doubled) as ArrayRef, (0..values.len()).filter(|&i| values.is_null(i)).collect())
        });
        let result = DataType::List(Arc::new(Field::new_list_field(DataType::Int32, true)));
        let (found, failures) =
            evaluated(&LambdaBody::new(array), &[Operand::Column(Arc::new(column))], &doubled, 4, &result);
        assert_eq!(failures, [(0, "element 1 fails".to_owned())]);
        let found: Vec<Option<Vec<i32>>> = found
            .as_list::<i32>()
            .iter()
            .map(|list| list.map(|list| list.as_primitive::<Int32Type>().iter().flatten().collect()))
            .collect();
        assert_eq!(found[1..], [None, Some(vec![]), Some(vec![4])]);
    }
}
