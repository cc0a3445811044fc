//! Whose addresses they are: the AS, the country and the watched prefixes of a target, and whether it is watched at all.

use super::origins::Origins;
use super::place::{Place, word_of};
use crate::entity::{CountryCode, Entity};
use crate::observation::Delegations;
use gonedark_route::{Asn, Family, Prefix};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// To whom traffic is looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// To everybody.
    pub everything: bool,
    /// To addresses of these, each also as an entity of its own.
    pub prefixes: BTreeSet<Prefix>,
    /// To addresses that these originate.
    pub asns: BTreeSet<Asn>,
    /// To addresses that are delegated to these.
    pub countries: BTreeSet<CountryCode>,
}

impl Watched {
    /// All traffic, whoever it is for.
    pub fn everything() -> Self {
        Watched { everything: true, ..Watched::default() }
    }
}

/// Blocks whose owners are remembered. Guess: 1 MiB.
const REMEMBERED: usize = 1 << 15;

/// What is known of a /24 or /48. Kept small: tens of thousands of them are asked for in no order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    /// The block itself, and its hash.
    block: u64,
    hash: u64,
    asn: u32,
    /// Its letters.
    country: u16,
    has_asn: bool,
    /// Whether some watched prefix covers it, or an address of it.
    has_prefixes: bool,
    is_watched: bool,
}

const _: () = assert!(size_of::<Option<Owner>>() == 32, "two are one line of the cache");

impl Owner {
    /// The hash of the block around the address.
    #[inline]
    pub(crate) fn hash_of_block(&self) -> u64 {
        self.hash
    }

    #[inline]
    pub(crate) fn asn(&self) -> Option<Place> {
        self.has_asn.then(|| Place::entity(Entity::As(Asn(self.asn))))
    }

    #[inline]
    pub(crate) fn country(&self) -> Option<Place> {
        (self.country != 0).then(|| Place::country(self.country))
    }
}

/// Who owns what, asked once for each block.
pub(crate) struct Owners {
    delegations: Box<dyn Delegations + Send>,
    origins: Box<dyn Origins + Send>,
    watched: Watched,
    remembered: Vec<Option<Owner>>,
    scratch: Vec<(CountryCode, u64)>,
}

impl Owners {
    pub(crate) fn new(
        watched: Watched,
        delegations: Box<dyn Delegations + Send>,
        origins: Box<dyn Origins + Send>,
    ) -> Self {
        Owners { delegations, origins, watched, remembered: Vec::new(), scratch: Vec::new() }
    }

    pub(crate) fn watched(&self) -> &Watched {
        &self.watched
    }

    /// The routing changed: everybody is asked again.
    pub(crate) fn forget(&mut self) {
        self.remembered.clear();
    }

    /// The owner of the block around an address.
    #[inline]
    pub(crate) fn of(&mut self, address: IpAddr) -> Owner {
        let block = Place::block(address);
        let hash = block.hash();
        match self.remembered.get(hash as usize % REMEMBERED) {
            Some(Some(known)) if known.block == word_of(block) => *known,
            _ => self.ask(address, word_of(block), hash),
        }
    }

    #[cold]
    fn ask(&mut self, address: IpAddr, block: u64, hash: u64) -> Owner {
        if self.remembered.is_empty() {
            self.remembered = vec![None; REMEMBERED];
        }
        let asn = self.origins.origin(address);
        let prefix = block_of(address);
        self.scratch.clear();
        if let Some(prefix) = prefix {
            self.delegations.split(prefix, &mut self.scratch);
        }
        let country = self.scratch.first().map(|(country, _)| *country);
        let touches =
            |watched: &Prefix| prefix.is_some_and(|block| watched.covers(block) || block.covers(*watched));
        let has_prefixes = self.watched.prefixes.iter().any(touches);
        let Watched { everything, asns, countries, .. } = &self.watched;
        let is_watched = *everything
            || asn.is_some_and(|asn| asns.contains(&asn))
            || country.is_some_and(|country| countries.contains(&country));
        let owner = Owner {
            block,
            hash,
            asn: asn.map_or(0, |asn| asn.0),
            has_asn: asn.is_some(),
            country: country.map_or(0, super::place::letters),
            has_prefixes,
            is_watched,
        };
        self.remembered[hash as usize % REMEMBERED] = Some(owner);
        owner
    }

    /// The watched prefixes that cover an address, longest first.
    #[inline]
    pub(crate) fn prefixes_of(&self, owner: &Owner, address: IpAddr, into: &mut Vec<Place>) {
        into.clear();
        if owner.has_prefixes {
            self.look_for_prefixes(address, into);
        }
    }

    fn look_for_prefixes(&self, address: IpAddr, into: &mut Vec<Place>) {
        let Some(host) = host_of(address) else { return };
        let covering = self.watched.prefixes.iter().filter(|watched| watched.covers(host));
        into.extend(covering.map(|prefix| Place::entity(Entity::Prefix(*prefix))));
        into.sort_unstable();
    }

    /// Whether an address is watched: by its owner, or by a prefix that covers it.
    #[inline]
    pub(crate) fn is_watched(&self, owner: &Owner, prefixes: &[Place]) -> bool {
        owner.is_watched || !prefixes.is_empty()
    }

    /// The entities of an address: watched prefixes, AS, country.
    pub(crate) fn entities_of(&mut self, address: IpAddr) -> Vec<Place> {
        let owner = self.of(address);
        let mut places = Vec::new();
        self.prefixes_of(&owner, address, &mut places);
        places.extend(owner.asn());
        places.extend(owner.country());
        places
    }
}

fn host_of(address: IpAddr) -> Option<Prefix> {
    match address {
        IpAddr::V4(address) => Prefix::v4(address, Family::V4.bits()),
        IpAddr::V6(address) => Prefix::v6(address, Family::V6.bits()),
    }
}

fn block_of(address: IpAddr) -> Option<Prefix> {
    match address {
        IpAddr::V4(address) => Prefix::v4(address, 24),
        IpAddr::V6(address) => Prefix::v6(address, 48),
    }
}
