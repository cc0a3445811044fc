//! The end of a second: who is attacked (METHOD.md, "Traffic and attacks").

use super::account::Account;
use super::course::{SECONDS, STRETCH, STRETCHES};
use super::kind::{Misuse, amplifying_service};
use super::meter::Traffic;
use super::open::{Open, Over};
use super::place::{Place, Scale};
use super::report::{AlertType, Direction, Rate, Target, Unit};
use super::table::NO_ACCOUNT;
use super::verdict::{Excess, Limit, Picture};
use crate::parameters::SECOND;
use gonedark_route::Time;
use std::collections::BTreeSet;
use std::net::IpAddr;

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

    pub(super) fn limit(&self, scale: Scale, kind: Misuse) -> Limit {
        let known = self.limits[scale as usize][kind as usize];
        known.unwrap_or_else(|| Limit::of(&self.parameters, scale, kind))
    }

    /// From what rate on the traffic to an entity deviates, where enough is learnt.
    pub(super) fn deviation(&self, place: Place) -> Option<Limit> {
        let Rate { pps, bps } = self.baselines.get(&place)?.deviation_from(self.now, &self.parameters)?;
        Some(Limit { pps, bps })
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
        let account = self.by_place.get(&place).copied().unwrap_or(NO_ACCOUNT);
        let Some(open) = self.open.get_mut(&place) else { return };
        // There may have been no room for one when it began.
        open.account = account;
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
}

fn same(a: &Over, b: &Over) -> bool {
    a.kind == b.kind && a.unit == b.unit
}

/// Whether what is attacked lies within a place.
pub(super) fn lies_within(open: &Open, place: Place) -> bool {
    open.place != place && (open.places.contains(&place) || place.covers(open.place))
}

const _: () = assert!(SECONDS as i64 >= STRETCH, "the newest stretch is seen second by second");
