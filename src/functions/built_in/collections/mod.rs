//! Arrays and maps.

mod array_concat;
mod array_contains;
mod array_distinct;
mod array_except;
mod array_intersect;
mod array_join;
mod array_length;
mod array_max;
mod array_min;
mod array_remove;
mod array_sort;
mod array_union;
mod as_map;
mod entries;
mod extreme;
mod generate_series;
mod map_keys;
mod map_union;
mod map_values;
mod set_operation;
mod slice;

use levada_udf::functions;

use super::{Function, listed};

pub(super) fn functions() -> Vec<Function> {
    let mut functions = listed(
        "ARRAY",
        functions![
            array_concat::array_concat,
            array_contains::array_contains,
            array_distinct::array_distinct,
            array_except::array_except,
            array_intersect::array_intersect,
            array_join::array_join,
            array_length::array_length,
            array_max::array_max,
            array_min::array_min,
            array_remove::array_remove,
            array_sort::array_sort,
            array_union::array_union,
            entries::entries,
            generate_series::generate_series,
            slice::slice,
        ],
    );
    let maps = functions![as_map::as_map, map_keys::map_keys, map_union::map_union, map_values::map_values];
    functions.extend(listed("MAP", maps));
    functions
}

/// Arrays of numbers for tests.
#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int32Array, ListArray};
    use arrow::datatypes::Int32Type;
    use levada_udf::Operand;

    pub(super) type Numbers = Option<Vec<Option<i32>>>;

    /// A column of arrays, which is a slice of a longer one.
    pub(super) fn arrays<const N: usize>(rows: [Numbers; N]) -> Operand {
        let before = [Some(vec![Some(77), None]), None];
        let all = ListArray::from_iter_primitive::<Int32Type, _, _>(before.into_iter().chain(rows));
        Operand::Column(Arc::new(all.slice(2, N)))
    }

    /// A column of numbers.
    pub(super) fn numbers<const N: usize>(rows: [Option<i32>; N]) -> Operand {
        Operand::Column(Arc::new(Int32Array::from(rows.to_vec())))
    }

    /// What `name` gives for `arguments`: arrays.
    pub(super) fn lists(name: &str, arguments: &[Operand]) -> Vec<Numbers> {
        let rows = arguments[0].array().len();
        let numbers = |list: ArrayRef| list.as_primitive::<Int32Type>().iter().collect();
        let found = super::super::evaluated(name, arguments, rows);
        found.as_list::<i32>().iter().map(|list| list.map(numbers)).collect()
    }
}
