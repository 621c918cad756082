//! `/ws/query`: rows of one query, a message each.
//!
//! ```text
//! [{"name":…,"schema":…}]   then   {"row":{"columns":[…]}} …   then   {"error":"done"}   and the end, with a reason
//! ```
//!
//! As ksqlDB does, the last message is an error even where all is well.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::extract::{Query, State};
use axum::response::Response;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::entity::fields;
use super::problem::{Code, Problem};
use super::query::{self, Answered};
use super::request::StatementRequest;
use super::rows::write_columns;
use super::{Server, working};
use crate::engine::{PrintEvent, PushEnd, PushEvent, PushQuery, TopicPrint};
use crate::types::Column;

/// The longest reason that the end of a connection can have, in bytes.
const REASON_MAX: usize = 123;
/// How long a thread waits for records of a topic that is printed.
const PRINT_WAIT: Duration = Duration::from_millis(200);

/// Answers a client that wants to go on as a web socket.
pub async fn endpoint(
    State(server): State<Arc<Server>>,
    Query(parameters): Query<HashMap<String, String>>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        let mut socket = socket;
        let until = Instant::now() + server.websocket_timeout;
        let end = match converse(&server, &parameters, &mut socket, until).await {
            Ok(()) => Some(("done".to_owned(), close_code::NORMAL)),
            Err(Ended::Gone) => None,
            Err(Ended::Problem(problem)) => Some((problem.message.clone(), code_of(&problem))),
        };
        if let Some((text, code)) = end {
            // A client that has gone in the meantime misses nothing.
            let _ = socket.send(Message::text(json!({"error": text}).to_string())).await;
            let frame = CloseFrame { code, reason: shortened(&text).into() };
            let _ = socket.send(Message::Close(Some(frame))).await;
        }
    })
}

/// Why a conversation is over before its rows are.
enum Ended {
    /// The client has gone.
    Gone,
    /// Something is wrong.
    Problem(Problem),
}

impl From<Problem> for Ended {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

fn code_of(problem: &Problem) -> u16 {
    match problem.code {
        Code::SERVER_ERROR => close_code::ERROR,
        Code::NOT_READY | Code::NOT_CAUGHT_UP => close_code::AGAIN,
        _ => close_code::UNSUPPORTED,
    }
}

/// As much of `text` as fits.
fn shortened(text: &str) -> String {
    if text.len() <= REASON_MAX {
        return text.to_owned();
    }
    let mut end = REASON_MAX - 3;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", &text[..end])
}

async fn converse(
    server: &Arc<Server>,
    parameters: &HashMap<String, String>,
    socket: &mut WebSocket,
    until: Instant,
) -> Result<(), Ended> {
    let none = || Problem::bad_request("the parameter request is missing: it is the body that /query takes");
    let request = StatementRequest::read(parameters.get("request").ok_or_else(none)?.as_bytes())?;
    let asked = Arc::clone(server);
    match working(move || query::ask(&asked, &request)).await?? {
        Answered::Rows(header, rows) => {
            send(socket, head(&header.columns)).await?;
            for batch in &rows.batches {
                send_rows(socket, &header.columns, batch, |_| false).await?;
            }
            Ok(())
        }
        Answered::Push(header, push) => {
            send(socket, head(&header.columns)).await?;
            send_pushed(socket, &header.columns, &push, until).await
        }
        Answered::Print(print) => send_printed(socket, print, until).await,
    }
}

fn head(columns: &[Column]) -> String {
    Value::Array(fields(&[], columns)).to_string()
}

async fn send(socket: &mut WebSocket, text: String) -> Result<(), Ended> {
    socket.send(Message::text(text)).await.map_err(|_| Ended::Gone)
}

async fn send_rows(
    socket: &mut WebSocket,
    columns: &[Column],
    batch: &RecordBatch,
    is_tombstone: impl Fn(usize) -> bool,
) -> Result<(), Ended> {
    for row in (0..batch.num_rows()).filter(|row| !is_tombstone(*row)) {
        let mut out = b"{\"row\":{\"columns\":".to_vec();
        let written = write_columns(&mut out, columns, batch, row);
        written.map_err(|error| Problem::new(Code::SERVER_ERROR, error.to_string()))?;
        out.extend_from_slice(b"}}");
        send(socket, String::from_utf8_lossy(&out).into_owned()).await?;
    }
    Ok(())
}

async fn send_pushed(
    socket: &mut WebSocket,
    columns: &[Column],
    push: &PushQuery,
    until: Instant,
) -> Result<(), Ended> {
    let changed = Arc::new(Notify::new());
    let waker = Arc::clone(&changed);
    push.on_change(move || waker.notify_one());
    loop {
        match push.try_next() {
            PushEvent::Rows(rows) => {
                send_rows(socket, columns, rows.batch(), |row| rows.is_tombstone(row)).await?;
            }
            PushEvent::End(PushEnd::Failed(reason)) => return Err(Problem::new(Code::SERVER_ERROR, reason).into()),
            PushEvent::End(_) => return Ok(()),
            PushEvent::Idle => tokio::select! {
                () = changed.notified() => {}
                heard = socket.recv() => hear(heard)?,
                () = tokio::time::sleep_until(until) => return Err(too_long().into()),
            },
        }
    }
}

/// What a client says that has asked: nothing that matters, or that it goes.
fn hear(heard: Option<Result<Message, axum::Error>>) -> Result<(), Ended> {
    match heard {
        None | Some(Err(_) | Ok(Message::Close(_))) => Err(Ended::Gone),
        Some(Ok(_)) => Ok(()),
    }
}

fn too_long() -> Problem {
    let text = "the connection has been open for as long as ksql.websocket.connection.max.timeout.ms allows: ask again";
    Problem::new(Code::SERVER_ERROR, text)
}

async fn send_printed(socket: &mut WebSocket, mut print: TopicPrint, until: Instant) -> Result<(), Ended> {
    loop {
        let event;
        (print, event) = working(move || {
            let event = print.next(PRINT_WAIT);
            (print, event)
        })
        .await?;
        match event.map_err(Problem::from)? {
            PrintEvent::Records(formats, records) => {
                if let Some(formats) = formats {
                    send(socket, formats.to_string()).await?;
                }
                for record in records {
                    send(socket, record.to_string()).await?;
                }
            }
            // A client that has gone is noticed when it is sent something.
            PrintEvent::Idle => socket.send(Message::Ping(Vec::new().into())).await.map_err(|_| Ended::Gone)?,
            PrintEvent::End => return Ok(()),
        }
        if Instant::now() >= until {
            return Err(too_long().into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_cut_between_characters() {
        assert_eq!(shortened("done"), "done");
        let long = "ä".repeat(100);
        let cut = shortened(&long);
        assert!(cut.len() <= REASON_MAX && cut.ends_with("ä..."), "{cut}");
    }
}
