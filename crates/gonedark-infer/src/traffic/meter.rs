//! The meter: flows in, attacks out. It owns all state and is driven by the time at which records are received.

use super::account::{Account, Seen};
use super::amount::Amount;
use super::baseline::Baseline;
use super::counting::{Scratch, TOGETHER, Waiting};
use super::course::STRETCH;
use super::exporter::Exporter;
use super::kind::{Misuse, classify};
use super::open::Open;
use super::origins::{NoOrigins, Origins};
use super::parameters::Parameters;
use super::place::{Place, Scale};
use super::report::{Attack, Deaf, Learnt, Target, TrafficNews, TrafficReport};
use super::table::Table;
use super::verdict::Limit;
use super::whose::{Owners, Watched};
use crate::observation::{Delegations, Nobody};
use foldhash::fast::FixedState;
use gonedark_route::{Flow, Time};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// Stretches of which it is remembered whether anybody was heard.
const HEARD: usize = 32;

fn nobodys() -> Owners {
    Owners::new(Watched::default(), Box::new(Nobody), Box::new(NoOrigins))
}

/// From flows to attacks.
///
/// Feed it in order of the time of receipt; the order within a second changes nothing. Ask for [`Traffic::news`] when it
/// should speak.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Traffic {
    #[serde(skip)]
    pub(super) parameters: Parameters,
    #[serde(skip)]
    pub(super) limits: [[Option<Limit>; 10]; 3],
    #[serde(skip, default = "nobodys")]
    pub(super) owners: Owners,
    /// Courses of hosts, blocks, entities.
    pub(super) tables: [Table; 3],
    pub(super) exporters: Vec<Option<Exporter>>,
    pub(super) accounts: Vec<Option<Account>>,
    #[serde(skip)]
    pub(super) by_place: HashMap<Place, u32, FixedState>,
    pub(super) open: BTreeMap<Place, Open>,
    /// When the last attack on a target was over, for as long as its seconds are kept.
    pub(super) ended: BTreeMap<Place, i64>,
    pub(super) baselines: BTreeMap<Place, Baseline>,
    /// The last stretch that was learnt.
    pub(super) learnt_to: i64,
    /// Records of the stretches of late, with their numbers.
    pub(super) heard: [(i64, u64); HEARD],
    /// Records of the second that goes on; of many those with a lot of so many zeros.
    pub(super) remembered: Vec<Seen>,
    pub(super) thin: u32,
    /// The second that goes on: everything before it has been judged.
    pub(super) now: i64,
    pub(super) first: Option<Time>,
    records: u64,
    pub(super) changed: BTreeSet<Place>,
    pub(super) finished: Vec<Attack>,
    /// Those of the finished that were told.
    pub(super) told: usize,
    pub(super) forgotten: u64,
    /// Records that are not counted yet.
    pub(super) waiting: Vec<Waiting>,
    #[serde(skip)]
    pub(super) scratch: Scratch,
}

impl Traffic {
    /// A meter that knows nothing yet.
    pub fn new(
        parameters: Parameters,
        watched: Watched,
        delegations: Box<dyn Delegations + Send>,
        origins: Box<dyn Origins + Send>,
    ) -> Self {
        let mut traffic = Traffic {
            tables: [
                Table::new(parameters.max_hosts),
                Table::new(parameters.max_blocks),
                Table::new(parameters.max_entities),
            ],
            parameters: Parameters::default(),
            limits: Default::default(),
            owners: nobodys(),
            exporters: Vec::new(),
            accounts: Vec::new(),
            by_place: HashMap::default(),
            open: BTreeMap::new(),
            ended: BTreeMap::new(),
            baselines: BTreeMap::new(),
            learnt_to: i64::MIN,
            heard: [(i64::MIN, 0); HEARD],
            remembered: Vec::new(),
            thin: 0,
            now: i64::MIN,
            first: None,
            records: 0,
            changed: BTreeSet::new(),
            finished: Vec::new(),
            told: 0,
            forgotten: 0,
            waiting: Vec::new(),
            scratch: Scratch::default(),
        };
        traffic.take_up(parameters, Owners::new(watched, delegations, origins));
        traffic
    }

    /// Takes up what is not kept with the rest.
    fn take_up(&mut self, parameters: Parameters, owners: Owners) {
        let rooms = [parameters.max_hosts, parameters.max_blocks, parameters.max_entities];
        for (table, room) in self.tables.iter_mut().zip(rooms) {
            table.take_up(room);
        }
        for (limits, scale) in self.limits.iter_mut().zip([Scale::Host, Scale::Block, Scale::Entity]) {
            for kind in Misuse::OF_FLOWS.into_iter().chain([Misuse::Total]) {
                limits[kind as usize] = Some(Limit::of(&parameters, scale, kind));
            }
        }
        let places = self.accounts.iter().enumerate();
        let places = places.filter_map(|(at, account)| Some((account.as_ref()?.place, at as u32)));
        self.by_place = places.collect();
        self.parameters = parameters;
        self.owners = owners;
    }

    /// The routing changed: whose a target is will be asked anew.
    pub fn routes_changed(&mut self) {
        self.count_waiting();
        self.owners.forget();
    }

    /// One record, received from an exporter.
    pub fn flow(&mut self, received: Time, exporter: u16, flow: &Flow) {
        self.advance(received);
        let received = received.max(Time::from_seconds(self.now));
        self.records += 1;
        self.hear();
        let known = exporter_mut(&mut self.exporters, exporter);
        let behind = known.heard(received, flow.end);
        // Nothing is counted before it has been sent: a clock that runs ahead is set back for this record.
        let end = (flow.end + behind).min(received);
        let begin = end + -(flow.end - flow.begin).max(0);
        let amount = Amount::estimated(flow.packets, flow.bytes, flow.sampling);
        let seen = Seen::new(flow, classify(flow), exporter, amount);
        self.waiting.push(Waiting { seen, begin: begin.micros(), end: end.micros() });
        if self.waiting.len() >= TOGETHER {
            self.count_waiting();
        }
    }

    fn hear(&mut self) {
        let stretch = self.now.div_euclid(STRETCH);
        let heard = &mut self.heard[stretch.rem_euclid(HEARD as i64) as usize];
        if heard.0 != stretch {
            *heard = (stretch, 0);
        }
        heard.1 += 1;
    }

    /// An exporter is there and has nothing to say: a template, a counter.
    pub fn alive(&mut self, at: Time, exporter: u16) {
        self.advance(at);
        exporter_mut(&mut self.exporters, exporter).is_alive(at);
    }

    /// Something that an exporter sent did not arrive, as gaps in its sequence or the kernel tell.
    pub fn lost(&mut self, at: Time, exporter: u16, how_many: u64) {
        self.advance(at);
        self.count_waiting();
        exporter_mut(&mut self.exporters, exporter).lost(at, how_many);
        for open in self.open.values_mut() {
            let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
            if account.is_some_and(|account| account.exporters.contains(&exporter)) {
                open.lost = open.lost.saturating_add(how_many);
            }
        }
    }

    /// Everything received before `now` was told: every second that is complete is judged.
    pub fn advance(&mut self, now: Time) {
        let second = now.seconds();
        if self.first.is_none() {
            self.first = Some(Time::from_seconds(second));
            self.now = second;
        }
        if second <= self.now {
            return;
        }
        self.count_waiting();
        self.close_second();
        self.now = second;
        let silence = self.parameters.silence;
        for exporter in self.exporters.iter_mut().flatten() {
            exporter.look(now, silence);
        }
        self.end_what_is_quiet();
    }

    /// What is new since the last call. When it is asked, and how often, changes nothing of what is concluded.
    pub fn news(&mut self) -> TrafficNews {
        self.count_waiting();
        let now = Time::from_seconds(self.now);
        let changed = std::mem::take(&mut self.changed);
        let open = changed.iter().filter_map(|place| self.open.get(place));
        let mut attacks: Vec<Attack> = open.map(|open| self.tell(open)).collect();
        attacks.extend(self.finished.iter().skip(self.told).cloned());
        self.told = self.finished.len();
        attacks.sort_by_key(|attack| (attack.target, attack.start.latest));
        let keep_for = self.parameters.quiet + self.parameters.silence;
        let deaf = self.exporters.iter_mut().flatten();
        let deaf = deaf.flat_map(|exporter| exporter.take_deaf(now, keep_for)).collect();
        TrafficNews { attacks, deaf }
    }

    /// All that can be said now: every attack that goes on, and those that are over as far as they are kept. Times of
    /// deafness that were told with [`Traffic::news`] are not repeated.
    pub fn report(&self) -> TrafficReport {
        let now = Time::from_seconds(self.now);
        let mut attacks: Vec<Attack> = self.finished.clone();
        attacks.extend(self.open.values().map(|open| self.tell(open)));
        attacks.sort_by_key(|attack| (attack.start.latest, attack.target));
        let exporters = || self.exporters.iter().flatten();
        let learnt = self.baselines.iter().filter_map(|(place, baseline)| {
            let Target::Entity(entity) = place.target() else { return None };
            Some(Learnt {
                entity,
                days: baseline.days(self.now),
                usual: baseline.usual(self.now),
                deviation_from: baseline.deviation_from(self.now, &self.parameters),
            })
        });
        TrafficReport {
            window: self.first.map(|first| (first, now)),
            attacks,
            deaf: exporters().flat_map(Exporter::deaf).copied().collect(),
            exporters: exporters().map(Exporter::status).collect(),
            learnt: learnt.collect(),
            records: self.records,
            without_room: [0, 1, 2].map(|scale: usize| self.tables[scale].refused),
            forgotten: self.forgotten,
        }
    }

    /// The attacks that go on, as they are now, by target.
    pub fn ongoing(&self) -> Vec<Attack> {
        self.open.values().map(|open| self.tell(open)).collect()
    }

    /// Times in which exporters could not be heard that can still grow, as they are now, by exporter.
    pub fn deaf(&self) -> Vec<Deaf> {
        self.exporters.iter().flatten().flat_map(Exporter::deaf).copied().collect()
    }

    /// Who was heard once: since when each is silent, `None` where it is heard. They are listened to since `begun`.
    pub fn silent(&self, begun: Time, now: Time) -> impl Iterator<Item = (u16, Option<Time>)> {
        let silence = self.parameters.silence;
        let known = self.exporters.iter().flatten().filter(|exporter| exporter.last_heard() > Time::MIN);
        known.map(move |exporter| (exporter.number(), exporter.silent_since((begun, now), silence)))
    }

    /// Nothing was heard between what was told last and `now`, as this program did not run: who was heard before is deaf until
    /// heard again.
    pub fn did_not_run_until(&mut self, now: Time) {
        self.count_waiting();
        for exporter in self.exporters.iter_mut().flatten() {
            exporter.was_not_listened_to(now);
        }
        self.advance(now);
    }

    fn tell(&self, open: &Open) -> Attack {
        let account = self.accounts.get(open.account as usize).and_then(Option::as_ref);
        open.tell(account, None, &self.parameters)
    }
}

/// The exporter of a number.
#[inline]
pub(super) fn exporter_mut(exporters: &mut Vec<Option<Exporter>>, number: u16) -> &mut Exporter {
    let at = usize::from(number);
    if exporters.len() <= at {
        exporters.resize_with(at + 1, || None);
    }
    exporters[at].get_or_insert_with(|| Exporter::new(number))
}

/// All state of a [`Traffic`], as it was deserialised: thresholds, what is watched and whose it is come from outside.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub struct KeptTraffic(Traffic);

impl KeptTraffic {
    /// Goes on from here, with what was in force before.
    pub fn go_on(
        self,
        parameters: Parameters,
        watched: Watched,
        delegations: Box<dyn Delegations + Send>,
        origins: Box<dyn Origins + Send>,
    ) -> Traffic {
        let KeptTraffic(mut traffic) = self;
        traffic.take_up(parameters, Owners::new(watched, delegations, origins));
        traffic
    }
}
