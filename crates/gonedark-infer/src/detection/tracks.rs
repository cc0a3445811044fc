//! All entities that are watched.

use super::track::{Holding, Track};
use crate::entity::{CountryCode, Entity};
use crate::observation::{Delegations, NetworkId};
use crate::parameters::Parameters;
use crate::routing::change::{Change, Transition};
use crate::routing::filter;
use crate::routing::row::Flags;
use crate::routing::table::Table;
use crate::routing::vantage::Ballot;
use foldhash::fast::FixedState;
use gonedark_route::{Asn, Family, Prefix, Time};
use hashbrown::HashMap;
use std::collections::{BTreeMap, BTreeSet};

/// What is watched.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Watch {
    /// Countries; empty for all.
    pub countries: BTreeSet<CountryCode>,
    /// ASes that are entities of their own.
    pub asns: BTreeSet<Asn>,
    /// Whether every AS is one.
    pub every_asn: bool,
    /// Prefixes that are entities of their own, each with all networks within it.
    pub prefixes: BTreeSet<Prefix>,
}

/// Who has lost a network, and until when late returns to it are told, once it is back.
#[derive(serde::Serialize, serde::Deserialize)]
struct Losers {
    entities: Vec<Entity>,
    until: Time,
    /// Whether it stands among those that part.
    parts: bool,
}

/// The entities, each with its course.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Tracks {
    #[serde(skip)]
    watch: Watch,
    /// Entities of which something was lost. The others need no track: most countries never lose anything.
    pub(crate) tracks: BTreeMap<Entity, Track>,
    /// The rows of the others.
    quiet: HashMap<Entity, Vec<NetworkId>, FixedState>,
    /// Whose networks are lost, or were of late: such a network may come back by an origin of somebody else, and a cover of
    /// somebody else may carry it.
    losers: BTreeMap<Prefix, Losers>,
    /// When to look whether losers of networks that are back may be forgotten: once for each, however often it flaps.
    parting: BTreeSet<(Time, Prefix)>,
    /// Entities with transitions since news were last told.
    changed: BTreeSet<Entity>,
    /// When losses that are over may be past all change, with whose they are.
    over: BTreeSet<(Time, Entity)>,
    /// Entities touched by the current moment's transitions.
    touched: BTreeSet<Entity>,
    /// What is delegated to each country, per family; filled where no table was seen.
    #[serde(skip)]
    delegated: Option<[HashMap<CountryCode, u64, FixedState>; 2]>,
}

impl Tracks {
    pub(crate) fn new(watch: Watch) -> Self {
        Tracks { watch, ..Default::default() }
    }

    /// The entities with transitions since the last call.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<Entity> {
        std::mem::take(&mut self.changed)
    }

    /// Counts every entity with losses as changed.
    pub(crate) fn tell_again(&mut self) {
        let lossy = self.tracks.iter().filter(|(_, track)| track.losses().next().is_some());
        self.changed.extend(lossy.map(|(entity, _)| *entity));
    }

    /// When the next losses may be past all change.
    pub(crate) fn next_over(&self) -> Time {
        self.over.first().map_or(Time::MAX, |(due, _)| *due)
    }

    /// An entity whose losses may be past all change by `now`.
    pub(crate) fn take_over(&mut self, now: Time) -> Option<Entity> {
        let first = self.over.first().copied().filter(|(due, _)| *due <= now)?;
        self.over.remove(&first);
        Some(first.1)
    }

    pub(crate) fn over_at(&mut self, due: Time, entity: Entity) {
        self.over.insert((due, entity));
    }

    /// Watches what it watched before it was kept.
    pub(crate) fn watch_on(&mut self, watch: Watch) {
        self.watch = watch;
    }

    /// The watched entities of a row, with their share of its addresses where it spans several.
    fn entities_of(&self, row: NetworkId, table: &Table, entities: &mut Vec<(Entity, Option<u64>)>) {
        let known = table.row(row);
        let wanted =
            |country: &CountryCode| self.watch.countries.is_empty() || self.watch.countries.contains(country);
        entities.clear();
        if known.flags.has(Flags::SHARED) {
            let shares = table.shards[usize::from(row.shard)].shares.get(&row.row).into_iter().flatten();
            let wanted = shares.filter(|(country, _)| wanted(country));
            entities.extend(wanted.map(|(country, units)| (Entity::Country(*country), Some(*units))));
        } else if let Some(country) = known.country.filter(wanted) {
            entities.push((Entity::Country(country), None));
        }
        if self.watch.every_asn || !self.watch.asns.is_empty() {
            let origins = table.origins(row).0;
            let watched = |origin: &Asn| self.watch.every_asn || self.watch.asns.contains(origin);
            let watched = origins.into_iter().filter(watched);
            entities.extend(watched.map(|origin| (Entity::As(origin), None)));
        }
        let around = self.watch.prefixes.iter().filter(|watched| watched.covers(known.prefix));
        entities.extend(around.map(|watched| (Entity::Prefix(*watched), None)));
    }

    /// Adds those who have lost the transition's network to those whose it is; keeps who has lost it by this one.
    fn losers_of(
        &mut self,
        transition: &Transition,
        entities: &mut Vec<(Entity, Option<u64>)>,
        parameters: &Parameters,
    ) {
        let Transition { at, prefix, change, .. } = transition;
        if matches!(change, Change::Lost { .. }) {
            let entities = entities.iter().map(|(entity, _)| *entity).collect();
            let parts = self.losers.get(prefix).is_some_and(|losers| losers.parts);
            self.losers.insert(*prefix, Losers { entities, until: Time::MAX, parts });
            return;
        }
        let Some(losers) = self.losers.get_mut(prefix) else { return };
        for entity in &losers.entities {
            if entities.iter().all(|(known, _)| known != entity) {
                entities.push((*entity, None));
            }
        }
        match change {
            Change::Back => {
                // As long as the table tells of stragglers.
                losers.until = *at + parameters.unstable_gap;
                if !std::mem::replace(&mut losers.parts, true) {
                    self.parting.insert((losers.until, *prefix));
                }
            }
            Change::Aged { .. } => drop(self.losers.remove(prefix)),
            _ => {}
        }
    }

    /// Forgets losers of networks that have been back for so long.
    fn part(&mut self, now: Time) {
        while let Some((due, prefix)) = self.parting.first().copied().filter(|(due, _)| *due < now) {
            self.parting.remove(&(due, prefix));
            match self.losers.get_mut(&prefix) {
                Some(losers) if losers.until == Time::MAX => losers.parts = false,
                // It was back anew since.
                Some(losers) if losers.until > due => drop(self.parting.insert((losers.until, prefix))),
                _ => drop(self.losers.remove(&prefix)),
            }
        }
    }

    /// Looks again whether what anybody has lost within a network that went or came is carried by it.
    fn shield(&mut self, prefix: Prefix, table: &Table) {
        let inside = self.losers.range(prefix..).take_while(|(lost, _)| prefix.covers(**lost));
        let losers: BTreeSet<Entity> = inside.flat_map(|(_, losers)| &losers.entities).copied().collect();
        for entity in losers {
            let track = self.tracks.get_mut(&entity);
            if track.is_some_and(|track| track.families[prefix.family() as usize].shield(prefix, table)) {
                self.touched.insert(entity);
            }
        }
    }

    /// Takes rows that count from now on.
    pub(crate) fn count(&mut self, rows: Vec<NetworkId>, table: &Table) {
        let (mut entities, mut known) = (Vec::new(), BTreeMap::<Entity, Vec<Holding>>::new());
        for row in rows {
            let prefix = table.row(row).prefix;
            self.shield(prefix, table);
            self.entities_of(row, table, &mut entities);
            for (entity, share) in entities.drain(..) {
                if self.tracks.contains_key(&entity) {
                    known.entry(entity).or_default().push(Holding { prefix, row, share });
                } else {
                    self.quiet.entry(entity).or_default().push(row);
                }
            }
        }
        for (entity, holdings) in known {
            if let Some(track) = self.tracks.get_mut(&entity) {
                track.extend(holdings);
            }
        }
    }

    /// Takes the transitions of the past moments, in order, and draws the conclusions of each moment.
    pub(crate) fn take(
        &mut self,
        (now, transitions): (Time, &[Transition]),
        (table, ballot): (&Table, &Ballot),
        delegations: &dyn Delegations,
        parameters: &Parameters,
    ) {
        self.part(now);
        let mut entities = Vec::new();
        for moment in transitions.chunk_by(|a, b| a.at == b.at) {
            for transition in moment {
                let row = transition.row;
                self.entities_of(row, table, &mut entities);
                self.losers_of(transition, &mut entities, parameters);
                for (entity, share) in entities.drain(..) {
                    let track = match self.tracks.entry(entity) {
                        std::collections::btree_map::Entry::Occupied(known) => known.into_mut(),
                        std::collections::btree_map::Entry::Vacant(place) => {
                            let rows = self.quiet.remove(&entity).unwrap_or_default();
                            place.insert(Track::new(entity, holdings(entity, &rows, table)))
                        }
                    };
                    if matches!(transition.change, Change::Lost { .. }) {
                        let holding = Holding { prefix: transition.prefix, row, share };
                        track.families[transition.prefix.family() as usize].add(holding);
                    }
                    track.apply(transition, table);
                    self.touched.insert(entity);
                }
                if matches!(transition.change, Change::Lost { .. } | Change::Back | Change::Aged { .. }) {
                    self.shield(transition.prefix, table);
                }
            }
            self.conclude(moment[0].at, ballot, delegations, parameters);
        }
        // What only came to count has changed what carries whom.
        self.conclude(now, ballot, delegations, parameters);
    }

    /// Whether there are entities of which something is to be concluded though nothing of theirs was told.
    pub(crate) fn has_touched(&self) -> bool {
        !self.touched.is_empty()
    }

    /// Draws the conclusions of a moment.
    fn conclude(
        &mut self,
        moment: Time,
        ballot: &Ballot,
        delegations: &dyn Delegations,
        parameters: &Parameters,
    ) {
        let watchers = |entity| watchers(entity, ballot);
        for entity in std::mem::take(&mut self.touched) {
            let unseen_of = Family::ALL.map(|family| {
                (ballot.tabled[family as usize].count() == 0)
                    .then(|| self.may_have(entity, family, delegations))
            });
            let Some(track) = self.tracks.get_mut(&entity) else { continue };
            // Voters chosen after the fact may speak of the past; what was concluded stays.
            let at = moment.max(track.changed);
            for (family, unseen_of) in track.families.iter_mut().zip(unseen_of) {
                family.unseen_of = unseen_of;
            }
            track.conclude(at, watchers, parameters);
            self.changed.insert(entity);
            let end = track.losses().last().and_then(|last| last.end);
            if let Some(end) = end.filter(|end| *end == at) {
                self.over.insert((end + parameters.unstable_gap + 1, entity));
            }
        }
    }

    /// The addresses that an entity may have where no table told: of a country what is delegated to it; of a prefix its
    /// own; of an AS nobody knows, so that what was spoken of is taken for less than half.
    fn may_have(&mut self, entity: Entity, family: Family, delegations: &dyn Delegations) -> u64 {
        match entity {
            Entity::Country(country) => {
                let all = self.delegated.get_or_insert_with(|| {
                    Family::ALL.map(|family| {
                        let mut shares = Vec::new();
                        if let Some(everything) = Prefix::from_bits(family, 0, 0) {
                            delegations.split(everything, &mut shares);
                        }
                        shares.into_iter().collect()
                    })
                });
                all[family as usize].get(&country).copied().unwrap_or_default()
            }
            Entity::Prefix(prefix) if prefix.family() == family => filter::units(prefix),
            Entity::Prefix(_) => 0,
            Entity::As(_) => {
                let known = self.tracks.get(&entity).map(|track| track.families[family as usize].toll_now());
                known.map_or(0, |toll| toll.addresses.before.saturating_mul(2).saturating_add(1))
            }
        }
    }

    /// Builds the tracks of the entities that were asked for by name.
    pub(crate) fn build_asked(&mut self, table: &Table) {
        let countries = self.watch.countries.iter().map(|country| Entity::Country(*country));
        let asns = self.watch.asns.iter().map(|asn| Entity::As(*asn));
        let prefixes = self.watch.prefixes.iter().map(|prefix| Entity::Prefix(*prefix));
        let asked: Vec<Entity> = countries.chain(asns).chain(prefixes).collect();
        for entity in asked {
            let rows = self.quiet.remove(&entity).unwrap_or_default();
            self.tracks.entry(entity).or_insert_with(|| Track::new(entity, holdings(entity, &rows, table)));
        }
    }

    /// Whether an entity was asked for by name.
    pub(crate) fn is_asked(&self, entity: Entity) -> bool {
        match entity {
            Entity::Country(country) => self.watch.countries.contains(&country),
            Entity::As(asn) => self.watch.asns.contains(&asn),
            Entity::Prefix(prefix) => self.watch.prefixes.contains(&prefix),
        }
    }
}

/// Rows as networks of an entity.
fn holdings(entity: Entity, rows: &[NetworkId], table: &Table) -> impl Iterator<Item = Holding> {
    rows.iter().map(move |row| {
        let shares = table.shards[usize::from(row.shard)].shares.get(&row.row);
        let own = |(country, _): &&(CountryCode, u64)| entity == Entity::Country(*country);
        let share = shares.and_then(|shares| shares.iter().find(own)).map(|(_, units)| *units);
        Holding { prefix: table.row(*row).prefix, row: *row, share }
    })
}

/// The voters that can see an entity, per family: those inside a country do not vote on it.
fn watchers(entity: Entity, ballot: &Ballot) -> [Vec<u16>; 2] {
    Family::ALL.map(|family| {
        let mut voters = ballot.sighted[family as usize].clone();
        if let Entity::Country(country) = entity
            && let Some(domestic) = ballot.domestic.get(&country)
        {
            voters.remove_all(domestic);
        }
        voters.iter().map(|voter| voter as u16).collect()
    })
}
