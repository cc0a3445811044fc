//! The per-peer header: whose routes, of which table, before or after which policy (RFC 7854 section 4.2, RFC 8671
//! section 4, RFC 9069 section 4.2).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::{Asn, AsnSize, Family, Time};
use std::net::{IpAddr, Ipv4Addr};

/// IPv6 address (RFC 7854 section 4.2).
const FLAG_V6: u8 = 0x80;
/// After the inbound (or outbound) policy (RFC 7854 section 4.2, RFC 8671 section 4).
const FLAG_POST_POLICY: u8 = 0x40;
/// AS_PATH with ASNs of two bytes (RFC 7854 section 4.2).
const FLAG_TWO_BYTE: u8 = 0x20;
/// Adj-RIB-Out (RFC 8671 section 4).
const FLAG_OUT: u8 = 0x10;
/// Of a Loc-RIB: not all of it is sent (RFC 9069 section 4.2).
const FLAG_FILTERED: u8 = 0x80;

/// What kind of a peer it is (IANA "BMP Peer Types").
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PeerType {
    /// 0: a neighbour in the global table.
    Global,
    /// 1: a neighbour in the table that the distinguisher names (a VPN).
    Distinguished,
    /// 2: a neighbour in a table that is named by the router alone.
    Local,
    /// 3: no neighbour but the router's own choice of routes (RFC 9069).
    LocRib,
    /// Any other number. Its flags are read as those of a neighbour.
    Other(u8),
}

/// From which of the router's tables the routes are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum View {
    /// Adj-RIB-In, as the neighbour sent them.
    InPrePolicy,
    /// Adj-RIB-In, what the inbound policy left.
    InPostPolicy,
    /// Adj-RIB-Out, before the outbound policy (RFC 8671).
    OutPrePolicy,
    /// Adj-RIB-Out, as the neighbour gets them (RFC 8671).
    OutPostPolicy,
    /// Loc-RIB (RFC 9069).
    LocRib {
        /// Only a part of it is sent.
        filtered: bool,
    },
}

/// Whom a message is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PerPeer {
    /// What kind of a peer.
    pub kind: PeerType,
    /// The route distinguisher (RFC 4364 section 4.2) or the router's own number of the table; 0 for the global one.
    pub distinguisher: u64,
    /// The neighbour's address; unspecified for a Loc-RIB.
    pub address: IpAddr,
    /// The neighbour's ASN; the router's own for a Loc-RIB.
    pub asn: Asn,
    /// The neighbour's BGP identifier.
    pub identifier: Ipv4Addr,
    /// When the router received the routes, in microseconds, by its own clock. `None` where it does not say.
    pub at: Option<Time>,
    /// From which table.
    pub view: View,
    /// How wide the header says that ASNs in paths are.
    pub asn_size: AsnSize,
}

/// By what a session is told from others: one neighbour may be in many tables.
pub(crate) type PeerKey = (PeerType, u64, IpAddr);

impl PerPeer {
    #[inline]
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Result<Self, DecodeError> {
        let [kind, flags] = cursor.array(Field::PerPeerHeader)?;
        let kind = match kind {
            0 => PeerType::Global,
            1 => PeerType::Distinguished,
            2 => PeerType::Local,
            3 => PeerType::LocRib,
            other => PeerType::Other(other),
        };
        let distinguisher = u64::from_be_bytes(cursor.array(Field::PerPeerHeader)?);
        let is_loc_rib = kind == PeerType::LocRib;
        let family = if flags & FLAG_V6 != 0 && !is_loc_rib { Family::V6 } else { Family::V4 };
        let address = read_address(cursor, family, Field::PerPeerHeader)?;
        let asn = Asn(cursor.u32(Field::PerPeerHeader)?);
        let identifier = Ipv4Addr::from_bits(cursor.u32(Field::PerPeerHeader)?);
        let seconds = cursor.u32(Field::PerPeerHeader)?;
        // More than a second would order the message among those of the next one.
        let micros = cursor.u32(Field::PerPeerHeader)?.min(999_999);
        let at = i64::from(seconds).saturating_mul(1_000_000).saturating_add(i64::from(micros));
        let view = match (is_loc_rib, flags & FLAG_OUT != 0, flags & FLAG_POST_POLICY != 0) {
            (true, ..) => View::LocRib { filtered: flags & FLAG_FILTERED != 0 },
            (_, false, false) => View::InPrePolicy,
            (_, false, true) => View::InPostPolicy,
            (_, true, false) => View::OutPrePolicy,
            (_, true, true) => View::OutPostPolicy,
        };
        let two = !is_loc_rib && flags & FLAG_TWO_BYTE != 0;
        Ok(PerPeer {
            kind,
            distinguisher,
            address,
            asn,
            identifier,
            at: (at != 0).then_some(Time::from_micros(at)),
            view,
            asn_size: if two { AsnSize::Two } else { AsnSize::Four },
        })
    }

    #[inline]
    pub(crate) fn key(&self) -> PeerKey {
        (self.kind, self.distinguisher, self.address)
    }
}

/// Sixteen bytes, of which an IPv4 address takes the last four.
#[inline]
pub(crate) fn read_address(
    cursor: &mut Cursor<'_>,
    family: Family,
    field: Field,
) -> Result<IpAddr, DecodeError> {
    if family == Family::V4 {
        cursor.take(12, field)?;
    }
    cursor.address(family, field)
}
