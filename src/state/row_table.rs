//! Rows by slot, kept as the Arrow arrays in which they came.
//!
//! An upsert appends a segment and moves pointers; a look-up gathers cells of several segments at once. No row is ever
//! taken apart, whatever its types. Small segments that follow each other are merged, and of those in which most rows were
//! replaced the others are moved together, so that there are few, none is large, and little of them is dead.

use arrow::array::{Array, ArrayRef, UInt32Array, new_null_array};
use arrow::compute::{interleave, take};
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

#[derive(Debug, Default)]
struct Segment {
    /// Empty where the segment's number is free.
    columns: Vec<ArrayRef>,
    /// Slot to which each row belongs, or belonged.
    slots: Vec<u32>,
    /// Rows that slots point to.
    live: usize,
    bytes: usize,
}

/// Rows of one store, by slot.
#[derive(Debug)]
pub struct RowTable {
    segments: Vec<Segment>,
    /// Numbers of segments in the order in which they were added, and those that are free.
    order: Vec<u32>,
    free: Vec<u32>,
    rows: Vec<RowRef>,
    live: usize,
    stored: usize,
    bytes: usize,
}

/// Replaced rows are tolerated up to this many, and then up to as many as live ones.
const DEAD_ROWS_MIN: usize = 8192;
/// No segment is merged into one of more rows, so that merging takes little memory.
const SEGMENT_ROWS_MAX: usize = 1 << 16;
/// So many segments of about one size are merged at once: fewer would copy each row more often, more would be more to look at.
const SEGMENTS_MERGED_MIN: usize = 4;
/// A segment that is not among those at hand.
const UNUSED: usize = usize::MAX;

impl RowTable {
    /// A table of rows with columns of `types`.
    pub fn new(types: &[DataType]) -> Self {
        let columns = types.iter().map(|data_type| new_null_array(data_type, 1)).collect();
        let absent = Segment { columns, slots: vec![u32::MAX], ..Segment::default() };
        Self {
            segments: vec![absent],
            order: Vec::new(),
            free: Vec::new(),
            rows: Vec::new(),
            live: 0,
            stored: 0,
            bytes: 0,
        }
    }

    /// Adds a segment in which row `i` is meant for slot `slots[i]`; nothing points to it until [`RowTable::set`].
    pub fn add_segment(&mut self, columns: Vec<ArrayRef>, slots: Vec<u32>) -> u32 {
        let bytes_of = |column: &ArrayRef| column.to_data().get_slice_memory_size().unwrap_or_default();
        let bytes = columns.iter().map(bytes_of).sum::<usize>() + slots.len() * size_of::<u32>();
        self.stored += slots.len();
        self.bytes += bytes;
        let segment = Segment { columns, slots, live: 0, bytes };
        let number = if let Some(free) = self.free.pop() {
            self.segments[free as usize] = segment;
            free
        } else {
            self.segments.push(segment);
            (self.segments.len() - 1) as u32
        };
        self.order.push(number);
        number
    }

    /// Gives each of `slots` the row of `columns` at its place.
    pub fn put(&mut self, columns: Vec<ArrayRef>, slots: Vec<u32>) {
        let (rows, segment) = (slots.len(), self.add_segment(columns, slots));
        for row in 0..rows {
            let slot = self.segments[segment as usize].slots[row];
            self.set(slot, RowRef::new(segment, row));
        }
    }

    /// Rows of `slots`.
    pub fn references(&self, slots: &[u32]) -> Vec<RowRef> {
        slots.iter().map(|&slot| self.get(slot)).collect()
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
        let before = std::mem::replace(&mut self.rows[slot], row);
        if before.is_present() {
            self.live -= 1;
            self.segments[before.segment as usize].live -= 1;
        }
        if row.is_present() {
            self.live += 1;
            self.segments[row.segment as usize].live += 1;
        }
    }

    /// Lets `slot` point to `row`, which was added for another one or for none.
    pub fn assign(&mut self, slot: u32, row: RowRef) {
        self.segments[row.segment as usize].slots[row.row as usize] = slot;
        self.set(slot, row);
    }

    /// The rows referred to, as columns in the same order.
    pub fn gather(&self, rows: &[RowRef]) -> Vec<ArrayRef> {
        let (mut places, mut used) = (vec![UNUSED; self.segments.len()], Vec::new());
        let mut indices = Vec::with_capacity(rows.len());
        for row in rows {
            let place = &mut places[row.segment as usize];
            if *place == UNUSED {
                *place = used.len();
                used.push(&self.segments[row.segment as usize]);
            }
            indices.push((*place, row.row as usize));
        }
        let absent = &self.segments[0];
        if let [] | [_] = used[..] {
            let segment = used.first().copied().unwrap_or(absent);
            let indices: UInt32Array = rows.iter().map(|row| row.row).collect::<Vec<_>>().into();
            let columns = segment.columns.iter();
            return columns.map(|column| take(column, &indices, None).expect("the rows are there")).collect();
        }
        (0..absent.columns.len())
            .map(|column| {
                let arrays: Vec<&dyn Array> = used.iter().map(|segment| segment.columns[column].as_ref()).collect();
                interleave(&arrays, &indices).expect("segments of one table have equal types")
            })
            .collect()
    }

    /// Merges segments where that pays. References taken before are invalid afterwards.
    pub fn compact(&mut self) {
        // The newest segments, each no larger than all that follow it together.
        let (mut first, mut rows) = (self.order.len(), 0);
        while let Some(&before) = self.order[..first].last() {
            let before = self.segments[before as usize].slots.len();
            if (rows > 0 && before > rows) || before + rows > SEGMENT_ROWS_MAX {
                break;
            }
            rows += before;
            first -= 1;
        }
        if self.order.len() - first >= SEGMENTS_MERGED_MIN {
            let merged = self.order.split_off(first);
            self.merge(&merged);
        }
        if self.stored > 2 * self.live + DEAD_ROWS_MIN {
            self.drop_dead_rows();
        }
    }

    /// Rewrites the segments of which less than half is live.
    fn drop_dead_rows(&mut self) {
        let mut group = Vec::new();
        let mut live = 0;
        for number in std::mem::take(&mut self.order) {
            let segment = &self.segments[number as usize];
            if segment.live * 2 > segment.slots.len() {
                self.order.push(number);
                continue;
            }
            if live + segment.live > SEGMENT_ROWS_MAX {
                self.merge(&std::mem::take(&mut group));
                live = 0;
            }
            live += self.segments[number as usize].live;
            group.push(number);
        }
        self.merge(&group);
    }

    /// Replaces the segments `numbers`, which are out of the order already, by one that holds their live rows.
    fn merge(&mut self, numbers: &[u32]) {
        let mut live = Vec::new();
        let mut slots = Vec::new();
        for &number in numbers {
            for (row, &slot) in self.segments[number as usize].slots.iter().enumerate() {
                let reference = RowRef::new(number, row);
                if self.get(slot) == reference {
                    live.push(reference);
                    slots.push(slot);
                }
            }
        }
        let columns = self.gather(&live);
        for &number in numbers {
            let segment = std::mem::take(&mut self.segments[number as usize]);
            self.stored -= segment.slots.len();
            self.bytes -= segment.bytes;
            self.live -= segment.live;
            self.free.push(number);
        }
        if live.is_empty() {
            return;
        }
        let merged = self.add_segment(columns, slots);
        self.live += live.len();
        self.segments[merged as usize].live = live.len();
        for row in 0..live.len() {
            let slot = self.segments[merged as usize].slots[row];
            self.rows[slot as usize] = RowRef::new(merged, row);
        }
    }

    /// Number of rows present.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no row is present.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Memory that the rows take, about.
    pub fn memory_bytes(&self) -> usize {
        self.bytes + self.live * size_of::<RowRef>()
    }
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
        assert!(table.order.len() < 16, "{} segments", table.order.len());
        assert!(table.stored < 20_000, "{} rows kept for 6", table.stored);
    }

    #[test]
    fn memory_of_replaced_rows_is_given_back() {
        let mut table = RowTable::new(&[DataType::Utf8]);
        let text = "x".repeat(100);
        let mut largest = 0;
        for round in 0..40_u32 {
            let slots: Vec<u32> = (0..10_000).map(|slot| slot + 5_000 * (round % 3)).collect();
            let texts = StringArray::from(vec![text.as_str(); slots.len()]);
            let segment = table.add_segment(vec![Arc::new(texts)], slots.clone());
            for (row, slot) in slots.into_iter().enumerate() {
                table.set(slot, RowRef::new(segment, row));
            }
            table.compact();
            largest = largest.max(table.memory_bytes());
            assert_eq!(get(&table, 5_000 * (round % 3)), Some(text.clone()), "round {round}");
        }
        assert_eq!(table.len(), 20_000);
        assert!(largest < 10_000_000, "{largest} bytes for 20,000 rows of 100");
        (0..20_000).for_each(|slot| table.set(slot, RowRef::ABSENT));
        table.compact();
        assert!(table.memory_bytes() < 1_000_000, "{} bytes for nothing", table.memory_bytes());
    }
}
