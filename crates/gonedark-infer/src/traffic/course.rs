//! Traffic over time: each second of the last half minute, and each third of a minute of the last five minutes.
//!
//! What is kept are the steps from one second to the next: a flow of any length changes four of them, where adding to every
//! second of it would cost up to three hundred additions for each of the entities that it belongs to.

/// Counts are kept in parts of a packet or byte, so that few packets over many seconds are not all put into one of them.
pub(crate) const SCALE: i64 = 256;
/// Seconds that are kept one by one: one less than there is room for steps.
pub(crate) const SECONDS: usize = 31;
/// Length of a stretch, in which the time before is kept: a third of a minute. Guess.
pub(crate) const STRETCH: i64 = 20;
/// Stretches that are kept: five minutes, the longest active timeout in use.
pub(crate) const STRETCHES: usize = 15;

const MICROS: i64 = 1_000_000;
/// What one flow can claim at most, in packets or bytes: more is a lie, and must not overflow.
const MOST: u64 = 1 << 44;

/// Packets and bytes, in parts ([`SCALE`]). Sums wrap, so that a liar breaks his own counts and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Amount {
    pub(crate) packets: i64,
    pub(crate) bytes: i64,
}

impl Amount {
    /// What was counted times how many of which one was.
    pub(crate) fn estimated(packets: u64, bytes: u64, sampling: u32) -> Self {
        let scaled = |count: u64| count.saturating_mul(u64::from(sampling.max(1))).min(MOST) as i64 * SCALE;
        Amount { packets: scaled(packets), bytes: scaled(bytes) }
    }

    /// Whole packets; never below 0.
    pub(crate) fn whole_packets(self) -> u64 {
        (self.packets.max(0) / SCALE) as u64
    }

    /// Whole bytes; never below 0.
    pub(crate) fn whole_bytes(self) -> u64 {
        (self.bytes.max(0) / SCALE) as u64
    }

    pub(crate) fn plus(self, other: Amount) -> Self {
        Amount {
            packets: self.packets.wrapping_add(other.packets),
            bytes: self.bytes.wrapping_add(other.bytes),
        }
    }

    /// Times 2 to the power of `weight`.
    pub(crate) fn weighed(self, weight: u32) -> Self {
        self.times(1 << weight)
    }

    /// What is left of it, not below 0.
    pub(crate) fn less(self, other: Amount) -> Self {
        let left = self.minus(other);
        Amount { packets: left.packets.max(0), bytes: left.bytes.max(0) }
    }

    fn minus(self, other: Amount) -> Self {
        Amount {
            packets: self.packets.wrapping_sub(other.packets),
            bytes: self.bytes.wrapping_sub(other.bytes),
        }
    }

    fn times(self, factor: i64) -> Self {
        Amount { packets: self.packets.wrapping_mul(factor), bytes: self.bytes.wrapping_mul(factor) }
    }
}

/// Up to four steps of a row of equal times.
#[derive(Clone, Copy, Default, Debug)]
struct Steps {
    /// The number of the first time, counted since 1970.
    steps: [(i64, Amount); 4],
    count: usize,
}

impl Steps {
    fn push(&mut self, at: i64, step: Amount) {
        self.steps[self.count] = (at, step);
        self.count += 1;
    }

    /// All of it within one time.
    fn one(&mut self, at: i64, amount: Amount) {
        self.push(at, amount);
        self.push(at + 1, Amount::default().minus(amount));
    }

    /// `amount` spread evenly from `begin` to `end`, cut into times of `UNIT` microseconds; what lies before the time `first`
    /// is given back.
    #[inline]
    fn spread<const UNIT: i64>(&mut self, amount: Amount, (begin, end): (i64, i64), first: i64) -> Amount {
        let (from, to) = (begin.div_euclid(UNIT), end.div_euclid(UNIT));
        if to < first {
            return amount;
        }
        if from == to {
            self.one(to, amount);
            return Amount::default();
        }
        let whole = end.saturating_sub(begin) as f64;
        let share = |micros: i64| {
            let share = micros as f64 / whole;
            Amount {
                packets: (amount.packets as f64 * share) as i64,
                bytes: (amount.bytes as f64 * share) as i64,
            }
        };
        let outside =
            if from < first { share((first * UNIT).saturating_sub(begin)) } else { Amount::default() };
        let inside = amount.minus(outside);
        let start = from.max(first);
        if start == to {
            self.one(to, inside);
            return outside;
        }
        let full = share(UNIT);
        let head = if from < first { full } else { share((from + 1) * UNIT - begin) };
        // What rounding leaves goes into the last.
        let tail = inside.minus(head).minus(full.times(to - start - 1));
        self.push(start, head);
        if to == start + 1 {
            self.push(to, tail.minus(head));
        } else {
            self.push(start + 1, full.minus(head));
            self.push(to, tail.minus(full));
        }
        self.push(to + 1, Amount::default().minus(tail));
        outside
    }
}

/// A flow as every course that it belongs to takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit {
    seconds: Steps,
    stretches: Steps,
    /// What lies before everything that is kept.
    pub(crate) outside: Amount,
    /// All of it.
    pub(crate) whole: Amount,
}

impl Credit {
    /// Of a flow from `begin` to `end` (microseconds, neither after the second `now`).
    #[inline]
    pub(crate) fn new(whole: Amount, times: (i64, i64), now: i64) -> Self {
        let (mut seconds, mut stretches) = (Steps::default(), Steps::default());
        seconds.spread::<MICROS>(whole, times, now - (SECONDS as i64 - 1));
        let first = now.div_euclid(STRETCH) - (STRETCHES as i64 - 1);
        let outside = stretches.spread::<{ STRETCH * MICROS }>(whole, times, first);
        Credit { seconds, stretches, outside, whole }
    }
}

/// The course of one kind of traffic to one target.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Course {
    seconds: [Amount; SECONDS + 1],
    stretches: [Amount; STRETCHES + 1],
    /// What there was in the second, and the stretch, before those that are kept.
    before: [Amount; 2],
    /// The second up to which it is kept.
    now: i64,
}

impl Course {
    pub(crate) fn new(now: i64) -> Self {
        Course {
            seconds: [Amount::default(); SECONDS + 1],
            stretches: [Amount::default(); STRETCHES + 1],
            before: [Amount::default(); 2],
            now,
        }
    }

    /// Goes on to a later second.
    #[inline]
    pub(crate) fn roll(&mut self, now: i64) {
        if now > self.now {
            let stretches = (self.now.div_euclid(STRETCH), now.div_euclid(STRETCH));
            roll(&mut self.seconds, &mut self.before[0], (self.now, now));
            roll(&mut self.stretches, &mut self.before[1], stretches);
            self.now = now;
        }
    }

    /// Adds a flow that was made up for the second `now`, up to which the course was rolled.
    #[inline]
    pub(crate) fn add(&mut self, credit: &Credit) {
        add(&mut self.seconds, &credit.seconds);
        add(&mut self.stretches, &credit.stretches);
    }

    /// The first second that is kept.
    pub(crate) fn first_second(&self) -> i64 {
        self.now - (SECONDS as i64 - 1)
    }

    /// The first stretch that is kept.
    pub(crate) fn first_stretch(&self) -> i64 {
        self.now.div_euclid(STRETCH) - (STRETCHES as i64 - 1)
    }

    /// Adds what each second had, beginning with the first that is kept.
    pub(crate) fn add_seconds_to(&self, into: &mut [Amount; SECONDS]) {
        values(&self.seconds, self.before[0], self.first_second(), into);
    }

    /// Adds what each stretch had, beginning with the first that is kept.
    pub(crate) fn add_stretches_to(&self, into: &mut [Amount; STRETCHES]) {
        values(&self.stretches, self.before[1], self.first_stretch(), into);
    }

    /// All of the last five minutes.
    pub(crate) fn total(&self) -> Amount {
        let mut stretches = [Amount::default(); STRETCHES];
        self.add_stretches_to(&mut stretches);
        stretches.into_iter().fold(Amount::default(), Amount::plus)
    }
}

#[inline]
fn add<const N: usize>(cells: &mut [Amount; N], steps: &Steps) {
    for (at, step) in &steps.steps[..steps.count] {
        let cell = &mut cells[at.rem_euclid(N as i64) as usize];
        *cell = cell.plus(*step);
    }
}

/// `N` cells hold the steps of `N - 1` times up to the newest, and that to the time after it.
fn roll<const N: usize>(cells: &mut [Amount; N], before: &mut Amount, (from, to): (i64, i64)) {
    let kept = N as i64;
    if to - from >= kept {
        *cells = [Amount::default(); N];
        *before = Amount::default();
        return;
    }
    for newest in from..to {
        let cell = &mut cells[(newest + 2 - kept).rem_euclid(kept) as usize];
        *before = before.plus(std::mem::take(cell));
    }
}

fn values<const N: usize, const M: usize>(
    cells: &[Amount; N],
    before: Amount,
    first: i64,
    into: &mut [Amount; M],
) {
    let mut value = before;
    for (at, into) in (first..).zip(into) {
        value = value.plus(cells[at.rem_euclid(N as i64) as usize]);
        *into = into.plus(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_419_264_900;

    fn seconds(course: &Course) -> [Amount; SECONDS] {
        let mut seconds = [Amount::default(); SECONDS];
        course.add_seconds_to(&mut seconds);
        seconds
    }

    #[test]
    fn a_flow_is_spread_evenly_over_the_seconds_that_it_lasted() {
        let mut course = Course::new(NOW);
        let times = ((NOW - 3) * MICROS + 500_000, NOW * MICROS + 500_000);
        course.add(&Credit::new(Amount::estimated(300, 30_000, 10), times, NOW));
        let packets: Vec<u64> = seconds(&course)[SECONDS - 5..].iter().map(|s| s.whole_packets()).collect();
        assert_eq!(packets, [0, 500, 1_000, 1_000, 500]);
    }

    #[test]
    fn a_flow_of_22_hours_is_not_credited_to_one_second() {
        // FastNetMon issue 615: a stream of 22 hours, exported at once, was shown as 1,262 Mbit/s.
        let mut course = Course::new(NOW);
        let hours = 22 * 3_600;
        let whole = Amount::estimated(10_000_000, 12_495_000_000, 1);
        let credit = Credit::new(whole, ((NOW - hours) * MICROS, NOW * MICROS), NOW);
        course.add(&credit);
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
        let times = ((NOW - 40) * MICROS, NOW * MICROS + 999_999);
        course.add(&Credit::new(Amount::estimated(41_000, 0, 1), times, NOW));
        let before = seconds(&course);
        course.roll(NOW + 1);
        assert_eq!(seconds(&course)[..SECONDS - 1], before[1..]);
        assert_eq!(seconds(&course)[SECONDS - 1], Amount::default());
        for later in 2..40 {
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
            let credit = Credit::new(whole, (end - length, end), NOW);
            let mut course = Course::new(NOW);
            course.add(&credit);
            prop_assert_eq!(course.total().plus(credit.outside), whole);
            if length + before < 20 * MICROS {
                let sum = seconds(&course).into_iter().fold(Amount::default(), Amount::plus);
                prop_assert_eq!(sum, whole);
            }
            // However it is rolled on, what has ended leaves nothing behind.
            let mut late = course.clone();
            late.roll(NOW + 7);
            late.roll(NOW + 38);
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
            course.add(&Credit::new(whole, (end - length, end), NOW));
            let most = (whole.packets as f64 * (MICROS as f64 / length as f64)).min(whole.packets as f64);
            for second in seconds(&course) {
                // The last one gets what rounding leaves of the others: less than a part for each.
                prop_assert!((second.packets as f64) <= most + SECONDS as f64 + 1.0);
                prop_assert!(second.packets >= 0);
            }
        }
    }
}
