//! Clients of HTTP/1.1 that close their sending half when they have asked, and read on: they are answered.
//!
//! The end of what a client sends looks the same whether it reads on or has gone. While a request that came whole is answered, that
//! end is kept from the connection, which would take it for the latter; where an answer has no end of its own, a client that sends
//! no more counts as gone.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};

use futures_util::task::AtomicWaker;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is done with the end of what a client sends.
#[derive(Clone, Default)]
pub struct SendingHalf(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: AtomicU8,
    waker: AtomicWaker,
}

/// The connection is told.
const OPEN: u8 = 0;
/// A request came whole, and its answer has not begun.
const ASKED: u8 = 1;
/// Its answer is to be written.
const ANSWERED: u8 = 2;

/// How often the end is found before it is told.
const LOOKS: u8 = 2;

impl SendingHalf {
    /// The request has come whole.
    pub fn asked(&self) {
        self.0.state.store(ASKED, Ordering::Release);
    }

    /// Its answer is there; `has_end` if all of it is.
    pub(super) fn answered(&self, has_end: bool) {
        if self.0.state.load(Ordering::Acquire) == ASKED {
            self.0.state.store(if has_end { ANSWERED } else { OPEN }, Ordering::Release);
            self.0.waker.wake();
        }
    }

    fn flushed(&self) {
        // An answer that is not there yet is not flushed.
        if self.0.state.compare_exchange(ANSWERED, OPEN, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.0.waker.wake();
        }
    }

    /// Whether the end is kept, which `looks` have found before. A request that was just read has still to reach who answers it.
    fn keeps_end(&self, looks: u8, context: &Context<'_>) -> bool {
        self.0.waker.register(context.waker());
        if self.0.state.load(Ordering::Acquire) != OPEN {
            return true;
        }
        let is_new = looks < LOOKS;
        if is_new {
            context.waker().wake_by_ref();
        }
        is_new
    }
}

/// A connection whose client may have closed its sending half.
pub(super) struct HalfClosed<S> {
    stream: S,
    sending: SendingHalf,
    /// How often the end was found since something else was.
    looks: u8,
    /// How often something was sent, in either direction.
    traffic: Arc<AtomicU64>,
}

impl<S> HalfClosed<S> {
    pub(super) fn new(stream: S) -> (Self, SendingHalf) {
        let sending = SendingHalf::default();
        (Self { stream, sending: sending.clone(), looks: 0, traffic: Arc::default() }, sending)
    }

    /// What grows whenever something is sent, in either direction.
    pub(super) fn traffic(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.traffic)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for HalfClosed<S> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.remaining();
        ready!(Pin::new(&mut this.stream).poll_read(context, buffer))?;
        let is_end = before > 0 && buffer.remaining() == before;
        if is_end && this.sending.keeps_end(this.looks, context) {
            this.looks = this.looks.saturating_add(1);
            return Poll::Pending;
        }
        this.looks = 0;
        this.traffic.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for HalfClosed<S> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write(context, bytes));
        this.traffic.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(written)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.stream).poll_write_vectored(context, pieces));
        this.traffic.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(Pin::new(&mut this.stream).poll_flush(context))?;
        this.sending.flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
