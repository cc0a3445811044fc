//! An UPDATE written from the fields of a message, for those that come without the BGP message itself: what follows it
//! needs to know one form only.

use crate::bgp::{AddPath, Session, Update};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::ris_live::fields::{Fields, asn, parse, required};
use crate::ris_live::json::{Json, Value};
use gonedark_route::{AsnSize, Family, Prefix};

const AS_SET: u8 = 1; // RFC 4271 section 4.3
const AS_SEQUENCE: u8 = 2; // RFC 4271 section 4.3
/// The longest segment that the wire can express.
const SEGMENT_MAX: usize = u8::MAX as usize;

/// ORIGIN (which nobody asks) and NEXT_HOP (which the fields give per announcement): without them routes would count
/// as withdrawn (RFC 7606 section 3 d).
const ORIGIN_AND_NEXT_HOP: [u8; 11] = [0x40, 1, 1, 0, 0x40, 3, 4, 0, 0, 0, 0];

/// Flags and type of attributes with a length of two bytes: AS_PATH, MP_REACH_NLRI and MP_UNREACH_NLRI.
const AS_PATH: [u8; 2] = [0x50, 2];
const MP_REACH: [u8; 2] = [0x90, 14];
const MP_UNREACH: [u8; 2] = [0x90, 15];

/// AFI, SAFI, next hop and a reserved byte of IPv6 unicast (RFC 4760 section 3).
const REACH_V6: [u8; 21] = [0, 2, 1, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// AFI and SAFI of IPv6 unicast (RFC 4760 section 4).
const UNREACH_V6: [u8; 3] = [0, 2, 1];

/// Reads what the fields say. `Ok(None)` where they speak of no route at all: of an End-of-RIB they do not even say
/// the family. An announcement without a path has the empty one.
pub(crate) fn update<'a>(
    fields: &Fields<'_>,
    out: &'a mut Vec<u8>,
    scratch: &'a mut Vec<u8>,
) -> Result<Option<Update<'a>>, DecodeError> {
    out.clear();
    if !write(fields, out)? {
        return Ok(None);
    }
    let session = Session { asn_size: AsnSize::Four, add_path_v4: AddPath::No, add_path_v6: AddPath::No };
    Update::read(Cursor::new(out, 0), &session, scratch).map(Some)
}

/// Writes the body of the UPDATE; whether there is a route in it.
fn write(fields: &Fields<'_>, out: &mut Vec<u8>) -> Result<bool, DecodeError> {
    let empty = out.len();
    with_length(out, |out| withdrawn(fields, Family::V4, out))?;
    let mut routes = out.len().saturating_sub(empty) > 2;
    with_length(out, |out| {
        routes |= attribute(out, MP_UNREACH, &UNREACH_V6, |out| withdrawn(fields, Family::V6, out))?;
        let reach = attribute(out, MP_REACH, &REACH_V6, |out| announced(fields, Family::V6, out))?;
        routes |= reach;
        if reach || fields.announcements.is_some() || is_single(fields, b"A") {
            out.extend(ORIGIN_AND_NEXT_HOP);
            out.extend(AS_PATH);
            with_length(out, |out| fields.path.map_or(Ok(()), |path| as_path(path, out)))?;
        }
        Ok(())
    })?;
    let before = out.len();
    announced(fields, Family::V4, out)?;
    Ok(routes || out.len() > before)
}

/// Writes what `write` does behind two bytes that say how long it is.
fn with_length(
    out: &mut Vec<u8>,
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let at = out.len();
    out.extend([0, 0]);
    write(out)?;
    let length = out.len().saturating_sub(at).saturating_sub(2);
    let Ok(short) = u16::try_from(length) else {
        let found = u32::try_from(length).unwrap_or(u32::MAX);
        return Err(DecodeError::Value { offset: at as u64, field: Field::BgpLength, found });
    };
    if let Some(place) = out.get_mut(at..).and_then(<[u8]>::first_chunk_mut::<2>) {
        *place = short.to_be_bytes();
    }
    Ok(())
}

/// Writes an attribute of prefixes behind its `head`; nothing, and false, where there are none.
fn attribute(
    out: &mut Vec<u8>,
    flags_and_type: [u8; 2],
    head: &[u8],
    write: impl FnOnce(&mut Vec<u8>) -> Result<(), DecodeError>,
) -> Result<bool, DecodeError> {
    let before = out.len();
    let mut some = false;
    out.extend(flags_and_type);
    with_length(out, |out| {
        out.extend(head);
        let before = out.len();
        write(out)?;
        some = out.len() > before;
        Ok(())
    })?;
    if !some {
        out.truncate(before);
    }
    Ok(some)
}

/// Whether the message is one of before March 2019, which names one prefix, and of the given type.
fn is_single(fields: &Fields<'_>, kind: &[u8]) -> bool {
    fields.prefix.is_some() && fields.kind.is_some_and(|found| found.rest() == kind)
}

fn withdrawn(fields: &Fields<'_>, family: Family, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    if let Some(single) = fields.prefix.filter(|_| is_single(fields, b"W")) {
        prefix(single, family, out)?;
    }
    fields.withdrawals.map_or(Ok(()), |list| prefixes(&mut Json::new(list), family, out))
}

/// The prefixes of all announcements. One stands there for each next hop, most often a global and a link-local one: the
/// same prefixes twice, of which the first ones are enough.
fn announced(fields: &Fields<'_>, family: Family, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    if let Some(single) = fields.prefix.filter(|_| is_single(fields, b"A")) {
        prefix(single, family, out)?;
    }
    let Some(announcements) = fields.announcements else { return Ok(()) };
    let mut last: &[u8] = &[];
    Json::new(announcements).array(|json| {
        json.object(|json, key| match (key, json.value()?) {
            (b"prefixes", Value::Array(list)) if list.rest() != last => {
                last = list.rest();
                prefixes(&mut Json::new(list), family, out)
            }
            _ => Ok(()),
        })
    })
}

/// Those of `family` in an array of texts.
fn prefixes(json: &mut Json<'_>, family: Family, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    json.array(|json| {
        let at = *json;
        let Value::String(text) = json.value()? else { return Err(at.unexpected()) };
        prefix(text, family, out)
    })
}

fn prefix(text: Cursor<'_>, family: Family, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let prefix: Prefix = parse(text, Field::RisPrefix)?;
    if prefix.family() == family {
        let bits = prefix.bits().to_be_bytes();
        out.push(prefix.length());
        out.extend(bits.get(..usize::from(prefix.length().div_ceil(8))).unwrap_or_default());
    }
    Ok(())
}

/// Segments from an array of ASNs, in which an AS_SET is an array of its own.
fn as_path(path: Cursor<'_>, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    let mut segment = Segment { kind: 0, count_at: 0, count: 0 };
    Json::new(path).array(|json| {
        let at = *json;
        match json.value()? {
            Value::Array(set) => {
                segment.kind = 0;
                Json::new(set).array(|json| {
                    let at = *json;
                    let number = required(json.value()?.text(), Field::RisPath, at.offset())?;
                    segment.push(AS_SET, asn(number, Field::RisPath)?.0, out);
                    Ok(())
                })?;
                segment.kind = 0;
            }
            other => {
                let number = required(other.text(), Field::RisPath, at.offset())?;
                segment.push(AS_SEQUENCE, asn(number, Field::RisPath)?.0, out);
            }
        }
        Ok(())
    })
}

/// The segment that is being written; kind 0 stands for none.
struct Segment {
    kind: u8,
    count_at: usize,
    count: usize,
}

impl Segment {
    fn push(&mut self, kind: u8, asn: u32, out: &mut Vec<u8>) {
        if self.kind != kind || self.count >= SEGMENT_MAX {
            out.push(kind);
            *self = Segment { kind, count_at: out.len(), count: 0 };
            out.push(0);
        }
        self.count = self.count.saturating_add(1);
        if let Some(count) = out.get_mut(self.count_at) {
            *count = count.saturating_add(1);
        }
        out.extend(asn.to_be_bytes());
    }
}
