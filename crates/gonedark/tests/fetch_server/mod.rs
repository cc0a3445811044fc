//! An archive server on loopback that does what it is told, also the wrong thing.
#![allow(dead_code, unreachable_pub)] // A module of each test file, which uses a part of it.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use gonedark::fetch::{Retry, Settings};

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub headers: Vec<(String, String)>,
}

impl Asked {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..])
    }

    /// The first byte asked for.
    pub fn range(&self) -> Option<usize> {
        self.header("range")?.strip_prefix("bytes=")?.strip_suffix('-')?.parse().ok()
    }
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Of the body only so much is sent before the connection is closed.
    pub send: usize,
    /// Waits so long in the middle of the body.
    pub pause: Duration,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        Reply { status, headers: Vec::new(), send: body.len(), body, pause: Duration::ZERO }
    }

    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn cut(mut self, send: usize) -> Self {
        self.send = send;
        self
    }

    /// The body from the byte asked for on, as a server that knows ranges does.
    pub fn range(asked: &Asked, body: &[u8]) -> Self {
        match asked.range() {
            Some(start) if start < body.len() => Self::new(206, &body[start..])
                .with("Content-Range", format!("bytes {start}-{}/{}", body.len() - 1, body.len())),
            Some(_) => Self::new(416, ""),
            None => Self::ok(body),
        }
    }

    fn write(&self, mut stream: TcpStream) -> std::io::Result<()> {
        write!(stream, "HTTP/1.1 {} Status\r\nConnection: close\r\n", self.status)?;
        if !self.headers.iter().any(|(name, _)| *name == "Content-Length") && self.status != 304 {
            write!(stream, "Content-Length: {}\r\n", self.body.len())?;
        }
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        let (first, second) = self.body[..self.send].split_at(self.send / 2);
        stream.write_all(first)?;
        stream.flush()?;
        thread::sleep(self.pause);
        stream.write_all(second)?;
        stream.flush()
    }
}

pub struct Server {
    pub root: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    most: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Server {
    /// `answer` is told the request and how often the same path was asked for before.
    pub fn start(answer: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let root = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::<Asked>::new()));
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let server =
            Server { root, asked: Arc::clone(&asked), most: Arc::clone(&most), stop: Arc::clone(&stop) };
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (answer, asked) = (Arc::clone(&answer), Arc::clone(&asked));
                let (now, most) = (Arc::clone(&now), Arc::clone(&most));
                thread::spawn(move || {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    if let Some(request) = request(&stream) {
                        let before = {
                            let mut asked = asked.lock().expect("no panic");
                            asked.push(request.clone());
                            asked.iter().filter(|other| other.path == request.path).count() - 1
                        };
                        let reply = answer(&request, before);
                        now.fetch_sub(1, Ordering::SeqCst);
                        // The client may have gone.
                        let _ = reply.write(stream);
                    } else {
                        now.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        server
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().expect("no panic").clone()
    }

    /// Requests for a path that ends so.
    pub fn asked_for(&self, ending: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with(ending)).collect()
    }

    /// The most requests that were being answered at one time.
    pub fn most_at_once(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.root.trim_start_matches("http://"));
    }
}

fn request(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    for line in lines {
        let line = line.ok()?;
        match line.split_once(": ") {
            Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
            None => break,
        }
    }
    Some(Asked { path, headers })
}

/// Waits of a millisecond, and without any lot in them.
pub fn quick() -> Settings {
    Settings {
        retry: Retry {
            attempts: 3,
            first: Duration::from_millis(1),
            longest: Duration::from_millis(4),
            jitter: 0.0,
        },
        read_timeout: Duration::from_secs(10),
        ..Settings::default()
    }
}
