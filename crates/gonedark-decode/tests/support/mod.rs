//! What the tests of this crate share: where the real captures lie, how they are unpacked, and records taken apart
//! into single routes that can be compared with what other decoders say.
#![allow(dead_code, unreachable_pub, reason = "each test takes its part")]

pub mod bmp_wire;
pub mod flow_captures;
pub mod flow_seeds;
pub mod flow_wire;
pub mod pcap;
pub mod seeds;
pub mod wire;

use gonedark_decode::mrt::{Decoder, PeerAddress, RawRecord, Record};
use gonedark_route::{Nlri, Time};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The folder of real BGP captures.
pub fn captures() -> Option<PathBuf> {
    recordings("data/bgp")
}

/// A folder of real recordings. `None`, said aloud, where there is none; on CI it has to be there.
#[allow(clippy::disallowed_macros, reason = "the test's reader has to learn that it proves nothing here")]
pub fn recordings(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("GONEDARK_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join(folder);
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "on CI the captures have to be at {}", folder.display());
    // Not by the macro: the test runner keeps what that prints to itself.
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    // In one piece, so that nothing stands between.
    let said = format!("test passed over: {test}: no captures at {}\n", folder.display());
    let _ = std::io::stderr().write_all(said.as_bytes());
    None
}

/// A file's bytes, unpacked by its name. A stream that ends early gives what stands before.
pub fn unpack(path: &Path) -> Vec<u8> {
    let packed = std::fs::read(path).unwrap();
    let mut bytes = Vec::new();
    let _cut = match path.extension().and_then(|name| name.to_str()) {
        Some("gz") => flate2::read::MultiGzDecoder::new(&packed[..]).read_to_end(&mut bytes),
        Some("xz") => liblzma::read::XzDecoder::new_multi_decoder(&packed[..]).read_to_end(&mut bytes),
        Some("bz2") => bzip2::read::MultiBzDecoder::new(&packed[..]).read_to_end(&mut bytes),
        _ => return packed,
    };
    bytes
}

/// What is said of a route.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Kind {
    Announced,
    Withdrawn,
    InTable,
}

/// One route of one record.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Element {
    pub at: Time,
    pub kind: Kind,
    pub peer: Option<PeerAddress>,
    pub nlri: Nlri,
    /// As looking glasses print it; empty for a withdrawal.
    pub path: String,
}

/// What one record came to.
#[derive(Default, Debug)]
pub struct Taken {
    pub elements: Vec<Element>,
    pub states: Vec<(PeerAddress, u16, u16)>,
    pub error: Option<gonedark_decode::DecodeError>,
    pub damaged: bool,
    pub unsupported: Option<(u16, u16)>,
    pub treated_as_withdrawn: bool,
    pub inferred_path_ids: bool,
    pub other_family: bool,
    pub end_of_rib: bool,
    pub opens: usize,
}

/// Takes one record apart. Routes of a table have the time of the record.
pub fn take_apart(decoder: &mut Decoder, raw: RawRecord<'_>) -> Taken {
    let mut taken = Taken::default();
    let at = raw.at;
    let text =
        |path: Option<gonedark_route::PathView<'_>>| path.map(|path| path.to_string()).unwrap_or_default();
    match decoder.decode(raw) {
        Err(error) => taken.error = Some(error),
        Ok(Record::Update { peer, update }) => {
            let peer = Some(peer);
            taken.treated_as_withdrawn = update.warnings.treat_as_withdraw();
            taken.inferred_path_ids =
                update.warnings.contains(gonedark_decode::bgp::Warning::PathIdsInferred);
            taken.other_family = update.warnings.contains(gonedark_decode::bgp::Warning::OtherFamily);
            taken.end_of_rib = update.end_of_rib.is_some();
            let path = text(update.path);
            taken.elements.extend(update.announced().map(|nlri| Element {
                at,
                kind: Kind::Announced,
                peer,
                nlri,
                path: path.clone(),
            }));
            taken.elements.extend(update.withdrawn().map(|nlri| Element {
                at,
                kind: Kind::Withdrawn,
                peer,
                nlri,
                path: String::new(),
            }));
        }
        Ok(Record::RibRow(row)) => {
            for entry in row.entries() {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        taken.error = Some(error);
                        break;
                    }
                };
                taken.elements.push(Element {
                    at,
                    kind: Kind::InTable,
                    peer: row.peer(entry.peer_index),
                    nlri: Nlri { prefix: row.prefix, path_id: entry.path_id },
                    path: text(entry.attributes.path()),
                });
            }
        }
        Ok(Record::TableDump(mut dump)) => {
            while let Some(entry) = dump.next_entry() {
                match entry {
                    Ok(entry) => taken.elements.push(Element {
                        at,
                        kind: Kind::InTable,
                        peer: Some(entry.peer),
                        nlri: entry.prefix.into(),
                        path: text(entry.path),
                    }),
                    Err(error) => taken.error = Some(error),
                }
            }
        }
        Ok(Record::StateChange { peer, old, new }) => taken.states.push((peer, old, new)),
        Ok(Record::Damaged { error, .. }) => (taken.damaged, taken.error) = (true, Some(error)),
        Ok(Record::Unsupported { kind, subtype }) => taken.unsupported = Some((kind, subtype)),
        Ok(Record::Message { message, .. } | Record::Sent { message, .. }) => {
            taken.opens += usize::from(matches!(message, gonedark_decode::bgp::Message::Open(_)));
        }
        Ok(Record::PeerIndexTable(_)) => {}
    }
    taken
}
