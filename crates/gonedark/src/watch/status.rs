//! How the whole is, at a moment: the same for the terminal, for /status and for metrics.

use crate::source::live::Health;
use gonedark_route::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What the loop notes of itself.
#[derive(Clone, Debug, Default)]
pub struct Status {
    /// The loop's last sign of life: a turn of it, or an attempt to commit.
    pub beat: Option<Instant>,
    /// Commits since the start.
    pub commits: u64,
    /// Observations applied, over all starts.
    pub applied: u64,
    /// Observations that wait for a stream that lags.
    pub waiting: u64,
    /// Their bytes.
    pub waiting_bytes: u64,
    /// Up to when everything was applied, in the time of what is observed.
    pub seen_until: Option<Time>,
    /// Why the store cannot be written, while that is so.
    pub store_fault: Option<String>,
    /// What limits the conclusions, in sentences.
    pub limits: Vec<String>,
    /// The sources, by name.
    pub sources: BTreeMap<String, Arc<Health>>,
}

/// How one source is.
#[derive(Debug, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// Whether it does what it should.
    pub is_well: bool,
    /// What it does.
    pub says: String,
    /// How far it has come.
    pub seen_until: Option<String>,
    /// How far that is behind now, in seconds.
    pub lag_s: Option<f64>,
    /// Messages read.
    pub messages: u64,
    /// Not understood.
    pub damaged: u64,
    /// Missed.
    pub missed: u64,
    /// Connections made.
    pub connections: u64,
    /// Observations handed on.
    pub observations: u64,
    /// Records of flows that were metered.
    #[serde(default)]
    pub records: u64,
    /// Exporters of flows that are silent now.
    #[serde(default)]
    pub silent: u64,
    /// Routers, collectors or files, and what they are at.
    pub sessions: BTreeMap<String, String>,
}

impl Status {
    /// For how long the loop has given no sign of life; `None` where it has not begun.
    pub fn silent_for(&self) -> Option<Duration> {
        self.beat.map(|beat| beat.elapsed())
    }

    /// The sources at this moment.
    pub fn sources(&self, now: Time) -> Vec<SourceStatus> {
        let source = |(name, health): (&String, &Arc<Health>)| {
            let condition = health.condition();
            let count = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            SourceStatus {
                name: name.clone(),
                is_well: condition.is_well,
                says: condition.says,
                seen_until: condition.seen_until.map(|time| time.to_string()),
                lag_s: condition.seen_until.map(|seen| (now - seen) as f64 / 1e6),
                messages: count(&health.messages),
                damaged: count(&health.damaged),
                missed: count(&health.missed),
                connections: count(&health.connections),
                observations: count(&health.observations),
                records: count(&health.records),
                silent: count(&health.silent),
                sessions: condition.sessions,
            }
        };
        self.sources.iter().map(source).collect()
    }
}
