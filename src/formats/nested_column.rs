//! Columns of any type under construction, for formats whose records are read value by value.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, NullBufferBuilder, StructArray};
use arrow::datatypes::{DataType, FieldRef, Fields};

use crate::types::SqlType;

use super::extents::Extents;
use super::scalar_column::ScalarColumn;

/// A column that cells are appended to.
pub(super) enum NestedColumn {
    Scalar(ScalarColumn, SqlType),
    List(ListColumn),
    Map(MapColumn),
    Record(RecordColumn),
}

/// Lists: cells are appended to `element`, then the list is closed.
pub(super) struct ListColumn {
    extents: Extents,
    pub(super) element: Box<NestedColumn>,
    field: FieldRef,
}

/// Maps: keys and values are appended in turn, then the map is closed.
pub(super) struct MapColumn {
    extents: Extents,
    /// Keys, and values.
    pub(super) entries: Box<[NestedColumn; 2]>,
    fields: Fields,
}

/// Structs: a cell is appended to each of `fields`, then the struct is closed.
pub(super) struct RecordColumn {
    pub(super) fields: Vec<NestedColumn>,
    nulls: NullBufferBuilder,
    arrow: Fields,
}

impl NestedColumn {
    /// An empty column of `sql_type`.
    pub(super) fn new(sql_type: &SqlType) -> Self {
        if let Some(column) = ScalarColumn::new(sql_type) {
            return Self::Scalar(column, sql_type.clone());
        }
        match (sql_type, sql_type.arrow()) {
            (SqlType::Array(element), DataType::List(field)) => {
                Self::List(ListColumn { extents: Extents::new(), element: Box::new(Self::new(element)), field })
            }
            (SqlType::Map(key, value), DataType::Map(entries, _)) => {
                let DataType::Struct(entries) = entries.data_type() else { unreachable!("entries are structs") };
                Self::Map(MapColumn {
                    extents: Extents::new(),
                    entries: Box::new([Self::new(key), Self::new(value)]),
                    fields: entries.clone(),
                })
            }
            (SqlType::Struct(fields), DataType::Struct(arrow)) => Self::Record(RecordColumn {
                fields: fields.iter().map(|field| Self::new(&field.sql_type)).collect(),
                nulls: NullBufferBuilder::new(0),
                arrow,
            }),
            (other, _) => unreachable!("{other} is a scalar type"),
        }
    }

    /// Cells so far.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Scalar(column, _) => column.len(),
            Self::List(list) => list.extents.len(),
            Self::Map(map) => map.extents.len(),
            Self::Record(record) => record.nulls.len(),
        }
    }

    /// Appends NULL.
    pub(super) fn push_null(&mut self) {
        match self {
            Self::Scalar(column, _) => column.push_null(),
            Self::List(list) => list.extents.push_null(),
            Self::Map(map) => map.extents.push_null(),
            Self::Record(record) => record.push_null(),
        }
    }

    /// Drops the cells from `len` on, and what was written of the one after them.
    pub(super) fn truncate(&mut self, len: usize) {
        match self {
            Self::Scalar(column, _) => column.truncate(len),
            Self::List(list) => list.element.truncate(list.extents.truncate(len)),
            Self::Map(map) => {
                let entries = map.extents.truncate(len);
                map.truncate_entries(entries);
            }
            Self::Record(record) => {
                record.fields.iter_mut().for_each(|field| field.truncate(len));
                record.nulls.truncate(len.min(record.nulls.len()));
            }
        }
    }

    /// The array of all cells; the column is empty afterwards.
    pub(super) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Scalar(column, _) => column.finish(),
            Self::List(list) => list.extents.finish_lists(&list.field, list.element.finish()),
            Self::Map(map) => {
                let entries = map.entries.iter_mut().map(Self::finish).collect();
                map.extents.finish_maps(&map.fields, entries)
            }
            Self::Record(record) => {
                let (len, nulls) = (record.nulls.len(), record.nulls.finish());
                let columns = record.fields.iter_mut().map(Self::finish).collect();
                Arc::new(
                    StructArray::try_new_with_length(record.arrow.clone(), columns, nulls, len)
                        .expect("fields have as many cells"),
                )
            }
        }
    }
}

impl ListColumn {
    /// Closes a list.
    pub(super) fn end(&mut self) {
        self.extents.end(self.element.len());
    }
}

impl MapColumn {
    /// Closes a map.
    pub(super) fn end(&mut self) {
        self.extents.end(self.entries[0].len());
    }

    /// Entries of all maps that are closed.
    pub(super) fn closed_entries(&self) -> usize {
        self.extents.elements()
    }

    /// Drops the entries from `len` on.
    pub(super) fn truncate_entries(&mut self, len: usize) {
        self.entries.iter_mut().for_each(|column| column.truncate(len));
    }

    /// Whether the key at `index` is NULL.
    pub(super) fn is_null_key(&self, index: usize) -> bool {
        match &self.entries[0] {
            NestedColumn::Scalar(keys, _) => keys.is_null(index),
            _ => false,
        }
    }

    /// Takes back a key and its value, of which the key is NULL: maps have none.
    pub(super) fn drop_last_entry(&mut self) {
        self.truncate_entries(self.entries[0].len() - 1);
    }
}

impl RecordColumn {
    /// Appends NULL.
    pub(super) fn push_null(&mut self) {
        self.fields.iter_mut().for_each(NestedColumn::push_null);
        self.nulls.append_null();
    }

    /// Takes the last struct back.
    pub(super) fn truncate_last(&mut self) {
        let len = self.nulls.len() - 1;
        self.fields.iter_mut().for_each(|field| field.truncate(len));
        self.nulls.truncate(len);
    }

    /// Closes a struct, whose fields have one cell more each.
    pub(super) fn end(&mut self) {
        self.nulls.append_non_null();
    }
}

/// For each of the `fields` of a schema the column that it belongs to. A column has one field: the one of its very name, else the last
/// one whose name in upper case is the column's.
pub(super) fn columns_of<'f>(columns: &[String], fields: impl Iterator<Item = &'f str>) -> Vec<Option<usize>> {
    let (mut exact, mut folded) = (vec![None; columns.len()], vec![None; columns.len()]);
    let numbered = columns.iter().enumerate().rev();
    let by_name: HashMap<&str, usize> = numbered.map(|(column, name)| (name.as_str(), column)).collect();
    let mut count = 0;
    for (index, field) in fields.enumerate() {
        count += 1;
        if let Some(&column) = by_name.get(field) {
            exact[column].get_or_insert(index);
        } else if let Some(&column) = by_name.get(field.to_uppercase().as_str()) {
            folded[column] = Some(index);
        }
    }
    let mut found = vec![None; count];
    for (column, (exact, folded)) in exact.into_iter().zip(folded).enumerate() {
        if let Some(field) = exact.or(folded) {
            found[field] = Some(column);
        }
    }
    found
}

/// Index of the field for `name`: the one of that very name, else the one of the name in upper case.
pub(super) fn find_field(names: &[String], name: &str) -> Option<usize> {
    let upper = name.to_uppercase();
    names.iter().position(|known| known == name).or_else(|| names.iter().position(|known| *known == upper))
}
