//! `MAP_VALUES(map)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use levada_udf::{Batch, scalar};

use super::super::elements::lists;

/// The values.
#[scalar(
    name = "map_values",
    signature = "(map MAP<STRING, T>) -> ARRAY<T>",
    example("MAP_VALUES(MAP('a' := 1))" = "ARRAY[1]")
)]
pub(super) fn map_values(batch: &mut Batch<'_>) -> ArrayRef {
    let maps = batch.arguments()[0].expanded(batch.rows());
    let maps = maps.as_map();
    lists(batch.result_type(), maps.offsets().clone(), Arc::clone(maps.values()), maps.nulls().cloned())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Builder, MapBuilder, StringBuilder};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::*;

    #[test]
    fn keys_and_values_are_in_the_same_order() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for map in [Some(vec![("z", None)]), Some(vec![("b", Some(2)), ("a", Some(1))]), None, Some(vec![])] {
            for (key, value) in map.iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_option(*value);
            }
            builder.append(map.is_some()).expect("as many keys as values");
        }
        let maps = [Operand::Column(Arc::new(builder.finish().slice(1, 3)))];
        let (keys, values) = (evaluated("MAP_KEYS", &maps, 3), evaluated("MAP_VALUES", &maps, 3));
        let (keys, values) = (keys.as_list::<i32>(), values.as_list::<i32>());
        assert_eq!(keys.value(0).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["b", "a"]);
        assert_eq!(values.value(0).as_primitive::<Int32Type>().values(), &[2, 1]);
        assert!(keys.is_null(1) && values.is_null(1));
        assert_eq!((keys.value_length(2), values.value_length(2)), (0, 0));
    }
}
