//! One shard of the table: rows, cells, and who lost what when.

use super::filter;
use super::row::{Dictionary, Flags, MAX_TAILS, Row};
use super::table::RowRef;
use super::tails::Tails;
use super::vantage::{Ballot, Vantage};
use crate::entity::CountryCode;
use crate::observation::{Delegations, PeerId};
use crate::report::Interval;
use foldhash::fast::FixedState;
use gonedark_route::{Prefix, Time};
use hashbrown::{HashMap, HashTable};
use std::hash::BuildHasher;

/// A voter's loss of a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Loss {
    pub(crate) voter: u16,
    pub(crate) when: Interval,
}

/// What happened to a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// It no longer counts: lost for so long.
    Aged { since: Time },
    /// Lost by the vote; who lost it when, who still holds it, and whether hardly any vote is left.
    Lost { losses: Vec<Loss>, kept: Vec<u16>, deep: bool },
    /// Back by the vote.
    Back,
    /// Whether hardly any vote is left on a lost network has changed.
    Depth { deep: bool },
    /// One voter lost it or has it back.
    Witness { voter: u16, when: Interval, held: bool },
    /// A foreign origin announced it while it was lost.
    Foreign { origin: gonedark_route::Asn },
}

/// A change of a row, as it leaves the shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Transition {
    pub(crate) at: Time,
    pub(crate) row: RowRef,
    pub(crate) prefix: Prefix,
    pub(crate) change: Change,
}

/// What the shard is lent while it works.
pub(crate) struct Lent<'a> {
    pub(crate) vantage: &'a mut Vantage,
    pub(crate) tails: &'a mut Tails,
    pub(crate) delegations: &'a dyn Delegations,
}

/// How a route came to be known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A message of the peer.
    Message,
    /// The first table that names the peer.
    FirstTable,
    /// A later table.
    Table,
}

/// What a peer held of a row before it announced it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Before {
    /// Nothing.
    NotHeld,
    /// The same route.
    Same,
    /// Another route.
    Other,
}

/// Networks for which room is made when the first table begins: half of what a full feed held in 2024, so that the
/// index grows once at the most, in 2.5 MB.
const FULL_TABLE: usize = 1 << 19;

/// Where a row is, and half of its network's hash: enough to know most others by, and to grow without asking the rows.
#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    row: u32,
}

/// The hash that the index works with, from the half that it keeps.
fn whole(half: u32) -> u64 {
    u64::from(half) << 32 | u64::from(half)
}

/// A shard of the table.
#[derive(Default)]
pub(crate) struct Shard {
    number: u16,
    pub(crate) rows: Vec<Row>,
    index: HashTable<Slot>,
    hasher: FixedState,
    /// `stride` cells a row, one per peer.
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
    paths: HashMap<(u32, u16), Vec<(u32, u32)>, FixedState>,
    pub(crate) shares: HashMap<u32, Vec<(CountryCode, u64)>, FixedState>,
    /// Votes of ASNs with several peers to be settled at the end of the stamp, with when what changed them came about:
    /// the order in which the peers of one ASN speak within it must change nothing.
    unsettled: HashMap<(u32, u16), Interval, FixedState>,
    /// Rows that fell or rose since the last look.
    pub(crate) dirty: Vec<u32>,
    pub(crate) out: Vec<Transition>,
    /// Rows that count since the last look.
    pub(crate) counted: Vec<u32>,
    /// Whether a row may have come to count otherwise than by its age since all were last looked through, when that was,
    /// and until when something did at the latest.
    pub(crate) stirred: bool,
    pub(super) looked_through: Time,
    pub(super) stirred_by: Time,
    scratch: Vec<(CountryCode, u64)>,
}

impl Shard {
    /// An empty shard; `number` is its place among all.
    pub(crate) fn new(number: u16) -> Self {
        Shard { number, ..Shard::default() }
    }

    /// Gives out a change of a row.
    pub(super) fn tell(&mut self, at: Time, row: u32, change: Change) {
        let prefix = self.rows[row as usize].prefix;
        self.out.push(Transition { at, row: RowRef { shard: self.number, row }, prefix, change });
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

    /// Makes room for a full table, so that the index need not grow as it is read.
    pub(crate) fn expect_table(&mut self) {
        if self.rows.is_empty() {
            self.index.reserve(FULL_TABLE, |_| 0);
        }
    }

    pub(crate) fn find_or_add(&mut self, prefix: Prefix, at: Time, delegations: &dyn Delegations) -> u32 {
        if let Some(row) = self.find(prefix) {
            return row;
        }
        self.stirred = true;
        let hash = self.hasher.hash_one(prefix) as u32;
        let rows = &mut self.rows;
        let row = rows.len() as u32;
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
        rows.push(Row {
            prefix,
            tails: Dictionary::default(),
            since: at,
            watched_until: Time::MIN,
            country,
            flags,
        });
        self.index.insert_unique(whole(hash), Slot { hash, row }, |slot| whole(slot.hash));
        self.cells.resize(rows.len() * self.stride, 0);
        self.bits.resize(rows.len() * 2 * self.words, 0);
        row
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

    /// The most common announcement: the peer holds the network, its ASN does and usually does, and the tail is one that
    /// may speak for it. Then nothing follows but the cell. `None` where something may.
    #[inline]
    pub(super) fn reannounce(
        &mut self,
        (row, tail): (u32, u32),
        (peer, voter): (PeerId, u16),
    ) -> Option<Before> {
        let place = row as usize * self.stride + usize::from(peer.0);
        let old = usize::from(self.cells[place]).checked_sub(1)?;
        let tails = &self.rows[row as usize].tails;
        let new = tails.find(tail)?;
        if new == old {
            return Some(Before::Same);
        }
        let stands = tails.is_accepted(new) && self.bit(row, HELD, voter) && self.bit(row, USUAL, voter);
        if !stands || self.is_unsettled() {
            return None;
        }
        self.cells[place] = new as u8 + 1;
        Some(Before::Other)
    }

    /// The most common entry of a first table: nothing was held, and the peer alone casts its ASN's vote. Tells whether it
    /// was that; else nothing was done.
    #[inline]
    pub(super) fn load(
        &mut self,
        (row, tail): (u32, u32),
        (peer, voter): (PeerId, u16),
        vantage: &mut Vantage,
    ) -> bool {
        let place = row as usize * self.stride + usize::from(peer.0);
        let is_new = !self.bit(row, HELD, voter) && !self.bit(row, USUAL, voter);
        let known = &mut self.rows[row as usize];
        let has_country = known.country.is_some() || !known.flags.has(Flags::ELIGIBLE);
        if self.cells[place] != 0 || !is_new || !has_country || known.flags.has(Flags::LOST) {
            return false;
        }
        let known_place = match known.tails.find(tail) {
            Some(place) => Some(place),
            None => known.tails.add(tail, true),
        };
        let Some(new) = known_place else { return false };
        known.tails.accept(new);
        self.cells[place] = new as u8 + 1;
        let family = known.prefix.family() as usize;
        self.set_bit(row, HELD, voter, true);
        self.set_bit(row, USUAL, voter, true);
        self.stirred = true;
        vantage.hold(peer, family, true);
        vantage.voters[usize::from(voter)].spoken[family] += 1;
        true
    }

    /// A peer holds a route to the network of a row with the tail numbered `tail`. Tells what the cell held before.
    pub(crate) fn announce(
        &mut self,
        lent: &mut Lent<'_>,
        (at, peer): (Time, PeerId),
        route: (u32, u32, u32),
        source: Source,
    ) -> Before {
        let known = lent.vantage.get(peer);
        let stale = known.stale_since.filter(|_| source == Source::Message);
        // Whose loss was heard after the gap cannot have come back within it.
        let stale = stale.filter(|_| !self.fell_after(route.0, known.voter, known.heard_again));
        let earliest = stale.unwrap_or(at).min(at);
        self.announce_as_of(lent, (Interval { earliest, latest: at }, peer), route, source)
    }

    /// The same where it may have come about at any time of an interval.
    pub(crate) fn announce_as_of(
        &mut self,
        lent: &mut Lent<'_>,
        (when, peer): (Interval, PeerId),
        (row, path_id, tail): (u32, u32, u32),
        source: Source,
    ) -> Before {
        let at = when.latest;
        let known = lent.vantage.get_mut(peer);
        known.add_path |= path_id != 0;
        if known.add_path {
            let paths = self.paths.entry((row, peer.0)).or_default();
            paths.retain(|(id, _)| *id != path_id);
            paths.push((path_id, tail));
        }
        let cell = self.place_of(row, tail, at, source, lent);
        let before = match self.cell(row, peer) {
            0 => Before::NotHeld,
            same if same == cell => Before::Same,
            _ => Before::Other,
        };
        if before != Before::Same {
            self.put(row, peer, cell, when, source, lent);
        } else if source == Source::FirstTable {
            self.speak(row, peer, source, lent);
        }
        before
    }

    /// A peer holds no route to `prefix` (any more).
    pub(crate) fn withdraw(
        &mut self,
        lent: &mut Lent<'_>,
        (at, peer): (Time, PeerId),
        (prefix, path_id): (Prefix, u32),
        known: Option<u32>,
    ) -> Option<u32> {
        let tabled = lent.vantage.get(peer).tabled;
        let row = match known {
            Some(row) => row,
            None if tabled => return None,
            None => self.find_or_add(prefix, at, lent.delegations),
        };
        if lent.vantage.get(peer).add_path
            && let Some(paths) = self.paths.get_mut(&(row, peer.0))
        {
            paths.retain(|(id, _)| *id != path_id);
            if let Some((_, tail)) = paths.last().copied() {
                let cell = self.place_of(row, tail, at, Source::Message, lent);
                self.put(row, peer, cell, Interval::at(at), Source::Message, lent);
                return Some(row);
            }
            self.paths.remove(&(row, peer.0));
        }
        let voter = lent.vantage.get(peer).voter;
        if !tabled && !self.bit(row, USUAL, voter) {
            // A withdrawal proves that the route was held: it is a loss of this moment.
            self.rows[row as usize].flags.set(Flags::PROVED);
            self.stirred = true;
            self.speak(row, peer, Source::Message, lent);
            if !self.bit(row, HELD, voter) {
                self.fell(row, voter, Interval::at(at));
            }
        }
        if self.cell(row, peer) != 0 {
            self.put(row, peer, 0, Interval::at(at), Source::Message, lent);
        }
        Some(row)
    }

    /// Sets a cell as of `when`; everything that follows from it follows.
    pub(crate) fn put(
        &mut self,
        row: u32,
        peer: PeerId,
        cell: u8,
        when: Interval,
        source: Source,
        lent: &mut Lent<'_>,
    ) {
        let place = row as usize * self.stride + usize::from(peer.0);
        let old = std::mem::replace(&mut self.cells[place], cell);
        let family = self.rows[row as usize].prefix.family() as usize;
        if (old == 0) != (cell == 0) {
            lent.vantage.hold(peer, family, cell != 0);
        }
        self.settle(row, peer, when, lent.vantage);
        if cell != 0 {
            self.speak(row, peer, source, lent);
            let voter = lent.vantage.get(peer).voter;
            if !self.bit(row, USUAL, voter) && self.bit(row, HELD, voter) {
                self.pending.entry((row, voter)).or_insert(when.latest);
            }
        }
    }

    /// Brings the vote of the peer's ASN on a row in line with the cells of its peers: at once where the peer alone casts
    /// it, else at the end of the stamp.
    pub(crate) fn settle(&mut self, row: u32, peer: PeerId, when: Interval, vantage: &Vantage) {
        let voter = vantage.get(peer).voter;
        let holds = self.holds(row, voter, vantage);
        let family = self.rows[row as usize].prefix.family() as usize;
        if self.bit(row, USUAL, voter) && !vantage.is_alone(peer, family) {
            if holds != self.bit(row, HELD, voter) || self.unsettled.contains_key(&(row, voter)) {
                let known = self.unsettled.entry((row, voter)).or_insert(when);
                *known = known.join(when);
            }
            return;
        }
        self.set_vote(row, voter, holds, when);
    }

    /// Settles what waited for the end of the stamp.
    pub(super) fn settle_all(&mut self, vantage: &Vantage) {
        let mut unsettled: Vec<_> = self.unsettled.drain().collect();
        unsettled.sort_unstable_by_key(|(key, _)| *key);
        for ((row, voter), when) in unsettled {
            let holds = self.holds(row, voter, vantage);
            self.set_vote(row, voter, holds, when);
        }
    }

    /// Whether votes wait for the end of the stamp.
    pub(super) fn is_unsettled(&self) -> bool {
        !self.unsettled.is_empty()
    }

    /// Whether an ASN holds a row by any of its peers.
    fn holds(&self, row: u32, voter: u16, vantage: &Vantage) -> bool {
        let tails = &self.rows[row as usize].tails;
        let stands = |peer: &PeerId| {
            let cell = self.cell(row, *peer);
            cell != 0 && tails.is_accepted(usize::from(cell) - 1)
        };
        let family = self.rows[row as usize].prefix.family() as usize;
        let known = &vantage.voters[usize::from(voter)];
        match known.holders[family] {
            0 | 1 => known.peers.iter().any(stands),
            _ => vantage.speakers(known, family).any(|peer| stands(&peer)),
        }
    }

    fn set_vote(&mut self, row: u32, voter: u16, holds: bool, when: Interval) {
        if holds == self.bit(row, HELD, voter) {
            return;
        }
        self.set_bit(row, HELD, voter, holds);
        if !self.bit(row, USUAL, voter) {
            if !holds {
                self.pending.remove(&(row, voter));
            }
        } else if holds {
            self.rose(row, voter, when);
        } else {
            self.fell(row, voter, when);
        }
    }

    fn fell(&mut self, row: u32, voter: u16, when: Interval) {
        self.losses.entry(row).or_default().push(Loss { voter, when });
        self.touch(row, Flags::FELL);
        self.witness(row, voter, when, false);
    }

    fn rose(&mut self, row: u32, voter: u16, mut when: Interval) {
        if let Some(losses) = self.losses.get_mut(&row) {
            // It cannot have come back before it was lost, whatever nobody saw before that.
            let lost = losses.iter().find(|loss| loss.voter == voter);
            when.earliest =
                lost.map_or(when.earliest, |loss| when.earliest.max(loss.when.latest).min(when.latest));
            losses.retain(|loss| loss.voter != voter);
            if losses.is_empty() {
                self.losses.remove(&row);
            }
        }
        self.touch(row, Flags::ROSE);
        self.witness(row, voter, when, true);
    }

    fn fell_after(&self, row: u32, voter: u16, since: Time) -> bool {
        let losses = self.losses.get(&row);
        losses
            .is_some_and(|losses| losses.iter().any(|loss| loss.voter == voter && loss.when.latest >= since))
    }

    fn witness(&mut self, row: u32, voter: u16, when: Interval, held: bool) {
        if when.latest <= self.rows[row as usize].watched_until {
            self.tell(when.latest, row, Change::Witness { voter, when, held });
        }
    }

    pub(crate) fn touch(&mut self, row: u32, flag: Flags) {
        let flags = &mut self.rows[row as usize].flags;
        if !flags.has(Flags::FELL) && !flags.has(Flags::ROSE) {
            self.dirty.push(row);
        }
        flags.set(flag);
    }

    /// Notes that the peer has spoken of the row: without a table that makes its ASN a usual holder, as a first table
    /// does.
    fn speak(&mut self, row: u32, peer: PeerId, source: Source, lent: &mut Lent<'_>) {
        let known = lent.vantage.get_mut(peer);
        if self.bit(row, USUAL, known.voter) || (known.tabled && source != Source::FirstTable) {
            return;
        }
        let voter = known.voter;
        if !known.tabled {
            let family = self.rows[row as usize].prefix.family() as usize;
            lent.vantage.voters[usize::from(voter)].spoken[family] += 1;
        }
        self.stirred = true;
        self.set_bit(row, USUAL, voter, true);
        self.pending.remove(&(row, voter));
    }

    /// The cell for a tail; adds it to the row's dictionary.
    fn place_of(&mut self, row: u32, tail: u32, at: Time, source: Source, lent: &mut Lent<'_>) -> u8 {
        let known = &self.rows[row as usize];
        if let Some(place) = known.tails.find(tail) {
            if source == Source::FirstTable
                && !known.tails.is_accepted(place)
                && !known.flags.has(Flags::LOST)
            {
                self.rows[row as usize].tails.accept(place);
            }
            return place as u8 + 1;
        }
        let origin = lent.tails.get(tail).origin().unwrap_or_default();
        if known.country.is_none() && known.flags.has(Flags::ELIGIBLE) {
            // Space that no registry delegated to a country goes by its origin.
            self.rows[row as usize].country = lent.delegations.country_of_asn(origin);
        }
        let accepted = self.accepts(row, tail, source, lent);
        if !accepted {
            self.strangers.entry((row, origin.0)).or_insert(at);
            if self.rows[row as usize].flags.has(Flags::LOST) {
                self.tell(at, row, Change::Foreign { origin });
            }
        }
        if self.rows[row as usize].tails.len() >= MAX_TAILS {
            self.compact(row);
        }
        match self.rows[row as usize].tails.add(tail, accepted) {
            Some(place) => place as u8 + 1,
            // 255 tails in use at once: the last place stands for all further ones.
            None => MAX_TAILS as u8,
        }
    }

    /// Whether the origin of a tail may speak for the network: it was there from the start, or is of its country.
    fn accepts(&self, row: u32, tail: u32, source: Source, lent: &Lent<'_>) -> bool {
        let known = &self.rows[row as usize];
        let origin = lent.tails.get(tail).origin();
        let mut places = 0..known.tails.len();
        if places.any(|place| {
            known.tails.is_accepted(place) && lent.tails.get(known.tails.tail(place)).origin() == origin
        }) {
            return true;
        }
        if known.flags.has(Flags::LOST) {
            return known.country.is_some()
                && origin.and_then(|origin| lent.delegations.country_of_asn(origin)) == known.country;
        }
        source == Source::FirstTable
            || !known.flags.has(Flags::COUNTED)
            || (known.country.is_some()
                && origin.and_then(|origin| lent.delegations.country_of_asn(origin)) == known.country)
    }

    /// Drops the tails that no cell uses.
    fn compact(&mut self, row: u32) {
        let mut used = [false; MAX_TAILS];
        for cell in self.cells_of(row) {
            if let Some(place) = usize::from(*cell).checked_sub(1) {
                used[place] = true;
            }
        }
        let new = self.rows[row as usize].tails.compact(&used);
        let start = row as usize * self.stride;
        for cell in &mut self.cells[start..start + self.stride] {
            if let Some(place) = usize::from(*cell).checked_sub(1) {
                *cell = new.get(place).copied().unwrap_or(0);
            }
        }
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
