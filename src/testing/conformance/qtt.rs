//! Cases of persistent queries: statements, then records, one at a time and query after query.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::case::{Case, CaseRecord};
use super::comparison::{Numbers, compare};
use super::json;
use super::judgement::{self, Stop};
use super::payload;
use super::post;
use super::relaxation::Relaxation;
use super::setting::{self, EXACT_NUMBERS};
use crate::registry::SchemaRegistry;
use crate::testing::driver::{Driver, SourceInfo, TestRecord};
use crate::testing::windowed_key::Window;

/// Runs a case; the error says what was not as expected.
pub fn run(case: &Case, relaxation: &Relaxation, driver: &mut dyn Driver) -> Result<(), String> {
    let stopped = play(case, driver);
    if let Some(expected) = &case.expected_exception {
        return judgement::check(expected, relaxation, stopped);
    }
    if let Err(stop) = stopped {
        return Err(stop.reason());
    }
    check_outputs(case, relaxation, driver)?;
    match &case.post {
        Some(conditions) => post::check(conditions, relaxation, driver),
        None => Ok(()),
    }
}

fn play(case: &Case, driver: &mut dyn Driver) -> Result<(), Stop> {
    setting::set_properties(case, driver);
    setting::create_topics(case, driver).map_err(Stop::Broken)?;
    setting::register_schemas(case, driver).map_err(Stop::Broken)?;
    let statements = driver.check_script(&case.script()).map_err(Stop::InTime)?;
    for index in 0..statements {
        let is_last = index + 1 == statements;
        driver.execute(index).map_err(if is_last { Stop::InTime } else { Stop::TooEarly })?;
    }
    if case.expected_exception.is_some() && case.inputs.is_empty() {
        return Ok(());
    }
    let inputs = append_inputs(case, driver)?;
    for query in driver.queries() {
        run_query(&query.id, &query.source_topics, case, &inputs, driver)?;
    }
    Ok(())
}

/// Appends the inputs to their topics; they are fed to queries as the same bytes.
fn append_inputs(case: &Case, driver: &mut dyn Driver) -> Result<Vec<TestRecord>, Stop> {
    let (sources, registry) = (driver.sources(), driver.registry());
    let mut records = Vec::with_capacity(case.inputs.len());
    for input in &case.inputs {
        let source = source_of(&sources, &input.topic);
        let mut record = payload::to_bytes(input, source, &*registry).map_err(Stop::Broken)?;
        record.partition = Some(0);
        driver.append(&input.topic, std::slice::from_ref(&record)).map_err(Stop::InTime)?;
        records.push(record);
    }
    Ok(records)
}

fn source_of<'a>(sources: &'a [SourceInfo], topic: &str) -> Option<&'a SourceInfo> {
    sources.iter().find(|source| source.topic == topic)
}

/// Feeds a query the inputs of its topics in the order of the case, then what its other topics hold by now.
fn run_query(
    query: &str,
    topics: &[String],
    case: &Case,
    inputs: &[TestRecord],
    driver: &mut dyn Driver,
) -> Result<(), Stop> {
    // From the first feeding on a topic is not fetched; nothing of any topic may be read before its turn.
    for topic in topics {
        driver.feed(query, topic, &[]).map_err(Stop::InTime)?;
    }
    driver.settle(query).map_err(Stop::InTime)?;
    let given = case.inputs.iter().zip(inputs).filter(|(input, _)| topics.contains(&input.topic));
    for (input, record) in given {
        feed(query, &input.topic, record, driver)?;
    }
    for topic in topics.iter().filter(|topic| case.inputs.iter().all(|input| input.topic != **topic)) {
        for record in driver.records(topic) {
            feed(query, topic, &record, driver)?;
        }
    }
    Ok(())
}

/// One record, processed to completion before the next.
fn feed(query: &str, topic: &str, record: &TestRecord, driver: &mut dyn Driver) -> Result<(), Stop> {
    driver.feed(query, topic, std::slice::from_ref(record)).map_err(Stop::InTime)?;
    driver.settle(query).map_err(Stop::InTime)
}

fn check_outputs(case: &Case, relaxation: &Relaxation, driver: &dyn Driver) -> Result<(), String> {
    let (sources, registry) = (driver.sources(), driver.registry());
    let numbers = numbers(case, relaxation);
    let mut topics: Vec<&str> = Vec::new();
    for output in &case.outputs {
        if topics.contains(&output.topic.as_str()) {
            continue;
        }
        topics.push(&output.topic);
        let expected: Vec<&CaseRecord> = case.outputs.iter().filter(|other| other.topic == output.topic).collect();
        let actual = driver.records(&output.topic);
        let origin = Origin { source: source_of(&sources, &output.topic), registry: &*registry };
        check_topic(case, &expected, &actual, &origin, numbers)
            .map_err(|reason| format!("topic {}: {reason}", output.topic))?;
    }
    Ok(())
}

fn numbers(case: &Case, relaxation: &Relaxation) -> Numbers {
    let is_close = |value: &Value| json::text(value).eq_ignore_ascii_case("false");
    if case.properties.get(EXACT_NUMBERS).is_some_and(is_close) {
        Numbers::Close
    } else if relaxation.numbers_as_doubles() {
        Numbers::Doubles
    } else {
        Numbers::Exact
    }
}

/// What says how the bytes of a topic are read.
struct Origin<'a> {
    source: Option<&'a SourceInfo>,
    registry: &'a dyn SchemaRegistry,
}

fn check_topic(
    case: &Case,
    expected: &[&CaseRecord],
    actual: &[TestRecord],
    origin: &Origin<'_>,
    numbers: Numbers,
) -> Result<(), String> {
    for (i, (expected, actual)) in expected.iter().zip(actual).enumerate() {
        let checked = check_record(case, expected, actual, origin, numbers);
        checked.map_err(|reason| format!("record {}: {reason}", i + 1))?;
    }
    if expected.len() == actual.len() {
        return Ok(());
    }
    let surplus = actual.get(expected.len()).map(|record| format!(", the first surplus one is {}", shown(record)));
    Err(format!("{} records, expected {}{}", actual.len(), expected.len(), surplus.unwrap_or_default()))
}

fn shown(record: &TestRecord) -> String {
    let text = |bytes: &Option<Vec<u8>>| match bytes {
        Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        None => "null".to_owned(),
    };
    format!("{:?} {} @{}", text(&record.key), text(&record.value), record.timestamp)
}

fn check_record(
    case: &Case,
    expected: &CaseRecord,
    actual: &TestRecord,
    origin: &Origin<'_>,
    numbers: Numbers,
) -> Result<(), String> {
    let (key, window) = payload::comparable_key(actual.key.as_deref(), origin.source, origin.registry)?;
    compare("key", &key, &expected.key, numbers)?;
    check_window(window, expected)?;
    let value = payload::comparable_value(actual.value.as_deref(), origin.source, origin.registry)?;
    compare("value", &value, &expected.value, numbers)?;
    check_headers(expected, actual)?;
    match expected.timestamp {
        // Rows of INSERT VALUES carry the wall clock, which a case writes as 0.
        Some(0) if case.inputs.is_empty() => Ok(()),
        Some(timestamp) if timestamp != actual.timestamp => {
            Err(format!("timestamp: got {}, expected {timestamp}", actual.timestamp))
        }
        _ => Ok(()),
    }
}

fn check_window(actual: Option<Window>, expected: &CaseRecord) -> Result<(), String> {
    let expected = expected.window.map(|window| Window { start: window.start, end: window.end });
    if actual == expected {
        return Ok(());
    }
    let text = |window: Option<Window>| match window {
        Some(window) => format!("{}..{}", window.start, window.end),
        None => "none".to_owned(),
    };
    Err(format!("window: got {}, expected {}", text(actual), text(expected)))
}

/// Headers of an input travel to the outputs it triggers; a case that names none expects none.
fn check_headers(expected: &CaseRecord, actual: &TestRecord) -> Result<(), String> {
    let expected = expected.headers.as_deref().unwrap_or_default();
    let wanted: Vec<(&str, Option<&str>)> =
        expected.iter().map(|header| (header.key.as_str(), header.value.as_deref())).collect();
    let encoded: Vec<(&str, Option<String>)> = actual
        .headers
        .iter()
        .map(|header| (header.key.as_str(), header.value.as_deref().map(|value| STANDARD.encode(value))))
        .collect();
    let got: Vec<(&str, Option<&str>)> = encoded.iter().map(|(key, value)| (*key, value.as_deref())).collect();
    if got == wanted { Ok(()) } else { Err(format!("headers: got {got:?}, expected {wanted:?}")) }
}
