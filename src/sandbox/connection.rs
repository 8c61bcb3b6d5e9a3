//! The connections of the server: ordinary ones, that a fault can cut.
//!
//! A test that wants to know what a client does when an answer is lost must lose it on the socket: a status code
//! is an answer too. So each connection has a [`Cut`], which says how many more bytes it may write, and how fast.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// How many more bytes a connection may write before it breaks; without a limit at first.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    left: Arc<AtomicU64>,
    is_slow: Arc<AtomicBool>,
}

impl Cut {
    /// Breaks the connection after so many more bytes.
    pub(super) fn after(&self, bytes: u64) {
        self.left.store(bytes, Ordering::SeqCst);
    }

    /// Writes a few bytes at a time from now on.
    pub(super) fn slow(&self) {
        self.is_slow.store(true, Ordering::SeqCst);
    }

    /// How much of a buffer may be written; an error once nothing may.
    fn allow<'a>(&self, buffer: &'a [u8]) -> io::Result<&'a [u8]> {
        match self.left.load(Ordering::SeqCst) {
            u64::MAX => Ok(buffer),
            0 => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
            left => {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
                Ok(buffer.get(..length).unwrap_or(buffer))
            }
        }
    }

    fn wrote(&self, bytes: usize) {
        let left = self.left.load(Ordering::SeqCst);
        if left != u64::MAX {
            self.left.store(left.saturating_sub(bytes as u64), Ordering::SeqCst);
        }
    }
}

impl Connected<IncomingStream<'_, Listening>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Listening>) -> Self {
        stream.io().cut.clone()
    }
}

/// The socket that the server listens on.
#[derive(Debug)]
pub(super) struct Listening(pub(super) TcpListener);

impl Listener for Listening {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Answers are small and complete; nothing is gained by waiting for more.
        stream.set_nodelay(true).ok();
        let left = Arc::new(AtomicU64::new(u64::MAX));
        let cut = Cut { left, is_slow: Arc::default() };
        (Connection { stream, cut, pause: None }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// One client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    cut: Cut,
    /// Until when nothing is written.
    pause: Option<Pin<Box<Sleep>>>,
}

/// How much a slow connection writes at a time, and how long it waits before the next.
const SLOW: (usize, Duration) = (16, Duration::from_millis(20));

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &[u8],
    ) -> Poll<io::Result<usize>> {
        let allowed = match self.cut.allow(buffer) {
            Ok(allowed) => allowed,
            Err(broken) => return Poll::Ready(Err(broken)),
        };
        let is_slow = self.cut.is_slow.load(Ordering::SeqCst);
        let (most, time) = SLOW;
        let allowed = allowed.get(..most.min(allowed.len())).filter(|_| is_slow).unwrap_or(allowed);
        if is_slow {
            let pause = self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
            std::task::ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        let written = Pin::new(&mut self.stream).poll_write(context, allowed);
        if let Poll::Ready(Ok(bytes)) = written {
            self.cut.wrote(bytes);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
