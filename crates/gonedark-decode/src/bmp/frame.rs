//! Cutting a byte stream into BMP messages (RFC 7854 section 4.1), without copies.

use crate::bmp::kind;
use crate::error::{DecodeError, Field};

/// Length of a common header in bytes: version, length of the whole message, type.
pub const HEADER: usize = 6;

/// Length of a common and a per-peer header in bytes (RFC 7854 section 4.2).
pub(crate) const HEADERS: usize = HEADER + 42;

/// The largest message that is taken for one, in bytes, and the bound of a reader's memory. A Peer Up or a Route
/// Mirroring message may hold two BGP messages of 65,535 bytes (RFC 8654) and texts; the largest seen is 8 KiB. A guess.
pub const MESSAGE_MAX: u32 = 256 << 10;

/// The largest message of a type that is unknown, in bytes. A guess: a header that stands where none should is most
/// often of an unknown type, and must not make the reader skip much.
pub const UNKNOWN_MAX: u32 = 64 << 10;

/// How far a plausible header is searched for at once, in bytes. A guess; no more than [`MESSAGE_MAX`], so that it
/// does not enlarge the reader's memory.
const SEARCH: usize = 256 << 10;

/// The largest type of the first TLV behind a header that is searched for. IANA "BMP Initiation and Peer Up
/// Information TLVs" has five types; twice and thrice that is a guess.
const PLAUSIBLE_TLV: u16 = 15;

/// One message, not yet decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawMessage<'a> {
    /// 3, or 4 (draft-ietf-grow-bmp-tlv).
    pub version: u8,
    /// Message type (IANA "BMP Message Types").
    pub kind: u8,
    /// What follows the common header.
    pub body: &'a [u8],
    /// Where its header stands in the stream.
    pub offset: u64,
}

/// What stands at the start of some bytes.
#[derive(Clone, Copy, Debug)]
pub enum Frame<'a> {
    /// A message, and how many bytes it takes with its header.
    Message {
        /// The message.
        message: RawMessage<'a>,
        /// Bytes to step over.
        consumed: usize,
    },
    /// The message goes on behind the bytes.
    NeedMore {
        /// How many bytes from its start are needed to say more; at most [`MESSAGE_MAX`].
        at_least: usize,
    },
    /// No message can begin here.
    Damaged {
        /// Why not.
        error: DecodeError,
        /// How many bytes to step over, at least one: most often to the next plausible header.
        skip: usize,
    },
}

/// The message at the start of `bytes`, which stand at `offset` in the stream. The answer does not depend on how the
/// stream was cut into buffers: more bytes never change it, unless it is [`Frame::NeedMore`].
///
/// Versions 1 and 2 have no length, so that nothing tells where their messages end; they are damage.
#[inline]
pub fn frame(bytes: &[u8], offset: u64) -> Frame<'_> {
    let Some((header, rest)) = Header::read(bytes) else { return Frame::NeedMore { at_least: HEADER } };
    if let Err(error) = header.check(offset) {
        return match next_header(bytes) {
            Some(skip) => Frame::Damaged { error, skip },
            None => Frame::NeedMore { at_least: enough_to_search_again(bytes.len()) },
        };
    }
    let consumed = header.length as usize;
    match rest.get(..consumed.saturating_sub(HEADER)) {
        Some(body) => {
            let message = RawMessage { version: header.version, kind: header.kind, body, offset };
            Frame::Message { message, consumed }
        }
        None => Frame::NeedMore { at_least: consumed },
    }
}

/// The error of bytes that are left at the end of the stream, where [`frame()`] still needs more.
pub fn cut_at_end(bytes: &[u8], offset: u64) -> DecodeError {
    let (field, needed) = match Header::read(bytes) {
        Some((header, _)) => match header.check(offset) {
            Ok(()) => (Field::BmpMessage, header.length),
            Err(error) => return error,
        },
        None => (Field::BmpMessage, HEADER as u32),
    };
    DecodeError::Cut { offset, field, needed, left: u32::try_from(bytes.len()).unwrap_or(u32::MAX) }
}

/// The messages of a stream that is in memory as a whole. After damage it goes on with the next plausible header.
pub fn messages(bytes: &[u8]) -> impl Iterator<Item = Result<RawMessage<'_>, DecodeError>> {
    let (mut rest, mut offset) = (bytes, 0_u64);
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (item, step) = match frame(rest, offset) {
            Frame::Message { message, consumed } => (Ok(message), consumed),
            Frame::Damaged { error, skip } => (Err(error), skip),
            Frame::NeedMore { .. } => (Err(cut_at_end(rest, offset)), rest.len()),
        };
        rest = rest.get(step..).unwrap_or_default();
        offset = offset.saturating_add(step as u64);
        Some(item)
    })
}

struct Header {
    version: u8,
    length: u32,
    kind: u8,
}

impl Header {
    #[inline]
    fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([version, a, b, c, d, kind], rest) = bytes.split_first_chunk::<HEADER>()?;
        let length = u32::from_be_bytes([*a, *b, *c, *d]);
        Some((Header { version: *version, length, kind: *kind }, rest))
    }

    #[inline]
    fn check(&self, offset: u64) -> Result<(), DecodeError> {
        if !(3..=4).contains(&self.version) {
            return Err(DecodeError::Value {
                offset,
                field: Field::BmpVersion,
                found: u32::from(self.version),
            });
        }
        let (least, most) = match self.kind {
            kind::INITIATION | kind::TERMINATION => (HEADER, MESSAGE_MAX),
            kind if kind::is_of_a_peer(kind) => (HEADERS, MESSAGE_MAX),
            _ => (HEADER, UNKNOWN_MAX),
        };
        if (self.length as usize) < least || self.length > most {
            let offset = offset.saturating_add(1);
            return Err(DecodeError::Value { offset, field: Field::BmpLength, found: self.length });
        }
        Ok(())
    }
}

/// Whether a message begins here, by as much as no healthy router writes otherwise. `None` where the bytes end before
/// that can be said.
fn is_plausible(bytes: &[u8]) -> Option<bool> {
    if bytes.first().is_some_and(|version| !(3..=4).contains(version)) {
        return Some(false);
    }
    let (header, rest) = Header::read(bytes)?;
    if header.check(0).is_err() || header.kind > kind::MIRRORING {
        return Some(false);
    }
    if !kind::is_of_a_peer(header.kind) {
        return Some(match (header.length as usize).checked_sub(HEADER) {
            Some(0) => true,
            Some(body) => {
                let [a, b, c, d] = rest.first_chunk::<4>()?;
                let length = usize::from(u16::from_be_bytes([*c, *d]));
                u16::from_be_bytes([*a, *b]) <= PLAUSIBLE_TLV && length.saturating_add(4) <= body
            }
            None => false,
        });
    }
    // Of a peer of the global table the distinguisher is zero; four types of peers are known; a second has a million
    // microseconds.
    let peer = rest.first_chunk::<42>()?;
    let [kind, _flags, distinguisher @ ..] = peer;
    let distinguished = distinguisher.first_chunk::<8>().is_some_and(|value| *value != [0; 8]);
    let micros = peer.last_chunk::<4>().map_or(0, |micros| u32::from_be_bytes(*micros));
    Some(*kind <= 3 && !(*kind == 0 && distinguished) && micros < 1_000_000)
}

/// How many bytes are worth another search where so many held no header: an eighth more, so that all searches together
/// stay linear and a quiet router's next message waits for little.
#[cold]
fn enough_to_search_again(searched: usize) -> usize {
    searched.saturating_add(HEADERS.max(searched >> 3)).min(SEARCH)
}

/// How far the next plausible header is, at least one byte; nearly all of [`SEARCH`] where that many bytes hold none.
/// `None` where what there is does not tell yet.
#[cold]
fn next_header(bytes: &[u8]) -> Option<usize> {
    let searched = bytes.get(..SEARCH);
    let all = searched.unwrap_or(bytes);
    for at in 1..all.len() {
        match is_plausible(all.get(at..)?) {
            Some(true) => return Some(at),
            Some(false) => {}
            // With the search at its end it is looked at again from there.
            None => return searched.map(|_| at),
        }
    }
    searched.map(<[u8]>::len)
}
