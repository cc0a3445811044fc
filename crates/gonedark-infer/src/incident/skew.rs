//! How far the collectors' clocks are from each other (METHOD.md, "Clocks").
//!
//! A network that comes back is announced to all the world within the same minute, so the stamps of its return, collector
//! by collector, tell the clocks apart; withdrawals do not, because routers look for other paths for minutes first.

use crate::detection::episode::{Episode, NetworkRecord};
use crate::observation::CollectorId;
use crate::parameters::Parameters;
use crate::report::Interval;
use crate::routing::vantage::Vantage;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// By how many microseconds a collector's stamps run ahead of those of the others (negative: behind), for those of which
/// it is more than delays explain.
///
/// `past` are measurements from losses that are forgotten ([`remember`]).
pub(crate) fn estimate<'a>(
    losses: impl Iterator<Item = &'a Episode>,
    past: &BTreeMap<CollectorId, Vec<i64>>,
    vantage: &Vantage,
    parameters: &Parameters,
) -> BTreeMap<CollectorId, i64> {
    let mut known = past.clone();
    measure(losses, vantage, &mut known);
    let enough = known.into_iter().filter(|(_, known)| known.len() >= parameters.skew_returns);
    let skews = enough.filter_map(|(collector, mut known)| {
        let skew = median(&mut known);
        let mut spread: Vec<i64> = known.iter().map(|other| (other - skew).abs()).collect();
        // A clock is wrong by the same each time; delays are not.
        (skew.abs() > parameters.skew_noticed && median(&mut spread) * 4 <= skew.abs())
            .then_some((collector, skew))
    });
    skews.collect()
}

/// Measurements that are kept of each collector when the losses are forgotten. Guess: a clock that was set right is known
/// to be right after half as many.
const REMEMBERED: usize = 32;

/// Adds what losses that are about to be forgotten tell of the clocks.
pub(crate) fn remember(past: &mut BTreeMap<CollectorId, Vec<i64>>, losses: &[Episode], vantage: &Vantage) {
    measure(losses.iter(), vantage, past);
    for known in past.values_mut() {
        known.drain(..known.len().saturating_sub(REMEMBERED));
    }
}

/// One measurement of each collector's clock for each loss.
fn measure<'a>(
    losses: impl Iterator<Item = &'a Episode>,
    vantage: &Vantage,
    known: &mut BTreeMap<CollectorId, Vec<i64>>,
) {
    for loss in losses {
        // What comes back together is one measurement, however many networks it is.
        let mut deviations: BTreeMap<CollectorId, Vec<i64>> = BTreeMap::new();
        for record in loss.networks.values() {
            for (collector, deviation) in deviations_of(&returns(record, vantage)) {
                deviations.entry(collector).or_default().push(deviation);
            }
        }
        for (collector, mut deviations) in deviations {
            known.entry(collector).or_default().push(median(&mut deviations));
        }
    }
}

/// How far each collector's moment lies from that of the others.
fn deviations_of(moments: &BTreeMap<CollectorId, i64>) -> Vec<(CollectorId, i64)> {
    let deviation = |(collector, own): (&CollectorId, &i64)| {
        // Of two nobody can say which is wrong: each is told by the other. Of more, most are right.
        let others = moments.iter().filter(|(other, _)| moments.len() > 2 || *other != collector);
        let mut others: Vec<i64> = others.map(|(_, moment)| *moment).collect();
        (!others.is_empty()).then(|| (*collector, own - median(&mut others)))
    };
    moments.iter().filter(|_| moments.len() > 1).filter_map(deviation).collect()
}

/// When each collector says that a network came back, by the median of its voters that saw the moment.
fn returns(record: &NetworkRecord, vantage: &Vantage) -> BTreeMap<CollectorId, i64> {
    let mut returns: BTreeMap<CollectorId, Vec<i64>> = BTreeMap::new();
    for sighting in &record.sightings {
        let seen = sighting.back.filter(|back| back.earliest == back.latest);
        if let (Some(back), Some(collector)) = (seen, vantage.collector_of(sighting.voter)) {
            returns.entry(collector).or_default().push(back.latest.micros());
        }
    }
    returns.into_iter().map(|(collector, mut times)| (collector, median(&mut times))).collect()
}

/// The middle one, or halfway between the two middle ones; 0 of none.
fn median(values: &mut [i64]) -> i64 {
    values.sort_unstable();
    match (values.get(values.len() / 2), values.len() % 2) {
        (Some(middle), 1) => *middle,
        (Some(upper), _) => values[values.len() / 2 - 1].midpoint(*upper),
        (None, _) => 0,
    }
}

/// A loss with each time as wide as the skew of the clock that gave it; as it is where all clocks are right.
pub(crate) fn widen<'a>(
    loss: &'a Episode,
    skews: &BTreeMap<CollectorId, i64>,
    vantage: &Vantage,
) -> Cow<'a, Episode> {
    if skews.is_empty() {
        return Cow::Borrowed(loss);
    }
    let mut loss = loss.clone();
    let worst = loss.worst.iter_mut().filter_map(|worst| worst.records.as_mut());
    for record in worst.chain([&mut loss.networks]).flat_map(|records| records.values_mut()) {
        for sighting in &mut Arc::make_mut(record).sightings {
            let collector = vantage.collector_of(sighting.voter);
            let Some(skew) = collector.and_then(|collector| skews.get(&collector)) else { continue };
            sighting.lost = either(sighting.lost, *skew);
            sighting.back = sighting.back.map(|back| either(back, *skew));
        }
    }
    Cow::Owned(loss)
}

/// What was stamped, or that with the clock set right.
fn either(stamped: Interval, skew: i64) -> Interval {
    stamped.join(Interval { earliest: stamped.earliest + -skew, latest: stamped.latest + -skew })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_lies_between_the_two_in_the_middle() {
        assert_eq!(median(&mut [9, 1, 4]), 4);
        assert_eq!(median(&mut [9, 1, 4, 6]), 5);
        assert_eq!(median(&mut []), 0);
    }
}
