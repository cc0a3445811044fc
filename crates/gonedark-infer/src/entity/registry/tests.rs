use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

fn code(text: &str) -> CountryCode {
    CountryCode::new(text).unwrap()
}

fn prefix(text: &str) -> Prefix {
    text.parse().unwrap()
}

fn v4_table(delegations: &[(&str, u64, &str)]) -> CountryTable {
    let mut builder = CountryTableBuilder::default();
    for (first, count, country) in delegations {
        builder.add_v4(first.parse().unwrap(), *count, code(country), 0);
    }
    builder.into_table(20_141_222, "by hand").unwrap()
}

fn shares(table: &CountryTable, network: &str) -> (Vec<(String, u64)>, u64) {
    let shares = table.split(prefix(network));
    (shares.iter().map(|(country, units)| (country.to_string(), units)).collect(), shares.undelegated)
}

fn expected(countries: &[(&str, u64)], undelegated: u64) -> (Vec<(String, u64)>, u64) {
    (countries.iter().map(|(country, units)| (country.to_string(), *units)).collect(), undelegated)
}

#[test]
fn a_network_within_one_delegation_is_its_country_s() {
    let table = v4_table(&[("175.45.176.0", 1024, "KP"), ("175.45.180.0", 1024, "KR")]);
    assert_eq!(table.country_of_prefix(prefix("175.45.176.0/22")), Some(code("KP")));
    assert_eq!(table.country_of_prefix(prefix("175.45.179.255/32")), Some(code("KP")));
    assert_eq!(table.country_of_prefix(prefix("175.45.180.0/24")), Some(code("KR")));
    assert_eq!(table.country_of_prefix(prefix("175.45.184.0/24")), None);
    assert_eq!(table.country_of_prefix(prefix("175.45.175.0/24")), None);
    assert_eq!(shares(&table, "175.45.176.0/22"), expected(&[("KP", 4)], 0));
    assert_eq!(shares(&table, "175.45.176.128/25"), expected(&[("KP", 1)], 0));
    assert_eq!(shares(&table, "10.0.0.0/8"), expected(&[], 65_536));
}

#[test]
fn a_network_that_spans_delegations_is_split_by_addresses() {
    let table = v4_table(&[("10.0.0.0", 512, "SY"), ("10.0.2.0", 256, "LB"), ("10.0.4.0", 1024, "SY")]);
    assert_eq!(shares(&table, "10.0.0.0/21"), expected(&[("SY", 6), ("LB", 1)], 1));
    assert_eq!(table.country_of_prefix(prefix("10.0.0.0/21")), Some(code("SY")));
    assert_eq!(shares(&table, "10.0.2.0/23"), expected(&[("LB", 1)], 1));
    let pieces: Vec<_> = table.pieces(prefix("10.0.2.0/23")).collect();
    let first = u64::from(u32::from(Ipv4Addr::new(10, 0, 2, 0)));
    assert_eq!(pieces[0], Piece { first, last: first + 255, country: Some(code("LB")) });
    assert_eq!(pieces[1], Piece { first: first + 256, last: first + 511, country: None });
}

#[test]
fn every_country_touched_has_at_least_one_unit_and_no_unit_twice() {
    // A /24 of which DE has two ends and AT the middle.
    let table = v4_table(&[("10.0.0.0", 64, "DE"), ("10.0.0.64", 128, "AT"), ("10.0.0.192", 64, "DE")]);
    assert_eq!(shares(&table, "10.0.0.0/24"), expected(&[("AT", 1), ("DE", 1)], 0));
    assert_eq!(shares(&table, "10.0.0.0/23"), expected(&[("AT", 1), ("DE", 1)], 1));
    // As many addresses each: the code decides.
    assert_eq!(table.country_of_prefix(prefix("10.0.0.0/24")), Some(code("AT")));
}

#[test]
fn a_count_that_is_no_power_of_two_is_held_to_its_last_address() {
    let table = v4_table(&[("62.128.192.0", 768, "DE"), ("255.255.255.0", 4096, "US")]);
    assert_eq!(table.country_of_prefix(prefix("62.128.194.255/32")), Some(code("DE")));
    assert_eq!(table.country_of_prefix(prefix("62.128.195.0/32")), None);
    assert_eq!(table.country_of_prefix(prefix("255.255.255.255/32")), Some(code("US")));
    assert_eq!(table.country_of_prefix(prefix("0.0.0.0/0")), Some(code("DE")));
}

#[test]
fn ipv6_is_counted_in_48s_and_kept_to_64_bits() {
    let mut builder = CountryTableBuilder::default();
    builder.add_prefix(prefix("2001:7fa:0:3::/64"), code("JP"), 0);
    builder.add_prefix(prefix("2001:7fa:1::/48"), code("KR"), 0);
    builder.add_prefix(prefix("ffff:ffff:ffff:ffff::/64"), code("ZW"), 0);
    let table = builder.into_table(20_181_013, "").unwrap();
    assert_eq!(table.country_of_prefix(prefix("2001:7fa:0:3::1/128")), Some(code("JP")));
    assert_eq!(table.country_of_prefix(prefix("2001:7fa:0:4::/64")), None);
    assert_eq!(shares(&table, "2001:7fa::/46"), expected(&[("JP", 1), ("KR", 1)], 2));
    assert_eq!(table.country_of_prefix(prefix("2001:7fa::/46")), Some(code("KR")));
    assert_eq!(table.country_of_prefix(prefix("ffff::/16")), Some(code("ZW")));
    assert_eq!(shares(&table, "::/0").1, (1 << 48) - 3);
}

#[test]
fn asns_have_countries_of_their_own() {
    let mut builder = CountryTableBuilder::default();
    builder.add_asns(Asn(131_279), 1, code("KP"), 0);
    builder.add_asns(Asn(4_294_967_290), 100, code("US"), 0);
    let table = builder.into_table(20_141_222, "").unwrap();
    let found = [131_278, 131_279, 131_280, u32::MAX].map(|asn| table.country_of_asn(Asn(asn)));
    assert_eq!(found, [None, Some(code("KP")), None, Some(code("US"))]);
    assert_eq!(table.countries(), [code("KP"), code("US")]);
    assert_eq!(table.country_index(code("US")), Some(1));
}

#[test]
fn of_overlapping_delegations_the_lower_rank_then_the_smaller_holds() {
    let mut builder = CountryTableBuilder::default();
    let base = Ipv4Addr::new(10, 0, 0, 0);
    builder.add_v4(base, 1 << 24, code("US"), 0);
    builder.add_v4(Ipv4Addr::new(10, 1, 0, 0), 256, code("CA"), 0);
    builder.add_v4(Ipv4Addr::new(10, 2, 0, 0), 256, code("MX"), 1);
    let table = builder.into_table(20_141_222, "").unwrap();
    let found =
        ["10.1.0.0/24", "10.2.0.0/24", "10.1.1.0/24"].map(|text| table.country_of_prefix(prefix(text)));
    assert_eq!(found, [Some(code("CA")), Some(code("US")), Some(code("US"))]);
}

#[test]
fn an_empty_table_knows_nobody() {
    let table = CountryTableBuilder::default().into_table(20_141_222, "nothing").unwrap();
    assert_eq!(table.country_of_prefix(prefix("10.0.0.0/8")), None);
    assert_eq!(table.country_of_asn(Asn(1)), None);
    assert_eq!(shares(&table, "10.0.0.0/8"), expected(&[], 65_536));
    assert_eq!((table.date(), table.provenance()), (20_141_222, "nothing"));
}

#[test]
fn the_nearest_later_table_is_chosen_and_else_the_newest() {
    let dates = [20_181_013, 20_140_630, 20_260_401];
    let at = |seconds| choose(&dates, Time::from_seconds(seconds)).map(|index| dates[index]);
    assert_eq!(at(1_296_172_800), Some(20_140_630), "2011-01-28");
    assert_eq!(at(1_404_172_799), Some(20_140_630), "2014-06-30T23:59:59Z");
    assert_eq!(at(1_404_172_800), Some(20_181_013), "2014-07-01");
    assert_eq!(at(1_419_264_900), Some(20_181_013), "2014-12-22");
    assert_eq!(at(1_600_000_000), Some(20_260_401), "2020");
    assert_eq!(at(1_900_000_000), Some(20_260_401), "2030: the newest");
    assert_eq!(choose(&dates, Time::MAX), Some(2));
    assert_eq!(choose(&dates, Time::MIN), Some(1));
    assert_eq!(choose(&[], Time::MIN), None);
}

#[test]
fn bytes_that_are_no_whole_table_are_refused() {
    let mut builder = CountryTableBuilder::default();
    builder.add_v4(Ipv4Addr::new(10, 0, 0, 0), 256, code("SY"), 0);
    builder.add_v4(Ipv4Addr::new(10, 0, 1, 0), 256, code("LB"), 0);
    let bytes = builder.build(20_141_222, "by hand").unwrap();
    assert_eq!(CountryTable::date_of(&bytes), Some(20_141_222));
    for length in 0..bytes.len() {
        assert!(CountryTable::from_bytes(bytes[..length].to_vec()).is_err(), "cut at {length}");
    }
    let mut longer = bytes.clone();
    longer.push(b'!');
    let error = CountryTable::from_bytes(longer).unwrap_err();
    assert_eq!(error, TableError::Length { expected: bytes.len(), found: bytes.len() + 1 });
    let mut newer = bytes.clone();
    newer[4] = 2;
    assert_eq!(CountryTable::from_bytes(newer).unwrap_err(), TableError::Version(2));
    // The countries of the cuts stand before the provenance and the empty ASN section.
    let last_cut = bytes.len() - "by hand".len() - 4 - 4 - 1;
    let mut unknown = bytes;
    unknown[last_cut] = 9;
    assert!(matches!(CountryTable::from_bytes(unknown), Err(TableError::Damaged(_))));
}

/// A delegation as plain numbers: first, count, country, rank.
type Plain = (u64, u64, usize, u32);
const CODES: [&str; 4] = ["KP", "SY", "EG", "LY"];

/// By trying each delegation: the winner at a number.
fn linear(delegations: &[Plain], at: u64) -> Option<CountryCode> {
    let holding = delegations.iter().filter(|(first, count, ..)| *first <= at && at - first < *count);
    holding
        .min_by_key(|(_, count, country, rank)| (*rank, *count, code(CODES[*country])))
        .map(|d| code(CODES[d.2]))
}

fn delegations(base: u64, span: u64) -> impl Strategy<Value = Vec<Plain>> {
    let one = (0..span, prop_oneof![1..600_u64, Just(256), Just(65_536), Just(70_000)], 0..4_usize, 0..2_u32);
    prop::collection::vec(one, 0..24).prop_map(move |mut all| {
        all.iter_mut().for_each(|delegation| delegation.0 += base);
        all
    })
}

fn built(delegations: &[Plain]) -> CountryTable {
    let mut builder = CountryTableBuilder::default();
    for (first, count, country, rank) in delegations {
        builder.add_v4(Ipv4Addr::from(*first as u32), *count, code(CODES[*country]), *rank);
        builder.add_asns(Asn(*first as u32), *count, code(CODES[*country]), *rank);
    }
    builder.into_table(20_141_222, "").unwrap()
}

const BASE: u64 = 0x0A00_0000;
const SPAN: u64 = 200_000;

proptest! {
    #[test]
    fn lookups_equal_a_linear_search(all in delegations(BASE, SPAN), at in prop::collection::vec(0..SPAN + 70_000, 64)) {
        let table = built(&all);
        // Also where the edges are.
        let edges = all.iter().flat_map(|(first, count, ..)| [first - 1, *first, first + count - 1, first + count]);
        for number in at.into_iter().map(|at| BASE + at).chain(edges) {
            let expected = linear(&all, number);
            let host = Prefix::v4(Ipv4Addr::from(number as u32), 32).unwrap();
            prop_assert_eq!(table.country_of_prefix(host), expected);
            prop_assert_eq!(table.country_of_asn(Asn(number as u32)), expected);
        }
    }

    #[test]
    fn splits_equal_a_count_address_by_address(all in delegations(BASE, 3_000), at in 0..4_000_u64, length in 20..=32_u8) {
        let table = built(&all);
        let network = Prefix::v4(Ipv4Addr::from((BASE + at) as u32), length).unwrap();
        let (first, last) = super::shares::bounds(network);
        let mut units: BTreeMap<CountryCode, BTreeSet<u64>> = BTreeMap::new();
        let mut addresses: BTreeMap<CountryCode, u64> = BTreeMap::new();
        for address in first..=last {
            if let Some(country) = linear(&all, address) {
                units.entry(country).or_default().insert(address >> 8);
                *addresses.entry(country).or_default() += 1;
            }
        }
        let touched: BTreeSet<u64> = units.values().flatten().copied().collect();
        let found = table.split(network);
        let mut appended = Vec::new();
        table.split_into(network, &mut appended);
        prop_assert_eq!(appended, found.iter().collect::<Vec<_>>());
        let by_country: BTreeMap<CountryCode, u64> = found.iter().collect();
        prop_assert_eq!(&by_country, &units.iter().map(|(country, set)| (*country, set.len() as u64)).collect());
        prop_assert_eq!(found.undelegated, (last >> 8) - (first >> 8) + 1 - touched.len() as u64);
        prop_assert!(found.iter().is_sorted_by_key(|(country, units)| (std::cmp::Reverse(units), country)));
        let most = addresses.values().copied().max();
        let majority = addresses.iter().find(|(_, count)| Some(**count) == most).map(|(country, _)| *country);
        prop_assert_eq!(table.country_of_prefix(network), majority);
        let pieces: Vec<Piece> = table.pieces(network).collect();
        prop_assert_eq!((pieces[0].first, pieces[pieces.len() - 1].last), (first, last));
        prop_assert!(pieces.windows(2).all(|pair| pair[0].last + 1 == pair[1].first && pair[0].country != pair[1].country));
    }

    #[test]
    fn ipv6_lookups_equal_a_linear_search(
        networks in prop::collection::vec((any::<u16>(), 0..16_u64, 16..=64_u8, 0..4_usize), 0..24),
        probes in prop::collection::vec((any::<u16>(), 0..16_u64), 32),
    ) {
        // Few leading parts, so that networks meet; addresses spread over several buckets.
        let address = |(low, high): (u16, u64)| (0x2A00 + high % 3) << 48 | high << 32 | u64::from(low) << 16;
        let mut builder = CountryTableBuilder::default();
        let mut plain: Vec<Plain> = Vec::new();
        for (low, high, length, country) in &networks {
            let top = address((*low, *high));
            let network = Prefix::v6(Ipv6Addr::from(u128::from(top) << 64), *length).unwrap();
            builder.add_prefix(network, code(CODES[*country]), 0);
            let (first, last) = super::shares::bounds(network);
            plain.push((first, last - first + 1, *country, 0));
        }
        let table = builder.into_table(20_181_013, "").unwrap();
        let edges = plain.iter().flat_map(|(first, count, ..)| [first - 1, *first, first + count - 1, first + count]);
        for top in probes.iter().map(|probe| address(*probe)).chain(edges) {
            let host = Prefix::v6(Ipv6Addr::from(u128::from(top) << 64 | 7), 128).unwrap();
            prop_assert_eq!(table.country_of_prefix(host), linear(&plain, top));
        }
    }

    #[test]
    fn the_order_of_delegations_changes_no_byte(all in delegations(BASE, SPAN), seed in any::<usize>()) {
        let mut other = all.clone();
        other.rotate_left(seed % all.len().max(1));
        other.reverse();
        prop_assert_eq!(&built(&all).bytes, &built(&other).bytes);
    }

    #[test]
    fn any_bytes_are_a_table_or_an_error(at in any::<prop::sample::Index>(), byte in any::<u8>(), all in delegations(BASE, SPAN)) {
        let mut bytes = built(&all).bytes.into_owned();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(table) = CountryTable::from_bytes(bytes) {
            let _ = table.split(prefix("10.0.0.0/12"));
            let _ = table.country_of_asn(Asn(BASE as u32 + 5));
            let _ = table.country_of_prefix(prefix("0.0.0.0/0"));
        }
    }
}
