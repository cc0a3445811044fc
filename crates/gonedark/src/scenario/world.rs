//! What every peer holds, and how it changes: the truth that sessions then show or hide.

use super::check::carries;
use super::plan::{Peer, Scenario};
use super::recording::Recorded;
use super::topology::Paths;
use super::truth::Observer;
use gonedark_route::{Asn, Family, Nlri, Prefix, Time};
use std::collections::HashSet;
use std::sync::Arc;

/// Paths that a peer has to choose from (guess; enough for path hunting to show).
const ALTERNATIVES: u8 = 4;
/// Most routes in one UPDATE: 150 x 21 bytes of IPv6 with path identifier stay under the 4,096 of RFC 4271.
const ROUTES_PER_UPDATE: usize = 150;

/// One route of one peer.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Who originates it; 0 where the peer holds none.
    origin: u32,
    /// Since when, in seconds since 1970.
    since: u32,
    via: u16,
    salt: u8,
    /// Whether an ADD-PATH session has the second path as well.
    second: bool,
    /// Whether it counts as held: a foreign origin alone does not bring a network back.
    counts: bool,
}

/// How a cell changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum CellChange {
    /// The route is gone, unless it is stuck or domestic.
    Lose,
    /// The route of the rightful origin comes.
    Gain,
    /// The same, unless the world has lost the network meanwhile.
    Regain,
    /// Another path, if one is held.
    Repath,
    /// On the way to a loss: another path, or with ADD-PATH the second path goes.
    Hunt,
    /// The way out that the world uses now, if one is held.
    Follow,
    /// A foreign origin's route.
    Usurp(Asn),
    /// The foreign origin is gone.
    Restore(Asn),
    /// A stuck route is let go.
    Settle,
    /// What the peer should not give.
    Leak,
    /// The end of that.
    Unleak,
}

/// What a change did to a peer's route.
enum Seen {
    Nothing,
    Gone { second: bool },
    SecondGone,
    Given,
}

pub(crate) struct World<'a> {
    scenario: &'a Scenario,
    cells: Vec<Cell>,
    /// Whether the rightful origin announces the network, and which way out is used.
    announced: Vec<(bool, u16)>,
    stuck: HashSet<(u32, u32)>,
    /// Networks by prefix, for tables.
    order: Vec<u32>,
    paths: Paths,
    pub(crate) observer: Observer<'a>,
}

impl<'a> World<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let mut order: Vec<u32> = (0..scenario.networks.len() as u32).collect();
        order.sort_by_key(|index| scenario.networks[*index as usize].prefix);
        let announced = scenario.networks.iter().map(|network| (network.announced, network.via)).collect();
        let mut world = World {
            scenario,
            cells: vec![Cell::default(); scenario.networks.len() * scenario.peers.len()],
            announced,
            stuck: HashSet::new(),
            order,
            paths: Paths::default(),
            observer: Observer::new(scenario),
        };
        for peer in 0..scenario.peers.len() {
            for network in 0..scenario.networks.len() as u32 {
                if scenario.networks[network as usize].announced {
                    world.change(scenario.from, peer, network, CellChange::Gain);
                }
            }
        }
        world.observer.start();
        world
    }

    fn cell(&mut self, peer: usize, network: u32) -> &mut Cell {
        &mut self.cells[peer * self.scenario.networks.len() + network as usize]
    }

    /// The rightful origin begins or ceases to announce.
    pub(crate) fn announce(&mut self, networks: &[u32], announced: bool) {
        for network in networks {
            self.announced[*network as usize].0 = announced;
        }
    }

    /// The networks leave the country another way.
    pub(crate) fn reroute(&mut self, networks: &[u32], via: u16) {
        for network in networks {
            self.announced[*network as usize].1 = via;
        }
    }

    pub(crate) fn stick(&mut self, peer: u32, networks: &[u32], stuck: bool) {
        for network in networks {
            if stuck {
                self.stuck.insert((peer, *network));
            } else {
                self.stuck.remove(&(peer, *network));
            }
        }
    }

    /// Changes a peer's routes and gives the updates that its session carries.
    pub(crate) fn apply(
        &mut self,
        at: Time,
        peer: usize,
        networks: &[u32],
        change: CellChange,
    ) -> Vec<Recorded> {
        let mut batch = Batch::new(peer);
        for network in networks {
            let seen = self.change(at, peer, *network, change);
            let prefix = self.scenario.networks[*network as usize].prefix;
            let add_path = self.scenario.peers[peer].add_path;
            match seen {
                Seen::Nothing => {}
                Seen::Gone { second } => {
                    if second {
                        batch.withdraw(Nlri { prefix, path_id: 2 });
                    }
                    batch.withdraw(Nlri { prefix, path_id: u32::from(add_path) });
                }
                Seen::SecondGone => batch.withdraw(Nlri { prefix, path_id: 2 }),
                Seen::Given => self.give(&mut batch, peer, *network),
            }
        }
        batch.finish()
    }

    /// The peer's whole share of `networks`, as after a new session.
    pub(crate) fn transfer(&mut self, peer: usize, networks: std::ops::Range<u32>) -> Vec<Recorded> {
        let mut batch = Batch::new(peer);
        for network in networks {
            self.give(&mut batch, peer, network);
        }
        batch.finish()
    }

    fn give(&mut self, batch: &mut Batch, peer: usize, network: u32) {
        let prefix = self.scenario.networks[network as usize].prefix;
        for (path_id, path) in self.routes(peer, network).into_iter().flatten() {
            batch.announce(Nlri { prefix, path_id }, path);
        }
    }

    /// What a peer holds to a network: none, one, or with ADD-PATH two.
    fn routes(&mut self, peer: usize, network: u32) -> [Option<(u32, Arc<[Asn]>)>; 2] {
        let cell = *self.cell(peer, network);
        if cell.origin == 0 {
            return [None, None];
        }
        let Peer { asn, add_path, .. } = self.scenario.peers[peer];
        let mut path = |salt: u8| {
            let key = (asn, Asn(cell.origin), cell.via, salt % ALTERNATIVES);
            self.paths.get(&self.scenario.topology, &self.scenario.vias, key)
        };
        let first = path(cell.salt);
        let second = cell.second.then(|| (2, path(cell.salt + 1)));
        [Some((u32::from(add_path), first)), second]
    }

    fn change(&mut self, at: Time, peer: usize, network: u32, change: CellChange) -> Seen {
        let scenario = self.scenario;
        let (home, who) = (&scenario.networks[network as usize], &scenario.peers[peer]);
        let (announced, via) = self.announced[network as usize];
        let kept = self.stuck.contains(&(peer as u32, network))
            || (who.country.is_some() && who.country == home.country);
        let before = *self.cell(peer, network);
        let held = before.origin != 0;
        let ours = before.origin == home.origin.0;
        let none = Cell::default();
        let right = Cell {
            origin: home.origin.0,
            via,
            salt: before.salt,
            second: who.add_path,
            counts: true,
            since: 0,
        };
        let carried = || carries(scenario, who, network);
        let after = match change {
            CellChange::Lose if ours && !kept => none,
            // The rightful route is gone under the foreign one.
            CellChange::Lose if before.counts && !kept => {
                self.cell(peer, network).counts = false;
                self.observer.saw(at, peer, network, false);
                return Seen::Nothing;
            }
            CellChange::Gain if !ours && carried() => right,
            CellChange::Regain if !held && announced && carried() => right,
            CellChange::Hunt if held && who.add_path => Cell { second: false, ..before },
            CellChange::Repath | CellChange::Hunt if held => {
                Cell { salt: (before.salt + 1) % ALTERNATIVES, ..before }
            }
            CellChange::Follow if ours => Cell { via, ..before },
            CellChange::Usurp(origin) if carried() => Cell { origin: origin.0, via: 0, ..before },
            CellChange::Restore(origin) if before.origin == origin.0 && announced => right,
            CellChange::Restore(origin) if before.origin == origin.0 => none,
            CellChange::Settle if held && ours && !announced => none,
            CellChange::Leak if !held => right,
            CellChange::Unleak if held => none,
            _ => return Seen::Nothing,
        };
        *self.cell(peer, network) = Cell { since: at.seconds() as u32, ..after };
        if before.counts != after.counts {
            self.observer.saw(at, peer, network, after.counts);
        }
        match (after.origin, change) {
            (0, _) => Seen::Gone { second: before.second },
            (_, CellChange::Hunt) if who.add_path && before.second => Seen::SecondGone,
            (_, CellChange::Hunt) if who.add_path => Seen::Nothing,
            _ => Seen::Given,
        }
    }

    /// One row of a table, from the peers that `shown` admits; `None` where none of them holds the network.
    pub(crate) fn row(&mut self, index: usize, shown: &[usize], skew: i64) -> Option<Recorded> {
        let network = *self.order.get(index)?;
        let mut entries = Vec::new();
        for peer in shown {
            let since = Time::from_seconds(
                (Time::from_seconds(self.cell(*peer, network).since.into()) + skew).seconds(),
            );
            for (path_id, path) in self.routes(*peer, network).into_iter().flatten() {
                entries.push(super::recording::RibEntry { peer: *peer, path_id, since, path });
            }
        }
        let prefix: Prefix = self.scenario.networks[network as usize].prefix;
        (!entries.is_empty()).then_some(Recorded::RibRow { prefix, entries })
    }
}

/// Gathers the routes of one peer into updates: one family and one path each, not too long.
struct Batch {
    peer: usize,
    done: Vec<Recorded>,
    withdrawn: [Vec<Nlri>; 2],
    announced: Vec<Nlri>,
    path: Arc<[Asn]>,
}

impl Batch {
    fn new(peer: usize) -> Self {
        Batch {
            peer,
            done: Vec::new(),
            withdrawn: Default::default(),
            announced: Vec::new(),
            path: Arc::from([]),
        }
    }

    fn withdraw(&mut self, route: Nlri) {
        let family = route.prefix.family();
        self.withdrawn[family as usize].push(route);
        if self.withdrawn[family as usize].len() == ROUTES_PER_UPDATE {
            self.flush_withdrawn(family);
        }
    }

    fn announce(&mut self, route: Nlri, path: Arc<[Asn]>) {
        let other_family = |last: &Nlri| last.prefix.family() != route.prefix.family();
        if path != self.path
            || self.announced.len() == ROUTES_PER_UPDATE
            || self.announced.last().is_some_and(other_family)
        {
            self.flush_announced();
            self.path = path;
        }
        self.announced.push(route);
    }

    fn flush_withdrawn(&mut self, family: Family) {
        let withdrawn = std::mem::take(&mut self.withdrawn[family as usize]);
        if !withdrawn.is_empty() {
            let (announced, path) = (Vec::new(), Arc::from([]));
            self.done.push(Recorded::Update { peer: self.peer, withdrawn, announced, path });
        }
    }

    fn flush_announced(&mut self) {
        let announced = std::mem::take(&mut self.announced);
        if !announced.is_empty() {
            let path = Arc::clone(&self.path);
            self.done.push(Recorded::Update { peer: self.peer, withdrawn: Vec::new(), announced, path });
        }
    }

    fn finish(mut self) -> Vec<Recorded> {
        Family::ALL.into_iter().for_each(|family| self.flush_withdrawn(family));
        self.flush_announced();
        self.done
    }
}
