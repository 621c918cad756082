//! Operators over rows that are there, with little memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::{Array as _, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use proptest::prelude::*;

use super::*;
use crate::expr::{CompiledExpr, Expr};
use crate::types::SqlType;

/// Rows of a key and a number.
type Row = (Option<i64>, String);

struct Given(std::vec::IntoIter<RecordBatch>);

impl Rows for Given {
    fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
        Ok(self.0.next())
    }
}

fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![Field::new("K", DataType::Int64, true), Field::new("V", DataType::Utf8, true)]))
}

fn batch(rows: &[Row]) -> RecordBatch {
    let keys: ArrayRef = Arc::new(rows.iter().map(|(key, _)| *key).collect::<Int64Array>());
    let values: ArrayRef = Arc::new(rows.iter().map(|(_, value)| Some(value)).collect::<StringArray>());
    RecordBatch::try_new(schema(), vec![keys, values]).expect("two columns")
}

/// `rows`, so many a batch.
fn given(rows: &[Row], at_once: usize) -> Input {
    let batches: Vec<RecordBatch> = rows.chunks(at_once.max(1)).map(batch).collect();
    Box::new(Given(batches.into_iter()))
}

fn context(bytes: usize) -> Context {
    Context {
        memory: Arc::new(MemoryPool::new(bytes)),
        spill: Arc::new(SpillFolder::new(std::env::temp_dir().join("levada-batch-tests"))),
        check: Arc::new(|| Ok(())),
    }
}

fn all(rows: &mut dyn Rows) -> Result<Vec<RecordBatch>, BatchError> {
    let mut batches = Vec::new();
    while let Some(batch) = rows.next()? {
        batches.push(batch);
    }
    Ok(batches)
}

fn pairs_of(batches: &[RecordBatch]) -> Vec<Row> {
    let rows = batches.iter().flat_map(|batch| {
        let (keys, values) = (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_string::<i32>());
        let row = |row| (keys.is_valid(row).then(|| keys.value(row)), values.value(row).to_owned());
        (0..batch.num_rows()).map(row).collect::<Vec<_>>()
    });
    rows.collect()
}

fn sorted(rows: &[Row], at_once: usize, bytes: usize, descending: bool, fetch: Option<u64>) -> Vec<Row> {
    let columns = vec![SortColumn { index: 0, descending, nulls_first: false }];
    let mut sort = Sort::new(given(rows, at_once), columns, fetch, schema(), &context(bytes));
    pairs_of(&all(&mut sort).expect("rows"))
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((proptest::option::of(0i64..6), "[a-c]{0,2}"), 0..60)
}

proptest! {
    #[test]
    fn order_does_not_depend_on_batches_and_memory(
        rows in rows(), at_once in 1usize..9, bytes in 0usize..9_000, descending: bool, fetch in proptest::option::of(0u64..40),
    ) {
        let mut expected = rows.clone();
        expected.sort_by(|(a, _), (b, _)| match (a, b) {
            (Some(a), Some(b)) if descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        expected.truncate(fetch.map_or(usize::MAX, |fetch| fetch as usize));
        prop_assert_eq!(sorted(&rows, at_once, bytes, descending, fetch), expected);
    }

    #[test]
    fn joins_are_all_pairs_that_are_equal(
        left in rows(), right in rows(), at_once in 1usize..9, keeps_left: bool, keeps_right: bool, by_key: bool,
    ) {
        let mut expected: Vec<(Option<Row>, Option<Row>)> = Vec::new();
        for l in &left {
            let partners = right.iter().filter(|r| l.0.is_some() && l.0 == r.0);
            let pairs: Vec<_> = partners.map(|r| (Some(l.clone()), Some(r.clone()))).collect();
            if pairs.is_empty() && keeps_left {
                expected.push((Some(l.clone()), None));
            }
            expected.extend(pairs);
        }
        if keeps_right {
            let lonely = right.iter().filter(|r| r.0.is_none() || left.iter().all(|l| l.0 != r.0));
            expected.extend(lonely.map(|r| (None, Some(r.clone()))));
        }
        let fields: Vec<_> = schema().fields().iter().chain(schema().fields()).cloned().collect();
        let pairs = Arc::new(Schema::new(fields));
        let column = |index: usize| Expr::column(index, SqlType::Bigint);
        let keys = if by_key { vec![CompiledExpr::new(&column(0), &schema())] } else { Vec::new() };
        let equal = Expr::compare(crate::expr::CompareOp::Equal, (column(0), &"a"), (column(2), &"b")).expect("numbers");
        let options = JoinOptions {
            left_keys: keys.clone(),
            right_keys: keys,
            condition: (!by_key).then(|| CompiledExpr::new(&equal, &pairs)),
            keeps_left,
            keeps_right,
            right: schema(),
            schema: Arc::clone(&pairs),
        };
        let mut join = Join::new(given(&left, at_once), given(&right, at_once), options, &context(1 << 20));
        let mut got: Vec<(Option<Row>, Option<Row>)> = Vec::new();
        for batch in all(&mut join).expect("rows") {
            let side = |from: usize| {
                let (keys, values) = (batch.column(from).as_primitive::<Int64Type>().clone(), batch.column(from + 1).as_string::<i32>().clone());
                move |row: usize| values.is_valid(row).then(|| (keys.is_valid(row).then(|| keys.value(row)), values.value(row).to_owned()))
            };
            let (l, r) = (side(0), side(2));
            got.extend((0..batch.num_rows()).map(|row| (l(row), r(row))));
        }
        expected.sort();
        got.sort();
        prop_assert_eq!(got, expected);
    }
}

#[test]
fn what_cannot_go_to_files_says_what_has_no_room() {
    let rows: Vec<Row> = (0..1_000).map(|number| (Some(number), "x".repeat(20))).collect();
    let context = context(1_000);
    let mut distinct = Distinct::new(given(&rows, 100), &context);
    let error = all(&mut distinct).expect_err("there is no room");
    assert!(matches!(error, BatchError::Memory { limit: 1_000, .. }), "{error}");
    drop(distinct);
    assert_eq!(context.memory.used(), 0, "what was taken is given back");
}

#[test]
fn a_limit_asks_for_no_more_than_it_gives() {
    struct Counted(Arc<AtomicUsize>);
    impl Rows for Counted {
        fn next(&mut self) -> Result<Option<RecordBatch>, BatchError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(Some(batch(&[(Some(1), "a".to_owned()), (Some(2), "b".to_owned())])))
        }
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let mut limit = Limit::new(Box::new(Counted(Arc::clone(&asked))), 3, Some(2));
    let rows = pairs_of(&all(&mut limit).expect("rows"));
    assert_eq!(rows.iter().map(|(key, _)| *key).collect::<Vec<_>>(), [Some(2), Some(1)]);
    assert_eq!(asked.load(Ordering::Relaxed), 3);
}

#[test]
fn a_read_that_is_to_end_ends() {
    let rows: Vec<Row> = vec![(Some(1), String::new())];
    let context = Context { check: Arc::new(|| Err(BatchError::Stopped)), ..context(1 << 20) };
    let columns = vec![SortColumn { index: 0, descending: false, nulls_first: false }];
    let mut sort = Sort::new(given(&rows, 1), columns, None, schema(), &context);
    assert!(matches!(sort.next(), Err(BatchError::Stopped)));
}
