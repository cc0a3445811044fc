//! The one plain sentence that comes first: what, when, how much, seen by how many. Without its full stop.
//!
//! It never names a cause or an actor, and never says "up" of what could not be seen.

mod descent;
mod moment;

use super::Case;
use super::blindness;
use super::course::Course;
use super::times::{self, Grain};
use super::words::{self, counted};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::{EntityState, EntityStatus, FamilyLoss, Incident, Interval, Level, PhaseState};
use gonedark_route::Family;
use moment::{dated, interval, later, unseen};

/// What is to be said first, the most important line first: a sentence for each of the first `most` incidents, then one
/// for each entity asked for of which there is none, or one for the whole run that found nothing.
pub fn headlines(case: &Case<'_>, most: usize) -> Vec<String> {
    let mut lines: Vec<String> =
        case.ranked().into_iter().take(most).map(|incident| sentence(case, incident)).collect();
    let quiet: Vec<&EntityStatus> =
        case.report.entities.iter().filter(|status| !has_incident(case, &status.entity)).collect();
    let (seen, not_seen): (Vec<&EntityStatus>, Vec<&EntityStatus>) =
        quiet.into_iter().partition(|status| status.state != EntityState::Unknown);
    if !seen.is_empty() || case.report.incidents.is_empty() && not_seen.is_empty() {
        lines.push(nothing_found(case, &seen));
    }
    match &not_seen[..] {
        few if few.len() <= 3 => lines.extend(few.iter().map(|status| could_not_be_seen(case, status))),
        [first, second, rest @ ..] => lines.push(format!(
            "{}, {} and {} others could not be seen at the end: whether they were up is not known",
            case.capital_name(&first.entity),
            case.name(&second.entity),
            rest.len()
        )),
        _ => {}
    }
    lines
}

fn has_incident(case: &Case<'_>, entity: &Entity) -> bool {
    case.report.incidents.iter().any(|incident| incident.entity == *entity)
}

/// The sentence for one incident.
pub fn sentence(case: &Case<'_>, incident: &Incident) -> String {
    if incident.is_unseen_only() {
        return unseen_throughout(case, incident);
    }
    if incident.is_unstable_only() {
        return format!("{}, {}", unstable(case, incident), scale(incident));
    }
    let (when, onset, grain, comma) = begin(case, incident);
    let flapping = match incident.flapping_before() {
        0 => String::new(),
        seconds => format!(", after {} of flapping", times::rough_duration(seconds)),
    };
    let end = end(case, incident, onset, grain);
    let course = match incident.recovery {
        Some(_) => format!("{when}{comma} {end}{flapping}"),
        None if flapping.is_empty() => format!("{when}{comma} {end}"),
        None => format!("{when}{flapping}, {end}"),
    };
    format!(
        "{} {} {course}{}{}: {}",
        case.capital_name(&incident.entity),
        what_happened(incident),
        between(case, incident),
        other_family(incident),
        scale(incident)
    )
}

/// The clause that says when it began, the interval that it tells and how finely, and what must follow it.
fn begin(case: &Case<'_>, incident: &Incident) -> (String, Interval, Grain, &'static str) {
    let onset = interval(incident.onset);
    let grain = Grain::of(onset);
    let when = dated(case, &incident.entity, onset, grain);
    if unseen(case, incident, onset) && !grain.same(onset) {
        return (format!("at some time {when}, when too few could see"), onset, grain, ",");
    }
    // What is dark has its whole toll at the onset; of what only lost much, the onset is that of its level.
    let slow = match incident.level == Level::Dark || dark_family(incident).is_some() || is_split(incident) {
        true => None,
        false => descent::slow(case, incident, onset),
    };
    let Some(slow) = slow else { return (when, onset, grain, "") };
    let when = dated(case, &incident.entity, slow.span, Grain::Minute);
    match slow.most {
        None => (when, slow.span, Grain::Minute, ""),
        Some(most) => {
            let (day, ends) = (times::day(most), times::day(slow.span.latest));
            let on = if day == ends { String::new() } else { format!(" on {}", day.without_year()) };
            let most = format!("{when}, nine tenths of them by {}{on},", times::clock(most));
            (most, slow.span, Grain::Minute, "")
        }
    }
}

/// The family that alone is dark, where the entity as a whole is not.
fn dark_family(incident: &Incident) -> Option<Family> {
    let is_dark = |loss: &FamilyLoss| loss.level == Level::Dark || loss.split;
    let mut families = words::families(incident);
    let count = words::families(incident).count();
    (incident.level != Level::Dark && count > 1)
        .then(|| families.find(|(_, loss)| is_dark(loss)).map(|(family, _)| family))
        .flatten()
}

fn is_split(incident: &Incident) -> bool {
    incident.level != Level::Dark && words::families(incident).any(|(_, loss)| loss.split)
}

fn what_happened(incident: &Incident) -> String {
    let on = dark_family(incident).map(|family| format!(" on {}", words::family(family))).unwrap_or_default();
    if is_split(incident) {
        format!("was lost{on} to most who watch, yet not to all,")
    } else if incident.level == Level::Dark || !on.is_empty() {
        format!("went dark{on}")
    } else {
        format!("lost {}", losses(incident))
    }
}

/// `3 of 46 networks with 62 % of its addresses`, `3 of 46 IPv4 and 1 of 9 IPv6 networks`.
fn losses(incident: &Incident) -> String {
    let had: Vec<_> = words::families(incident).filter(|(_, loss)| loss.networks.before > 0).collect();
    let lossy: Vec<_> = had.iter().filter(|(_, loss)| loss.networks.lost > 0).collect();
    let of = |loss: &FamilyLoss| {
        format!("{} of {}", times::grouped(loss.networks.lost), times::grouped(loss.networks.before))
    };
    match (&lossy[..], had.len()) {
        ([(_, loss)], 1) => format!("{}{}", counted_networks(&of(loss), loss), addresses(loss)),
        ([(family, loss)], _) => {
            format!("{} {} networks{}", of(loss), words::family(*family), addresses(loss))
        }
        ([], _) => match had.first() {
            Some((_, loss)) => counted_networks(&of(loss), loss),
            None => "networks".to_owned(),
        },
        (several, _) => {
            let each: Vec<String> = several
                .iter()
                .map(|(family, loss)| format!("{} {}", of(loss), words::family(*family)))
                .collect();
            format!("{} networks", words::listed(&each))
        }
    }
}

fn counted_networks(of: &str, loss: &FamilyLoss) -> String {
    format!("{of} network{}", if loss.networks.before == 1 { "" } else { "s" })
}

/// Said only where the share of addresses tells something else than the share of networks: 10 points apart (a guess).
fn addresses(loss: &FamilyLoss) -> String {
    let share = |count: &gonedark_infer::report::BeforeLost| match count.before {
        0 => 0,
        before => (u128::from(count.lost) * 100 / u128::from(before)) as i64,
    };
    let (networks, addresses) = (share(&loss.networks), share(&loss.addresses));
    match (networks - addresses).abs() >= 10 {
        true => format!(" with {addresses} % of its addresses"),
        false => String::new(),
    }
}

fn end(case: &Case<'_>, incident: &Incident, onset: Interval, grain: Grain) -> String {
    let told = |when: Interval| later(case, &incident.entity, when, onset, Grain::Minute);
    let finest = |when: Interval| later(case, &incident.entity, when, onset, grain.max(Grain::of(when)));
    let window_end = told(Interval::at(case.report.window.1));
    let dark = incident.level == Level::Dark || dark_family(incident).is_some() || is_split(incident);
    let Some(recovery) = incident.recovery.map(interval) else {
        return match incident.phases.last() {
            Some(phase) if phase.state == PhaseState::Unknown => format!(
                "and could not be seen from {} on, so that nobody knows whether it is back",
                told(Interval::at(phase.from)).trim_start_matches("at ")
            ),
            _ if dark => format!("and was still dark {window_end}, where this report ends"),
            _ => format!("and was still without them {window_end}, where this report ends"),
        };
    };
    let some_time = if unseen(case, incident, recovery) { "at some time " } else { "" };
    let unseen_end = if some_time.is_empty() { "" } else { ", when too few could see" };
    let when = finest(recovery);
    match incident.whole_at() {
        None if dark => {
            format!("and began to come back {when}, but was not whole {window_end}, where this report ends")
        }
        None => {
            format!("and had some of them back {when}, but not all {window_end}, where this report ends")
        }
        Some(whole) if whole.seconds() / 60 > recovery.latest.seconds() / 60 => {
            let whole = told(Interval::at(whole));
            match dark {
                true => format!("and began to come back {some_time}{when}{unseen_end}, whole {whole}"),
                false => format!("and had some of them back {some_time}{when}{unseen_end}, all {whole}"),
            }
        }
        Some(_) if dark => format!("and was back {some_time}{when}{unseen_end}"),
        Some(_) => format!("and had {} back {some_time}{when}{unseen_end}", them(incident)),
    }
}

fn them(incident: &Incident) -> &'static str {
    if super::ranking::networks_lost(incident) == 1 { "it" } else { "them" }
}

/// What else there was between onset and recovery, and after it.
fn between(case: &Case<'_>, incident: &Incident) -> String {
    let window_end = case.report.window.1;
    let mut text = String::new();
    match incident.returns_between() {
        0 => {}
        1 => text.push_str(", with one return between"),
        several => text.push_str(&format!(", with {several} returns between")),
    }
    let ends_unseen = incident.recovery.is_none()
        && incident.phases.last().is_some_and(|phase| phase.state == PhaseState::Unknown);
    match incident.unseen_between(window_end) {
        0 => {}
        _ if ends_unseen => {}
        seconds => text.push_str(&format!(", {} of it unseen", times::rough_duration(seconds))),
    }
    match incident.flapping_after(window_end) {
        0 => {}
        seconds => text.push_str(&format!(", followed by {} of flapping", times::rough_duration(seconds))),
    }
    text
}

/// `, IPv4 untouched`, where only one of two families is dark.
fn other_family(incident: &Incident) -> String {
    let Some(dark) = dark_family(incident) else { return String::new() };
    words::families(incident)
        .filter(|(family, _)| *family != dark)
        .map(|(family, loss)| {
            let name = words::family(family);
            match loss.networks.lost {
                0 => format!(", {name} untouched"),
                lost => format!(
                    ", {name} {} of {}",
                    times::grouped(lost),
                    counted(loss.networks.before, "network", "networks")
                ),
            }
        })
        .collect()
}

/// `4 of 4 networks, 12 of 12 full-feed networks that watch`.
fn scale(incident: &Incident) -> String {
    let dark = dark_family(incident);
    let named =
        dark.is_some() || incident.level == Level::Dark || is_split(incident) || incident.is_unstable_only();
    let networks: Vec<String> = words::families(incident)
        .filter(|(family, loss)| dark.is_none_or(|dark| dark == *family) && loss.networks.before > 0)
        .map(|(family, loss)| {
            let both = words::families(incident).filter(|(_, loss)| loss.networks.before > 0).count() > 1;
            let name = if both { format!("{} ", words::family(family)) } else { String::new() };
            let plural = if loss.networks.before == 1 { "" } else { "s" };
            let (lost, before) = (times::grouped(loss.networks.lost), times::grouped(loss.networks.before));
            format!("{lost} of {before} {name}network{plural}")
        })
        .collect();
    let at_worst = if incident.is_unstable_only() { "at worst " } else { "" };
    let networks = match named && !networks.is_empty() {
        true => format!("{at_worst}{}, ", words::listed(&networks)),
        false => String::new(),
    };
    format!("{networks}{}", witnesses(incident))
}

/// `12 of 12 full-feed networks that watch`.
fn witnesses(incident: &Incident) -> String {
    let seen = &incident.witnesses;
    let but = if is_split(incident) { "but only " } else { "" };
    let who = if seen.asns == 1 { "network that watches" } else { "networks that watch" };
    format!("{but}{} of {} full-feed {who}", seen.agreeing, seen.asns)
}

/// An incident that never was more than flapping.
fn unstable(case: &Case<'_>, incident: &Incident) -> String {
    let begin = Interval::at(incident.begin());
    let since = dated(case, &incident.entity, begin, Grain::Minute);
    let since = since.trim_start_matches("at ");
    let until = later(case, &incident.entity, Interval::at(case.end(incident)), begin, Grain::Minute);
    let until = until.trim_start_matches("at ");
    let falls = counted(incident.falls(), "fall", "falls");
    let name = case.capital_name(&incident.entity);
    match incident.ended {
        true => format!("{name} was unstable from {since} to {until}: {falls}"),
        false => format!(
            "{name} was unstable from {since} on and still so at {until}, where this report ends: {falls}"
        ),
    }
}

fn unseen_throughout(case: &Case<'_>, incident: &Incident) -> String {
    let begin = Interval::at(incident.begin());
    let since = dated(case, &incident.entity, begin, Grain::Minute);
    let until = later(case, &incident.entity, Interval::at(case.end(incident)), begin, Grain::Minute);
    format!(
        "{} could not be seen from {} to {}: whether it was up is not known",
        case.capital_name(&incident.entity),
        since.trim_start_matches("at "),
        until.trim_start_matches("at ")
    )
}

/// Nothing was found for these of the entities asked for (none given: for any entity at all).
fn nothing_found(case: &Case<'_>, quiet: &[&EntityStatus]) -> String {
    let coverage = &case.report.coverage;
    let asns = coverage.full_feed_asns.into_iter().max().unwrap_or(0);
    let (from, until) = case.report.window;
    let window = window_words(Interval { earliest: from, latest: until });
    if coverage.collectors.is_empty() || asns == 0 {
        return format!("Nothing can be said of the time {window}: no full-feed network could be seen");
    }
    let names: Vec<String> = quiet.iter().map(|status| case.name(&status.entity)).collect();
    let whom = match &names[..] {
        [] => "No country".to_owned(),
        [one] => format!("No outage of {one}"),
        [_, ..] if names.len() <= 3 => format!("No outage of {}", words::listed(&names)),
        _ => format!("No outage of the {} others asked for", names.len()),
    };
    let verb = if names.is_empty() { " lost networks for long enough to count" } else { "" };
    let unseen = match blindness::within(&coverage.blind, case.report.window).len() as u64 {
        0 => String::new(),
        blind => format!(", with {}", counted(blind, "interval of blindness", "intervals of blindness")),
    };
    format!(
        "{whom}{verb} {window}: {} and {} watched{unseen}",
        counted(coverage.collectors.len() as u64, "collector", "collectors"),
        counted(u64::from(asns), "full-feed network", "full-feed networks"),
    )
}

fn window_words(window: Interval) -> String {
    let (first, last) = (times::day(window.earliest), times::day(window.latest));
    let clocks = (times::clock(window.earliest), times::clock(window.latest));
    match first == last {
        true => format!("between {} and {} UTC on {}", clocks.0, clocks.1, first.long()),
        false => {
            format!("between {} UTC on {} and {} UTC on {}", clocks.0, first.long(), clocks.1, last.long())
        }
    }
}

fn could_not_be_seen(case: &Case<'_>, status: &EntityStatus) -> String {
    let name = case.capital_name(&status.entity);
    match status.networks.iter().map(|count| count.before).max().unwrap_or(0) {
        0 => format!(
            "{name} could not be seen: no network of it was heard of, so that nothing can be said of it"
        ),
        _ => format!(
            "{name} could not be seen at {} UTC on {}, where this report ends: whether it was up is not known",
            times::clock(case.report.window.1),
            times::day(case.report.window.1).long()
        ),
    }
}
