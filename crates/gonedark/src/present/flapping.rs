//! How the rate of falls changed over time: whether flapping grew worse before the collapse.

use super::times::{self, DAY, HOUR, MINUTE, seconds_between};
use gonedark_infer::report::{Incident, Phase, PhaseState};
use gonedark_route::Time;

/// The round steps that a stretch is cut into, in seconds.
const STEPS: [i64; 15] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    4 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    7 * DAY,
];

/// Falls within one step of an unstable phase.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bucket {
    /// Its begin.
    pub from: Time,
    /// Its end.
    pub until: Time,
    /// Falls that began in it.
    pub falls: u32,
    /// Seconds that the entity was lost in it.
    pub lost_s: i64,
    /// Seconds of it that could be seen; falls in the rest are not known.
    pub seen_s: i64,
}

impl Bucket {
    /// Falls per hour of what could be seen; `None` where nothing could.
    pub fn rate(&self) -> Option<f64> {
        (self.seen_s > 0).then(|| f64::from(self.falls) * HOUR as f64 / self.seen_s as f64)
    }
}

/// The unstable phase with the most falls, cut into at most `most` equal steps (the last may be longer by half or
/// shorter). Empty where there is no flapping.
pub fn buckets(incident: &Incident, end: Time, most: usize) -> Vec<Bucket> {
    let unstable = incident.phases.iter().filter(|phase| phase.state == PhaseState::Unstable);
    let Some(phase) = unstable.rev().max_by_key(|phase| phase.flaps) else { return Vec::new() };
    let until = phase.until.unwrap_or(end);
    let length = seconds_between(phase.from, until);
    let most = i64::try_from(most.max(1)).unwrap_or(1);
    let step = STEPS.into_iter().find(|step| length <= step * most).unwrap_or(length / most + 1);
    // A stump of a step at the end would show a rate made of too little: it goes with the one before.
    let count = ((length + step / 2) / step).clamp(1, most);
    (0..count)
        .map(|index| {
            let from = phase.from + index * step * 1_000_000;
            let until = if index + 1 == count { until } else { from + step * 1_000_000 };
            bucket(incident, from, until)
        })
        .collect()
}

fn bucket(incident: &Incident, from: Time, until: Time) -> Bucket {
    let overlap = |begin: Time, end: Time| seconds_between(begin.max(from), end.min(until));
    let falls = incident.flaps.iter().filter(|flap| from <= flap.from && flap.from < until).count();
    let lost_s = incident.flaps.iter().map(|flap| overlap(flap.from, flap.until)).sum();
    let unknown = |phase: &&Phase| phase.state == PhaseState::Unknown;
    let unseen: i64 = incident
        .phases
        .iter()
        .filter(unknown)
        .map(|phase| overlap(phase.from, phase.until.unwrap_or(until)))
        .sum();
    let seen_s = seconds_between(from, until) - unseen;
    Bucket { from, until, falls: u32::try_from(falls).unwrap_or(u32::MAX), lost_s, seen_s }
}

/// How it went, in words: `the falls came ever more often: 0.6 an hour in the first third, 2.4 in the last`. `None`
/// under six falls, which is too few to speak of a course (a guess).
pub fn trend(incident: &Incident, end: Time) -> Option<String> {
    let all = buckets(incident, end, 30);
    let falls: u32 = all.iter().map(|bucket| bucket.falls).sum();
    let third = all.len() / 3;
    if falls < 6 || third == 0 {
        return None;
    }
    let rate = |part: &[Bucket]| {
        let falls: u32 = part.iter().map(|bucket| bucket.falls).sum();
        let seen: i64 = part.iter().map(|bucket| bucket.seen_s).sum();
        (seen > 0).then(|| f64::from(falls) * HOUR as f64 / seen as f64)
    };
    let (first, last) = (rate(&all[..third])?, rate(&all[all.len() - third..])?);
    // Half as many again, or a third fewer, counts as a change (a guess).
    let course = if last >= first * 1.5 {
        "the falls came ever more often"
    } else if last * 1.5 <= first {
        "the falls grew rarer"
    } else {
        "the falls came evenly"
    };
    Some(format!("{course}: {first:.1} an hour in the first third, {last:.1} in the last"))
}

/// The heading's words for the step: `4 hours`; `4 hours, the last of 6 hours` where the last is told to be another.
pub fn step_words(buckets: &[Bucket]) -> String {
    let length = |bucket: &Bucket| times::rough_duration(seconds_between(bucket.from, bucket.until));
    match buckets {
        [] => String::new(),
        [first, .., last] if length(first) != length(last) => {
            format!("{}, the last of {}", length(first), length(last))
        }
        [first, ..] => length(first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_last_step_of_another_length_is_told() {
        let of = |hours: &[i64]| {
            let mut from = Time::from_seconds(0);
            let steps = hours.iter().map(|hours| {
                let until = from + hours * HOUR * 1_000_000;
                let bucket = Bucket { from, until, falls: 1, lost_s: 1, seen_s: hours * HOUR };
                from = until;
                bucket
            });
            step_words(&steps.collect::<Vec<_>>())
        };
        assert_eq!(of(&[4, 4, 6]), "4 hours, the last of 6 hours");
        assert_eq!(of(&[4, 4, 2]), "4 hours, the last of 2 hours");
        assert_eq!(of(&[4, 4, 4]), "4 hours");
        assert_eq!(of(&[4]), "4 hours");
    }
}
