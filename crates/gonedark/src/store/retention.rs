//! Values of signals are kept for as long as `[store] retention_days` says; of each signal the last value before that stays,
//! so that what held then is still known.
//!
//! Some entities at a time, each time in a transaction of its own: the writer accepts what comes in between. The room is
//! used again; the file does not shrink.

use super::{Store, StoreFault};
use gonedark_route::Time;
use rusqlite::OptionalExtension;

/// Entities in one transaction. Guess: with a day of values each it takes milliseconds.
const ENTITIES: i64 = 200;

/// A sweep over all entities.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// What was replaced before goes.
    limit: Time,
    /// The last entity that is done.
    done: i64,
}

impl Sweep {
    /// One that has not begun.
    pub fn before(limit: Time) -> Self {
        Sweep { limit, done: 0 }
    }
}

impl Store {
    /// Deletes what is too old of the next entities. Gives the sweep on, or nothing where it is at its end.
    ///
    /// # Errors
    /// Those of the store: then nothing of these entities was deleted.
    pub fn forget(&mut self, sweep: Sweep) -> Result<Option<Sweep>, StoreFault> {
        let Store { path, db, .. } = self;
        let told = |error| StoreFault::of(path, error);
        let work = db.transaction().map_err(told)?;
        let last = "SELECT max(id) FROM (SELECT id FROM entity WHERE id > ? ORDER BY id LIMIT ?)";
        let last: Option<i64> = work
            .query_row(last, (sweep.done, ENTITIES), |row| row.get(0))
            .optional()
            .map_err(told)?
            .flatten();
        let Some(last) = last else { return Ok(None) };
        // The numbers of signals are few: each is looked for, which costs less than to read what is there.
        let delete = "WITH series (entity, signal) AS (
                SELECT e.id, s.value FROM entity e, json_each('[0,1,2,3,16,17,18,19]') s WHERE e.id > ?1 AND e.id <= ?2
            ), kept (entity, signal, at) AS (
                SELECT entity, signal, (SELECT max(p.at) FROM point p
                    WHERE p.entity = series.entity AND p.signal = series.signal AND p.at <= ?3) FROM series
            )
            DELETE FROM point WHERE (entity, signal, at) IN (
                SELECT p.entity, p.signal, p.at FROM kept
                JOIN point p ON p.entity = kept.entity AND p.signal = kept.signal AND p.at < kept.at)";
        work.prepare_cached(delete)
            .and_then(|mut delete| delete.execute((sweep.done, last, sweep.limit.micros())))
            .map_err(told)?;
        work.commit().map_err(told)?;
        Ok(Some(Sweep { done: last, ..sweep }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_before_the_limit_of_each_signal_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut store, _) = Store::open(&folder.path().join("gonedark.db")).expect("a store");
        for entity in 1..=450 {
            store
                .db
                .execute("INSERT INTO entity VALUES (?, 'as', ?)", (entity, entity.to_string()))
                .expect("put");
            for (signal, at, value) in
                [(0, 10, Some(4)), (0, 20, None), (0, 30, Some(3)), (17, 5, Some(1)), (17, 6, Some(2))]
            {
                let put = "INSERT INTO point VALUES (?, ?, ?, ?)";
                store.db.execute(put, (entity, signal, at, value)).expect("put");
            }
        }
        let (mut sweep, mut steps) = (Some(Sweep::before(Time::from_micros(25))), 0);
        while let Some(next) = sweep {
            sweep = store.forget(next).expect("forgotten");
            steps += 1;
        }
        assert_eq!(steps, 4, "three times some, and once nobody");
        let mut left =
            store.db.prepare("SELECT signal, at, value FROM point WHERE entity = ?").expect("a query");
        for entity in [1, 200, 201, 450] {
            let rows =
                left.query_map([entity], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
            let rows: Vec<(i64, i64, Option<i64>)> = rows.collect::<Result<_, _>>().expect("rows");
            assert_eq!(rows, [(0, 20, None), (0, 30, Some(3)), (17, 6, Some(2))], "{entity}");
        }
    }
}
