//! Times and durations as scenario files write them.

use gonedark_route::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _};

/// A moment: a TOML date-time in UTC, `2014-12-22T16:15:00Z`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Moment(pub Time);

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = toml::value::Datetime::deserialize(deserializer)?.to_string();
        let moment: jiff::Timestamp = text.parse().map_err(|_| {
            D::Error::custom(format!("`{text}` is no moment in UTC; write it as 2014-12-22T16:15:00Z"))
        })?;
        Ok(Moment(Time::from_micros(moment.as_microsecond())))
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let moment: toml::value::Datetime = self.0.to_string().parse().map_err(S::Error::custom)?;
        moment.serialize(serializer)
    }
}

/// A duration in microseconds, written as `1h`, `7m48s`, `250ms`, `-2s`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Span(pub i64);

impl Span {
    /// From whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Span(seconds.saturating_mul(1_000_000))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}` is no duration; write it as 1h, 7m48s or 250ms"));
        let span: jiff::SignedDuration = text.parse().map_err(|_| wrong())?;
        i64::try_from(span.as_micros()).map(Span).map_err(|_| wrong())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{:#}", jiff::SignedDuration::from_micros(self.0)))
    }
}
