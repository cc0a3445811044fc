use gonedark_route::Time;

/// This many equal distances in a row are a rhythm of their own, beside the one of most files: RIS went from 15
/// minutes to 5 in July 2003. Twelve, that is three hours of 15 minutes, is a guess: every second file missing for so
/// long in a row is less likely.
const RUN: usize = 12;

/// No update file of a public archive spans more, in seconds (RIS 5 min, RouteViews 15 min): files further apart are a
/// selection, which tells nothing about what the collector writes. A guess.
const LONGEST: i64 = 3_600;

/// How long an update file is taken to span where the files have no rhythm, in seconds: the longest of a public archive
/// (RouteViews). A guess.
pub const WITHOUT_RHYTHM: i64 = 15 * 60;

/// How often a collector writes an update file, learned from the files' own times and never from its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// Sorted by time, never empty.
    steps: Vec<Step>,
}

/// From a time on a file every so many seconds, at times that leave this remainder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    from: i64,
    seconds: i64,
    phase: i64,
}

impl Rhythm {
    /// Learns from the nominal times of a collector's update files, in any order.
    ///
    /// Nothing is learned from fewer than three files, or from files of which no two neighbours have the same distance.
    pub fn learn(times: &[Time]) -> Option<Rhythm> {
        let times = sorted_seconds(times);
        let pairs: Vec<&[i64]> = times.windows(2).collect();
        let distance = |pair: &[i64]| pair[1] - pair[0];
        let mut steps: Vec<Step> = Vec::new();
        for run in pairs.chunk_by(|a, b| distance(a) == distance(b)) {
            let seconds = distance(run[0]);
            if run.len() >= RUN
                && seconds <= LONGEST
                && steps.last().is_none_or(|last| last.seconds != seconds)
            {
                steps.push(Step { from: run[0][0], seconds, phase: run[0][0].rem_euclid(seconds) });
            }
        }
        if steps.is_empty() {
            let distances = pairs.iter().map(|pair| distance(pair)).filter(|&seconds| seconds <= LONGEST);
            let (seconds, count) = most_frequent(distances)?;
            let (phase, _) = most_frequent(times.iter().map(|time| time.rem_euclid(seconds)))?;
            if count >= 2 {
                steps.push(Step { from: times[0], seconds, phase });
            }
        }
        (!steps.is_empty()).then_some(Rhythm { steps })
    }

    /// A file every `step` seconds, at least 1, for a collector that is known to keep to that, counted from midnight.
    pub fn every(step: i64) -> Rhythm {
        Rhythm { steps: vec![Step { from: i64::MIN, seconds: step.max(1), phase: 0 }] }
    }

    /// The seconds between two files at that time.
    pub fn step_at(&self, time: Time) -> i64 {
        self.step(time.seconds()).seconds
    }

    /// Until when a file of that nominal time speaks: until the next one is due.
    pub fn speaks_until(&self, file: Time) -> Time {
        Time::from_seconds(self.covered_until(file.seconds()))
    }

    /// The intervals between the first and the last of `times` for which there is no file.
    pub fn gaps(&self, times: &[Time]) -> Vec<(Time, Time)> {
        sorted_seconds(times).windows(2).filter_map(|pair| self.gap(pair[0], pair[1])).collect()
    }

    /// The intervals of `[from, until)` for which there is no file, before the first and behind the last too.
    pub fn gaps_within(&self, times: &[Time], from: Time, until: Time) -> Vec<(Time, Time)> {
        let mut gaps = self.gaps(times);
        match (times.iter().min(), times.iter().max()) {
            (Some(&first), Some(&last)) => {
                gaps.insert(0, (Time::MIN, first));
                gaps.push((Time::from_seconds(self.covered_until(last.seconds())), Time::MAX));
            }
            _ => gaps.push((Time::MIN, Time::MAX)),
        }
        gaps.into_iter().map(|(a, b)| (a.max(from), b.min(until))).filter(|(a, b)| a < b).collect()
    }

    fn step(&self, time: i64) -> Step {
        let after = self.steps.partition_point(|step| step.from <= time);
        self.steps[after.saturating_sub(1)]
    }

    fn gap(&self, earlier: i64, later: i64) -> Option<(Time, Time)> {
        let covered = self.covered_until(earlier);
        // Where the rhythm slows down, the slower one is right.
        let step = self.step(earlier).seconds.max(self.step(later).seconds);
        let due = if step > self.step(earlier).seconds { earlier.saturating_add(step) } else { covered };
        // Half a step more is no missing file, only a late one.
        (later.saturating_sub(due) > step / 2)
            .then_some((Time::from_seconds(covered), Time::from_seconds(later)))
    }

    /// A file holds what comes until the next one is due: a collector that starts between two of its times is back in
    /// its rhythm with the next file. Names of old archives are a minute early at times: a file that is early by less than
    /// a quarter of a step is the one that was due.
    fn covered_until(&self, file: i64) -> i64 {
        let Step { seconds, phase, .. } = self.step(file);
        let rest = seconds - file.saturating_sub(phase).rem_euclid(seconds);
        file.saturating_add(if rest * 4 < seconds { rest + seconds } else { rest })
    }
}

fn sorted_seconds(times: &[Time]) -> Vec<i64> {
    let mut seconds: Vec<i64> = times.iter().map(|time| time.seconds()).collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// The most frequent value and how often it comes; of several the smallest.
fn most_frequent(values: impl Iterator<Item = i64>) -> Option<(i64, usize)> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    let longest = values.chunk_by(|a, b| a == b).rev().max_by_key(|equal| equal.len())?;
    Some((longest[0], longest.len()))
}
