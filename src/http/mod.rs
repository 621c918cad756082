//! HTTP servers of the process, and what they ask each other.
//!
//! ```text
//! listen: http://…, https://… ─▶ HttpServer
//!                                 │ a connection each: limits, idle time, half-closed clients (connections, half_closed)
//!                                 │ TLS, certificates read again when they change (tls, pem, own_or_signed)
//!                                 ▼
//!                                Router of whoever starts it: server/, registry/
//!                                                   Client ─▶ other servers of the service
//!
//! ClientProperties ─▶ addresses, users, certificates ─▶ clients of services elsewhere: registry/, connect/
//! ```
//!
//! An address is bound, requests are answered on threads of the server's own, and it stops when what it has begun to answer is
//! answered.
//!
//! What is answered is a router of whoever starts the server. HTTP/1.1 and HTTP/2, with TLS where it is asked for. Who sends slowly, or nothing, is not waited
//! for without end, and there are only so many connections at a time.

mod authentication;
mod client;
mod client_properties;
mod client_stores;
mod connections;
mod half_closed;
mod listen;
mod own_or_signed;
pub mod pem;
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::Version;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

#[cfg(test)]
pub(crate) use authentication::signer;
pub use authentication::{Authentication, Moment, Principal, Right, Rights, Stranger};
pub use client::{Ask, Client, ClientError, Origin, Reply};
pub use client_properties::{Address, ClientProperties, Secret, SettingError, basic, path_segment, request_failure};
pub use client_stores::ClientStores;
pub use connections::Limits;
pub use half_closed::SendingHalf;
pub use listen::{Listen, ListenError};
pub use tls::{TlsError, acceptor as tls_acceptor, connector as tls_connector};

/// A server that answers until it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    has_tls: bool,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Threads that read and write connections.
const IO_THREADS: usize = 2;
/// Requests that are worked on at the same time; others wait.
const WORK_THREADS: usize = 8;
/// Stack of all of them: what is sent may be nested.
pub const STACK_BYTES: usize = 64 << 20;
/// Connections at the same time, and how long the head of a request may take.
const LIMITS: Limits = Limits { connections: 512, head: Duration::from_secs(30), idle: Duration::from_hours(24) };
/// How long the body of a request may take.
const BODY_PATIENCE: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 30 });
/// How long answers that were begun may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What a server does besides answering.
#[derive(Default)]
pub struct ServerOptions {
    /// Speaks TLS.
    pub tls: Option<TlsAcceptor>,
    /// What it allows those who connect.
    pub limits: Limits,
    /// Requests that are worked on at the same time; 0 is a few.
    pub work_threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        LIMITS
    }
}

impl HttpServer {
    /// Binds `listen`, of which port 0 is any that is free, and answers as `app` says. Threads are called `name`.
    pub fn start(name: &str, listen: SocketAddr, app: Router) -> io::Result<Self> {
        Self::start_with(name, listen, app, ServerOptions::default())
    }

    /// As [`HttpServer::start`], with `options`.
    pub fn start_with(name: &str, listen: SocketAddr, app: Router, options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .max_blocking_threads(options.work_threads.max(WORK_THREADS))
            .thread_stack_size(STACK_BYTES)
            .thread_name(name)
            .enable_io()
            .enable_time()
            .build()?;
        let has_tls = options.tls.is_some();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || serve(&runtime, listener, app, options, stopped))?;
        Ok(Self { address, has_tls, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same as an address of HTTP or HTTPS.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.has_tls { "https" } else { "http" }, self.address)
    }

    /// Takes no more connections and ends when the open requests are answered, or after a few seconds.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Nobody listens when it has ended already.
            let _ = stop.send(());
        }
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of an HTTP server has died");
        }
    }
}

/// What `reading` the body of a request gives; `None` where it takes too long.
pub async fn in_time<T>(reading: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(BODY_PATIENCE, reading).await.ok()
}

/// Most of a body that nobody reads is taken all the same.
const FORGOTTEN_MAX: usize = 64 << 10;
/// As long as it comes within this time.
const FORGOTTEN_WITHIN: Duration = Duration::from_secs(1);

/// Takes the body of a request that is refused, if it is short: with a body that was left where it is, the connection of HTTP/1.1
/// would have to end, and who sends the next request on it would not be answered.
pub async fn forget(request: Request) {
    if request.version() < Version::HTTP_2 {
        let body = axum::body::to_bytes(request.into_body(), FORGOTTEN_MAX);
        // One that is longer, or does not come, ends the connection.
        let _ = tokio::time::timeout(FORGOTTEN_WITHIN, body).await;
    }
}

fn serve(
    runtime: &Runtime,
    listener: TcpListener,
    app: Router,
    ServerOptions { tls, limits, .. }: ServerOptions,
    stopped: oneshot::Receiver<()>,
) {
    let outcome = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        connections::answer(listener, app, tls, limits, stopped, GRACE).await;
        Ok::<_, io::Error>(())
    });
    if let Err(error) = outcome {
        tracing::error!("an HTTP server has ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpStream;

    use axum::routing::get;

    use super::*;

    fn ask(address: SocketAddr) -> io::Result<String> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    #[test]
    fn a_server_answers_on_a_free_port_until_it_is_stopped() {
        let app = Router::new().route("/", get(|| async { "here" }));
        let server = HttpServer::start("test-http", SocketAddr::from(([127, 0, 0, 1], 0)), app).expect("a free port");
        let address = server.address();
        assert!(ask(address).expect("it answers").ends_with("here"));
        let taken = HttpServer::start("test-http", address, Router::new());
        assert!(taken.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse));
        server.stop();
        assert!(ask(address).is_err());
    }

    const HERE: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

    fn start(limits: Limits) -> HttpServer {
        let app = Router::new().route("/", get(|| async { "here" }));
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = ServerOptions { limits, ..ServerOptions::default() };
        HttpServer::start_with("test-http", listen, app, options).expect("a free port")
    }

    /// What comes before the server closes a connection on which `begun` was sent.
    fn told_until_closed(server: &HttpServer, begun: &str) -> String {
        let mut stream = TcpStream::connect(server.address()).expect("it listens");
        stream.write_all(begun.as_bytes()).expect("it is connected");
        let mut told = String::new();
        // Who closes a connection on which it has not read all resets it.
        let _ = stream.read_to_string(&mut told);
        told
    }

    #[test]
    fn who_sends_no_request_is_not_waited_for() {
        let server = start(Limits { head: Duration::from_millis(200), ..LIMITS });
        for begun in ["", "P", "PRI * HTTP/2.0\r\n", "GET / HTTP/1.1\r\nhost: x\r\n"] {
            let told = told_until_closed(&server, begun);
            assert!(!told.contains("here"), "{begun:?}: {told}");
        }
        let told = told_until_closed(&server, HERE);
        assert!(told.ends_with("here"), "a connection between two requests ends too: {told}");
    }

    #[test]
    fn a_connection_on_which_nothing_is_sent_ends() {
        let nothing =
            || async { axum::body::Body::from_stream(futures_util::stream::pending::<io::Result<Vec<u8>>>()) };
        let app = Router::new().route("/", get(nothing));
        let options =
            ServerOptions { limits: Limits { idle: Duration::from_millis(100), ..LIMITS }, ..ServerOptions::default() };
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let server = HttpServer::start_with("test-http", listen, app, options).expect("a free port");
        let told = told_until_closed(&server, HERE);
        assert!(told.starts_with("HTTP/1.1 200") && !told.ends_with("0\r\n\r\n"), "{told}");
    }

    #[test]
    fn who_closes_his_sending_half_is_answered() {
        let body = || async { axum::body::Body::from("x".repeat(10 << 20)) };
        let slowly = || async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            "here"
        };
        let endless =
            || async { axum::body::Body::from_stream(futures_util::stream::pending::<io::Result<Vec<u8>>>()) };
        let app =
            Router::new().route("/slowly", get(slowly)).route("/large", get(body)).route("/endless", get(endless));
        let server = HttpServer::start("test-http", SocketAddr::from(([127, 0, 0, 1], 0)), app).expect("a free port");
        let told = |path: &str| {
            let mut stream = TcpStream::connect(server.address()).expect("it listens");
            write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").expect("it is connected");
            stream.shutdown(std::net::Shutdown::Write).expect("it is open");
            let mut told = String::new();
            // An answer without end is broken off.
            let _ = stream.read_to_string(&mut told);
            told
        };
        assert!(told("/slowly").ends_with("here"));
        assert!(told("/large").len() > 10 << 20);
        assert!(!told("/endless").ends_with("0\r\n\r\n"), "who sends no more has gone");
    }

    #[test]
    fn whose_turn_it_is_not_waits_until_a_connection_ends() {
        let server = start(Limits { connections: 1, ..LIMITS });
        let first = TcpStream::connect(server.address()).expect("it listens");
        let mut second = TcpStream::connect(server.address()).expect("the system takes it");
        second.write_all(HERE.as_bytes()).expect("the system takes it");
        second.set_read_timeout(Some(Duration::from_millis(300))).expect("a time");
        assert!(second.read(&mut [0; 1]).is_err(), "there is no place yet");
        drop(first);
        second.set_read_timeout(None).expect("no time");
        let mut byte = [0];
        assert_eq!(second.read(&mut byte).ok(), Some(1));
        assert_eq!(&byte, b"H");
    }
}
