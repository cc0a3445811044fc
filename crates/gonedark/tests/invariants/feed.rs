//! Drives the inference with what a scenario's collectors record, in memory, as archive files would.

use gonedark::present::{Case, Nameless, RunInfo, json};
use gonedark::scenario::{self, Recorded, RibEntry, Scenario, ScenarioEvent};
use gonedark_infer::entity::CountryCode;
use gonedark_infer::observation::{CollectorId, Delegations, Named, PeerId, PeerKey, TableEntry, Update};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{BlindReason, Report};
use gonedark_infer::{Inference, Kept, Watch};
use gonedark_route::{Asn, AsnSize, Family, Nlri, PathView, Prefix, Time};
use std::collections::VecDeque;

/// How a scenario is fed.
#[derive(Clone)]
pub(crate) struct Feeding {
    pub(crate) parameters: Parameters,
    pub(crate) shards: usize,
    /// Calls of `watermark` between two observations.
    pub(crate) watermarks: i64,
    /// What is of one stamp is shuffled between peers, and peers are named in another order.
    pub(crate) shuffle: Option<u64>,
    /// Only this family is fed.
    pub(crate) only: Option<Family>,
    /// After some observations, drawn by this seed, all state is written down and read again.
    pub(crate) restarts: Option<u64>,
    /// News are told, and what can change no more is forgotten.
    pub(crate) tells_news: bool,
}

impl Default for Feeding {
    fn default() -> Self {
        Feeding {
            parameters: Parameters::default(),
            shards: 1,
            watermarks: 0,
            shuffle: None,
            only: None,
            restarts: None,
            tells_news: false,
        }
    }
}

/// The countries of a scenario, as registries would tell them.
pub(crate) struct Registry {
    networks: Vec<(Prefix, CountryCode)>,
    asns: Vec<(Asn, CountryCode)>,
}

impl Registry {
    pub(crate) fn of(scenario: &Scenario) -> Self {
        let known = scenario.networks.iter().filter_map(|network| Some((network, network.country?)));
        let outer = |prefix: Prefix| {
            !scenario
                .networks
                .iter()
                .any(|other| other.country.is_some() && other.prefix != prefix && other.prefix.covers(prefix))
        };
        let networks = known.clone().filter(|(network, _)| outer(network.prefix));
        let mut asns: Vec<(Asn, CountryCode)> =
            known.clone().map(|(network, country)| (network.origin, country)).collect();
        asns.extend(scenario.peers.iter().filter_map(|peer| Some((peer.asn, peer.country?))));
        Registry { networks: networks.map(|(network, country)| (network.prefix, country)).collect(), asns }
    }
}

impl Delegations for Registry {
    fn split(&self, prefix: Prefix, into: &mut Vec<(CountryCode, u64)>) {
        let unit: u8 = if prefix.family() == Family::V4 { 24 } else { 48 };
        let units = |prefix: Prefix| 1_u64 << unit.saturating_sub(prefix.length());
        let mut shares = std::collections::BTreeMap::<CountryCode, u64>::new();
        for (space, country) in &self.networks {
            if space.covers(prefix) {
                *shares.entry(*country).or_default() += units(prefix);
            } else if prefix.covers(*space) {
                *shares.entry(*country).or_default() += units(*space);
            }
        }
        into.extend(shares);
        into.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    }

    fn country_of_asn(&self, asn: Asn) -> Option<CountryCode> {
        self.asns.iter().find(|(known, _)| *known == asn).map(|(_, country)| *country)
    }
}

/// What the inference says of a scenario.
pub(crate) fn report(scenario: &Scenario, feeding: &Feeding) -> Report {
    drive(scenario, feeding, |_| {}).report(scenario.until)
}

/// Feeds a scenario; `after` is called after each observation or table.
pub(crate) fn drive(
    scenario: &Scenario,
    feeding: &Feeding,
    mut after: impl FnMut(&mut Inference),
) -> Inference {
    let mut restarts = feeding.restarts;
    let mut feed = Feed::new(scenario, feeding);
    let mut edges = edges(scenario);
    let mut units = units(scenario, feeding.shuffle);
    // Stamps ascend: the units are sorted by them.
    let mut last: Option<Time> = None;
    while let Some(unit) = units.pop_front() {
        let at = unit[0].stamp;
        while let Some((edge, begins, collector)) = edges.front().copied().filter(|edge| edge.0 <= at) {
            edges.pop_front();
            feed.edge(edge, begins, collector);
        }
        for step in 1..=feeding.watermarks {
            let Some(last) = last else { break };
            feed.inference.watermark(last + (at - last) / (feeding.watermarks + 1) * step);
        }
        last = Some(at);
        unit.iter().for_each(|event| feed.event(event));
        if restarts.as_mut().is_some_and(|state| draw(state).is_multiple_of(40)) {
            feed.restart(scenario);
        }
        after(&mut feed.inference);
    }
    for (edge, begins, collector) in edges.into_iter().filter(|edge| edge.0 <= scenario.until) {
        feed.edge(edge, begins, collector);
    }
    feed.inference
}

/// Begins and ends of missing files, ends first.
fn edges(scenario: &Scenario) -> VecDeque<(Time, bool, usize)> {
    let collectors = scenario.collectors.iter().enumerate();
    let mut edges: Vec<(Time, bool, usize)> = collectors
        .flat_map(|(index, collector)| {
            merged(&collector.missing)
                .into_iter()
                .flat_map(move |(from, until)| [(from, true, index), (until, false, index)])
        })
        .collect();
    edges.sort_unstable();
    edges.into()
}

/// Missing files that touch or overlap are one gap, as they are to whoever looks at a folder.
fn merged(missing: &[(Time, Time)]) -> Vec<(Time, Time)> {
    let mut sorted = missing.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<(Time, Time)> = Vec::new();
    for (from, until) in sorted {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(until),
            _ => merged.push((from, until)),
        }
    }
    merged
}

/// What is recorded in the order of stamps: a whole table is one unit, anything else is one by itself.
fn units(scenario: &Scenario, shuffle: Option<u64>) -> VecDeque<Vec<ScenarioEvent>> {
    let mut units: Vec<Vec<ScenarioEvent>> = Vec::new();
    let mut tables: Vec<Option<usize>> = vec![None; scenario.collectors.len()];
    for event in scenario::events(scenario) {
        let collector = event.collector;
        match (&event.what, tables[collector]) {
            (Recorded::Gap { .. }, _) => {}
            (Recorded::RibRow { .. } | Recorded::RibEnd, Some(unit)) => units[unit].push(event),
            (what, _) => {
                tables[collector] = matches!(what, Recorded::RibBegin).then_some(units.len());
                units.push(vec![event]);
            }
        }
    }
    units.sort_by_key(|unit| (unit[0].stamp, !matches!(unit[0].what, Recorded::RibBegin)));
    let Some(mut state) = shuffle else { return units.into() };
    let mut shuffled = Vec::new();
    for stamp in units.chunk_by(|a, b| a[0].stamp == b[0].stamp) {
        let tabled: Vec<usize> =
            stamp.iter().filter(|unit| unit.len() > 1).map(|unit| unit[0].collector).collect();
        let lane = |unit: &[ScenarioEvent]| match peer_of(&unit[0]) {
            Some(peer) if !tabled.contains(&unit[0].collector) => (1, peer),
            _ => (0, unit[0].collector),
        };
        let mut lanes = std::collections::BTreeMap::<_, VecDeque<Vec<ScenarioEvent>>>::new();
        stamp.iter().for_each(|unit| lanes.entry(lane(unit)).or_default().push_back(unit.clone()));
        let mut lanes: Vec<_> = lanes.into_values().collect();
        while !lanes.is_empty() {
            let drawn = draw(&mut state) as usize % lanes.len();
            shuffled.extend(lanes[drawn].pop_front());
            lanes.retain(|lane| !lane.is_empty());
        }
    }
    shuffled.into()
}

/// Xorshift64: any order will do, as long as the same seed gives the same.
pub(crate) fn draw(state: &mut u64) -> u64 {
    *state = (*state).max(1);
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state >> 16
}

fn peer_of(event: &ScenarioEvent) -> Option<usize> {
    match &event.what {
        Recorded::Update { peer, .. } | Recorded::EndOfRib { peer, .. } | Recorded::State { peer, .. } => {
            Some(*peer)
        }
        _ => None,
    }
}

/// All countries are asked for, so that the series of all are compared.
fn watch(scenario: &Scenario) -> Watch {
    let countries = Registry::of(scenario).networks.iter().map(|(_, country)| *country).collect();
    Watch { countries, ..Watch::default() }
}

struct Feed<'a> {
    inference: Inference,
    feeding: &'a Feeding,
    collectors: Vec<CollectorId>,
    peers: Vec<PeerId>,
}

impl<'a> Feed<'a> {
    fn new(scenario: &Scenario, feeding: &'a Feeding) -> Self {
        let registry = Box::new(Registry::of(scenario));
        let parameters = feeding.parameters.clone();
        let mut inference = Inference::new(parameters, registry, watch(scenario), feeding.shards);
        if feeding.tells_news {
            inference.tell_news();
        }
        let mut collectors: Vec<Option<CollectorId>> = vec![None; scenario.collectors.len()];
        let mut peers: Vec<Option<PeerId>> = vec![None; scenario.peers.len()];
        let mut order: Vec<usize> = (0..peers.len()).collect();
        if let Some(mut state) = feeding.shuffle {
            order.sort_by_cached_key(|_| draw(&mut state));
        }
        for index in order {
            let peer = &scenario.peers[index];
            let collector = inference.collector(&scenario.collectors[peer.collector].name);
            collectors[peer.collector] = Some(collector);
            peers[index] = inference.peer(PeerKey { collector, asn: peer.asn, address: peer.address });
        }
        let collectors = collectors.into_iter().map(|id| id.expect("every collector has a peer")).collect();
        Feed { inference, feeding, collectors, peers: peers.into_iter().flatten().collect() }
    }

    /// All state is written down and read again, as after a crash.
    fn restart(&mut self, scenario: &Scenario) {
        let bytes = postcard::to_stdvec(&self.inference).expect("memory takes everything");
        let kept: Kept = postcard::from_bytes(&bytes).expect("what was written is read");
        let (registry, watch) = (Box::new(Registry::of(scenario)), watch(scenario));
        self.inference = kept.go_on(self.feeding.parameters.clone(), registry, watch);
    }

    fn edge(&mut self, at: Time, begins: bool, collector: usize) {
        let collector = self.collectors[collector];
        if begins {
            self.inference.gap_begin(at, collector, BlindReason::MissingFile);
        } else {
            self.inference.gap_end(at, collector);
        }
    }

    fn wanted(&self, prefix: Prefix) -> bool {
        self.feeding.only.is_none_or(|only| prefix.family() == only)
    }

    fn named(&mut self, routes: &[Nlri]) -> Vec<Named> {
        let wanted: Vec<Nlri> = routes.iter().copied().filter(|route| self.wanted(route.prefix)).collect();
        let network = |Nlri { prefix, path_id }| Named {
            network: self.inference.network(prefix).expect("room"),
            path_id,
        };
        wanted.into_iter().map(network).collect()
    }

    fn event(&mut self, event: &ScenarioEvent) {
        let (at, collector) = (event.stamp, self.collectors[event.collector]);
        match &event.what {
            Recorded::RibBegin => self.inference.table_begin(at, collector),
            Recorded::RibRow { prefix, entries } if self.wanted(*prefix) => {
                self.row(collector, *prefix, entries)
            }
            Recorded::RibEnd => self.inference.table_end(collector, true),
            Recorded::Update { peer, withdrawn, announced, path } => {
                let (announced, withdrawn) = (self.named(announced), self.named(withdrawn));
                let path = bytes(path);
                if announced.is_empty() && withdrawn.is_empty() {
                    return;
                }
                let tail = (!announced.is_empty()).then(|| PathView::new(&path, AsnSize::Four).tail());
                let (announced, withdrawn) = (&announced[..], &withdrawn[..]);
                self.inference.update(&Update { at, peer: self.peers[*peer], tail, announced, withdrawn });
            }
            Recorded::EndOfRib { peer, .. } => self.inference.end_of_rib(at, self.peers[*peer]),
            Recorded::State { peer, up } => self.inference.peer_state(at, self.peers[*peer], *up),
            Recorded::RibRow { .. } | Recorded::Gap { .. } => {}
        }
    }

    fn row(&mut self, collector: CollectorId, prefix: Prefix, entries: &[RibEntry]) {
        let paths: Vec<Vec<u8>> = entries.iter().map(|entry| bytes(&entry.path)).collect();
        let entries: Vec<TableEntry> = entries
            .iter()
            .zip(&paths)
            .map(|(entry, path)| TableEntry {
                peer: self.peers[entry.peer],
                tail: PathView::new(path, AsnSize::Four).tail(),
                path_id: entry.path_id,
            })
            .collect();
        let network = self.inference.network(prefix).expect("room");
        self.inference.table_row(collector, network, entries.into_iter());
    }
}

/// An AS_SEQUENCE as RFC 4271 section 4.3 has it, with ASNs of four bytes.
fn bytes(path: &[Asn]) -> Vec<u8> {
    let mut bytes = vec![2, path.len() as u8];
    bytes.extend(path.iter().flat_map(|asn| asn.0.to_be_bytes()));
    bytes
}

/// The report as JSON and, for what JSON leaves out, as it is in memory.
pub(crate) fn said(report: &Report) -> String {
    let mut out = Vec::new();
    let run = RunInfo::default();
    json::write(&mut out, &Case { report, run: &run, gazetteer: &Nameless, traffic: None })
        .expect("memory takes everything");
    format!("{}\n{report:#?}", String::from_utf8(out).expect("JSON is UTF-8"))
}
