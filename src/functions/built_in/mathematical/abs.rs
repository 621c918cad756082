//! `ABS(value)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowNativeTypeOp, AsArray, PrimitiveArray, new_null_array};
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, DecimalType};
use levada_udf::{Batch, scalar};

/// The value without its sign.
#[scalar(name = "Abs", example("ABS(-7)" = "7"))]
pub(super) fn int(value: i32) -> i32 {
    value.wrapping_abs()
}

/// The same of BIGINT.
#[scalar(name = "Abs")]
pub(super) fn bigint(value: i64) -> i64 {
    value.wrapping_abs()
}

/// The same of DOUBLE.
#[scalar(name = "Abs")]
pub(super) fn double(value: f64) -> f64 {
    value.abs()
}

/// The same of DECIMAL.
#[scalar(name = "Abs", signature = "(value DECIMAL) -> DECIMAL")]
pub(super) fn decimal(batch: &mut Batch<'_>) -> ArrayRef {
    let values = batch.arguments()[0].expanded(batch.rows());
    match values.data_type() {
        DataType::Decimal128(..) => Arc::new(unsigned::<Decimal128Type>(values.as_primitive())),
        DataType::Decimal256(..) => Arc::new(unsigned::<Decimal256Type>(values.as_primitive())),
        _ => new_null_array(batch.result_type(), batch.rows()),
    }
}

fn unsigned<T: DecimalType>(values: &PrimitiveArray<T>) -> PrimitiveArray<T> {
    let unsigned = |value: T::Native| if value.is_lt(T::Native::ZERO) { value.neg_wrapping() } else { value };
    values.unary::<_, T>(unsigned).with_data_type(values.data_type().clone())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Decimal128Array, Decimal256Array};
    use arrow::datatypes::{Decimal128Type, Decimal256Type, i256};
    use levada_udf::Operand;

    use super::super::super::evaluated;

    #[test]
    fn the_least_integers_have_no_counterpart() {
        assert_eq!([-3, 3, i32::MIN].map(super::int), [3, 3, i32::MIN]);
        assert_eq!([-3, 3, i64::MIN].map(super::bigint), [3, 3, i64::MIN]);
    }

    #[test]
    fn decimals_keep_their_type() {
        let values = Decimal128Array::from(vec![Some(-150), Some(150), None]);
        let values: ArrayRef = Arc::new(values.with_precision_and_scale(5, 2).expect("a good type"));
        let found = evaluated("ABS", &[Operand::Column(values)], 3);
        let found: Vec<Option<i128>> = found.as_primitive::<Decimal128Type>().iter().collect();
        assert_eq!(found, [Some(150), Some(150), None]);

        let value = i256::from_i128(i128::MIN);
        let values = Decimal256Array::from(vec![value]).with_precision_and_scale(50, 2).expect("a good type");
        let found = evaluated("ABS", &[Operand::Constant(Arc::new(values))], 1);
        assert_eq!(found.as_primitive::<Decimal256Type>().value(0), value.wrapping_neg());
    }
}
