//! `gonedark flows`: what exporters sent, or a capture of the traffic itself, in; attacks out.

use super::output::Places;
use super::{Failure, meaning};
use crate::cli::{self, TrafficFormat};
use crate::country;
use crate::pipeline::traffic::tell;
use crate::present::traffic::{ExporterLine, InputLine, TrafficCase, json, text};
use crate::source::archive::Workers;
use crate::source::flows::{Exports, Kind, Told, read};
use anyhow::{Context, anyhow};
use gonedark_decode::flow::{Damage, Exporter, RateSetting, SamplingFrom, Settings};
use gonedark_infer::entity::registry::CountryTable;
use gonedark_infer::parameters::SECOND;
use gonedark_infer::traffic::report::TrafficReport;
use gonedark_infer::traffic::{NoOrigins, Parameters, Traffic, Watched};
use gonedark_route::{Family, Prefix, Time};
use std::io::{self, Write};
use std::path::PathBuf;

/// What was told of traffic, and what the meter made of it.
pub(super) struct Metered {
    report: TrafficReport,
    exporters: Vec<ExporterLine>,
    inputs: Vec<InputLine>,
}

impl Metered {
    /// What the forms are made from.
    pub(super) fn case(&self) -> TrafficCase<'_> {
        let Metered { report, exporters, inputs } = self;
        TrafficCase { report, exporters, inputs, gazetteer: &Places }
    }
}

pub(super) fn run(arguments: &cli::Flows, out: &mut dyn Write) -> Result<(), Failure> {
    let watched = watched(&meaning::watch(&arguments.country, &[], &arguments.prefix)?);
    let countries = country::load(&arguments.delegated, arguments.data.as_deref(), Time::MAX)
        .map_err(anyhow::Error::from)?;
    let kind = if arguments.packets { Kind::Packets } else { Kind::Exports };
    let metered = meter(&arguments.paths, kind, settings(arguments), watched, countries.table)?;
    let case = metered.case();
    let written = match arguments.format {
        TrafficFormat::Text => text::write(out, &case),
        TrafficFormat::Json => json::write(out, &case),
        TrafficFormat::Ndjson => json::write_ndjson(out, &case),
    };
    written.map_err(|error| Failure::Input(error.into()))?;
    for warning in countries.warnings {
        // A warning that nobody can be shown is no reason to stop.
        let _ = writeln!(io::stderr(), "gonedark: {warning}");
    }
    Ok(())
}

/// To whom traffic is looked at, by whom routes are: to everybody where nobody is named.
pub(super) fn watched(watch: &gonedark_infer::Watch) -> Watched {
    Watched {
        everything: watch.countries.is_empty() && watch.prefixes.is_empty(),
        prefixes: watch.prefixes.clone(),
        countries: watch.countries.clone(),
        ..Watched::default()
    }
}

/// Reads files and meters what is in them.
pub(super) fn meter(
    paths: &[PathBuf],
    kind: Kind,
    settings: Settings,
    watched: Watched,
    table: CountryTable,
) -> Result<Metered, Failure> {
    let mut exports = Exports::new(settings);
    let mut traffic = Traffic::new(Parameters::default(), watched, Box::new(table), Box::new(NoOrigins));
    let workers = Workers::per_core();
    let (mut inputs, mut last) = (Vec::new(), None);
    for path in paths {
        let told = &mut |told: Told<'_>| {
            last = last.max(Some(told.at()));
            tell(&mut traffic, &told);
        };
        let input =
            read(path, &workers, kind, &mut exports, told).with_context(|| path.display().to_string())?;
        inputs.push(InputLine {
            path: path.display().to_string(),
            packets: input.packets,
            used: input.used,
            unread: input.unread,
            damage: input.damage,
        });
    }
    if inputs.iter().all(|input| input.used == 0) {
        return Err(nothing(&inputs, kind));
    }
    // What was recorded has ended: the last second is judged as well.
    if let Some(last) = last {
        traffic.advance(last + SECOND);
    }
    let report = traffic.report();
    let exporters = match kind {
        Kind::Exports => exports.exporters().iter().map(line).collect(),
        Kind::Packets => vec![mirror(report.records)],
    };
    Ok(Metered { report, exporters, inputs })
}

fn settings(arguments: &cli::Flows) -> Settings {
    let rate = RateSetting { always: arguments.sampling, otherwise: arguments.sampling_otherwise };
    // Of every exporter, of either family.
    let all = Family::ALL.map(|family| Prefix::from_bits(family, 0, 0));
    Settings {
        sampling: all.into_iter().flatten().map(|prefix| (prefix, rate)).collect(),
        ..Settings::default()
    }
}

fn nothing(inputs: &[InputLine], kind: Kind) -> Failure {
    let packets: u64 = inputs.iter().map(|input| input.packets).sum();
    let named: Vec<&str> = inputs.iter().map(|input| &input.path[..]).collect();
    let why = match kind {
        Kind::Exports => {
            "none is NetFlow (v5, v9), IPFIX or sFlow; where the packets are the traffic itself, give --packets"
        }
        Kind::Packets => "none is an IP packet behind a link that is known",
    };
    Failure::Input(anyhow!("nothing to read in {}: of {packets} packets {why}", named.join(", ")))
}

/// An exporter, and how well it was heard.
fn line(exporter: &Exporter) -> ExporterLine {
    let counters = exporter.counters();
    let mut formats: Vec<&str> = exporter.domains().map(|domain| format_of(domain.version)).collect();
    formats.sort_unstable();
    formats.dedup();
    let sampling = exporter.sampling();
    let damaged = Damage::ALL.map(|damage| (damage.name(), counters.damaged(damage)));
    ExporterLine {
        address: exporter.address().to_string(),
        formats,
        records: counters.records,
        sampling: sampling.map_or(1, |sampling| sampling.rate),
        sampling_from: sampling.map_or(SamplingFrom::Assumed, |sampling| sampling.from).name(),
        clock_ahead_s: exporter.clock_offset().map(|micros| micros as f64 / SECOND as f64),
        missed: counters.missed_records + counters.missed_datagrams,
        without_template: exporter.waiting() as u64 + counters.sets_too_old + counters.sets_without_room,
        damaged: damaged.into_iter().filter(|(_, count)| *count > 0).collect(),
    }
}

const fn format_of(version: u16) -> &'static str {
    match version {
        0 => "sFlow",
        5 => "NetFlow v5",
        9 => "NetFlow v9",
        _ => "IPFIX",
    }
}

/// A capture of the traffic itself, where an exporter would stand.
fn mirror(records: u64) -> ExporterLine {
    ExporterLine {
        address: "packets".into(),
        formats: vec!["a capture of the traffic itself"],
        records,
        sampling: 1,
        sampling_from: SamplingFrom::Assumed.name(),
        ..ExporterLine::default()
    }
}
