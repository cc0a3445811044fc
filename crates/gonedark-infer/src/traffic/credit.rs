//! A flow on its way into the courses: spread over the seconds in which its packets came.

use super::amount::Amount;
use super::course::{SECONDS, STRETCH, first_stretch, of_second};

pub(super) const MICROS: i64 = 1_000_000;

/// Up to four steps, each with the place where it is kept.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Steps {
    pub(super) steps: [Amount; 4],
    pub(super) places: [u8; 4],
    pub(super) count: u8,
}

impl Steps {
    #[inline]
    fn push(&mut self, second: i64, step: Amount) {
        let at = usize::from(self.count) % 4;
        let place = of_second(second) as u8;
        if at == 0 {
            self.places = [place; 4];
        }
        self.steps[at] = step;
        self.places[at] = place;
        self.count += 1;
    }

    /// Whether all of it lies within one second that is kept.
    #[inline]
    pub(super) fn is_one(&self) -> bool {
        self.count == 2
    }

    /// All of it within one second.
    #[inline]
    fn one(&mut self, second: i64, amount: Amount) {
        self.push(second, amount);
        self.push(second + 1, Amount::default().minus(amount));
    }

    /// `amount` spread evenly from `begin` to `end` over seconds; what lies before the second `first` is given back.
    #[inline]
    fn spread(&mut self, amount: Amount, (begin, end): (i64, i64), first: i64) -> Amount {
        const UNIT: i64 = MICROS;
        let (from, to) = (begin.div_euclid(UNIT), end.div_euclid(UNIT));
        if to < first {
            return amount;
        }
        if from == to {
            self.one(to, amount);
            return Amount::default();
        }
        let whole = end.saturating_sub(begin) as f64;
        let share = |micros: i64| amount.part(micros as f64 / whole);
        let outside =
            if from < first { share((first * UNIT).saturating_sub(begin)) } else { Amount::default() };
        let inside = amount.minus(outside);
        let start = from.max(first);
        if start == to {
            self.one(to, inside);
            return outside;
        }
        let head = share(if from < first { UNIT } else { (from + 1) * UNIT - begin });
        self.push(start, head);
        let tail = if to == start + 1 {
            let tail = inside.minus(head);
            self.push(to, tail.minus(head));
            tail
        } else {
            let full = share(UNIT);
            // What rounding leaves goes into the last.
            let tail = inside.minus(head).minus(full.times(to - start - 1));
            self.push(start + 1, full.minus(head));
            self.push(to, tail.minus(full));
            tail
        };
        self.push(to + 1, Amount::default().minus(tail));
        outside
    }
}

/// A flow as every course that it belongs to takes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Credit {
    pub(super) seconds: Steps,
    /// What lies before the seconds that are kept, by stretch: the number of the first of them, and where they are in what
    /// all share that are made together.
    pub(super) first_older: i64,
    pub(super) older: (u32, u32),
    /// What lies before everything that is kept.
    pub(crate) outside: Amount,
    /// All of it.
    pub(crate) whole: Amount,
}

impl Credit {
    /// Of a flow from `begin` to `end` (microseconds, neither after the second `now`). What lies before the seconds that are
    /// kept is appended to `older`.
    #[inline]
    pub(crate) fn new(whole: Amount, times: (i64, i64), now: i64, older: &mut Vec<Amount>) -> Self {
        let mut credit = Credit {
            seconds: Steps::default(),
            first_older: 0,
            older: (0, 0),
            outside: Amount::default(),
            whole,
        };
        let first = now - (SECONDS as i64 - 1);
        let rest = credit.seconds.spread(whole, times, first);
        if rest != Amount::default() {
            credit.put_back(rest, (times.0, times.1.min(first * MICROS)), now, older);
        }
        credit
    }

    /// Takes up another one, where both lie within the same second and nowhere else.
    #[inline]
    pub(crate) fn absorb(&mut self, other: &Credit) -> bool {
        let (own, others) = (&mut self.seconds, &other.seconds);
        let is_all = other.older.0 == other.older.1;
        if !is_all || !own.is_one() || !others.is_one() || own.places[0] != others.places[0] {
            return false;
        }
        own.steps[0] = own.steps[0].plus(others.steps[0]);
        own.steps[1] = own.steps[1].plus(others.steps[1]);
        self.whole = self.whole.plus(other.whole);
        true
    }

    /// Puts what lies before the seconds that are kept into the stretches before them.
    fn put_back(&mut self, amount: Amount, (begin, end): (i64, i64), now: i64, older: &mut Vec<Amount>) {
        const UNIT: i64 = STRETCH * MICROS;
        let first = first_stretch(now);
        // A stretch does not reach into the seconds that are kept: what ends there ends before it.
        let last = if end > begin { (end - 1).div_euclid(UNIT) } else { end.div_euclid(UNIT) };
        if last < first {
            self.outside = amount;
            return;
        }
        let whole = end.saturating_sub(begin).max(1) as f64;
        let share = |micros: i64| amount.part(micros as f64 / whole);
        let start = begin.div_euclid(UNIT).max(first);
        if begin < first * UNIT {
            self.outside = share((first * UNIT).saturating_sub(begin));
        }
        let mut left = amount.minus(self.outside);
        self.first_older = start;
        self.older.0 = older.len() as u32;
        for stretch in start..=last {
            // What rounding leaves goes into the last.
            let part = match stretch == last {
                true => left,
                false => share((stretch + 1) * UNIT - (stretch * UNIT).max(begin)),
            };
            left = left.minus(part);
            older.push(part);
        }
        self.older.1 = older.len() as u32;
    }
}
