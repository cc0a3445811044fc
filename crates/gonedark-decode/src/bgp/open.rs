//! OPEN: who the neighbour says it is and what it can do (RFC 4271 section 4.2, RFC 5492, RFC 9072).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::{Asn, Family};
use std::net::Ipv4Addr;

const CAPABILITY_FOUR_OCTET_ASN: u8 = 65; // RFC 6793 section 9
const CAPABILITY_ADD_PATH: u8 = 69; // RFC 7911 section 7
const PARAMETER_CAPABILITIES: u8 = 2; // RFC 5492 section 4
const PARAMETER_EXTENDED: u8 = 255; // RFC 9072 section 2

/// An OPEN message.
#[derive(Clone, Copy, Debug)]
pub struct Open<'a> {
    /// The sender's ASN; from the capability of RFC 6793 where there is one.
    pub asn: Asn,
    /// Seconds without a KEEPALIVE after which the session is down; 0 for never.
    pub hold_time: u16,
    /// The sender's BGP identifier.
    pub identifier: Ipv4Addr,
    parameters: Cursor<'a>,
    extended: bool,
    four_byte: bool,
}

/// What one side offers for one family in its ADD-PATH capability (RFC 7911 section 4).
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct AddPathOffer {
    /// It can receive path identifiers.
    pub receive: bool,
    /// It can send path identifiers.
    pub send: bool,
}

impl<'a> Open<'a> {
    /// Reads the message after its header. Its parameters are checked as they are gone through.
    pub(crate) fn read(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let [_version] = cursor.array(Field::Open)?;
        let short_asn = cursor.u16(Field::Open)?;
        let hold_time = cursor.u16(Field::Open)?;
        let identifier = Ipv4Addr::from_bits(cursor.u32(Field::Open)?);
        let mut length = usize::from(cursor.u8(Field::Open)?);
        let extended = length > 0 && cursor.rest().first() == Some(&PARAMETER_EXTENDED);
        if extended {
            cursor.u8(Field::Open)?;
            length = usize::from(cursor.u16(Field::Open)?);
        }
        let parameters = cursor.sub(length, Field::Open)?;
        let mut open = Open {
            asn: Asn(u32::from(short_asn)),
            hold_time,
            identifier,
            parameters,
            extended,
            four_byte: false,
        };
        for capability in open.capabilities() {
            if let (CAPABILITY_FOUR_OCTET_ASN, [a, b, c, d]) = capability? {
                open.asn = Asn(u32::from_be_bytes([*a, *b, *c, *d]));
                open.four_byte = true;
            }
        }
        Ok(open)
    }

    /// The capabilities: code (IANA "Capability Codes") and value.
    pub fn capabilities(&self) -> impl Iterator<Item = Result<(u8, &'a [u8]), DecodeError>> + use<'a> {
        let mut parameters = self.parameters;
        let extended = self.extended;
        let mut inside = Cursor::new(&[], parameters.offset());
        std::iter::from_fn(move || {
            while inside.is_empty() {
                if parameters.is_empty() {
                    return None;
                }
                match next_parameter(&mut parameters, extended) {
                    Ok((PARAMETER_CAPABILITIES, value)) => inside = value,
                    Ok(_) => {}
                    Err(error) => {
                        parameters = Cursor::new(&[], parameters.offset());
                        return Some(Err(error));
                    }
                }
            }
            let capability = next_capability(&mut inside);
            if capability.is_err() {
                inside = Cursor::new(&[], inside.offset());
            }
            Some(capability)
        })
    }

    /// Whether the sender can do ASNs of four bytes (RFC 6793 section 3).
    pub fn is_four_byte(&self) -> bool {
        self.four_byte
    }

    /// What the sender offers of ADD-PATH for unicast routes of `family`.
    pub fn add_path(&self, family: Family) -> AddPathOffer {
        let afi = match family {
            Family::V4 => 1,
            Family::V6 => 2,
        };
        let mut offer = AddPathOffer::default();
        for capability in self.capabilities() {
            let Ok((CAPABILITY_ADD_PATH, value)) = capability else { continue };
            for entry in value.chunks_exact(4) {
                if let [0, a, 1, mode @ 1..=3] = entry
                    && *a == afi
                {
                    offer = AddPathOffer { receive: mode & 1 != 0, send: mode & 2 != 0 };
                }
            }
        }
        offer
    }
}

fn next_parameter<'a>(cursor: &mut Cursor<'a>, extended: bool) -> Result<(u8, Cursor<'a>), DecodeError> {
    let kind = cursor.u8(Field::Capability)?;
    let length = match extended {
        true => usize::from(cursor.u16(Field::Capability)?),
        false => usize::from(cursor.u8(Field::Capability)?),
    };
    Ok((kind, cursor.sub(length, Field::Capability)?))
}

fn next_capability<'a>(cursor: &mut Cursor<'a>) -> Result<(u8, &'a [u8]), DecodeError> {
    let [code, length] = cursor.array(Field::Capability)?;
    Ok((code, cursor.take(usize::from(length), Field::Capability)?))
}
