//! Values as the file writes them, each refused with what to write instead.

use crate::source::bmp::Distinguisher;
use gonedark_infer::entity::CountryCode;
use gonedark_route::Prefix;
use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use toml::Value;

/// A length of time: `"90s"`, `"2m"`, `"1h30m"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Span(pub Duration);

impl Span {
    /// In microseconds.
    pub fn micros(self) -> i64 {
        i64::try_from(self.0.as_micros()).unwrap_or(i64::MAX)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = Value::deserialize(deserializer)?;
        let text = said.as_str().unwrap_or_default();
        let parsed = text.parse::<jiff::SignedDuration>().ok().and_then(|span| Duration::try_from(span).ok());
        match (parsed, hours(text)) {
            (Some(span), _) if span.is_zero() => Err(D::Error::custom(format!(
                "{said} is too short: it must be more than 0; write \"90s\", \"2m\" or \"1h30m\""
            ))),
            (Some(span), _) => Ok(Span(span)),
            (None, Some(hours)) => Err(D::Error::custom(format!(
                "{said} is no length of time: days and weeks are not known; write \"{hours}h\""
            ))),
            (None, None) => Err(D::Error::custom(format!(
                "{said} is no length of time; write \"90s\", \"2m\" or \"1h30m\""
            ))),
        }
    }
}

/// Of a number of days or weeks.
fn hours(text: &str) -> Option<u64> {
    let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
    let each = match unit.trim() {
        "d" | "day" | "days" => 24,
        "w" | "week" | "weeks" => 7 * 24,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(each)
}

/// A number of bytes: `"512 KiB"`, `"64 MiB"`, `"1 GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub usize);

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let said = Value::deserialize(deserializer)?;
        let parsed = said.as_str().and_then(|text| {
            let (number, unit) = text.split_at(text.find(|letter: char| !letter.is_ascii_digit())?);
            let shift = match unit.trim() {
                "KiB" => 10,
                "MiB" => 20,
                "GiB" => 30,
                _ => return None,
            };
            number.parse::<usize>().ok()?.checked_mul(1 << shift)
        });
        // What a socket may be asked for is an int (socket(7)).
        let fits = parsed.filter(|size| (1..=i32::MAX as usize / 2).contains(size));
        fits.map(Size).ok_or_else(|| {
            D::Error::custom(format!("{said} is no size under 1 GiB; write \"512 KiB\" or \"64 MiB\""))
        })
    }
}

/// A route distinguisher.
pub(super) fn distinguisher<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Distinguisher>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

/// A country.
#[derive(Clone, Copy, Debug)]
pub struct Code(pub CountryCode);

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = CountryCode::new(&text).filter(|code| crate::country::is_known(*code));
        known.map(Code).ok_or_else(|| {
            D::Error::custom(format!("{text:?} is no country; write a code of ISO 3166-1 such as \"KP\""))
        })
    }
}

/// `"all"`, or numbers.
#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected \"all\" or a list of AS numbers such as [131279, 4837]")]
pub enum Asns {
    /// Every AS.
    All(Every),
    /// These.
    Some(Vec<u32>),
}

impl Default for Asns {
    fn default() -> Self {
        Asns::Some(Vec::new())
    }
}

/// The word `all`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Every {
    /// All of them.
    All,
}

pub(super) fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Prefix>, D::Error> {
    Vec::<String>::deserialize(deserializer)?
        .iter()
        .map(|text| prefix(text).map_err(D::Error::custom))
        .collect()
}

fn prefix(text: &str) -> Result<Prefix, String> {
    let parsed: Prefix = text
        .parse()
        .map_err(|_| format!("{text:?} is no prefix; write \"175.45.176.0/22\" or \"2001:db8::/32\""))?;
    // Whoever writes 175.45.178.0/22 may mean the /22 or the /24.
    let address = text.split_once('/').and_then(|(address, _)| address.parse::<IpAddr>().ok());
    if address == Some(parsed.address()) {
        return Ok(parsed);
    }
    Err(format!("{text:?} has bits set behind its length; write \"{parsed}\", or a longer prefix"))
}

/// One, or a list.
pub(super) fn listens<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SocketAddr>, D::Error> {
    let said = Value::deserialize(deserializer)?;
    let each = match &said {
        Value::Array(each) => &each[..],
        one => std::slice::from_ref(one),
    };
    let parsed = each.iter().map(|one| one.as_str().and_then(|text| text.parse().ok()));
    let parsed = parsed.collect::<Option<Vec<SocketAddr>>>().filter(|all| !all.is_empty());
    parsed.ok_or_else(|| {
        D::Error::custom(format!(
            "{said} is no address and port, nor a list of them; write \"0.0.0.0:2055\" or [\"0.0.0.0:2055\", \"[::]:6343\"]"
        ))
    })
}

pub(super) fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SocketAddr, D::Error> {
    let said = Value::deserialize(deserializer)?;
    said.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        D::Error::custom(format!("{said} is no address and port; write \"127.0.0.1:8080\" or \"[::1]:8080\""))
    })
}
