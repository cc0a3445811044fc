//! Traffic over time: each second of the last minute, and each third of a minute of the last five minutes.
//!
//! What is kept are the steps from one second to the next: a flow of any length changes four of them, where adding to every
//! second of it would cost up to three hundred additions for each of the entities that it belongs to.

use super::amount::Amount;
use super::credit::{Credit, Steps};

/// Seconds that are kept one by one: one less than there is room for steps. An exporter with the usual active timeout of 60 s
/// tells all of a second within the minute after it.
pub(crate) const SECONDS: usize = 63;
/// Length of a stretch, in which the time before is kept: a third of a minute. Guess.
pub(crate) const STRETCH: i64 = 20;
/// Stretches that are kept: five minutes, the longest active timeout in use.
pub(crate) const STRETCHES: usize = 15;

/// Steps lie in two rows: of one length of array more cannot be kept by derived code.
const ROW: usize = SECONDS.div_ceil(2);

/// The first stretch that is kept.
pub(super) const fn first_stretch(now: i64) -> i64 {
    now.div_euclid(STRETCH) - (STRETCHES as i64 - 1)
}

/// The course of one kind of traffic to one target.
///
/// Steps come first and aligned, so that none lies across two lines of the cache. More than 16 would have a growing table copied
/// instead of moved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(C, align(16))]
pub(crate) struct Course {
    /// Steps to each second that is kept, and to the one after the newest.
    seconds: [[Amount; ROW]; 2],
    /// The second up to which it is kept.
    now: i64,
    /// What there was in the second before those that are kept.
    before: Amount,
    /// All of each stretch that lies before them, as far as it does.
    stretches: [Amount; STRETCHES + 1],
}

impl Course {
    pub(crate) fn new(now: i64) -> Self {
        Course {
            now,
            before: Amount::default(),
            seconds: [[Amount::default(); ROW]; 2],
            stretches: [Amount::default(); STRETCHES + 1],
        }
    }

    /// Goes on to a later second.
    #[inline]
    pub(crate) fn roll(&mut self, now: i64) {
        if now > self.now {
            self.roll_on(now);
        }
    }

    fn roll_on(&mut self, now: i64) {
        if now - self.now > SECONDS as i64 + STRETCH * (STRETCHES as i64 + 2) {
            *self = Course::new(now);
            return;
        }
        for leaving in self.first_second()..now - (SECONDS as i64 - 1) {
            let step = std::mem::take(self.step_mut(of_second(leaving)));
            self.before = self.before.plus(step);
            let stretch = &mut self.stretches[of_stretch(leaving.div_euclid(STRETCH))];
            if leaving.rem_euclid(STRETCH) == 0 {
                *stretch = Amount::default();
            }
            *stretch = stretch.plus(self.before);
        }
        self.now = now;
    }

    /// Adds a flow that was made up for the second `now`, up to which the course was rolled.
    #[inline]
    pub(crate) fn add(&mut self, credit: &Credit, older: &[Amount]) {
        let Steps { steps: [first, second, third, fourth], places: [a, b, c, d], count } = credit.seconds;
        self.add_step(a, first);
        self.add_step(b, second);
        if count > 2 {
            // A fourth that is missing is nothing, added to the place of the first.
            self.add_step(c, third);
            self.add_step(d, fourth);
        }
        if credit.older.1 > credit.older.0 {
            self.add_older(credit, older);
        }
    }

    /// Something of whatever [`Course::add`] will change.
    #[inline]
    pub(super) fn look_at(&self, credit: &Credit) -> i64 {
        let [a, b, c, d] = credit.seconds.places.map(|place| self.step(usize::from(place)).packets);
        a ^ b ^ c ^ d
    }

    /// Something of what [`Course::roll`] will change, one second after it was rolled on last.
    #[inline]
    pub(super) fn look_at_first(&self, now: i64) -> i64 {
        self.now ^ self.step(of_second(now - SECONDS as i64)).packets
    }

    fn add_older(&mut self, credit: &Credit, older: &[Amount]) {
        let parts = older.get(credit.older.0 as usize..credit.older.1 as usize).unwrap_or_default();
        for (at, part) in (credit.first_older..).zip(parts) {
            let stretch = &mut self.stretches[of_stretch(at)];
            *stretch = stretch.plus(*part);
        }
    }

    #[inline]
    fn add_step(&mut self, place: u8, step: Amount) {
        let cell = self.step_mut(usize::from(place));
        *cell = cell.plus(step);
    }

    #[inline]
    fn step_mut(&mut self, at: usize) -> &mut Amount {
        &mut self.seconds.as_flattened_mut()[at % (2 * ROW)]
    }

    fn step(&self, at: usize) -> Amount {
        self.seconds.as_flattened()[at % (2 * ROW)]
    }

    /// The first second that is kept.
    pub(crate) fn first_second(&self) -> i64 {
        self.now - (SECONDS as i64 - 1)
    }

    /// Adds what each second had, beginning with the first that is kept.
    pub(crate) fn add_seconds_to(&self, into: &mut [Amount; SECONDS]) {
        let mut value = self.before;
        for (at, into) in (self.first_second()..).zip(into) {
            value = value.plus(self.step(of_second(at)));
            *into = into.plus(value);
        }
    }

    /// Adds what each stretch had before the seconds that are kept, beginning with the first stretch that is kept.
    pub(crate) fn add_stretches_to(&self, into: &mut [Amount; STRETCHES]) {
        let last = (self.first_second() - 1).div_euclid(STRETCH);
        for (at, into) in (first_stretch(self.now)..=last).zip(into) {
            *into = into.plus(self.stretches[of_stretch(at)]);
        }
    }

    /// All of the last five minutes.
    pub(crate) fn total(&self) -> Amount {
        let (mut seconds, mut stretches) = ([Amount::default(); SECONDS], [Amount::default(); STRETCHES]);
        self.add_seconds_to(&mut seconds);
        self.add_stretches_to(&mut stretches);
        seconds.into_iter().chain(stretches).fold(Amount::default(), Amount::plus)
    }
}

/// Where the step to a second is kept.
pub(super) const fn of_second(second: i64) -> usize {
    second.rem_euclid(SECONDS as i64 + 1) as usize
}

/// Where a stretch is kept.
pub(super) const fn of_stretch(number: i64) -> usize {
    number.rem_euclid(STRETCHES as i64 + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::super::credit::MICROS;
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_419_264_900;

    fn add(course: &mut Course, whole: Amount, times: (i64, i64)) -> Credit {
        let mut older = Vec::new();
        let credit = Credit::new(whole, times, NOW, &mut older);
        course.add(&credit, &older);
        credit
    }

    fn seconds(course: &Course) -> [Amount; SECONDS] {
        let mut seconds = [Amount::default(); SECONDS];
        course.add_seconds_to(&mut seconds);
        seconds
    }

    #[test]
    fn a_flow_is_spread_evenly_over_the_seconds_that_it_lasted() {
        let mut course = Course::new(NOW);
        let times = ((NOW - 3) * MICROS + 500_000, NOW * MICROS + 500_000);
        add(&mut course, Amount::estimated(300, 30_000, 10), times);
        let packets: Vec<u64> = seconds(&course)[SECONDS - 5..].iter().map(|s| s.whole_packets()).collect();
        assert_eq!(packets, [0, 500, 1_000, 1_000, 500]);
    }

    #[test]
    fn a_flow_of_22_hours_is_not_credited_to_one_second() {
        // FastNetMon issue 615: a stream of 22 hours, exported at once, was shown as 1,262 Mbit/s.
        let mut course = Course::new(NOW);
        let hours = 22 * 3_600;
        let whole = Amount::estimated(10_000_000, 12_495_000_000, 1);
        let credit = add(&mut course, whole, ((NOW - hours) * MICROS, NOW * MICROS));
        for second in seconds(&course) {
            assert!(second.whole_bytes() * 8 < 1_300_000, "{second:?}");
        }
        let kept = course.total();
        assert_eq!(kept.plus(credit.outside), whole);
        assert!(credit.outside.whole_bytes() > 12_400_000_000);
    }

    #[test]
    fn a_second_later_the_values_have_moved_by_one_and_in_the_end_all_are_gone() {
        let mut course = Course::new(NOW);
        let times = ((NOW - 70) * MICROS, NOW * MICROS + 999_999);
        add(&mut course, Amount::estimated(71_000, 0, 1), times);
        let before = seconds(&course);
        course.roll(NOW + 1);
        assert_eq!(seconds(&course)[..SECONDS - 1], before[1..]);
        assert_eq!(seconds(&course)[SECONDS - 1], Amount::default());
        for later in 2..70 {
            course.roll(NOW + later);
        }
        assert_eq!(seconds(&course), [Amount::default(); SECONDS]);
        course.roll(NOW + 400);
        assert_eq!(course.total(), Amount::default());
    }

    proptest! {
        #[test]
        fn spreading_conserves_packets_and_bytes(
            packets in 0_u64..1 << 40,
            bytes in 0_u64..1 << 44,
            length in 0_i64..2 * 86_400 * MICROS,
            before in 0_i64..400 * MICROS,
        ) {
            let end = NOW * MICROS + 999_999 - before;
            let whole = Amount::estimated(packets, bytes, 1);
            let mut course = Course::new(NOW);
            let credit = add(&mut course, whole, (end - length, end));
            prop_assert_eq!(course.total().plus(credit.outside), whole);
            if length + before < 20 * MICROS {
                let sum = seconds(&course).into_iter().fold(Amount::default(), Amount::plus);
                prop_assert_eq!(sum, whole);
            }
            // However it is rolled on, what has ended leaves nothing behind.
            let mut late = course.clone();
            late.roll(NOW + 7);
            late.roll(NOW + 70);
            prop_assert_eq!(seconds(&late), [Amount::default(); SECONDS]);
        }

        #[test]
        fn no_second_gets_more_than_its_part(
            packets in 1_u64..1 << 30,
            length in 1_i64..200 * MICROS,
        ) {
            let end = NOW * MICROS + 3;
            let whole = Amount::estimated(packets, 0, 1);
            let mut course = Course::new(NOW);
            add(&mut course, whole, (end - length, end));
            let most = (whole.packets as f64 * (MICROS as f64 / length as f64)).min(whole.packets as f64);
            for second in seconds(&course) {
                // The last one gets what rounding leaves of the others: less than a part for each.
                prop_assert!((second.packets as f64) <= most + SECONDS as f64 + 1.0);
                prop_assert!(second.packets >= 0);
            }
        }
    }
}
