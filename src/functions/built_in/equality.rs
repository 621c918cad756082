//! Which elements are equal, as Java's `equals` has it: NaN equals NaN, 0.0 does not equal -0.0, maps are equal whatever the order
//! of their entries, NULL equals NULL.

use std::hash::Hash;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, Float64Array, ListArray, StructArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{
    ArrowNativeType, DataType, Date32Type, Decimal128Type, Decimal256Type, Field, Fields, Float64Type, Int32Type,
    Int64Type, Time32MillisecondType, TimestampMillisecondType,
};
use arrow::row::{RowConverter, Rows, SortField};
use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// A number for each element of some columns of one type: equal elements, of one column or of several, have the same.
pub(super) struct Identities {
    columns: Vec<Vec<u32>>,
    count: usize,
}

impl Identities {
    /// Those of the elements of `columns`. Columns without a type are of NULLs.
    pub(super) fn new(columns: &[&ArrayRef]) -> Self {
        let typed = columns.iter().map(Array::data_type).find(|data_type| **data_type != DataType::Null);
        match typed {
            None => numbered(columns, |_| |_: usize| ()),
            Some(DataType::Boolean) => numbered(columns, |column| {
                let values = column.as_boolean();
                move |index| values.value(index)
            }),
            Some(DataType::Int32) => numbered(columns, natives::<Int32Type>),
            Some(DataType::Int64) => numbered(columns, natives::<Int64Type>),
            Some(DataType::Float64) => numbered(columns, |column| {
                let values = column.as_primitive::<Float64Type>().values();
                move |index: usize| canonical_double(values[index]).to_bits()
            }),
            Some(DataType::Date32) => numbered(columns, natives::<Date32Type>),
            Some(DataType::Time32(_)) => numbered(columns, natives::<Time32MillisecondType>),
            Some(DataType::Timestamp(..)) => numbered(columns, natives::<TimestampMillisecondType>),
            Some(DataType::Decimal128(..)) => numbered(columns, natives::<Decimal128Type>),
            Some(DataType::Decimal256(..)) => numbered(columns, natives::<Decimal256Type>),
            Some(DataType::Utf8) => numbered(columns, |column| {
                let values = column.as_string::<i32>();
                move |index| values.value(index)
            }),
            Some(DataType::Binary) => numbered(columns, |column| {
                let values = column.as_binary::<i32>();
                move |index| values.value(index)
            }),
            Some(_) => Self::of_nested(columns),
        }
    }

    fn of_nested(columns: &[&ArrayRef]) -> Self {
        let rows: Vec<Option<Rows>> = columns.iter().map(|column| rows(column)).collect();
        let mut known = HashMap::with_hasher(RandomState::default());
        let ids = rows.iter().zip(columns).map(|(rows, column)| {
            let id = |index| match rows.as_ref().filter(|_| column.is_valid(index)) {
                Some(rows) => number(&mut known, Some(rows.row(index))),
                None => number(&mut known, None),
            };
            (0..column.len()).map(id).collect()
        });
        let columns = ids.collect();
        Self { columns, count: known.len() }
    }

    /// Those of the column at `index`.
    pub(super) fn of(&self, index: usize) -> &[u32] {
        &self.columns[index]
    }

    /// Nothing marked yet.
    pub(super) fn marks(&self) -> Marks {
        Marks(vec![u32::MAX; self.count])
    }
}

/// Which elements were met in a row.
pub(super) struct Marks(Vec<u32>);

impl Marks {
    /// Marks the elements that are `identity` in `row`; whether they were not marked.
    #[inline]
    pub(super) fn mark(&mut self, identity: u32, row: u32) -> bool {
        std::mem::replace(&mut self.0[identity as usize], row) != row
    }

    /// Takes the mark away; whether there was one.
    #[inline]
    pub(super) fn take(&mut self, identity: u32, row: u32) -> bool {
        let is_marked = self.is_marked(identity, row);
        if is_marked {
            self.0[identity as usize] = u32::MAX;
        }
        is_marked
    }

    /// Whether the elements that are `identity` are marked in `row`.
    #[inline]
    pub(super) fn is_marked(&self, identity: u32, row: u32) -> bool {
        self.0[identity as usize] == row
    }
}

/// The number of `key`, a new one if it is not known yet.
fn number<K: Hash + Eq>(known: &mut HashMap<K, u32, RandomState>, key: K) -> u32 {
    let next = known.len() as u32;
    *known.entry(key).or_insert(next)
}

/// Numbers the elements of `columns` by the keys that `keys` reads from a column; NULL has a number of its own.
fn numbered<'a, K, R>(columns: &[&'a ArrayRef], keys: impl Fn(&'a ArrayRef) -> R) -> Identities
where
    K: Hash + Eq,
    R: Fn(usize) -> K,
{
    let mut known = HashMap::with_hasher(RandomState::default());
    let ids = columns.iter().map(|column| {
        if *column.data_type() == DataType::Null {
            return vec![number(&mut known, None); column.len()];
        }
        let key = keys(column);
        match column.nulls() {
            None => (0..column.len()).map(|index| number(&mut known, Some(key(index)))).collect(),
            Some(nulls) => {
                let key = |index| if nulls.is_valid(index) { Some(key(index)) } else { None };
                (0..column.len()).map(|index| number(&mut known, key(index))).collect()
            }
        }
    });
    let columns = ids.collect();
    Identities { columns, count: known.len() }
}

fn natives<T: ArrowPrimitiveType>(column: &ArrayRef) -> impl Fn(usize) -> T::Native
where
    T::Native: ArrowNativeType,
{
    let values = column.as_primitive::<T>().values();
    move |index| values[index]
}

/// The one NaN that stands for all.
pub(super) fn canonical_double(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

/// The elements of a nested column as bytes, the same for equal elements; `None` if it has no type.
fn rows(column: &ArrayRef) -> Option<Rows> {
    if *column.data_type() == DataType::Null {
        return None;
    }
    let canonical = canonical(column);
    let converter = RowConverter::new(vec![SortField::new(canonical.data_type().clone())]);
    let rows = converter.and_then(|converter| converter.convert_columns(&[canonical]));
    Some(rows.expect("all types of the language have rows"))
}

/// `column` with one NaN, and with maps as arrays of entries in the order of keys.
fn canonical(column: &ArrayRef) -> ArrayRef {
    match column.data_type() {
        DataType::Float64 => {
            let values: Float64Array = column.as_primitive::<Float64Type>().unary(canonical_double);
            Arc::new(values)
        }
        DataType::List(_) => {
            let lists = column.as_list::<i32>();
            list(lists.offsets().clone(), canonical(lists.values()), lists)
        }
        DataType::Struct(_) => {
            let structs = column.as_struct();
            let columns: Vec<ArrayRef> = structs.columns().iter().map(canonical).collect();
            let fields: Fields = columns
                .iter()
                .zip(structs.fields())
                .map(|(column, field)| Field::new(field.name(), column.data_type().clone(), true))
                .collect();
            let canonical = StructArray::try_new_with_length(fields, columns, structs.nulls().cloned(), structs.len());
            Arc::new(canonical.expect("fields are of the types of their columns"))
        }
        DataType::Map(..) => {
            let maps = column.as_map();
            let (keys, values) = (canonical(maps.keys()), canonical(maps.values()));
            let order = rows(&keys);
            let offsets = maps.value_offsets();
            let mut entries: Vec<u32> = (0..keys.len() as u32).collect();
            if let Some(order) = order {
                for ends in offsets.windows(2) {
                    entries[ends[0] as usize..ends[1] as usize]
                        .sort_unstable_by(|&a, &b| order.row(a as usize).cmp(&order.row(b as usize)));
                }
            }
            let entries = UInt32Array::from(entries);
            let gather = |column: &ArrayRef| take(column, &entries, None).expect("entries are within their column");
            let columns = vec![gather(&keys), gather(&values)];
            let field = |name: &str, column: &ArrayRef| Field::new(name, column.data_type().clone(), true);
            let fields = Fields::from(vec![field("key", &columns[0]), field("value", &columns[1])]);
            list(maps.offsets().clone(), Arc::new(StructArray::new(fields, columns, None)), maps)
        }
        _ => Arc::clone(column),
    }
}

fn list(offsets: arrow::buffer::OffsetBuffer<i32>, values: ArrayRef, nulls_of: &dyn Array) -> ArrayRef {
    let field = Arc::new(Field::new_list_field(values.data_type().clone(), true));
    Arc::new(ListArray::new(field, offsets, values, nulls_of.nulls().cloned()))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int32Builder, MapBuilder, StringBuilder};

    use super::*;

    fn identities(column: impl Array + 'static) -> Vec<u32> {
        Identities::new(&[&(Arc::new(column) as ArrayRef)]).of(0).to_vec()
    }

    #[test]
    fn doubles_are_equal_as_objects_of_java_are() {
        let values = [Some(0.0), Some(-0.0), Some(f64::NAN), Some(-f64::NAN), None, Some(0.0), None];
        assert_eq!(identities(Float64Array::from(values.to_vec())), [0, 1, 2, 2, 3, 0, 3]);
        let lists = values.map(|value| Some(vec![value]));
        let lists = ListArray::from_iter_primitive::<Float64Type, _, _>(lists);
        assert_eq!(identities(lists.slice(1, 5)), [0, 1, 1, 2, 3]);
    }

    #[test]
    fn maps_are_equal_whatever_the_order_of_their_entries() {
        let maps =
            [Some(vec![("a", 1), ("b", 2)]), Some(vec![("b", 2), ("a", 1)]), Some(vec![("a", 2), ("b", 1)]), None];
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for map in &maps {
            for (key, value) in map.iter().flatten() {
                builder.keys().append_value(key);
                builder.values().append_value(*value);
            }
            builder.append(map.is_some()).expect("as many keys as values");
        }
        let maps = builder.finish();
        assert_eq!(identities(maps.clone()), [0, 0, 1, 2]);
        assert_eq!(identities(maps.slice(1, 3)), [0, 1, 2]);
    }

    #[test]
    fn columns_share_their_numbers() {
        let column = |values: &[&str]| Arc::new(arrow::array::StringArray::from(values.to_vec())) as ArrayRef;
        let (left, right) = (column(&["a", "b"]), column(&["c", "b", "a"]));
        let found = Identities::new(&[&left, &right]);
        assert_eq!((found.of(0), found.of(1)), (&[0, 1][..], &[2, 1, 0][..]));
    }
}
