//! TABLE_DUMP, the RIB format until 2008 (RFC 6396 section 4.2).

use crate::bgp::{Attributes, merge, merged};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::mrt::{PeerAddress, RawRecord, Record};
use gonedark_route::{Asn, AsnSize, Family, PathView, Prefix, Time};

/// What a subtype says: 1 and 2 of the RFC, 3 and 4 the same with four-byte ASNs (libbgpdump's extension).
#[inline]
fn layout(subtype: u16) -> Option<(Family, AsnSize)> {
    match subtype {
        1 => Some((Family::V4, AsnSize::Two)),
        2 => Some((Family::V6, AsnSize::Two)),
        3 => Some((Family::V4, AsnSize::Four)),
        4 => Some((Family::V6, AsnSize::Four)),
        _ => None,
    }
}

/// A TABLE_DUMP record: one entry by the RFC, many behind one head in the dumps of 2000.
#[derive(Debug)]
pub struct TableDump<'a> {
    /// Which of the collector's tables; 0 where it has one.
    pub view: u16,
    /// Number of the record in the dump; wraps.
    pub sequence: u16,
    family: Family,
    size: AsnSize,
    cursor: Cursor<'a>,
    scratch: &'a mut Vec<u8>,
}

/// One route of one peer.
#[derive(Clone, Copy, Debug)]
pub struct TableDumpEntry<'a> {
    /// The network.
    pub prefix: Prefix,
    /// When the peer announced it, in whole seconds.
    pub originated: Time,
    /// Whose route it is.
    pub peer: PeerAddress,
    /// Its path, AS4_PATH merged in; `None` where there is none or a malformed one.
    pub path: Option<PathView<'a>>,
}

impl<'a> TableDump<'a> {
    pub(crate) fn read(raw: RawRecord<'a>, scratch: &'a mut Vec<u8>) -> Result<Record<'a>, DecodeError> {
        let Some((family, size)) = layout(raw.subtype) else {
            return Ok(Record::Unsupported { kind: raw.kind, subtype: raw.subtype });
        };
        let mut cursor = Cursor::new(raw.body, raw.body_offset());
        let view = cursor.u16(Field::TableDumpEntry)?;
        let sequence = cursor.u16(Field::TableDumpEntry)?;
        Ok(Record::TableDump(TableDump { view, sequence, family, size, cursor, scratch }))
    }

    /// The next entry. It borrows the record, because a merged path is written to memory that the next one uses
    /// again. After an error there are no more.
    #[inline]
    pub fn next_entry(&mut self) -> Option<Result<TableDumpEntry<'_>, DecodeError>> {
        if self.cursor.is_empty() {
            return None;
        }
        let entry = self.read_entry();
        if entry.is_err() {
            self.cursor = self.cursor.nothing_at_end();
        }
        Some(entry.map(|(mut entry, attributes)| {
            entry.path = attributes.path();
            if self.size == AsnSize::Two
                && let (Some(old), Some(new)) = (entry.path, attributes.as4_path())
                && !attributes.as4_is_void()
                && merge(old, new, self.scratch)
            {
                entry.path = Some(merged(self.scratch));
            }
            entry
        }))
    }

    fn read_entry(&mut self) -> Result<(TableDumpEntry<'a>, Attributes<'a>), DecodeError> {
        let cursor = &mut self.cursor;
        let start = *cursor;
        let bytes: &[u8] = match self.family {
            Family::V4 => cursor.take(4, Field::TableDumpEntry)?,
            Family::V6 => cursor.take(16, Field::TableDumpEntry)?,
        };
        let length = cursor.u8(Field::TableDumpEntry)?;
        let prefix = Prefix::from_wire(self.family, length, bytes)
            .map_err(|_| start.value(Field::PrefixLength, u32::from(length)))?;
        cursor.u8(Field::TableDumpEntry)?; // status, of no meaning
        let originated = Time::from_seconds(i64::from(cursor.u32(Field::TableDumpEntry)?));
        let address = cursor.address(self.family, Field::TableDumpEntry)?;
        let asn = Asn(match self.size {
            AsnSize::Two => u32::from(cursor.u16(Field::TableDumpEntry)?),
            AsnSize::Four => cursor.u32(Field::TableDumpEntry)?,
        });
        let length = usize::from(cursor.u16(Field::PathAttributes)?);
        let attributes = Attributes::new(cursor.sub(length, Field::PathAttributes)?, self.size);
        let entry = TableDumpEntry { prefix, originated, peer: PeerAddress { asn, address }, path: None };
        Ok((entry, attributes))
    }
}

/// How long the record is by its entries. Where its length leaves out view and sequence number, as in the dumps of 2000,
/// the last entry ends four bytes behind it. `body` has the length of the header.
#[inline]
pub(crate) fn length_by_content(subtype: u16, body: &[u8]) -> Option<usize> {
    let (family, size) = layout(subtype)?;
    let address = usize::from(family.bits() / 8);
    // Prefix, its length, status, originated time, peer address, peer ASN; then the length of the attributes.
    let before_length = address.saturating_mul(2).saturating_add(1 + 1 + 4).saturating_add(size.bytes());
    let mut at = 4_usize;
    while at < body.len() {
        let at_length = at.saturating_add(before_length);
        let length = body.get(at_length..)?.first_chunk()?;
        at = at_length.saturating_add(2).saturating_add(usize::from(u16::from_be_bytes(*length)));
    }
    Some(at)
}
