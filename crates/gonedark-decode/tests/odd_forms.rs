//! Every odd form of field notes and RFCs, built here byte by byte: what old and careless writers left in archives.

mod support;

use gonedark_decode::bgp::{Message, Warning};
use gonedark_decode::mrt::{Decoder, Frame, Record, frame, records};
use gonedark_decode::{DecodeError, Field};
use gonedark_route::{AsnSize, Family, Time};
use std::net::IpAddr;
use support::wire::{self, attribute, ends, update};
use support::{Kind, Taken, take_apart};

const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));
const AT: u32 = 1_419_264_900;

fn taken(file: &[u8]) -> Vec<Taken> {
    let mut decoder = Decoder::new();
    records(file).map(|raw| take_apart(&mut decoder, raw.unwrap())).collect()
}

fn routes(taken: &[Taken], kind: Kind) -> Vec<String> {
    let all = taken.iter().flat_map(|taken| &taken.elements);
    all.filter(|element| element.kind == kind).map(|element| element.nlri.prefix.to_string()).collect()
}

fn in_bgp4mp(subtype: u16, size: AsnSize, message: &[u8]) -> Vec<u8> {
    wire::record(AT, 16, subtype, &[ends(size, 64500, 64999, PEER), message.to_vec()].concat())
}

fn four(message: &[u8]) -> Vec<u8> {
    in_bgp4mp(4, AsnSize::Four, message)
}

fn plain_update() -> Vec<u8> {
    update(
        &wire::prefixes(&["10.1.0.0/16"]),
        &wire::attributes(&[64500, 131279], AsnSize::Four),
        &wire::prefixes(&["175.45.176.0/24"]),
    )
}

#[test]
fn an_et_record_has_its_microseconds_whether_its_length_counts_them_or_not() {
    let body = [ends(AsnSize::Four, 64500, 64999, PEER), plain_update()].concat();
    let record = wire::record_et(AT, 425_340, 4, &body);
    let state =
        wire::record_et(AT, 7, 5, &[ends(AsnSize::Four, 64500, 64999, PEER), vec![0, 6, 0, 1]].concat());
    for less in [0, 4] {
        let file = [
            wire::shortened_length(record.clone(), less),
            wire::shortened_length(state.clone(), less),
            wire::shortened_length(record.clone(), less),
        ]
        .concat();
        let taken = taken(&file);
        assert_eq!(routes(&taken, Kind::Announced), ["175.45.176.0/24"; 2], "{less} bytes short");
        assert_eq!(taken[0].elements[0].at, Time::from_micros(i64::from(AT) * 1_000_000 + 425_340));
        assert_eq!((taken[1].states[0].1, taken[1].states[0].2), (6, 1));
    }
}

#[test]
fn a_table_dump_of_2000_has_many_entries_behind_one_head_and_a_length_four_bytes_short() {
    let attributes = wire::attributes(&[3333, 1103], AsnSize::Two);
    let networks = ["6.0.0.0/8", "12.0.0.0/8", "18.0.0.0/8"];
    let entries: Vec<u8> = networks
        .iter()
        .flat_map(|network| wire::table_dump_entry(network.parse().unwrap(), 3333, PEER, &attributes))
        .collect();
    let record = wire::record(947_548_800, 12, 1, &[&[0, 0, 0, 1][..], &entries].concat());
    for less in [0, 4] {
        let one = wire::shortened_length(record.clone(), less);
        let taken = taken(&[one.clone(), one].concat());
        assert_eq!(routes(&taken, Kind::InTable), [networks, networks].concat());
        assert!(taken.iter().flat_map(|taken| &taken.elements).all(|element| element.path == "3333 1103"));
    }
}

#[test]
fn table_dump_merges_as4_path_unless_the_aggregator_is_a_true_asn() {
    let old = wire::path(&[(2, &[3333, 23456])], AsnSize::Two);
    let new = attribute(0xC0, 17, &wire::path(&[(2, &[131279])], AsnSize::Four));
    let as4_aggregator = attribute(0xC0, 18, &[0, 2, 0, 0, 1, 1, 1, 1]);
    for (aggregator, expected) in [(23456_u16, "3333 131279"), (3333, "3333 23456")] {
        let aggregator = attribute(0xC0, 7, &[&aggregator.to_be_bytes()[..], &[1, 1, 1, 1]].concat());
        let attributes =
            [wire::attributes_of(&old), aggregator, new.clone(), as4_aggregator.clone()].concat();
        let entry = wire::table_dump_entry("6.0.0.0/8".parse().unwrap(), 3333, PEER, &attributes);
        let taken = taken(&wire::record(AT, 12, 1, &[&[0, 0, 0, 1][..], &entry].concat()));
        assert_eq!(taken[0].elements[0].path, expected);
    }
}

#[test]
fn type_5_of_1999_has_messages_without_header() {
    let peer = [&[0x0D, 0x05][..], &[193, 0, 0, 59]].concat();
    let both = [peer.clone(), vec![0x0D, 0x06, 193, 0, 0, 1]].concat();
    let body = wire::update_body(
        &wire::prefixes(&["192.0.2.0/24"]),
        &wire::attributes(&[3333, 286], AsnSize::Two),
        &wire::prefixes(&["6.0.0.0/8"]),
    );
    let old = |subtype, body: &[u8]| wire::record(936_316_800, 5, subtype, body);
    let file = [
        old(1, &[both.clone(), body].concat()),
        old(3, &[&peer[..], &[0, 6, 0, 1]].concat()),
        old(5, &[&both[..], &[4, 0x0D, 5, 0, 180, 193, 0, 0, 59, 0]].concat()),
        old(7, &both),
        old(6, &[&both[..], &[6, 4]].concat()),
        old(4, &both),
    ]
    .concat();
    let taken = taken(&file);
    assert_eq!(routes(&taken, Kind::Announced), ["6.0.0.0/8"]);
    assert_eq!(routes(&taken, Kind::Withdrawn), ["192.0.2.0/24"]);
    assert_eq!(taken[0].elements[0].path, "3333 286");
    assert_eq!((taken[1].states[0].1, taken[1].states[0].2), (6, 1));
    assert_eq!((taken[2].opens, taken[5].unsupported), (1, Some((5, 4))));
    assert!(taken.iter().all(|taken| taken.error.is_none()));
}

#[test]
fn the_short_records_of_zebra_name_nobody_but_are_read() {
    let open = wire::message(1, &[4, 0x30, 0x66, 0, 180, 212, 50, 161, 199, 0]);
    let file = [
        wire::record(973_300_000, 16, 0, &[0, 0, 0, 0, 0, 3, 0, 4]),
        wire::record(973_300_000, 16, 1, &[&[0; 4][..], &open].concat()),
    ]
    .concat();
    let taken = taken(&file);
    let (peer, old, new) = taken[0].states[0];
    assert!(peer.address.is_unspecified());
    assert_eq!((old, new, taken[1].opens), (3, 4, 1));
}

#[test]
fn the_states_clearing_and_deleted_of_quagga_are_passed_on() {
    let state = |old: u8, new: u8| {
        wire::record(AT, 16, 0, &[&ends(AsnSize::Two, 64500, 64999, PEER)[..], &[0, old, 0, new]].concat())
    };
    let taken = taken(&[state(6, 7), state(7, 8)].concat());
    assert_eq!((taken[0].states[0].2, taken[1].states[0].2), (7, 8));
}

#[test]
fn records_of_no_use_are_counted_by_type_and_nothing_after_them_is_lost() {
    let unsupported = [
        (16, 2),
        (16, 3),
        (13, 6),
        (13, 3),
        (13, 5),
        (13, 7),
        (13, 9),
        (13, 11),
        (13, 12),
        (11, 0),
        (48, 0),
        (64, 1),
    ];
    let mut file = Vec::new();
    for (kind, subtype) in unsupported {
        file.extend(wire::record(AT, kind, subtype, &[0; 30]));
        file.extend(four(&plain_update()));
    }
    let taken = taken(&file);
    let counted: Vec<_> = taken.iter().filter_map(|taken| taken.unsupported).collect();
    assert_eq!(counted, unsupported);
    assert_eq!(routes(&taken, Kind::Announced).len(), unsupported.len());
}

#[test]
fn a_row_without_peer_index_table_is_read_and_names_nobody() {
    let row = wire::rib_row(
        0,
        "175.45.176.0/24".parse().unwrap(),
        &[(3, None, wire::attributes(&[1, 2], AsnSize::Four))],
    );
    let with_table =
        [wire::record(AT, 13, 1, &wire::peer_index_table(&[(1, PEER)])), wire::record(AT, 13, 2, &row)];
    for file in [wire::record(AT, 13, 2, &row), with_table.concat()] {
        let taken = taken(&file);
        let last = &taken.last().unwrap().elements[0];
        assert_eq!((last.peer, last.path.as_str()), (None, "1 2"));
    }
}

#[test]
fn a_row_of_over_64_kib_is_read_to_its_last_entry() {
    let path = wire::attributes(&[65000; 255], AsnSize::Four);
    let entries: Vec<_> = (0..80).map(|peer| (peer, None, path.clone())).collect();
    let row = wire::rib_row(0, "2001:7fb:fe00::/48".parse().unwrap(), &entries);
    assert!(row.len() > 70_000);
    assert_eq!(taken(&wire::record(AT, 13, 4, &row))[0].elements.len(), 80);
}

#[test]
fn rows_with_path_identifiers_keep_them() {
    let attributes = wire::attributes(&[1, 2], AsnSize::Four);
    for (subtype, network) in [(8, "175.45.176.0/24"), (10, "2001:7fb:fe00::/48")] {
        let row = wire::rib_row(
            0,
            network.parse().unwrap(),
            &[(0, Some(36), attributes.clone()), (0, Some(38), attributes.clone())],
        );
        let taken = taken(&wire::record(AT, 13, subtype, &row));
        let ids: Vec<_> = taken[0].elements.iter().map(|element| element.nlri.path_id).collect();
        assert_eq!(ids, [36, 38]);
    }
}

#[test]
fn path_identifiers_are_read_where_both_opens_agreed_and_not_where_one_refused() {
    let with_ids = [0, 0, 0, 9, 24, 175, 45, 176];
    let message = update(&[], &wire::attributes(&[64500], AsnSize::Four), &with_ids);
    // Large identifiers, which no inference would take for such.
    let large = [25, 0, 0, 9, 24, 175, 45, 176];
    let large = update(&[], &wire::attributes(&[64500], AsnSize::Four), &large);
    let session = |peer_mode, collector_mode| {
        [
            four(&wire::open(64500, &[wire::add_path(peer_mode)])),
            four(&wire::open(64999, &[wire::add_path(collector_mode)])),
            four(&message),
            four(&large),
        ]
        .concat()
    };
    let agreed = taken(&session(2, 1));
    assert_eq!(routes(&agreed, Kind::Announced), ["175.45.176.0/24"; 2]);
    assert_eq!(agreed[3].elements[0].nlri.path_id, 0x1900_0009);
    assert!(!agreed[2].inferred_path_ids);
    let refused = taken(&session(2, 2));
    assert!(refused[2].damaged && refused[2].elements.is_empty());
}

#[test]
fn a_session_that_went_down_forgets_its_opens() {
    let with_ids = update(&[], &wire::attributes(&[64500], AsnSize::Four), &[25, 0, 0, 9, 24, 175, 45, 176]);
    let down =
        wire::record(AT, 16, 5, &[&ends(AsnSize::Four, 64500, 64999, PEER)[..], &[0, 6, 0, 1]].concat());
    let agreed = [wire::open(64500, &[wire::add_path(3)]), wire::open(64999, &[wire::add_path(3)])];
    let file = [four(&agreed[0]), four(&agreed[1]), down, four(&with_ids)].concat();
    let taken = taken(&file);
    // Large identifiers are believed only to OPENs, and these are of the session before.
    assert!(taken[3].damaged && taken[3].elements.is_empty());
}

#[test]
fn a_marked_record_has_path_identifiers_without_any_open() {
    let message = update(&[], &wire::attributes(&[64500], AsnSize::Four), &[25, 0, 0, 9, 24, 175, 45, 176]);
    let taken = taken(&in_bgp4mp(9, AsnSize::Four, &message));
    assert_eq!(taken[0].elements[0].nlri.path_id, 0x1900_0009);
}

#[test]
fn what_the_collector_itself_sent_is_no_route_of_the_peer() {
    let mut decoder = Decoder::new();
    let file = in_bgp4mp(7, AsnSize::Four, &plain_update());
    let raw = records(&file).next().unwrap().unwrap();
    assert!(matches!(decoder.decode(raw), Ok(Record::Sent { message: Message::Update(_), .. })));
}

#[test]
fn an_extended_message_of_over_4096_bytes_is_read() {
    let networks: Vec<String> = (0..5000).map(|n: u32| format!("10.{}.{}.0/24", n / 256, n % 256)).collect();
    let networks: Vec<&str> = networks.iter().map(String::as_str).collect();
    let message = update(&[], &wire::attributes(&[64500], AsnSize::Four), &wire::prefixes(&networks));
    assert_eq!(routes(&taken(&four(&message)), Kind::Announced), networks);
}

#[test]
fn as_sets_and_confederations_come_through() {
    let path = wire::path(&[(3, &[65001]), (2, &[64500, 4837]), (1, &[131279, 64512])], AsnSize::Four);
    let message = update(&[], &wire::attributes_of(&path), &wire::prefixes(&["175.45.176.0/24"]));
    assert_eq!(taken(&four(&message))[0].elements[0].path, "(65001) 64500 4837 {131279,64512}");
}

#[test]
fn end_of_rib_is_told_for_each_family_and_an_empty_attribute_is_not_one() {
    let mut decoder = Decoder::new();
    let mut end = |attributes: &[u8], withdrawn: &[u8]| {
        let file = four(&update(withdrawn, attributes, &[]));
        match decoder.decode(records(&file).next().unwrap().unwrap()).unwrap() {
            Record::Update { update, .. } => update.end_of_rib,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(end(&[], &[]), Some(Family::V4));
    assert_eq!(end(&wire::mp_unreach(Family::V6, 1, &[]), &[]), Some(Family::V6));
    assert_eq!(end(&wire::mp_unreach(Family::V6, 2, &[]), &[]), None);
    assert_eq!(end(&wire::mp_unreach(Family::V6, 1, &wire::prefixes(&["2001:db8::/32"])), &[]), None);
    assert_eq!(end(&[], &wire::prefixes(&["10.0.0.0/8"])), None);
}

/// An UPDATE with the attributes, and what comes of it: warnings, announced and withdrawn.
fn treated(attributes: &[u8]) -> (Vec<Warning>, usize, usize) {
    let mut decoder = Decoder::new();
    let file = four(&update(&[], attributes, &wire::prefixes(&["175.45.176.0/24"])));
    match decoder.decode(records(&file).next().unwrap().unwrap()).unwrap() {
        Record::Update { update, .. } => {
            (update.warnings.iter().collect(), update.announced().count(), update.withdrawn().count())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn bad_attributes_withdraw_or_are_discarded_as_rfc_7606_says() {
    let good = wire::attributes(&[64500], AsnSize::Four);
    assert_eq!(treated(&good), (vec![], 1, 0));
    let withdraw: &[(Warning, Vec<u8>)] = &[
        (Warning::Communities, attribute(0xC0, 8, &[0; 6])),
        (Warning::ExtendedCommunities, attribute(0xC0, 16, &[])),
        (Warning::LargeCommunity, attribute(0xC0, 32, &[0; 8])),
        (Warning::MultiExitDisc, attribute(0x80, 4, &[0; 3])),
        (Warning::AttributeFlags, attribute(0x40, 8, &[0; 4])),
        (Warning::AttributesCut, vec![0x40, 5, 200, 0]),
    ];
    for (warning, attribute) in withdraw {
        assert_eq!(treated(&[good.clone(), attribute.clone()].concat()), (vec![*warning], 0, 1));
    }
    let discard: &[(Warning, Vec<u8>)] = &[
        (Warning::AtomicAggregate, attribute(0x40, 6, &[0])),
        (Warning::Aggregator, attribute(0xC0, 7, &[0; 6])),
        (Warning::As4Path, attribute(0xC0, 17, &[2, 9, 0])),
        (Warning::DuplicateAttribute, attribute(0x40, 1, &[0])),
        (Warning::LocalPref, attribute(0x40, 5, &[0])),
    ];
    for (warning, attribute) in discard {
        assert_eq!(treated(&[good.clone(), attribute.clone()].concat()), (vec![*warning], 1, 0));
    }
}

#[test]
fn routes_without_a_mandatory_attribute_or_with_a_bad_path_are_withdrawn() {
    let (origin, next_hop) = (attribute(0x40, 1, &[0]), attribute(0x40, 3, &[1; 4]));
    let path = attribute(0x40, 2, &wire::path(&[(2, &[64500])], AsnSize::Four));
    let cases = [
        (Warning::MissingOrigin, [path.clone(), next_hop.clone()].concat()),
        (Warning::MissingAsPath, [origin.clone(), next_hop.clone()].concat()),
        (Warning::MissingNextHop, [origin.clone(), path.clone()].concat()),
        (Warning::Origin, [attribute(0x40, 1, &[3]), path.clone(), next_hop.clone()].concat()),
        (Warning::AsPath, [origin.clone(), attribute(0x40, 2, &[2, 0]), next_hop.clone()].concat()),
        (
            Warning::AsPath,
            [origin.clone(), attribute(0x40, 2, &[9, 1, 0, 0, 0, 1]), next_hop.clone()].concat(),
        ),
        (Warning::NextHop, [origin, path, attribute(0x40, 3, &[1; 3])].concat()),
    ];
    for (warning, attributes) in cases {
        assert_eq!(treated(&attributes), (vec![warning], 0, 1));
    }
}

#[test]
fn a_message_that_resets_a_session_names_its_peer_and_gives_no_route() {
    let reach = wire::mp_reach(Family::V6, 1, &wire::prefixes(&["2001:db8::/32"]));
    let good = wire::attributes(&[64500], AsnSize::Four);
    let mut bad_marker = plain_update();
    bad_marker[5] = 0;
    let cases = [
        (Field::BgpMarker, bad_marker),
        (Field::MpOccurrences, update(&[], &[good.clone(), reach.clone(), reach].concat(), &[])),
        (Field::PrefixLength, update(&[], &good, &[33, 1, 2, 3, 4, 5])),
        (Field::Nlri, update(&[], &good, &[24, 1])),
        (Field::PathAttributes, wire::message(2, &[0, 0, 0, 9, 0])),
        (Field::WithdrawnRoutes, wire::message(2, &[0, 9])),
        (Field::MpReach, update(&[], &[good, attribute(0x80, 14, &[0, 2, 1, 16, 0])].concat(), &[])),
    ];
    for (field, message) in cases {
        let file = [four(&message), four(&plain_update())].concat();
        let taken = taken(&file);
        assert!(taken[0].damaged && taken[0].elements.is_empty(), "{field:?}");
        assert_eq!(taken[0].error.unwrap().field(), field);
        assert_eq!(routes(&taken, Kind::Announced), ["175.45.176.0/24"]);
    }
}

#[test]
fn an_error_names_the_offset_in_the_stream() {
    let first = four(&plain_update());
    let bad = four(&update(&[], &wire::attributes(&[64500], AsnSize::Four), &[33, 1, 2, 3, 4, 5]));
    let error = taken(&[first.clone(), bad.clone()].concat())[1].error.unwrap();
    let offset = (first.len() + bad.len() - 6) as u64;
    assert_eq!(error, DecodeError::Value { offset, field: Field::PrefixLength, found: 33 });
    assert_eq!(
        error.to_string(),
        format!("byte {offset}: prefix length is 33, expected at most 32 (IPv4) or 128 (IPv6)")
    );
}

#[test]
fn a_cut_file_keeps_every_record_before_the_cut() {
    let one = four(&plain_update());
    let file = [one.clone(), one.clone(), one[..one.len() - 3].to_vec()].concat();
    let all: Vec<_> = records(&file).collect();
    assert_eq!(all.iter().filter(|raw| raw.is_ok()).count(), 2);
    assert_eq!(all[2].as_ref().unwrap_err().field(), Field::MrtRecord);
}

#[test]
fn after_damage_the_next_record_is_found() {
    let one = four(&plain_update());
    // An absurd length, with what could be a header but for its year; zero bytes; the rest of a record.
    let absurd = [&one[..8], &[0x7F; 40], &wire::record(77, 16, 4, &[1; 9])].concat();
    for damage in [absurd, vec![0; 400], one[20..].to_vec()] {
        let file = [one.clone(), damage, one.clone(), one.clone()].concat();
        let times: Vec<_> = records(&file).map(|raw| raw.map(|raw| raw.at.seconds())).collect();
        let good = Ok(i64::from(AT));
        assert_eq!((times[0], times[2], times[3], times.len()), (good, good, good, 4));
        assert!(times[1].is_err(), "{times:?}");
    }
}

#[test]
fn microseconds_of_more_than_a_second_stay_in_their_second() {
    let body = [ends(AsnSize::Four, 64500, 64999, PEER), plain_update()].concat();
    let file = wire::record_et(AT, u32::MAX, 4, &body);
    assert_eq!(records(&file).next().unwrap().unwrap().at.seconds(), i64::from(AT));
}

#[test]
fn as4_path_counts_only_beside_two_byte_asns_and_without_an_aggregator_that_voids_it() {
    let as4_path = attribute(0xC0, 17, &wire::path(&[(2, &[131279])], AsnSize::Four));
    let as4_aggregator = attribute(0xC0, 18, &[0, 2, 0, 0, 1, 1, 1, 1]);
    let path_of = |subtype, size, more: &[u8]| {
        let attributes = [wire::attributes(&[64500, 23456], size), as4_path.clone(), more.to_vec()].concat();
        let message = update(&[], &attributes, &wire::prefixes(&["175.45.176.0/24"]));
        taken(&in_bgp4mp(subtype, size, &message))[0].elements[0].path.clone()
    };
    let voiding = [attribute(0xC0, 7, &[0xFB, 0xF4, 1, 1, 1, 1]), as4_aggregator].concat();
    assert_eq!(path_of(1, AsnSize::Two, &[]), "64500 131279");
    assert_eq!(path_of(1, AsnSize::Two, &voiding), "64500 23456");
    assert_eq!(path_of(4, AsnSize::Four, &[]), "64500 23456");
}

#[test]
fn an_open_with_extended_parameters_tells_its_asn_and_its_path_identifiers() {
    // RFC 9072 section 2: 255, 255, a two-byte length, and two-byte lengths of parameters.
    let capabilities = [&[65, 4, 0, 2, 0, 0xCF][..], &[69, 4, 0, 1, 1, 3]].concat();
    let parameter = [&[2, 0, capabilities.len() as u8][..], &capabilities].concat();
    let head = [4, 0x5B, 0xA0, 0, 180, 192, 0, 2, 1, 255, 255, 0, parameter.len() as u8];
    let file = four(&wire::message(1, &[&head[..], &parameter].concat()));
    let mut decoder = Decoder::new();
    match decoder.decode(records(&file).next().unwrap().unwrap()).unwrap() {
        Record::Message { message: Message::Open(open), .. } => {
            assert_eq!(open.asn.0, 131_279);
            assert!(open.add_path(Family::V4).send && !open.add_path(Family::V6).send);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn how_a_stream_is_cut_into_buffers_changes_nothing() {
    let one = four(&plain_update());
    let file = [one.clone(), vec![7; 333], one.clone(), vec![0; 40], one].concat();
    let whole: Vec<_> = records(&file).map(|raw| raw.map(|raw| raw.offset)).collect();
    let (mut at, mut filled, mut parts) = (0, 0, Vec::new());
    while at < file.len() {
        match frame(&file[at..filled], at as u64, filled < file.len()) {
            Frame::Record { record, consumed } => {
                parts.push(Ok(record.offset));
                at += consumed;
            }
            Frame::Damaged { error, skip } => {
                parts.push(Err(error));
                at += skip;
            }
            Frame::NeedMore { .. } if filled == file.len() => break,
            Frame::NeedMore { .. } => filled += 1,
        }
    }
    assert_eq!(parts, whole);
}
