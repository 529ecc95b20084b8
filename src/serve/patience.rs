//! How long a connection may take over things, told by its bytes alone.
//!
//! hyper has one clock for the head of a request and for the idle time before it. A head has to come within seconds, while
//! a proxy in front of us keeps connections open for a minute and takes it amiss if they close under it; so both are
//! kept here, with a third for clients that do not read.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// How long what may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The head of a request, from its first byte (of the first one: from the connection) to our answer.
    pub head: Duration,
    /// Nothing, after an answer.
    pub idle: Duration,
    /// A byte of an answer to be taken.
    pub stall: Duration,
}

/// A connection that fails when our patience with it ends.
#[derive(Debug)]
pub struct Patient<Io> {
    io: Io,
    patience: Patience,
    answered: bool,
    reading: Pin<Box<Sleep>>,
    writing: Pin<Box<Sleep>>,
    stalled: bool,
}

impl<Io> Patient<Io> {
    /// Begins to wait for a head.
    pub fn new(io: Io, patience: Patience) -> Self {
        Self {
            io,
            patience,
            answered: false,
            reading: Box::pin(sleep(patience.head)),
            writing: Box::pin(sleep(patience.stall)),
            stalled: false,
        }
    }

    /// Passes on what a write came to, or gives up on it.
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = result {
            self.stalled = false;
            self.answered = true;
            self.reading
                .as_mut()
                .reset(Instant::now() + self.patience.idle);
            return Poll::Ready(result);
        }
        if !self.stalled {
            self.stalled = true;
            self.writing
                .as_mut()
                .reset(Instant::now() + self.patience.stall);
        }
        ready!(self.writing.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<Io: AsyncRead + Unpin> AsyncRead for Patient<Io> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Poll::Ready(result) = Pin::new(&mut this.io).poll_read(cx, buffer) {
            // The first bytes since our last answer are a head's first.
            if this.answered {
                this.answered = false;
                this.reading
                    .as_mut()
                    .reset(Instant::now() + this.patience.head);
            }
            return Poll::Ready(result);
        }
        ready!(this.reading.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Patient<Io> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write(cx, bytes);
        this.wrote(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.io).poll_write_vectored(cx, parts);
        this.wrote(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_shutdown(cx)
    }
}
