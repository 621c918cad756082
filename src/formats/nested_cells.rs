//! Finished columns of any type as encoders see them: downcast once per batch, then read by row.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;

use crate::types::SqlType;

use super::scalar_cells::ScalarCells;

/// One column of a batch.
pub(super) struct Cells<'a> {
    nulls: Option<&'a NullBuffer>,
    pub(super) values: Values<'a>,
}

/// What the cells of a column hold.
pub(super) enum Values<'a> {
    Scalar(ScalarCells<'a>),
    /// Where each list begins and ends among the elements.
    List(&'a [i32], Box<Cells<'a>>),
    /// Where each map begins and ends among keys and values.
    Map(&'a [i32], Box<Cells<'a>>, Box<Cells<'a>>),
    Record(Vec<Cells<'a>>),
}

impl<'a> Cells<'a> {
    /// The cells of `array`, whose type is `sql_type`.
    pub(super) fn new(sql_type: &SqlType, array: &'a ArrayRef) -> Self {
        let values = match sql_type {
            SqlType::Array(element) => {
                let list = array.as_list::<i32>();
                Values::List(list.value_offsets(), Box::new(Self::new(element, list.values())))
            }
            SqlType::Map(key, value) => {
                let map = array.as_map();
                let (keys, values) = (Self::new(key, map.keys()), Self::new(value, map.values()));
                Values::Map(map.value_offsets(), Box::new(keys), Box::new(values))
            }
            SqlType::Struct(fields) => {
                let columns = array.as_struct().columns();
                Values::Record(
                    fields.iter().zip(columns).map(|(field, column)| Self::new(&field.sql_type, column)).collect(),
                )
            }
            scalar => Values::Scalar(ScalarCells::new(scalar, array)),
        };
        Self { nulls: array.nulls().filter(|nulls| nulls.null_count() > 0), values }
    }

    /// The cells of `columns`, whose types are `types`.
    pub(super) fn of_columns(types: &[SqlType], columns: &'a [ArrayRef]) -> Vec<Self> {
        types.iter().zip(columns).map(|(sql_type, column)| Self::new(sql_type, column)).collect()
    }

    /// Whether the cell at `row` is NULL.
    #[inline]
    pub(super) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }
}
