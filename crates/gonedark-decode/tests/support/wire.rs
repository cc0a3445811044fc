//! The small encoder that makes the inputs of tests, benches and fuzz seeds: MRT and BGP as the RFCs draw them.
#![allow(dead_code, unreachable_pub, reason = "each user takes its part")]

use gonedark_route::{AsnSize, Family, Nlri, Prefix};
use std::net::{IpAddr, Ipv4Addr};

/// An MRT record.
pub fn record(seconds: u32, kind: u16, subtype: u16, body: &[u8]) -> Vec<u8> {
    [&seconds.to_be_bytes()[..], &kind.to_be_bytes(), &subtype.to_be_bytes(), &len32(body), body].concat()
}

/// An MRT record of type BGP4MP_ET.
pub fn record_et(seconds: u32, micros: u32, subtype: u16, body: &[u8]) -> Vec<u8> {
    record(seconds, 17, subtype, &[&micros.to_be_bytes()[..], body].concat())
}

/// The same record with a length that is `less` too small.
pub fn shortened_length(mut record: Vec<u8>, less: u32) -> Vec<u8> {
    let length = u32::from_be_bytes(record[8..12].try_into().unwrap()) - less;
    record[8..12].copy_from_slice(&length.to_be_bytes());
    record
}

fn len32(bytes: &[u8]) -> [u8; 4] {
    (bytes.len() as u32).to_be_bytes()
}

fn with_len16(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat()
}

pub fn asn(asn: u32, size: AsnSize) -> Vec<u8> {
    asn.to_be_bytes()[4 - size.bytes()..].to_vec()
}

pub fn address(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// What stands before a message or a state change in BGP4MP.
pub fn ends(size: AsnSize, peer_asn: u32, collector_asn: u32, peer: IpAddr) -> Vec<u8> {
    let (family, collector) = match peer {
        IpAddr::V4(_) => (1_u16, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254))),
        IpAddr::V6(_) => (2, "2001:db8::fe".parse().unwrap()),
    };
    [
        asn(peer_asn, size),
        asn(collector_asn, size),
        vec![0, 0],
        family.to_be_bytes().to_vec(),
        address(peer),
        address(collector),
    ]
    .concat()
}

/// A BGP message of any type.
pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (body.len() + 19) as u16;
    [&[0xFF; 16][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// The body of an UPDATE.
pub fn update_body(withdrawn: &[u8], attributes: &[u8], announced: &[u8]) -> Vec<u8> {
    [&with_len16(withdrawn)[..], &with_len16(attributes), announced].concat()
}

/// An UPDATE with its header.
pub fn update(withdrawn: &[u8], attributes: &[u8], announced: &[u8]) -> Vec<u8> {
    message(2, &update_body(withdrawn, attributes, announced))
}

/// An OPEN with the given capabilities (code and value); four-byte ASN included.
pub fn open(sender: u32, capabilities: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let short = u16::try_from(sender).unwrap_or(23456);
    let mut all = vec![(65, sender.to_be_bytes().to_vec())];
    all.extend_from_slice(capabilities);
    let capabilities: Vec<u8> =
        all.iter().flat_map(|(code, value)| [&[*code, value.len() as u8][..], value].concat()).collect();
    let parameters = [&[2, capabilities.len() as u8][..], &capabilities].concat();
    let body =
        [&[4][..], &short.to_be_bytes(), &[0, 180], &[192, 0, 2, 1], &[parameters.len() as u8], &parameters];
    message(1, &body.concat())
}

/// The ADD-PATH capability for IPv4 and IPv6 unicast; mode 1 receive, 2 send, 3 both.
pub fn add_path(mode: u8) -> (u8, Vec<u8>) {
    (69, vec![0, 1, 1, mode, 0, 2, 1, mode])
}

pub fn attribute(flags: u8, code: u8, value: &[u8]) -> Vec<u8> {
    match u8::try_from(value.len()) {
        Ok(length) => [&[flags, code, length], value].concat(),
        Err(_) => [&[flags | 0x10, code][..], &with_len16(value)].concat(),
    }
}

/// Segments of an AS_PATH: kind and ASNs.
pub fn path(segments: &[(u8, &[u32])], size: AsnSize) -> Vec<u8> {
    segments
        .iter()
        .flat_map(|(kind, asns)| {
            let mut bytes = vec![*kind, asns.len() as u8];
            bytes.extend(asns.iter().flat_map(|one| asn(*one, size)));
            bytes
        })
        .collect()
}

/// ORIGIN, AS_PATH of one sequence and NEXT_HOP.
pub fn attributes(asns: &[u32], size: AsnSize) -> Vec<u8> {
    let asns: &[(u8, &[u32])] = if asns.is_empty() { &[] } else { &[(2, asns)] };
    attributes_of(&path(asns, size))
}

/// ORIGIN, AS_PATH and NEXT_HOP.
pub fn attributes_of(path: &[u8]) -> Vec<u8> {
    [attribute(0x40, 1, &[0]), attribute(0x40, 2, path), attribute(0x40, 3, &[192, 0, 2, 1])].concat()
}

pub fn prefix(prefix: Prefix) -> Vec<u8> {
    let bytes = prefix.bits().to_be_bytes();
    [&[prefix.length()], &bytes[..usize::from(prefix.length().div_ceil(8))]].concat()
}

pub fn prefixes(texts: &[&str]) -> Vec<u8> {
    texts.iter().flat_map(|text| prefix(text.parse().unwrap())).collect()
}

pub fn nlri(list: &[Nlri], path_ids: bool) -> Vec<u8> {
    let one = |nlri: &Nlri| match path_ids {
        true => [&nlri.path_id.to_be_bytes()[..], &prefix(nlri.prefix)].concat(),
        false => prefix(nlri.prefix),
    };
    list.iter().flat_map(one).collect()
}

fn afi_safi(family: Family, safi: u8) -> [u8; 3] {
    [0, if family == Family::V4 { 1 } else { 2 }, safi]
}

/// MP_REACH_NLRI with a next hop of the family's size.
pub fn mp_reach(family: Family, safi: u8, nlri: &[u8]) -> Vec<u8> {
    let next_hop = vec![1; usize::from(family.bits() / 8)];
    attribute(
        0x80,
        14,
        &[&afi_safi(family, safi)[..], &[next_hop.len() as u8], &next_hop, &[0], nlri].concat(),
    )
}

/// MP_UNREACH_NLRI.
pub fn mp_unreach(family: Family, safi: u8, nlri: &[u8]) -> Vec<u8> {
    attribute(0x80, 15, &[&afi_safi(family, safi), nlri].concat())
}

/// PEER_INDEX_TABLE with four-byte ASNs.
pub fn peer_index_table(peers: &[(u32, IpAddr)]) -> Vec<u8> {
    let mut body = [&[192, 0, 2, 254][..], &with_len16(b""), &(peers.len() as u16).to_be_bytes()].concat();
    for (asn, peer) in peers {
        body.push(if peer.is_ipv6() { 3 } else { 2 });
        body.extend([0; 4]);
        body.extend(address(*peer));
        body.extend(asn.to_be_bytes());
    }
    body
}

/// A row of TABLE_DUMP_V2: peer, path identifier (where the subtype has them) and attributes of each entry.
pub fn rib_row(sequence: u32, network: Prefix, entries: &[(u16, Option<u32>, Vec<u8>)]) -> Vec<u8> {
    let mut body =
        [&sequence.to_be_bytes()[..], &prefix(network), &(entries.len() as u16).to_be_bytes()].concat();
    for (peer, path_id, attributes) in entries {
        body.extend(peer.to_be_bytes());
        body.extend(1_400_000_000_u32.to_be_bytes());
        body.extend(path_id.iter().flat_map(|id| id.to_be_bytes()));
        body.extend(with_len16(attributes));
    }
    body
}

/// An entry of TABLE_DUMP, without the view and sequence number before it.
pub fn table_dump_entry(network: Prefix, peer_asn: u32, peer: IpAddr, attributes: &[u8]) -> Vec<u8> {
    let bits = network.bits().to_be_bytes();
    let size = if network.family() == Family::V4 { 4 } else { 16 };
    [
        &bits[..size],
        &[network.length(), 1],
        &1_000_000_000_u32.to_be_bytes(),
        &address(peer),
        &asn(peer_asn, AsnSize::Two),
        &with_len16(attributes),
    ]
    .concat()
}
