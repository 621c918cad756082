//! Cases that ask a server: statements, records, then SELECTs, whose rows and messages are compared.
//!
//! They run on the engine in process, unless the driver has an HTTP server in front of it ([`rest`]). In process, what belongs to
//! HTTP alone is left out: status codes, classes of errors, and entities of statements other than their number. Protobuf answers
//! are made of the same rows.

use arrow::array::BinaryArray;
use serde_json::{Map, Value};

use super::case::Case;
use super::comparison::{Numbers, compare, same_number};
use super::payload::{self, Comparable};
use super::{protobuf, rest, setting};
use crate::formats::{Format, Serde, answer_encoder, decoder};
use crate::registry::protobuf::ProtobufSchema;
use crate::testing::driver::{Asked, Driver, Selected, SelectedRow, TestRecord};
use crate::types::SqlType;

/// As on the server of ksqlDB's runner.
const SCALABLE_PUSH_QUERIES: &str = "ksql.query.push.v2.enabled";

/// Member of a response that holds the lines of a query.
pub const QUERY: &str = "query";

/// As [`QUERY`], with rows as messages.
pub const QUERY_PROTO: &str = "queryProto";

/// Runs a case; the error says what was not as expected.
pub fn run(case: &Case, driver: &mut dyn Driver) -> Result<(), String> {
    if let Some(address) = driver.address() {
        return rest::run(case, driver, address);
    }
    match (play(case, driver), &case.expected_error) {
        (Ok(_), Some(expected)) => Err(format!("not rejected, expected {:?}", expected.message)),
        (Ok(answers), None) => {
            check_outputs(case, driver)?;
            check_responses(case, &answers)
        }
        (Err(reason), None) => Err(reason),
        (Err(reason), Some(expected)) => match &expected.message {
            Some(fragment) if !reason.contains(fragment.as_str()) => {
                Err(format!("rejected with another text\n  got:      {reason:?}\n  expected: {fragment:?}"))
            }
            _ => Ok(()),
        },
    }
}

fn play(case: &Case, driver: &mut dyn Driver) -> Result<Vec<Selected>, String> {
    let text = |failure: crate::testing::driver::Failure| failure.full_text();
    driver.set_property(SCALABLE_PUSH_QUERIES, "true");
    setting::set_properties(case, driver);
    setting::create_topics(case, driver)?;
    setting::register_schemas(case, driver)?;
    let first_query = case.statements.iter().position(|statement| statement.starts_with("SELECT "));
    let (admin, queries) = case.statements.split_at(first_query.unwrap_or(case.statements.len()));
    let count = driver.check_script(&admin.join("\n")).map_err(text)?;
    for index in 0..count {
        driver.execute(index).map_err(text)?;
    }
    let runs_first = case.input_conditions.as_ref().is_some_and(|conditions| conditions.wait_for_active_push_query);
    if runs_first {
        // What they begin to read now is what comes from here on.
        settle(driver)?;
    }
    let begun = if runs_first { queries } else { &[] };
    let begun: Vec<Asked> = begun.iter().map(|query| driver.ask(query).map_err(text)).collect::<Result<_, _>>()?;
    produce(case, driver)?;
    settle(driver)?;
    if runs_first {
        return begun.into_iter().map(|asked| driver.answer(asked).map_err(text)).collect();
    }
    queries.iter().map(|query| driver.select(query).map_err(text)).collect()
}

/// Has all persistent queries process what there is.
fn settle(driver: &mut dyn Driver) -> Result<(), String> {
    let mut queries = driver.queries().into_iter();
    queries.try_for_each(|query| driver.settle(&query.id)).map_err(|failure| failure.full_text())
}

/// Records topic by topic, in order within a topic.
pub fn produce(case: &Case, driver: &mut dyn Driver) -> Result<(), String> {
    let sources = driver.sources();
    let mut topics: Vec<&str> = Vec::new();
    for input in &case.inputs {
        if !topics.contains(&input.topic.as_str()) {
            topics.push(&input.topic);
        }
    }
    for topic in topics {
        let source = sources.iter().find(|source| source.topic == topic);
        let registry = driver.registry();
        let inputs = case.inputs.iter().filter(|input| input.topic == topic);
        let records: Vec<TestRecord> =
            inputs.map(|input| payload::to_bytes(input, source, &*registry)).collect::<Result<_, _>>()?;
        driver.append(topic, &records).map_err(|failure| failure.message)?;
    }
    Ok(())
}

pub fn check_outputs(case: &Case, driver: &dyn Driver) -> Result<(), String> {
    let sources = driver.sources();
    let mut topics: Vec<&str> = Vec::new();
    for output in case.outputs.iter().map(|output| output.topic.as_str()) {
        if topics.contains(&output) {
            continue;
        }
        topics.push(output);
        let source = sources.iter().find(|source| source.topic == output);
        let expected: Vec<_> = case.outputs.iter().filter(|record| record.topic == output).collect();
        let actual = driver.records(output);
        if expected.len() != actual.len() {
            return Err(format!("topic {output}: {} records, expected {}", actual.len(), expected.len()));
        }
        let registry = driver.registry();
        for (expected, actual) in expected.into_iter().zip(&actual) {
            let (key, _) = payload::comparable_key(actual.key.as_deref(), source, &*registry)?;
            compare("key", &key, &expected.key, Numbers::Exact)?;
            let value = payload::comparable_value(actual.value.as_deref(), source, &*registry)?;
            compare("value", &value, &expected.value, Numbers::Exact)?;
            if expected.timestamp.is_some_and(|timestamp| timestamp != actual.timestamp) {
                return Err(format!("topic {output}: got timestamp {}", actual.timestamp));
            }
        }
    }
    Ok(())
}

/// Entities of statements come first: they are all alike and stand for statements that were accepted.
fn check_responses(case: &Case, answers: &[Selected]) -> Result<(), String> {
    let responses = case.responses.as_deref().unwrap_or_default();
    let expected = responses.iter().enumerate().filter_map(|(i, response)| Some((i, response.get(QUERY)?)));
    let mut answered = answers.iter();
    for (index, expected) in expected {
        let answer = answered.next().ok_or("there is no such answer")?;
        let statement = case.statements.get(index).map_or("", String::as_str);
        let rows = expected.as_array().ok_or("the case's response is no list")?;
        check_answer(case, statement, rows, answer).map_err(|reason| format!("response {}: {reason}", index + 1))?;
    }
    let expected = responses.iter().filter_map(|response| response.get(QUERY_PROTO));
    for (index, (expected, answer)) in expected.zip(answers).enumerate() {
        let lines = expected.as_array().ok_or("the case's response is no list")?;
        check_messages(lines, answer).map_err(|reason| format!("Protobuf response {}: {reason}", index + 1))?;
    }
    Ok(())
}

/// The same rows as messages: the file with their message, their text in any order, and the final message.
fn check_messages(expected: &[Value], answer: &Selected) -> Result<(), String> {
    let (schema_text, messages) = messages(answer)?;
    let is_map = |name: &str| {
        answer.columns.iter().any(|column| column.name == name && matches!(column.sql_type, SqlType::Map(..)))
    };
    check_message_lines(expected, &schema_text, messages, answer.final_message.as_deref(), &is_map)
}

/// Lines with messages: the file that describes them, their texts, and how the answer ends. `is_map` tells which fields are maps.
pub fn check_message_lines(
    expected: &[Value],
    schema_text: &str,
    mut messages: Vec<String>,
    final_message: Option<&str>,
    is_map: &dyn Fn(&str) -> bool,
) -> Result<(), String> {
    for line in expected {
        let header = line.get("header").and_then(|header| header.get("protoSchema"));
        if header.is_some_and(|header| header.as_str() != Some(schema_text)) {
            return Err(format!("got the schema {schema_text:?}, expected {header:?}"));
        }
        if let Some(row) = line.get("row").and_then(Value::as_str) {
            let wanted = with_sorted_maps(row, is_map);
            let found = messages.iter().position(|message| with_sorted_maps(message, is_map) == wanted);
            let found = found.ok_or_else(|| format!("{row:?} is missing, among {messages:?}"))?;
            messages.remove(found);
        }
        if let Some(last) = line.get("finalMessage")
            && last.as_str() != final_message
        {
            return Err(format!("got the final message {final_message:?}, expected {last}"));
        }
    }
    if messages.is_empty() { Ok(()) } else { Err(format!("surplus messages: {messages:?}")) }
}

/// The fields of a message as text, those of maps in order: maps have none of their own.
fn with_sorted_maps<'t>(text: &'t str, is_map: &dyn Fn(&str) -> bool) -> Vec<&'t str> {
    let mut starts = vec![0];
    let lines = text.match_indices('\n').map(|(end, _)| end + 1);
    starts.extend(lines.filter(|start| !text[*start..].starts_with([' ', '}'])));
    let mut fields: Vec<&str> = starts.windows(2).map(|bounds| &text[bounds[0]..bounds[1]]).collect();
    let is_entry = |field: &str| is_map(field.split(' ').next().unwrap_or_default());
    for entries in fields.chunk_by_mut(|a, b| is_entry(a) && is_entry(b)) {
        entries.sort_unstable();
    }
    fields
}

/// The schema of the messages of `answer`, and the messages as text.
fn messages(answer: &Selected) -> Result<(String, Vec<String>), String> {
    let columns = &answer.columns;
    let (text, mut encoder) = answer_encoder(columns).map_err(|error| error.to_string())?;
    let schema = ProtobufSchema::parse(&text, &[])?;
    let document = |row: &SelectedRow| {
        let members = columns.iter().zip(&row.columns).map(|(column, cell)| (column.name.clone(), cell.clone()));
        Value::Object(members.collect()).to_string().into_bytes()
    };
    let documents: BinaryArray = answer.rows.iter().map(|row| Some(document(row))).collect();
    let json = Serde { format: Format::Json, wrap_single: true };
    let mut decoder = decoder(&json, columns, &vec![true; columns.len()]).map_err(|error| error.to_string())?;
    let encoded = encoder.encode(&decoder.decode(&documents).columns, answer.rows.len(), None);
    let messages = encoded.bytes.iter().map(|bytes| protobuf::text_format(bytes.unwrap_or_default(), &schema, 0));
    Ok((text, messages.collect::<Result<_, _>>()?))
}

/// The lines of a response: header, rows, final message.
fn lines(answer: &Selected) -> Vec<Line<'_>> {
    let rows = answer.rows.iter().map(|row| Line::Row(&row.columns, row.is_tombstone));
    let last = answer.final_message.as_deref().map(Line::Final);
    std::iter::once(Line::Header(&answer.schema, &answer.query_id)).chain(rows).chain(last).collect()
}

#[derive(Debug, Clone, Copy)]
enum Line<'a> {
    Header(&'a str, &'a str),
    Row(&'a [Value], bool),
    Final(&'a str),
}

pub fn check_answer(case: &Case, statement: &str, expected: &[Value], answer: &Selected) -> Result<(), String> {
    let actual = lines(answer);
    if actual.len() != expected.len() {
        return Err(format!("{} lines, expected {}: {actual:?}", actual.len(), expected.len()));
    }
    let verify_order = case.output_conditions.as_ref().is_some_and(|conditions| conditions.verify_order);
    let mut wanted: Vec<&[Value]> = Vec::new();
    let mut got: Vec<&[Value]> = Vec::new();
    for (expected, line) in expected.iter().zip(&actual) {
        let expected = expected.as_object().ok_or("the case's line is no object")?;
        check_line(statement, expected, *line)?;
        let columns = expected.get("row").and_then(|row| row.get("columns")).and_then(Value::as_array);
        if let (Some(columns), Line::Row(cells, _)) = (columns, line) {
            wanted.push(columns);
            got.push(cells);
        }
    }
    check_rows(got, &wanted, verify_order)
}

fn check_line(statement: &str, expected: &Map<String, Value>, line: Line<'_>) -> Result<(), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().replace("{STATEMENT}", statement);
    for (member, value) in expected {
        let fits = match (member.as_str(), line) {
            ("header", Line::Header(schema, query_id)) => {
                let same_schema = value.get("schema").is_none_or(|expected| text(expected) == schema);
                let prefix = value.get("queryId|starts_with");
                same_schema && prefix.is_none_or(|prefix| query_id.starts_with(&text(prefix)))
            }
            ("row", Line::Row(_, is_tombstone)) => {
                value.get("tombstone").is_none_or(|expected| expected.as_bool() == Some(is_tombstone))
            }
            ("finalMessage", Line::Final(message)) => text(value) == message,
            _ => false,
        };
        if !fits {
            return Err(format!("got {line:?}, expected {member} {value}"));
        }
    }
    Ok(())
}

/// Rows are a multiset unless the case says otherwise.
fn check_rows(mut got: Vec<&[Value]>, wanted: &[&[Value]], verify_order: bool) -> Result<(), String> {
    for (i, row) in wanted.iter().enumerate() {
        let found = if verify_order {
            got.first().filter(|cells| same_row(cells, row)).map(|_| 0)
        } else {
            got.iter().position(|cells| same_row(cells, row))
        };
        match found {
            Some(index) => drop(got.remove(index)),
            None => return Err(format!("row {} is missing: {row:?}, among {got:?}", i + 1)),
        }
    }
    Ok(())
}

fn same_row(cells: &[Value], expected: &[Value]) -> bool {
    cells.len() == expected.len() && cells.iter().zip(expected).all(|(cell, expected)| same_cell(cell, expected))
}

/// Members that are null or empty are left out of answers.
fn same_cell(cell: &Value, expected: &Value) -> bool {
    match (cell, expected) {
        (Value::Number(cell), Value::Number(expected)) => {
            let [cell, expected] = [cell, expected].map(ToString::to_string);
            let doubles = cell.parse::<f64>().ok().zip(expected.parse::<f64>().ok());
            same_number(&cell, &expected, false, Numbers::Exact)
                || cell.contains(['.', 'e', 'E']) && doubles.is_some_and(|(a, b)| a.to_bits() == b.to_bits())
        }
        (Value::Object(_), Value::Object(_)) => {
            let comparable = Comparable { json: without_empty(cell), sql_type: None };
            compare("cell", &comparable, &without_empty(expected), Numbers::Exact).is_ok()
        }
        (Value::Array(cell), Value::Array(expected)) => same_row(cell, expected),
        (cell, expected) => cell == expected,
    }
}

fn without_empty(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, member)| !matches!(member, Value::Null));
            Value::Object(kept.map(|(name, member)| (name.clone(), without_empty(member))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(rows: &[Value]) -> Selected {
        let row =
            |row: &Value| SelectedRow { columns: row.as_array().cloned().unwrap_or_default(), is_tombstone: false };
        Selected {
            schema: "`A` STRING".to_owned(),
            columns: Vec::new(),
            query_id: "query_1".to_owned(),
            rows: rows.iter().map(row).collect(),
            final_message: Some("Query Completed".to_owned()),
        }
    }

    fn check(expected: &Value, rows: &[Value]) -> Option<String> {
        let case: Case = serde_json::from_str(r#"{"id": "x", "statements": []}"#).expect("a case");
        let expected = expected.as_array().cloned().expect("a list");
        check_answer(&case, "", &expected, &answer(rows)).err()
    }

    #[test]
    fn entries_of_maps_have_no_order() {
        let texts = [
            "M {\n  key: \"b\"\n}\nM {\n  key: \"a\"\n}\nL: 2\nL: 1\n",
            "M {\n  key: \"a\"\n}\nM {\n  key: \"b\"\n}\nL: 2\nL: 1\n",
        ];
        let [one, other] = texts.map(|text| with_sorted_maps(text, &|name| name == "M"));
        assert_eq!(one, other);
        assert_eq!(one.concat(), texts[1]);
    }

    #[test]
    fn rows_are_a_multiset_between_header_and_final_message() {
        let rows = [serde_json::json!(["x", 1]), serde_json::json!(["y", 2])];
        let expected = |first: &str, second: &str| {
            serde_json::json!([
                {"header": {"schema": "`A` STRING", "queryId|starts_with": "query_"}},
                {"row": {"columns": [first, 1]}},
                {"row": {"columns": [second, 2]}},
                {"finalMessage": "Query Completed"},
            ])
        };
        assert_eq!(check(&expected("x", "y"), &rows), None);
        let reversed: Vec<Value> = rows.iter().rev().cloned().collect();
        assert_eq!(check(&expected("x", "y"), &reversed), None);
        assert!(check(&expected("x", "z"), &rows).expect("z is nowhere").contains("row 2 is missing"));
        assert!(check(&expected("x", "y"), &rows[..1]).expect("too few").contains("3 lines"));
    }
}
