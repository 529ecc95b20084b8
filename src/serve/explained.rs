//! hyper refuses what it cannot read by itself, with a status and nothing else. Such an answer is completed here: why, and
//! the headers that every answer of ours has (F-34, F-46).

use std::fmt::Write as _;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::serve::problem::Problem;
use crate::serve::site::ALWAYS;

/// A connection on which no refusal goes without its reason.
#[derive(Debug)]
pub struct Explained<Io> {
    io: Io,
    /// What is yet to be written of a completed answer.
    pending: Vec<u8>,
}

impl<Io: AsyncWrite + Unpin> Explained<Io> {
    /// Completes what is written to this.
    pub fn new(io: Io) -> Self {
        Self {
            io,
            pending: Vec::new(),
        }
    }

    fn drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.pending.is_empty() {
            let written = ready!(Pin::new(&mut self.io).poll_write(cx, &self.pending))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.pending.drain(..written);
        }
        Poll::Ready(Ok(()))
    }
}

/// A refusal of hyper's, completed; `None` for anything else. Answers of ours have a body wherever they have such a status,
/// and no document has a CR LF in it that is not compressed.
fn completed(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let status: u16 = text.strip_prefix("HTTP/1.1 4")?.get(..2)?.parse().ok()?;
    let head = text.strip_suffix("\r\n\r\n")?;
    let mut lines: Vec<&str> = head.split("\r\n").collect();
    let before = lines.len();
    lines.retain(|line| *line != "content-length: 0");
    if lines.len() + 1 != before || lines.contains(&"") {
        return None;
    }
    let problem = match status {
        31 | 14 => Problem::HEAD,
        _ => Problem::MALFORMED,
    };
    let body = problem.body(400 + status);
    let mut answer = lines.join("\r\n");
    let mut add = |name: &str, value: &str| {
        // Writing to a string cannot fail.
        let _ = write!(answer, "\r\n{name}: {value}");
    };
    add("content-type", "application/problem+json");
    add("cache-control", "no-store");
    for (name, value) in &ALWAYS {
        add(name.as_str(), value);
    }
    add("content-length", &body.len().to_string());
    answer.push_str("\r\n\r\n");
    answer.push_str(&body);
    Some(answer.into_bytes())
}

impl<Io: AsyncRead + Unpin> AsyncRead for Explained<Io> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().io).poll_read(cx, buffer)
    }
}

impl<Io: AsyncWrite + Unpin> AsyncWrite for Explained<Io> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.drain(cx))?;
        if let Some(answer) = completed(bytes) {
            this.pending = answer;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut this.io).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A refusal has no body, so it comes in one part.
        if let [only] = parts {
            return self.poll_write(cx, only);
        }
        let this = self.get_mut();
        ready!(this.drain(cx))?;
        Pin::new(&mut this.io).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.drain(cx))?;
        Pin::new(&mut this.io).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.drain(cx))?;
        Pin::new(&mut this.io).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn f_34_a_bare_refusal_is_completed_and_nothing_else_is_touched() {
        let bare = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\ndate: x\r\n\r\n";
        let answer = String::from_utf8(completed(bare).unwrap()).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 431 ") && head.contains("\r\ndate: x\r\n"));
        assert!(head.contains(&format!("\r\ncontent-length: {}", body.len())));
        assert!(!head.contains("content-length: 0") && body.contains("\"status\":431"));
        for other in [
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\nmore\r\n\r\n",
            "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "x",
            "",
        ] {
            assert_eq!(completed(other.as_bytes()), None, "{other}");
        }
    }
}
