//! Columns under construction: what a decoder appends cells to.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, ArrowPrimitiveType, BinaryArray, BooleanArray, BooleanBufferBuilder, NullBufferBuilder, PrimitiveArray,
    StringArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Decimal256Type, Float64Type, Int32Type, Int64Type, Time32MillisecondType,
    TimestampMillisecondType,
};

use crate::types::SqlType;

use super::byte_reader::{Fault, Read, is_utf8};

/// Values of a fixed width, and which of them are null.
pub(super) struct PrimitiveColumn<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    nulls: NullBufferBuilder,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> PrimitiveColumn<T> {
    fn new(sql_type: &SqlType) -> Self {
        Self { values: Vec::new(), nulls: NullBufferBuilder::new(0), data_type: sql_type.arrow() }
    }

    #[inline]
    pub(super) fn push(&mut self, value: T::Native) {
        self.values.push(value);
        self.nulls.append_non_null();
    }

    #[inline]
    fn push_null(&mut self) {
        self.values.push(T::Native::default());
        self.nulls.append_null();
    }

    fn truncate(&mut self, len: usize) {
        self.values.truncate(len);
        self.nulls.truncate(len);
    }

    fn finish(&mut self) -> ArrayRef {
        let values = ScalarBuffer::from(std::mem::take(&mut self.values));
        let array = PrimitiveArray::<T>::new(values, self.nulls.finish());
        Arc::new(array.with_data_type(self.data_type.clone()))
    }
}

/// Booleans, and which of them are null.
pub(super) struct BooleanColumn {
    values: BooleanBufferBuilder,
    nulls: NullBufferBuilder,
}

impl BooleanColumn {
    #[inline]
    pub(super) fn push(&mut self, value: bool) {
        self.values.append(value);
        self.nulls.append_non_null();
    }

    fn push_null(&mut self) {
        self.values.append(false);
        self.nulls.append_null();
    }
}

/// Text or bytes, all in one buffer, and which of them are null.
///
/// A cell is written by appending to [`BytesColumn::data`] and closed by [`BytesColumn::end`].
pub(super) struct BytesColumn {
    offsets: Vec<i32>,
    /// Bytes of all cells; those past the last closed cell belong to the one being written.
    pub(super) data: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl BytesColumn {
    pub(super) fn new() -> Self {
        Self { offsets: vec![0], data: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }

    pub(super) fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Closes a cell. False, and no cell, when the column would outgrow its 32-bit offsets.
    #[inline]
    #[must_use]
    pub(super) fn end(&mut self) -> bool {
        let Ok(end) = i32::try_from(self.data.len()) else { return false };
        self.offsets.push(end);
        self.nulls.append_non_null();
        true
    }

    /// Appends a cell of text, which `bytes` must be.
    #[inline]
    pub(super) fn push_text(&mut self, bytes: &[u8]) -> Read<()> {
        if !is_utf8(bytes) {
            return Err(Fault::Wrong("a string is no UTF-8".to_owned()));
        }
        self.push(bytes)
    }

    /// Appends a cell of bytes, or of text that was checked.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Read<()> {
        self.data.extend_from_slice(bytes);
        if self.end() {
            Ok(())
        } else {
            Err(Fault::Wrong("the batch's texts are larger than two gigabytes".to_owned()))
        }
    }

    pub(super) fn push_null(&mut self) {
        let start = self.offsets[self.len()];
        self.data.truncate(start as usize);
        self.offsets.push(start);
        self.nulls.append_null();
    }

    /// Ascending indices, counted from `base`, of cells that come again later. Allocates only if there are any; `order` is a
    /// buffer.
    pub(super) fn repeated(&self, base: usize, order: &mut Vec<u32>) -> Vec<u32> {
        let count = self.len() - base;
        if count < 2 {
            return Vec::new();
        }
        let cell = |index: u32| self.cell(base + index as usize);
        order.clear();
        order.extend(0..count as u32);
        order.sort_unstable_by(|&a, &b| cell(a).cmp(cell(b)).then(a.cmp(&b)));
        let pairs = order.windows(2).filter(|pair| cell(pair[0]) == cell(pair[1]));
        let mut repeated: Vec<u32> = pairs.map(|pair| pair[0]).collect();
        repeated.sort_unstable();
        repeated
    }

    /// The cell at `row`.
    pub(super) fn cell(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    pub(super) fn truncate(&mut self, len: usize) {
        if len < self.len() {
            self.offsets.truncate(len + 1);
            self.nulls.truncate(len);
        }
        self.data.truncate(self.offsets[self.len()] as usize);
    }

    fn take_parts(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        self.data.truncate(self.offsets[self.len()] as usize);
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let data = Vec::with_capacity(self.data.len());
        (OffsetBuffer::new(offsets.into()), std::mem::replace(&mut self.data, data).into())
    }

    /// The cells as text. They must be UTF-8: decoders check every record's bytes before they take text from them.
    pub(super) fn finish_text(&mut self) -> StringArray {
        let (offsets, data) = self.take_parts();
        debug_assert!(std::str::from_utf8(&data).is_ok(), "text cells are checked before they are appended");
        // SAFETY: cells are UTF-8 by this method's contract, and offsets ascend within `data`.
        unsafe { StringArray::new_unchecked(offsets, data, self.nulls.finish()) }
    }

    fn finish_bytes(&mut self) -> BinaryArray {
        let (offsets, data) = self.take_parts();
        BinaryArray::new(offsets, data, self.nulls.finish())
    }
}

/// A column of any type that is not nested.
pub(super) enum ScalarColumn {
    Boolean(BooleanColumn),
    Integer(PrimitiveColumn<Int32Type>),
    Bigint(PrimitiveColumn<Int64Type>),
    Double(PrimitiveColumn<Float64Type>),
    Decimal128(PrimitiveColumn<Decimal128Type>),
    Decimal256(PrimitiveColumn<Decimal256Type>),
    Text(BytesColumn),
    Bytes(BytesColumn),
    Date(PrimitiveColumn<Date32Type>),
    Time(PrimitiveColumn<Time32MillisecondType>),
    Timestamp(PrimitiveColumn<TimestampMillisecondType>),
}

/// Runs an expression on the column inside a [`ScalarColumn`].
macro_rules! on_column {
    ($self:expr, $column:ident => $body:expr, boolean => $boolean:expr) => {
        match $self {
            ScalarColumn::Boolean($column) => $boolean,
            ScalarColumn::Integer($column) => $body,
            ScalarColumn::Bigint($column) => $body,
            ScalarColumn::Double($column) => $body,
            ScalarColumn::Decimal128($column) => $body,
            ScalarColumn::Decimal256($column) => $body,
            ScalarColumn::Text($column) | ScalarColumn::Bytes($column) => $body,
            ScalarColumn::Date($column) => $body,
            ScalarColumn::Time($column) => $body,
            ScalarColumn::Timestamp($column) => $body,
        }
    };
}

impl ScalarColumn {
    /// An empty column of `sql_type`; `None` for nested types.
    pub(super) fn new(sql_type: &SqlType) -> Option<Self> {
        Some(match sql_type {
            SqlType::Boolean => {
                Self::Boolean(BooleanColumn { values: BooleanBufferBuilder::new(0), nulls: NullBufferBuilder::new(0) })
            }
            SqlType::Integer => Self::Integer(PrimitiveColumn::new(sql_type)),
            SqlType::Bigint => Self::Bigint(PrimitiveColumn::new(sql_type)),
            SqlType::Double => Self::Double(PrimitiveColumn::new(sql_type)),
            SqlType::Decimal { precision, .. } if *precision <= 38 => Self::Decimal128(PrimitiveColumn::new(sql_type)),
            SqlType::Decimal { .. } => Self::Decimal256(PrimitiveColumn::new(sql_type)),
            SqlType::String => Self::Text(BytesColumn::new()),
            SqlType::Bytes => Self::Bytes(BytesColumn::new()),
            SqlType::Date => Self::Date(PrimitiveColumn::new(sql_type)),
            SqlType::Time => Self::Time(PrimitiveColumn::new(sql_type)),
            SqlType::Timestamp => Self::Timestamp(PrimitiveColumn::new(sql_type)),
            SqlType::Array(_) | SqlType::Map(..) | SqlType::Struct(_) => return None,
        })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(column) | Self::Bytes(column) => column.len(),
            other => on_column!(other, column => column.nulls.len(), boolean => column.nulls.len()),
        }
    }

    /// Whether the cell at `row` is NULL.
    pub(super) fn is_null(&self, row: usize) -> bool {
        on_column!(self, column => !column.nulls.is_valid(row), boolean => !column.nulls.is_valid(row))
    }

    pub(super) fn push_null(&mut self) {
        on_column!(self, column => column.push_null(), boolean => column.push_null());
    }

    /// Drops the cells from `len` on; also what was written of an unfinished cell.
    pub(super) fn truncate(&mut self, len: usize) {
        on_column!(self, column => column.truncate(len), boolean => {
            if len < column.nulls.len() {
                column.values.truncate(len);
                column.nulls.truncate(len);
            }
        });
    }

    /// The array of all cells; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(column) => Arc::new(column.finish_text()),
            Self::Bytes(column) => Arc::new(column.finish_bytes()),
            Self::Boolean(column) => Arc::new(BooleanArray::new(column.values.finish(), column.nulls.finish())),
            Self::Integer(column) => column.finish(),
            Self::Bigint(column) => column.finish(),
            Self::Double(column) => column.finish(),
            Self::Decimal128(column) => column.finish(),
            Self::Decimal256(column) => column.finish(),
            Self::Date(column) => column.finish(),
            Self::Time(column) => column.finish(),
            Self::Timestamp(column) => column.finish(),
        }
    }
}

/// Precision and scale of a DECIMAL.
pub(super) fn decimal_parameters(sql_type: &SqlType) -> (u8, u8) {
    match sql_type {
        SqlType::Decimal { precision, scale } => (*precision, *scale),
        other => unreachable!("{other} has no decimal column"),
    }
}
