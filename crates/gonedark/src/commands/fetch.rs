//! `gonedark fetch`, and the fetching before a replay.

use super::{Failure, meaning};
use crate::cli;
use crate::fetch::{
    self, ArchiveRoots, Collectors, Outcome, Progress, Report, Request, Settings, WhyMissing,
};
use crate::source::archive::Gap;
use anyhow::Context;
use gonedark_route::Time;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

pub(super) fn run(arguments: &cli::Fetch, out: &mut dyn Write) -> Result<(), Failure> {
    let range = (meaning::moment("from", &arguments.from)?, meaning::moment("until", &arguments.until)?);
    let report = fetch(&arguments.collector, range, &arguments.archive)?;
    tell(&report, &arguments.archive.archive, out).context("cannot write")?;
    if report.files.is_empty() {
        return Err(Failure::Input(anyhow::anyhow!("nothing was fetched and nothing was there before")));
    }
    Ok(())
}

/// What is said of a name that no archive has.
pub(super) const UNKNOWN: &str = "the archive knows no such collector: it answers 404 for all of it";

/// Fetches what is not there yet.
pub(super) fn fetch(
    collectors: &[String],
    (from, until): (Time, Time),
    archive: &cli::Archive,
) -> Result<Report, Failure> {
    if from >= until {
        return Err(Failure::Usage(format!("--from {from} is not before --until {until}")));
    }
    let collectors = match collectors {
        [all] if all == "all" => Collectors::All,
        named => Collectors::Named(named.to_vec()),
    };
    let mut roots = ArchiveRoots::default();
    roots.ris = archive.ris_root.clone().unwrap_or(roots.ris);
    roots.routeviews = archive.routeviews_root.clone().unwrap_or(roots.routeviews);
    let request = Request { collectors, from, until, into: archive.archive.clone(), roots };
    let settings = Settings { connections: usize::from(archive.connections), ..Settings::default() };
    let bar = Bar::new();
    let report = fetch::fetch_archives(&request, &settings, &bar);
    bar.0.finish_and_clear();
    let report = report.map_err(|failure| match failure {
        fetch::Failure::NoCollector(_) => Failure::Usage(failure.to_string()),
        other => Failure::Input(other.into()),
    })?;
    match &request.collectors {
        Collectors::Named(names) if names.iter().all(|name| report.unknown.contains(name)) => {
            Err(Failure::Input(anyhow::anyhow!("{}: {UNKNOWN}", report.unknown.join(", "))))
        }
        _ => Ok(report),
    }
}

/// The files and the gaps of a fetch, as a replay takes them.
pub(super) fn for_replay(report: &Report) -> (Vec<std::path::PathBuf>, Vec<Gap>) {
    let files = report.files.iter().map(|file| file.path.clone()).collect();
    let gaps = report.missing.iter().map(|missing| Gap {
        collector: missing.collector.clone(),
        from: missing.from,
        until: missing.until,
    });
    (files, gaps.collect())
}

pub(super) fn tell(report: &Report, folder: &Path, out: &mut dyn Write) -> io::Result<()> {
    let bytes = |outcome: &Outcome| match outcome {
        Outcome::AlreadyThere => 0,
        Outcome::Downloaded(bytes) => *bytes,
    };
    let fetched = report.files.iter().filter(|file| file.outcome != Outcome::AlreadyThere);
    let (count, size) = fetched.fold((0, 0), |(count, size), file| (count + 1, size + bytes(&file.outcome)));
    writeln!(
        out,
        "{} files in {}: {count} fetched ({size} bytes), {} there before",
        report.files.len(),
        folder.display(),
        report.files.len() - count
    )?;
    for missing in &report.missing {
        let why = match &missing.why {
            WhyMissing::NotInArchive => "the archive has no updates",
            WhyMissing::NotFetched(why) => why,
        };
        writeln!(out, "  {}: {} to {}: {why}", missing.collector, missing.from, missing.until)?;
    }
    for (collector, why) in &report.without_table {
        writeln!(out, "  {collector}: no table before the range: {why}")?;
    }
    for collector in &report.unknown {
        writeln!(out, "  {collector}: {UNKNOWN}")?;
    }
    for collector in &report.absent {
        writeln!(out, "  {collector}: the archive has nothing of it for this time")?;
    }
    Ok(())
}

/// Files done, on a terminal.
pub(super) struct Bar(pub(super) ProgressBar);

impl Bar {
    pub(super) fn new() -> Self {
        if !io::stderr().is_terminal() {
            return Bar(ProgressBar::hidden());
        }
        let bar = ProgressBar::new(0);
        let template = "{bar:30} {pos} of {len} files  {msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        Bar(bar)
    }
}

impl Progress for Bar {
    fn planned(&self, files: usize) {
        self.0.inc_length(files as u64);
    }

    fn started(&self, url: &str, _have: u64, _length: Option<u64>) {
        self.0.set_message(url.rsplit('/').next().unwrap_or(url).to_owned());
    }

    fn retrying(&self, url: &str, why: &fetch::Failure, wait: std::time::Duration) {
        self.0.println(format!("{url}: {why}; again in {} s", wait.as_secs()));
    }

    fn finished(&self, url: &str, result: Result<&Path, &fetch::Failure>) {
        self.0.inc(1);
        if let Err(why) = result {
            self.0.println(format!("{url}: {why}"));
        }
    }
}
