//! What follows from the figures of a query, in sentences.

use super::super::monitoring::QueryLook;
use super::steps::{
    EMPTY, FAILED, LATE, NO_KEY, NO_VALUE, NOT_WRITTEN, REMOVED_BY_HAVING, REMOVED_BY_WHERE, Step, StepKind, UNMATCHED,
    UNREADABLE, WAITED,
};
use super::{place, short, time};
use crate::plan::PlanNode;
use crate::runtime::metrics::{InputFigures, Phase, TaskFigures, TaskId, task_name};

/// Shares of rows below this, in percent, are not worth a sentence, unless nothing came out.
const WORTH_PERCENT: u64 = 10;
/// A task this far behind another in time is told of, in milliseconds.
const BEHIND_MS: i64 = 60_000;

/// All there is to say, the most important first.
pub(super) fn findings(look: &QueryLook, steps: &[Step]) -> Vec<String> {
    let mut said = Vec::new();
    state(look, &mut said);
    sources(look, &mut said);
    lag(look, &mut said);
    for step in steps {
        losses(look, step, steps, &mut said);
    }
    held_back(look, steps, &mut said);
    windows(look, &mut said);
    clocks(look, &mut said);
    waiting(look, &mut said);
    if said.is_empty() {
        said.push(summary(steps));
    }
    said
}

fn state(look: &QueryLook, said: &mut Vec<String>) {
    let id = look.id();
    match look.state {
        "PAUSED" => said.push(format!("The query is paused: RESUME {id}; lets it go on.")),
        "ERROR" => {
            let failure = look.running.metrics.failure().unwrap_or_default();
            said.push(format!("The query does not run at the moment, and is tried again: {failure}"));
        }
        _ if look.tasks.is_empty() => {
            said.push("No task of the query runs on this server: ask the others.".to_owned());
        }
        _ => {}
    }
    if look.to_restore() > 0 {
        said.push(format!(
            "Its state comes back from changelogs: {} records are left to read before it goes on.",
            look.to_restore()
        ));
    }
}

/// Sources of which nothing was read.
fn sources(look: &QueryLook, said: &mut Vec<String>) {
    let mut topics: Vec<&str> = Vec::new();
    for (_, input) in look.inputs().filter(|(_, input)| input.is_source) {
        if !topics.contains(&&*input.partition.topic) {
            topics.push(&input.partition.topic);
        }
    }
    for topic in topics {
        let of_topic = || look.inputs().map(|(_, input)| input).filter(|input| *input.partition.topic == *topic);
        if of_topic().any(|input| input.read.records > 0) || look.state != "RUNNING" {
            continue;
        }
        let before: i64 = of_topic().map(|input| input.position).sum();
        if of_topic().any(|input| input.lag() > 0) {
            said.push(format!("Nothing was read from topic {topic} yet, though it has records."));
        } else if before == 0 {
            said.push(format!("Topic {topic} is empty."));
        } else {
            said.push(format!(
                "Nothing was read from topic {topic} since the query was started here. Its {before} records came before: they were \
                 processed already, or the query began behind them (SET 'auto.offset.reset' = 'earliest'; before CREATE reads \
                 them)."
            ));
        }
    }
}

fn lag(look: &QueryLook, said: &mut Vec<String>) {
    let lag = look.lag();
    let inputs = look.inputs().filter(|(_, input)| input.is_source);
    let Some((_, most)) = inputs.max_by_key(|(_, input)| input.lag()).filter(|_| lag > 0) else { return };
    if lag == most.lag() {
        said.push(format!("{} are not processed yet: all in {}.", records(lag), place(look, most)));
    } else {
        let place = place(look, most);
        said.push(format!("{} are not processed yet, most of them, {}, in {place}.", records(lag), most.lag()));
    }
}

/// What was lost in a step.
fn losses(look: &QueryLook, step: &Step, steps: &[Step], said: &mut Vec<String>) {
    if step.rows_in == 0 {
        return;
    }
    let nothing_came = results(steps) == 0;
    for lost in &step.lost {
        let share = percent(lost.rows, step.rows_in);
        let is_much = lost.rows * 100 >= step.rows_in * WORTH_PERCENT || nothing_came;
        let name = &step.name;
        let letters = format!("SELECT * FROM LEVADA_DEAD_LETTERS WHERE QUERY_ID = '{}'; shows them", look.id());
        let sentence = match lost.why {
            why if UNREADABLE.contains(&why) => {
                let topic = name.trim_start_matches("Read ");
                Some(format!("{share} of the records of topic {topic} were left out: {lost}. {letters}."))
            }
            REMOVED_BY_WHERE if is_much => Some(format!("{share} of the rows were removed by WHERE ({name}).")),
            REMOVED_BY_HAVING if is_much => Some(format!("{share} of the results were removed by HAVING ({name}).")),
            NO_KEY => Some(format!("{share} of the rows of {name} were dropped: they have no key, or NULL in it.")),
            NO_VALUE if is_much => Some(format!("{share} of the rows of {name} were dropped: they have no value.")),
            LATE => Some(format!(
                "{share} of the rows of {name} came after their windows had closed: a longer GRACE PERIOD takes them."
            )),
            UNMATCHED if is_much => Some(format!("{share} of the rows of {name} found no partner.")),
            WAITED if step.rows_out == 0 => Some(unpartnered(step)),
            EMPTY if is_much => Some(format!("{share} of the rows of {name} gave no row: their lists are empty.")),
            FAILED => Some(format!("{} failed in {name}: {letters}.", rows(lost.rows))),
            NOT_WRITTEN => Some(format!("{} could not be written ({name}): {letters}.", rows(lost.rows))),
            _ => None,
        };
        said.extend(sentence);
    }
    if step.name.contains("Join") && (step.right == 0 || step.right == step.rows_in) {
        let (side, other) = if step.right == 0 { ("right", "left") } else { ("left", "right") };
        said.push(format!(
            "{} came from the {other} side of {} and none from the {side} one.",
            rows(step.rows_in),
            step.name
        ));
    }
}

/// A join of streams in which no record has met another.
fn unpartnered(step: &Step) -> String {
    format!(
        "None of the {} of {} has found a partner: compare the keys of both sides, and their times with WITHIN.",
        rows(step.rows_in),
        step.name
    )
}

/// Results that wait for a commit.
fn held_back(look: &QueryLook, steps: &[Step], said: &mut Vec<String>) {
    let keeps = |step: &&Step| step.name.starts_with("Aggregate") || step.name.starts_with("Materialize");
    let waits = steps.iter().filter(keeps).any(|step| step.rows_in > step.lost_to(NO_KEY) && step.rows_out == 0);
    if waits && !is_final(look) && look.tasks.iter().all(|(_, task)| task.commits == 0) {
        said.push(
            "Results are held back until the next commit (commit.interval.ms); with cache.max.bytes.buffering=0 each comes at once."
                .to_owned(),
        );
    }
}

/// Windows whose results come when they close.
fn windows(look: &QueryLook, said: &mut Vec<String>) {
    if !is_final(look) {
        return;
    }
    for (id, operator, clock) in clocks_of(look).filter(|(.., clock)| clock.open > 0) {
        let next = match clock.next_close {
            Some(next) => format!("the first closes when a record of {} or later comes", time(next)),
            None => "they close when records come that are late enough".to_owned(),
        };
        let (windows, wait) = match clock.open {
            1 => ("1 window".to_owned(), "waits"),
            open => (format!("{open} windows"), "wait"),
        };
        said.push(format!(
            "{windows} of {operator} in task {} {wait} to be closed: {next}; time there is {}.",
            task_name(id),
            time(clock.stream_time)
        ));
    }
}

type ClockOf<'l> = (TaskId, &'l str, crate::operators::WindowClock);

fn clocks_of(look: &QueryLook) -> impl Iterator<Item = ClockOf<'_>> {
    look.tasks.iter().flat_map(|(id, task)| {
        let operators = task.operators.iter();
        operators.filter_map(|operator| Some((*id, &*operator.name, operator.clock?)))
    })
}

/// Tasks whose time is behind that of others of their kind: windows close later there.
fn clocks(look: &QueryLook, said: &mut Vec<String>) {
    let with_windows = |(_, task): &&(TaskId, TaskFigures)| {
        task.phase == Phase::Running && task.operators.iter().any(|operator| operator.clock.is_some())
    };
    let newest = |task: &TaskFigures| task.inputs.iter().map(|input| input.stream_time).max().unwrap_or(-1);
    let tasks: Vec<_> = look.tasks.iter().filter(with_windows).collect();
    for (id, task) in &tasks {
        let ahead = tasks.iter().filter(|(other, _)| other.0 == id.0).max_by_key(|(_, other)| newest(other));
        let Some((ahead_id, ahead)) = ahead.filter(|(_, ahead)| newest(ahead) - newest(task) > BEHIND_MS) else {
            continue;
        };
        let holds: Vec<String> = task.inputs.iter().map(|input| hold(look, input)).collect();
        let now = if newest(task) < 0 { "has no time yet".to_owned() } else { format!("is at {}", time(newest(task))) };
        said.push(format!(
            "Task {} {now}, task {} at {}: windows close later there. {}.",
            task_name(*id),
            task_name(*ahead_id),
            time(newest(ahead)),
            holds.join(", ")
        ));
    }
}

fn hold(look: &QueryLook, input: &InputFigures) -> String {
    let place = place(look, input);
    match (input.lag(), input.read.records) {
        (0, 0) => format!("From {place} nothing has come"),
        (0, _) => format!("In {place} nothing newer has come"),
        (lag, _) => format!("In {place} {lag} records wait"),
    }
}

/// Rows that wait for another input of their task.
fn waiting(look: &QueryLook, said: &mut Vec<String>) {
    for (id, task) in &look.tasks {
        let behind: Vec<&InputFigures> = task.inputs.iter().filter(|input| input.waiting == 0).collect();
        for input in task.inputs.iter().filter(|input| input.waiting > 0 && !behind.is_empty()) {
            let others: Vec<String> = behind.iter().map(|input| short(look, &input.partition.topic)).collect();
            said.push(format!(
                "{} of {} in task {} wait until earlier ones of {} have come.",
                rows(input.waiting),
                place(look, input),
                task_name(*id),
                others.join(", ")
            ));
        }
    }
}

fn summary(steps: &[Step]) -> String {
    let read: u64 = steps.iter().filter(|step| step.kind == StepKind::Source).map(|step| step.rows_in).sum();
    let results = match results(steps) {
        1 => "1 result was".to_owned(),
        count => format!("{count} results were"),
    };
    let read = if read == 1 { "1 record was".to_owned() } else { format!("{read} records were") };
    format!("{read} read and processed; {results} written.")
}

fn results(steps: &[Step]) -> u64 {
    steps.iter().filter(|step| step.kind == StepKind::Sink).map(|step| step.rows_out).sum()
}

/// Whether results come when windows close.
fn is_final(look: &QueryLook) -> bool {
    fn below(node: &PlanNode) -> bool {
        matches!(node, PlanNode::Aggregate(aggregate) if aggregate.is_final) || node.inputs().into_iter().any(below)
    }
    below(&look.running.spec.plan.root)
}

/// `97%`: never 100 unless all, never 0.
fn percent(part: u64, whole: u64) -> String {
    match part * 100 / whole.max(1) {
        0 => "Less than 1%".to_owned(),
        share => format!("{share}%"),
    }
}

fn rows(count: u64) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}

fn records(count: u64) -> String {
    if count == 1 { "1 record".to_owned() } else { format!("{count} records") }
}
