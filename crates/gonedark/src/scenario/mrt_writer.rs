//! Writes MRT (RFC 6396, RFC 8050): TABLE_DUMP_V2, BGP4MP and BGP4MP_ET with four-byte ASNs.
//!
//! Every function appends one whole record. What is written is what RIS and RouteViews write, and no more.

use gonedark_route::{Asn, Family, Nlri, Prefix, Time};
use std::net::{IpAddr, Ipv4Addr};

// RFC 6396 sections 4 and 5.5.1, RFC 8050 section 3 and 4.
const TABLE_DUMP_V2: u16 = 13;
const PEER_INDEX_TABLE: u16 = 1;
const RIB_IPV4_UNICAST: u16 = 2;
const RIB_IPV6_UNICAST: u16 = 4;
const RIB_IPV4_UNICAST_ADDPATH: u16 = 8;
const RIB_IPV6_UNICAST_ADDPATH: u16 = 10;
const BGP4MP: u16 = 16;
const BGP4MP_ET: u16 = 17;
const MESSAGE_AS4: u16 = 4;
const STATE_CHANGE_AS4: u16 = 5;
const MESSAGE_AS4_ADDPATH: u16 = 9;
/// RFC 6396 section 4.4.1.
const IDLE: u16 = 1;
const OPEN_CONFIRM: u16 = 5;
const ESTABLISHED: u16 = 6;
/// RFC 4271 section 4.3, RFC 4760.
const UPDATE: u8 = 2;
const ORIGIN: u8 = 1;
const AS_PATH: u8 = 2;
const NEXT_HOP: u8 = 3;
const MP_REACH_NLRI: u8 = 14;
const MP_UNREACH_NLRI: u8 = 15;
const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;
const EXTENDED_LENGTH: u8 = 0x10;

/// Both ends of a session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    pub(crate) peer: Asn,
    pub(crate) local: Asn,
    pub(crate) peer_address: IpAddr,
    pub(crate) local_address: IpAddr,
    pub(crate) add_path: bool,
}

/// When a record is stamped, and whether with microseconds (BGP4MP_ET).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    pub(crate) time: Time,
    pub(crate) micros: bool,
}

/// One peer's entry in a table's row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<'a> {
    /// Index in the peer index table.
    pub(crate) peer: u16,
    pub(crate) path_id: u32,
    pub(crate) since: Time,
    pub(crate) path: &'a [Asn],
    pub(crate) next_hop: IpAddr,
}

/// Reserves a length field, runs `body`, and fills the length in.
fn sized(out: &mut Vec<u8>, width: usize, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.resize(at + width, 0);
    body(out);
    let length = (out.len() - at - width) as u64;
    let bytes = length.to_be_bytes();
    out[at..at + width].copy_from_slice(&bytes[8 - width..]);
}

fn record(out: &mut Vec<u8>, time: Time, kind: u16, subtype: u16, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend((time.seconds() as u32).to_be_bytes());
    out.extend(kind.to_be_bytes());
    out.extend(subtype.to_be_bytes());
    sized(out, 4, body);
}

fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => out.extend(address.octets()),
        IpAddr::V6(address) => out.extend(address.octets()),
    }
}

fn prefix(out: &mut Vec<u8>, prefix: Prefix) {
    out.push(prefix.length());
    let bytes = prefix.bits().to_be_bytes();
    out.extend(&bytes[..usize::from(prefix.length().div_ceil(8))]);
}

fn nlri(out: &mut Vec<u8>, route: Nlri, add_path: bool) {
    if add_path {
        out.extend(route.path_id.to_be_bytes());
    }
    prefix(out, route.prefix);
}

fn attribute(out: &mut Vec<u8>, flags: u8, kind: u8, body: impl FnOnce(&mut Vec<u8>)) {
    out.extend([flags | EXTENDED_LENGTH, kind]);
    sized(out, 2, body);
}

fn path_attributes(out: &mut Vec<u8>, path: &[Asn]) {
    attribute(out, WELL_KNOWN, ORIGIN, |out| out.push(0));
    attribute(out, WELL_KNOWN, AS_PATH, |out| {
        // A segment holds 255 ASNs at most.
        for segment in path.chunks(255) {
            out.extend([2, segment.len() as u8]);
            segment.iter().for_each(|asn| out.extend(asn.0.to_be_bytes()));
        }
    });
}

fn afi(family: Family) -> u16 {
    match family {
        Family::V4 => 1,
        Family::V6 => 2,
    }
}

/// The list of peers that a table's rows refer to (RFC 6396 section 4.3.1).
pub(crate) fn peer_index_table(out: &mut Vec<u8>, time: Time, view: &str, id: Ipv4Addr, peers: &[Session]) {
    record(out, time, TABLE_DUMP_V2, PEER_INDEX_TABLE, |out| {
        out.extend(id.octets());
        sized(out, 2, |out| out.extend(view.as_bytes()));
        out.extend((peers.len() as u16).to_be_bytes());
        for peer in peers {
            // Bit 0: an IPv6 address; bit 1: a four-byte ASN.
            out.push(2 | u8::from(peer.peer_address.is_ipv6()));
            out.extend(bgp_id(peer.peer_address).octets());
            address(out, peer.peer_address);
            out.extend(peer.peer.0.to_be_bytes());
        }
    });
}

/// A BGP identifier for an address: itself, or for IPv6 its ends folded into 10.0.0.0/8 (invented: ids need not route).
fn bgp_id(address: IpAddr) -> Ipv4Addr {
    match address {
        IpAddr::V4(address) => address,
        IpAddr::V6(address) => {
            let [.., a, b, c] = address.octets();
            Ipv4Addr::new(10, a ^ address.octets()[5], b, c)
        }
    }
}

/// One network of a table (RFC 6396 section 4.3.2; RFC 8050 section 4.1 where the entries have path identifiers).
pub(crate) fn rib_row(
    out: &mut Vec<u8>,
    time: Time,
    sequence: u32,
    network: Prefix,
    entries: &[Entry<'_>],
    add_path: bool,
) {
    let subtype = match (network.family(), add_path) {
        (Family::V4, false) => RIB_IPV4_UNICAST,
        (Family::V6, false) => RIB_IPV6_UNICAST,
        (Family::V4, true) => RIB_IPV4_UNICAST_ADDPATH,
        (Family::V6, true) => RIB_IPV6_UNICAST_ADDPATH,
    };
    record(out, time, TABLE_DUMP_V2, subtype, |out| {
        out.extend(sequence.to_be_bytes());
        prefix(out, network);
        out.extend((entries.len() as u16).to_be_bytes());
        for entry in entries {
            out.extend(entry.peer.to_be_bytes());
            out.extend((entry.since.seconds() as u32).to_be_bytes());
            if add_path {
                out.extend(entry.path_id.to_be_bytes());
            }
            sized(out, 2, |out| {
                path_attributes(out, entry.path);
                match network.family() {
                    Family::V4 => attribute(out, WELL_KNOWN, NEXT_HOP, |out| address(out, entry.next_hop)),
                    // Only the next hop and its length (RFC 6396 section 4.3.4).
                    Family::V6 => attribute(out, OPTIONAL, MP_REACH_NLRI, |out| {
                        sized(out, 1, |out| address(out, entry.next_hop));
                    }),
                }
            });
        }
    });
}

fn bgp4mp(out: &mut Vec<u8>, stamp: Stamp, subtype: u16, session: &Session, body: impl FnOnce(&mut Vec<u8>)) {
    let kind = if stamp.micros { BGP4MP_ET } else { BGP4MP };
    record(out, stamp.time, kind, subtype, |out| {
        if stamp.micros {
            out.extend((stamp.time.subsecond_micros() as u32).to_be_bytes());
        }
        out.extend(session.peer.0.to_be_bytes());
        out.extend(session.local.0.to_be_bytes());
        // No interface, then the family of the addresses.
        out.extend([0, 0]);
        out.extend(afi(if session.peer_address.is_ipv6() { Family::V6 } else { Family::V4 }).to_be_bytes());
        address(out, session.peer_address);
        address(out, session.local_address);
        body(out);
    });
}

/// A session came up or went down (RFC 6396 section 4.4.1).
pub(crate) fn state_change(out: &mut Vec<u8>, stamp: Stamp, session: &Session, up: bool) {
    let (old, new) = if up { (OPEN_CONFIRM, ESTABLISHED) } else { (ESTABLISHED, IDLE) };
    bgp4mp(out, stamp, STATE_CHANGE_AS4, session, |out| {
        out.extend(old.to_be_bytes());
        out.extend(new.to_be_bytes());
    });
}

fn message(out: &mut Vec<u8>, stamp: Stamp, session: &Session, body: impl FnOnce(&mut Vec<u8>)) {
    let subtype = if session.add_path { MESSAGE_AS4_ADDPATH } else { MESSAGE_AS4 };
    bgp4mp(out, stamp, subtype, session, |out| {
        let start = out.len();
        out.extend([0xFF; 16]);
        out.extend([0, 0, UPDATE]);
        body(out);
        let length = (out.len() - start) as u16;
        out[start + 16..start + 18].copy_from_slice(&length.to_be_bytes());
    });
}

/// The routes of one UPDATE, all of one family.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Routes<'a> {
    pub(crate) withdrawn: &'a [Nlri],
    pub(crate) announced: &'a [Nlri],
    pub(crate) path: &'a [Asn],
    pub(crate) next_hop: IpAddr,
}

/// A BGP UPDATE (RFC 4271 section 4.3; RFC 4760 for IPv6).
pub(crate) fn update(out: &mut Vec<u8>, stamp: Stamp, session: &Session, routes: Routes<'_>) {
    let is_v6 = |routes: &[Nlri]| routes.iter().any(|route| route.prefix.family() == Family::V6);
    let v6 = is_v6(routes.withdrawn) || is_v6(routes.announced);
    let all = |out: &mut Vec<u8>, routes: &[Nlri]| {
        routes.iter().for_each(|route| nlri(out, *route, session.add_path));
    };
    message(out, stamp, session, |out| {
        sized(out, 2, |out| {
            if !v6 {
                all(out, routes.withdrawn)
            }
        });
        sized(out, 2, |out| {
            // MP attributes come first (RFC 7606 section 5.1).
            if v6 && !routes.withdrawn.is_empty() {
                attribute(out, OPTIONAL, MP_UNREACH_NLRI, |out| {
                    out.extend([0, 2, 1]);
                    all(out, routes.withdrawn);
                });
            }
            if v6 && !routes.announced.is_empty() {
                attribute(out, OPTIONAL, MP_REACH_NLRI, |out| {
                    out.extend([0, 2, 1]);
                    sized(out, 1, |out| address(out, routes.next_hop));
                    out.push(0);
                    all(out, routes.announced);
                });
            }
            if !routes.announced.is_empty() {
                path_attributes(out, routes.path);
                if !v6 {
                    attribute(out, WELL_KNOWN, NEXT_HOP, |out| address(out, routes.next_hop));
                }
            }
        });
        if !v6 {
            all(out, routes.announced);
        }
    });
}

/// The marker that a table is whole (RFC 4724 section 2).
pub(crate) fn end_of_rib(out: &mut Vec<u8>, stamp: Stamp, session: &Session, family: Family) {
    message(out, stamp, session, |out| {
        out.extend([0, 0]);
        sized(out, 2, |out| {
            if family == Family::V6 {
                attribute(out, OPTIONAL, MP_UNREACH_NLRI, |out| out.extend([0, 2, 1]));
            }
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(add_path: bool) -> Session {
        Session {
            peer: Asn(131_279),
            local: Asn(12_654),
            peer_address: Ipv4Addr::new(193, 0, 0, 56).into(),
            local_address: Ipv4Addr::new(192, 0, 2, 1).into(),
            add_path,
        }
    }

    #[test]
    fn a_state_change_is_written_byte_by_byte_as_the_rfc_says() {
        let mut out = Vec::new();
        let stamp = Stamp { time: Time::from_micros(1_419_264_900_000_250), micros: true };
        state_change(&mut out, stamp, &session(false), false);
        let expected = [
            [0x54, 0x98, 0x43, 0x84].as_slice(), // 2014-12-22T16:15:00Z
            &[0, 17, 0, 5, 0, 0, 0, 28],         // BGP4MP_ET, STATE_CHANGE_AS4, length with the microseconds
            &[0, 0, 0, 250],
            &[0, 2, 0, 0xCF, 0, 0, 0x31, 0x6E, 0, 0, 0, 1],
            &[193, 0, 0, 56, 192, 0, 2, 1],
            &[0, 6, 0, 1], // Established to Idle
        ];
        assert_eq!(out, expected.concat());
    }

    #[test]
    fn an_update_with_add_path_carries_the_identifier_before_each_prefix() {
        let mut out = Vec::new();
        let stamp = Stamp { time: Time::from_seconds(1_419_264_900), micros: false };
        let withdrawn = [Nlri { prefix: "175.45.176.0/24".parse().unwrap(), path_id: 2 }];
        let next_hop = Ipv4Addr::UNSPECIFIED.into();
        let routes = Routes { withdrawn: &withdrawn, announced: &[], path: &[], next_hop };
        update(&mut out, stamp, &session(true), routes);
        assert_eq!(out[4..8], [0, 16, 0, 9]);
        let message = &out[12 + 20..];
        assert_eq!(message[..16], [0xFF; 16]);
        assert_eq!(message[16..], [0, 31, 2, 0, 8, 0, 0, 0, 2, 24, 175, 45, 176, 0, 0]);
    }

    #[test]
    fn a_path_of_over_255_asns_is_cut_into_segments() {
        let mut out = Vec::new();
        path_attributes(&mut out, &vec![Asn(1); 300]);
        // ORIGIN (5 bytes), the attribute's head (4), then both segments' heads.
        assert_eq!(out[9..11], [2, 255]);
        assert_eq!(out[11 + 255 * 4..13 + 255 * 4], [2, 45]);
    }
}
