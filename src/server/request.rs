//! Requests, read: whatever content type they have, since several clients send none.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::problem::{Code, Problem};
use crate::engine::Session;

/// A request with statements or one query: of `/ksql`, `/query`, `/query-stream` and `/ws/query`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct StatementRequest {
    /// The statements.
    #[serde(alias = "sql", default)]
    pub ksql: Option<String>,
    /// Properties of the session.
    #[serde(rename = "streamsProperties", alias = "properties", default)]
    streams_properties: Option<Map<String, Value>>,
    /// Variables, as DEFINE sets them.
    #[serde(rename = "sessionVariables", default)]
    session_variables: Option<Map<String, Value>>,
    /// The command that must have been carried out before.
    #[serde(rename = "commandSequenceNumber", default)]
    pub command_sequence_number: Option<i64>,
    /// What one server asks of another.
    #[serde(rename = "requestProperties", default)]
    request_properties: Option<Map<String, Value>>,
}

/// Requests of servers say so, are answered of what the other one has itself, and only of these partitions.
const INTERNAL: &str = "request.ksql.internal.request";
const SKIP_FORWARDING: &str = "request.ksql.query.pull.skip.forwarding";
/// Whether references to variables are replaced.
const SUBSTITUTION: &str = "ksql.variable.substitution.enable";
const PARTITIONS: &str = "request.ksql.query.pull.partition";

/// Whose rows a pull query is to answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// All.
    All,
    /// Those of the server that is asked.
    Own,
    /// Those that it has of these partitions.
    Partitions(Vec<u32>),
}

impl StatementRequest {
    /// Reads the body of a request.
    pub fn read(body: &[u8]) -> Result<Self, Problem> {
        serde_json::from_slice(body).map_err(|error| {
            Problem::bad_request(format!("the request is not understood: {error}")).with_position_of(&error)
        })
    }

    /// The text of the statements.
    pub fn text(&self) -> Result<&str, Problem> {
        let none = || Problem::bad_request("the request has no statement: say it as \"ksql\" (or \"sql\")");
        self.ksql.as_deref().ok_or_else(none)
    }

    /// Whose rows are asked for.
    pub fn scope(&self) -> Result<Scope, Problem> {
        let Some(properties) = &self.request_properties else { return Ok(Scope::All) };
        let is_true = |value: &Value| value.as_bool() == Some(true) || value.as_str() == Some("true");
        if !properties.get(SKIP_FORWARDING).is_some_and(is_true) {
            return Ok(Scope::All);
        }
        let Some(partitions) = properties.get(PARTITIONS) else { return Ok(Scope::Own) };
        let text = partitions.as_str().map_or_else(|| partitions.to_string(), ToOwned::to_owned);
        let numbers = text.split(',').map(str::trim).filter(|one| !one.is_empty()).map(str::parse);
        let numbers = numbers.collect::<Result<_, _>>();
        let wrong =
            |_| Problem::bad_request(format!("'{text}' is no value of {PARTITIONS}: it is numbers with commas"));
        numbers.map(Scope::Partitions).map_err(wrong)
    }

    /// The body of the same request to another server, for what it has of `partitions`, once it has carried out `command`.
    pub fn forwarded(&self, partitions: &[u32], command: Option<u64>) -> Value {
        let partitions: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        json!({
            "sql": self.ksql,
            "properties": self.streams_properties,
            "sessionVariables": self.session_variables,
            "commandSequenceNumber": command,
            "requestProperties": {INTERNAL: true, SKIP_FORWARDING: true, PARTITIONS: partitions.join(",")},
        })
    }

    /// The same request for the statement `text`, in which nothing is left to be replaced.
    pub fn with_text(&self, text: &str) -> Self {
        let mut properties = self.streams_properties.clone().unwrap_or_default();
        properties.insert(SUBSTITUTION.to_owned(), false.into());
        Self {
            ksql: Some(text.to_owned()),
            streams_properties: Some(properties),
            session_variables: None,
            ..self.clone()
        }
    }

    /// A session with what the request sets.
    pub fn session(&self) -> Session {
        let variables = texts(self.session_variables.as_ref(), str::to_lowercase);
        Session { variables, ..session_of(self.streams_properties.as_ref()) }
    }
}

/// A session with `properties`.
pub fn session_of(properties: Option<&Map<String, Value>>) -> Session {
    Session { properties: texts(properties, ToOwned::to_owned), ..Session::default() }
}

/// Values as texts; what is null is not set.
fn texts(values: Option<&Map<String, Value>>, name_of: impl Fn(&str) -> String) -> BTreeMap<String, String> {
    let set = values.into_iter().flatten().filter(|(_, value)| !value.is_null());
    set.map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        (name_of(name), value)
    })
    .collect()
}

impl Problem {
    fn with_position_of(mut self, error: &serde_json::Error) -> Self {
        self.position = (error.line() > 0).then(|| (error.line(), error.column()));
        self
    }
}

/// Forms of answers with rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowForm {
    /// Lines: what comes, then an array per row.
    Delimited,
    /// A JSON array of the same.
    Json,
    /// A JSON array with rows as Protobuf messages.
    Protobuf,
    /// A stream of Arrow's IPC format.
    Arrow,
}

/// The type of lines.
pub const DELIMITED: &str = "application/vnd.ksqlapi.delimited.v1";
/// ksqlDB's own type of JSON.
pub const KSQL_JSON: &str = "application/vnd.ksql.v1+json";
/// Rows as Protobuf messages.
pub const PROTOBUF: &str = "application/vnd.ksql.v1+protobuf";
/// Rows as a stream of Arrow's IPC format.
pub const ARROW: &str = "application/vnd.apache.arrow.stream";
const JSON: &str = "application/json";

impl RowForm {
    /// Its content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Delimited => DELIMITED,
            Self::Json => JSON,
            Self::Protobuf => PROTOBUF,
            Self::Arrow => ARROW,
        }
    }

    /// What the header `Accept` asks for; `default` without a preference.
    pub fn accepted(headers: &HeaderMap, default: Self) -> Result<Self, Problem> {
        accepted(headers, |media| match media {
            DELIMITED => Some(Self::Delimited),
            JSON | KSQL_JSON => Some(Self::Json),
            PROTOBUF => Some(Self::Protobuf),
            ARROW => Some(Self::Arrow),
            "*/*" | "application/*" => Some(default),
            _ => None,
        })
        .map(|form| form.unwrap_or(default))
    }

    /// The same of acknowledgements, which are no rows: none of them is a message of Protobuf.
    pub fn of_acknowledgements(headers: &HeaderMap) -> Result<Self, Problem> {
        let form = accepted(headers, |media| match media {
            DELIMITED | "*/*" | "application/*" => Some(Self::Delimited),
            JSON | KSQL_JSON => Some(Self::Json),
            _ => None,
        });
        form.map(|form| form.unwrap_or(Self::Delimited))
    }
}

/// The content type of answers in JSON that the header `Accept` asks for.
pub fn accepted_json(headers: &HeaderMap) -> Result<&'static str, Problem> {
    accepted(headers, |media| match media {
        KSQL_JSON => Some(KSQL_JSON),
        JSON | "*/*" | "application/*" => Some(JSON),
        _ => None,
    })
    .map(|media| media.unwrap_or(JSON))
}

/// The best of what `Accept` names that `known` knows; `None` if it names nothing.
fn accepted<T>(headers: &HeaderMap, known: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
    let mut best: Option<(f32, T)> = None;
    let mut is_any = false;
    for value in headers.get_all(header::ACCEPT) {
        for range in value.to_str().unwrap_or_default().split(',').filter(|range| !range.trim().is_empty()) {
            is_any = true;
            let (media, parameters) = range.split_once(';').unwrap_or((range, ""));
            let weight = parameters.split(';').find_map(|one| one.trim().strip_prefix("q=")?.parse().ok());
            let weight: f32 = weight.unwrap_or(1.0);
            let is_better = weight > 0.0 && best.as_ref().is_none_or(|(other, _)| weight > *other);
            if let Some(form) = known(&media.trim().to_ascii_lowercase()).filter(|_| is_better) {
                best = Some((weight, form));
            }
        }
    }
    match best {
        None if is_any => {
            let wanted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let text = format!("there is no answer of the type that Accept asks for: {wanted}");
            Err(Problem::new(Code(40600), text))
        }
        best => Ok(best.map(|(_, form)| form)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(accept: &str) -> HeaderMap {
        let value = accept.parse().expect("a header");
        HeaderMap::from_iter([(header::ACCEPT, value)])
    }

    #[test]
    fn a_request_has_either_of_its_names() {
        let read = |text: &str| StatementRequest::read(text.as_bytes()).expect("it is understood");
        let one = read(r#"{"ksql": "SHOW TOPICS;", "streamsProperties": {"a": 1, "b": true, "c": "x", "d": null}}"#);
        let session = one.session();
        let properties: Vec<_> = session.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(
            (one.text().expect("it has one"), properties.join(" ").as_str()),
            ("SHOW TOPICS;", "a=1 b=true c=x")
        );
        let other =
            read(r#"{"sql": "SELECT 1;", "properties": {"a": "1"}, "sessionVariables": {"X": "y"}, "more": []}"#);
        assert_eq!(other.text(), Ok("SELECT 1;"));
        assert_eq!(other.session().variables.get("x").map(String::as_str), Some("y"));
        assert!(read("{}").text().is_err());
        assert!(StatementRequest::read(b"[").is_err_and(|problem| problem.position == Some((1, 1))));
    }

    #[test]
    fn a_request_that_is_passed_on_is_the_same_for_some_partitions_only() {
        let read = |text: &str| StatementRequest::read(text.as_bytes()).expect("JSON");
        let first = read(r#"{"ksql": "SELECT 1;", "streamsProperties": {"a": 1}, "sessionVariables": {"X": "y"}}"#);
        assert_eq!(first.scope(), Ok(Scope::All));
        let first_request = first.clone();
        let passed = read(&first.forwarded(&[3, 0], Some(17)).to_string());
        assert_eq!(passed.scope(), Ok(Scope::Partitions(vec![3, 0])));
        assert_eq!((passed.text(), passed.command_sequence_number), (Ok("SELECT 1;"), Some(17)));
        let (first, passed) = (first.session(), passed.session());
        assert_eq!((first.properties, first.variables), (passed.properties, passed.variables));
        let part = read(&first_request.with_text("SELECT '${X}';").forwarded(&[1], None).to_string()).session();
        assert!(part.variables.is_empty(), "nothing is replaced twice");
        assert_eq!(part.properties.get(SUBSTITUTION).map(String::as_str), Some("false"));
        let own = read(r#"{"sql": "", "requestProperties": {"request.ksql.query.pull.skip.forwarding": "true"}}"#);
        assert_eq!(own.scope(), Ok(Scope::Own));
        let wrong = r#"{"requestProperties": {"request.ksql.query.pull.skip.forwarding": true, "request.ksql.query.pull.partition": "a"}}"#;
        assert!(read(wrong).scope().is_err());
    }

    #[test]
    fn the_best_type_is_answered() {
        let form = |accept: &str| RowForm::accepted(&headers(accept), RowForm::Delimited).ok();
        assert_eq!(form("*/*"), Some(RowForm::Delimited));
        assert_eq!(form("application/json"), Some(RowForm::Json));
        assert_eq!(
            form("text/html, application/json;q=0.5, application/vnd.ksqlapi.delimited.v1"),
            Some(RowForm::Delimited)
        );
        assert_eq!(form("text/html"), None);
        assert_eq!(RowForm::accepted(&HeaderMap::new(), RowForm::Json), Ok(RowForm::Json));
        assert_eq!(accepted_json(&headers("application/vnd.ksql.v1+json")), Ok(KSQL_JSON));
    }
}
