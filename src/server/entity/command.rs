//! Statements of the command log: what they are called by, and what became of them.

use serde_json::{Value, json};

use crate::catalog::QueryId;
use crate::engine::Done;
use crate::sql::ast::{QueryTarget, SourceKind, Statement};

/// The id of a command: type, name and action, as ksqlDB writes it.
pub fn command_id(statement: &Statement) -> Option<String> {
    let source = |kind: SourceKind, name: &str, action: &str| {
        let kind = match kind {
            SourceKind::Stream => "stream",
            SourceKind::Table => "table",
        };
        format!("{kind}/`{name}`/{action}")
    };
    let target = |action: &str, target: &QueryTarget| match target {
        QueryTarget::All => format!("{action}/ALL/execute"),
        QueryTarget::Query(id) => format!("{action}/{}/execute", id.as_str()),
    };
    Some(match statement {
        Statement::CreateSource(create) => source(create.kind, create.name.as_str(), "create"),
        Statement::CreateAsSelect(create) => source(create.kind, create.name.as_str(), "create"),
        Statement::InsertSelect(insert) => source(SourceKind::Stream, insert.target.as_str(), "create"),
        Statement::DropSource(drop) => source(drop.kind, drop.name.as_str(), "drop"),
        Statement::AlterSource(alter) => source(alter.kind, alter.name.as_str(), "alter"),
        Statement::CreateType(create) => format!("type/{}/create", create.name.as_str()),
        Statement::DropType(drop) => format!("type/{}/drop", drop.name.as_str()),
        Statement::CreateFunction(create) => format!("function/{}/create", create.name.as_str()),
        Statement::CreateFunctions(create) => format!("function/{}/create", create.library.path),
        Statement::DropFunction(drop) => format!("function/{}/drop", drop.name.as_str()),
        Statement::Terminate(of) => target("terminate", of),
        Statement::Pause(of) => target("pause", of),
        Statement::Resume(of) => target("resume", of),
        _ => return None,
    })
}

/// What became of a command that was carried out.
pub fn current_status(text: &str, id: &str, done: &Done) -> Value {
    status(text, id, &done.message, done.query.as_ref().map(QueryId::as_str), done.number as i64)
}

/// What became of a command that found nothing to do: `IF NOT EXISTS` of something that exists.
pub fn nothing_done(text: &str, id: &str, message: &str) -> Value {
    status(text, id, message, None, -1)
}

fn status(text: &str, id: &str, message: &str, query: Option<&str>, number: i64) -> Value {
    json!({
        "@type": "currentStatus",
        "statementText": text,
        "commandId": id,
        "commandStatus": {"status": "SUCCESS", "message": message, "queryId": query},
        "commandSequenceNumber": number,
        "warnings": [],
    })
}
