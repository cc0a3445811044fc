//! Message types (IANA "BMP Message Types").

pub(crate) const ROUTE_MONITORING: u8 = 0;
pub(crate) const STATISTICS: u8 = 1;
pub(crate) const PEER_DOWN: u8 = 2;
pub(crate) const PEER_UP: u8 = 3;
pub(crate) const INITIATION: u8 = 4;
pub(crate) const TERMINATION: u8 = 5;
pub(crate) const MIRRORING: u8 = 6;

/// Whether a message of this type begins with a per-peer header.
#[inline]
pub(crate) fn is_of_a_peer(kind: u8) -> bool {
    matches!(kind, ROUTE_MONITORING | STATISTICS | PEER_DOWN | PEER_UP | MIRRORING)
}
