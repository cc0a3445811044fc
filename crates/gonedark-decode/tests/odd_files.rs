//! The odd and corrupt files that are at hand, each with the answer known for it.

mod support;

use gonedark_decode::bgp::{AddPath, Message, Session};
use gonedark_decode::mrt::{Decoder, records};
use gonedark_route::AsnSize;
use std::collections::BTreeMap;
use std::path::Path;
use support::{Kind, Taken, captures, take_apart, unpack};

fn taken(path: &Path) -> Vec<Taken> {
    let bytes = unpack(path);
    let mut decoder = Decoder::new();
    records(&bytes)
        .map(|raw| match raw {
            Ok(raw) => take_apart(&mut decoder, raw),
            Err(error) => Taken { error: Some(error), ..Taken::default() },
        })
        .collect()
}

fn count(taken: &[Taken], kind: Kind) -> usize {
    taken.iter().flat_map(|taken| &taken.elements).filter(|element| element.kind == kind).count()
}

/// Prefixes with the path identifiers under which they are announced.
fn announced(taken: &[Taken]) -> BTreeMap<String, Vec<u32>> {
    let mut by_prefix: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for element in taken.iter().flat_map(|taken| &taken.elements) {
        by_prefix.entry(element.nlri.prefix.to_string()).or_default().push(element.nlri.path_id);
    }
    by_prefix
}

#[test]
fn unmarked_path_identifiers_of_bird_are_found_by_the_open_of_the_file() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("mrtparse-samples");
    for (name, expected, family) in
        [("bird_bgp", 14, "."), ("bird_bgp.4dcc227", 51, "."), ("bird6_bgp", 12, ":")]
    {
        let taken = taken(&folder.join(name));
        assert_eq!(count(&taken, Kind::Announced), expected, "{name}");
        let announced = announced(&taken);
        assert!(announced.keys().all(|prefix| prefix.contains(family)), "{name}: {announced:?}");
        assert!(announced.values().flatten().all(|id| (1..=9).contains(id)), "{name}: {announced:?}");
        assert!(!announced.keys().any(|prefix| prefix.ends_with("/0")), "{name}: {announced:?}");
        assert!(taken.iter().all(|taken| taken.error.is_none()));
    }
}

#[test]
fn unmarked_path_identifiers_of_a_public_collector_are_found_without_any_open() {
    let Some(captures) = captures() else { return };
    let taken = taken(&captures.join("bgpipe/sample.mrt"));
    assert_eq!((count(&taken, Kind::Announced), count(&taken, Kind::Withdrawn)), (680, 64));
    assert_eq!(taken.iter().map(|taken| taken.opens).sum::<usize>(), 0);
    assert!(taken.iter().any(|taken| taken.inferred_path_ids));
    assert!(!announced(&taken).keys().any(|prefix| prefix == "0.0.0.0/0"));
}

#[test]
fn a_record_of_70_kb_and_tables_with_path_identifiers_have_all_their_entries() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("ripe-bgpdump");
    for (name, expected) in [
        ("test_data__bview.64k_stream_overflow.gz", 23),
        ("test_data__bview.ipv4_unicast_add_path.gz", 62),
        ("test_data__bview.ipv6_unicast_add_path.gz", 62),
    ] {
        assert_eq!(count(&taken(&folder.join(name)), Kind::InTable), expected, "{name}");
    }
}

#[test]
fn lengths_that_leave_out_the_microseconds_cost_no_record() {
    let Some(captures) = captures() else { return };
    let taken = taken(&captures.join("ripe-bgpdump/test_data__updates.et-header.2015.small-old.gz"));
    assert_eq!(count(&taken, Kind::Announced), 159);
    assert!(taken.iter().all(|taken| taken.error.is_none()));
}

#[test]
fn one_bad_marker_of_45_records_costs_one_record_and_names_its_peer() {
    let Some(captures) = captures() else { return };
    let folder = captures.join("odl-bgpcep");
    let good = taken(&folder.join("BgpMessages.bin"));
    let bad = taken(&folder.join("BgpMessages_wrong_header.bin"));
    assert_eq!((good.len(), bad.len()), (45, 45));
    assert!(good.iter().all(|taken| taken.error.is_none()));
    assert_eq!(bad.iter().filter(|taken| taken.damaged).count(), 1);
    for (good, bad) in good.iter().zip(&bad).filter(|(_, bad)| !bad.damaged) {
        assert_eq!(good.elements, bad.elements);
    }
}

#[test]
fn a_bzip2_stream_that_ends_early_gives_every_record_before_the_cut() {
    let Some(captures) = captures() else { return };
    let taken = taken(&captures.join("pyasn/rib.20140523.0600_firstMB.bz2"));
    assert_eq!(count(&taken, Kind::InTable), 270_005);
    assert_eq!(taken.iter().filter(|taken| taken.error.is_some()).count(), 1);
    assert!(taken.last().unwrap().error.is_some());
}

#[test]
fn north_korea_has_four_networks_behind_one_upstream_in_the_table_of_2014() {
    let Some(captures) = captures() else { return };
    let path = captures.join("caida-libbgpstream/routeviews.route-views.jinx.ribs.1401487200.bz2");
    let taken = taken(&path);
    assert_eq!(count(&taken, Kind::InTable), 503_590);
    let of_korea: Vec<_> = taken
        .iter()
        .flat_map(|taken| &taken.elements)
        .filter(|element| element.path.ends_with(" 131279"))
        .map(|element| (element.nlri.prefix.to_string(), element.path.as_str()))
        .collect();
    let path = "30844 3356 1239 4837 131279";
    let networks = [176, 177, 178, 179].map(|third| (format!("175.45.{third}.0/24"), path));
    assert_eq!(of_korea, networks);
}

/// Reads a message in every way that a session can have it; nothing may panic.
fn read_in_every_way(bytes: &[u8]) -> usize {
    let mut scratch = Vec::new();
    let mut read = 0;
    for asn_size in [AsnSize::Two, AsnSize::Four] {
        for add_path in [AddPath::No, AddPath::Unknown, AddPath::Offered, AddPath::Agreed] {
            let session = Session { asn_size, add_path_v4: add_path, add_path_v6: add_path };
            if let Ok(message) = Message::read(bytes, 0, &session, &mut scratch) {
                read += 1;
                if let Message::Update(update) = message {
                    read += update.announced().chain(update.withdrawn()).count();
                }
            }
        }
    }
    read
}

#[test]
fn messages_found_by_fuzzing_other_decoders_panic_nowhere() {
    let Some(captures) = captures() else { return };
    let mut files = 0;
    for folder in ["gobgp-bad-len", "tcpdump-bgp", "network-lab"] {
        for entry in std::fs::read_dir(captures.join(folder)).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            files += 1;
            read_in_every_way(&bytes);
            // In a capture of packets a message starts wherever a marker does.
            let markers = bytes.windows(16).enumerate().filter(|(_, window)| *window == [0xFF; 16]);
            for (at, _) in markers.take(2_000) {
                read_in_every_way(&bytes[at..]);
            }
            records(&bytes).flatten().for_each(|raw| drop(take_apart(&mut Decoder::new(), raw)));
        }
    }
    assert!(files >= 45, "only {files} files");
}
