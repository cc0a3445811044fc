//! Onset and recovery as intervals with their witnesses (METHOD.md, "Onset and recovery").

use crate::detection::episode::{Episode, NetworkRecord};
use crate::parameters::Parameters;
use crate::report::{Interval, Turn};
use gonedark_route::{Prefix, Time};
use std::collections::{BTreeMap, BTreeSet};

/// Who saw the worst of an episode.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Testimony {
    /// Voters that could see it, in any family that it has.
    pub(crate) watchers: BTreeSet<u16>,
    /// Of them those that lost everything lost that they usually hold, with their last loss.
    pub(crate) agreeing: BTreeMap<u16, Interval>,
    /// Of them those that held something lost to the end, and could see it.
    pub(crate) stuck: BTreeSet<u16>,
}

/// The records of the networks lost at the worst moment.
fn records(episode: &Episode) -> &BTreeMap<Prefix, NetworkRecord> {
    let worst = episode.worst.as_ref().and_then(|worst| worst.records.as_ref());
    worst.unwrap_or(&episode.networks)
}

pub(crate) fn testimony(episode: &Episode) -> Testimony {
    let Some(worst) = &episode.worst else { return Testimony::default() };
    let had_any = |family: &usize| worst.tolls[*family].networks.before > 0;
    let watchers = (0..2).filter(had_any).flat_map(|family| worst.watchers[family].iter().copied());
    let mut testimony = Testimony { watchers: watchers.collect(), ..Default::default() };
    let mut losses: BTreeMap<u16, Interval> = BTreeMap::new();
    // A family of which nothing counted at the worst has lost its networks later, and has no watchers then.
    let counted = records(episode).iter().filter(|(prefix, _)| had_any(&(prefix.family() as usize)));
    for (prefix, record) in counted {
        for sighting in record.sightings.iter().filter(|sighting| worst.saw(*prefix, sighting.voter)) {
            let last = losses.entry(sighting.voter).or_insert(sighting.lost);
            if sighting.lost.latest > last.latest {
                *last = sighting.lost;
            }
        }
        // Of one that went blind before the end nobody knows whether it held the route to it.
        let saw_all = |voter: &u16| worst.saw(*prefix, *voter) && episode.saw_end(*prefix, *voter);
        let kept = record.kept.iter().copied().filter(saw_all);
        testimony
            .stuck
            .extend(kept.filter(|voter| record.sightings.iter().all(|sighting| sighting.voter != *voter)));
    }
    losses.retain(|voter, _| !testimony.stuck.contains(voter));
    testimony.agreeing = losses;
    testimony
}

/// Around `vote` the times that follow each other without a longer pause, as one interval.
///
/// Who was blind across the vote agrees with it, but tells neither that it came earlier nor that it came later: such a
/// time counts only where there is no other. Where there is none at all, the vote turned by who could see, not by what
/// was seen then: it came about between the last time before and `vote`.
fn chain(mut times: Vec<Interval>, vote: Time, pause: i64) -> Interval {
    times.sort_unstable_by_key(|time| (time.latest, time.earliest));
    let across = |time: &Interval| time.earliest < vote && vote < time.latest;
    let dated: Vec<Interval> = times.iter().copied().filter(|time| !across(time)).collect();
    let before = || times.iter().rfind(|time| time.latest <= vote).map(|time| time.join(Interval::at(vote)));
    unbroken(&dated, vote, pause)
        .or_else(|| unbroken(&times, vote, pause))
        .or_else(before)
        .unwrap_or(Interval::at(vote))
}

/// From `anchor` outwards in both directions, the times up to the first pause that is longer. They ascend by their ends.
fn unbroken(times: &[Interval], anchor: Time, pause: i64) -> Option<Interval> {
    let split = times.partition_point(|time| time.latest <= anchor);
    let follow = |side: &mut dyn Iterator<Item = &Interval>| {
        let mut edge = anchor;
        let near = |time: &&Interval| {
            let pause_before = (time.latest - edge).abs();
            edge = time.latest;
            pause_before <= pause
        };
        side.take_while(near).copied().reduce(Interval::join)
    };
    let sides = [follow(&mut times[..split].iter().rev()), follow(&mut times[split..].iter())];
    sides.into_iter().flatten().reduce(Interval::join)
}

/// When the worst of an episode began.
pub(crate) fn onset(episode: &Episode, testimony: &Testimony, parameters: &Parameters) -> Turn {
    let vote = episode.worst.as_ref().map_or(episode.start, |worst| worst.at);
    let times = testimony.agreeing.values().copied().collect();
    let Interval { earliest, latest } = chain(times, vote, parameters.descent_pause);
    Turn { earliest, latest, vote }
}

/// When an episode ended; `None` while it lasts.
pub(crate) fn recovery(episode: &Episode, testimony: &Testimony, parameters: &Parameters) -> Option<Turn> {
    let vote = episode.end?;
    let mut returns: BTreeMap<u16, Option<Interval>> = BTreeMap::new();
    for record in records(episode).values().chain(episode.networks.values()) {
        for sighting in
            record.sightings.iter().filter(|sighting| testimony.agreeing.contains_key(&sighting.voter))
        {
            let last = returns.entry(sighting.voter).or_default();
            if let Some(back) = sighting.back
                && last.is_none_or(|last| back.latest > last.latest)
            {
                *last = Some(back);
            }
        }
    }
    let times = returns.into_values().flatten().collect();
    let Interval { earliest, latest } = chain(times, vote, parameters.descent_pause);
    Some(Turn { earliest, latest, vote })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Interval {
        Interval::at(Time::from_seconds(minute * 60))
    }

    #[test]
    fn a_pause_of_more_than_ten_minutes_ends_a_descent() {
        let pause = Parameters::default().descent_pause;
        let times = vec![at(0), at(60), at(65), at(72), at(80), at(95)];
        let whole = chain(times, Time::from_seconds(72 * 60), pause);
        assert_eq!(whole, Interval { earliest: at(60).earliest, latest: at(80).latest });
    }

    #[test]
    fn a_vote_far_from_all_that_was_seen_came_about_since_the_last_of_it() {
        let pause = Parameters::default().descent_pause;
        let whole = chain(vec![at(0), at(5), at(90)], at(60).latest, pause);
        assert_eq!(whole, Interval { earliest: at(5).earliest, latest: at(60).latest });
        assert_eq!(chain(vec![], Time::from_seconds(60), pause), at(1));
    }

    #[test]
    fn who_was_blind_across_the_vote_dates_it_only_where_nobody_else_does() {
        let pause = Parameters::default().descent_pause;
        let across = at(55).join(at(69));
        let vote = at(60).latest;
        assert_eq!(chain(vec![at(59), across, at(61)], vote, pause), at(59).join(at(61)));
        // Blind up to the vote or from it on: both are times of it.
        assert_eq!(chain(vec![at(57).join(at(60)), across], vote, pause), at(57).join(at(60)));
        assert_eq!(chain(vec![at(60).join(at(62)), across], vote, pause), at(60).join(at(62)));
        // Seen hours ago only, it is no time of this descent.
        assert_eq!(chain(vec![at(0), across], vote, pause), across);
        assert_eq!(chain(vec![across], vote, pause), across);
    }
}
