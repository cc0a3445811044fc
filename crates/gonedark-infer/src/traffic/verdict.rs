//! Whether traffic is over a threshold, since when, and by how much (METHOD.md, "Over a threshold").

use super::amount::{Amount, SCALE};
use super::course::{SECONDS, STRETCH, STRETCHES};
use super::kind::Misuse;
use super::parameters::Parameters;
use super::place::Scale;
use super::report::Unit;

/// What is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limit {
    pub(crate) pps: u64,
    pub(crate) bps: u64,
}

impl Limit {
    /// Of a kind of traffic, to a target of a scale.
    pub(crate) fn of(parameters: &Parameters, scale: Scale, kind: Misuse) -> Self {
        let Parameters { host_pps, host_bps, .. } = *parameters;
        let (pps, bps) = match kind {
            Misuse::SynFlood => (parameters.host_syn_pps, host_bps),
            Misuse::TcpReflection => (parameters.host_reflected_pps, host_bps),
            Misuse::Amplification => (parameters.host_amplified_pps, parameters.host_amplified_bps),
            Misuse::UdpFlood => (host_pps, parameters.host_udp_bps),
            Misuse::IcmpFlood => (parameters.host_icmp_pps, host_bps),
            Misuse::Fragments => (parameters.host_fragment_pps, host_bps),
            Misuse::OtherProtocol | Misuse::Total | Misuse::AckFlood => (host_pps, host_bps),
            Misuse::Conversation => (host_pps, host_bps),
        };
        let of_scale = match scale {
            Scale::Host => 1,
            Scale::Block => parameters.block_times,
            Scale::Entity => parameters.entity_times,
        };
        // Whom acknowledgements answer is known of a host, and of nothing larger.
        let of_kind = match kind {
            Misuse::Conversation => parameters.conversation_times,
            Misuse::AckFlood if scale != Scale::Host => parameters.conversation_times,
            _ => 1,
        };
        let times = of_scale.saturating_mul(of_kind);
        Limit { pps: pps.saturating_mul(times), bps: bps.saturating_mul(times) }
    }

    pub(crate) fn times(self, factor: u64) -> Self {
        Limit { pps: self.pps.saturating_mul(factor), bps: self.bps.saturating_mul(factor) }
    }

    pub(crate) fn in_unit(self, unit: Unit) -> u64 {
        match unit {
            Unit::Packets => self.pps,
            Unit::Bits => self.bps,
        }
    }
}

/// Traffic in a unit, a second.
pub(crate) fn rate(amount: Amount, unit: Unit) -> f64 {
    match unit {
        Unit::Packets => amount.packets.max(0) as f64 / SCALE as f64,
        Unit::Bits => amount.bytes.max(0) as f64 / SCALE as f64 * 8.0,
    }
}

/// The traffic to a target of late, by kind.
pub(crate) struct Picture {
    /// The first of the seconds and of the stretches.
    pub(crate) first_second: i64,
    pub(crate) first_stretch: i64,
    pub(crate) seconds: [[Amount; SECONDS]; 9],
    pub(crate) stretches: [[Amount; STRETCHES]; 9],
    /// The largest sampling of late.
    pub(crate) sampling: u32,
}

impl Picture {
    pub(crate) fn new(now: i64) -> Self {
        Picture {
            first_second: now - (SECONDS as i64 - 1),
            first_stretch: now.div_euclid(STRETCH) - (STRETCHES as i64 - 1),
            seconds: [[Amount::default(); SECONDS]; 9],
            stretches: [[Amount::default(); STRETCHES]; 9],
            sampling: 1,
        }
    }

    /// The course of a kind of traffic, or of all that count together.
    pub(crate) fn line(&self, kinds: &[Misuse]) -> Line {
        let mut line = Line {
            first_second: self.first_second,
            first_stretch: self.first_stretch,
            seconds: [Amount::default(); SECONDS],
            stretches: [Amount::default(); STRETCHES],
            sampling: self.sampling,
        };
        let is_meant =
            |kind: Misuse| kinds.contains(&kind) || kind.is_in_total() && kinds.contains(&Misuse::Total);
        for kind in Misuse::OF_FLOWS.into_iter().filter(|kind| is_meant(*kind)) {
            for (sum, part) in line.seconds.iter_mut().zip(&self.seconds[kind as usize]) {
                *sum = sum.plus(*part);
            }
            for (sum, part) in line.stretches.iter_mut().zip(&self.stretches[kind as usize]) {
                *sum = sum.plus(*part);
            }
        }
        line
    }
}

/// One course, second by second.
pub(crate) struct Line {
    pub(crate) first_second: i64,
    pub(crate) first_stretch: i64,
    pub(crate) seconds: [Amount; SECONDS],
    pub(crate) stretches: [Amount; STRETCHES],
    pub(crate) sampling: u32,
}

/// Traffic that is over a threshold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Excess {
    /// It began in one of these seconds.
    pub(crate) start: (i64, i64),
    /// Whether one second was enough.
    pub(crate) at_once: bool,
    pub(crate) peak: f64,
    pub(crate) last_above: i64,
}

impl Line {
    /// The packets, or bits, of all seconds that are kept.
    pub(crate) fn sum(&self, unit: Unit) -> f64 {
        self.seconds.iter().map(|amount| rate(*amount, unit)).sum()
    }

    /// The highest second and the last above `threshold`, of those after `after`.
    pub(crate) fn above(&self, unit: Unit, threshold: f64, after: i64) -> (f64, Option<i64>) {
        let seconds = (self.first_second..).zip(&self.seconds).filter(|(at, _)| *at > after);
        let (mut peak, mut last) = (0.0_f64, None);
        for (at, amount) in seconds {
            let rate = rate(*amount, unit);
            peak = peak.max(rate);
            if rate >= threshold {
                last = Some(at);
            }
        }
        (peak, last)
    }

    /// Whether what exceeds `threshold` adds up to an alarm after the second `after`: in the last minute second by
    /// second, before it stretch by stretch.
    pub(crate) fn excess(
        &self,
        (unit, threshold): (Unit, u64),
        after: i64,
        parameters: &Parameters,
    ) -> Option<Excess> {
        let threshold = threshold as f64;
        let (peak, last) = self.above(unit, threshold, after);
        let long_ago = self.long_excess((unit, threshold), after, parameters);
        let alarm = self.alarm((unit, threshold), after, parameters);
        match (alarm, long_ago) {
            (None, None) => None,
            (Some((start, at_once)), None) => {
                // Where it was over from the first second on, it began before.
                let before = self.first_second - STRETCH;
                let reaches_back = start == self.first_second && start - 1 > after;
                let earliest = if reaches_back { before.max(after + 1) } else { start };
                Some(Excess { start: (earliest, start), at_once, peak, last_above: last.unwrap_or(start) })
            }
            (alarm, Some((start, end, mean))) => {
                let last = last.or(alarm.map(|(start, _)| start)).unwrap_or(end);
                let start = (start.max(after + 1), (start + STRETCH - 1).max(after + 1));
                Some(Excess { start, at_once: false, peak: peak.max(mean), last_above: last.max(end) })
            }
        }
    }

    /// The first second of the first run whose excess adds up to an alarm; whether it was one second.
    fn alarm(
        &self,
        (unit, threshold): (Unit, f64),
        after: i64,
        parameters: &Parameters,
    ) -> Option<(i64, bool)> {
        let (mut sum, mut packets, mut seen, mut start) = (0.0, 0.0, 0.0, None);
        for (at, amount) in (self.first_second..).zip(&self.seconds).filter(|(at, _)| *at > after) {
            let rate = rate(*amount, unit);
            sum += rate - threshold;
            if sum <= 0.0 {
                (sum, packets, seen, start) = (0.0, 0.0, 0.0, None);
                continue;
            }
            packets += self::rate(*amount, Unit::Packets);
            seen += rate;
            let first = *start.get_or_insert(at);
            if sum >= self.needed((seen, packets), threshold, parameters) {
                return Some((first, first == at));
            }
        }
        None
    }

    /// What an excess must add up to, so that neither a burst within a second nor the chance of sampling does.
    fn needed(&self, (seen, packets): (f64, f64), threshold: f64, parameters: &Parameters) -> f64 {
        let chance = (f64::from(self.sampling.saturating_sub(1)) / packets.max(1.0)).sqrt();
        threshold * parameters.alarm_percent as f64 / 100.0
            + parameters.sampling_sigmas as f64 * seen * chance
    }

    /// The first and last second of the first stretches before the last minute that were over, and their mean.
    fn long_excess(
        &self,
        (unit, threshold): (Unit, f64),
        after: i64,
        parameters: &Parameters,
    ) -> Option<(i64, i64, f64)> {
        let mut found: Option<(i64, i64, f64)> = None;
        for (number, amount) in (self.first_stretch..).zip(&self.stretches) {
            let (begin, end) = (number * STRETCH, (number + 1) * STRETCH - 1);
            if begin <= after || end >= self.first_second {
                continue;
            }
            let seen = rate(*amount, unit);
            let excess = seen - threshold * STRETCH as f64;
            let packets = rate(*amount, Unit::Packets);
            // In a stretch as much excess is needed as fifteen percent over all of it: a burst is no attack that is told late.
            let needed = self.needed((seen, packets), threshold * STRETCH as f64, parameters);
            if excess >= needed {
                let mean = seen / STRETCH as f64;
                let (start, _, peak) = found.unwrap_or((begin, end, mean));
                found = Some((start, end, peak.max(mean)));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_419_264_900;

    fn line(rates: &[u64], sampling: u32) -> Line {
        let mut picture = Picture::new(NOW);
        picture.sampling = sampling;
        for (into, rate) in picture.seconds[0].iter_mut().rev().zip(rates.iter().rev()) {
            *into = Amount::estimated(*rate, *rate * 100, 1);
        }
        picture.line(&[Misuse::SynFlood])
    }

    fn excess(rates: &[u64], sampling: u32) -> Option<Excess> {
        line(rates, sampling).excess((Unit::Packets, 20_000), i64::MIN, &Parameters::default())
    }

    #[test]
    fn a_second_at_1_15_times_the_threshold_is_enough_and_at_1_14_it_is_not() {
        let found = excess(&[0, 23_000], 1).expect("an alarm");
        assert_eq!((found.start, found.last_above), ((NOW, NOW), NOW));
        assert_eq!(excess(&[0, 22_800], 1), None);
        assert_eq!(excess(&[22_800, 22_800], 1).expect("an alarm").start, (NOW - 1, NOW - 1));
    }

    #[test]
    fn at_the_threshold_itself_there_is_no_alarm_however_long() {
        assert_eq!(excess(&[20_000; SECONDS], 1), None);
        assert_eq!(excess(&[26_000, 14_000].repeat(15)[1..], 1).map(|found| found.start.1), Some(NOW - 27));
        assert_eq!(excess(&[22_000, 18_000].repeat(15), 1), None);
    }

    #[test]
    fn the_coarser_the_sampling_the_more_is_needed() {
        // One in a thousand: 24,000 are 24 records, give or take 5.
        assert_eq!(excess(&[0, 24_000], 1_000), None);
        assert!(excess(&[0, 45_000], 1_000).is_some());
        assert!(excess(&[24_000; 20], 1_000).is_some());
    }

    #[test]
    fn what_is_told_late_is_found_in_its_stretch_and_not_said_to_be_now() {
        let mut picture = Picture::new(NOW);
        let at = STRETCHES - 8;
        picture.stretches[0][at] = Amount::estimated(30_000 * 20, 0, 1);
        let line = picture.line(&[Misuse::Total]);
        let found = line.excess((Unit::Packets, 20_000), i64::MIN, &Parameters::default()).expect("an alarm");
        let begin = (picture.first_stretch + at as i64) * STRETCH;
        assert_eq!(found.start, (begin, begin + STRETCH - 1));
        assert_eq!(found.last_above, begin + STRETCH - 1);
        assert_eq!(found.peak, 30_000.0);
    }
}
