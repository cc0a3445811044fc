//! What holds for every input: no panic, and what the encoder of the tests writes is what the decoder reads.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a library there and a module here")]
mod fuzz;
mod support;

use gonedark_decode::bgp::{AddPath, Message, Session};
use gonedark_decode::mrt::{Decoder, PeerAddress, Record, records};
use gonedark_route::{Asn, AsnSize, Family, Nlri, PathView, Prefix, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::IpAddr;
use support::wire;

fn prefix(family: Family) -> impl Strategy<Value = Prefix> {
    (any::<u128>(), 0..=family.bits()).prop_map(move |(bits, length)| {
        let bits = if family == Family::V4 { bits << 96 } else { bits };
        Prefix::from_bits(family, bits, length).unwrap()
    })
}

/// Prefixes; with path identifiers where `with_ids`.
fn nlris(family: Family, with_ids: bool) -> impl Strategy<Value = Vec<Nlri>> {
    vec((prefix(family), any::<u32>()), 0..8).prop_map(move |list| {
        let one = |(prefix, id)| Nlri { prefix, path_id: if with_ids { id } else { 0 } };
        list.into_iter().map(one).collect()
    })
}

fn segments(max: u32) -> impl Strategy<Value = Vec<(u8, Vec<u32>)>> {
    vec((1..=2_u8, vec(1..=max, 1..6)), 0..4)
}

fn path_bytes(segments: &[(u8, Vec<u32>)], size: AsnSize) -> Vec<u8> {
    let borrowed: Vec<(u8, &[u32])> = segments.iter().map(|(kind, asns)| (*kind, &asns[..])).collect();
    wire::path(&borrowed, size)
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn arbitrary_bytes_panic_nowhere(bytes in vec(any::<u8>(), 0..2048)) {
        fuzz::mrt(&bytes);
        fuzz::bgp_update(&bytes);
    }

    #[test]
    fn arbitrary_bodies_in_good_headers_panic_nowhere(
        bodies in vec((prop_oneof![Just(5_u16), Just(12), Just(13), Just(16), Just(17)], 0..12_u16, vec(any::<u8>(), 0..200)), 0..6)
    ) {
        let file: Vec<u8> = bodies.iter().flat_map(|(kind, subtype, body)| wire::record(1_400_000_000, *kind, *subtype, body)).collect();
        fuzz::mrt(&file);
    }

    #[test]
    fn arbitrary_attributes_in_a_good_update_panic_nowhere(
        codes in vec((any::<u8>(), 0..40_u8, vec(any::<u8>(), 0..40)), 0..8),
        announced in vec(any::<u8>(), 0..40),
    ) {
        let attributes: Vec<u8> = codes.iter().flat_map(|(flags, code, value)| wire::attribute(flags & !0x10, *code, value)).collect();
        fuzz::bgp_update(&wire::update(&[], &attributes, &announced));
    }

    #[test]
    fn an_update_is_read_as_it_was_written(
        (ids, v4, v4_gone, v6, v6_gone) in any::<bool>().prop_flat_map(|ids| (
            Just(ids),
            nlris(Family::V4, ids), nlris(Family::V4, ids), nlris(Family::V6, ids), nlris(Family::V6, ids),
        )),
        (four, segments) in any::<bool>().prop_flat_map(|four| (Just(four), segments(if four { u32::MAX } else { 65_535 }))),
    ) {
        let size = if four { AsnSize::Four } else { AsnSize::Two };
        let path = path_bytes(&segments, size);
        let attributes = [
            wire::attributes_of(&path),
            wire::mp_reach(Family::V6, 1, &wire::nlri(&v6, ids)),
            wire::mp_unreach(Family::V6, 1, &wire::nlri(&v6_gone, ids)),
        ].concat();
        let message = wire::update(&wire::nlri(&v4_gone, ids), &attributes, &wire::nlri(&v4, ids));
        let add_path = if ids { AddPath::Agreed } else { AddPath::No };
        let session = Session { asn_size: size, add_path_v4: add_path, add_path_v6: add_path };
        let mut scratch = Vec::new();
        let Ok(Message::Update(update)) = Message::read(&message, 0, &session, &mut scratch) else { panic!("refused") };
        prop_assert!(update.warnings.is_empty());
        prop_assert_eq!(update.announced().collect::<Vec<_>>(), [v4, v6].concat());
        prop_assert_eq!(update.withdrawn().collect::<Vec<_>>(), [v4_gone, v6_gone].concat());
        prop_assert_eq!(update.path.unwrap().to_string(), PathView::new(&path, size).to_string());
    }

    #[test]
    fn a_path_through_an_old_speaker_is_the_path_of_a_new_one(segments in segments(u32::MAX)) {
        // What an old speaker passes on: AS_TRANS for every large ASN, and the true path beside it.
        let old: Vec<(u8, Vec<u32>)> = segments.iter()
            .map(|(kind, asns)| (*kind, asns.iter().map(|asn| if *asn > 65_535 { 23_456 } else { *asn }).collect()))
            .collect();
        let true_path = path_bytes(&segments, AsnSize::Four);
        let attributes = [
            wire::attributes_of(&path_bytes(&old, AsnSize::Two)),
            wire::attribute(0xC0, 17, &true_path),
        ].concat();
        let message = wire::update(&[], &attributes, &wire::prefixes(&["175.45.176.0/24"]));
        let session = Session { asn_size: AsnSize::Two, add_path_v4: AddPath::No, add_path_v6: AddPath::No };
        let mut scratch = Vec::new();
        let Ok(Message::Update(update)) = Message::read(&message, 0, &session, &mut scratch) else { panic!("refused") };
        prop_assert_eq!(update.path.unwrap().to_string(), PathView::new(&true_path, AsnSize::Four).to_string());
    }

    #[test]
    fn a_row_is_read_as_it_was_written(
        peers in vec((1..u32::MAX, address()), 1..20),
        network in prop_oneof![prefix(Family::V4), prefix(Family::V6)],
        ids in any::<bool>(),
        entries in vec((any::<prop::sample::Index>(), any::<u32>(), vec(1..u32::MAX, 1..6)), 0..20),
    ) {
        let written: Vec<_> = entries.iter().map(|(peer, id, asns)| {
            (peer.index(peers.len()) as u16, ids.then_some(*id), wire::attributes(asns, AsnSize::Four))
        }).collect();
        let subtype = if network.family() == Family::V4 { 2 } else { 4 } + if ids { 6 } else { 0 };
        let file = [
            wire::record(1_400_000_000, 13, 1, &wire::peer_index_table(&peers)),
            wire::record(1_400_000_000, 13, subtype, &wire::rib_row(7, network, &written)),
        ].concat();
        let raws: Vec<_> = records(&file).collect::<Result<_, _>>().unwrap();
        let mut decoder = Decoder::new();
        let _ = decoder.decode(raws[0]);
        let Ok(Record::RibRow(row)) = decoder.decode(raws[1]) else { panic!("refused") };
        prop_assert_eq!((row.prefix, row.sequence, usize::from(row.count)), (network, 7, entries.len()));
        for (entry, (peer, id, asns)) in row.entries().zip(&entries) {
            let entry = entry.unwrap();
            let (asn, address) = peers[peer.index(peers.len())];
            prop_assert_eq!(row.peer(entry.peer_index), Some(PeerAddress { asn: Asn(asn), address }));
            prop_assert_eq!(entry.path_id, if ids { *id } else { 0 });
            let read: Vec<u32> = entry.attributes.path().unwrap().segments().flat_map(|segment| segment.asns().map(|asn| asn.0)).collect();
            prop_assert_eq!(&read, asns);
        }
        prop_assert_eq!(row.entries().count(), entries.len());
    }

    #[test]
    fn records_are_cut_where_they_were_put_together(bodies in vec((any::<u32>(), vec(any::<u8>(), 0..100)), 0..20)) {
        let file: Vec<u8> = bodies.iter().flat_map(|(at, body)| wire::record(*at, 13, 2, body)).collect();
        let read: Vec<_> = records(&file).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(read.len(), bodies.len());
        for (raw, (at, body)) in read.iter().zip(&bodies) {
            prop_assert_eq!((raw.at, raw.body), (Time::from_seconds(i64::from(*at)), &body[..]));
        }
    }

    #[test]
    fn one_flipped_byte_costs_at_most_the_records_it_can_hide(
        at in any::<prop::sample::Index>(), value in any::<u8>(), count in 3..30_usize,
    ) {
        let body = [
            wire::ends(AsnSize::Four, 64500, 64999, IpAddr::from([192, 0, 2, 7])),
            wire::update(&[], &wire::attributes(&[64500, 131279], AsnSize::Four), &wire::prefixes(&["175.45.176.0/24"])),
        ].concat();
        let one = wire::record(1_400_000_000, 16, 4, &body);
        let mut file = one.repeat(count);
        let at = at.index(file.len());
        file[at] = value;
        // A flipped length hides what it covers; everything else costs the record itself.
        let hidden = if (8..12).contains(&(at % one.len())) { count } else { at / one.len() + 1 };
        let mut decoder = Decoder::new();
        let whole = records(&file).flatten()
            .filter(|raw| matches!(decoder.decode(*raw), Ok(Record::Update { .. })))
            .filter(|raw| raw.offset as usize / one.len() != at / one.len())
            .count();
        prop_assert!(whole >= at / one.len() + (count - hidden.min(count)), "{} of {}", whole, count);
    }
}

/// A length of entries that is not there takes no memory: what is read is what there is.
#[test]
fn a_peer_index_table_that_lies_about_its_count_keeps_the_peers_it_has() {
    let peer = IpAddr::from([192, 0, 2, 7]);
    let mut body = wire::peer_index_table(&[(64500, peer)]);
    body[6..8].copy_from_slice(&[0xFF, 0xFF]);
    let row = wire::rib_row(0, "10.0.0.0/8".parse().unwrap(), &[(0, None, vec![]), (1, None, vec![])]);
    let file = [wire::record(1, 13, 1, &body), wire::record(1, 13, 2, &row)].concat();
    let mut decoder = Decoder::new();
    let raws: Vec<_> = records(&file).collect::<Result<_, _>>().unwrap();
    assert!(decoder.decode(raws[0]).is_err());
    let Ok(Record::RibRow(row)) = decoder.decode(raws[1]) else { panic!("refused") };
    assert_eq!(row.peer(0), Some(PeerAddress { asn: Asn(64500), address: peer }));
    assert_eq!(row.peer(1), None);
}
