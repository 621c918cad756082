//! HTTP servers of the process: an address is bound, requests are answered on threads of the server's own, and it stops when what it
//! has begun to answer is answered.
//!
//! What is answered is a router of whoever starts the server. HTTP/1.1 and HTTP/2 without TLS.

mod listen;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

pub use listen::{ListenError, parse_listen};

/// A server that answers until it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Threads that read and write connections.
const IO_THREADS: usize = 2;
/// Requests that are worked on at the same time; others wait.
const WORK_THREADS: usize = 8;
/// Stack of all of them: what is sent may be nested.
const STACK_BYTES: usize = 16 << 20;
/// How long answers that were begun may take once the server is to stop.
const GRACE: Duration = Duration::from_secs(5);

impl HttpServer {
    /// Binds `listen`, of which port 0 is any that is free, and answers as `app` says. Threads are called `name`.
    pub fn start(name: &str, listen: SocketAddr, app: Router) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(IO_THREADS)
            .max_blocking_threads(WORK_THREADS)
            .thread_stack_size(STACK_BYTES)
            .thread_name(name)
            .enable_io()
            .enable_time()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name(name.to_owned());
        let thread = thread.spawn(move || serve(&runtime, listener, app, stopped))?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
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

fn serve(runtime: &Runtime, listener: TcpListener, app: Router, stopped: oneshot::Receiver<()>) {
    let outcome = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (stopping, mut is_stopping) = oneshot::channel();
        let signal = async move {
            // That the other end is gone says the same.
            let _ = stopped.await;
            let _ = stopping.send(());
        };
        let serving = std::future::IntoFuture::into_future(axum::serve(listener, app).with_graceful_shutdown(signal));
        let mut serving = Box::pin(serving);
        tokio::select! {
            outcome = &mut serving => outcome,
            _ = &mut is_stopping => tokio::time::timeout(GRACE, serving).await.unwrap_or(Ok(())),
        }
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
}
