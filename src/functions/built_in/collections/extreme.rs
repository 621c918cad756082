//! The ends of the order of elements, which ARRAY_MAX and ARRAY_MIN give.

use std::cmp::Ordering;

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::take;
use levada_udf::Batch;

use super::super::elements::Elements;
use super::super::order::with_order;

/// The first element of each row that is `wanted` compared with all others; NULLs do not count.
pub(super) fn extremes(batch: &mut Batch<'_>, wanted: Ordering) -> ArrayRef {
    let arrays = Elements::new(&batch.arguments()[0]);
    let column = arrays.column();
    let found = with_order!(column, compare => {
        let best = |row: usize| {
            let mut places = arrays.range(row)?.filter(|&place| column.is_valid(place));
            let first = places.next()?;
            let better = |best, place| if compare(place, best) == wanted { place } else { best };
            Some(places.fold(first, better) as u32)
        };
        (0..batch.rows()).map(best).collect::<UInt32Array>()
    });
    if let Some(found) = found {
        return take(&column, &found, None).expect("elements are within their column");
    }
    for row in 0..batch.rows() {
        if arrays.range(row).is_some_and(|mut range| range.any(|place| column.is_valid(place))) {
            batch.fail(row, "elements of this type have no order");
        }
    }
    new_null_array(batch.result_type(), batch.rows())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array, Int32Array, ListArray};
    use arrow::datatypes::{Float64Type, Int32Type};
    use levada_udf::Operand;

    use super::super::super::evaluated;
    use super::super::super::tests::evaluated_with_failures;
    use super::super::tests::arrays;
    use super::*;

    #[test]
    fn nulls_do_not_count() {
        let rows = || arrays([Some(vec![None, Some(3), Some(-1), Some(2)]), Some(vec![None]), Some(vec![]), None]);
        for (name, expected) in [("ARRAY_MAX", 3), ("ARRAY_MIN", -1)] {
            let found = evaluated(name, &[rows()], 4);
            let expected = Int32Array::from(vec![Some(expected), None, None, None]);
            assert_eq!(*found.as_primitive::<Int32Type>(), expected, "{name}");
        }
    }

    #[test]
    fn nan_is_the_greatest() {
        let rows = ListArray::from_iter_primitive::<Float64Type, _, _>([Some([1.0, -f64::NAN, -0.0, 0.0].map(Some))]);
        let rows = [Operand::Column(Arc::new(rows))];
        assert!(evaluated("ARRAY_MAX", &rows, 1).as_primitive::<Float64Type>().value(0).is_nan());
        let least: &Float64Array = &evaluated("ARRAY_MIN", &rows, 1).as_primitive().clone();
        assert!(least.value(0) == 0.0 && least.value(0).is_sign_negative());
    }

    #[test]
    fn arrays_have_no_order() {
        let inner = arrays([Some(vec![Some(1)]), None]);
        let field = Arc::new(arrow::datatypes::Field::new_list_field(inner.array().data_type().clone(), true));
        let offsets = arrow::buffer::OffsetBuffer::from_lengths([1, 1]);
        let rows = ListArray::new(field, offsets, Arc::clone(inner.array()), None);
        let (_, failures) = evaluated_with_failures("ARRAY_MAX", &[Operand::Column(Arc::new(rows))], 2);
        assert_eq!(failures, [(0, "elements of this type have no order".to_owned())]);
    }
}
