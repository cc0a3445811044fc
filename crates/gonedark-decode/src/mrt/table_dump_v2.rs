//! TABLE_DUMP_V2, the RIB format since 2008 (RFC 6396 section 4.3, RFC 8050 section 4).

use crate::bgp::Attributes;
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::mrt::{PeerAddress, RawRecord, Record, kind};
use gonedark_route::{Asn, AsnSize, Family, Prefix, Time};
use std::net::Ipv4Addr;

const PEER_INDEX_TABLE: u16 = 1;

/// Family and ADD-PATH of the subtypes that hold unicast rows. Multicast, GENERIC and GEO_PEER_TABLE are counted
/// as unsupported.
#[inline]
fn layout(subtype: u16) -> Option<(Family, bool)> {
    match subtype {
        2 => Some((Family::V4, false)),
        4 => Some((Family::V6, false)),
        8 => Some((Family::V4, true)),
        10 => Some((Family::V6, true)),
        _ => None,
    }
}

/// PEER_INDEX_TABLE: whom the numbers in the following rows mean.
#[derive(Clone, Copy, Debug)]
pub struct PeerIndexTable<'a> {
    /// The collector's BGP identifier.
    pub collector: Ipv4Addr,
    /// The name of the table, most often empty; not always UTF-8.
    pub view_name: &'a [u8],
    /// The peers, by their number.
    pub peers: &'a [PeerAddress],
}

/// A row of a RIB: a prefix and the routes to it.
#[derive(Clone, Copy, Debug)]
pub struct RibRow<'a> {
    /// The network.
    pub prefix: Prefix,
    /// The entries have path identifiers.
    pub add_path: bool,
    /// Number of the row in the dump; wraps.
    pub sequence: u32,
    /// How many entries the row says it has.
    pub count: u16,
    peers: &'a [PeerAddress],
    entries: Cursor<'a>,
}

/// One route of one peer.
#[derive(Clone, Copy, Debug)]
pub struct RibEntry<'a> {
    /// The peer's number in the PEER_INDEX_TABLE.
    pub peer_index: u16,
    /// When the peer announced it, in whole seconds.
    pub originated: Time,
    /// The path identifier, 0 without ADD-PATH.
    pub path_id: u32,
    /// Its attributes; of them, the path.
    pub attributes: Attributes<'a>,
}

impl<'a> PeerIndexTable<'a> {
    /// Reads the table into `peers`. What stands before an error is kept there: rows that name those peers can be
    /// used, and those that name others are known to be of nobody.
    pub(crate) fn read(raw: RawRecord<'a>, peers: &'a mut Vec<PeerAddress>) -> Result<Self, DecodeError> {
        peers.clear();
        let mut cursor = Cursor::new(raw.body, raw.body_offset());
        let collector = Ipv4Addr::from_bits(cursor.u32(Field::PeerIndexTable)?);
        let length = usize::from(cursor.u16(Field::PeerIndexTable)?);
        let view_name = cursor.take(length, Field::PeerIndexTable)?;
        let count = cursor.u16(Field::PeerIndexTable)?;
        for _ in 0..count {
            let kind = cursor.u8(Field::PeerIndexTable)?;
            cursor.u32(Field::PeerIndexTable)?; // BGP identifier
            let family = if kind & 1 == 0 { Family::V4 } else { Family::V6 };
            let address = cursor.address(family, Field::PeerIndexTable)?;
            let asn = Asn(match kind & 2 {
                0 => u32::from(cursor.u16(Field::PeerIndexTable)?),
                _ => cursor.u32(Field::PeerIndexTable)?,
            });
            peers.push(PeerAddress { asn, address });
        }
        Ok(PeerIndexTable { collector, view_name, peers })
    }
}

impl<'a> RibRow<'a> {
    #[inline]
    fn read(
        raw: RawRecord<'a>,
        family: Family,
        add_path: bool,
        peers: &'a [PeerAddress],
    ) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(raw.body, raw.body_offset());
        let sequence = cursor.u32(Field::RibRow)?;
        let prefix = cursor.prefix(family, Field::RibRow)?;
        let count = cursor.u16(Field::RibRow)?;
        Ok(RibRow { prefix, add_path, sequence, count, peers, entries: cursor })
    }

    /// The peer of an entry. `None` without a PEER_INDEX_TABLE before the row, or with a number outside it.
    #[inline]
    pub fn peer(&self, peer_index: u16) -> Option<PeerAddress> {
        self.peers.get(usize::from(peer_index)).copied()
    }

    /// The entries. An error is the last item: where one entry ends wrongly, the next cannot be found.
    #[inline]
    pub fn entries(&self) -> RibEntries<'a> {
        RibEntries { cursor: self.entries, left: self.count, add_path: self.add_path }
    }
}

/// The entries of a [`RibRow`].
#[derive(Clone, Debug)]
pub struct RibEntries<'a> {
    cursor: Cursor<'a>,
    left: u16,
    add_path: bool,
}

impl<'a> RibEntries<'a> {
    #[inline]
    fn read(&mut self) -> Result<RibEntry<'a>, DecodeError> {
        let [index_high, index_low, s0, s1, s2, s3] = self.cursor.array(Field::RibEntry)?;
        let path_id = if self.add_path { self.cursor.u32(Field::RibEntry)? } else { 0 };
        let length = usize::from(self.cursor.u16(Field::RibEntry)?);
        let attributes = self.cursor.sub(length, Field::PathAttributes)?;
        Ok(RibEntry {
            peer_index: u16::from_be_bytes([index_high, index_low]),
            originated: Time::from_seconds(i64::from(u32::from_be_bytes([s0, s1, s2, s3]))),
            path_id,
            attributes: Attributes::new(attributes, AsnSize::Four),
        })
    }
}

impl<'a> Iterator for RibEntries<'a> {
    type Item = Result<RibEntry<'a>, DecodeError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let entry = self.read();
        if entry.is_err() {
            self.left = 0;
        }
        Some(entry)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(usize::from(self.left)))
    }
}

/// Decodes a record of type TABLE_DUMP_V2.
#[inline]
pub(crate) fn decode<'a>(
    raw: RawRecord<'a>,
    peers: &'a mut Vec<PeerAddress>,
) -> Result<Record<'a>, DecodeError> {
    match (layout(raw.subtype), raw.subtype) {
        (Some((family, add_path)), _) => RibRow::read(raw, family, add_path, peers).map(Record::RibRow),
        (None, PEER_INDEX_TABLE) => PeerIndexTable::read(raw, peers).map(Record::PeerIndexTable),
        (None, subtype) => Ok(Record::Unsupported { kind: raw.kind, subtype }),
    }
}

/// Whether the record is a row whose last entry ends with it: then its length is right, whatever follows.
#[cold]
pub(crate) fn ends_with_its_body(raw: RawRecord<'_>) -> bool {
    let layout = layout(raw.subtype).filter(|_| raw.kind == kind::TABLE_DUMP_V2);
    let row = layout.and_then(|(family, add_path)| RibRow::read(raw, family, add_path, &[]).ok());
    row.is_some_and(|row| {
        let mut entries = row.entries();
        entries.by_ref().all(|entry| entry.is_ok()) && entries.cursor.is_empty()
    })
}
