//! Whose addresses they are: the AS, the country and the watched prefixes of a target, and whether it is watched at all.

use super::origins::{Origins, longest};
use super::place::{Place, word_of};
use crate::entity::{CountryCode, Entity};
use crate::observation::Delegations;
use foldhash::fast::FixedState;
use gonedark_route::{Asn, Family, Prefix};
use hashbrown::HashMap;
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
    /// Which of the lists of watched prefixes is its own.
    prefixes: u32,
    /// Its letters.
    country: u16,
    has_asn: bool,
    /// Whether all of it is.
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

/// The watched prefixes around a block and within it.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
struct Prefixes {
    /// Those that cover all of it, longest first.
    around: Vec<Place>,
    /// Those that cover a part of it, longest first.
    within: Vec<Prefix>,
}

/// Who owns what, asked once for each block.
pub(crate) struct Owners {
    delegations: Box<dyn Delegations + Send>,
    origins: Box<dyn Origins + Send>,
    watched: Watched,
    /// Lengths of watched prefixes that are no longer than a block, longest first, per family; and those that are longer, by
    /// block, longest first.
    lengths: [Vec<u8>; 2],
    longer: HashMap<Prefix, Vec<Prefix>, FixedState>,
    /// Every list that some block has, the first of them empty; and where each is. There are at most twice as many as prefixes.
    lists: Vec<Prefixes>,
    by_list: HashMap<Prefixes, u32, FixedState>,
    remembered: Vec<Option<Owner>>,
    scratch: Vec<(CountryCode, u64)>,
}

impl Owners {
    pub(crate) fn new(
        watched: Watched,
        delegations: Box<dyn Delegations + Send>,
        origins: Box<dyn Origins + Send>,
    ) -> Self {
        let mut owners = Owners {
            delegations,
            origins,
            watched,
            lengths: Default::default(),
            longer: HashMap::default(),
            lists: Vec::new(),
            by_list: HashMap::default(),
            remembered: Vec::new(),
            scratch: Vec::new(),
        };
        for prefix in &owners.watched.prefixes {
            let (family, length) = (prefix.family(), prefix.length());
            if length > longest(family) {
                owners.longer.entry(prefix.shortened(longest(family))).or_default().push(*prefix);
            } else if !owners.lengths[family as usize].contains(&length) {
                owners.lengths[family as usize].push(length);
            }
        }
        owners.lengths.iter_mut().for_each(|lengths| lengths.sort_unstable_by(|a, b| b.cmp(a)));
        let longest_first = |prefix: &Prefix| (std::cmp::Reverse(prefix.length()), *prefix);
        owners.longer.values_mut().for_each(|longer| longer.sort_unstable_by_key(longest_first));
        owners.list(Prefixes::default());
        owners
    }

    /// The number of a list.
    fn list(&mut self, prefixes: Prefixes) -> u32 {
        let next = self.lists.len() as u32;
        *self.by_list.entry(prefixes).or_insert_with_key(|prefixes| {
            self.lists.push(prefixes.clone());
            next
        })
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
        let prefixes = prefix.map(|block| self.prefixes_at(block)).unwrap_or_default();
        let Watched { everything, asns, countries, .. } = &self.watched;
        let is_watched = *everything
            || !prefixes.around.is_empty()
            || asn.is_some_and(|asn| asns.contains(&asn))
            || country.is_some_and(|country| countries.contains(&country));
        let owner = Owner {
            block,
            hash,
            asn: asn.map_or(0, |asn| asn.0),
            has_asn: asn.is_some(),
            country: country.map_or(0, super::place::letters),
            prefixes: self.list(prefixes),
            is_watched,
        };
        self.remembered[hash as usize % REMEMBERED] = Some(owner);
        owner
    }

    /// The watched prefixes around a block and within it.
    fn prefixes_at(&self, block: Prefix) -> Prefixes {
        let lengths = self.lengths[block.family() as usize].iter();
        let around = lengths.map(|length| block.shortened(*length));
        let around = around.filter(|prefix| self.watched.prefixes.contains(prefix));
        Prefixes {
            around: around.map(|prefix| Place::entity(Entity::Prefix(prefix))).collect(),
            within: self.longer.get(&block).cloned().unwrap_or_default(),
        }
    }

    fn covering(&self, owner: &Owner, address: IpAddr) -> impl Iterator<Item = Place> {
        let Prefixes { around, within } = &self.lists[owner.prefixes as usize];
        let host = if within.is_empty() { None } else { host_of(address) };
        let within = within.iter().filter(move |prefix| host.is_some_and(|host| prefix.covers(host)));
        within.map(|prefix| Place::entity(Entity::Prefix(*prefix))).chain(around.iter().copied())
    }

    /// The watched prefixes that cover an address, longest first.
    #[inline]
    pub(crate) fn prefixes_of(&self, owner: &Owner, address: IpAddr, into: &mut Vec<Place>) {
        into.clear();
        if owner.prefixes != 0 {
            into.extend(self.covering(owner, address));
        }
    }

    /// Whether an address is watched: by its owner, or by a prefix that covers it.
    #[inline]
    pub(crate) fn is_watched(&self, owner: &Owner, address: IpAddr) -> bool {
        owner.is_watched || owner.prefixes != 0 && self.covering(owner, address).next().is_some()
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
        IpAddr::V4(address) => Prefix::v4(address, longest(Family::V4)),
        IpAddr::V6(address) => Prefix::v6(address, longest(Family::V6)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::origins::NoOrigins;
    use super::*;
    use crate::observation::Nobody;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whoever_is_covered_by_a_watched_prefix_is_watched_and_has_all_that_cover_him_the_longest_first(
            prefixes in prop::collection::btree_set((0_u32..1 << 12, 18_u8..=32), 0..20),
            addresses in prop::collection::vec(0_u32..1 << 12, 1..20),
        ) {
            // Few enough addresses for prefixes of all lengths to lie around and within the same blocks.
            let prefixes: BTreeSet<Prefix> = prefixes
                .into_iter()
                .filter_map(|(bits, length)| Prefix::v4((0x0a00_0000 | bits).into(), length))
                .collect();
            let watched = Watched { prefixes: prefixes.clone(), ..Watched::default() };
            let mut owners = Owners::new(watched, Box::new(Nobody), Box::new(NoOrigins));
            let mut found = Vec::new();
            for bits in addresses {
                let address = IpAddr::V4((0x0a00_0000 | bits).into());
                let host = host_of(address).unwrap();
                let mut covering: Vec<Prefix> =
                    prefixes.iter().filter(|prefix| prefix.covers(host)).copied().collect();
                covering.sort_by_key(|prefix| std::cmp::Reverse(prefix.length()));
                let wanted: Vec<Place> =
                    covering.iter().map(|prefix| Place::entity(Entity::Prefix(*prefix))).collect();
                let owner = owners.of(address);
                owners.prefixes_of(&owner, address, &mut found);
                prop_assert_eq!(&found, &wanted);
                prop_assert_eq!(owners.is_watched(&owner, address), !wanted.is_empty());
            }
        }
    }
}
