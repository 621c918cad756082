//! Whether the engine gives what the interpreter gives, and what it takes for it not to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::case::{Agreement, Case};
use super::engine::{self, Mode};
use super::interpreter::{Input, Interpreter, OutputRecord};

/// Attempts to make a failing case smaller.
const SHRINKS_MAX: usize = 400;

/// What each round writes.
type Rounds = Vec<Vec<OutputRecord>>;

/// A mode that gives something else.
pub struct Difference {
    mode: Mode,
    expected: Rounds,
    /// What it gives, or why it gives nothing.
    actual: Result<Rounds, String>,
}

/// Runs `case` in all modes; the first that differs is the error.
pub fn check(case: &Case, with_disk: bool) -> Result<(), Box<Difference>> {
    engine::modes(with_disk).chunk_by(|one, other| one.holds_back == other.holds_back).try_for_each(|modes| {
        let mut first: Option<Rounds> = None;
        for &mode in modes {
            let actual = check_mode(case, mode)?;
            // Headers that the interpreter does not know must at least not depend on the mode.
            match &first {
                Some(expected) if case.agreement == Agreement::EveryRecord && *expected != actual => {
                    return Err(Box::new(Difference { mode, expected: expected.clone(), actual: Ok(actual) }));
                }
                _ => first = Some(actual),
            }
        }
        Ok(())
    })
}

/// What `mode` gives, if it is what the interpreter gives.
fn check_mode(case: &Case, mode: Mode) -> Result<Rounds, Box<Difference>> {
    let mut interpreter = Interpreter::new(&case.query, &case.sources, mode.holds_back);
    let expected: Rounds = case.rounds.iter().map(|round| interpreter.round(round)).collect();
    let actual = engine::run(case, mode).map_err(|failure| failure.message);
    let compared = |rounds: &Rounds| -> Rounds {
        let mut rounds = match case.agreement {
            Agreement::EveryRecord => rounds.clone(),
            Agreement::RowsAfterRound => rows_after(rounds),
        };
        if !case.kind.has_known_headers() {
            rounds.iter_mut().flatten().for_each(|record| record.headers.clear());
        }
        rounds
    };
    match actual {
        Ok(actual) if compared(&actual) == compared(&expected) => Ok(actual),
        actual => Err(Box::new(Difference { mode, expected, actual })),
    }
}

/// The rows that the result has after each round, by key and without times.
fn rows_after(rounds: &Rounds) -> Rounds {
    let mut rows: BTreeMap<Option<Vec<u8>>, OutputRecord> = BTreeMap::new();
    let mut after = Vec::new();
    for round in rounds {
        rows.extend(round.iter().map(|record| (record.key.clone(), OutputRecord { time: 0, ..record.clone() })));
        rows.retain(|_, row| row.value.is_some());
        after.push(rows.values().cloned().collect());
    }
    after
}

/// The case and the difference for a reader, with as few records as still differ.
pub fn report(seed: u64, case: Case, difference: &Difference) -> String {
    let mode = difference.mode;
    let case = shrunk(case, mode);
    let smallest = check_mode(&case, mode).err();
    let difference = smallest.as_deref().unwrap_or(difference);
    let mut text = format!("seed {seed} ({:?}) differs with {mode}\n{}", case.kind, case.query.sql(&case.sources));
    if let Err(message) = &difference.actual {
        writeln!(text, "failure: {message}").expect("text can be appended to");
    }
    for (number, round) in case.rounds.iter().enumerate() {
        writeln!(text, "-- round {number}").expect("text can be appended to");
        for input in round {
            writeln!(text, "in {}", input_line(input, &case)).expect("text can be appended to");
        }
        for record in &difference.expected[number] {
            writeln!(text, "expected {}", record_line(record)).expect("text can be appended to");
        }
        for record in difference.actual.iter().flat_map(|rounds| &rounds[number]) {
            writeln!(text, "actual   {}", record_line(record)).expect("text can be appended to");
        }
    }
    text
}

/// Records are left out as long as the case still differs.
fn shrunk(mut case: Case, mode: Mode) -> Case {
    let mut attempts = 0;
    let mut at = 0;
    while at < record_count(&case) && attempts < SHRINKS_MAX {
        attempts += 1;
        let smaller = without(&case, at);
        if check_mode(&smaller, mode).is_err() { case = smaller } else { at += 1 }
    }
    let is_used = |round: &Vec<Input>| !round.is_empty();
    let smaller = Case { rounds: case.rounds.iter().filter(|round| is_used(round)).cloned().collect(), ..case.clone() };
    if check_mode(&smaller, mode).is_err() { smaller } else { case }
}

fn record_count(case: &Case) -> usize {
    case.rounds.iter().map(Vec::len).sum()
}

/// The case without its record number `at`.
fn without(case: &Case, at: usize) -> Case {
    let mut number = 0;
    let mut smaller = case.clone();
    for round in &mut smaller.rounds {
        round.retain(|_| {
            number += 1;
            number != at + 1
        });
    }
    smaller
}

/// A record of a source as a line.
pub fn input_line(input: &Input, case: &Case) -> String {
    let source = &case.sources[input.source];
    let key = input.key.as_ref().map_or_else(
        || "null".to_owned(),
        |key| key.iter().map(super::value::Value::json).collect::<Vec<_>>().join("/"),
    );
    let value = engine::to_record(input, source).value;
    let headers = headers(&input.headers);
    let window = input.window.map_or_else(String::new, |window| format!("[{},{}]", window.start, window.end));
    format!("{} @{}{headers} {key}{window} {}", source.topic(), input.time, text(value.as_deref()))
}

/// A record as a line, keys with their bytes where they are no text.
pub fn record_line(record: &OutputRecord) -> String {
    let headers = headers(&record.headers);
    format!("@{}{headers} {} {}", record.time, text(record.key.as_deref()), text(record.value.as_deref()))
}

fn headers(headers: &[(String, Vec<u8>)]) -> String {
    let headers = headers.iter().map(|(name, value)| format!(" #{name}={}", String::from_utf8_lossy(value)));
    headers.collect::<Vec<_>>().concat()
}

fn text(bytes: Option<&[u8]>) -> String {
    let Some(bytes) = bytes else { return "null".to_owned() };
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(char::is_control) => text.to_owned(),
        _ => bytes.iter().fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}")),
    }
}
