//! The truth of a scenario is what the definitions say, whoever could see it.

mod invented;

use gonedark::scenario::{self, RandomOptions, Scenario, Truth};
use gonedark_infer::report::Level;

/// Four full feeds and one in KP, KP with four networks, EG with one; `events` go in.
fn small(events: &str) -> Scenario {
    let day = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");
    let peers = [
        (11, "198.51.100.11"),
        (12, "198.51.100.12"),
        (12, "198.51.100.13"),
        (14, "198.51.100.14"),
        (15, "198.51.100.15"),
    ];
    let kp = ["20.0.0.0/16", "20.0.1.0/24", "20.1.0.0/16", "20.2.0.0/16"];
    let text = [
        invented::internet("small", 5, day),
        invented::collector(("rrc00", "ris"), ("1h", "8h"), &peers, "")
            .replace("peer = [", "peer = [{ asn = 16, address = \"198.51.100.16\", country = \"KP\" }, "),
        invented::country("KP", &kp, 77, "churn = false"),
        invented::country("EG", &["21.0.0.0/16"], 78, ""),
        events.to_owned(),
    ];
    invented::scenario("small", &text.concat())
}

fn event(at: &str, what: &str) -> String {
    invented::event(&format!("2020-01-01T{at}Z"), what)
}

fn truth(events: &[(&str, &str)]) -> Truth {
    let events: Vec<String> = events.iter().map(|(at, what)| event(at, what)).collect();
    scenario::truth(&small(&events.concat()))
}

const KP: &str = "networks.country = \"KP\"";

#[test]
fn a_loss_has_its_first_and_last_as_as_onset_and_recovery() {
    let withdraw = format!("withdraw = {{ {KP}, spread = \"2m\" }}");
    let announce = format!("announce = {{ {KP}, spread = \"30s\" }}");
    let truth = truth(&[("10:00:00", &withdraw), ("11:00:00", &announce)]);
    let [incident] = &truth.incidents[..] else { panic!("not one incident") };
    let (onset, recovery) = (incident.onset.unwrap(), incident.recovery.unwrap());
    assert_eq!(onset.earliest.to_string(), "2020-01-01T10:00:00Z");
    assert_eq!(onset.latest.to_string(), "2020-01-01T10:02:00Z");
    assert_eq!(recovery.latest.to_string(), "2020-01-01T11:00:30Z");
    assert_eq!((incident.level, incident.networks.len()), (Level::Dark, 4));
}

#[test]
fn a_vantage_inside_the_country_has_no_vote_and_two_sessions_of_an_as_have_one() {
    let truth = truth(&[("10:00:00", &format!("withdraw = {{ {KP} }}"))]);
    let asns: Vec<u32> = truth.incidents[0].asns.iter().map(|asn| asn.0).collect();
    assert_eq!(asns, [11, 12, 14, 15]);
    assert_eq!(truth.incidents[0].agreeing.len(), 4);
    assert!(truth.incidents[0].recovery.is_none());
}

#[test]
fn losses_of_sessions_files_and_collectors_are_no_incident_but_blindness() {
    let truth = truth(&[
        ("03:00:00", "session_loss = { collector = \"rrc00\", peer = 12, lasts = \"5m\" }"),
        ("05:30:00", "collector_gap = { collector = \"rrc00\", lasts = \"10m\" }"),
        ("09:30:00", "collector_outage = { collector = \"rrc00\", lasts = \"3h\" }"),
        ("15:30:00", "silent_restart = { collector = \"rrc00\", lasts = \"3m\" }"),
    ]);
    assert!(truth.incidents.is_empty());
    let files: Vec<String> = truth
        .blind
        .iter()
        .filter(|blind| blind.peer.is_none())
        .map(|blind| format!("{} {}", &blind.from.to_string()[11..16], &blind.until.to_string()[11..16]))
        .collect();
    assert_eq!(files, ["05:00 06:00", "10:00 12:00"]);
    // Two sessions of AS12, then all six twice.
    assert_eq!(truth.blind.iter().filter(|blind| blind.peer.is_some()).count(), 2 + 6 + 6);
}

#[test]
fn a_network_under_a_standing_cover_is_not_lost() {
    let truth = truth(&[("10:00:00", "withdraw = { networks.prefixes = [\"20.0.1.0/24\"] }")]);
    assert!(truth.incidents.is_empty());
}

#[test]
fn a_loss_that_half_of_the_ases_do_not_confirm_is_no_loss_and_a_zombie_is_not_among_the_agreeing() {
    let stuck =
        |peer: u32| format!("stuck = {{ {KP}, collector = \"rrc00\", peer = {peer}, lasts = \"5h\" }}");
    let withdraw = format!("withdraw = {{ {KP} }}");
    let (first, second) = (stuck(11), stuck(14));
    let two = truth(&[("09:00:00", &first), ("09:00:00", &second), ("10:00:00", &withdraw)]);
    assert_eq!(two.incidents[0].from.to_string(), "2020-01-01T14:00:00Z");
    let one = truth(&[("09:00:00", &first), ("10:00:00", &withdraw)]);
    assert_eq!(one.incidents[0].from.to_string(), "2020-01-01T10:00:00Z");
}

#[test]
fn a_foreign_origin_brings_no_network_back() {
    let withdraw = format!("withdraw = {{ {KP} }}");
    let hijack = format!("hijack = {{ {KP}, origin = 666, share = 1.0, lasts = \"30m\" }}");
    let truth = truth(&[("10:00:00", &withdraw), ("11:00:00", &hijack)]);
    assert_eq!(truth.incidents.len(), 1);
    assert!(truth.incidents[0].recovery.is_none());
}

#[test]
fn three_short_losses_are_one_incident_and_two_are_two() {
    let mut events = Vec::new();
    let (withdraw, announce) = (format!("withdraw = {{ {KP} }}"), format!("announce = {{ {KP} }}"));
    for (down, up) in [("10:00:00", "10:05:00"), ("11:00:00", "11:05:00"), ("12:00:00", "12:05:00")] {
        events.extend([(down, withdraw.as_str()), (up, announce.as_str())]);
    }
    assert_eq!(truth(&events[..4]).incidents.len(), 2);
    let three = truth(&events);
    assert_eq!((three.incidents.len(), three.incidents[0].flaps.len()), (1, 3));
    events.truncate(4);
    events.push(("12:00:00", withdraw.as_str()));
    let collapse = truth(&events);
    assert_eq!((collapse.incidents.len(), collapse.incidents[0].flaps.len()), (1, 2));
}

#[test]
fn a_leak_is_no_network_of_anybody() {
    let leak = "leak = { collector = \"rrc00\", peer = 11, prefixes = [\"0.0.0.0/0\", \"21.0.9.0/24\"], origin = 11, lasts = \"1h\" }";
    let scenario = small(&event("02:00:00", leak));
    assert!(scenario::truth(&scenario).incidents.is_empty());
    let leaked = scenario.networks.iter().filter(|network| network.country.is_none()).count();
    assert_eq!(leaked, 2);
}

#[test]
fn random_internets_are_valid_and_survive_being_written_as_text() {
    for seed in 0..150 {
        let scenario = scenario::random(seed, RandomOptions { hours: 16, ..RandomOptions::default() });
        if seed < 10 {
            let again = Scenario::parse(&scenario.to_toml().unwrap(), &scenario.name).unwrap();
            assert!(scenario::events(&scenario).eq(scenario::events(&again)), "seed {seed}");
            assert_eq!(scenario::truth(&scenario), scenario::truth(&again));
        }
    }
}

#[test]
fn the_countries_are_given_as_registry_statistics_with_right_counts() {
    let text = scenario::delegated(&small(""));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "2|ripencc|20000101|6|19830101|20000101|+0000");
    assert!(lines.contains(&"ripencc|*|ipv4|*|4|summary"));
    assert!(lines.contains(&"ripencc|KP|ipv4|20.0.0.0|65536|20000101|allocated"));
    assert!(lines.contains(&"ripencc|EG|asn|78|1|20000101|allocated"));
    assert!(!text.contains("20.0.1.0"));
}
