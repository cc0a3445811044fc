//! One shard of the table: rows, cells, and who lost what when.

use super::change::{Change, Loss, Transition};
use super::filter;
use super::row::{Dictionary, Flags, Row, UNHEARD};
use super::vantage::{Ballot, Vantage};
use crate::entity::CountryCode;
use crate::observation::NetworkId;
use crate::observation::{Delegations, PeerId};
use crate::report::Interval;
use foldhash::fast::FixedState;
use gonedark_route::{Prefix, Time};
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

/// Where a row is, and half of its network's hash: enough to know most others by, and to grow without asking the rows.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    row: u32,
}

/// A table of so many rows grows to a whole Internet's at once. Guess.
const LARGE: usize = 1 << 16;
/// About the networks of today's Internet (1.2 million of both families in 2025).
const INTERNET: usize = 1 << 20;

/// The hash that the index works with, from the half that it keeps.
fn whole(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

/// A shard of the table.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Shard {
    number: u16,
    pub(crate) rows: Vec<Row>,
    /// Made again from the rows where the table is restored.
    #[serde(skip)]
    index: HashTable<Slot>,
    #[serde(skip)]
    hasher: FixedState,
    /// `stride` cells a row, one per peer.
    #[serde(with = "serde_bytes")]
    pub(super) cells: Vec<u8>,
    pub(super) stride: usize,
    /// `2 * words` words a row: which voters hold it, and which usually do.
    pub(super) bits: Vec<u64>,
    pub(super) words: usize,
    /// Usual voters that have lost a row, by row.
    pub(crate) losses: HashMap<u32, Vec<Loss>, FixedState>,
    /// Since when voters hold what they do not usually hold.
    pub(super) pending: HashMap<(u32, u16), Time, FixedState>,
    /// Since when a foreign origin is seen.
    pub(super) strangers: HashMap<(u32, u32), Time, FixedState>,
    /// ADD-PATH: the identifiers that a peer holds of a row, with their tails.
    pub(super) paths: HashMap<(u32, u16), Vec<(u32, u32)>, FixedState>,
    pub(crate) shares: HashMap<u32, Vec<(CountryCode, u64)>, FixedState>,
    /// Votes of ASNs with several peers to be settled at the end of the stamp, with when what changed them came about:
    /// the order in which the peers of one ASN speak within it must change nothing.
    pub(super) unsettled: HashMap<(u32, u16), Interval, FixedState>,
    /// Rows that fell or rose since the last look.
    pub(crate) dirty: Vec<u32>,
    /// Of them those that wait until enough voters of their family can see: not among the others, which are looked through
    /// with every stamp.
    pub(super) unjudged: [Vec<u32>; 2],
    pub(crate) out: Vec<Transition>,
    /// Rows that count since the last look.
    pub(crate) counted: Vec<u32>,
    /// Whether a row may have come to count otherwise than by its age since all were last looked through, when that was,
    /// and until when something did at the latest.
    pub(crate) stirred: bool,
    pub(super) looked_through: Time,
    pub(super) stirred_by: Time,
    /// No loss is older, and nothing that waits to become usual or accepted: before they are old enough the hourly look
    /// can be left out.
    pub(super) oldest_loss: Option<Time>,
    pub(super) oldest_wait: Option<Time>,
    #[serde(skip)]
    scratch: Vec<(CountryCode, u64)>,
}

/// The earlier of a bound and a time.
pub(super) fn bound(bound: Option<Time>, at: Time) -> Option<Time> {
    Some(bound.map_or(at, |bound| bound.min(at)))
}

impl Shard {
    /// An empty shard; `number` is its place among all.
    pub(crate) fn new(number: u16) -> Self {
        Shard { number, ..Shard::default() }
    }

    /// Makes the index again, which is not kept.
    pub(super) fn index_again(&mut self) {
        let Shard { index, rows, hasher, .. } = self;
        index.reserve(rows.len(), |slot| whole(slot.hash));
        for (row, known) in rows.iter().enumerate() {
            let hash = hasher.hash_one(known.prefix) as u32;
            index.insert_unique(whole(hash), Slot { hash, row: row as u32 }, |slot| whole(slot.hash));
        }
    }

    /// Gives out a change of a row.
    pub(super) fn tell(&mut self, at: Time, row: u32, change: Change) {
        let prefix = self.rows[row as usize].prefix;
        self.out.push(Transition { at, row: NetworkId { shard: self.number, row }, prefix, change });
    }

    /// Makes room for all peers and voters that are known.
    pub(crate) fn fit(&mut self, vantage: &Vantage) {
        // Room for eight more at a time: peers come in crowds with a table, and seldom alone.
        let (peers, voters) = (vantage.peers.len(), vantage.voters.len());
        if peers > self.stride {
            let stride = peers.next_multiple_of(8);
            self.cells = widen(&self.cells, self.rows.len(), self.stride, stride);
            self.stride = stride;
        }
        let words = voters.div_ceil(64).max(1);
        if words > self.words {
            let old = std::mem::take(&mut self.bits);
            self.bits = widen(&old, self.rows.len() * 2, self.words, words);
            self.words = words;
        }
    }

    pub(crate) fn find(&self, prefix: Prefix) -> Option<u32> {
        let hash = self.hasher.hash_one(prefix) as u32;
        let is_it = |slot: &Slot| slot.hash == hash && self.rows[slot.row as usize].prefix == prefix;
        self.index.find(whole(hash), is_it).map(|slot| slot.row)
    }

    /// The row of a network, and whether it is a new one, of which nothing was heard yet; `None` where it has none and may
    /// not be added.
    pub(crate) fn find_or_add(
        &mut self,
        prefix: Prefix,
        may_add: bool,
        delegations: &dyn Delegations,
    ) -> Option<(u32, bool)> {
        let hash = self.hasher.hash_one(prefix) as u32;
        let rows = &mut self.rows;
        let row = rows.len() as u32;
        let is_it = |slot: &Slot| slot.hash == hash && rows[slot.row as usize].prefix == prefix;
        match self.index.entry(whole(hash), is_it, |slot| whole(slot.hash)) {
            Entry::Occupied(known) => return Some((known.get().row, false)),
            Entry::Vacant(_) if !may_add => return None,
            Entry::Vacant(place) => place.insert(Slot { hash, row }),
        };
        let mut flags = Flags::default();
        let mut country = None;
        if filter::can_count(prefix) {
            flags.set(Flags::ELIGIBLE);
            self.scratch.clear();
            delegations.split(prefix, &mut self.scratch);
            country = self.scratch.first().map(|(country, _)| *country);
            if self.scratch.len() > 1 {
                flags.set(Flags::SHARED);
                self.shares.insert(row, self.scratch.clone());
            }
        }
        if rows.len() == rows.capacity() {
            // Memory that is not written to yet costs nothing, and moving a large table as it grows does.
            let more = if rows.len() < LARGE { rows.len().max(64) } else { INTERNET };
            rows.reserve_exact(more);
            self.cells.reserve_exact((rows.len() + more) * self.stride - self.cells.len());
            self.bits.reserve_exact((rows.len() + more) * 2 * self.words - self.bits.len());
        }
        rows.push(Row {
            prefix,
            tails: Dictionary::default(),
            since: UNHEARD,
            watched_until: Time::MIN,
            country,
            flags,
        });
        self.cells.resize(rows.len() * self.stride, 0);
        self.bits.resize(rows.len() * 2 * self.words, 0);
        Some((row, true))
    }

    /// Notes that something was said of a row.
    #[inline]
    pub(super) fn hear_of(&mut self, row: u32, at: Time) {
        let known = &mut self.rows[row as usize];
        if known.since == UNHEARD {
            known.since = at;
            self.stirred = true;
        }
    }

    #[inline]
    pub(crate) fn cell(&self, row: u32, peer: PeerId) -> u8 {
        self.cells[row as usize * self.stride + usize::from(peer.0)]
    }

    pub(crate) fn cells_of(&self, row: u32) -> &[u8] {
        let start = row as usize * self.stride;
        &self.cells[start..start + self.stride]
    }

    pub(super) fn bit(&self, row: u32, set: usize, voter: u16) -> bool {
        let word = (row as usize * 2 + set) * self.words + usize::from(voter) / 64;
        self.bits[word] >> (voter % 64) & 1 == 1
    }

    pub(super) fn set_bit(&mut self, row: u32, set: usize, voter: u16, to: bool) {
        let word = (row as usize * 2 + set) * self.words + usize::from(voter) / 64;
        let mask = 1 << (voter % 64);
        if to { self.bits[word] |= mask } else { self.bits[word] &= !mask }
    }

    /// (voters that usually hold the row, of them those that do) among those who may vote now.
    pub(crate) fn tally(&self, row: u32, ballot: &Ballot) -> (u32, u32) {
        let Row { prefix, country, .. } = &self.rows[row as usize];
        let start = row as usize * 2 * self.words;
        let (held, usual) = self.bits[start..start + 2 * self.words].split_at(self.words);
        let mut counts = (0, 0);
        for (index, (held, usual)) in held.iter().zip(usual).enumerate() {
            let usual = usual & ballot.word(prefix.family(), *country, index);
            counts.0 += usual.count_ones();
            counts.1 += (usual & held).count_ones();
        }
        counts
    }

    /// The voters that may vote on a row now, usually hold it and do so, or do not.
    pub(crate) fn voters_of(&self, row: u32, ballot: &Ballot) -> Vec<(u16, bool)> {
        let Row { prefix, country, .. } = &self.rows[row as usize];
        let start = row as usize * 2 * self.words;
        let (held, usual) = self.bits[start..start + 2 * self.words].split_at(self.words);
        let mut voters = Vec::new();
        for (index, (held, usual)) in held.iter().zip(usual).enumerate() {
            let mut usual = usual & ballot.word(prefix.family(), *country, index);
            while usual != 0 {
                let bit = usual.trailing_zeros();
                voters.push(((index * 64) as u16 + bit as u16, held >> bit & 1 == 1));
                usual &= usual - 1;
            }
        }
        voters
    }
}

pub(crate) const HELD: usize = 0;
pub(crate) const USUAL: usize = 1;

/// Copies rows of `from` values into rows of `to`, the rest zero.
fn widen<T: Copy + Default>(old: &[T], rows: usize, from: usize, to: usize) -> Vec<T> {
    let mut new = vec![T::default(); rows * to];
    if from > 0 {
        for (new, old) in new.chunks_exact_mut(to).zip(old.chunks_exact(from)) {
            new[..from].copy_from_slice(old);
        }
    }
    new
}
