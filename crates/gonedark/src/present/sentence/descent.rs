//! A fall that went on after the worst level was reached: the toll that the sentence counts was complete only later.

use crate::present::times::{self, MINUTE};
use crate::present::{Case, words};
use gonedark_infer::report::{Incident, Interval, Sample, Signal};
use gonedark_route::Time;

/// The share of the toll, in percent, of which it is said when it was reached, where the rest took longer. Guess.
const MOST: u64 = 90;

/// How the toll came about.
pub(super) struct Descent {
    /// From the first network lost to the moment at which as many were lost as the sentence says.
    pub(super) span: Interval,
    /// By when nine tenths of them were lost, where that took less than half of the span.
    pub(super) most: Option<Time>,
}

/// The descent of an incident whose toll was not yet complete when its worst level was reached, to the minute.
pub(super) fn slow(case: &Case<'_>, incident: &Incident, onset: Interval) -> Option<Descent> {
    let toll: u64 = words::families(incident).map(|(_, loss)| loss.networks.lost).sum();
    let first = incident.networks.iter().map(|network| network.lost.earliest).min()?;
    let earliest = first.min(onset.earliest);
    let reached = |percent: u64| first_lost(case, incident, earliest, (toll * percent).div_ceil(100));
    let latest = reached(100)?;
    let minute = |time: Time| time.seconds().div_euclid(MINUTE);
    if toll == 0 || minute(latest) <= minute(onset.latest) {
        return None;
    }
    let length = times::seconds_between(earliest, latest);
    let most = reached(MOST).filter(|most| times::seconds_between(earliest, *most) * 2 < length);
    Some(Descent { span: Interval { earliest, latest }, most })
}

/// When so many networks of all families together were lost for the first time.
fn first_lost(case: &Case<'_>, incident: &Incident, from: Time, networks: u64) -> Option<Time> {
    let own = case
        .report
        .series
        .iter()
        .filter(|series| series.entity == incident.entity && series.signal == Signal::NetworksLost);
    let mut steps: Vec<(Time, usize, u64)> = own
        .flat_map(|series| {
            series.points.iter().filter_map(|(at, sample)| match sample {
                Sample::Value(value) => Some((*at, series.family as usize, *value)),
                Sample::Missing => None,
            })
        })
        .collect();
    steps.sort_unstable();
    let mut lost = [0; 2];
    steps.into_iter().find_map(|(at, family, value)| {
        lost[family] = value;
        (at >= from && lost.iter().sum::<u64>() >= networks).then_some(at)
    })
}
