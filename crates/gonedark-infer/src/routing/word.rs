//! What the word of a peer, or of a table about it, does to a row.

use super::change::Change;
use super::row::{Flags, MAX_TAILS, UNHEARD};
use super::shard::{HELD, Shard, USUAL, bound};
use super::tails::Tails;
use super::vantage::Vantage;
use crate::observation::{Delegations, PeerId};
use crate::report::Interval;
use gonedark_route::Time;

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

impl Shard {
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
        (at, peer, voter): (Time, PeerId, u16),
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
        known.since = known.since.min(at);
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
        self.hear_of(row, at);
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

    /// A peer holds no route to the network of a row (any more). Tells whether that can mean anything.
    pub(crate) fn withdraw(
        &mut self,
        lent: &mut Lent<'_>,
        (at, peer): (Time, PeerId),
        (row, path_id): (u32, u32),
    ) -> bool {
        // Of a session that was seen to begin everything was heard: what it withdraws without having announced it was not
        // there (FRR's BMP begins with such withdrawals).
        let tabled = lent.vantage.get(peer).tabled || lent.vantage.get(peer).from_begin;
        if tabled && self.rows[row as usize].since == UNHEARD {
            return false;
        }
        self.hear_of(row, at);
        if lent.vantage.get(peer).add_path
            && let Some(paths) = self.paths.get_mut(&(row, peer.0))
        {
            paths.retain(|(id, _)| *id != path_id);
            if let Some((_, tail)) = paths.last().copied() {
                let cell = self.place_of(row, tail, at, Source::Message, lent);
                self.put(row, peer, cell, Interval::at(at), Source::Message, lent);
                return true;
            }
            self.paths.remove(&(row, peer.0));
        }
        let voter = lent.vantage.get(peer).voter;
        if !tabled && !self.bit(row, USUAL, voter) {
            if path_id != 0 || lent.vantage.get(peer).add_path {
                // One of perhaps several paths went that nobody heard of: what remains is not known.
                lent.vantage.get_mut(peer).add_path = true;
                return true;
            }
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
        true
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
        if cell == 0 && lent.vantage.get(peer).add_path {
            self.paths.remove(&(row, peer.0));
        }
        self.settle(row, peer, when, lent.vantage);
        if cell != 0 {
            self.speak(row, peer, source, lent);
            let voter = lent.vantage.get(peer).voter;
            if !self.bit(row, USUAL, voter) && self.bit(row, HELD, voter) {
                self.pending.entry((row, voter)).or_insert(when.latest);
                self.oldest_wait = bound(self.oldest_wait, when.latest);
            }
        }
    }

    /// Notes that the peer has spoken of the row: without a table that makes its ASN a usual holder, as a first table
    /// does.
    pub(super) fn speak(&mut self, row: u32, peer: PeerId, source: Source, lent: &mut Lent<'_>) {
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

    /// Forgets which paths a peer holds by ADD-PATH: a new session numbers them anew (RFC 7911 section 3).
    pub(crate) fn forget_paths(&mut self, peer: PeerId) {
        self.paths.retain(|(_, of), _| *of != peer.0);
    }

    /// Takes all that a peer holds for its first table.
    pub(crate) fn adopt(&mut self, peer: PeerId, vantage: &Vantage) {
        let voter = vantage.get(peer).voter;
        for row in 0..self.rows.len() as u32 {
            if self.cell(row, peer) != 0 && !self.bit(row, USUAL, voter) {
                self.set_bit(row, USUAL, voter, true);
                self.pending.remove(&(row, voter));
                self.stirred = true;
            }
        }
    }

    /// The cell for a tail; adds it to the row's dictionary.
    pub(super) fn place_of(
        &mut self,
        row: u32,
        tail: u32,
        at: Time,
        source: Source,
        lent: &mut Lent<'_>,
    ) -> u8 {
        let known = &self.rows[row as usize];
        if let Some(place) = known.tails.find(tail) {
            if source == Source::FirstTable
                && !known.tails.is_accepted(place)
                && !known.flags.has(Flags::LOST)
            {
                self.rows[row as usize].tails.accept(place);
            }
            if !self.rows[row as usize].tails.is_accepted(place) {
                // One that was here before, and went: it begins to be here anew.
                let origin = lent.tails.get(tail).origin().unwrap_or_default();
                self.strangers.entry((row, origin.0)).or_insert(at);
                self.oldest_wait = bound(self.oldest_wait, at);
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
            self.oldest_wait = bound(self.oldest_wait, at);
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
