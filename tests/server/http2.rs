//! A client of HTTP/2 with prior knowledge, frame by frame.

use std::net::SocketAddr;

use axum::body::Bytes;
use axum::http::{Request, StatusCode};
use h2::client::{self, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::process::{Answer, PATIENCE};

/// What the frames that wait to be read may lack of a good size, in bytes.
const SMALL_FRAMES: usize = 16 << 20;

/// A connection.
pub struct Http2 {
    runtime: Runtime,
    requests: SendRequest<Bytes>,
}

/// A request on its way.
pub struct Exchange<'a> {
    runtime: &'a Runtime,
    out: SendStream<Bytes>,
    coming: Option<ResponseFuture>,
    body: Option<RecvStream>,
    status: StatusCode,
    content_type: String,
}

impl Http2 {
    /// Connects to `address`. Nothing is agreed on before the first frame of HTTP/2.
    pub fn connect(address: SocketAddr) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("threads");
        let requests = runtime.block_on(async {
            let stream = TcpStream::connect(address).await.expect("it listens");
            // Who sends much before it reads finds many small frames.
            let (requests, connection) = client::Builder::new()
                .data_frame_budget(SMALL_FRAMES)
                .handshake(stream)
                .await
                .expect("it speaks HTTP/2");
            // What goes wrong is seen where something is asked.
            tokio::spawn(async move { drop(connection.await) });
            requests
        });
        Self { runtime, requests }
    }

    /// Begins a request whose body is sent with [`Exchange::send`].
    pub fn open(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Exchange<'_> {
        let mut request = Request::builder().method(method).uri(format!("http://levada{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(()).expect("a request");
        let (coming, out) = self.runtime.block_on(async {
            let mut ready = self.requests.clone().ready().await.expect("it takes requests");
            ready.send_request(request, false).expect("it takes this one")
        });
        Exchange {
            runtime: &self.runtime,
            out,
            coming: Some(coming),
            body: None,
            status: StatusCode::OK,
            content_type: String::new(),
        }
    }

    /// A whole request and its whole answer.
    pub fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut exchange = self.open(method, path, headers);
        // An answer may have come before the body has gone: nobody waits for one that means nothing.
        let _ = exchange.out.send_data(Bytes::copy_from_slice(body.as_bytes()), true);
        exchange.answer()
    }
}

impl Exchange<'_> {
    /// Sends a frame.
    pub fn send(&mut self, text: &str) {
        self.out.send_data(Bytes::copy_from_slice(text.as_bytes()), false).expect("it reads");
    }

    /// Ends the request.
    pub fn finish(&mut self) {
        // An answer may have come before the request has ended.
        let _ = self.out.send_data(Bytes::new(), true);
    }

    /// The status.
    pub fn status(&mut self) -> u16 {
        if let Some(coming) = self.coming.take() {
            let answer = self.runtime.block_on(async { timeout(PATIENCE, coming).await });
            let answer = answer.expect("it answers in time").expect("it answers");
            let content_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
            content_type.unwrap_or_default().clone_into(&mut self.content_type);
            self.status = answer.status();
            self.body = Some(answer.into_body());
        }
        self.status.as_u16()
    }

    /// The next frame of the answer that holds something; `None` at its end.
    pub fn next(&mut self) -> Option<String> {
        self.status();
        let body = self.body.as_mut().expect("the answer has begun");
        loop {
            let frame = self.runtime.block_on(async { timeout(PATIENCE, body.data()).await });
            let frame = frame.expect("it goes on in time")?.expect("it does not break off");
            // What is read makes room for more.
            let _ = body.flow_control().release_capacity(frame.len());
            if !frame.is_empty() {
                return Some(String::from_utf8(frame.to_vec()).expect("text"));
            }
        }
    }

    /// The whole answer.
    pub fn answer(mut self) -> Answer {
        let status = self.status();
        let mut text = String::new();
        while let Some(frame) = self.next() {
            text.push_str(&frame);
        }
        Answer { status, content_type: self.content_type.clone(), text }
    }
}
