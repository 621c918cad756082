//! From the values of a column to those of Rust.

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType, TimestampMillisecondType,
};

use super::{Date, Operand, Time, Timestamp, Unit};

/// A type that a parameter may have.
pub trait Read<'a>: Sized {
    /// The array that holds the values.
    type Array: Clone;

    /// Whether it takes NULL.
    const TAKES_NULL: bool = false;

    /// The type in SQL.
    fn sql() -> String;

    /// The values of `array`, which is of that type.
    fn open(array: &'a ArrayRef) -> Self::Array;

    /// Whether the value at `index`, which is not NULL, cannot be had: it has NULL where the type has no place for it, or is greater
    /// than the type.
    #[inline]
    fn lacks(_: &Self::Array, _: usize) -> bool {
        false
    }

    /// The value at `index`, which is not NULL unless the type takes that, and which it does not lack.
    fn get(array: &Self::Array, index: usize) -> Self;
}

/// The values of one parameter in a batch.
pub struct Column<'a, T: Read<'a>> {
    /// `None` where all rows are NULL: NULL as a literal has no type.
    array: Option<T::Array>,
    nulls: Option<&'a NullBuffer>,
    /// 0 where all rows have one value.
    step: usize,
}

// Derived, it would ask for values that can be copied too.
impl<'a, T: Read<'a>> Clone for Column<'a, T> {
    fn clone(&self) -> Self {
        Self { array: self.array.clone(), nulls: self.nulls, step: self.step }
    }
}

impl<'a, T: Read<'a>> Column<'a, T> {
    /// The values of `operand`.
    pub fn new(operand: &'a Operand) -> Self {
        Self::of(operand.array(), operand.is_constant())
    }

    /// The values of `array`; it has one for all rows if it `is_constant`.
    pub fn of(array: &'a ArrayRef, is_constant: bool) -> Self {
        let nulls = if T::TAKES_NULL { None } else { array.nulls() };
        let is_untyped = !T::TAKES_NULL && *array.data_type() == DataType::Null;
        let array = (!is_untyped).then(|| T::open(array));
        Self { array, nulls, step: usize::from(!is_constant) }
    }

    /// The values of all `operands`.
    pub fn all(operands: &'a [Operand]) -> Vec<Self> {
        operands.iter().map(Self::new).collect()
    }

    /// The value of `row`; `None` if it is missing.
    pub fn value(&self, row: usize) -> Option<T> {
        (!self.is_missing(row)).then(|| self.get(row))
    }

    /// Whether `row` has no value to call the function with.
    #[inline]
    pub fn is_missing(&self, row: usize) -> bool {
        let Some(array) = &self.array else { return true };
        let index = row * self.step;
        self.nulls.is_some_and(|nulls| nulls.is_null(index)) || T::lacks(array, index)
    }

    /// The value of `row`, which is not missing.
    #[inline]
    pub fn get(&self, row: usize) -> T {
        T::get(self.array.as_ref().expect("a row that is not missing has a value"), row * self.step)
    }
}

macro_rules! primitives {
    ($($rust:ty, $sql:literal, $arrow:ty, $value:ident => $read:expr;)*) => {$(
        impl<'a> Read<'a> for $rust {
            type Array = &'a PrimitiveArray<$arrow>;

            fn sql() -> String {
                $sql.to_owned()
            }

            fn open(array: &'a ArrayRef) -> Self::Array {
                array.as_primitive()
            }

            #[inline]
            fn get(array: &Self::Array, index: usize) -> Self {
                let $value = array.values()[index];
                $read
            }
        }
    )*};
}

primitives! {
    i32, "INT", Int32Type, value => value;
    i64, "BIGINT", Int64Type, value => value;
    f64, "DOUBLE", Float64Type, value => value;
    Date, "DATE", Date32Type, value => Date(value);
    Time, "TIME", Time32MillisecondType, value => Time(value);
    Timestamp, "TIMESTAMP", TimestampMillisecondType, value => Timestamp(value);
}

impl<'a> Read<'a> for bool {
    type Array = &'a BooleanArray;

    fn sql() -> String {
        "BOOLEAN".to_owned()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        array.as_boolean()
    }

    fn get(array: &Self::Array, index: usize) -> Self {
        array.value(index)
    }
}

impl<'a> Read<'a> for &'a str {
    type Array = &'a StringArray;

    fn sql() -> String {
        "STRING".to_owned()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        array.as_string()
    }

    #[inline]
    fn get(array: &Self::Array, index: usize) -> Self {
        array.value(index)
    }
}

impl<'a> Read<'a> for Unit {
    type Array = &'a StringArray;

    fn sql() -> String {
        "UNIT".to_owned()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        array.as_string()
    }

    #[inline]
    fn get(array: &Self::Array, index: usize) -> Self {
        Self::named(array.value(index))
    }
}

impl<'a> Read<'a> for &'a [u8] {
    type Array = &'a BinaryArray;

    fn sql() -> String {
        "BYTES".to_owned()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        array.as_binary()
    }

    fn get(array: &Self::Array, index: usize) -> Self {
        array.value(index)
    }
}

macro_rules! owned {
    ($($owned:ty, $borrowed:ty;)*) => {$(
        impl<'a> Read<'a> for $owned {
            type Array = <$borrowed as Read<'a>>::Array;

            fn sql() -> String {
                <$borrowed>::sql()
            }

            fn open(array: &'a ArrayRef) -> Self::Array {
                <$borrowed>::open(array)
            }

            fn get(array: &Self::Array, index: usize) -> Self {
                <$borrowed>::get(array, index).to_owned()
            }
        }
    )*};
}

owned! {
    String, &'a str;
    Vec<u8>, &'a [u8];
}

impl<'a, T: Read<'a>> Read<'a> for Option<T> {
    type Array = (&'a ArrayRef, Option<T::Array>);

    const TAKES_NULL: bool = true;

    fn sql() -> String {
        T::sql()
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        (array, (*array.data_type() != DataType::Null).then(|| T::open(array)))
    }

    fn get((array, values): &Self::Array, index: usize) -> Self {
        let values = values.as_ref().filter(|values| array.is_valid(index) && !T::lacks(values, index));
        values.map(|values| T::get(values, index))
    }
}
