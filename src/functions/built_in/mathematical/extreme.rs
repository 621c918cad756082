//! The least or the greatest of several values.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, BinaryArray, PrimitiveArray, StringArray,
    new_null_array,
};
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Decimal256Type, DecimalType, Float64Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMillisecondType, i256,
};
use arrow::error::ArrowError;
use levada_udf::{Batch, Operand};

use crate::types::java_order;

/// Of each row the value that has this `ordering` to all others that are not NULL.
pub(super) fn extreme(batch: &mut Batch<'_>, ordering: Ordering) -> ArrayRef {
    let (rows, result) = (batch.rows(), batch.result_type());
    // NULL as a literal has no type.
    let operands: Vec<Operand> =
        batch.arguments().iter().filter(|operand| *operand.array().data_type() != DataType::Null).cloned().collect();
    match result {
        DataType::Int32 => natural::<Int32Type>(&operands, rows, result, ordering),
        DataType::Int64 => natural::<Int64Type>(&operands, rows, result, ordering),
        DataType::Date32 => natural::<Date32Type>(&operands, rows, result, ordering),
        DataType::Time32(_) => natural::<Time32MillisecondType>(&operands, rows, result, ordering),
        DataType::Timestamp(..) => natural::<TimestampMillisecondType>(&operands, rows, result, ordering),
        DataType::Float64 => primitives::<Float64Type>(&operands, rows, result, ordering, java_order::of_doubles),
        DataType::Decimal128(..) => decimals::<Decimal128Type>(batch, operands, ordering),
        DataType::Decimal256(..) => decimals::<Decimal256Type>(batch, operands, ordering),
        DataType::Utf8 => {
            let open = |array| AsArray::as_string::<i32>(array);
            let best = best(&operands, rows, ordering, open, StringArray::value, java_order::of_texts);
            Arc::new(best.into_iter().collect::<StringArray>())
        }
        DataType::Binary => {
            let open = |array| AsArray::as_binary::<i32>(array);
            let best = best(&operands, rows, ordering, open, BinaryArray::value, java_order::of_bytes);
            Arc::new(best.into_iter().collect::<BinaryArray>())
        }
        other => unreachable!("{other} is not of the signature"),
    }
}

/// Of each row the best value; `None` where all are NULL.
fn best<'a, A: Array + 'a, V: Copy>(
    operands: &'a [Operand],
    rows: usize,
    ordering: Ordering,
    open: impl Fn(&'a ArrayRef) -> &'a A,
    value: impl Fn(&'a A, usize) -> V,
    compare: impl Fn(V, V) -> Ordering,
) -> Vec<Option<V>> {
    let mut best: Vec<Option<V>> = vec![None; rows];
    for operand in operands {
        let array = open(operand.array());
        for (row, best) in best.iter_mut().enumerate() {
            let index = operand.index(row);
            if array.is_valid(index) {
                let value = value(array, index);
                if best.is_none_or(|best| compare(value, best) == ordering) {
                    *best = Some(value);
                }
            }
        }
    }
    best
}

fn primitives<T: ArrowPrimitiveType>(
    operands: &[Operand],
    rows: usize,
    result: &DataType,
    ordering: Ordering,
    compare: impl Fn(T::Native, T::Native) -> Ordering,
) -> ArrayRef {
    let best = best(operands, rows, ordering, |array| array.as_primitive::<T>(), PrimitiveArray::value, compare);
    Arc::new(best.into_iter().collect::<PrimitiveArray<T>>().with_data_type(result.clone()))
}

fn natural<T: ArrowPrimitiveType>(
    operands: &[Operand],
    rows: usize,
    result: &DataType,
    ordering: Ordering,
) -> ArrayRef {
    primitives::<T>(operands, rows, result, ordering, ArrowNativeTypeOp::compare)
}

/// Decimals of any digits and places, which those of the result hold.
fn decimals<T: Widened>(batch: &mut Batch<'_>, operands: Vec<Operand>, ordering: Ordering) -> ArrayRef {
    let result = batch.result_type();
    let (DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale)) = result else {
        unreachable!("{result} is no decimal")
    };
    let aligned = operands.into_iter().map(|operand| {
        let array = aligned::<T>(operand.array(), *scale)?;
        Ok(if operand.is_constant() { Operand::Constant(array) } else { Operand::Column(array) })
    });
    match aligned.collect::<Result<Vec<Operand>, ArrowError>>() {
        Ok(operands) => natural::<T>(&operands, batch.rows(), result, ordering),
        Err(error) => {
            (0..batch.rows()).for_each(|row| batch.fail(row, format!("Numeric field overflow: {error}")));
            new_null_array(result, batch.rows())
        }
    }
}

/// `array` with `scale`, which is not less than its own.
fn aligned<T: Widened>(array: &ArrayRef, scale: i8) -> Result<ArrayRef, ArrowError> {
    let (DataType::Decimal128(_, from) | DataType::Decimal256(_, from)) = array.data_type() else {
        unreachable!("{} is no decimal", array.data_type())
    };
    let values = T::widened(array);
    if *from == scale {
        return Ok(Arc::new(values));
    }
    let zeros = T::Native::usize_as(10).pow_checked(u32::from(scale.abs_diff(*from)))?;
    Ok(Arc::new(values.try_unary::<_, T, _>(|value| value.mul_checked(zeros))?))
}

/// Decimals to which those of any digits can be brought.
trait Widened: DecimalType + Sized {
    /// The values of `array`, decimals that are not wider.
    fn widened(array: &ArrayRef) -> PrimitiveArray<Self>;
}

impl Widened for Decimal128Type {
    fn widened(array: &ArrayRef) -> PrimitiveArray<Self> {
        array.as_primitive::<Self>().clone()
    }
}

impl Widened for Decimal256Type {
    fn widened(array: &ArrayRef) -> PrimitiveArray<Self> {
        match array.data_type() {
            DataType::Decimal128(..) => array.as_primitive::<Decimal128Type>().unary(i256::from_i128),
            _ => array.as_primitive::<Self>().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        Array, ArrayRef, AsArray, BinaryArray, Decimal128Array, Float64Array, Int32Array, NullArray, StringArray,
    };
    use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, i256};
    use levada_udf::Operand;

    use super::super::super::evaluated;

    fn column(array: impl Array + 'static) -> Operand {
        Operand::Column(Arc::new(array))
    }

    fn untyped() -> Operand {
        Operand::Constant(Arc::new(NullArray::new(1)))
    }

    #[test]
    fn nulls_are_left_out() {
        let arguments = [
            column(Int32Array::from(vec![Some(1), None, Some(9), None])),
            untyped(),
            column(Int32Array::from(vec![Some(3), Some(-4), None, None])),
        ];
        let greatest = evaluated("GREATEST", &arguments, 4);
        assert_eq!(*greatest.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(3), Some(-4), Some(9), None]));
        let least = evaluated("LEAST", &arguments, 4);
        assert_eq!(*least.as_primitive::<Int32Type>(), Int32Array::from(vec![Some(1), Some(-4), Some(9), None]));
        assert_eq!(evaluated("LEAST", &[untyped(), untyped()], 4).null_count(), 4);
    }

    #[test]
    fn texts_bytes_and_doubles_have_the_order_of_java() {
        let text = |text: &str| Operand::Constant(Arc::new(StringArray::from(vec![text])) as ArrayRef);
        // The second is one unit of UTF-16, the first two that are less.
        let texts = [text("\u{1F600}"), text("\u{FFFD}")];
        assert_eq!(evaluated("GREATEST", &texts, 1).as_string::<i32>().value(0), "\u{FFFD}");

        let bytes = [column(BinaryArray::from_vec(vec![b"\x7f"])), column(BinaryArray::from_vec(vec![b"\x80"]))];
        assert_eq!(evaluated("GREATEST", &bytes, 1).as_binary::<i32>().value(0), b"\x7f");

        let doubles = [column(Float64Array::from(vec![-0.0, -f64::NAN])), column(Float64Array::from(vec![0.0, 1.0]))];
        let least = evaluated("LEAST", &doubles, 2);
        let bits: Vec<u64> = least.as_primitive::<Float64Type>().values().iter().map(|value| value.to_bits()).collect();
        assert_eq!(bits, [(-0.0_f64).to_bits(), 1.0_f64.to_bits()]);
    }

    #[test]
    fn decimals_are_compared_by_value_and_widened() {
        let decimals = |values: Vec<i128>, precision, scale| {
            column(Decimal128Array::from(values).with_precision_and_scale(precision, scale).expect("a good type"))
        };
        let arguments = [decimals(vec![123, -5], 4, 2), decimals(vec![1_230_001, -50_000], 7, 6), untyped()];
        let least = evaluated("LEAST", &arguments, 2);
        assert_eq!(*least.data_type(), DataType::Decimal128(8, 6));
        assert_eq!(least.as_primitive::<Decimal128Type>().values(), &[1_230_000, -50_000]);

        let arguments = [decimals(vec![7], 38, 0), decimals(vec![69], 38, 1)];
        let greatest = evaluated("GREATEST", &arguments, 1);
        assert_eq!(*greatest.data_type(), DataType::Decimal256(39, 1));
        assert_eq!(greatest.as_primitive::<Decimal256Type>().value(0), i256::from_i128(70));
    }
}
