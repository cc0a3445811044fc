//! One loss of an entity, from the moment its level rises over none until it is none again.

use crate::detection::level::Toll;
use crate::observation::NetworkId;
use crate::parameters::Parameters;
use crate::report::{Interval, Level};
use crate::routing::change::Loss;
use crate::routing::table::Table;
use gonedark_route::{Asn, Prefix, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a voter saw of a network: the last loss, and the return from it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sighting {
    pub(crate) voter: u16,
    pub(crate) lost: Interval,
    pub(crate) back: Option<Interval>,
}

/// A network in an episode.
#[derive(Clone, Default, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct NetworkRecord {
    /// By voter, one each.
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

    /// What a voter saw, or where that would be among the others.
    fn find(&self, voter: u16) -> Result<usize, usize> {
        self.sightings.binary_search_by_key(&voter, |sighting| sighting.voter)
    }

    /// What a voter saw.
    pub(crate) fn sighting(&self, voter: u16) -> Option<&Sighting> {
        self.find(voter).ok().map(|place| &self.sightings[place])
    }

    /// A voter lost it, perhaps anew.
    fn lost(self: &mut Arc<Self>, voter: u16, when: Interval) {
        let lost = Sighting { voter, lost: when, back: None };
        let record = Arc::make_mut(self);
        match record.find(voter) {
            Ok(place) => record.sightings[place] = lost,
            Err(place) => {
                // There are as many as networks times voters: no room to spare.
                record.sightings.reserve_exact(1);
                record.sightings.insert(place, lost);
            }
        }
    }

    /// A voter that lost it holds it again. The first return counts.
    fn returned(self: &mut Arc<Self>, voter: u16, when: Interval) {
        if let Ok(place) = self.find(voter)
            && self.sightings[place].back.is_none()
        {
            Arc::make_mut(self).sightings[place].back = Some(when);
        }
    }
}

/// Networks, each with what is known of its loss. Copies share what has not changed since: all networks of a country stand
/// in an episode, at its worst, and in what is composed of both. After a restart they are two until they change.
pub(crate) type Records = BTreeMap<Prefix, Arc<NetworkRecord>>;

/// The entity from one moment on, until its level changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Step {
    pub(crate) at: Time,
    pub(crate) level: Level,
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
    /// Voters that could see it, per family, ascending.
    pub(crate) watchers: [Vec<u16>; 2],
    /// Who had lost what, once it was over; until then the records tell.
    pub(crate) records: Option<Records>,
}

impl Worst {
    /// Whether a voter could see a network then: a full feed of one family says nothing of the other.
    pub(crate) fn saw(&self, prefix: Prefix, voter: u16) -> bool {
        self.watchers[prefix.family() as usize].binary_search(&voter).is_ok()
    }
}

/// What of a loss is told at once: as long as none of it changes, only details of networks do.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Gist {
    steps: usize,
    end: Option<Time>,
    worst: Option<Rank>,
}

/// A loss of an entity.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Episode {
    pub(crate) start: Time,
    pub(crate) end: Option<Time>,
    pub(crate) steps: Vec<Step>,
    /// How it is now. One that flaps for weeks has millions of moments in which more or less of it is lost than before; only
    /// those of another level are kept as steps.
    now: Option<Rank>,
    pub(crate) worst: Option<Worst>,
    pub(crate) networks: Records,
    /// Voters that could see it at its end, per family, ascending.
    pub(crate) saw_end: Option<[Vec<u16>; 2]>,
}

impl Episode {
    pub(crate) fn begin(start: Time, networks: Records) -> Self {
        Episode { start, end: None, steps: Vec::new(), now: None, worst: None, networks, saw_end: None }
    }

    /// Whether a voter could see the end of it; of one that goes on nobody has missed it.
    pub(crate) fn saw_end(&self, prefix: Prefix, voter: u16) -> bool {
        let saw = self.saw_end.as_ref();
        saw.is_none_or(|saw| saw[prefix.family() as usize].binary_search(&voter).is_ok())
    }

    pub(crate) fn gist(&self) -> Gist {
        let worst = self.worst.as_ref().map(|worst| worst.rank);
        Gist { steps: self.steps.len(), end: self.end, worst }
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
        if self.now == Some(rank) {
            return;
        }
        self.now = Some(rank);
        if self.steps.last().is_none_or(|step| step.level != level) {
            self.steps.push(Step { at, level });
        }
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

    /// Takes what a voter says of a network that is known here.
    pub(crate) fn witness(&mut self, prefix: Prefix, voter: u16, when: Interval, held: bool) {
        let ended = self.end.is_some();
        let Some(record) = self.networks.get_mut(&prefix) else { return };
        if held {
            let worst = self.worst.as_mut().and_then(|worst| worst.records.as_mut());
            match worst.and_then(|records| records.get_mut(&prefix)) {
                Some(at_worst) if Arc::ptr_eq(at_worst, record) => {
                    // Let go of first: in two hands it would be copied with each return.
                    drop(std::mem::take(at_worst));
                    record.returned(voter, when);
                    *at_worst = Arc::clone(record);
                }
                at_worst => {
                    record.returned(voter, when);
                    at_worst.into_iter().for_each(|at_worst| at_worst.returned(voter, when));
                }
            }
        } else if !ended {
            // After the end a loss belongs to what comes next.
            record.lost(voter, when);
        }
    }
}
