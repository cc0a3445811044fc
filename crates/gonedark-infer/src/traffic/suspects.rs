//! Which targets are suspect, and the accounts that are kept of them.

use super::account::{Account, Seen};
use super::course::STRETCH;
use super::kind::Misuse;
use super::meter::Traffic;
use super::place::{Key, Place, Scale};
use super::report::Unit;
use super::table::NO_ACCOUNT;
use super::verdict::{Limit, Picture, rate};
use std::collections::BTreeSet;

/// Seconds after which an account of a target that is not attacked begins anew, and one of a target that is no longer
/// suspect ends: one minute. Guess.
const ACCOUNT_AGE: i64 = 60;

impl Traffic {
    /// The targets of which something reaches a part of a threshold.
    pub(super) fn suspects(&mut self) -> BTreeSet<Place> {
        let mut candidates = BTreeSet::new();
        for (scale, at) in [Scale::Host, Scale::Block, Scale::Entity].into_iter().zip(0..) {
            for touched in std::mem::take(&mut self.tables[at].touched) {
                let Some(entry) = self.tables[at].entries.get_mut(touched as usize) else { continue };
                let Key { place, kind } = entry.key;
                if entry.account == NO_ACCOUNT
                    && let Some(account) = self.by_place.get(&place)
                {
                    entry.account = *account;
                }
                // Of seven kinds that are over a threshold together one has a seventh of it: an eighth is looked at.
                let fresh = entry.fresh;
                let limit = self.limit(scale, kind);
                let learnt = if scale == Scale::Entity { self.deviation(place) } else { None };
                let over = |limit: Limit| {
                    [Unit::Packets, Unit::Bits].into_iter().any(|unit| {
                        let part =
                            limit.in_unit(unit) as f64 * self.parameters.suspect_percent as f64 / 200.0;
                        rate(fresh, unit) >= part
                    })
                };
                if over(limit) || learnt.is_some_and(over) {
                    candidates.insert(place);
                }
            }
        }
        candidates.into_iter().filter(|place| self.is_suspect(*place)).collect()
    }

    /// Whether some second reaches a part of a threshold: much that came at once may have been sent over minutes.
    fn is_suspect(&mut self, place: Place) -> bool {
        let picture = self.picture(place);
        let learnt = self.deviation(place);
        let part = self.parameters.suspect_percent as f64 / 100.0;
        let kinds = Misuse::OF_FLOWS.into_iter().chain([Misuse::Total]);
        let is_suspect = kinds.into_iter().any(|kind| {
            let line = picture.line(&[kind]);
            let limits = [Some(self.limit(place.scale(), kind)), learnt.filter(|_| kind == Misuse::Total)];
            limits.into_iter().flatten().any(|limit| {
                [Unit::Packets, Unit::Bits].into_iter().any(|unit| {
                    let part = limit.in_unit(unit) as f64 * part;
                    line.seconds.iter().any(|amount| rate(*amount, unit) >= part)
                        || line.stretches.iter().any(|amount| rate(*amount, unit) >= part * STRETCH as f64)
                })
            })
        });
        if is_suspect
            && let Some(at) = self.by_place.get(&place)
            && let Some(Some(account)) = self.accounts.get_mut(*at as usize)
        {
            account.suspect_at = self.now;
        }
        is_suspect
    }

    /// The traffic to a target of late.
    pub(super) fn picture(&mut self, place: Place) -> Picture {
        let now = self.now;
        let table = &mut self.tables[place.scale() as usize];
        let mut picture = Picture::new(now);
        for kind in Misuse::OF_FLOWS {
            if let Some((entry, course)) = table.find_mut(Key { place, kind }) {
                course.roll(now);
                course.add_seconds_to(&mut picture.seconds[kind as usize]);
                course.add_stretches_to(&mut picture.stretches[kind as usize]);
                picture.sampling = picture.sampling.max(entry.sampling);
            }
        }
        picture
    }

    /// Opens accounts for those that have none, and puts into them what the second that is over told.
    pub(super) fn open_accounts(&mut self, suspects: &BTreeSet<Place>) {
        let mut opened: BTreeSet<Place> = BTreeSet::new();
        // The large first: there are few of them, and of one without an account it is never told that it is bombed.
        for place in suspects.iter().rev() {
            if self.by_place.contains_key(place) || self.by_place.len() >= self.parameters.max_suspects {
                continue;
            }
            let account = Some(Account::new(*place, self.now));
            let at = match self.accounts.iter().position(Option::is_none) {
                Some(at) => {
                    self.accounts[at] = account;
                    at
                }
                None => {
                    self.accounts.push(account);
                    self.accounts.len() - 1
                }
            };
            self.by_place.insert(*place, at as u32);
            self.enter_account(*place, at as u32);
            opened.insert(*place);
        }
        if !opened.is_empty() {
            self.look_back(&opened);
        }
    }

    /// Says in the courses of a target which account is kept of it.
    fn enter_account(&mut self, place: Place, account: u32) {
        let table = &mut self.tables[place.scale() as usize];
        for kind in Misuse::OF_FLOWS {
            if let Some((entry, _)) = table.find_mut(Key { place, kind }) {
                entry.account = account;
            }
        }
    }

    /// Puts the records of the second that is over into accounts that were opened at its end.
    fn look_back(&mut self, opened: &BTreeSet<Place>) {
        let remembered = std::mem::take(&mut self.remembered);
        let mut places = Vec::new();
        for seen in &remembered {
            places.clear();
            places.push(Place::host(seen.target));
            places.push(Place::block(seen.target));
            places.extend(self.owners.entities_of(seen.target));
            for place in places.iter().filter(|place| opened.contains(place)) {
                if let Some(at) = self.by_place.get(place)
                    && let Some(Some(account)) = self.accounts.get_mut(*at as usize)
                {
                    account.add(seen, seen.lot(), self.thin);
                }
            }
            self.look_back_at_answer(seen, opened);
        }
        self.remembered = remembered;
    }

    fn look_back_at_answer(&mut self, seen: &Seen, opened: &BTreeSet<Place>) {
        let talks = seen.protocol == 17
            || seen.protocol == 6 && matches!(seen.kind, Misuse::Conversation | Misuse::AckFlood);
        for place in [Place::host(seen.source), Place::block(seen.source)] {
            if talks
                && opened.contains(&place)
                && let Some(at) = self.by_place.get(&place)
                && let Some(Some(account)) = self.accounts.get_mut(*at as usize)
            {
                account.answered = account.answered.plus(seen.amount.weighed(self.thin));
            }
        }
    }

    pub(super) fn account(&self, place: Place) -> Option<&Account> {
        self.accounts.get(*self.by_place.get(&place)? as usize)?.as_ref()
    }

    /// Accounts of those that are no longer suspect are closed; those of the merely suspect begin anew from time to time.
    pub(super) fn close_accounts(&mut self) {
        let now = self.now;
        let mut closed = Vec::new();
        for account in self.accounts.iter_mut().flatten() {
            account.close_second();
            if self.open.contains_key(&account.place) {
                continue;
            }
            if now - account.suspect_at > ACCOUNT_AGE {
                closed.push(account.place);
            } else if now - account.since >= ACCOUNT_AGE {
                let suspect_at = account.suspect_at;
                *account = Account::new(account.place, now);
                account.suspect_at = suspect_at;
            }
        }
        for place in closed {
            if let Some(at) = self.by_place.remove(&place)
                && let Some(account) = self.accounts.get_mut(at as usize)
            {
                *account = None;
            }
            self.enter_account(place, NO_ACCOUNT);
        }
    }
}
