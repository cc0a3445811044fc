//! What is usual, learnt from the seconds about which all is known by now.

use super::amount::Amount;
use super::baseline::Baseline;
use super::course::{STRETCH, STRETCHES};
use super::exporter::{Exporter, GONE};
use super::judge::lies_within;
use super::meter::Traffic;
use super::open::Open;
use super::place::{Place, Scale};
use super::report::{Rate, Target};
use crate::entity::Entity;
use gonedark_route::Time;
use std::collections::BTreeMap;

/// A stretch is learnt once so many more have passed, so that what exporters still held back is in it: the usual active
/// timeout of 60 s, and it is no longer kept second by second.
const LEARN_AFTER: i64 = 5;

impl Traffic {
    /// Learns what is usual, from stretches about which all is known by now.
    pub(super) fn learn(&mut self) {
        let due = self.now.div_euclid(STRETCH) - LEARN_AFTER;
        let first = self.learnt_to.max(due - (STRETCHES as i64 - LEARN_AFTER - 1)) + 1;
        if first > due {
            return;
        }
        self.learnt_to = due;
        let stretches: Vec<i64> = (first..=due).filter(|stretch| self.was_heard(*stretch)).collect();
        if stretches.is_empty() {
            return;
        }
        if self.baselines.len() >= self.parameters.max_entities {
            self.baselines.retain(|_, baseline| baseline.knows_something());
        }
        let nothing = vec![Amount::default(); stretches.len()];
        let known = self.baselines.keys().map(|place| (*place, nothing.clone()));
        let mut sums: BTreeMap<Place, Vec<Amount>> = known.collect();
        let now = self.now;
        let room = self.parameters.max_entities;
        let table = &mut self.tables[Scale::Entity as usize];
        let both = table.entries.iter().zip(&mut table.courses);
        for (entry, course) in both.filter(|(entry, _)| entry.key.kind.is_in_total()) {
            if sums.len() >= room && !sums.contains_key(&entry.key.place) {
                continue;
            }
            course.roll(now);
            let mut kept = [Amount::default(); STRETCHES];
            course.add_stretches_to(&mut kept);
            let first = now.div_euclid(STRETCH) - (STRETCHES as i64 - 1);
            let into = sums.entry(entry.key.place).or_insert_with(|| nothing.clone());
            for (sum, stretch) in into.iter_mut().zip(&stretches) {
                *sum = sum.plus(kept.get((stretch - first) as usize).copied().unwrap_or_default());
            }
        }
        self.learn_rates(&stretches, sums);
    }

    fn learn_rates(&mut self, stretches: &[i64], sums: BTreeMap<Place, Vec<Amount>>) {
        let seconds = STRETCH as u64;
        let first = stretches.first().map_or(i64::MAX, |stretch| stretch * STRETCH);
        let past = self.past_attacks(first);
        for (place, amounts) in sums {
            let past = match place.target() {
                Target::Entity(entity) => past.get(&entity).map(Vec::as_slice).unwrap_or_default(),
                _ => &[],
            };
            for (stretch, amount) in stretches.iter().zip(amounts) {
                let begin = stretch * STRETCH;
                let was_attacked = past.iter().any(|(start, end)| *start < begin + STRETCH && *end >= begin);
                if was_attacked || self.is_attacked(place, begin) {
                    continue;
                }
                let rate =
                    Rate { pps: amount.whole_packets() / seconds, bps: amount.whole_bytes() * 8 / seconds };
                let baseline = self.baselines.entry(place).or_insert_with(Baseline::new);
                baseline.learn(begin, rate, &self.parameters);
            }
        }
    }

    /// Whether a stretch was seen: records came, and no exporter was silent but those that are gone.
    fn was_heard(&self, stretch: i64) -> bool {
        let known = self.heard[stretch.rem_euclid(self.heard.len() as i64) as usize];
        let from = Time::from_seconds(stretch * STRETCH);
        let until = Time::from_seconds((stretch + 1) * STRETCH);
        let silent =
            |exporter: &Exporter| exporter.silence(from, until).is_some_and(|deaf| from - deaf.from < GONE);
        known.0 == stretch && known.1 > 0 && !self.exporters.iter().flatten().any(silent)
    }

    /// From when until when entities were attacked, or something in them, of what has ended since the second `first`.
    fn past_attacks(&self, first: i64) -> BTreeMap<Entity, Vec<(i64, i64)>> {
        let mut past: BTreeMap<Entity, Vec<(i64, i64)>> = BTreeMap::new();
        for attack in &self.finished {
            let end = attack.stop.map_or(i64::MAX, |stop| stop.latest.seconds());
            for entity in attack.entities.iter().filter(|_| end >= first) {
                past.entry(*entity).or_default().push((attack.start.earliest.seconds(), end));
            }
        }
        past
    }

    /// Whether an attack on an entity, or on something in it, that goes on had begun in a stretch.
    fn is_attacked(&self, place: Place, begin: i64) -> bool {
        let around = |open: &&Open| open.place == place || lies_within(open, place);
        self.open.values().filter(around).any(|open| open.start.0 < begin + STRETCH)
    }
}
