//! MRT types (IANA "Multi-threaded Routing Toolkit (MRT) Type Field").

pub(crate) const NULL: u16 = 0;
pub(crate) const BGP: u16 = 5;
pub(crate) const TABLE_DUMP: u16 = 12;
pub(crate) const TABLE_DUMP_V2: u16 = 13;
pub(crate) const BGP4MP: u16 = 16;
pub(crate) const BGP4MP_ET: u16 = 17;
pub(crate) const ISIS_ET: u16 = 33;
pub(crate) const OSPFV3_ET: u16 = 49;

/// Whether the record's body starts with microseconds (RFC 6396 section 3).
#[inline]
pub(crate) fn is_extended(kind: u16) -> bool {
    matches!(kind, BGP4MP_ET | ISIS_ET | OSPFV3_ET)
}

/// Whether a routing archive is expected to hold records of this type and subtype.
#[inline]
pub(crate) fn is_known(kind: u16, subtype: u16) -> bool {
    match kind {
        BGP => subtype <= 7,
        TABLE_DUMP => matches!(subtype, 1..=4),
        TABLE_DUMP_V2 => matches!(subtype, 1..=12),
        BGP4MP | BGP4MP_ET => subtype <= 11,
        _ => false,
    }
}
