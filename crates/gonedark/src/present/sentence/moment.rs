//! When something happened, in words: the clause that begins with "at" or "between".

use crate::present::times::{self, Day, Grain};
use crate::present::{Case, LocalTime};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::{Incident, Interval, PhaseState, Sample, Signal, Turn};
use gonedark_route::Time;

/// The interval of an onset or a recovery.
pub(super) fn interval(turn: Turn) -> Interval {
    Interval { earliest: turn.earliest, latest: turn.latest.max(turn.earliest) }
}

/// `at 16:15 UTC on 22 December 2014 (01:15 on the 23rd in Pyongyang)`.
pub(super) fn dated(case: &Case<'_>, entity: &Entity, when: Interval, grain: Grain) -> String {
    let (first, last) = (times::day(when.earliest), times::day(when.latest));
    let clocks = (grain.clock(when.earliest), grain.clock(when.latest));
    let utc = if grain.same(when) {
        format!("at {} UTC on {}", clocks.0, first.long())
    } else if first == last {
        format!("between {} and {} UTC on {}", clocks.0, clocks.1, first.long())
    } else {
        let first = if first.year == last.year { first.without_year() } else { first.long() };
        format!("between {} UTC on {first} and {} UTC on {}", clocks.0, clocks.1, last.long())
    };
    match local(case, entity, when, grain) {
        Some(local) => format!("{utc} ({local})"),
        None => utc,
    }
}

/// `01:07 to 01:15 on the 23rd in Pyongyang`; `None` without a zone, or where the zone is UTC itself.
fn local(case: &Case<'_>, entity: &Entity, when: Interval, grain: Grain) -> Option<String> {
    let (start, place) = on_the_wall(case, entity, when.earliest)?;
    let (end, _) = on_the_wall(case, entity, when.latest)?;
    if start == when.earliest && end == when.latest {
        return None;
    }
    let utc_days = (times::day(when.earliest), times::day(when.latest));
    let days = (times::day(start), times::day(end));
    let clocks = (grain.clock(start), grain.clock(end));
    let text = if days.0 != days.1 {
        let day = |day: Day| day.beside(utc_days.0);
        format!("{} on {} to {} on {}", clocks.0, day(days.0), clocks.1, day(days.1))
    } else {
        // The day goes without saying only where it is the one day that was just named.
        let day = match utc_days.0 == utc_days.1 && days.0 == utc_days.0 {
            true => String::new(),
            false => format!(" on {}", days.0.beside(utc_days.1)),
        };
        match grain.same(when) {
            true => format!("{}{day}", clocks.0),
            false => format!("{} to {}{day}", clocks.0, clocks.1),
        }
    };
    Some(format!("{text} in {place}"))
}

fn on_the_wall(case: &Case<'_>, entity: &Entity, time: Time) -> Option<(Time, String)> {
    let LocalTime { offset_s, place, .. } = case.gazetteer.local(entity, time)?;
    Some((times::shifted(time, offset_s), place))
}

/// `at 01:46`, `between 01:46 and 01:52`, `at 01:46 on 24 December`, as told after `before` has been told.
///
/// The day is left out where it cannot be mistaken: under 24 h after `before`, and on a day that the sentence has
/// already named, be it the UTC day of `before` or the day that it was in the entity's capital. It never is told more
/// finely than what came before.
pub(super) fn later(
    case: &Case<'_>,
    entity: &Entity,
    when: Interval,
    before: Interval,
    grain: Grain,
) -> String {
    let known = times::day(before.latest);
    let mut named = vec![times::day(before.earliest), known];
    for time in [before.earliest, before.latest] {
        named.extend(on_the_wall(case, entity, time).map(|(wall, _)| times::day(wall)));
    }
    let soon = times::seconds_between(before.earliest, when.latest) < times::DAY;
    let (first, last) = (times::day(when.earliest), times::day(when.latest));
    let plain = |day: Day| soon && named.contains(&day);
    let on = |day: Day| if day.year == known.year { day.without_year() } else { day.long() };
    let clocks = (grain.clock(when.earliest), grain.clock(when.latest));
    if grain.same(when) {
        match plain(first) {
            true => format!("at {}", clocks.0),
            false => format!("at {} on {}", clocks.0, on(first)),
        }
    } else if first != last {
        format!("between {} on {} and {} on {}", clocks.0, on(first), clocks.1, on(last))
    } else {
        match plain(first) {
            true => format!("between {} and {}", clocks.0, clocks.1),
            false => format!("between {} and {} on {}", clocks.0, clocks.1, on(first)),
        }
    }
}

/// Whether too few could see somewhere within an interval that is wider than a moment: then its width is blindness, and
/// not the spread of the witnesses.
pub(super) fn unseen(case: &Case<'_>, incident: &Incident, when: Interval) -> bool {
    let overlaps = |from: Time, until: Time| from.max(when.earliest) < until.min(when.latest);
    let phases = incident.phases.iter().any(|phase| {
        phase.state == PhaseState::Unknown && overlaps(phase.from, phase.until.unwrap_or(Time::MAX))
    });
    let series = case
        .report
        .series
        .iter()
        .filter(|series| series.entity == incident.entity && series.signal == Signal::NetworksUp)
        .any(|series| {
            let ends = series.points.iter().skip(1).map(|point| point.0).chain([case
                .report
                .window
                .1
                .max(when.latest)]);
            series
                .points
                .iter()
                .zip(ends)
                .any(|((from, sample), until)| *sample == Sample::Missing && overlaps(*from, until))
        });
    phases || series
}
