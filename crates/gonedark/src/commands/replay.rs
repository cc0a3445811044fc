//! `gonedark replay`: archive files in, a report out.

use super::{Failure, fetch, flows, meaning, output};
use crate::cli;
use crate::country;
use crate::pipeline::{Outcome, Request, replay};
use crate::source::archive::{self, Gap, Listing, Why};
use crate::source::flows::Kind;
use anyhow::{Context, anyhow};
use gonedark_decode::flow::Settings;
use gonedark_infer::parameters::Parameters;
use gonedark_route::Time;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

/// A replay, with everything typed turned into what it means.
pub(super) struct Plan {
    pub(super) paths: Vec<PathBuf>,
    pub(super) delegated: Vec<PathBuf>,
    pub(super) data: Option<PathBuf>,
    /// Captures of what exporters sent.
    pub(super) flows: Vec<PathBuf>,
    pub(super) watch: gonedark_infer::Watch,
    pub(super) from: Option<Time>,
    pub(super) until: Option<Time>,
    pub(super) parameters: Parameters,
    pub(super) shards: usize,
    pub(super) missing: Vec<Gap>,
    pub(super) reconstruction: Option<String>,
}

pub(super) fn run(arguments: &cli::Replay, out: &mut dyn Write) -> Result<(), Failure> {
    let moment =
        |flag, text: &Option<String>| text.as_deref().map(|text| meaning::moment(flag, text)).transpose();
    let parameters = Parameters {
        min_duration: meaning::duration("min-duration", &arguments.min_duration)?,
        ..Parameters::default()
    };
    let (from, until) = (moment("from", &arguments.from)?, moment("until", &arguments.until)?);
    if let (Some(from), Some(until)) = (from, until)
        && from >= until
    {
        return Err(Failure::Usage(format!("--from {from} is not before --until {until}")));
    }
    output::check(&arguments.output)?;
    let mut paths = arguments.paths.clone();
    let mut missing = Vec::new();
    if let (Some(from), Some(until), false) = (from, until, arguments.collector.is_empty()) {
        let fetched = fetch::fetch(&arguments.collector, (from, until), &arguments.archive)?;
        // What was fetched is told beside the report, so that the report alone goes to whoever reads the output.
        let _ = fetch::tell(&fetched, &arguments.archive.archive, &mut io::stderr());
        let (files, gaps) = fetch::for_replay(&fetched);
        paths.extend(files);
        missing = gaps;
    }
    let plan = Plan {
        paths,
        delegated: arguments.delegated.clone(),
        data: arguments.data.clone(),
        flows: arguments.flows.clone(),
        watch: meaning::watch(&arguments.country, &arguments.asn, &arguments.prefix)?,
        from,
        until,
        parameters,
        shards: arguments.shards,
        missing,
        reconstruction: None,
    };
    let done = execute(plan)?;
    output::write(&done, &arguments.output, out)?;
    let damaged = done.run.inputs.iter().filter(|input| !input.damage.is_empty()).count();
    if arguments.strict && damaged > 0 {
        let error =
            anyhow!("{damaged} of {} files are damaged, and --strict was given", done.run.inputs.len());
        return Err(Failure::Input(error));
    }
    Ok(())
}

/// Replays, and puts together what a report needs.
pub(super) fn execute(plan: Plan) -> Result<output::Done, Failure> {
    if let Some(missing) = plan.paths.iter().find(|path| !path.exists()) {
        return Err(Failure::Input(anyhow!("{}: no such file or folder", missing.display())));
    }
    if let Some(data) = plan.data.as_deref().filter(|data| !data.is_dir()) {
        return Err(Failure::Input(anyhow!(
            "--data {}: no such folder; gonedark data update makes one",
            data.display()
        )));
    }
    let mut listing = archive::list(&plan.paths);
    leave_out_later(&mut listing, plan.until)?;
    if listing.files.is_empty() {
        return Err(nothing_to_read(&plan.paths, &listing));
    }
    let first = listing.files.iter().filter_map(|file| file.time).min();
    let at = plan.from.or(first).unwrap_or(Time::MAX);
    let countries = country::load(&plan.delegated, plan.data.as_deref(), at).map_err(anyhow::Error::from)?;
    // What cannot be read is said before the archives are gone through.
    for path in &plan.flows {
        File::open(path).with_context(|| path.display().to_string())?;
    }
    let table = Arc::new(countries.table);
    let watched = flows::watched(&plan.watch);
    let bar = progress_bar(&listing);
    let request = Request {
        listing: &listing,
        from: plan.from,
        until: plan.until,
        watch: plan.watch,
        parameters: plan.parameters.clone(),
        shards: plan.shards,
        missing: plan.missing,
        origins: !plan.flows.is_empty(),
    };
    let mut outcome = replay(request, Box::new(Arc::clone(&table)), &mut |bytes| bar.inc(bytes));
    bar.finish_and_clear();
    if outcome.inputs.iter().all(|input| input.records == 0) {
        return Err(nothing_read(&outcome));
    }
    let (from, until) = outcome.report.window;
    if from > until {
        return Err(Failure::Input(anyhow!(
            "--from {from} is after the end of what was read, {until}: nothing can be said of it"
        )));
    }
    let origins = Box::new(std::mem::take(&mut outcome.origins));
    let metered = match &plan.flows[..] {
        [] => None,
        flows => Some(flows::meter(flows, Kind::Exports, Settings::default(), watched, (table, origins))?),
    };
    let mut run = output::run_info(&plan.parameters, &outcome, &listing);
    run.countries = countries
        .sources
        .into_iter()
        .map(|source| crate::present::CountryTable {
            file: source.file,
            serial: source.serial,
            sha256: source.sha256,
            date: source.date,
        })
        .collect();
    run.reconstruction = plan.reconstruction;
    for warning in countries.warnings {
        // A warning that nobody can be shown is no reason to stop.
        let _ = writeln!(io::stderr(), "gonedark: {warning}");
    }
    Ok(output::Done { report: outcome.report, run, metered })
}

/// Files that begin after the end of the window are not read; one of them has to be left.
fn leave_out_later(listing: &mut Listing, until: Option<Time>) -> Result<(), Failure> {
    let Some(until) = until else { return Ok(()) };
    let first = listing.files.iter().filter_map(|file| file.time).min();
    listing.files.retain(|file| file.time.is_none_or(|time| time <= until));
    match first {
        Some(first) if listing.files.is_empty() => Err(Failure::Input(anyhow!(
            "--until {until} lies before all files, the first of which begins at {first}: nothing can be said of that time"
        ))),
        _ => Ok(()),
    }
}

fn nothing_to_read(paths: &[PathBuf], listing: &Listing) -> Failure {
    let named: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    let why = listing.passed_over.iter().find_map(|passed| match &passed.why {
        Why::Unreadable(error) => Some(format!("{}: {error}", passed.path.display())),
        _ => None,
    });
    let why =
        why.unwrap_or_else(|| "expected MRT files (updates.*, bview.*, rib.*) or folders of them".into());
    Failure::Input(anyhow!("nothing to read in {}: {why}", named.join(", ")))
}

fn nothing_read(outcome: &Outcome) -> Failure {
    let complaint = outcome.inputs.iter().find_map(|input| {
        let damage = output::damage(input.damage.first()?);
        Some(format!("{}: {}", input.path.display(), crate::present::words::damage(&damage)))
    });
    Failure::Input(anyhow!(
        "none of {} files holds a record that could be read: {}",
        outcome.inputs.len(),
        complaint.unwrap_or_else(|| "they are empty".into())
    ))
}

/// A bar on a terminal, nothing elsewhere.
fn progress_bar(listing: &Listing) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(listing.files.iter().map(|file| file.length).sum());
    let template = "{bar:30} {bytes} of {total_bytes}, {eta} left";
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
