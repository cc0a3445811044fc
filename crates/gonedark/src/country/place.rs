//! Names, capitals and local time.

use super::gazetteer::PLACES;
use gonedark_infer::entity::CountryCode;
use gonedark_route::Time;
use jiff::{Timestamp, civil, tz::TimeZone};
use std::fmt;

/// Countries with more than one clock, by the IANA database of 2025 at any time since 2011; tested against it.
/// Clocks that the country itself does not recognise are left out: Urumqi, Northern Cyprus in 2017, occupied Ukraine.
const SEVERAL_ZONES: [&str; 22] = [
    "AQ", "AU", "BR", "CA", "CD", "CL", "EC", "ES", "FM", "GL", "ID", "KI", "KZ", "MN", "MX", "NZ", "PF",
    "PG", "PT", "RU", "UM", "US",
];

/// The short English name; `Unknown country` for a code that no registry uses.
pub fn name(country: CountryCode) -> &'static str {
    place(country).map_or("Unknown country", |(_, name, _, _)| name)
}

/// Whether a registry uses the code.
pub fn is_known(country: CountryCode) -> bool {
    place(country).is_some()
}

/// The capital as prose names it; `None` for a place without inhabitants, a region or an unknown code.
pub fn capital(country: CountryCode) -> Option<&'static str> {
    place(country).map(|(_, _, capital, _)| *capital).filter(|capital| !capital.is_empty())
}

/// The IANA time zone of the capital; `Etc/UTC` where there is no clock of its own.
pub fn zone(country: CountryCode) -> &'static str {
    place(country).map_or("Etc/UTC", |(_, _, _, zone)| zone)
}

/// Whether clocks in the country differ, so that the capital's is not everybody's.
pub fn has_several_zones(country: CountryCode) -> bool {
    SEVERAL_ZONES.contains(&country.as_str())
}

fn place(country: CountryCode) -> Option<&'static (&'static str, &'static str, &'static str, &'static str)> {
    let index = PLACES.binary_search_by_key(&country.as_str(), |(code, ..)| code).ok()?;
    PLACES.get(index)
}

/// What the clocks of a capital show at a moment.
///
/// Printed as `01:15 on 23 December 2014 in Pyongyang`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LocalTime {
    /// The capital.
    pub city: &'static str,
    /// Date and time of day there.
    pub civil: civil::DateTime,
    /// Seconds east of UTC at that moment.
    pub offset_seconds: i32,
}

/// Local time in the capital. `None` where there is no capital, or the moment is outside the years -9999 to 9999.
pub fn local_time(at: Time, country: CountryCode) -> Option<LocalTime> {
    let city = capital(country)?;
    let zone = TimeZone::get(zone(country)).ok()?;
    let moment = Timestamp::from_microsecond(at.micros()).ok()?;
    let zoned = moment.to_zoned(zone);
    Some(LocalTime { city, civil: zoned.datetime(), offset_seconds: zoned.offset().seconds() })
}

impl LocalTime {
    /// `01:15`; seconds are cut off.
    pub fn clock(&self) -> String {
        format!("{:02}:{:02}", self.civil.hour(), self.civil.minute())
    }

    /// `23 December 2014`.
    pub fn date(&self) -> String {
        self.civil.strftime("%-d %B %Y").to_string()
    }

    /// `+09:00`.
    pub fn offset(&self) -> String {
        let sign = if self.offset_seconds < 0 { '-' } else { '+' };
        let minutes = self.offset_seconds.unsigned_abs() / 60;
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} in {}", self.clock(), self.date(), self.city)
    }
}
