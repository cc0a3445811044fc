//! Route by route against `bgpdump -m`: its own golden files, and the installed program where there is one.

mod support;

use gonedark_decode::mrt::{Decoder, PeerAddress, records};
use gonedark_route::{Asn, Nlri, Time};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use support::{Element, Kind, captures, take_apart, unpack};

/// All that a file says, in a fixed order: routes, and state changes.
#[derive(Default, PartialEq, Debug)]
struct Said {
    elements: Vec<Element>,
    states: Vec<(Time, PeerAddress, u16, u16)>,
}

fn said_by_us(bytes: &[u8]) -> Said {
    let mut decoder = Decoder::new();
    let mut said = Said::default();
    for raw in records(bytes).flatten() {
        let taken = take_apart(&mut decoder, raw);
        said.states.extend(taken.states.iter().map(|(peer, old, new)| (raw.at, *peer, *old, *new)));
        said.elements.extend(taken.elements);
    }
    said.elements.sort();
    said.states.sort();
    said
}

/// One line: `TYPE|time|A|peer|asn|prefix|path|...`, `...|STATE|peer|asn|old|new`.
fn said_by_bgpdump(text: &str) -> Said {
    let mut said = Said::default();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('|').collect();
        let (seconds, micros) = fields[1].split_once('.').unwrap_or((fields[1], "0"));
        let at = Time::from_seconds(seconds.parse().unwrap()) + micros.parse::<i64>().unwrap();
        let peer = PeerAddress { address: fields[3].parse().unwrap(), asn: Asn(fields[4].parse().unwrap()) };
        let kind = match fields[2] {
            "A" => Kind::Announced,
            "W" => Kind::Withdrawn,
            "B" => Kind::InTable,
            "STATE" => {
                said.states.push((at, peer, fields[5].parse().unwrap(), fields[6].parse().unwrap()));
                continue;
            }
            other => panic!("{other} in {line}"),
        };
        // A table with path identifiers has one field more.
        let after = if fields[0] == "TABLE_DUMP2_AP" { 7 } else { 6 };
        let path_id = if after == 7 { fields[6].parse().unwrap() } else { 0 };
        let nlri = Nlri { prefix: fields[5].parse().unwrap(), path_id };
        let path = fields.get(after).copied().unwrap_or_default().to_owned();
        said.elements.push(Element { at, kind, peer: Some(peer), nlri, path });
    }
    said.elements.sort();
    said.states.sort();
    said
}

/// Golden files with routes that we leave out: name, announced, withdrawn, reason.
const GOLDEN_IS_WIDER: [(&str, usize, usize, &str); 1] =
    [("updates.20070211.0141.gz", 93, 58, "IPv4 multicast (SAFI 2), which bgpdump prints like unicast")];

/// How many announcements and withdrawals only they have, in order; an error where we say anything that they do not.
fn theirs_alone(ours: &Said, theirs: &Said) -> Result<(usize, usize), String> {
    let (mut announced, mut withdrawn) = (0, 0);
    let mut expected = theirs.elements.iter();
    for element in &ours.elements {
        loop {
            match expected.next() {
                Some(same) if same == element => break,
                Some(other) if other < element => match other.kind {
                    Kind::Withdrawn => withdrawn += 1,
                    _ => announced += 1,
                },
                other => return Err(format!("ours {element:?}, theirs {other:?}")),
            }
        }
    }
    for element in expected {
        match element.kind {
            Kind::Withdrawn => withdrawn += 1,
            _ => announced += 1,
        }
    }
    match ours.states == theirs.states {
        true => Ok((announced, withdrawn)),
        false => Err(format!("{} state changes, theirs {}", ours.states.len(), theirs.states.len())),
    }
}

fn first_difference(ours: &Said, theirs: &Said) -> Option<String> {
    let counts = |said: &Said| {
        let mut counts = BTreeMap::new();
        said.elements.iter().for_each(|element| *counts.entry(element.kind).or_insert(0_usize) += 1);
        (counts, said.states.len())
    };
    if ours == theirs {
        return None;
    }
    let at = ours.elements.iter().zip(&theirs.elements).position(|(a, b)| a != b);
    let at = at.unwrap_or(ours.elements.len().min(theirs.elements.len()));
    Some(format!(
        "ours {:?}, theirs {:?}, first difference {:?} against {:?}",
        counts(ours),
        counts(theirs),
        ours.elements.get(at),
        theirs.elements.get(at)
    ))
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[test]
fn every_golden_file_of_bgpdump_is_met_route_by_route() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("ripe-bgpdump");
    let mut compared = 0;
    for expected in files(&folder) {
        let name = expected.file_name().unwrap().to_str().unwrap();
        let Some(name) = name.strip_prefix("test_expect__").and_then(|name| name.strip_suffix(".bgp.gz"))
        else {
            continue;
        };
        let golden = String::from_utf8(unpack(&expected)).unwrap();
        let ours = said_by_us(&unpack(&folder.join(format!("test_data__{name}"))));
        let theirs = said_by_bgpdump(&golden);
        let unlike = theirs_alone(&ours, &theirs);
        let listed = GOLDEN_IS_WIDER.iter().find(|(file, ..)| *file == name);
        assert_eq!(
            unlike,
            Ok(listed.map_or((0, 0), |(_, announced, withdrawn, _)| (*announced, *withdrawn))),
            "{name}"
        );
        compared += 1;
    }
    assert!(compared >= 10, "only {compared} golden files");
}

/// Files in which bgpdump is wrong, with the reason. What is right is held in odd_files.rs.
const BGPDUMP_IS_WRONG: [(&str, &str); 4] = [
    ("bird_bgp", "path identifiers, not marked, are read as default routes and /1 to /7"),
    ("bird_bgp.4dcc227", "the same"),
    ("bird6_bgp", "the same"),
    ("sample.mrt", "the same, of a public collector: 72 routes too many"),
];

#[test]
#[allow(clippy::disallowed_macros, reason = "the test's reader has to learn that it proves nothing here")]
fn the_installed_bgpdump_says_the_same_of_the_odd_samples() {
    let Some(captures) = captures() else { return };
    let mut compared = 0;
    let samples = files(&captures.join("mrtparse-samples")).into_iter();
    for path in
        samples.chain([captures.join("ryu/updates.20161101.0000.bz2"), captures.join("bgpipe/sample.mrt")])
    {
        let name = path.file_name().unwrap().to_str().unwrap();
        let Ok(output) = Command::new("bgpdump").args(["-m"]).arg(&path).output() else {
            assert!(std::env::var_os("CI").is_none(), "on CI bgpdump has to be installed");
            // Not by the macro: the test runner keeps what that prints to itself.
            let test = std::thread::current();
            let test = test.name().unwrap_or_default();
            // In one piece, so that nothing stands between.
            let said = format!("test passed over: {test}: bgpdump is not installed\n");
            let _ = std::io::stderr().write_all(said.as_bytes());
            return;
        };
        let theirs = said_by_bgpdump(&String::from_utf8(output.stdout).unwrap());
        let difference = first_difference(&said_by_us(&unpack(&path)), &theirs);
        let wrong = BGPDUMP_IS_WRONG.iter().any(|(file, _)| *file == name);
        assert_eq!(difference.is_some(), wrong, "{name}: {difference:?}");
        compared += 1;
    }
    assert!(compared >= 8);
}
