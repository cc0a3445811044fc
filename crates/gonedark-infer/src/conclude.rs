//! What the inference says when it is asked.

use crate::detection::episode::Episode;
use crate::detection::level;
use crate::detection::track::Track;
use crate::entity::Entity;
use crate::incident::compose::{Context, compose};
use crate::incident::skew;
use crate::inference::Inference;
use crate::observation::CollectorId;
use crate::report::{
    BeforeLost, Coverage, EntityState, EntityStatus, Incident, Level, Note, PhaseState, Report, Sample,
    Series, Signal,
};
use crate::routing::vantage::{MAX_PEERS, Vantage};
use gonedark_route::{Asn, Family, Time};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

impl Inference {
    /// Everything up to `until`, which is no earlier than the last observation. More may follow afterwards.
    pub fn report(&mut self, until: Time) -> Report {
        let until = until.max(self.now);
        self.close(until);
        let dim = self.dim_intervals(until);
        let context = Context {
            parameters: &self.parameters,
            voters: self.vantage.voters.iter().map(|voter| voter.asn).collect(),
            dim: &dim,
            now: until,
            skews: self.skews(),
        };
        let (mut incidents, mut entities, mut series, mut notes) =
            (vec![], vec![], vec![], self.notes.clone());
        for (entity, track) in &self.tracks.tracks {
            let own = incidents_of(track, &self.vantage, &context);
            let asked = self.tracks.is_asked(*entity);
            if asked {
                entities.push(self.status(track, &own, until));
            }
            if asked || !own.is_empty() {
                self.series_of(track, &mut series);
                notes.extend(track.notes.iter().cloned());
            }
            incidents.extend(own);
        }
        notes.extend(self.limits());
        notes.extend(context.skews.iter().map(|(collector, micros)| Note::ClockSkew {
            collector: self.vantage.collectors[usize::from(collector.0)].name.clone(),
            micros: *micros,
        }));
        notes.sort_unstable();
        notes.dedup();
        let window = (self.first.unwrap_or(until), until);
        Report { window, entities, coverage: self.coverage(until), incidents, series, notes }
    }

    /// By how much the collectors' clocks are wrong, as far as losses of countries tell.
    pub(crate) fn skews(&self) -> BTreeMap<CollectorId, i64> {
        let countries =
            self.tracks.tracks.values().filter(|track| matches!(track.entity, Entity::Country(_)));
        let losses = countries.flat_map(Track::losses);
        skew::estimate(losses, &self.past_skews, &self.vantage, &self.parameters)
    }

    /// Where either family is dim the whole is: what is said of an entity rests on both.
    pub(crate) fn dim_intervals(&self, until: Time) -> Vec<(Time, Time)> {
        let mut all: Vec<(Time, Time)> =
            self.dim.iter().flatten().map(|(from, end)| (*from, end.unwrap_or(until))).collect();
        all.sort_unstable();
        let mut merged: Vec<(Time, Time)> = Vec::new();
        for (from, end) in all {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(end),
                _ => merged.push((from, end)),
            }
        }
        merged
    }

    pub(crate) fn limits(&self) -> Vec<Note> {
        let late = self.late.iter().map(|(collector, count)| Note::LateRecords {
            collector: self.vantage.collectors[usize::from(collector.0)].name.clone(),
            count: *count,
        });
        let untabled = self.vantage.collectors.iter().filter(|collector| collector.table_at.is_none());
        let untabled = untabled.map(|known| {
            let collector = known.name.clone();
            if known.table_cut { Note::TableCut { collector } } else { Note::TableNotSeen { collector } }
        });
        let crowd = (self.table.refused > 0).then_some(Note::TooManyNetworks {
            room: self.parameters.max_networks as u64,
            refused: self.table.refused,
        });
        let audience = (self.vantage.refused > 0)
            .then_some(Note::TooManyPeers { room: MAX_PEERS as u64, refused: self.vantage.refused });
        let uncertain = Family::ALL
            .iter()
            .filter_map(|family| self.vantage.uncertain(*family as usize, &self.parameters))
            .max_by_key(|(asns, ..)| *asns)
            .map(|(asns, from, until)| Note::NotConfirmed { asns, from, until });
        late.chain(untabled).chain(crowd).chain(audience).chain(uncertain).collect()
    }

    fn coverage(&self, until: Time) -> Coverage {
        let mut collectors: Vec<String> =
            self.vantage.collectors.iter().map(|collector| collector.name.clone()).collect();
        collectors.sort_unstable();
        Coverage {
            collectors,
            full_feed_asns: Family::ALL.map(|family| self.vantage.ballot.voters[family as usize].count()),
            blind: self.sight.all(until, &self.vantage),
        }
    }

    fn status(&self, track: &Track, incidents: &[Incident], until: Time) -> EntityStatus {
        let mut tolls = [level::Toll::default(); 2];
        for (toll, family) in tolls.iter_mut().zip(&track.families) {
            *toll = family.toll_now();
        }
        let (mut origins, mut upstreams) = (BTreeSet::new(), BTreeSet::new());
        for holding in track.families.iter().flat_map(|family| &family.holdings) {
            let (own_origins, own_upstreams) = self.table.origins(holding.row);
            origins.extend(own_origins);
            upstreams.extend(own_upstreams);
        }
        let upstreams = upstreams.difference(&origins).copied().collect::<Vec<Asn>>();
        let networks: [BeforeLost; 2] = tolls.map(|toll| toll.networks);
        EntityStatus {
            entity: track.entity,
            state: self.state(track, &tolls, incidents, until),
            networks,
            addresses: tolls.map(|toll| toll.addresses),
            origin_asns: origins.into_iter().collect(),
            upstreams,
            flaps: incidents.iter().map(|incident| incident.flaps.len() as u32).sum(),
        }
    }

    fn state(
        &self,
        track: &Track,
        tolls: &[level::Toll; 2],
        incidents: &[Incident],
        until: Time,
    ) -> EntityState {
        let families = Family::ALL.iter().zip(tolls).filter(|(_, toll)| toll.networks.before > 0);
        let mut seen = families.map(|(family, _)| self.vantage.ballot.covered[*family as usize]);
        if track.families.iter().all(|family| family.holdings.is_empty()) || !seen.any(|covered| covered) {
            return EntityState::Unknown;
        }
        match level::overall(tolls, &self.parameters) {
            Level::Partial => EntityState::Partial,
            Level::Severe => EntityState::Severe,
            Level::Dark => EntityState::Dark,
            Level::None => {
                let recent = |end: Time| until - end <= self.parameters.unstable_gap;
                let unstable = incidents
                    .iter()
                    .flat_map(|incident| incident.phases.last())
                    .any(|phase| phase.state == PhaseState::Unstable && phase.until.is_none_or(recent));
                if unstable { EntityState::Unstable } else { EntityState::Normal }
            }
        }
    }

    fn series_of(&self, track: &Track, into: &mut Vec<Series>) {
        let signals = [Signal::NetworksUp, Signal::NetworksLost, Signal::AddressesLost];
        for family in Family::ALL {
            let known = &track.families[family as usize];
            if known.holdings.is_empty() {
                continue;
            }
            let begin = self.first.unwrap_or(self.now);
            let toll = known.toll_now();
            let whole = [toll.networks.before, 0, 0];
            for ((signal, points), before) in signals.iter().zip(&track.series[family as usize]).zip(whole) {
                let mut points = points.all().to_vec();
                if points.first().is_none_or(|(time, _)| *time > begin) {
                    points.insert(0, (begin, Sample::Value(before)));
                    points.dedup_by_key(|(_, value)| *value);
                }
                into.push(Series { entity: track.entity, family, signal: *signal, points });
            }
            let points = self.sighted[family as usize].clone();
            into.push(Series { entity: track.entity, family, signal: Signal::VotersSighted, points });
        }
    }
}

/// The incidents of an entity, from all its losses, each as wide as the clocks are wrong.
pub(crate) fn incidents_of(track: &Track, vantage: &Vantage, context: &Context<'_>) -> Vec<Incident> {
    let losses: Vec<Cow<'_, Episode>> =
        track.losses().map(|loss| skew::widen(loss, &context.skews, vantage)).collect();
    compose(track.entity, &losses.iter().map(Cow::as_ref).collect::<Vec<_>>(), context)
}
