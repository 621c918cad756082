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
use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use fastwebsockets::upgrade::IncomingUpgrade;
use fastwebsockets::{Frame, OpCode, Payload, WebSocket};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::entity::fields;
use super::problem::{Code, Problem};
use super::query::{self, Answered};
use super::request::StatementRequest;
use super::rows::write_columns;
use super::security::Principal;
use super::{Server, working};
use crate::engine::{PrintEvent, PushEnd, PushEvent, PushQuery, TopicPrint};
use crate::types::Column;

/// The longest reason that the end of a connection can have, in bytes.
const REASON_MAX: usize = 123;
/// How long a thread waits for records of a topic that is printed.
const PRINT_WAIT: Duration = Duration::from_millis(200);

/// Codes with which a connection ends (RFC 6455, 7.4.1).
const DONE: u16 = 1000;
const REFUSED: u16 = 1003;
const FAILED: u16 = 1011;
const AGAIN: u16 = 1013;
/// Clients have nothing to say that is longer.
const MESSAGE_MAX: usize = 64 << 10;

/// Answers a client that wants to go on as a web socket.
pub async fn endpoint(
    State(server): State<Arc<Server>>,
    Extension(who): Extension<Principal>,
    headers: HeaderMap,
    parameters: Result<Query<HashMap<String, String>>, QueryRejection>,
    upgrade: Result<IncomingUpgrade, StatusCode>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|error| Problem::bad_request(error.body_text()))?;
    let token = || HeaderValue::from_str(&format!("Basic {}", parameters.get("access_token")?)).ok();
    let authorization = headers.get(header::AUTHORIZATION).cloned().or_else(token);
    let none = |_| Problem::bad_request("this is no request for a web socket: ask with one, or ask /query");
    let upgrade = upgrade.map_err(none)?;
    let (response, upgraded) = upgrade.upgrade().map_err(|error| Problem::bad_request(error.to_string()))?;
    tokio::spawn(async move {
        let Ok(mut socket) = upgraded.await else { return };
        socket.set_max_message_size(MESSAGE_MAX);
        let mut socket = Socket(socket);
        let until = Instant::now() + server.websocket_timeout;
        let (text, code) = match converse(&server, (who, authorization), &parameters, &mut socket, until).await {
            Ok(()) => ("done".to_owned(), DONE),
            Err(Ended::Gone) => return,
            Err(Ended::Problem(problem)) => (problem.message.clone(), code_of(&problem)),
        };
        // A client that has gone in the meantime misses nothing.
        let _ = socket.send(json!({"error": text}).to_string()).await;
        let _ = socket.0.write_frame(Frame::close(code, shortened(&text).as_bytes())).await;
    });
    Ok(response.map(|_| Body::empty()))
}

/// A connection to a client.
struct Socket<S>(WebSocket<S>);

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
        Code::SERVER_ERROR => FAILED,
        Code::NOT_READY | Code::NOT_CAUGHT_UP => AGAIN,
        _ => REFUSED,
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

async fn converse<S: AsyncRead + AsyncWrite + Unpin>(
    server: &Arc<Server>,
    (who, authorization): (Principal, Option<HeaderValue>),
    parameters: &HashMap<String, String>,
    socket: &mut Socket<S>,
    until: Instant,
) -> Result<(), Ended> {
    let none = || Problem::bad_request("the parameter request is missing: it is the body that /query takes");
    let request = StatementRequest::read(parameters.get("request").ok_or_else(none)?.as_bytes())?;
    match query::answer(server, who, request, authorization).await? {
        Answered::Rows(header, rows) => {
            socket.send(head(&header.columns)).await?;
            for batch in &rows.batches {
                let bytes = socket.send_rows(&header.columns, batch, |_| false).await?;
                server.pull_limits.answered(bytes, server.engine.elapsed());
            }
            Ok(())
        }
        Answered::Push(header, push, _place) => {
            socket.send(head(&header.columns)).await?;
            socket.send_pushed(&header.columns, &push, until).await
        }
        Answered::Print(print) => socket.send_printed(print, until).await,
        Answered::Routed(_) => Err(Problem::new(Code::SERVER_ERROR, "the rows of other servers are missing").into()),
    }
}

fn head(columns: &[Column]) -> String {
    Value::Array(fields(&[], columns)).to_string()
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    async fn send(&mut self, text: String) -> Result<(), Ended> {
        self.0.write_frame(Frame::text(Payload::Owned(text.into_bytes()))).await.map_err(|_| Ended::Gone)
    }

    /// Rows but for tombstones, which have no form here. How many bytes they are.
    async fn send_rows(
        &mut self,
        columns: &[Column],
        batch: &RecordBatch,
        is_tombstone: impl Fn(usize) -> bool,
    ) -> Result<usize, Ended> {
        let mut bytes = 0;
        for row in (0..batch.num_rows()).filter(|row| !is_tombstone(*row)) {
            let mut out = b"{\"row\":{\"columns\":".to_vec();
            let written = write_columns(&mut out, columns, batch, row);
            written.map_err(|error| Problem::new(Code::SERVER_ERROR, error.to_string()))?;
            out.extend_from_slice(b"}}");
            bytes += out.len();
            self.send(String::from_utf8_lossy(&out).into_owned()).await?;
        }
        Ok(bytes)
    }

    async fn send_pushed(&mut self, columns: &[Column], push: &PushQuery, until: Instant) -> Result<(), Ended> {
        let changed = Arc::new(Notify::new());
        let waker = Arc::clone(&changed);
        push.on_change(move || waker.notify_one());
        loop {
            match push.try_next() {
                PushEvent::Rows(rows) => {
                    self.send_rows(columns, rows.batch(), |row| rows.is_tombstone(row)).await?;
                }
                PushEvent::End(PushEnd::Failed(reason)) => return Err(Problem::new(Code::SERVER_ERROR, reason).into()),
                PushEvent::End(_) => return Ok(()),
                PushEvent::Idle => tokio::select! {
                    () = changed.notified() => {}
                    heard = self.0.read_frame() => match heard {
                        Ok(frame) if frame.opcode != OpCode::Close => {}
                        _ => return Err(Ended::Gone),
                    },
                    () = tokio::time::sleep_until(until) => return Err(too_long().into()),
                },
            }
        }
    }

    async fn send_printed(&mut self, mut print: TopicPrint, until: Instant) -> Result<(), Ended> {
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
                        self.send(formats.to_string()).await?;
                    }
                    for record in records {
                        self.send(record.to_string()).await?;
                    }
                }
                // A client that has gone is noticed when it is sent something.
                PrintEvent::Idle => {
                    let ping = Frame::new(true, OpCode::Ping, None, Payload::Owned(Vec::new()));
                    self.0.write_frame(ping).await.map_err(|_| Ended::Gone)?;
                }
                PrintEvent::End => return Ok(()),
            }
            if Instant::now() >= until {
                return Err(too_long().into());
            }
        }
    }
}

fn too_long() -> Problem {
    let text = "the connection has been open for as long as ksql.websocket.connection.max.timeout.ms allows: ask again";
    Problem::new(Code::SERVER_ERROR, text)
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
