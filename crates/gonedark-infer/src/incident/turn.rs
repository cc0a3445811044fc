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

/// Around `anchor` the times that follow each other without a longer pause, as one interval. Where there are none, the
/// vote turned by who could see, not by what was seen then: it came about between the last time before and `anchor`.
fn chain(times: &mut [Interval], anchor: Time, pause: i64) -> Interval {
    times.sort_unstable_by_key(|time| (time.latest, time.earliest));
    let split = times.partition_point(|time| time.latest <= anchor);
    let (mut whole, mut edge) = (None::<Interval>, anchor);
    let mut take = |time: &Interval, edge: &mut Time, distance: i64| {
        if distance > pause {
            return false;
        }
        *edge = time.latest;
        whole = Some(whole.map_or(*time, |whole| whole.join(*time)));
        true
    };
    for time in times[..split].iter().rev() {
        let distance = edge - time.latest;
        if !take(time, &mut edge, distance) {
            break;
        }
    }
    edge = anchor;
    for time in &times[split..] {
        let distance = time.latest - edge;
        if !take(time, &mut edge, distance) {
            break;
        }
    }
    let before = times[..split].last().map(|time| time.join(Interval::at(anchor)));
    whole.or(before).unwrap_or(Interval::at(anchor))
}

/// When the worst of an episode began.
pub(crate) fn onset(episode: &Episode, testimony: &Testimony, parameters: &Parameters) -> Turn {
    let vote = episode.worst.as_ref().map_or(episode.start, |worst| worst.at);
    let mut times: Vec<Interval> = testimony.agreeing.values().copied().collect();
    let Interval { earliest, latest } = chain(&mut times, vote, parameters.descent_pause);
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
    let mut times: Vec<Interval> = returns.into_values().flatten().collect();
    let Interval { earliest, latest } = chain(&mut times, vote, parameters.descent_pause);
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
        let mut times = [at(0), at(60), at(65), at(72), at(80), at(95)];
        let whole = chain(&mut times, Time::from_seconds(72 * 60), pause);
        assert_eq!(whole, Interval { earliest: at(60).earliest, latest: at(80).latest });
    }

    #[test]
    fn a_vote_far_from_all_that_was_seen_came_about_since_the_last_of_it() {
        let pause = Parameters::default().descent_pause;
        let whole = chain(&mut [at(0), at(5), at(90)], at(60).latest, pause);
        assert_eq!(whole, Interval { earliest: at(5).earliest, latest: at(60).latest });
        assert_eq!(chain(&mut [], Time::from_seconds(60), pause), at(1));
    }
}
