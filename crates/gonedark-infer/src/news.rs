//! What is new since it was last asked: for a program that runs for months, keeps what it is told and forgets the rest.
//!
//! A report looks back over all losses at once. News are the same conclusions as they come: transitions of signals, the
//! incidents of those entities for which something may have changed, blindness. What can no longer change is told once
//! more and then forgotten, so that memory is bounded by what is going on.

use crate::conclude::incidents_of;
use crate::detection::episode::Episode;
use crate::detection::track::Track;
use crate::entity::Entity;
use crate::incident::compose::Context;
use crate::incident::skew;
use crate::incident::told::Told;
use crate::inference::Inference;
use crate::report::{Blindness, Note, Retold, Sample, Signal};
use gonedark_route::{Family, Time};
use std::collections::BTreeSet;

/// A signal takes a new value, which holds until the next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Of whom; `None` for what all share (`VotersSighted`).
    pub entity: Option<Entity>,
    /// Of which family.
    pub family: Family,
    /// What.
    pub signal: Signal,
    /// From when on.
    pub at: Time,
    /// Its value.
    pub value: Sample,
}

/// What is new.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct News {
    /// By entity, family, signal, time.
    pub points: Vec<Point>,
    /// By entity.
    pub incidents: Vec<Retold>,
    /// Those that began or ended.
    pub blind: Vec<Blindness>,
    /// What limits what is said.
    pub notes: Vec<Note>,
}

impl Inference {
    /// From now on news are told, and what can no longer change is forgotten: to be called before anything else.
    pub fn tell_news(&mut self) {
        self.tells_news = true;
    }

    /// Everything that can still change is told once more with the next news: after a restart nobody knows whether what was
    /// told last was heard.
    pub fn tell_again(&mut self) {
        self.told.clear();
        self.tracks.tell_again();
        self.sight.tell_again();
    }

    /// Details that wait are told with the next news: for the last ones.
    pub fn tell_rest(&mut self) {
        self.tells_rest = true;
    }

    /// What is new since the last call ([`Inference::tell_news`] comes first). Everything before the last
    /// [`Inference::watermark`] has been judged; when this is asked, and how often, changes nothing of what is concluded,
    /// nor of what all news together say in the end, once [`Inference::tell_rest`] was called. That losses begin, end, get
    /// worse or change their level is told at once; the details of hundreds of networks that flap meanwhile only as often as
    /// costs little (`incident/told.rs`).
    pub fn news(&mut self) -> News {
        let now = self.now;
        let blind = self.sight.news(now, &self.vantage);
        let mut news = News { blind, incidents: std::mem::take(&mut self.settled), ..News::default() };
        self.common_points(&mut news.points);
        let dim = self.dim_intervals(now);
        let mut entities = self.tracks.take_changed();
        // Each begin and each end of a time without sight changes the phases of what is going on.
        let edges = self.dim_edges();
        if std::mem::replace(&mut self.told_dim, edges) != edges {
            self.told.values_mut().for_each(|told| told.due = now);
        }
        let rest = self.tells_rest;
        let ripe = self.told.iter().filter(|(_, told)| told.due <= now || told.waits && rest);
        entities.extend(ripe.map(|(entity, _)| *entity));
        if !entities.is_empty() {
            self.retell(&entities, &dim, &mut news);
        }
        self.tells_rest = false;
        news.notes.extend(self.limits());
        news.notes.sort_unstable();
        news.notes.dedup();
        news
    }

    /// Tells for the last time of losses that nothing can join any more, and forgets them. Done when they fall due and not
    /// when news are asked for: what is known of the clocks then goes into what is said for good.
    pub(crate) fn settle(&mut self, now: Time) {
        let dim = self.dim_intervals(now);
        let context = Context {
            parameters: &self.parameters,
            voters: self.vantage.voters.iter().map(|voter| voter.asn).collect(),
            dim: &dim,
            now,
            skews: self.skews(),
        };
        while let Some(entity) = self.tracks.take_over(now) {
            let Some(track) = self.tracks.tracks.get_mut(&entity) else { continue };
            let Some(since) = track.losses().next().map(|first| first.start) else { continue };
            match settled(track, &context) {
                Ok(count) => {
                    let incidents = incidents_of(track, &self.vantage, &context);
                    let losses: Vec<Episode> = track.episodes.drain(..count).collect();
                    if matches!(entity, Entity::Country(_)) {
                        skew::remember(&mut self.past_skews, &losses, &self.vantage);
                    }
                    self.settled.push(Retold { entity, since, incidents });
                }
                Err(Some(due)) => self.tracks.over_at(due, entity),
                // It goes on; its end will come.
                Err(None) => {}
            }
        }
        self.forget_dim(now);
    }

    fn retell(&mut self, entities: &BTreeSet<Entity>, dim: &[(Time, Time)], news: &mut News) {
        let (now, begin) = (self.now, self.first.unwrap_or(self.now));
        let mut open: Vec<(Entity, Time)> = Vec::new();
        for entity in entities {
            let Some(track) = self.tracks.tracks.get_mut(entity) else { continue };
            points_of(track, (begin, now), &mut news.points);
            news.notes.append(&mut track.notes);
            let Some(since) = track.losses().next().map(|first| first.start) else {
                self.told.remove(entity);
                continue;
            };
            let told = self.told.get_mut(entity).filter(|_| !self.tells_rest);
            if !told.is_some_and(|told| told.can_wait(track, now)) {
                open.push((*entity, since));
            }
        }
        if open.is_empty() {
            return;
        }
        // The clocks are looked for in all losses there are.
        let context = Context {
            parameters: &self.parameters,
            voters: self.vantage.voters.iter().map(|voter| voter.asn).collect(),
            dim,
            now,
            skews: self.skews(),
        };
        for (entity, since) in open {
            let Some(track) = self.tracks.tracks.get(&entity) else { continue };
            let incidents = incidents_of(track, &self.vantage, &context);
            news.incidents.push(Retold { entity, since, incidents });
            self.told.insert(entity, Told::new(track, now, next_due(track, &context)));
        }
    }

    /// Forgets times without sight that lie before every loss that can still change.
    fn forget_dim(&mut self, now: Time) {
        let starts = self.tracks.tracks.values().filter_map(|track| track.losses().next());
        let oldest = starts.map(|loss| loss.start).min().unwrap_or(now);
        let before = self.dim_edges();
        for dim in &mut self.dim {
            dim.retain(|(_, end)| end.is_none_or(|end| end >= oldest));
        }
        // Edges that came since news were last told are still to be told.
        self.told_dim = self.told_dim.saturating_sub(before - self.dim_edges());
    }

    fn dim_edges(&self) -> usize {
        self.dim.iter().flatten().map(|(_, end)| 1 + usize::from(end.is_some())).sum()
    }

    /// Transitions of what all entities share.
    fn common_points(&mut self, into: &mut Vec<Point>) {
        let now = self.now;
        for family in Family::ALL {
            let points = &mut self.sighted[family as usize];
            let told = &mut self.told_sighted[family as usize];
            // The value of the stamp that is going on may still change: it is told with the next news.
            let over = points.iter().take_while(|(at, _)| *at < now).count();
            let Some(last) = over.checked_sub(1) else { continue };
            let new = points[..over].iter().filter(|(at, _)| told.is_none_or(|told| *at > told));
            into.extend(new.map(|(at, value)| Point {
                entity: None,
                family,
                signal: Signal::VotersSighted,
                at: *at,
                value: *value,
            }));
            *told = Some(points[last].0);
            points.drain(..last);
        }
    }
}

/// The transitions of a track that were not told yet; those told are forgotten but for the last.
fn points_of(track: &mut Track, (begin, now): (Time, Time), into: &mut Vec<Point>) {
    let first = !std::mem::replace(&mut track.told, true);
    let signals = [Signal::NetworksUp, Signal::NetworksLost, Signal::AddressesLost];
    for family in Family::ALL {
        let known = &track.families[family as usize];
        if known.holdings.is_empty() {
            continue;
        }
        let whole = [known.toll_now().networks.before, 0, 0];
        let series = &mut track.series[family as usize];
        for ((signal, points), before) in signals.into_iter().zip(series).zip(whole) {
            let point = |at, value| Point { entity: Some(track.entity), family, signal, at, value };
            let mut last = None;
            if first && points.all().first().is_none_or(|(at, _)| *at > begin) {
                last = Some(Sample::Value(before));
                into.push(point(begin, Sample::Value(before)));
            }
            // The value of the stamp that is going on may still change: it is told with the next news.
            let new = points.tell_before(now).filter(|(_, value)| last.replace(*value) != Some(*value));
            into.extend(new.map(|(at, value)| point(at, value)));
        }
    }
}

/// How many losses of a track can change no more: nothing can join them, and nobody's late return is waited for. Those
/// that hang together go together, and all of a track at once, so that what was told of them is told anew as a whole.
///
/// # Errors
/// When it will be so at the earliest; `None` while a loss goes on.
fn settled(track: &Track, context: &Context<'_>) -> Result<usize, Option<Time>> {
    let Some(last) = track.losses().last() else { return Ok(0) };
    let end = last.end.ok_or(None)?;
    // Blind time does not count.
    let left = context.parameters.unstable_gap - context.seen_between(end, context.now);
    if left >= 0 { Err(Some(context.now + left + 1)) } else { Ok(track.losses().count()) }
}

/// When an entity has to be looked at again though nothing of it changes: an isolated loss becomes an incident by lasting.
fn next_due(track: &Track, context: &Context<'_>) -> Time {
    let open = track.losses().filter(|loss| loss.end.is_none());
    let young =
        open.map(|loss| loss.start + context.parameters.min_duration).filter(|due| *due > context.now);
    young.min().unwrap_or(Time::MAX)
}
