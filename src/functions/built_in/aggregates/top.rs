//! The greatest values, in the order of [`java_order`].

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, ListArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Fields, Float64Type, Int32Type};

use levada_udf::{Accumulator, AggregateCall, Encoded, EncodedLists, Fold, Folded, Values};

use super::list_of;
use crate::types::java_order;

/// What a call of TOPK or TOPKDISTINCT keeps; `is_distinct` for the latter.
pub(super) fn accumulator(call: &AggregateCall<'_>, is_distinct: bool) -> Result<Box<dyn Accumulator>, String> {
    let [count] = call.literals else { return Err("the number of values is missing".to_owned()) };
    let count = count.as_primitive_opt::<Int32Type>().filter(|count| count.is_valid(0)).map(|count| count.value(0));
    let Some(count) = count.and_then(|count| usize::try_from(count).ok()).filter(|&count| count > 0) else {
        return Err("the number of values must be 1 or greater".to_owned());
    };
    let (keys, has_texts) = (Values::new(&call.arguments[0])?, call.arguments[0] == DataType::Utf8);
    // With one column the result is an array of its values, otherwise one of structs.
    let structs = match call.result {
        _ if call.arguments.len() == 1 => None,
        DataType::List(element) => match element.data_type() {
            DataType::Struct(fields) => Some((Values::new(element.data_type())?, fields.clone())),
            other => return Err(format!("{other} is no struct")),
        },
        other => return Err(format!("{other} is no array")),
    };
    Ok(Folded::boxed(Top { keys, structs, count, is_distinct, has_texts }))
}

/// The greatest values in descending order, those that are equal in the order of their arrival, with what stands beside them.
struct Top {
    /// The first column, which is compared.
    keys: Values,
    /// All columns as structs, if there are several.
    structs: Option<(Values, Fields)>,
    count: usize,
    is_distinct: bool,
    /// Whether the first column is of texts.
    has_texts: bool,
}

/// A value, and behind it the struct that it is in, if there are several columns.
#[derive(Debug, Clone)]
struct Entry {
    bytes: Box<[u8]>,
    key_length: u32,
}

impl Entry {
    fn of(columns: &Columns, place: usize) -> Self {
        let key = columns.keys.get(place);
        let bytes =
            columns.structs.as_ref().map_or_else(|| key.into(), |structs| [key, structs.get(place)].concat().into());
        Self { bytes, key_length: key.len() as u32 }
    }

    fn key(&self) -> &[u8] {
        &self.bytes[..self.key_length as usize]
    }
}

/// Entries of a group.
#[derive(Debug, Clone, Default)]
struct Entries {
    entries: Vec<Entry>,
    /// Memory that they take beside their size.
    bytes: usize,
}

/// The first column so that [`Top::order`] is the order of its values.
fn comparable(keys: &ArrayRef) -> ArrayRef {
    match keys.data_type() {
        DataType::Binary => signed(keys),
        DataType::Float64 => {
            let one_nan = |value: f64| if value.is_nan() { f64::NAN } else { value };
            Arc::new(keys.as_primitive::<Float64Type>().unary::<_, Float64Type>(one_nan))
        }
        _ => Arc::clone(keys),
    }
}

/// Bytes in the order that they have with a sign, and back again.
fn signed(bytes: &ArrayRef) -> ArrayRef {
    let turned = |bytes: &[u8]| bytes.iter().map(|byte| byte ^ 0x80).collect::<Vec<u8>>();
    Arc::new(bytes.as_binary::<i32>().iter().map(|bytes| bytes.map(turned)).collect::<BinaryArray>())
}

/// The columns of rows.
struct Columns {
    keys: Encoded,
    nulls: Option<NullBuffer>,
    structs: Option<Encoded>,
}

impl Top {
    /// Values that are the elements of results.
    fn elements(&self) -> &Values {
        self.structs.as_ref().map_or(&self.keys, |(structs, _)| structs)
    }

    /// Which of two encoded keys comes first.
    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        // What stands between the characters of a text is 0xFF only where the other one has a length, of at most 32.
        if self.has_texts { java_order::of_encoded_texts(a, b) } else { a.cmp(b) }
    }

    /// Where `key` belongs, if it does.
    fn place(&self, entries: &[Entry], key: &[u8]) -> Option<usize> {
        if entries.len() == self.count && entries.last().is_some_and(|least| self.order(key, least.key()).is_le()) {
            return None;
        }
        let place = entries.partition_point(|entry| self.order(entry.key(), key).is_ge());
        let is_known = self.is_distinct && place > 0 && entries[place - 1].key() == key;
        (!is_known).then_some(place)
    }

    fn insert(&self, state: &mut Entries, place: usize, entry: Entry) {
        if state.entries.len() == self.count {
            let least = state.entries.pop();
            state.bytes -= least.map_or(0, |least| least.bytes.len());
        }
        state.bytes += entry.bytes.len();
        state.entries.insert(place, entry);
    }
}

impl Fold for Top {
    type State = Entries;
    type Arguments<'a> = Columns;
    type Results = EncodedLists;

    fn initial(&self) -> Entries {
        Entries::default()
    }

    fn arguments(&self, columns: &[ArrayRef]) -> Columns {
        let structs = self.structs.as_ref().map(|(values, fields)| {
            let structs: ArrayRef = Arc::new(StructArray::new(fields.clone(), columns.to_vec(), None));
            values.encode(&structs)
        });
        Columns { keys: self.keys.encode(&comparable(&columns[0])), nulls: columns[0].logical_nulls(), structs }
    }

    fn add(&self, state: &mut Entries, columns: &Columns, row: usize) -> Result<(), String> {
        if columns.nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row))
            && let Some(place) = self.place(&state.entries, columns.keys.get(row))
        {
            self.insert(state, place, Entry::of(columns, row));
        }
        Ok(())
    }

    fn merge(&self, into: &mut Entries, from: &Entries) -> Result<(), String> {
        for entry in &from.entries {
            let Some(place) = self.place(&into.entries, entry.key()) else { continue };
            self.insert(into, place, entry.clone());
        }
        Ok(())
    }

    fn result(&self, state: &Entries, results: &mut EncodedLists) -> Result<(), String> {
        let skips_key = self.structs.is_some();
        results.push(state.entries.iter().map(|entry| {
            let start = if skips_key { entry.key_length as usize } else { 0 };
            &entry.bytes[start..]
        }))
    }

    fn finish(&self, results: EncodedLists) -> ArrayRef {
        let lists = results.finish(self.elements());
        if self.structs.is_some() || *self.keys.data_type() != DataType::Binary {
            return lists;
        }
        let (field, offsets, values, nulls) = lists.as_list::<i32>().clone().into_parts();
        Arc::new(ListArray::new(field, offsets, signed(&values), nulls))
    }

    fn heap_bytes(&self, state: &Entries) -> usize {
        state.bytes + state.entries.capacity() * size_of::<Entry>()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![list_of(self.elements().data_type())]
    }

    fn store(&self, states: &[&Entries]) -> Result<Vec<ArrayRef>, String> {
        let mut lists = EncodedLists::default();
        for state in states {
            self.result(state, &mut lists)?;
        }
        Ok(vec![self.finish(lists)])
    }

    fn restore(&self, columns: &[ArrayRef]) -> Result<Vec<Entries>, String> {
        let lists = columns[0].as_list::<i32>();
        let elements = match &self.structs {
            Some(_) => lists.values().as_struct().columns(),
            None => std::slice::from_ref(lists.values()),
        };
        let columns = self.arguments(elements);
        let states = lists.value_offsets().windows(2).map(|range| {
            let places = range[0] as usize..range[1] as usize;
            let entries: Vec<Entry> = places.map(|place| Entry::of(&columns, place)).collect();
            Entries { bytes: entries.iter().map(|entry| entry.bytes.len()).sum(), entries }
        });
        Ok(states.collect())
    }
}
