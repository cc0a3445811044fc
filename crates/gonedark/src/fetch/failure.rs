use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Why something could not be fetched. Says whose fault it is: the archive's, the network's, or this machine's.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// 404 or 410.
    #[error("{url}: the archive does not have it")]
    NotFound {
        /// What was asked for.
        url: String,
    },
    /// Any other status that is no success.
    #[error("{url}: the archive answered with status {status}")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// How long the archive asks to wait (RFC 9110, 10.2.3).
        retry_after: Option<Duration>,
    },
    /// No connection, a timeout, an answer that broke off or is longer or shorter than announced.
    #[error("{url}: {why}")]
    Network {
        /// What was asked for.
        url: String,
        /// What happened.
        why: String,
    },
    /// An answer came whole, but it is not what the name says.
    #[error("{url}: refused, {why}")]
    Refused {
        /// What was asked for.
        url: String,
        /// What is wrong with it.
        why: String,
    },
    /// This machine's disk.
    #[error("{}: {why}", path.display())]
    Disk {
        /// Where.
        path: PathBuf,
        /// The system's own words.
        why: io::Error,
    },
    /// Not a name that a collector can have.
    #[error("\"{0}\" is no collector; write rrc00, route-views2, route-views.jinx, ... or all")]
    NoCollector(String),
}

impl Failure {
    pub(super) fn network(url: &str, why: impl ToString) -> Self {
        Failure::Network { url: url.into(), why: why.to_string() }
    }

    pub(super) fn refused(url: &str, why: impl Into<String>) -> Self {
        Failure::Refused { url: url.into(), why: why.into() }
    }

    pub(super) fn disk(path: &Path, why: io::Error) -> Self {
        Failure::Disk { path: path.into(), why }
    }

    /// Another attempt may go better.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Failure::Network { .. } => true,
            // Request Timeout, Too Early, Too Many Requests, and whatever is the server's own fault.
            Failure::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500..=599),
            _ => false,
        }
    }
}
