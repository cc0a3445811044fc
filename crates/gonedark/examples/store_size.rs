//! How large a month of signals of every country and AS becomes in a store, and how fast one of them is read again.
//!
//! `cargo run --release --example store_size [--times N] [--days N] [--downsample-after DAYS]`: `--times` multiplies the
//! measured rate; with `--downsample-after` the form in use is thinned out to the hour first, as a watch does it.
//!
//! The rate was measured by `gonedark watch` with `asns = "all"` over the updates of RIS rrc04 of 2022-02-06, 07:25 to
//! 08:25: all transitions of all ASes and of all countries in that hour. Who changes is drawn by Zipf's law (few change
//! all the time, most never), and each change writes the three signals of a family, as it does there.

use gonedark::store::Store;
use gonedark::store::retention::{Downsample, Keeping, Sweep};
use gonedark::store::schema::STEPS;
use gonedark_route::Time;
use rusqlite::Connection;
use std::io::Write;
use std::time::{Duration, Instant};

/// Countries, and ASes in the routing table of 2026, rounded up.
const ENTITIES: [u32; 2] = [250, 80_000];
/// Changes in an hour, over both families: a third of the transitions that were counted (3,464 and 3,664).
const CHANGES: [f64; 2] = [1_155.0, 1_221.0];
/// Two fifths of the changes were those of IPv6.
const SIXES: f64 = 0.39;
/// A minute, in microseconds; each is one transaction.
const MINUTE: i64 = 60_000_000;
/// 2026-01-01.
const BEGIN: i64 = 1_767_225_600_000_000;

/// Ways to keep points: name, table, insert of (entity, signal, at, value), query of one signal of an entity.
const FORMS: [(&str, &str, &str, &str); 4] = [
    (
        "as in the schema",
        "",
        "INSERT OR REPLACE INTO point VALUES (?1, ?2, ?3, ?4)",
        "SELECT count(*), sum(value) FROM point WHERE entity = ?1 AND signal = ?2 AND at >= ?3 AND at < ?4",
    ),
    (
        "key (entity, at, signal)",
        "CREATE TABLE form (entity INTEGER NOT NULL, signal INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER,
         PRIMARY KEY (entity, at, signal)) STRICT, WITHOUT ROWID",
        "INSERT OR REPLACE INTO form VALUES (?1, ?2, ?3, ?4)",
        "SELECT count(*), sum(value) FROM form WHERE entity = ?1 AND signal = ?2 AND at >= ?3 AND at < ?4",
    ),
    (
        "entity and signal in one number",
        "CREATE TABLE form (series INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER,
         PRIMARY KEY (series, at)) STRICT, WITHOUT ROWID",
        "INSERT OR REPLACE INTO form VALUES (?1 * 32 + ?2, ?3, ?4)",
        "SELECT count(*), sum(value) FROM form WHERE series = ?1 * 32 + ?2 AND at >= ?3 AND at < ?4",
    ),
    (
        "with a rowid and an index",
        "CREATE TABLE form (entity INTEGER NOT NULL, signal INTEGER NOT NULL, at INTEGER NOT NULL, value INTEGER) STRICT;
         CREATE UNIQUE INDEX form_key ON form (entity, signal, at)",
        "INSERT OR REPLACE INTO form VALUES (?1, ?2, ?3, ?4)",
        "SELECT count(*), sum(value) FROM form WHERE entity = ?1 AND signal = ?2 AND at >= ?3 AND at < ?4",
    ),
];

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let option = |name: &str, none: f64| {
        let mut words = std::env::args().skip_while(|word| word != name);
        words.nth(1).and_then(|word| word.parse().ok()).unwrap_or(none)
    };
    let (times, days) = (option("--times", 1.0), option("--days", 30.0));
    let after = option("--downsample-after", f64::INFINITY);
    let mut out = std::io::stdout();
    writeln!(
        out,
        "| form | points | MiB | bytes a point | filled in s | 30 days of the busiest AS, ms | rows |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|---|")?;
    for (name, table, insert, query) in FORMS {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("store.db");
        let mut db = Connection::open(&path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        // How large it becomes does not depend on when it reaches the disk; a month of waiting for disks is not wanted.
        db.pragma_update(None, "synchronous", "OFF")?;
        db.pragma_update(None, "cache_size", -200_000)?;
        db.pragma_update(None, "wal_autocheckpoint", 50_000)?;
        db.execute_batch(&STEPS.concat())?;
        db.pragma_update(None, "user_version", STEPS.len() as i64)?;
        db.execute_batch(table)?;
        let begin = Instant::now();
        let points = fill(&mut db, insert, times, (days * 1440.0) as i64)?;
        let filled = begin.elapsed().as_secs_f64();
        let _: i64 = db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
        drop(db);
        if after.is_finite() && table.is_empty() {
            let begin = Instant::now();
            let (steps, longest) = thin(&path, days, after)?;
            let all = begin.elapsed().as_secs_f64();
            writeln!(
                out,
                "thinned in {all:.1} s, {steps} transactions, the longest {} ms",
                longest.as_millis()
            )?;
        }
        let size = std::fs::metadata(&path)?.len() as f64;
        let (slowest, rows) = read(&path, query)?;
        let (mib, each, ms) = (size / 1_048_576.0, size / points as f64, slowest.as_secs_f64() * 1e3);
        writeln!(out, "| {name} | {points} | {mib:.0} | {each:.1} | {filled:.0} | {ms:.1} | {rows} |")?;
    }
    Ok(())
}

/// Fills a store with the changes of so many minutes; gives the number of points.
fn fill(db: &mut Connection, insert: &str, times: f64, minutes: i64) -> rusqlite::Result<u64> {
    let (mut lot, mut points) = (Lot(1), 0);
    let first = db.transaction()?;
    {
        let mut insert = first.prepare(insert)?;
        let mut name = first.prepare("INSERT INTO entity VALUES (?1, 'as', ?1)")?;
        for entity in 1..=ENTITIES.iter().sum::<u32>() {
            name.execute([entity])?;
            for signal in [0, 1, 2, 16, 17, 18] {
                insert.execute((
                    entity,
                    signal,
                    BEGIN,
                    lot.below(if signal == 0 { 40.0 } else { 3.0 }) as i64,
                ))?;
                points += 1;
            }
        }
    }
    first.commit()?;
    for minute in 0..minutes {
        let work = db.transaction()?;
        {
            let mut insert = work.prepare_cached(insert)?;
            for (kind, changes) in CHANGES.into_iter().enumerate() {
                for _ in 0..(changes * times / 60.0 + lot.below(1.0)) as u32 {
                    let many = f64::from(ENTITIES[kind]);
                    let entity =
                        many.powf(lot.below(1.0)).floor() as i64 + kind as i64 * i64::from(ENTITIES[0]);
                    // Half of all stamps of RIS have microseconds.
                    let at = BEGIN + minute * MINUTE + lot.below(MINUTE as f64) as i64;
                    let family = if lot.below(1.0) < SIXES { 16 } else { 0 };
                    for signal in 0..3 {
                        insert.execute((
                            entity,
                            family + signal,
                            at,
                            lot.below([600.0, 100.0, 5_000.0][signal as usize]) as i64,
                        ))?;
                        points += 1;
                    }
                }
            }
        }
        work.commit()?;
    }
    Ok(points)
}

/// Leaves few transitions of what is older than `after` days; gives in how many transactions, and how long the longest took.
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn thin(
    path: &std::path::Path,
    days: f64,
    after: f64,
) -> Result<(u32, Duration), Box<dyn std::error::Error>> {
    let (mut store, _) = Store::open(path)?;
    let day = Duration::from_secs(24 * 3600);
    let downsample = Downsample { after: day.mul_f64(after), to: Duration::from_secs(3600) };
    let keeping = Keeping { retention: None, downsample: Some(downsample) };
    let now = Time::from_micros(BEGIN) + (days * 1440.0) as i64 * MINUTE;
    let (mut next, mut steps, mut longest) = (Sweep::of(&keeping, now, None), 0, Duration::ZERO);
    while let Some(sweep) = next {
        let begin = Instant::now();
        next = store.forget(sweep)?;
        (steps, longest) = (steps + 1, longest.max(begin.elapsed()));
    }
    Ok((steps, longest))
}

/// Every signal of the AS that changes most, from a connection that has read nothing yet: the slowest of five, and its rows.
#[allow(clippy::disallowed_methods, reason = "it measures")]
fn read(path: &std::path::Path, query: &str) -> rusqlite::Result<(Duration, i64)> {
    let (mut slowest, mut rows) = (Duration::ZERO, 0);
    for _ in 0..5 {
        let db = Connection::open(path)?;
        let begin = Instant::now();
        rows = 0;
        for signal in [0, 1, 2, 16, 17, 18] {
            let of = (ENTITIES[0] + 1, signal, BEGIN, BEGIN + 31 * 1440 * MINUTE);
            rows += db.query_row(query, of, |row| row.get::<_, i64>(0))?;
        }
        slowest = slowest.max(begin.elapsed());
    }
    Ok((slowest, rows))
}

/// Numbers by lot, the same in every run (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
struct Lot(u64);

impl Lot {
    fn below(&mut self, end: f64) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 * end
    }
}
