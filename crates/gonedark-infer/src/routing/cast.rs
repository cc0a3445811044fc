//! How the cells of an ASN's peers make its vote on a row, and what a vote that turns leaves behind.

use super::change::{Change, Loss};
use super::row::Flags;
use super::shard::{HELD, Shard, USUAL, bound};
use super::vantage::Vantage;
use crate::observation::PeerId;
use crate::report::Interval;
use gonedark_route::Time;

impl Shard {
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

    pub(super) fn fell(&mut self, row: u32, voter: u16, when: Interval) {
        self.losses.entry(row).or_default().push(Loss { voter, when });
        self.oldest_loss = bound(self.oldest_loss, when.latest);
        self.touch(row, Flags::FELL);
        // What single voters lose of a network that stands is no part of its loss; should it be one's begin, the vote tells.
        if self.rows[row as usize].flags.has(Flags::LOST) {
            self.witness(row, voter, when, false);
        }
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

    pub(super) fn fell_after(&self, row: u32, voter: u16, since: Time) -> bool {
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
}
