//! Path attributes (RFC 4271 section 4.3): going through them, and the one short scan for a RIB entry's path.

use crate::bgp::warnings::{Warning, Warnings};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::{Asn, AsnSize, PathView};

/// Attribute type codes (IANA "BGP Path Attributes").
pub(crate) mod code {
    pub(crate) const ORIGIN: u8 = 1;
    pub(crate) const AS_PATH: u8 = 2;
    pub(crate) const NEXT_HOP: u8 = 3;
    pub(crate) const MULTI_EXIT_DISC: u8 = 4;
    pub(crate) const LOCAL_PREF: u8 = 5;
    pub(crate) const ATOMIC_AGGREGATE: u8 = 6;
    pub(crate) const AGGREGATOR: u8 = 7;
    pub(crate) const COMMUNITIES: u8 = 8;
    pub(crate) const ORIGINATOR_ID: u8 = 9;
    pub(crate) const CLUSTER_LIST: u8 = 10;
    pub(crate) const MP_REACH_NLRI: u8 = 14;
    pub(crate) const MP_UNREACH_NLRI: u8 = 15;
    pub(crate) const EXTENDED_COMMUNITIES: u8 = 16;
    pub(crate) const AS4_PATH: u8 = 17;
    pub(crate) const AS4_AGGREGATOR: u8 = 18;
    pub(crate) const LARGE_COMMUNITY: u8 = 32;
}

/// The flags by which an attribute is told apart: optional and transitive.
const FLAGS_KIND: u8 = 0xC0;
const FLAG_EXTENDED_LENGTH: u8 = 0x10;
const WELL_KNOWN: u8 = 0x40;
const OPTIONAL: u8 = 0x80;
const OPTIONAL_TRANSITIVE: u8 = 0xC0;

/// One attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute<'a> {
    pub(crate) flags: u8,
    pub(crate) code: u8,
    pub(crate) value: Cursor<'a>,
}

/// The attributes of a RIB entry, in wire form and unchecked.
#[derive(Clone, Copy, Debug)]
pub struct Attributes<'a> {
    cursor: Cursor<'a>,
    size: AsnSize,
}

impl<'a> Attributes<'a> {
    #[inline]
    pub(crate) fn new(cursor: Cursor<'a>, size: AsnSize) -> Self {
        Attributes { cursor, size }
    }

    /// The wire bytes.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.cursor.rest()
    }

    /// The AS_PATH, read by one short scan. `None` where there is none or where it is malformed, which no
    /// healthy collector writes: a route without a path cannot be ascribed to anybody.
    #[inline]
    pub fn path(&self) -> Option<PathView<'a>> {
        let path = PathView::new(find(self.cursor.rest(), code::AS_PATH)?, self.size);
        is_sound(path).then_some(path)
    }

    /// The AS4_PATH, where there is a whole one. It means something only beside an AS_PATH of two-byte ASNs.
    pub(crate) fn as4_path(&self) -> Option<PathView<'a>> {
        let path = PathView::new(find(self.cursor.rest(), code::AS4_PATH)?, AsnSize::Four);
        is_sound(path).then_some(path)
    }

    /// Whether an AGGREGATOR with a true ASN shows that no old speaker is on the way, so that AS4_PATH is void
    /// (RFC 6793 section 4.2.3).
    pub(crate) fn as4_is_void(&self) -> bool {
        let bytes = self.cursor.rest();
        find(bytes, code::AS4_AGGREGATOR).is_some()
            && find(bytes, code::AGGREGATOR).is_some_and(|value| !is_as_trans(value))
    }
}

/// Whether the ASN of a six-byte AGGREGATOR is AS_TRANS.
#[inline]
fn is_as_trans(aggregator: &[u8]) -> bool {
    matches!(aggregator, [a, b, ..] if u32::from(u16::from_be_bytes([*a, *b])) == Asn::TRANS.0)
}

/// [`PathView::is_whole`], with the usual path first: one AS_SEQUENCE that fills the attribute.
#[inline]
pub(crate) fn is_sound(path: PathView<'_>) -> bool {
    if let [2, count, rest @ ..] = path.bytes()
        && *count > 0
        && usize::from(*count).wrapping_mul(path.size().bytes()) == rest.len()
    {
        return true;
    }
    path.is_whole()
}

/// The value of the first attribute of the given code.
#[inline]
fn find(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    let mut rest = bytes;
    loop {
        let (code, length, value) = match rest {
            [flags, code, length, value @ ..] if flags & FLAG_EXTENDED_LENGTH == 0 => {
                (*code, usize::from(*length), value)
            }
            [_, code, high, low, value @ ..] => {
                (*code, usize::from(u16::from_be_bytes([*high, *low])), value)
            }
            _ => return None,
        };
        if code == wanted {
            return value.get(..length);
        }
        rest = value.get(length..)?;
    }
}

/// The next attribute, or the error of one that runs over the end.
#[inline]
fn next_attribute<'a>(cursor: &mut Cursor<'a>) -> Result<Attribute<'a>, DecodeError> {
    let [flags, code] = cursor.array(Field::PathAttributes)?;
    let length = match flags & FLAG_EXTENDED_LENGTH {
        0 => usize::from(cursor.u8(Field::PathAttributes)?),
        _ => usize::from(cursor.u16(Field::PathAttributes)?),
    };
    let value = cursor.sub(length, Field::PathAttributes)?;
    Ok(Attribute { flags, code, value })
}

/// What an UPDATE's attributes say, checked as RFC 7606 wants it.
#[derive(Default)]
pub(crate) struct Collected<'a> {
    pub(crate) as_path: Option<&'a [u8]>,
    pub(crate) as4_path: Option<&'a [u8]>,
    pub(crate) mp_reach: Option<Cursor<'a>>,
    pub(crate) mp_unreach: Option<Cursor<'a>>,
    pub(crate) warnings: Warnings,
    /// How many attributes there are; an End-of-RIB has one or none.
    pub(crate) count: u32,
    aggregator: Option<&'a [u8]>,
    as4_aggregator: bool,
    /// Bit `n` is set once attribute `n` was seen; codes from 64 on do not concern us.
    seen: u64,
}

impl<'a> Collected<'a> {
    /// Goes through all attributes. The only error is MP_REACH_NLRI or MP_UNREACH_NLRI given twice, which resets a
    /// session (RFC 7606 section 3 g).
    #[inline]
    pub(crate) fn collect(&mut self, mut cursor: Cursor<'a>, size: AsnSize) -> Result<(), DecodeError> {
        while !cursor.is_empty() {
            let before = cursor;
            let Ok(attribute) = next_attribute(&mut cursor) else {
                self.warnings.add(Warning::AttributesCut);
                break;
            };
            self.count = self.count.saturating_add(1);
            let bit = 1_u64.checked_shl(u32::from(attribute.code)).unwrap_or(0);
            if self.seen & bit != 0 {
                if matches!(attribute.code, code::MP_REACH_NLRI | code::MP_UNREACH_NLRI) {
                    return Err(before.value(Field::MpOccurrences, 2));
                }
                self.warnings.add(Warning::DuplicateAttribute);
                continue;
            }
            self.seen |= bit;
            self.take(&attribute, size);
        }
        Ok(())
    }

    #[inline]
    fn take(&mut self, attribute: &Attribute<'a>, size: AsnSize) {
        let value = attribute.value.rest();
        let length = value.len();
        let (flags, fault) = match attribute.code {
            code::ORIGIN => (WELL_KNOWN, (!matches!(value, [0..=2])).then_some(Warning::Origin)),
            code::AS_PATH => {
                let sound = is_sound(PathView::new(value, size));
                self.as_path = sound.then_some(value);
                (WELL_KNOWN, (!sound).then_some(Warning::AsPath))
            }
            code::NEXT_HOP => (WELL_KNOWN, (length != 4).then_some(Warning::NextHop)),
            code::MULTI_EXIT_DISC => (OPTIONAL, (length != 4).then_some(Warning::MultiExitDisc)),
            code::LOCAL_PREF => (WELL_KNOWN, (length != 4).then_some(Warning::LocalPref)),
            code::ATOMIC_AGGREGATE => (WELL_KNOWN, (length != 0).then_some(Warning::AtomicAggregate)),
            code::AGGREGATOR => {
                let sound = length == size.bytes().wrapping_add(4);
                self.aggregator = sound.then_some(value);
                (OPTIONAL_TRANSITIVE, (!sound).then_some(Warning::Aggregator))
            }
            code::COMMUNITIES => (OPTIONAL_TRANSITIVE, not_a_list(length, 4, Warning::Communities)),
            code::ORIGINATOR_ID => (OPTIONAL, (length != 4).then_some(Warning::OriginatorId)),
            code::CLUSTER_LIST => (OPTIONAL, not_a_list(length, 4, Warning::ClusterList)),
            code::MP_REACH_NLRI => {
                self.mp_reach = Some(attribute.value);
                (OPTIONAL, None)
            }
            code::MP_UNREACH_NLRI => {
                self.mp_unreach = Some(attribute.value);
                (OPTIONAL, None)
            }
            code::EXTENDED_COMMUNITIES => {
                (OPTIONAL_TRANSITIVE, not_a_list(length, 8, Warning::ExtendedCommunities))
            }
            code::AS4_PATH => {
                let sound = is_sound(PathView::new(value, AsnSize::Four));
                self.as4_path = sound.then_some(value);
                (OPTIONAL_TRANSITIVE, (!sound).then_some(Warning::As4Path))
            }
            code::AS4_AGGREGATOR => {
                self.as4_aggregator = length == 8;
                (OPTIONAL_TRANSITIVE, (length != 8).then_some(Warning::As4Aggregator))
            }
            code::LARGE_COMMUNITY => (OPTIONAL_TRANSITIVE, not_a_list(length, 12, Warning::LargeCommunity)),
            _ => return,
        };
        if attribute.flags & FLAGS_KIND != flags {
            self.warnings.add(Warning::AttributeFlags);
        }
        if let Some(fault) = fault {
            self.warnings.add(fault);
        }
    }

    /// Adds a warning for each attribute that announced routes must have and these do not.
    #[inline]
    pub(crate) fn require_for_routes(&mut self, next_hop: bool) {
        for (code, needed, warning) in [
            (code::ORIGIN, true, Warning::MissingOrigin),
            (code::AS_PATH, true, Warning::MissingAsPath),
            (code::NEXT_HOP, next_hop, Warning::MissingNextHop),
        ] {
            if needed && self.seen & 1_u64.wrapping_shl(u32::from(code)) == 0 {
                self.warnings.add(warning);
            }
        }
    }

    /// The AS4_PATH, unless the AGGREGATOR makes it void (RFC 6793 section 4.2.3).
    #[inline]
    pub(crate) fn valid_as4_path(&self) -> Option<&'a [u8]> {
        let void = self.as4_aggregator && self.aggregator.is_some_and(|value| !is_as_trans(value));
        if void { None } else { self.as4_path }
    }
}

/// A list of items of `item` bytes has at least one and only whole ones.
#[inline]
fn not_a_list(length: usize, item: usize, warning: Warning) -> Option<Warning> {
    (length == 0 || !length.is_multiple_of(item)).then_some(warning)
}
