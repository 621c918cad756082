//! Connections of a server: how many there may be, and how long who says nothing is waited for.
//!
//! A connection that has brought no whole head of a request within [`Limits::head`], be it new or between two requests, is closed. What
//! a request takes after that is for who answers it: [`super::body`] gives up on bodies that come too slowly.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::HttpBody;
use axum::http::{Method, Request, Version};
use axum::response::Response;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tower_service::Service;

use super::half_closed::{HalfClosed, SendingHalf};

/// What a server allows those who connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time; others wait until one ends.
    pub connections: usize,
    /// How long the head of a request may take to come.
    pub head: Duration,
    /// A connection on which nothing is sent for so long, in either direction, is closed.
    pub idle: Duration,
}

/// Bytes that may come on one stream of HTTP/2, and on all of a connection, before they are read. Many small frames that wait are
/// taken for an attack when half of the connection's window would be their overhead; rows of one stream are not to get there.
const STREAM_WINDOW: u32 = 256 << 10;
const CONNECTION_WINDOW: u32 = 16 << 20;

/// After a connection could not be taken: files are short.
const AGAIN: Duration = Duration::from_millis(500);

/// Answers those who connect as `app` says, until `stopped`; then waits for answers that were begun, as long as `grace`.
pub(super) async fn answer(
    listener: TcpListener,
    app: Router,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    mut stopped: oneshot::Receiver<()>,
    grace: Duration,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let open = GracefulShutdown::new();
    loop {
        tokio::select! {
            // That the other end is gone says the same.
            _ = &mut stopped => break,
            accepted = accept(&listener, &places) => match accepted {
                Ok((stream, place)) => begin(stream, place, &app, tls.as_ref(), limits, &open),
                Err(error) => {
                    tracing::warn!("a connection could not be taken: {error}");
                    sleep(AGAIN).await;
                }
            },
        }
    }
    drop(listener);
    if timeout(grace, open.shutdown()).await.is_err() {
        tracing::debug!("an HTTP server has ended before all answers had");
    }
}

/// The next connection, once there is a place for it.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

/// Lets a task answer the requests of one connection.
fn begin(
    stream: TcpStream,
    place: OwnedSemaphorePermit,
    app: &Router,
    tls: Option<&TlsAcceptor>,
    limits: Limits,
    open: &GracefulShutdown,
) {
    // Answers are written whole: nothing comes that is worth waiting for.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("a connection keeps small packets back: {error}");
    }
    let (app, watcher) = (app.clone(), open.watcher());
    let Some(tls) = tls.cloned() else {
        tokio::spawn(converse(stream, place, app, limits, watcher));
        return;
    };
    tokio::spawn(async move {
        match timeout(limits.head, tls.accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, place, app, limits, watcher).await,
            Ok(Err(error)) => tracing::debug!("a connection speaks no TLS that is understood: {error}"),
            Err(_) => tracing::debug!("a connection has said nothing"),
        }
    });
}

/// Answers the requests of one connection.
async fn converse(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    _place: OwnedSemaphorePermit,
    app: Router,
    limits: Limits,
    open: Watcher,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.head);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.head).keep_alive_timeout(limits.head);
    builder.http2().initial_stream_window_size(STREAM_WINDOW).initial_connection_window_size(CONNECTION_WINDOW);
    let asked = Arc::new(Notify::new());
    let (stream, sending) = HalfClosed::new(stream);
    let traffic = stream.traffic();
    let app = TowerToHyperService::new(Noted { app, asked: Arc::clone(&asked), sending });
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), app);
    let mut connection = pin!(open.watch(connection.into_owned()));
    // Before it is known which protocol is spoken, there is no head that could be too slow.
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        () = asked.notified() => None,
        () = sleep(limits.head) => return,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => tokio::select! {
            ended = &mut connection => ended,
            () = silence(&traffic, limits.idle) => return tracing::debug!("a connection has been idle for too long"),
        },
    };
    if let Err(error) = ended {
        tracing::debug!("a connection has ended: {error}");
    }
}

/// Waits until nothing has been sent for `idle`, or at most twice as long.
async fn silence(traffic: &AtomicU64, idle: Duration) {
    let mut before = traffic.load(Ordering::Relaxed);
    loop {
        sleep(idle).await;
        let now = traffic.load(Ordering::Relaxed);
        if now == before {
            return;
        }
        before = now;
    }
}

/// An app that notes that it was asked, and has answered.
#[derive(Clone)]
struct Noted {
    app: Router,
    asked: Arc<Notify>,
    sending: SendingHalf,
}

impl<B> Service<Request<B>> for Noted
where
    B: HttpBody,
    Router: Service<Request<B>, Response = Response, Error = Infallible>,
    <Router as Service<Request<B>>>::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        <Router as Service<Request<B>>>::poll_ready(&mut self.app, context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        self.asked.notify_one();
        if request.version() >= Version::HTTP_2 {
            return Box::pin(self.app.call(request));
        }
        let sending = self.sending.clone();
        // Of what is asked with GET nobody reads a body.
        if request.body().is_end_stream() || request.method() == Method::GET {
            sending.asked();
        } else {
            request.extensions_mut().insert(sending.clone());
        }
        let answering = self.app.call(request);
        Box::pin(async move {
            let answer = answering.await;
            sending.answered(answer.as_ref().is_ok_and(|answer| answer.body().size_hint().exact().is_some()));
            answer
        })
    }
}
