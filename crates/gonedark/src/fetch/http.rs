use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::thread;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use ureq::http::{HeaderMap, Response, header};
use ureq::{Agent, Body};

use super::failure::Failure;
use super::progress::Progress;

/// How failed attempts are repeated: waits of `first`, twice that, four times that, ... but never over `longest`.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Attempts in a row that bring nothing new before giving up; at least 1.
    pub attempts: u32,
    /// The first wait.
    pub first: Duration,
    /// The longest wait, also where the archive asks for more.
    pub longest: Duration,
    /// Share of each wait that is drawn by lot, 0 to 1, so that many clients do not come back in the same moment.
    pub jitter: f64,
}

impl Default for Retry {
    /// Five attempts over about 15 s to 30 s: a guess that outlasts a restart of a server.
    fn default() -> Self {
        Retry { attempts: 5, first: Duration::from_secs(2), longest: Duration::from_secs(60), jitter: 0.5 }
    }
}

impl Retry {
    /// The wait behind the failed attempt number `failed`, counted from 1.
    pub(super) fn wait(&self, failed: u32, failure: &Failure) -> Duration {
        let asked = match failure {
            Failure::Status { retry_after, .. } => retry_after.unwrap_or_default(),
            _ => Duration::ZERO,
        };
        let doubled = self.first.saturating_mul(1 << (failed - 1).min(16));
        let lot = (RandomState::new().hash_one(failed) >> 11) as f64 / (1_u64 << 53) as f64;
        doubled
            .min(self.longest)
            .mul_f64(1.0 - self.jitter.clamp(0.0, 1.0) * lot)
            .max(asked)
            .min(self.longest)
    }
}

/// How to talk to archives.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Connections at one host at a time. Two, as RFC 2616 (8.1.4) asked of clients when the archives began; a guess at
    /// what is polite.
    pub connections: usize,
    /// How failed attempts are repeated.
    pub retry: Retry,
    /// For a connection to be made.
    pub connect_timeout: Duration,
    /// For the next bytes to arrive; a download as a whole may take as long as it goes on.
    pub read_timeout: Duration,
    /// Who asks; archives want to know.
    pub user_agent: String,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            connections: 2,
            retry: Retry::default(),
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
            user_agent: concat!("gonedark/", env!("CARGO_PKG_VERSION")).into(),
        }
    }
}

/// A whole answer.
pub(super) struct Page {
    pub(super) bytes: Vec<u8>,
    /// When the archive says that it was last changed.
    pub(super) modified: Option<SystemTime>,
}

/// Asks archives, again where an attempt failed in passing.
pub(super) struct Client<'a> {
    agent: Agent,
    retry: Retry,
    pub(super) connections: usize,
    pub(super) progress: &'a dyn Progress,
}

impl<'a> Client<'a> {
    pub(super) fn new(settings: &Settings, progress: &'a dyn Progress) -> Self {
        let config = Agent::config_builder()
            .user_agent(&settings.user_agent)
            .http_status_as_error(false)
            // The bytes of the file as they are: its compression is not the transfer's.
            .accept_encoding("identity")
            .timeout_resolve(Some(settings.connect_timeout))
            .timeout_connect(Some(settings.connect_timeout))
            .timeout_recv_response(Some(settings.read_timeout))
            .timeout_per_read(Some(settings.read_timeout))
            .timeout_per_write(Some(settings.read_timeout));
        Client {
            agent: config.build().into(),
            retry: settings.retry.clone(),
            connections: settings.connections,
            progress,
        }
    }

    /// One attempt: the answer's head, with a status that is a success or 304.
    pub(super) fn ask(
        &self,
        url: &str,
        headers: &[(header::HeaderName, String)],
    ) -> Result<Response<Body>, Failure> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.call().map_err(|error| Failure::network(url, error))?;
        match response.status().as_u16() {
            200..=299 | 304 => Ok(response),
            404 | 410 => Err(Failure::NotFound { url: url.into() }),
            status => Err(Failure::Status {
                url: url.into(),
                status,
                retry_after: text(response.headers(), header::RETRY_AFTER)
                    .and_then(|seconds| seconds.trim().parse().ok())
                    .map(Duration::from_secs),
            }),
        }
    }

    /// Repeats `attempt` until it succeeds, fails for good, or has failed too often without `gained` growing.
    pub(super) fn persist<T>(
        &self,
        url: &str,
        mut gained: impl FnMut() -> u64,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut failed = 0;
        // Whatever it gains, a transfer that breaks off a hundred times is given up. A guess.
        for _ in 0..100 {
            let before = gained();
            match attempt() {
                Err(failure) if failure.is_passing() => {
                    failed = if gained() > before { 1 } else { failed + 1 };
                    if failed >= self.retry.attempts {
                        return Err(failure);
                    }
                    let wait = self.retry.wait(failed, &failure);
                    self.progress.retrying(url, &failure, wait);
                    thread::sleep(wait);
                }
                result => return result,
            }
        }
        Err(Failure::network(url, "the transfer broke off too often"))
    }

    /// The whole answer, at most `limit` bytes; nothing if it has not changed since `known`.
    pub(super) fn page(
        &self,
        url: &str,
        limit: u64,
        known: Option<SystemTime>,
    ) -> Result<Option<Page>, Failure> {
        let since = known.and_then(http_date);
        let headers: Vec<_> = since.into_iter().map(|date| (header::IF_MODIFIED_SINCE, date)).collect();
        self.persist(
            url,
            || 0,
            || {
                let response = self.ask(url, &headers)?;
                if response.status() == 304 {
                    return Ok(None);
                }
                let modified = last_modified(response.headers());
                let mut bytes = Vec::new();
                let body = response.into_body().into_reader();
                body.take(limit + 1).read_to_end(&mut bytes).map_err(|error| Failure::network(url, error))?;
                if bytes.len() as u64 > limit {
                    return Err(Failure::refused(url, format!("it is longer than {limit} bytes")));
                }
                Ok(Some(Page { bytes, modified }))
            },
        )
    }
}

/// A header's value, if it is text.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// When the archive says that the file was last changed.
pub(super) fn last_modified(headers: &HeaderMap) -> Option<SystemTime> {
    rfc2822::DateTimeParser::new()
        .parse_timestamp(text(headers, header::LAST_MODIFIED)?)
        .ok()
        .map(SystemTime::from)
}

fn http_date(time: SystemTime) -> Option<String> {
    let timestamp = Timestamp::try_from(time).ok()?;
    rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&timestamp).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_end_at_the_longest() {
        let retry = Retry {
            attempts: 9,
            first: Duration::from_secs(1),
            longest: Duration::from_secs(5),
            jitter: 0.0,
        };
        let failure = Failure::network("http://archive.example/", "broken");
        let waits: Vec<u64> = (1..=5).map(|failed| retry.wait(failed, &failure).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 5, 5]);
        assert!(retry.wait(u32::MAX, &failure) <= retry.longest);
        let asked = |seconds| Failure::Status {
            url: String::new(),
            status: 503,
            retry_after: Some(Duration::from_secs(seconds)),
        };
        assert_eq!(retry.wait(1, &asked(3)).as_secs(), 3, "the archive's own wish");
        assert_eq!(retry.wait(1, &asked(86_400)).as_secs(), 5, "within reason");
    }

    #[test]
    fn jitter_only_shortens() {
        let retry = Retry { jitter: 0.5, ..Retry::default() };
        let failure = Failure::network("http://archive.example/", "broken");
        for _ in 0..100 {
            let wait = retry.wait(1, &failure);
            assert!(wait >= retry.first / 2 && wait <= retry.first, "{wait:?}");
        }
    }
}
