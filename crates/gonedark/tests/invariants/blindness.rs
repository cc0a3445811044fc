//! Invariants 1 and 2: who cannot see takes nothing away, and what nobody saw has wide edges.

use crate::feed::{Feeding, report};
use crate::kept;
use crate::recipe::{Recipe, overlap, span, with_events};
use gonedark::scenario::{self, RandomOptions, Scenario};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{BlindReason, Report};
use gonedark_route::Time;

fn all() -> Feeding {
    Feeding { parameters: Parameters { min_duration: 0, ..Parameters::default() }, ..Feeding::default() }
}

/// Trouble of those who watch, drawn from the seed: up to four kinds for each collector.
fn trouble(scenario: &Scenario, seed: u64) -> Vec<(i64, String)> {
    let recipe = Recipe::new(seed);
    let mut events = Vec::new();
    for (index, collector) in scenario.collectors.iter().enumerate() {
        let peers: Vec<u32> = scenario.peers[collector.peers.clone()].iter().map(|peer| peer.asn.0).collect();
        for round in 0..3 {
            let place = index as u64 * 20 + round * 5;
            let at = 3_700 + recipe.draw(place, 90_000) as i64;
            let lasts = 60 + recipe.draw(place + 1, 7_000);
            let peer = peers[recipe.draw(place + 2, peers.len() as u64) as usize];
            let name = &collector.name;
            events.push((
                at,
                match recipe.draw(place + 3, 3) {
                    0 => format!(
                        "session_loss = {{ collector = \"{name}\", peer = {peer}, lasts = \"{lasts}s\" }}"
                    ),
                    1 => format!("collector_gap = {{ collector = \"{name}\", lasts = \"{lasts}s\" }}"),
                    _ => format!("collector_outage = {{ collector = \"{name}\", lasts = \"{lasts}s\" }}"),
                },
            ));
        }
    }
    events
}

/// Incidents of `troubled` that overlap none of the same entity in `clear`.
fn opened(troubled: &Report, clear: &Report) -> Vec<String> {
    let known = |id: &gonedark_infer::report::Incident| {
        let mut others = clear.incidents.iter().filter(|other| other.entity == id.entity);
        others.any(|other| overlap(span(id, troubled), span(other, clear)))
    };
    troubled
        .incidents
        .iter()
        .filter(|incident| !known(incident))
        .map(|incident| incident.id.clone())
        .collect()
}

fn never_opens(options: RandomOptions, seeds: std::ops::Range<u64>) {
    let mut wrong = Vec::new();
    for seed in seeds {
        let clear = scenario::random(seed, RandomOptions { resets: false, gaps: false, ..options });
        let troubled = with_events(&clear, &trouble(&clear, seed));
        let (before, after) = (report(&clear, &all()), report(&troubled, &all()));
        let opened = opened(&after, &before);
        if !opened.is_empty() {
            wrong.push(format!("seed {seed} {}: {}", kept(&troubled), opened.join(", ")));
        }
        if after.coverage.blind.is_empty() {
            wrong.push(format!("seed {seed} {}: no blindness is told", kept(&troubled)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn trouble_of_those_who_watch_opens_no_incident_in_a_quiet_world() {
    never_opens(RandomOptions { losses: 0, ..RandomOptions::default() }, 0..80);
}

#[test]
fn trouble_of_those_who_watch_opens_no_incident_beside_those_there_are() {
    never_opens(RandomOptions::default(), 0..80);
}

#[test]
fn trouble_of_those_who_watch_without_a_table_opens_no_incident() {
    never_opens(RandomOptions { tables: false, ..RandomOptions::default() }, 0..60);
}

#[test]
fn missing_files_and_lost_sessions_are_told_as_blindness_with_their_times() {
    for seed in 0..30 {
        let recipe = Recipe::new(seed);
        let (gap, loss) = (recipe.time(0), recipe.time(1));
        let scenario = recipe
            .event(gap, "collector_gap = { collector = \"route-views2\", lasts = \"20m\" }")
            .event(loss, "session_loss = { collector = \"rrc00\", peer = 103, lasts = \"5m\" }")
            .scenario();
        let report = report(&scenario, &all());
        assert!(report.incidents.is_empty(), "{}", kept(&scenario));
        let missing = scenario.collectors[1].missing[0];
        let told = |reason: BlindReason| {
            let found = report.coverage.blind.iter().find(|blind| blind.reason == reason);
            found.unwrap_or_else(|| panic!("{} {:?}", kept(&scenario), report.coverage.blind))
        };
        let files = told(BlindReason::MissingFile);
        assert_eq!((files.from, files.until), missing, "{}", kept(&scenario));
        let session = told(BlindReason::SessionDown);
        let down = Time::from_seconds(scenario.from.seconds() + loss as i64);
        // The table comes within 20 s of the session.
        assert_eq!(session.from, down, "{}", kept(&scenario));
        assert!(
            session.until > down + 300_000_000 && session.until <= down + 320_000_000,
            "{}",
            kept(&scenario)
        );
    }
}

#[test]
fn a_loss_or_return_while_everybody_is_blind_has_edges_as_wide_as_the_blindness() {
    for seed in 0..40 {
        let recipe = Recipe::new(seed);
        let gap = recipe.time(0);
        let (hidden, later) = (gap + 900 + recipe.draw(1, 900), gap + 4 * 3_600);
        let kind = ["collector_gap", "collector_outage"][recipe.draw(2, 2) as usize];
        let blind = |recipe: Recipe| {
            let both = ["rrc00", "route-views2"]
                .map(|name| format!("{kind} = {{ collector = \"{name}\", lasts = \"1h\" }}"));
            recipe.event(gap, &both[0]).event(gap, &both[1])
        };
        let withdraw = "withdraw = { networks.country = \"KP\", spread = \"30s\" }";
        let announce = "announce = { networks.country = \"KP\", spread = \"30s\" }";
        let at = |seconds: u64| Time::from_seconds(1_583_020_800 + seconds as i64);

        let scenario = blind(recipe.event(hidden, withdraw).event(later, announce)).scenario();
        let told = report(&scenario, &all());
        let [incident] = &told.incidents[..] else {
            panic!("{} {} {kind}", told.incidents.len(), kept(&scenario))
        };
        let (from, until) = scenario.collectors[0].missing[0];
        assert!(
            incident.onset.earliest <= from.max(at(gap)),
            "{} {kind} {:?}",
            kept(&scenario),
            incident.onset
        );
        assert!(
            incident.onset.latest >= until.min(at(gap + 3_600)),
            "{} {kind} {:?}",
            kept(&scenario),
            incident.onset
        );

        let early = gap - 6_000;
        let scenario = blind(recipe.event(early, withdraw).event(hidden, announce)).scenario();
        let told = report(&scenario, &all());
        let [incident] = &told.incidents[..] else {
            panic!("{} {} {kind}", told.incidents.len(), kept(&scenario))
        };
        let recovery = incident.recovery.unwrap_or_else(|| panic!("{} {kind} lasts", kept(&scenario)));
        assert!(recovery.earliest <= from.max(at(gap)), "{} {kind} {recovery:?}", kept(&scenario));
        assert!(recovery.latest >= until.min(at(gap + 3_600)), "{} {kind} {recovery:?}", kept(&scenario));
    }
}
