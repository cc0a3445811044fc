//! How much of a network is whose.

use super::CountryCode;
use gonedark_route::{Family, Prefix};
use std::cmp::Reverse;

/// A part of a network that no cut divides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Piece {
    /// Its first address: all 32 bits of IPv4, the first 64 of IPv6.
    pub first: u64,
    /// Its last address, likewise.
    pub last: u64,
    /// Whose it is; `None` where it is not delegated.
    pub country: Option<CountryCode>,
}

/// The countries of a network with how much of it they hold. Allocates only where there are several.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Shares {
    largest: Option<(CountryCode, u64)>,
    others: Vec<(CountryCode, u64)>,
    /// /24s (/48s) of the network in which nothing is delegated.
    pub undelegated: u64,
}

impl Shares {
    /// Country and /24s (/48s), the largest first, then by code.
    pub fn iter(&self) -> impl Iterator<Item = (CountryCode, u64)> {
        self.largest.iter().chain(&self.others).copied()
    }

    /// All of a network is one country's, or nobody's.
    pub(super) fn whole(country: Option<CountryCode>, prefix: Prefix) -> Self {
        match country {
            Some(country) => Shares { largest: Some((country, units(prefix))), ..Shares::default() },
            None => Shares { undelegated: units(prefix), ..Shares::default() },
        }
    }

    /// Counts units, each once per country however many pieces of it the country has.
    pub(super) fn of(pieces: impl Iterator<Item = Piece>, family: Family) -> Self {
        let mut counts: Vec<(CountryCode, UnitCount)> = Vec::new();
        let (mut all, mut delegated) = (UnitCount::default(), UnitCount::default());
        for piece in pieces {
            let (first, last) = (piece.first.to_unit(family), piece.last.to_unit(family));
            all.add(first, last);
            let Some(country) = piece.country else { continue };
            delegated.add(first, last);
            match counts.iter_mut().find(|(known, _)| *known == country) {
                Some((_, count)) => count.add(first, last),
                None => {
                    let mut count = UnitCount::default();
                    count.add(first, last);
                    counts.push((country, count));
                }
            }
        }
        let mut others: Vec<_> = counts.into_iter().map(|(country, count)| (country, count.units)).collect();
        others.sort_unstable_by_key(|(country, units)| (Reverse(*units), *country));
        let largest = (!others.is_empty()).then(|| others.remove(0));
        Shares { largest, others, undelegated: all.units - delegated.units }
    }
}

/// The country with the most addresses; of two with as many, the one whose code comes first.
pub(super) fn majority(pieces: impl Iterator<Item = Piece>) -> Option<CountryCode> {
    let mut counts: Vec<(CountryCode, u128)> = Vec::new();
    for piece in pieces {
        let Some(country) = piece.country else { continue };
        // The whole of IPv6 is one more than 64 bits hold.
        let addresses = u128::from(piece.last - piece.first) + 1;
        match counts.iter_mut().find(|(known, _)| *known == country) {
            Some((_, count)) => *count += addresses,
            None => counts.push((country, addresses)),
        }
    }
    counts.into_iter().max_by_key(|(country, count)| (*count, Reverse(*country))).map(|(country, _)| country)
}

/// The first and the last address of a network, as [`Piece`] has them.
pub(super) fn bounds(prefix: Prefix) -> (u64, u64) {
    let (shift, bits) = match prefix.family() {
        Family::V4 => (96, 32),
        Family::V6 => (64, 64),
    };
    let first = (prefix.bits() >> shift) as u64;
    let free = bits - u32::from(prefix.length()).min(bits);
    let spread = if free == 0 { 0 } else { u64::MAX >> (64 - free) };
    (first, first | spread)
}

/// The /24s (/48s) that a network touches.
pub(super) fn units(prefix: Prefix) -> u64 {
    let (first, last) = bounds(prefix);
    last.to_unit(prefix.family()) - first.to_unit(prefix.family()) + 1
}

trait ToUnit {
    /// The number of its /24 or /48.
    fn to_unit(self, family: Family) -> u64;
}

impl ToUnit for u64 {
    fn to_unit(self, family: Family) -> u64 {
        match family {
            Family::V4 => self >> 8,
            Family::V6 => self >> 16,
        }
    }
}

/// Counts the units of ascending ranges that may begin in the unit where the last one ended.
#[derive(Clone, Copy, Default)]
struct UnitCount {
    units: u64,
    last: Option<u64>,
}

impl UnitCount {
    fn add(&mut self, first: u64, last: u64) {
        let counted = u64::from(self.last == Some(first));
        self.units += last - first + 1 - counted;
        self.last = Some(last);
    }
}
