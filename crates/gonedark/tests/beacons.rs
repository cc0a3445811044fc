//! RIS beacons (AS12654) are announced and withdrawn by a timetable. Around each scheduled change for which files exist,
//! their losses and returns equal, to the second, what a plain script computes from bgpdump's output by the same voting
//! rule.

use gonedark::pipeline::{Request, replay};
use gonedark::source::archive;
use gonedark_infer::Watch;
use gonedark_infer::entity::{CountryCode, Entity};
use gonedark_infer::observation::Delegations;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{Report, Sample, Signal};
use gonedark_route::{Asn, Prefix, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A change of a beacon: which, when in seconds, and whether it was lost or came back.
type Change = (i64, Prefix, &'static str);

/// Nobody's: where countries are known, those who stand in them have no vote on their networks.
struct Nobody;

impl Delegations for Nobody {
    fn split(&self, _: Prefix, _: &mut Vec<(CountryCode, u64)>) {}

    fn country_of_asn(&self, _: Asn) -> Option<CountryCode> {
        None
    }
}

/// The folder of recordings; `None`, with a word, where it or a program is missing.
fn recordings(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder =
        std::env::var_os("GONEDARK_SHARED").map_or_else(beside, PathBuf::from).join("data/bgp").join(name);
    let runs = |program: &str, argument: &str| {
        let told = Command::new(program).arg(argument).stdout(Stdio::null()).stderr(Stdio::null()).status();
        told.is_ok()
    };
    let missing = [
        (!folder.is_dir()).then(|| folder.display().to_string()),
        (!runs("bgpdump", "-T")).then(|| "bgpdump".to_owned()),
        (!runs("python3", "--version")).then(|| "python3".to_owned()),
    ];
    let missing: Vec<String> = missing.into_iter().flatten().collect();
    if missing.is_empty() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "missing: {}", missing.join(", "));
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    // In one piece, so that nothing stands between.
    let said = format!("test passed over: {test}: no {}\n", missing.join(", "));
    let _ = std::io::stderr().write_all(said.as_bytes());
    None
}

/// The networks that RIS announces and withdraws, and the anchors beside them that it does not.
fn beacons() -> BTreeSet<Prefix> {
    let v4 = (64..96).map(|third| format!("84.205.{third}.0/24"));
    let v6 =
        (0..0x20).flat_map(|site| ["fd", "fe", "ff"].map(|kind| format!("2001:7fb:{kind}{site:02x}::/48")));
    v4.chain(v6).map(|text| text.parse().unwrap()).collect()
}

fn by_gonedark(folder: &Path) -> BTreeSet<Change> {
    let listing = archive::list(&[folder.to_owned()]);
    let request = Request {
        listing: &listing,
        from: None,
        until: None,
        watch: Watch { prefixes: beacons(), ..Watch::default() },
        parameters: Parameters { min_duration: 0, ..Parameters::default() },
        shards: 1,
        missing: Vec::new(),
        origins: false,
    };
    let report = replay(request, Box::new(Nobody), &mut |_| {}).report;
    agree_with_incidents(&report);
    changes(&report)
}

/// Every loss and return, from the series of networks lost.
fn changes(report: &Report) -> BTreeSet<Change> {
    let mut changes = BTreeSet::new();
    for series in report.series.iter().filter(|series| series.signal == Signal::NetworksLost) {
        let Entity::Prefix(prefix) = series.entity else { continue };
        for (at, value) in &series.points[1..] {
            let what = if *value == Sample::Value(0) { "back" } else { "lost" };
            changes.insert((at.seconds(), prefix, what));
        }
    }
    changes
}

/// The incidents begin and end with the losses and returns of the series.
fn agree_with_incidents(report: &Report) {
    let changes = changes(report);
    for incident in &report.incidents {
        let Entity::Prefix(prefix) = incident.entity else { continue };
        let is = |at: Time, what| changes.contains(&(at.seconds(), prefix, what));
        // The onset is that of the worst: a network is lost before hardly any vote is left on it.
        assert!(incident.phases.first().is_some_and(|phase| is(phase.from, "lost")), "{}", incident.id);
        assert!(incident.recovery.is_none_or(|recovery| is(recovery.vote, "back")), "{}", incident.id);
        assert!(
            incident.flaps.iter().all(|flap| is(flap.from, "lost") && is(flap.until, "back")),
            "{}",
            incident.id
        );
    }
}

fn by_script(folder: &Path) -> BTreeSet<Change> {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plain_vote.py");
    let mut vote = Command::new("python3")
        .arg(script)
        .args(beacons().iter().map(ToString::to_string))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut into = vote.stdin.take().unwrap();
    let feeder = std::thread::spawn(move || {
        for file in files {
            let text = Command::new("bgpdump").arg("-m").arg(&file).stderr(Stdio::null()).output().unwrap();
            assert!(text.status.success(), "bgpdump cannot read {}", file.display());
            into.write_all(&text.stdout).unwrap();
        }
    });
    let output = vote.wait_with_output().unwrap();
    feeder.join().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(change).collect()
}

fn change(line: &str) -> Change {
    let [prefix, what, at] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    (at.parse().unwrap(), prefix.parse().unwrap(), if what == "lost" { "lost" } else { "back" })
}

/// Two of them changed every 20 minutes besides in 2022: they are compared, but not counted here.
const RESTLESS: [&str; 2] = ["84.205.66.0/24", "2001:7fb:ff02::/48"];

/// Losses and returns within half an hour of a full hour at which the timetable has one: announced at 0, 4, 8, ...,
/// withdrawn at 2, 6, 10, ... UTC (RIPE NCC, "Current RIS routing beacons").
fn scheduled(changes: &BTreeSet<Change>) -> BTreeMap<(String, &'static str), usize> {
    let mut counted = BTreeMap::new();
    for (at, _, what) in changes.iter().filter(|change| !RESTLESS.contains(&&*change.1.to_string())) {
        let hour = (at + 300).div_euclid(7_200) * 7_200;
        let due = if hour % 14_400 == 0 { "back" } else { "lost" };
        if at - hour < 1_800 && *what == due {
            *counted.entry((Time::from_seconds(hour).to_string(), *what)).or_default() += 1;
        }
    }
    counted
}

fn compare(name: &str, expected: &[(&str, &str, usize)]) {
    let Some(folder) = recordings(name) else { return };
    let (ours, plain) = (by_gonedark(&folder), by_script(&folder));
    let lines = |changes: &BTreeSet<Change>, others: &BTreeSet<Change>| -> Vec<String> {
        let only = changes.difference(others);
        only.map(|(at, prefix, what)| format!("{} {prefix} {what}", Time::from_seconds(*at))).collect()
    };
    let (only_ours, only_plain) = (lines(&ours, &plain), lines(&plain, &ours));
    assert!(
        only_ours.is_empty() && only_plain.is_empty(),
        "gonedark alone: {only_ours:#?}\nthe script alone: {only_plain:#?}"
    );
    let counted = scheduled(&ours);
    let counted: Vec<(&str, &str, usize)> =
        counted.iter().map(|((hour, what), count)| (hour.as_str(), *what, *count)).collect();
    assert_eq!(counted, expected, "of {} changes in all", ours.len());
}

#[test]
fn beacon_losses_and_returns_are_those_of_a_plain_script_at_rrc04_in_2022() {
    compare("bgpguard-rrc04", &[("2022-02-06T10:00:00Z", "lost", 33), ("2022-02-07T00:00:00Z", "back", 31)]);
}

#[test]
fn beacon_losses_are_those_of_a_plain_script_at_rrc00_in_2015() {
    compare("bgp_downloader_fast-rrc00", &[("2015-04-01T14:00:00Z", "lost", 9)]);
}
