//! Sequence numbers: what did not arrive.

/// The largest gap that is taken for a loss, in records or datagrams. A guess: ten minutes at 100,000 records a second;
/// what is ahead by more has begun to count anew.
const GAP_MAX: u32 = 1 << 26;

/// How many gaps are remembered until late datagrams fill them. A guess: datagrams that overtake each other are near.
const GAPS: usize = 8;

/// How many datagrams have to follow each other behind what was expected until that is a new count, and not late
/// datagrams. A guess.
const ANEW: u8 = 3;

/// What one number came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Step {
    /// Not arrived before this one.
    pub(super) missed: u32,
    /// Of those that were missed, arrived now.
    pub(super) found: u32,
    /// Came behind a later one: in another order, or for the second time.
    pub(super) is_late: bool,
    /// The exporter counts anew.
    pub(super) is_anew: bool,
}

/// The numbers of one exporter's domain.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    expected: Option<u32>,
    gaps: [(u32, u32); GAPS],
    oldest: usize,
    /// What would follow the last late one, and how many followed each other so.
    late: Option<(u32, u8)>,
}

impl Sequence {
    /// Begins anew: the next number is the first one. For an exporter whose uptime says that it was restarted, or where
    /// it is not known how much a datagram counts.
    pub(super) fn forget(&mut self) {
        *self = Sequence::default();
    }

    /// Takes a number, and by how much it goes on.
    pub(super) fn take(&mut self, number: u32, count: u32) -> Step {
        let next = number.wrapping_add(count);
        let Some(expected) = self.expected else {
            self.expected = Some(next);
            return Step::default();
        };
        let ahead = number.wrapping_sub(expected);
        if ahead <= GAP_MAX {
            (self.expected, self.late) = (Some(next), None);
            if ahead > 0 {
                self.remember(expected, ahead);
            }
            return Step { missed: ahead, ..Step::default() };
        }
        if ahead.cast_signed() > 0 {
            self.forget();
            self.expected = Some(next);
            return Step { is_anew: true, ..Step::default() };
        }
        if let Some(found) = self.fill(number, count) {
            return Step { found, is_late: true, ..Step::default() };
        }
        let followed = match self.late {
            Some((expected, followed)) if expected == number => followed.saturating_add(1),
            _ => 1,
        };
        if followed >= ANEW {
            self.forget();
            self.expected = Some(next);
            return Step { is_anew: true, ..Step::default() };
        }
        self.late = Some((next, followed));
        Step { is_late: true, ..Step::default() }
    }

    fn remember(&mut self, from: u32, length: u32) {
        if let Some(gap) = self.gaps.get_mut(self.oldest) {
            *gap = (from, length);
        }
        self.oldest = self.oldest.wrapping_add(1) % GAPS;
    }

    /// Fills what it can of the gap that a late number falls into.
    fn fill(&mut self, number: u32, count: u32) -> Option<u32> {
        let within = |(from, length): (u32, u32)| number.wrapping_sub(from) < length;
        let gap = self.gaps.iter_mut().find(|gap| within(**gap))?;
        let (from, length) = *gap;
        let before = number.wrapping_sub(from);
        let found = count.min(length.wrapping_sub(before));
        let behind = length.wrapping_sub(before).wrapping_sub(found);
        *gap = (from, before);
        if behind > 0 {
            self.remember(number.wrapping_add(found), behind);
        }
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missed(steps: &[(u32, u32)]) -> (i64, usize) {
        let mut sequence = Sequence::default();
        let steps: Vec<Step> = steps.iter().map(|(number, count)| sequence.take(*number, *count)).collect();
        let missed = steps.iter().map(|step| i64::from(step.missed) - i64::from(step.found)).sum();
        (missed, steps.iter().filter(|step| step.is_anew).count())
    }

    #[test]
    fn a_gap_is_as_large_as_what_is_missing() {
        assert_eq!(missed(&[(100, 10), (110, 10), (150, 10), (160, 1)]), (30, 0));
        assert_eq!(missed(&[(u32::MAX - 4, 10), (5, 10), (16, 1)]), (1, 0));
    }

    #[test]
    fn datagrams_that_overtake_each_other_are_no_loss_and_doubles_neither() {
        assert_eq!(missed(&[(0, 1), (2, 1), (1, 1), (3, 1)]), (0, 0));
        assert_eq!(missed(&[(0, 30), (90, 30), (60, 30), (30, 30), (120, 30)]), (0, 0));
        assert_eq!(missed(&[(0, 1), (0, 1), (1, 1), (1, 1), (2, 1)]), (0, 0));
    }

    #[test]
    fn a_count_that_begins_anew_is_no_loss() {
        assert_eq!(missed(&[(5_000_000, 1), (0, 1), (1, 1), (2, 1), (3, 1), (5, 1)]), (1, 1));
        assert_eq!(missed(&[(0, 1), (1 << 30, 1), ((1 << 30) + 1, 1)]), (0, 1));
    }
}
