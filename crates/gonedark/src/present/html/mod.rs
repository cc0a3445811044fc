//! One self-contained page: no script, no request to another host, light and dark, on paper and on a phone.
//!
//! The sentences come first; then the picture; then what they rest on, down to the sum of every file read.

mod incident;
mod sources;
mod traffic;

use super::Case;
use super::blindness;
use super::evidence::{self, Beside};
use super::graph::{self, Picture};
use super::sentence::headlines;
use super::times;
use super::words;
use askama::Template;
use gonedark_infer::report::{EntityStatus, Incident};
use gonedark_route::{Family, Time};
use incident::{IncidentRow, IncidentView};
use sources::Sources;
use std::collections::BTreeSet;
use std::io::{self, Write};
use traffic::TrafficView;

/// Sentences at the top; further incidents are in the table.
const SENTENCES: usize = 6;
/// Incidents that are told in full; a page of hundreds would be read by nobody.
const DETAILED: usize = 12;
/// Rows of any table on the page: what is over is counted and is in the JSON.
const ROWS: usize = 1_000;
/// The widths of the picture on the page and on a phone, in pixels.
const WIDE: f64 = 900.0;
const NARROW: f64 = 380.0;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    window: String,
    tool: String,
    reconstruction: Option<String>,
    lead: String,
    others: Vec<String>,
    figures: Vec<Figure>,
    incidents: Vec<IncidentView>,
    ranked: Vec<IncidentRow>,
    ranked_more: usize,
    entities: Vec<EntityRow>,
    end: String,
    watched: String,
    blindness: Vec<BlindRow>,
    blind_all: Vec<[String; 5]>,
    blind_more: usize,
    /// `None` where nobody told of traffic.
    traffic: Option<TrafficView>,
    notes: Vec<String>,
    no_cause: &'static str,
    sources: Sources,
}

struct Figure {
    wide: String,
    narrow: String,
    caption: String,
}

struct EntityRow {
    name: String,
    state: &'static str,
    ipv4: String,
    ipv6: String,
    origins: String,
    upstreams: String,
    flaps: u32,
}

struct BlindRow {
    collector: String,
    who: String,
    reason: &'static str,
    times: usize,
    total: String,
    longest: String,
}

/// Writes the page.
pub fn write(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    page(case).write_into(out)
}

fn page(case: &Case<'_>) -> Page {
    let ranked = case.ranked();
    let beside = &evidence::of(case);
    let mut lines = headlines(case, SENTENCES).into_iter().map(|line| format!("{line}."));
    let lead = lines.next().unwrap_or_default();
    let blind = &blindness::within(&case.report.coverage.blind, case.report.window);
    let (from, until) = case.report.window;
    Page {
        title: title(case, &ranked),
        window: format!("{} to {} UTC", times::long_stamp(from), times::long_stamp(until)),
        tool: format!("{} {}", case.run.tool.name, case.run.tool.version),
        reconstruction: case.run.reconstruction.clone(),
        lead,
        others: lines.collect(),
        figures: figures(case, &ranked, beside),
        incidents: incident_views(case, &ranked, beside),
        ranked: ranked.iter().take(ROWS).map(|incident| IncidentRow::new(case, incident)).collect(),
        ranked_more: ranked.len().saturating_sub(ROWS),
        entities: case.report.entities.iter().take(ROWS).map(|status| EntityRow::new(case, status)).collect(),
        end: format!("{} UTC", times::long_stamp(until)),
        watched: watched(case),
        blindness: blindness::summary(blind).iter().map(BlindRow::new).collect(),
        blind_all: blind.iter().take(ROWS).map(blind_cells).collect(),
        blind_more: blind.len().saturating_sub(ROWS),
        traffic: case.traffic.as_ref().map(|traffic| TrafficView::new(traffic, beside)),
        notes: case.report.notes.iter().map(words::note).chain(case.old_tables()).collect(),
        no_cause: words::NO_CAUSE,
        sources: Sources::new(case),
    }
}

fn title(case: &Case<'_>, ranked: &[&Incident]) -> String {
    let asked = case.report.entities.iter().map(|status| status.entity);
    let mut told = BTreeSet::new();
    let names: Vec<String> = ranked
        .iter()
        .map(|incident| incident.entity)
        .chain(asked)
        .filter(|entity| told.insert(*entity))
        .map(|entity| case.name(&entity))
        .collect();
    match &names[..] {
        [] => "Outages of countries".to_owned(),
        names if names.len() <= 3 => format!("Outages: {}", words::listed(names)),
        names => format!("Outages: {} and {} others", names[..2].join(", "), names.len() - 2),
    }
}

fn watched(case: &Case<'_>) -> String {
    let coverage = &case.report.coverage;
    let [ipv4, ipv6] = coverage.full_feed_asns;
    format!(
        "{} gave records. At the end of the window {} watched for IPv4 and {} for IPv6.",
        words::counted(coverage.collectors.len() as u64, "collector", "collectors"),
        words::counted(u64::from(ipv4), "full-feed network", "full-feed networks"),
        words::counted(u64::from(ipv6), "full-feed network", "full-feed networks"),
    )
}

fn incident_views(case: &Case<'_>, ranked: &[&Incident], beside: &[Beside<'_>]) -> Vec<IncidentView> {
    ranked.iter().take(DETAILED).map(|incident| IncidentView::new(case, incident, beside)).collect()
}

/// The window as a whole, with the attacks before it, then the hours around the worst onset where the whole shows too
/// little of them.
fn figures(case: &Case<'_>, ranked: &[&Incident], beside: &[Beside<'_>]) -> Vec<Figure> {
    let entities = case.picture_entities(graph::MOST_ENTITIES);
    let Some(first) = entities.first().copied() else { return Vec::new() };
    let (from, until) = graph::reach(case, &entities);
    let mut caption = format!(
        "How many networks were announced to the world, {} UTC. The band above names the phases; the hatched parts \
         could not be seen and say nothing about the networks.",
        times::span(case.report.window.0, until)
    );
    if !beside.is_empty() {
        caption.push_str(&format!(" Below are the attacks beside the outages. {}", evidence::COINCIDENCE));
    }
    let mut figures = vec![figure(case, &entities, (from, until), 1, caption)];
    let worst = ranked.iter().find(|incident| incident.entity == first);
    if let Some(close) = worst.and_then(|incident| around_onset(case, incident)) {
        let caption = format!(
            "The loss from near, {} UTC. It lies within the shaded strip; the broken line is the moment of the vote.",
            times::span(close.0, close.1)
        );
        figures.push(figure(case, &[first], close, 2, caption));
    }
    figures
}

fn figure(
    case: &Case<'_>,
    entities: &[gonedark_infer::entity::Entity],
    (from, until): (Time, Time),
    number: usize,
    caption: String,
) -> Figure {
    let draw = |width: f64, name: &str| {
        let prefix = format!("p{number}{name}-");
        let entities = entities.to_vec();
        graph::draw(case, &Picture { entities, from, until, width, alone: false, prefix })
    };
    Figure { wide: draw(WIDE, "w"), narrow: draw(NARROW, "n"), caption }
}

/// Three times the onset's own width on either side, an hour at least; `None` where the window is hardly longer.
fn around_onset(case: &Case<'_>, incident: &Incident) -> Option<(Time, Time)> {
    let (earliest, latest) = (incident.onset.earliest, incident.onset.latest);
    let margin = (times::seconds_between(earliest, latest) * 3).max(times::HOUR) * 1_000_000;
    let (from, until) = case.report.window;
    // Whole minutes, so that the caption is short.
    let whole = |time: Time| Time::from_seconds(time.seconds().div_euclid(60) * 60);
    let close = (whole(earliest + -margin).max(from), whole(latest + margin).min(until));
    (times::seconds_between(close.0, close.1) * 4 < times::seconds_between(from, until)).then_some(close)
}

fn blind_cells(blind: &gonedark_infer::report::Blind) -> [String; 5] {
    [
        blind.collector.clone(),
        blind.peer_asn.map_or_else(|| "whole collector".to_owned(), |asn| asn.to_string()),
        blind.from.to_string(),
        blind.until.to_string(),
        words::reason(blind.reason).to_owned(),
    ]
}

impl EntityRow {
    fn new(case: &Case<'_>, status: &EntityStatus) -> Self {
        EntityRow {
            name: case.capital_name(&status.entity),
            state: words::entity_state(status.state),
            ipv4: words::up(status, Family::V4),
            ipv6: words::up(status, Family::V6),
            origins: words::few_asns(&status.origin_asns, 8),
            upstreams: words::few_asns(&status.upstreams, 8),
            flaps: status.flaps,
        }
    }
}

impl BlindRow {
    fn new(blindness: &blindness::Blindness) -> Self {
        let (from, until) = blindness.longest;
        BlindRow {
            collector: blindness.collector.clone(),
            who: match blindness.peers.len() {
                0 => "whole collector".to_owned(),
                _ => words::few_asns(&blindness.peers, 4),
            },
            reason: words::reason(blindness.reason),
            times: blindness.intervals,
            total: times::duration(blindness.total_s),
            longest: times::span(from, until),
        }
    }
}
