//! One query: understood, asked, and answered in the framing that its endpoint has.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use tokio::sync::Notify;

use super::cluster::{self, ClientPeers, Forwarded};
use super::limits::Pulling;
use super::problem::{Code, Problem};
use super::request::{ARROW, PROTOBUF, Scope, StatementRequest};
use super::rows::{Framing, Header, RowWriter};
use super::security::{Principal, Right};
use super::{Server, working};
use crate::engine::{
    EngineError, PrintEvent, Pulled, PushEvent, PushQuery, Response as Answer, ResultRows, RoutedPull, TopicPrint,
};
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, parse_statements};

/// What a query gives.
pub enum Answered {
    /// All rows.
    Rows(Header, ResultRows),
    /// Rows that other servers have.
    Routed(Box<RoutedPull>),
    /// Rows that keep coming; of a pull query, for as long as they do, its place among those that there may be.
    Push(Header, PushQuery, Option<Pulling>),
    /// Records of a topic, as text.
    Print(TopicPrint),
}

/// Asks the one query of `request`, here and of other servers. `authorization` is what the client has said who it is.
pub async fn answer(
    server: &Arc<Server>,
    who: Principal,
    request: StatementRequest,
    authorization: Option<HeaderValue>,
) -> Result<Answered, Problem> {
    let asking = Asking { server: Arc::clone(server), who, request, authorization };
    let (answered, asking) = working(move || (asking.ask(), asking)).await?;
    match answered? {
        Answered::Routed(pull) => {
            let forwarded = Forwarded { request: asking.request, authorization: asking.authorization };
            let rows = cluster::gather(server, *pull, forwarded).await?;
            Ok(pulled(server, rows))
        }
        answered => Ok(answered),
    }
}

/// A query as somebody asks it.
struct Asking {
    server: Arc<Server>,
    who: Principal,
    request: StatementRequest,
    /// Who it is, as it was said.
    authorization: Option<HeaderValue>,
}

impl Asking {
    /// Asks the one query of the request.
    fn ask(&self) -> Result<Answered, Problem> {
        let (server, request) = (&*self.server, &self.request);
        let text = request.text()?;
        server.await_command(request.command_sequence_number)?;
        let place = match self.pull(text)? {
            (Some(answered), _) => return Ok(answered),
            (None, place) => place,
        };
        let statements = parse_statements(text).map_err(|error| Problem::of_syntax(error, text))?;
        let parsed = match statements.as_slice() {
            [one] => one,
            others => {
                let message = format!("one query is expected here, and there are {} statements", others.len());
                return Err(Problem::bad_request(message));
            }
        };
        server.security.check(&self.who, Right::of(&parsed.statement))?;
        match &parsed.statement {
            Statement::Query(query) => {
                if !query.is_pull() {
                    return self.select(parsed, None);
                }
                let place = match place {
                    // It was looked at, and is more than one of ksqlDB's pull queries.
                    Some(place) => place,
                    None => match self.pull_now(&parsed.text)? {
                        (Some(answered), _) => return Ok(answered),
                        (None, place) => place,
                    },
                };
                self.select(parsed, Some(place))
            }
            Statement::Read(_) => {
                let place = place_of(server, place)?;
                self.select(parsed, Some(place))
            }
            Statement::PrintTopic(_) => match self.execute(parsed)? {
                Some(Answer::Print(print)) => Ok(Answered::Print(print)),
                _ => Err(Problem::new(Code::SERVER_ERROR, "PRINT has given no records")),
            },
            _ => {
                let message = "only SELECT and PRINT are answered here: send other statements to /ksql";
                Err(Problem::of_statement(EngineError::new(message), &parsed.text, Vec::new()))
            }
        }
    }

    fn select(&self, parsed: &ParsedStatement, place: Option<Pulling>) -> Result<Answered, Problem> {
        match self.execute(parsed)? {
            Some(Answer::Rows(rows)) => Ok(pulled(&self.server, rows)),
            Some(Answer::Push(push)) => {
                let schema = push.columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let header = Header { query_id: push.id.clone(), columns: push.columns.clone(), schema };
                Ok(Answered::Push(header, push, place))
            }
            _ => Err(Problem::new(Code::SERVER_ERROR, "the query has given no rows")),
        }
    }

    /// The answer of `text` if it is a pull query that can be seen to be one: a text that does not begin with SELECT, or with EMIT in it,
    /// even as a value, is parsed first. If it is none, the place that was taken for it.
    fn pull(&self, text: &str) -> Result<(Option<Answered>, Option<Pulling>), Problem> {
        if !is_pull_by_its_words(text) || self.server.security.check(&self.who, Right::Read).is_err() {
            return Ok((None, None));
        }
        let (answered, place) = self.pull_now(text)?;
        Ok((answered, Some(place)))
    }

    /// The answer of `text` if it is a pull query, and its place among those that there may be.
    fn pull_now(&self, text: &str) -> Result<(Option<Answered>, Pulling), Problem> {
        let server = &*self.server;
        let place = server.pull_limits.begin(server.engine.elapsed())?;
        let (engine, session) = (&server.engine, server.checked(self.request.session())?);
        let rows = |rows: Result<ResultRows, EngineError>| rows.map(Pulled::Rows);
        let answered = match self.request.scope()? {
            Scope::All => engine.pull_or_route(&session, text),
            Scope::Own => engine.pull(&session, text).map(rows),
            Scope::Partitions(partitions) => engine.pull_of(&session, text, &partitions).map(rows),
        };
        let answered = answered.transpose().map_err(|error| Problem::of_statement(error, text, Vec::new()))?;
        let answered = answered.map(|answered| match answered {
            Pulled::Rows(rows) => pulled(server, rows),
            Pulled::Routed(pull) => Answered::Routed(pull),
        });
        Ok((answered, place))
    }

    fn execute(&self, parsed: &ParsedStatement) -> Result<Option<Answer>, Problem> {
        let (server, request) = (&self.server, &self.request);
        let mut session = server.checked(request.session())?;
        // What another server asks is not passed on.
        if request.scope()? == Scope::All {
            session.peers = Some(Arc::new(ClientPeers::new(server, request, self.authorization.clone())));
        }
        let mut answer = None;
        let done = server.engine.execute_parsed(&mut session, parsed, &mut |response| answer = Some(response));
        done.map_err(|error| Problem::of_statement(error, &parsed.text, Vec::new()))?;
        Ok(answer)
    }
}

/// `place`, or a new one among the pull queries that there may be.
fn place_of(server: &Server, place: Option<Pulling>) -> Result<Pulling, Problem> {
    place.map_or_else(|| server.pull_limits.begin(server.engine.elapsed()), Ok)
}

/// Whether `text` can be nothing but a SELECT that ends: PRINT, SHOW and the like take no place among the pull queries.
fn is_pull_by_its_words(text: &str) -> bool {
    let begins = text.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("SELECT"));
    begins && !text.to_ascii_uppercase().contains("EMIT")
}

fn pulled(server: &Server, rows: ResultRows) -> Answered {
    let query_id = format!("query_{}", server.next_number());
    let header = Header { query_id, columns: rows.columns.clone(), schema: rows.schema_text() };
    Answered::Rows(header, rows)
}

/// Sends what `answered` gives.
pub fn respond(server: &Arc<Server>, answered: Answered, framing: Framing, content_type: &'static str) -> Response {
    let content_type = if framing == Framing::Messages { PROTOBUF } else { content_type };
    match answered {
        Answered::Rows(_, rows) if framing == Framing::Arrow => match cluster::encode_arrow(&rows) {
            Ok(body) => with_type(Body::from(body), ARROW),
            Err(problem) => problem.into_response(),
        },
        Answered::Push(..) if framing == Framing::Arrow => {
            Problem::new(Code::NOT_ACCEPTABLE, "only pull queries are answered as Arrow").into_response()
        }
        Answered::Rows(header, rows) => match RowWriter::begin(framing, &header) {
            Ok((mut writer, mut body)) => {
                rows.batches.iter().for_each(|batch| body.extend(writer.rows(batch, |_| false)));
                body.extend(writer.end(rows.end.as_ref()));
                server.pull_limits.answered(body.len(), server.engine.elapsed());
                with_type(Body::from(body), content_type)
            }
            Err(problem) => problem.into_response(),
        },
        Answered::Push(header, push, place) => match RowWriter::begin_pushed(framing, &header) {
            Ok((writer, head)) => with_type(pushed(server, push, place, (writer, head)), content_type),
            Err(problem) => problem.into_response(),
        },
        // Whoever asks gathers the rows before.
        Answered::Routed(_) => {
            Problem::new(Code::SERVER_ERROR, "the rows of other servers are missing").into_response()
        }
        Answered::Print(print) => with_type(printed(print), "text/plain; charset=utf-8"),
    }
}

fn with_type(body: Body, content_type: &'static str) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A push query on its way to a client. Dropping it ends the query.
struct Pushing {
    push: PushQuery,
    /// Its place among the pull queries, if it is one.
    _place: Option<Pulling>,
    /// Told when the query has something new.
    changed: Arc<Notify>,
    writer: RowWriter,
    /// What is still to be sent.
    ready: Bytes,
    /// How often the client is sent something that is no row.
    keep_alive: Duration,
    ended: bool,
}

fn pushed(server: &Server, push: PushQuery, place: Option<Pulling>, (writer, head): (RowWriter, Vec<u8>)) -> Body {
    let changed = Arc::new(Notify::new());
    let waker = Arc::clone(&changed);
    push.on_change(move || waker.notify_one());
    let ready = Bytes::from(head);
    let pushing = Pushing { push, _place: place, changed, writer, ready, keep_alive: server.keep_alive, ended: false };
    Body::from_stream(stream::unfold(pushing, |mut pushing| async move {
        let piece = pushing.next().await?;
        Some((Ok::<_, Infallible>(piece), pushing))
    }))
}

impl Pushing {
    /// The next piece. Each row is one by itself: there are clients that take a chunk, or a frame of HTTP/2, for a row.
    async fn next(&mut self) -> Option<Bytes> {
        while self.ready.is_empty() && !self.ended {
            let piece = match self.push.try_next() {
                PushEvent::Rows(rows) => self.writer.rows(rows.batch(), |row| rows.is_tombstone(row)),
                PushEvent::End(end) => {
                    self.ended = true;
                    self.writer.end(Some(&end))
                }
                PushEvent::Idle => self.wait().await,
            };
            self.ready = Bytes::from(piece);
        }
        let line = memchr::memchr(b'\n', &self.ready).map_or(self.ready.len(), |end| end + 1);
        (line > 0).then(|| self.ready.split_to(line))
    }

    /// Waits for something to take; what is sent to a client that has waited for long.
    async fn wait(&mut self) -> Vec<u8> {
        match tokio::time::timeout(self.keep_alive, self.changed.notified()).await {
            Ok(()) => Vec::new(),
            Err(_) => self.writer.keep_alive().unwrap_or_default().to_vec(),
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
        Some((Ok::<_, Infallible>(piece), print))
    }))
}
