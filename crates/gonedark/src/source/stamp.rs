//! Stamps of a live stream, in order: each is no earlier than what was promised, and no later than now.

use gonedark_route::Time;

/// A time that lies further than this from the name of its file, or a name this much later than now, is wrong, in microseconds.
/// Guess: files are named for a day or less, those that were put together are of a day at most, and the clock of this
/// machine may be behind by less.
pub(super) const STRAY: i64 = 24 * 60 * 60 * 1_000_000;

/// The stamps of one stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stamps {
    /// Nothing earlier comes any more.
    mark: Time,
    /// The last time of receipt that stood in for a stamp: what was said after that came after it.
    received: Time,
    /// For how long what was said may be on its way, in microseconds.
    hold: i64,
}

impl Stamps {
    pub(super) fn new(hold: i64) -> Self {
        Stamps { mark: Time::MIN, received: Time::MIN, hold }
    }

    /// The time of a message: what it says itself, where that can be: not before what was promised, not after `now`.
    /// One that says nothing, or something that cannot be (a router tells of its table with the times at which it learned
    /// the routes), came when it was received.
    pub(super) fn of(&mut self, said: Option<Time>, now: Time) -> Time {
        let now = now.max(self.mark).max(self.received);
        let Some(said) = said.filter(|said| (self.mark..=now).contains(said)) else {
            self.received = now;
            return now;
        };
        said.max(self.received)
    }

    /// What can be promised at `now`, where it is more than was promised before.
    pub(super) fn promise(&mut self, now: Time) -> Option<Time> {
        let mark = now + -self.hold;
        (mark > self.mark).then(|| {
            self.mark = mark;
            mark
        })
    }

    /// What was promised.
    pub(super) fn promised(&self) -> Time {
        self.mark
    }
}

/// How finely a clock tells the time, as far as its stamps show.
///
/// Some routers (FRR's BMP) keep times in whole seconds of the clock since their start: turned into the time of day, all
/// stamps have the same fraction but for some microseconds, and what happened came up to a second after its stamp.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Grain {
    last: Option<Time>,
    /// How often the fraction has changed more than it has not, from one second to another.
    evidence: u8,
}

/// Fractions that differ by less are the same, in microseconds: a clock that is set right drifts by half of it in a second
/// (adjtime's 500 ppm).
const SAME: i64 = 1_000;
/// So many changes show a fine clock. One may be a clock that was set. Guess.
const ENOUGH: u8 = 2;
/// No more are counted, so that a clock of another kind (a router that was replaced) is noticed soon. Guess.
const MOST: u8 = 8;

impl Grain {
    /// The stamp where it may be believed to be finer than a second; `None` where the time of receipt says more.
    pub(super) fn fine(&mut self, said: Option<Time>) -> Option<Time> {
        let said = said?;
        if self.last.is_none_or(|last| said.seconds() != last.seconds()) {
            // The first one is like no other and unlike none.
            let last = self.last.replace(said).unwrap_or(said);
            let apart = (said.subsecond_micros() - last.subsecond_micros()).abs();
            let is_other = apart.min(1_000_000 - apart) > SAME;
            let more = (self.evidence + 1).min(MOST);
            self.evidence = if is_other { more } else { self.evidence.saturating_sub(1) };
        }
        (self.evidence >= ENOUGH).then_some(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_of_one_fraction_are_of_whole_seconds() {
        let (mut whole, mut fine) = (Grain::default(), Grain::default());
        let at = |seconds: i64, micros: i64| Some(Time::from_micros(seconds * 1_000_000 + micros));
        for second in 0..100 {
            assert_eq!(whole.fine(at(second, 637_114 + second % 2)), None);
        }
        assert_eq!(whole.fine(at(100, 12_000)), None, "it was set");
        for second in 0..10 {
            let said = at(second, second * 99_991);
            assert_eq!(fine.fine(said), said.filter(|_| second > 1), "{second}");
        }
        assert_eq!(fine.fine(None), None);
    }

    #[test]
    fn a_stamp_is_never_earlier_than_what_was_promised_nor_later_than_now() {
        let at = Time::from_seconds;
        let mut stamps = Stamps::new(2_000_000);
        assert_eq!(stamps.promise(at(100)), Some(at(98)));
        assert_eq!(stamps.promise(at(99)), None);
        assert_eq!(stamps.of(Some(at(99)), at(101)), at(99));
        // A table's routes are of long ago, and a router's clock may run ahead.
        assert_eq!(stamps.of(Some(at(5)), at(101)), at(101));
        // What is said after that is no earlier, or a withdrawal would come before what it takes back.
        assert_eq!(stamps.of(Some(at(99)), at(101)), at(101));
        assert_eq!(stamps.of(Some(at(500)), at(101)), at(101));
        // A clock that was set back does not make it go back.
        assert_eq!(stamps.of(None, at(50)), at(101));
    }
}
