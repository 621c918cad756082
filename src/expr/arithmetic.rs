//! `+ - * / %` with Java's rules: integers wrap, division by zero fails the row, decimals are exact or fail the row.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Decimal128Builder, Decimal256Builder, Float64Array, Int32Array, Int64Array, StringBuilder,
};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, i256};
use datafusion_physical_expr::PhysicalExpr;

use super::compile::unary;
use super::kernel::{Kernel, Operand};
use super::{ArithmeticOp, row_errors};

pub(super) fn compile(
    op: ArithmeticOp,
    inputs: Vec<Arc<dyn PhysicalExpr>>,
    data_type: DataType,
) -> Arc<dyn PhysicalExpr> {
    let result = data_type.clone();
    Kernel::compile(op.sign(), inputs, data_type, move |operands, rows| {
        let (left, right) = (&operands[0], &operands[1]);
        match &result {
            DataType::Int32 | DataType::Int64 if matches!(op, ArithmeticOp::Divide | ArithmeticOp::Modulo) => {
                divide_integers(op, left, right, rows)
            }
            DataType::Int32 | DataType::Int64 | DataType::Float64 => {
                let computed = match op {
                    ArithmeticOp::Add => numeric::add_wrapping(left, right),
                    ArithmeticOp::Subtract => numeric::sub_wrapping(left, right),
                    ArithmeticOp::Multiply => numeric::mul_wrapping(left, right),
                    ArithmeticOp::Divide => return doubles(left, right, rows, |a, b| a / b),
                    ArithmeticOp::Modulo => return doubles(left, right, rows, |a, b| a % b),
                };
                expanded(computed.expect("operands have one type"), rows)
            }
            DataType::Decimal128(_, scale) | DataType::Decimal256(_, scale) => {
                decimals(op, left, right, rows, &result, i32::from(*scale))
            }
            other => unreachable!("no arithmetic gives {other}"),
        }
    })
}

/// Two constants give one value; a batch needs one per row.
fn expanded(values: ArrayRef, rows: usize) -> ArrayRef {
    if values.len() == rows { values } else { Operand::Constant(values).expanded(rows) }
}

fn doubles(left: &Operand, right: &Operand, rows: usize, op: impl Fn(f64, f64) -> f64) -> ArrayRef {
    let (a, b) = (left.array().as_primitive::<Float64Type>(), right.array().as_primitive::<Float64Type>());
    let values = (0..rows).map(|row| {
        let (i, j) = (left.index(row), right.index(row));
        (a.is_valid(i) && b.is_valid(j)).then(|| op(a.value(i), b.value(j)))
    });
    Arc::new(values.collect::<Float64Array>())
}

fn divide_integers(op: ArithmeticOp, left: &Operand, right: &Operand, rows: usize) -> ArrayRef {
    let compute = |row: usize, a: i64, b: i64| -> Option<i64> {
        if b == 0 {
            row_errors::report(row, || format!("{a} {} 0: division by zero", op.sign()));
            return None;
        }
        Some(if op == ArithmeticOp::Divide { a.wrapping_div(b) } else { a.wrapping_rem(b) })
    };
    macro_rules! divide {
        ($arrow:ty, $array:ty, $native:ty) => {{
            let (a, b) = (left.array().as_primitive::<$arrow>(), right.array().as_primitive::<$arrow>());
            let values = (0..rows).map(|row| {
                let (i, j) = (left.index(row), right.index(row));
                if a.is_null(i) || b.is_null(j) {
                    return None;
                }
                compute(row, i64::from(a.value(i)), i64::from(b.value(j))).map(|value| value as $native)
            });
            Arc::new(values.collect::<$array>())
        }};
    }
    if *left.array().data_type() == DataType::Int32 {
        divide!(Int32Type, Int32Array, i32)
    } else {
        divide!(Int64Type, Int64Array, i64)
    }
}

/// Digits and scale of a decimal cell.
pub(super) fn decimal_cell(array: &dyn Array, index: usize) -> (i256, i32) {
    match array.data_type() {
        DataType::Decimal128(_, scale) => {
            (i256::from_i128(array.as_primitive::<Decimal128Type>().value(index)), i32::from(*scale))
        }
        DataType::Decimal256(_, scale) => (array.as_primitive::<Decimal256Type>().value(index), i32::from(*scale)),
        other => unreachable!("{other} is no decimal"),
    }
}

/// Ten to the `exponent`.
pub(super) fn power_of_ten(exponent: i32) -> Option<i256> {
    i256::from_i128(10).checked_pow(u32::try_from(exponent).ok()?)
}

/// `digits` of scale `from` with scale `to`; `None` when digits would be lost or do not fit.
pub(super) fn rescaled(digits: i256, from: i32, to: i32) -> Option<i256> {
    if to >= from {
        return digits.checked_mul(power_of_ten(to.saturating_sub(from))?);
    }
    let divisor = power_of_ten(from - to)?;
    (digits.checked_rem(divisor)? == i256::ZERO).then(|| digits.checked_div(divisor))?
}

fn decimal_op(
    op: ArithmeticOp,
    (a, a_scale): (i256, i32),
    (b, b_scale): (i256, i32),
    (precision, scale): (u8, i32),
) -> Result<i256, String> {
    let overflow = || "Numeric field overflow".to_owned();
    let zero = || format!("{} by zero", if op == ArithmeticOp::Divide { "division" } else { "modulo" });
    let common = a_scale.max(b_scale);
    let aligned = || -> Option<(i256, i256)> { Some((rescaled(a, a_scale, common)?, rescaled(b, b_scale, common)?)) };
    match op {
        ArithmeticOp::Add => aligned().and_then(|(a, b)| a.checked_add(b)).ok_or_else(overflow),
        ArithmeticOp::Subtract => aligned().and_then(|(a, b)| a.checked_sub(b)).ok_or_else(overflow),
        ArithmeticOp::Multiply => a.checked_mul(b).ok_or_else(overflow),
        ArithmeticOp::Modulo => {
            let (a, b) = aligned().ok_or_else(overflow)?;
            let rest = a.checked_rem(b).ok_or_else(zero)?;
            // Java divides with as many digits as the result has, and gives up where the quotient has more.
            let is_quotient = |quotient: i256| {
                let digits = quotient.to_string().trim_start_matches('-').trim_end_matches('0').len();
                digits <= usize::from(precision)
            };
            let is_possible = a.checked_div(b).is_some_and(is_quotient);
            is_possible.then_some(rest).ok_or_else(|| format!("the quotient has more than {precision} digits"))
        }
        ArithmeticOp::Divide => {
            if b == i256::ZERO {
                return Err(zero());
            }
            let numerator = power_of_ten(scale + b_scale - a_scale).and_then(|factor| a.checked_mul(factor));
            let numerator = numerator.ok_or_else(overflow)?;
            if numerator.checked_rem(b) != Some(i256::ZERO) {
                return Err("the quotient is not exact: rounding necessary".to_owned());
            }
            numerator.checked_div(b).ok_or_else(overflow)
        }
    }
}

fn decimals(op: ArithmeticOp, left: &Operand, right: &Operand, rows: usize, result: &DataType, scale: i32) -> ArrayRef {
    let (DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _)) = *result else {
        unreachable!("{result} is no decimal")
    };
    let values = (0..rows).map(|row| {
        if left.is_null(row) || right.is_null(row) {
            return None;
        }
        let a = decimal_cell(left.array(), left.index(row));
        let b = decimal_cell(right.array(), right.index(row));
        match decimal_op(op, a, b, (precision, scale)) {
            Ok(value) => Some(value),
            Err(reason) => {
                row_errors::report(row, || reason);
                None
            }
        }
    });
    decimal_array(values, result)
}

/// Decimals of type `data_type`; digits beyond its precision fail the row.
pub(super) fn decimal_array(values: impl Iterator<Item = Option<i256>>, data_type: &DataType) -> ArrayRef {
    let (DataType::Decimal128(precision, _) | DataType::Decimal256(precision, _)) = data_type else {
        unreachable!("{data_type} is no decimal")
    };
    let limit = power_of_ten(i32::from(*precision));
    let fits = |row: usize, value: i256| {
        let fits = limit.is_none_or(|limit| value < limit && value > limit.wrapping_neg());
        if !fits {
            row_errors::report(row, || format!("Numeric field overflow: {value} has more than {precision} digits"));
        }
        fits
    };
    decimals_of(values.enumerate().map(|(row, value)| value.filter(|value| fits(row, *value))), data_type)
}

/// Decimals of type `data_type`, which may have a digit more than it says.
pub(super) fn decimals_of(values: impl Iterator<Item = Option<i256>>, data_type: &DataType) -> ArrayRef {
    if matches!(data_type, DataType::Decimal128(..)) {
        let mut builder = Decimal128Builder::new();
        values.for_each(|value| builder.append_option(value.and_then(i256::to_i128)));
        Arc::new(builder.finish().with_data_type(data_type.clone()))
    } else {
        let mut builder = Decimal256Builder::new();
        values.for_each(|value| builder.append_option(value));
        Arc::new(builder.finish().with_data_type(data_type.clone()))
    }
}

pub(super) fn compile_negate(input: Arc<dyn PhysicalExpr>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    unary("-", input, data_type, |values| numeric::neg_wrapping(values).expect("the operand is a number"))
}

/// `+` on texts.
pub(super) fn compile_concat(inputs: Vec<Arc<dyn PhysicalExpr>>, data_type: DataType) -> Arc<dyn PhysicalExpr> {
    Kernel::compile("+", inputs, data_type, |operands, rows| {
        let (left, right) = (&operands[0], &operands[1]);
        let (a, b) = (left.array().as_string::<i32>(), right.array().as_string::<i32>());
        let mut texts = StringBuilder::with_capacity(rows, a.value_data().len() + b.value_data().len());
        let mut text = String::new();
        for row in 0..rows {
            let (i, j) = (left.index(row), right.index(row));
            if a.is_null(i) || b.is_null(j) {
                texts.append_null();
                continue;
            }
            text.clear();
            text.push_str(a.value(i));
            text.push_str(b.value(j));
            texts.append_value(&text);
        }
        Arc::new(texts.finish())
    })
}
