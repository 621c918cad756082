//! The statements of a migration file: all are read, with their variables, before the first is sent.

use std::collections::BTreeMap;

use crate::engine::{EngineError, Session};
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, parse_statements, substitute_variables};

/// A statement as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Its text, with the values of variables.
    pub(super) text: String,
    /// Where it stands there: line and column, from 1.
    pub(super) place: (usize, usize),
}

/// Reads the statements of `text`; `variables` are defined before the first. Places of errors are those in `text`.
pub(super) fn read(text: &str, variables: &[(String, String)]) -> Result<Vec<Step>, EngineError> {
    let mut session = Session::default();
    for (name, value) in variables {
        session.define(name, value);
    }
    let mut steps = Vec::new();
    for parsed in parse_statements(text)? {
        let (span, written) = (parsed.span, parsed.text.clone());
        let parsed = with_variables(parsed, &session.variables)?;
        match &parsed.statement {
            Statement::DefineVariable { name, value } => session.define(name, value),
            Statement::UndefineVariable { name } => drop(session.undefine(name)),
            statement if is_of_migrations(statement) => {
                let place = (span.line.max(1) as usize, span.column.max(1) as usize);
                steps.push(Step { text: parsed.text, place });
            }
            _ => {
                let word = written.split_whitespace().next().unwrap_or_default().to_uppercase();
                return Err(EngineError::new(format!("{word} is no statement of a migration"))
                    .at(span)
                    .with_hint("a migration defines, changes, drops and fills; `levada shell --server URL` asks"));
            }
        }
    }
    Ok(steps)
}

/// The statement with the values of its variables, in the place where it stands.
fn with_variables(
    parsed: ParsedStatement,
    variables: &BTreeMap<String, String>,
) -> Result<ParsedStatement, EngineError> {
    if !parsed.text.contains("${") {
        return Ok(parsed);
    }
    let (line, column) = (parsed.span.line.max(1) as usize, parsed.span.column.max(1) as usize);
    let placed = format!("{}{}{}", "\n".repeat(line - 1), " ".repeat(column - 1), parsed.text);
    let text = substitute_variables(&placed, variables).map_err(|error| {
        EngineError::new(error.to_string())
            .at(error.span)
            .with_hint("a variable is one name or one literal; DEFINE, or --define NAME=VALUE, says its value")
    })?;
    let found = parse_statements(&text)?.pop();
    found.ok_or_else(|| EngineError::new("a statement vanished when its variables were replaced").at(parsed.span))
}

/// Whether a migration may hold `statement`: what asks, shows or prints is left out.
fn is_of_migrations(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateSource(_)
            | Statement::CreateAsSelect(_)
            | Statement::InsertSelect(_)
            | Statement::InsertValues(_)
            | Statement::DropSource(_)
            | Statement::AlterSource(_)
            | Statement::CreateType(_)
            | Statement::DropType(_)
            | Statement::CreateFunction(_)
            | Statement::CreateFunctions(_)
            | Statement::DropFunction(_)
            | Statement::CreateConnector(_)
            | Statement::DropConnector(_)
            | Statement::Terminate(_)
            | Statement::Pause(_)
            | Statement::Resume(_)
            | Statement::SetProperty { .. }
            | Statement::UnsetProperty { .. }
            | Statement::AssertTopic(_)
            | Statement::AssertSchema(_)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, variables: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let variables: Vec<(String, String)> =
            variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        let steps = read(text, &variables).map_err(|error| {
            let place = error.position.map_or_else(String::new, |(line, column)| format!("{line}:{column}: "));
            format!("{place}{}", error.message)
        })?;
        Ok(steps.into_iter().map(|step| step.text).collect())
    }

    #[test]
    fn what_changes_something_may_stand_in_a_migration() {
        let allowed = [
            "CREATE STREAM s (a INT) WITH (kafka_topic = 's', value_format = 'json');",
            "CREATE OR REPLACE TABLE t (k INT PRIMARY KEY) WITH (kafka_topic = 't', value_format = 'json');",
            "CREATE STREAM c AS SELECT * FROM s EMIT CHANGES;",
            "INSERT INTO c SELECT * FROM s;",
            "INSERT INTO s (a) VALUES (1);",
            "ALTER STREAM s ADD COLUMN b INT;",
            "DROP STREAM IF EXISTS s DELETE TOPIC;",
            "CREATE TYPE p AS STRUCT<a INT>;",
            "DROP TYPE p;",
            "CREATE SOURCE CONNECTOR x WITH (\"connector.class\" = 'y');",
            "DROP CONNECTOR x;",
            "TERMINATE q_1;",
            "PAUSE q_1;",
            "RESUME q_1;",
            "SET 'auto.offset.reset' = 'earliest';",
            "UNSET 'auto.offset.reset';",
            "ASSERT TOPIC s TIMEOUT 5 SECONDS;",
            "ASSERT NOT EXISTS SCHEMA SUBJECT 's-value';",
        ];
        assert_eq!(texts(&allowed.join("\n"), &[]), Ok(allowed.map(ToOwned::to_owned).to_vec()));
    }

    #[test]
    fn what_asks_is_refused_before_anything_is_sent() {
        for (asks, word) in [
            ("SELECT * FROM s EMIT CHANGES;", "SELECT"),
            ("SELECT * FROM t WHERE k = 1;", "SELECT"),
            ("PRINT s;", "PRINT"),
            ("SHOW STREAMS;", "SHOW"),
            ("DESCRIBE s;", "DESCRIBE"),
            ("EXPLAIN q_1;", "EXPLAIN"),
            ("ALTER SYSTEM 'a' = 'b';", "ALTER"),
        ] {
            let told = texts(&format!("DROP STREAM a;\n  {asks}"), &[]);
            assert_eq!(told, Err(format!("2:3: {word} is no statement of a migration")), "{asks}");
        }
    }

    #[test]
    fn variables_are_those_of_the_command_line_and_of_the_statements_before() {
        let text = "DROP STREAM ${a};\nDEFINE a = 'y';\nDROP STREAM ${a};\nUNDEFINE a;\nSET 'p' = '${a} ${b}';";
        let found = texts(text, &[("A", "x"), ("b", "it's")]);
        assert_eq!(
            found,
            Ok(["DROP STREAM x;", "DROP STREAM y;", "SET 'p' = '${a} it''s';"].map(ToOwned::to_owned).to_vec())
        );
        assert_eq!(
            texts("\nDROP STREAM ${a};", &[]),
            Err("2:13: Illegal argument at Line: 2, Col: 13. Got: '${a}'".to_owned())
        );
    }

    #[test]
    fn a_text_that_is_none_is_told_with_its_place() {
        let told = texts("DROP STREAM a;\nDROP STREEM b;", &[]).expect_err("it is no statement");
        assert!(told.starts_with("2:6: "), "{told}");
        assert_eq!(texts(" -- nothing\n", &[]), Ok(Vec::new()));
    }
}
