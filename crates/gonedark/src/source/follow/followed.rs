//! One stream of the follower: how far it is, in words too, until when it speaks, and where it is blind.

use crate::source::archive::{FileSummary, Rhythm, WITHOUT_RHYTHM};
use crate::source::batch::{Batch, Observation};
use crate::source::live::Outlet;
use crate::source::parcel::{Parcel, Part, StreamKey};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use std::sync::Arc;

/// One stream of it.
pub(super) struct Followed {
    pub(super) key: Arc<StreamKey>,
    /// The last file that was begun: its name and time, how many of its batches were sent, and whether it was sent whole.
    pub(super) at: Option<Place>,
    /// Until when what was sent speaks.
    pub(super) speaks_until: Time,
    pub(super) in_gap: bool,
    /// A live source goes on alone.
    pub(super) is_done: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) time: Time,
    pub(super) name: String,
    pub(super) batches: u64,
    pub(super) whole: bool,
}

impl Followed {
    /// How far it is, in words from which it is set up again.
    pub(super) fn position(&self) -> Option<String> {
        let Place { time, name, batches, whole } = self.at.as_ref()?;
        let (whole, gap) =
            (if *whole { "whole" } else { "part" }, if self.in_gap { "blind" } else { "sees" });
        Some(format!("{} {batches} {whole} {} {gap} {name}", time.micros(), self.speaks_until.micros()))
    }

    pub(super) fn go_on(key: StreamKey, position: Option<&str>) -> Self {
        let key = Arc::new(key);
        let fresh = Followed { key, at: None, speaks_until: Time::MIN, in_gap: false, is_done: false };
        let parsed = position.and_then(|text| {
            let mut words = text.splitn(6, ' ');
            let time = Time::from_micros(words.next()?.parse().ok()?);
            let batches = words.next()?.parse().ok()?;
            let whole = words.next()? == "whole";
            let speaks_until = Time::from_micros(words.next()?.parse().ok()?);
            let in_gap = words.next()? == "blind";
            let at = Some(Place { time, name: words.next()?.to_owned(), batches, whole });
            Some(Followed { at, speaks_until, in_gap, key: Arc::clone(&fresh.key), ..fresh })
        });
        parsed.unwrap_or(fresh)
    }

    /// Whether there should have been another file before one that begins at `time`.
    pub(super) fn misses_before(&self, time: Time, rhythm: Option<&Rhythm>) -> bool {
        rhythm.is_some_and(|rhythm| {
            self.speaks_until > Time::MIN && time - self.speaks_until > rhythm.step_at(time) * 1_000_000 / 2
        })
    }

    /// Tells of blindness between what was sent last and a file that begins later.
    pub(super) fn gap_before(&mut self, time: Time, rhythm: Option<&Rhythm>, outlet: &Outlet) -> bool {
        if self.key.part == Part::Tables {
            return true;
        }
        let mut parcel = Parcel::of(&self.key);
        if self.misses_before(time, rhythm) {
            self.lose_sight(&mut parcel, self.speaks_until, BlindReason::MissingFile);
        }
        if std::mem::take(&mut self.in_gap) {
            self.speaks_until = self.speaks_until.max(time);
            parcel.batch.observations.push((self.speaks_until, Observation::GapEnd));
            // Told once, also where it ends before the file is begun.
            parcel.position = self.position();
        }
        parcel.batch.observations.is_empty() || outlet.send(parcel)
    }

    /// Tells that it is blind from `at` on, unless that was told already.
    pub(super) fn lose_sight(&mut self, parcel: &mut Parcel, at: Time, reason: BlindReason) {
        if !std::mem::replace(&mut self.in_gap, true) {
            parcel.batch.observations.push((at, Observation::GapBegin { reason }));
        }
    }

    /// A file has ended: how far it speaks, at most until `latest`, and whether its end is missing.
    pub(super) fn end(
        &mut self,
        parcel: &mut Parcel,
        summary: &FileSummary,
        (time, rhythm): (Time, Option<&Rhythm>),
        latest: Time,
    ) {
        if self.key.part == Part::Tables {
            // Nobody waits for the next table.
            parcel.closed = true;
            return;
        }
        let last = summary.span.map_or(time, |(_, last)| last + 1).min(latest);
        self.speaks_until = rhythm.map_or(last, |rhythm| last.max(rhythm.speaks_until(time)));
        let unread = summary.records == 0 && !summary.damage.is_empty();
        if let Some(cut) = summary.cut_at.or(unread.then_some(time)) {
            self.lose_sight(parcel, cut.min(self.speaks_until), BlindReason::Damage);
        }
        parcel.mark = Some(self.speaks_until);
    }

    /// The file that an earlier run was within is not there any more: nobody waits for the rest of a table, and of messages
    /// nobody saw what it held. How far they were read is not known, so the whole file is blindness.
    pub(super) fn gone(&mut self) -> Parcel {
        let mut parcel = Parcel::of(&self.key);
        let Some(at) = &mut self.at else { return parcel };
        at.whole = true;
        let time = at.time;
        if self.key.part == Part::Tables {
            parcel.batch.observations.push((time, Observation::TableEnd { whole: false }));
            parcel.closed = true;
        } else {
            self.speaks_until = self.speaks_until.max(time);
            self.lose_sight(&mut parcel, self.speaks_until, BlindReason::MissingFile);
        }
        parcel.position = self.position();
        parcel
    }
}

/// The latest that a file that begins at `time` may speak of. One wrong stamp would else have its collector speak of what
/// nobody has seen yet, and hold up all that comes after it.
///
/// Nothing is said later than now; but the time that is due by the files' names is believed also where the clock of this
/// machine is behind. Beyond that a file may speak for as long as [`LONGEST`]: its collector may have gone over to a slower
/// rhythm, or have forgotten to begin the next file.
pub(super) fn latest(time: Time, rhythm: Option<&Rhythm>, now: Time) -> Time {
    let Some(rhythm) = rhythm else { return now.max(time + WITHOUT_RHYTHM * 1_000_000) };
    let due = rhythm.speaks_until(time);
    now.min(due + rhythm.step_at(time).max(LONGEST) * 1_000_000).max(due)
}

/// The longest that an update file is believed to speak beyond its rhythm, in seconds. Guess: eight of RouteViews' files in
/// one, since a stamp that is right must not be moved.
const LONGEST: i64 = 2 * 3600;

/// Takes what is stamped later than a file can speak of as said at its end, and what is earlier than was promised (a file
/// that is read for what came after) as known by then. Gives how many were too late: their stamps are wrong.
pub(super) fn bound(batch: &mut Batch, earliest: Time, latest: Time) -> u64 {
    for (at, _) in batch.observations.iter_mut().take_while(|(at, _)| *at < earliest) {
        *at = earliest;
    }
    // In order of time, so that what is later is at the end.
    let mut late = 0;
    for (at, _) in batch.observations.iter_mut().rev().take_while(|(at, _)| *at > latest) {
        *at = latest;
        late += 1;
    }
    late
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Time = Time::from_seconds(1_700_000_100);
    const MINUTE: i64 = 60_000_000;

    #[test]
    fn a_wrong_stamp_is_no_later_than_now_nor_than_the_longest_file() {
        let every = Rhythm::every(300);
        let days = 24 * 60 * MINUTE;
        let latest = |rhythm, now| latest(FILE, rhythm, now) - FILE;
        assert_eq!(latest(Some(&every), FILE + days), 125 * MINUTE);
        assert_eq!(latest(Some(&every), FILE + 6 * MINUTE), 6 * MINUTE);
        assert_eq!(latest(Some(&every), FILE + MINUTE), 5 * MINUTE, "the clock of this machine may be wrong");
        assert_eq!(latest(None, FILE + days), days);
    }

    #[test]
    fn what_is_stamped_later_than_a_file_can_speak_of_is_said_at_its_end() {
        let alive = |minute| (FILE + minute * MINUTE, Observation::Alive { peer: 0 });
        let mut batch = Batch { observations: vec![alive(1), alive(30), alive(900)], ..Batch::default() };
        assert_eq!(bound(&mut batch, Time::MIN, FILE + 20 * MINUTE), 2);
        assert_eq!(batch.observations, [alive(1), alive(20), alive(20)]);
    }
}
