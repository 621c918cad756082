//! One query: understood, asked, and answered in the framing that its endpoint has.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use futures_util::stream;

use super::problem::{Code, Problem};
use super::request::{PROTOBUF, StatementRequest};
use super::rows::{Framing, Header, RowWriter};
use super::{Server, working};
use crate::catalog::Catalog;
use crate::engine::{PrintEvent, PushEvent, PushQuery, Response as Answer, ResultRows, TopicPrint};
use crate::sql::ast::{Query, Statement};
use crate::sql::{ParsedStatement, parse_statements};

/// What a query gives.
pub enum Answered {
    /// All rows, and how the answer ends.
    Rows(Header, ResultRows, Option<&'static str>),
    /// Rows that keep coming.
    Push(Header, PushQuery),
    /// Records of a topic, as text.
    Print(TopicPrint),
}

/// How an answer ends that has as many rows as it may.
const LIMIT_REACHED: &str = "Limit Reached";
/// How an answer ends that has all rows.
const QUERY_COMPLETED: &str = "Query Completed";

/// Asks the one query of `request`.
pub fn ask(server: &Server, request: &StatementRequest) -> Result<Answered, Problem> {
    let text = request.text()?;
    let statements = parse_statements(text).map_err(|error| Problem::of_statement(error.into(), text, Vec::new()))?;
    let parsed = match statements.as_slice() {
        [one] => one,
        others => {
            let message = format!("one query is expected here, and there are {} statements", others.len());
            return Err(Problem::bad_request(message));
        }
    };
    server.await_command(request.command_sequence_number)?;
    match &parsed.statement {
        Statement::Query(query) => select(server, request, parsed, query),
        Statement::PrintTopic(_) => match execute(server, request, parsed)? {
            Some(Answer::Print(print)) => Ok(Answered::Print(print)),
            _ => Err(Problem::new(Code::SERVER_ERROR, "PRINT has given no records")),
        },
        _ => {
            let message = "only SELECT and PRINT are answered here: send other statements to /ksql";
            Err(Problem::of_statement(crate::engine::EngineError::new(message), &parsed.text, Vec::new()))
        }
    }
}

fn select(
    server: &Server,
    request: &StatementRequest,
    parsed: &ParsedStatement,
    query: &Query,
) -> Result<Answered, Problem> {
    match execute(server, request, parsed)? {
        Some(Answer::Rows(rows)) => {
            let catalog = server.engine.catalog();
            let header = Header {
                query_id: format!("query_{}", server.next_number()),
                columns: rows.columns.clone(),
                keys: keys(&catalog, query, &rows),
            };
            let count: usize = rows.batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
            let is_full = query.limit.is_some_and(|limit| count as i64 >= i64::from(limit));
            let end = if is_full { LIMIT_REACHED } else { QUERY_COMPLETED };
            let message = (!is_table(&catalog, query)).then_some(end);
            Ok(Answered::Rows(header, rows, message))
        }
        Some(Answer::Push(push)) => {
            let header = Header { query_id: push.id.clone(), columns: push.columns.clone(), keys: Vec::new() };
            Ok(Answered::Push(header, push))
        }
        _ => Err(Problem::new(Code::SERVER_ERROR, "the query has given no rows")),
    }
}

fn execute(server: &Server, request: &StatementRequest, parsed: &ParsedStatement) -> Result<Option<Answer>, Problem> {
    let mut session = request.session();
    let mut answer = None;
    let done = server.engine.execute_parsed(&mut session, parsed, &mut |response| answer = Some(response));
    done.map_err(|error| Problem::of_statement(error, &parsed.text, Vec::new()))?;
    Ok(answer)
}

fn is_table(catalog: &Catalog, query: &Query) -> bool {
    catalog.source(query.from.source.name.as_str()).is_some_and(|source| source.is_table())
}

/// Which columns of an answer over a table are keys.
fn keys(catalog: &Catalog, query: &Query, rows: &ResultRows) -> Vec<bool> {
    let source = catalog.source(query.from.source.name.as_str()).filter(|source| source.is_table());
    let is_key = |name: &str| {
        let is_bound = matches!(name, "WINDOWSTART" | "WINDOWEND");
        source.is_some_and(|source| is_bound || source.schema.key.iter().any(|column| column.name == name))
    };
    rows.columns.iter().map(|column| is_key(&column.name)).collect()
}

/// Sends what `answered` gives.
pub fn respond(server: &Arc<Server>, answered: Answered, framing: Framing, content_type: &'static str) -> Response {
    let content_type = if framing == Framing::Messages { PROTOBUF } else { content_type };
    match answered {
        Answered::Rows(header, rows, message) => match RowWriter::begin(framing, &header) {
            Ok((mut writer, mut body)) => {
                rows.batches.iter().for_each(|batch| body.extend(writer.rows(batch, |_| false)));
                body.extend(writer.end(message));
                with_type(Body::from(body), content_type)
            }
            Err(problem) => axum::response::IntoResponse::into_response(problem),
        },
        Answered::Push(header, push) => match RowWriter::begin(framing, &header) {
            Ok((writer, head)) => with_type(pushed(server, push, writer, head), content_type),
            Err(problem) => axum::response::IntoResponse::into_response(problem),
        },
        Answered::Print(print) => with_type(printed(print), "text/plain; charset=utf-8"),
    }
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// How often a push query without rows is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// A push query on its way to a client. Dropping it ends the query.
struct Pushing {
    push: PushQuery,
    writer: RowWriter,
    head: Option<Vec<u8>>,
    /// How often the client is sent something that is no row.
    keep_alive: Duration,
    ended: bool,
}

fn pushed(server: &Server, push: PushQuery, writer: RowWriter, head: Vec<u8>) -> Body {
    let state = Pushing { push, writer, head: Some(head), keep_alive: server.keep_alive, ended: false };
    Body::from_stream(stream::unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(piece)), state))
    }))
}

impl Pushing {
    async fn next(&mut self) -> Option<Vec<u8>> {
        if let Some(head) = self.head.take() {
            return Some(head);
        }
        if self.ended {
            return None;
        }
        let since = Instant::now();
        loop {
            match self.push.next(Duration::ZERO) {
                PushEvent::Rows(batch) => {
                    let piece = self.writer.rows(&batch, |_| false);
                    if !piece.is_empty() {
                        return Some(piece);
                    }
                }
                PushEvent::End => {
                    self.ended = true;
                    return Some(self.writer.end(Some(LIMIT_REACHED))).filter(|piece| !piece.is_empty());
                }
                PushEvent::Idle => match self.writer.keep_alive() {
                    Some(piece) if since.elapsed() >= self.keep_alive => return Some(piece.to_vec()),
                    _ => tokio::time::sleep(LOOK).await,
                },
            }
        }
    }
}

/// How long a thread waits for records of a topic that is printed before it looks whether the client is still there.
const PRINT_WAIT: Duration = Duration::from_millis(200);

fn printed(print: TopicPrint) -> Body {
    Body::from_stream(stream::unfold(Some(print), |print| async move {
        let print = print?;
        let (print, event) = working(move || {
            let event = print.next(PRINT_WAIT);
            (print, event)
        })
        .await
        .ok()?;
        let (text, print) = match event {
            Ok(PrintEvent::Records(formats, records)) => {
                let formats = formats.map(|formats| format!("{formats}\n")).unwrap_or_default();
                let lines = records.iter().map(|record| format!("{record}\n"));
                (formats + &lines.collect::<String>(), Some(print))
            }
            Ok(PrintEvent::Idle) => (String::new(), Some(print)),
            Ok(PrintEvent::End) => ("Topic printing ceased\n".to_owned(), None),
            Err(error) => (format!("{}\n", Problem::from(error).body()), None),
        };
        // An empty piece keeps a client waiting; so does this, and a client that has gone is noticed.
        let piece = if text.is_empty() { Bytes::from_static(b"\n") } else { Bytes::from(text) };
        Some((Ok::<_, std::convert::Infallible>(piece), print))
    }))
}
