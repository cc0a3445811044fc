//! What traffic is counted for: an address, a /24 or /48, an AS, a country, a watched prefix; in a form that is fast to look
//! up.

use super::kind::Misuse;
use super::report::Target;
use crate::entity::{CountryCode, Entity};
use gonedark_route::{Asn, Family, Prefix};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A target in few bytes. Orders from the small to the large: the order in which they are judged.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Place {
    /// Which kind of target, and of a prefix the length.
    kind: u16,
    high: u64,
    low: u64,
}

const HOST_V4: u16 = 0;
const HOST_V6: u16 = 1;
const BLOCK_V4: u16 = 2;
const BLOCK_V6: u16 = 3;
/// Watched prefixes: the longer the earlier.
const PREFIX_V4: u16 = 0x100;
const PREFIX_V6: u16 = 0x200;
const AS: u16 = 0x300;
const COUNTRY: u16 = 0x301;

/// How large a target is: which thresholds it has.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Scale {
    Host,
    Block,
    Entity,
}

impl Place {
    #[inline]
    fn new(kind: u16, bits: u128) -> Self {
        Place { kind, high: (bits >> 64) as u64, low: bits as u64 }
    }

    #[inline]
    pub(crate) fn hash(self) -> u64 {
        let word = self.low ^ self.high.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mix(word ^ (u64::from(self.kind) << 48))
    }

    fn bits(self) -> u128 {
        u128::from(self.high) << 64 | u128::from(self.low)
    }

    #[inline]
    pub(crate) fn host(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Place::new(HOST_V4, u128::from(u32::from(address))),
            IpAddr::V6(address) => Place::new(HOST_V6, u128::from(address)),
        }
    }

    /// The /24 or /48 around an address.
    #[inline]
    pub(crate) fn block(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Place::new(BLOCK_V4, u128::from(u32::from(address) >> 8)),
            IpAddr::V6(address) => Place::new(BLOCK_V6, u128::from(address) >> 80),
        }
    }

    /// A country, by its letters.
    #[inline]
    pub(crate) fn country(letters: u16) -> Self {
        Place::new(COUNTRY, u128::from(letters))
    }

    pub(crate) fn entity(entity: Entity) -> Self {
        match entity {
            Entity::As(asn) => Place::new(AS, u128::from(asn.0)),
            Entity::Country(code) => Place::country(letters(code)),
            Entity::Prefix(prefix) => {
                let family = if prefix.family() == Family::V4 { PREFIX_V4 } else { PREFIX_V6 };
                Place::new(family + 0xff - u16::from(prefix.length()), prefix.bits())
            }
        }
    }

    pub(crate) fn scale(self) -> Scale {
        match self.kind {
            HOST_V4 | HOST_V6 => Scale::Host,
            BLOCK_V4 | BLOCK_V6 => Scale::Block,
            _ => Scale::Entity,
        }
    }

    /// The family of its addresses; of an AS or a country both.
    pub(crate) fn family(self) -> Option<Family> {
        match self.kind {
            HOST_V4 | BLOCK_V4 => Some(Family::V4),
            HOST_V6 | BLOCK_V6 => Some(Family::V6),
            PREFIX_V4..PREFIX_V6 => Some(Family::V4),
            PREFIX_V6..AS => Some(Family::V6),
            _ => None,
        }
    }

    pub(crate) fn target(self) -> Target {
        match self.kind {
            HOST_V4 => Target::Host(IpAddr::V4(Ipv4Addr::from(self.bits() as u32))),
            HOST_V6 => Target::Host(IpAddr::V6(Ipv6Addr::from(self.bits()))),
            BLOCK_V4 => Target::Block(prefix(Family::V4, self.bits() << 104, 24)),
            BLOCK_V6 => Target::Block(prefix(Family::V6, self.bits() << 80, 48)),
            AS => Target::Entity(Entity::As(Asn(self.bits() as u32))),
            COUNTRY => Target::Entity(Entity::Country(country(self.bits()))),
            kind => {
                let family = if kind < PREFIX_V6 { Family::V4 } else { Family::V6 };
                let length = 0xff - (kind & 0xff) as u8;
                Target::Entity(Entity::Prefix(prefix(family, self.bits(), length)))
            }
        }
    }

    /// Whether addresses of `other` lie within, as far as that can be told from the two alone.
    pub(crate) fn covers(self, other: Place) -> bool {
        let network = |place: Place| match place.target() {
            Target::Host(IpAddr::V4(address)) => Prefix::v4(address, 32),
            Target::Host(IpAddr::V6(address)) => Prefix::v6(address, 128),
            Target::Block(prefix) | Target::Entity(Entity::Prefix(prefix)) => Some(prefix),
            Target::Entity(_) => None,
        };
        match (network(self), network(other)) {
            (Some(own), Some(other)) => own.covers(other),
            _ => self == other,
        }
    }
}

/// A prefix of a length that is known to fit.
fn prefix(family: Family, bits: u128, length: u8) -> Prefix {
    Prefix::from_bits(family, bits, length.min(family.bits()))
        .or_else(|| Prefix::from_bits(family, 0, 0))
        .expect("the whole of a family is a prefix")
}

/// The letters of a country.
pub(crate) fn letters(code: CountryCode) -> u16 {
    code.as_str().bytes().fold(0, |word, letter| word << 8 | u16::from(letter))
}

fn country(bits: u128) -> CountryCode {
    let letters = [(bits >> 8) as u8, bits as u8];
    let text = std::str::from_utf8(&letters).unwrap_or_default();
    CountryCode::new(text).or_else(|| CountryCode::new("ZZ")).expect("ZZ is two letters")
}

/// A target and a kind of traffic: what has a course of its own.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Key {
    pub(crate) place: Place,
    pub(crate) kind: Misuse,
}

impl Key {
    #[inline]
    pub(crate) fn hash(self) -> u64 {
        self.hash_in(self.place.hash())
    }

    /// The hash, from that of the place: it is asked for again for each kind.
    #[inline]
    pub(crate) fn hash_in(self, place: u64) -> u64 {
        place ^ (self.kind as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    }

    /// A number that differs for most keys and costs next to nothing, unlike the hash.
    #[inline]
    pub(crate) fn nearly(self) -> usize {
        let place = (self.place.low ^ self.place.high).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        place as usize ^ (usize::from(self.place.kind) * 16) ^ self.kind as usize
    }
}

/// A block in one word: a /48 has 48 bits, and a /24 fewer.
#[inline]
pub(crate) fn word_of(block: Place) -> u64 {
    block.low ^ block.high ^ (u64::from(block.kind) << 48)
}

/// Every bit of the result depends on every bit given: two rounds of a folded product.
#[inline]
pub(crate) fn mix(word: u64) -> u64 {
    let fold = |word: u64, factor: u64| {
        let product = u128::from(word) * u128::from(factor);
        (product as u64) ^ (product >> 64) as u64
    };
    fold(
        fold(word ^ 0x243f_6a88_85a3_08d3, 0x9e37_79b9_7f4a_7c15) ^ 0x1319_8a2e_0370_7344,
        0xd1b5_4a32_d192_ed03,
    )
}

/// The hash of an address, for counting distinct ones.
#[inline]
pub(crate) fn hash_of(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(address) => mix(u64::from(u32::from(address))),
        IpAddr::V6(address) => {
            let bits = u128::from(address);
            mix(mix((bits >> 64) as u64) ^ bits as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_what_it_was_made_of() {
        let host = |text: &str| text.parse::<IpAddr>().expect("an address");
        let v4 = host("175.45.176.9");
        let v6 = host("2001:db8:1:2::3");
        assert_eq!(Place::host(v4).target(), Target::Host(v4));
        assert_eq!(Place::host(v6).target(), Target::Host(v6));
        assert_eq!(Place::block(v4).target(), Target::Block("175.45.176.0/24".parse().expect("a prefix")));
        assert_eq!(Place::block(v6).target(), Target::Block("2001:db8:1::/48".parse().expect("a prefix")));
        let kp = CountryCode::new("KP").expect("a code");
        let prefix: Prefix = "175.45.176.0/22".parse().expect("a prefix");
        for entity in [Entity::As(Asn(131_279)), Entity::Country(kp), Entity::Prefix(prefix)] {
            assert_eq!(Place::entity(entity).target(), Target::Entity(entity));
        }
        assert!(Place::entity(Entity::Prefix(prefix)).covers(Place::host(v4)));
        assert!(Place::block(v4).covers(Place::host(v4)));
        assert!(!Place::host(v4).covers(Place::block(v4)));
    }

    #[test]
    fn the_small_are_judged_before_the_large() {
        let v4: IpAddr = "175.45.176.9".parse().expect("an address");
        let prefix = |text: &str| Place::entity(Entity::Prefix(text.parse().expect("a prefix")));
        let order = [
            Place::host(v4),
            Place::block(v4),
            prefix("175.45.176.0/22"),
            prefix("175.0.0.0/8"),
            Place::entity(Entity::As(Asn(1))),
            Place::entity(Entity::Country(CountryCode::new("KP").expect("a code"))),
        ];
        assert!(order.is_sorted());
    }
}
