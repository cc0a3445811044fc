//! Sessions that come and go: Peer Up and Peer Down (RFC 7854 sections 4.9 and 4.10).

use crate::bgp::{self, Open};
use crate::bmp::peer::{PerPeer, read_address};
use crate::bmp::tlv::Tlvs;
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::Family;
use std::net::IpAddr;

/// Length of a NOTIFICATION's header (RFC 4271 section 4.1).
const BGP_HEADER: usize = 19;

/// What a Peer Up says of the session.
#[derive(Clone, Copy, Debug)]
pub struct PeerUp<'a> {
    /// The router's own end; unspecified where it is not told, as for a Loc-RIB.
    pub local_address: IpAddr,
    /// The router's TCP port; 0 where it is not told.
    pub local_port: u16,
    /// The neighbour's TCP port; 0 where it is not told.
    pub remote_port: u16,
    /// The OPEN that the router sent.
    pub sent: Option<Open<'a>>,
    /// The OPEN that the neighbour sent.
    pub received: Option<Open<'a>>,
    /// What else the router tells, such as the name of the table ([`tlv`](crate::bmp::tlv)).
    pub information: Tlvs<'a>,
    /// Why an OPEN is not there. The session is up all the same.
    pub damage: Option<DecodeError>,
}

impl<'a> PeerUp<'a> {
    /// Reads what follows the per-peer header. Only a message without addresses is refused.
    pub(crate) fn read(mut cursor: Cursor<'a>, peer: &PerPeer) -> Result<Self, DecodeError> {
        let family = if peer.address.is_ipv6() { Family::V6 } else { Family::V4 };
        let local_address = read_address(&mut cursor, family, Field::PeerUp)?;
        let local_port = cursor.u16(Field::PeerUp)?;
        let remote_port = cursor.u16(Field::PeerUp)?;
        let (sent, first) = open(&mut cursor);
        let (received, second) = open(&mut cursor);
        Ok(PeerUp {
            local_address,
            local_port,
            remote_port,
            sent,
            received,
            information: Tlvs::new(cursor),
            damage: first.or(second),
        })
    }
}

/// The next OPEN. Where even its end cannot be told, nothing behind it can be.
fn open<'a>(cursor: &mut Cursor<'a>) -> (Option<Open<'a>>, Option<DecodeError>) {
    let at = *cursor;
    let read =
        bgp::take(cursor).inspect_err(|_| *cursor = at.nothing_at_end()).and_then(
            |(kind, body)| match kind {
                1 => Open::read(body),
                other => Err(at.value(Field::BgpType, u32::from(other))),
            },
        );
    match read {
        Ok(open) => (Some(open), None),
        Err(error) => (None, Some(error)),
    }
}

/// A NOTIFICATION (RFC 4271 section 4.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notification {
    /// Error code.
    pub code: u8,
    /// Error subcode.
    pub subcode: u8,
}

/// Why a session went down (IANA "BMP Peer Down Reason Codes"). A part that could not be read is `None`: the session
/// is down all the same.
#[derive(Clone, Copy, Debug)]
pub enum PeerDown<'a> {
    /// 1: the router closed it with a NOTIFICATION.
    LocalNotification(Option<Notification>),
    /// 2: the router closed it without; the event of its state machine (RFC 4271 section 8.1).
    LocalEvent(Option<u16>),
    /// 3: the neighbour closed it with a NOTIFICATION.
    RemoteNotification(Option<Notification>),
    /// 4: the neighbour closed it without.
    RemoteSilent,
    /// 5: the router no longer sends what it knows of this peer. The session may be up.
    Deconfigured,
    /// 6: a Loc-RIB is no longer sent (RFC 9069 section 5.3).
    LocalClosed(Tlvs<'a>),
    /// Any other number; 0 where there is none.
    Other(u8),
}

impl<'a> PeerDown<'a> {
    /// Reads what follows the per-peer header.
    pub(crate) fn read(mut cursor: Cursor<'a>) -> Self {
        match cursor.u8(Field::BmpMessage).unwrap_or(0) {
            1 => PeerDown::LocalNotification(notification(cursor)),
            2 => PeerDown::LocalEvent(cursor.u16(Field::BmpMessage).ok()),
            3 => PeerDown::RemoteNotification(notification(cursor)),
            4 => PeerDown::RemoteSilent,
            5 => PeerDown::Deconfigured,
            6 => PeerDown::LocalClosed(Tlvs::new(cursor)),
            other => PeerDown::Other(other),
        }
    }
}

fn notification(cursor: Cursor<'_>) -> Option<Notification> {
    let [code, subcode] = cursor.rest().get(BGP_HEADER..)?.first_chunk::<2>()?;
    Some(Notification { code: *code, subcode: *subcode })
}
