//! Cases that ask a server, played over HTTP: the requests that ksqlDB's own runner sends, and what must come back.
//!
//! ```text
//! statements before the first SELECT ─▶ POST /ksql, one request          ─▶ entities
//! records ─▶ topics
//! each SELECT                        ─▶ POST /query                      ─▶ header, rows, end
//!                                    ─▶ POST /query-stream, as Protobuf  ─▶ the same as messages
//! ```
//!
//! The engine behind the server has no threads: while an answer is awaited its queries run here.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::case::{Case, ExpectedError};
use super::rqtt::{self, QUERY, QUERY_PROTO};
use super::{protobuf, setting};
use crate::registry::protobuf::ProtobufSchema;
use crate::testing::driver::{Driver, Selected, SelectedRow};

/// Member of a response that holds the entity of a statement.
const ADMIN: &str = "admin";
const KSQL_JSON: &str = "application/vnd.ksql.v1+json";
const PROTOBUF: &str = "application/vnd.ksql.v1+protobuf";
/// How long is waited for more of an answer before the queries are run again.
const LOOK: Duration = Duration::from_millis(1);
/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is asked.
struct Call<'a> {
    address: SocketAddr,
    path: &'a str,
    accept: &'a str,
    body: Value,
}

/// What came back.
struct Answer {
    status: u16,
    content_type: String,
    body: Value,
}

/// Why a case went no further.
enum Fault {
    /// The server has refused a request.
    Refused(Answer),
    /// Something else.
    Broken(String),
}

impl From<String> for Fault {
    fn from(reason: String) -> Self {
        Self::Broken(reason)
    }
}

/// What a case was answered: entities, then rows, then rows as messages.
#[derive(Default)]
struct Answers {
    entities: Vec<Value>,
    queries: Vec<Value>,
    messages: Vec<Value>,
}

/// Runs a case against the server at `address`; the error says what was not as expected.
pub fn run(case: &Case, driver: &mut dyn Driver, address: SocketAddr) -> Result<(), String> {
    match (play(case, driver, address), &case.expected_error) {
        (Ok(_), Some(expected)) => Err(format!("not refused, expected {expected:?}")),
        (Ok(answers), None) => {
            rqtt::check_outputs(case, driver)?;
            check_responses(case, &answers)
        }
        (Err(Fault::Broken(reason)), _) => Err(reason),
        (Err(Fault::Refused(answer)), None) => Err(format!("refused: {} {}", answer.status, answer.body)),
        (Err(Fault::Refused(answer)), Some(expected)) => check_refusal(case, expected, &answer),
    }
}

fn play(case: &Case, driver: &mut dyn Driver, address: SocketAddr) -> Result<Answers, Fault> {
    setting::create_topics(case, driver)?;
    setting::register_schemas(case, driver)?;
    let first_query = case.statements.iter().position(|statement| statement.starts_with("SELECT "));
    let (admin, queries) = case.statements.split_at(first_query.unwrap_or(case.statements.len()));
    let properties = case.properties.iter().filter(|(name, _)| *name != setting::EXACT_NUMBERS);
    let properties: Map<String, Value> = properties.map(|(name, value)| (name.clone(), value.clone())).collect();
    let call = |path, accept, text: &str| {
        // Both endpoints of queries have their own names for the same.
        let body = match path {
            "/query-stream" => json!({"sql": text, "properties": properties}),
            _ => json!({"ksql": text, "streamsProperties": properties}),
        };
        Call { address, path, accept, body }
    };
    let mut answers = Answers::default();
    if !admin.is_empty() {
        let body = ask(driver, &call("/ksql", KSQL_JSON, &admin.join("\n")), None)?;
        answers.entities = body.as_array().cloned().ok_or_else(|| format!("/ksql has answered no array: {body}"))?;
    }
    let is_first = case.input_conditions.as_ref().is_some_and(|conditions| conditions.wait_for_active_push_query);
    if !is_first {
        rqtt::produce(case, driver)?;
        driver.settle_all().map_err(|failure| failure.full_text())?;
    }
    for query in queries {
        let then_produce = is_first.then_some(case);
        answers.queries.push(ask(driver, &call("/query", KSQL_JSON, query), then_produce)?);
    }
    for query in queries.iter().filter(|_| case.test_pull_with_proto_format) {
        answers.messages.push(ask(driver, &call("/query-stream", PROTOBUF, query), None)?);
    }
    Ok(answers)
}

/// Sends a request and runs the queries until its answer is there. The records of `produced` are written when the answer has begun.
fn ask(driver: &mut dyn Driver, call: &Call<'_>, produced: Option<&Case>) -> Result<Value, Fault> {
    let answer = std::thread::scope(|scope| {
        let (heard, hears) = channel();
        let asking = scope.spawn(move || send(call, &heard));
        let mut produced = produced;
        loop {
            driver.settle_all().map_err(|failure| failure.full_text())?;
            match hears.recv_timeout(LOOK) {
                Ok(()) => {
                    driver.settle_all().map_err(|failure| failure.full_text())?;
                    produced.take().map_or(Ok(()), |case| rqtt::produce(case, driver))?;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        asking.join().map_err(|_| "the client has panicked".to_owned())?
    })?;
    if answer.status != 200 {
        return Err(Fault::Refused(answer));
    }
    if answer.content_type.split(';').next() != Some(call.accept) {
        return Err(Fault::Broken(format!(
            "{} has answered {:?}, not {}",
            call.path, answer.content_type, call.accept
        )));
    }
    Ok(answer.body)
}

/// The answer to `call`. Its first line is announced, and its end by `heard` being gone.
fn send(call: &Call<'_>, heard: &Sender<()>) -> Result<Answer, String> {
    let broken = |error: ureq::Error| format!("{}: {error}", call.path);
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE));
    let request = config.build().new_agent().post(format!("http://{}{}", call.address, call.path));
    let request = request.header("accept", call.accept).header("content-type", KSQL_JSON);
    let answer = request.send(call.body.to_string()).map_err(broken)?;
    let status = answer.status().as_u16();
    let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_owned();
    let mut reader = BufReader::new(answer.into_body().into_reader());
    let mut text = Vec::new();
    let mut is_first = true;
    loop {
        let read = reader.read_until(b'\n', &mut text).map_err(|error| format!("{}: {error}", call.path))?;
        if read == 0 {
            break;
        }
        if std::mem::take(&mut is_first) {
            // Nobody listens any more when the case has failed already.
            let _ = heard.send(());
        }
    }
    let body = serde_json::from_slice(&text);
    let body = body.map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&text)))?;
    Ok(Answer { status, content_type, body })
}

fn check_refusal(case: &Case, expected: &ExpectedError, answer: &Answer) -> Result<(), String> {
    let got = || format!("\n  got:      {} {}\n  expected: {expected:?}", answer.status, answer.body);
    let text = |member: &str| answer.body.get(member).and_then(Value::as_str).unwrap_or_default();
    if expected.status.is_some_and(|status| status != answer.status) {
        return Err(format!("refused with another status{}", got()));
    }
    if expected.message.as_ref().is_some_and(|fragment| !text("message").contains(fragment.as_str())) {
        return Err(format!("refused with another text{}", got()));
    }
    if answer.body.get("error_code").is_none_or(|code| !code.is_number()) {
        return Err(format!("refused without a code{}", got()));
    }
    let is_statement_error = expected.class.as_ref().is_some_and(|class| class.ends_with(".KsqlStatementErrorMessage"));
    let last = case.statements.last().map_or("", String::as_str);
    if is_statement_error && (text("@type") != "statement_error" || !text("statementText").contains(last)) {
        return Err(format!("refused as something else than the statement {last:?}{}", got()));
    }
    Ok(())
}

/// Answers are compared one by one: entities, then rows, then messages; there may be more than the case names.
fn check_responses(case: &Case, answers: &Answers) -> Result<(), String> {
    let entities = answers.entities.iter().map(|answer| (ADMIN, answer));
    let queries = answers.queries.iter().map(|answer| (QUERY, answer));
    let messages = answers.messages.iter().map(|answer| (QUERY_PROTO, answer));
    let mut all = entities.chain(queries).chain(messages);
    for (index, expected) in case.responses.iter().flatten().enumerate() {
        let (kind, answer) = all.next().ok_or_else(|| format!("response {}: there is none", index + 1))?;
        let expected = expected.get(kind).ok_or_else(|| format!("response {} is of kind {kind}", index + 1))?;
        let statement = case.statements.get(index).map_or("", String::as_str);
        check_response(case, statement, kind, expected, answer)
            .map_err(|reason| format!("response {}: {reason}", index + 1))?;
    }
    Ok(())
}

fn check_response(case: &Case, statement: &str, kind: &str, expected: &Value, answer: &Value) -> Result<(), String> {
    let lines = || expected.as_array().ok_or("the case's response is no list");
    match kind {
        QUERY => rqtt::check_answer(case, statement, lines()?, &selected(answer)?),
        QUERY_PROTO => check_messages(lines()?, answer),
        _ => {
            let members = expected.as_object().ok_or("the case's entity is no object")?;
            let differs = members.iter().find(|(name, value)| answer.get(name) != Some(value));
            differs.map_or(Ok(()), |(name, value)| Err(format!("expected {name} {value}, got {answer}")))
        }
    }
}

/// An answer of `/query`, read.
fn selected(answer: &Value) -> Result<Selected, String> {
    let lines = answer.as_array().ok_or_else(|| format!("no array: {answer}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let header = lines.first().and_then(|line| line.get("header"));
    let header = header.ok_or_else(|| format!("the first line is no header: {answer}"))?;
    let mut selected = Selected {
        schema: text(&header["schema"]),
        columns: Vec::new(),
        query_id: text(&header["queryId"]),
        rows: Vec::new(),
        final_message: None,
    };
    for line in &lines[1..] {
        let row = line.get("row").filter(|_| selected.final_message.is_none());
        if let Some(columns) = row.and_then(|row| row.get("columns")).and_then(Value::as_array) {
            let is_tombstone = line["row"].get("tombstone") == Some(&Value::Bool(true));
            selected.rows.push(SelectedRow { columns: columns.clone(), is_tombstone });
        } else if let Some(message) = line.get("finalMessage") {
            selected.final_message = Some(text(message));
        } else {
            return Err(format!("a line that is neither a row nor the end: {line}"));
        }
    }
    Ok(selected)
}

/// An answer with messages of Protobuf.
fn check_messages(expected: &[Value], answer: &Value) -> Result<(), String> {
    let lines = answer.as_array().ok_or_else(|| format!("no array: {answer}"))?;
    let schema_text = lines.first().and_then(|line| line.get("header")?.get("protoSchema")?.as_str());
    let schema_text = schema_text.ok_or_else(|| format!("the first line is no header: {answer}"))?;
    let schema = ProtobufSchema::parse(schema_text, &[])?;
    let message = |row: &Value| {
        let text = row.get("protobufBytes").and_then(Value::as_str).ok_or_else(|| format!("no message: {row}"))?;
        let bytes = STANDARD.decode(text).map_err(|error| error.to_string())?;
        protobuf::text_format(&bytes, &schema, 0)
    };
    let rows = lines.iter().filter_map(|line| line.get("row"));
    let messages: Vec<String> = rows.map(message).collect::<Result<_, _>>()?;
    let last = lines.last().and_then(|line| line.get("finalMessage")?.as_str());
    let is_map = |name: &str| schema_text.contains(&format!("Entry {name} = "));
    rqtt::check_message_lines(expected, schema_text, messages, last, &is_map)
}
