//! A row for each group.

use std::mem;

use arrow::array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::{concat, take};
use arrow::datatypes::SchemaRef;
use levada_udf::{Accumulator, Update};

use super::memory::Reservation;
use super::{BATCH_ROWS, BatchError, Context, Input, Rows, batch_of, column_bytes};
use crate::state::SlotTable;
use crate::state::key_encoding::EncodedKeys;

/// An aggregate: its state by group, and the indices of its arguments among the columns behind the key.
pub struct Call {
    /// State of all groups.
    pub accumulator: Box<dyn Accumulator>,
    /// Those that come from rows.
    pub arguments: Vec<usize>,
}

/// Aggregates rows by key: NULL is a key like others.
pub struct Aggregate {
    input: Option<Input>,
    keys: usize,
    calls: Vec<Call>,
    schema: SchemaRef,
    slots: SlotTable,
    /// Keys of groups in the order of their slots.
    groups: Vec<Vec<ArrayRef>>,
    group_bytes: usize,
    /// How many groups there are, and how many of them were given.
    count: usize,
    given: usize,
    /// Keys of all groups.
    key_columns: Vec<ArrayRef>,
    memory: Reservation,
    context: Context,
}

impl Aggregate {
    /// Aggregates the rows of `input`, of which the first `keys` columns are the key; gives rows of `schema`. Without a key there is one
    /// group, even without rows.
    pub fn new(input: Input, keys: usize, calls: Vec<Call>, schema: SchemaRef, context: &Context) -> Self {
        Self {
            input: Some(input),
            keys,
            calls,
            schema,
            slots: SlotTable::default(),
            groups: Vec::new(),
            group_bytes: 0,
            count: 0,
            given: 0,
            key_columns: Vec::new(),
            memory: Reservation::new(&context.memory, "the groups of GROUP BY"),
            context: context.clone(),
        }
    }

    fn read(&mut self, mut input: Input) -> Result<(), BatchError> {
        let mut keys = EncodedKeys::default();
        if self.keys == 0 {
            self.make_room(1);
        }
        while let Some(batch) = input.next()? {
            (self.context.check)()?;
            let slots = self.assign(&batch, &mut keys)?;
            for call in &mut self.calls {
                let arguments: Vec<ArrayRef> =
                    call.arguments.iter().map(|&index| batch.column(self.keys + index).clone()).collect();
                call.accumulator.update(&Update { slots: &slots, arguments: &arguments, undone: None }, false);
                call.accumulator.take_rejected();
            }
            self.account()?;
        }
        let groups = mem::take(&mut self.groups);
        for column in 0..self.keys {
            let parts: Vec<&dyn Array> = groups.iter().map(|group| group[column].as_ref()).collect();
            if !parts.is_empty() {
                self.key_columns.push(concat(&parts)?);
            }
        }
        Ok(())
    }

    /// The group of each row of `batch`.
    fn assign(&mut self, batch: &RecordBatch, keys: &mut EncodedKeys) -> Result<Vec<u32>, BatchError> {
        if self.keys == 0 {
            return Ok(vec![0; batch.num_rows()]);
        }
        keys.encode(&batch.columns()[..self.keys], None, batch.num_rows());
        let (mut slots, mut new) = (Vec::with_capacity(batch.num_rows()), Vec::new());
        for row in 0..batch.num_rows() {
            let (slot, is_new) = self.slots.insert_row(keys, row);
            if is_new {
                new.push(row as u32);
            }
            slots.push(slot);
        }
        if !new.is_empty() {
            let new = UInt32Array::from(new);
            let columns = batch.columns()[..self.keys].iter().map(|column| take(column, &new, None));
            let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
            self.group_bytes += columns.iter().map(column_bytes).sum::<usize>();
            self.groups.push(columns);
            self.make_room(self.slots.len());
        }
        Ok(slots)
    }

    fn make_room(&mut self, count: usize) {
        self.count = count;
        self.calls.iter_mut().for_each(|call| call.accumulator.grow(count));
    }

    fn account(&mut self) -> Result<(), BatchError> {
        let states =
            self.calls.iter().map(|call| call.accumulator.slot_bytes() * self.count + call.accumulator.heap_bytes());
        // Keys are copied once more when all are known.
        let bytes = states.sum::<usize>() + self.slots.memory_bytes() + 2 * self.group_bytes;
        self.memory.resize(bytes)
    }
}

impl Rows for Aggregate {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let Some(input) = self.input.take() {
            self.read(input)?;
        }
        if self.given == self.count {
            return Ok(None);
        }
        let rows = (self.count - self.given).min(BATCH_ROWS);
        let slots: Vec<u32> = (self.given as u32..(self.given + rows) as u32).collect();
        let mut columns: Vec<ArrayRef> = self.key_columns.iter().map(|column| column.slice(self.given, rows)).collect();
        columns.extend(self.calls.iter().map(|call| call.accumulator.results(&slots)));
        self.given += rows;
        batch_of(&self.schema, columns, rows).map(Some)
    }
}
