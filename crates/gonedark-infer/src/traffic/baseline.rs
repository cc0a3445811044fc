//! What is usual for an entity at a time of day, learnt from what was neither an attack nor unseen.

use super::course::STRETCH;
use super::parameters::Parameters;
use super::report::Rate;

/// Parts of a day that are learnt apart: half hours, as Sightline's profiled router does.
const SLOTS: usize = 48;
const SLOT: i64 = 86_400 / SLOTS as i64;
/// Samples that a half hour must have to be learnt from: half of all. Guess.
const ENOUGH: usize = (SLOT / STRETCH / 2) as usize;
/// A sample further over the mean than so many mean deviations counts as no more. Guess.
const CLIP: f64 = 3.0;

/// One half hour of the day.
#[derive(Clone, Copy, PartialEq, Default, Debug, serde::Serialize, serde::Deserialize)]
struct Slot {
    days: u16,
    /// Packets and bits a second.
    mean: [f32; 2],
    /// Mean absolute deviation: within the half hour, and from day to day.
    deviation: [f32; 2],
}

/// What is usual for one entity.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Baseline {
    slots: Vec<Slot>,
    /// The half hour that is being learnt, counted since 1970, and its samples.
    current: i64,
    samples: Vec<[f32; 2]>,
}

impl Baseline {
    pub(crate) fn new() -> Self {
        Baseline { slots: vec![Slot::default(); SLOTS], current: i64::MIN, samples: Vec::new() }
    }

    /// Takes what a stretch of [`STRETCH`] seconds, that begins with the second `begin`, had in the mean.
    pub(crate) fn learn(&mut self, begin: i64, rate: Rate, parameters: &Parameters) {
        let slot = begin.div_euclid(SLOT);
        if slot != self.current {
            self.fold(parameters);
            self.current = slot;
        }
        self.samples.push([rate.pps as f32, rate.bps as f32]);
    }

    /// Whether there was a packet a second at any time. Of what was reached now and then by chance nothing is known that is
    /// worth its room.
    pub(crate) fn knows_something(&self) -> bool {
        let learnt = self.slots.iter().any(|slot| slot.mean[0] >= 1.0);
        learnt || self.samples.iter().any(|sample| sample[0] >= 1.0)
    }

    /// Learns a half hour that is over.
    fn fold(&mut self, parameters: &Parameters) {
        let samples = std::mem::take(&mut self.samples);
        if samples.len() < ENOUGH {
            return;
        }
        let Some(slot) = self.slots.get_mut(self.current.rem_euclid(SLOTS as i64) as usize) else { return };
        for unit in 0..2 {
            let (before, spread) = (f64::from(slot.mean[unit]), f64::from(slot.deviation[unit]));
            let most = if slot.days == 0 { f64::MAX } else { before + CLIP * spread.max(before / 10.0) };
            let values = samples.iter().map(|sample| f64::from(sample[unit]).min(most));
            let count = samples.len() as f64;
            let mean = values.clone().sum::<f64>() / count;
            let within = values.map(|value| (value - mean).abs()).sum::<f64>() / count;
            let weight = 1.0 / (u64::from(slot.days) + 1).min(parameters.baseline_memory.max(1)) as f64;
            let between = if slot.days == 0 { 0.0 } else { (mean - before).abs() };
            slot.mean[unit] = (before + weight * (mean - before)) as f32;
            slot.deviation[unit] = (spread + weight * (within + between - spread)) as f32;
        }
        slot.days = slot.days.saturating_add(1);
    }

    fn slot(&self, second: i64, off: i64) -> Slot {
        let at = (second.div_euclid(SLOT) + off).rem_euclid(SLOTS as i64) as usize;
        self.slots.get(at).copied().unwrap_or_default()
    }

    /// How many days of this time of day were learnt.
    pub(crate) fn days(&self, second: i64) -> u64 {
        u64::from(self.slot(second, 0).days)
    }

    /// What is usual at this time of day.
    pub(crate) fn usual(&self, second: i64) -> Rate {
        let [pps, bps] = self.slot(second, 0).mean;
        Rate { pps: pps as u64, bps: bps as u64 }
    }

    /// From what rate on it is a deviation; `None` before enough is learnt. The half hours before and after count as well,
    /// so that what begins a little earlier today is none.
    pub(crate) fn deviation_from(&self, second: i64, parameters: &Parameters) -> Option<Rate> {
        if self.days(second) < parameters.baseline_days {
            return None;
        }
        let least = |unit: usize, floor: u64| {
            let of_slot = |slot: Slot| {
                let (mean, deviation) = (f64::from(slot.mean[unit]), f64::from(slot.deviation[unit]));
                let risen = mean * (1.0 + parameters.deviation_percent as f64 / 100.0);
                risen.max(mean + parameters.deviation_times as f64 * deviation)
            };
            let most = [-1, 0, 1].map(|off| of_slot(self.slot(second, off))).into_iter().fold(0.0, f64::max);
            (most as u64).max(floor)
        };
        Some(Rate {
            pps: least(0, parameters.deviation_floor_pps),
            bps: least(1, parameters.deviation_floor_bps),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;
    const MIDNIGHT: i64 = 1_419_120_000;

    /// Twice as much by day as by night.
    fn usual(second: i64) -> u64 {
        if second.rem_euclid(DAY) >= DAY / 2 { 40_000 } else { 20_000 }
    }

    fn learnt(days: i64, parameters: &Parameters) -> Baseline {
        let mut baseline = Baseline::new();
        for begin in (MIDNIGHT..MIDNIGHT + days * DAY).step_by(STRETCH as usize) {
            let pps = usual(begin) + (begin as u64 / 20 % 3) * 100;
            baseline.learn(begin, Rate { pps, bps: pps * 4_000 }, parameters);
        }
        baseline
    }

    #[test]
    fn before_a_week_is_learnt_nothing_is_a_deviation() {
        let parameters = Parameters::default();
        let noon = MIDNIGHT + DAY / 2;
        assert_eq!(learnt(6, &parameters).deviation_from(noon, &parameters), None);
        let known = learnt(7, &parameters);
        assert_eq!(known.days(noon), 7);
        assert_eq!(known.deviation_from(noon, &parameters).expect("learnt").pps / 1_000, 80);
    }

    #[test]
    fn night_and_day_are_learnt_apart() {
        let parameters = Parameters::default();
        let known = learnt(9, &parameters);
        let night = MIDNIGHT + 9 * DAY + 3 * 3_600;
        assert_eq!(known.deviation_from(night, &parameters).expect("learnt").pps / 1_000, 40);
        // In the half hour before the rise the rise is no deviation.
        let before_noon = MIDNIGHT + 9 * DAY + DAY / 2 - 60;
        assert_eq!(known.deviation_from(before_noon, &parameters).expect("learnt").pps / 1_000, 80);
    }

    #[test]
    fn a_half_hour_of_which_too_little_was_seen_teaches_nothing() {
        let parameters = Parameters::default();
        let mut baseline = Baseline::new();
        for begin in (MIDNIGHT..MIDNIGHT + 600).step_by(STRETCH as usize) {
            baseline.learn(begin, Rate { pps: 5, bps: 5 }, &parameters);
        }
        baseline.learn(MIDNIGHT + DAY, Rate { pps: 5, bps: 5 }, &parameters);
        assert_eq!(baseline.days(MIDNIGHT), 0);
    }

    #[test]
    fn an_attack_that_nobody_noticed_moves_the_mean_by_little() {
        let parameters = Parameters::default();
        let mut known = learnt(9, &parameters);
        let begin = MIDNIGHT + 9 * DAY + DAY / 2;
        for second in (begin..begin + SLOT).step_by(STRETCH as usize) {
            known.learn(second, Rate { pps: 4_000_000, bps: 0 }, &parameters);
        }
        known.learn(begin + SLOT, Rate { pps: 0, bps: 0 }, &parameters);
        assert!(known.usual(begin).pps < 42_000, "{:?}", known.usual(begin));
    }
}
