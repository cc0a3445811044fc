//! IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200 section 4).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::packet::Packet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Hop-by-hop options (RFC 8200 section 4.3).
const HOP_BY_HOP: u8 = 0;
/// Routing (RFC 8200 section 4.4), of which SRv6 is one (RFC 8754).
const ROUTING: u8 = 43;
/// Fragment (RFC 8200 section 4.5).
const FRAGMENT: u8 = 44;
/// Authentication (RFC 4302 section 2), which counts its length otherwise.
const AUTHENTICATION: u8 = 51;
/// Destination options (RFC 8200 section 4.6).
const DESTINATION: u8 = 60;
/// Mobility (RFC 6275), HIP (RFC 7401) and Shim6 (RFC 5533) have the form of options.
const OF_THE_SAME_FORM: [u8; 3] = [135, 139, 140];

/// Which part of a larger packet a packet is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fragment {
    /// Where in the larger one's payload it starts, in units of eight bytes; only the one at 0 has ports.
    pub offset: u16,
    /// Whether there are more behind it.
    pub more: bool,
}

impl Fragment {
    /// From the 13 bits of the offset and the flag beside them. A packet that says that it is all of itself is whole
    /// ("atomic", RFC 6946).
    const fn new(offset: u16, more: bool) -> Option<Self> {
        if offset == 0 && !more { None } else { Some(Fragment { offset, more }) }
    }
}

/// The packet that begins with an IP header.
///
/// # Errors
/// Where it is neither IPv4 nor IPv6, its header is cut, or has a length that no header has.
#[inline]
pub fn ip(bytes: &[u8]) -> Result<Packet<'_>, DecodeError> {
    read(Cursor::new(bytes, 0))
}

#[inline]
pub(super) fn read(cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    match cursor.rest().first().map(|first| first >> 4) {
        Some(4) => read_v4(cursor),
        Some(6) => read_v6(cursor),
        Some(other) => Err(cursor.value(Field::IpVersion, u32::from(other))),
        None => Err(cursor.cut(Field::IpVersion, 1)),
    }
}

#[inline]
fn read_v4(mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    let start = cursor;
    let header = cursor.array::<20>(Field::IpHeader)?;
    let [first, _, l0, l1, _, _, f0, f1, hop_limit, protocol, _, _, s0, s1, s2, s3, t0, t1, t2, t3] = header;
    let header_length = usize::from(first & 0x0F) << 2;
    let Some(options) = header_length.checked_sub(20) else {
        return Err(start.value(Field::IpHeaderLength, u32::from(first & 0x0F)));
    };
    cursor.take(options, Field::IpHeader)?;
    let length = u16::from_be_bytes([l0, l1]);
    let payload = match (length, usize::from(length).checked_sub(header_length)) {
        (0, _) => cursor.rest(),
        // Ethernet pads frames of less than 64 bytes.
        (_, Some(payload)) => cursor.rest().get(..payload).unwrap_or(cursor.rest()),
        (_, None) => return Err(start.value(Field::IpHeaderLength, u32::from(length))),
    };
    let fragment = u16::from_be_bytes([f0, f1]);
    Ok(Packet {
        source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        target: IpAddr::V4(Ipv4Addr::new(t0, t1, t2, t3)),
        protocol,
        hop_limit,
        length: u32::from(length),
        fragment: Fragment::new(fragment & 0x1FFF, fragment & 0x2000 != 0),
        payload,
        link_length: u32::try_from(start.offset()).unwrap_or(u32::MAX),
    })
}

#[inline]
fn read_v6(mut cursor: Cursor<'_>) -> Result<Packet<'_>, DecodeError> {
    let start = cursor;
    let [_, _, _, _, l0, l1, next, hop_limit] = cursor.array(Field::IpHeader)?;
    let source = Ipv6Addr::from(cursor.array::<16>(Field::IpHeader)?);
    let target = Ipv6Addr::from(cursor.array::<16>(Field::IpHeader)?);
    let length = u16::from_be_bytes([l0, l1]);
    let body = match length {
        // A jumbogram (RFC 2675), or one that the sending machine still had to cut.
        0 => cursor.rest(),
        _ => cursor.rest().get(..usize::from(length)).unwrap_or(cursor.rest()),
    };
    let (protocol, fragment, payload) = extensions(next, body);
    Ok(Packet {
        source: IpAddr::V6(source),
        target: IpAddr::V6(target),
        protocol,
        hop_limit,
        length: if length == 0 { 0 } else { u32::from(length).saturating_add(40) },
        fragment,
        payload,
        link_length: u32::try_from(start.offset()).unwrap_or(u32::MAX),
    })
}

/// The protocol behind the extension headers, whether it is a fragment, and what is left. Where they are cut it is the
/// last one that was named, with nothing left. Each round takes bytes, so that the packet's length bounds them.
#[inline]
fn extensions(mut next: u8, mut rest: &[u8]) -> (u8, Option<Fragment>, &[u8]) {
    let mut fragment = None;
    loop {
        let is_options =
            matches!(next, HOP_BY_HOP | ROUTING | DESTINATION) || OF_THE_SAME_FORM.contains(&next);
        if !is_options && next != FRAGMENT && next != AUTHENTICATION {
            return (next, fragment, rest);
        }
        let Some(([following, length, high, low], _)) = rest.split_first_chunk::<4>() else {
            return (next, fragment, &[]);
        };
        let taken = match next {
            FRAGMENT => 8,
            AUTHENTICATION => usize::from(*length).saturating_add(2) << 2,
            _ => usize::from(*length).saturating_add(1) << 3,
        };
        if next == FRAGMENT {
            let bits = u16::from_be_bytes([*high, *low]);
            fragment = Fragment::new(bits >> 3, bits & 1 != 0);
        }
        let following = *following;
        match rest.get(taken..) {
            Some(behind) => (next, rest) = (following, behind),
            None => return (following, fragment, &[]),
        }
        // What follows in a later fragment is no header.
        if fragment.is_some_and(|fragment| fragment.offset != 0) {
            return (next, fragment, rest);
        }
    }
}
