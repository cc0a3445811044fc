//! What a store holds, at a glance.

use super::commit::signal_number;
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Signal;
use gonedark_route::{Family, Time};
use rusqlite::{Connection, OptionalExtension, Row};

/// How much of a list is told: a screen. Guess.
pub const TOLD: usize = 15;

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
    /// Since when its whole collector cannot see, and why. Time goes on for a blind stream as for the others.
    pub blind: Option<(Time, String)>,
}

/// One incident.
#[derive(Debug)]
pub struct IncidentSummary {
    /// `KP`, `AS131279`, `175.45.176.0/22`.
    pub code: String,
    /// `North Korea`; nothing where there is none.
    pub name: Option<String>,
    /// The start of its first phase.
    pub since: Time,
    /// The worst that was reached.
    pub level: String,
    /// What it is like now.
    pub state: Option<String>,
    /// The end of its last phase, as RFC 3339.
    pub until: Option<String>,
    /// Shortest and longest possible duration in seconds, where it has ended.
    pub lasted: Option<(i64, i64)>,
}

/// One attack.
#[derive(Debug)]
pub struct AttackSummary {
    /// An address, a network, an AS, a country.
    pub target: String,
    /// The earliest that it may have begun.
    pub since: Time,
    /// The earliest and the latest that it may have ended; nothing while it goes on.
    pub until: Option<(Time, Time)>,
    /// The largest of its vectors.
    pub vector: Option<String>,
    /// Its highest second, packets and bits a second.
    pub peak: (i64, i64),
    /// The incidents beside which it is told, with how it lies to each: `across KP`.
    pub beside: Option<String>,
}

/// A time in which an exporter could not be heard, or not wholly.
#[derive(Debug)]
pub struct DeafSummary {
    /// Its address, or the source whose kernel dropped something.
    pub exporter: String,
    /// Begin.
    pub from: Time,
    /// End, as far as is known.
    pub until: Time,
    /// Why.
    pub reason: String,
    /// Records or datagrams that are missing; 0 where nobody knows.
    pub lost: i64,
}

/// The whole. Lists are cut at [`TOLD`]; the numbers beside them are not.
#[derive(Debug)]
pub struct Summary {
    /// By source, collector and part.
    pub streams: Vec<StreamSummary>,
    /// Who cannot see now, since when, why: the latest first.
    pub blind: Vec<(String, Time, String)>,
    /// How many those are.
    pub blind_count: i64,
    /// Networks that speak for the rest and can see now, of the family of which there are more; nothing before the first.
    pub sighted: Option<i64>,
    /// Incidents that go on, the latest first.
    pub ongoing: Vec<IncidentSummary>,
    /// How many those are.
    pub ongoing_count: i64,
    /// The last incidents that have ended, the latest first.
    pub ended: Vec<IncidentSummary>,
    /// How many incidents there are.
    pub incidents: i64,
    /// Attacks that go on, and the last that have ended: the latest first.
    pub attacks: (Vec<AttackSummary>, Vec<AttackSummary>),
    /// How many go on, and how many have ended.
    pub attack_counts: (i64, i64),
    /// Exporters that could not be heard, the latest first.
    pub deaf: Vec<DeafSummary>,
    /// How many times of deafness there are.
    pub deaf_count: i64,
}

impl Summary {
    /// The latest moment that any stream has come to.
    pub fn seen_until(&self) -> Option<Time> {
        self.streams.iter().filter_map(|stream| stream.seen_until).max()
    }
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

/// Reads it, as it is at one moment.
///
/// # Errors
/// What SQLite says.
pub fn summary(db: &Connection) -> rusqlite::Result<Summary> {
    // One transaction, so that the writer's next commit is not seen by half.
    let db = db.unchecked_transaction()?;
    let streams = "SELECT s.source, s.collector, s.part, s.mark, s.closed, min(b.since), b.reason
                   FROM stream s LEFT JOIN blind b
                   ON b.collector = s.collector AND b.peer_asn = 0 AND b.until IS NULL
                   GROUP BY s.source, s.collector, s.part ORDER BY s.source, s.collector, s.part";
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
                blind: row.get::<_, Option<i64>>(5)?.map(Time::from_micros).zip(row.get(6)?),
            })
        })?
        .collect::<Result<_, _>>()?;
    let blind = format!(
        "SELECT collector, peer_asn, since, reason FROM blind WHERE until IS NULL
         ORDER BY since DESC, collector, peer_asn LIMIT {TOLD}"
    );
    let blind = db
        .prepare(&blind)?
        .query_map([], |row| {
            let (collector, asn): (String, u32) = (row.get(0)?, row.get(1)?);
            let who = if asn == 0 { collector } else { format!("AS{asn} at {collector}") };
            Ok((who, Time::from_micros(row.get(2)?), row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let count = |what: &str| -> rusqlite::Result<i64> {
        db.query_row(&format!("SELECT count(*) FROM {what}"), [], |row| row.get(0))
    };
    Ok(Summary {
        streams,
        blind,
        blind_count: count("blind WHERE until IS NULL")?,
        sighted: sighted(&db)?,
        ongoing: incidents(&db, "NOT ended")?,
        ongoing_count: count("incident WHERE NOT ended")?,
        ended: incidents(&db, "ended")?,
        incidents: count("incident")?,
        attacks: (attacks(&db, "stop IS NULL")?, attacks(&db, "stop IS NOT NULL")?),
        attack_counts: (
            count("attack WHERE stop IS NULL AND part_of IS NULL")?,
            count("attack WHERE stop IS NOT NULL AND part_of IS NULL")?,
        ),
        deaf: deaf(&db)?,
        deaf_count: count("deaf")?,
    })
}

fn sighted(db: &Connection) -> rusqlite::Result<Option<i64>> {
    let mut most = None;
    for family in Family::ALL {
        let query = "SELECT p.value FROM point p JOIN entity e ON e.id = p.entity
                     WHERE e.kind = 'world' AND p.signal = ? ORDER BY p.at DESC LIMIT 1";
        let signal = signal_number(family, Signal::VotersSighted);
        let last: Option<Option<i64>> = db.query_row(query, [signal], |row| row.get(0)).optional()?;
        most = most.max(last.flatten());
    }
    Ok(most)
}

/// Which of these nothing was ever heard of.
///
/// # Errors
/// What SQLite says.
pub fn unheard(db: &Connection, entities: impl IntoIterator<Item = Entity>) -> rusqlite::Result<Vec<String>> {
    let query = "SELECT EXISTS (SELECT 1 FROM entity e JOIN point p ON p.entity = e.id WHERE (e.kind, e.code) = (?, ?))";
    let mut heard = db.prepare(query)?;
    let mut unheard = Vec::new();
    for entity in entities {
        if !heard.query_row((entity.kind(), entity.code()), |row| row.get::<_, bool>(0))? {
            unheard.push(entity.code());
        }
    }
    Ok(unheard)
}

/// How many attacks go on.
///
/// # Errors
/// What SQLite says.
pub fn ongoing_attacks(db: &Connection) -> rusqlite::Result<u64> {
    let query = "SELECT count(*) FROM attack WHERE stop IS NULL AND part_of IS NULL";
    db.query_row(query, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}

fn attacks(db: &Connection, which: &str) -> rusqlite::Result<Vec<AttackSummary>> {
    let query = format!(
        "SELECT a.target, a.start, a.stop, a.stop_latest, a.body ->> '$.vectors[0].name', a.body ->> '$.impact.peak.pps',
                a.body ->> '$.impact.peak.bps',
                (SELECT group_concat(DISTINCT e.lies || ' ' || n.code) FROM attack_evidence e
                 JOIN incident i ON i.id = e.incident JOIN entity n ON n.id = i.entity
                 WHERE e.source = a.source AND e.attack = a.id)
         FROM (SELECT * FROM attack WHERE {which} AND part_of IS NULL ORDER BY start DESC, id LIMIT {TOLD}) a"
    );
    let time = |row: &Row<'_>, at: usize| row.get::<_, Option<i64>>(at).map(|at| at.map(Time::from_micros));
    let read = |row: &Row<'_>| {
        Ok(AttackSummary {
            target: row.get(0)?,
            since: Time::from_micros(row.get(1)?),
            until: time(row, 2)?.zip(time(row, 3)?),
            vector: row.get(4)?,
            peak: (row.get(5)?, row.get(6)?),
            beside: row.get(7)?,
        })
    };
    db.prepare(&query)?.query_map([], read)?.collect()
}

fn deaf(db: &Connection) -> rusqlite::Result<Vec<DeafSummary>> {
    let query = format!(
        "SELECT CASE exporter WHEN '' THEN source || ' (dropped by the kernel)' ELSE exporter END, since, until, reason, lost
         FROM deaf ORDER BY since DESC, exporter LIMIT {TOLD}"
    );
    let read = |row: &Row<'_>| {
        let (from, until) = (Time::from_micros(row.get(1)?), Time::from_micros(row.get(2)?));
        Ok(DeafSummary { exporter: row.get(0)?, from, until, reason: row.get(3)?, lost: row.get(4)? })
    };
    db.prepare(&query)?.query_map([], read)?.collect()
}

fn incidents(db: &Connection, which: &str) -> rusqlite::Result<Vec<IncidentSummary>> {
    let query = format!(
        "SELECT e.code, i.body ->> '$.entity.name', i.first, i.level, i.body ->> '$.phases[#-1].state',
                i.body ->> '$.phases[#-1].until', i.body ->> '$.duration_s.min', i.body ->> '$.duration_s.max'
         FROM incident i JOIN entity e ON e.id = i.entity
         WHERE {which} ORDER BY i.first DESC, e.code LIMIT {TOLD}"
    );
    let read = |row: &Row<'_>| {
        let (min, max): (Option<i64>, Option<i64>) = (row.get(6)?, row.get(7)?);
        Ok(IncidentSummary {
            code: row.get(0)?,
            name: row.get(1)?,
            since: Time::from_micros(row.get(2)?),
            level: row.get(3)?,
            state: row.get(4)?,
            until: row.get(5)?,
            lasted: min.zip(max),
        })
    };
    db.prepare(&query)?.query_map([], read)?.collect()
}
