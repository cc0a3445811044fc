//! What the forms ask of an incident's course again and again.

use super::times::seconds_between;
use gonedark_infer::report::{Incident, Level, Phase, PhaseState};
use gonedark_route::Time;

/// Questions about the course of an incident. Times in seconds; `end` is the window's end, which closes what is open.
pub trait Course {
    /// Whether it never was more than flapping: no loss that lasted.
    fn is_unstable_only(&self) -> bool;
    /// Whether nothing is known of it but that it could not be seen.
    fn is_unseen_only(&self) -> bool;
    /// Its first moment.
    fn begin(&self) -> Time;
    /// Falls and returns in it.
    fn falls(&self) -> u64;
    /// How long it flapped before the worst of it began.
    fn flapping_before(&self) -> i64;
    /// How long it flapped after the worst of it had ended.
    fn flapping_after(&self, end: Time) -> i64;
    /// How often it came back between onset and recovery, only to go again.
    fn returns_between(&self) -> usize;
    /// How long it could not be seen between onset and recovery.
    fn unseen_between(&self, end: Time) -> i64;
    /// When what was lost was whole again: the end of what remained lost after the recovery began. `None` while
    /// something still is.
    fn whole_at(&self) -> Option<Time>;
}

impl Course for Incident {
    fn is_unstable_only(&self) -> bool {
        self.phases.iter().any(|phase| phase.state == PhaseState::Unstable)
            && self
                .phases
                .iter()
                .all(|phase| matches!(phase.state, PhaseState::Unstable | PhaseState::Unknown))
    }

    fn is_unseen_only(&self) -> bool {
        !self.phases.is_empty() && self.phases.iter().all(|phase| phase.state == PhaseState::Unknown)
    }

    fn begin(&self) -> Time {
        self.phases.first().map_or(self.onset.earliest, |phase| phase.from)
    }

    fn falls(&self) -> u64 {
        let in_phases: u64 = self.phases.iter().map(|phase| u64::from(phase.flaps)).sum();
        in_phases.max(self.flaps.len() as u64)
    }

    fn flapping_before(&self) -> i64 {
        flapping(self, |phase| phase.from < self.onset.vote, self.onset.vote)
    }

    fn flapping_after(&self, end: Time) -> i64 {
        match self.recovery {
            Some(recovery) => flapping(self, |phase| phase.from >= recovery.vote, end),
            None => 0,
        }
    }

    fn returns_between(&self) -> usize {
        let worst = worst_state(self.level);
        let until = self.recovery.map_or(Time::MAX, |recovery| recovery.latest);
        let worst_phases = self
            .phases
            .iter()
            .filter(|phase| Some(phase.state) == worst)
            .filter(|phase| phase.from >= self.onset.earliest && phase.from < until);
        // A stretch that nobody saw is no return.
        let apart_only_by_blindness = self.phases.windows(3).filter(|three| {
            Some(three[0].state) == worst
                && three[1].state == PhaseState::Unknown
                && Some(three[2].state) == worst
        });
        worst_phases.count().saturating_sub(1 + apart_only_by_blindness.count())
    }

    fn unseen_between(&self, end: Time) -> i64 {
        let until = self.recovery.map_or(end, |recovery| recovery.earliest);
        self.phases
            .iter()
            .filter(|phase| phase.state == PhaseState::Unknown)
            .map(|phase| {
                let from = phase.from.max(self.onset.latest);
                seconds_between(from, phase.until.unwrap_or(end).min(until))
            })
            .sum()
    }

    fn whole_at(&self) -> Option<Time> {
        let recovery = self.recovery?;
        let impaired = |phase: &&Phase| {
            matches!(phase.state, PhaseState::Partial | PhaseState::Severe | PhaseState::Recovering)
        };
        let after = self.phases.iter().filter(|phase| phase.from >= recovery.earliest);
        match after.take_while(impaired).last() {
            Some(last) => last.until,
            None => Some(recovery.latest),
        }
    }
}

fn flapping(incident: &Incident, which: impl Fn(&Phase) -> bool, until: Time) -> i64 {
    incident
        .phases
        .iter()
        .filter(|phase| phase.state == PhaseState::Unstable && which(phase))
        .map(|phase| seconds_between(phase.from, phase.until.unwrap_or(until).min(until)))
        .sum()
}

const fn worst_state(level: Level) -> Option<PhaseState> {
    match level {
        Level::None => None,
        Level::Partial => Some(PhaseState::Partial),
        Level::Severe => Some(PhaseState::Severe),
        Level::Dark => Some(PhaseState::Dark),
    }
}
