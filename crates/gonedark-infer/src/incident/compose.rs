//! Grouping an entity's losses into incidents.

use super::phases::{self, Stretch};
use super::turn::{self, Testimony};
use crate::detection::episode::Episode;
use crate::entity::Entity;
use crate::observation::CollectorId;
use crate::parameters::{Parameters, SECOND};
use crate::report::{FamilyLoss, Incident, Interval, Level, NetworkLoss, Note, Turn, Witnesses};
use gonedark_route::{Asn, Time};
use std::collections::BTreeMap;

/// What composing needs to know beside the losses.
pub(crate) struct Context<'a> {
    pub(crate) parameters: &'a Parameters,
    /// The ASN of each voter.
    pub(crate) voters: Vec<Asn>,
    /// Intervals in which too few could see, of either family.
    pub(crate) dim: &'a [(Time, Time)],
    /// The end of what was looked at.
    pub(crate) now: Time,
    /// By how many microseconds collectors' clocks are wrong ([`super::skew`]).
    pub(crate) skews: BTreeMap<CollectorId, i64>,
}

impl Context<'_> {
    /// By how many microseconds a time may be widened for the clock that gave it.
    pub(crate) fn skew(&self) -> i64 {
        self.skews.values().map(|skew| skew.abs()).max().unwrap_or(0)
    }

    fn is_flap(&self, loss: &Episode) -> bool {
        loss.end.is_some_and(|end| end - loss.start < self.parameters.flap_under)
    }

    /// The time between two losses in which somebody could see.
    pub(crate) fn seen_between(&self, from: Time, until: Time) -> i64 {
        let blind: i64 =
            self.dim.iter().map(|(begin, end)| ((*end).min(until) - (*begin).max(from)).max(0)).sum();
        (until - from) - blind
    }
}

/// All incidents of an entity, from all its losses in order.
pub(crate) fn compose(entity: Entity, losses: &[&Episode], context: &Context<'_>) -> Vec<Incident> {
    let near = |a: &&Episode, b: &&Episode| {
        a.end.is_some_and(|end| context.seen_between(end, b.start) <= context.parameters.unstable_gap)
    };
    losses.chunk_by(near).flat_map(|cluster| of_cluster(entity, cluster, context)).collect()
}

fn of_cluster(entity: Entity, cluster: &[&Episode], context: &Context<'_>) -> Vec<Incident> {
    let runs: Vec<&[&Episode]> = cluster.chunk_by(|a, b| context.is_flap(a) && context.is_flap(b)).collect();
    let mut stretches = Vec::new();
    let mut unstable = false;
    for (index, run) in runs.iter().enumerate() {
        let before_collapse = index + 1 < runs.len();
        if context.is_flap(run[0]) && (run.len() >= 3 || run.len() == 2 && before_collapse) {
            unstable = true;
            stretches.push(Stretch::Unstable(run));
        } else {
            stretches.extend(run.iter().map(|loss| Stretch::Loss(loss)));
        }
    }
    if unstable {
        return vec![incident(entity, cluster, &stretches, context)];
    }
    let long_enough =
        |loss: &&&Episode| loss.end.unwrap_or(context.now) - loss.start >= context.parameters.min_duration;
    let alone = cluster.iter().filter(long_enough);
    alone.map(|loss| incident(entity, &[loss], &[Stretch::Loss(loss)], context)).collect()
}

fn incident(
    entity: Entity,
    losses: &[&Episode],
    stretches: &[Stretch<'_>],
    context: &Context<'_>,
) -> Incident {
    let main = main_loss(losses, context);
    let testimony = turn::testimony(main);
    let onset = turn::onset(main, &testimony, context);
    let recovery = turn::recovery(main, &testimony, context);
    let first = losses[0].start;
    let mut notes = Vec::new();
    if context.dim.iter().any(|(begin, end)| *begin <= onset.vote && *end >= onset.earliest) {
        notes.push(Note::NextToBlindness);
    }
    Incident {
        id: id(entity, first),
        entity,
        ended: losses[losses.len() - 1].end.is_some(),
        level: main.worst.as_ref().map_or(Level::None, |worst| worst.level),
        families: families(main),
        onset,
        recovery,
        duration_s: recovery.map(|recovery| duration(onset, recovery)),
        phases: phases::blank(phases::phases(stretches), context.dim, context.now),
        flaps: losses
            .iter()
            .filter(|loss| context.is_flap(loss))
            .filter_map(|loss| phases::flap(loss))
            .collect(),
        networks: networks(main),
        witnesses: witnesses(&testimony, &context.voters),
        notes,
    }
}

/// The worst loss; of equals the longest, of those the first.
fn main_loss<'a>(losses: &[&'a Episode], context: &Context<'_>) -> &'a Episode {
    let rank = |loss: &Episode| {
        let level = loss.worst.as_ref().map(|worst| worst.level);
        (level, loss.end.unwrap_or(context.now) - loss.start)
    };
    let mut main = losses[0];
    for loss in losses {
        if rank(loss) > rank(main) {
            main = loss;
        }
    }
    main
}

/// `country-KP-20141221T141500Z`: entity and the begin of its first phase.
fn id(entity: Entity, start: Time) -> String {
    let stamp = Time::from_seconds(start.seconds()).to_string().replace(['-', ':'], "");
    format!("{}-{}-{stamp}", entity.kind(), entity.code())
}

/// Shortest and longest possible, in seconds. A stamp of whole seconds may name any moment of its second.
fn duration(onset: Turn, recovery: Turn) -> (u64, u64) {
    let width = |time: Time| if time.subsecond_micros() == 0 { SECOND } else { 0 };
    let least = recovery.earliest - (onset.latest + width(onset.latest));
    let most = (recovery.latest + width(recovery.latest)) - onset.earliest;
    ((least.max(0) / SECOND) as u64, (most.max(0) as u64).div_ceil(SECOND as u64))
}

fn families(main: &Episode) -> [Option<FamilyLoss>; 2] {
    let Some(worst) = &main.worst else { return [None, None] };
    [0, 1].map(|family| {
        let (toll, (level, split)) = (&worst.tolls[family], worst.levels[family]);
        let had_any = toll.networks.before > 0;
        had_any.then_some(FamilyLoss { level, networks: toll.networks, addresses: toll.addresses, split })
    })
}

fn networks(main: &Episode) -> Vec<NetworkLoss> {
    let Some(worst) = &main.worst else { return Vec::new() };
    let mut losses = Vec::new();
    for (prefix, record) in worst.records.as_ref().unwrap_or(&main.networks) {
        let seen = || record.sightings.iter().filter(|sighting| worst.saw(*prefix, sighting.voter));
        let Some(lost) = seen().map(|sighting| sighting.lost).reduce(Interval::join) else { continue };
        let later = main.networks.get(prefix);
        let returns =
            seen().filter_map(|sighting| sighting.back.or_else(|| later?.sighting(sighting.voter)?.back));
        losses.push(NetworkLoss {
            prefix: *prefix,
            origin_asns: record.origins.clone(),
            upstreams: record.upstreams.clone(),
            lost,
            back: main.end.and_then(|_| returns.reduce(Interval::join)),
            foreign_origins: sorted(record.foreign.clone()),
        });
    }
    losses
}

fn witnesses(testimony: &Testimony, voters: &[Asn]) -> Witnesses {
    let asns = |set: &mut dyn Iterator<Item = u16>| {
        sorted(set.filter_map(|voter| voters.get(usize::from(voter))).copied().collect())
    };
    let agreeing_asns = asns(&mut testimony.agreeing.keys().copied());
    Witnesses {
        asns: testimony.watchers.len() as u32,
        agreeing: agreeing_asns.len() as u32,
        agreeing_asns,
        stuck: asns(&mut testimony.stuck.iter().copied()),
    }
}

fn sorted(mut asns: Vec<Asn>) -> Vec<Asn> {
    asns.sort_unstable();
    asns.dedup();
    asns
}
