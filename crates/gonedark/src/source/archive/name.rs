use std::path::{Component, Path};

use gonedark_route::Time;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What a file holds, as far as its name tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A table of all peers at one moment: `bview.*` (RIS), `rib.*` (RouteViews).
    Rib,
    /// The messages of some minutes from the nominal time on: `updates.*`.
    Updates,
    /// The name does not tell.
    Unknown,
}

/// What the name of an archive file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileName {
    /// Table or messages.
    pub kind: Kind,
    /// The moment of a table; the start of an update file.
    pub time: Option<Time>,
    /// Where the name itself carries the collector, as BGPStream's caches do.
    pub collector: Option<String>,
}

/// Whether a collector is one of RIPE RIS: each of those, and none of RouteViews, is called rrc and a number.
pub fn is_ris(collector: &str) -> bool {
    collector.strip_prefix("rrc").is_some_and(|number| {
        !number.is_empty() && number.len() <= 4 && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

impl FileName {
    /// Reads `updates.20141222.1615.gz`, `bview.20141222.1600.gz`, `rib.20141222.1600.bz2`, also with seconds, and
    /// the form of BGPStream's caches, `routeviews.route-views.jinx.ribs.1401487200.bz2`. Text before the word
    /// (`copy_of-updates.`) and behind the time (`.0600_part.bz2`) does no harm.
    pub fn parse(name: &str) -> FileName {
        let parts: Vec<&str> = name.split('.').collect();
        let word = parts.iter().position(|part| kind_of(part) != Kind::Unknown);
        let Some(at) = word else {
            return FileName { kind: Kind::Unknown, time: None, collector: None };
        };
        let cached = matches!(parts.first(), Some(&("ris" | "routeviews"))) && at >= 2;
        let time = match (parts.get(at + 1), parts.get(at + 2)) {
            (Some(epoch), _) if cached => epoch.parse().ok().map(Time::from_seconds),
            (Some(date), Some(clock)) => calendar(date, clock),
            _ => None,
        };
        let collector = cached.then(|| parts[1..at].join("."));
        FileName { kind: kind_of(parts[at]), time, collector }
    }
}

fn kind_of(part: &str) -> Kind {
    match part.rsplit(['_', '-', ' ']).next() {
        Some("updates") => Kind::Updates,
        Some("bview" | "rib" | "ribs") => Kind::Rib,
        _ => Kind::Unknown,
    }
}

/// `YYYYMMDD` and `HHMM` or `HHMMSS` with anything behind that is no digit.
fn calendar(date: &str, clock: &str) -> Option<Time> {
    let digits = clock.bytes().take_while(u8::is_ascii_digit).count();
    let number = |text: &str, from: usize| text.get(from..from + 2)?.parse::<i8>().ok();
    if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits, 4 | 6) {
        return None;
    }
    let year = date.get(..4)?.parse().ok()?;
    let second = if digits == 6 { number(clock, 4)? } else { 0 };
    let moment = DateTime::new(
        year,
        number(date, 4)?,
        number(date, 6)?,
        number(clock, 0)?,
        number(clock, 2)?,
        second,
        0,
    )
    .ok()?;
    Some(Time::from_seconds(moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second()))
}

/// The collector that a file belongs to by the folders it lies in: the nearest one that is not part of how archives
/// lay out their files (`2014.12`, `UPDATES`, `RIBS`, `bgpdata`, years, months and days).
///
/// `path` is absolute. RouteViews' first collector has no folder of its own under the archive's root: a copy of
/// `archive.routeviews.org/bgpdata/...` is `route-views2`.
pub(super) fn collector_of(path: &Path) -> String {
    let folders: Vec<String> = path
        .parent()
        .unwrap_or(path)
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        })
        .collect();
    match folders.iter().rev().find(|name| !is_layout(name)).or(folders.last()) {
        Some(name) if name.ends_with("routeviews.org") => "route-views2".into(),
        Some(name) => name.clone(),
        None => "unknown".into(),
    }
}

fn is_layout(folder: &str) -> bool {
    let name = folder.to_ascii_lowercase();
    matches!(name.as_str(), "updates" | "ribs" | "rib" | "bgpdata")
        || (matches!(name.len(), 2 | 4 | 6 | 7 | 8 | 10)
            && name.starts_with(|first: char| first.is_ascii_digit())
            && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.' || byte == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> (Kind, Option<String>, Option<String>) {
        let name = FileName::parse(name);
        (name.kind, name.time.map(|time| time.to_string()), name.collector)
    }

    #[test]
    fn the_name_tells_kind_and_nominal_time() {
        let at = |time: &str| Some(time.to_owned());
        assert_eq!(read("updates.20141222.1615.gz"), (Kind::Updates, at("2014-12-22T16:15:00Z"), None));
        assert_eq!(read("bview.20141222.1600.gz"), (Kind::Rib, at("2014-12-22T16:00:00Z"), None));
        assert_eq!(read("rib.20161101.0000_pick.bz2"), (Kind::Rib, at("2016-11-01T00:00:00Z"), None));
        assert_eq!(read("updates.20141222.161530.bz2"), (Kind::Updates, at("2014-12-22T16:15:30Z"), None));
        assert_eq!(
            read("test_data__updates.20020722.2238.gz"),
            (Kind::Updates, at("2002-07-22T22:38:00Z"), None)
        );
        assert_eq!(read("latest-bview.gz"), (Kind::Rib, None, None));
    }

    #[test]
    fn the_name_carries_the_collector_in_caches_of_bgpstream() {
        let (kind, time, collector) = read("routeviews.route-views.jinx.ribs.1401487200.bz2");
        assert_eq!((kind, collector.as_deref()), (Kind::Rib, Some("route-views.jinx")));
        assert_eq!(time.as_deref(), Some("2014-05-30T22:00:00Z"));
        let (kind, _, collector) = read("ris.rrc06.updates.1427846400.gz");
        assert_eq!((kind, collector.as_deref()), (Kind::Updates, Some("rrc06")));
    }

    #[test]
    fn impossible_and_foreign_names_have_no_time() {
        for name in [
            "updates.20141322.1615.gz",
            "updates.20140230.1615.gz",
            "updates.20141222.2460.gz",
            "updates.2014122.1615.gz",
            "updates",
            "updates.",
            "bview..gz",
            "",
            ".",
            "ris.updates.x.gz",
            "updates.２０１４１２２２.1615.gz",
            "quagga_rib_copy",
        ] {
            assert_eq!(FileName::parse(name).time, None, "{name}");
        }
        assert_eq!(FileName::parse("README.txt").kind, Kind::Unknown);
    }

    #[test]
    fn the_collector_is_the_folder_as_archives_lay_it_out() {
        for (path, collector) in [
            ("/a/rrc00/updates.20141222.1615.gz", "rrc00"),
            ("/a/rrc00/2014.12/updates.20141222.1615.gz", "rrc00"),
            ("/a/route-views2/bgpdata/2014.12/UPDATES/updates.20141222.1615.bz2", "route-views2"),
            ("/a/route-views.sydney/bgpdata/2014.12/RIBS/rib.20141222.1600.bz2", "route-views.sydney"),
            ("/a/archive.routeviews.org/bgpdata/2014.12/RIBS/rib.20141222.1600.bz2", "route-views2"),
            (
                "/a/archive.routeviews.org/route-views3/bgpdata/2014.12/RIBS/rib.20141222.1600.bz2",
                "route-views3",
            ),
            ("/a/rrc04/2022/02/06/updates.20220206.1615.gz", "rrc04"),
            ("/2014.12/updates.20141222.1615.gz", "2014.12"),
            ("/updates.20141222.1615.gz", "unknown"),
        ] {
            assert_eq!(collector_of(Path::new(path)), collector, "{path}");
        }
    }
}
