//! The recordings with tables at other moments. When a collector writes one is up to its clock; what is concluded must not
//! be. Tables are made of the recorded messages by bgpkit-parser, so that nothing of ours is asked for its own opinion.

use crate::{CHECKS, Pass, list, recordings, replayed, text, truth};
use bgpkit_parser::encoder::MrtRibEncoder;
use bgpkit_parser::models::{Asn, Bgp4MpEnum, BgpElem, BgpState, ElemType, MrtMessage};
use bgpkit_parser::{BgpkitParser, Elementor};
use flate2::read::MultiGzDecoder;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

/// Seconds between two tables, as in the recordings.
const EVERY: i64 = 20;
const MICROS: i64 = 1_000_000;

type Peer = (IpAddr, Asn);

/// What was recorded.
enum Event {
    Said(Box<BgpElem>),
    Down(Peer),
}

/// What a collector was told up to now.
#[derive(Default)]
struct Held(BTreeMap<(Peer, String), BgpElem>);

impl Held {
    fn take(&mut self, event: &Event) {
        match event {
            Event::Down(gone) => self.0.retain(|(peer, _), _| peer != gone),
            Event::Said(elem) => {
                let key = ((elem.peer_ip, elem.peer_asn), elem.prefix.to_string());
                match elem.elem_type {
                    ElemType::ANNOUNCE => drop(self.0.insert(key, (**elem).clone())),
                    ElemType::WITHDRAW => drop(self.0.remove(&key)),
                }
            }
        }
    }

    /// A table of that second. Who holds nothing is not in it.
    fn table(&self, second: i64) -> Option<Vec<u8>> {
        let mut encoder = MrtRibEncoder::new();
        for elem in self.0.values() {
            let elem = BgpElem { timestamp: second as f64, ..elem.clone() };
            encoder.process_elem(&elem).expect("few peers");
        }
        (!self.0.is_empty()).then(|| encoder.export_bytes().expect("a table").to_vec())
    }
}

/// What is in a file, with its time in microseconds.
fn events(path: &Path) -> Vec<(i64, Event)> {
    let file = MultiGzDecoder::new(File::open(path).expect("a file"));
    let mut elementor = Elementor::new();
    let mut events = Vec::new();
    for record in BgpkitParser::from_reader(file).into_record_iter() {
        let head = &record.common_header;
        let micros = i64::from(head.microsecond_timestamp.unwrap_or(0));
        let at = i64::from(head.timestamp) * MICROS + micros;
        match &record.message {
            MrtMessage::Bgp4Mp(Bgp4MpEnum::StateChange(change)) => {
                if change.new_state != BgpState::Established {
                    events.push((at, Event::Down((change.peer_ip, change.peer_asn))));
                }
            }
            _ => events.extend(
                elementor.record_to_elems(record).into_iter().map(|it| (at, Event::Said(Box::new(it)))),
            ),
        }
    }
    events
}

/// The files of a collector whose names begin so, by time.
fn files(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let all = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = all
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(begin)))
        .collect();
    files.sort_unstable();
    files
}

/// A collector's messages and first table as recorded, and all other tables `phase` seconds after multiples of [`EVERY`].
/// Each holds what had come before `within` microseconds of its second were over.
fn retable(from: &Path, to: &Path, (phase, within): (i64, i64)) {
    std::fs::create_dir_all(to).expect("a folder");
    let updates = files(from, "updates.");
    let first = &files(from, "rib.")[0];
    for path in updates.iter().chain([first]) {
        std::fs::copy(path, to.join(path.file_name().expect("a name"))).expect("copied");
    }
    let mut held = Held::default();
    let table = events(first);
    table.iter().for_each(|(_, event)| held.take(event));
    let begin = table.iter().map(|(at, _)| *at).max().expect("a table");
    let mut next = (begin / MICROS + EVERY - phase) / EVERY * EVERY + phase;
    for (at, event) in updates.iter().flat_map(|path| events(path)).filter(|(at, _)| *at >= begin) {
        while at >= next * MICROS + within {
            if let Some(bytes) = held.table(next) {
                let time = Timestamp::from_second(next).expect("a time").strftime("%Y%m%d.%H%M%S");
                std::fs::write(to.join(format!("rib.{time}")), bytes).expect("written");
            }
            next += EVERY;
        }
        held.take(&event);
    }
}

#[test]
fn at_whatever_moment_collectors_write_their_tables_the_report_is_right() {
    for name in ["first/mrt", "early-end-of-rib/mrt", "gobgp/mrt"] {
        // They hold nothing of their second, half of it, or all.
        for (phase, half) in (0..EVERY).flat_map(|phase| (0..3).map(move |half| (phase, half))) {
            let folder = tempfile::tempdir().expect("a folder");
            for (collector, phase) in [("frr", phase), ("bird", (phase + half * 7 + 3) % EVERY)] {
                let within = half * MICROS / 2;
                let to = folder.path().join(collector);
                retable(&recordings(name).join(collector), &to, (phase, within));
            }
            let truth = truth(name);
            let report = replayed(folder.path(), &truth);
            let name = format!("{name}, tables {phase} s and {half} halves after the multiples of {EVERY}");
            let tables =
                list(&report["inputs"]).iter().filter(|input| text(&input["path"]).contains("/rib."));
            let read: Vec<u64> = tables.filter_map(|table| table["records"].as_u64()).collect();
            assert!(read.len() > 20 && read.iter().all(|records| *records > 1), "{name}: {read:?}");
            let pass = Pass { name, truth, report, sees: &["frr", "bird"] };
            CHECKS.iter().for_each(|check| check(&pass));
        }
    }
}
