//! A wrong length costs the record that has it, and not those that it covers.

mod support;

use gonedark_decode::mrt::{Decoder, Frame, frame, records};
use gonedark_route::AsnSize;
use proptest::collection::vec;
use proptest::prelude::*;
use std::net::IpAddr;
use support::wire;

const AT: u32 = 1_419_264_900;
const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// An UPDATE of so many networks, as BGP4MP or as BGP4MP_ET; a second passes with each.
fn update(number: u32, networks: usize, extended: bool) -> Vec<u8> {
    let announced = vec!["175.45.176.0/24"; networks];
    let attributes = wire::attributes(&[64500, 131_072 + number], AsnSize::Four);
    let message = wire::update(&[], &attributes, &wire::prefixes(&announced));
    let body = [wire::ends(AsnSize::Four, 64500, 64999, PEER), message].concat();
    match extended {
        true => wire::record_et(AT + number, 7, 4, &body),
        false => wire::record(AT + number, 16, 4, &body),
    }
}

/// A row with so many entries.
fn row(number: u32, entries: u16) -> Vec<u8> {
    let entries: Vec<_> = (0..entries)
        .map(|peer| (peer, None, wire::attributes(&[64500, 131_072 + number], AsnSize::Four)))
        .collect();
    wire::record(AT, 13, 2, &wire::rib_row(number, "175.45.176.0/24".parse().unwrap(), &entries))
}

/// An entry of TABLE_DUMP.
fn table_dump(number: u32) -> Vec<u8> {
    let attributes = wire::attributes(&[64500, 4837], AsnSize::Two);
    let head = [0, 0, 0, number as u8, 175, 45, 176, 0, 24, 1, 0, 0, 0, 9, 192, 0, 2, 7, 0xFB, 0xF4];
    let body = [&head[..], &(attributes.len() as u16).to_be_bytes(), &attributes].concat();
    wire::record(AT, 12, 1, &body)
}

fn with_length(records: &[Vec<u8>], place: usize, length: u32) -> Vec<u8> {
    let mut records = records.to_vec();
    records[place][8..12].copy_from_slice(&length.to_be_bytes());
    records.concat()
}

/// Where the records begin that are read as they were written.
fn good(file: &[u8], written: &[Vec<u8>]) -> Vec<u64> {
    let mut begins = Vec::new();
    let mut at = 0;
    for record in written {
        begins.push((at, record.len() - 12));
        at += record.len() as u64;
    }
    let mut decoder = Decoder::new();
    let whole = records(file).flatten().filter(|raw| decoder.decode(*raw).is_ok());
    let length = |raw: &gonedark_decode::mrt::RawRecord<'_>| match raw.kind {
        17 => raw.body.len() + 4,
        _ => raw.body.len(),
    };
    whole.filter(|raw| begins.contains(&(raw.offset, length(raw)))).map(|raw| raw.offset).collect()
}

/// The same stream given in pieces of `step` bytes: where records and damage begin.
fn in_pieces(file: &[u8], step: usize) -> Vec<Result<u64, u64>> {
    let (mut at, mut filled, mut found) = (0, 0, Vec::new());
    while at < file.len() {
        match frame(&file[at..filled], at as u64, filled < file.len()) {
            Frame::Record { record, consumed } => {
                found.push(Ok(record.offset));
                at += consumed;
            }
            Frame::Damaged { skip, .. } => {
                found.push(Err(at as u64));
                at += skip;
            }
            Frame::NeedMore { .. } if filled == file.len() => break,
            Frame::NeedMore { at_least } => {
                assert!(at_least > filled - at, "asks for bytes that it has");
                filled = (filled + step).min(file.len());
            }
        }
    }
    found
}

#[test]
fn a_length_that_covers_hundreds_of_records_costs_one() {
    let updates: Vec<_> = (0..2_000).map(|n| update(n, 1 + n as usize % 5, n % 3 == 0)).collect();
    let rows: Vec<_> = (0..2_000).map(|n| row(n, 5 + n as u16 % 7)).collect();
    let dumps: Vec<_> = (0..2_000).map(table_dump).collect();
    for (name, written, length) in
        [("updates", updates, 65_000), ("rows", rows, 400_000), ("entries", dumps, 100_003)]
    {
        let file = with_length(&written, 700, length);
        let found = good(&file, &written);
        assert_eq!(found.len(), 1_999, "{name}");
        assert_eq!(records(&file).filter(Result::is_err).count(), 1, "{name}");
    }
}

#[test]
fn a_length_that_ends_where_another_record_does_is_not_believed() {
    let written: Vec<_> = (0..50).map(|n| update(n, 1, false)).collect();
    let file = with_length(&written, 7, (written[7].len() * 4 - 12) as u32);
    assert_eq!(good(&file, &written).len(), 49);
}

#[test]
fn a_length_that_goes_over_the_end_hides_nothing_of_what_is_there() {
    let written: Vec<_> = (0..50).map(|n| row(n, 5)).collect();
    let file = with_length(&written, 7, 9 << 20);
    assert_eq!(good(&file, &written).len(), 49);
}

#[test]
fn what_a_peer_writes_into_a_message_is_no_record_where_that_is_cut_or_followed_by_unknown_ones() {
    // Three records as the value of an attribute that nobody knows.
    let planted = (0..3).map(|n| update(n, 1, false)).collect::<Vec<_>>().concat();
    let hostile =
        [wire::attributes(&[64500, 131_279], AsnSize::Four), wire::attribute(0xD0, 200, &planted)].concat();
    let message = wire::update(&[], &hostile, &wire::prefixes(&["175.45.176.0/24"]));
    let body = [wire::ends(AsnSize::Four, 64500, 64999, PEER), message].concat();
    let carrier = wire::record(AT, 16, 4, &body);
    let cut = &carrier[..carrier.len() - 2];
    assert_eq!(records(cut).filter(Result::is_ok).count(), 0);
    let foreign = wire::record(AT, 99, 1, &[7; 30]);
    let entries = [(0, None, hostile)];
    let row = wire::record(AT, 13, 2, &wire::rib_row(0, "175.45.176.0/24".parse().unwrap(), &entries));
    for first in [carrier, row] {
        let file = [first, foreign.clone(), foreign.clone()].concat();
        let kinds: Vec<_> = records(&file).map(|raw| raw.map(|raw| raw.kind).ok()).collect();
        assert_eq!(kinds.len(), 3, "{kinds:?}");
        assert_eq!(kinds[1..], [Some(99), Some(99)]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_length_costs_its_own_record_at_most(
        networks in vec((1..40_usize, any::<bool>()), 4..60),
        place in any::<prop::sample::Index>(),
        length in prop_oneof![0..3_000_u32, 0..70_000_u32, any::<u32>()],
        step in 1..5_000_usize,
    ) {
        let written: Vec<_> = networks.iter().enumerate()
            .map(|(n, (networks, extended))| update(n as u32, *networks, *extended))
            .collect();
        let place = place.index(written.len());
        let file = with_length(&written, place, length);
        let found = good(&file, &written);
        prop_assert!(found.len() >= written.len() - 1, "{} of {}", found.len(), written.len());
        let whole: Vec<_> = records(&file).map(|raw| raw.map(|raw| raw.offset).ok()).collect();
        let pieces = in_pieces(&file, step);
        let pieces: Vec<_> = pieces.into_iter().map(Result::ok).collect();
        prop_assert!(whole.starts_with(&pieces), "{whole:?} {pieces:?}");
    }
}
