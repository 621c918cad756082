//! `ENTRIES(map, sorted)`.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StructArray};
use arrow::datatypes::DataType;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::selection::Selection;
use crate::types::java_order;

/// The entries of a map as structs of key and value, in the order of keys if asked for.
#[scalar(
    name = "ENTRIES",
    signature = "INT BIGINT DOUBLE BOOLEAN STRING: (map MAP<STRING, %>, sorted BOOLEAN) -> ARRAY<STRUCT<K STRING, V %>>",
    example("ENTRIES(MAP('b' := 2, 'a' := 1), TRUE)" = "ARRAY[STRUCT(K := 'a', V := 1), STRUCT(K := 'b', V := 2)]")
)]
pub(super) fn entries(batch: &mut Batch<'_>) -> ArrayRef {
    let (maps, sorted) = (Elements::new(&batch.arguments()[0]), &batch.arguments()[1]);
    let (DataType::List(field), [keys, values]) = (batch.result_type(), &maps.columns[..]) else {
        return arrow::array::new_null_array(batch.result_type(), batch.rows());
    };
    let DataType::Struct(fields) = field.data_type() else { unreachable!("entries are structs") };
    let texts = keys.as_string::<i32>();
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let is_sorted = (!sorted.is_null(row)).then(|| sorted.array().as_boolean().value(sorted.index(row)));
        let (Some(range), Some(is_sorted)) = (maps.range(row), is_sorted) else {
            kept.end_null();
            continue;
        };
        kept.extend(range);
        if is_sorted {
            kept.row().sort_by(|&a, &b| java_order::of_texts(texts.value(a as usize), texts.value(b as usize)));
        }
        kept.end(batch);
    }
    let structs = StructArray::new(fields.clone(), vec![Arc::clone(keys), Arc::clone(values)], None);
    kept.lists(&(Arc::new(structs) as ArrayRef), batch.result_type())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, BooleanArray, Int32Builder, MapBuilder, StringBuilder};
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::*;

    #[test]
    fn entries_are_sorted_if_asked_for() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for valid in [true, true, true, false] {
            for (key, value) in [("b", 2), ("a", 1)] {
                builder.keys().append_value(key);
                builder.values().append_value(value);
            }
            builder.append(valid).expect("as many keys as values");
        }
        let maps = Operand::Column(Arc::new(builder.finish()));
        let sorted = Operand::Column(Arc::new(BooleanArray::from(vec![Some(true), Some(false), None, Some(true)])));
        let found = evaluated("ENTRIES", &[maps, sorted], 4);
        let found = found.as_list::<i32>();
        let keys = |row| {
            let entries = found.value(row);
            let keys = entries.as_struct().column(0).as_string::<i32>().clone();
            keys.iter().flatten().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!((keys(0), keys(1)), (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned(), "a".to_owned()]));
        assert!(found.is_null(2) && found.is_null(3));
    }
}
