use std::fmt;
use std::ops::{Add, Sub};

/// A moment, in microseconds since 1970-01-01T00:00:00Z, leap seconds not counted (as MRT and BMP count).
///
/// Printed as RFC 3339 in UTC with `Z`; the fraction is printed only where there is one, because a stamp of whole
/// seconds names the second `[t, t + 1 s)` and not an instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Time(i64);

impl Time {
    /// Before every other moment.
    pub const MIN: Time = Time(i64::MIN);
    /// After every other moment.
    pub const MAX: Time = Time(i64::MAX);

    /// From whole seconds since 1970.
    pub const fn from_seconds(seconds: i64) -> Self {
        Time(seconds.saturating_mul(1_000_000))
    }

    /// From microseconds since 1970.
    pub const fn from_micros(micros: i64) -> Self {
        Time(micros)
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The microseconds within the second, 0 to 999,999.
    pub const fn subsecond_micros(self) -> i64 {
        self.0.rem_euclid(1_000_000)
    }

    /// Year, month (1 to 12), day (1 to 31) in UTC, proleptic Gregorian calendar.
    pub fn date(self) -> (i64, u32, u32) {
        // Days to civil date after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (public domain).
        let days = self.seconds().div_euclid(86_400).saturating_add(719_468);
        let era = days.div_euclid(146_097);
        let day_of_era = days.rem_euclid(146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = (day_of_year - (153 * month_index + 2) / 5 + 1) as u32;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 } as u32;
        (year_of_era + era * 400 + i64::from(month <= 2), month, day)
    }
}

/// Adds microseconds; stops at the ends of the range.
impl Add<i64> for Time {
    type Output = Time;
    fn add(self, micros: i64) -> Time {
        Time(self.0.saturating_add(micros))
    }
}

/// The distance in microseconds.
impl Sub for Time {
    type Output = i64;
    fn sub(self, other: Time) -> i64 {
        self.0.saturating_sub(other.0)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.date();
        let second = self.seconds().rem_euclid(86_400);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            second / 3_600,
            second / 60 % 60,
            second % 60
        )?;
        match self.subsecond_micros() {
            0 => write!(f, "Z"),
            micros => write!(f, ".{micros:06}Z"),
        }
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_with_a_fraction_only_where_there_is_one() {
        assert_eq!(Time::from_seconds(1_419_264_900).to_string(), "2014-12-22T16:15:00Z");
        assert_eq!(Time::from_micros(1_419_264_900_000_250).to_string(), "2014-12-22T16:15:00.000250Z");
        assert_eq!(Time::from_seconds(-1).to_string(), "1969-12-31T23:59:59Z");
        assert_eq!(Time::from_seconds(951_782_400).to_string(), "2000-02-29T00:00:00Z");
    }
}
