//! The fields of a message as they stand in the JSON, and their values.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::ris_live::json::{Json, Value};
use gonedark_route::{Asn, Time};
use std::net::IpAddr;
use std::str::FromStr;

/// What stands in an object; nothing is looked into yet.
#[derive(Clone, Copy, Default)]
pub(crate) struct Fields<'a> {
    pub(crate) kind: Option<Cursor<'a>>,
    pub(crate) timestamp: Option<Cursor<'a>>,
    pub(crate) peer: Option<Cursor<'a>>,
    pub(crate) peer_asn: Option<Cursor<'a>>,
    pub(crate) host: Option<Cursor<'a>>,
    pub(crate) id: Option<Cursor<'a>>,
    /// The BGP message in hexadecimal digits.
    pub(crate) raw: Option<Cursor<'a>>,
    /// The same without its header, before March 2019.
    pub(crate) body: Option<Cursor<'a>>,
    pub(crate) state: Option<Cursor<'a>>,
    pub(crate) direction: Option<Cursor<'a>>,
    pub(crate) message: Option<Cursor<'a>>,
    pub(crate) path: Option<Cursor<'a>>,
    pub(crate) announcements: Option<Cursor<'a>>,
    pub(crate) withdrawals: Option<Cursor<'a>>,
    /// The one prefix of a message before March 2019.
    pub(crate) prefix: Option<Cursor<'a>>,
}

impl<'a> Fields<'a> {
    /// Reads a line: the fields of the object itself, and those of the object `data` in it, where there is one.
    #[inline]
    pub(crate) fn read(line: Cursor<'a>) -> Result<(Self, Option<Self>), DecodeError> {
        let (mut outer, mut data) = (Fields::default(), None);
        let mut json = Json::new(line);
        json.object(|json, key| {
            // A list of collectors is an array, and some answers have no data.
            if key == b"data" && json.is_at_object() {
                let mut fields = Fields::default();
                json.object(|json, key| {
                    fields.take(key, json.value()?);
                    Ok(())
                })?;
                data = Some(fields);
                return Ok(());
            }
            outer.take(key, json.value()?);
            Ok(())
        })?;
        json.end()?;
        Ok((outer, data))
    }

    #[inline]
    fn take(&mut self, key: &[u8], value: Value<'a>) {
        let text = value.text();
        let array = if let Value::Array(array) = value { Some(array) } else { None };
        match key {
            b"type" => self.kind = text,
            b"timestamp" => self.timestamp = text,
            b"peer" => self.peer = text,
            b"peer_asn" => self.peer_asn = text,
            b"host" => self.host = text,
            b"id" => self.id = text,
            b"raw" => self.raw = text,
            b"body" => self.body = text,
            b"state" => self.state = text,
            b"direction" => self.direction = text,
            b"message" => self.message = text,
            b"path" => self.path = array,
            b"announcements" => self.announcements = array,
            b"withdrawals" => self.withdrawals = array,
            b"prefix" => self.prefix = text,
            _ => {}
        }
    }
}

/// A field that has to be there; where not, the error is at the end of the line.
#[inline]
pub(crate) fn required<'a>(
    value: Option<Cursor<'a>>,
    field: Field,
    end: u64,
) -> Result<Cursor<'a>, DecodeError> {
    value.ok_or(DecodeError::Missing { offset: end, field })
}

#[inline]
pub(crate) fn text(value: Cursor<'_>, field: Field) -> Result<&str, DecodeError> {
    std::str::from_utf8(value.rest()).map_err(|error| {
        let wrong = value.rest().get(error.valid_up_to()).copied().unwrap_or(0);
        value.value(field, u32::from(wrong))
    })
}

/// An address or a prefix. The error has the first character.
#[inline]
pub(crate) fn parse<T: FromStr>(value: Cursor<'_>, field: Field) -> Result<T, DecodeError> {
    let wrong = || value.value(field, value.rest().first().copied().map_or(0, u32::from));
    text(value, field)?.parse().map_err(|_| wrong())
}

#[inline]
pub(crate) fn address(value: Cursor<'_>) -> Result<IpAddr, DecodeError> {
    parse(value, Field::RisPeer)
}

#[inline]
pub(crate) fn asn(value: Cursor<'_>, field: Field) -> Result<Asn, DecodeError> {
    let mut asn = Some(0_u32);
    for byte in value.rest() {
        let digit = byte.is_ascii_digit().then_some(u32::from(byte & 0x0F));
        asn = asn.zip(digit).and_then(|(asn, digit)| asn.checked_mul(10)?.checked_add(digit));
    }
    match asn {
        Some(asn) if !value.is_empty() => Ok(Asn(asn)),
        _ => Err(value.value(field, value.rest().first().copied().map_or(0, u32::from))),
    }
}

/// Seconds since 1970 with an optional fraction, to the microsecond; what is finer is cut off. Never by way of a
/// floating-point number: those of today's size have a grain of a quarter of a microsecond, and 0.08 is none of them.
#[inline]
pub(crate) fn time(value: Cursor<'_>) -> Result<Time, DecodeError> {
    let (mut micros, mut unit, mut in_fraction) = (Some(0_i64), 1_000_000_i64, false);
    for byte in value.rest() {
        match byte {
            b'0'..=b'9' if !in_fraction => {
                let digit = i64::from(byte & 0x0F).saturating_mul(1_000_000);
                micros = micros.and_then(|micros| micros.checked_mul(10)?.checked_add(digit));
            }
            b'0'..=b'9' => {
                unit = unit.checked_div(10).unwrap_or(0);
                let digit = i64::from(byte & 0x0F).saturating_mul(unit);
                micros = micros.and_then(|micros| micros.checked_add(digit));
            }
            b'.' if !in_fraction => in_fraction = true,
            _ => micros = None,
        }
    }
    match micros {
        Some(micros) if !value.is_empty() => Ok(Time::from_micros(micros)),
        _ => Err(value.value(Field::RisTimestamp, value.rest().first().copied().map_or(0, u32::from))),
    }
}

/// Appends the bytes that hexadecimal digits mean.
#[inline]
pub(crate) fn hex(value: Cursor<'_>, out: &mut Vec<u8>) -> Result<(), DecodeError> {
    out.clear();
    let (pairs, odd) = value.rest().as_chunks::<2>();
    out.reserve(pairs.len());
    let mut wrong = 0;
    out.extend(pairs.iter().map(|[high, low]| {
        let (high, low) = (digit(*high), digit(*low));
        wrong |= high | low;
        high << 4 | (low & 0x0F)
    }));
    match odd {
        [] if wrong & 0xF0 == 0 => Ok(()),
        _ => Err(first_wrong(value)),
    }
}

#[cold]
fn first_wrong(mut value: Cursor<'_>) -> DecodeError {
    let good = value.rest().iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let _ = value.take(good, Field::RisRaw);
    value.value(Field::RisRaw, value.rest().first().copied().map_or(0, u32::from))
}

/// The value of a digit; 0xFF for another character.
#[inline]
fn digit(byte: u8) -> u8 {
    match byte {
        b'0'..=b'9' => byte & 0x0F,
        b'a'..=b'f' | b'A'..=b'F' => (byte & 0x0F).wrapping_add(9),
        _ => 0xFF,
    }
}
