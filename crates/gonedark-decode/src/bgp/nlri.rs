//! Network layer reachability information: prefixes as an UPDATE carries them (RFC 4271 section 4.3, RFC 7911).

use crate::error::{DecodeError, Field};
use gonedark_route::{Family, Nlri, Prefix};

/// The prefixes of a field that [`check`] found whole, so that going through it cannot fail.
#[derive(Clone, Debug)]
pub(crate) struct NlriIter<'a> {
    rest: &'a [u8],
    family: Family,
    path_ids: bool,
}

impl<'a> NlriIter<'a> {
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], family: Family, path_ids: bool) -> Self {
        NlriIter { rest: bytes, family, path_ids }
    }
}

impl Iterator for NlriIter<'_> {
    type Item = Nlri;

    #[inline]
    fn next(&mut self) -> Option<Nlri> {
        let mut rest = self.rest;
        let mut path_id = 0;
        if self.path_ids {
            let (id, tail) = rest.split_first_chunk::<4>()?;
            path_id = u32::from_be_bytes(*id);
            rest = tail;
        }
        let (&length, rest) = rest.split_first()?;
        let prefix = Prefix::from_wire(self.family, length, rest).ok()?;
        self.rest = rest.get(usize::from(length.div_ceil(8))..)?;
        Some(Nlri { prefix, path_id })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // A default route takes one byte.
        (0, Some(self.rest.len()))
    }
}

/// Whether `bytes` are whole prefixes of `family` to their last byte.
#[inline]
pub(crate) fn is_whole(bytes: &[u8], family: Family, path_ids: bool) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        match after_one(rest, family, path_ids) {
            Ok(tail) => rest = tail,
            Err(_) => return false,
        }
    }
    true
}

/// The same with the reason: `bytes` start at `offset` in the stream.
pub(crate) fn check(bytes: &[u8], family: Family, path_ids: bool, offset: u64) -> Result<(), DecodeError> {
    let mut rest = bytes;
    while !rest.is_empty() {
        rest = after_one(rest, family, path_ids).map_err(|fault| fault.at(bytes, rest, offset))?;
    }
    Ok(())
}

/// Whether every path identifier is below 2^24.
///
/// Routers number the paths of a prefix from zero or one, so a plain field that was taken for one with path
/// identifiers seldom passes: a default route would have to stand before each prefix.
pub(crate) fn has_small_path_ids(bytes: &[u8], family: Family) -> bool {
    let mut rest = bytes;
    while let Some(&first) = rest.first() {
        match after_one(rest, family, true) {
            Ok(tail) if first == 0 => rest = tail,
            _ => return false,
        }
    }
    true
}

/// How many default routes stand in a plain field.
pub(crate) fn default_routes(bytes: &[u8], family: Family) -> usize {
    NlriIter::new(bytes, family, false).filter(|nlri| nlri.prefix.length() == 0).count()
}

enum Fault {
    Length(u8),
    Cut(usize),
}

impl Fault {
    #[cold]
    fn at(self, bytes: &[u8], rest: &[u8], offset: u64) -> DecodeError {
        let read = bytes.len().saturating_sub(rest.len()) as u64;
        let offset = offset.saturating_add(read);
        match self {
            Fault::Length(length) => {
                DecodeError::Value { offset, field: Field::PrefixLength, found: u32::from(length) }
            }
            Fault::Cut(needed) => DecodeError::Cut {
                offset,
                field: Field::Nlri,
                needed: u32::try_from(needed).unwrap_or(u32::MAX),
                left: u32::try_from(rest.len()).unwrap_or(u32::MAX),
            },
        }
    }
}

/// What follows the first prefix of `rest`.
#[inline]
fn after_one(rest: &[u8], family: Family, path_ids: bool) -> Result<&[u8], Fault> {
    let before = if path_ids { 4 } else { 0 };
    let Some((&length, tail)) = rest.get(before..).and_then(<[u8]>::split_first) else {
        return Err(Fault::Cut(if path_ids { 5 } else { 1 }));
    };
    if length > family.bits() {
        return Err(Fault::Length(length));
    }
    let needed = usize::from(length.div_ceil(8));
    tail.get(needed..).ok_or(Fault::Cut(needed))
}
