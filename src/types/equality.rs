//! Java's `equals` of values of any type.

use arrow::array::{Array, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};

type Holds<'a> = Box<dyn Fn(usize, usize) -> bool + 'a>;

/// Which values of two arrays are equal.
///
/// NULL equals NULL, NaN equals NaN, the two zeros differ, and the order of a MAP does not matter.
pub struct Equality<'a>(Holds<'a>);

impl<'a> Equality<'a> {
    /// Of the values of `left` and `right`, which are of one type.
    pub fn new(left: &'a dyn Array, right: &'a dyn Array) -> Self {
        let values: Holds<'a> = match left.data_type() {
            other if other != right.data_type() => Box::new(|_, _| false),
            DataType::Boolean => {
                let (left, right) = (left.as_boolean(), right.as_boolean());
                Box::new(|l, r| left.value(l) == right.value(r))
            }
            DataType::Int32 => of_primitives::<Int32Type>(left, right),
            DataType::Int64 => of_primitives::<Int64Type>(left, right),
            DataType::Float64 => of_doubles(left, right),
            DataType::Decimal128(..) => of_primitives::<Decimal128Type>(left, right),
            DataType::Decimal256(..) => of_primitives::<Decimal256Type>(left, right),
            DataType::Utf8 => {
                let (left, right) = (left.as_string::<i32>(), right.as_string::<i32>());
                Box::new(|l, r| left.value(l) == right.value(r))
            }
            DataType::Binary => {
                let (left, right) = (left.as_binary::<i32>(), right.as_binary::<i32>());
                Box::new(|l, r| left.value(l) == right.value(r))
            }
            DataType::Date32 => of_primitives::<Date32Type>(left, right),
            DataType::Time32(_) => of_primitives::<Time32MillisecondType>(left, right),
            DataType::Timestamp(..) => of_primitives::<TimestampMillisecondType>(left, right),
            DataType::List(_) => of_lists(left, right),
            DataType::Map(..) => of_maps(left, right),
            DataType::Struct(_) => {
                let columns = left.as_struct().columns().iter().zip(right.as_struct().columns());
                let fields: Vec<Self> = columns.map(|(left, right)| Self::new(left, right)).collect();
                Box::new(move |l, r| fields.iter().all(|field| field.holds(l, r)))
            }
            DataType::Null => Box::new(|_, _| true),
            other => unreachable!("no SQL type is held by {other}"),
        };
        Self(Box::new(move |l, r| match (left.is_null(l), right.is_null(r)) {
            (false, false) => values(l, r),
            (left, right) => left == right,
        }))
    }

    /// Whether the value at `left` of the left array equals that at `right` of the right one.
    pub fn holds(&self, left: usize, right: usize) -> bool {
        (self.0)(left, right)
    }
}

fn of_primitives<'a, T: ArrowPrimitiveType>(left: &'a dyn Array, right: &'a dyn Array) -> Holds<'a> {
    let (left, right) = (left.as_primitive::<T>().values(), right.as_primitive::<T>().values());
    Box::new(|l, r| left[l] == right[r])
}

fn of_doubles<'a>(left: &'a dyn Array, right: &'a dyn Array) -> Holds<'a> {
    let (left, right) = (left.as_primitive::<Float64Type>().values(), right.as_primitive::<Float64Type>().values());
    Box::new(|l, r| left[l].to_bits() == right[r].to_bits() || (left[l].is_nan() && right[r].is_nan()))
}

fn of_lists<'a>(left: &'a dyn Array, right: &'a dyn Array) -> Holds<'a> {
    let (left, right) = (left.as_list::<i32>(), right.as_list::<i32>());
    let elements = Equality::new(left.values(), right.values());
    Box::new(move |l, r| {
        let (ls, rs) = (range(left.value_offsets(), l), range(right.value_offsets(), r));
        ls.len() == rs.len() && ls.zip(rs).all(|(l, r)| elements.holds(l, r))
    })
}

fn of_maps<'a>(left: &'a dyn Array, right: &'a dyn Array) -> Holds<'a> {
    let (left, right) = (left.as_map(), right.as_map());
    let keys = Equality::new(left.keys(), right.keys());
    let values = Equality::new(left.values(), right.values());
    Box::new(move |l, r| {
        let (ls, rs) = (range(left.value_offsets(), l), range(right.value_offsets(), r));
        let has_equal = |l| rs.clone().any(|r| keys.holds(l, r) && values.holds(l, r));
        ls.len() == rs.len() && ls.clone().all(has_equal)
    })
}

fn range(offsets: &[i32], index: usize) -> std::ops::Range<usize> {
    offsets[index] as usize..offsets[index + 1] as usize
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        ArrayRef, Float64Array, Int32Array, Int32Builder, Int64Array, ListArray, MapBuilder, StringBuilder, StructArray,
    };
    use arrow::datatypes::{Field, Int32Type};

    use super::*;

    /// Which of the rows of one array are equal, as a matrix.
    fn matrix(array: &dyn Array) -> Vec<Vec<bool>> {
        let equality = Equality::new(array, array);
        (0..array.len()).map(|l| (0..array.len()).map(|r| equality.holds(l, r)).collect()).collect()
    }

    #[test]
    fn doubles_are_equal_as_objects() {
        let doubles = Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN]);
        let expected = [[true, false, false, false], [false, true, false, false]];
        assert_eq!(matrix(&doubles)[..2], expected);
        assert_eq!(matrix(&doubles)[2..], [[false, false, true, true]; 2]);
    }

    #[test]
    fn lists_are_equal_element_by_element() {
        let lists = [Some(vec![Some(1), None]), Some(vec![Some(1)]), Some(vec![Some(1), None]), None];
        let lists = ListArray::from_iter_primitive::<Int32Type, _, _>(lists).slice(0, 4);
        let equal = matrix(&lists);
        assert_eq!(equal[0], [true, false, true, false]);
        assert_eq!(equal[1], [false, true, false, false]);
        assert_eq!(equal[3], [false, false, false, true]);
        let rest = lists.slice(2, 1);
        assert!(Equality::new(&lists, &rest).holds(0, 0));
    }

    #[test]
    fn maps_are_equal_in_any_order() {
        let mut maps = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        let rows: [&[(&str, Option<i32>)]; 4] = [
            &[("a", Some(1)), ("b", None)],
            &[("b", None), ("a", Some(1))],
            &[("a", Some(1)), ("c", None)],
            &[("a", Some(1))],
        ];
        for row in rows {
            for (key, value) in row {
                maps.keys().append_value(key);
                maps.values().append_option(*value);
            }
            maps.append(true).expect("as many keys as values");
        }
        assert_eq!(matrix(&maps.finish())[0], [true, true, false, false]);
    }

    #[test]
    fn structs_are_equal_field_by_field_and_types_differ() {
        let fields: Vec<(Arc<Field>, ArrayRef)> = vec![
            (Arc::new(Field::new("A", DataType::Int32, true)), Arc::new(Int32Array::from(vec![1, 1, 1]))),
            (
                Arc::new(Field::new("B", DataType::Int64, true)),
                Arc::new(Int64Array::from(vec![Some(2), Some(3), None])),
            ),
        ];
        let structs = StructArray::from(fields);
        let equal = matrix(&structs);
        assert_eq!(equal[0], [true, false, false]);
        assert_eq!(equal[2], [false, false, true]);
        assert!(!Equality::new(structs.column(0), structs.column(1)).holds(0, 0));
    }
}
