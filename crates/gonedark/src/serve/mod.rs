//! How a watch is, over HTTP: for probes, for metrics and for `gonedark status`.
//!
//! It only reads: the loop's own notes, copied under their lock, and the store through a connection of its own that never
//! keeps the writer waiting. It lives on one thread and ends with the watch.
//!
//! | path | what |
//! |---|---|
//! | `/healthz` | 200 while the loop is alive ([`verdict::alive`]) |
//! | `/readyz` | 200 once it does what it is for ([`verdict::reasons`]) |
//! | `/status` | everything that is known, as JSON ([`view::View`]) |
//! | `/metrics` | the same as OpenMetrics (`metrics`) |

mod connection;
mod metrics;
pub mod verdict;
pub mod view;

pub use view::View;

use crate::clock;
use crate::source::live::Stop;
use crate::watch::Status;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// How often the server looks whether it is to end. Guess: nobody notices a tenth of a second.
const TICK: Duration = Duration::from_millis(100);
/// What a request for a page that there is not is told.
const PAGES: &str = "there are /healthz, /readyz, /status and /metrics\n";

/// What is asked about.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What the loop and the sources note of themselves.
    pub status: Arc<Mutex<Status>>,
    /// The store.
    pub store: PathBuf,
    /// How long the loop may go without a sign of life.
    pub patience: Duration,
}

impl Subject {
    fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A place to be asked at, which is ours already, though nobody answers yet.
#[derive(Debug)]
pub struct Server(TcpListener);

impl Server {
    /// Takes the place.
    ///
    /// # Errors
    /// The address cannot be had.
    pub fn bind(listen: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(listen)?;
        listener.set_nonblocking(true)?;
        Ok(Server(listener))
    }

    /// Where it is: of port 0 the system has chosen one.
    ///
    /// # Errors
    /// What the system says.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers on a thread of its own until told to stop.
    ///
    /// # Errors
    /// The system has no thread for it.
    pub fn start(self, subject: Subject, stop: Stop) -> io::Result<JoinHandle<()>> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let work = async move {
            let listener = match tokio::net::TcpListener::from_std(self.0) {
                Ok(listener) => connection::Few::new(listener),
                Err(error) => return tracing::error!("[serve] cannot answer: {error}"),
            };
            let answering = tokio::spawn(async move { axum::serve(listener, pages(subject)).await });
            while !stop.is_set() {
                tokio::time::sleep(TICK).await;
            }
            answering.abort();
        };
        std::thread::Builder::new().name("serve".into()).spawn(move || runtime.block_on(work))
    }
}

fn pages(subject: Subject) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/status", get(status))
        .route("/metrics", get(self::metrics::page))
        .fallback(|| async { text(StatusCode::NOT_FOUND, PAGES.to_owned()) })
        .with_state(subject)
}

async fn healthz(State(subject): State<Subject>) -> Response {
    match verdict::alive(subject.status().silent_for(), subject.patience) {
        Ok(()) => text(StatusCode::OK, "alive\n".to_owned()),
        Err(why) => text(StatusCode::SERVICE_UNAVAILABLE, why + "\n"),
    }
}

async fn readyz(State(subject): State<Subject>) -> Response {
    let status = subject.status();
    let reasons = verdict::reasons(&status, &status.sources(clock::now()));
    match reasons.is_empty() {
        true => text(StatusCode::OK, "ready\n".to_owned()),
        false => text(StatusCode::SERVICE_UNAVAILABLE, reasons.join("\n") + "\n"),
    }
}

async fn status(State(subject): State<Subject>) -> Response {
    let view = View::of(&subject, clock::now());
    match serde_json::to_string_pretty(&view) {
        Ok(json) => answer(StatusCode::OK, "application/json", json + "\n"),
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, format!("a bug in gonedark: {error}\n")),
    }
}

fn text(code: StatusCode, text: String) -> Response {
    answer(code, "text/plain; charset=utf-8", text)
}

/// Nobody keeps what is out of date the next moment.
fn answer(code: StatusCode, kind: &'static str, body: String) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (code, headers, body).into_response()
}
