//! Packets inside of packets.

use crate::cursor::Cursor;
use crate::packet::{self, Packet, link, network};

/// How many tunnels are gone into. A guess: providers put one around another one of a customer; more is made up, and
/// each level costs as much as a packet.
pub const TUNNELS_MAX: usize = 4;

/// VXLAN (RFC 7348 section 5), and the port that Linux took before there was one.
const VXLAN_PORTS: [u16; 2] = [4789, 8472];

pub(super) fn inside(protocol: u8, payload: &[u8]) -> Option<Packet<'_>> {
    let cursor = Cursor::new(payload, 0);
    match protocol {
        packet::IPV4 | packet::IPV6 => network::read(cursor).ok(),
        packet::GRE => gre(payload),
        packet::UDP => vxlan(payload),
        packet::MPLS => link::read_mpls(cursor).ok(),
        packet::ETHERNET => link::read_ethernet(cursor).ok(),
        _ => None,
    }
}

/// GRE (RFC 2784 section 2) with key and sequence number (RFC 2890). With routing (RFC 1701) or of version 1 (PPTP,
/// RFC 2637) it is not gone into.
fn gre(payload: &[u8]) -> Option<Packet<'_>> {
    let ([flags, version, high, low], mut rest) = payload.split_first_chunk::<4>()?;
    if flags & 0x40 != 0 || version & 0x07 != 0 {
        return None;
    }
    for present in [0x80, 0x20, 0x10] {
        if flags & present != 0 {
            rest = rest.get(4..)?;
        }
    }
    let cursor = Cursor::new(rest, 0);
    match u16::from_be_bytes([*high, *low]) {
        link::BRIDGED => link::read_ethernet(cursor).ok(),
        kind => link::read_type(kind, cursor).ok(),
    }
}

/// A VXLAN header behind one of UDP.
fn vxlan(payload: &[u8]) -> Option<Packet<'_>> {
    let ([_, _, high, low, ..], rest) = payload.split_first_chunk::<8>()?;
    if !VXLAN_PORTS.contains(&u16::from_be_bytes([*high, *low])) {
        return None;
    }
    let ([flags, ..], frame) = rest.split_first_chunk::<8>()?;
    // The bit that says that there is a network identifier has to be set (RFC 7348 section 5).
    if flags & 0x08 == 0 {
        return None;
    }
    link::read_ethernet(Cursor::new(frame, 0)).ok()
}
