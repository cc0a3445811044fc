//! When a flow was, by the clock of its exporter.

use crate::flow::element::{Clock, Places, Unit};
use crate::flow::plan::Plan;
use crate::flow::value::number;
use gonedark_route::Time;

/// Seconds from 1900 to 1970 (RFC 5905 figure 4).
const NTP_TO_1970: u64 = 2_208_988_800;

/// What the header of a message says of the times in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Clocks {
    /// When the message was sent, by the exporter's clock.
    pub(super) export: Time,
    /// The latest moment at which it may have been sent: the end of the second where it says no more than that.
    pub(super) latest: Time,
    /// Milliseconds that the exporter is up, of which only the low 32 bits are sent; `None` where it does not say.
    pub(super) uptime: Option<u32>,
}

impl Clocks {
    /// Those of a header that tells more than seconds, or that tells the uptime: of which all times are reckoned back.
    pub(super) fn exact(export: Time, uptime: u32) -> Self {
        Clocks { export, latest: export, uptime: Some(uptime) }
    }

    /// Those of a header that tells whole seconds and nothing else (RFC 7011 section 3.1).
    pub(super) fn cut(seconds: u32) -> Self {
        let export = Time::from_seconds(i64::from(seconds));
        let latest = Time::from_micros(export.micros().saturating_add(999_999));
        Clocks { export, latest, uptime: None }
    }

    /// What a stamp of the exporter's uptime means, in microseconds since 1970.
    ///
    /// Uptimes roll over every 49.7 days, so their distance is what counts: a stamp that is numerically later than the
    /// header's is one roll-over earlier. One that is later in earnest, by less than half a roll-over, was written while
    /// the header was already (or is wrong); taking it for a flow of 49 days would spread its bytes to nothing.
    #[inline]
    pub(super) fn of_uptime(&self, stamp: u32) -> Option<i64> {
        let age = self.uptime?.wrapping_sub(stamp).cast_signed();
        Some(self.export.micros().saturating_sub(i64::from(age).saturating_mul(1_000)))
    }

    /// The same clocks to the millisecond, from a header that tells whole seconds and a long uptime; and when the exporter came
    /// up, in milliseconds since 1970.
    ///
    /// Seconds are cut, so that each header says only that it came up at some time within a second. What it says by the latest of
    /// those is the nearest: without it every flow is told up to a second too early. A clock that was set shows in an earlier one
    /// by more than a second.
    pub(super) fn within_second(self, began: Option<i64>) -> (Self, Option<i64>) {
        let Some(uptime) = self.uptime else { return (self, began) };
        let earliest = self.export.micros().div_euclid(1_000).saturating_sub(i64::from(uptime));
        let began = match began {
            Some(began) if (earliest..earliest.saturating_add(1_000)).contains(&began) => began,
            _ => earliest,
        };
        let export = began.saturating_add(i64::from(uptime)).saturating_mul(1_000);
        (Clocks::exact(Time::from_micros(export), uptime), Some(began))
    }

    /// The same clocks where the moment at which the exporter came up is told, in milliseconds since 1970 (IE 160).
    pub(super) fn with_init(self, init: u64) -> Self {
        let export = self.export.micros().div_euclid(1_000).cast_unsigned();
        // The low 32 bits are what is wanted.
        Clocks { uptime: Some((export.wrapping_sub(init) & 0xFFFF_FFFF) as u32), ..self }
    }
}

/// The first and the last packet of a record: never after the message that told of it, and in this order. Where one is
/// not told it is had from the other and the duration; where nothing is, both are the time of the message.
///
/// Cisco sends uptimes in IPFIX, whose header has none, and often never tells when it came up. What is left is how long a
/// flow lasted; it is taken to have ended when it was told of.
#[inline]
pub(super) fn interval(plan: &Plan, places: &Places, record: &[u8], clocks: &Clocks) -> (Time, Time) {
    let with_init;
    let mut clocks = clocks;
    if places.system_init.length > 0 {
        with_init = clocks.with_init(number(record, places.system_init));
        clocks = &with_init;
    }
    let begin = time(plan.begin, number(record, places.begin), clocks);
    let end = time(plan.end, number(record, places.end), clocks);
    let export = clocks.export.micros();
    if clocks.uptime.is_none() && plan.begin == Clock::Uptime && plan.end == Clock::Uptime {
        let last = Clocks { uptime: Some((number(record, places.end) & 0xFFFF_FFFF) as u32), ..*clocks };
        let begin = time(plan.begin, number(record, places.begin), &last).unwrap_or(export);
        return (Time::from_micros(begin.min(export)), clocks.export);
    }
    let (begin, end) = match (begin, end) {
        (Some(begin), Some(end)) => (begin, end),
        (begin, end) if places.duration.length > 0 => {
            let lasted = duration(plan.unit, number(record, places.duration));
            match (begin, end) {
                (Some(begin), _) => (begin, begin.saturating_add(lasted)),
                (None, end) => {
                    let end = end.unwrap_or(export).min(export);
                    (end.saturating_sub(lasted), end)
                }
            }
        }
        (Some(begin), None) => (begin, export),
        (None, end) => (end.unwrap_or(export), end.unwrap_or(export)),
    };
    let end = end.min(clocks.latest.micros());
    (Time::from_micros(begin.min(end)), Time::from_micros(end))
}

fn duration(unit: Unit, value: u64) -> i64 {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    match unit {
        Unit::Milliseconds => value.saturating_mul(1_000),
        Unit::Microseconds => value,
    }
}

/// Microseconds since 1970. Zero is no time, but a field that was not filled.
#[inline]
fn time(clock: Clock, value: u64, clocks: &Clocks) -> Option<i64> {
    if value == 0 {
        return None;
    }
    let scaled = |value: u64, scale: i64| i64::try_from(value).ok().map(|value| value.saturating_mul(scale));
    match clock {
        Clock::None => None,
        Clock::Uptime => clocks.of_uptime((value & 0xFFFF_FFFF) as u32),
        Clock::Seconds => scaled(value, 1_000_000),
        Clock::Milliseconds => scaled(value, 1_000),
        Clock::Ntp => Some(ntp(value)),
        Clock::Before => scaled(value, 1).map(|before| clocks.export.micros().saturating_sub(before)),
    }
}

/// Microseconds since 1970. Seconds before 1970 are those of the era that begins in 2036 (RFC 5905 section 6).
fn ntp(value: u64) -> i64 {
    let (seconds, fraction) = (value >> 32, value & 0xFFFF_FFFF);
    let seconds = match seconds.checked_sub(NTP_TO_1970) {
        Some(seconds) => seconds,
        None => seconds.saturating_add(1 << 32).saturating_sub(NTP_TO_1970),
    };
    let micros = fraction.saturating_mul(1_000_000) >> 32;
    i64::try_from(seconds.saturating_mul(1_000_000).saturating_add(micros)).unwrap_or(i64::MAX)
}

/// The moment at which the exporter came up, where a record of options tells it (IE 160).
pub(super) fn told_init(places: &Places, record: &[u8]) -> Option<u64> {
    (places.system_init.length > 0).then(|| number(record, places.system_init)).filter(|init| *init > 0)
}

/// Whether an exporter came up anew between two headers, by the uptimes in them. A roll-over is none.
pub(super) fn is_restarted(before: Option<u32>, now: u32) -> bool {
    // Less than before by more than a minute, and not by a roll-over. A minute (a guess) is for datagrams in another
    // order.
    before.is_some_and(|before| {
        let behind = before.wrapping_sub(now).cast_signed();
        behind > 60_000
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_whole_seconds_are_told_to_the_millisecond_by_the_latest_of_them() {
        // Came up at 0.700 s past a second.
        let began = 1_419_264_900_700_i64;
        let mut known = None;
        let mut errors = Vec::new();
        for uptime in [250_u32, 10_000, 20_300, 30_290, 40_900] {
            let sent = began + i64::from(uptime);
            let header = Clocks::exact(Time::from_seconds(sent.div_euclid(1_000)), uptime);
            let (clocks, next) = header.within_second(known);
            known = next;
            errors.push(sent - clocks.export.micros() / 1_000);
        }
        // 950 ms past its second; 700 ms; on the second; and from then on all are right.
        assert_eq!(errors, [950, 700, 0, 0, 0]);
        // The clock was set back by an hour: it is believed.
        let header = Clocks::exact(Time::from_seconds((began - 3_600_000) / 1_000), 50_000);
        let (clocks, _) = header.within_second(known);
        assert_eq!(clocks.export, header.export);
    }
}
