//! Connections, few at a time and each for a short while: whoever opens many or lets them lie must not take the files
//! away that the store and the sources need.

use axum::serve::Listener;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Sleep;

/// Connections at a time; more are closed at once. Guess: a Prometheus, some probes and people.
const CONNECTIONS: usize = 64;
/// How long one may last, whatever is asked. Guess: the pages take milliseconds; a Prometheus waits 10 s by default.
const LONGEST: Duration = Duration::from_secs(30);
/// How long to wait after a connection could not be taken: most likely there are too many open files.
const AGAIN: Duration = Duration::from_millis(200);

/// Takes few connections at a time.
pub(super) struct Few {
    listener: TcpListener,
    /// Held once by this and once by each connection.
    open: Arc<()>,
}

impl Few {
    pub(super) fn new(listener: TcpListener) -> Self {
        Few { listener, open: Arc::default() }
    }
}

impl Listener for Few {
    type Io = Brief;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Brief, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, from)) if Arc::strong_count(&self.open) <= CONNECTIONS => {
                    let end = Box::pin(tokio::time::sleep(LONGEST));
                    return (Brief { stream, end, _open: Arc::clone(&self.open) }, from);
                }
                Ok(_) => {}
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that ends by itself.
pub(super) struct Brief {
    stream: TcpStream,
    end: Pin<Box<Sleep>>,
    _open: Arc<()>,
}

impl Brief {
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.end.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Brief {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Brief {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
