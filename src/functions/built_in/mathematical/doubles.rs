//! Functions of numbers of any type that compute with DOUBLE.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::compute::binary;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use levada_udf::{Batch, Operand};

/// `function` of the only argument.
pub(super) fn of_one(batch: &Batch<'_>, function: impl Fn(f64) -> f64) -> ArrayRef {
    let values: Float64Array = doubles(&batch.arguments()[0], batch.rows()).unary(function);
    Arc::new(values)
}

/// `function` of the two arguments.
pub(super) fn of_two(batch: &Batch<'_>, function: impl Fn(f64, f64) -> f64) -> ArrayRef {
    let [first, second] = [0, 1].map(|index| doubles(&batch.arguments()[index], batch.rows()));
    let values: Float64Array = binary(&first, &second, function).expect("both have a value per row");
    Arc::new(values)
}

fn doubles(operand: &Operand, rows: usize) -> Float64Array {
    let values = operand.expanded(rows);
    match values.data_type() {
        DataType::Int32 => values.as_primitive::<Int32Type>().unary(f64::from),
        DataType::Int64 => values.as_primitive::<Int64Type>().unary(|value| value as f64),
        DataType::Float64 => values.as_primitive::<Float64Type>().clone(),
        _ => Float64Array::new_null(rows),
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, Float64Array, Int32Array, Int64Array, NullArray};
    use arrow::datatypes::Float64Type;
    use levada_udf::Operand;
    use std::sync::Arc;

    use super::super::super::evaluated;

    /// `name` of one row of `arguments`.
    fn value(name: &str, arguments: &[f64]) -> f64 {
        let column = |&value: &f64| Operand::Column(Arc::new(Float64Array::from(vec![value])));
        let arguments: Vec<Operand> = arguments.iter().map(column).collect();
        evaluated(name, &arguments, 1).as_primitive::<Float64Type>().value(0)
    }

    #[test]
    fn the_edges_are_those_of_java() {
        let (nan, infinity) = (f64::NAN, f64::INFINITY);
        let cases: [(&str, &[f64], f64); 24] = [
            ("ACOS", &[1.1], nan),
            ("ASIN", &[-1.1], nan),
            ("ATAN2", &[1.0, -1.0], 0.75 * std::f64::consts::PI),
            ("CBRT", &[-27.0], -3.0),
            ("COT", &[0.0], infinity),
            ("COT", &[-0.0], -infinity),
            ("DEGREES", &[std::f64::consts::PI], 180.0),
            ("EXP", &[-infinity], 0.0),
            ("LN", &[0.0], -infinity),
            ("LN", &[-1.0], nan),
            ("LOG", &[std::f64::consts::E], 1.0),
            ("LOG", &[15.0, 13.0], 0.947_157_241_183_184_3),
            ("LOG", &[15.0, 0.0], -infinity),
            ("LOG", &[0.0, 13.0], nan),
            ("LOG", &[1.0, 13.0], nan),
            ("LOG", &[-15.0, 13.0], nan),
            ("POWER", &[0.0, 0.0], 1.0),
            ("POWER", &[15.0, -1.0], 0.066_666_666_666_666_67),
            ("POWER", &[1.0, nan], nan),
            ("POWER", &[nan, 0.0], 1.0),
            ("POWER", &[-1.0, infinity], nan),
            ("POWER", &[2.0, infinity], infinity),
            ("SQRT", &[-1.0], nan),
            ("TANH", &[infinity], 1.0),
        ];
        for (name, arguments, expected) in cases {
            let found = value(name, arguments);
            // NaN may have either sign; numbers may not.
            let same = found.to_bits() == expected.to_bits() || (found.is_nan() && expected.is_nan());
            assert!(same, "{name} of {arguments:?} is {found}, not {expected}");
        }
    }

    #[test]
    fn integers_and_constants_are_taken_and_null_stays() {
        let column = Operand::Column(Arc::new(Int64Array::from(vec![Some(9), None])));
        let roots = evaluated("SQRT", std::slice::from_ref(&column), 2);
        assert_eq!(*roots.as_primitive::<Float64Type>(), Float64Array::from(vec![Some(3.0), None]));

        let base = Operand::Column(Arc::new(Int32Array::from(vec![Some(2), None, Some(-3)])));
        let exponent = Operand::Constant(Arc::new(Int32Array::from(vec![3])));
        let powers = evaluated("POWER", &[base.clone(), exponent], 3);
        assert_eq!(*powers.as_primitive::<Float64Type>(), Float64Array::from(vec![Some(8.0), None, Some(-27.0)]));

        let untyped = Operand::Constant(Arc::new(NullArray::new(1)));
        assert_eq!(evaluated("POWER", &[base, untyped], 3).null_count(), 3);
    }
}
