//! What a scenario writes is what it says, as other programs read it.

use bgpkit_parser::models::{ElemType, MrtMessage, NetworkPrefix};
use gonedark::scenario::{self, RandomOptions, Recorded, Scenario};
use gonedark_route::{Family, Nlri, Time};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

fn written(scenario: &Scenario) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    scenario::write(scenario, folder.path(), &mut |_| {}).unwrap();
    folder
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let mut files: Vec<PathBuf> = entries(folder).iter().flat_map(|folder| entries(folder)).collect();
    files.sort();
    files
}

/// Plain files, so that no other program's decompression is tested.
fn unpacked(seed: u64, options: RandomOptions) -> Scenario {
    let text = scenario::random(seed, options).to_toml().unwrap();
    Scenario::parse(&text.replace("compression = \"gz\"", "compression = \"none\""), "unpacked").unwrap()
}

/// `stamp peer what`, one line a route: of what the scenario says.
fn said(scenario: &Scenario) -> Vec<String> {
    let mut lines = Vec::new();
    for event in scenario::events(scenario) {
        let mut line = |peer: usize, what: String| {
            let peer = &scenario.peers[peer];
            lines.push(format!("{} {} {} {what}", event.stamp.micros(), peer.asn.0, peer.address));
        };
        let path = |path: &[gonedark_route::Asn]| {
            path.iter().map(|asn| asn.0.to_string()).collect::<Vec<_>>().join(" ")
        };
        let route = |peer: usize, route: &Nlri| match scenario.peers[peer].add_path {
            true => format!("{}#{}", route.prefix, route.path_id),
            false => route.prefix.to_string(),
        };
        match &event.what {
            Recorded::RibRow { prefix, entries } => {
                // bgpkit-parser 0.23 drops the path identifiers of tables; the entries themselves are all there.
                for entry in entries {
                    line(entry.peer, format!("B {prefix} {}", path(&entry.path)));
                }
            }
            Recorded::Update { peer, withdrawn, announced, path: given } => {
                withdrawn.iter().for_each(|it| line(*peer, format!("W {}", route(*peer, it))));
                announced
                    .iter()
                    .for_each(|it| line(*peer, format!("A {} {}", route(*peer, it), path(given))));
            }
            Recorded::State { peer, up } => line(*peer, format!("S {up}")),
            _ => {}
        }
    }
    lines.sort();
    lines
}

fn network(prefix: &NetworkPrefix) -> String {
    match prefix.path_id {
        Some(id) => format!("{}#{id}", prefix.prefix),
        None => prefix.prefix.to_string(),
    }
}

/// The same, of what bgpkit-parser reads.
fn read(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for file in files(folder) {
        let is_table = !file.file_name().unwrap().to_string_lossy().starts_with("updates");
        let parser =
            bgpkit_parser::BgpkitParser::from_reader(std::io::BufReader::new(fs::File::open(&file).unwrap()));
        let mut elementor = bgpkit_parser::Elementor::new();
        for record in parser.into_record_iter() {
            let micros = i64::from(record.common_header.timestamp) * 1_000_000
                + i64::from(record.common_header.microsecond_timestamp.unwrap_or(0));
            if let MrtMessage::Bgp4Mp(bgpkit_parser::models::Bgp4MpEnum::StateChange(change)) =
                &record.message
            {
                let up = change.new_state == bgpkit_parser::models::BgpState::Established;
                lines.push(format!("{micros} {} {} S {up}", change.peer_asn, change.peer_ip));
            }
            for elem in elementor.record_to_elems(record) {
                let what = match (elem.elem_type, is_table) {
                    (ElemType::WITHDRAW, _) => format!("W {}", network(&elem.prefix)),
                    (ElemType::ANNOUNCE, table) => {
                        let path = elem.as_path.as_ref().unwrap();
                        if table {
                            format!("B {} {path}", elem.prefix.prefix)
                        } else {
                            format!("A {} {path}", network(&elem.prefix))
                        }
                    }
                };
                lines.push(format!("{micros} {} {} {what}", elem.peer_asn, elem.peer_ip));
            }
        }
    }
    lines.sort();
    lines
}

#[test]
fn another_parser_reads_element_by_element_what_the_scenario_says() {
    for seed in 0..6 {
        let options = RandomOptions { hours: 10, ..RandomOptions::default() };
        let scenario = unpacked(seed, options);
        let folder = written(&scenario);
        let (said, read) = (said(&scenario), read(folder.path()));
        let differs = said.iter().zip(&read).find(|(said, read)| said != read);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(said.len(), read.len(), "seed {seed}");
    }
}

#[test]
fn debian_bgpdump_reads_as_many_elements_as_the_scenario_says() {
    if !Path::new("/usr/bin/bgpdump").exists() {
        let test = std::thread::current();
        let test = test.name().unwrap_or_default();
        // In one piece, so that nothing stands between.
        let said = format!("test passed over: {test}: bgpdump is not installed (apt install bgpdump)\n");
        let _ = std::io::stderr().write_all(said.as_bytes());
        return;
    }
    let scenario = scenario::builtin("syria-2012").unwrap().unwrap();
    let folder = written(&scenario);
    let mut dumped: BTreeMap<String, usize> = BTreeMap::new();
    for file in files(folder.path()) {
        let output = Command::new("/usr/bin/bgpdump").arg("-m").arg(&file).output().unwrap();
        for line in String::from_utf8(output.stdout).unwrap().lines() {
            let kind = line.split('|').nth(2).unwrap().chars().next().unwrap();
            *dumped.entry(kind.to_string()).or_default() += 1;
        }
    }
    let mut expected: BTreeMap<String, usize> = BTreeMap::new();
    for line in said(&scenario) {
        *expected.entry(line.split(' ').nth(3).unwrap().to_owned()).or_default() += 1;
    }
    assert_eq!(dumped, expected);
}

#[test]
fn the_same_scenario_gives_the_same_bytes() {
    let scenario = scenario::random(11, RandomOptions::default());
    let (first, second) = (written(&scenario), written(&scenario));
    let names = |folder: &Path| -> Vec<PathBuf> {
        files(folder).iter().map(|file| file.strip_prefix(folder).unwrap().to_owned()).collect()
    };
    assert_eq!(names(first.path()), names(second.path()));
    for name in names(first.path()) {
        assert!(fs::read(first.path().join(&name)).unwrap() == fs::read(second.path().join(&name)).unwrap());
    }
}

#[test]
fn files_are_named_as_the_archives_name_them_and_gaps_have_none() {
    let scenario = scenario::builtin("syria-2012").unwrap().unwrap();
    let folder = written(&scenario);
    let exists = |name: &str| folder.path().join(name).exists();
    assert!(exists("rrc00/bview.20121128.0000.gz") && exists("rrc00/updates.20121201.2300.gz"));
    assert!(exists("route-views2/rib.20121128.1200.bz2") && exists("route-views2/updates.20121129.1000.bz2"));
    assert!(exists("rrc03/updates.20121130.0700.gz") && exists("rrc03/updates.20121130.0900.gz"));
    assert!(!exists("rrc03/updates.20121130.0800.gz") && !exists("rrc03/updates.20121202.0000.gz"));
}

#[test]
fn a_folder_that_is_not_empty_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("rrc00")).unwrap();
    fs::write(folder.path().join("rrc00/mine"), "mine").unwrap();
    let scenario = scenario::random(1, RandomOptions::default());
    let error = scenario::write(&scenario, folder.path(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("rrc00") && error.contains("not empty"), "{error}");
}

#[test]
fn events_come_in_time_order_and_none_falls_into_a_missing_file() {
    for seed in 0..40 {
        let scenario = scenario::random(seed, RandomOptions { hours: 12, ..RandomOptions::default() });
        let mut last = Time::MIN;
        let mut stamps = vec![Time::MIN; scenario.collectors.len()];
        for event in scenario::events(&scenario) {
            assert!(event.at >= last && event.stamp >= stamps[event.collector], "seed {seed}");
            last = event.at;
            stamps[event.collector] = event.stamp;
            let collector = &scenario.collectors[event.collector];
            let gap = matches!(event.what, Recorded::Gap { .. });
            assert!(gap || !collector.is_missing(event.stamp), "seed {seed}: {event:?}");
        }
    }
}

#[test]
fn every_route_that_a_table_shows_is_the_last_that_was_said() {
    // Without trouble of the vantage points a table repeats what the updates said.
    let options = RandomOptions { resets: false, gaps: false, ..RandomOptions::default() };
    let scenario = scenario::random(3, options);
    let mut held: BTreeMap<(usize, Nlri), Vec<u32>> = BTreeMap::new();
    let mut tables = vec![0; scenario.collectors.len()];
    let numbers = |path: &[gonedark_route::Asn]| path.iter().map(|asn| asn.0).collect::<Vec<u32>>();
    let mut compared = 0;
    for event in scenario::events(&scenario) {
        match event.what {
            Recorded::RibEnd => tables[event.collector] += 1,
            Recorded::RibRow { prefix, entries } => {
                for entry in entries {
                    let key = (entry.peer, Nlri { prefix, path_id: entry.path_id });
                    if tables[event.collector] == 0 {
                        held.insert(key, numbers(&entry.path));
                    } else {
                        assert_eq!(held.get(&key), Some(&numbers(&entry.path)), "{key:?} at {}", event.at);
                        compared += 1;
                    }
                }
            }
            Recorded::Update { peer, withdrawn, announced, path } => {
                withdrawn.into_iter().for_each(|route| {
                    held.remove(&(peer, route));
                });
                announced.into_iter().for_each(|route| {
                    held.insert((peer, route), numbers(&path));
                });
            }
            _ => {}
        }
    }
    assert!(compared > 100);
    assert!(scenario.networks.iter().any(|network| network.prefix.family() == Family::V4));
}
