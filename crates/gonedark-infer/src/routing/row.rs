//! One network's row of the table, but for its cells.

use crate::entity::CountryCode;
use gonedark_route::{Prefix, Time};

/// What a row is known to be; a set of flags.
#[derive(Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Flags(u16);

impl Flags {
    /// It may count at all (no bogon, default route or odd length).
    pub(crate) const ELIGIBLE: Flags = Flags(1);
    /// It counts as a network.
    pub(crate) const COUNTED: Flags = Flags(2);
    /// It is lost by the vote.
    pub(crate) const LOST: Flags = Flags(4);
    /// At most the tolerated share of the vote is left on it.
    pub(crate) const DEEP: Flags = Flags(8);
    /// A withdrawal without a table proved that it had been there.
    pub(crate) const PROVED: Flags = Flags(16);
    /// A voter lost it since the last look.
    pub(crate) const FELL: Flags = Flags(32);
    /// A voter got it back since the last look.
    pub(crate) const ROSE: Flags = Flags(64);
    /// Its countries are more than one; see the shard's `shares`.
    pub(crate) const SHARED: Flags = Flags(128);
    /// It was dropped from the count after a permanent withdrawal.
    pub(crate) const AGED: Flags = Flags(256);

    pub(crate) fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    pub(crate) fn set(&mut self, flag: Flags) {
        self.0 |= flag.0;
    }

    pub(crate) fn clear(&mut self, flag: Flags) {
        self.0 &= !flag.0;
    }
}

/// The time at which a row was heard of of which nothing was said yet.
pub(crate) const UNHEARD: Time = Time::MAX;

/// A row: which network, what it is, and the dictionary of its path tails.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Row {
    pub(crate) prefix: Prefix,
    pub(crate) tails: Dictionary,
    /// When it was first heard of; [`UNHEARD`] where it was only named.
    pub(crate) since: Time,
    /// Until when losses and returns of single voters are told.
    pub(crate) watched_until: Time,
    pub(crate) country: Option<CountryCode>,
    pub(crate) flags: Flags,
}

/// The path tails of a row. A cell holds 0 for "no route" or a place in here plus one.
///
/// The first few lie in the row itself: 2.5 distinct tails a row are usual (see [`super::tails`]).
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Dictionary {
    inline: [u32; INLINE],
    // Boxed, because few rows have any: 8 bytes in every row instead of 24.
    #[allow(clippy::box_collection)]
    more: Option<Box<Vec<u32>>>,
}

const INLINE: usize = 4;
const FREE: u32 = u32::MAX;
/// Marks a tail whose origin may speak for the network; the rest of the number is the tail's.
const ACCEPTED: u32 = 1 << 31;
/// A cell is one byte and 0 is taken.
pub(crate) const MAX_TAILS: usize = 255;

impl Default for Dictionary {
    fn default() -> Self {
        Dictionary { inline: [FREE; INLINE], more: None }
    }
}

impl Dictionary {
    /// The place of a tail, if it is known.
    #[inline]
    pub(crate) fn find(&self, tail: u32) -> Option<usize> {
        let same = |entry: &u32| *entry & !ACCEPTED == tail;
        if let Some(place) = self.inline.iter().position(|entry| *entry != FREE && same(entry)) {
            return Some(place);
        }
        let more = self.more.as_ref()?;
        more.iter().position(same).map(|place| place + INLINE)
    }

    /// Adds a tail; `None` where the dictionary is full.
    pub(crate) fn add(&mut self, tail: u32, accepted: bool) -> Option<usize> {
        let entry = tail | if accepted { ACCEPTED } else { 0 };
        if let Some(place) = self.inline.iter().position(|entry| *entry == FREE) {
            self.inline[place] = entry;
            return Some(place);
        }
        let more = self.more.get_or_insert_with(Default::default);
        let place = more.len() + INLINE;
        (place < MAX_TAILS).then(|| {
            more.push(entry);
            place
        })
    }

    pub(crate) fn tail(&self, place: usize) -> u32 {
        self.entry(place) & !ACCEPTED
    }

    #[inline]
    pub(crate) fn is_accepted(&self, place: usize) -> bool {
        self.entry(place) & ACCEPTED != 0
    }

    #[inline]
    fn entry(&self, place: usize) -> u32 {
        match self.inline.get(place) {
            Some(entry) => *entry,
            None => self.more.as_ref().and_then(|more| more.get(place - INLINE)).copied().unwrap_or(0),
        }
    }

    pub(crate) fn accept(&mut self, place: usize) {
        match self.inline.get_mut(place) {
            Some(entry) => *entry |= ACCEPTED,
            None => {
                if let Some(entry) = self.more.as_mut().and_then(|more| more.get_mut(place - INLINE)) {
                    *entry |= ACCEPTED;
                }
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        match &self.more {
            Some(more) => INLINE + more.len(),
            None => self.inline.iter().filter(|entry| **entry != FREE).count(),
        }
    }

    /// Keeps the tails whose places are in `used`, and gives the new place of each old one.
    pub(crate) fn compact(&mut self, used: &[bool]) -> Vec<u8> {
        let old: Vec<u32> = (0..self.len()).map(|place| self.entry(place)).collect();
        *self = Dictionary::default();
        old.iter()
            .enumerate()
            .map(|(place, entry)| {
                let keep = used.get(place).copied().unwrap_or(false);
                let new = keep.then(|| self.add(entry & !ACCEPTED, entry & ACCEPTED != 0)).flatten();
                new.map_or(0, |new| new as u8 + 1)
            })
            .collect()
    }
}
