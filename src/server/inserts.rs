//! `/inserts-stream`: a target, then rows; each is acknowledged when its record is in the topic.
//!
//! ```text
//! {"target":"S","properties":{}}⏎ {"A":1}⏎ {"A":2}⏎ …        ◀──▶        {"status":"ok","seq":0}⏎ {"status":"ok","seq":1}⏎ …
//! ```
//!
//! What has arrived together is written together. Acknowledgements come while the request is still open; the first row that is
//! refused ends the answer.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Version, header};
use axum::response::Response;
use futures_util::{StreamExt as _, stream};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::problem::{Code, Problem};
use super::request::{RowForm, session_of};
use super::security::{Principal, Right};
use super::{Endpoint, Server, working};
use crate::engine::Inserter;
use crate::http::{forget, in_time};

/// The first line.
#[derive(Debug, Deserialize)]
struct Target {
    target: String,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

/// No line is longer.
const LINE_MAX: usize = 16 << 20;
/// As many rows are written together at most.
const ROWS_MAX: usize = 4096;

/// Takes rows.
pub async fn endpoint(
    State(server): State<Arc<Server>>,
    Extension(who): Extension<Principal>,
    request: Request,
) -> Endpoint {
    if let Err(refused) = server.security.check(&who, Right::Write) {
        forget(request).await;
        return Err(refused);
    }
    if request.version() < Version::HTTP_2 && !offers_http2(request.headers()) {
        forget(request).await;
        let text = "/inserts-stream acknowledges rows while they are sent, which needs HTTP/2: ask with HTTP/2";
        return Err(Problem::new(Code::HTTP2_ONLY, text));
    }
    let form = RowForm::of_acknowledgements(request.headers())?;
    let mut lines = Lines { stream: request.into_body().into_data_stream(), buffer: Vec::new(), at_end: false };
    let slow = || Problem::new(Code::TOO_SLOW, "the first line of the request did not come in time");
    let first = in_time(lines.next(1)).await.ok_or_else(slow)??.and_then(|mut lines| lines.pop());
    let first = first.ok_or_else(|| Problem::bad_request("the first line must name the stream: {\"target\": …}"))?;
    let target: Target = serde_json::from_slice(&first)
        .map_err(|error| Problem::bad_request(format!("the first line is no target: {error}")))?;
    let session = server.checked(session_of(target.properties.as_ref()))?;
    let inserter = working(move || server.engine.inserter(&session, &target.target)).await??;
    let taking = Taking { lines, inserter: Some(inserter), form, number: 0, head: form == RowForm::Json };
    let body = Body::from_stream(stream::unfold(taking, |mut taking| async move {
        let piece = taking.next().await?;
        Some((Ok::<_, Infallible>(Bytes::from(piece)), taking))
    }));
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    Ok(response)
}

/// Whether a request of HTTP/1.1 would go on with HTTP/2. Who offers it takes an answer in HTTP/1.1 too (RFC 7540, 3.2), and
/// Python's `ksql` asks no other way.
fn offers_http2(headers: &HeaderMap) -> bool {
    let offered = headers.get_all(header::UPGRADE).iter().filter_map(|value| value.to_str().ok());
    offered.flat_map(|value| value.split(',')).any(|protocol| protocol.trim().eq_ignore_ascii_case("h2c"))
}

/// The lines of a body, as they arrive.
struct Lines {
    stream: BodyDataStream,
    buffer: Vec<u8>,
    at_end: bool,
}

impl Lines {
    /// The lines that have arrived, at most `max`; waits for the first. `None` at the end. Empty lines are left out.
    async fn next(&mut self, max: usize) -> Result<Option<Vec<Vec<u8>>>, Problem> {
        loop {
            let lines = self.take(max);
            if !lines.is_empty() {
                return Ok(Some(lines));
            }
            if self.at_end {
                return Ok(None);
            }
            if self.buffer.len() > LINE_MAX {
                return Err(Problem::bad_request(format!("a line is longer than {LINE_MAX} bytes")));
            }
            match self.stream.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => return Err(Problem::bad_request(format!("the request has broken off: {error}"))),
                None => self.at_end = true,
            }
        }
    }

    fn take(&mut self, max: usize) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        let mut start = 0;
        while lines.len() < max {
            let end = match memchr::memchr(b'\n', &self.buffer[start..]) {
                Some(at) => start + at,
                None if self.at_end && start < self.buffer.len() => self.buffer.len(),
                None => break,
            };
            let line = self.buffer[start..end].trim_ascii();
            if !line.is_empty() {
                lines.push(line.to_vec());
            }
            start = (end + 1).min(self.buffer.len());
        }
        self.buffer.drain(..start);
        lines
    }
}

/// Rows on their way into a topic.
struct Taking {
    lines: Lines,
    /// `None` when it is over.
    inserter: Option<Inserter>,
    form: RowForm,
    /// Number of the next row.
    number: u64,
    /// Whether the answer has not begun.
    head: bool,
}

impl Taking {
    async fn next(&mut self) -> Option<Vec<u8>> {
        if self.head {
            self.head = false;
            return Some(b"[".to_vec());
        }
        let mut inserter = self.inserter.take()?;
        let rows = match self.lines.next(ROWS_MAX).await {
            Ok(Some(rows)) => rows,
            Ok(None) => return self.end(Vec::new()),
            Err(problem) => return self.refused(Vec::new(), &problem),
        };
        let written = working(move || {
            let outcomes = inserter.insert(&rows);
            (inserter, outcomes)
        });
        let (inserter, outcomes) = match written.await {
            Ok(written) => written,
            Err(problem) => return self.refused(Vec::new(), &problem),
        };
        let mut out = Vec::new();
        for outcome in outcomes {
            match outcome {
                Ok(()) => self.acknowledge(&mut out, &json!({"status": "ok", "seq": self.number})),
                Err(error) => {
                    let code = error.code.map_or(Code::BAD_REQUEST, Code);
                    return self.refused(out, &Problem { code, ..Problem::from(error) });
                }
            }
            self.number += 1;
        }
        self.inserter = Some(inserter);
        Some(out)
    }

    fn acknowledge(&self, out: &mut Vec<u8>, said: &Value) {
        if self.form == RowForm::Json && self.number > 0 {
            out.extend_from_slice(b",\n");
        }
        out.extend_from_slice(said.to_string().as_bytes());
        if self.form != RowForm::Json {
            out.push(b'\n');
        }
    }

    fn refused(&mut self, mut out: Vec<u8>, problem: &Problem) -> Option<Vec<u8>> {
        let said = json!({
            "status": "error", "seq": self.number, "error_code": problem.code.0, "message": problem.message,
        });
        self.acknowledge(&mut out, &said);
        self.end(out)
    }

    fn end(&mut self, mut out: Vec<u8>) -> Option<Vec<u8>> {
        if self.form == RowForm::Json {
            out.push(b']');
        }
        (!out.is_empty()).then_some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_are_taken_as_they_arrive() {
        let pieces = ["{\"a\"", ":1}\n\n{\"a\":2}\r\n{\"a\"", ":3}"];
        let body = Body::from_stream(stream::iter(pieces.map(Ok::<_, Infallible>)));
        let mut lines = Lines { stream: body.into_data_stream(), buffer: Vec::new(), at_end: false };
        let mut next = async |max| {
            let lines = lines.next(max).await.expect("the body is whole");
            lines.map(|lines| lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>())
        };
        assert_eq!(next(1).await, Some(vec!["{\"a\":1}".to_owned()]));
        assert_eq!(next(9).await, Some(vec!["{\"a\":2}".to_owned()]));
        assert_eq!(next(9).await, Some(vec!["{\"a\":3}".to_owned()]));
        assert_eq!(next(9).await, None);
    }
}
