//! Every statement of ksqlDB's own cases is read, and those that must not be are refused with the expected text.
//!
//! The cases lie outside of the repository, in `../shared/conformance`; without them the test says so and passes.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ast::Statement;
use super::{ParseError, ParsedStatement, parse_statements};

const SYNTAX_EXCEPTION: &str = "io.confluent.ksql.parser.exception.ParseFailedException";

/// A case whose statements are one script.
struct Case {
    id: String,
    script: String,
    /// `type` and `message` of the expected error.
    error: Option<(String, String)>,
}

fn cases(file: &Path) -> Vec<Case> {
    let text = fs::read_to_string(file).expect("a readable file of cases");
    let json: Value = serde_json::from_str(&text).expect("a file of cases is JSON");
    let tests = json["tests"].as_array().expect("a list of tests");
    tests.iter().map(case).collect()
}

fn case(test: &Value) -> Case {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let statements = test["statements"].as_array().into_iter().flatten();
    let script: Vec<String> = statements.map(text).collect();
    let error = ["expectedException", "expectedError"].iter().find_map(|member| test.get(member));
    Case {
        id: text(&test["id"]),
        script: script.join("\n"),
        error: error.map(|error| (text(&error["type"]), text(&error["message"]))),
    }
}

/// The statements of `script`. What only reads have is refused where ksqlDB's language is asked for.
fn read(script: &str) -> Result<Vec<ParsedStatement>, ParseError> {
    let statements = parse_statements(script)?;
    let refusal = statements.iter().find_map(|parsed| match &parsed.statement {
        Statement::Read(read) => Some(read.refusal.0.clone()),
        _ => None,
    });
    refusal.map_or(Ok(statements), |refusal| Err(*refusal))
}

/// What is wrong with how a case was read.
fn fault(case: &Case) -> Option<String> {
    let Case { id, script, error } = case;
    match (read(script), error) {
        (Ok(_), Some((kind, message))) if is_syntax(kind, message) => {
            Some(format!("{id}: read, though it must fail with {message:?}"))
        }
        (Ok(statements), _) => {
            let printed = statements.iter().map(|parsed| format!("{};", parsed.statement));
            let printed: Vec<String> = printed.collect();
            let again = parse_statements(&printed.join("\n"));
            let same = again.as_ref().is_ok_and(|again| {
                let again = again.iter().map(|parsed| &parsed.statement);
                again.eq(statements.iter().map(|parsed| &parsed.statement))
            });
            (!same).then(|| format!("{id}: printed {printed:?} and read {again:?}"))
        }
        (Err(error), Some((_, message))) if expects(&error, script, message) => None,
        (Err(error), expected) => Some(format!("{id}: {} (expected {expected:?})", error.with_statement())),
    }
}

/// Whether a case must already fail here: properties are read later, and so are the positions of names.
fn is_syntax(kind: &str, message: &str) -> bool {
    kind == SYNTAX_EXCEPTION && !message.contains("WINDOW_SIZE") || message.contains("Syntax Error")
}

/// The text of a request is a script, or its last statement alone.
fn expects(error: &ParseError, script: &str, message: &str) -> bool {
    let alone = script.lines().last().and_then(|line| read(line).err());
    let shown = [Some(error), alone.as_ref()];
    shown.iter().flatten().any(|error| error.with_statement().contains(message))
}

#[test]
fn every_case_is_read_or_refused() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    if !root.exists() {
        eprintln!("SKIPPED: no conformance cases at {}", root.display());
        return;
    }
    let folders = ["qtt", "rqtt"].map(|suite| root.join(suite));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).expect("a folder of cases"));
    let files: Vec<PathBuf> = files.map(|entry| entry.expect("a readable entry").path()).collect();
    let cases: Vec<Case> = files.iter().flat_map(|file| cases(file)).collect();
    let faults: Vec<String> = cases.iter().filter_map(fault).collect();
    assert!(cases.len() > 1_000, "only {} cases", cases.len());
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
