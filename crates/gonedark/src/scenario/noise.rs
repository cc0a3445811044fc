//! Background noise: four Poisson processes, each with its own stream of numbers.

use super::convergence::delays;
use super::plan::Scenario;
use super::prng::SplitMix64;
use super::simulation::Action;
use super::world::CellChange;
use gonedark_route::Time;
use std::sync::Arc;

/// An hour in microseconds.
const HOUR: f64 = 3_600e6;
/// A short loss lasts so long, in microseconds: under the two minutes below which an isolated loss is no news.
const SHORT: (i64, i64) = (20_000_000, 90_000_000);
/// A session reset lasts so long, in microseconds (guess).
const RESET: (i64, i64) = (60_000_000, 600_000_000);
/// First to last peer in a short loss, in microseconds (guess; under the shortest loss).
const SPREAD: i64 = 10_000_000;

const KINDS: [Kind; 4] = [Kind::PathChange, Kind::PeerFlap, Kind::NetworkFlap, Kind::SessionReset];

#[derive(Clone, Copy)]
enum Kind {
    PathChange,
    PeerFlap,
    NetworkFlap,
    SessionReset,
}

pub(crate) struct Noise<'a> {
    scenario: &'a Scenario,
    processes: Vec<Process>,
    /// The networks that noise may touch.
    churning: Vec<u32>,
}

struct Process {
    kind: Kind,
    mean: f64,
    numbers: SplitMix64,
}

impl<'a> Noise<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let rates = &scenario.background;
        let per_hour = [
            rates.path_changes_per_hour,
            rates.peer_flaps_per_hour,
            rates.network_flaps_per_hour,
            rates.session_resets_per_day / 24.0,
        ];
        let active = KINDS.into_iter().zip(per_hour).enumerate().filter(|(_, (_, rate))| *rate > 0.0);
        let processes = active.map(|(index, (kind, rate))| Process {
            kind,
            mean: HOUR / rate,
            numbers: SplitMix64::stream(scenario.seed, &[3, index as u64]),
        });
        let all = scenario.networks.iter().enumerate();
        let churning = all.filter(|(_, network)| network.churn && network.announced);
        let churning = churning.map(|(index, _)| index as u32).collect();
        Noise { scenario, processes: processes.collect(), churning }
    }

    /// When each process strikes first.
    pub(crate) fn first(&mut self, from: Time) -> Vec<(usize, Time)> {
        let strike =
            |(index, process): (usize, &mut Process)| (index, from + process.numbers.wait(process.mean));
        self.processes.iter_mut().enumerate().map(strike).collect()
    }

    /// What a strike does, and the next one.
    pub(crate) fn next(&mut self, index: usize, at: Time) -> Vec<(Time, Action)> {
        let Process { kind, mean, numbers } = &mut self.processes[index];
        let mut actions = vec![(at + numbers.wait(*mean), Action::Noise(index))];
        let peer = numbers.below(self.scenario.peers.len()) as u32;
        let chosen = numbers.below(self.churning.len());
        let Some(network) = self.churning.get(chosen) else { return actions };
        let networks: Arc<[u32]> = Arc::from([*network]);
        let apply =
            |peer: u32, change: CellChange| Action::Apply { peer, networks: Arc::clone(&networks), change };
        match kind {
            Kind::PathChange => actions.push((at, apply(peer, CellChange::Repath))),
            Kind::PeerFlap => {
                let back = at + numbers.between(SHORT.0, SHORT.1);
                actions
                    .extend([(at, apply(peer, CellChange::Lose)), (back, apply(peer, CellChange::Regain))]);
            }
            Kind::NetworkFlap => {
                let back = at + numbers.between(SHORT.0, SHORT.1);
                for (at, change) in [(at, CellChange::Lose), (back, CellChange::Regain)] {
                    let delays = delays(self.scenario, SPREAD, numbers).into_iter().enumerate();
                    actions.extend(delays.map(|(peer, delay)| (at + delay, apply(peer as u32, change))));
                }
            }
            Kind::SessionReset => {
                let up = at + numbers.between(RESET.0, RESET.1);
                actions.extend([(at, Action::SessionDown { peer }), (up, Action::SessionUp { peer })]);
            }
        }
        actions
    }
}
