//! An HTTP server of a test: it answers a request per connection, as the test says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

/// What is asked.
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The body; null if it is no JSON.
    pub body: Value,
}

/// A server on a free port, until it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl HttpServer {
    /// One that answers with the status and the body that `answer` gives, request by request.
    pub fn start(mut answer: impl FnMut(&Request) -> (u16, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let is_over = Arc::<AtomicBool>::default();
        let ended = Arc::clone(&is_over);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if ended.load(Ordering::Acquire) {
                    return;
                }
                serve(stream, &mut answer);
            }
        });
        Self { address, is_over }
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        // It looks at the next connection.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, answer: &mut impl FnMut(&Request) -> (u16, String)) {
    // Who has gone asks nothing.
    let Some(request) = read(&stream) else { return };
    let (status, body) = answer(&request);
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} .\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    // Who has gone does not want it.
    drop(stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()));
}

/// The request, if it comes whole.
fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    reader.read_line(&mut line).ok()?;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next()?, words.next()?);
    Some(Request { method, path, body: serde_json::from_slice(&body).unwrap_or_default() })
}
