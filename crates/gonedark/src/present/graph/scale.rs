//! Where a time or a count lies in the picture, and at which of them a label stands.

use crate::present::times::{self, DAY, HOUR, MINUTE};
use gonedark_route::Time;

/// Steps between ticks, in seconds, from a minute to two weeks; beyond that months are counted.
const STEPS: [i64; 16] = [
    MINUTE,
    2 * MINUTE,
    5 * MINUTE,
    10 * MINUTE,
    15 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    3 * HOUR,
    6 * HOUR,
    12 * HOUR,
    DAY,
    2 * DAY,
    4 * DAY,
    7 * DAY,
    14 * DAY,
];

/// Time from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct TimeScale {
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) left: f64,
    pub(super) width: f64,
}

impl TimeScale {
    /// Held within the picture.
    pub(super) fn x(&self, time: Time) -> f64 {
        let share = (time - self.from) as f64 / self.length() as f64;
        self.left + share.clamp(0.0, 1.0) * self.width
    }

    /// The time at a place.
    pub(super) fn time(&self, x: f64) -> Time {
        self.from + ((x - self.left) / self.width * self.length() as f64).round() as i64
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Whether a time lies within the picture.
    pub(super) fn holds(&self, time: Time) -> bool {
        self.from <= time && time <= self.until
    }

    fn length(&self) -> i64 {
        (self.until - self.from).max(1)
    }
}

/// A labelled moment of an axis.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Tick {
    pub(super) time: Time,
    pub(super) label: String,
    /// Whether a day begins here: the label is a date.
    pub(super) day: bool,
}

/// Ticks at round times of a clock that is `offset(time)` seconds east of UTC, at least `apart` pixels from each other.
pub(super) fn ticks(scale: &TimeScale, apart: f64, offset: impl Fn(Time) -> i32) -> Vec<Tick> {
    let seconds = scale.length() as f64 / 1e6;
    let least = seconds * apart / scale.width;
    let Some(step) = STEPS.into_iter().find(|step| *step as f64 >= least) else {
        return months(scale, least, offset);
    };
    let wall = |time: Time| times::shifted(time, offset(time)).seconds();
    // Days are counted from Monday, 5 January 1970, so that ticks a week apart are Mondays.
    let monday = 4 * DAY;
    let mut ticks = Vec::new();
    let mut next = (wall(scale.from) - monday).div_euclid(step) * step + monday;
    let last = wall(scale.until);
    while next <= last + step {
        let time = from_wall(next, &offset);
        if scale.holds(time) && ticks.last().is_none_or(|tick: &Tick| tick.time < time) {
            ticks.push(tick(time, next));
        }
        next += step;
    }
    ticks
}

fn tick(time: Time, wall: i64) -> Tick {
    let wall = Time::from_seconds(wall);
    let day = wall.seconds().rem_euclid(DAY) == 0;
    Tick { time, label: if day { times::day(wall).short() } else { times::clock(wall) }, day }
}

/// The moment at which the wall clock shows this; the second try settles a change of the clock near it.
fn from_wall(wall: i64, offset: &impl Fn(Time) -> i32) -> Time {
    let guess = Time::from_seconds(wall - i64::from(offset(Time::from_seconds(wall))));
    Time::from_seconds(wall - i64::from(offset(guess)))
}

fn months(scale: &TimeScale, least: f64, offset: impl Fn(Time) -> i32) -> Vec<Tick> {
    let month_s = 30.4 * DAY as f64;
    // A window of centuries is a wrong clock in the input: no axis makes sense of it, and days are counted below.
    if scale.length() / 1_000_000 > 36_600 * DAY {
        return Vec::new();
    }
    let step = [1, 2, 3, 6].into_iter().find(|step| f64::from(*step) * month_s >= least).unwrap_or(12);
    let wall = |time: Time| times::shifted(time, offset(time));
    let mut ticks: Vec<Tick> = Vec::new();
    let mut midnight = wall(scale.from).seconds().div_euclid(DAY) * DAY;
    let last = wall(scale.until).seconds();
    while midnight <= last {
        let day = times::day(Time::from_seconds(midnight));
        if day.day == 1 && (day.month - 1).is_multiple_of(step) {
            let time = from_wall(midnight, &offset);
            if scale.holds(time) {
                let january = day.month == 1;
                let label = if january { day.year.to_string() } else { day.short() };
                ticks.push(Tick { time, label, day: january });
            }
        }
        midnight += DAY;
    }
    // Years on years: no more labels than there is room for.
    let room = (scale.length() as f64 / 1e6 / least).max(1.0) as usize;
    let every = ticks.len().div_ceil(room).max(1);
    ticks.into_iter().step_by(every).collect()
}

/// Counts from below to above.
#[derive(Clone, Copy, Debug)]
pub(super) struct CountScale {
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) top: f64,
    pub(super) height: f64,
}

impl CountScale {
    /// From zero, except where all that happens happens in the uppermost fifth: then from a round count below it, which
    /// the picture says.
    pub(super) fn new(lowest_up: u64, most: u64, top: f64, height: f64) -> Self {
        let (lowest, most) = (lowest_up as f64, (most as f64).max(1.0));
        let drop = most - lowest;
        let least = if drop > 0.0 && drop < most * 0.2 && most >= 20.0 {
            let step = nice_step(drop * 1.5);
            ((most - drop * 1.5) / step).floor() * step
        } else {
            0.0
        };
        CountScale { least: least.max(0.0), most, top, height }
    }

    pub(super) fn y(&self, count: f64) -> f64 {
        let share = (count - self.least) / (self.most - self.least);
        self.top + (1.0 - share.clamp(0.0, 1.0)) * self.height
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// Round counts, the largest included.
    pub(super) fn ticks(&self) -> Vec<u64> {
        let step = nice_step(self.most - self.least);
        let mut ticks = Vec::new();
        let mut count = (self.least / step).ceil() * step;
        // The largest count has its own label: none stands close below it.
        while count <= self.most - step * 0.6 {
            ticks.push(count as u64);
            count += step;
        }
        ticks.push(self.most as u64);
        ticks
    }
}

/// A step of 1, 2 or 5 times a power of ten (or one) that gives about four ticks.
fn nice_step(range: f64) -> f64 {
    let raw = (range / 4.0).max(1.0);
    let power = 10_f64.powf(raw.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scale(seconds: i64) -> TimeScale {
        let from = Time::from_seconds(1_419_201_000);
        TimeScale { from, until: from + seconds * 1_000_000, left: 60.0, width: 1_000.0 }
    }

    fn labels(seconds: i64, offset: i32) -> Vec<String> {
        ticks(&scale(seconds), 70.0, |_| offset).into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn ticks_are_round_from_minutes_to_years() {
        assert_eq!(labels(20 * MINUTE, 0)[..2], ["22:30", "22:32"]);
        assert_eq!(labels(10 * HOUR, 0)[..3], ["23:00", "22 Dec", "01:00"]);
        assert_eq!(labels(9 * DAY, 0)[..2], ["22 Dec", "23 Dec"]);
        assert_eq!(labels(60 * DAY, 0)[..2], ["22 Dec", "29 Dec"], "Mondays");
        assert_eq!(labels(400 * DAY, 0)[..2], ["2015", "1 Feb"]);
        assert_eq!(labels(4_000 * DAY, 0)[..2], ["2015", "2016"]);
        for seconds in [61, HOUR, DAY, 33 * DAY, 400 * DAY, 9_000 * DAY] {
            let all = ticks(&scale(seconds), 70.0, |_| 0);
            assert!((1..=15).contains(&all.len()), "{seconds}: {}", all.len());
        }
    }

    #[test]
    fn a_local_axis_has_its_own_midnights() {
        let all = ticks(&scale(2 * DAY), 70.0, |_| 9 * 3_600);
        let midnight = all.iter().find(|tick| tick.day).unwrap();
        assert_eq!(midnight.label, "23 Dec");
        assert_eq!(midnight.time.to_string(), "2014-12-22T15:00:00Z");
    }

    #[test]
    fn a_count_axis_starts_at_zero_unless_little_was_lost_of_much() {
        assert_eq!(CountScale::new(0, 4, 0.0, 100.0).ticks(), [0, 1, 2, 3, 4]);
        let small = CountScale::new(5_003, 5_011, 0.0, 100.0);
        assert!(small.least >= 4_990.0 && small.least <= 5_000.0, "{small:?}");
        assert_eq!(CountScale::new(0, 0, 0.0, 100.0).ticks(), [0, 1]);
        assert_eq!(CountScale::new(10, 46, 0.0, 100.0).ticks(), [0, 20, 46]);
    }
}
