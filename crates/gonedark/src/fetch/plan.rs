use gonedark_route::Time;

use super::failure::Failure;
use super::http::Client;
use super::index::{file_name, links};
use super::roots::{ArchiveRoots, MonthPages};
use crate::source::archive::{FileName, Kind, Rhythm, is_ris};

/// The longest listing that is read, in bytes. A month of files every 5 minutes is about 1 MB.
const LONGEST_PAGE: u64 = 32 << 20;

/// Seconds between update files where a listing is too short to learn it from: what RIS has written since 2003, and what
/// RouteViews writes.
const RIS_STEP: i64 = 300;
const ROUTEVIEWS_STEP: i64 = 900;

/// The first file of a range may begin this much earlier, in seconds; no archive's files span more.
const LONGEST_STEP: i64 = 3_600;

/// A file that the archive lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) kind: Kind,
    pub(super) time: Time,
    /// When the next one is due.
    pub(super) until: Time,
}

/// What one collector's archive has for a range.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// The table before the range, then the updates from that table to the end of the range.
    pub(super) files: Vec<Listed>,
    /// What no update file covers, from the table's time on.
    pub(super) missing: Vec<(Time, Time)>,
    /// There is no table in the month of the range's start nor in the one before.
    pub(super) no_table: bool,
    /// The archive has no folder at all for these months.
    pub(super) absent: bool,
}

/// Finds the newest table at or before `from` and every update file from it to `until`.
///
/// The updates between the table and `from` are needed too: without them the state at `from` is not known.
pub(super) fn plan(
    client: &Client<'_>,
    roots: &ArchiveRoots,
    collector: &str,
    (from, until): (Time, Time),
) -> Result<Plan, Failure> {
    let first = month_of(from);
    let mut listings = Listings { client, roots, collector, found_any: false };
    let mut table = None;
    for month in [first, month_before(first)] {
        let mut tables = listings.read(month, Kind::Rib)?;
        tables.retain(|listed| listed.time <= from);
        table = tables.pop();
        if table.is_some() {
            break;
        }
    }
    let start = table.as_ref().map_or(from, |table| table.time);
    let mut updates = Vec::new();
    let mut month = month_of(start + -LONGEST_STEP * 1_000_000);
    // A month's first moment belongs to it, the range's last does not belong to the range.
    let last = month_of(until + -1);
    while month <= last {
        updates.extend(listings.read(month, Kind::Updates)?);
        month = month_after(month);
    }
    let absent = !listings.found_any;
    let times: Vec<Time> = updates.iter().map(|listed| listed.time).collect();
    let rhythm = Rhythm::learn(&times)
        .unwrap_or_else(|| Rhythm::every(if is_ris(collector) { RIS_STEP } else { ROUTEVIEWS_STEP }));
    let missing = rhythm.gaps_within(&times, start, until);
    for listed in &mut updates {
        listed.until = listed.time + rhythm.step_at(listed.time) * 1_000_000;
    }
    updates.retain(|listed| listed.until > start && listed.time < until);
    let no_table = table.is_none();
    let files = table.into_iter().chain(updates).collect();
    Ok(Plan { files, missing, no_table, absent })
}

/// Whether the archive has no folder of this collector, of no month at all.
pub(super) fn is_unknown(client: &Client<'_>, roots: &ArchiveRoots, collector: &str) -> bool {
    matches!(client.page(&roots.home(collector), LONGEST_PAGE, None), Err(Failure::NotFound { .. }))
}

struct Listings<'a> {
    client: &'a Client<'a>,
    roots: &'a ArchiveRoots,
    collector: &'a str,
    found_any: bool,
}

impl Listings<'_> {
    /// One month's files of one kind, by time. A month that the archive has not is empty.
    fn read(&mut self, month: (i64, u32), kind: Kind) -> Result<Vec<Listed>, Failure> {
        let MonthPages { tables, updates } = self.roots.month(self.collector, month);
        let url = if kind == Kind::Rib { tables } else { updates };
        let page = match self.client.page(&url, LONGEST_PAGE, None) {
            Ok(page) => page.map(|page| page.bytes).unwrap_or_default(),
            Err(Failure::NotFound { .. }) => return Ok(Vec::new()),
            Err(failure) => return Err(failure),
        };
        let page = String::from_utf8_lossy(&page);
        let links = links(&page);
        // An empty folder still links to the one above.
        if links.is_empty() {
            return Err(Failure::refused(&url, "it is not a list of files"));
        }
        self.found_any = true;
        let mut files: Vec<Listed> = links.into_iter().filter_map(|link| listed(&url, link)).collect();
        files.retain(|file| file.kind == kind);
        files.sort_by(|a, b| (a.time, &a.name).cmp(&(b.time, &b.name)));
        files.dedup_by(|a, b| a.name == b.name);
        Ok(files)
    }
}

fn listed(page: &str, link: &str) -> Option<Listed> {
    let name = file_name(link)?;
    let FileName { kind, time: Some(time), .. } = FileName::parse(name) else { return None };
    Some(Listed { name: name.into(), url: format!("{page}{name}"), kind, time, until: time })
}

fn month_of(time: Time) -> (i64, u32) {
    let (year, month, _) = time.date();
    (year, month)
}

fn month_before((year, month): (i64, u32)) -> (i64, u32) {
    if month == 1 { (year - 1, 12) } else { (year, month - 1) }
}

fn month_after((year, month): (i64, u32)) -> (i64, u32) {
    if month == 12 { (year + 1, 1) } else { (year, month + 1) }
}
