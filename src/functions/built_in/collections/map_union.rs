//! `MAP_UNION(first, second)`.

use arrow::array::ArrayRef;
use levada_udf::{Batch, scalar};

use super::super::elements::Elements;
use super::super::equality::Identities;
use super::super::selection::{Selection, chained};

/// The entries of two maps; where both have a key, that of the second.
#[scalar(
    name = "map_union",
    signature = "(first MAP<STRING, T>, second MAP<STRING, T>) -> MAP<STRING, T>",
    example("MAP_UNION(MAP('a' := 1, 'b' := 2), MAP('b' := 3))" = "MAP('a' := 1, 'b' := 3)")
)]
pub(super) fn map_union(batch: &mut Batch<'_>) -> ArrayRef {
    let (first, second) = (Elements::new(&batch.arguments()[0]), Elements::new(&batch.arguments()[1]));
    let ([first_keys, first_values], [second_keys, second_values]) = (&first.columns[..], &second.columns[..]) else {
        return arrow::array::new_null_array(batch.result_type(), batch.rows());
    };
    let identities = Identities::new(&[first_keys, second_keys]);
    let (ids, second_ids, mut replaced) = (identities.of(0), identities.of(1), identities.marks());
    let mut kept = Selection::new(batch.rows());
    for row in 0..batch.rows() {
        let (entries, others) = (first.range(row), second.range(row));
        if entries.is_none() && others.is_none() {
            kept.end_null();
            continue;
        }
        let (entries, others) = (entries.unwrap_or_default(), others.unwrap_or_default());
        for &id in &second_ids[others.clone()] {
            replaced.mark(id, row as u32);
        }
        kept.extend(entries.filter(|&entry| !replaced.is_marked(ids[entry], row as u32)));
        kept.extend(others.map(|entry| first_keys.len() + entry));
        kept.end(batch);
    }
    let (keys, values) = (chained(first_keys, second_keys), chained(first_values, second_values));
    kept.maps(&keys, &values, batch.result_type())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Array, AsArray, Int32Builder, MapBuilder, StringBuilder};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    use super::super::super::evaluated;

    type Entries = Option<Vec<(&'static str, i32)>>;

    fn maps(rows: Vec<Entries>) -> Operand {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for map in rows {
            for (key, value) in map.iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_value(*value);
            }
            builder.append(map.is_some()).expect("as many keys as values");
        }
        Operand::Column(Arc::new(builder.finish()))
    }

    #[test]
    fn the_second_map_wins_and_null_has_no_entries() {
        let one = || Some(vec![("a", 1), ("b", 2)]);
        let first = maps(vec![one(), one(), None, None]);
        let second = maps(vec![Some(vec![("c", 3), ("b", 4)]), None, one(), None]);
        let found = evaluated("MAP_UNION", &[first, second], 4);
        let found = found.as_map();
        let expected = [Some(vec![("a", 1), ("c", 3), ("b", 4)]), one(), one(), None];
        for (row, expected) in expected.into_iter().enumerate() {
            let entries = found.is_valid(row).then(|| {
                let entries = found.value(row);
                let keys = entries.column(0).as_string::<i32>().iter().flatten().map(str::to_owned);
                keys.zip(entries.column(1).as_primitive::<Int32Type>().iter().flatten()).collect::<Vec<_>>()
            });
            let expected = expected.map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect());
            assert_eq!(entries, expected, "row {row}");
        }
    }
}
