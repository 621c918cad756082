//! `GENERATE_SERIES(start, end[, step])`.

use std::sync::Arc;

use arrow::array::{ArrayRef, ArrowPrimitiveType, AsArray, BooleanBufferBuilder, PrimitiveArray, new_null_array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Int32Type, Int64Type};
use levada_udf::{Batch, Operand, scalar};

use super::super::elements::lists;

/// Numbers that a series may have.
const NUMBERS_MAX: i128 = 1_000_000;

/// The whole numbers from one to another, both included, with one or the given step in between.
#[scalar(
    name = "GENERATE_SERIES",
    signature = "INT BIGINT: (start %, end %) -> ARRAY<%>",
    signature = "INT BIGINT: (start %, end %, step INT) -> ARRAY<%>",
    example("GENERATE_SERIES(1, 4)" = "ARRAY[1, 2, 3, 4]"),
    example("GENERATE_SERIES(5, 0, -2)" = "ARRAY[5, 3, 1]")
)]
pub(super) fn generate_series(batch: &mut Batch<'_>) -> ArrayRef {
    match batch.result_type() {
        DataType::List(field) if *field.data_type() == DataType::Int32 => series::<Int32Type>(batch),
        _ => series::<Int64Type>(batch),
    }
}

fn series<T: ArrowPrimitiveType>(batch: &mut Batch<'_>) -> ArrayRef
where
    T::Native: Into<i64> + TryFrom<i64>,
{
    let arguments = batch.arguments();
    let numbers = (column::<T>(&arguments[0]), column::<T>(&arguments[1]));
    let steps = arguments.get(2).map(|step| (step, column::<Int32Type>(step)));
    let ((Some(starts), Some(ends)), None | Some((_, Some(_)))) = (numbers, steps) else {
        return new_null_array(batch.result_type(), batch.rows());
    };
    let mut values: Vec<T::Native> = Vec::new();
    let mut offsets = Vec::with_capacity(batch.rows() + 1);
    offsets.push(0);
    let mut valid = BooleanBufferBuilder::new(batch.rows());
    for row in 0..batch.rows() {
        let is_null = arguments.iter().any(|operand| operand.is_null(row));
        let made = if is_null {
            None
        } else {
            let start: i64 = starts.value(arguments[0].index(row)).into();
            let end: i64 = ends.value(arguments[1].index(row)).into();
            let step = steps.and_then(|(operand, steps)| Some(i64::from(steps?.value(operand.index(row)))));
            match length(start, end, step, values.len()) {
                Ok((length, step)) => {
                    // All of them are between the start and the end.
                    values.extend(
                        (0..length).filter_map(|i| T::Native::try_from(start.wrapping_add(i.wrapping_mul(step))).ok()),
                    );
                    Some(())
                }
                Err(reason) => {
                    batch.fail(row, reason);
                    None
                }
            }
        };
        valid.append(made.is_some());
        offsets.push(values.len() as i32);
    }
    let nulls = Some(NullBuffer::new(valid.finish())).filter(|nulls| nulls.null_count() > 0);
    let values = Arc::new(PrimitiveArray::<T>::from_iter_values(values));
    lists(batch.result_type(), OffsetBuffer::new(offsets.into()), values, nulls)
}

/// The numbers of `operand`; `None` if it is NULL without a type.
fn column<T: ArrowPrimitiveType>(operand: &Operand) -> Option<&PrimitiveArray<T>> {
    operand.array().as_primitive_opt::<T>()
}

/// How many numbers a series has, and its step; `before` are in the column already.
fn length(start: i64, end: i64, step: Option<i64>, before: usize) -> Result<(i64, i64), String> {
    let distance = i128::from(end) - i128::from(start);
    let step = step.unwrap_or(if distance < 0 { -1 } else { 1 });
    if step == 0 {
        return Err("the step is zero".to_owned());
    }
    if distance.signum() * i128::from(step.signum()) < 0 {
        return Err(format!("the step {step} does not lead from {start} to {end}"));
    }
    let length = distance / i128::from(step) + 1;
    if length > NUMBERS_MAX {
        return Err(format!("{length} numbers are more than the {NUMBERS_MAX} that a series may have"));
    }
    if length + before as i128 > i128::from(i32::MAX) {
        return Err("the series of a batch have more than 2,147,483,647 numbers".to_owned());
    }
    Ok((length as i64, step))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::super::super::tests::evaluated_with_failures;
    use super::super::tests::{lists, numbers};
    use super::*;

    #[test]
    fn both_ends_are_included() {
        let rows = [numbers([Some(1), Some(2), Some(5), None]), numbers([Some(3), Some(0), Some(5), Some(1)])];
        let expected =
            [Some(vec![Some(1), Some(2), Some(3)]), Some(vec![Some(2), Some(1), Some(0)]), Some(vec![Some(5)]), None];
        assert_eq!(lists("GENERATE_SERIES", &rows), expected);
    }

    #[test]
    fn a_step_leads_to_the_end() {
        let column = |values: Vec<i64>| Operand::Column(Arc::new(Int64Array::from(values)));
        let rows = [
            column(vec![1, 1, 1, 7, i64::MIN, i64::MAX - 1, 0]),
            column(vec![6, 6, 6, 7, i64::MAX, i64::MAX, 1_000_000]),
            numbers([2, 0, -1, -3, 1, 2, 1].map(Some)),
        ];
        let (found, failures) = evaluated_with_failures("GENERATE_SERIES", &rows, 7);
        let rows: Vec<usize> = failures.iter().map(|(row, _)| *row).collect();
        assert_eq!(rows, [1, 2, 4, 6]);
        let found = found.as_list::<i32>();
        for (row, expected) in [(0, vec![1, 3, 5]), (3, vec![7]), (5, vec![i64::MAX - 1])] {
            assert_eq!(*found.value(row).as_primitive::<Int64Type>(), Int64Array::from(expected));
        }
    }
}
