//! MRT type 5, BGP: what RIPE NCC recorded in 1999 and 2000 (RFC 6396 section B.2.1). IPv4 and two-byte ASNs only, and messages
//! without their header.

use crate::bgp::{AddPath, Message, Session};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::mrt::{PeerAddress, RawRecord, Record};
use gonedark_route::{Asn, AsnSize, Family};

const UPDATE: u16 = 1;
const STATE_CHANGE: u16 = 3;
const OPEN: u16 = 5;
const NOTIFY: u16 = 6;
const KEEPALIVE: u16 = 7;

/// Path identifiers are of 2016.
const SESSION: Session =
    Session { asn_size: AsnSize::Two, add_path_v4: AddPath::No, add_path_v6: AddPath::No };

fn peer(cursor: &mut Cursor<'_>) -> Result<PeerAddress, DecodeError> {
    let asn = Asn(u32::from(cursor.u16(Field::PeerHeader)?));
    Ok(PeerAddress { asn, address: cursor.address(Family::V4, Field::PeerHeader)? })
}

/// Decodes a record of type BGP.
pub(crate) fn decode<'a>(raw: RawRecord<'a>, scratch: &'a mut Vec<u8>) -> Result<Record<'a>, DecodeError> {
    let mut cursor = Cursor::new(raw.body, raw.body_offset());
    // The type in the header that these messages lack (RFC 4271 section 4.1).
    let message_type = match raw.subtype {
        OPEN => 1,
        UPDATE => 2,
        NOTIFY => 3,
        KEEPALIVE => 4,
        STATE_CHANGE => {
            let peer = peer(&mut cursor)?;
            let old = cursor.u16(Field::StateChange)?;
            let new = cursor.u16(Field::StateChange)?;
            return Ok(Record::StateChange { peer, old, new });
        }
        subtype => return Ok(Record::Unsupported { kind: raw.kind, subtype }),
    };
    let from = peer(&mut cursor)?;
    let _collector = peer(&mut cursor)?;
    Ok(match Message::read_body(message_type, cursor, &SESSION, scratch) {
        Ok(Message::Update(update)) => Record::Update { peer: from, update },
        Ok(message) => Record::Message { peer: from, message },
        Err(error) => Record::Damaged { peer: from, error },
    })
}
