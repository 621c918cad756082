//! From the values of a column to those of Rust.

use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, ListArray, PrimitiveArray, StringArray};
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

    /// The value at `index`, which is not NULL unless the type takes that.
    fn get(array: &Self::Array, index: usize) -> Self;
}

/// The values of one parameter in a batch.
#[derive(Debug)]
pub struct Column<'a, T: Read<'a>> {
    /// `None` where all rows are NULL: NULL as a literal has no type.
    array: Option<T::Array>,
    nulls: Option<&'a NullBuffer>,
    /// 0 where all rows have one value.
    step: usize,
}

impl<'a, T: Read<'a>> Column<'a, T> {
    /// The values of `operand`.
    pub fn new(operand: &'a Operand) -> Self {
        let array = operand.array();
        let nulls = if T::TAKES_NULL { None } else { array.nulls() };
        let is_untyped = !T::TAKES_NULL && *array.data_type() == DataType::Null;
        let array = (!is_untyped).then(|| T::open(array));
        Self { array, nulls, step: usize::from(!operand.is_constant()) }
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
        self.array.is_none() || self.nulls.is_some_and(|nulls| nulls.is_null(row * self.step))
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
        values.as_ref().filter(|_| array.is_valid(index)).map(|values| T::get(values, index))
    }
}

/// ARRAY: its elements, of a type that takes NULL if they may be.
#[derive(Debug, Clone)]
pub struct List<'a, T: Read<'a>> {
    elements: T::Array,
    nulls: Option<&'a NullBuffer>,
    range: Range<usize>,
}

/// An element of a [`List`].
pub type ListItem<T> = Option<T>;

impl<'a, T: Read<'a>> List<'a, T> {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The elements in order, NULL as `None`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = ListItem<T>> {
        let is_null = |index| self.nulls.is_some_and(|nulls| nulls.is_null(index));
        self.range.clone().map(move |index| (!is_null(index)).then(|| T::get(&self.elements, index)))
    }
}

impl<'a, T: Read<'a>> Read<'a> for List<'a, T> {
    type Array = (&'a ListArray, T::Array);

    fn sql() -> String {
        format!("ARRAY<{}>", T::sql())
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        let list: &ListArray = array.as_list();
        (list, T::open(list.values()))
    }

    fn get((list, elements): &Self::Array, index: usize) -> Self {
        let offsets = list.value_offsets();
        let range = offsets[index] as usize..offsets[index + 1] as usize;
        Self { elements: elements.clone(), nulls: list.values().nulls(), range }
    }
}
