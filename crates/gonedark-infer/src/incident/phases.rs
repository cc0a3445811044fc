//! The course of an incident as phases that follow each other without gap or overlap.

use crate::detection::episode::Episode;
use crate::report::{Flap, Level, Phase, PhaseState};
use gonedark_route::Time;

/// A stretch of a cluster: a run of short losses, or one longer loss.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stretch<'a> {
    /// Short losses in a row, enough of them to be called unstable.
    Unstable(&'a [&'a Episode]),
    /// One loss.
    Loss(&'a Episode),
}

impl Stretch<'_> {
    fn start(&self) -> Time {
        match self {
            Stretch::Unstable(run) => run[0].start,
            Stretch::Loss(loss) => loss.start,
        }
    }
}

pub(crate) fn flap(episode: &Episode) -> Option<Flap> {
    let level = episode.worst.as_ref().map_or(Level::None, |worst| worst.level);
    Some(Flap { from: episode.start, until: episode.end?, level })
}

/// The phases of an incident. What lies between two losses is recovery; between the flaps of an unstable stretch and
/// the loss that follows it is still unstable.
pub(crate) fn phases(stretches: &[Stretch<'_>]) -> Vec<Phase> {
    let mut phases: Vec<Phase> = Vec::new();
    for (index, stretch) in stretches.iter().enumerate() {
        let next = stretches.get(index + 1).map(Stretch::start);
        match stretch {
            Stretch::Unstable(run) => {
                let until = next.or(run[run.len() - 1].end);
                let flaps = run.len() as u32;
                push(&mut phases, Phase { state: PhaseState::Unstable, from: run[0].start, until, flaps });
            }
            Stretch::Loss(loss) => {
                of_loss(loss, &mut phases);
                if let (Some(from), Some(_)) = (loss.end, next) {
                    push(&mut phases, Phase { state: PhaseState::Recovering, from, until: next, flaps: 0 });
                }
            }
        }
    }
    phases
}

/// Until the worst is over by level; from then on it recovers.
fn of_loss(loss: &Episode, phases: &mut Vec<Phase>) {
    let worst = loss.steps.iter().map(|step| step.level).max().unwrap_or(Level::None);
    let last_worst = loss.steps.iter().rposition(|step| step.level == worst).unwrap_or(0);
    for (index, step) in loss.steps.iter().enumerate() {
        let until = loss.steps.get(index + 1).map(|next| next.at).or(loss.end);
        let state = match step.level {
            Level::None => continue,
            _ if index > last_worst => PhaseState::Recovering,
            Level::Partial => PhaseState::Partial,
            Level::Severe => PhaseState::Severe,
            Level::Dark => PhaseState::Dark,
        };
        push(phases, Phase { state, from: step.at, until, flaps: 0 });
    }
}

/// Adds a phase; one of the same state goes on, and one of no length is left out.
fn push(phases: &mut Vec<Phase>, phase: Phase) {
    if phase.until == Some(phase.from) {
        return;
    }
    match phases.last_mut() {
        Some(last) if last.state == phase.state && last.until == Some(phase.from) => {
            last.until = phase.until;
            last.flaps += phase.flaps;
        }
        _ => phases.push(phase),
    }
}

/// Cuts out the intervals in which too few could see: nobody can say what the phase was then.
pub(crate) fn blank(phases: Vec<Phase>, dim: &[(Time, Time)], now: Time) -> Vec<Phase> {
    let mut cut = Vec::new();
    for phase in phases {
        let end = phase.until.unwrap_or(now);
        let mut from = phase.from;
        let mut flaps = phase.flaps;
        for (begin, until) in dim.iter().filter(|(begin, until)| *begin < end && *until > phase.from) {
            let begin = (*begin).max(from);
            push(&mut cut, Phase { until: Some(begin), from, flaps: std::mem::take(&mut flaps), ..phase });
            let last = *until >= end && phase.until.is_none();
            let until = (!last).then_some((*until).min(end));
            push(&mut cut, Phase { state: PhaseState::Unknown, from: begin, until, flaps: 0 });
            from = until.unwrap_or(end);
        }
        if from < end {
            push(&mut cut, Phase { from, flaps, ..phase });
        }
    }
    cut
}
