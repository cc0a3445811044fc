//! BMP as real routers speak it: IOS-XR, JunOS, VRP, FRR, 6WIND and akvorado's vMX, in captures of packets, and the
//! whole table of a Juniper M320. Counted, and message by message against bgpkit-parser and NetGauze.

mod support;

use bgpkit_parser::models::{BgpMessage, ElemType};
use bgpkit_parser::parser::bmp::messages::BmpMessageBody;
use bgpkit_parser::{Elementor, parse_bmp_msg};
use gonedark_decode::bgp::Warning;
use gonedark_decode::bmp::{self, Decoder, Frame, Message, PerPeer, RawMessage};
use gonedark_route::{Asn, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use support::{captures, pcap, unpack};

/// All that one stream, or one capture of several, comes to.
#[derive(Default, Debug)]
struct Counted {
    streams: usize,
    messages: usize,
    monitoring: usize,
    announced: usize,
    withdrawn: usize,
    ends: usize,
    /// Type, flags and ASN of each.
    peers: BTreeSet<([u8; 2], Asn)>,
    times: BTreeSet<Time>,
    /// Of framing, of messages, and of OPENs.
    errors: Vec<String>,
}

impl Counted {
    fn add(&mut self, stream: &[u8]) {
        self.streams += 1;
        let mut decoder = Decoder::new();
        for raw in bmp::messages(stream) {
            let raw = match raw {
                Ok(raw) => raw,
                Err(error) => {
                    self.errors.push(error.to_string());
                    continue;
                }
            };
            self.messages += 1;
            self.monitoring += usize::from(raw.kind == 0);
            match decoder.decode(raw) {
                Ok(Message::RouteMonitoring { peer, update }) => {
                    self.announced += update.announced().count();
                    self.withdrawn += update.withdrawn().count();
                    self.ends += usize::from(update.end_of_rib.is_some());
                    self.peer(raw, &peer);
                }
                Ok(Message::PeerUp { peer, up }) => {
                    self.errors.extend(up.damage.map(|error| error.to_string()));
                    self.errors
                        .extend(up.information.iter().filter_map(Result::err).map(|error| error.to_string()));
                    self.peer(raw, &peer);
                }
                Ok(Message::Statistics { peer, statistics }) => {
                    self.errors
                        .extend(statistics.iter().filter_map(Result::err).map(|error| error.to_string()));
                    self.peer(raw, &peer);
                }
                Ok(Message::PeerDown { peer, .. } | Message::RouteMirroring { peer, .. }) => {
                    self.peer(raw, &peer)
                }
                Ok(Message::Initiation(tlvs) | Message::Termination(tlvs)) => {
                    self.errors.extend(tlvs.iter().filter_map(Result::err).map(|error| error.to_string()));
                }
                Ok(Message::Damaged { error, .. }) | Err(error) => self.errors.push(error.to_string()),
                Ok(Message::Unsupported { kind }) => self.errors.push(format!("unsupported type {kind}")),
            }
        }
    }

    fn peer(&mut self, raw: RawMessage<'_>, peer: &PerPeer) {
        self.peers.insert(([raw.body[0], raw.body[1]], peer.asn));
        self.times.extend(peer.at);
    }
}

/// The BMP in a capture: streams that begin with a message.
fn bmp_streams(file: &Path) -> Vec<Vec<u8>> {
    let streams = pcap::streams(&unpack(file)).into_iter().map(|stream| stream.bytes);
    streams.filter(|bytes| matches!(bmp::frame(bytes, 0), Frame::Message { .. })).collect()
}

fn count(file: &Path) -> Counted {
    let mut counted = Counted::default();
    bmp_streams(file).iter().for_each(|stream| counted.add(stream));
    counted
}

/// Every capture that PROVENANCE.md calls one of BMP: name and what is said of it.
fn listed(captures: &Path) -> Vec<(String, String)> {
    let text = std::fs::read_to_string(captures.join("PROVENANCE.md")).unwrap();
    let rows = text.lines().filter(|line| line.contains("kind BMP pcap"));
    rows.map(|line| (line.split('|').nth(1).unwrap().trim().to_owned(), line.to_owned())).collect()
}

fn after<'a>(row: &'a str, word: &str) -> Option<&'a str> {
    let (_, rest) = row.split_once(&format!("; {word} "))?;
    rest.split([';', '|']).next().map(str::trim)
}

/// The one capture that PROVENANCE.md did not read to its end, and how many more peers are in it.
const READ_FARTHER: (&str, usize) =
    ("traffic-reproducer/pcaps__bmp-multi-sources-route-monitoring-JUMBO.pcap", 1);

/// Two copies of one capture end within a message.
const CUT: &str = "202-BMP-CISCO-HUAWEI-multiple-sources__traffic-02";

#[test]
fn every_capture_has_the_peers_and_times_of_its_provenance_and_no_damage() {
    let Some(captures) = captures() else { return };
    let listed = listed(&captures);
    assert!(listed.len() >= 50, "{}", listed.len());
    for (name, row) in &listed {
        let counted = count(&captures.join(name));
        // PROVENANCE.md tells peers apart by type, flags and ASN.
        let more = if name == READ_FARTHER.0 { READ_FARTHER.1 } else { 0 };
        let peers: usize = after(row, "peers").unwrap().parse().unwrap();
        assert_eq!(counted.peers.len(), peers + more, "{name}");
        let time = |at: Option<&Time>| at.map(|at| at.to_string().replace('T', " ")[..19].to_owned());
        assert_eq!(time(counted.times.first()).as_deref(), after(row, "first"), "{name}");
        assert_eq!(time(counted.times.last()).as_deref(), after(row, "last"), "{name}");
        let cut = name.contains(CUT);
        assert_eq!(counted.errors.len(), usize::from(cut), "{name}: {:?}", counted.errors);
        assert!(!cut || counted.errors[0].contains("185 bytes, 156 are left"), "{:?}", counted.errors);
    }
}

/// Streams, messages, of these Route Monitoring, announced and withdrawn prefixes, End-of-RIB markers. The first one's
/// streams and messages stand in the description of the captures; the rest was counted here and is held fast.
#[rustfmt::skip]
const COUNTS: [(&str, [usize; 6]); 14] = [
    ("traffic-reproducer/pcap_processing__bmp-multi-sources.pcap", [22, 11_097, 6_958, 4_536, 0, 226]),
    ("traffic-reproducer/pcap_processing__bmp-multi-source.pcap", [2, 584, 506, 83, 23, 6]),
    ("traffic-reproducer/pcap_processing__bmp.pcap", [1, 336, 251, 235, 0, 36]),
    ("traffic-reproducer/pcap_processing__ipfix-bmp.pcap", [2, 397, 360, 69, 0, 11]),
    ("traffic-reproducer/pcaps__bmp-multi-sources-stats-JUMBO.pcap", [12, 3_626, 0, 0, 0, 0]),
    ("netgauze/pmacct-tests__200-BMP-HUAWEI-locrib_instance__traffic-00.pcap", [1, 103, 84, 5, 0, 2]),
    ("netgauze/pmacct-tests__204-BMP-CISCO-peer_down__traffic-00.pcap", [1, 343, 301, 49, 23, 3]),
    ("netgauze/pmacct-tests__205-BMP-6wind-FRR-peer_down__traffic-00.pcap", [1, 509, 451, 142, 0, 0]),
    ("netgauze/pmacct-tests__403-IPFIXv10-BMP-IPv6-CISCO-locrib-peerdown-vrf__traffic-00.pcap", [1, 877, 856, 736, 18, 24]),
    ("netgauze/bmp__stateless-with-add-path__ipv4_unicast_all.pcap", [1, 30, 21, 15, 0, 9]),
    ("netgauze/pcap-reader__data__bmp.pcapng", [4, 12, 3, 0, 0, 0]),
    ("akvorado-bmp/bmp-reach.pcap", [1, 17, 17, 10, 0, 0]),
    ("akvorado-bmp/bmp-unreach.pcap", [1, 8, 8, 0, 11, 0]),
    ("network-lab/juniper-bmp-ok.pcap", [1, 44, 34, 11, 11, 5]),
];

#[test]
fn the_captures_hold_so_many_streams_messages_and_prefixes() {
    let Some(captures) = captures() else { return };
    for (name, expected) in COUNTS {
        let counted = count(&captures.join(name));
        let Counted { streams, messages, monitoring, announced, withdrawn, ends, .. } = counted;
        assert_eq!([streams, messages, monitoring, announced, withdrawn, ends], expected, "{name}");
    }
}

#[test]
fn the_table_of_the_m320_has_707_576_prefixes_in_139_282_messages() {
    let Some(captures) = captures() else { return };
    let bytes = unpack(&captures.join("hdb3-bmplib/m320.bmp.xz"));
    let mut counted = Counted::default();
    counted.add(&bytes);
    assert_eq!((counted.messages, counted.errors.len()), (139_282, 0), "{:?}", counted.errors.first());
    assert_eq!((counted.monitoring, counted.announced, counted.withdrawn), (139_279, 707_576, 4));
    let asns: BTreeSet<Asn> = counted.peers.iter().map(|(_, asn)| *asn).collect();
    assert_eq!(asns, BTreeSet::from([Asn(64_501)]));
    let time = |at: Option<&Time>| at.unwrap().to_string()[..19].to_owned();
    assert_eq!(time(counted.times.first()), "2018-09-19T15:39:44");
    assert_eq!(time(counted.times.last()), "2018-09-27T10:49:23");
}

/// Announced or not, prefix, path.
type Route = (bool, String, String);

fn routes(update: &gonedark_decode::bgp::Update<'_>) -> Vec<Route> {
    let path = update.path.map(|path| path.to_string()).unwrap_or_default();
    let announced = update.announced().map(|nlri| (true, nlri.prefix.to_string(), path.clone()));
    let withdrawn = update.withdrawn().map(|nlri| (false, nlri.prefix.to_string(), String::new()));
    let mut routes: Vec<Route> = announced.chain(withdrawn).collect();
    routes.sort();
    routes
}

/// What bgpkit-parser makes of one Route Monitoring.
fn theirs(bytes: &[u8]) -> Result<Vec<Route>, String> {
    let mut bytes = bytes.to_vec().into();
    let message = parse_bmp_msg(&mut bytes).map_err(|error| error.to_string())?;
    let header = message.per_peer_header.ok_or("no peer")?;
    let BmpMessageBody::RouteMonitoring(monitoring) = message.message_body else { return Err("type".into()) };
    let BgpMessage::Update(update) = monitoring.bgp_message else { return Err("no UPDATE".into()) };
    let elems = Elementor::bgp_update_to_elems(update, 0.0, &header.peer_ip, &header.peer_asn);
    let route = |elem: &bgpkit_parser::BgpElem| {
        let announced = elem.elem_type == ElemType::ANNOUNCE;
        let path = elem.as_path.as_ref().map(ToString::to_string).unwrap_or_default();
        (announced, elem.prefix.prefix.to_string(), if announced { path } else { String::new() })
    };
    let mut routes: Vec<Route> = elems.iter().map(route).collect();
    routes.sort();
    Ok(routes)
}

/// How many messages the two read alike, and how many not, by reason.
fn compare(stream: &[u8], alike: &mut usize, different: &mut BTreeMap<&'static str, (usize, String)>) {
    let mut decoder = Decoder::new();
    let mut rest = 0;
    for raw in bmp::messages(stream).flatten() {
        let start = raw.offset as usize;
        let bytes = &stream[start..start + 6 + raw.body.len()];
        rest = rest.max(start + bytes.len());
        let Ok(Message::RouteMonitoring { peer, update }) = decoder.decode(raw) else { continue };
        if raw.version != 3 {
            continue;
        }
        let (ours, theirs) = (routes(&update), theirs(bytes));
        let reason = match &theirs {
            Ok(theirs) if *theirs == ours => {
                *alike += 1;
                continue;
            }
            Ok(_) if update.warnings.contains(Warning::OtherFamily) => "other family",
            Err(_) => "bgpkit refuses",
            Ok(_) => "unexplained",
        };
        let text = || format!("{peer:?} at {}: {ours:?}\n   bgpkit: {theirs:?}", raw.offset);
        different.entry(reason).or_insert_with(|| (0, text())).0 += 1;
    }
    assert_eq!(rest, stream.len());
}

#[test]
fn every_route_monitoring_says_what_bgpkit_parser_says_but_for_37_of_other_families() {
    let Some(captures) = captures() else { return };
    let (mut alike, mut different) = (0, BTreeMap::new());
    for (name, _) in listed(&captures).iter().filter(|(name, _)| !name.contains(CUT)) {
        bmp_streams(&captures.join(name))
            .iter()
            .for_each(|stream| compare(stream, &mut alike, &mut different));
    }
    let bytes = unpack(&captures.join("hdb3-bmplib/m320.bmp.xz"));
    compare(&bytes, &mut alike, &mut different);
    let counts: Vec<_> = different.iter().map(|(reason, (count, _))| (*reason, *count)).collect();
    assert_eq!((alike, counts.as_slice()), (165_708, &[("other family", 37)][..]), "{different:#?}");
}

fn netgauze(captures: &Path) -> Vec<(PathBuf, PathBuf)> {
    let files = std::fs::read_dir(captures.join("netgauze")).unwrap().map(|entry| entry.unwrap().path());
    let decoded = files.filter(|path| path.to_str().unwrap().ends_with("-bmp.json"));
    decoded.map(|json| (PathBuf::from(json.to_str().unwrap().replace("-bmp.json", ".pcap")), json)).collect()
}

/// Name, peer and unicast routes of a message that NetGauze decoded: with path identifiers.
fn by_netgauze(line: &str) -> (String, String, Vec<String>) {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let message = value.as_object().unwrap().values().next().unwrap();
    let (name, content) = message.as_object().unwrap().iter().next().unwrap();
    let header = &content["peer_header"];
    let peer = match header["peer_as"].as_u64() {
        Some(asn) => {
            let address = header["address"].as_str().unwrap_or("0.0.0.0");
            let at = header["timestamp"].as_str().unwrap_or("none").trim_end_matches('Z');
            let (seconds, micros) = at.split_once('.').unwrap_or((at, ""));
            format!("{address} {asn} {} {seconds}.{micros:0<6}", header["bgp_id"].as_str().unwrap())
        }
        None => String::new(),
    };
    // Version 3, version 4.
    let update = match &content["update_message"]["Update"] {
        serde_json::Value::Null => &content["update_pdu"]["value"]["BgpUpdate"]["Update"],
        update => update,
    };
    let mut routes = Vec::new();
    for (sign, key) in [("+", "nlri"), ("-", "withdrawn_routes")] {
        for route in update[key].as_array().into_iter().flatten() {
            let id = route["path_id"].as_u64().unwrap_or(0);
            routes.push(format!("{sign}{} {id}", route["network"].as_str().unwrap()));
        }
    }
    routes.sort();
    (name.clone(), peer, routes)
}

fn by_us(stream: &[u8]) -> Vec<(String, String, Vec<String>)> {
    let mut decoder = Decoder::new();
    let mut all = Vec::new();
    for raw in bmp::messages(stream) {
        let message = decoder.decode(raw.unwrap()).unwrap();
        let (name, peer) = match &message {
            Message::RouteMonitoring { peer, .. } => ("RouteMonitoring", Some(*peer)),
            Message::Statistics { peer, .. } => ("StatisticsReport", Some(*peer)),
            Message::PeerUp { peer, .. } => ("PeerUpNotification", Some(*peer)),
            Message::PeerDown { peer, .. } => ("PeerDownNotification", Some(*peer)),
            Message::Initiation(_) => ("Initiation", None),
            other => panic!("{other:?}"),
        };
        let peer = peer.map(|peer| {
            let at = peer.at.map(|at| Time::from_seconds(at.seconds()).to_string());
            let micros = peer.at.map_or(0, Time::subsecond_micros);
            let seconds = at.as_deref().unwrap_or("none").trim_end_matches('Z');
            format!("{} {} {} {seconds}.{micros:06}", peer.address, peer.asn.0, peer.identifier)
        });
        let mut routes = Vec::new();
        if let Message::RouteMonitoring { update, .. } = &message {
            routes.extend(update.announced().map(|nlri| format!("+{} {}", nlri.prefix, nlri.path_id)));
            routes.extend(update.withdrawn().map(|nlri| format!("-{} {}", nlri.prefix, nlri.path_id)));
        }
        routes.sort();
        all.push((name.to_owned(), peer.unwrap_or_default(), routes));
    }
    all
}

#[test]
fn every_message_that_netgauze_decoded_is_decoded_alike_in_versions_3_and_4() {
    let Some(captures) = captures() else { return };
    let pairs = netgauze(&captures);
    assert_eq!(pairs.len(), 6);
    for (capture, json) in pairs {
        let text = std::fs::read_to_string(&json).unwrap();
        let mut theirs: Vec<_> = text.lines().filter(|line| !line.is_empty()).map(by_netgauze).collect();
        let mut ours: Vec<_> = bmp_streams(&capture).iter().flat_map(|stream| by_us(stream)).collect();
        // It prints several streams as their packets come.
        theirs.sort();
        ours.sort();
        assert_eq!(ours, theirs, "{}", capture.display());
    }
}
