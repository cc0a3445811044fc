//! Records on their way into the courses: some at a time, so that the waits for memory overlap.

use super::account::Seen;
use super::amount::Amount;
use super::contenders::Claim;
use super::credit::Credit;
use super::kind::Misuse;
use super::meter::{Traffic, exporter_mut};
use super::place::{Key, Place, Scale};
use super::table::NO_ACCOUNT;
use super::whose::Owner;
use std::net::IpAddr;

/// Records that are counted together. Where a course lies has to be fetched from memory, two waits one after the other for
/// each; of many together they overlap. As many as leave room in the second cache for what is made of them. Measured: 64 took
/// less than 32. That 128 takes less again is a guess.
pub(super) const TOGETHER: usize = 128;

/// Places in which those that may be counted as one are looked for: some more than there are records. Guess.
const NEARBY: usize = 256;

/// A record that is not counted yet.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Waiting {
    pub(super) seen: Seen,
    /// Microseconds since 1970, the exporter's clock set right.
    pub(super) begin: i64,
    pub(super) end: i64,
}

/// What is counted at once: a record, or some of one kind to one target within one second, of which a flood consists.
struct Unit {
    target: IpAddr,
    kind: Misuse,
    records: u32,
    /// The largest of theirs.
    sampling: u32,
    owner: Owner,
    /// Of the target as a host, and the kind.
    hash: u64,
    /// Where the accounts begin that are kept of what it is counted for.
    first_account: u32,
}

/// What is used anew for each batch.
#[derive(Default)]
pub(super) struct Scratch {
    owners: Vec<Owner>,
    units: Vec<Unit>,
    credits: Vec<Credit>,
    older: Vec<Amount>,
    /// Of which unit each record is a part.
    parts: Vec<u32>,
    /// Where the courses of hosts and of blocks lie.
    hosts: Vec<u32>,
    blocks: Vec<u32>,
    prefixes: Vec<Place>,
    accounts: Vec<u32>,
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
        self.make_units(&waiting, &mut scratch);
        self.find_small(&mut scratch);
        self.count(&mut scratch);
        self.enter(&waiting, &scratch);
        waiting.clear();
        (self.waiting, self.scratch) = (waiting, scratch);
    }

    /// Spreads the records over the seconds in which the packets came, and makes one of those that differ in nothing else.
    fn make_units(&mut self, waiting: &[Waiting], scratch: &mut Scratch) {
        let Scratch { owners, units, credits, older, parts, .. } = scratch;
        units.clear();
        credits.clear();
        older.clear();
        parts.clear();
        let mut nearby = [0_u8; NEARBY];
        for (Waiting { seen, begin, end }, owner) in waiting.iter().zip(&*owners) {
            let credit = Credit::new(seen.amount, (*begin, *end), self.now, older);
            if credit.outside != Amount::default() {
                exporter_mut(&mut self.exporters, seen.exporter).too_old(credit.outside);
            }
            let hash = Key { place: Place::host(seen.target), kind: seen.kind }.hash();
            let near = &mut nearby[hash as usize % NEARBY];
            let at = usize::from(*near);
            if let (Some(unit), Some(before)) = (units.get_mut(at), credits.get_mut(at))
                && unit.target == seen.target
                && unit.kind == seen.kind
                && before.absorb(&credit)
            {
                unit.records += 1;
                unit.sampling = unit.sampling.max(seen.sampling);
                parts.push(at as u32);
                continue;
            }
            *near = units.len() as u8;
            parts.push(units.len() as u32);
            credits.push(credit);
            let (target, kind, sampling) = (seen.target, seen.kind, seen.sampling);
            units.push(Unit { target, kind, records: 1, sampling, owner: *owner, hash, first_account: 0 });
        }
    }

    /// Finds the courses of hosts and blocks.
    fn find_small(&mut self, Scratch { units, credits, hosts, blocks, .. }: &mut Scratch) {
        let [of_hosts, of_blocks, _] = &mut self.tables;
        let claim = |at: usize| Claim { amount: credits[at].whole, records: units[at].records };
        let host = |at: usize| {
            let unit = &units[at];
            (Key { place: Place::host(unit.target), kind: unit.kind }, unit.hash, claim(at))
        };
        of_hosts.find_all(units.len(), host, self.now, hosts);
        of_hosts.look_ahead(hosts.iter().zip(&*credits), self.now);
        let block = |at: usize| {
            let unit = &units[at];
            let key = Key { place: Place::block(unit.target), kind: unit.kind };
            (key, key.hash_in(unit.owner.hash_of_block()), claim(at))
        };
        of_blocks.find_all(units.len(), block, self.now, blocks);
        of_blocks.look_ahead(blocks.iter().zip(&*credits), self.now);
    }

    /// Adds the units to hosts and blocks, watched prefixes, ASes and countries.
    fn count(&mut self, scratch: &mut Scratch) {
        let Scratch { units, credits, older, hosts, blocks, prefixes, accounts, .. } = scratch;
        let Traffic { tables: [of_hosts, of_blocks, entities], now, owners, .. } = self;
        accounts.clear();
        let small = hosts.iter().zip(&*blocks);
        for ((unit, credit), (host, block)) in units.iter_mut().zip(&*credits).zip(small) {
            unit.first_account = accounts.len() as u32;
            let mut counted = |account: u32| {
                if account != NO_ACCOUNT {
                    accounts.push(account);
                }
            };
            let credit = (credit, older.as_slice());
            counted(of_hosts.add(*host, credit, unit.sampling, *now));
            counted(of_blocks.add(*block, credit, unit.sampling, *now));
            owners.prefixes_of(&unit.owner, unit.target, prefixes);
            let claim = Claim { amount: credit.0.whole, records: unit.records };
            for place in prefixes.iter().copied().chain(unit.owner.asn()).chain(unit.owner.country()) {
                let key = Key { place, kind: unit.kind };
                let at = entities.find_often(key, claim, *now);
                counted(entities.add(at, credit, unit.sampling, *now));
            }
        }
    }

    /// Puts the records into the accounts that are kept of their targets.
    fn enter(&mut self, waiting: &[Waiting], Scratch { units, parts, accounts, .. }: &Scratch) {
        if accounts.is_empty() {
            return;
        }
        for (Waiting { seen, .. }, part) in waiting.iter().zip(parts) {
            let first =
                |unit: usize| units.get(unit).map_or(accounts.len(), |unit| unit.first_account as usize);
            let part = *part as usize;
            let own = accounts.get(first(part)..first(part + 1)).unwrap_or_default();
            if own.is_empty() {
                continue;
            }
            let lot = seen.lot();
            for at in own {
                if let Some(Some(account)) = self.accounts.get_mut(*at as usize) {
                    account.add(seen, lot, 0);
                }
            }
        }
    }

    /// Finds whose the targets are, and drops records to what nobody watches.
    fn find_owners(&mut self, waiting: &mut Vec<Waiting>, scratch: &mut Scratch) {
        scratch.owners.clear();
        for one in &*waiting {
            scratch.owners.push(self.owners.of(one.seen.target));
        }
        // Only of hosts and blocks is it asked whether they answer.
        let answers = self.by_place.keys().any(|place| place.scale() != Scale::Entity);
        for one in &*waiting {
            self.remember(&one.seen);
            if answers {
                self.count_answer(&one.seen);
            }
        }
        if self.owners.watched().everything {
            return;
        }
        let owners = &mut scratch.owners;
        let both = waiting.iter().zip(&*owners);
        let watched: Vec<bool> =
            both.map(|(one, owner)| self.owners.is_watched(owner, one.seen.target)).collect();
        if !watched.contains(&false) {
            return;
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
