//! RIS Live, the stream in which RIPE RIS tells what its collectors hear as they hear it
//! (<https://ris-live.ripe.net/manual/>): one JSON object for each WebSocket message, or for each line of the HTTP
//! stream.
//!
//! ```
//! use gonedark_decode::ris_live::{Message, Scratch, decode};
//!
//! fn announcements(lines: &[u8]) -> usize {
//!     let mut scratch = Scratch::default();
//!     let mut count = 0;
//!     for line in lines.split(|byte| *byte == b'\n') {
//!         if let Ok(Message::Update { update, .. }) = decode(line, &mut scratch) {
//!             count += update.announced().count();
//!         }
//!     }
//!     count
//! }
//! assert_eq!(announcements(b""), 0);
//! ```
//!
//! An UPDATE is read from its `raw`, the BGP message itself, which comes where the client asked for it
//! (`socketOptions.includeRaw`). The fields that RIS makes of it are read where `raw` is missing or cannot be trusted.
//! They say less: no path identifiers, no families but unicast, no End-of-RIB.
//!
//! Read as well: the object without the envelope `{"type":"ris_message","data":...}`, and the form before March 2019 of
//! one object for each prefix, with types of one letter and a `body` in the place of `raw`.

mod fields;
mod json;
mod written;

use crate::bgp::{self, AddPath, Open, Session, Update};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::mrt::PeerAddress;
use fields::{Fields, required};
use gonedark_route::{AsnSize, Time};

/// Who heard what when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Heard<'a> {
    /// When the collector received it. RIS Live gives hundredths of a second; none of its digits is lost here.
    pub at: Time,
    /// From whom.
    pub peer: PeerAddress,
    /// Which collector: `rrc00`, without the domain.
    pub host: &'a str,
    /// The name of the message, unique in the stream; empty where it has none.
    pub id: &'a str,
}

/// What a peer's session has become (RIS_PEER_STATE).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerState {
    /// `up` or `connected`.
    Up,
    /// `down`: the peer's routes are not known from here on.
    Down,
    /// Any other word.
    Other,
}

/// What an UPDATE was read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadFrom {
    /// The BGP message itself.
    Raw,
    /// The fields, because there is no message.
    Fields,
    /// The fields, because the message cannot be trusted in any part (RFC 7606 section 3).
    FieldsAfterDamage,
}

/// One message of the stream. It borrows the line and the scratch memory; nothing in it is allocated.
#[derive(Debug)]
pub enum Message<'a> {
    /// An UPDATE that the collector received.
    Update {
        /// Who heard it when.
        heard: Heard<'a>,
        /// The message.
        update: Update<'a>,
        /// What it was read from.
        from: ReadFrom,
    },
    /// An OPEN.
    Open {
        /// Whose session.
        heard: Heard<'a>,
        /// The message; `None` where the line does not hold it.
        open: Option<Open<'a>>,
        /// The collector sent it to the peer.
        sent: bool,
    },
    /// A NOTIFICATION: the session ends.
    Notification {
        /// Whose session.
        heard: Heard<'a>,
        /// Error code and subcode (RFC 4271 section 4.5); `None` where the line does not hold the message.
        code: Option<(u8, u8)>,
    },
    /// A KEEPALIVE: the session stands.
    Keepalive {
        /// Whose session.
        heard: Heard<'a>,
    },
    /// The session with a peer came up or went down.
    PeerState {
        /// Whose session.
        heard: Heard<'a>,
        /// What it is now.
        state: PeerState,
    },
    /// A BGP message that cannot be trusted in any part. What the peer holds is not known from here on.
    Damaged {
        /// Who heard it when.
        heard: Heard<'a>,
        /// What is wrong; within the BGP message, the offset counts from its start.
        error: DecodeError,
    },
    /// What the server itself has to say.
    Server(Server<'a>),
    /// A message of a peer that is whole and of no use here: of an unknown type, or an UPDATE of whose routes nothing
    /// is said.
    Unsupported {
        /// Who heard it when.
        heard: Heard<'a>,
        /// Its type.
        kind: &'a str,
    },
}

/// A message of the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Server<'a> {
    /// `ris_error`: it refuses what the client asked. Escapes in the text are not resolved.
    Error(&'a str),
    /// `ris_subscribe_ok`.
    Subscribed,
    /// `ris_unsubscribe_ok`.
    Unsubscribed,
    /// `ris_rrc_list`: the collectors that there are.
    Collectors,
    /// `pong`: the answer to a ping.
    Pong,
    /// Any other type.
    Other(&'a str),
}

/// Memory that is used again for each message. It is bounded by half of the longest line, an UPDATE and three paths.
#[derive(Default, Debug)]
pub struct Scratch {
    raw: Vec<u8>,
    paths: [Vec<u8>; 2],
    written: Vec<u8>,
    written_path: Vec<u8>,
}

/// Decodes one message, with or without the end of its line. The offsets of errors count from the start of the line.
///
/// # Errors
/// Where it is no JSON object, or does not say who heard what when. The next line can be decoded all the same.
#[inline]
pub fn decode<'a>(line: &'a [u8], scratch: &'a mut Scratch) -> Result<Message<'a>, DecodeError> {
    let line = Cursor::new(line, 0);
    let end = line.nothing_at_end().offset();
    let (outer, data) = Fields::read(line)?;
    let kind = required(outer.kind, Field::RisType, end)?;
    // In a bare object the type is that of the message.
    if data.is_some() && kind.rest() != b"ris_message" || is_server(kind.rest()) {
        return server(kind, data.unwrap_or_default()).map(Message::Server);
    }
    let fields = data.unwrap_or(outer);
    let kind = required(fields.kind, Field::RisType, end)?;
    let heard = heard(&fields, end)?;
    match kind.rest() {
        b"UPDATE" | b"A" | b"W" => update(heard, &fields, kind, scratch),
        b"OPEN" | b"O" => other(heard, &fields, 1, scratch),
        b"NOTIFICATION" | b"N" => other(heard, &fields, 3, scratch),
        b"KEEPALIVE" | b"K" => other(heard, &fields, 4, scratch),
        b"RIS_PEER_STATE" | b"S" => {
            let state = match fields.state.map(|state| state.rest()) {
                Some(b"up" | b"connected") => PeerState::Up,
                Some(b"down") => PeerState::Down,
                _ => PeerState::Other,
            };
            Ok(Message::PeerState { heard, state })
        }
        _ => Ok(Message::Unsupported { heard, kind: fields::text(kind, Field::RisType)? }),
    }
}

fn is_server(kind: &[u8]) -> bool {
    kind == b"pong" || (kind.starts_with(b"ris_") && kind != b"ris_message")
}

#[cold]
fn server<'a>(kind: Cursor<'a>, data: Fields<'a>) -> Result<Server<'a>, DecodeError> {
    Ok(match kind.rest() {
        b"ris_error" => {
            let message = data.message.map(|message| fields::text(message, Field::Json));
            Server::Error(message.transpose()?.unwrap_or_default())
        }
        b"ris_subscribe_ok" => Server::Subscribed,
        b"ris_unsubscribe_ok" => Server::Unsubscribed,
        b"ris_rrc_list" => Server::Collectors,
        b"pong" | b"ris_pong" => Server::Pong,
        _ => Server::Other(fields::text(kind, Field::RisType)?),
    })
}

#[inline]
fn heard<'a>(fields: &Fields<'a>, end: u64) -> Result<Heard<'a>, DecodeError> {
    let host = fields::text(required(fields.host, Field::RisHost, end)?, Field::RisHost)?;
    let peer = PeerAddress {
        asn: fields::asn(required(fields.peer_asn, Field::RisPeerAsn, end)?, Field::RisPeerAsn)?,
        address: fields::address(required(fields.peer, Field::RisPeer, end)?)?,
    };
    Ok(Heard {
        at: fields::time(required(fields.timestamp, Field::RisTimestamp, end)?)?,
        peer,
        host: host.strip_suffix(".ripe.net").unwrap_or(host),
        id: fields.id.map_or(Ok(""), |id| fields::text(id, Field::Json))?,
    })
}

/// How a peer's session is read: nothing is known of path identifiers, and nearly all have ASNs of four bytes.
const SESSION: Session =
    Session { asn_size: AsnSize::Four, add_path_v4: AddPath::Unknown, add_path_v6: AddPath::Unknown };

#[inline]
fn update<'a>(
    heard: Heard<'a>,
    fields: &Fields<'a>,
    kind: Cursor<'a>,
    scratch: &'a mut Scratch,
) -> Result<Message<'a>, DecodeError> {
    let Scratch { raw, paths, written, written_path } = scratch;
    let (from, damage) = match raw_update(fields, raw, paths) {
        Some(Ok(update)) => return Ok(Message::Update { heard, update, from: ReadFrom::Raw }),
        Some(Err(error)) => (ReadFrom::FieldsAfterDamage, Some(error)),
        None => (ReadFrom::Fields, None),
    };
    match (written::update(fields, written, written_path), damage) {
        (Ok(Some(update)), _) => Ok(Message::Update { heard, update, from }),
        (_, Some(error)) | (Err(error), None) => Ok(Message::Damaged { heard, error }),
        (Ok(None), None) => Ok(Message::Unsupported { heard, kind: fields::text(kind, Field::RisType)? }),
    }
}

/// The UPDATE in `raw` or `body`; `None` where there is neither.
#[inline]
fn raw_update<'a>(
    fields: &Fields<'_>,
    bytes: &'a mut Vec<u8>,
    paths: &'a mut [Vec<u8>; 2],
) -> Option<Result<Update<'a>, DecodeError>> {
    let digits = fields.raw.or(fields.body)?;
    if let Err(error) = fields::hex(digits, bytes) {
        return Some(Err(error));
    }
    let mut cursor = Cursor::new(bytes, 0);
    if fields.raw.is_none() {
        return Some(bgp::read_of_either_width(cursor, &SESSION, paths));
    }
    let body = bgp::take(&mut cursor).and_then(|(kind, body)| match kind {
        2 => Ok(body),
        other => Err(DecodeError::Value { offset: 18, field: Field::BgpType, found: u32::from(other) }),
    });
    Some(body.and_then(|body| bgp::read_of_either_width(body, &SESSION, paths)))
}

/// A message that is no UPDATE, of the given type of BGP.
fn other<'a>(
    heard: Heard<'a>,
    fields: &Fields<'a>,
    wanted: u8,
    scratch: &'a mut Scratch,
) -> Result<Message<'a>, DecodeError> {
    let Scratch { raw, paths: [path, _], .. } = scratch;
    let read = fields.raw.map(|digits| {
        fields::hex(digits, raw)?;
        let (kind, body) = bgp::take(&mut Cursor::new(raw, 0))?;
        if kind != wanted {
            return Err(DecodeError::Value { offset: 18, field: Field::BgpType, found: u32::from(kind) });
        }
        bgp::Message::read_body(kind, body, &SESSION, path)
    });
    let sent = fields.direction.is_some_and(|direction| direction.rest() == b"sent");
    Ok(match read.transpose() {
        Err(error) => Message::Damaged { heard, error },
        Ok(Some(bgp::Message::Open(open))) => Message::Open { heard, open: Some(open), sent },
        Ok(Some(bgp::Message::Notification { code, subcode })) => {
            Message::Notification { heard, code: Some((code, subcode)) }
        }
        Ok(_) => match wanted {
            1 => Message::Open { heard, open: None, sent },
            3 => Message::Notification { heard, code: None },
            _ => Message::Keepalive { heard },
        },
    })
}
