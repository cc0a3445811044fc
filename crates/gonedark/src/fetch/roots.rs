use super::index::{links, path_below};
use crate::source::archive::is_ris;

/// Where the public archives are. A mirror with the same folders may stand in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRoots {
    /// RIPE RIS: `<root>/rrc00/2014.12/`.
    pub ris: String,
    /// RouteViews: `<root>/bgpdata/2014.12/` is route-views2, `<root>/route-views3/bgpdata/2014.12/` are the others.
    pub routeviews: String,
}

impl Default for ArchiveRoots {
    fn default() -> Self {
        ArchiveRoots {
            ris: "https://data.ris.ripe.net".into(),
            routeviews: "http://archive.routeviews.org".into(),
        }
    }
}

/// The pages that list one month of one collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MonthPages {
    pub(super) tables: String,
    pub(super) updates: String,
}

impl ArchiveRoots {
    /// The root of the archive that has this collector.
    pub(super) fn of(&self, collector: &str) -> &str {
        if is_ris(collector) { &self.ris } else { &self.routeviews }
    }

    /// The folder that holds all months of a collector.
    pub(super) fn home(&self, collector: &str) -> String {
        let root = self.of(collector).trim_end_matches('/');
        match collector {
            _ if is_ris(collector) => format!("{root}/{collector}/"),
            // The first collector's files lie where the archive began, before there were others.
            "route-views2" => format!("{root}/bgpdata/"),
            _ => format!("{root}/{collector}/bgpdata/"),
        }
    }

    pub(super) fn month(&self, collector: &str, (year, month): (i64, u32)) -> MonthPages {
        let folder = format!("{}{year:04}.{month:02}/", self.home(collector));
        match is_ris(collector) {
            true => MonthPages { tables: folder.clone(), updates: folder },
            false => MonthPages { tables: format!("{folder}RIBS/"), updates: format!("{folder}UPDATES/") },
        }
    }

    /// The collectors that the archives' first pages name, sorted.
    pub(super) fn collectors(&self, ris_page: &str, routeviews_page: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for link in links(ris_page) {
            let name = path_below(link, &self.ris).split('/').next().unwrap_or_default();
            if is_ris(name) {
                found.push(name.into());
            }
        }
        for link in links(routeviews_page) {
            let mut folders = path_below(link, &self.routeviews).split('/');
            match (folders.next(), folders.next()) {
                (Some("bgpdata"), _) => found.push("route-views2".into()),
                (Some(name), Some("bgpdata")) if is_collector(name) => found.push(name.into()),
                _ => {}
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// A name that can be part of a URL and of a path and leads nowhere else.
pub(super) fn is_collector(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_where_the_archives_have_them() {
        let roots = ArchiveRoots::default();
        assert_eq!(roots.month("rrc00", (2014, 12)).updates, "https://data.ris.ripe.net/rrc00/2014.12/");
        assert_eq!(
            roots.month("route-views2", (2014, 12)).tables,
            "http://archive.routeviews.org/bgpdata/2014.12/RIBS/"
        );
        assert_eq!(
            roots.month("route-views.jinx", (2014, 1)).updates,
            "http://archive.routeviews.org/route-views.jinx/bgpdata/2014.01/UPDATES/"
        );
    }

    #[test]
    fn all_collectors_are_those_that_the_first_pages_name() {
        let ris = r#"<a href="../">..</a><a href="rrc00/">rrc00/</a><a href="/rrc26/">x</a><a href="docs/">docs</a>"#;
        let routeviews = r#"<A HREF="/bgpdata/">x</A><a href="route-views.jinx/bgpdata">y</a>
            <a href='http://archive.routeviews.org/route-views3/bgpdata/'>z</a><a href="/dnszones/">n</a>
            <a href="../bgpdata">up</a><a href="route-views.jinx/bgpdata/">again</a>"#;
        let found = ArchiveRoots::default().collectors(ris, routeviews);
        assert_eq!(found, ["route-views.jinx", "route-views2", "route-views3", "rrc00", "rrc26"]);
    }

    #[test]
    fn a_collector_is_a_plain_name() {
        for name in ["rrc00", "route-views.jinx", "amsix.ams", "cix_atl-1"] {
            assert!(is_collector(name), "{name}");
        }
        for name in ["", "..", ".hidden", "a/b", "a b", "é", "-x", "a\\b", "a%2fb"] {
            assert!(!is_collector(name), "{name}");
        }
    }
}
