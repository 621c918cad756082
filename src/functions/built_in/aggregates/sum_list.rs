//! `SUM_LIST(values)`.

use std::marker::PhantomData;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, ArrowNativeTypeOp, ArrowPrimitiveType, AsArray, ListArray, PrimitiveArray, PrimitiveBuilder,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};

use levada_udf::{Accumulator, AggregateCall, Build, Fold, Folded, aggregate};

/// The sum of all elements of arrays.
#[aggregate(
    name = "SUM_LIST",
    signature = "INT BIGINT DOUBLE: (values ARRAY<%>) -> %",
    undo,
    example("SUM_LIST(v) FROM VALUES (ARRAY[1, 2]), (ARRAY[4]) AS (v)" = "7")
)]
pub(super) fn sum_list(call: &AggregateCall<'_>) -> Result<Box<dyn Accumulator>, String> {
    let DataType::List(element) = &call.arguments[0] else {
        return Err(format!("{} has no elements", call.arguments[0]));
    };
    Ok(match element.data_type() {
        DataType::Int32 => Folded::boxed(SumList::<Int32Type>(PhantomData)),
        DataType::Int64 => Folded::boxed(SumList::<Int64Type>(PhantomData)),
        DataType::Float64 => Folded::boxed(SumList::<Float64Type>(PhantomData)),
        other => return Err(format!("{other} is not summed")),
    })
}

/// Sum of all elements that are not NULL, in their type; integers wrap around.
struct SumList<T: ArrowPrimitiveType>(PhantomData<T>);

/// The sum of the elements of `row`.
fn sum<T: ArrowPrimitiveType>((lists, elements): &(&ListArray, &PrimitiveArray<T>), row: usize) -> T::Native
where
    T::Native: ArrowNativeTypeOp,
{
    if lists.is_null(row) {
        return T::Native::ZERO;
    }
    let offsets = lists.value_offsets();
    let range = offsets[row] as usize..offsets[row + 1] as usize;
    let known = range.filter(|&place| elements.is_valid(place)).map(|place| elements.value(place));
    known.fold(T::Native::ZERO, ArrowNativeTypeOp::add_wrapping)
}

impl<T: ArrowPrimitiveType + Send> Fold for SumList<T>
where
    T::Native: ArrowNativeTypeOp,
{
    type State = T::Native;
    type Arguments<'a> = (&'a ListArray, &'a PrimitiveArray<T>);
    type Results = PrimitiveBuilder<T>;

    fn initial(&self) -> T::Native {
        T::Native::ZERO
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> Self::Arguments<'a> {
        let lists: &ListArray = columns[0].as_list();
        (lists, lists.values().as_primitive())
    }

    fn add(&self, state: &mut T::Native, arguments: &Self::Arguments<'_>, row: usize) -> Result<(), String> {
        *state = state.add_wrapping(sum(arguments, row));
        Ok(())
    }

    fn undo(&self, state: &mut T::Native, arguments: &Self::Arguments<'_>, row: usize) -> Result<(), String> {
        *state = state.sub_wrapping(sum(arguments, row));
        Ok(())
    }

    fn merge(&self, into: &mut T::Native, from: &T::Native) -> Result<(), String> {
        *into = into.add_wrapping(*from);
        Ok(())
    }

    fn result(&self, state: &T::Native, results: &mut Self::Results) -> Result<(), String> {
        results.append_value(*state);
        Ok(())
    }

    fn finish(&self, results: Self::Results) -> ArrayRef {
        Build::finish(results)
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![T::DATA_TYPE]
    }

    fn store(&self, states: &[&T::Native]) -> Result<Vec<ArrayRef>, String> {
        Ok(vec![Arc::new(PrimitiveArray::<T>::from_iter_values(states.iter().map(|&&sum| sum)))])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<T::Native>, String> {
        Ok(columns[0].as_primitive::<T>().values().to_vec())
    }
}
