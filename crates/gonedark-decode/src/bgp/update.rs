//! UPDATE (RFC 4271 section 4.3, RFC 4760): which prefixes are announced by which path, and which are withdrawn.

use crate::bgp::add_path::{AddPath, Choice, choose};
use crate::bgp::as4;
use crate::bgp::attributes::Collected;
use crate::bgp::nlri::NlriField;
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
    announced: [NlriField<'a>; 2],
    withdrawn: [NlriField<'a>; 2],
    inferred: [bool; 2],
}

impl<'a> Update<'a> {
    /// The announced prefixes; none where a warning makes them count as withdrawn.
    #[inline]
    pub fn announced(&self) -> impl Iterator<Item = Nlri> + use<'a> {
        let [first, second] = match self.warnings.treat_as_withdraw() {
            true => [NlriField::EMPTY; 2],
            false => self.announced,
        };
        first.iter().chain(second.iter())
    }

    /// The withdrawn prefixes, and the announced ones where a warning makes those count as withdrawn.
    #[inline]
    pub fn withdrawn(&self) -> impl Iterator<Item = Nlri> + use<'a> {
        let [first, second] = self.withdrawn;
        let [third, fourth] = match self.warnings.treat_as_withdraw() {
            true => self.announced,
            false => [NlriField::EMPTY; 2],
        };
        first.iter().chain(second.iter()).chain(third.iter()).chain(fourth.iter())
    }

    /// Whether path identifiers in `family` were found by nothing but the bytes.
    pub(crate) fn inferred_path_ids(&self, family: Family) -> bool {
        let [v4, v6] = self.inferred;
        match family {
            Family::V4 => v4,
            Family::V6 => v6,
        }
    }

    /// Reads the message after its header. An error is what would reset a session (RFC 7606 section 3): nothing in
    /// the message can be trusted.
    pub(crate) fn read(
        mut body: Cursor<'a>,
        session: &Session,
        scratch: &'a mut Vec<u8>,
    ) -> Result<Self, DecodeError> {
        let length = usize::from(body.u16(Field::WithdrawnRoutes)?);
        let withdrawn = body.sub(length, Field::WithdrawnRoutes)?;
        let length = usize::from(body.u16(Field::PathAttributes)?);
        let attributes = body.sub(length, Field::PathAttributes)?;
        let mut collected = Collected::from(attributes, session.asn_size)?;
        let reach = collected.mp_reach.map(MpField::read_reach).transpose()?;
        let unreach = collected.mp_unreach.map(MpField::read_unreach).transpose()?;
        for field in [reach, unreach].into_iter().flatten() {
            if field.family.is_none() {
                collected.warnings.add(Warning::OtherFamily);
            }
        }

        let nothing = body.nothing_at_end();
        let of = |field: Option<MpField<'a>>, family| match field {
            Some(field) if field.family == Some(family) => field.nlri,
            _ => nothing,
        };
        let (reach_v4, unreach_v4) = (of(reach, Family::V4), of(unreach, Family::V4));
        let (reach_v6, unreach_v6) = (of(reach, Family::V6), of(unreach, Family::V6));
        let v4 = choose(session.add_path_v4, Family::V4, &[body, withdrawn, reach_v4, unreach_v4])?;
        let v6 = choose(session.add_path_v6, Family::V6, &[reach_v6, unreach_v6])?;
        if v4.inferred || v6.inferred {
            collected.warnings.add(Warning::PathIdsInferred);
        }
        if !(body.is_empty() && reach_v4.is_empty() && reach_v6.is_empty()) {
            collected.require_for_routes(!body.is_empty());
        }
        let mp = |field: Option<MpField<'a>>| match field {
            Some(MpField { family: Some(Family::V4), nlri }) => nlri_field(nlri, Family::V4, v4),
            Some(MpField { family: Some(Family::V6), nlri }) => nlri_field(nlri, Family::V6, v6),
            _ => NlriField::EMPTY,
        };
        let end_of_rib = match (collected.count, unreach) {
            _ if !(withdrawn.is_empty() && body.is_empty()) => None,
            (0, None) if attributes.is_empty() => Some(Family::V4),
            (1, Some(field)) if field.nlri.is_empty() => field.family,
            _ => None,
        };
        Ok(Update {
            path: path(&collected, session.asn_size, scratch),
            end_of_rib,
            warnings: collected.warnings,
            announced: [nlri_field(body, Family::V4, v4), mp(reach)],
            withdrawn: [nlri_field(withdrawn, Family::V4, v4), mp(unreach)],
            inferred: [v4.inferred, v6.inferred],
        })
    }
}

#[inline]
fn nlri_field<'a>(cursor: Cursor<'a>, family: Family, choice: Choice) -> NlriField<'a> {
    NlriField::new(cursor.rest(), family, choice.path_ids)
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
#[derive(Clone, Copy)]
struct MpField<'a> {
    family: Option<Family>,
    nlri: Cursor<'a>,
}

impl<'a> MpField<'a> {
    #[inline]
    fn read_reach(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let family = unicast(cursor.array(Field::MpReach)?);
        let length = cursor.u8(Field::MpReach)?;
        cursor.take(usize::from(length), Field::MpReach)?;
        cursor.u8(Field::MpReach)?;
        Ok(MpField { family, nlri: cursor })
    }

    #[inline]
    fn read_unreach(mut cursor: Cursor<'a>) -> Result<Self, DecodeError> {
        let family = unicast(cursor.array(Field::MpUnreach)?);
        Ok(MpField { family, nlri: cursor })
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
