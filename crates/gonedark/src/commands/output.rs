//! Where a report goes, and the particulars of the run that go with it.

use super::Failure;
use super::flows::Metered;
use crate::cli::{self, Format};
use crate::country;
use crate::pipeline::{Complaint, Outcome};
use crate::present::{self, Case, Damage, Gazetteer, Input, InputKind, LocalTime, RunInfo, Tool};
use crate::source::archive::Listing;
use anyhow::Context;
use gonedark_infer::entity::Entity;
use gonedark_infer::parameters::{Parameters, SECOND};
use gonedark_infer::report::Report;
use gonedark_route::Time;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// A finished run.
pub(super) struct Done {
    pub(super) report: Report,
    pub(super) run: RunInfo,
    /// What was told of traffic, where that was asked for.
    pub(super) metered: Option<Metered>,
}

/// Names and clocks from the tables built in.
pub(super) struct Places;

impl Gazetteer for Places {
    fn name(&self, entity: &Entity) -> Option<String> {
        match entity {
            Entity::Country(code) => Some(country::name(*code).to_owned()).filter(|name| !name.is_empty()),
            Entity::As(_) | Entity::Prefix(_) => None,
        }
    }

    fn local(&self, entity: &Entity, time: Time) -> Option<LocalTime> {
        let Entity::Country(code) = entity else { return None };
        let local = country::local_time(time, *code)?;
        Some(LocalTime {
            offset_s: local.offset_seconds,
            place: local.city.to_owned(),
            zone: country::place::zone(*code).to_owned(),
        })
    }
}

/// Refuses names whose ending says nothing, and places where nothing can be written, before any work is done.
pub(super) fn check(output: &cli::Output) -> Result<(), Failure> {
    if let Some(path) = &output.series {
        present::series::Format::of(path).map_err(Failure::Usage)?;
    }
    if let Some(path) = &output.graph {
        present::graph::Format::of(path).map_err(Failure::Usage)?;
    }
    let files = [&output.series, &output.report, &output.graph];
    files.into_iter().flatten().try_for_each(|path| {
        try_to_write(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(())
    })
}

/// Begins a file as [`to_file`] will, and takes it away again.
fn try_to_write(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    let part = part(path);
    File::create(&part)?;
    std::fs::remove_file(&part)
}

/// Where a file is written until it is whole.
fn part(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

/// Prints the report, and writes the files that were asked for.
pub(super) fn write(done: &Done, output: &cli::Output, out: &mut dyn Write) -> Result<(), Failure> {
    let traffic = done.metered.as_ref().map(Metered::case);
    let case = Case { report: &done.report, run: &done.run, gazetteer: &Places, traffic };
    let format = output.format.unwrap_or(Format::Text);
    let printed = match format {
        Format::Text => present::text::write(out, &case, style()),
        Format::Json => present::json::write(out, &case),
        Format::Ndjson => present::json::write_ndjson(out, &case),
        Format::Csv => present::csv::write(out, &case),
    };
    printed.context("cannot write the report")?;
    if let Some(path) = &output.series {
        write_series(path, &case)?;
    }
    if let Some(path) = &output.report {
        to_file(path, |file| present::html::write(file, &case))?;
    }
    if let Some(path) = &output.graph {
        match present::graph::Format::of(path).map_err(Failure::Usage)? {
            present::graph::Format::Svg => {
                let svg = present::graph::svg(&case);
                to_file(path, |file| file.write_all(svg.as_bytes()))?;
            }
            present::graph::Format::Png => {
                #[cfg(feature = "png")]
                {
                    let png = present::graph::png(&case)?;
                    to_file(path, |file| file.write_all(&png))?;
                }
            }
        }
    }
    Ok(())
}

fn write_series(path: &Path, case: &Case<'_>) -> Result<(), Failure> {
    match present::series::Format::of(path).map_err(Failure::Usage)? {
        present::series::Format::Csv => to_file(path, |file| present::series::write_csv(file, case)),
        present::series::Format::Parquet => {
            #[cfg(feature = "parquet")]
            to_file(path, |file| present::series::write_parquet(file, case).map_err(io::Error::other))?;
            Ok(())
        }
    }
}

/// Writes a file beside its place and puts it there when it is whole: a run that is stopped leaves no half of it.
fn to_file(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>) -> Result<(), Failure> {
    let part = part(path);
    let attempt = || -> io::Result<()> {
        let mut file = BufWriter::new(File::create(&part)?);
        write(&mut file)?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, path)
    };
    attempt().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

fn style() -> present::text::Style {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let terminal = io::stdout().is_terminal();
    // https://no-color.org
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    present::text::Style { width: columns.unwrap_or(100), colour }
}

/// The particulars of a run.
pub(super) fn run_info(parameters: &Parameters, outcome: &Outcome, listing: &Listing) -> RunInfo {
    let mut inputs: Vec<Input> = outcome.inputs.iter().map(input).collect();
    for passed in &listing.passed_over {
        use crate::source::archive::Why;
        let what = match &passed.why {
            Why::NotAnArchive => continue,
            Why::Empty => "empty file".to_owned(),
            Why::BeingWritten => "a download that is not finished; left out".to_owned(),
            Why::Unreadable(error) => error.clone(),
        };
        inputs.push(Input {
            path: passed.path.display().to_string(),
            sha256: String::new(),
            collector: passed.collector.clone(),
            kind: InputKind::Updates,
            first: None,
            last: None,
            records: 0,
            skipped: 0,
            damage: vec![Damage { offset: Some(0), what, count: 1 }],
        });
    }
    RunInfo {
        tool: Tool { name: "gonedark".into(), version: env!("CARGO_PKG_VERSION").into() },
        command: std::env::args().skip(1).collect::<Vec<_>>().join(" "),
        parameters: described(parameters),
        countries: Vec::new(),
        inputs,
        reconstruction: None,
    }
}

fn input(summary: &crate::pipeline::FileSummary) -> Input {
    Input {
        path: summary.path.display().to_string(),
        sha256: summary.sha256.clone(),
        collector: summary.collector.clone(),
        kind: if summary.is_rib { InputKind::Rib } else { InputKind::Updates },
        first: summary.span.map(|(first, _)| first),
        last: summary.span.map(|(_, last)| last),
        records: summary.records,
        skipped: summary.skipped,
        damage: summary.damage.iter().map(damage).collect(),
    }
}

/// One kind of damage as the forms take it.
pub(super) fn damage(complaint: &Complaint) -> Damage {
    let Complaint { offset, what, count } = complaint.clone();
    Damage { offset, what, count }
}

/// Every threshold with its unit and origin, as METHOD.md has them.
fn described(parameters: &Parameters) -> Vec<present::Parameter> {
    let seconds = |micros: i64| micros / SECOND;
    let row = |name: &str, value: i64, unit: &str, source: &str| present::Parameter {
        name: name.into(),
        value: value.into(),
        unit: unit.into(),
        source: source.into(),
    };
    let percent = |name: &str, value: u64, source: &str| row(name, value as i64, "%", source);
    let span = |name: &str, value: i64, source: &str| row(name, seconds(value), "s", source);
    let p = parameters;
    vec![
        percent("full_feed_percent", p.full_feed_percent, "relative; IODA's fixed 400,000 fails before 2012"),
        percent("candidate_percent", p.candidate_percent, "guess"),
        span("usual_after_s", p.usual_after, "24 h"),
        span("usual_after_untabled_s", p.usual_after_untabled, "guess"),
        percent("back_percent", p.back_percent, "Richter et al., IMC 2018"),
        percent("dark_left_percent", p.dark_left_percent, "guess"),
        percent("partial_percent", p.partial_percent, "BGPStream.com's country events"),
        percent("severe_percent", p.severe_percent, "IODA's critical level for BGP"),
        row("small_entity_networks", p.small_entity as i64, "networks", "IODA's sample configuration"),
        span("flap_under_s", p.flap_under, "guess"),
        span("unstable_gap_s", p.unstable_gap, "guess"),
        span("descent_pause_s", p.descent_pause, "RIPE on 22 December 2014"),
        span("min_duration_s", p.min_duration, "--min-duration"),
        span("age_out_s", p.age_out, "7 d, as IODA's new baselines"),
        span("table_backlog_s", p.table_backlog, "bgpview"),
        span("silence_s", p.silence, "bgpview"),
        span("hold_time_s", p.hold_time, "the hold time of most routers; RFC 4271 section 10 suggests 90 s"),
        span("transfer_quiet_s", p.transfer_quiet, "guess"),
        percent("growth_percent", p.growth_percent, "guess"),
        percent("resync_percent", p.resync_percent, "guess"),
        percent("restart_percent", p.restart_percent, "guess"),
        span("restart_window_s", p.restart_window, "the length of a RIS file"),
        percent("coverage_percent", p.coverage_percent, "guess"),
        span("epoch_s", p.epoch, "the length of a RIS file"),
        span("skew_noticed_s", p.skew_noticed, "guess: two rounds of RFC 4271's advertisement interval"),
        row("max_networks", p.max_networks as i64, "networks", "guess"),
        row("skew_returns", p.skew_returns as i64, "losses", "guess"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_threshold_in_force_is_in_the_report_with_its_value() {
        let parameters = Parameters::default();
        let rows = described(&parameters);
        // The fields by their own words: a new one cannot be forgotten here.
        let shown = format!("{parameters:?}");
        let fields = shown.trim_start_matches("Parameters {").trim_end_matches('}').split(',');
        let fields: Vec<(&str, i64)> = fields
            .map(|field| field.trim().split_once(": ").expect("a name and a value"))
            .map(|(name, value)| (name, value.parse().expect("a number")))
            .collect();
        assert_eq!(rows.len(), fields.len(), "{shown}");
        for (name, value) in fields {
            let named = |row: &&present::Parameter| {
                row.name.strip_prefix(name).is_some_and(|unit| ["", "_s", "_networks"].contains(&unit))
            };
            let row = rows.iter().find(named).unwrap_or_else(|| panic!("the report does not tell {name}"));
            let in_unit = if row.unit == "s" { value / SECOND } else { value };
            assert_eq!(row.value, in_unit, "{name}");
            assert_eq!(row.name.ends_with("_s"), row.unit == "s", "{name}: the unit is the name's ending");
            assert!(!row.source.is_empty(), "{name}");
        }
    }
}
