//! From a frame to the IP packet in it.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::packet::{Packet, network};

/// IPv4 (IANA "IEEE 802 Numbers").
pub(super) const IPV4: u16 = 0x0800;
/// IPv6 (IANA "IEEE 802 Numbers").
pub(super) const IPV6: u16 = 0x86DD;
/// MPLS (RFC 5332 section 3; the second one was multicast).
pub(super) const MPLS: [u16; 2] = [0x8847, 0x8848];
/// An Ethernet frame in GRE (RFC 7637 section 3.2).
pub(super) const BRIDGED: u16 = 0x6558;
/// VLAN tags: IEEE 802.1Q and 802.1ad, and two that were in use before the latter.
const VLAN: [u16; 4] = [0x8100, 0x88A8, 0x9100, 0x9200];
/// A PPPoE session (RFC 2516 section 4).
const PPPOE: u16 = 0x8864;
/// The least EtherType: what is below is a length (IEEE 802.3 clause 3.2.6).
const ETHER_TYPE_MIN: u16 = 0x0600;
/// IPv4, IPv6 and MPLS in PPP (IANA "PPP DLL Protocol Numbers").
const PPP: [(u16, u16); 3] = [(0x0021, IPV4), (0x0057, IPV6), (0x0281, 0x8847)];

/// What stands before the IP header of a captured packet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Link {
    /// Ethernet.
    Ethernet,
    /// Nothing.
    Ip,
    /// An MPLS label stack.
    Mpls,
    /// A family in four bytes of the capturing machine (BSD loopback).
    Null,
    /// Linux "cooked" capture.
    LinuxCooked,
    /// Linux "cooked" capture, version 2.
    LinuxCooked2,
}

impl Link {
    /// By the link type of pcap and pcapng files (tcpdump.org "Link-layer header types"). `None` for all others.
    pub const fn from_pcap(link_type: u32) -> Option<Link> {
        match link_type {
            0 | 108 => Some(Link::Null),
            1 => Some(Link::Ethernet),
            12 | 14 | 101 | 228 | 229 => Some(Link::Ip),
            113 => Some(Link::LinuxCooked),
            219 => Some(Link::Mpls),
            276 => Some(Link::LinuxCooked2),
            _ => None,
        }
    }
}

/// The IP packet of a frame behind the given kind of link.
///
/// # Errors
/// Where the frame holds something else ([`Field::EtherType`]), or is cut before the IP header ends.
#[inline]
pub fn linked(link: Link, frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    let mut cursor = Cursor::new(frame, 0);
    match link {
        Link::Ethernet => read_ethernet(cursor),
        Link::Ip => network::read(cursor),
        Link::Mpls => read_mpls(cursor),
        Link::Null => {
            cursor.take(4, Field::Frame)?;
            network::read(cursor)
        }
        Link::LinuxCooked => {
            cursor.take(14, Field::Frame)?;
            read_typed(cursor)
        }
        Link::LinuxCooked2 => {
            let kind = cursor.u16(Field::Frame)?;
            cursor.take(18, Field::Frame)?;
            read_type(kind, cursor)
        }
    }
}

/// The IP packet of an Ethernet frame, which begins with the target's address.
///
/// # Errors
/// As [`linked`].
#[inline]
pub fn ethernet(frame: &[u8]) -> Result<Packet<'_>, DecodeError> {
    read_ethernet(Cursor::new(frame, 0))
}

#[inline]
pub(super) fn read_ethernet(mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    cursor.take(12, Field::Frame)?;
    read_typed(cursor)
}

/// An EtherType and what it says.
#[inline]
fn read_typed(mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    let kind = cursor.u16(Field::EtherType)?;
    read_type(kind, cursor)
}

/// What an EtherType says, behind any tags.
#[inline]
pub(super) fn read_type(mut kind: u16, mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    // Each round takes bytes, so that the frame's length bounds them.
    loop {
        let start = cursor;
        match kind {
            IPV4 | IPV6 => return network::read(cursor),
            kind if MPLS.contains(&kind) => return read_mpls(cursor),
            tag if VLAN.contains(&tag) => {
                cursor.take(2, Field::EtherType)?;
                kind = cursor.u16(Field::EtherType)?;
            }
            PPPOE => {
                cursor.take(6, Field::EtherType)?;
                let protocol = cursor.u16(Field::EtherType)?;
                kind = match PPP.iter().find(|(ppp, _)| *ppp == protocol) {
                    Some((_, kind)) => *kind,
                    None => return Err(start.value(Field::EtherType, u32::from(protocol))),
                };
            }
            length if length < ETHER_TYPE_MIN => {
                // IEEE 802.2 with SNAP, which has an EtherType at its end.
                if cursor.array::<6>(Field::EtherType)? != [0xAA, 0xAA, 3, 0, 0, 0] {
                    return Err(start.value(Field::EtherType, u32::from(length)));
                }
                kind = cursor.u16(Field::EtherType)?;
            }
            other => return Err(start.value(Field::EtherType, u32::from(other))),
        }
    }
}

/// A label stack (RFC 3032 section 2.1) and what is behind it. Nothing in the stack says what that is: by its first
/// four bits it is IPv4, IPv6, or an Ethernet frame behind a control word (RFC 4385 section 3, RFC 4448 section 4.6).
#[inline]
pub(super) fn read_mpls(mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    loop {
        let [_, _, bottom, _] = cursor.array(Field::Mpls)?;
        if bottom & 1 == 1 {
            break;
        }
    }
    let start = cursor;
    match cursor.rest().first().map(|first| first >> 4) {
        Some(4 | 6) => network::read(cursor),
        Some(0) => {
            let [flags, reserved, _, _] = cursor.array(Field::Mpls)?;
            match (flags, reserved) {
                (0, 0) => read_ethernet(cursor),
                _ => Err(start.value(Field::Mpls, u32::from(u16::from_be_bytes([flags, reserved])))),
            }
        }
        Some(other) => Err(start.value(Field::Mpls, u32::from(other))),
        None => Err(cursor.cut(Field::Mpls, 1)),
    }
}
