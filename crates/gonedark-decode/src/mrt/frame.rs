//! Cutting a byte stream into MRT records (RFC 6396 section 2), without copies.

use crate::error::{DecodeError, Field};
use crate::mrt::resync::{Hidden, hidden_record, next_header};
use crate::mrt::{bgp4mp, kind, resync, table_dump, table_dump_v2};
use gonedark_route::Time;

/// Length of an MRT header in bytes.
pub const HEADER: usize = 12;

/// The largest record that is taken for one, in bytes: a row or a PEER_INDEX_TABLE of TABLE_DUMP_V2. A row of all
/// 65,535 peers with paths of ordinary length would be some 10 MiB; the largest seen is 70 KiB. A guess, and the
/// bound of the reader's memory.
pub const RECORD_MAX: u32 = 16 << 20;

/// The largest record that holds one BGP message: 65,535 bytes (RFC 8654) and what stands before it, rounded up.
const MESSAGE_MAX: u32 = 66 << 10;

/// The largest TABLE_DUMP record. One entry is at most 65,577 bytes; those of 2000 hold hundreds of short ones. A guess.
const TABLE_DUMP_MAX: u32 = 1 << 20;

/// The largest record of a type or subtype that is unknown, in bytes. A guess: a header that stands where none
/// should is most often of an unknown type, and must not make the reader skip much.
pub const UNKNOWN_MAX: u32 = 64 << 10;

/// No MRT was written before 1993 (the Multi-threaded Routing Toolkit's first year); only asked of a header that
/// is searched for after damage.
const FIRST_YEAR_SECONDS: u32 = 725_846_400;

/// One record, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawRecord<'a> {
    /// The time in its header, with the microseconds of an _ET record.
    pub at: Time,
    /// MRT type (IANA "MRT Type Field").
    pub kind: u16,
    /// Subtype, whose meaning depends on the type.
    pub subtype: u16,
    /// What follows the header, and the microseconds of an _ET record.
    pub body: &'a [u8],
    /// Where its header stands in the stream.
    pub offset: u64,
}

impl RawRecord<'_> {
    /// Where its body stands in the stream.
    pub(crate) fn body_offset(&self) -> u64 {
        let before = if kind::is_extended(self.kind) { HEADER as u64 | 4 } else { HEADER as u64 };
        self.offset.saturating_add(before)
    }
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// A record, and how many bytes it takes with its header.
    Record {
        /// The record.
        record: RawRecord<'a>,
        /// Bytes to step over.
        consumed: usize,
    },
    /// The record goes on behind the bytes.
    NeedMore {
        /// How many bytes from its start are needed to say more; at most [`RECORD_MAX`] and 256 KiB.
        at_least: usize,
    },
    /// No record can begin here.
    Damaged {
        /// Why not.
        error: DecodeError,
        /// How many bytes to step over, at least one: most often to the next plausible header.
        skip: usize,
    },
}

/// The record at the start of `bytes`, which stand at `offset` in the stream; `more` says whether the stream may go on
/// behind them. The answer does not depend on how the stream was cut into buffers: more bytes never change it, unless
/// it is [`Frame::NeedMore`].
///
/// Two old forms whose length field is four bytes short are told by their content and taken whole: _ET records of
/// 2015 that do not count the microseconds, and the TABLE_DUMP records of RIPE NCC in 2000 that do not count view
/// and sequence number.
///
/// A length that is too long hides the records behind its own. It is not believed where neither what stands in the
/// record nor what follows it agrees, and records are found within: then they are read, and the one that hid them is
/// damaged.
pub fn frame(bytes: &[u8], offset: u64, more: bool) -> Frame<'_> {
    let Some((header, rest)) = Header::read(bytes) else { return Frame::NeedMore { at_least: HEADER } };
    if let Err(error) = header.check(offset) {
        return match next_header(bytes) {
            Some(skip) => Frame::Damaged { error, skip },
            None => Frame::NeedMore {
                at_least: bytes.len().saturating_mul(2).clamp(resync::SEARCH >> 4, resync::SEARCH),
            },
        };
    }
    let length = header.length as usize;
    let Some(body) = rest.get(..length) else {
        let at_least = HEADER.saturating_add(length);
        return if more { Frame::NeedMore { at_least } } else { cut(bytes, &header, rest, offset) };
    };
    let by_content = header.length_by_content(body);
    let is_short = by_content == Some(length.saturating_add(4)) && header.may_be_four_bytes_short();
    let length = if is_short { length.saturating_add(4) } else { length };
    let consumed = HEADER.saturating_add(length);
    let Some(body) = rest.get(..length) else { return Frame::NeedMore { at_least: consumed } };
    let (mut inner, mut micros) = (body, 0);
    if kind::is_extended(header.kind) {
        let Some((bytes, after)) = body.split_first_chunk::<4>() else {
            let error =
                DecodeError::Cut { offset, field: Field::Microseconds, needed: 4, left: header.length };
            return Frame::Damaged { error, skip: consumed };
        };
        // More than a second would order the record among those of the next one.
        micros = i64::from(u32::from_be_bytes(*bytes).min(999_999));
        inner = after;
    }
    let at = Time::from_micros(i64::from(header.seconds).saturating_mul(1_000_000).saturating_add(micros));
    let record = RawRecord { at, kind: header.kind, subtype: header.subtype, body: inner, offset };
    if by_content == Some(length) {
        return Frame::Record { record, consumed };
    }
    let says_less = by_content.is_some_and(|by_content| by_content < length);
    match rest.get(length..).unwrap_or_default() {
        _ if says_less => {}
        [] if !more => return Frame::Record { record, consumed },
        after => match Header::read(after) {
            Some((next, _)) if next.is_plausible() => return Frame::Record { record, consumed },
            None if more => return Frame::NeedMore { at_least: consumed.saturating_add(HEADER) },
            _ => {}
        },
    }
    doubted(bytes, record, consumed, more)
}

/// A record whose length nothing bears out: it is damaged where it hides others, and else taken as it is.
#[cold]
fn doubted<'a>(bytes: &'a [u8], record: RawRecord<'a>, consumed: usize, more: bool) -> Frame<'a> {
    let RawRecord { offset, .. } = record;
    if table_dump_v2::ends_with_its_body(record) {
        return Frame::Record { record, consumed };
    }
    match hidden_record(bytes, consumed, more) {
        Hidden::At(skip) => {
            let found = u32::try_from(consumed.saturating_sub(HEADER)).unwrap_or(u32::MAX);
            let offset = offset.saturating_add(8);
            Frame::Damaged { error: DecodeError::Value { offset, field: Field::MrtLength, found }, skip }
        }
        Hidden::NeedMore { at_least } => Frame::NeedMore { at_least },
        Hidden::None => Frame::Record { record, consumed },
    }
}

/// A record that the end of the stream cuts; or one with a wrong length, and others behind it.
#[cold]
fn cut<'a>(bytes: &'a [u8], header: &Header, rest: &[u8], offset: u64) -> Frame<'a> {
    let at_least = HEADER.saturating_add(header.length as usize);
    if header.length_by_content(rest) != Some(header.length as usize)
        && let Hidden::At(skip) = hidden_record(bytes, bytes.len(), false)
    {
        return Frame::Damaged { error: cut_at_end(bytes, offset), skip };
    }
    Frame::NeedMore { at_least }
}

/// The error of bytes that are left at the end of the stream, where [`frame`] still needs more.
pub fn cut_at_end(bytes: &[u8], offset: u64) -> DecodeError {
    let (field, needed) = match Header::read(bytes) {
        Some((header, _)) => match header.check(offset) {
            Ok(()) => (Field::MrtRecord, (HEADER as u32).saturating_add(header.length)),
            Err(error) => return error,
        },
        None => (Field::MrtHeader, HEADER as u32),
    };
    DecodeError::Cut { offset, field, needed, left: u32::try_from(bytes.len()).unwrap_or(u32::MAX) }
}

/// All records of a stream that lies in memory as a whole. Damage is an item, and the next record follows it.
pub fn records(bytes: &[u8]) -> impl Iterator<Item = Result<RawRecord<'_>, DecodeError>> {
    let (mut rest, mut offset) = (bytes, 0_u64);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (item, step) = match frame(rest, offset, false) {
            Frame::Record { record, consumed } => (Ok(record), consumed),
            Frame::Damaged { error, skip } => (Err(error), skip),
            Frame::NeedMore { .. } => (Err(cut_at_end(rest, offset)), rest.len()),
        };
        rest = rest.get(step..).unwrap_or_default();
        offset = offset.saturating_add(step as u64);
        Some(item)
    })
}

pub(super) struct Header {
    pub(super) seconds: u32,
    pub(super) kind: u16,
    subtype: u16,
    pub(super) length: u32,
}

impl Header {
    #[inline]
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([s0, s1, s2, s3, k0, k1, t0, t1, l0, l1, l2, l3], rest) = bytes.split_first_chunk::<HEADER>()?;
        let header = Header {
            seconds: u32::from_be_bytes([*s0, *s1, *s2, *s3]),
            kind: u16::from_be_bytes([*k0, *k1]),
            subtype: u16::from_be_bytes([*t0, *t1]),
            length: u32::from_be_bytes([*l0, *l1, *l2, *l3]),
        };
        Some((header, rest))
    }

    #[inline]
    fn check(&self, offset: u64) -> Result<(), DecodeError> {
        if self.kind == kind::NULL {
            // A run of zero bytes, as a file system leaves behind, would else be an endless row of records.
            let (offset, found) = (offset.saturating_add(4), u32::from(self.kind));
            return Err(DecodeError::Value { offset, field: Field::MrtType, found });
        }
        if self.length > self.max_length() {
            let offset = offset.saturating_add(8);
            return Err(DecodeError::Value { offset, field: Field::MrtLength, found: self.length });
        }
        Ok(())
    }

    #[inline]
    fn max_length(&self) -> u32 {
        match self.kind {
            _ if !kind::is_known(self.kind, self.subtype) => UNKNOWN_MAX,
            kind::TABLE_DUMP_V2 => RECORD_MAX,
            kind::TABLE_DUMP => TABLE_DUMP_MAX,
            _ => MESSAGE_MAX,
        }
    }

    /// How long the body is by what stands in it, where that can be told at little cost.
    #[inline]
    fn length_by_content(&self, body: &[u8]) -> Option<usize> {
        match self.kind {
            kind::BGP4MP | kind::BGP4MP_ET => bgp4mp::length_by_content(self.kind, self.subtype, body),
            kind::TABLE_DUMP => table_dump::length_by_content(self.subtype, body),
            _ => None,
        }
    }

    #[inline]
    pub(super) fn may_be_four_bytes_short(&self) -> bool {
        matches!(self.kind, kind::BGP4MP_ET | kind::TABLE_DUMP)
    }

    #[inline]
    pub(super) fn is_plausible(&self) -> bool {
        kind::is_known(self.kind, self.subtype)
            && self.length <= self.max_length()
            && self.seconds >= FIRST_YEAR_SECONDS
    }
}
