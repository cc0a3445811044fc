//! One entity: its networks, which of them are lost, and the course of its losses.

use super::episode::{Episode, NetworkRecord, Records};
use super::level::{self, Toll};
use crate::entity::Entity;
use crate::observation::NetworkId;
use crate::parameters::Parameters;
use crate::report::{BeforeLost, Interval, Level, Note, Sample};
use crate::routing::change::{Change, Transition};
use crate::routing::filter::{unit_range, units};
use crate::routing::row::Flags;
use crate::routing::table::Table;
use gonedark_route::{Asn, Family, Prefix, Time};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A network that counts for the entity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Holding {
    pub(crate) prefix: Prefix,
    pub(crate) row: NetworkId,
    /// The entity's part of the addresses, where the prefix spans several delegations.
    pub(crate) share: Option<u64>,
}

/// One family of an entity.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct FamilyTrack {
    /// Ascending by prefix, so that a cover comes before what it covers.
    pub(crate) holdings: Vec<Holding>,
    /// Networks lost by their own vote, with whether nothing else carries them.
    lost: BTreeMap<Prefix, LostNetwork>,
    /// Of them those that nothing else carries, and of those the ones with more than the tolerated vote left.
    open: u64,
    shallow: u64,
    units_before: u64,
    units_up: u64,
    /// Set where holdings came or went: the units are counted anew.
    stale: bool,
    /// While no table was seen: the addresses that the entity may have.
    pub(crate) unseen_of: Option<u64>,
}

/// A network lost by its own vote.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct LostNetwork {
    row: NetworkId,
    deep: bool,
    /// A standing route of the same origin or country covers it.
    shielded: bool,
}

impl FamilyTrack {
    /// Adds holdings that may be known already.
    pub(crate) fn extend(&mut self, holdings: &[Holding]) {
        // Each insertion moves what lies behind it: many are rather sorted in.
        if holdings.len() * 64 < self.holdings.len() {
            holdings.iter().for_each(|holding| self.add(*holding));
        } else {
            self.holdings.extend_from_slice(holdings);
            // Stable, so that of equal ones that remains which was there.
            self.holdings.sort_by_key(|holding| holding.prefix);
            self.holdings.dedup_by_key(|holding| holding.prefix);
            self.stale = true;
        }
    }

    pub(crate) fn add(&mut self, holding: Holding) {
        if let Err(place) = self.holdings.binary_search_by_key(&holding.prefix, |holding| holding.prefix) {
            if !self.stale {
                self.units_before += self.units_alone(&holding, |_| true);
                self.units_up += self.units_alone(&holding, |other| self.is_up(other));
            }
            self.holdings.insert(place, holding);
        }
    }

    fn remove(&mut self, prefix: Prefix) {
        if let Ok(place) = self.holdings.binary_search_by_key(&prefix, |holding| holding.prefix) {
            self.holdings.remove(place);
            self.stale = true;
        }
    }

    fn is_up(&self, holding: &Holding) -> bool {
        !self.lost.contains_key(&holding.prefix)
    }

    /// Units in the union of those holdings within `range` that `wanted` picks. Holdings that span delegations count
    /// their share, and overlap nothing.
    fn union(&self, range: &[Holding], wanted: impl Fn(&Holding) -> bool) -> u64 {
        let (mut total, mut end) = (0, 0);
        for holding in range.iter().filter(|holding| wanted(holding)) {
            if let Some(share) = holding.share {
                total += share;
                continue;
            }
            let (from, until) = unit_range(holding.prefix);
            total += until.saturating_sub(from.max(end));
            end = end.max(until);
        }
        total
    }

    fn recount(&mut self) {
        self.units_before = self.union(&self.holdings, |_| true);
        self.units_up = self.union(&self.holdings, |holding| self.is_up(holding));
        self.stale = false;
    }

    /// The holdings strictly within `prefix`.
    fn inside(&self, prefix: Prefix) -> &[Holding] {
        let from = self.holdings.partition_point(|holding| holding.prefix <= prefix);
        let count = self.holdings[from..].partition_point(|holding| prefix.covers(holding.prefix));
        &self.holdings[from..from + count]
    }

    /// The holdings that cover `prefix` and are not it, the nearest first.
    fn around(&self, prefix: Prefix) -> impl Iterator<Item = &Holding> {
        let mut below = self.holdings.partition_point(|holding| holding.prefix < prefix);
        std::iter::from_fn(move || {
            loop {
                // A cover comes before what it covers, and covers all that lies between them: the nearest that comes
                // before is the cover, or tells how long one can still be.
                let last = &self.holdings[below.checked_sub(1)?];
                if last.prefix.covers(prefix) {
                    below -= 1;
                    return Some(last);
                }
                let longest = prefix.common(last.prefix)?;
                below = self.holdings[..below - 1].partition_point(|holding| holding.prefix <= longest);
            }
        })
    }

    /// Units of `holding` that no other of those holdings has that `standing` picks.
    fn units_alone(&self, holding: &Holding, standing: impl Fn(&Holding) -> bool) -> u64 {
        if let Some(share) = holding.share {
            return share;
        }
        if self.around(holding.prefix).any(|cover| cover.share.is_none() && standing(cover)) {
            return 0;
        }
        let within = self.inside(holding.prefix);
        let inside = self.union(within, |other| other.share.is_none() && standing(other));
        units(holding.prefix).saturating_sub(inside)
    }

    /// Units that only `holding` keeps up, or would.
    fn sole_units(&self, holding: &Holding) -> u64 {
        self.units_alone(holding, |other| self.is_up(other))
    }

    fn lose(&mut self, prefix: Prefix, network: LostNetwork) {
        let Ok(place) = self.holdings.binary_search_by_key(&prefix, |holding| holding.prefix) else { return };
        if !self.stale {
            self.units_up = self.units_up.saturating_sub(self.sole_units(&self.holdings[place]));
        }
        self.set(prefix, Some(network));
    }

    /// Enters, changes or strikes out a lost network, and keeps the counts in line.
    fn set(&mut self, prefix: Prefix, network: Option<LostNetwork>) -> bool {
        let old = match network {
            Some(network) => self.lost.insert(prefix, network),
            None => self.lost.remove(&prefix),
        };
        let counts = |network: Option<LostNetwork>| {
            let open = network.filter(|network| !network.shielded);
            (u64::from(open.is_some()), u64::from(open.is_some_and(|network| !network.deep)))
        };
        let (before, after) = (counts(old), counts(network));
        self.open = self.open + after.0 - before.0;
        self.shallow = self.shallow + after.1 - before.1;
        old.is_some()
    }

    fn deepen(&mut self, prefix: Prefix, deep: bool) {
        if let Some(network) = self.lost.get(&prefix).copied() {
            self.set(prefix, Some(LostNetwork { deep, ..network }));
        }
    }

    fn regain(&mut self, prefix: Prefix) {
        if self.set(prefix, None)
            && !self.stale
            && let Ok(place) = self.holdings.binary_search_by_key(&prefix, |holding| holding.prefix)
        {
            self.units_up += self.sole_units(&self.holdings[place]);
        }
    }

    /// Looks again whether lost networks within `prefix` are carried by a cover, and tells whether that changed.
    pub(crate) fn shield(&mut self, prefix: Prefix, table: &Table) -> bool {
        let mut changed = false;
        let mut inside: Vec<Prefix> = Vec::new();
        for (lost, _) in self.lost.range(prefix..) {
            if !prefix.covers(*lost) {
                break;
            }
            inside.push(*lost);
        }
        for lost in inside {
            if let Some(network) = self.lost.get(&lost).copied() {
                let shielded = is_shielded(lost, network.row, table);
                self.set(lost, Some(LostNetwork { shielded, ..network }));
                changed |= shielded != network.shielded;
            }
        }
        changed
    }

    pub(crate) fn toll(&mut self) -> Toll {
        if self.stale {
            self.recount();
        }
        self.toll_of(self.units_before, self.units_up)
    }

    /// The same where nothing may be changed.
    pub(crate) fn toll_now(&self) -> Toll {
        if self.stale {
            let before = self.union(&self.holdings, |_| true);
            return self.toll_of(before, self.union(&self.holdings, |holding| self.is_up(holding)));
        }
        self.toll_of(self.units_before, self.units_up)
    }

    fn toll_of(&self, units_before: u64, units_up: u64) -> Toll {
        Toll {
            networks: BeforeLost { before: self.holdings.len() as u64, lost: self.open },
            addresses: BeforeLost { before: units_before, lost: units_before.saturating_sub(units_up) },
            shallow: self.shallow,
            unseen_of: self.unseen_of,
        }
    }
}

/// Whether a standing route of the same origin or country covers a network.
fn is_shielded(prefix: Prefix, row: NetworkId, table: &Table) -> bool {
    let own = table.row(row);
    table.covers(prefix).any(|(_, cover)| {
        let known = table.row(cover);
        known.flags.has(Flags::COUNTED)
            && !known.flags.has(Flags::LOST)
            && ((known.country.is_some() && known.country == own.country)
                || table.origins(cover).0.iter().any(|origin| table.origins(row).0.contains(origin)))
    })
}

/// Holdings parted by family.
fn by_family(holdings: impl Iterator<Item = Holding>) -> [Vec<Holding>; 2] {
    let mut parted: [Vec<Holding>; 2] = Default::default();
    for holding in holdings {
        parted[holding.prefix.family() as usize].push(holding);
    }
    parted
}

/// An entity and its course.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Track {
    pub(crate) entity: Entity,
    pub(crate) families: [FamilyTrack; 2],
    /// Every loss of the entity, the last one perhaps still open.
    pub(crate) episodes: Vec<Episode>,
    /// Networks up, networks lost and addresses lost, per family, as transitions.
    pub(crate) series: [[Transitions; 3]; 2],
    pub(crate) notes: Vec<Note>,
    /// Whether news told what it was before its first loss.
    pub(crate) told: bool,
    /// What was concluded last, and since when that is so: nothing is concluded of what was before.
    now: Option<([Toll; 2], Level)>,
    pub(crate) changed: Time,
}

impl Track {
    pub(crate) fn new(entity: Entity, holdings: impl Iterator<Item = Holding>) -> Self {
        let mut families: [FamilyTrack; 2] = Default::default();
        for (family, holdings) in families.iter_mut().zip(by_family(holdings)) {
            family.extend(&holdings);
        }
        Track {
            entity,
            families,
            episodes: Vec::new(),
            series: Default::default(),
            notes: Vec::new(),
            told: false,
            now: None,
            changed: Time::MIN,
        }
    }

    /// Takes networks that count from now on.
    pub(crate) fn extend(&mut self, holdings: Vec<Holding>) {
        for (family, holdings) in self.families.iter_mut().zip(by_family(holdings.into_iter())) {
            family.extend(&holdings);
        }
    }

    /// Takes one change of one of its networks.
    pub(crate) fn apply(&mut self, transition: &Transition, table: &Table) {
        let Transition { prefix, row, change, .. } = transition;
        let family = &mut self.families[prefix.family() as usize];
        match change {
            Change::Lost { losses, kept, deep } => {
                let row = *row;
                let network = LostNetwork { row, deep: *deep, shielded: is_shielded(*prefix, row, table) };
                family.lose(*prefix, network);
                let record = Arc::new(NetworkRecord::new(row, (losses, kept), table));
                if let Some(open) = self.episodes.last_mut().filter(|episode| episode.end.is_none()) {
                    open.networks.insert(*prefix, record);
                } else {
                    self.waiting_record(*prefix, record);
                }
            }
            Change::Back => {
                family.regain(*prefix);
                self.forget(*prefix);
            }
            Change::Aged { since } => {
                family.regain(*prefix);
                family.remove(*prefix);
                self.forget(*prefix);
                self.notes.push(Note::AgedOut { prefix: *prefix, lost: *since });
            }
            Change::Depth { deep } => family.deepen(*prefix, *deep),
            Change::Witness { voter, when, held } => self.witness(*prefix, *voter, *when, *held),
            Change::Foreign { origin } => self.foreign(*prefix, *origin),
        }
    }

    /// Records of networks lost while the entity as a whole was not.
    fn waiting_record(&mut self, prefix: Prefix, record: Arc<NetworkRecord>) {
        match self.episodes.last_mut() {
            Some(last) if last.is_waiting() => {
                last.networks.insert(prefix, record);
            }
            _ => {
                let mut waiting = Episode::waiting();
                waiting.networks.insert(prefix, record);
                self.episodes.push(waiting);
            }
        }
    }

    fn witness(&mut self, prefix: Prefix, voter: u16, when: Interval, held: bool) {
        // The newest episode that knows the network: late returns belong to an episode that has ended.
        for episode in self.episodes.iter_mut().rev() {
            if episode.networks.contains_key(&prefix) {
                episode.witness(prefix, voter, when, held);
                return;
            }
        }
    }

    fn foreign(&mut self, prefix: Prefix, origin: Asn) {
        if let Some(record) = self.episodes.last_mut().and_then(|last| last.networks.get_mut(&prefix))
            && !record.foreign.contains(&origin)
        {
            Arc::make_mut(record).foreign.push(origin);
        }
    }

    /// Draws the conclusions of one moment, after all its changes were applied.
    pub(crate) fn conclude(
        &mut self,
        at: Time,
        watchers: impl Fn(Entity) -> [Vec<u16>; 2],
        parameters: &Parameters,
    ) {
        let tolls = [self.families[0].toll(), self.families[1].toll()];
        self.sample(at, &tolls);
        let level = level::overall(&tolls, parameters);
        if self.now.replace((tolls, level)) != Some((tolls, level)) {
            self.changed = at;
        }
        let open = self.episodes.last().is_some_and(|last| !last.is_waiting() && last.end.is_none());
        if level > Level::None {
            if !open {
                let networks = self.lost_records();
                self.episodes.push(Episode::begin(at, networks));
            }
            if let Some(episode) = self.episodes.last_mut() {
                episode.step(at, level, tolls, watchers(self.entity), parameters);
            }
        } else if open {
            let networks = self.lost_records();
            if let Some(episode) = self.episodes.last_mut() {
                episode.step(at, level, tolls, watchers(self.entity), parameters);
                episode.end = Some(at);
                episode.saw_end = Some(watchers(self.entity));
            }
            if !networks.is_empty() {
                // What stays lost without the entity being so waits for the next time.
                let mut waiting = Episode::waiting();
                waiting.networks = networks;
                self.episodes.push(waiting);
            }
        }
    }

    /// Records of all networks that are lost now, from the newest episode; a waiting one gives way.
    fn lost_records(&mut self) -> Records {
        let lost = |prefix: &Prefix| self.families[prefix.family() as usize].lost.contains_key(prefix);
        match self.episodes.pop() {
            Some(mut last) if last.is_waiting() => {
                last.networks.retain(|prefix, _| lost(prefix));
                last.networks
            }
            Some(last) => {
                let all = last.networks.iter().filter(|(prefix, _)| lost(prefix));
                let records = all.map(|(prefix, record)| (*prefix, Arc::clone(record))).collect();
                self.episodes.push(last);
                records
            }
            None => Records::new(),
        }
    }

    /// A network that came back while the entity as a whole was not lost leaves no record.
    fn forget(&mut self, prefix: Prefix) {
        if let Some(last) = self.episodes.last_mut().filter(|last| last.is_waiting()) {
            last.networks.remove(&prefix);
            if last.networks.is_empty() {
                self.episodes.pop();
            }
        }
    }

    fn sample(&mut self, at: Time, tolls: &[Toll; 2]) {
        for family in Family::ALL {
            let toll = &tolls[family as usize];
            if toll.networks.before == 0 {
                continue;
            }
            let values = [
                toll.networks.before.saturating_sub(toll.networks.lost),
                toll.networks.lost,
                toll.addresses.lost,
            ];
            for (points, value) in self.series[family as usize].iter_mut().zip(values) {
                points.push(at, Sample::Value(value));
            }
        }
    }

    /// Losses and returns of the entity as a whole so far.
    pub(crate) fn losses(&self) -> impl Iterator<Item = &Episode> {
        self.episodes.iter().filter(|episode| !episode.is_waiting())
    }
}

/// A signal as its transitions, of which those that were told are forgotten but for the last.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Transitions {
    points: Vec<(Time, Sample)>,
    told: usize,
}

impl Transitions {
    fn push(&mut self, at: Time, value: Sample) {
        push_sample(&mut self.points, at, value);
        self.told = self.told.min(self.points.len());
    }

    /// Those that are kept.
    pub(crate) fn all(&self) -> &[(Time, Sample)] {
        &self.points
    }

    /// Those before `now` that were not told yet, once.
    pub(crate) fn tell_before(&mut self, now: Time) -> impl Iterator<Item = (Time, Sample)> {
        let over =
            self.points.iter().rposition(|(at, _)| *at < now).map_or(0, |last| last + 1).max(self.told);
        let new = self.points[self.told..over].to_vec();
        // The last one told is what the next one is held against.
        self.points.drain(..over.saturating_sub(1));
        self.told = over.min(1);
        new.into_iter()
    }
}

/// Adds a transition: only where the value differs, and only the last one of a moment.
pub(crate) fn push_sample(points: &mut Vec<(Time, Sample)>, at: Time, value: Sample) {
    if points.last().is_some_and(|(time, _)| *time == at) {
        points.pop();
    }
    if points.last().is_none_or(|(_, last)| *last != value) {
        points.push((at, value));
    }
}
