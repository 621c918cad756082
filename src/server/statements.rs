//! `/ksql`: statements one after the other, each checked before the first is executed.

use serde_json::Value;

use super::Server;
use super::entity::{Answering, command_id};
use super::problem::Problem;
use super::request::StatementRequest;
use super::security::{Principal, Right};
use crate::engine::Session;
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, parse_statements};

/// Executes the statements of `request`; what they answer.
pub fn execute(server: &Server, who: &Principal, request: &StatementRequest) -> Result<Vec<Value>, Problem> {
    let text = request.text()?;
    let statements = parse_statements(text).map_err(|error| Problem::of_syntax(error, text))?;
    for parsed in &statements {
        server.security.check(who, Right::of(&parsed.statement))?;
    }
    let changing = statements.iter().filter(|parsed| Right::of(&parsed.statement) == Right::Define).count();
    server.commands.take(changing, "statements that change something", server.engine.elapsed())?;
    server.await_command(request.command_sequence_number)?;
    let mut session = server.checked(request.session())?;
    check(server, &session, &statements)?;
    let mut entities: Vec<Value> = Vec::new();
    let host = server.cluster.host();
    for parsed in &statements {
        let mut answering = Answering { engine: &server.engine, session: &mut session, host: &host };
        match answering.answer(parsed) {
            Ok(answered) => {
                server.statuses.note(command_id(&parsed.statement), &answered);
                entities.extend(answered);
            }
            Err(mut problem) => {
                server.statuses.failed(command_id(&parsed.statement), &problem.message);
                if let Some((_, before)) = problem.statement.as_deref_mut() {
                    *before = entities;
                }
                return Err(problem);
            }
        }
    }
    Ok(entities)
}

/// Whether all statements can be executed, so that a late error leaves nothing done.
fn check(server: &Server, session: &Session, statements: &[ParsedStatement]) -> Result<(), Problem> {
    let is_query = |parsed: &&ParsedStatement| {
        matches!(parsed.statement, Statement::Query(_) | Statement::Read(_) | Statement::PrintTopic(_))
    };
    if statements.iter().any(|parsed| is_query(&parsed)) {
        return Err(super::entity::query_endpoint());
    }
    if statements.len() < 2 {
        return Ok(());
    }
    server.engine.check(session, statements).map_err(|error| {
        let place = error.position;
        let text = statements.iter().rev().find(|parsed| {
            place.is_some_and(|(line, column)| {
                (parsed.span.line as usize, parsed.span.column as usize) <= (line, column)
            })
        });
        Problem::of_statement(error, text.map_or("", |parsed| &parsed.text), Vec::new())
    })
}
