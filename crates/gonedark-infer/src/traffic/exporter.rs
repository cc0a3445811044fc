//! Those who count packets for us: whether they are heard, and what their clocks are worth.

use super::amount::Amount;
use super::report::{Deaf, DeafReason, ExporterStatus};
use gonedark_route::Time;
use std::collections::VecDeque;

/// Seconds of which the least delay is kept, to tell a clock by: one minute. Guess.
const DELAYS: usize = 60;
/// An exporter is silent after so many of its usual pauses between two records: chance makes one in 500 million as long. Guess.
const PAUSES: i64 = 20;
/// By what part of itself the longest pause is forgotten with each word. Guess: who is busy by day and not at night is known
/// again after as many words.
const FORGOTTEN: i64 = 8;
/// An exporter is silent after so many of its longest pauses of late. Guess: one word may be lost on its way.
const LONG_PAUSES: i64 = 2;
/// An exporter that was silent for so long is taken to be gone for good, in microseconds: a day. Guess: a router under repair is
/// back within one.
pub const GONE: i64 = 86_400_000_000;
/// Losses at most this far apart are told as one. Guess: the usual active timeout.
const SAME_LOSS: i64 = 60_000_000;
/// Times in which an exporter could not be heard that are kept until they are told. Guess.
const KEPT_DEAF: usize = 1_024;

/// One exporter.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Exporter {
    number: u16,
    records: u64,
    lost: u64,
    too_old: (u64, u64),
    since: Time,
    heard: Time,
    /// The longest of its pauses of late.
    pause: i64,
    /// What was taken off its stamps in this second.
    behind: i64,
    /// The least delay of the second that goes on.
    least: Option<i64>,
    /// The least delays of the seconds before.
    delays: VecDeque<i64>,
    /// When it could not be heard; the last may go on.
    deaf: Vec<Deaf>,
    is_silent: bool,
}

impl Exporter {
    pub(crate) fn new(number: u16) -> Self {
        Exporter {
            number,
            records: 0,
            lost: 0,
            too_old: (0, 0),
            since: Time::MAX,
            heard: Time::MIN,
            pause: 0,
            behind: 0,
            least: None,
            delays: VecDeque::new(),
            deaf: Vec::new(),
            is_silent: false,
        }
    }

    /// A record came; gives what has to be added to its times.
    #[inline]
    pub(crate) fn heard(&mut self, received: Time, end: Time) -> i64 {
        let delay = received - end;
        self.records += 1;
        self.least = Some(self.least.map_or(delay, |least| least.min(delay)));
        self.is_alive(received);
        self.behind
    }

    /// It spoke, of whatever.
    #[inline]
    pub(crate) fn is_alive(&mut self, at: Time) {
        self.since = self.since.min(at);
        // Even where the clock is earlier now than it was.
        let was_listened_to = !self.is_silent || self.ends_silence(at.max(self.heard));
        if at > self.heard {
            if was_listened_to && self.heard > Time::MIN {
                self.pause = (at - self.heard).max(self.pause - self.pause / FORGOTTEN);
            }
            self.heard = at;
        }
    }

    /// Gives whether somebody listened meanwhile.
    #[cold]
    fn ends_silence(&mut self, at: Time) -> bool {
        self.is_silent = false;
        let Some(last) = self.deaf.iter_mut().rev().find(|deaf| is_silence(deaf)) else { return true };
        last.until = at;
        last.reason == DeafReason::Silent
    }

    /// Nobody listened since it was last heard, until now: it is not heard before its next word.
    pub(crate) fn was_not_listened_to(&mut self, now: Time) {
        if self.heard == Time::MIN || self.is_silent {
            return;
        }
        self.is_silent = true;
        self.is_deaf((self.heard, now.max(self.heard)), DeafReason::NotRunning, 0);
    }

    /// Since when nothing is heard of it, where that is so. Nobody is silent who was listened to, from `begun` on, for less than
    /// it takes to notice.
    pub(crate) fn silent_since(&self, (begun, now): (Time, Time), silence: i64) -> Option<Time> {
        let was_noticed = self.is_silent && now - begun.max(self.heard) > self.patience(silence);
        was_noticed.then_some(self.heard)
    }

    /// How long it is waited for: longer than is usual for one that has little to say.
    fn patience(&self, silence: i64) -> i64 {
        let records = i64::try_from(self.records).unwrap_or(i64::MAX);
        let mean = (self.heard - self.since).max(0).checked_div(records).unwrap_or(0);
        silence.max(mean.saturating_mul(PAUSES)).max(self.pause.saturating_mul(LONG_PAUSES))
    }

    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// When it was last heard.
    pub(crate) fn last_heard(&self) -> Time {
        self.heard
    }

    pub(crate) fn too_old(&mut self, amount: Amount) {
        self.too_old.0 = self.too_old.0.saturating_add(amount.whole_packets());
        self.too_old.1 = self.too_old.1.saturating_add(amount.whole_bytes());
    }

    pub(crate) fn lost(&mut self, at: Time, how_many: u64) {
        self.lost = self.lost.saturating_add(how_many);
        match self.deaf.iter_mut().rev().find(|deaf| deaf.reason == DeafReason::Lost) {
            Some(last) if at - last.until <= SAME_LOSS => {
                last.until = last.until.max(at);
                last.lost = last.lost.saturating_add(how_many);
            }
            _ => self.is_deaf((at, at), DeafReason::Lost, how_many),
        }
    }

    fn is_deaf(&mut self, (from, until): (Time, Time), reason: DeafReason, lost: u64) {
        if self.deaf.len() >= KEPT_DEAF {
            self.deaf.remove(0);
        }
        self.deaf.push(Deaf { exporter: self.number, from, until, reason, lost });
    }

    /// A second is over: what its least delay says of the clock. The median of a minute's least delays, so that one record
    /// with an impossible stamp moves nothing.
    pub(crate) fn close_second(&mut self, noticed: i64) {
        let Some(least) = self.least.take() else { return };
        if self.delays.len() >= DELAYS {
            self.delays.pop_front();
        }
        self.delays.push_back(least);
        let mut sorted: Vec<i64> = self.delays.iter().copied().collect();
        let middle = (sorted.len() - 1) / 2;
        let (_, median, _) = sorted.select_nth_unstable(middle);
        self.behind = if median.saturating_abs() > noticed { *median } else { 0 };
    }

    /// Notices that it has fallen silent.
    pub(crate) fn look(&mut self, now: Time, silence: i64) {
        if !self.is_silent && self.heard > Time::MIN && now - self.heard > self.patience(silence) {
            self.is_silent = true;
            self.is_deaf((self.heard, now), DeafReason::Silent, 0);
        }
        if self.is_silent
            && let Some(last) = self.deaf.iter_mut().rev().find(|deaf| is_silence(deaf))
        {
            last.until = last.until.max(now);
        }
    }

    /// The silence that lies in a time, if one does. Single losses leave most of a second to be seen.
    pub(crate) fn silence(&self, from: Time, until: Time) -> Option<&Deaf> {
        let silences = self.deaf.iter().rev().filter(|deaf| is_silence(deaf));
        silences.into_iter().find(|deaf| deaf.from <= until && deaf.until >= from)
    }

    pub(crate) fn deaf(&self) -> &[Deaf] {
        &self.deaf
    }

    /// Those that are over and can grow no more.
    pub(crate) fn take_deaf(&mut self, now: Time, keep_for: i64) -> Vec<Deaf> {
        let is_silent = self.is_silent;
        let over =
            |deaf: &Deaf| now - deaf.until > SAME_LOSS.max(keep_for) && !(is_silent && is_silence(deaf));
        let (over, rest) = self.deaf.iter().partition(|deaf| over(deaf));
        self.deaf = rest;
        over
    }

    pub(crate) fn status(&self) -> ExporterStatus {
        ExporterStatus {
            exporter: self.number,
            records: self.records,
            lost: self.lost,
            behind: self.behind,
            too_old_packets: self.too_old.0,
            too_old_bytes: self.too_old.1,
            heard: self.heard,
        }
    }
}

/// Whether nothing at all was heard.
fn is_silence(deaf: &Deaf) -> bool {
    deaf.reason != DeafReason::Lost
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000;

    fn at(second: i64) -> Time {
        Time::from_seconds(1_419_264_900 + second)
    }

    #[test]
    fn one_impossible_stamp_moves_no_clock() {
        let mut exporter = Exporter::new(1);
        for second in 0..30 {
            exporter.heard(at(second), at(second));
            if second == 20 {
                // The uptime ran over: 49.7 days ahead.
                exporter.heard(at(second), at(second) + 4_294_967 * SECOND);
            }
            exporter.close_second(5 * SECOND);
            assert_eq!(exporter.status().behind, 0);
        }
    }

    #[test]
    fn a_clock_that_is_set_right_is_believed_again_within_a_minute() {
        let mut exporter = Exporter::new(1);
        for second in 0..60 {
            exporter.heard(at(second), at(second - 7_200));
            exporter.close_second(5 * SECOND);
        }
        assert_eq!(exporter.status().behind, 7_200 * SECOND);
        for second in 60..92 {
            exporter.heard(at(second), at(second));
            exporter.close_second(5 * SECOND);
        }
        assert_eq!(exporter.status().behind, 0);
    }

    #[test]
    fn who_was_busy_and_has_little_to_say_now_falls_silent_once() {
        let mut exporter = Exporter::new(1);
        for second in 0..36_000 {
            exporter.heard(at(second), at(second));
            exporter.look(at(second), 60 * SECOND);
        }
        for second in 36_000..39_600 {
            if second % 90 == 0 {
                exporter.heard(at(second), at(second));
            }
            exporter.look(at(second), 60 * SECOND);
        }
        assert_eq!(exporter.deaf().len(), 1, "{:?}", exporter.deaf());
    }

    #[test]
    fn after_a_stop_nobody_is_silent_who_had_no_time_to_speak() {
        let mut exporter = Exporter::new(1);
        (0..600).for_each(|second| exporter.is_alive(at(second)));
        exporter.was_not_listened_to(at(3_600));
        let silent =
            |exporter: &Exporter, second| exporter.silent_since((at(3_600), at(second)), 60 * SECOND);
        assert_eq!(silent(&exporter, 3_630), None);
        assert_eq!(silent(&exporter, 3_661), Some(at(599)));
        // Its word counts even where the clock is earlier than before the stop.
        exporter.is_alive(at(300));
        assert_eq!(silent(&exporter, 3_700), None);
        assert!(exporter.deaf()[0].until >= at(599));
        assert_eq!(exporter.pause, SECOND);
    }

    #[test]
    fn silence_and_losses_are_told_as_times_of_deafness() {
        let mut exporter = Exporter::new(3);
        exporter.heard(at(0), at(0));
        exporter.lost(at(1), 5);
        exporter.lost(at(2), 6);
        exporter.look(at(50), 60 * SECOND);
        assert_eq!(exporter.deaf().len(), 1);
        exporter.look(at(90), 60 * SECOND);
        exporter.heard(at(100), at(100));
        exporter.look(at(101), 60 * SECOND);
        let told: Vec<_> = exporter.deaf().iter().map(|deaf| (deaf.from, deaf.until, deaf.lost)).collect();
        assert_eq!(told, [(at(1), at(2), 11), (at(0), at(100), 0)]);
        assert!(exporter.silence(at(60), at(61)).is_some());
        assert_eq!(exporter.take_deaf(at(300), 0).len(), 2);
    }
}
