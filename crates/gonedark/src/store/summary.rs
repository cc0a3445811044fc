//! What a store holds, at a glance.

use gonedark_route::Time;
use rusqlite::Connection;

/// One stream.
#[derive(Debug)]
pub struct StreamSummary {
    /// The source.
    pub source: String,
    /// Whose routes.
    pub collector: String,
    /// Messages or tables.
    pub part: String,
    /// How far it has come.
    pub seen_until: Option<Time>,
    /// Nobody waits for it.
    pub closed: bool,
}

/// The whole.
#[derive(Debug)]
pub struct Summary {
    /// By source, collector and part.
    pub streams: Vec<StreamSummary>,
    /// Who cannot see now, since when, why.
    pub blind: Vec<(String, Time, String)>,
    /// Incidents that go on: id and level.
    pub ongoing: Vec<(String, String)>,
    /// How many incidents there are.
    pub incidents: i64,
    /// How many values of signals.
    pub points: i64,
}

/// How many incidents go on, by level.
///
/// # Errors
/// What SQLite says.
pub fn ongoing_by_level(db: &Connection) -> rusqlite::Result<Vec<(String, u64)>> {
    let query = "SELECT level, count(*) FROM incident WHERE NOT ended GROUP BY level";
    let mut statement = db.prepare(query)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}

/// Reads it.
///
/// # Errors
/// What SQLite says.
pub fn summary(db: &Connection) -> rusqlite::Result<Summary> {
    let streams = "SELECT source, collector, part, mark, closed FROM stream ORDER BY source, collector, part";
    let streams = db
        .prepare(streams)?
        .query_map([], |row| {
            let seen_until: Option<i64> = row.get(3)?;
            Ok(StreamSummary {
                source: row.get(0)?,
                collector: row.get(1)?,
                part: row.get(2)?,
                seen_until: seen_until.map(Time::from_micros),
                closed: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    let blind = "SELECT collector, peer_asn, since, reason FROM blind WHERE until IS NULL ORDER BY 1, 2, 3";
    let blind = db
        .prepare(blind)?
        .query_map([], |row| {
            let (collector, asn): (String, u32) = (row.get(0)?, row.get(1)?);
            let who = if asn == 0 { collector } else { format!("AS{asn} at {collector}") };
            Ok((who, Time::from_micros(row.get(2)?), row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let ongoing = "SELECT id, level FROM incident WHERE NOT ended ORDER BY first";
    let ongoing = db
        .prepare(ongoing)?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let count = |table: &str| -> rusqlite::Result<i64> {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
    };
    Ok(Summary { streams, blind, ongoing, incidents: count("incident")?, points: count("point")? })
}
