//! The transaction that puts what was accepted and what follows from it into the store together.

use super::{Store, StoreFault, journal};
use crate::source::parcel::{Parcel, StreamKey};
use gonedark_infer::entity::Entity;
use gonedark_infer::news::{News, Point};
use gonedark_infer::report::{Blindness, Incident, Retold, Sample, Signal};
use gonedark_route::{Family, Time};
use rusqlite::{OptionalExtension, Transaction};
use std::collections::HashMap;

/// What goes into one transaction. It can be tried again as it is where the store could not take it.
pub struct Commit {
    body: Vec<u8>,
    positions: Vec<Progress>,
    news: News,
    /// Incidents as JSON, in the order of [`News::incidents`].
    bodies: Vec<Vec<String>>,
}

/// How far a stream has come with these parcels.
struct Progress {
    key: StreamKey,
    position: Option<String>,
    mark: Option<i64>,
    closed: bool,
}

impl Commit {
    /// Of parcels that are accepted.
    ///
    /// # Errors
    /// None that can be expected: memory takes everything.
    pub fn of(parcels: &[Parcel]) -> std::io::Result<Self> {
        let body = journal::written(parcels)?;
        let mut positions: Vec<Progress> = Vec::new();
        for parcel in parcels {
            let known = positions.iter().position(|progress| progress.key == *parcel.stream);
            let place = known.unwrap_or_else(|| {
                let key = (*parcel.stream).clone();
                positions.push(Progress { key, position: None, mark: None, closed: false });
                positions.len() - 1
            });
            let progress = &mut positions[place];
            progress.position = parcel.position.clone().or(progress.position.take());
            progress.mark = parcel.mark.map(Time::micros).or(progress.mark);
            progress.closed = parcel.closed;
        }
        Ok(Commit { body, positions, news: News::default(), bodies: Vec::new() })
    }

    /// With the news that follow from them; `text` writes an incident as JSON.
    pub fn with(mut self, news: News, text: impl Fn(&Incident) -> String) -> Self {
        let bodies = news.incidents.iter().map(|retold| retold.incidents.iter().map(&text).collect());
        self.bodies = bodies.collect();
        self.news = news;
        self
    }
}

impl Store {
    /// Commits. Where it fails nothing of it is there, and it can be tried again.
    ///
    /// # Errors
    /// Those of the store: a full or read-only disk above all.
    pub fn commit(&mut self, commit: &Commit) -> Result<(), StoreFault> {
        let Store { path, db, seq, entities, streams, journaled, .. } = self;
        let told = |error| StoreFault::of(path, error);
        // Numbers given within a transaction that fails are not kept.
        let (mut new_entities, mut new_streams) = (HashMap::new(), HashMap::new());
        let work = db.transaction().map_err(told)?;
        let mut writing = Writing { work: &work, entities, new_entities: &mut new_entities };
        writing.journal(*seq + 1, &commit.body).map_err(told)?;
        writing.positions(&commit.positions, streams, &mut new_streams).map_err(told)?;
        for (retold, bodies) in commit.news.incidents.iter().zip(&commit.bodies) {
            writing.incidents(retold, bodies).map_err(told)?;
        }
        writing.points(&commit.news.points).map_err(told)?;
        writing.blind(&commit.news.blind).map_err(told)?;
        work.commit().map_err(told)?;
        entities.extend(new_entities);
        streams.extend(new_streams);
        *seq += 1;
        *journaled += commit.body.len() as u64;
        Ok(())
    }
}

/// Writes into one transaction. Numbers that are given meanwhile are kept once it is committed.
pub(super) struct Writing<'a> {
    pub(super) work: &'a Transaction<'a>,
    pub(super) entities: &'a HashMap<Option<Entity>, i64>,
    pub(super) new_entities: &'a mut HashMap<Option<Entity>, i64>,
}

impl Writing<'_> {
    fn journal(&mut self, seq: i64, body: &[u8]) -> rusqlite::Result<()> {
        // What lies behind the last commit was taken back: it could not be read.
        self.work.execute("DELETE FROM journal WHERE seq >= ?", [seq])?;
        self.work.prepare_cached("INSERT INTO journal VALUES (?, ?)")?.execute((seq, body)).map(drop)
    }

    fn positions(
        &mut self,
        positions: &[Progress],
        streams: &HashMap<StreamKey, i64>,
        new: &mut HashMap<StreamKey, i64>,
    ) -> rusqlite::Result<()> {
        for Progress { key, position, mark, closed } in positions {
            let id = match streams.get(key) {
                Some(id) => *id,
                None => {
                    let names = (&key.source, &key.collector, key.part.name());
                    let insert = "INSERT OR IGNORE INTO stream (source, collector, part) VALUES (?, ?, ?)";
                    self.work.execute(insert, names)?;
                    let find = "SELECT id FROM stream WHERE (source, collector, part) = (?, ?, ?)";
                    let id = self.work.query_row(find, names, |row| row.get(0))?;
                    new.insert(key.clone(), id);
                    id
                }
            };
            let update =
                "UPDATE stream SET position = coalesce(?, position), mark = coalesce(?, mark), closed = ?
                          WHERE id = ?";
            self.work.prepare_cached(update)?.execute((position, mark, closed, id))?;
        }
        Ok(())
    }

    /// The number of an entity, which is given one where it has none.
    pub(super) fn entity(&mut self, entity: Option<Entity>) -> rusqlite::Result<i64> {
        if let Some(id) = self.entities.get(&entity).or_else(|| self.new_entities.get(&entity)) {
            return Ok(*id);
        }
        let (kind, code) = entity.map_or(("world", String::new()), |entity| (entity.kind(), entity.code()));
        let find = "SELECT id FROM entity WHERE (kind, code) = (?, ?)";
        let known = self.work.query_row(find, (kind, &code), |row| row.get(0)).optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                self.work.execute("INSERT INTO entity (kind, code) VALUES (?, ?)", (kind, &code))?;
                self.work.last_insert_rowid()
            }
        };
        self.new_entities.insert(entity, id);
        Ok(id)
    }

    fn incidents(&mut self, retold: &Retold, bodies: &[String]) -> rusqlite::Result<()> {
        let entity = self.entity(Some(retold.entity))?;
        let since = retold.since.micros();
        self.work
            .prepare_cached("DELETE FROM incident WHERE entity = ? AND first >= ?")?
            .execute((entity, since))?;
        let mut insert = self.work.prepare_cached("INSERT INTO incident VALUES (?, ?, ?, ?, ?, ?)")?;
        for (incident, body) in retold.incidents.iter().zip(bodies) {
            let first = incident.phases.first().map_or(since, |phase| phase.from.micros());
            insert.execute((entity, first, &incident.id, incident.ended, incident.level.name(), body))?;
        }
        Ok(())
    }

    fn points(&mut self, points: &[Point]) -> rusqlite::Result<()> {
        for point in points {
            let entity = self.entity(point.entity)?;
            let value = match point.value {
                Sample::Value(value) => Some(value as i64),
                Sample::Missing => None,
            };
            let insert = "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)";
            let signal = signal_number(point.family, point.signal);
            self.work.prepare_cached(insert)?.execute((entity, signal, point.at.micros(), value))?;
        }
        Ok(())
    }

    fn blind(&mut self, blind: &[Blindness]) -> rusqlite::Result<()> {
        let mut insert = self.work.prepare_cached(
            "INSERT INTO blind VALUES (?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET until = coalesce(excluded.until, until)",
        )?;
        for Blindness { blind, over } in blind {
            let until = over.then_some(blind.until.micros());
            let peer = blind.peer_asn.map_or(0, |asn| asn.0);
            insert.execute((&blind.collector, peer, blind.from.micros(), blind.reason.name(), until))?;
        }
        Ok(())
    }
}

/// The number of a signal in the table `point` (see the schema).
pub fn signal_number(family: Family, signal: Signal) -> i64 {
    let number = match signal {
        Signal::NetworksUp => 0,
        Signal::NetworksLost => 1,
        Signal::AddressesLost => 2,
        Signal::VotersSighted => 3,
    };
    number + 16 * family as i64
}
