//! How long values of signals are kept, and how many of them (`[store] retention_days`, `downsample_after_days`). Incidents
//! and blindness are always kept.
//!
//! - Of what is too old the last value of each signal stays, so that what held then is still known.
//! - Of what is old, a few transitions stay of each span of time, each with its own exact moment: the first to the lowest
//!   value, the first to the highest, the first to "could not be seen", and the last, so that what holds at the span's end
//!   is what held. Done again, it takes nothing more.
//!
//! Some entities at a time, each time in a transaction of its own: the writer accepts what comes in between. The room is
//! used again; the file does not shrink.

use super::{Store, StoreFault};
use gonedark_route::Time;
use rusqlite::{OptionalExtension, Transaction};
use std::time::Duration;

/// Entities in one transaction. Guess: with a day of values each it takes milliseconds.
const ENTITIES: i64 = 200;
/// The numbers of signals: each is looked for, which costs less than to read what is there.
const SIGNALS: [i64; 8] = [0, 1, 2, 3, 16, 17, 18, 19];

/// For how long what is kept.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keeping {
    /// Values at all; for ever without.
    pub retention: Option<Duration>,
    /// All values; for ever without.
    pub downsample: Option<Downsample>,
}

/// What becomes of old values.
#[derive(Clone, Copy, Debug)]
pub struct Downsample {
    /// How old is old.
    pub after: Duration,
    /// Of how much time a few transitions stay, at least a microsecond.
    pub to: Duration,
}

/// A sweep over all entities.
#[derive(Clone, Copy, Debug)]
pub struct Sweep {
    /// What was replaced before goes.
    forget: Option<Time>,
    thin: Option<Thin>,
    /// The last entity that is done.
    done: i64,
}

/// From when until when few transitions stay, in spans of so many microseconds.
#[derive(Clone, Copy, Debug)]
struct Thin {
    from: i64,
    until: i64,
    span: i64,
}

impl Sweep {
    /// One that has not begun, by the time that was seen. `thinned` is what an earlier one has done, as
    /// [`Sweep::thinned`] gives it.
    pub fn of(keeping: &Keeping, now: Time, thinned: Option<Time>) -> Option<Self> {
        if now == Time::MIN {
            // Nothing was seen yet: nobody knows what is old.
            return None;
        }
        let forget = keeping.retention.map(|kept| now + -micros(kept));
        let thin = keeping.downsample.map(|Downsample { after, to }| {
            let (span, old) = (micros(to).max(1), (now + -micros(after)).micros());
            // Whole spans alone: of one that goes on the last value is not known.
            Thin {
                from: thinned.unwrap_or(Time::MIN).micros(),
                until: old.saturating_sub(old.rem_euclid(span)),
                span,
            }
        });
        (forget.is_some() || thin.is_some()).then_some(Sweep { forget, thin, done: 0 })
    }

    /// Until when few transitions are left once it is at its end.
    pub fn thinned(&self) -> Option<Time> {
        self.thin.map(|thin| Time::from_micros(thin.until))
    }
}

impl Store {
    /// Deletes what is too old, or too much, of the next entities. Gives the sweep on, or nothing where it is at its end.
    ///
    /// # Errors
    /// Those of the store: then nothing of these entities was deleted.
    pub fn forget(&mut self, sweep: Sweep) -> Result<Option<Sweep>, StoreFault> {
        let Store { path, db, .. } = self;
        let mut step = || -> rusqlite::Result<Option<Sweep>> {
            let work = db.transaction()?;
            let last = "SELECT max(id) FROM (SELECT id FROM entity WHERE id > ? ORDER BY id LIMIT ?)";
            let last: Option<Option<i64>> =
                work.query_row(last, (sweep.done, ENTITIES), |row| row.get(0)).optional()?;
            let Some(last) = last.flatten() else { return Ok(None) };
            for series in (sweep.done + 1..=last).flat_map(|entity| SIGNALS.map(|signal| (entity, signal))) {
                if let Some(limit) = sweep.forget {
                    forget(&work, series, limit.micros())?;
                }
                if let Some(thin) = sweep.thin {
                    thin.one(&work, series)?;
                }
            }
            work.commit()?;
            Ok(Some(Sweep { done: last, ..sweep }))
        };
        step().map_err(|error| StoreFault::of(path, error))
    }
}

fn forget(work: &Transaction<'_>, (entity, signal): (i64, i64), limit: i64) -> rusqlite::Result<()> {
    let delete = "DELETE FROM point WHERE entity = ?1 AND signal = ?2 AND at < (
        SELECT max(at) FROM point WHERE entity = ?1 AND signal = ?2 AND at <= ?3)";
    work.prepare_cached(delete)?.execute((entity, signal, limit)).map(drop)
}

impl Thin {
    fn one(self, work: &Transaction<'_>, (entity, signal): (i64, i64)) -> rusqlite::Result<()> {
        let select =
            "SELECT at, value FROM point WHERE entity = ? AND signal = ? AND at >= ? AND at < ? ORDER BY at";
        let mut select = work.prepare_cached(select)?;
        let rows = select
            .query_map((entity, signal, self.from, self.until), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let points: Vec<(i64, Option<i64>)> = rows.collect::<rusqlite::Result<_>>()?;
        let mut delete =
            work.prepare_cached("DELETE FROM point WHERE entity = ? AND signal = ? AND at = ?")?;
        for within in points.chunk_by(|(one, _), (other, _)| self.span_of(*one) == self.span_of(*other)) {
            let stay = staying(within);
            for (_, (at, _)) in within.iter().enumerate().filter(|(place, _)| !stay.contains(&Some(*place))) {
                delete.execute((entity, signal, at))?;
            }
        }
        Ok(())
    }

    fn span_of(self, at: i64) -> i64 {
        at.div_euclid(self.span)
    }
}

/// The places of those that stay of the transitions of a span.
fn staying(within: &[(i64, Option<i64>)]) -> [Option<usize>; 4] {
    let values = || within.iter().enumerate().filter_map(|(place, (_, value))| Some((place, (*value)?)));
    let lowest = values().min_by_key(|(place, value)| (*value, *place));
    let highest = values().min_by_key(|(place, value)| (-*value, *place));
    let unseen = within.iter().position(|(_, value)| value.is_none());
    [lowest.map(|(place, _)| place), highest.map(|(place, _)| place), unseen, within.len().checked_sub(1)]
}

fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_micros()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&folder.path().join("gonedark.db")).expect("a store").0
    }

    fn put(store: &Store, entity: i64, signal: i64, at: i64, value: Option<i64>) {
        let put = "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?)";
        store.db.execute(put, (entity, signal, at, value)).expect("put");
    }

    fn name(store: &Store, entities: i64) {
        for entity in 1..=entities {
            let put = "INSERT INTO entity VALUES (?, 'as', ?)";
            store.db.execute(put, (entity, entity.to_string())).expect("put");
        }
    }

    fn sweep(store: &mut Store, sweep: Sweep) -> u32 {
        let (mut next, mut steps) = (Some(sweep), 0);
        while let Some(sweep) = next {
            next = store.forget(sweep).expect("forgotten");
            steps += 1;
        }
        steps
    }

    fn left(store: &Store, entity: i64) -> Vec<(i64, i64, Option<i64>)> {
        let left = "SELECT signal, at, value FROM point WHERE entity = ? ORDER BY signal, at";
        let mut left = store.db.prepare(left).expect("a query");
        let rows = left.query_map([entity], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    #[test]
    fn the_last_value_before_the_limit_of_each_signal_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = store(&folder);
        name(&store, 450);
        for entity in 1..=450 {
            for (signal, at, value) in
                [(0, 10, Some(4)), (0, 20, None), (0, 30, Some(3)), (17, 5, Some(1)), (17, 6, Some(2))]
            {
                put(&store, entity, signal, at, value);
            }
        }
        let keeping = Keeping { retention: Some(DAY), downsample: None };
        let now = Time::from_micros(25) + micros(DAY);
        let steps = sweep(&mut store, Sweep::of(&keeping, now, None).expect("something to do"));
        assert_eq!(steps, 4, "three times some, and once nobody");
        for entity in [1, 200, 201, 450] {
            assert_eq!(left(&store, entity), [(0, 20, None), (0, 30, Some(3)), (17, 6, Some(2))], "{entity}");
        }
    }

    #[test]
    fn of_an_old_span_the_lowest_the_highest_the_unseen_and_the_last_stay_and_what_is_new_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut store = store(&folder);
        name(&store, 1);
        let of_span = [4, 5, 1, 3, 1, 5, 2].map(Some).into_iter().chain([None, None, Some(3), Some(4)]);
        for (number, value) in of_span.enumerate() {
            put(&store, 1, 0, 100 + number as i64, value);
            put(&store, 1, 0, 300 + number as i64, value);
        }
        let downsample = Downsample { after: DAY, to: Duration::from_micros(100) };
        let keeping = Keeping { retention: None, downsample: Some(downsample) };
        // The second span is not over.
        let next = Sweep::of(&keeping, Time::from_micros(399) + micros(DAY), None).expect("something to do");
        assert_eq!(next.thinned(), Some(Time::from_micros(300)));
        sweep(&mut store, next);
        let old = [(0, 101, Some(5)), (0, 102, Some(1)), (0, 107, None), (0, 110, Some(4))];
        let left = left(&store, 1);
        assert_eq!(left[..4], old);
        assert_eq!(left.len(), 4 + 11);
    }

    #[test]
    fn before_anything_was_seen_nothing_is_old() {
        let downsample = Some(Downsample { after: DAY, to: Duration::from_secs(3600) });
        let keeping = Keeping { retention: Some(DAY), downsample };
        assert!(Sweep::of(&keeping, Time::MIN, None).is_none());
        let earliest = Sweep::of(&keeping, Time::MIN + 1, None).expect("something to do");
        assert_eq!(earliest.thinned(), Some(Time::MIN));
    }

    proptest! {
        #[test]
        fn at_each_end_of_a_span_holds_what_held_and_another_sweep_takes_nothing(
            points in prop::collection::btree_map(0_i64..1000, prop::option::of(0_i64..5), 0..80),
            span in 1_i64..300,
        ) {
            let folder = tempfile::tempdir().expect("a folder");
            let mut store = store(&folder);
            name(&store, 1);
            points.iter().for_each(|(at, value)| put(&store, 1, 2, *at, *value));
            let downsample = Downsample { after: DAY, to: Duration::from_micros(span as u64) };
            let keeping = Keeping { retention: None, downsample: Some(downsample) };
            let next = Sweep::of(&keeping, Time::from_micros(1300) + micros(DAY), None).expect("something to do");
            sweep(&mut store, next);
            let once = left(&store, 1);
            for end in (0..1000).step_by(span as usize) {
                let held = points.range(..end).next_back().map(|(_, value)| *value);
                let holds = once.iter().rev().find(|(_, at, _)| *at < end).map(|(_, _, value)| *value);
                prop_assert_eq!(held, holds);
                let within = |at: &i64| (end..end + span).contains(at);
                let range = |values: Vec<Option<i64>>| (values.iter().min().copied(), values.iter().max().copied());
                let before = points.iter().filter(|(at, _)| within(at)).map(|(_, value)| *value).collect();
                let after = once.iter().filter(|(_, at, _)| within(at)).map(|(_, _, value)| *value).collect();
                prop_assert_eq!(range(before), range(after), "the lowest (or unseen) and the highest of each span");
            }
            prop_assert!(once.iter().all(|(_, at, value)| points[at] == *value), "each at its own moment");
            sweep(&mut store, next);
            prop_assert_eq!(left(&store, 1), once);
        }
    }
}
