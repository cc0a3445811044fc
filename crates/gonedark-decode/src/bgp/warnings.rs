//! What is wrong with an UPDATE that could be read all the same (RFC 7606).

use std::fmt;

/// How RFC 7606 section 2 wants an error handled. A session reset is no warning: such a message has no routes that
/// can be trusted and is a [`DecodeError`](crate::DecodeError).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// Nothing is wrong with the message; something in it is not our subject, or was inferred.
    Notice,
    /// The attribute is ignored.
    AttributeDiscard,
    /// The announced prefixes count as withdrawn.
    TreatAsWithdraw,
}

/// One kind of warning.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Warning {
    /// The attributes run over their end; what stands before is used (RFC 7606 section 4).
    AttributesCut,
    /// Optional and transitive bits that the attribute does not have (RFC 7606 section 3 c).
    AttributeFlags,
    /// An attribute that occurs again; the first one counts (RFC 7606 section 3 g).
    DuplicateAttribute,
    /// Routes without ORIGIN (RFC 7606 section 3 d).
    MissingOrigin,
    /// Routes without AS_PATH (RFC 7606 section 3 d).
    MissingAsPath,
    /// IPv4 routes outside MP_REACH_NLRI without NEXT_HOP (RFC 7606 section 3 d).
    MissingNextHop,
    /// ORIGIN is not one byte of 0, 1 or 2 (RFC 7606 section 7.1).
    Origin,
    /// AS_PATH has an unknown, empty or cut segment (RFC 7606 section 7.2).
    AsPath,
    /// NEXT_HOP is not four bytes (RFC 7606 section 7.3).
    NextHop,
    /// MULTI_EXIT_DISC is not four bytes (RFC 7606 section 7.4).
    MultiExitDisc,
    /// LOCAL_PREF is not four bytes (RFC 7606 section 7.5).
    LocalPref,
    /// ATOMIC_AGGREGATE is not empty (RFC 7606 section 7.6).
    AtomicAggregate,
    /// AGGREGATOR is neither six nor eight bytes as the session has it (RFC 7606 section 7.7).
    Aggregator,
    /// COMMUNITIES is no multiple of four bytes or empty (RFC 7606 section 7.8).
    Communities,
    /// ORIGINATOR_ID is not four bytes (RFC 7606 section 7.9).
    OriginatorId,
    /// CLUSTER_LIST is no multiple of four bytes or empty (RFC 7606 section 7.10).
    ClusterList,
    /// EXTENDED COMMUNITIES is no multiple of eight bytes or empty (RFC 7606 section 7.14).
    ExtendedCommunities,
    /// AS4_PATH has an unknown, empty or cut segment (RFC 6793 section 6).
    As4Path,
    /// AS4_AGGREGATOR is not eight bytes (RFC 6793 section 6).
    As4Aggregator,
    /// LARGE_COMMUNITY is no multiple of twelve bytes or empty (RFC 8092 section 6).
    LargeCommunity,
    /// Routes of a family other than IPv4 and IPv6 unicast, left out.
    OtherFamily,
    /// Path identifiers were found by inference: nothing in the record says that they are there.
    PathIdsInferred,
    /// IPv4 routes without NEXT_HOP from a router that writes them anew for BMP and leaves it out, as FRR does. It holds
    /// them all the same: no peer sent it such a message.
    NextHopNotTold,
}

impl Warning {
    /// Every kind, in the order of the codes that [`Warnings`] keeps.
    pub const ALL: [Warning; 23] = [
        Warning::AttributesCut,
        Warning::AttributeFlags,
        Warning::DuplicateAttribute,
        Warning::MissingOrigin,
        Warning::MissingAsPath,
        Warning::MissingNextHop,
        Warning::Origin,
        Warning::AsPath,
        Warning::NextHop,
        Warning::MultiExitDisc,
        Warning::LocalPref,
        Warning::AtomicAggregate,
        Warning::Aggregator,
        Warning::Communities,
        Warning::OriginatorId,
        Warning::ClusterList,
        Warning::ExtendedCommunities,
        Warning::As4Path,
        Warning::As4Aggregator,
        Warning::LargeCommunity,
        Warning::OtherFamily,
        Warning::PathIdsInferred,
        Warning::NextHopNotTold,
    ];

    /// How it is handled.
    pub const fn severity(self) -> Severity {
        match self {
            Warning::OtherFamily | Warning::PathIdsInferred | Warning::NextHopNotTold => Severity::Notice,
            Warning::DuplicateAttribute
            | Warning::AtomicAggregate
            | Warning::Aggregator
            | Warning::As4Path
            | Warning::As4Aggregator
            // The peers of a collector are external, and from those the three are discarded unseen.
            | Warning::LocalPref
            | Warning::OriginatorId
            | Warning::ClusterList => Severity::AttributeDiscard,
            Warning::AttributesCut
            | Warning::AttributeFlags
            | Warning::MissingOrigin
            | Warning::MissingAsPath
            | Warning::MissingNextHop
            | Warning::Origin
            | Warning::AsPath
            | Warning::NextHop
            | Warning::MultiExitDisc
            | Warning::Communities
            | Warning::ExtendedCommunities
            | Warning::LargeCommunity => Severity::TreatAsWithdraw,
        }
    }

    /// The kind as a person reads it in a list of damages.
    pub const fn text(self) -> &'static str {
        match self {
            Warning::AttributesCut => "path attributes cut",
            Warning::AttributeFlags => "wrong attribute flags",
            Warning::DuplicateAttribute => "attribute given twice",
            Warning::MissingOrigin => "routes without ORIGIN",
            Warning::MissingAsPath => "routes without AS_PATH",
            Warning::MissingNextHop => "routes without NEXT_HOP",
            Warning::Origin => "malformed ORIGIN",
            Warning::AsPath => "malformed AS_PATH",
            Warning::NextHop => "malformed NEXT_HOP",
            Warning::MultiExitDisc => "malformed MULTI_EXIT_DISC",
            Warning::LocalPref => "malformed LOCAL_PREF",
            Warning::AtomicAggregate => "malformed ATOMIC_AGGREGATE",
            Warning::Aggregator => "malformed AGGREGATOR",
            Warning::Communities => "malformed COMMUNITIES",
            Warning::OriginatorId => "malformed ORIGINATOR_ID",
            Warning::ClusterList => "malformed CLUSTER_LIST",
            Warning::ExtendedCommunities => "malformed EXTENDED COMMUNITIES",
            Warning::As4Path => "malformed AS4_PATH",
            Warning::As4Aggregator => "malformed AS4_AGGREGATOR",
            Warning::LargeCommunity => "malformed LARGE_COMMUNITY",
            Warning::OtherFamily => "routes of another address family",
            Warning::PathIdsInferred => "ADD-PATH inferred",
            Warning::NextHopNotTold => "NEXT_HOP not told",
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// The kinds of warnings of one UPDATE, each at most once.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Warnings(u32);

impl Warnings {
    const TREAT_AS_WITHDRAW: u32 = {
        // A constant of the table above, so that the usual UPDATE costs one `and`.
        let mut mask = 0;
        let mut rest: &[Warning] = &Warning::ALL;
        while let [first, tail @ ..] = rest {
            if matches!(first.severity(), Severity::TreatAsWithdraw) {
                mask |= 1_u32.wrapping_shl(*first as u32);
            }
            rest = tail;
        }
        mask
    };

    #[inline]
    pub(crate) fn add(&mut self, warning: Warning) {
        self.0 |= 1_u32.wrapping_shl(warning as u32);
    }

    /// Takes one for another.
    #[inline]
    pub(crate) fn replace(&mut self, warning: Warning, other: Warning) {
        if self.contains(warning) {
            self.0 &= !1_u32.wrapping_shl(warning as u32);
            self.add(other);
        }
    }

    /// Whether there are none.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether one of them makes announced prefixes count as withdrawn.
    #[inline]
    pub const fn treat_as_withdraw(self) -> bool {
        self.0 & Self::TREAT_AS_WITHDRAW != 0
    }

    /// Whether `warning` is among them.
    #[inline]
    pub const fn contains(self, warning: Warning) -> bool {
        self.0 & 1_u32.wrapping_shl(warning as u32) != 0
    }

    /// The kinds, in the order of [`Warning::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Warning> {
        Warning::ALL.into_iter().filter(move |warning| self.contains(*warning))
    }
}

impl fmt::Debug for Warnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_malformed_routes_are_treated_as_withdrawn() {
        for warning in Warning::ALL {
            let mut warnings = Warnings::default();
            warnings.add(warning);
            assert_eq!(warnings.treat_as_withdraw(), warning.severity() == Severity::TreatAsWithdraw);
            assert!(warnings.iter().eq([warning]));
        }
    }
}
