//! Values of any type as bytes: for functions that only keep, compare and give back.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, UInt32Array};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field};
use arrow::row::{RowConverter, Rows, SortField};

/// The values of a type as bytes, which are equal where the values are, and in their order where they have one. NULL is a value,
/// and before all others.
///
/// The bytes are for memory only: storage gets columns.
#[derive(Debug)]
pub struct Values {
    data_type: DataType,
    has_maps: bool,
    converter: RowConverter,
    null: Box<[u8]>,
}

/// Values as bytes, one per row.
#[derive(Debug)]
pub struct Encoded(Rows);

impl Encoded {
    /// The value of `row`.
    #[inline]
    pub fn get(&self, row: usize) -> &[u8] {
        self.0.row(row).data()
    }
}

impl Values {
    /// Values of type `data_type`.
    ///
    /// # Errors
    /// It has no bytes.
    pub fn new(data_type: &DataType) -> Result<Self, String> {
        let converter =
            RowConverter::new(vec![SortField::new(data_type.clone())]).map_err(|error| error.to_string())?;
        let null = arrow::array::new_null_array(data_type, 1);
        let null = converter.convert_columns(&[null]).map_err(|error| error.to_string())?;
        let null = null.row(0).data().into();
        Ok(Self { data_type: data_type.clone(), has_maps: has_maps(data_type), converter, null })
    }

    /// The type.
    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// NULL as bytes.
    pub fn null(&self) -> &[u8] {
        &self.null
    }

    /// The values of `array`, which is of the type.
    pub fn encode(&self, array: &ArrayRef) -> Encoded {
        let array = if self.has_maps { &with_sorted_maps(array) } else { array };
        Encoded(self.converter.convert_columns(std::slice::from_ref(array)).expect("the array is of the type"))
    }

    /// The values that `bytes` stand for.
    pub fn decode<'b>(&self, bytes: impl IntoIterator<Item = &'b [u8]>) -> ArrayRef {
        let parser = self.converter.parser();
        let rows: Vec<_> = bytes.into_iter().map(|bytes| parser.parse(bytes)).collect();
        let mut columns = self.converter.convert_rows(rows).expect("they came from an array of the type");
        columns.remove(0)
    }
}

fn has_maps(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(..) => true,
        DataType::List(element) => has_maps(element.data_type()),
        DataType::Struct(fields) => fields.iter().any(|field| has_maps(field.data_type())),
        _ => false,
    }
}

/// `array` with the entries of maps in the order of their keys: equal maps are the same then.
fn with_sorted_maps(array: &ArrayRef) -> ArrayRef {
    match array.data_type() {
        DataType::List(element) if has_maps(element.data_type()) => {
            let list: &ListArray = array.as_list();
            let values = with_sorted_maps(list.values());
            Arc::new(ListArray::new(Arc::clone(element), list.offsets().clone(), values, list.nulls().cloned()))
        }
        DataType::Struct(fields) if fields.iter().any(|field| has_maps(field.data_type())) => {
            let columns = array.as_struct().columns().iter().map(with_sorted_maps).collect();
            Arc::new(StructArray::new(fields.clone(), columns, array.nulls().cloned()))
        }
        DataType::Map(entries, is_sorted) => {
            let map = array.as_map();
            let keys = Values::new(map.key_type()).map(|values| values.encode(map.keys()));
            let Ok(keys) = keys else { return Arc::clone(array) };
            let (mut order, mut ends): (Vec<u32>, Vec<i32>) = (Vec::new(), vec![0]);
            for range in map.value_offsets().windows(2) {
                let first = order.len();
                order.extend(range[0] as u32..range[1] as u32);
                order[first..].sort_by(|&a, &b| keys.get(a as usize).cmp(keys.get(b as usize)));
                ends.push(order.len() as i32);
            }
            let order = UInt32Array::from(order);
            let sorted = |column: &ArrayRef| take(column, &order, None).expect("entries are within the map");
            let columns = vec![sorted(map.keys()), with_sorted_maps(&sorted(map.values()))];
            let DataType::Struct(fields) = entries.data_type() else { return Arc::clone(array) };
            let sorted = StructArray::new(fields.clone(), columns, None);
            let offsets = OffsetBuffer::new(ends.into());
            Arc::new(MapArray::new(Arc::clone(entries), offsets, sorted, map.nulls().cloned(), *is_sorted))
        }
        _ => Arc::clone(array),
    }
}

/// Lists of encoded values: a column that grows.
#[derive(Debug, Default)]
pub struct EncodedLists {
    bytes: Vec<u8>,
    /// Where values end in `bytes`.
    value_ends: Vec<usize>,
    /// Where lists end in `value_ends`.
    ends: Vec<i32>,
    valid: Vec<bool>,
}

impl EncodedLists {
    /// Adds a list of `values`.
    ///
    /// # Errors
    /// There are more values than a column holds; NULL was added.
    pub fn push<'b>(&mut self, values: impl IntoIterator<Item = &'b [u8]>) -> Result<(), String> {
        let (bytes, values_before) = (self.bytes.len(), self.value_ends.len());
        for value in values {
            self.bytes.extend_from_slice(value);
            self.value_ends.push(self.bytes.len());
        }
        // An array counts elements, and bytes of texts, as 32-bit numbers.
        let fits = i32::try_from(self.value_ends.len().max(self.bytes.len())).is_ok();
        if !fits {
            self.bytes.truncate(bytes);
            self.value_ends.truncate(values_before);
        }
        self.ends.push(self.value_ends.len() as i32);
        self.valid.push(fits);
        if fits { Ok(()) } else { Err("the results of a batch have more than 2 GiB".to_owned()) }
    }

    /// All values, regardless of lists.
    pub fn values(&self, values: &Values) -> ArrayRef {
        let starts = std::iter::once(0).chain(self.value_ends.iter().copied());
        values.decode(starts.zip(&self.value_ends).map(|(start, &end)| &self.bytes[start..end]))
    }

    /// The lists, as an array of arrays.
    pub fn finish(self, values: &Values) -> ArrayRef {
        let elements = self.values(values);
        let field = Arc::new(Field::new_list_field(values.data_type.clone(), true));
        let offsets = std::iter::once(0).chain(self.ends).collect::<Vec<_>>();
        let nulls = Some(NullBuffer::from(self.valid)).filter(|nulls| nulls.null_count() > 0);
        Arc::new(ListArray::new(field, OffsetBuffer::new(offsets.into()), elements, nulls))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Builder, MapBuilder, StringArray, StringBuilder};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn values_come_back() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("b"), None, Some(""), Some("a longer text than a block of bytes")]));
        let lists: ArrayRef =
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None]), None]));
        for array in [texts, lists] {
            let values = Values::new(array.data_type()).expect("it has bytes");
            let encoded = values.encode(&array);
            let decoded = values.decode((0..array.len()).map(|row| encoded.get(row)));
            assert_eq!(&decoded, &array);
            assert_eq!(encoded.get(1), values.null());
        }
        assert_eq!(Values::new(&DataType::Utf8).expect("it has bytes").decode([]).len(), 0);
    }

    #[test]
    fn bytes_are_in_the_order_of_values() {
        let array: ArrayRef =
            Arc::new(Float64Array::from(vec![None, Some(-1.5), Some(-0.0), Some(0.0), Some(3.0), Some(f64::NAN)]));
        let encoded = Values::new(array.data_type()).expect("it has bytes").encode(&array);
        assert!((1..array.len()).all(|row| encoded.get(row - 1) < encoded.get(row)));
    }

    #[test]
    fn maps_are_equal_whatever_the_order_of_their_entries() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        for entries in [[("a", 1), ("b", 2)], [("b", 2), ("a", 1)], [("a", 2), ("b", 1)]] {
            for (key, value) in entries {
                builder.keys().append_value(key);
                builder.values().append_value(value);
            }
            builder.append(true).expect("as many keys as values");
        }
        let maps: ArrayRef = Arc::new(builder.finish());
        let encoded = Values::new(maps.data_type()).expect("it has bytes").encode(&maps);
        assert_eq!(encoded.get(0), encoded.get(1));
        assert_ne!(encoded.get(0), encoded.get(2));
    }
}
