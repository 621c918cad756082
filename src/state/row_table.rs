//! Rows by slot, kept as the Arrow arrays in which they came.
//!
//! An upsert appends a segment and moves pointers; a look-up gathers cells of several segments at once. No row is ever
//! taken apart, whatever its types. Neighbouring segments of similar size are merged, so that there are few, and rows
//! that were replaced are left behind when they outnumber the others.

use arrow::array::{Array, ArrayRef, new_null_array};
use arrow::compute::interleave;
use arrow::datatypes::DataType;

/// Where a row is: segment and index in it. Segment 0 holds one row of nulls, for absent rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RowRef {
    segment: u32,
    row: u32,
}

impl RowRef {
    /// The absent row: gathers as nulls.
    pub const ABSENT: Self = Self { segment: 0, row: 0 };

    /// Whether there is a row.
    pub fn is_present(self) -> bool {
        self.segment != 0
    }

    /// The row `row` of `segment`.
    pub fn new(segment: u32, row: usize) -> Self {
        Self { segment, row: row as u32 }
    }
}

#[derive(Debug)]
struct Segment {
    columns: Vec<ArrayRef>,
    /// Slot to which each row belongs, or belonged.
    slots: Vec<u32>,
}

/// Rows of one store, by slot.
#[derive(Debug)]
pub struct RowTable {
    segments: Vec<Segment>,
    rows: Vec<RowRef>,
    live: usize,
    stored: usize,
}

/// Replaced rows are tolerated up to this many, and then up to as many as live ones.
const DEAD_ROWS_MIN: usize = 8192;

impl RowTable {
    /// A table of rows with columns of `types`.
    pub fn new(types: &[DataType]) -> Self {
        let columns = types.iter().map(|data_type| new_null_array(data_type, 1)).collect();
        Self { segments: vec![Segment { columns, slots: vec![u32::MAX] }], rows: Vec::new(), live: 0, stored: 0 }
    }

    /// Adds a segment in which row `i` is meant for slot `slots[i]`; nothing points to it until [`RowTable::set`].
    pub fn add_segment(&mut self, columns: Vec<ArrayRef>, slots: Vec<u32>) -> u32 {
        self.stored += slots.len();
        self.segments.push(Segment { columns, slots });
        (self.segments.len() - 1) as u32
    }

    /// Row of `slot`, [`RowRef::ABSENT`] when there is none.
    pub fn get(&self, slot: u32) -> RowRef {
        self.rows.get(slot as usize).copied().unwrap_or(RowRef::ABSENT)
    }

    /// Lets `slot` point to `row`; [`RowRef::ABSENT`] removes it.
    pub fn set(&mut self, slot: u32, row: RowRef) {
        let slot = slot as usize;
        if self.rows.len() <= slot {
            self.rows.resize(slot + 1, RowRef::ABSENT);
        }
        self.live += usize::from(row.is_present());
        self.live -= usize::from(self.rows[slot].is_present());
        self.rows[slot] = row;
    }

    /// Lets `slot` point to `row`, which was added for another one or for none.
    pub fn assign(&mut self, slot: u32, row: RowRef) {
        self.segments[row.segment as usize].slots[row.row as usize] = slot;
        self.set(slot, row);
    }

    /// The rows referred to, as columns in the same order.
    pub fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        gather(&self.segments, rows)
    }

    /// Merges segments where that pays. References taken before are invalid afterwards.
    pub fn compact(&mut self) {
        if self.stored > 2 * self.live + DEAD_ROWS_MIN {
            self.merge_from(1);
            return;
        }
        while let [.., second, last] = &self.segments[1..] {
            if second.slots.len() > 2 * last.slots.len() {
                break;
            }
            self.merge_from(self.segments.len() - 2);
        }
    }

    /// Replaces the segments from `first` on by one that holds their live rows.
    fn merge_from(&mut self, first: usize) {
        let mut live = Vec::new();
        let mut slots = Vec::new();
        for (index, segment) in self.segments.iter().enumerate().skip(first) {
            self.stored -= segment.slots.len();
            for (row, &slot) in segment.slots.iter().enumerate() {
                let reference = RowRef::new(index as u32, row);
                if self.get(slot) == reference {
                    live.push(reference);
                    slots.push(slot);
                }
            }
        }
        let columns = gather(&self.segments, &live);
        self.segments.truncate(first);
        self.stored += slots.len();
        for (row, &slot) in slots.iter().enumerate() {
            self.rows[slot as usize] = RowRef::new(first as u32, row);
        }
        self.segments.push(Segment { columns, slots });
    }

    /// Number of rows present.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no row is present.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }
}

fn gather(segments: &[Segment], rows: &[RowRef]) -> Vec<ArrayRef> {
    let indices: Vec<(usize, usize)> = rows.iter().map(|row| (row.segment as usize, row.row as usize)).collect();
    (0..segments[0].columns.len())
        .map(|column| {
            let arrays: Vec<&dyn Array> = segments.iter().map(|segment| segment.columns[column].as_ref()).collect();
            interleave(&arrays, &indices).expect("segments of one table have equal types")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, StringArray};

    use super::*;

    fn upsert(table: &mut RowTable, slot: u32, text: &str) {
        let segment = table.add_segment(vec![Arc::new(StringArray::from(vec![text]))], vec![slot]);
        table.set(slot, RowRef::new(segment, 0));
        table.compact();
    }

    fn get(table: &RowTable, slot: u32) -> Option<String> {
        let columns = table.gather(&[table.get(slot)]);
        let column = columns[0].as_string::<i32>();
        column.is_valid(0).then(|| column.value(0).to_owned())
    }

    #[test]
    fn the_newest_row_of_a_slot_wins_across_merges() {
        let mut table = RowTable::new(&[DataType::Utf8]);
        for round in 0..20_000_u32 {
            upsert(&mut table, round % 7, &round.to_string());
        }
        assert_eq!(get(&table, 6), Some("19998".to_owned()));
        table.set(6, RowRef::ABSENT);
        assert_eq!(get(&table, 6), None);
        assert_eq!(get(&table, 99), None);
        assert_eq!(table.len(), 6);
        assert!(table.segments.len() < 16, "{} segments", table.segments.len());
        assert!(table.stored < 20_000, "{} rows kept for 6", table.stored);
    }
}
