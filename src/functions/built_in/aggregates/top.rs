//! The greatest values.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Int32Type};

use levada_udf::{Accumulator, AggregateCall, Encoded, Fold, Folded, Values};

use super::list_of;

/// What a call of TOPK or TOPKDISTINCT keeps; `is_distinct` for the latter.
pub(super) fn accumulator(call: &AggregateCall<'_>, is_distinct: bool) -> Result<Box<dyn Accumulator>, String> {
    let [count] = call.literals else { return Err("the number of values is missing".to_owned()) };
    let count = count.as_primitive_opt::<Int32Type>().filter(|count| count.is_valid(0)).map(|count| count.value(0));
    let Some(count) = count.and_then(|count| usize::try_from(count).ok()).filter(|&count| count > 0) else {
        return Err("the number of values must be 1 or greater".to_owned());
    };
    let columns = call.arguments.iter().map(Values::new).collect::<Result<_, _>>()?;
    // With one column the result is an array of its values, otherwise one of structs.
    let element = if call.arguments.len() == 1 {
        call.arguments[0].clone()
    } else {
        match call.result {
            DataType::List(element) => element.data_type().clone(),
            other => return Err(format!("{other} is no array of structs")),
        }
    };
    Ok(Folded::boxed(Top { columns, element, count, is_distinct }))
}

/// The greatest values in descending order, those that are equal in the order of their arrival, with what stands beside them.
struct Top {
    /// The first one is that which is compared.
    columns: Vec<Values>,
    /// Type of an element of the result.
    element: DataType,
    count: usize,
    is_distinct: bool,
}

/// The values of a row, one behind the other.
#[derive(Debug, Clone)]
struct Entry {
    bytes: Box<[u8]>,
    /// Where each value ends; that of the last column is left out.
    ends: Box<[u32]>,
}

impl Entry {
    fn of(row: &[Encoded], place: usize) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(row.len());
        for column in row {
            bytes.extend_from_slice(column.get(place));
            ends.push(bytes.len() as u32);
        }
        ends.pop();
        Self { bytes: bytes.into(), ends: ends.into() }
    }

    fn column(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        let end = self.ends.get(index).map_or(self.bytes.len(), |&end| end as usize);
        &self.bytes[start..end]
    }

    fn heap_bytes(&self) -> usize {
        self.bytes.len() + size_of_val(&*self.ends)
    }
}

/// Entries of a group.
#[derive(Debug, Clone, Default)]
struct Entries {
    entries: Vec<Entry>,
    /// Memory that they take beside their size.
    bytes: usize,
}

impl Top {
    /// Where `value` belongs, if it does.
    fn place(&self, entries: &[Entry], value: &[u8]) -> Option<usize> {
        if entries.len() == self.count && entries.last().is_some_and(|least| value <= least.column(0)) {
            return None;
        }
        let place = entries.partition_point(|entry| entry.column(0) >= value);
        let is_known = self.is_distinct && place > 0 && entries[place - 1].column(0) == value;
        (!is_known).then_some(place)
    }

    fn insert(&self, state: &mut Entries, place: usize, entry: Entry) {
        if state.entries.len() == self.count {
            let least = state.entries.pop();
            state.bytes -= least.map_or(0, |least| least.heap_bytes());
        }
        state.bytes += entry.heap_bytes();
        state.entries.insert(place, entry);
    }

    /// The lists of `states`.
    fn lists(&self, entries: &[&Entry], lengths: impl IntoIterator<Item = usize>) -> ArrayRef {
        let column = |index: usize| self.columns[index].decode(entries.iter().map(|entry| entry.column(index)));
        let elements: ArrayRef = match &self.element {
            DataType::Struct(fields) if self.columns.len() > 1 => {
                Arc::new(StructArray::new(fields.clone(), (0..self.columns.len()).map(column).collect(), None))
            }
            _ => column(0),
        };
        let DataType::List(field) = list_of(&self.element) else { unreachable!("it is a list") };
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), elements, None))
    }
}

impl Fold for Top {
    type State = Entries;
    type Arguments<'a> = (&'a ArrayRef, Vec<Encoded>);
    /// Entries, and how many of them each result has.
    type Results = (Vec<Entry>, Vec<usize>);

    fn initial(&self) -> Entries {
        Entries::default()
    }

    fn arguments<'a>(&self, columns: &'a [ArrayRef]) -> Self::Arguments<'a> {
        (&columns[0], self.columns.iter().zip(columns).map(|(values, column)| values.encode(column)).collect())
    }

    fn add(&self, state: &mut Entries, (column, values): &Self::Arguments<'_>, row: usize) -> Result<(), String> {
        if column.is_valid(row)
            && let Some(place) = self.place(&state.entries, values[0].get(row))
        {
            self.insert(state, place, Entry::of(values, row));
        }
        Ok(())
    }

    fn merge(&self, into: &mut Entries, from: &Entries) -> Result<(), String> {
        for entry in &from.entries {
            let Some(place) = self.place(&into.entries, entry.column(0)) else { continue };
            self.insert(into, place, entry.clone());
        }
        Ok(())
    }

    fn result(&self, state: &Entries, (entries, lengths): &mut Self::Results) -> Result<(), String> {
        entries.extend_from_slice(&state.entries);
        lengths.push(state.entries.len());
        Ok(())
    }

    fn finish(&self, (entries, lengths): Self::Results) -> ArrayRef {
        self.lists(&entries.iter().collect::<Vec<_>>(), lengths)
    }

    fn heap_bytes(&self, state: &Entries) -> usize {
        state.bytes + state.entries.capacity() * size_of::<Entry>()
    }

    fn stored_types(&self) -> Vec<DataType> {
        vec![list_of(&self.element)]
    }

    fn store(&self, states: &[&Entries]) -> Vec<ArrayRef> {
        let entries: Vec<&Entry> = states.iter().flat_map(|state| &state.entries).collect();
        vec![self.lists(&entries, states.iter().map(|state| state.entries.len()))]
    }

    fn restore(&self, columns: &[ArrayRef]) -> Vec<Entries> {
        let lists = columns[0].as_list::<i32>();
        let fields: &[ArrayRef] = match lists.values().as_struct_opt() {
            Some(structs) if self.columns.len() > 1 => structs.columns(),
            _ => std::slice::from_ref(lists.values()),
        };
        let encoded: Vec<Encoded> =
            self.columns.iter().zip(fields).map(|(values, field)| values.encode(field)).collect();
        let states = lists.value_offsets().windows(2).map(|range| {
            let places = range[0] as usize..range[1] as usize;
            let entries: Vec<Entry> = places.map(|place| Entry::of(&encoded, place)).collect();
            Entries { bytes: entries.iter().map(Entry::heap_bytes).sum(), entries }
        });
        states.collect()
    }
}
