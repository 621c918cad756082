//! Pairs of rows.
//!
//! The right input is held in memory, found by its keys where there are some; the left one goes by. Rows of equal keys pair in the
//! order in which they came.

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow::compute::{concat_batches, filter, interleave, take};
use arrow::datatypes::SchemaRef;

use super::keys::equal_keys;
use super::memory::Reservation;
use super::{BATCH_ROWS, BatchError, Context, Input, Rows, batch_bytes, batch_of};
use crate::expr::CompiledExpr;
use crate::state::SlotTable;

/// Parameters of a [`Join`].
pub struct JoinOptions {
    /// Values of left rows that are equal to those of right rows.
    pub left_keys: Vec<CompiledExpr>,
    /// Values of right rows.
    pub right_keys: Vec<CompiledExpr>,
    /// What is true of pairs besides.
    pub condition: Option<CompiledExpr>,
    /// Left rows without partner stay.
    pub keeps_left: bool,
    /// Right rows without partner stay.
    pub keeps_right: bool,
    /// Columns of right rows.
    pub right: SchemaRef,
    /// Columns of the result: those of left rows, then those of right rows.
    pub schema: SchemaRef,
}

/// Joins two inputs.
pub struct Join {
    left: Input,
    right: Option<Input>,
    options: JoinOptions,
    build: Build,
    probe: Option<Probe>,
    /// The next right row to look at for a partner, once all left rows have gone by.
    leftover: Option<usize>,
    memory: Reservation,
    context: Context,
}

/// No row.
const NONE: u32 = u32::MAX;

/// The right rows.
#[derive(Default)]
struct Build {
    batches: Vec<RecordBatch>,
    /// Batch and row of each row.
    places: Vec<(usize, usize)>,
    slots: SlotTable,
    /// The first row of each slot, the last one, and the row behind each row.
    first: Vec<u32>,
    last: Vec<u32>,
    behind: Vec<u32>,
    /// Which rows have had a partner.
    matched: Vec<bool>,
}

/// Left rows on their way.
struct Probe {
    batch: RecordBatch,
    /// The right row that each left row begins with.
    first: Vec<u32>,
    row: usize,
    /// The right row that comes next for the left row looked at.
    next: u32,
    matched: Vec<bool>,
}

impl Join {
    /// Pairs the rows of `left` and `right`.
    pub fn new(left: Input, right: Input, options: JoinOptions, context: &Context) -> Self {
        let memory = Reservation::new(&context.memory, "the right side of a join");
        let (right, build, context) = (Some(right), Build::default(), context.clone());
        Self { left, right, options, build, probe: None, leftover: None, memory, context }
    }

    fn build(&mut self, mut right: Input) -> Result<(), BatchError> {
        let (mut small, mut rows) = (Vec::new(), 0);
        while let Some(batch) = right.next()? {
            (self.context.check)()?;
            self.memory.grow(batch_bytes(&batch))?;
            rows += batch.num_rows();
            small.push(batch);
            if rows >= BATCH_ROWS {
                self.add(&std::mem::take(&mut small))?;
                rows = 0;
            }
        }
        self.add(&small)?;
        self.build.matched = vec![false; self.build.places.len()];
        Ok(())
    }

    fn add(&mut self, batches: &[RecordBatch]) -> Result<(), BatchError> {
        let Some(first) = batches.first() else { return Ok(()) };
        let batch = concat_batches(&first.schema(), batches)?;
        let build = &mut self.build;
        let before = build.bytes();
        let (keys, is_equal_to_some) = equal_keys(&self.options.right_keys, &batch);
        for (row, has_partners) in is_equal_to_some.into_iter().enumerate() {
            let index = build.places.len() as u32;
            build.places.push((build.batches.len(), row));
            build.behind.push(NONE);
            if self.options.right_keys.is_empty() || !has_partners {
                continue;
            }
            let (slot, is_new) = build.slots.insert_row(&keys, row);
            if is_new {
                build.first.push(index);
                build.last.push(index);
            } else {
                let last = std::mem::replace(&mut build.last[slot as usize], index);
                build.behind[last as usize] = index;
            }
        }
        build.batches.push(batch);
        let after = build.bytes();
        self.memory.grow(after - before)
    }

    /// Left rows that have partners to be looked at.
    fn probe(&mut self) -> Result<bool, BatchError> {
        let Some(batch) = self.left.next()? else { return Ok(false) };
        let rows = batch.num_rows();
        let first: Vec<u32> = if self.options.left_keys.is_empty() {
            vec![if self.build.places.is_empty() { NONE } else { 0 }; rows]
        } else {
            let (keys, is_equal_to_some) = equal_keys(&self.options.left_keys, &batch);
            let find = |row: usize| is_equal_to_some[row].then(|| self.build.slots.get_row(&keys, row)).flatten();
            (0..rows).map(|row| find(row).map_or(NONE, |slot| self.build.first[slot as usize])).collect()
        };
        let next = first.first().copied().unwrap_or(NONE);
        self.probe = Some(Probe { batch, first, row: 0, next, matched: vec![false; rows] });
        Ok(true)
    }

    /// Some pairs of the left rows at hand; `None` when there are no more.
    fn pairs(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        let Some(probe) = &mut self.probe else { return Ok(None) };
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        while probe.row < probe.first.len() && lefts.len() < BATCH_ROWS {
            if probe.next == NONE {
                probe.row += 1;
                probe.next = probe.first.get(probe.row).copied().unwrap_or(NONE);
                continue;
            }
            lefts.push(probe.row as u32);
            rights.push(probe.next);
            probe.next = self.build.after(probe.next, !self.options.left_keys.is_empty());
        }
        if lefts.is_empty() {
            return Ok(None);
        }
        let lefts = UInt32Array::from(lefts);
        let mut columns: Vec<ArrayRef> =
            probe.batch.columns().iter().map(|column| take(column, &lefts, None)).collect::<Result<_, _>>()?;
        columns.extend(self.build.gather(&rights, &self.options.right)?);
        let mut pairs = batch_of(&self.options.schema, columns, rights.len())?;
        let is_pair = match &self.options.condition {
            Some(condition) => condition.evaluate_mask(&pairs, &mut Vec::new()),
            None => arrow::buffer::BooleanBuffer::new_set(rights.len()),
        };
        for row in is_pair.set_indices() {
            probe.matched[lefts.value(row) as usize] = true;
            self.build.matched[rights[row] as usize] = true;
        }
        if self.options.condition.is_some() {
            let mask = BooleanArray::new(is_pair, None);
            let kept = pairs.columns().iter().map(|column| filter(column, &mask)).collect::<Result<_, _>>()?;
            pairs = batch_of(&self.options.schema, kept, mask.true_count())?;
        }
        Ok(Some(pairs))
    }

    /// The left rows at hand that have no partner.
    fn lonely_left(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        let Some(probe) = self.probe.take().filter(|_| self.options.keeps_left) else { return Ok(None) };
        let mask: BooleanArray = probe.matched.iter().map(|matched| Some(!matched)).collect();
        let rows = mask.true_count();
        if rows == 0 {
            return Ok(None);
        }
        let mut columns: Vec<ArrayRef> =
            probe.batch.columns().iter().map(|column| filter(column, &mask)).collect::<Result<_, _>>()?;
        columns.extend(self.options.right.fields().iter().map(|field| new_null_array(field.data_type(), rows)));
        batch_of(&self.options.schema, columns, rows).map(Some)
    }

    /// Some of the right rows that have no partner, when all left rows have gone by.
    fn lonely_right(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        let from = self.leftover.unwrap_or(0);
        if !self.options.keeps_right || from >= self.build.places.len() {
            return Ok(None);
        }
        let lonely = (from..self.build.places.len()).filter(|&row| !self.build.matched[row]).take(BATCH_ROWS);
        let lonely: Vec<u32> = lonely.map(|row| row as u32).collect();
        let Some(last) = lonely.last() else { return Ok(None) };
        self.leftover = Some(*last as usize + 1);
        let rights = self.build.gather(&lonely, &self.options.right)?;
        let width = self.options.schema.fields().len() - rights.len();
        let lefts = self.options.schema.fields().iter().take(width);
        let lefts = lefts.map(|field| new_null_array(field.data_type(), lonely.len()));
        batch_of(&self.options.schema, lefts.chain(rights).collect(), lonely.len()).map(Some)
    }
}

impl Build {
    /// The row that a left row meets after `row`.
    fn after(&self, row: u32, by_key: bool) -> u32 {
        if by_key {
            return self.behind[row as usize];
        }
        let next = row + 1;
        if (next as usize) < self.places.len() { next } else { NONE }
    }

    fn gather(&self, rows: &[u32], schema: &SchemaRef) -> Result<Vec<ArrayRef>, BatchError> {
        let places: Vec<(usize, usize)> = rows.iter().map(|&row| self.places[row as usize]).collect();
        let columns = (0..schema.fields().len()).map(|column| {
            let parts: Vec<&dyn Array> = self.batches.iter().map(|batch| batch.column(column).as_ref()).collect();
            Ok(interleave(&parts, &places)?)
        });
        columns.collect()
    }

    fn bytes(&self) -> usize {
        self.slots.memory_bytes() + self.places.len() * (size_of::<(usize, usize)>() + 2 * size_of::<u32>() + 1)
    }
}

impl Rows for Join {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        if let Some(right) = self.right.take() {
            self.build(right)?;
        }
        loop {
            (self.context.check)()?;
            let pairs = match self.pairs()? {
                Some(pairs) => Some(pairs),
                None => self.lonely_left()?,
            };
            match pairs {
                Some(pairs) if pairs.num_rows() > 0 => return Ok(Some(pairs)),
                Some(_) => {}
                None if self.probe()? => {}
                None => return self.lonely_right(),
            }
        }
    }
}
