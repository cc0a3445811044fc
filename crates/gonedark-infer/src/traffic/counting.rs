//! Records on their way into the courses: some at a time, so that the waits for memory overlap.

use super::account::{Account, Seen};
use super::amount::Amount;
use super::credit::Credit;
use super::kind::Misuse;
use super::meter::{Traffic, exporter_mut};
use super::place::{Key, Place};
use super::table::NO_ACCOUNT;
use super::whose::Owner;

/// Records that are counted together. Where a course lies has to be fetched from memory, two waits one after the other for
/// each; of many together they overlap. As many as leave room in the first cache for what is made of them. Measured: half of
/// the time that one at a time takes.
pub(super) const TOGETHER: usize = 32;

/// A record that is not counted yet.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Waiting {
    pub(super) seen: Seen,
    /// Microseconds since 1970, the exporter's clock set right.
    pub(super) begin: i64,
    pub(super) end: i64,
}

/// What is used anew for each batch.
#[derive(Default)]
pub(super) struct Scratch {
    owners: Vec<Owner>,
    credits: Vec<Credit>,
    older: Vec<Amount>,
    /// Where the courses of hosts and of blocks lie.
    hosts: Vec<u32>,
    blocks: Vec<u32>,
    prefixes: Vec<Place>,
}

impl Traffic {
    /// Counts what waits.
    pub(super) fn count_waiting(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let mut waiting = std::mem::take(&mut self.waiting);
        let mut scratch = std::mem::take(&mut self.scratch);
        self.find_owners(&mut waiting, &mut scratch);
        self.make_credits(&waiting, &mut scratch);
        let [hosts, blocks, _] = &mut self.tables;
        let keys = |place: fn(std::net::IpAddr) -> Place| {
            waiting
                .iter()
                .map(move |one| (Key { place: place(one.seen.target), kind: one.seen.kind }, one.seen.amount))
        };
        hosts.find_all(keys(Place::host), self.now, &mut scratch.hosts);
        blocks.find_all(keys(Place::block), self.now, &mut scratch.blocks);
        self.count_small(&waiting, &scratch);
        self.count_large(&waiting, &mut scratch);
        waiting.clear();
        (self.waiting, self.scratch) = (waiting, scratch);
    }

    /// Spreads the records over the seconds in which the packets came.
    fn make_credits(&mut self, waiting: &[Waiting], Scratch { credits, older, .. }: &mut Scratch) {
        credits.clear();
        older.clear();
        for one in waiting {
            let credit = Credit::new(one.seen.amount, (one.begin, one.end), self.now, older);
            if credit.outside != Amount::default() {
                exporter_mut(&mut self.exporters, one.seen.exporter).too_old(credit.outside);
            }
            credits.push(credit);
        }
    }

    /// Adds the records to hosts and blocks.
    fn count_small(&mut self, waiting: &[Waiting], scratch: &Scratch) {
        let Traffic { tables: [hosts, blocks, _], accounts, now, .. } = self;
        for (table, places) in [(hosts, &scratch.hosts), (blocks, &scratch.blocks)] {
            for ((one, credit), at) in waiting.iter().zip(&scratch.credits).zip(places) {
                let account = table.add(*at, (credit, &scratch.older), one.seen.sampling, *now);
                account_for(accounts, account, &one.seen);
            }
        }
    }

    /// Adds the records to watched prefixes, ASes and countries.
    fn count_large(&mut self, waiting: &[Waiting], scratch: &mut Scratch) {
        let Scratch { owners, credits, older, prefixes, .. } = scratch;
        let Traffic { tables: [_, _, entities], accounts, now, .. } = self;
        for ((one, credit), owner) in waiting.iter().zip(&*credits).zip(&*owners) {
            let seen = &one.seen;
            self.owners.prefixes_of(owner, seen.target, prefixes);
            for place in prefixes.iter().copied().chain(owner.asn()).chain(owner.country()) {
                let at = entities.find_or_admit(Key { place, kind: seen.kind }, seen.amount, *now);
                let account = entities.add(at, (credit, &*older), seen.sampling, *now);
                account_for(accounts, account, seen);
            }
        }
    }

    /// Finds whose the targets are, and drops records to what nobody watches.
    fn find_owners(&mut self, waiting: &mut Vec<Waiting>, scratch: &mut Scratch) {
        scratch.owners.clear();
        for one in &*waiting {
            scratch.owners.push(self.owners.of(one.seen.target));
        }
        let answers = !self.by_place.is_empty();
        for one in &*waiting {
            self.remember(&one.seen);
            if answers {
                self.count_answer(&one.seen);
            }
        }
        if self.owners.watched().everything {
            return;
        }
        let Scratch { owners, prefixes, .. } = scratch;
        let mut watched = Vec::with_capacity(waiting.len());
        for (one, owner) in waiting.iter().zip(&*owners) {
            self.owners.prefixes_of(owner, one.seen.target, prefixes);
            watched.push(self.owners.is_watched(owner, prefixes));
        }
        let mut keep = watched.iter();
        waiting.retain(|_| keep.next().copied().unwrap_or_default());
        let mut keep = watched.iter();
        owners.retain(|_| keep.next().copied().unwrap_or_default());
    }

    /// Whether a suspect target talks back, which victims of a flood do not.
    fn count_answer(&mut self, seen: &Seen) {
        let talks = match seen.protocol {
            6 => matches!(seen.kind, Misuse::Conversation | Misuse::AckFlood),
            17 => true,
            _ => false,
        };
        if !talks {
            return;
        }
        for place in [Place::host(seen.source), Place::block(seen.source)] {
            if let Some(at) = self.by_place.get(&place)
                && let Some(Some(account)) = self.accounts.get_mut(*at as usize)
            {
                account.answered = account.answered.plus(seen.amount);
            }
        }
    }

    /// Keeps the record until the second is over. Of too many those with the rarest lots are kept, whatever their order.
    #[inline]
    fn remember(&mut self, seen: &Seen) {
        if self.thin > 0 && seen.lot().leading_zeros() < self.thin {
            return;
        }
        self.remembered.push(*seen);
        if self.remembered.len() > self.parameters.max_remembered {
            self.thin += 1;
            let thin = self.thin;
            self.remembered.retain(|seen| seen.lot().leading_zeros() >= thin);
        }
    }
}

/// Puts a record into the account that is kept of a target, where one is.
#[inline]
fn account_for(accounts: &mut [Option<Account>], at: u32, seen: &Seen) {
    if at != NO_ACCOUNT
        && let Some(Some(account)) = accounts.get_mut(at as usize)
    {
        account.add(seen, seen.lot(), 0);
    }
}
