//! Queries, their tasks, what these read, make and keep.

use std::collections::BTreeMap;

use super::super::monitoring::Look;
use super::super::show;
use super::{Cell, Row};
use crate::catalog::{Catalog, QueryId};
use crate::operators::Fate;
use crate::runtime::metrics::{InputFigures, RestoreFigures, TaskFigures, TaskId, task_name};
use crate::runtime::query_error::ErrorClass;

pub(super) fn queries(look: &Look<'_>, catalog: &Catalog) -> Vec<Row> {
    let row = |query: &super::super::monitoring::QueryLook| {
        let metrics = &query.running.metrics;
        let (rows_in, rows_out, rejected) = metrics.totals();
        let failures: u64 = ErrorClass::ALL.into_iter().map(|class| metrics.failures(class)).sum();
        let statement = catalog.query(&QueryId::new(query.id())).map(|info| show::one_line(&info.sql));
        vec![
            query.id().into(),
            query.state.into(),
            query.running.sink.as_str().into(),
            query.topic().into(),
            rows_in.into(),
            metrics.bytes_in().into(),
            rows_out.into(),
            metrics.bytes_out().into(),
            rejected.into(),
            query.lag().into(),
            query.rates.rows_in.into(),
            query.rates.rows_out.into(),
            failures.into(),
            metrics.failure().into(),
            Cell::time(metrics.last_out_ms()),
            statement.into(),
        ]
    };
    look.queries.iter().map(row).collect()
}

/// Calls `each` with every task of every query, and the first cells of its rows: query and task.
fn of_tasks(look: &Look<'_>, mut each: impl FnMut([Cell; 2], &TaskFigures, TaskId)) {
    for query in &look.queries {
        for (id, task) in &query.tasks {
            each([query.id().into(), task_name(*id).into()], task, *id);
        }
    }
}

/// Offsets of changelogs that were read, and that are left.
fn restored<'f>(restores: impl Iterator<Item = &'f RestoreFigures>) -> [Cell; 2] {
    let total = RestoreFigures::total(restores);
    total.map_or([Cell::Null, Cell::Null], |(done, of)| [done.into(), (of - done).into()])
}

pub(super) fn tasks(look: &Look<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    of_tasks(look, |own, task, _| {
        let stream_time = task.inputs.iter().map(|input| input.stream_time).max();
        let mut row = own.to_vec();
        row.extend([
            task.phase.name().into(),
            task.inputs.iter().map(InputFigures::lag).sum::<u64>().into(),
            Cell::time(stream_time),
            task.commits.into(),
            Cell::time(task.last_commit_ms),
            task.memory_bytes.into(),
        ]);
        row.extend(restored(task.restores.iter()));
        rows.push(row);
    });
    rows
}

pub(super) fn lag(look: &Look<'_>) -> Vec<Row> {
    let mut rows = BTreeMap::new();
    of_tasks(look, |own, task, id| {
        for (place, input) in task.inputs.iter().enumerate() {
            let read = &input.read;
            let mut row = own.to_vec();
            row.extend([
                (&*input.partition.topic).into(),
                input.partition.partition.into(),
                input.lag().into(),
                input.position.into(),
                input.end.into(),
                Cell::time(input.stream_time),
                input.is_source.into(),
                read.records.into(),
                read.bytes.into(),
                read.null_keys.into(),
                read.null_values.into(),
                read.rejected.total().into(),
                input.waiting.into(),
            ]);
            rows.insert((rows.len(), id, place), row);
        }
    });
    rows.into_values().collect()
}

pub(super) fn operators(look: &Look<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    of_tasks(look, |own, task, _| {
        for operator in &task.operators {
            let counts = &operator.counts;
            let mut row = own.to_vec();
            row.extend([
                (&*operator.name).into(),
                counts.rows_in[0].into(),
                counts.rows_in[1].into(),
                counts.rows_out.into(),
                counts.errors.into(),
            ]);
            row.extend(Fate::ALL.map(|fate| counts.fates.of(fate).into()));
            let clock = operator.clock;
            row.extend([
                Cell::time(clock.map(|clock| clock.stream_time)),
                clock.map(|clock| clock.open).into(),
                Cell::time(clock.and_then(|clock| clock.next_close)),
            ]);
            rows.push(row);
        }
    });
    rows
}

pub(super) fn stores(look: &Look<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    of_tasks(look, |own, task, _| {
        let sizes = task.stores.iter().map(|size| size.store.as_str());
        let mut names: Vec<&str> = sizes.chain(task.restores.iter().map(|restore| restore.store.as_str())).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let size = task.stores.iter().find(|size| size.store == name);
            let mut row = own.to_vec();
            row.extend([name.into(), size.map(|size| size.entries).into(), size.map(|size| size.bytes).into()]);
            row.extend(restored(task.restores.iter().filter(|restore| restore.store == name)));
            rows.push(row);
        }
    });
    rows
}

pub(super) fn errors(look: &Look<'_>) -> Vec<Row> {
    let mut rows = Vec::new();
    for query in &look.queries {
        for (number, error) in (1_i64..).zip(query.running.metrics.errors()) {
            rows.push(vec![
                query.id().into(),
                number.into(),
                Cell::time(error.time_ms),
                error.class.name().into(),
                error.message.into(),
            ]);
        }
    }
    rows
}
