//! One loss of an entity, from the moment its level rises over none until it is none again.

use crate::detection::level::Toll;
use crate::observation::NetworkId;
use crate::parameters::Parameters;
use crate::report::{Interval, Level};
use crate::routing::change::Loss;
use crate::routing::table::Table;
use gonedark_route::{Asn, Prefix, Time};
use std::collections::BTreeMap;

/// What a voter saw of a network: the last loss, and the return from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sighting {
    pub(crate) voter: u16,
    pub(crate) lost: Interval,
    pub(crate) back: Option<Interval>,
}

/// A network in an episode.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct NetworkRecord {
    pub(crate) sightings: Vec<Sighting>,
    /// Usual holders that still held it when the vote was lost. Those without a sighting since then hold it on.
    pub(crate) kept: Vec<u16>,
    pub(crate) origins: Vec<Asn>,
    pub(crate) upstreams: Vec<Asn>,
    pub(crate) foreign: Vec<Asn>,
}

impl NetworkRecord {
    pub(crate) fn new(row: NetworkId, (losses, kept): (&[Loss], &[u16]), table: &Table) -> Self {
        let (origins, upstreams) = table.origins(row);
        let sightings =
            losses.iter().map(|loss| Sighting { voter: loss.voter, lost: loss.when, back: None }).collect();
        NetworkRecord { sightings, kept: kept.to_vec(), origins, upstreams, foreign: Vec::new() }
    }
}

/// The entity at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Time,
    pub(crate) level: Level,
    rank: Rank,
}

/// What "worse" is judged by: the level, then the families' levels (the worse one first), then networks and addresses
/// lost, both families together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
struct Rank {
    levels: (Level, Level, Level),
    lost: (u64, u64),
}

/// The entity at its worst.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Worst {
    pub(crate) at: Time,
    pub(crate) level: Level,
    rank: Rank,
    pub(crate) tolls: [Toll; 2],
    pub(crate) levels: [(Level, bool); 2],
    /// Voters that could see it, per family.
    pub(crate) watchers: [Vec<u16>; 2],
    /// Who had lost what, once it was over; until then the records tell.
    pub(crate) records: Option<BTreeMap<Prefix, NetworkRecord>>,
}

impl Worst {
    /// Whether a voter could see a network then: a full feed of one family says nothing of the other.
    pub(crate) fn saw(&self, prefix: Prefix, voter: u16) -> bool {
        self.watchers[prefix.family() as usize].contains(&voter)
    }
}

/// A loss of an entity.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Episode {
    pub(crate) start: Time,
    pub(crate) end: Option<Time>,
    pub(crate) steps: Vec<Step>,
    pub(crate) worst: Option<Worst>,
    pub(crate) networks: BTreeMap<Prefix, NetworkRecord>,
    /// Voters that could see it at its end, per family.
    pub(crate) saw_end: Option<[Vec<u16>; 2]>,
}

impl Episode {
    pub(crate) fn begin(start: Time, networks: BTreeMap<Prefix, NetworkRecord>) -> Self {
        Episode { start, end: None, steps: Vec::new(), worst: None, networks, saw_end: None }
    }

    /// Whether a voter could see the end of it; of one that goes on nobody has missed it.
    pub(crate) fn saw_end(&self, prefix: Prefix, voter: u16) -> bool {
        let saw = self.saw_end.as_ref();
        saw.is_none_or(|saw| saw[prefix.family() as usize].contains(&voter))
    }

    /// No episode yet: only holds the records of networks lost while the entity is not.
    pub(crate) fn waiting() -> Self {
        Episode::begin(Time::MAX, BTreeMap::new())
    }

    pub(crate) fn is_waiting(&self) -> bool {
        self.start == Time::MAX
    }

    pub(crate) fn step(
        &mut self,
        at: Time,
        level: Level,
        tolls: [Toll; 2],
        watchers: [Vec<u16>; 2],
        parameters: &Parameters,
    ) {
        let levels = [tolls[0].level(parameters), tolls[1].level(parameters)];
        let rank = Rank {
            levels: (level, levels[0].0.max(levels[1].0), levels[0].0.min(levels[1].0)),
            lost: (
                tolls[0].networks.lost + tolls[1].networks.lost,
                tolls[0].addresses.lost + tolls[1].addresses.lost,
            ),
        };
        if self.steps.last().is_some_and(|step| step.rank == rank) {
            return;
        }
        self.steps.push(Step { at, level, rank });
        match &mut self.worst {
            Some(worst) if rank <= worst.rank => {
                if rank < worst.rank && worst.records.is_none() {
                    worst.records = Some(self.networks.clone());
                }
            }
            worst => {
                // The first moment of a level counts as its onset; more losses on the same level only add to the toll.
                let same = worst.as_ref().filter(|worst| worst.rank.levels == rank.levels);
                let at = same.map_or(at, |worst| worst.at);
                *worst = Some(Worst { at, level, rank, tolls, levels, watchers, records: None });
            }
        }
    }

    pub(crate) fn witness(&mut self, prefix: Prefix, voter: u16, when: Interval, held: bool) {
        let ended = self.end.is_some();
        let Some(record) = self.networks.get_mut(&prefix) else { return };
        match (record.sightings.iter_mut().find(|sighting| sighting.voter == voter), held) {
            (Some(sighting), true) => sighting.back = sighting.back.or(Some(when)),
            // After the end a loss belongs to what comes next.
            (_, false) if ended => {}
            (Some(sighting), false) => *sighting = Sighting { voter, lost: when, back: None },
            (None, false) => record.sightings.push(Sighting { voter, lost: when, back: None }),
            (None, true) => {}
        }
        let worst = self.worst.as_mut().and_then(|worst| worst.records.as_mut());
        if held && let Some(record) = worst.and_then(|records| records.get_mut(&prefix)) {
            let open = record
                .sightings
                .iter_mut()
                .find(|sighting| sighting.voter == voter && sighting.back.is_none());
            if let Some(sighting) = open {
                sighting.back = Some(when);
            }
        }
    }
}
