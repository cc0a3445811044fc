//! Route Monitoring: the UPDATE in it, and how it is to be read (RFC 7854 section 4.6).

use crate::bgp::{self, AddPath, Session, Update, Warning};
use crate::bmp::peer::{PeerKey, PerPeer, View};
use crate::bmp::{Message, kind, tlv};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::sessions::{Direction, Sessions};
use gonedark_route::AsnSize;

/// The type of an UPDATE in BGP (RFC 4271 section 4.1).
const UPDATE: u8 = 2;
/// Of version 4: a capability that the UPDATE is written with, whatever the OPENs say (draft-ietf-grow-bmp-tlv).
const TLV_STATELESS: u16 = 1;
/// Of version 4: the UPDATE (draft-ietf-grow-bmp-tlv).
const TLV_UPDATE: u16 = 4;
/// The capability of ADD-PATH (RFC 7911 section 7).
const CAPABILITY_ADD_PATH: u8 = 69;

/// Decodes what follows the per-peer header.
#[inline]
pub(crate) fn decode<'a>(
    cursor: Cursor<'a>,
    version: u8,
    peer: PerPeer,
    sessions: &mut Sessions<PeerKey>,
    scratch: &'a mut [Vec<u8>; 2],
) -> Message<'a> {
    let mut session = session(&peer, sessions);
    let message = match version {
        4 => match find_update(cursor, &mut session) {
            Ok(Some(message)) => message,
            Ok(None) => return Message::Unsupported { kind: kind::ROUTE_MONITORING },
            Err(error) => return Message::Damaged { peer, error },
        },
        _ => cursor,
    };
    let certain = session.asn_size == AsnSize::Four && sessions.is_four_byte(peer.key());
    match read(message, &session, certain, scratch) {
        Ok(mut update) => {
            // The router's own omission; else all that an FRR chose would count as withdrawn.
            update.warnings.replace(Warning::MissingNextHop, Warning::NextHopNotTold);
            let inferred = update.inferred_path_ids();
            if inferred != [false; 2] {
                sessions.inferred(peer.key(), inferred);
            }
            Message::RouteMonitoring { peer, update }
        }
        Err(error) => Message::Damaged { peer, error },
    }
}

/// How the header and the OPENs say that the UPDATE is to be read. The width of ASNs is the header's word: a router
/// may write paths in four bytes that came to it in two.
#[inline]
fn session(peer: &PerPeer, sessions: &Sessions<PeerKey>) -> Session {
    let [add_path_v4, add_path_v6] = match peer.view {
        View::InPrePolicy | View::InPostPolicy => sessions.add_path(peer.key(), Direction::FromPeer),
        View::OutPrePolicy | View::OutPostPolicy => sessions.add_path(peer.key(), Direction::ToPeer),
        // The router wrote both OPENs itself (RFC 9069 section 5.2), and does not mean them as a session does: some offer
        // one direction only, and some leave ADD-PATH out and use it.
        View::LocRib { .. } => {
            let [from_v4, from_v6] = sessions.add_path(peer.key(), Direction::FromPeer);
            let [offered_v4, offered_v6] = sessions.offers(peer.key());
            [of_loc_rib(from_v4, offered_v4), of_loc_rib(from_v6, offered_v6)]
        }
    };
    Session { asn_size: peer.asn_size, add_path_v4, add_path_v6 }
}

fn of_loc_rib(agreed: AddPath, offered: bool) -> AddPath {
    match agreed {
        AddPath::No if offered => AddPath::Offered,
        AddPath::No => AddPath::Unknown,
        other => other,
    }
}

/// Reads the UPDATE. Where the width of ASNs is not `certain` the other one is tried as well: a router that forgets the
/// header's flag must not cost all of its paths.
#[inline]
fn read<'a>(
    mut message: Cursor<'a>,
    session: &Session,
    certain: bool,
    scratch: &'a mut [Vec<u8>; 2],
) -> Result<Update<'a>, DecodeError> {
    let at = message;
    let (kind, body) = bgp::take(&mut message)?;
    if kind != UPDATE {
        return Err(at.value(Field::BgpType, u32::from(kind)));
    }
    match certain {
        true => {
            let [scratch, _] = scratch;
            Update::read(body, session, scratch)
        }
        false => bgp::read_of_either_width(body, session, scratch),
    }
}

/// The UPDATE among the TLVs of version 4. What they say of path identifiers goes into `session`.
fn find_update<'a>(mut cursor: Cursor<'a>, session: &mut Session) -> Result<Option<Cursor<'a>>, DecodeError> {
    let mut update = None;
    while !cursor.is_empty() {
        match tlv::read_indexed(&mut cursor)? {
            (TLV_UPDATE, value) => update = update.or(Some(value)),
            (TLV_STATELESS, value) => stateless(value.rest(), session),
            // Group, table name, path status, and what is yet to come.
            _ => {}
        }
    }
    Ok(update)
}

/// Takes a capability of ADD-PATH for what it says of this one UPDATE.
fn stateless(capability: &[u8], session: &mut Session) {
    let [CAPABILITY_ADD_PATH, _length, families @ ..] = capability else { return };
    for entry in families.chunks_exact(4) {
        match entry {
            [0, 1, 1, 1..=3] => session.add_path_v4 = AddPath::Agreed,
            [0, 2, 1, 1..=3] => session.add_path_v6 = AddPath::Agreed,
            _ => {}
        }
    }
}
