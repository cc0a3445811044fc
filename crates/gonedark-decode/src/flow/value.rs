//! Values of a record at their places.

use crate::flow::element::Place;
use crate::flow::plan::BEFORE;

/// A number of zero to eight bytes. `record` has [`BEFORE`] bytes before it, so that the eight bytes that end with the
/// number are always there: one load, whatever its length. 0 where it is not there.
#[inline(always)]
pub(super) fn number(record: &[u8], place: Place) -> u64 {
    let shift = 64_u32.saturating_sub(u32::from(place.length) << 3);
    let mask = u64::MAX.checked_shr(shift).unwrap_or(0);
    let from = usize::from(place.end);
    match record.get(from..).and_then(|rest| rest.first_chunk::<BEFORE>()) {
        Some(bytes) => u64::from_be_bytes(*bytes) & mask,
        None => 0,
    }
}

/// The low 32 bits of a number.
#[inline(always)]
pub(super) fn low_u32(record: &[u8], place: Place) -> u32 {
    (number(record, place) & 0xFFFF_FFFF) as u32
}

/// The low 16 bits of a number.
#[inline(always)]
pub(super) fn low_u16(record: &[u8], place: Place) -> u16 {
    (number(record, place) & 0xFFFF) as u16
}

/// The low 8 bits of a number.
#[inline(always)]
pub(super) fn low_u8(record: &[u8], place: Place) -> u8 {
    (number(record, place) & 0xFF) as u8
}

/// Sixteen bytes; zeros where they are not there.
#[inline]
pub(super) fn sixteen(record: &[u8], place: Place) -> [u8; 16] {
    bytes(record, place).and_then(|bytes| bytes.first_chunk::<16>()).copied().unwrap_or_default()
}

/// A value of any length; `None` where it is not there.
#[inline]
pub(super) fn bytes(record: &[u8], place: Place) -> Option<&[u8]> {
    let to = usize::from(place.end).saturating_add(BEFORE);
    let from = to.checked_sub(usize::from(place.length))?;
    record.get(from..to).filter(|bytes| !bytes.is_empty())
}
