//! Table functions: several rows of each row of a stream.
//!
//! Each function gives a list per row. Lists are zipped: a row comes out for every element of the longest one, shorter ones are
//! padded with nulls, and where all are empty nothing comes out. A function that fails gives an empty list and is reported. Null
//! values are dropped. Key, carried columns, time, windows and headers of the row are repeated. Semantics 3.1.

use arrow::array::{Array, ArrayRef, AsArray, ListArray, UInt32Array, UInt32Builder};
use arrow::buffer::BooleanBuffer;
use arrow::compute::take;
use arrow::datatypes::SchemaRef;

use super::{Fate, Operator, Output, Port};
use crate::expr::CompiledExpr;
use crate::state::StateError;
use crate::types::ChangeBatch;

/// Rows of a batch that comes out at most: what a row carries is copied for each, and a column of texts holds 2 GiB.
const ROWS_OUT_MAX: usize = 1024;

/// Makes rows of the elements of lists.
pub struct FlatMap {
    carried: Vec<usize>,
    lists: Vec<CompiledExpr>,
    rows: SchemaRef,
    rows_in_max: usize,
}

impl FlatMap {
    /// Value columns: those of the input at the indices `carried`, then the elements of each of `lists`, which are ARRAYs over
    /// the layout `rows`. Lists of more than `rows_in_max` rows are never made at once.
    pub fn new(carried: Vec<usize>, lists: Vec<CompiledExpr>, rows: SchemaRef, rows_in_max: usize) -> Self {
        Self { carried, lists, rows, rows_in_max: rows_in_max.max(1) }
    }

    fn expand(&self, batch: &ChangeBatch, out: &mut Output) {
        let mut errors = Vec::new();
        let rows = batch.rows(&self.rows);
        let lists: Vec<ArrayRef> = self.lists.iter().map(|list| list.evaluate(&rows, &mut errors)).collect();
        let lists: Vec<&ListArray> = lists.iter().map(AsArray::as_list::<i32>).collect();
        out.report(batch, errors);

        let mut picked = Picked::new(lists.len());
        let mut empty = 0;
        out.count(Fate::NullValue, batch.tombstones.as_ref().map_or(0, BooleanBuffer::count_set_bits));
        for row in (0..batch.len()).filter(|row| !batch.is_tombstone(*row)) {
            let count = lists.iter().map(|list| length(list, row)).max().unwrap_or(0);
            empty += usize::from(count == 0);
            let mut done = 0;
            while done < count {
                let more = (count - done).min(ROWS_OUT_MAX - picked.rows.len());
                picked.add(row, done, more, &lists);
                done += more;
                if picked.rows.len() == ROWS_OUT_MAX {
                    out.emit(self.picked(batch, &lists, &mut picked));
                }
            }
        }
        out.count(Fate::Empty, empty);
        if !picked.rows.is_empty() {
            out.emit(self.picked(batch, &lists, &mut picked));
        }
    }

    /// The rows that were picked; nothing is picked afterwards.
    fn picked(&self, batch: &ChangeBatch, lists: &[&ListArray], picked: &mut Picked) -> ChangeBatch {
        let carried = self.carried.iter().map(|index| ArrayRef::clone(&batch.value[*index])).collect();
        let carried = ChangeBatch { value: carried, tombstones: None, ..batch.clone() };
        let mut rows = carried.take(&UInt32Array::from(std::mem::take(&mut picked.rows)));
        rows.value.extend(lists.iter().zip(&mut picked.elements).map(|(list, elements)| {
            take(list.values(), &elements.finish(), None).expect("elements are within their lists")
        }));
        rows
    }
}

impl Operator for FlatMap {
    fn process(&mut self, _: Port, batch: ChangeBatch, out: &mut Output) -> Result<(), StateError> {
        if batch.len() <= self.rows_in_max {
            self.expand(&batch, out);
            return Ok(());
        }
        for from in (0..batch.len()).step_by(self.rows_in_max) {
            self.expand(&batch.slice(from, self.rows_in_max.min(batch.len() - from)), out);
        }
        Ok(())
    }
}

/// How many elements the list of `row` has; none where it is null.
fn length(list: &ListArray, row: usize) -> usize {
    if list.is_null(row) { 0 } else { list.value_length(row) as usize }
}

/// Where the rows that come out are from.
struct Picked {
    /// Rows of the input.
    rows: Vec<u32>,
    /// For each list, indices among all of its elements; null where it is padded.
    elements: Vec<UInt32Builder>,
}

impl Picked {
    fn new(lists: usize) -> Self {
        Self { rows: Vec::new(), elements: (0..lists).map(|_| UInt32Builder::new()).collect() }
    }

    /// Adds `count` rows of `row`, whose lists go on at their element `from`.
    fn add(&mut self, row: usize, from: usize, count: usize, lists: &[&ListArray]) {
        self.rows.extend(std::iter::repeat_n(row as u32, count));
        for (list, elements) in lists.iter().zip(&mut self.elements) {
            let there = length(list, row).saturating_sub(from).min(count);
            let first = list.value_offsets()[row] as usize + from;
            (first..first + there).for_each(|element| elements.append_value(element as u32));
            elements.append_nulls(count - there);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int32Array, Int64Array};
    use arrow::datatypes::Int32Type;

    use super::*;
    use crate::expr::Expr;
    use crate::types::{Column, Schema, SqlType};

    fn numbers() -> SqlType {
        SqlType::Array(Box::new(SqlType::Integer))
    }

    /// Over rows of a key K and the lists A and B, of which B goes on.
    fn flat_map(rows_in_max: usize) -> FlatMap {
        let schema = Schema {
            key: vec![Column::new("K", SqlType::Bigint)],
            value: vec![Column::new("A", numbers()), Column::new("B", numbers())],
        };
        let rows = schema.row_schema(false);
        let lists = [1, 2].map(|index| CompiledExpr::new(&Expr::column(index, numbers()), &rows));
        FlatMap::new(vec![1], lists.to_vec(), rows, rows_in_max)
    }

    type List = Option<Vec<Option<i32>>>;

    fn batch(lists: &[(List, List)]) -> ChangeBatch {
        let column = |side: fn(&(List, List)) -> List| -> ArrayRef {
            Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists.iter().map(side)))
        };
        let count = lists.len();
        ChangeBatch {
            key: vec![Arc::new(Int64Array::from_iter_values(0..count as i64))],
            value: vec![column(|(a, _)| a.clone()), column(|(_, b)| b.clone())],
            rowtime: (0..count as i64).map(|row| row * 10).collect(),
            seq: (0..count as u32).collect(),
            ..ChangeBatch::empty()
        }
    }

    /// Row, A and B of each row that comes out.
    fn rows(rows_in_max: usize, batch: ChangeBatch) -> Vec<(u32, Option<i32>, Option<i32>)> {
        let mut out = Output::default();
        flat_map(rows_in_max).process(0, batch, &mut out).expect("no state");
        assert!(out.errors.is_empty());
        let mut found = Vec::new();
        for batch in out.batches {
            assert!(batch.len() <= ROWS_OUT_MAX && batch.value.len() == 3 && batch.tombstones.is_none());
            for (row, seq) in batch.seq.iter().enumerate() {
                assert_eq!(batch.rowtime[row], i64::from(*seq) * 10, "the time travels with the row");
                let element = |column: &ArrayRef| {
                    let column: &Int32Array = column.as_primitive();
                    column.is_valid(row).then(|| column.value(row))
                };
                found.push((*seq, element(&batch.value[1]), element(&batch.value[2])));
            }
        }
        found
    }

    fn list(numbers: &[i32]) -> Vec<Option<i32>> {
        numbers.iter().copied().map(Some).collect()
    }

    #[test]
    fn lists_are_zipped_and_the_shorter_one_is_padded() {
        let lists = [
            (Some(list(&[1, 2])), Some(list(&[5]))),
            (None, Some(list(&[6, 7]))),
            (Some(list(&[3])), Some(vec![None])),
        ];
        let expected =
            vec![(0, Some(1), Some(5)), (0, Some(2), None), (1, None, Some(6)), (1, None, Some(7)), (2, Some(3), None)];
        assert_eq!(rows(100, batch(&lists)), expected);
        assert_eq!(rows(1, batch(&lists)), expected, "in slices too");
    }

    #[test]
    fn where_all_lists_are_empty_or_the_value_is_null_nothing_comes_out() {
        let mut batch = batch(&[(None, Some(list(&[]))), (Some(list(&[1])), None), (Some(list(&[2])), None)]);
        batch.tombstones = Some(BooleanBuffer::from(vec![false, true, false]));
        assert_eq!(rows(100, batch), vec![(2, Some(2), None)]);
    }

    #[test]
    fn long_lists_come_out_in_several_batches() {
        let all: Vec<i32> = (0..3000).collect();
        let found = rows(100, batch(&[(Some(list(&[-1])), None), (Some(list(&all)), Some(list(&all[..2000])))]));
        assert_eq!(found.len(), 3001);
        let expected = all.iter().map(|number| (1, Some(*number), (*number < 2000).then_some(*number)));
        assert!(found[1..].iter().copied().eq(expected));
    }
}
