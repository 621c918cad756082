//! From values of Rust to a column.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Display, Write as _};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBufferBuilder, BooleanBuilder, ListArray, MapArray, PrimitiveBuilder,
    StringBuilder, StructArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Field, Fields, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};

use super::{AnyDecimal, Date, Decimal, Time, Timestamp};

/// A type that a result may have.
pub trait Write: Sized {
    /// What the column is built in.
    type Builder: Build;

    /// The type in SQL.
    fn sql() -> String;

    /// The type in Arrow.
    fn arrow() -> DataType {
        Self::Builder::default().finish().data_type().clone()
    }

    /// Adds the value. If it is an error, or does not fit the column, adds another in its place.
    ///
    /// # Errors
    /// The reason.
    fn write(self, builder: &mut Self::Builder) -> Result<(), String>;
}

/// A column that grows.
pub trait Build: Default {
    /// Adds NULL.
    fn append_null(&mut self);

    /// The column.
    fn finish(self) -> ArrayRef;
}

impl<T: ArrowPrimitiveType> Build for PrimitiveBuilder<T> {
    fn append_null(&mut self) {
        self.append_null();
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(PrimitiveBuilder::finish(&mut self))
    }
}

macro_rules! built {
    ($($builder:ident)*) => {$(
        impl Build for $builder {
            fn append_null(&mut self) {
                self.append_null();
            }

            fn finish(mut self) -> ArrayRef {
                Arc::new($builder::finish(&mut self))
            }
        }
    )*};
}

built! { BooleanBuilder StringBuilder BinaryBuilder }

macro_rules! written {
    ($(($($generics:tt)*) $rust:ty, $sql:literal, $builder:ty, $value:ident => $written:expr;)*) => {$(
        impl<$($generics)*> Write for $rust {
            type Builder = $builder;

            fn sql() -> String {
                $sql.to_owned()
            }

            #[inline]
            fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
                let $value = self;
                builder.append_value($written);
                Ok(())
            }
        }
    )*};
}

written! {
    () bool, "BOOLEAN", BooleanBuilder, value => value;
    () i32, "INT", PrimitiveBuilder<Int32Type>, value => value;
    () i64, "BIGINT", PrimitiveBuilder<Int64Type>, value => value;
    () f64, "DOUBLE", PrimitiveBuilder<Float64Type>, value => value;
    () Date, "DATE", PrimitiveBuilder<Date32Type>, value => value.0;
    () Time, "TIME", PrimitiveBuilder<Time32MillisecondType>, value => value.0;
    () Timestamp, "TIMESTAMP", PrimitiveBuilder<TimestampMillisecondType>, value => value.0;
}

/// The most bytes that the texts of a column have together.
const BYTES_MAX: usize = i32::MAX as usize;

const TOO_MANY_BYTES: &str = "the results of a batch have more than 2,147,483,647 bytes";

macro_rules! bytes_written {
    ($($rust:ty, $sql:literal, $builder:ty;)*) => {$(
        impl Write for $rust {
            type Builder = $builder;

            fn sql() -> String {
                $sql.to_owned()
            }

            #[inline]
            fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
                let fits = self.len() <= BYTES_MAX - builder.values_slice().len();
                builder.append_value(if fits { self } else { Self::default() });
                if fits { Ok(()) } else { Err(TOO_MANY_BYTES.to_owned()) }
            }
        }
    )*};
}

bytes_written! {
    String, "STRING", StringBuilder;
    &str, "STRING", StringBuilder;
    Vec<u8>, "BYTES", BinaryBuilder;
    &[u8], "BYTES", BinaryBuilder;
}

/// STRING: what this shows, written into the column without a text of its own.
///
/// `std::fmt::from_fn` makes one of a closure.
#[derive(Debug, Clone, Copy)]
pub struct Shown<T>(pub T);

impl<T: Display> Write for Shown<T> {
    type Builder = StringBuilder;

    fn sql() -> String {
        "STRING".to_owned()
    }

    #[inline]
    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        let mut column = Bounded { builder, is_full: false };
        let shown = write!(column, "{}", self.0);
        let is_full = column.is_full;
        builder.append_value("");
        shown.map_err(|_| if is_full { TOO_MANY_BYTES.to_owned() } else { "the value cannot be shown".to_owned() })
    }
}

/// A column that takes no more than it can hold.
struct Bounded<'a> {
    builder: &'a mut StringBuilder,
    is_full: bool,
}

impl fmt::Write for Bounded<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.is_full |= text.len() > BYTES_MAX - self.builder.values_slice().len();
        if self.is_full { Err(fmt::Error) } else { self.builder.write_str(text) }
    }
}

impl<T: Write> Write for Option<T> {
    type Builder = T::Builder;

    fn sql() -> String {
        T::sql()
    }

    #[inline]
    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        match self {
            Some(value) => value.write(builder),
            None => {
                builder.append_null();
                Ok(())
            }
        }
    }
}

impl<T: Write, E: Display> Write for Result<T, E> {
    type Builder = T::Builder;

    fn sql() -> String {
        T::sql()
    }

    #[inline]
    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        match self {
            Ok(value) => value.write(builder),
            Err(error) => {
                builder.append_null();
                Err(error.to_string())
            }
        }
    }
}

/// Where lists begin and end, and which are NULL.
struct Lists {
    ends: Vec<i32>,
    valid: BooleanBufferBuilder,
}

impl Default for Lists {
    fn default() -> Self {
        Self { ends: vec![0], valid: BooleanBufferBuilder::new(0) }
    }
}

impl Lists {
    /// Ends a list of `elements` elements.
    ///
    /// # Errors
    /// A column has too many elements; there is NULL in the list's place.
    fn end(&mut self, elements: usize) -> Result<(), String> {
        let end = i32::try_from(elements).ok().and_then(|elements| self.last().checked_add(elements));
        self.ends.push(end.unwrap_or(self.last()));
        self.valid.append(end.is_some());
        end.map(|_| ()).ok_or_else(|| "the results of a batch have more than 2,147,483,647 elements".to_owned())
    }

    fn end_null(&mut self) {
        self.ends.push(self.last());
        self.valid.append(false);
    }

    fn last(&self) -> i32 {
        self.ends[self.ends.len() - 1]
    }

    fn finish(mut self) -> (OffsetBuffer<i32>, Option<NullBuffer>) {
        let nulls = NullBuffer::new(self.valid.finish());
        (OffsetBuffer::new(self.ends.into()), Some(nulls).filter(|nulls| nulls.null_count() > 0))
    }
}

/// ARRAY as it is built.
#[derive(Default)]
pub struct ListBuilder<B> {
    lists: Lists,
    elements: B,
}

impl<B: Build> Build for ListBuilder<B> {
    fn append_null(&mut self) {
        self.lists.end_null();
    }

    fn finish(self) -> ArrayRef {
        let values = self.elements.finish();
        let (offsets, nulls) = self.lists.finish();
        let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
        Arc::new(ListArray::new(field, offsets, values, nulls))
    }
}

impl<T: Write + Element> Write for Vec<T> {
    type Builder = ListBuilder<T::Builder>;

    fn sql() -> String {
        format!("ARRAY<{}>", T::sql())
    }

    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        builder.lists.end(self.len())?;
        // The list has them all, whichever fail.
        let mut written = Ok(());
        for element in self {
            written = written.and(element.write(&mut builder.elements));
        }
        written
    }
}

/// What a table function gives for a row: the values of the rows that come of it.
pub trait Rows: Write {
    /// The value of a row.
    type Row: Write;
}

impl<T: Write + Element> Rows for Vec<T> {
    type Row = T;
}

impl<T: Rows> Rows for Option<T> {
    type Row = T::Row;
}

impl<T: Rows, E: Display> Rows for Result<T, E> {
    type Row = T::Row;
}

/// A type that elements of ARRAY may have: all but `u8`, of which BYTES are made.
pub trait Element {}

impl Element for i32 {}
impl Element for i64 {}
impl Element for f64 {}
impl Element for bool {}
impl Element for Date {}
impl Element for Time {}
impl Element for Timestamp {}
impl Element for String {}
impl Element for &str {}
impl Element for &[u8] {}
impl<T> Element for Vec<T> {}
impl<T> Element for Option<T> {}
impl<T> Element for Shown<T> {}
impl<K, V> Element for Entries<K, V> {}
impl<K, V> Element for BTreeMap<K, V> {}
#[allow(clippy::implicit_hasher, reason = "authors write `HashMap<K, V>`")]
impl<K, V> Element for HashMap<K, V> {}
impl<const PRECISION: u8, const SCALE: u8> Element for Decimal<PRECISION, SCALE> {}
impl Element for AnyDecimal {}

/// MAP: keys, each once, and values.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries<K, V>(pub Vec<(K, V)>);

/// MAP as it is built.
#[derive(Default)]
pub struct MapBuilder<K, V> {
    lists: Lists,
    keys: K,
    values: V,
}

impl<K: Build, V: Build> Build for MapBuilder<K, V> {
    fn append_null(&mut self) {
        self.lists.end_null();
    }

    fn finish(self) -> ArrayRef {
        let (keys, values) = (self.keys.finish(), self.values.finish());
        let (offsets, nulls) = self.lists.finish();
        let fields = Fields::from(vec![
            Field::new("key", keys.data_type().clone(), false),
            Field::new("value", values.data_type().clone(), true),
        ]);
        let entries = StructArray::new(fields.clone(), vec![keys, values], None);
        let field = Arc::new(Field::new("entries", DataType::Struct(fields), false));
        Arc::new(MapArray::new(field, offsets, entries, nulls, false))
    }
}

impl<K: Write, V: Write> Write for Entries<K, V> {
    type Builder = MapBuilder<K::Builder, V::Builder>;

    fn sql() -> String {
        format!("MAP<{}, {}>", K::sql(), V::sql())
    }

    fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
        builder.lists.end(self.0.len())?;
        // The map has them all, whichever fail.
        let mut written = Ok(());
        for (key, value) in self.0 {
            written = written.and(key.write(&mut builder.keys)).and(value.write(&mut builder.values));
        }
        written
    }
}

macro_rules! maps {
    ($($map:ident)*) => {$(
        #[allow(clippy::implicit_hasher, reason = "authors write `HashMap<K, V>`")]
        impl<K: Write, V: Write> Write for $map<K, V> {
            type Builder = MapBuilder<K::Builder, V::Builder>;

            fn sql() -> String {
                Entries::<K, V>::sql()
            }

            fn write(self, builder: &mut Self::Builder) -> Result<(), String> {
                Entries(self.into_iter().collect()).write(builder)
            }
        }
    )*};
}

maps! { BTreeMap HashMap }
