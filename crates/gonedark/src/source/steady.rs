//! A clock that never goes back. What was promised of a time is not taken back: after a step of the machine's clock
//! nothing would come of a stream, and no second be judged by a meter, until that clock has come to where it was.

use gonedark_route::Time;

/// What is taken for a step, in microseconds. Guess: threads that read at once differ by some milliseconds.
const STEP: i64 = 1_000_000;

/// The time of a live source.
#[derive(Default)]
pub(super) struct Steady {
    /// What the machine's clock said last, and what was made of it.
    last: Option<(Time, Time)>,
    /// What the machine's clock was set back by and has not caught up with, in microseconds.
    ahead: i64,
    catches_up: bool,
}

impl Steady {
    /// One that goes on at half the speed until the machine's clock has caught up: for who measures no rates.
    pub(super) fn catching_up() -> Self {
        Steady { catches_up: true, ..Steady::default() }
    }

    /// The time that goes on, by the machine's clock; and by how much that was set back since the last, where it was.
    pub(super) fn at(&mut self, clock: Time) -> (Time, Option<i64>) {
        let (before, last) = self.last.unwrap_or((clock, clock));
        if clock >= last {
            // Set forward again to where it should be: it is believed.
            self.ahead = 0;
        } else if self.catches_up {
            self.ahead = (self.ahead - (clock - before).max(0) / 2).max(0);
        }
        let back = last - (clock + self.ahead);
        let step = (back >= STEP).then_some(back);
        self.ahead += step.unwrap_or_default();
        let now = last.max(clock + self.ahead);
        self.last = Some((clock, now));
        (now, step)
    }

    /// As [`Steady::at`]; a step is told, with what comes of it.
    pub(super) fn told(&mut self, clock: Time, consequence: &str) -> Time {
        let (now, step) = self.at(clock);
        if let Some(back) = step {
            let seconds = back as f64 / 1e6;
            tracing::warn!(seconds, "the clock was set back: {consequence}");
        }
        now
    }
}

/// What comes of a step where the clock is one that catches up.
pub(super) const CAUGHT_UP: &str =
    "times go on from where they were, and at half the speed until the clock has caught up";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milli: i64) -> Time {
        Time::from_micros(1_795_906_930_000_000 + milli * 1_000)
    }

    #[test]
    fn time_goes_on_where_the_clock_is_set_back_and_follows_it_where_it_is_set_forward() {
        let mut steady = Steady::default();
        assert_eq!(steady.at(at(0)), (at(0), None));
        // Two threads, the slower one later.
        assert_eq!(steady.at(at(-5)), (at(0), None));
        assert_eq!(steady.at(at(1_000)), (at(1_000), None));
        // An hour back, and on from there.
        assert_eq!(steady.at(at(1_100 - 3_600_000)), (at(1_000), Some(3_599_900_000)));
        assert_eq!(steady.at(at(2_100 - 3_600_000)), (at(2_000), None));
        // An hour forward again.
        assert_eq!(steady.at(at(3_000)), (at(3_000), None));
    }

    #[test]
    fn a_clock_that_catches_up_goes_on_at_half_the_speed_and_is_right_after_twice_the_step() {
        let mut steady = Steady::catching_up();
        steady.at(at(0));
        let mut last = steady.at(at(-60_000)).0;
        assert_eq!(last, at(0));
        for second in 1..119 {
            let (now, step) = steady.at(at(-60_000 + second * 1_000));
            assert_eq!((now, step), (last + 500_000, None), "{second}");
            last = now;
        }
        for second in 119..125 {
            let clock = at(-60_000 + second * 1_000);
            assert_eq!(steady.at(clock), (clock, None), "{second}");
        }
    }
}
