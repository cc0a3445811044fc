//! Real routers (FRR, BIRD, GoBGP) in the project's own lab, real outages, and two collectors that recorded them
//! (`lab/README.md`): what a replay of `lab/recordings` says is held against what was done, to the microsecond.
//!
//! `lab/judge.py` asks the same of every new pass; this asks it of the ones that are kept, without root and routers.

mod played;
mod retabled;

use jiff::Timestamp;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// What one pass left: its recordings, in `lab/recordings`, the truth, and the report on it.
struct Pass {
    name: String,
    truth: Value,
    report: Value,
    /// The collectors that the report is of.
    sees: &'static [&'static str],
}

/// Replays of MRT, and a live watch over BMP. In the second FRR's routers say End-of-RIB before their tables, which a first
/// version of gonedark believed.
static PASSES: LazyLock<[Pass; 4]> = LazyLock::new(|| {
    [replay("first/mrt"), replay("early-end-of-rib/mrt"), replay("gobgp/mrt"), live("gobgp/bmp")]
});

fn replay(name: &'static str) -> Pass {
    let truth = truth(name);
    let report = replayed(&recordings(name), &truth);
    Pass { name: name.to_owned(), truth, report, sees: &["frr", "bird"] }
}

fn live(name: &'static str) -> Pass {
    let report = played::report(&recordings(name), delegated());
    Pass { name: name.to_owned(), truth: truth(name), report, sees: &["gobgp"] }
}

fn truth(name: &str) -> Value {
    let text = std::fs::read_to_string(recordings(name).with_file_name("truth.json")).expect("the truth");
    serde_json::from_str(&text).expect("JSON")
}

fn delegated() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/delegated.txt")
}

fn recordings(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lab/recordings").join(name)
}

fn replayed(path: &Path, truth: &Value) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["replay", "--format", "json", "--min-duration", "0s", "--delegated"])
        .arg(delegated())
        .args(["--from", text(&truth["from"]), "--until", text(&truth["until"])])
        .arg(path)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("{value} is no list"))
}

/// Microseconds of a time, from and to: a time without a fraction names a whole second.
fn moment(value: &Value) -> (i64, i64) {
    let first = text(value).parse::<Timestamp>().expect("a time").as_microsecond();
    (first, if text(value).contains('.') { first } else { first + 1_000_000 })
}

/// Whether a reported time lies in one of the truth's windows.
fn within(told: &Value, window: &Value) -> bool {
    moment(told).1 >= moment(&window[0]).0 && moment(told).0 <= moment(&window[1]).1
}

impl Pass {
    fn outage(&self, name: &str) -> &Value {
        let outages = list(&self.truth["outages"]);
        outages.iter().find(|outage| outage["name"] == name).unwrap_or_else(|| panic!("no outage {name:?}"))
    }

    /// The one incident of a country during an outage, with the level, networks and flaps that it has to have.
    fn incident_of(&self, outage: &Value, country: &str) -> &Value {
        let mut of_country = during(&self.report, outage);
        of_country.retain(|incident| incident["entity"]["code"] == country);
        assert_eq!(of_country.len(), 1, "{}: {country} during {}", self.name, outage["name"]);
        let incident = of_country[0];
        let expected = list(&outage["countries"]).iter().find(|it| it["country"] == country);
        let expected = expected.expect("expected");
        let networks = &incident["families"]["ipv4"]["networks"];
        let flaps: u64 = list(&incident["phases"]).iter().filter_map(|phase| phase["flaps"].as_u64()).sum();
        assert_eq!(
            (&incident["level"], &networks["lost"], &networks["before"], &Value::from(flaps)),
            (&expected["level"], &expected["lost"], &expected["before"], &expected["flaps"]),
            "{}: {country}",
            self.name
        );
        incident
    }
}

/// The incidents of a report that share a moment with an outage, from their first phase on: where nobody could see, an
/// onset may reach back into the quiet of the one before. The last second of that is nobody's: a stamp in whole seconds
/// may be of the next one.
fn during<'a>(report: &'a Value, outage: &Value) -> Vec<&'a Value> {
    let (begin, end) = (moment(&outage["begin"]).0, moment(&outage["end"]).1 - 1_000_000);
    let shares = |incident: &&Value| {
        let from = moment(&incident["phases"][0]["from"]).0;
        let recovery = &incident["recovery"];
        from <= end && (recovery.is_null() || moment(&recovery["latest"]).1 >= begin)
    };
    list(&report["incidents"]).iter().filter(shares).collect()
}

/// All of an onset or a recovery lies where the commands allow it.
fn turns_within(turn: &Value, window: &Value, name: &str) {
    for key in ["earliest", "vote", "latest"] {
        assert!(within(&turn[key], window), "{name}: {key} {} is not within {window}", turn[key]);
    }
}

/// Every country that the outage hit is reported with its times; those of the longest fall, where there are several.
fn is_reported(pass: &Pass, name: &str, countries: &[&str]) {
    let outage = pass.outage(name);
    let length = |fall: &&Value| moment(&fall["back"][0]).0 - moment(&fall["lost"][0]).0;
    let fall = list(&outage["falls"]).iter().max_by_key(length).expect("a fall");
    for country in countries {
        let incident = pass.incident_of(outage, country);
        turns_within(&incident["onset"], &fall["lost"], &pass.name);
        turns_within(&incident["recovery"], &fall["back"], &pass.name);
    }
    let reported = during(&pass.report, outage).len();
    assert_eq!(reported, countries.len(), "{}: nobody else is reported", pass.name);
}

fn is_reported_as_nothing(pass: &Pass, name: &str) {
    let reported = during(&pass.report, pass.outage(name));
    let ids: Vec<&Value> = reported.into_iter().map(|incident| &incident["id"]).collect();
    assert_eq!(ids, Vec::<&Value>::new(), "{}", pass.name);
}

/// What has to hold of every pass.
const CHECKS: [fn(&Pass); 11] = [
    withdrawal,
    one_of_four,
    session_reset,
    one_of_two_links,
    only_link,
    flapping,
    router_restart,
    collector_cut,
    upstream_failure,
    begins_unseen,
    nothing_else,
];

fn withdrawal(pass: &Pass) {
    is_reported(pass, "withdrawal of all networks", &["KP"]);
}

fn one_of_four(pass: &Pass) {
    is_reported(pass, "one network of four withdrawn", &["XA"]);
}

fn session_reset(pass: &Pass) {
    is_reported(pass, "session reset by the upstream", &["XB"]);
}

fn one_of_two_links(pass: &Pass) {
    is_reported_as_nothing(pass, "one of two links cut");
}

fn only_link(pass: &Pass) {
    is_reported(pass, "the only link cut", &["XB"]);
}

fn flapping(pass: &Pass) {
    let name = "flapping, then a collapse";
    is_reported(pass, name, &["XC"]);
    let outage = pass.outage(name);
    let phase = &pass.incident_of(outage, "XC")["phases"][0];
    assert_eq!(phase["state"], "unstable", "{}", pass.name);
    assert!(within(&phase["from"], &outage["falls"][0]["lost"]), "{}: {phase}", pass.name);
}

fn router_restart(pass: &Pass) {
    is_reported(pass, "router restart", &["XD"]);
}

fn upstream_failure(pass: &Pass) {
    is_reported(pass, "upstream failure", &["KP", "XA"]);
}

fn collector_cut(pass: &Pass) {
    let name = "the collector's own sessions cut";
    is_reported_as_nothing(pass, name);
    let mut cuts = list(&pass.outage(name)["blind"]).iter();
    let cut = cuts.find(|cut| pass.sees.contains(&text(&cut["collector"]))).expect("a cut");
    let blind = list(&pass.report["coverage"]["blind"]).iter();
    let of_cut = blind.filter(|it| it["collector"] == cut["collector"] && within(&it["from"], &cut["lost"]));
    let mut peers: Vec<u64> = of_cut
        .inspect(|it| assert!(moment(&it["until"]).1 >= moment(&cut["back"][0]).0, "{}: {it}", pass.name))
        .filter_map(|it| it["peer_asn"].as_u64())
        .collect();
    peers.sort_unstable();
    assert_eq!(peers, [174, 1299, 2497, 3356, 4837, 6939, 9304], "{}", pass.name);
}

fn begins_unseen(pass: &Pass) {
    let outage = pass.outage("an outage that begins where nobody can see");
    let (fall, incident) = (&outage["falls"][0], pass.incident_of(outage, "XE"));
    let onset = &incident["onset"];
    assert!(moment(&onset["earliest"]).0 <= moment(&fall["lost"][0]).0, "{}: {onset}", pass.name);
    assert!(moment(&onset["latest"]).1 >= moment(&fall["lost"][0]).0, "{}: {onset}", pass.name);
    turns_within(&incident["recovery"], &fall["back"], &pass.name);
}

fn nothing_else(pass: &Pass) {
    let expected: usize =
        list(&pass.truth["outages"]).iter().map(|outage| list(&outage["countries"]).len()).sum();
    assert_eq!(list(&pass.report["incidents"]).len(), expected, "{}", pass.name);
}

#[test]
fn a_withdrawal_of_all_networks_is_dark_within_its_window() {
    PASSES.iter().for_each(withdrawal);
}

#[test]
fn one_network_of_four_is_a_partial_loss() {
    PASSES.iter().for_each(one_of_four);
}

#[test]
fn a_session_reset_of_seconds_is_seen() {
    PASSES.iter().for_each(session_reset);
}

#[test]
fn one_of_two_links_cut_is_no_outage() {
    PASSES.iter().for_each(one_of_two_links);
}

#[test]
fn a_cut_of_the_only_link_is_seen_when_the_hold_time_is_over() {
    PASSES.iter().for_each(only_link);
}

#[test]
fn flapping_and_the_collapse_after_it_are_one_incident() {
    PASSES.iter().for_each(flapping);
}

#[test]
fn a_router_restart_is_dark_until_its_sessions_are_back() {
    PASSES.iter().for_each(router_restart);
}

#[test]
fn an_upstream_that_fails_takes_all_its_customers_along() {
    PASSES.iter().for_each(upstream_failure);
}

#[test]
fn a_collector_whose_sessions_are_cut_is_blind_and_no_outage() {
    PASSES.iter().for_each(collector_cut);
}

#[test]
fn an_outage_that_nobody_could_see_begin_has_room_for_the_truth() {
    PASSES.iter().for_each(begins_unseen);
}

/// FRR's collector was cut, too, and knew of it only when its hold timers had run out, six seconds later. Between the two
/// the country went. BIRD noticed its cut at once, which is why the test above needs no hold time.
#[test]
fn an_outage_before_the_hold_time_is_over_has_room_for_the_truth() {
    for pass in PASSES.iter().filter(|pass| pass.sees.contains(&"bird")) {
        let report = replayed(&recordings(&pass.name).join("frr"), &pass.truth);
        let outage = pass.outage("an outage that begins where nobody can see");
        let incidents = during(&report, outage);
        let incident = incidents.iter().find(|incident| incident["entity"]["code"] == "XE");
        let earliest = &incident.expect("reported")["onset"]["earliest"];
        let truth = &outage["falls"][0]["lost"][0];
        assert!(moment(earliest).0 <= moment(truth).0, "{}: {earliest} is after {truth}", pass.name);
    }
}

#[test]
fn nothing_is_reported_that_was_not_done() {
    PASSES.iter().for_each(nothing_else);
}

#[test]
fn real_routers_write_nothing_that_is_damaged_or_passed_over() {
    for pass in &*PASSES {
        for input in list(&pass.report["inputs"]) {
            let found = (&input["skipped"], &input["damage"]);
            assert_eq!(found, (&0.into(), &Value::Array(Vec::new())), "{}: {}", pass.name, input["path"]);
        }
    }
}

/// FRR 8.4 holds withdrawals back while a session of its own is down, and gives those of a lost session with the next one:
/// what it says late is told late, what it does not say is not told.
#[test]
fn what_frr_says_late_over_bmp_makes_nobody_dark_who_was_not_and_leaves_nobody_blind() {
    let pass = live("frr-bmp/bmp");
    let mut reported = Vec::new();
    for outage in list(&pass.truth["outages"]) {
        for incident in during(&pass.report, outage) {
            let country = &incident["entity"]["code"];
            let is_expected = list(&outage["countries"]).iter().any(|it| it["country"] == *country);
            assert!(is_expected, "{country} during {}", outage["name"]);
            reported.push(text(country));
        }
    }
    assert_eq!(reported, ["KP", "XA", "XB", "XB", "XC", "XD", "KP", "XA"]);
    let blind = list(&pass.report["coverage"]["blind"]);
    let (ongoing, over): (Vec<&Value>, Vec<&Value>) =
        blind.iter().partition(|blind| blind["until"].is_null());
    // With the end of the recording the router is gone, and nobody sees through it any more.
    let end = ongoing.iter().find(|blind| blind["peer_asn"].is_null()).map(|blind| &blind["from"]);
    let held_back: Vec<&&Value> = ongoing.iter().filter(|blind| Some(&blind["from"]) != end).collect();
    assert_eq!((over.len(), end.is_some(), held_back), (15, true, Vec::new()));
}

/// Its neighbours are not `soft-reconfiguration inbound`, so that FRR keeps no routes before policy.
#[test]
fn a_router_that_tells_of_withdrawals_alone_shows_nothing() {
    assert_eq!(list(&live("first/bmp").report["incidents"]), &[] as &[Value]);
}
