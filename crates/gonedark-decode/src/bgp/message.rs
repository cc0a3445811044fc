//! The BGP header and what follows it (RFC 4271 section 4.1).

use crate::bgp::open::Open;
use crate::bgp::update::{Session, Update};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};

const HEADER: usize = 19;
const MARKER: [u8; 16] = [0xFF; 16];

/// A BGP message.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// OPEN (1).
    Open(Open<'a>),
    /// UPDATE (2).
    Update(Update<'a>),
    /// NOTIFICATION (3): the sender ends the session.
    Notification {
        /// Error code (RFC 4271 section 4.5).
        code: u8,
        /// Error subcode.
        subcode: u8,
    },
    /// KEEPALIVE (4).
    Keepalive,
    /// ROUTE-REFRESH (5).
    RouteRefresh {
        /// Address family identifier.
        afi: u16,
        /// 0 a request, 1 begin and 2 end of a refresh (RFC 7313 section 3.2).
        subtype: u8,
        /// Subsequent address family identifier.
        safi: u8,
    },
    /// A type that is not in the RFCs named here.
    Other(u8),
}

impl<'a> Message<'a> {
    /// Reads one message at the start of `bytes`, which stand at `offset` in the stream. What follows the length
    /// in its header is not looked at. Any length that the header can express is taken (RFC 8654).
    ///
    /// `scratch` is where a merged path is written; the message may borrow it.
    ///
    /// # Errors
    /// Those that would reset a session (RFC 7606 section 3): nothing in the message can be trusted.
    #[inline]
    pub fn read(
        bytes: &'a [u8],
        offset: u64,
        session: &Session,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Self, DecodeError> {
        let (kind, body) = take(&mut Cursor::new(bytes, offset))?;
        Self::read_body(kind, body, session, scratch)
    }

    /// Reads a message of the given type after its header.
    #[inline]
    pub(crate) fn read_body(
        kind: u8,
        mut body: Cursor<'a>,
        session: &Session,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Self, DecodeError> {
        Ok(match kind {
            1 => Message::Open(Open::read(body)?),
            2 => Message::Update(Update::read(body, session, scratch)?),
            3 => {
                let [code, subcode] = body.array(Field::Notification)?;
                Message::Notification { code, subcode }
            }
            4 => Message::Keepalive,
            5 => {
                let afi = body.u16(Field::RouteRefresh)?;
                let [subtype, safi] = body.array(Field::RouteRefresh)?;
                Message::RouteRefresh { afi, subtype, safi }
            }
            other => Message::Other(other),
        })
    }
}

/// Takes the message at the start of `cursor`: its type, and its body.
#[inline]
pub(crate) fn take<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, Cursor<'a>), DecodeError> {
    let start = *cursor;
    if cursor.array::<16>(Field::BgpMarker)? != MARKER {
        let wrong = start.rest().iter().find(|byte| **byte != 0xFF).copied().unwrap_or_default();
        return Err(start.value(Field::BgpMarker, u32::from(wrong)));
    }
    let at_length = *cursor;
    let length = cursor.u16(Field::BgpLength)?;
    let kind = cursor.u8(Field::BgpType)?;
    match usize::from(length).checked_sub(HEADER) {
        Some(body) => Ok((kind, cursor.sub(body, Field::BgpMessage)?)),
        None => Err(at_length.value(Field::BgpLength, u32::from(length))),
    }
}
