//! The names under which ksqlDB's figures reach Prometheus, by the rules that dashboards for ksqlDB are made for
//! (users 3.3, surface 9.4). What has no meaning here, such as threads of Kafka Streams, is not made up.

use std::collections::BTreeMap;

use super::look::{Look, QueryLook};
use crate::metrics::{Metric, Snapshot};
use crate::topics::TopicPartition;

macro_rules! engine_metrics {
    ($($constant:ident = $kind:ident $attribute:literal, $help:literal;)*) => {
        $(const $constant: Metric =
            Metric::$kind(concat!("ksql_ksql_engine_query_stats_", $attribute), $help);)*
    };
}

engine_metrics! {
    ACTIVE = gauge "num_active_queries", "Queries that are there: persistent ones, and push queries that clients read.";
    IDLE = gauge "num_idle_queries", "Queries that read nothing in the last ten seconds.";
    PERSISTENT = gauge "num_persistent_queries", "Persistent queries.";
    CREATED = gauge "created_queries", "Queries that do not run yet: their state comes back.";
    RUNNING = gauge "running_queries", "Queries that run.";
    REBALANCING = gauge "rebalancing_queries", "Queries whose state comes back.";
    NOT_RUNNING = gauge "not_running_queries", "Queries that are paused.";
    PENDING_SHUTDOWN = gauge "pending_shutdown_queries", "Queries that are being stopped.";
    ERROR_QUERIES = gauge "error_queries", "Queries that have failed and wait to be tried again.";
    LIVENESS = gauge "liveness_indicator", "1 while the server runs.";
    CONSUMED_TOTAL = counter "messages_consumed_total", "Records read by all queries.";
    CONSUMED_RATE = gauge "messages_consumed_per_sec", "Records read per second by all queries.";
    CONSUMED_MIN = gauge "messages_consumed_min", "Records read per second by the query that reads least.";
    CONSUMED_MAX = gauge "messages_consumed_max", "Records read per second by the query that reads most.";
    CONSUMED_AVG = gauge "messages_consumed_avg", "Records read per second by a query on average.";
    BYTES_TOTAL = counter "bytes_consumed_total", "Bytes read by all queries.";
    PRODUCED_RATE = gauge "messages_produced_per_sec", "Records written per second by all queries.";
    ERROR_RATE = counter "error_rate", "Records that could not be used, of all queries.";
}

const KSQL_QUERY_STATUS: Metric =
    Metric::untyped("ksql_ksql_metrics_ksql_queries_ksql_query_status", "1, with the state of the query.");
const QUERY_STATUS: Metric =
    Metric::untyped("ksql_ksql_metrics_ksql_queries_query_status", "1, with what the query's tasks are at.");
const ERROR_STATUS: Metric =
    Metric::untyped("ksql_ksql_metrics_ksql_queries_error_status", "1, with the class of the query's last error.");
const QUERY_RESTARTS: Metric =
    Metric::counter("ksql_ksql_metrics_ksql_queries_query_restart_total", "How often the query was tried again.");

const PULL_QUERY: Metric = Metric::untyped(
    "ksql_ksql_metrics_pull_query",
    "Pull queries: times in microseconds by quantile, totals by value_type.",
);

const RECORDS_LAG: Metric = Metric::gauge(
    "kafka_consumer_consumer_fetch_manager_metrics_records_lag",
    "Records of the partition that the query has not processed.",
);
const RECORDS_LAG_MAX: Metric = Metric::gauge(
    "kafka_consumer_consumer_fetch_manager_metrics_records_lag_max",
    "Records that the query has not processed, of the partition with most.",
);
const RECORDS_CONSUMED: Metric = Metric::counter(
    "kafka_consumer_consumer_fetch_manager_metrics_records_consumed_total",
    "Records that the query has read from the partition.",
);
const CONSUMER_TOTAL: Metric =
    Metric::counter("ksql_consumer_metrics_consumer_total_messages", "Records that the query has read from the topic.");
const CONSUMER_BYTES: Metric =
    Metric::counter("ksql_consumer_metrics_consumer_total_bytes", "Bytes that the query has read from the topic.");
const PRODUCER_TOTAL: Metric =
    Metric::counter("ksql_producer_metrics_total_messages", "Records that the query has written to the topic.");
const PRODUCER_RATE: Metric = Metric::gauge(
    "ksql_producer_metrics_messages_per_sec",
    "Records that the query has written per second to the topic, in the last ten seconds.",
);

/// Quantiles that ksqlDB tells, with their labels.
const QUANTILES: [(&str, f64); 4] = [("0.50", 0.5), ("0.75", 0.75), ("0.90", 0.9), ("0.99", 0.99)];

/// Adds all figures.
pub(super) fn add(look: &Look<'_>, to: &mut Snapshot) {
    engine(look, to);
    for query in &look.queries {
        status(&look.service, query, to);
        clients(query, to);
    }
    pulls(look, to);
}

fn engine(look: &Look<'_>, to: &mut Snapshot) {
    let own = [("ksql_cluster", look.service.as_str())];
    let queries = &look.queries;
    let restoring = queries.iter().filter(|query| query.to_restore() > 0).count();
    let is_active = |query: &&QueryLook| query.rates.rows_in > 0.0 || query.rates.rows_out > 0.0;
    let active = queries.iter().filter(is_active).count();
    let counts = [
        (&ACTIVE, queries.len() + look.shared.pushes.running().len()),
        (&IDLE, queries.len() - active),
        (&PERSISTENT, queries.len()),
        (&CREATED, 0),
        (&RUNNING, look.in_state("RUNNING").saturating_sub(restoring)),
        (&REBALANCING, restoring),
        (&NOT_RUNNING, look.in_state("PAUSED")),
        (&PENDING_SHUTDOWN, 0),
        (&ERROR_QUERIES, look.in_state("ERROR")),
        (&LIVENESS, 1),
    ];
    counts.iter().for_each(|(metric, count)| to.add(metric, &own, *count));
    let read: Vec<f64> = queries.iter().map(|query| query.rates.rows_in).collect();
    let sum: f64 = read.iter().sum();
    let totals = queries.iter().map(|query| query.running.metrics.totals());
    let (consumed, rejected) = totals.fold((0, 0), |sum, (rows_in, _, rejected)| (sum.0 + rows_in, sum.1 + rejected));
    to.add(&CONSUMED_TOTAL, &own, consumed);
    to.add(&ERROR_RATE, &own, rejected);
    to.add(&BYTES_TOTAL, &own, queries.iter().map(|query| query.running.metrics.bytes_in()).sum::<u64>());
    to.add(&CONSUMED_RATE, &own, sum);
    to.add(&CONSUMED_MIN, &own, read.iter().copied().reduce(f64::min).unwrap_or(0.0));
    to.add(&CONSUMED_MAX, &own, read.iter().copied().reduce(f64::max).unwrap_or(0.0));
    to.add(&CONSUMED_AVG, &own, sum / (read.len().max(1) as f64));
    to.add(&PRODUCED_RATE, &own, queries.iter().map(|query| query.rates.rows_out).sum::<f64>());
}

fn status(service: &str, query: &QueryLook, to: &mut Snapshot) {
    let own = [("ksql_query", query.id()), ("ksql_cluster", service)];
    let metrics = &query.running.metrics;
    let error = metrics.errors().last().map_or("NO_ERROR", |error| error.class.name());
    let phase = match query.state {
        "RUNNING" if query.to_restore() > 0 => "REBALANCING",
        "PAUSED" => "NOT_RUNNING",
        state => state,
    };
    to.add(&KSQL_QUERY_STATUS, &[own[0], own[1], ("ksql_query_status", query.state)], 1_u64);
    to.add(&QUERY_STATUS, &[own[0], own[1], ("query_status", phase)], 1_u64);
    to.add(&ERROR_STATUS, &[own[0], own[1], ("error_status", error)], 1_u64);
    let restarts = crate::runtime::query_error::ErrorClass::ALL.map(|class| metrics.failures(class));
    to.add(&QUERY_RESTARTS, &own, restarts.iter().sum::<u64>());
}

/// What a query's consumers and producers would tell, by topic and partition.
fn clients(query: &QueryLook, to: &mut Snapshot) {
    let client = format!("{}-consumer", query.running.spec.group);
    let mut topics: Vec<&str> = Vec::new();
    // Of a partition that is read in several places, the place that is furthest behind.
    let mut lags: BTreeMap<&TopicPartition, u64> = BTreeMap::new();
    for (_, input) in query.inputs() {
        let lag = lags.entry(&input.partition).or_default();
        *lag = input.lag().max(*lag);
    }
    for (_, input) in query.inputs() {
        let (topic, number) = (&*input.partition.topic, input.partition.partition.to_string());
        let own =
            [("client_type", "consumer"), ("client_id", &client), ("topic", topic), ("partition", number.as_str())];
        to.add(&RECORDS_LAG, &own, lags.get(&input.partition).copied().unwrap_or(0));
        to.add(&RECORDS_CONSUMED, &own, input.read.records);
        if !topics.contains(&topic) {
            topics.push(topic);
        }
    }
    let lag = query.inputs().map(|(_, input)| input.lag()).max().unwrap_or(0);
    to.add(&RECORDS_LAG_MAX, &[("client_type", "consumer"), ("client_id", &client)], lag);
    for topic in topics {
        let of_topic = || query.inputs().filter(|(_, input)| *input.partition.topic == *topic);
        let own = [("key", topic), ("id", query.id())];
        to.add(&CONSUMER_TOTAL, &own, of_topic().map(|(_, input)| input.read.records).sum::<u64>());
        to.add(&CONSUMER_BYTES, &own, of_topic().map(|(_, input)| input.read.bytes).sum::<u64>());
    }
    if let Some(topic) = query.topic() {
        let own = [("key", topic), ("id", query.id())];
        to.add(&PRODUCER_TOTAL, &own, query.running.metrics.totals().1);
        to.add(&PRODUCER_RATE, &own, query.rates.rows_out);
    }
}

fn pulls(look: &Look<'_>, to: &mut Snapshot) {
    for (kind, times, rows, errors) in look.shared.pulls.so_far() {
        let plan = [("ksql_service_id", look.service.as_str()), ("query_plan_type", kind.name())];
        let latency = ("attribute_name", "pull_query_requests_latency");
        for (label, share) in QUANTILES {
            let microseconds = times.quantile(share).unwrap_or(0.0) * 1e6;
            to.add(&PULL_QUERY, &[plan[0], plan[1], latency, ("quantile", label)], microseconds);
        }
        let totals = [
            ("pull_query_requests", times.count()),
            ("pull_query_requests_error", errors),
            ("pull_query_requests_rows_returned", rows),
        ];
        for (attribute, total) in totals {
            let labels = [plan[0], plan[1], ("attribute_name", attribute), ("value_type", "total")];
            to.add(&PULL_QUERY, &labels, total);
        }
    }
}
