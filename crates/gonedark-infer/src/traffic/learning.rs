//! What is usual, learnt from the seconds about which all is known by now.

use super::amount::Amount;
use super::baseline::Baseline;
use super::course::{STRETCH, STRETCHES};
use super::exporter::Exporter;
use super::judge::lies_within;
use super::meter::Traffic;
use super::open::Open;
use super::place::{Place, Scale};
use super::report::{Rate, Target};
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
        for (place, amounts) in sums {
            for (stretch, amount) in stretches.iter().zip(amounts) {
                let begin = stretch * STRETCH;
                if self.is_attacked(place, begin) {
                    continue;
                }
                let rate =
                    Rate { pps: amount.whole_packets() / seconds, bps: amount.whole_bytes() * 8 / seconds };
                let baseline = self.baselines.entry(place).or_insert_with(Baseline::new);
                baseline.learn(begin, rate, &self.parameters);
            }
        }
    }

    /// Whether a stretch was seen: records came, and no exporter was silent.
    fn was_heard(&self, stretch: i64) -> bool {
        let known = self.heard[stretch.rem_euclid(self.heard.len() as i64) as usize];
        let from = Time::from_seconds(stretch * STRETCH);
        let until = Time::from_seconds((stretch + 1) * STRETCH);
        let silent = |exporter: &Exporter| exporter.silence(from, until).is_some();
        known.0 == stretch && known.1 > 0 && !self.exporters.iter().flatten().any(silent)
    }

    /// Whether an entity, or something in it, was attacked in a stretch, or has been called so since.
    fn is_attacked(&self, place: Place, begin: i64) -> bool {
        let around = |open: &&Open| open.place == place || lies_within(open, place);
        let now = self.open.values().filter(around);
        let of_entity = match place.target() {
            Target::Entity(entity) => Some(entity),
            _ => None,
        };
        let past = self.finished.iter().rev().take(64).any(|attack| {
            let end = attack.stop.map_or(i64::MAX, |stop| stop.latest.seconds());
            let is_around = of_entity.is_some_and(|entity| attack.entities.contains(&entity));
            is_around && attack.start.earliest.seconds() < begin + STRETCH && end >= begin
        });
        past || now.into_iter().any(|open| open.start.0 < begin + STRETCH)
    }
}
