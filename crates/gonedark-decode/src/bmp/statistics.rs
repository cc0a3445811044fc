//! The counters of a Statistics Report (RFC 7854 section 4.8).

use crate::bmp::tlv;
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};

/// One counter or gauge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counter {
    /// What is counted (IANA "BMP Statistics Types"); 7 is the number of routes in Adj-RIB-In, 8 in Loc-RIB.
    pub kind: u16,
    /// Of which address family and subsequent one, where it is for one only (types 9, 10 and others).
    pub family: Option<(u16, u8)>,
    /// Its value.
    pub value: u64,
}

/// What a Statistics Report counts.
#[derive(Clone, Copy, Debug)]
pub struct Statistics<'a> {
    counters: Cursor<'a>,
}

impl<'a> Statistics<'a> {
    /// Reads what follows the per-peer header.
    pub(crate) fn read(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        // The number of counters is not needed: they end with the message.
        cursor.u32(Field::Statistics)?;
        Ok(Statistics { counters: cursor })
    }

    /// The counters, those of unknown types as well; those of a size that is none of the RFC's are left out. An error
    /// is the last item.
    pub fn iter(&self) -> impl Iterator<Item = Result<Counter, DecodeError>> + use<'a> {
        let mut cursor = self.counters;
        std::iter::from_fn(move || {
            while !cursor.is_empty() {
                match tlv::read(&mut cursor) {
                    Ok((kind, value)) => {
                        if let Some(counter) = counter(kind, value.rest()) {
                            return Some(Ok(counter));
                        }
                    }
                    Err(error) => {
                        cursor = cursor.nothing_at_end();
                        return Some(Err(error));
                    }
                }
            }
            None
        })
    }
}

/// A counter of four bytes, a gauge of eight, or one of eight behind a family.
fn counter(kind: u16, value: &[u8]) -> Option<Counter> {
    let (family, value) = match value {
        [a, b, safi, value @ ..] if value.len() == 8 => (Some((u16::from_be_bytes([*a, *b]), *safi)), value),
        value => (None, value),
    };
    let value = match (<[u8; 4]>::try_from(value), <[u8; 8]>::try_from(value)) {
        (Ok(short), _) => u64::from(u32::from_be_bytes(short)),
        (_, Ok(long)) => u64::from_be_bytes(long),
        _ => return None,
    };
    Some(Counter { kind, family, value })
}
