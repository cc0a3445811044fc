//! Attacks that go on.

use super::account::Account;
use super::amount::Amount;
use super::course::SECONDS;
use super::kind::Misuse;
use super::parameters::Parameters;
use super::place::Place;
use super::report::{AlertType, Attack, Coverage, Direction, Estimate, Impact, Rate, Severity, Target, Unit};
use super::verdict::Picture;
use crate::entity::Entity;
use crate::report::Interval;
use gonedark_route::Time;

/// A kind of traffic that is over a threshold.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Over {
    pub(crate) kind: Misuse,
    pub(crate) unit: Unit,
    pub(crate) threshold: u64,
    pub(crate) peak: u64,
}

/// An attack that goes on.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Open {
    pub(crate) place: Place,
    pub(crate) alert_type: AlertType,
    pub(crate) direction: Direction,
    /// It began in one of these seconds.
    pub(crate) start: (i64, i64),
    /// It may have begun as early as this: nobody listened before.
    pub(crate) unheard_since: Option<Time>,
    pub(crate) detected: i64,
    pub(crate) last_above: i64,
    pub(crate) is_fast: bool,
    pub(crate) over: Vec<Over>,
    pub(crate) entities: Vec<Entity>,
    pub(crate) places: Vec<Place>,
    pub(crate) account: u32,
    pub(crate) part_of: Option<String>,
    pub(crate) lost: u64,
    pub(crate) peak: Rate,
    /// What the seconds had that can change no more, and the first that still can.
    settled: Amount,
    unsettled: i64,
    /// What the others had when they were looked at last.
    recent: Vec<Amount>,
    recent_first: i64,
    /// What was over in the newest second, for what else it explains: packets a second.
    pub(crate) rate_now: f64,
}

impl Open {
    pub(crate) fn new(place: Place, alert_type: AlertType, over: Over, start: (i64, i64), now: i64) -> Self {
        Open {
            place,
            alert_type,
            direction: Direction::Transit,
            start,
            unheard_since: None,
            detected: now,
            last_above: start.1,
            is_fast: false,
            over: vec![over],
            entities: Vec::new(),
            places: Vec::new(),
            account: super::table::NO_ACCOUNT,
            part_of: None,
            lost: 0,
            peak: Rate::default(),
            settled: Amount::default(),
            unsettled: start.0,
            recent: Vec::new(),
            recent_first: start.0,
            rate_now: 0.0,
        }
    }

    /// The kinds of traffic that it consists of.
    pub(crate) fn kinds(&self) -> Vec<Misuse> {
        let mut kinds: Vec<Misuse> = self.over.iter().map(|over| over.kind).collect();
        kinds.push(Misuse::Total);
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// Whether it has a kind of traffic in common with `others`. That both are over in total says nothing, unless one of them
    /// is over in nothing else.
    pub(crate) fn shares(&self, others: &[Misuse]) -> bool {
        let is_one = |kind: &Misuse| *kind != Misuse::Total;
        let own: Vec<Misuse> = self.over.iter().map(|over| over.kind).filter(is_one).collect();
        let others: Vec<Misuse> = others.iter().copied().filter(is_one).collect();
        own.is_empty() || others.is_empty() || own.iter().any(|kind| others.contains(kind))
    }

    /// Takes the course of the traffic up to now.
    pub(crate) fn follow(&mut self, picture: &Picture) {
        for over in &mut self.over {
            let line = picture.line(&[over.kind]);
            let (peak, last) = line.above(over.unit, over.threshold as f64, self.start.0 - 1);
            over.peak = over.peak.max(peak as u64);
            self.last_above = last.map_or(self.last_above, |last| last.max(self.last_above));
        }
        let line = picture.line(&self.kinds());
        for (at, amount) in (line.first_second..).zip(&line.seconds).filter(|(at, _)| *at >= self.start.0) {
            self.peak.pps = self.peak.pps.max(amount.whole_packets());
            self.peak.bps = self.peak.bps.max(amount.whole_bytes() * 8);
            if at == line.first_second + SECONDS as i64 - 1 {
                self.rate_now = amount.whole_packets() as f64;
            }
        }
        self.settle(line.first_second);
        self.recent = line.seconds.to_vec();
        self.recent_first = line.first_second;
    }

    /// Puts away the seconds that are no longer kept.
    fn settle(&mut self, first_second: i64) {
        for (at, amount) in (self.recent_first..).zip(&self.recent) {
            if at >= self.unsettled && at < first_second {
                self.settled = self.settled.plus(*amount);
            }
        }
        self.unsettled = self.unsettled.max(first_second);
    }

    /// Packets and bytes from the start to the last second above.
    fn amount(&self) -> Amount {
        let recent = (self.recent_first..).zip(&self.recent);
        let counted = recent.filter(|(at, _)| *at >= self.unsettled && *at <= self.last_above);
        counted.fold(self.settled, |sum, (_, amount)| sum.plus(*amount))
    }

    pub(crate) fn id(&self) -> String {
        let target = match self.place.target() {
            Target::Entity(entity) => format!("{}-{}", entity.kind(), entity.code()),
            target => target.to_string(),
        };
        let start = Time::from_seconds(self.start.1).to_string().replace(['-', ':'], "");
        format!("attack-{}-{start}", target.replace('/', "_"))
    }

    /// As it is told.
    pub(crate) fn tell(
        &self,
        account: Option<&Account>,
        stop: Option<Interval>,
        parameters: &Parameters,
    ) -> Attack {
        let amount = self.amount();
        let length = (self.last_above - self.start.1 + 1).max(1) as u64;
        let impact = Impact {
            peak: self.peak,
            mean: Rate { pps: amount.whole_packets() / length, bps: amount.whole_bytes() * 8 / length },
            packets: amount.whole_packets(),
            bytes: amount.whole_bytes(),
        };
        let earliest = Time::from_seconds(self.start.0);
        let with_data = self.over.iter().any(|over| over.kind == Misuse::Conversation);
        let mut misuses: Vec<Misuse> = self.over.iter().map(|over| over.kind).collect();
        misuses.sort_unstable();
        misuses.dedup();
        Attack {
            id: self.id(),
            alert_type: self.alert_type,
            target: self.place.target(),
            entities: self.entities.clone(),
            family: self.place.family(),
            direction: self.direction,
            start: Interval {
                earliest: self.unheard_since.map_or(earliest, |since| since.min(earliest)),
                latest: Time::from_seconds(self.start.1),
            },
            detected: Time::from_seconds(self.detected + 1),
            stop,
            is_fast: self.is_fast,
            impact,
            severity: self.severity(),
            misuses,
            vectors: account
                .map_or_else(Vec::new, |account| account.vectors(parameters.vector_percent, with_data)),
            sources: account.map_or_else(Estimate::default, Account::sources),
            targets: account.map_or_else(Estimate::default, Account::targets),
            top_targets: account.map_or_else(Vec::new, Account::top_targets),
            top_ports: account.map_or_else(Vec::new, |account| account.top_ports(parameters.vector_percent)),
            coverage: account.map_or_else(Coverage::default, |account| Coverage {
                exporters: account.exporters.iter().copied().collect(),
                records: account.records,
                lost: self.lost,
                sampling: (account.sampling.0.min(account.sampling.1), account.sampling.1),
            }),
            part_of: self.part_of.clone(),
        }
    }

    /// Of what is over its threshold that which is furthest over it.
    fn severity(&self) -> Severity {
        let percent = |over: &Over| {
            (u128::from(over.peak) * 100 / u128::from(over.threshold.max(1))).min(u128::from(u64::MAX)) as u64
        };
        let worst = self.over.iter().max_by_key(|over| (percent(over), std::cmp::Reverse(over.kind)));
        let none = Over { kind: Misuse::Total, unit: Unit::Packets, threshold: 0, peak: 0 };
        let worst = worst.copied().unwrap_or(none);
        Severity {
            percent: percent(&worst),
            threshold: worst.threshold,
            unit: worst.unit,
            misuse: worst.kind,
        }
    }
}
