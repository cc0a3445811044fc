//! BGP4MP and BGP4MP_ET: messages and state changes of the collector's sessions (RFC 6396 section 4.4, RFC 8050).

use crate::bgp::{AddPath, Message, Session};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::mrt::{PeerAddress, RawRecord, Record, kind};
use crate::sessions::{Direction, Sessions};
use gonedark_route::{Asn, AsnSize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a subtype says of its records.
#[derive(Clone, Copy)]
enum Layout {
    StateChange(AsnSize),
    Message {
        size: AsnSize,
        /// The collector's own messages (the _LOCAL subtypes).
        sent: bool,
        /// Of a session with ADD-PATH (RFC 8050 section 3).
        add_path: bool,
    },
}

impl Layout {
    #[inline]
    fn of(subtype: u16) -> Option<Self> {
        let message = |size, sent, add_path| Some(Layout::Message { size, sent, add_path });
        match subtype {
            0 => Some(Layout::StateChange(AsnSize::Two)),
            1 => message(AsnSize::Two, false, false),
            4 => message(AsnSize::Four, false, false),
            5 => Some(Layout::StateChange(AsnSize::Four)),
            6 => message(AsnSize::Two, true, false),
            7 => message(AsnSize::Four, true, false),
            8 => message(AsnSize::Two, false, true),
            9 => message(AsnSize::Four, false, true),
            10 => message(AsnSize::Two, true, true),
            11 => message(AsnSize::Four, true, true),
            // 2 BGP4MP_ENTRY and 3 BGP4MP_SNAPSHOT (RFC 6396 section B.2.5) are of no archive that we know.
            _ => None,
        }
    }
}

/// The two ends of a session. The address stays in wire form until the record is made: it is 17 bytes otherwise, and
/// moving it about was a quarter of an UPDATE's time.
struct Ends<'a> {
    peer_asn: Asn,
    collector_asn: Asn,
    address: &'a [u8],
}

#[inline]
fn asn(cursor: &mut Cursor<'_>, size: AsnSize) -> Result<Asn, DecodeError> {
    Ok(Asn(match size {
        AsnSize::Two => u32::from(cursor.u16(Field::PeerHeader)?),
        AsnSize::Four => cursor.u32(Field::PeerHeader)?,
    }))
}

impl<'a> Ends<'a> {
    #[inline]
    fn read(cursor: &mut Cursor<'a>, size: AsnSize) -> Result<Self, DecodeError> {
        let peer_asn = asn(cursor, size)?;
        let collector_asn = asn(cursor, size)?;
        let [_interface_high, _interface_low] = cursor.array(Field::PeerHeader)?;
        let at_family = *cursor;
        let length = match cursor.u16(Field::AddressFamily)? {
            1 => 4,
            2 => 16,
            other => return Err(at_family.value(Field::AddressFamily, u32::from(other))),
        };
        let address = cursor.take(length, Field::PeerHeader)?;
        let _collector = cursor.take(length, Field::PeerHeader)?;
        Ok(Ends { peer_asn, collector_asn, address })
    }

    /// The short form of Zebra in 2000: two ASNs, no interface, no family and no addresses.
    #[cold]
    fn read_short(cursor: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        let peer_asn = asn(cursor, AsnSize::Two)?;
        let collector_asn = asn(cursor, AsnSize::Two)?;
        Ok(Ends { peer_asn, collector_asn, address: &[] })
    }

    #[inline]
    fn peer(&self) -> PeerAddress {
        let address = match (<[u8; 4]>::try_from(self.address), <[u8; 16]>::try_from(self.address)) {
            (Ok(v4), _) => IpAddr::V4(Ipv4Addr::from(v4)),
            (_, Ok(v6)) => IpAddr::V6(Ipv6Addr::from(v6)),
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        PeerAddress { asn: self.peer_asn, address }
    }
}

/// Decodes a record of type BGP4MP or BGP4MP_ET.
#[inline]
pub(crate) fn decode<'a>(
    raw: RawRecord<'a>,
    sessions: &mut Sessions<IpAddr>,
    scratch: &'a mut Vec<u8>,
) -> Result<Record<'a>, DecodeError> {
    let cursor = Cursor::new(raw.body, raw.body_offset());
    match Layout::of(raw.subtype) {
        Some(Layout::Message { size, sent, add_path }) => {
            message(cursor, size, sent, add_path, sessions, scratch)
        }
        Some(Layout::StateChange(size)) => state_change(cursor, size, sessions),
        None => Ok(Record::Unsupported { kind: raw.kind, subtype: raw.subtype }),
    }
}

#[inline]
fn message<'a>(
    mut cursor: Cursor<'a>,
    size: AsnSize,
    sent: bool,
    marked: bool,
    sessions: &mut Sessions<IpAddr>,
    scratch: &'a mut Vec<u8>,
) -> Result<Record<'a>, DecodeError> {
    let ends = match size == AsnSize::Two && has_marker_after_asns(cursor.rest()) {
        true => Ends::read_short(&mut cursor)?,
        false => Ends::read(&mut cursor, size)?,
    };
    let [add_path_v4, add_path_v6] = match marked {
        true => [AddPath::Agreed; 2],
        // Most files have no OPEN at all.
        false if sessions.is_empty() => [AddPath::Unknown; 2],
        false => sessions.add_path(ends.peer().address, Direction::FromPeer),
    };
    let session = Session { asn_size: size, add_path_v4, add_path_v6 };
    let message = match Message::read(cursor.rest(), cursor.offset(), &session, scratch) {
        Ok(message) => message,
        Err(error) => return Ok(Record::Damaged { peer: ends.peer(), error }),
    };
    let peer = ends.peer();
    match message {
        _ if sent && !matches!(message, Message::Open(_)) => Ok(Record::Sent { peer, message }),
        Message::Update(update) => {
            let inferred = update.inferred_path_ids();
            if inferred != [false; 2] {
                sessions.inferred(peer.address, inferred);
            }
            Ok(Record::Update { peer, update })
        }
        Message::Open(open) => {
            // Not every writer uses the _LOCAL subtypes: the OPEN's own ASN says whose it is.
            let by_collector = sent || (open.asn == ends.collector_asn && open.asn != peer.asn);
            sessions.open(peer.address, by_collector, &open);
            match by_collector {
                true => Ok(Record::Sent { peer, message }),
                false => Ok(Record::Message { peer, message }),
            }
        }
        _ => Ok(Record::Message { peer, message }),
    }
}

/// States of a session (RFC 4271 section 8.2.2) in which nothing of the last one holds any more: Idle, Connect, Active.
const DOWN: std::ops::RangeInclusive<u16> = 1..=3;

fn state_change<'a>(
    mut cursor: Cursor<'a>,
    size: AsnSize,
    sessions: &mut Sessions<IpAddr>,
) -> Result<Record<'a>, DecodeError> {
    let short = size == AsnSize::Two && cursor.rest().len() == 8;
    let ends = if short { Ends::read_short(&mut cursor)? } else { Ends::read(&mut cursor, size)? };
    let old = cursor.u16(Field::StateChange)?;
    let new = cursor.u16(Field::StateChange)?;
    if DOWN.contains(&new) {
        sessions.down(ends.peer().address);
    }
    Ok(Record::StateChange { peer: ends.peer(), old, new })
}

#[inline]
fn has_marker_after_asns(bytes: &[u8]) -> bool {
    bytes.get(4..20).is_some_and(|marker| marker == [0xFF; 16])
}

/// How long a record is by what stands in it, with the microseconds of an _ET record. `body` begins with these and has
/// the length of the header.
#[inline]
pub(crate) fn length_by_content(kind: u16, subtype: u16, body: &[u8]) -> Option<usize> {
    let layout = Layout::of(subtype)?;
    let size = match layout {
        Layout::StateChange(size) | Layout::Message { size, .. } => size,
    };
    let micros = if kind == kind::BGP4MP_ET { 4_usize } else { 0 };
    let asns = size.bytes().checked_mul(2)?;
    let at_family = micros.checked_add(asns)?.checked_add(2)?;
    let family_and_addresses = match body.get(at_family..)?.first_chunk::<2>()? {
        [0, 1] => 2 + 4 + 4,
        [0, 2] => 2 + 16 + 16,
        _ => return None,
    };
    let after_ends = at_family.checked_add(family_and_addresses)?;
    match layout {
        Layout::StateChange(_) => after_ends.checked_add(4),
        Layout::Message { .. } => {
            let header = body.get(after_ends..)?.first_chunk::<18>()?;
            let [marker @ .., high, low] = header;
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            (*marker == [0xFF; 16]).then_some(after_ends.checked_add(length)?)
        }
    }
}
