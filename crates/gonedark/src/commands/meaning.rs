//! From what was typed to what it means.

use super::Failure;
use crate::country;
use gonedark_infer::Watch;
use gonedark_infer::entity::CountryCode;
use gonedark_route::{Asn, Time};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment: RFC 3339, or a date, which means its midnight in UTC.
///
/// # Errors
/// Text that is neither.
pub fn moment(flag: &str, text: &str) -> Result<Time, Failure> {
    let parsed = text.parse::<Timestamp>().ok().or_else(|| {
        // The library takes the date of a moment without a zone as well; which zone was meant nobody knows.
        let date: Date = (text.len() == "2014-12-22".len()).then(|| text.parse().ok())??;
        Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp())
    });
    parsed.map(|at| Time::from_micros(at.as_microsecond())).ok_or_else(|| {
        Failure::Usage(format!(
            "--{flag} {text}: expected a moment in UTC such as 2014-12-22T16:15:00Z or 2014-12-22"
        ))
    })
}

/// A duration in microseconds: `90s`, `2m`, `1h30m`.
///
/// # Errors
/// Text that is none, or a negative one.
pub fn duration(flag: &str, text: &str) -> Result<i64, Failure> {
    let parsed = text.parse::<SignedDuration>().ok().map(|duration| duration.as_micros());
    parsed.and_then(|micros| i64::try_from(micros).ok()).filter(|micros| *micros >= 0).ok_or_else(|| {
        Failure::Usage(format!("--{flag} {text}: expected a duration such as 90s, 2m or 1h30m"))
    })
}

/// What is watched.
///
/// # Errors
/// A country that is no two letters, an AS that is no number, a prefix that is no address with a length.
pub fn watch(countries: &[String], asns: &[String], prefixes: &[String]) -> Result<Watch, Failure> {
    let mut watch = Watch::default();
    for text in countries.iter().flat_map(|list| list.split(',')) {
        let code = CountryCode::new(text.trim()).ok_or_else(|| {
            Failure::Usage(format!("--country {text}: expected a code of two letters such as KP"))
        })?;
        if !country::is_known(code) {
            return Err(Failure::Usage(format!(
                "--country {text}: no country has this code (ISO 3166-1; the United Kingdom is GB, Greece GR)"
            )));
        }
        watch.countries.insert(code);
    }
    for text in asns.iter().flat_map(|list| list.split(',')) {
        let digits = text.trim().trim_start_matches("AS").trim_start_matches("as");
        let asn = digits.parse().map_err(|_| {
            Failure::Usage(format!("--asn {text}: expected an AS number such as 131279 or AS131279"))
        })?;
        watch.asns.insert(Asn(asn));
    }
    for text in prefixes.iter().flat_map(|list| list.split(',')) {
        let prefix = text.trim().parse().map_err(|_| {
            Failure::Usage(format!(
                "--prefix {text}: expected a prefix such as 175.45.176.0/22 or 2001:db8::/32"
            ))
        })?;
        watch.prefixes.insert(prefix);
    }
    Ok(watch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_no_country_has_is_refused() {
        let watched = |code: &str| watch(&[code.to_owned()], &[], &[]).is_ok();
        assert_eq!(["KP", "EU", "UK", "QQ"].map(watched), [true, true, false, false]);
    }

    #[test]
    fn a_moment_without_a_zone_is_refused_and_not_cut_to_its_day() {
        let at = |text: &str| moment("from", text).ok().map(|at| at.to_string());
        assert_eq!(at("2014-12-22").as_deref(), Some("2014-12-22T00:00:00Z"));
        assert_eq!(at("2014-12-22T16:15:00+09:00").as_deref(), Some("2014-12-22T07:15:00Z"));
        for text in ["2014-12-22T12:00:00", "2014-12-22 12:00", "2014-12-22T12", "20141222"] {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
