//! Times and durations as people write them.
//!
//! A clock reading is cut, not rounded: 16:15:59 is still 16:15 on the clock.

use gonedark_infer::report::Interval;
use gonedark_route::Time;

/// Seconds in a minute, an hour and a day.
pub const MINUTE: i64 = 60;
/// Seconds in an hour.
pub const HOUR: i64 = 3_600;
/// Seconds in a day.
pub const DAY: i64 = 86_400;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Day {
    /// The year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
}

impl Day {
    /// `22 December 2014`.
    pub fn long(self) -> String {
        format!("{} {} {}", self.day, self.month_name(), self.year)
    }

    /// `22 December`.
    pub fn without_year(self) -> String {
        format!("{} {}", self.day, self.month_name())
    }

    /// `22 Dec`.
    pub fn short(self) -> String {
        format!("{} {}", self.day, &self.month_name()[..3])
    }

    /// As short as it can be told beside `known`: `the 23rd`, `1 January` in another month, with the year in another year.
    pub fn beside(self, known: Day) -> String {
        if self.year != known.year {
            self.long()
        } else if self.month != known.month {
            self.without_year()
        } else {
            format!("the {}{}", self.day, ordinal_ending(self.day))
        }
    }

    fn month_name(self) -> &'static str {
        MONTHS.get(self.month as usize - 1).copied().unwrap_or("?")
    }
}

fn ordinal_ending(day: u32) -> &'static str {
    match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    }
}

/// The moment as a clock `offset_s` east of UTC shows it, still counted as if it were UTC.
pub fn shifted(time: Time, offset_s: i32) -> Time {
    time + i64::from(offset_s) * 1_000_000
}

/// Its day.
pub fn day(time: Time) -> Day {
    let (year, month, day) = time.date();
    Day { year, month, day }
}

/// `16:15`.
pub fn clock(time: Time) -> String {
    let second = time.seconds().rem_euclid(DAY);
    format!("{:02}:{:02}", second / HOUR, second / MINUTE % 60)
}

/// `16:15:07`.
pub fn clock_with_seconds(time: Time) -> String {
    format!("{}:{:02}", clock(time), time.seconds().rem_euclid(MINUTE))
}

/// `22 Dec 16:15`, or with seconds where they are not zero.
pub fn stamp(time: Time) -> String {
    let clock = if time.seconds() % MINUTE == 0 { clock(time) } else { clock_with_seconds(time) };
    format!("{} {clock}", day(time).short())
}

/// `24 Dec 03:00 to 07:05`, with the second day where it is another.
pub fn span(from: Time, until: Time) -> String {
    let end = stamp(until);
    let day_named = format!("{} ", day(from).short());
    let same_day = day(from) == day(until);
    format!("{} to {}", stamp(from), if same_day { end.trim_start_matches(&day_named) } else { &end })
}

/// `22 December 2014, 16:15:07`: for tables in which every year is to be seen.
pub fn long_stamp(time: Time) -> String {
    let clock = if time.seconds() % MINUTE == 0 { clock(time) } else { clock_with_seconds(time) };
    format!("{}, {clock}", day(time).long())
}

/// How finely a moment is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Grain {
    /// To the second.
    Second,
    /// To the minute.
    Minute,
}

impl Grain {
    /// The finest grain that an interval bears: seconds where it lies within one second, or where it is under a minute
    /// and yet no single minute names it.
    pub fn of(interval: Interval) -> Grain {
        let (earliest, latest) = (interval.earliest.seconds(), interval.latest.seconds());
        let same_minute = earliest.div_euclid(MINUTE) == latest.div_euclid(MINUTE);
        if earliest == latest || (latest - earliest < MINUTE && !same_minute) {
            Grain::Second
        } else {
            Grain::Minute
        }
    }

    /// The clock reading at this grain.
    pub fn clock(self, time: Time) -> String {
        match self {
            Grain::Second => clock_with_seconds(time),
            Grain::Minute => clock(time),
        }
    }

    /// Whether both ends read alike at this grain.
    pub fn same(self, interval: Interval) -> bool {
        let unit = match self {
            Grain::Second => 1,
            Grain::Minute => MINUTE,
        };
        interval.earliest.seconds().div_euclid(unit) == interval.latest.seconds().div_euclid(unit)
    }
}

/// `45 s`, `31 min`, `9 h 31 min`, `2 d 3 h`: for tables. Cut to the unit that is shown last.
pub fn duration(seconds: i64) -> String {
    let (days, hours, minutes) = (seconds / DAY, seconds / HOUR % 24, seconds / MINUTE % 60);
    match seconds {
        ..MINUTE => format!("{} s", seconds.max(0)),
        MINUTE..HOUR => format!("{minutes} min"),
        HOUR..172_800 => format!("{} h {minutes:02} min", seconds / HOUR),
        _ => format!("{days} d {hours} h"),
    }
}

/// `9 h 31 min`, or `9 h 31 min to 9 h 39 min` where it is not known better.
pub fn duration_range((least, most): (u64, u64)) -> String {
    let text = |seconds: u64| duration(i64::try_from(seconds).unwrap_or(i64::MAX));
    if text(least) == text(most) { text(least) } else { format!("{} to {}", text(least), text(most)) }
}

/// `45 minutes`, `26 hours`, `3 days`: for sentences. Rounded to the unit; the unit is the largest of which there are
/// two at least.
pub fn rough_duration(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7_200 => ((seconds + 30) / MINUTE, "minute"),
        7_200..172_800 => ((seconds + 1_800) / HOUR, "hour"),
        _ => ((seconds + DAY / 2) / DAY, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// Seconds from one moment to another, never below zero.
pub fn seconds_between(from: Time, until: Time) -> i64 {
    (until.seconds() - from.seconds()).max(0)
}

/// `1,234,567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(earliest: i64, latest: i64) -> Interval {
        Interval { earliest: Time::from_seconds(earliest), latest: Time::from_seconds(latest) }
    }

    #[test]
    fn a_moment_is_told_to_the_second_only_where_it_is_known_so() {
        assert_eq!(Grain::of(span(967, 967)), Grain::Second);
        assert_eq!(Grain::of(span(960, 1_019)), Grain::Minute);
        assert_eq!(Grain::of(span(1_010, 1_030)), Grain::Second);
        assert_eq!(Grain::of(span(960, 1_440)), Grain::Minute);
    }

    #[test]
    fn durations_read_as_people_say_them() {
        assert_eq!(duration(34_260), "9 h 31 min");
        assert_eq!(duration(1_860), "31 min");
        assert_eq!(duration(7), "7 s");
        assert_eq!(duration(183_600), "2 d 3 h");
        assert_eq!(duration(93_600), "26 h 00 min");
        assert_eq!(rough_duration(93_900), "26 hours");
        assert_eq!(rough_duration(45 * 60), "45 minutes");
        assert_eq!(rough_duration(1), "1 second");
        assert_eq!(rough_duration(3 * DAY), "3 days");
        assert_eq!(grouped(1_234_567), "1,234,567");
        assert_eq!(grouped(12), "12");
    }

    #[test]
    fn a_day_is_told_as_shortly_as_it_is_clear() {
        let known = Day { year: 2014, month: 12, day: 22 };
        assert_eq!(Day { day: 23, ..known }.beside(known), "the 23rd");
        assert_eq!(Day { day: 11, ..known }.beside(known), "the 11th");
        assert_eq!(Day { month: 11, ..known }.beside(known), "22 November");
        assert_eq!(Day { year: 2015, month: 1, day: 1 }.beside(known), "1 January 2015");
    }
}
