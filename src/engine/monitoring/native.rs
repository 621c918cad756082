//! Levada's own names.

use std::collections::BTreeMap;

use super::look::{Look, QueryLook};
use crate::functions::plugins;
use crate::metrics::{Label, Metric, Snapshot};
use crate::runtime::dead_letter::Stage;
use crate::runtime::metrics::{InputFigures, OperatorFigures, Phase, TaskFigures, TaskId, task_name};
use crate::runtime::query_error::ErrorClass;
use crate::types::resident_bytes;

const INFO: Metric = Metric::gauge("levada_info", "1, with the version and the service of the server.");
const UPTIME: Metric = Metric::gauge("levada_uptime_seconds", "Time since the server started, in seconds.");
const MEMORY: Metric = Metric::gauge(
    "levada_memory_bytes",
    "Memory of the server in bytes, by owner: state of queries, blocks, write buffers and indices of the store; process: all of it.",
);
const MEMORY_LIMIT: Metric =
    Metric::gauge("levada_memory_limit_bytes", "What memory.limit lets the process take, in bytes.");
const STATE_LIMIT: Metric =
    Metric::gauge("levada_state_memory_limit_bytes", "What state of queries may take of it at the moment, in bytes.");
const DISK: Metric = Metric::gauge("levada_store_disk_bytes", "Files of the store in the data directory, in bytes.");
const QUERIES: Metric = Metric::gauge("levada_queries", "Persistent queries, by state.");

const QUERY_STATE: Metric =
    Metric::gauge("levada_query_state", "1 for the state that the query is in, 0 for the others.");
const QUERY_INFO: Metric = Metric::gauge("levada_query_info", "1, with what the query fills.");
const ROWS_READ: Metric = Metric::counter("levada_query_read_records_total", "Records read from the query's sources.");
const BYTES_READ: Metric =
    Metric::counter("levada_query_read_bytes_total", "Bytes of keys and values read from the query's sources.");
const ROWS_WRITTEN: Metric =
    Metric::counter("levada_query_written_records_total", "Records written to the query's topic.");
const BYTES_WRITTEN: Metric =
    Metric::counter("levada_query_written_bytes_total", "Bytes of keys and values written to the query's topic.");
const DEAD_LETTERS: Metric = Metric::counter(
    "levada_query_dead_letters_total",
    "Records that the query could not use, by what failed: key, value, timestamp, process or encode.",
);
const FAILURES: Metric = Metric::counter(
    "levada_query_failures_total",
    "How often a task of the query has failed and was made again, by class of the error.",
);
const READ_RATE: Metric =
    Metric::gauge("levada_query_read_records_per_second", "Records read per second, in the last ten seconds.");
const WRITE_RATE: Metric =
    Metric::gauge("levada_query_written_records_per_second", "Records written per second, in the last ten seconds.");
const LAG: Metric =
    Metric::gauge("levada_query_lag_records", "Records of its sources that the query has not processed.");
const TO_RESTORE: Metric =
    Metric::gauge("levada_query_restore_remaining_records", "Records of changelogs to be read before the query runs.");
const LAST_WRITTEN: Metric = Metric::gauge(
    "levada_query_last_written_timestamp_seconds",
    "When the query has written something, in seconds since the epoch.",
);

const TASK_STATE: Metric = Metric::gauge("levada_task_state", "1, with what the task is at.");
const TASK_COMMITS: Metric = Metric::counter("levada_task_commits_total", "Commits of the task.");
const TASK_LAST_COMMIT: Metric = Metric::gauge(
    "levada_task_last_commit_timestamp_seconds",
    "When the task committed last, in seconds since the epoch.",
);
const TASK_MEMORY: Metric = Metric::gauge("levada_task_memory_bytes", "Memory of the task's state, in bytes.");
const STREAM_TIME: Metric = Metric::gauge(
    "levada_task_stream_time_seconds",
    "Greatest time of a record that the task has processed, in seconds since the epoch.",
);

const PARTITION_LAG: Metric =
    Metric::gauge("levada_partition_lag_records", "Records of the partition that the query has not processed.");
const PARTITION_POSITION: Metric =
    Metric::gauge("levada_partition_position", "Offset of the first record that the query has not processed.");
const PARTITION_END: Metric = Metric::gauge("levada_partition_end", "Offset after the last record of the partition.");
const PARTITION_READ: Metric =
    Metric::counter("levada_partition_read_records_total", "Records that the query has read from the partition.");

const OPERATOR_IN: Metric =
    Metric::counter("levada_operator_rows_in_total", "Rows that came to the operator, by port.");
const OPERATOR_OUT: Metric = Metric::counter("levada_operator_rows_out_total", "Rows that the operator has given.");
const OPERATOR_ERRORS: Metric = Metric::counter("levada_operator_errors_total", "Rows that failed in the operator.");
const OPERATOR_FATES: Metric = Metric::counter(
    "levada_operator_rows_total",
    "Rows that did not simply go on, by what became of them: filtered, null_key, null_value, late, unmatched, waited, empty.",
);
const OPEN_WINDOWS: Metric = Metric::gauge(
    "levada_operator_open_windows",
    "Windows that have not closed, or rows of a join that wait; in memory.",
);

const STORE_ENTRIES: Metric = Metric::gauge("levada_state_entries", "Entries of a store of the query.");
const STORE_BYTES: Metric =
    Metric::gauge("levada_state_bytes", "Bytes of keys and values of a store of the query, about.");

const TOPIC_READ: Metric =
    Metric::counter("levada_topic_read_records_total", "Records read from the topic, by all queries.");
const TOPIC_READ_BYTES: Metric =
    Metric::counter("levada_topic_read_bytes_total", "Bytes of keys and values read from the topic, by all queries.");
const TOPIC_WRITTEN: Metric =
    Metric::counter("levada_topic_written_records_total", "Records written to the topic, by all queries.");
const TOPIC_WRITTEN_BYTES: Metric = Metric::counter(
    "levada_topic_written_bytes_total",
    "Bytes of keys and values written to the topic, by all queries.",
);

const FUNCTION_CALLS: Metric =
    Metric::counter("levada_function_calls_total", "Batches that a function of a user was called with.");
const FUNCTION_SECONDS: Metric =
    Metric::counter("levada_function_seconds_total", "Time that calls of a function of a user took, in seconds.");
const FUNCTION_RUNNING: Metric = Metric::gauge(
    "levada_function_slow_calls",
    "Calls of a function of a user that run for long, or take much memory.",
);

/// The states of a query.
pub(super) const STATES: [&str; 3] = ["RUNNING", "PAUSED", "ERROR"];

/// Adds all figures.
pub(super) fn add(look: &Look<'_>, to: &mut Snapshot) {
    server(look, to);
    for query in &look.queries {
        totals(query, to);
        for (id, task) in &query.tasks {
            self::task(query.id(), *id, task, to);
        }
    }
    topics(look, to);
    functions(to);
}

fn server(look: &Look<'_>, to: &mut Snapshot) {
    let shared = look.shared;
    to.add(&INFO, &[("version", env!("CARGO_PKG_VERSION")), ("service", &look.service)], 1_u64);
    to.add(&UPTIME, &[], shared.clock.elapsed().as_secs_f64());
    let storage = shared.topics.storage().usage();
    let (state, state_limit) = shared.runtime.state_bytes();
    let owners = [
        ("state", Some(state as u64)),
        ("store_cache", Some(storage.cache)),
        ("store_write_buffers", Some(storage.write_buffers)),
        ("store_indices", Some(storage.indices)),
        ("process", resident_bytes().map(|bytes| bytes as u64)),
    ];
    for (owner, bytes) in owners.into_iter().filter_map(|(owner, bytes)| Some((owner, bytes?))) {
        to.add(&MEMORY, &[("owner", owner)], bytes);
    }
    if let Some(limit) = state_limit {
        to.add(&STATE_LIMIT, &[], limit);
    }
    if let Some(limit) = shared.memory_limit {
        to.add(&MEMORY_LIMIT, &[], limit);
    }
    to.add(&DISK, &[], storage.disk);
    STATES.iter().for_each(|state| to.add(&QUERIES, &[("state", state)], look.in_state(state)));
}

fn totals(query: &QueryLook, to: &mut Snapshot) {
    let (metrics, id) = (&query.running.metrics, query.id());
    let (rows_in, rows_out, _) = metrics.totals();
    let own = [("query", id)];
    let sink = [("query", id), ("sink", query.running.sink.as_str()), ("topic", query.topic().unwrap_or_default())];
    to.add(&QUERY_INFO, &sink, 1_u64);
    for state in STATES {
        to.add(&QUERY_STATE, &[("query", id), ("state", state)], state == query.state);
    }
    to.add(&ROWS_READ, &own, rows_in);
    to.add(&BYTES_READ, &own, metrics.bytes_in());
    to.add(&ROWS_WRITTEN, &own, rows_out);
    to.add(&BYTES_WRITTEN, &own, metrics.bytes_out());
    for stage in Stage::ALL {
        to.add(&DEAD_LETTERS, &[("query", id), ("stage", stage.name())], metrics.rejected_at(stage));
    }
    for class in ErrorClass::ALL {
        to.add(&FAILURES, &[("query", id), ("class", class.name())], metrics.failures(class));
    }
    to.add(&READ_RATE, &own, query.rates.rows_in);
    to.add(&WRITE_RATE, &own, query.rates.rows_out);
    to.add(&LAG, &own, query.lag());
    to.add(&TO_RESTORE, &own, query.to_restore());
    if let Some(time) = metrics.last_out_ms() {
        to.add(&LAST_WRITTEN, &own, seconds(time));
    }
}

fn task(query: &str, id: TaskId, task: &TaskFigures, to: &mut Snapshot) {
    let name = task_name(id);
    let own: [Label<'_>; 2] = [("query", query), ("task", &name)];
    to.add(&TASK_STATE, &[own[0], own[1], ("state", task.phase.name())], 1_u64);
    to.add(&TASK_COMMITS, &own, task.commits);
    to.add(&TASK_MEMORY, &own, task.memory_bytes);
    if let Some(time) = task.last_commit_ms {
        to.add(&TASK_LAST_COMMIT, &own, seconds(time));
    }
    let stream_time = task.inputs.iter().map(|input| input.stream_time).max();
    if let Some(time) = stream_time.filter(|time| *time >= 0) {
        to.add(&STREAM_TIME, &own, seconds(time));
    }
    // What stands here of a task that is elsewhere is old.
    if task.phase != Phase::Stopped {
        task.inputs.iter().enumerate().for_each(|(index, input)| partition(own, (index, input), to));
    }
    task.operators.iter().for_each(|operator| self::operator(own, operator, to));
    for store in &task.stores {
        let labels = [own[0], own[1], ("store", store.store.as_str())];
        to.add(&STORE_ENTRIES, &labels, store.entries);
        to.add(&STORE_BYTES, &labels, store.bytes);
    }
}

/// Figures of the input at `index`: a task may read a partition in several places.
fn partition([query, task]: [Label<'_>; 2], (index, input): (usize, &InputFigures), to: &mut Snapshot) {
    let (number, index) = (input.partition.partition.to_string(), index.to_string());
    let topic = ("topic", &*input.partition.topic);
    let labels = [query, task, topic, ("partition", number.as_str()), ("input", index.as_str())];
    to.add(&PARTITION_LAG, &labels, input.lag());
    to.add(&PARTITION_POSITION, &labels, input.position);
    if let Some(end) = input.end {
        to.add(&PARTITION_END, &labels, end);
    }
    to.add(&PARTITION_READ, &labels, input.read.records);
}

fn operator([query, task]: [Label<'_>; 2], operator: &OperatorFigures, to: &mut Snapshot) {
    let own = [query, task, ("operator", &*operator.name)];
    let counts = &operator.counts;
    let ports = if operator.name.contains("Join") || operator.name.contains("Lookup") { 2 } else { 1 };
    for (port, rows) in ["left", "right"].into_iter().zip(counts.rows_in).take(ports) {
        to.add(&OPERATOR_IN, &[query, task, own[2], ("port", port)], rows);
    }
    to.add(&OPERATOR_OUT, &own, counts.rows_out);
    to.add(&OPERATOR_ERRORS, &own, counts.errors);
    for (fate, rows) in counts.fates.met() {
        to.add(&OPERATOR_FATES, &[query, task, own[2], ("fate", fate.name())], rows);
    }
    if let Some(clock) = operator.clock {
        to.add(&OPEN_WINDOWS, &own, clock.open);
    }
}

/// Records and bytes.
type Sum = (u64, u64);

fn topics(look: &Look<'_>, to: &mut Snapshot) {
    let (mut read, mut written): (BTreeMap<&str, Sum>, BTreeMap<&str, Sum>) = Default::default();
    for (_, task) in look.queries.iter().flat_map(|query| &query.tasks) {
        for input in &task.inputs {
            let sum = read.entry(&input.partition.topic).or_default();
            *sum = (sum.0 + input.read.records, sum.1 + input.read.bytes);
        }
        for output in &task.outputs {
            let Some(topic) = &output.topic else { continue };
            let sum = written.entry(topic).or_default();
            *sum = (sum.0 + output.written.rows, sum.1 + output.written.bytes);
        }
    }
    for (topic, (records, bytes)) in read {
        to.add(&TOPIC_READ, &[("topic", topic)], records);
        to.add(&TOPIC_READ_BYTES, &[("topic", topic)], bytes);
    }
    for (topic, (records, bytes)) in written {
        to.add(&TOPIC_WRITTEN, &[("topic", topic)], records);
        to.add(&TOPIC_WRITTEN_BYTES, &[("topic", topic)], bytes);
    }
}

fn functions(to: &mut Snapshot) {
    let mut slow: BTreeMap<String, usize> = BTreeMap::new();
    // A function may be there in several variations.
    for usage in plugins::usage() {
        let name = usage.name.to_uppercase();
        let own = [("function", name.as_str())];
        to.add(&FUNCTION_CALLS, &own, usage.calls);
        to.add(&FUNCTION_SECONDS, &own, usage.time.as_secs_f64());
        *slow.entry(name).or_default() += usage.slow.len();
    }
    for (name, calls) in slow {
        to.add(&FUNCTION_RUNNING, &[("function", name.as_str())], calls);
    }
}

fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}
