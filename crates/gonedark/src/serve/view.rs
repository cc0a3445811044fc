//! Everything that is known of a watch at a moment, as `/status` gives it and `gonedark status` reads it. docs/watch.md
//! describes each key; a key is added freely, and `schema` grows where one changes its meaning or goes.

use super::{Subject, verdict};
use crate::store;
use crate::watch::SourceStatus;
use gonedark_route::Time;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The version of [`View`].
pub const SCHEMA: u32 = 1;
/// Levels of incidents, so that those of which none goes on are told as 0.
const LEVELS: [&str; 4] = ["none", "partial", "severe", "dark"];
/// What lies beside a store and is part of it while it is written (<https://sqlite.org/wal.html>).
const WITH_IT: [&str; 3] = ["", "-wal", "-shm"];

/// A path by which the same file is the same, from wherever it is named.
pub fn whole_path(path: &Path) -> String {
    path.canonicalize().unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A moment of a watch.
#[derive(Debug, Serialize, Deserialize)]
pub struct View {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Of gonedark.
    pub version: String,
    /// Of the process.
    pub pid: u32,
    /// When this was said.
    pub at: String,
    /// Whether the loop lives, as `/healthz` says.
    pub alive: bool,
    /// What is missing until it is ready, as `/readyz` says; nothing where it is.
    pub not_ready: Vec<String>,
    /// Commits since the start.
    pub commits: u64,
    /// Observations applied, over all starts.
    pub applied: u64,
    /// Observations that wait for a stream that lags, in bytes.
    pub waiting_bytes: u64,
    /// How many observations those are.
    pub waiting: u64,
    /// Up to when everything was applied, in the time of what is observed.
    pub seen_until: Option<String>,
    /// How far that is behind now, in seconds.
    pub lag_s: Option<f64>,
    /// Why the store cannot be written, while that is so.
    pub store_fault: Option<String>,
    /// The path of the store.
    #[serde(default)]
    pub store: Option<String>,
    /// The store's size on disk, with its log.
    pub store_bytes: u64,
    /// Incidents that go on, by level; null where the store could not be read.
    pub ongoing: Option<BTreeMap<String, u64>>,
    /// Attacks that go on; null where the store could not be read.
    #[serde(default)]
    pub attacks_ongoing: Option<u64>,
    /// What limits what is concluded, in sentences.
    #[serde(default)]
    pub limits: Vec<String>,
    /// The sources, by name.
    pub sources: Vec<SourceStatus>,
}

impl View {
    /// Of a watch, now.
    pub fn of(subject: &Subject, now: Time) -> Self {
        let status = subject.status();
        let sources = status.sources(now);
        let seen_until = status.seen_until.filter(|seen| *seen > Time::MIN);
        View {
            schema: SCHEMA,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            at: now.to_string(),
            alive: verdict::alive(status.silent_for(), subject.patience).is_ok(),
            not_ready: verdict::reasons(&status, &sources),
            commits: status.commits,
            applied: status.applied,
            waiting_bytes: status.waiting_bytes,
            waiting: status.waiting,
            seen_until: seen_until.map(|seen| seen.to_string()),
            lag_s: seen_until.map(|seen| (now - seen) as f64 / 1e6),
            store_fault: status.store_fault,
            limits: status.limits,
            store: Some(whole_path(&subject.store)),
            store_bytes: size(&subject.store),
            ongoing: ongoing(&subject.store),
            attacks_ongoing: attacks_ongoing(&subject.store),
            sources,
        }
    }
}

fn size(store: &Path) -> u64 {
    let beside = |ending: &str| {
        let mut name = store.as_os_str().to_owned();
        name.push(ending);
        std::fs::metadata(name).map_or(0, |file| file.len())
    };
    WITH_IT.into_iter().map(beside).sum()
}

/// A reader of a store in WAL mode neither waits for the writer nor keeps it waiting.
fn ongoing(store: &Path) -> Option<BTreeMap<String, u64>> {
    let db = store::open_to_read(store).ok()?;
    let mut levels: BTreeMap<String, u64> = LEVELS.iter().map(|level| ((*level).to_owned(), 0)).collect();
    levels.extend(store::ongoing_by_level(&db).ok()?);
    Some(levels)
}

fn attacks_ongoing(store: &Path) -> Option<u64> {
    store::ongoing_attacks(&store::open_to_read(store).ok()?).ok()
}
