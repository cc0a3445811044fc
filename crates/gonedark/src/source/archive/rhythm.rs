use gonedark_route::Time;

/// This many equal distances in a row are a rhythm of their own, beside the one of most files: RIS went from 15
/// minutes to 5 in July 2003. Twelve, that is three hours of 15 minutes, is a guess: every second file missing for so
/// long in a row is less likely.
const RUN: usize = 12;

/// No update file of a public archive spans more, in seconds (RIS 5 min, RouteViews 15 min): files further apart are a
/// selection, which tells nothing about what the collector writes. A guess.
const LONGEST: i64 = 3_600;

/// How often a collector writes an update file, learned from the files' own times and never from its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// From when on, and the seconds between files; sorted, never empty.
    steps: Vec<(i64, i64)>,
}

impl Rhythm {
    /// Learns from the nominal times of a collector's update files, in any order.
    ///
    /// Nothing is learned from fewer than three files, or from files of which no two neighbours have the same distance.
    pub fn learn(times: &[Time]) -> Option<Rhythm> {
        let seconds = sorted_seconds(times);
        let mut steps: Vec<(i64, i64)> = Vec::new();
        for run in seconds.windows(2).collect::<Vec<_>>().chunk_by(|a, b| a[1] - a[0] == b[1] - b[0]) {
            let (from, step) = (run[0][0], run[0][1] - run[0][0]);
            if run.len() >= RUN && step <= LONGEST && steps.last().is_none_or(|last| last.1 != step) {
                steps.push((from, step));
            }
        }
        if steps.is_empty() {
            let distances = seconds.windows(2).map(|pair| pair[1] - pair[0]).filter(|&step| step <= LONGEST);
            steps.push((*seconds.first()?, mode(distances, 2)?));
        }
        Some(Rhythm { steps })
    }

    /// The seconds between two files at that time.
    pub fn step_at(&self, time: Time) -> i64 {
        let after = self.steps.partition_point(|&(from, _)| from <= time.seconds());
        self.steps[after.saturating_sub(1)].1
    }

    /// The intervals between the first and the last of `times` for which there is no file.
    pub fn gaps(&self, times: &[Time]) -> Vec<(Time, Time)> {
        let seconds = sorted_seconds(times);
        seconds.windows(2).filter_map(|pair| self.gap(&seconds, pair[0], pair[1])).collect()
    }

    /// The intervals of `[from, until)` for which there is no file, before the first and behind the last too.
    pub fn gaps_within(&self, times: &[Time], from: Time, until: Time) -> Vec<(Time, Time)> {
        let seconds = sorted_seconds(times);
        let (Some(&first), Some(&last)) = (seconds.first(), seconds.last()) else {
            return if from < until { vec![(from, until)] } else { Vec::new() };
        };
        let mut gaps = self.gaps(times);
        gaps.insert(0, (Time::MIN, Time::from_seconds(first)));
        gaps.push((self.covered_until(&seconds, last), Time::MAX));
        gaps.iter().map(|&(a, b)| (a.max(from), b.min(until))).filter(|(a, b)| a < b).collect()
    }

    fn gap(&self, seconds: &[i64], earlier: i64, later: i64) -> Option<(Time, Time)> {
        let covered = self.covered_until(seconds, earlier);
        // Where the rhythm changes, either is right.
        let step = self.step_at(Time::from_seconds(earlier)).max(self.step_at(Time::from_seconds(later)));
        let due = covered.seconds().max(earlier.saturating_add(step));
        // Names of old archives are a minute early or late at times; less than half a step is no missing file.
        (later - due > step / 2).then_some((covered, Time::from_seconds(later)))
    }

    /// A file holds what comes until the next one is due: a collector that starts between two of its times is back in
    /// its rhythm with the next file.
    fn covered_until(&self, seconds: &[i64], file: i64) -> Time {
        let step = self.step_at(Time::from_seconds(file));
        let phase =
            mode(seconds.iter().map(|second| second.rem_euclid(step)), 2).unwrap_or(file.rem_euclid(step));
        Time::from_seconds((file - phase).div_euclid(step).saturating_add(1).saturating_mul(step) + phase)
    }
}

fn sorted_seconds(times: &[Time]) -> Vec<i64> {
    let mut seconds: Vec<i64> = times.iter().map(|time| time.seconds()).collect();
    seconds.sort_unstable();
    seconds.dedup();
    seconds
}

/// The most frequent value, if it comes at least `least` times; of several the smallest.
fn mode(values: impl Iterator<Item = i64>, least: usize) -> Option<i64> {
    let mut values: Vec<i64> = values.collect();
    values.sort_unstable();
    let longest = values.chunk_by(|a, b| a == b).rev().max_by_key(|equal| equal.len())?;
    (longest.len() >= least).then(|| longest[0])
}
