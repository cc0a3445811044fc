//! Onset and recovery as intervals with their witnesses (METHOD.md, "Onset and recovery").

use super::compose::Context;
use crate::detection::episode::{Episode, NetworkRecord, Records, Sighting};
use crate::report::{Interval, Turn};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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
fn records(episode: &Episode) -> &Records {
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
        testimony.stuck.extend(kept.filter(|voter| record.sighting(*voter).is_none()));
    }
    losses.retain(|voter, _| !testimony.stuck.contains(voter));
    testimony.agreeing = losses;
    testimony
}

/// What is looked for, and how.
#[derive(Clone, Copy)]
struct Around {
    vote: Time,
    /// A longer one ends a descent.
    pause: i64,
    /// By how much times may have been widened for clocks that are wrong.
    skew: i64,
}

impl Around {
    fn new(vote: Time, context: &Context<'_>) -> Self {
        Around { vote, pause: context.parameters.descent_pause, skew: context.skew() }
    }

    /// Whether nothing was seen from before the vote until after it.
    fn is_blind(self, time: &Interval) -> bool {
        time.earliest < self.vote && self.vote < time.latest && time.latest - time.earliest > self.skew
    }

    /// When it turned, by the last time of each voter; by `every` one where these came after it, as more went later.
    fn turn(self, last: Vec<Interval>, every: impl FnOnce() -> Vec<Interval>) -> Turn {
        let Around { vote, pause, .. } = self;
        let by_every = || {
            let every = ascending(every());
            let later = || unbroken(&every, vote, pause).map(|(whole, _)| whole.join(Interval::at(vote)));
            self.of(&every).or_else(later)
        };
        let whole = self.of(&ascending(last)).or_else(by_every);
        let Interval { earliest, latest } = whole.unwrap_or(Interval::at(vote));
        Turn { earliest, latest, vote }
    }

    /// The times around the vote that follow each other without a longer pause, as one interval that begins by the vote.
    ///
    /// Who was blind across the vote agrees with it, but tells neither that it came earlier nor that it came later: such
    /// times count only where those of others are not more. Where nothing is near, the vote turned by who could see, not by
    /// what was seen then: it came about between the last time before and the vote.
    fn of(self, times: &[Interval]) -> Option<Interval> {
        let Around { vote, pause, .. } = self;
        let seen: Vec<Interval> = times.iter().copied().filter(|time| !self.is_blind(time)).collect();
        let blind = times.iter().filter(|time| self.is_blind(time) && time.latest - vote <= pause).count();
        let seen = unbroken(&seen, vote, pause).filter(|(_, count)| *count > blind);
        let near = seen.or_else(|| unbroken(times, vote, pause)).map(|(whole, _)| whole);
        let before =
            || times.iter().rfind(|time| time.latest <= vote).map(|time| time.join(Interval::at(vote)));
        near.filter(|whole| whole.earliest <= vote).or_else(before)
    }
}

fn ascending(mut times: Vec<Interval>) -> Vec<Interval> {
    times.sort_unstable_by_key(|time| (time.latest, time.earliest));
    times
}

/// From `anchor` outwards in both directions, the times up to the first pause that is longer, and how many those are. They
/// ascend by their ends.
fn unbroken(times: &[Interval], anchor: Time, pause: i64) -> Option<(Interval, usize)> {
    let split = times.partition_point(|time| time.latest <= anchor);
    let follow = |side: &mut dyn Iterator<Item = &Interval>| {
        let mut edge = anchor;
        let near = |time: &&Interval| {
            let pause_before = (time.latest - edge).abs();
            edge = time.latest;
            pause_before <= pause
        };
        side.take_while(near).count()
    };
    let (below, above) = (follow(&mut times[..split].iter().rev()), follow(&mut times[split..].iter()));
    let near = &times[split - below..split + above];
    near.iter().copied().reduce(Interval::join).map(|whole| (whole, near.len()))
}

/// When the worst of an episode began.
pub(crate) fn onset(episode: &Episode, testimony: &Testimony, context: &Context<'_>) -> Turn {
    let vote = episode.worst.as_ref().map_or(episode.start, |worst| worst.at);
    let last = testimony.agreeing.values().copied().collect();
    let every = || sightings(records(episode).values(), testimony).map(|sighting| sighting.lost).collect();
    Around::new(vote, context).turn(last, every)
}

/// When an episode ended; `None` while it lasts.
pub(crate) fn recovery(episode: &Episode, testimony: &Testimony, context: &Context<'_>) -> Option<Turn> {
    let vote = episode.end?;
    let all = || sightings(records(episode).values().chain(episode.networks.values()), testimony);
    let mut last: BTreeMap<u16, Interval> = BTreeMap::new();
    for (voter, back) in all().filter_map(|sighting| Some((sighting.voter, sighting.back?))) {
        let known = last.entry(voter).or_insert(back);
        if back.latest > known.latest {
            *known = back;
        }
    }
    let every = || all().filter_map(|sighting| sighting.back).collect();
    Some(Around::new(vote, context).turn(last.into_values().collect(), every))
}

/// What those who agree saw of networks.
fn sightings<'a>(
    records: impl Iterator<Item = &'a Arc<NetworkRecord>>,
    testimony: &Testimony,
) -> impl Iterator<Item = &'a Sighting> {
    let agrees = |sighting: &&Sighting| testimony.agreeing.contains_key(&sighting.voter);
    records.flat_map(|record| &record.sightings).filter(agrees)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{Parameters, SECOND};

    fn at(minute: i64) -> Interval {
        Interval::at(Time::from_seconds(minute * 60))
    }

    fn around(minute: i64) -> Around {
        let pause = Parameters::default().descent_pause;
        Around { vote: at(minute).latest, pause, skew: 0 }
    }

    fn turned(around: Around, last: &[Interval]) -> Interval {
        let Turn { earliest, latest, .. } = around.turn(last.to_vec(), Vec::new);
        Interval { earliest, latest }
    }

    #[test]
    fn a_pause_of_more_than_ten_minutes_ends_a_descent() {
        let times = [at(0), at(60), at(65), at(72), at(80), at(95)];
        assert_eq!(turned(around(72), &times), at(60).join(at(80)));
    }

    #[test]
    fn a_vote_far_from_all_that_was_seen_came_about_since_the_last_of_it() {
        assert_eq!(turned(around(60), &[at(0), at(5), at(90)]), at(5).join(at(60)));
        assert_eq!(turned(around(1), &[]), at(1));
        let Turn { earliest, latest, .. } = around(60).turn(vec![at(63)], || vec![at(63)]);
        assert_eq!(Interval { earliest, latest }, at(60).join(at(63)));
    }

    #[test]
    fn who_was_blind_across_the_vote_dates_it_only_where_others_are_not_more() {
        let across = at(55).join(at(69));
        assert_eq!(turned(around(60), &[at(59), across, at(61)]), at(59).join(at(61)));
        // Blind up to the vote or from it on: both are times of it.
        let others = [at(57).join(at(60)), at(60).join(at(62)), across];
        assert_eq!(turned(around(60), &others), at(57).join(at(62)));
        // Seen hours ago only, it is no time of this descent.
        assert_eq!(turned(around(60), &[at(0), across]), across);
        assert_eq!(turned(around(60), &[across]), across);
        // Two stragglers are not heard against three who were blind when most came back.
        assert_eq!(turned(around(62), &[at(50), at(62), at(63), across, across, across]), across);
    }

    #[test]
    fn a_time_that_is_wide_for_a_clock_alone_was_seen() {
        let ahead = Around { skew: 120 * SECOND, ..around(6) };
        let widened = [5, 6].map(|minute| at(minute).join(at(minute + 2)));
        assert_eq!(turned(ahead, &widened), at(5).join(at(8)));
    }

    #[test]
    fn what_was_lost_after_the_vote_on_the_same_level_does_not_move_an_onset() {
        // Each voter lost most between two tables, and the rest between the next two.
        let (most, rest) = (at(0).join(at(120)), at(120).join(at(240)));
        let Turn { earliest, latest, .. } = around(121).turn(vec![rest], || vec![most, rest]);
        assert_eq!(Interval { earliest, latest }, most);
        let Turn { earliest, latest, .. } = around(60).turn(vec![at(68)], || vec![at(60), at(68)]);
        assert_eq!(Interval { earliest, latest }, at(60).join(at(68)));
    }
}
