use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gonedark_route::Time;

use super::failure::Failure;
use super::hosts::politely;
use super::http::{Client, Settings};
use super::part::{check, download};
use super::plan::{Listed, Plan, is_unknown, plan};
use super::progress::Progress;
use super::roots::{ArchiveRoots, is_collector};
use crate::source::archive::Kind;

/// The longest first page of an archive that is read, in bytes; they have some 10 KB.
const LONGEST_PAGE: u64 = 4 << 20;

/// Whose files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Collectors {
    /// Every one that the archives' first pages name.
    All,
    /// `rrc00`, `route-views2`, `route-views.jinx`, ...
    Named(Vec<String>),
}

/// What to fetch.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose.
    pub collectors: Collectors,
    /// The first moment of interest.
    pub from: Time,
    /// The first moment that is of no interest any more.
    pub until: Time,
    /// Files come to `<into>/<collector>/<file>`, as replay reads them.
    pub into: PathBuf,
    /// Where the archives are.
    pub roots: ArchiveRoots,
}

/// A file that is in its place now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// Whose.
    pub collector: String,
    /// Table or messages.
    pub kind: Kind,
    /// Nominal time.
    pub time: Time,
    /// Where it is.
    pub path: PathBuf,
    /// Since when.
    pub outcome: Outcome,
}

/// How a file came to its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was there before.
    AlreadyThere,
    /// It was fetched, in so many bytes.
    Downloaded(u64),
}

/// An interval for which there are no updates of a collector: it is blind then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Whose.
    pub collector: String,
    /// The first moment without data.
    pub from: Time,
    /// The first moment with data again, or the end of the range.
    pub until: Time,
    /// Why.
    pub why: WhyMissing,
}

/// Why updates are missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhyMissing {
    /// The archive has no file where the collector's rhythm says there should be one.
    NotInArchive,
    /// The archive has it, but it could not be fetched, or is not what it should be (0 bytes, an error page).
    NotFetched(String),
}

/// What a fetch brought, and what it did not. Everything sorted by collector and time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What is in its place now.
    pub files: Vec<Fetched>,
    /// Where the collectors are blind.
    pub missing: Vec<Missing>,
    /// Collectors without a table before the range, and why.
    pub without_table: Vec<(String, String)>,
    /// Of `all` collectors those whose archive has nothing for these months: they are not blind, they do not exist.
    pub absent: Vec<String>,
    /// Of those named the ones that the archive has no folder of at all: a name misspelt, most likely.
    pub unknown: Vec<String>,
}

/// Finds and fetches, for each collector, the newest table at or before `from` and every update file from that table
/// to `until`. What is already in its place is not fetched again.
///
/// # Errors
/// A name that no collector can have; with [`Collectors::All`] an archive's first page that cannot be read; a folder that
/// cannot be made. Whatever goes wrong with a single collector or file is in the report.
pub fn fetch_archives(
    request: &Request,
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Report, Failure> {
    let client = Client::new(settings, progress);
    let (names, all) = match &request.collectors {
        Collectors::All => (every_collector(&client, &request.roots)?, true),
        Collectors::Named(names) => (names.clone(), false),
    };
    let mut names: Vec<String> = names;
    names.sort();
    names.dedup();
    if let Some(name) = names.iter().find(|name| !is_collector(name)) {
        return Err(Failure::NoCollector(name.clone()));
    }
    let range = (request.from, request.until);
    let wanted: Vec<(String, String)> =
        names.into_iter().map(|name| (request.roots.of(&name).to_owned(), name)).collect();
    let plans = politely(
        wanted,
        client.connections,
        |(root, _)| root,
        |(_, name)| {
            let found = plan(&client, &request.roots, &name, range);
            let absent = !all && found.as_ref().is_ok_and(|plan| plan.absent);
            let unknown = absent && is_unknown(&client, &request.roots, &name);
            (name, found, unknown)
        },
    );
    let mut report = Report::default();
    let mut jobs = Vec::new();
    for (collector, found, unknown) in plans {
        if unknown {
            report.unknown.push(collector.clone());
        }
        match found {
            Err(failure) => {
                report.without_table.push((collector.clone(), failure.to_string()));
                report.miss(&collector, range, WhyMissing::NotFetched(failure.to_string()));
            }
            Ok(plan) if plan.absent && all => report.absent.push(collector),
            Ok(plan) => jobs.extend(report.take_plan(collector, plan, request)?),
        }
    }
    progress.planned(jobs.len());
    let fetched = politely(
        jobs,
        client.connections,
        |job| &job.listed.url,
        |job| {
            let result = download(&client, &job.listed.url, &job.path);
            progress.finished(&job.listed.url, result.as_ref().map(|_| job.path.as_path()));
            (job, result)
        },
    );
    for (job, result) in fetched {
        report.take_result(job, result);
    }
    report.sort();
    Ok(report)
}

fn every_collector(client: &Client<'_>, roots: &ArchiveRoots) -> Result<Vec<String>, Failure> {
    let page = |root: &str| {
        let url = format!("{}/", root.trim_end_matches('/'));
        let page = client.page(&url, LONGEST_PAGE, None)?.map(|page| page.bytes).unwrap_or_default();
        Ok(String::from_utf8_lossy(&page).into_owned())
    };
    let found = roots.collectors(&page(&roots.ris)?, &page(&roots.routeviews)?);
    if found.is_empty() {
        return Err(Failure::refused(&roots.ris, "neither archive's first page names a collector"));
    }
    Ok(found)
}

struct Job {
    collector: String,
    listed: Listed,
    path: PathBuf,
}

impl Report {
    fn miss(&mut self, collector: &str, (from, until): (Time, Time), why: WhyMissing) {
        if from < until {
            self.missing.push(Missing { collector: collector.into(), from, until, why });
        }
    }

    /// Notes what is missing and what is there already; gives what is to be fetched.
    fn take_plan(&mut self, collector: String, plan: Plan, request: &Request) -> Result<Vec<Job>, Failure> {
        for &gap in &plan.missing {
            self.miss(&collector, gap, WhyMissing::NotInArchive);
        }
        if plan.no_table {
            let why = "the archive has none in the month of the range's start, nor in the one before";
            self.without_table.push((collector.clone(), why.into()));
        }
        let folder = request.into.join(&collector);
        if !plan.files.is_empty() {
            fs::create_dir_all(&folder).map_err(|why| Failure::disk(&folder, why))?;
        }
        let mut jobs = Vec::new();
        for listed in plan.files {
            let path = folder.join(&listed.name);
            let job = Job { collector: collector.clone(), path, listed };
            if check(&job.path, Path::new(&job.listed.name)).is_ok() {
                self.files.push(job.fetched(Outcome::AlreadyThere));
            } else {
                jobs.push(job);
            }
        }
        Ok(jobs)
    }

    fn take_result(&mut self, job: Job, result: Result<u64, Failure>) {
        let failure = match result {
            Ok(bytes) => return self.files.push(job.fetched(Outcome::Downloaded(bytes))),
            Err(failure) => failure.to_string(),
        };
        match job.listed.kind {
            Kind::Rib => self.without_table.push((job.collector, failure)),
            _ => {
                let interval = (job.listed.time, job.listed.until);
                self.miss(&job.collector, interval, WhyMissing::NotFetched(failure));
            }
        }
    }

    fn sort(&mut self) {
        self.files.sort_by(|a, b| (&a.collector, a.time, &a.path).cmp(&(&b.collector, b.time, &b.path)));
        self.missing.sort_by(|a, b| (&a.collector, a.from).cmp(&(&b.collector, b.from)));
        self.without_table.sort();
    }

    /// Where each collector is blind, for a report on coverage.
    pub fn blind(&self) -> BTreeMap<&str, Vec<(Time, Time)>> {
        let mut blind: BTreeMap<&str, Vec<(Time, Time)>> = BTreeMap::new();
        for missing in &self.missing {
            blind.entry(&missing.collector).or_default().push((missing.from, missing.until));
        }
        blind
    }
}

impl Job {
    fn fetched(&self, outcome: Outcome) -> Fetched {
        Fetched {
            collector: self.collector.clone(),
            kind: self.listed.kind,
            time: self.listed.time,
            path: self.path.clone(),
            outcome,
        }
    }
}
