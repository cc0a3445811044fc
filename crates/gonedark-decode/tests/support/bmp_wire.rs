//! The small encoder of BMP messages, as the RFCs draw them.
#![allow(dead_code, unreachable_pub, reason = "each user takes its part")]

use std::net::IpAddr;

/// A message with its common header.
pub fn message(version: u8, kind: u8, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 6;
    [&[version][..], &length.to_be_bytes(), &[kind], body].concat()
}

/// What stands in a per-peer header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    pub kind: u8,
    /// Without the one for IPv6, which follows from the address.
    pub flags: u8,
    pub distinguisher: u64,
    pub address: IpAddr,
    pub asn: u32,
    pub identifier: u32,
    pub seconds: u32,
    pub micros: u32,
}

/// A neighbour in the global table, before the policy.
pub const PEER: Peer = Peer {
    kind: 0,
    flags: 0,
    distinguisher: 0,
    address: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)),
    asn: 64500,
    identifier: 0xC000_0207,
    seconds: 1_419_264_900,
    micros: 250,
};

/// Post-policy, ASNs of two bytes, Adj-RIB-Out.
pub const POST: u8 = 0x40;
pub const TWO_BYTE: u8 = 0x20;
pub const OUT: u8 = 0x10;

fn sixteen(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => [&[0; 12][..], &address.octets()].concat(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

pub fn per_peer(peer: &Peer) -> Vec<u8> {
    let v6 = if peer.address.is_ipv6() { 0x80 } else { 0 };
    [
        &[peer.kind, peer.flags | v6][..],
        &peer.distinguisher.to_be_bytes(),
        &sixteen(peer.address),
        &peer.asn.to_be_bytes(),
        &peer.identifier.to_be_bytes(),
        &peer.seconds.to_be_bytes(),
        &peer.micros.to_be_bytes(),
    ]
    .concat()
}

/// A message of a peer, version 3.
pub fn of_peer(kind: u8, peer: &Peer, body: &[u8]) -> Vec<u8> {
    message(3, kind, &[per_peer(peer), body.to_vec()].concat())
}

/// Route Monitoring.
pub fn monitoring(peer: &Peer, update: &[u8]) -> Vec<u8> {
    of_peer(0, peer, update)
}

/// Peer Up.
pub fn up(peer: &Peer, local: IpAddr, sent: &[u8], received: &[u8], tlvs: &[u8]) -> Vec<u8> {
    let ports = [0, 179, 0x9C, 0x40];
    of_peer(3, peer, &[&sixteen(local)[..], &ports, sent, received, tlvs].concat())
}

pub fn tlv(kind: u16, value: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat()
}

/// A TLV of a Route Monitoring of version 4.
pub fn indexed(kind: u16, index: u16, value: &[u8]) -> Vec<u8> {
    let length = (value.len() as u16).to_be_bytes();
    [&kind.to_be_bytes()[..], &length, &index.to_be_bytes(), value].concat()
}

/// A Statistics Report.
pub fn statistics(peer: &Peer, counters: &[Vec<u8>]) -> Vec<u8> {
    let count = counters.len() as u32;
    of_peer(1, peer, &[&count.to_be_bytes()[..], &counters.concat()].concat())
}
