//! DIAGNOSE: why a query gives no or few results. What was read, what became of it in each step, where time stands, and what
//! follows from that in words. Figures are those of this server.

mod findings;
mod steps;

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};

use super::monitoring::QueryLook;
use super::queries::RunningQuery;
use super::{Listing, Shared, show};
use crate::runtime::metrics::{InputFigures, task_name};

use steps::Step;

/// What DIAGNOSE answers for `query`.
pub(super) fn listings(shared: &Shared, query: &RunningQuery) -> Vec<Listing> {
    let look = QueryLook::new(shared, Arc::new(query.clone()));
    let id = look.id();
    let facts = Listing::facts([
        ("Query ID", id.to_owned()),
        ("Status", look.state.to_owned()),
        ("Sink", look.running.sink.clone()),
        ("Lag", look.lag().to_string()),
    ]);
    let steps = steps::steps(&look)
        .into_iter()
        .map(|step| vec![step.name.clone(), step.rows_in.to_string(), step.rows_out.to_string(), step.others()]);
    let steps = Listing::table("Rows", &["Step", "Came", "Went on", "The others"], steps.collect());
    let tasks = Listing::table(
        "Tasks of this server",
        &["Task", "Status", "Topic", "Partition", "Position", "Lag", "Time"],
        tasks(&look),
    );
    let mut listings = vec![facts, steps.about([("Query ID", id)])];
    listings.extend((!tasks.rows.is_empty()).then(|| tasks.about([("Query ID", id)])));
    let windows = windows(&look);
    if !windows.is_empty() {
        let columns = ["Task", "Step", "Time", "Open", "Next closes at"];
        listings.push(Listing::table("Windows", &columns, windows).about([("Query ID", id)]));
    }
    listings.push(show::lines("Findings", findings(&look)).about([("Query ID", id)]));
    listings
}

/// What is to be said of the query, the most important first.
pub(super) fn findings(look: &QueryLook) -> Vec<String> {
    findings::findings(look, &steps::steps(look))
}

fn tasks(look: &QueryLook) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (id, task) in &look.tasks {
        for input in &task.inputs {
            rows.push(vec![
                task_name(*id),
                task.phase.name().to_owned(),
                short(look, &input.partition.topic),
                input.partition.partition.to_string(),
                input.position.to_string(),
                input.lag().to_string(),
                time(input.stream_time),
            ]);
        }
        if task.inputs.is_empty() {
            let mut row = vec![task_name(*id), task.phase.name().to_owned()];
            row.resize(7, String::new());
            rows.push(row);
        }
    }
    rows
}

fn windows(look: &QueryLook) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for (id, task) in &look.tasks {
        for operator in &task.operators {
            let Some(clock) = operator.clock else { continue };
            rows.push(vec![
                task_name(*id),
                operator.name.to_string(),
                time(clock.stream_time),
                clock.open.to_string(),
                clock.next_close.map_or_else(String::new, time),
            ]);
        }
    }
    rows
}

/// The name of a topic, of one of the query's own without what all of them begin with.
fn short(look: &QueryLook, topic: &str) -> String {
    let prefix = format!("{}-", look.running.spec.group);
    topic.strip_prefix(&prefix).unwrap_or(topic).to_owned()
}

/// Where an input reads, in words.
fn place(look: &QueryLook, input: &InputFigures) -> String {
    format!("partition {} of topic {}", input.partition.partition, short(look, &input.partition.topic))
}

/// `timestamp_ms` as ISO-8601 text; nothing below 0.
fn time(timestamp_ms: i64) -> String {
    if timestamp_ms < 0 {
        return String::new();
    }
    DateTime::from_timestamp_millis(timestamp_ms)
        .map_or_else(|| timestamp_ms.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

impl Step {
    /// Rows that were lost on the way for one reason.
    fn lost_to(&self, why: &str) -> u64 {
        self.lost.iter().filter(|lost| lost.why == why).map(|lost| lost.rows).sum()
    }
}

#[cfg(test)]
mod tests;
