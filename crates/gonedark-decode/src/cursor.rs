//! All reading of binary input goes through here: every read is checked, and every failure knows its offset.

use crate::error::{DecodeError, Field};
use gonedark_route::{Family, Prefix, PrefixError};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The unread rest of a field, and where it ends in the stream.
///
/// The end is kept and not the position: it does not change as bytes are read, so a read costs one comparison.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    end: u64,
}

impl<'a> Cursor<'a> {
    /// A cursor over `bytes`, which start at `offset` in the stream.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], offset: u64) -> Self {
        Cursor { rest: bytes, end: offset.saturating_add(bytes.len() as u64) }
    }

    /// Where the next byte stands in the stream.
    #[inline]
    pub(crate) fn offset(&self) -> u64 {
        self.end.saturating_sub(self.rest.len() as u64)
    }

    /// The bytes not yet read.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// A cursor with nothing to read, at the end of this one.
    #[inline]
    pub(crate) fn nothing_at_end(&self) -> Cursor<'static> {
        Cursor { rest: &[], end: self.end }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The error of a `field` that needs `needed` bytes here.
    #[cold]
    pub(crate) fn cut(&self, field: Field, needed: usize) -> DecodeError {
        DecodeError::Cut {
            offset: self.offset(),
            field,
            needed: u32::try_from(needed).unwrap_or(u32::MAX),
            left: u32::try_from(self.rest.len()).unwrap_or(u32::MAX),
        }
    }

    /// The error of a `field` whose value, which starts here, is not allowed.
    #[cold]
    pub(crate) fn value(&self, field: Field, found: u32) -> DecodeError {
        DecodeError::Value { offset: self.offset(), field, found }
    }

    #[inline]
    pub(crate) fn array<const N: usize>(&mut self, field: Field) -> Result<[u8; N], DecodeError> {
        match self.rest.split_first_chunk::<N>() {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(*head)
            }
            None => Err(self.cut(field, N)),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self, field: Field) -> Result<u8, DecodeError> {
        self.array::<1>(field).map(|[byte]| byte)
    }

    #[inline]
    pub(crate) fn u16(&mut self, field: Field) -> Result<u16, DecodeError> {
        self.array(field).map(u16::from_be_bytes)
    }

    #[inline]
    pub(crate) fn u32(&mut self, field: Field) -> Result<u32, DecodeError> {
        self.array(field).map(u32::from_be_bytes)
    }

    /// The next `count` bytes.
    #[inline]
    pub(crate) fn take(&mut self, count: usize, field: Field) -> Result<&'a [u8], DecodeError> {
        match self.rest.split_at_checked(count) {
            Some((head, tail)) => {
                self.rest = tail;
                Ok(head)
            }
            None => Err(self.cut(field, count)),
        }
    }

    /// A cursor over the next `count` bytes.
    #[inline]
    pub(crate) fn sub(&mut self, count: usize, field: Field) -> Result<Cursor<'a>, DecodeError> {
        let offset = self.offset();
        self.take(count, field).map(|bytes| Cursor::new(bytes, offset))
    }

    /// A host address of the given family.
    #[inline]
    pub(crate) fn address(&mut self, family: Family, field: Field) -> Result<IpAddr, DecodeError> {
        Ok(match family {
            Family::V4 => IpAddr::V4(Ipv4Addr::from_bits(self.u32(field)?)),
            Family::V6 => IpAddr::V6(Ipv6Addr::from(self.array::<16>(field)?)),
        })
    }

    /// A prefix as NLRI carries it: a length, then as many address bytes as it needs (RFC 4271 section 4.3).
    #[inline]
    pub(crate) fn prefix(&mut self, family: Family, field: Field) -> Result<Prefix, DecodeError> {
        let start = *self;
        let length = self.u8(field)?;
        let needed = usize::from(length.div_ceil(8));
        Prefix::from_wire(family, length, self.rest)
            .map_err(|error| match error {
                PrefixError::Length(length) => start.value(Field::PrefixLength, u32::from(length)),
                PrefixError::Cut | PrefixError::Text => self.cut(field, needed),
            })
            .inspect(|_| self.rest = self.rest.get(needed..).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_read_names_the_offset_and_takes_nothing() {
        let mut cursor = Cursor::new(&[1, 2, 3], 100);
        assert_eq!(cursor.u16(Field::Open), Ok(0x0102));
        assert_eq!(
            cursor.u32(Field::Open),
            Err(DecodeError::Cut { offset: 102, field: Field::Open, needed: 4, left: 1 })
        );
        assert_eq!(cursor.rest(), [3]);
    }

    #[test]
    fn a_prefix_over_the_bits_of_its_family_is_a_value_error_at_its_length() {
        let mut cursor = Cursor::new(&[33, 1, 2, 3, 4, 5], 7);
        assert_eq!(
            cursor.prefix(Family::V4, Field::Nlri),
            Err(DecodeError::Value { offset: 7, field: Field::PrefixLength, found: 33 })
        );
    }
}
