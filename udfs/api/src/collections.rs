//! ARRAY and MAP as parameters.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::ops::Range;

use arrow::array::{ArrayRef, AsArray, ListArray, MapArray};

use super::read::{Column, Read};
use super::write::Element;

fn range(offsets: &[i32], index: usize) -> Range<usize> {
    offsets[index] as usize..offsets[index + 1] as usize
}

/// ARRAY: its elements, of a type that takes NULL if they may be.
#[derive(Clone)]
pub struct List<'a, T: Read<'a>> {
    elements: Column<'a, T>,
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
        self.range.clone().map(|index| self.elements.value(index))
    }
}

impl<'a, T: Read<'a>> Read<'a> for List<'a, T> {
    type Array = (&'a ListArray, Column<'a, T>);

    fn sql() -> String {
        format!("ARRAY<{}>", T::sql())
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        let list: &ListArray = array.as_list();
        (list, Column::of(list.values(), false))
    }

    fn get((list, elements): &Self::Array, index: usize) -> Self {
        let range = range(list.value_offsets(), index);
        Self { elements: elements.clone(), range }
    }
}

/// ARRAY with an element in every place; one with NULL is missing, unless `T` is an `Option`.
impl<'a, T: Read<'a> + Element> Read<'a> for Vec<T> {
    type Array = (&'a ListArray, Column<'a, T>);

    fn sql() -> String {
        format!("ARRAY<{}>", T::sql())
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        List::<T>::open(array)
    }

    fn lacks((list, elements): &Self::Array, index: usize) -> bool {
        range(list.value_offsets(), index).any(|index| elements.is_missing(index))
    }

    fn get((list, elements): &Self::Array, index: usize) -> Self {
        range(list.value_offsets(), index).map(|index| elements.get(index)).collect()
    }
}

/// MAP: its entries.
#[derive(Clone)]
pub struct Map<'a, K: Read<'a>, V: Read<'a>> {
    keys: Column<'a, K>,
    values: Column<'a, V>,
    range: Range<usize>,
}

impl<'a, K: Read<'a>, V: Read<'a>> Map<'a, K, V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The entries in order, a value that is NULL as `None`.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (K, Option<V>)> {
        self.range.clone().map(|index| (self.keys.get(index), self.values.value(index)))
    }

    /// The value of the first entry with this key; `None` if there is none, or it is NULL.
    pub fn get(&self, key: &K) -> Option<V>
    where
        K: PartialEq,
    {
        self.range.clone().find(|&index| self.keys.get(index) == *key).and_then(|index| self.values.value(index))
    }
}

impl<'a, K: Read<'a>, V: Read<'a>> Read<'a> for Map<'a, K, V> {
    type Array = (&'a MapArray, Column<'a, K>, Column<'a, V>);

    fn sql() -> String {
        format!("MAP<{}, {}>", K::sql(), V::sql())
    }

    fn open(array: &'a ArrayRef) -> Self::Array {
        let map = array.as_map();
        (map, Column::of(map.keys(), false), Column::of(map.values(), false))
    }

    fn get((map, keys, values): &Self::Array, index: usize) -> Self {
        let range = range(map.value_offsets(), index);
        Self { keys: keys.clone(), values: values.clone(), range }
    }
}

macro_rules! maps {
    ($($map:ident: $($bound:path),*;)*) => {$(
        #[allow(clippy::implicit_hasher, reason = "authors write `HashMap<K, V>`")]
        impl<'a, K: Read<'a> $(+ $bound)*, V: Read<'a>> Read<'a> for $map<K, V> {
            type Array = (&'a MapArray, Column<'a, K>, Column<'a, V>);

            fn sql() -> String {
                Map::<K, V>::sql()
            }

            fn open(array: &'a ArrayRef) -> Self::Array {
                Map::<K, V>::open(array)
            }

            fn lacks((map, _, values): &Self::Array, index: usize) -> bool {
                range(map.value_offsets(), index).any(|index| values.is_missing(index))
            }

            fn get((map, keys, values): &Self::Array, index: usize) -> Self {
                let entries = range(map.value_offsets(), index);
                entries.map(|index| (keys.get(index), values.get(index))).collect()
            }
        }
    )*};
}

maps! {
    BTreeMap: Ord;
    HashMap: Eq, Hash;
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int32Builder, MapBuilder, StringBuilder};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn arrays_with_null_are_missing_where_rust_has_no_place_for_it() {
        let lists = [Some(vec![Some(1), None]), Some(vec![Some(2)]), None];
        let array: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists));
        let strict = Column::<Vec<i32>>::of(&array, false);
        assert_eq!([0, 1, 2].map(|row| strict.value(row)), [None, Some(vec![2]), None]);
        let loose = Column::<Vec<Option<i32>>>::of(&array, false);
        assert_eq!(loose.value(0), Some(vec![Some(1), None]));
        let lists = Column::<List<i32>>::of(&array, false);
        assert_eq!(lists.value(0).expect("an array").iter().collect::<Vec<_>>(), [Some(1), None]);
    }

    #[test]
    fn maps_are_read_as_maps_of_rust() {
        let mut builder = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
        builder.keys().append_value("b");
        builder.values().append_value(2);
        builder.keys().append_value("a");
        builder.values().append_null();
        builder.append(true).expect("as many keys as values");
        let array: ArrayRef = Arc::new(builder.finish());
        let map = Column::<Map<&str, i32>>::of(&array, false).value(0).expect("a map");
        assert_eq!((map.len(), map.get(&"b"), map.get(&"a"), map.get(&"c")), (2, Some(2), None, None));
        assert_eq!(Column::<BTreeMap<String, i32>>::of(&array, false).value(0), None);
        let sorted = Column::<BTreeMap<String, Option<i32>>>::of(&array, false).value(0).expect("a map");
        assert_eq!(sorted.into_iter().collect::<Vec<_>>(), [("a".to_owned(), None), ("b".to_owned(), Some(2))]);
    }

    #[test]
    fn a_constant_has_one_value_for_all_rows() {
        let array: ArrayRef = Arc::new(Int32Array::from(vec![7]));
        assert_eq!(Column::<i32>::of(&array, true).value(5), Some(7));
    }
}
