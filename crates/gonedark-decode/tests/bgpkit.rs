//! Route by route, record by record against bgpkit-parser, on every MRT file at hand.

mod support;

use bgpkit_parser::models::{ElemType, MrtMessage, NetworkPrefix, TableDumpV2Message};
use bgpkit_parser::parser::mrt::mrt_record::parse_mrt_record;
use bgpkit_parser::{BgpElem, Elementor};
use gonedark_decode::mrt::{Decoder, PeerAddress, RawRecord, records};
use gonedark_route::{Asn, Nlri, Prefix, Time};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use support::{Element, Kind, Taken, captures, take_apart, unpack};

/// Every record for which the two differ, by file, reason and number. docs/decoder-differences.md tells why.
const DIFFERENCES: &[(&str, &str, usize)] = &[
    ("ripe-bgpdump/test_data__bview.ipv4_unicast_add_path.gz", "path identifiers lost", 31),
    ("ripe-bgpdump/test_data__bview.ipv6_unicast_add_path.gz", "path identifiers lost", 31),
    ("ripe-bgpdump/test_data__updates.20070211.0141.gz", "other family", 151),
];

fn element(elem: &BgpElem, raw: &RawRecord<'_>) -> Element {
    let in_table = matches!(raw.kind, 12 | 13);
    let kind = match elem.elem_type {
        ElemType::ANNOUNCE if in_table => Kind::InTable,
        ElemType::ANNOUNCE => Kind::Announced,
        ElemType::WITHDRAW => Kind::Withdrawn,
    };
    // For a table it is the time at which the route was announced.
    let at = if in_table { raw.at } else { Time::from_micros((elem.timestamp * 1e6).round() as i64) };
    let peer = PeerAddress { asn: Asn(elem.peer_asn.to_u32()), address: elem.peer_ip };
    let path = elem.as_path.as_ref().map(ToString::to_string).unwrap_or_default();
    Element { at, kind, peer: Some(peer), nlri: nlri(&elem.prefix), path }
}

fn nlri(prefix: &NetworkPrefix) -> Nlri {
    let length = prefix.prefix.prefix_len();
    let bits = match prefix.prefix.addr() {
        IpAddr::V4(address) => Prefix::v4(address, length),
        IpAddr::V6(address) => Prefix::v6(address, length),
    };
    Nlri { prefix: bits.unwrap(), path_id: prefix.path_id.unwrap_or(0) }
}

/// What bgpkit makes of the same bytes; the error as text.
fn theirs(elementor: &mut Elementor, file: &[u8], raw: &RawRecord<'_>) -> Result<Vec<Element>, String> {
    let mut bytes = &file[raw.offset as usize..];
    let record = parse_mrt_record(&mut bytes).map_err(|error| error.to_string())?;
    if let MrtMessage::TableDumpV2Message(TableDumpV2Message::PeerIndexTable(_)) = &record.message {
        elementor.set_peer_table(record).map_err(|error| error.to_string())?;
        return Ok(Vec::new());
    }
    Ok(elementor.record_to_elems(record).iter().map(|elem| element(elem, raw)).collect())
}

/// Why a difference is one, as far as our side knows it.
fn reason(ours: &Taken, theirs: &Result<Vec<Element>, String>) -> &'static str {
    let unnamed = ours.elements.iter().any(|element| element.peer.is_none());
    match theirs {
        _ if ours.other_family => "other family",
        _ if ours.treated_as_withdrawn => "treat as withdraw",
        _ if ours.inferred_path_ids => "path identifiers inferred",
        _ if unnamed => "peer cannot be named",
        _ if ours.damaged => "damaged",
        Err(_) if ours.error.is_some() || ours.unsupported.is_some() => "",
        Err(_) => "bgpkit refuses",
        Ok(elements) if *elements == without_path_ids(ours) => "path identifiers lost",
        Ok(_) => "unexplained",
    }
}

fn without_path_ids(ours: &Taken) -> Vec<Element> {
    let plain = |element: &Element| Element { nlri: element.nlri.prefix.into(), ..element.clone() };
    let mut elements: Vec<Element> = ours.elements.iter().map(plain).collect();
    elements.sort();
    elements
}

fn mrt_files(folder: &Path) -> Vec<PathBuf> {
    let pick = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        match folder {
            "mrtparse-samples" | "odl-bgpcep" | "bgpipe" => true,
            "caida-libbgpstream"
            | "pyasn"
            | "ryu"
            | "bgpguard-rrc04"
            | "bgp_downloader_fast-rrc00"
            | "ripe-bgpdump" => {
                !name.contains("json") && !name.contains("ipasn") && !name.contains("expect")
                    // Its length fields are short, which bgpkit does not know; golden in bgpdump.rs.
                    && !name.contains("et-header")
            }
            _ => false,
        }
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .flat_map(|folder| std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()))
        .filter(pick)
        .collect();
    files.sort();
    files
}

/// The records of one file that differ, by reason: how many, and the first of them. And how many routes there are.
fn compare(path: &Path) -> (BTreeMap<&'static str, (usize, String)>, usize) {
    let bytes = unpack(path);
    let (mut decoder, mut elementor) = (Decoder::new(), Elementor::new());
    let (mut different, mut compared) = (BTreeMap::new(), 0);
    for raw in records(&bytes).flatten() {
        let mut ours = take_apart(&mut decoder, raw);
        let mut theirs = theirs(&mut elementor, &bytes, &raw);
        ours.elements.sort();
        if let Ok(elements) = &mut theirs {
            elements.sort();
        }
        compared += ours.elements.len();
        if theirs.as_ref().is_ok_and(|elements| *elements == ours.elements) {
            continue;
        }
        let reason = reason(&ours, &theirs);
        let first = || format!("{} at {}: {ours:?}\n    bgpkit: {theirs:?}", path.display(), raw.offset);
        different.entry(reason).or_insert_with(|| (0, first())).0 += 1;
    }
    different.remove("");
    (different, compared)
}

#[test]
fn every_file_says_route_by_route_what_bgpkit_parser_says_but_for_the_listed_records() {
    let Some(captures) = captures() else { return };
    let files = mrt_files(&captures);
    let (mut found, mut compared) = (Vec::new(), 0);
    for path in &files {
        let (different, elements) = compare(path);
        compared += elements;
        let name = path.strip_prefix(&captures).unwrap().to_str().unwrap().to_owned();
        found.extend(
            different.into_iter().map(|(reason, (count, first))| (name.clone(), reason, count, first)),
        );
    }
    let listed = |(name, reason, count, _): &(String, &str, usize, String)| {
        DIFFERENCES.contains(&(name.as_str(), *reason, *count))
    };
    let unlisted: Vec<_> = found.iter().filter(|difference| !listed(difference)).collect();
    assert!(unlisted.is_empty(), "not listed: {unlisted:#?}");
    assert_eq!(found.len(), DIFFERENCES.len(), "a listed difference is gone: {found:#?}");
    assert!(files.len() >= 80 && compared > 2_000_000, "{} files, {compared} routes", files.len());
}
