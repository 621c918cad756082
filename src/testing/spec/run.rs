//! Runs a spec in one mode.

use std::collections::HashMap;

use super::line::{self, Line, word};
use super::parse::{Round, Spec, Text};
use super::text;
use crate::runtime::dead_letter;
use crate::testing::driver::{Driver, Failure, Open, RunMode, SourceInfo, Stage, TestRecord};
use crate::types::Header;

/// What a round expects and what came out, both as lines that can be compared.
#[derive(Debug)]
pub struct RoundResult {
    /// What the file says.
    pub expected: Vec<Line>,
    /// What came out.
    pub got: Vec<Line>,
}

/// Properties of every spec, unless it sets them itself: read everything, emit every update.
const PROPERTIES: [(&str, &str); 2] = [("auto.offset.reset", "earliest"), (CACHE, "0")];

/// How much an aggregate holds back until the commit.
const CACHE: &str = "cache.max.bytes.buffering";

/// Runs all rounds. The error is about the spec itself; what merely differs is in the result.
pub fn run(spec: &Spec, mode: RunMode, open: Open) -> Result<Vec<RoundResult>, String> {
    let mut runner = Runner::new(spec, mode, open).map_err(|failure| failure.message)?;
    spec.rounds.iter().map(|round| runner.round(round)).collect()
}

impl Spec {
    /// Whether results are held back until the commit.
    pub(super) fn holds_back(&self) -> bool {
        self.properties.iter().any(|(name, value)| name.ends_with(CACHE) && value != "0")
    }
}

struct Runner<'a> {
    spec: &'a Spec,
    mode: RunMode,
    driver: Box<dyn Driver>,
    /// Topics with `in` lines: what they hold is known.
    inputs: Vec<String>,
    /// Records seen per topic and partition.
    seen: HashMap<(String, u32), usize>,
}

impl<'a> Runner<'a> {
    fn new(spec: &'a Spec, mode: RunMode, open: Open) -> Result<Self, Failure> {
        let mut driver = open(mode)?;
        let own = spec.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for (name, value) in PROPERTIES.into_iter().chain(own) {
            driver.set_property(name, value);
        }
        let lines = spec.rounds.iter().flat_map(|round| &round.inputs);
        let mut inputs: Vec<String> = Vec::new();
        for topic in lines.filter_map(topic_of) {
            if !inputs.iter().any(|known| known == topic) {
                inputs.push(topic.to_owned());
            }
        }
        for (topic, partitions) in &spec.topics {
            driver.create_topic(topic, *partitions)?;
        }
        for topic in inputs.iter().filter(|topic| spec.topics.iter().all(|(listed, _)| listed != *topic)) {
            driver.create_topic(topic, 1)?;
        }
        Ok(Self { spec, mode, driver, inputs, seen: HashMap::new() })
    }

    fn round(&mut self, round: &Round) -> Result<RoundResult, String> {
        if let Some(now_ms) = round.clock {
            self.driver.set_clock(now_ms);
        }
        let refused = self.execute(&round.script).err();
        let sources = self.driver.sources();
        let ended = match self.steps(round, &sources)?.iter().try_for_each(|step| self.step(step)) {
            Err(failure) if failure.stage != Stage::Runtime => return Err(failure.message),
            ended => ended.err(),
        };
        let sources = self.driver.sources();
        let expected = round.expected.iter().map(|line| expected_line(line, &sources)).collect::<Result<_, _>>()?;
        let mut got = self.outputs(round, &sources);
        got.extend(self.dead_letters()?);
        got.extend(ended.map(|failure| Line::new(["fails", &one_line(&failure.message)])));
        if !round.asks.is_empty() {
            // After a restart state comes back when tasks run; what fails then has been told.
            let _ = self.driver.settle_all();
        }
        for ask in &round.asks {
            got.extend(self.answer(ask));
        }
        got.extend(refused.iter().flat_map(refusal));
        Ok(RoundResult { expected, got })
    }

    fn execute(&mut self, script: &str) -> Result<(), Failure> {
        if script.trim().is_empty() {
            return Ok(());
        }
        let statements = self.driver.check_script(script)?;
        (0..statements).try_for_each(|index| self.driver.execute(index))
    }

    /// What a SELECT answers: a line for each row, or why there are none. Places are those in its own text.
    fn answer(&mut self, ask: &Text) -> Vec<Line> {
        match self.driver.select(word(&ask.content).1) {
            Ok(selected) => {
                let rows = selected.rows.into_iter().map(|row| serde_json::Value::Array(row.columns).to_string());
                rows.map(|row| Line::new(["row", &row])).collect()
            }
            Err(failure) => refusal(&failure),
        }
    }

    /// The inputs of a round in the pieces in which they are processed.
    fn steps(&self, round: &Round, sources: &[SourceInfo]) -> Result<Vec<Step>, String> {
        let mut all: Step = Vec::with_capacity(round.inputs.len());
        for input in &round.inputs {
            let fields = line::fields(input)?;
            let source = sources.iter().find(|source| source.topic == fields.topic);
            all.push((fields.topic.to_owned(), text::to_record(input, &fields, source)?));
        }
        if self.mode.restarts && self.may_split(&all) {
            return Ok(all.into_iter().map(|record| vec![record]).collect());
        }
        Ok(vec![all])
    }

    /// Whether it makes no difference that records arrive one after another: aggregates emit every update, and the
    /// order of the lines is the one in which a task takes them when all are there.
    fn may_split(&self, records: &[(String, TestRecord)]) -> bool {
        let holds_back = self.spec.holds_back();
        !records.is_empty() && !holds_back && (self.has_one_input() || is_merge_order(records))
    }

    fn has_one_input(&self) -> bool {
        self.inputs.len() <= 1
    }

    fn step(&mut self, records: &[(String, TestRecord)]) -> Result<(), Failure> {
        for topic in &self.inputs {
            let of_topic: Vec<TestRecord> =
                records.iter().filter(|(name, _)| name == topic).map(|(_, record)| record.clone()).collect();
            if !of_topic.is_empty() {
                self.driver.append(topic, &of_topic)?;
            }
        }
        for query in self.driver.queries() {
            self.driver.settle(&query.id)?;
        }
        if self.mode.restarts { self.driver.restart() } else { Ok(()) }
    }

    /// New records of all topics that are written to, and of those that the round names.
    fn outputs(&mut self, round: &Round, sources: &[SourceInfo]) -> Vec<Line> {
        let named = round.expected.iter().filter(|line| line.content.starts_with("out")).filter_map(topic_of);
        let mut topics: Vec<&str> = Vec::new();
        for topic in sources.iter().map(|source| source.topic.as_str()).chain(named) {
            let is_known =
                self.inputs.iter().any(|input| input == topic) || self.spec.ignored.iter().any(|t| t == topic);
            if !is_known && !topics.contains(&topic) {
                topics.push(topic);
            }
        }
        let mut lines = Vec::new();
        for topic in topics {
            let source = sources.iter().find(|source| source.topic == topic);
            let new = self.new_records(topic);
            lines.extend(new.iter().map(|record| text::out_line(topic, record, source)));
        }
        lines
    }

    fn new_records(&mut self, topic: &str) -> Vec<TestRecord> {
        let mut counts: HashMap<u32, usize> = HashMap::new();
        let mut new = Vec::new();
        for record in self.driver.records(topic) {
            let partition = record.partition.unwrap_or(0);
            let count = counts.entry(partition).or_default();
            *count += 1;
            if *count > self.seen.get(&(topic.to_owned(), partition)).copied().unwrap_or(0) {
                new.push(record);
            }
        }
        self.seen.extend(counts.into_iter().map(|(partition, count)| ((topic.to_owned(), partition), count)));
        new
    }

    /// New dead letters, by query and place. Each must hold the bytes of the record that it is about.
    fn dead_letters(&mut self) -> Result<Vec<Line>, String> {
        let queries: Vec<String> = self.driver.queries().into_iter().map(|query| query.id).collect();
        let mut letters = Vec::new();
        for record in self.new_records(dead_letter::TOPIC) {
            let letter = Letter::of(&record.headers);
            let same = |original: TestRecord| (&original.key, &original.value) == (&record.key, &record.value);
            if !self.original(&letter).is_none_or(same) {
                return Err(format!("a dead letter of {} has other bytes than its record", letter.topic));
            }
            let order = queries.iter().position(|query| *query == letter.query);
            letters.push(((order, letter.topic.clone(), letter.partition, letter.offset), letter));
        }
        letters.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(letters.into_iter().map(|(_, letter)| letter.line()).collect())
    }

    fn original(&self, letter: &Letter) -> Option<TestRecord> {
        let records = self.driver.records(&letter.topic).into_iter();
        let mut records = records.filter(|record| record.partition.unwrap_or(0) == letter.partition);
        records.nth(usize::try_from(letter.offset?).ok()?)
    }
}

/// Records that are appended together, with their topics.
type Step = Vec<(String, TestRecord)>;

/// Whether a task that has all records takes them in this order: by time among topics, as they come within one. Ties
/// among topics have no order.
fn is_merge_order(records: &[(String, TestRecord)]) -> bool {
    let latest_first = |at: usize| {
        let (topic, record) = &records[at];
        let mut heads: Vec<(&str, i64)> = Vec::new();
        for (other, later) in &records[at + 1..] {
            if other != topic && heads.iter().all(|(known, _)| known != other) {
                heads.push((other, later.timestamp));
            }
        }
        heads.iter().all(|(_, timestamp)| record.timestamp < *timestamp)
    };
    (0..records.len()).all(latest_first)
}

fn topic_of(line: &Text) -> Option<&str> {
    let (_, rest) = word(&line.content);
    let (topic, _) = word(rest);
    topic.split('/').next().filter(|topic| !topic.is_empty())
}

fn expected_line(line: &Text, sources: &[SourceInfo]) -> Result<Line, String> {
    let (kind, rest) = word(&line.content);
    match kind {
        "out" => {
            let fields = line::fields(line)?;
            let source = sources.iter().find(|source| source.topic == fields.topic);
            Ok(text::out_line(fields.topic, &text::to_record(line, &fields, source)?, source))
        }
        "dead" => {
            let (topic, rest) = word(rest);
            let (stage, reason) = word(rest);
            Ok(Line::new([kind, topic, stage, reason]))
        }
        "row" => {
            let cells: serde_json::Value =
                serde_json::from_str(rest).map_err(|_| line.fault("a row is a JSON array"))?;
            Ok(Line::new([kind, &cells.to_string()]))
        }
        _ => Ok(Line::new([kind, rest])),
    }
}

/// The lines of a refused statement: `error LINE:COLUMN message`, `| more of it`, `hint advice`.
fn refusal(failure: &Failure) -> Vec<Line> {
    let mut message = failure.message.lines().map(str::trim_end);
    let first = message.next().unwrap_or("");
    let first = match failure.position {
        Some((line, column)) => format!("{line}:{column} {first}"),
        None => first.to_owned(),
    };
    let mut lines = vec![Line::new(["error", first.as_str()])];
    lines.extend(message.map(|more| Line::new(["|", more.trim_start()])));
    lines.extend(failure.hint.iter().map(|hint| Line::new(["hint", &one_line(hint)])));
    lines
}

/// Where a dead letter comes from and why.
#[derive(Debug, Default)]
struct Letter {
    query: String,
    topic: String,
    partition: u32,
    offset: Option<i64>,
    stage: String,
    reason: String,
}

impl Letter {
    fn of(headers: &[Header]) -> Self {
        let text = |name: &str| {
            let header = headers.iter().rev().find(|header| header.key == name);
            let bytes = header.and_then(|header| header.value.as_deref()).unwrap_or_default();
            String::from_utf8_lossy(bytes).into_owned()
        };
        Self {
            query: text("levada.query"),
            topic: text("levada.topic"),
            partition: text("levada.partition").parse().unwrap_or(0),
            offset: text("levada.offset").parse().ok(),
            stage: text("levada.stage"),
            reason: text("levada.reason"),
        }
    }

    fn line(&self) -> Line {
        let topic = if self.topic.is_empty() { "-" } else { &self.topic };
        Line::new(["dead", topic, &self.stage, &one_line(&self.reason)])
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(list: &[(&str, i64)]) -> Step {
        let record = |timestamp| TestRecord { timestamp, ..TestRecord::default() };
        list.iter().map(|(topic, timestamp)| ((*topic).to_owned(), record(*timestamp))).collect()
    }

    #[test]
    fn merge_order_is_by_time_among_topics() {
        assert!(is_merge_order(&records(&[("a", 1), ("b", 2), ("a", 3)])));
        assert!(is_merge_order(&records(&[("a", 5), ("a", 3), ("a", 9)])));
        assert!(!is_merge_order(&records(&[("a", 5), ("b", 3)])));
        assert!(!is_merge_order(&records(&[("a", 5), ("b", 5)])), "a tie");
        // The head of a hides what is behind it.
        assert!(!is_merge_order(&records(&[("a", 1), ("b", 4), ("a", 3)])));
    }

    #[test]
    fn a_refusal_names_position_and_hint() {
        let failure = Failure {
            position: Some((2, 9)),
            hint: Some("did you mean B?".to_owned()),
            ..Failure::new(crate::testing::driver::Stage::Rejected, "no such column: C\n  Statement: …")
        };
        let lines: Vec<String> = refusal(&failure).iter().map(Line::canonical).collect();
        assert_eq!(lines, ["error 2:9 no such column: C", "| Statement: …", "hint did you mean B?"]);
    }
}
