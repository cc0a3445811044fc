//! The end of a second: who is suspect, who is attacked, what has ended, what is learnt (METHOD.md, "Traffic and attacks").

use super::account::Account;
use super::baseline::Baseline;
use super::course::{Amount, SECONDS, STRETCH, STRETCHES};
use super::kind::{Misuse, amplifying_service};
use super::meter::Traffic;
use super::open::{Open, Over};
use super::place::{Key, Place, Scale};
use super::report::{AlertType, Direction, Rate, Target, Unit};
use super::table::NO_ACCOUNT;
use super::verdict::{Excess, Limit, Picture, rate};
use crate::parameters::SECOND;
use crate::report::Interval;
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Seconds after which an account of a target that is not attacked begins anew, and one of a target that is no longer
/// suspect ends: one minute. Guess.
const ACCOUNT_AGE: i64 = 60;
/// A stretch is learnt once so many more have passed, so that what exporters still held back is in it: the usual active
/// timeout of 60 s, and it is no longer kept second by second.
const LEARN_AFTER: i64 = 5;
/// Courses that had nothing for five minutes are looked for so often (seconds). Guess.
const SWEEP: i64 = 60;
/// Seconds for which it is remembered that an attack ended: as long as courses are kept, and a stretch more.
const ENDED_FOR: i64 = STRETCH * (STRETCHES as i64 + 2);

/// An excess over one threshold.
struct Found {
    over: Over,
    excess: Excess,
    is_deviation: bool,
}

impl Traffic {
    /// Judges the second that goes on, which is over.
    pub(super) fn close_second(&mut self) {
        for exporter in self.exporters.iter_mut().flatten() {
            exporter.close_second(self.parameters.clock_noticed);
        }
        let suspects = self.suspects();
        self.open_accounts(&suspects);
        let attacked: BTreeSet<Place> = suspects.into_iter().chain(self.open.keys().copied()).collect();
        for place in attacked {
            self.judge(place);
        }
        self.learn();
        self.close_accounts();
        self.remembered.clear();
        self.thin = 0;
        for table in &mut self.tables {
            table.make_room(self.now);
            if self.now.rem_euclid(SWEEP) == 0 {
                table.forget_idle(self.now);
            }
        }
        let now = self.now;
        self.ended.retain(|_, last| now - *last < ENDED_FOR);
    }

    fn limit(&self, scale: Scale, kind: Misuse) -> Limit {
        let known = self.limits[scale as usize][kind as usize];
        known.unwrap_or_else(|| Limit::of(&self.parameters, scale, kind))
    }

    /// From what rate on the traffic to an entity deviates, where enough is learnt.
    fn deviation(&self, place: Place) -> Option<Limit> {
        let Rate { pps, bps } = self.baselines.get(&place)?.deviation_from(self.now, &self.parameters)?;
        Some(Limit { pps, bps })
    }

    /// The targets of which something reaches a part of a threshold.
    fn suspects(&mut self) -> BTreeSet<Place> {
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
    fn picture(&mut self, place: Place) -> Picture {
        let now = self.now;
        let table = &mut self.tables[place.scale() as usize];
        let mut picture = Picture::new(now);
        for kind in Misuse::OF_FLOWS {
            if let Some(entry) = table.find_mut(Key { place, kind }) {
                entry.course.roll(now);
                entry.course.add_seconds_to(&mut picture.seconds[kind as usize]);
                entry.course.add_stretches_to(&mut picture.stretches[kind as usize]);
                picture.sampling = picture.sampling.max(entry.sampling);
            }
        }
        picture
    }

    /// Opens accounts for those that have none, and puts into them what the second that is over told.
    fn open_accounts(&mut self, suspects: &BTreeSet<Place>) {
        let mut opened: BTreeSet<Place> = BTreeSet::new();
        for place in suspects {
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
            if let Some(entry) = table.find_mut(Key { place, kind }) {
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

    fn look_back_at_answer(&mut self, seen: &super::account::Seen, opened: &BTreeSet<Place>) {
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

    fn account(&self, place: Place) -> Option<&Account> {
        self.accounts.get(*self.by_place.get(&place)? as usize)?.as_ref()
    }

    /// Judges one target.
    fn judge(&mut self, place: Place) {
        let picture = self.picture(place);
        if self.open.contains_key(&place) {
            self.follow(place, &picture);
            return;
        }
        let after = self.ended.get(&place).copied().unwrap_or(i64::MIN);
        let found = self.found(place, &picture, after);
        if found.is_empty() || self.is_of_something_smaller(place, &picture, &found) {
            return;
        }
        self.begin(place, &picture, found);
    }

    /// An attack goes on: what else is over its threshold by now, and how it is.
    fn follow(&mut self, place: Place, picture: &Picture) {
        let Some(start) = self.open.get(&place).map(|open| open.start.0) else { return };
        let found = self.found(place, picture, start - 1);
        let Some(open) = self.open.get_mut(&place) else { return };
        for found in found {
            let is_known = |known: &Over| known.kind == found.over.kind && known.unit == found.over.unit;
            if !open.over.iter().any(is_known) {
                open.over.push(found.over);
                self.changed.insert(place);
            }
        }
        open.follow(picture);
    }

    /// Every threshold that is exceeded and not explained by what is no attack.
    fn found(&self, place: Place, picture: &Picture, after: i64) -> Vec<Found> {
        let account = self.account(place);
        let sources = account.map_or(0, |account| account.sources().value);
        let is_few = sources < self.parameters.few_sources;
        let factor = if is_few { self.parameters.few_sources_times } else { 1 };
        let is_open = |kind: &Misuse| !self.is_explained(place, *kind, picture, account, is_few);
        let open: Vec<Misuse> = Misuse::OF_FLOWS.into_iter().filter(is_open).collect();
        let mut found = Vec::new();
        let mut look = |kind: Misuse, kinds: &[Misuse], limit: Limit, is_deviation: bool| {
            let line = picture.line(kinds);
            for unit in [Unit::Packets, Unit::Bits] {
                let threshold = limit.in_unit(unit);
                if let Some(excess) = line.excess((unit, threshold), after, &self.parameters) {
                    let over = Over { kind, unit, threshold, peak: excess.peak as u64 };
                    found.push(Found { over, excess, is_deviation });
                }
            }
        };
        for kind in &open {
            look(*kind, &[*kind], self.limit(place.scale(), *kind).times(factor), false);
        }
        let total: Vec<Misuse> = open.into_iter().filter(|kind| kind.is_in_total()).collect();
        look(Misuse::Total, &total, self.limit(place.scale(), Misuse::Total).times(factor), false);
        if let Some(limit) = self.deviation(place) {
            look(Misuse::Total, &total, limit, true);
        }
        found
    }

    /// Whether a kind of traffic is what no attack looks like (METHOD.md, "What is no attack").
    fn is_explained(
        &self,
        place: Place,
        kind: Misuse,
        picture: &Picture,
        account: Option<&Account>,
        is_few: bool,
    ) -> bool {
        let parameters = &self.parameters;
        let packets = |kind: Misuse| picture.line(&[kind]).sum(Unit::Packets);
        let of_crowd =
            || packets(kind) * 100.0 < packets(Misuse::Conversation) * parameters.handshake_percent as f64;
        let is_answered = || {
            account.is_some_and(|account| {
                let (sent, got) = (account.answered.whole_packets(), account.amount.whole_packets());
                u128::from(sent) * 100 >= u128::from(got) * u128::from(parameters.answered_percent)
            })
        };
        match kind {
            Misuse::SynFlood => {
                let ports = account.map_or(0, Account::target_ports);
                of_crowd() || is_few && ports >= parameters.scan_ports
            }
            Misuse::TcpReflection => of_crowd(),
            Misuse::AckFlood | Misuse::Amplification => place.scale() != Scale::Entity && is_answered(),
            Misuse::UdpFlood => {
                // A service answers whoever asks, and in whose name.
                let first = account.and_then(Account::first_udp_port);
                let is_service = first.is_some_and(|port| amplifying_service(port).is_some());
                place.scale() != Scale::Entity && !is_service && is_answered()
            }
            _ => false,
        }
    }

    /// Whether an excess of an aggregate is that of one address or block in it, or of too few to be one of the aggregate.
    fn is_of_something_smaller(&self, place: Place, picture: &Picture, found: &[Found]) -> bool {
        if place.scale() == Scale::Host {
            return false;
        }
        let Some(account) = self.account(place) else { return true };
        let (dominant, enough) = (self.parameters.dominant_percent, self.parameters.carpet_targets);
        let is_deviation = found.iter().all(|found| found.is_deviation);
        let (top, _) = account.dominance();
        if !is_deviation && (top >= dominant || account.targets().value < enough) {
            return true;
        }
        let kinds: Vec<Misuse> = found.iter().map(|found| found.over.kind).collect();
        let after = picture.first_second - 1;
        let (peak, _) = picture.line(&[Misuse::Total]).above(Unit::Packets, 0.0, after);
        let inner = self.open.values().filter(|open| lies_within(open, place) && open.shares(&kinds));
        inner.into_iter().any(|open| open.peak.pps as f64 * 100.0 >= peak * dominant as f64)
    }

    /// An attack begins.
    fn begin(&mut self, place: Place, picture: &Picture, found: Vec<Found>) {
        let is_deviation = found.iter().all(|found| found.is_deviation);
        let alert_type = match place.scale() {
            Scale::Host => AlertType::Host,
            _ if is_deviation => AlertType::Deviation,
            _ => AlertType::CarpetBombing,
        };
        let Some(first) = found.iter().min_by_key(|found| found.excess.start) else { return };
        let mut open = Open::new(place, alert_type, first.over, first.excess.start, self.now);
        open.over = found.iter().map(|found| found.over).collect();
        let of_one = |over: &Over, at: usize| found[..at].iter().any(|other| same(&other.over, over));
        let doubled: Vec<bool> = found.iter().enumerate().map(|(at, one)| of_one(&one.over, at)).collect();
        let mut doubled = doubled.into_iter();
        open.over.retain(|_| !doubled.next().unwrap_or_default());
        let fast = self.parameters.fast_percent as f64 / 100.0;
        open.is_fast = found
            .iter()
            .any(|found| found.excess.at_once && found.excess.peak >= found.over.threshold as f64 * fast);
        open.last_above = found.iter().map(|found| found.excess.last_above).max().unwrap_or(self.now);
        open.account = self.by_place.get(&place).copied().unwrap_or(NO_ACCOUNT);
        if !self.owners.watched().everything {
            open.direction = Direction::Inbound;
        }
        open.unheard_since = self.unheard_before(&open);
        self.say_whose(&mut open);
        open.follow(picture);
        self.join(&mut open);
        self.changed.insert(place);
        self.open.insert(place, open);
    }

    /// Since when the exporters that saw an attack could not be heard before it.
    fn unheard_before(&self, open: &Open) -> Option<Time> {
        let begin = Time::from_seconds(open.start.0);
        let account = self.account(open.place)?;
        let known = account.exporters.iter().filter_map(|number| self.exporters.get(usize::from(*number)));
        let silences =
            known.flatten().filter_map(|exporter| exporter.silence(begin + -SECOND, begin + SECOND));
        silences.map(|deaf| deaf.from).min()
    }

    /// Enters the AS, the country and the watched prefixes of the target.
    fn say_whose(&mut self, open: &mut Open) {
        let address: Option<IpAddr> = match open.place.target() {
            Target::Host(address) => Some(address),
            Target::Block(prefix) => Some(prefix.address()),
            Target::Entity(_) => {
                let top = self.account(open.place).map(Account::top_targets).unwrap_or_default();
                top.first().map(|(address, _)| *address)
            }
        };
        let Some(address) = address else { return };
        let around = self.owners.entities_of(address);
        open.places = around.into_iter().filter(|place| *place > open.place).collect();
        let entity = |place: &Place| match place.target() {
            Target::Entity(entity) => Some(entity),
            _ => None,
        };
        let own = entity(&open.place);
        open.entities = own.into_iter().chain(open.places.iter().filter_map(entity)).collect();
        open.entities.sort_unstable();
        open.entities.dedup();
    }

    /// Makes what is smaller part of it, and it part of what is larger, where they have a kind of traffic in common.
    fn join(&mut self, open: &mut Open) {
        let kinds: Vec<Misuse> = open.over.iter().map(|over| over.kind).collect();
        let around = self
            .open
            .values()
            .find(|other| lies_within(open, other.place) && other.place > open.place && other.shares(&kinds));
        open.part_of = around.map(Open::id);
        if open.place.scale() == Scale::Host {
            return;
        }
        let id = open.id();
        for inner in self.open.values_mut() {
            if inner.place < open.place
                && inner.part_of.is_none()
                && lies_within(inner, open.place)
                && inner.shares(&kinds)
            {
                inner.part_of = Some(id.clone());
                self.changed.insert(inner.place);
            }
        }
    }

    /// Ends attacks that have been quiet for long enough, as far as somebody listened.
    pub(super) fn end_what_is_quiet(&mut self) {
        let quiet = self.parameters.quiet / SECOND;
        let now = self.now;
        let over: Vec<Place> = self
            .open
            .values()
            .filter(|open| now - 1 - open.last_above >= quiet && self.was_heard_since(open))
            .map(|open| open.place)
            .collect();
        for place in over {
            let Some(open) = self.open.remove(&place) else { continue };
            let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
            let attack = open.tell(account, Some(self.stop_of(&open)), &self.parameters);
            self.changed.remove(&place);
            self.ended.insert(place, open.last_above);
            if self.finished.len() >= self.parameters.max_finished.max(1) {
                self.finished.remove(0);
                self.told = self.told.saturating_sub(1);
                self.forgotten += 1;
            }
            self.finished.push(attack);
        }
    }

    /// Whether any exporter that saw the attack was heard after its last second above.
    fn was_heard_since(&self, open: &Open) -> bool {
        let after = Time::from_seconds(open.last_above + 1);
        let Some(account) = self.accounts.get(open.account as usize).and_then(Option::as_ref) else {
            return true;
        };
        let known = account.exporters.iter().filter_map(|number| self.exporters.get(usize::from(*number)));
        known.flatten().any(|exporter| exporter.last_heard() >= after)
    }

    /// When it ended: in the last second above, or while nobody listened after it.
    fn stop_of(&self, open: &Open) -> Interval {
        let earliest = Time::from_seconds(open.last_above);
        let mut latest = Time::from_seconds(open.last_above + 1);
        let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
        for number in account.map(|account| &account.exporters).into_iter().flatten() {
            let known = self.exporters.get(usize::from(*number)).and_then(Option::as_ref);
            let silence = known.and_then(|known| known.silence(earliest, latest));
            latest = silence.map_or(latest, |silence| silence.until.max(latest));
        }
        Interval { earliest, latest }
    }

    /// Accounts of those that are no longer suspect are closed; those of the merely suspect begin anew from time to time.
    fn close_accounts(&mut self) {
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

    /// Learns what is usual, from stretches about which all is known by now.
    fn learn(&mut self) {
        let due = self.now.div_euclid(STRETCH) - LEARN_AFTER;
        let first = self.learnt_to.max(due - (STRETCHES as i64 - LEARN_AFTER - 1)) + 1;
        if first > due {
            return;
        }
        self.learnt_to = due;
        let stretches: Vec<i64> = (first..=due).filter(|stretch| self.was_heard(*stretch)).collect();
        if stretches.is_empty() {
            return;
        }
        let nothing = vec![Amount::default(); stretches.len()];
        let known = self.baselines.keys().map(|place| (*place, nothing.clone()));
        let mut sums: BTreeMap<Place, Vec<Amount>> = known.collect();
        let now = self.now;
        let room = self.parameters.max_entities;
        let entries = &mut self.tables[Scale::Entity as usize].entries;
        for entry in entries.iter_mut().filter(|entry| entry.key.kind.is_in_total()) {
            if sums.len() >= room && !sums.contains_key(&entry.key.place) {
                continue;
            }
            entry.course.roll(now);
            let mut kept = [Amount::default(); STRETCHES];
            entry.course.add_stretches_to(&mut kept);
            let first = now.div_euclid(STRETCH) - (STRETCHES as i64 - 1);
            let into = sums.entry(entry.key.place).or_insert_with(|| nothing.clone());
            for (sum, stretch) in into.iter_mut().zip(&stretches) {
                *sum = sum.plus(kept.get((stretch - first) as usize).copied().unwrap_or_default());
            }
        }
        self.learn_rates(&stretches, sums);
    }

    fn learn_rates(&mut self, stretches: &[i64], sums: BTreeMap<Place, Vec<Amount>>) {
        let seconds = STRETCH as u64;
        for (place, amounts) in sums {
            for (stretch, amount) in stretches.iter().zip(amounts) {
                let begin = stretch * STRETCH;
                if self.is_attacked(place, begin) {
                    continue;
                }
                let rate =
                    Rate { pps: amount.whole_packets() / seconds, bps: amount.whole_bytes() * 8 / seconds };
                let baseline = self.baselines.entry(place).or_insert_with(Baseline::new);
                baseline.learn(begin, rate, &self.parameters);
            }
        }
    }

    /// Whether a stretch was seen: records came, and no exporter was silent.
    fn was_heard(&self, stretch: i64) -> bool {
        let known = self.heard[stretch.rem_euclid(self.heard.len() as i64) as usize];
        let from = Time::from_seconds(stretch * STRETCH);
        let until = Time::from_seconds((stretch + 1) * STRETCH);
        let silent = |exporter: &super::exporter::Exporter| exporter.silence(from, until).is_some();
        known.0 == stretch && known.1 > 0 && !self.exporters.iter().flatten().any(silent)
    }

    /// Whether an entity, or something in it, was attacked in a stretch, or has been called so since.
    fn is_attacked(&self, place: Place, begin: i64) -> bool {
        let around = |open: &&Open| open.place == place || lies_within(open, place);
        let now = self.open.values().filter(around);
        let of_entity = match place.target() {
            Target::Entity(entity) => Some(entity),
            _ => None,
        };
        let past = self.finished.iter().rev().take(64).any(|attack| {
            let end = attack.stop.map_or(i64::MAX, |stop| stop.latest.seconds());
            let is_around = of_entity.is_some_and(|entity| attack.entities.contains(&entity));
            is_around && attack.start.earliest.seconds() < begin + STRETCH && end >= begin
        });
        past || now.into_iter().any(|open| open.start.0 < begin + STRETCH)
    }
}

fn same(a: &Over, b: &Over) -> bool {
    a.kind == b.kind && a.unit == b.unit
}

/// Whether what is attacked lies within a place.
fn lies_within(open: &Open, place: Place) -> bool {
    open.place != place && (open.places.contains(&place) || place.covers(open.place))
}

const _: () = assert!(SECONDS as i64 >= STRETCH, "the newest stretch is seen second by second");
