//! Runs a scenario: a queue of what happens when, and what each collector records of it.

use super::convergence::{delays, offsets};
use super::incidents::Truth;
use super::noise::Noise;
use super::plan::{Flaps, Scenario, What};
use super::prng::SplitMix64;
use super::recording::{Recorded, ScenarioEvent};
use super::truth::Blindness;
use super::world::{CellChange, World};
use gonedark_route::{Asn, Family, Time};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// A table transfer comes in so many pieces ...
const TRANSFER_PIECES: u32 = 20;
/// ... this far apart: 20 s in all. Real full tables took 37 s (RouteViews, 2015) and more.
const TRANSFER_PAUSE: i64 = 1_000_000;

/// What is going to happen.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    /// Event number.
    Begin(usize),
    Flap {
        event: usize,
        count: u64,
    },
    Apply {
        peer: u32,
        networks: Arc<[u32]>,
        change: CellChange,
    },
    Announced {
        networks: Arc<[u32]>,
        announced: bool,
    },
    Unstick {
        peer: u32,
        networks: Arc<[u32]>,
    },
    SessionDown {
        peer: u32,
    },
    SessionUp {
        peer: u32,
    },
    Transfer {
        peer: u32,
        piece: u32,
        session: u32,
    },
    Revive {
        collector: usize,
        silently: bool,
        since: Time,
    },
    Table {
        collector: usize,
    },
    Gap {
        collector: usize,
        index: usize,
    },
    Noise(usize),
}

struct Queued {
    at: Time,
    order: u64,
    action: Action,
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.order) == (other.at, other.order)
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.order).cmp(&(other.at, other.order))
    }
}

/// The session of a peer.
#[derive(Clone, Copy, Default)]
struct Session {
    /// How many reasons hold it down.
    down: u32,
    /// Counts sessions, so that a transfer ends with its session.
    number: u32,
    /// Since when it cannot be trusted to show the peer's table.
    blind_since: Option<Time>,
}

/// Everything that the collectors of a scenario record, in time order. Memory is bounded by peers x networks, however
/// long the scenario lasts.
pub struct Events<'a> {
    scenario: &'a Scenario,
    world: World<'a>,
    queue: BinaryHeap<Reverse<Queued>>,
    order: u64,
    sessions: Vec<Session>,
    /// Per collector, how many reasons keep it from recording.
    deaf: Vec<u32>,
    noise: Noise<'a>,
    ready: VecDeque<ScenarioEvent>,
}

impl<'a> Events<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let mut events = Events {
            scenario,
            world: World::new(scenario),
            queue: BinaryHeap::new(),
            order: 0,
            sessions: vec![Session::default(); scenario.peers.len()],
            deaf: vec![0; scenario.collectors.len()],
            noise: Noise::new(scenario),
            ready: VecDeque::new(),
        };
        for (index, event) in scenario.events.iter().enumerate() {
            events.push(event.at, Action::Begin(index));
        }
        for (index, collector) in scenario.collectors.iter().enumerate() {
            if let Some(every) = collector.tables_every {
                let first = scenario.from.micros() + (-scenario.from.micros()).rem_euclid(every);
                events.push(Time::from_micros(first - collector.skew), Action::Table { collector: index });
            }
            for (gap, (from, _)) in collector.missing.iter().enumerate() {
                events.push(*from + -collector.skew, Action::Gap { collector: index, index: gap });
            }
        }
        for (process, at) in events.noise.first(scenario.from) {
            events.push(at, Action::Noise(process));
        }
        events
    }

    /// The truth, after the last event; before it, the truth so far.
    pub fn into_truth(self) -> Truth {
        self.world.observer.finish(self.scenario.until)
    }

    fn push(&mut self, at: Time, action: Action) {
        if at < self.scenario.until {
            self.order += 1;
            self.queue.push(Reverse(Queued { at: at.max(self.scenario.from), order: self.order, action }));
        }
    }

    fn record(&mut self, at: Time, collector: usize, what: Recorded) {
        let stamp = self.scenario.collectors[collector].stamp(at);
        self.ready.push_back(ScenarioEvent { at, stamp, collector, what });
    }

    /// Whether what a peer sends now reaches a file.
    fn recorded(&self, at: Time, peer: usize) -> bool {
        let collector = self.scenario.peers[peer].collector;
        let described = &self.scenario.collectors[collector];
        self.sessions[peer].down == 0
            && self.deaf[collector] == 0
            && !described.is_missing(described.stamp(at))
    }

    fn record_from(&mut self, at: Time, peer: usize, what: Vec<Recorded>) {
        if self.recorded(at, peer) {
            let collector = self.scenario.peers[peer].collector;
            what.into_iter().for_each(|what| self.record(at, collector, what));
        }
    }

    fn run(&mut self, at: Time, action: Action) {
        match action {
            Action::Begin(event) => self.begin(at, event),
            Action::Flap { event, count } => self.flap(at, event, count),
            Action::Apply { peer, networks, change } => {
                let updates = self.world.apply(at, peer as usize, &networks, change);
                self.record_from(at, peer as usize, updates);
            }
            Action::Announced { networks, announced } => self.world.announce(&networks, announced),
            Action::Unstick { peer, networks } => {
                self.world.stick(peer, &networks, false);
                let updates = self.world.apply(at, peer as usize, &networks, CellChange::Settle);
                self.record_from(at, peer as usize, updates);
            }
            Action::SessionDown { peer } => self.session_down(at, peer as usize),
            Action::SessionUp { peer } => self.session_up(at, peer as usize),
            Action::Transfer { peer, piece, session } => self.transfer(at, peer, piece, session),
            Action::Revive { collector, silently, since } => self.revive(at, collector, silently, since),
            Action::Table { collector } => self.table(at, collector),
            Action::Gap { collector, index } => {
                let (from, until) = self.scenario.collectors[collector].missing[index];
                self.record(at, collector, Recorded::Gap { from, until });
            }
            Action::Noise(process) => {
                for (later, action) in self.noise.next(process, at) {
                    self.push(later, action);
                }
            }
        }
    }

    fn begin(&mut self, at: Time, event: usize) {
        let mut numbers = SplitMix64::stream(self.scenario.seed, &[1, event as u64]);
        match &self.scenario.events[event].what {
            What::Lose { networks, spread, stagger } => {
                self.staggered(at, networks, (*spread, *stagger), CellChange::Lose, &mut numbers);
            }
            What::Gain { networks, spread, stagger } => {
                self.staggered(at, networks, (*spread, *stagger), CellChange::Gain, &mut numbers);
            }
            What::Flaps(_) => self.flap(at, event, 0),
            What::Reroute { networks, via, spread } => {
                self.world.reroute(networks, *via);
                self.spread(at, networks.as_slice().into(), *spread, CellChange::Follow, &mut numbers);
            }
            What::SessionLoss { peers, lasts } => {
                for peer in peers {
                    self.session_down(at, *peer as usize);
                    self.push(at + *lasts, Action::SessionUp { peer: *peer });
                }
            }
            What::CollectorGap => {}
            What::CollectorOutage { collector, lasts } => {
                self.deaf[*collector] += 1;
                let revive = Action::Revive { collector: *collector, silently: false, since: at };
                self.push(at + *lasts, revive);
            }
            What::SilentRestart { collector, lasts } => {
                self.deaf[*collector] += 1;
                let revive = Action::Revive { collector: *collector, silently: true, since: at };
                self.push(at + *lasts, revive);
            }
            What::Stuck { peers, networks, lasts } => {
                for peer in peers {
                    self.world.stick(*peer, networks, true);
                    self.push(
                        at + *lasts,
                        Action::Unstick { peer: *peer, networks: networks.as_slice().into() },
                    );
                }
            }
            What::Hijack { networks, origin, share, spread, lasts } => {
                self.hijack(at, (networks, *origin), *share, (*spread, *lasts), &mut numbers);
            }
            What::Leak { peers, networks, lasts } => {
                let networks: Arc<[u32]> = networks.as_slice().into();
                for peer in peers {
                    for (at, change) in [(at, CellChange::Leak), (at + *lasts, CellChange::Unleak)] {
                        self.push(at, Action::Apply { peer: *peer, networks: Arc::clone(&networks), change });
                    }
                }
            }
        }
    }

    /// The networks go or come one after the other, and each change spreads over the peers.
    fn staggered(
        &mut self,
        at: Time,
        networks: &[u32],
        (spread, stagger): (i64, i64),
        change: CellChange,
        numbers: &mut SplitMix64,
    ) {
        for (offset, networks) in offsets(networks, stagger, numbers) {
            let networks: Arc<[u32]> = networks.into();
            let announced = change == CellChange::Gain;
            self.push(at + offset, Action::Announced { networks: Arc::clone(&networks), announced });
            self.spread(at + offset, networks, spread, change, &mut numbers.clone());
        }
    }

    /// Every peer sees the change after its own delay; some hunt for other paths before they give up.
    fn spread(
        &mut self,
        at: Time,
        networks: Arc<[u32]>,
        spread: i64,
        change: CellChange,
        numbers: &mut SplitMix64,
    ) {
        let delays = delays(self.scenario, spread, numbers);
        for (peer, delay) in delays.into_iter().enumerate() {
            let peer = peer as u32;
            let hunts = change == CellChange::Lose && delay > 2_000_000 && numbers.chance(0.5);
            if hunts {
                let networks = Arc::clone(&networks);
                self.push(at + delay / 2, Action::Apply { peer, networks, change: CellChange::Hunt });
            }
            self.push(at + delay, Action::Apply { peer, networks: Arc::clone(&networks), change });
        }
    }

    fn flap(&mut self, at: Time, event: usize, count: u64) {
        let What::Flaps(flaps) = &self.scenario.events[event].what else { return };
        let Flaps { networks, lasts, down, spread, .. } = flaps;
        let elapsed = at - self.scenario.events[event].at;
        if elapsed + down.1 + spread > *lasts {
            return;
        }
        let mut numbers = SplitMix64::stream(self.scenario.seed, &[2, event as u64, count]);
        let networks: Arc<[u32]> = networks.as_slice().into();
        let back = at + numbers.between(down.0, down.1);
        for (at, change) in [(at, CellChange::Lose), (back, CellChange::Gain)] {
            let announced = change == CellChange::Gain;
            self.push(at, Action::Announced { networks: Arc::clone(&networks), announced });
            self.spread(at, Arc::clone(&networks), *spread, change, &mut numbers);
        }
        let interval = flaps.interval(elapsed);
        let varied = interval + numbers.between(-interval / 10, interval / 10);
        self.push(at + varied, Action::Flap { event, count: count + 1 });
    }

    fn hijack(
        &mut self,
        at: Time,
        (networks, origin): (&[u32], Asn),
        share: f64,
        (spread, lasts): (i64, i64),
        numbers: &mut SplitMix64,
    ) {
        let networks: Arc<[u32]> = networks.into();
        let delays = delays(self.scenario, spread, numbers);
        for (peer, delay) in delays.into_iter().enumerate() {
            if numbers.chance(share) {
                for (at, change) in
                    [(at, CellChange::Usurp(origin)), (at + lasts, CellChange::Restore(origin))]
                {
                    let networks = Arc::clone(&networks);
                    self.push(at + delay, Action::Apply { peer: peer as u32, networks, change });
                }
            }
        }
    }

    fn session_down(&mut self, at: Time, peer: usize) {
        self.sessions[peer].blind_since.get_or_insert(at);
        self.record_from(at, peer, vec![Recorded::State { peer, up: false }]);
        self.sessions[peer].down += 1;
    }

    fn session_up(&mut self, at: Time, peer: usize) {
        self.sessions[peer].down -= 1;
        if self.sessions[peer].down == 0 && self.deaf[self.scenario.peers[peer].collector] == 0 {
            self.record_from(at, peer, vec![Recorded::State { peer, up: true }]);
            self.start_transfer(at, peer);
        }
    }

    fn start_transfer(&mut self, at: Time, peer: usize) {
        self.sessions[peer].number += 1;
        let session = self.sessions[peer].number;
        self.push(at + TRANSFER_PAUSE, Action::Transfer { peer: peer as u32, piece: 0, session });
    }

    fn transfer(&mut self, at: Time, peer: u32, piece: u32, session: u32) {
        let index = peer as usize;
        if self.sessions[index].number != session || self.sessions[index].down > 0 {
            return;
        }
        let total = self.scenario.networks.len() as u32;
        let size = total.div_ceil(TRANSFER_PIECES);
        let updates = self.world.transfer(index, (piece * size).min(total)..((piece + 1) * size).min(total));
        self.record_from(at, index, updates);
        if piece + 1 < TRANSFER_PIECES {
            self.push(at + TRANSFER_PAUSE, Action::Transfer { peer, piece: piece + 1, session });
            return;
        }
        let families = self.scenario.peers[index].families;
        let ends = Family::ALL.into_iter().filter(|family| families[*family as usize]);
        self.record_from(at, index, ends.map(|family| Recorded::EndOfRib { peer: index, family }).collect());
        if let Some(from) = self.sessions[index].blind_since.take() {
            self.world.observer.blind(Blindness { peer: index, from, until: at });
        }
    }

    fn revive(&mut self, at: Time, collector: usize, silently: bool, since: Time) {
        self.deaf[collector] -= 1;
        if self.deaf[collector] > 0 {
            return;
        }
        for peer in self.scenario.collectors[collector].peers.clone() {
            self.sessions[peer].blind_since.get_or_insert(since);
            if self.sessions[peer].down == 0 {
                if !silently {
                    self.record_from(at, peer, vec![Recorded::State { peer, up: true }]);
                }
                self.start_transfer(at, peer);
            }
        }
    }

    fn table(&mut self, at: Time, collector: usize) {
        let described = &self.scenario.collectors[collector];
        let up = |peer: &usize| self.sessions[*peer].down == 0;
        let shown: Vec<usize> = described.peers.clone().filter(up).collect();
        if self.deaf[collector] == 0 && !described.is_missing(described.stamp(at)) {
            self.record(at, collector, Recorded::RibBegin);
            for index in 0..self.scenario.networks.len() {
                if let Some(row) = self.world.row(index, &shown, described.skew) {
                    self.record(at, collector, row);
                }
            }
            self.record(at, collector, Recorded::RibEnd);
        }
        if let Some(every) = described.tables_every {
            self.push(at + every, Action::Table { collector });
        }
    }
}

impl Iterator for Events<'_> {
    type Item = ScenarioEvent;

    fn next(&mut self) -> Option<ScenarioEvent> {
        while self.ready.is_empty() {
            let Reverse(Queued { at, action, .. }) = self.queue.pop()?;
            self.run(at, action);
        }
        self.ready.pop_front()
    }
}
