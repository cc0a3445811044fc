//! UPDATE (RFC 4271 section 4.3, RFC 4760): which prefixes are announced by which path, and which are withdrawn.

use crate::bgp::add_path::{AddPath, Choice, choose};
use crate::bgp::as4;
use crate::bgp::attributes::Collected;
use crate::bgp::nlri::NlriIter;
use crate::bgp::warnings::{Warning, Warnings};
use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::{AsnSize, Family, Nlri, PathView};

/// What has to be known of a session to read its messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// The width of ASNs in AS_PATH and AGGREGATOR.
    pub asn_size: AsnSize,
    /// Path identifiers in IPv4 unicast.
    pub add_path_v4: AddPath,
    /// Path identifiers in IPv6 unicast.
    pub add_path_v6: AddPath,
}

/// An UPDATE. All its prefixes were checked when it was read: going through them cannot fail.
///
/// A prefix that is both withdrawn and announced is announced (RFC 4271 section 4.3), so withdrawals come first.
#[derive(Clone, Debug)]
pub struct Update<'a> {
    /// The path of the announced prefixes, AS4_PATH merged in (RFC 6793 section 4.2.3). `None` where the message
    /// has none, which is so for mere withdrawals, or a malformed one.
    pub path: Option<PathView<'a>>,
    /// This is the End-of-RIB marker of the family (RFC 4724 section 2).
    pub end_of_rib: Option<Family>,
    /// What is wrong with it.
    pub warnings: Warnings,
    /// IPv4 outside the multiprotocol attributes.
    announced: &'a [u8],
    withdrawn: &'a [u8],
    reach: Mp<&'a [u8]>,
    unreach: Mp<&'a [u8]>,
    v4: Choice,
    v6: Choice,
}

impl<'a> Update<'a> {
    /// The announced prefixes; none where a warning makes them count as withdrawn.
    #[inline]
    pub fn announced(&self) -> impl Iterator<Item = Nlri> + use<'a> {
        let [first, second] = self.announced_unless(self.warnings.treat_as_withdraw());
        first.chain(second)
    }

    /// The withdrawn prefixes, and the announced ones where a warning makes those count as withdrawn.
    #[inline]
    pub fn withdrawn(&self) -> impl Iterator<Item = Nlri> + use<'a> {
        let [third, fourth] = self.announced_unless(!self.warnings.treat_as_withdraw());
        self.prefixes(self.withdrawn, Family::V4)
            .chain(self.prefixes_of(self.unreach))
            .chain(third)
            .chain(fourth)
    }

    #[inline]
    fn announced_unless(&self, left_out: bool) -> [NlriIter<'a>; 2] {
        match left_out {
            true => [self.prefixes(&[], Family::V4), self.prefixes(&[], Family::V4)],
            false => [self.prefixes(self.announced, Family::V4), self.prefixes_of(self.reach)],
        }
    }

    #[inline]
    fn prefixes_of(&self, field: Mp<&'a [u8]>) -> NlriIter<'a> {
        match field.family {
            Some(family) => self.prefixes(field.nlri, family),
            None => self.prefixes(&[], Family::V4),
        }
    }

    #[inline]
    fn prefixes(&self, bytes: &'a [u8], family: Family) -> NlriIter<'a> {
        let choice = if family == Family::V4 { self.v4 } else { self.v6 };
        NlriIter::new(bytes, family, choice.path_ids)
    }

    /// Whether path identifiers were found by nothing but the bytes, for IPv4 and IPv6.
    #[inline]
    pub(crate) fn inferred_path_ids(&self) -> [bool; 2] {
        [self.v4.inferred, self.v6.inferred]
    }

    /// Reads the message after its header. An error is what would reset a session (RFC 7606 section 3): nothing in
    /// the message can be trusted.
    #[inline]
    pub(crate) fn read(
        mut body: Cursor<'a>,
        session: &Session,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Self, DecodeError> {
        let length = usize::from(body.u16(Field::WithdrawnRoutes)?);
        let withdrawn = body.sub(length, Field::WithdrawnRoutes)?;
        let length = usize::from(body.u16(Field::PathAttributes)?);
        let attributes = body.sub(length, Field::PathAttributes)?;
        let announced = body;
        let mut collected = Collected::default();
        collected.collect(attributes, session.asn_size)?;
        let nothing = Mp { family: None, nlri: body.nothing_at_end() };
        let reach = collected.mp_reach.map_or(Ok(nothing), Mp::read_reach)?;
        let unreach = collected.mp_unreach.map_or(Ok(nothing), Mp::read_unreach)?;
        let other_reach = collected.mp_reach.is_some() && reach.family.is_none();
        let other_unreach = collected.mp_unreach.is_some() && unreach.family.is_none();
        if other_reach || other_unreach {
            collected.warnings.add(Warning::OtherFamily);
        }
        let v4 = choose(
            session.add_path_v4,
            Family::V4,
            [announced, withdrawn, reach.of(Family::V4), unreach.of(Family::V4)],
        )?;
        let v6 = choose(session.add_path_v6, Family::V6, [reach.of(Family::V6), unreach.of(Family::V6)])?;
        if v4.inferred || v6.inferred {
            collected.warnings.add(Warning::PathIdsInferred);
        }
        if !announced.is_empty() || (reach.family.is_some() && !reach.nlri.is_empty()) {
            collected.require_for_routes(!announced.is_empty());
        }
        let end_of_rib = match collected.count {
            0 | 1 if !(withdrawn.is_empty() && announced.is_empty()) => None,
            0 if attributes.is_empty() => Some(Family::V4),
            1 if unreach.nlri.is_empty() => unreach.family,
            _ => None,
        };
        Ok(Update {
            path: path(&collected, session.asn_size, scratch),
            end_of_rib,
            warnings: collected.warnings,
            announced: announced.rest(),
            withdrawn: withdrawn.rest(),
            reach: reach.bytes(),
            unreach: unreach.bytes(),
            v4,
            v6,
        })
    }
}

/// Reads an UPDATE (after its header) of which nothing certain tells how wide its ASNs are: as `session` has it, and
/// with the other width where the path makes no sense by that one. A path of either width has the wrong length for the
/// other, unless it is empty or of segments that happen to fit.
#[inline]
pub(crate) fn read_of_either_width<'a>(
    body: Cursor<'a>,
    session: &Session,
    scratch: &'a mut [Vec<u8>; 2],
) -> Result<Update<'a>, DecodeError> {
    let [first, second] = scratch;
    let update = Update::read(body, session, first)?;
    if update.warnings.contains(Warning::AsPath) {
        let asn_size = match session.asn_size {
            AsnSize::Two => AsnSize::Four,
            AsnSize::Four => AsnSize::Two,
        };
        let other = Update::read(body, &Session { asn_size, ..*session }, second);
        if let Ok(other) = other
            && !other.warnings.contains(Warning::AsPath)
        {
            return Ok(other);
        }
    }
    Ok(update)
}

/// The path that holds: AS_PATH, or that with AS4_PATH merged in, which is written to `scratch`.
#[inline]
fn path<'a>(collected: &Collected<'a>, size: AsnSize, scratch: &'a mut Vec<u8>) -> Option<PathView<'a>> {
    let path = PathView::new(collected.as_path?, size);
    // From a speaker with four-byte ASNs AS4_PATH has to be ignored (RFC 6793 section 4.1).
    if size == AsnSize::Two
        && let Some(new) = collected.valid_as4_path()
        && as4::merge(path, PathView::new(new, AsnSize::Four), scratch)
    {
        return Some(as4::merged(scratch));
    }
    Some(path)
}

/// The prefixes of MP_REACH_NLRI or MP_UNREACH_NLRI; no family where it is none of ours.
#[derive(Clone, Copy, Debug)]
struct Mp<B> {
    family: Option<Family>,
    nlri: B,
}

impl<'a> Mp<Cursor<'a>> {
    #[inline]
    fn read_reach(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let family = unicast(cursor.array(Field::MpReach)?);
        let length = cursor.u8(Field::MpReach)?;
        cursor.take(usize::from(length), Field::MpReach)?;
        cursor.u8(Field::MpReach)?;
        Ok(Mp { family, nlri: cursor })
    }

    #[inline]
    fn read_unreach(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let family = unicast(cursor.array(Field::MpUnreach)?);
        Ok(Mp { family, nlri: cursor })
    }

    /// The prefixes, where they are of `family`.
    #[inline]
    fn of(&self, family: Family) -> Cursor<'a> {
        if self.family == Some(family) { self.nlri } else { self.nlri.nothing_at_end() }
    }

    #[inline]
    fn bytes(self) -> Mp<&'a [u8]> {
        Mp { family: self.family, nlri: self.nlri.rest() }
    }
}

/// AFI and SAFI of unicast routes (IANA "Address Family Numbers", "SAFI Values").
#[inline]
fn unicast(afi_safi: [u8; 3]) -> Option<Family> {
    match afi_safi {
        [0, 1, 1] => Some(Family::V4),
        [0, 2, 1] => Some(Family::V6),
        _ => None,
    }
}
