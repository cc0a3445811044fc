//! BMP as the tests' own encoder writes it: what is read is what was written, odd forms are tolerated, damage costs
//! what it hides and no more.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a library there and a module here")]
mod fuzz;
mod support;

use gonedark_decode::bgp::Warning;
use gonedark_decode::bmp::{
    self, Counter, Decoder, Frame, MESSAGE_MAX, Message, Notification, PeerDown, PeerType, PerPeer, View,
    frame, messages, tlv,
};
use gonedark_decode::{DecodeError, Field};
use gonedark_route::{Asn, AsnSize, Nlri, Time};
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};
use support::bmp_wire::{self, OUT, PEER, POST, Peer, TWO_BYTE};
use support::wire;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254));
const LOC_RIB: Peer = Peer { kind: 3, address: IpAddr::V4(Ipv4Addr::UNSPECIFIED), ..PEER };

fn announce(size: AsnSize) -> Vec<u8> {
    wire::update(
        &[],
        &wire::attributes(&[64_500, 4_837, 23_456], size),
        &wire::prefixes(&["175.45.176.0/24"]),
    )
}

fn with_path_ids() -> Vec<u8> {
    let nlri = [Nlri { prefix: "10.0.0.0/8".parse().unwrap(), path_id: 0x0A00_0001 }];
    wire::update(&[], &wire::attributes(&[64_500], AsnSize::Four), &wire::nlri(&nlri, true))
}

/// What the last message of a stream says, as text.
fn last(stream: &[u8]) -> String {
    let mut decoder = Decoder::new();
    let mut said = String::new();
    for raw in messages(stream) {
        said = match decoder.decode(raw.unwrap()) {
            Ok(Message::RouteMonitoring { update, .. }) => {
                let nlri = update.announced().map(|nlri| format!(" {}#{}", nlri.prefix, nlri.path_id));
                let path = update.path.map(|path| path.to_string()).unwrap_or_default();
                format!("{path}:{}", nlri.collect::<String>())
            }
            other => format!("{other:?}"),
        };
    }
    said
}

fn one<T>(bytes: &[u8], look: impl FnOnce(Message<'_>) -> T) -> T {
    let mut decoder = Decoder::new();
    let raw = messages(bytes).next().unwrap().unwrap();
    look(decoder.decode(raw).unwrap())
}

#[test]
fn a_peer_is_told_by_type_view_and_flags() {
    let read = |peer: &Peer| {
        one(&bmp_wire::of_peer(2, peer, &[4]), |message| match message {
            Message::PeerDown { peer, .. } => peer,
            other => panic!("{other:?}"),
        })
    };
    let expected = PerPeer {
        kind: PeerType::Global,
        distinguisher: 0,
        address: PEER.address,
        asn: Asn(64_500),
        identifier: Ipv4Addr::new(192, 0, 2, 7),
        at: Some(Time::from_micros(1_419_264_900_000_250)),
        view: View::InPrePolicy,
        asn_size: AsnSize::Four,
    };
    assert_eq!(read(&PEER), expected);
    for (flags, view) in
        [(POST, View::InPostPolicy), (OUT, View::OutPrePolicy), (OUT | POST, View::OutPostPolicy)]
    {
        assert_eq!(read(&Peer { flags, ..PEER }), PerPeer { view, ..expected });
    }
    let v6: IpAddr = "2001:db8::7".parse().unwrap();
    let two = Peer { flags: TWO_BYTE, address: v6, ..PEER };
    assert_eq!(read(&two), PerPeer { asn_size: AsnSize::Two, address: v6, ..expected });
    let vpn = Peer { kind: 1, distinguisher: 7, ..PEER };
    assert_eq!(read(&vpn), PerPeer { kind: PeerType::Distinguished, distinguisher: 7, ..expected });
    let unstamped = Peer { seconds: 0, micros: 0, ..PEER };
    assert_eq!(read(&unstamped).at, None);
    let filtered = read(&Peer { flags: 0x80, ..LOC_RIB });
    assert_eq!((filtered.kind, filtered.view), (PeerType::LocRib, View::LocRib { filtered: true }));
    assert_eq!(filtered.address, LOC_RIB.address);
}

#[test]
fn routes_of_a_peer_that_never_came_up_are_read_by_the_header_and_the_bytes() {
    assert_eq!(
        last(&bmp_wire::monitoring(&PEER, &announce(AsnSize::Four))),
        "64500 4837 23456: 175.45.176.0/24#0"
    );
    let two = Peer { flags: TWO_BYTE, ..PEER };
    assert_eq!(
        last(&bmp_wire::monitoring(&two, &announce(AsnSize::Two))),
        "64500 4837 23456: 175.45.176.0/24#0"
    );
    // A router that forgets the flag, or sets it without need.
    assert_eq!(
        last(&bmp_wire::monitoring(&PEER, &announce(AsnSize::Two))),
        "64500 4837 23456: 175.45.176.0/24#0"
    );
    assert_eq!(
        last(&bmp_wire::monitoring(&two, &announce(AsnSize::Four))),
        "64500 4837 23456: 175.45.176.0/24#0"
    );
}

#[test]
fn path_identifiers_are_those_that_the_opens_agreed_on_for_that_direction() {
    let stream = |peer: &Peer, router: u8, neighbour: u8, view: u8| {
        let (sent, received) =
            (wire::open(64_999, &[wire::add_path(router)]), wire::open(64_500, &[wire::add_path(neighbour)]));
        let monitoring = bmp_wire::monitoring(&Peer { flags: view, ..*peer }, &with_path_ids());
        last(&[bmp_wire::up(peer, LOCAL, &sent, &received, &[]), monitoring].concat())
    };
    let agreed = "64500: 10.0.0.0/8#167772161";
    // 1 receives, 2 sends.
    assert_eq!(stream(&PEER, 1, 2, 0), agreed);
    assert_eq!(stream(&PEER, 2, 1, OUT), agreed);
    assert_ne!(stream(&PEER, 2, 1, 0), agreed);
    assert_ne!(stream(&PEER, 1, 2, OUT), agreed);
    // Another table of the same neighbour has agreed on nothing.
    let elsewhere = Peer { kind: 1, distinguisher: 7, ..PEER };
    let open = wire::open(64_500, &[wire::add_path(3)]);
    let up = bmp_wire::up(&PEER, LOCAL, &open, &open, &[]);
    assert_ne!(last(&[up.clone(), bmp_wire::monitoring(&elsewhere, &with_path_ids())].concat()), agreed);
    // And neither has one whose session is down.
    let down = bmp_wire::of_peer(2, &PEER, &[4]);
    assert_ne!(last(&[up, down, bmp_wire::monitoring(&PEER, &with_path_ids())].concat()), agreed);
}

#[test]
fn a_loc_rib_may_use_path_identifiers_that_its_opens_leave_out() {
    let nlri: Vec<Nlri> =
        ["10.0.0.0/8", "10.1.0.0/16"].map(|text| Nlri { prefix: text.parse().unwrap(), path_id: 1 }).to_vec();
    let update = wire::update(&[], &wire::attributes(&[64_500], AsnSize::Four), &wire::nlri(&nlri, true));
    for capabilities in [vec![], vec![wire::add_path(1)], vec![wire::add_path(3)]] {
        let open = wire::open(64_500, &capabilities);
        let up =
            bmp_wire::up(&LOC_RIB, LOC_RIB.address, &open, &open, &bmp_wire::tlv(tlv::TABLE_NAME, b"global"));
        let stream = [up, bmp_wire::monitoring(&LOC_RIB, &update)].concat();
        assert_eq!(last(&stream), "64500: 10.0.0.0/8#1 10.1.0.0/16#1", "{capabilities:?}");
    }
}

#[test]
fn a_route_without_next_hop_is_announced_all_the_same() {
    let path = wire::path(&[(2, &[64_500])], AsnSize::Four);
    let attributes = [wire::attribute(0x40, 1, &[0]), wire::attribute(0x40, 2, &path)].concat();
    let update = wire::update(&[], &attributes, &wire::prefixes(&["175.45.176.0/24"]));
    one(&bmp_wire::monitoring(&LOC_RIB, &update), |message| {
        let Message::RouteMonitoring { update, .. } = message else { panic!("{message:?}") };
        assert_eq!((update.announced().count(), update.withdrawn().count()), (1, 0));
        assert!(update.warnings.iter().eq([Warning::NextHopNotTold]));
    });
}

#[test]
fn what_would_reset_a_session_names_the_peer_and_gives_no_routes() {
    let cut = &announce(AsnSize::Four)[..40];
    let keepalive = wire::message(4, &[]);
    for bytes in [cut, &keepalive, &[]] {
        one(&bmp_wire::monitoring(&PEER, bytes), |message| match message {
            Message::Damaged { peer, error } => {
                assert_eq!(peer.asn, Asn(64_500));
                assert!(error.offset() >= 48, "{error}");
            }
            other => panic!("{other:?}"),
        });
    }
}

#[test]
fn a_peer_up_has_both_opens_and_what_else_is_told() {
    let tlvs = [bmp_wire::tlv(tlv::TABLE_NAME, b"blue"), bmp_wire::tlv(99, b"?")].concat();
    let (sent, received) = (wire::open(64_999, &[]), wire::open(131_279, &[]));
    one(&bmp_wire::up(&PEER, LOCAL, &sent, &received, &tlvs), |message| {
        let Message::PeerUp { up, .. } = message else { panic!("{message:?}") };
        assert_eq!((up.local_address, up.local_port, up.remote_port), (LOCAL, 179, 40_000));
        assert_eq!((up.sent.unwrap().asn, up.received.unwrap().asn), (Asn(64_999), Asn(131_279)));
        assert_eq!(
            (up.information.first(tlv::TABLE_NAME), up.information.iter().count()),
            (Some(&b"blue"[..]), 2)
        );
        assert_eq!(up.damage, None);
    });
    // The session is up, whatever its OPENs are.
    for (sent, received, both) in [
        (&b""[..], &b""[..], false),
        (&sent, b"odd", false),
        (b"odd", &received, false),
        (&sent, &received, true),
    ] {
        one(&bmp_wire::up(&PEER, LOCAL, sent, received, &[]), |message| {
            let Message::PeerUp { up, .. } = message else { panic!("{message:?}") };
            assert_eq!(up.damage.is_none() && up.received.is_some(), both);
        });
    }
}

#[test]
fn a_peer_goes_down_with_its_reason_even_if_it_never_came_up_or_the_reason_is_cut() {
    let read = |body: &[u8]| {
        one(&bmp_wire::of_peer(2, &PEER, body), |message| match message {
            Message::PeerDown { down, .. } => format!("{down:?}"),
            other => panic!("{other:?}"),
        })
    };
    let notification = [&[1][..], &wire::message(3, &[6, 4])].concat();
    let told = PeerDown::LocalNotification(Some(Notification { code: 6, subcode: 4 }));
    assert_eq!(read(&notification), format!("{told:?}"));
    assert_eq!(read(&[1]), "LocalNotification(None)");
    assert_eq!(read(&[2, 0, 10]), "LocalEvent(Some(10))");
    assert_eq!(read(&[3, 0xFF]), "RemoteNotification(None)");
    assert_eq!(read(&[4]), "RemoteSilent");
    assert_eq!(read(&[5]), "Deconfigured");
    assert_eq!(read(&[77]), "Other(77)");
    assert_eq!(read(&[]), "Other(0)");
}

#[test]
fn counters_of_every_size_are_read_and_a_cut_one_ends_them() {
    let counters = [
        bmp_wire::tlv(0, &[0, 0, 0, 5]),
        bmp_wire::tlv(7, &[0, 0, 0, 0, 0, 0x0A, 0xCB, 0xE8]),
        bmp_wire::tlv(9, &[0, 2, 1, 0, 0, 0, 0, 0, 0, 0, 9]),
        bmp_wire::tlv(50, b"odd"),
    ];
    one(&bmp_wire::statistics(&PEER, &counters), |message| {
        let Message::Statistics { statistics, .. } = message else { panic!("{message:?}") };
        let read: Vec<_> = statistics.iter().map(Result::unwrap).collect();
        let counter = |kind, family, value| Counter { kind, family, value };
        assert_eq!(read, [counter(0, None, 5), counter(7, None, 707_560), counter(9, Some((2, 1)), 9)]);
    });
    one(&bmp_wire::statistics(&PEER, &[vec![0, 0, 0, 9, 1]]), |message| {
        let Message::Statistics { statistics, .. } = message else { panic!("{message:?}") };
        assert!(
            statistics.iter().map(|counter| counter.map_err(DecodeError::field)).eq([Err(Field::BmpTlv)])
        );
    });
}

#[test]
fn a_router_names_itself_and_says_why_it_leaves() {
    let tlvs = [bmp_wire::tlv(tlv::SYSTEM_DESCRIPTION, b"invented"), bmp_wire::tlv(tlv::SYSTEM_NAME, b"r1")];
    one(&bmp_wire::message(3, 4, &tlvs.concat()), |message| {
        let Message::Initiation(tlvs) = message else { panic!("{message:?}") };
        assert_eq!(tlvs.first(tlv::SYSTEM_NAME), Some(&b"r1"[..]));
        assert_eq!(tlvs.first(tlv::SYSTEM_DESCRIPTION), Some(&b"invented"[..]));
    });
    let tlvs = [bmp_wire::tlv(tlv::REASON, &[0, 2]), bmp_wire::tlv(tlv::STRING, b"full")];
    one(&bmp_wire::message(3, 5, &tlvs.concat()), |message| {
        let Message::Termination(tlvs) = message else { panic!("{message:?}") };
        assert_eq!((tlvs.reason(), tlvs.first(tlv::STRING)), (Some(2), Some(&b"full"[..])));
    });
}

#[test]
fn the_update_of_version_4_stands_among_other_values_and_may_say_how_it_is_written() {
    let of = |tlvs: &[Vec<u8>]| {
        last(&bmp_wire::message(4, 0, &[bmp_wire::per_peer(&PEER), tlvs.concat()].concat()))
    };
    let (group, name) = (bmp_wire::indexed(2, 0x8001, &[0, 1]), bmp_wire::indexed(3, 0, b"global"));
    let update = |bytes: &[u8]| bmp_wire::indexed(4, 0, bytes);
    let plain = update(&announce(AsnSize::Four));
    assert_eq!(of(&[group.clone(), plain, name.clone()]), "64500 4837 23456: 175.45.176.0/24#0");
    let stateless = bmp_wire::indexed(1, 0, &[69, 4, 0, 1, 1, 1]);
    assert_eq!(of(&[stateless, update(&with_path_ids())]), "64500: 10.0.0.0/8#167772161");
    assert_eq!(of(&[group, name]), "Ok(Unsupported { kind: 0 })");
    assert!(of(&[vec![0, 4, 0, 9, 0, 0, 1]]).contains("Damaged"));
}

#[test]
fn unknown_types_are_passed_over_and_mirrored_messages_give_no_routes() {
    assert_eq!(last(&bmp_wire::message(3, 200, b"?")), "Ok(Unsupported { kind: 200 })");
    let mirrored = bmp_wire::of_peer(6, &PEER, &bmp_wire::tlv(0, &announce(AsnSize::Four)));
    one(&mirrored, |message| {
        let Message::RouteMirroring { messages, .. } = message else { panic!("{message:?}") };
        assert_eq!(messages.iter().count(), 1);
    });
}

#[test]
fn versions_without_a_length_and_lengths_without_sense_are_damage() {
    let error = |bytes: &[u8]| match frame(bytes, 100) {
        Frame::Damaged { error, .. } => error,
        other => panic!("{other:?}"),
    };
    let good = bmp_wire::monitoring(&PEER, &announce(AsnSize::Four));
    for version in [0, 1, 2, 5] {
        let old = [&[version][..], &good[1..], &good].concat();
        assert_eq!(
            error(&old),
            DecodeError::Value { offset: 100, field: Field::BmpVersion, found: version.into() }
        );
    }
    for (kind, length) in [(0, 47), (4, 5), (0, MESSAGE_MAX + 1), (99, bmp::UNKNOWN_MAX + 1), (3, u32::MAX)] {
        let header = [&[3][..], &length.to_be_bytes(), &[kind], &good].concat();
        assert_eq!(
            error(&header),
            DecodeError::Value { offset: 101, field: Field::BmpLength, found: length }
        );
    }
}

#[test]
fn a_stream_that_ends_within_a_message_says_what_is_missing() {
    let good = bmp_wire::monitoring(&PEER, &announce(AsnSize::Four));
    let stream = [&good[..], &good[..50]].concat();
    let read: Vec<_> = messages(&stream).collect();
    let (needed, left) = (good.len() as u32, 50);
    let cut = DecodeError::Cut { offset: good.len() as u64, field: Field::BmpMessage, needed, left };
    assert_eq!((read.len(), read[1].map(|raw| raw.offset)), (2, Err(cut)));
}

fn stream() -> Vec<Vec<u8>> {
    let open = wire::open(64_500, &[wire::add_path(3)]);
    vec![
        bmp_wire::message(3, 4, &bmp_wire::tlv(tlv::SYSTEM_NAME, b"r1")),
        bmp_wire::up(&PEER, LOCAL, &open, &open, &[]),
        bmp_wire::monitoring(&PEER, &with_path_ids()),
        bmp_wire::statistics(&PEER, &[bmp_wire::tlv(7, &[0; 8])]),
        bmp_wire::of_peer(2, &PEER, &[4]),
        bmp_wire::message(3, 5, &bmp_wire::tlv(tlv::REASON, &[0, 0])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn arbitrary_bytes_panic_nowhere(bytes in vec(any::<u8>(), 0..2048)) {
        fuzz::bmp(&bytes);
    }

    #[test]
    fn arbitrary_bodies_in_good_headers_panic_nowhere(
        bodies in vec((3..=4_u8, 0..8_u8, any::<bool>(), vec(any::<u8>(), 0..200)), 0..6)
    ) {
        let stream: Vec<u8> = bodies.iter().flat_map(|(version, kind, peer, body)| {
            let before = if *peer { bmp_wire::per_peer(&PEER) } else { vec![] };
            bmp_wire::message(*version, *kind, &[before, body.clone()].concat())
        }).collect();
        fuzz::bmp(&stream);
    }

    #[test]
    fn after_damage_the_next_message_is_found(
        first in 5..=255_u8, damage in vec(any::<u8>(), 0..300), order in Just(stream()).prop_shuffle(),
    ) {
        // What begins with a sound header is a message, and hides what it says that it covers.
        let damage = [vec![first], damage].concat();
        let (first, rest) = order.split_first().unwrap();
        let bytes = [first.clone(), damage, rest.concat()].concat();
        let read: Vec<_> = messages(&bytes).collect();
        prop_assert_eq!(read.len(), order.len() + 1);
        prop_assert!(read[0].is_ok() && read[1].is_err());
        for (raw, written) in read[2..].iter().zip(rest) {
            prop_assert_eq!(raw.unwrap().body, &written[6..]);
        }
    }

    #[test]
    fn how_a_stream_is_cut_into_pieces_changes_nothing(
        cuts in vec(1..400_usize, 1..20), damage in vec(any::<u8>(), 0..40), order in Just(stream()).prop_shuffle(),
    ) {
        let bytes = [order[..3].concat(), damage, order[3..].concat()].concat();
        let whole: Vec<_> = messages(&bytes).map(|raw| raw.map(|raw| (raw.offset, raw.body.to_vec()))).collect();
        let (mut at, mut filled, mut parts) = (0, 0, Vec::new());
        let mut sizes = cuts.iter().cycle();
        loop {
            match frame(&bytes[at..filled], at as u64) {
                Frame::NeedMore { .. } if filled == bytes.len() => break,
                Frame::NeedMore { .. } => filled = (filled + sizes.next().unwrap()).min(bytes.len()),
                Frame::Message { message, consumed } => {
                    parts.push(Ok((message.offset, message.body.to_vec())));
                    at += consumed;
                }
                Frame::Damaged { error, skip } => {
                    parts.push(Err(error));
                    at += skip;
                }
            }
        }
        if at < bytes.len() {
            parts.push(Err(bmp::cut_at_end(&bytes[at..], at as u64)));
        }
        prop_assert_eq!(parts, whole);
    }

    #[test]
    fn a_peer_is_read_as_it_was_written(
        (kind, flags, distinguisher, asn) in (0..=4_u8, any::<u8>(), any::<u64>(), any::<u32>()),
        address in prop_oneof![any::<[u8; 4]>().prop_map(IpAddr::from), any::<[u8; 16]>().prop_map(IpAddr::from)],
        (identifier, seconds, micros) in (any::<u32>(), any::<u32>(), 0..1_000_000_u32),
    ) {
        let kind = if kind == 3 { 1 } else { kind };
        let peer = Peer { kind, flags: flags & 0x70, distinguisher, address, asn, identifier, seconds, micros };
        let bytes = bmp_wire::of_peer(2, &peer, &[5]);
        let mut decoder = Decoder::new();
        let raw = messages(&bytes).next().unwrap().unwrap();
        let Ok(Message::PeerDown { peer: read, .. }) = decoder.decode(raw) else { panic!("refused") };
        prop_assert_eq!((read.distinguisher, read.address, read.asn), (distinguisher, address, Asn(asn)));
        prop_assert_eq!(read.identifier, Ipv4Addr::from_bits(identifier));
        let at = i64::from(seconds) * 1_000_000 + i64::from(micros);
        prop_assert_eq!(read.at, (at != 0).then_some(Time::from_micros(at)));
        prop_assert_eq!(read.asn_size == AsnSize::Two, peer.flags & TWO_BYTE != 0);
    }
}
