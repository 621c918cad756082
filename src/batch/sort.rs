//! Rows in order.
//!
//! ```text
//! rows ─▶ (key, row) in memory ─ no room ─▶ sorted run in a file ─┐
//!                     └─ all read ─▶ sorted ────────────────────── merge ─▶ rows
//! ```
//!
//! Where only the first rows are wanted, no more than about twice as many are kept. Rows that are equal stay in the order in which they
//! came.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::mem;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};

pub use super::sort_key::SortColumn;

use super::memory::Reservation;
use super::spill::{RunReader, RunWriter};
use super::{BATCH_ROWS, BatchError, Context, Input, Rows, batch_of, sort_key};
use crate::state::row_format::{RowEncoder, decode_rows};

/// What an entry costs beside its bytes.
const ENTRY_BYTES: usize = 64;
/// Runs that are merged at once, at most: a file is open for each.
const RUNS_MAX: usize = 64;

/// A row as bytes, behind what it is compared by.
type Entry = (Vec<u8>, Vec<u8>);

/// Sorts rows.
pub struct Sort {
    input: Option<Input>,
    columns: Vec<SortColumn>,
    fetch: Option<usize>,
    schema: SchemaRef,
    entries: Vec<Entry>,
    bytes: usize,
    runs: Vec<RunReader>,
    merge: Option<Merge>,
    memory: Reservation,
    context: Context,
}

impl Sort {
    /// The rows of `input`, which are those of `schema`, in the order of `columns`; of `fetch` rows only the first ones.
    pub fn new(
        input: Input,
        columns: Vec<SortColumn>,
        fetch: Option<u64>,
        schema: SchemaRef,
        context: &Context,
    ) -> Self {
        Self {
            input: Some(input),
            columns,
            fetch: fetch.and_then(|fetch| usize::try_from(fetch).ok()),
            schema,
            entries: Vec::new(),
            bytes: 0,
            runs: Vec::new(),
            merge: None,
            memory: Reservation::new(&context.memory, "the rows of ORDER BY"),
            context: context.clone(),
        }
    }

    fn read(&mut self, mut input: Input) -> Result<(), BatchError> {
        let mut encoder = RowEncoder::default();
        while let Some(batch) = input.next()? {
            (self.context.check)()?;
            for row in 0..batch.num_rows() {
                let mut key = Vec::new();
                sort_key::encode(batch.columns(), &self.columns, row, &mut key);
                let row = encoder.encode(&[], batch.columns(), row);
                self.bytes += key.len() + row.len() + ENTRY_BYTES;
                self.entries.push((key, row));
            }
            self.cut();
            if !self.memory.try_resize(self.bytes) {
                self.write_run()?;
            }
        }
        self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        let runs = mem::take(&mut self.runs);
        self.merge = Some(Merge::new(runs, mem::take(&mut self.entries))?);
        Ok(())
    }

    /// Lets go of rows that are not among the first ones.
    fn cut(&mut self) {
        let Some(fetch) = self.fetch else { return };
        if self.entries.len() >= fetch.saturating_mul(2).saturating_add(BATCH_ROWS) {
            self.entries.sort_by(|a, b| a.0.cmp(&b.0));
            self.entries.truncate(fetch);
            self.bytes = self.entries.iter().map(|(key, row)| key.len() + row.len() + ENTRY_BYTES).sum();
        }
    }

    fn write_run(&mut self) -> Result<(), BatchError> {
        self.entries.sort_by(|a, b| a.0.cmp(&b.0));
        let run = written(self.entries.drain(..).map(Ok), &self.context)?;
        self.runs.push(run);
        self.bytes = 0;
        self.memory.try_resize(0);
        if self.runs.len() == RUNS_MAX {
            let runs = mem::take(&mut self.runs);
            self.runs.push(written(Merge::new(runs, Vec::new())?, &self.context)?);
        }
        Ok(())
    }
}

/// A run of `entries`, which are in order.
fn written(
    entries: impl Iterator<Item = Result<Entry, BatchError>>,
    context: &Context,
) -> Result<RunReader, BatchError> {
    let mut writer = RunWriter::new(&context.spill)?;
    for (i, entry) in entries.enumerate() {
        let (key, row) = entry?;
        writer.write(&key, &row)?;
        if i % BATCH_ROWS == 0 {
            (context.check)()?;
        }
    }
    Ok(writer.finish()?)
}

impl Rows for Sort {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let Some(input) = self.input.take() {
            self.read(input)?;
        }
        let Some(merge) = &mut self.merge else { return Ok(None) };
        let wanted = self.fetch.map_or(BATCH_ROWS, |fetch| fetch.min(BATCH_ROWS));
        let rows = merge.take(wanted).collect::<Result<Vec<_>, _>>()?;
        self.fetch = self.fetch.map(|fetch| fetch - rows.len());
        if rows.is_empty() {
            return Ok(None);
        }
        let types: Vec<DataType> = self.schema.fields().iter().map(|field| field.data_type().clone()).collect();
        let columns = decode_rows(&types, rows.iter().map(|(_, row)| row.as_slice()))?;
        batch_of(&self.schema, columns, rows.len()).map(Some)
    }
}

/// The first entry of a run: its key, which run that is, its row.
type Head = (Vec<u8>, usize, Vec<u8>);

/// Entries of runs, and of memory behind them, in one order.
struct Merge {
    runs: Vec<RunReader>,
    rest: std::vec::IntoIter<Entry>,
    /// The first entry of each that is left.
    heads: BinaryHeap<Reverse<Head>>,
}

impl Merge {
    fn new(runs: Vec<RunReader>, rest: Vec<Entry>) -> Result<Self, BatchError> {
        let mut merge = Self { runs, rest: rest.into_iter(), heads: BinaryHeap::new() };
        for from in 0..=merge.runs.len() {
            merge.fill(from)?;
        }
        Ok(merge)
    }

    fn fill(&mut self, from: usize) -> Result<(), BatchError> {
        let entry = match self.runs.get_mut(from) {
            Some(run) => run.next()?,
            None => self.rest.next(),
        };
        if let Some((key, row)) = entry {
            self.heads.push(Reverse((key, from, row)));
        }
        Ok(())
    }
}

impl Iterator for Merge {
    type Item = Result<Entry, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((key, from, row)) = self.heads.pop()?;
        Some(self.fill(from).map(|()| (key, row)))
    }
}
