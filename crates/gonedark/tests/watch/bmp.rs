//! A BMP station on this machine, and routers that connect to it.

use crate::bmp_station::Listening;
use crate::ris_server::captures;
use gonedark::source::archive::{ArchiveReader, Workers};
use gonedark::source::batch::Observation;
use gonedark::source::bmp::{Distinguisher, Taken};
use gonedark::source::parcel::Parcel;
use gonedark_decode::bmp::{self, Decoder, Frame, Message, PeerType, PerPeer, View};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;

#[path = "../../../gonedark-decode/tests/support/pcap.rs"]
#[allow(dead_code, unreachable_pub, reason = "another crate's tests take the rest of it")]
mod pcap;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (6 + body.len()) as u32;
    [&[3], &length.to_be_bytes()[..], &[kind], body].concat()
}

/// Initiation (RFC 7854 section 4.3) with the name of the router.
fn initiation(name: &str) -> Vec<u8> {
    let tlv = |kind: u8, text: &str| [&[0, kind, 0, text.len() as u8], text.as_bytes()].concat();
    message(4, &[tlv(1, "none"), tlv(2, name)].concat())
}

/// Peer Down (section 4.9) of AS64496 at 192.0.2.1: the shortest that tells of a session.
fn peer_down() -> Vec<u8> {
    let mut header = vec![0; 42];
    header[22..26].copy_from_slice(&[192, 0, 2, 1]);
    header[26..30].copy_from_slice(&64496u32.to_be_bytes());
    header.push(4);
    message(2, &header)
}

fn collectors(parcels: &[Parcel]) -> Vec<&str> {
    let mut names: Vec<&str> = parcels.iter().map(|parcel| parcel.stream.collector.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn closings(parcels: &[Parcel]) -> usize {
    parcels.iter().filter(|parcel| parcel.closed).count()
}

#[test]
fn two_routers_of_one_name_are_two_collectors() {
    let station = Listening::new(Taken::PrePolicy);
    let said = [initiation("GoBGP"), peer_down()].concat();
    let mut first = station.connect([127, 0, 0, 2]);
    first.write_all(&said).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    let mut second = station.connect([127, 0, 0, 3]);
    second.write_all(&said).expect("sent");
    let parcels = station.until(|parcels| collectors(parcels).len() == 2);
    assert_eq!(collectors(&parcels), ["station/GoBGP", "station/GoBGP@127.0.0.3"]);
    drop((first, second));
    station.until(|parcels| closings(parcels) == 2);
}

#[test]
fn a_router_that_connects_anew_takes_the_place_of_its_dead_connection() {
    let station = Listening::new(Taken::PrePolicy);
    let said = [initiation("edge"), peer_down()].concat();
    let mut dead = station.connect([127, 0, 0, 2]);
    dead.write_all(&said).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    let mut anew = station.connect([127, 0, 0, 2]);
    anew.write_all(&said).expect("sent");
    let begins = |parcels: &[Parcel]| parcels.iter().any(|parcel| parcel.fresh);
    let parcels = station.until(begins);
    assert_eq!((collectors(&parcels), closings(&parcels)), (vec!["station/edge"], 0));
    drop(dead);
    drop(anew);
    let parcels = station.until(|parcels| closings(parcels) > 0);
    assert_eq!(closings(&parcels), 1, "the dead one says nothing more");
}

/// A neighbour's session is up (RFC 7854 section 4.10).
fn peer_up(last: u8) -> Vec<u8> {
    let mut body = vec![0; 26];
    body[22..26].copy_from_slice(&[192, 0, 2, last]);
    body.extend([0, 0, 0xfb, 0xf4, 192, 0, 2, last]);
    body.extend([0; 8]);
    body.extend([0; 20]);
    for _ in 0..2 {
        body.extend([0xff; 16]);
        body.extend([0, 29, 1, 4, 0xfb, 0xf4, 0, 180, 192, 0, 2, last, 0]);
    }
    message(3, &body)
}

#[test]
fn neighbours_that_a_dead_connection_has_told_of_are_down_unless_the_next_tells_of_them_too() {
    let station = Listening::new(Taken::PrePolicy);
    let mut dead = station.connect([127, 0, 0, 2]);
    dead.write_all(&[initiation("edge"), peer_up(1), peer_up(2)].concat()).expect("sent");
    station.until(|parcels| parcels.iter().any(|parcel| parcel.batch.peers.len() == 2));
    let mut anew = station.connect([127, 0, 0, 2]);
    anew.write_all(&[initiation("edge"), peer_up(1)].concat()).expect("sent");
    let parcels = station.until(|parcels| parcels.iter().any(|parcel| parcel.fresh));
    let batch = &parcels.iter().find(|parcel| parcel.fresh).expect("the first of the next").batch;
    let sessions = batch.observations.iter().filter_map(|(_, what)| match what {
        Observation::Session { peer, established } => {
            let address = batch.peers[usize::from(*peer)].address.to_string();
            Some((address.rsplit('.').next().expect("an end").to_owned(), *established))
        }
        _ => None,
    });
    let mut sessions: Vec<_> = sessions.collect();
    assert_eq!(sessions.pop(), Some(("1".to_owned(), true)), "{batch:?}");
    sessions.sort();
    assert_eq!(sessions, [("1".to_owned(), false), ("2".to_owned(), false)]);
    drop((dead, anew));
}

#[test]
fn a_router_that_goes_away_leaves_nobody_who_sees() {
    let station = Listening::new(Taken::PrePolicy);
    let mut router = station.connect([127, 0, 0, 2]);
    router.write_all(&[initiation("edge"), peer_down()].concat()).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    drop(router);
    let parcels = station.until(|parcels| closings(parcels) == 1);
    let last = parcels.last().and_then(|parcel| parcel.batch.observations.last());
    assert!(matches!(last, Some((_, Observation::GapBegin { .. }))), "{last:?}");
}

#[test]
fn a_router_is_known_by_its_ipv4_address_where_the_station_listens_to_both_families() {
    // Where the system has no IPv6 there is nothing to try.
    let Ok(free) = TcpListener::bind("[::]:0") else { return };
    let listen = free.local_addr().expect("a port");
    drop(free);
    let station = Listening::at(listen, vec![[127, 0, 0, 2].into()], (Taken::PrePolicy, None));
    let mut router = station.connect([127, 0, 0, 2]);
    // It does not say its name.
    router.write_all(&peer_down()).expect("sent");
    let parcels = station.until(|parcels| !parcels.is_empty());
    assert_eq!(collectors(&parcels), ["station/127.0.0.2"]);
}

/// What is said of routes: announced, withdrawn, ends of tables.
type Said = [usize; 3];

/// By the decoder alone: messages, and what is said of one of a router's tables.
fn decoded(stream: &[u8], is_of: impl Fn(&PerPeer) -> bool) -> (u64, Said) {
    let (mut decoder, mut messages, mut said) = (Decoder::new(), 0, Said::default());
    for raw in bmp::messages(stream).flatten() {
        messages += 1;
        if let Ok(Message::RouteMonitoring { peer, update }) = decoder.decode(raw)
            && is_of(&peer)
        {
            let (announced, withdrawn) = (update.announced().count(), update.withdrawn().count());
            let is_end = announced + withdrawn == 0 && update.end_of_rib.is_some();
            said = [said[0] + announced, said[1] + withdrawn, said[2] + usize::from(is_end)];
        }
    }
    (messages, said)
}

/// By the station, to which every stream is sent by a router of its own.
fn heard(streams: &[Vec<u8>], (view, vrf): (Taken, Option<Distinguisher>), messages: u64) -> (u64, Said) {
    let mut station = Listening::of(view, vrf);
    let mut parcels = Vec::new();
    std::thread::scope(|scope| {
        for (number, stream) in streams.iter().enumerate() {
            let mut router = station.connect([127, 0, 1, number as u8 + 1]);
            scope.spawn(move || router.write_all(stream).expect("it is taken"));
        }
        parcels = station.drain(|station| station.messages() >= messages);
    });
    let read = station.messages();
    parcels.extend(station.end());
    let mut said = Said::default();
    for (_, observation) in parcels.iter().flat_map(|parcel| &parcel.batch.observations) {
        match observation {
            Observation::Update { networks, withdrawn, .. } => {
                said[0] += networks.len() - *withdrawn as usize;
                said[1] += *withdrawn as usize;
            }
            Observation::EndOfRib { .. } => said[2] += 1,
            _ => {}
        }
    }
    (read, said)
}

type OfView = fn(View) -> bool;

const VIEWS: [(Taken, OfView); 3] = [
    (Taken::PrePolicy, |view| view == View::InPrePolicy),
    (Taken::PostPolicy, |view| view == View::InPostPolicy),
    (Taken::LocRib, |view| matches!(view, View::LocRib { .. })),
];

/// The routing instances of some streams, the global one first.
fn instances(streams: &[Vec<u8>]) -> Vec<Option<Distinguisher>> {
    let (mut decoder, mut all) = (Decoder::new(), BTreeSet::new());
    for raw in streams.iter().flat_map(|stream| bmp::messages(stream)).flatten() {
        if let Ok(Message::RouteMonitoring { peer, .. }) = decoder.decode(raw) {
            all.extend((instance(&peer) != 0).then(|| instance(&peer)));
        }
    }
    [None].into_iter().chain(all.into_iter().map(Distinguisher).map(Some)).collect()
}

fn instance(peer: &PerPeer) -> u64 {
    if peer.kind == PeerType::Global { 0 } else { peer.distinguisher }
}

#[test]
fn every_capture_says_through_the_station_what_is_in_it() {
    let Some(captures) = captures() else { return };
    let provenance = std::fs::read_to_string(captures.join("PROVENANCE.md")).expect("a list");
    let (mut count, mut instances_seen, mut all) = (0, 0, Said::default());
    for row in provenance.lines().filter(|line| line.contains("kind BMP pcap")) {
        let name = row.split('|').nth(1).expect("a name").trim();
        let capture = std::fs::read(captures.join(name)).expect("a capture");
        let streams = pcap::streams(&capture).into_iter().map(|stream| stream.bytes);
        let is_bmp = |bytes: &Vec<u8>| matches!(bmp::frame(bytes, 0), Frame::Message { .. });
        let streams: Vec<Vec<u8>> = streams.filter(is_bmp).collect();
        let of_all = instances(&streams);
        instances_seen += of_all.len() - 1;
        for (view, is_of) in VIEWS {
            // What of no instance is asked for is of another: nothing is lost between them.
            let mut whole = Said::default();
            for vrf in &of_all {
                let asked = vrf.map_or(0, |Distinguisher(number)| number);
                let mut expected = (0, Said::default());
                for stream in &streams {
                    let of = |peer: &PerPeer| is_of(peer.view) && instance(peer) == asked;
                    let (messages, said) = decoded(stream, of);
                    expected.0 += messages;
                    (0..3).for_each(|which| expected.1[which] += said[which]);
                }
                assert_eq!(heard(&streams, (view, *vrf), expected.0), expected, "{name} {view:?} {vrf:?}");
                (0..3).for_each(|which| whole[which] += expected.1[which]);
            }
            let all_of = |stream: &Vec<u8>| decoded(stream, |peer| is_of(peer.view)).1;
            let said = streams
                .iter()
                .map(all_of)
                .fold(Said::default(), |all, said| [all[0] + said[0], all[1] + said[1], all[2] + said[2]]);
            assert_eq!(whole, said, "{name} {view:?}");
            (0..3).for_each(|which| all[which] += whole[which]);
        }
        count += 1;
    }
    assert!(count >= 50 && instances_seen > 10 && all.iter().all(|said| *said > 100), "{count} {all:?}");
}

#[test]
fn the_table_of_the_m320_comes_whole_through_the_station() {
    let Some(captures) = captures() else { return };
    let bytes = unpacked(&captures.join("hdb3-bmplib/m320.bmp.xz"));
    let (read, said) = heard(&[bytes], (Taken::PrePolicy, None), 139_282);
    assert_eq!((read, said[0], said[1]), (139_282, 707_576, 4));
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut reader = ArchiveReader::open(path, &Workers::per_core()).expect("it opens");
    let (mut all, mut chunk) = (Vec::new(), Vec::new());
    while reader.next_chunk(&mut chunk).expect("it is whole") {
        all.extend_from_slice(&chunk);
    }
    all
}
