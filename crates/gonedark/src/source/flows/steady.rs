//! A clock that never goes back: seconds that were judged are not judged again, so that a meter whose time stands still would be
//! silent until the clock of the machine has come to where it was.

use gonedark_route::Time;

/// What is taken for a step, in microseconds. Guess: threads that read at once differ by some milliseconds.
const STEP: i64 = 1_000_000;

/// The time of a meter.
#[derive(Default)]
pub(super) struct Steady {
    last: Option<Time>,
    /// What the machine's clock was set back by, in microseconds.
    ahead: i64,
}

impl Steady {
    /// The time that goes on, by the machine's clock; and by how much that was set back since the last, where it was.
    pub(super) fn at(&mut self, clock: Time) -> (Time, Option<i64>) {
        let last = self.last.unwrap_or(clock);
        // Set forward again to where it should be: it is believed.
        if clock >= last {
            self.ahead = 0;
        }
        let back = last - (clock + self.ahead);
        let step = (back >= STEP).then_some(back);
        self.ahead += step.unwrap_or_default();
        let now = last.max(clock + self.ahead);
        self.last = Some(now);
        (now, step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_on_where_the_clock_is_set_back_and_follows_it_where_it_is_set_forward() {
        let at = |milli: i64| Time::from_micros(1_795_906_930_000_000 + milli * 1_000);
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
}
