//! The only place that asks what time it is: everything else is given the time.

use gonedark_route::Time;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::time::Instant;

/// Today's date in UTC.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// This moment, to measure how long something takes: no step of the clock changes it.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn moment() -> Instant {
    Instant::now()
}

/// Now.
#[allow(clippy::disallowed_methods, reason = "this is the one place")]
pub fn now() -> Time {
    Time::from_micros(Timestamp::now().as_microsecond())
}
