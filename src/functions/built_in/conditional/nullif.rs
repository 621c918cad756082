//! `NULLIF(value, other)`.

use arrow::array::{ArrayRef, BooleanArray, new_null_array};
use arrow::compute::{self, kernels::cmp};
use arrow::datatypes::DataType;
use levada_udf::{Batch, scalar};

use super::super::equality::Identities;

/// NULL where two values are equal, else the first.
#[scalar(name = "NULLIF", signature = "(value T, other T) -> T", example("NULLIF('a', 'b')" = "'a'"))]
pub(super) fn nullif(batch: &mut Batch<'_>) -> ArrayRef {
    let rows = batch.rows();
    let value = batch.arguments()[0].expanded(rows);
    let other = &batch.arguments()[1];
    // NULL as a literal has no type, and nothing equals it.
    if *value.data_type() == DataType::Null {
        return new_null_array(batch.result_type(), rows);
    }
    if *other.array().data_type() == DataType::Null {
        return value;
    }
    let equal = match value.data_type() {
        data_type if data_type.is_nested() || *data_type == DataType::Float64 => {
            let identities = Identities::new(&[&value, other.array()]);
            let (values, others) = (identities.of(0), identities.of(1));
            let equal = (0..rows).map(|row| values[row] == others[other.index(row)]);
            BooleanArray::new(equal.collect(), None)
        }
        _ => cmp::eq(&value, other).expect("two values of one type can be compared"),
    };
    compute::nullif(&value, &equal).expect("there is a value for every row")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, ListArray, NullArray, StringArray};
    use arrow::datatypes::{Float64Type, Int32Type};
    use levada_udf::Operand;

    use super::super::super::evaluated;

    #[test]
    fn only_equal_values_become_null() {
        let texts = Operand::Column(Arc::new(StringArray::from(vec![Some("a"), Some("b"), None])));
        let cases = [
            (StringArray::from(vec![Some("a")]), vec![None, Some("b"), None]),
            (StringArray::from(vec![None::<&str>]), vec![Some("a"), Some("b"), None]),
        ];
        for (other, expected) in cases {
            let found = evaluated("NULLIF", &[texts.clone(), Operand::Constant(Arc::new(other))], 3);
            assert_eq!(*found.as_string::<i32>(), StringArray::from(expected));
        }
        let untyped = Operand::Constant(Arc::new(NullArray::new(1)));
        let found = evaluated("NULLIF", &[texts, untyped], 3);
        assert_eq!(*found.as_string::<i32>(), StringArray::from(vec![Some("a"), Some("b"), None]));
    }

    #[test]
    fn doubles_and_arrays_are_equal_as_in_java() {
        let doubles = |values: Vec<f64>| Operand::Column(Arc::new(Float64Array::from(values)));
        let found = evaluated("NULLIF", &[doubles(vec![0.0, f64::NAN, 1.0]), doubles(vec![-0.0, -f64::NAN, 1.0])], 3);
        let found: Vec<Option<f64>> = found.as_primitive::<Float64Type>().iter().collect();
        assert_eq!(found, [Some(0.0), None, None]);

        let lists = |rows| Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(rows));
        let values = lists(vec![Some(vec![Some(1), None]), Some(vec![Some(2)]), None]);
        let other = lists(vec![Some(vec![Some(1), None])]);
        let found = evaluated("NULLIF", &[Operand::Column(values), Operand::Constant(other)], 3);
        assert_eq!(*found.as_list::<i32>(), *lists(vec![None, Some(vec![Some(2)]), None]));
    }
}
