//! One incident on the page: facts, phases, falls, networks, witnesses.

use super::traffic::AttacksBeside;
use crate::present::course::Course;
use crate::present::evidence::Beside;
use crate::present::times::{self, grouped, seconds_between};
use crate::present::{Case, flapping, words};
use gonedark_infer::report::{Incident, Interval, Phase, Turn};
use gonedark_route::Time;

/// Networks listed; a country may lose thousands, all of which are in the JSON.
const NETWORKS: usize = 200;
/// Bars of the falls over time.
const BARS: usize = 16;

/// A line of the ranked table.
pub(super) struct IncidentRow {
    pub(super) state: &'static str,
    pub(super) level: String,
    pub(super) name: String,
    pub(super) since: String,
    pub(super) until: String,
    pub(super) lasted: String,
    pub(super) falls: u64,
    pub(super) networks: String,
    pub(super) witnesses: String,
}

impl IncidentRow {
    pub(super) fn new(case: &Case<'_>, incident: &Incident) -> Self {
        let since = if incident.is_unstable_only() { incident.begin() } else { incident.onset.earliest };
        let until = match incident.recovery {
            Some(turn) if !incident.is_unstable_only() => times::stamp(turn.latest),
            _ if incident.ended => times::stamp(case.end(incident)),
            _ => "lasts".to_owned(),
        };
        IncidentRow {
            state: words::state(incident).name(),
            level: words::level(incident),
            name: case.capital_name(&incident.entity),
            since: times::stamp(since),
            until,
            lasted: words::lasted(case, incident),
            falls: incident.falls(),
            networks: networks_lost(incident).join(", "),
            witnesses: format!("{} of {}", incident.witnesses.agreeing, incident.witnesses.asns),
        }
    }
}

/// `4 of 4 IPv4`.
fn networks_lost(incident: &Incident) -> Vec<String> {
    words::families(incident)
        .filter(|(_, loss)| loss.networks.lost > 0)
        .map(|(family, loss)| {
            let split = if loss.split { ", split" } else { "" };
            format!(
                "{} of {} {}{split}",
                grouped(loss.networks.lost),
                grouped(loss.networks.before),
                words::family(family)
            )
        })
        .collect()
}

/// Everything on one incident.
pub(super) struct IncidentView {
    pub(super) id: String,
    pub(super) heading: String,
    pub(super) state: &'static str,
    pub(super) place: Option<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) phases: Vec<PhaseRow>,
    pub(super) step: String,
    pub(super) falls: Vec<FallRow>,
    pub(super) trend: Option<String>,
    pub(super) networks: Vec<NetworkRow>,
    pub(super) networks_more: usize,
    /// `None` where none lies beside it.
    pub(super) attacks: Option<AttacksBeside>,
    pub(super) agreeing: String,
    pub(super) stuck: String,
    pub(super) notes: Vec<String>,
}

/// A name, what is so, and the same in local time or other words beneath.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) below: String,
}

/// A phase.
pub(super) struct PhaseRow {
    pub(super) state: &'static str,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) local: String,
    pub(super) lasted: String,
    pub(super) falls: String,
}

/// A step of the flapping.
pub(super) struct FallRow {
    pub(super) from: String,
    pub(super) falls: u32,
    pub(super) rate: String,
    pub(super) lost: String,
    /// The bar's length in per cent of the longest.
    pub(super) percent: u32,
}

/// A network.
pub(super) struct NetworkRow {
    pub(super) prefix: String,
    pub(super) lost: String,
    pub(super) back: String,
    pub(super) origins: String,
    pub(super) upstreams: String,
    pub(super) foreign: String,
}

impl IncidentView {
    pub(super) fn new(case: &Case<'_>, incident: &Incident, beside: &[Beside<'_>]) -> Self {
        let end = case.report.window.1;
        let buckets = flapping::buckets(incident, end, BARS);
        let flaps = buckets.iter().any(|bucket| bucket.falls > 0);
        let begin = if incident.is_unstable_only() { incident.begin() } else { incident.onset.earliest };
        IncidentView {
            id: incident.id.clone(),
            heading: format!("{}, {}", case.capital_name(&incident.entity), times::day(begin).long()),
            state: words::state(incident).name(),
            place: case.gazetteer.local(&incident.entity, begin).map(|local| local.place),
            facts: facts(case, incident),
            phases: incident.phases.iter().map(|phase| phase_row(case, incident, phase)).collect(),
            step: flapping::step_words(&buckets),
            falls: if flaps { fall_rows(&buckets) } else { Vec::new() },
            trend: flapping::trend(incident, end).map(|trend| words::capital(&trend)),
            networks: incident.networks.iter().take(NETWORKS).map(network_row).collect(),
            networks_more: incident.networks.len().saturating_sub(NETWORKS),
            attacks: AttacksBeside::new(case, incident, beside),
            agreeing: words::asns(&incident.witnesses.agreeing_asns),
            stuck: match &incident.witnesses.stuck[..] {
                [] => String::new(),
                stuck => words::asns(stuck),
            },
            notes: incident.notes.iter().map(words::note).collect(),
        }
    }
}

fn facts(case: &Case<'_>, incident: &Incident) -> Vec<Fact> {
    let mut facts = Vec::new();
    facts.push(Fact {
        name: "Level",
        value: words::level(incident),
        below: if incident.ended { "ended" } else { "ongoing where this report ends" }.to_owned(),
    });
    if incident.is_unstable_only() {
        facts.push(moment(case, incident, "Unstable since", Interval::at(incident.begin())));
    } else {
        facts.push(moment(case, incident, "Lost", interval(incident.onset)));
        match incident.recovery {
            Some(recovery) => facts.push(moment(case, incident, "Back", interval(recovery))),
            None => facts.push(Fact { name: "Back", value: "not yet".to_owned(), below: String::new() }),
        }
    }
    let lasted = match incident.duration_s {
        Some(range) if !incident.is_unstable_only() => times::duration_range(range),
        _ => words::lasted(case, incident),
    };
    facts.push(Fact { name: "Lasted", value: lasted, below: String::new() });
    facts.push(Fact {
        name: "Networks lost",
        value: networks_lost(incident).join(", "),
        below: format!("addresses: {}", addresses_lost(incident).join(", ")),
    });
    facts.push(Fact {
        name: "Witnesses",
        value: format!("{} of {} agree", incident.witnesses.agreeing, incident.witnesses.asns),
        below: "full-feed networks that watch".to_owned(),
    });
    facts
}

fn addresses_lost(incident: &Incident) -> Vec<String> {
    words::families(incident)
        .filter(|(_, loss)| loss.addresses.lost > 0)
        .map(|(family, loss)| {
            let (lost, before) = (grouped(loss.addresses.lost), grouped(loss.addresses.before));
            format!("{lost} of {before} {}", words::address_unit(family))
        })
        .collect()
}

fn interval(turn: Turn) -> Interval {
    Interval { earliest: turn.earliest, latest: turn.latest }
}

/// A moment in UTC, and below it in the capital.
fn moment(case: &Case<'_>, incident: &Incident, name: &'static str, when: Interval) -> Fact {
    let below = case.gazetteer.local(&incident.entity, when.earliest).map(|local| {
        let wall = |time: Time| times::shifted(time, local.offset_s);
        let (first, last) = (wall(when.earliest), wall(when.latest));
        format!("{} in {}", moment_words(first, last), local.place)
    });
    Fact {
        name,
        value: format!("{} UTC", moment_words(when.earliest, when.latest)),
        below: below.unwrap_or_default(),
    }
}

fn moment_words(first: Time, last: Time) -> String {
    if first == last { times::stamp(first) } else { times::span(first, last) }
}

fn phase_row(case: &Case<'_>, incident: &Incident, phase: &Phase) -> PhaseRow {
    let local = case.gazetteer.local(&incident.entity, phase.from);
    let until = phase.until.unwrap_or(case.report.window.1);
    PhaseRow {
        state: phase.state.name(),
        from: times::stamp(phase.from),
        until: phase.until.map_or_else(|| "lasts".to_owned(), times::stamp),
        local: local
            .map(|local| times::stamp(times::shifted(phase.from, local.offset_s)))
            .unwrap_or_default(),
        lasted: times::duration(seconds_between(phase.from, until)),
        falls: if phase.flaps > 0 { phase.flaps.to_string() } else { String::new() },
    }
}

fn fall_rows(buckets: &[flapping::Bucket]) -> Vec<FallRow> {
    let most = buckets.iter().filter_map(flapping::Bucket::rate).fold(0.0, f64::max);
    let row = |bucket: &flapping::Bucket| FallRow {
        from: times::stamp(bucket.from),
        falls: bucket.falls,
        rate: bucket.rate().map_or_else(|| "could not be seen".to_owned(), |rate| format!("{rate:.1}")),
        lost: if bucket.lost_s > 0 { times::duration(bucket.lost_s) } else { String::new() },
        percent: bucket
            .rate()
            .map_or(0, |rate| if most > 0.0 { (rate / most * 100.0).round() as u32 } else { 0 }),
    };
    buckets.iter().map(row).collect()
}

fn network_row(network: &gonedark_infer::report::NetworkLoss) -> NetworkRow {
    let words = |when: Interval| moment_words(when.earliest, when.latest);
    NetworkRow {
        prefix: network.prefix.to_string(),
        lost: words(network.lost),
        back: network.back.map_or_else(|| "still lost".to_owned(), words),
        origins: words::asns(&network.origin_asns),
        upstreams: words::asns(&network.upstreams),
        foreign: match &network.foreign_origins[..] {
            [] => String::new(),
            foreign => format!("announced meanwhile by {}", words::asns(foreign)),
        },
    }
}
