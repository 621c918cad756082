//! `AS_MAP(keys, values)`.

use arrow::array::{ArrayRef, new_null_array};
use levada_udf::{Batch, scalar};

use super::super::elements::{Elements, spelled_out};
use super::super::equality::Identities;
use super::super::selection::{Selection, chained};

/// A map of an array of keys and an array of values. Values that are missing are NULL; of equal keys the last one stays.
#[scalar(
    name = "AS_MAP",
    signature = "(keys ARRAY<STRING>, values ARRAY<T>) -> MAP<STRING, T>",
    example("AS_MAP(ARRAY['a', 'b'], ARRAY[1, 2])" = "MAP('a' := 1, 'b' := 2)")
)]
pub(super) fn as_map(batch: &mut Batch<'_>) -> ArrayRef {
    let (keys, values) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let (Some(texts), Some(column)) = (keys.columns.first(), values.columns.first()) else {
        return new_null_array(batch.result_type(), batch.rows());
    };
    let texts = spelled_out(texts);
    let identities = Identities::new(&[&texts]);
    let (ids, mut met) = (identities.of(0), identities.marks());
    // The value after the last one stands for those that are missing.
    let missing = column.len();
    let column = chained(column, &new_null_array(column.data_type(), 1));
    let (mut kept_keys, mut kept_values) = (Selection::new(batch.rows()), Selection::new(batch.rows()));
    for row in 0..batch.rows() {
        let (Some(range), Some(of_values)) = (keys.range(row), values.range(row)) else {
            kept_keys.end_null();
            kept_values.end_null();
            continue;
        };
        for place in range.clone().rev().filter(|&place| met.mark(ids[place], row as u32)) {
            kept_keys.push(place);
            let value = of_values.start + (place - range.start);
            kept_values.push(if value < of_values.end { value } else { missing });
        }
        kept_keys.row().reverse();
        kept_values.row().reverse();
        kept_keys.end(batch);
        kept_values.end(batch);
    }
    kept_keys.maps_with(&texts, kept_values, &column, batch.result_type())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, ListBuilder, StringBuilder};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::super::tests::arrays;

    #[test]
    fn keys_decide_how_many_entries_there_are() {
        let mut builder = ListBuilder::new(StringBuilder::new());
        builder.append_value([Some("a"), Some("b"), Some("a")]);
        builder.append_value([Some("x")]);
        builder.append_value([Some("x"), None]);
        builder.append_null();
        let keys = Operand::Column(Arc::new(builder.finish()));
        let values = arrays([
            Some(vec![Some(1), Some(2), Some(3)]),
            Some(vec![Some(1), Some(2)]),
            Some(vec![Some(5)]),
            Some(vec![Some(1)]),
        ]);
        let found = evaluated("AS_MAP", &[keys, values], 4);
        let found = found.as_map();
        let expected =
            [vec![("b", Some(2)), ("a", Some(3))], vec![("x", Some(1))], vec![("x", Some(5)), ("null", None)]];
        for (row, expected) in expected.into_iter().enumerate() {
            let entries = found.value(row);
            let keys = entries.column(0).as_string::<i32>().iter().flatten();
            let entries: Vec<_> = keys.zip(entries.column(1).as_primitive::<Int32Type>()).collect();
            assert_eq!(entries, expected, "row {row}");
        }
        assert!(found.is_null(3));
    }
}
