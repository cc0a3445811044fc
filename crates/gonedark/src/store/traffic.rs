//! What is concluded of traffic: attacks, who could not be heard, and the state of each meter.

use super::commit::Writing;
use super::journal::PART;
use super::{Store, StoreFault, Warnings};
use crate::source::parcel::{AttackTold, Tidings, Unheard};
use gonedark_infer::traffic::report::{Attack, Target};
use gonedark_route::Time;
use rusqlite::named_params;
use std::collections::{BTreeSet, HashMap};

impl Store {
    /// Commits tidings. Where it fails nothing of them is there, and it can be tried again.
    ///
    /// # Errors
    /// Those of the store.
    pub fn take_tidings(&mut self, tidings: &Tidings) -> Result<(), StoreFault> {
        let Store { path, db, entities, .. } = self;
        let told = |error| StoreFault::of(path, error);
        let mut new_entities = HashMap::new();
        let work = db.transaction().map_err(told)?;
        let mut writing = Writing { work: &work, entities, new_entities: &mut new_entities };
        let source = &tidings.source;
        for AttackTold { attack, body, .. } in &tidings.attacks {
            let until = tidings.until.unwrap_or(attack.detected);
            writing.attack(source, attack, body, until).map_err(told)?;
        }
        for unheard in &tidings.deaf {
            writing.deaf(source, unheard).map_err(told)?;
        }
        if let Some(state) = &tidings.state {
            writing.state(source, state).map_err(told)?;
        }
        work.commit().map_err(told)?;
        entities.extend(new_entities);
        Ok(())
    }

    /// The state that the meter of a source kept last; `None` where there is none. One that cannot be read is told of.
    ///
    /// # Errors
    /// Those of the store.
    pub fn meter(&self, source: &str, warnings: &mut Warnings) -> Result<Option<Vec<u8>>, StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let query = "SELECT body FROM meter WHERE source = ? ORDER BY part";
        let mut statement = self.db.prepare(query).map_err(told)?;
        let parts: Vec<Vec<u8>> =
            statement.query_map([source], |row| row.get(0)).and_then(Iterator::collect).map_err(told)?;
        if parts.is_empty() {
            return Ok(None);
        }
        match zstd::decode_all(&parts.concat()[..]) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                let path = self.path.display();
                warnings.push(format!(
                    "{path}: what {source} had learnt cannot be read ({error}): it begins anew"
                ));
                Ok(None)
            }
        }
    }

    /// The sources of attacks that go on.
    ///
    /// # Errors
    /// Those of the store.
    pub fn attacked_sources(&self) -> Result<BTreeSet<String>, StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let query = "SELECT DISTINCT source FROM attack WHERE stop IS NULL";
        let mut statement = self.db.prepare(query).map_err(told)?;
        let rows = statement.query_map([], |row| row.get(0));
        rows.and_then(Iterator::collect).map_err(told)
    }

    /// Ends the attacks of a source of which its meter does not know (any more) that they go on: each ended somewhere between
    /// when it was told last and `now`.
    ///
    /// # Errors
    /// Those of the store.
    pub fn end_attacks(
        &mut self,
        source: &str,
        ongoing: &BTreeSet<String>,
        now: Time,
    ) -> Result<(), StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let open: Vec<(String, i64)> = {
            let query = "SELECT id, told FROM attack WHERE source = ? AND stop IS NULL";
            let mut statement = self.db.prepare(query).map_err(told)?;
            let rows = statement.query_map([source], |row| Ok((row.get(0)?, row.get(1)?)));
            rows.and_then(Iterator::collect).map_err(told)?
        };
        for (id, last) in open.into_iter().filter(|(id, _)| !ongoing.contains(id)) {
            let (stop, latest) = (Time::from_micros(last), now.max(Time::from_micros(last)));
            let end = "UPDATE attack SET stop = :stop, stop_latest = :latest, body = json_set(body, '$.ongoing', json('false'),
                           '$.stop', json_object('earliest', :stop_text, 'latest', :latest_text))
                       WHERE source = :source AND id = :id";
            let values = named_params! {
                ":stop": stop.micros(), ":latest": latest.micros(), ":source": source, ":id": id,
                ":stop_text": stop.to_string(), ":latest_text": latest.to_string(),
            };
            self.db.execute(end, values).map_err(told)?;
        }
        Ok(())
    }
}

impl Writing<'_> {
    fn attack(&mut self, source: &str, attack: &Attack, body: &str, told: Time) -> rusqlite::Result<()> {
        let kind = match attack.target {
            Target::Host(_) => "host",
            Target::Block(_) => "block",
            Target::Entity(entity) => entity.kind(),
        };
        // What has ended stays as it ended: after a crash a meter may be told of it again, and know less.
        let insert = "INSERT INTO attack VALUES
                (:source, :id, :kind, :target, :start, :start_latest, :detected, :stop, :stop_latest, :told, :part_of, :body)
            ON CONFLICT DO UPDATE SET stop = excluded.stop, stop_latest = excluded.stop_latest, told = excluded.told,
                part_of = excluded.part_of, body = excluded.body
            WHERE stop IS NULL OR excluded.part_of IS NOT NULL";
        self.work.prepare_cached(insert)?.execute(named_params! {
            ":source": source,
            ":id": attack.id,
            ":kind": kind,
            ":target": attack.target.to_string(),
            ":start": attack.start.earliest.micros(),
            ":start_latest": attack.start.latest.micros(),
            ":detected": attack.detected.micros(),
            ":stop": attack.stop.map(|stop| stop.earliest.micros()),
            ":stop_latest": attack.stop.map(|stop| stop.latest.micros()),
            ":told": told.micros(),
            ":part_of": attack.part_of,
            ":body": body,
        })?;
        for entity in &attack.entities {
            let entity = self.entity(Some(*entity))?;
            let insert = "INSERT OR IGNORE INTO attacked VALUES (?, ?, ?)";
            self.work.prepare_cached(insert)?.execute((entity, source, &attack.id))?;
        }
        Ok(())
    }

    fn deaf(&mut self, source: &str, unheard: &Unheard) -> rusqlite::Result<()> {
        let Unheard { exporter, from, until, reason, lost } = unheard;
        let exporter = exporter.as_deref().unwrap_or_default();
        let lost = i64::try_from(*lost).unwrap_or(i64::MAX);
        self.work
            .prepare_cached("INSERT OR REPLACE INTO deaf VALUES (?, ?, ?, ?, ?, ?)")?
            .execute((source, exporter, from.micros(), reason.name(), until.micros(), lost))
            .map(drop)
    }

    fn state(&mut self, source: &str, state: &[u8]) -> rusqlite::Result<()> {
        self.work.execute("DELETE FROM meter WHERE source = ?", [source])?;
        let mut insert = self.work.prepare_cached("INSERT INTO meter VALUES (?, ?, ?)")?;
        for (number, part) in state.chunks(PART).enumerate() {
            insert.execute((source, number as i64, part))?;
        }
        Ok(())
    }
}
