//! What survives: one SQLite file with one writer.
//!
//! A commit puts what was accepted, how far each source has come and what was concluded from it into one transaction, so
//! that after a crash at any moment nothing is lost that was said and nothing is counted twice (ARCHITECTURE.md, invariant 13).
//! What is accepted is kept as a journal until all state has been kept as a snapshot; the two newest snapshots are held,
//! so that one that cannot be read is no loss.
//!
//! - [`commit`]: the transaction;
//! - [`journal`]: parcels and snapshots, written and read again;
//! - [`export`], [`import`]: out of it and into it, for other programs;
//! - [`retention`]: what is kept for how long;
//! - `traffic`: attacks, and what meters keep;
//! - [`schema`]: numbered migrations;
//! - [`StoreFault`]: what can be wrong with it, and what to do.

pub mod commit;
pub mod export;
mod fault;
pub mod import;
pub mod journal;
mod recover;
pub mod retention;
pub mod schema;
mod summary;
mod traffic;

pub use commit::Commit;
pub use fault::StoreFault;
pub use summary::{
    AttackSummary, DeafSummary, IncidentSummary, StreamSummary, Summary, TOLD, ongoing_attacks,
    ongoing_by_level, summary, unheard,
};

use crate::source::parcel::StreamKey;
use gonedark_infer::entity::Entity;
use gonedark_route::Time;
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a reader of the file may keep the writer waiting: a guess, far over what a query of the schema takes.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pages (4 KiB) after which the write-ahead log is brought into the file: SQLite's own default.
const CHECKPOINT_PAGES: i64 = 1000;

/// The store, open for writing. There is one of it at a time.
pub struct Store {
    path: PathBuf,
    db: Connection,
    /// Held as long as the store is: the system lets go of it when the process ends, however it ends.
    #[expect(dead_code, reason = "held, not used")]
    lock: File,
    /// The last parcel that was committed.
    seq: i64,
    entities: HashMap<Option<Entity>, i64>,
    streams: HashMap<StreamKey, i64>,
    /// Bytes of the journal since the last snapshot.
    journaled: u64,
}

/// What was wrong when a store was opened, and what was done about it.
pub type Warnings = Vec<String>;

impl Store {
    /// Opens the store at `path`, or makes a new one. One that is damaged is put aside, and what can be read of it is
    /// taken over; the warnings say so. What was never a store is left alone.
    ///
    /// # Errors
    /// A file that cannot be made, written or understood, or that another process writes.
    pub fn open(path: &Path) -> Result<(Self, Warnings), StoreFault> {
        // Before the lock, which would lie beside somebody's file, and pass for a sign that it was a store.
        refuse_foreign(path)?;
        let lock = lock(path)?;
        let mut warnings = Vec::new();
        recover::go_on(path, &mut warnings)?;
        let db = match open_sound(path) {
            Err(fault) if fault.is_damage() => {
                recover::recover(path, &fault, &mut warnings)?;
                open_sound(path)?
            }
            other => other?,
        };
        let seq =
            "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM journal UNION ALL SELECT seq FROM snapshot)";
        let told = |error| StoreFault::of(path, error);
        let seq = db.query_row(seq, [], |row| row.get(0)).map_err(told)?;
        let store = Store {
            path: path.to_owned(),
            db,
            lock,
            seq,
            entities: HashMap::new(),
            streams: HashMap::new(),
            journaled: 0,
        };
        Ok((store, warnings))
    }

    /// Takes back what was said of times after `now`, and of what goes on, which is told anew: it was concluded from what
    /// could not be read again.
    ///
    /// # Errors
    /// Those of the store.
    pub fn take_back(&mut self, now: Time) -> Result<(), StoreFault> {
        let Store { path, db, .. } = self;
        let told = |error| StoreFault::of(path, error);
        let work = db.transaction().map_err(told)?;
        for (table, column) in [("incident", "first"), ("point", "at"), ("blind", "since")] {
            let statement = format!("DELETE FROM {table} WHERE {column} > ?");
            work.execute(&statement, [now.micros()]).map_err(told)?;
        }
        work.execute("DELETE FROM incident WHERE NOT ended", []).map_err(told)?;
        work.execute("UPDATE blind SET until = NULL WHERE until > ?", [now.micros()]).map_err(told)?;
        work.commit().map_err(told)
    }

    /// A fault of this store for something that is none of SQLite's.
    pub fn told(&self, error: &std::io::Error) -> StoreFault {
        StoreFault::Other { path: self.path.clone(), why: error.to_string() }
    }

    /// The number of the last parcel that was committed.
    pub fn seq(&self) -> i64 {
        self.seq
    }

    /// The time by which what is fixed for a store was chosen; `now` gives it where the store is new.
    ///
    /// # Errors
    /// Those of the store.
    pub fn begun_at(&mut self, now: impl FnOnce() -> Time) -> Result<Time, StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let find = "SELECT value FROM basis WHERE key = 'begun'";
        let known: Option<String> = self.db.query_row(find, [], |row| row.get(0)).optional().map_err(told)?;
        if let Some(micros) = known.and_then(|text| text.parse().ok()) {
            return Ok(Time::from_micros(micros));
        }
        let begun = now();
        let insert = "INSERT OR REPLACE INTO basis VALUES ('begun', ?)";
        self.db.execute(insert, [begun.micros().to_string()]).map_err(told)?;
        Ok(begun)
    }

    /// Checks that what is to be concluded rests on what was concluded so far rests on: thresholds, country tables, what
    /// is watched. A new store takes it down.
    ///
    /// # Errors
    /// [`StoreFault::Basis`] with what differs.
    pub fn check_basis(&mut self, basis: &BTreeMap<String, String>) -> Result<(), StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let known: BTreeMap<String, String> = {
            let mut statement =
                self.db.prepare("SELECT key, value FROM basis WHERE key <> 'begun'").map_err(told)?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.and_then(Iterator::collect).map_err(told)?
        };
        if known.is_empty() {
            for (key, value) in basis {
                self.db.execute("INSERT INTO basis VALUES (?, ?)", (key, value)).map_err(told)?;
            }
            return Ok(());
        }
        let differs = basis.iter().find(|(key, value)| known.get(*key) != Some(value));
        match differs {
            None => Ok(()),
            Some((key, now)) => Err(StoreFault::Basis {
                path: self.path.clone(),
                key: key.clone(),
                before: known.get(key).cloned().unwrap_or_default(),
                now: now.clone(),
            }),
        }
    }
}

/// Whether a process has the store open for writing.
pub fn is_written(path: &Path) -> bool {
    let lock = File::open(path.with_added_extension("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(std::fs::TryLockError::WouldBlock)))
}

/// How often a store that another has is tried again, and how long between: who only asks whether it is written holds it
/// for a moment. Guess.
const TRIES: (u32, Duration) = (5, Duration::from_millis(20));

/// Sees that nobody else writes the store.
fn lock(path: &Path) -> Result<File, StoreFault> {
    let name = path.with_added_extension("lock");
    let read_only =
        |why: std::io::Error| StoreFault::ReadOnly { path: path.to_owned(), why: why.to_string() };
    let file = File::options().create(true).append(true).open(&name).map_err(read_only)?;
    for _ in 0..TRIES.0 {
        if !matches!(file.try_lock(), Err(std::fs::TryLockError::WouldBlock)) {
            break;
        }
        std::thread::sleep(TRIES.1);
    }
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(StoreFault::Busy { path: path.to_owned() }),
        Err(std::fs::TryLockError::Error(why)) => Err(read_only(why)),
    }
}

/// Refuses what does not begin as a store does, and was none.
fn refuse_foreign(path: &Path) -> Result<(), StoreFault> {
    match recover::is_foreign(path) {
        true => {
            Err(StoreFault::Foreign { path: path.to_owned(), why: "it does not begin as an SQLite file" })
        }
        false => Ok(()),
    }
}

/// An SQLite file of another program.
fn of_others(path: &Path) -> StoreFault {
    StoreFault::Foreign { path: path.to_owned(), why: "it is an SQLite file, but holds no table of a store" }
}

/// Opens a file for writing and sees that it is whole.
fn open_sound(path: &Path) -> Result<Connection, StoreFault> {
    let told = |error| StoreFault::of(path, error);
    let mut db = Connection::open(path).map_err(told)?;
    db.busy_timeout(PATIENCE).map_err(told)?;
    // Seen before anything is written: a new store holds nothing, and another program's file is not to be filled.
    if matches!(schema::held(&db).map_err(told)?, (1.., 0)) {
        return Err(of_others(path));
    }
    db.pragma_update(None, "journal_mode", "WAL").map_err(told)?;
    // A commit survives a kill in any case; a power cut may cost the last ones, which sources then give again.
    db.pragma_update(None, "synchronous", "NORMAL").map_err(told)?;
    db.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(told)?;
    let sound: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(told)?;
    if sound != "ok" {
        return Err(StoreFault::Damaged { path: path.to_owned(), why: sound });
    }
    schema::migrate(&mut db).map_err(|fault| fault.at(path))?;
    Ok(db)
}

/// Opens a store for reading beside the one who writes it.
///
/// # Errors
/// There is none, it cannot be read, or it is none.
pub fn open_to_read(path: &Path) -> Result<Connection, StoreFault> {
    if !path.is_file() {
        return Err(StoreFault::Absent { path: path.to_owned() });
    }
    refuse_foreign(path)?;
    let told = |error| StoreFault::of(path, error);
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(told)?;
    db.busy_timeout(PATIENCE).map_err(told)?;
    match schema::held(&db).map_err(told)? {
        (_, 0) => Err(of_others(path)),
        _ => Ok(db),
    }
}
