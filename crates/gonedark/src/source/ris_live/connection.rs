//! One connection to the server: TCP, TLS where the address says so, and the WebSocket in it.

use super::{Settings, subscription};
use crate::clock;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::Uri;
use tungstenite::protocol::WebSocketConfig;
use tungstenite::{Error, HandshakeError, Message, Utf8Bytes, WebSocket};

/// How long the server may take to answer while the connection is made, and to take what is written to it. Guess: far
/// over any way around the world.
const ANSWER: Duration = Duration::from_secs(10);
/// The longest message. A BGP message has 65,535 bytes at the most (RFC 8654), twice that in digits, and its prefixes as
/// text several times that.
const LONGEST: usize = 1 << 20;
/// Bytes that are read from the connection at once: some hundred messages.
const READ: usize = 256 << 10;

/// A connection that has subscribed.
pub(super) struct Connection {
    socket: WebSocket<Line>,
}

/// What a read gives.
pub(super) enum Read {
    /// A message.
    Message(Utf8Bytes),
    /// A sign of life without meaning.
    Life,
    /// Nothing within the time of a read.
    Nothing,
    /// The connection has ended: why.
    End(String),
}

/// Bytes to and from the server.
enum Line {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Line {
    fn timed(&mut self) -> &mut Timed {
        match self {
            Line::Plain(stream) => stream,
            Line::Tls(stream) => stream.get_mut(),
        }
    }
}

/// TCP whose reads take no longer together than each of them may: a server that sends a byte now and then would hold up
/// everybody for as long as it likes.
struct Timed {
    stream: TcpStream,
    patience: Duration,
    /// When they have taken so long; set by the first of them.
    until: Option<Instant>,
}

impl Timed {
    fn new(stream: TcpStream, patience: Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(patience))?;
        Ok(Timed { stream, patience, until: None })
    }

    /// Counts anew, with another patience from now on.
    fn hurry(&mut self, patience: Duration) -> io::Result<()> {
        (self.patience, self.until) = (patience, None);
        self.stream.set_read_timeout(Some(patience))
    }
}

impl io::Read for Timed {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let now = clock::moment();
        if now > *self.until.get_or_insert(now + self.patience) {
            return Err(ErrorKind::WouldBlock.into());
        }
        self.stream.read(room)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl io::Read for Line {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        match self {
            Line::Plain(stream) => io::Read::read(stream, room),
            Line::Tls(stream) => io::Read::read(stream, room),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Line::Plain(stream) => stream.write(bytes),
            Line::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Line::Plain(stream) => stream.flush(),
            Line::Tls(stream) => stream.flush(),
        }
    }
}

impl Connection {
    /// Connects and subscribes. Reads wait for `tick` at the longest.
    pub(super) fn open(settings: &Settings, tick: Duration) -> Result<Self, String> {
        let url = &settings.url;
        let request = url.as_str().into_client_request().map_err(|error| format!("{url}: {error}"))?;
        let line = line(request.uri()).map_err(|error| format!("{url}: {error}"))?;
        let config = WebSocketConfig::default()
            .read_buffer_size(READ)
            .max_message_size(Some(LONGEST))
            .max_frame_size(Some(LONGEST));
        let made = tungstenite::client::client_with_config(request, line, Some(config));
        let (mut socket, _) = made.map_err(|error| match error {
            HandshakeError::Failure(error) => format!("{url}: {error}"),
            HandshakeError::Interrupted(_) => {
                format!("{url}: no answer within {} s", ANSWER.as_secs())
            }
        })?;
        for text in subscription::texts(settings) {
            socket.send(Message::text(text)).map_err(|error| format!("cannot subscribe: {error}"))?;
        }
        socket.get_mut().timed().hurry(tick).map_err(|error| error.to_string())?;
        Ok(Connection { socket })
    }

    /// The next message, where one comes in time.
    pub(super) fn read(&mut self) -> Read {
        self.socket.get_mut().timed().until = None;
        match self.socket.read() {
            Ok(Message::Text(text)) => Read::Message(text),
            Ok(Message::Binary(bytes)) => match Utf8Bytes::try_from(bytes) {
                Ok(text) => Read::Message(text),
                // Told as damaged, as any other line that is no JSON.
                Err(_) => Read::Message(Utf8Bytes::default()),
            },
            Ok(Message::Close(frame)) => {
                let why =
                    frame.map(|frame| format!(" ({}: {})", frame.code, frame.reason)).unwrap_or_default();
                // What answers is sent by the next read, of which nothing is expected.
                let _ = self.socket.flush();
                Read::End(format!("the server closed the connection{why}"))
            }
            Ok(_) => Read::Life,
            Err(Error::Io(error)) if is_wait(&error) => Read::Nothing,
            Err(Error::ConnectionClosed | Error::AlreadyClosed) => {
                Read::End("the server closed the connection".into())
            }
            Err(Error::Capacity(error)) => {
                Read::End(format!("a message is longer than any of RIS Live: {error}"))
            }
            Err(error) => Read::End(error.to_string()),
        }
    }

    /// Asks the server for a sign of life.
    pub(super) fn ping(&mut self) -> Result<(), String> {
        self.socket
            .send(Message::text(subscription::ping()))
            .map_err(|error| format!("cannot write: {error}"))
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

/// Connects to the server of an address.
fn line(uri: &Uri) -> Result<Line, String> {
    let host = uri.host().ok_or("it names no server")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_tls = match uri.scheme_str() {
        Some("wss") => true,
        Some("ws") => false,
        _ => return Err("it begins with neither wss:// nor ws://".into()),
    };
    let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
    let stream = tcp(host, port).map_err(|error| error.to_string())?;
    if !is_tls {
        return Ok(Line::Plain(stream));
    }
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let connection = ClientConnection::new(tls()?, name).map_err(|error| error.to_string())?;
    Ok(Line::Tls(Box::new(StreamOwned::new(connection, stream))))
}

/// Tries all addresses of a server; the error is that of the last.
fn tcp(host: &str, port: u16) -> io::Result<Timed> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, ANSWER) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(ANSWER))?;
                return Timed::new(stream, ANSWER);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// TLS with the authorities that Mozilla trusts, as the downloads have it.
fn tls() -> Result<Arc<ClientConfig>, String> {
    let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
}
