//! Types, lengths and values (RFC 7854 section 4.4, RFC 9736), and those with an index of version 4.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};

/// Any text (RFC 7854 section 4.4; in Termination section 4.5).
pub const STRING: u16 = 0;
/// sysDescr of an Initiation: make and software (RFC 7854 section 4.4).
pub const SYSTEM_DESCRIPTION: u16 = 1;
/// sysName of an Initiation: the router's name (RFC 7854 section 4.4).
pub const SYSTEM_NAME: u16 = 2;
/// The name of a table, of Initiation and Peer Up (RFC 9069 section 5.2.1).
pub const TABLE_NAME: u16 = 3;
/// An administrator's label, of Initiation and Peer Up (RFC 8671).
pub const ADMIN_LABEL: u16 = 4;
/// Of a Termination: two bytes, why (RFC 7854 section 4.5).
pub const REASON: u16 = 1;

/// One of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tlv<'a> {
    /// Its type, whose meaning depends on the message.
    pub kind: u16,
    /// Its value. Texts are UTF-8 in health.
    pub value: &'a [u8],
}

/// A row of them.
#[derive(Clone, Copy, Debug)]
pub struct Tlvs<'a> {
    cursor: Cursor<'a>,
}

impl<'a> Tlvs<'a> {
    pub(crate) fn new(cursor: Cursor<'a>) -> Self {
        Tlvs { cursor }
    }

    /// All of them, the unknown as well. An error is the last item: what follows it cannot be told apart.
    pub fn iter(&self) -> impl Iterator<Item = Result<Tlv<'a>, DecodeError>> + use<'a> {
        let mut cursor = self.cursor;
        std::iter::from_fn(move || {
            if cursor.is_empty() {
                return None;
            }
            let item = read(&mut cursor).map(|(kind, value)| Tlv { kind, value: value.rest() });
            if item.is_err() {
                cursor = cursor.nothing_at_end();
            }
            Some(item)
        })
    }

    /// The first value of a type.
    pub fn first(&self, kind: u16) -> Option<&'a [u8]> {
        self.iter().flatten().find(|tlv| tlv.kind == kind).map(|tlv| tlv.value)
    }

    /// The reason of a Termination: 0 administratively closed, 1 unspecified, 2 out of resources, 3 redundant
    /// connection, 4 administratively closed for good (RFC 7854 section 4.5).
    pub fn reason(&self) -> Option<u16> {
        self.first(REASON)?.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
    }
}

/// The next one.
#[inline]
pub(crate) fn read<'a>(cursor: &mut Cursor<'a>) -> Result<(u16, Cursor<'a>), DecodeError> {
    let kind = cursor.u16(Field::BmpTlv)?;
    let length = usize::from(cursor.u16(Field::BmpTlv)?);
    Ok((kind, cursor.sub(length, Field::BmpTlv)?))
}

/// The next one of a Route Monitoring of version 4: an index, which the length does not count, stands before the value.
#[inline]
pub(crate) fn read_indexed<'a>(cursor: &mut Cursor<'a>) -> Result<(u16, Cursor<'a>), DecodeError> {
    let kind = cursor.u16(Field::BmpTlv)?;
    let length = usize::from(cursor.u16(Field::BmpTlv)?);
    let _index = cursor.u16(Field::BmpTlv)?;
    Ok((kind, cursor.sub(length, Field::BmpTlv)?))
}
