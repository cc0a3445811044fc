//! `gonedark flows`: what exporters sent, or a capture of the traffic itself, in; attacks out.

use super::output::Places;
use super::{Failure, meaning};
use crate::cli::{self, TrafficFormat};
use crate::country;
use crate::pipeline::Meter;
use crate::present::traffic::{ExporterLine, InputLine, TrafficCase, json, text};
use crate::source::archive::Workers;
use crate::source::flows::{Exports, Kind};
use crate::watch::traffic::exporter_line;
use anyhow::{Context, anyhow};
use gonedark_decode::flow::{RateSetting, SamplingFrom, Settings};
use gonedark_infer::entity::registry::CountryTable;
use gonedark_infer::parameters::SECOND;
use gonedark_infer::traffic::report::TrafficReport;
use gonedark_infer::traffic::{NoOrigins, Origins, Parameters, Traffic, Watched};
use gonedark_route::{Family, Prefix, Time};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

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
    let settings = settings(arguments.sampling, arguments.sampling_otherwise);
    let metered =
        meter(&arguments.paths, kind, settings, watched, (Arc::new(countries.table), Box::new(NoOrigins)))?;
    let case = metered.case();
    let written = match arguments.format {
        TrafficFormat::Text => text::write(out, &case),
        TrafficFormat::Json => json::write(out, &case),
        TrafficFormat::Ndjson => json::write_ndjson(out, &case),
    };
    written.map_err(|error| Failure::Input(error.into()))?;
    // The other forms have it in them.
    let damaged = metered.inputs.iter().filter(|_| arguments.format == TrafficFormat::Ndjson);
    let damaged = damaged.filter_map(|input| Some(format!("{}: {}", input.path, input.damage.as_ref()?)));
    for warning in countries.warnings.into_iter().chain(damaged) {
        // A warning that nobody can be shown is no reason to stop.
        let _ = writeln!(io::stderr(), "gonedark: {warning}");
    }
    Ok(())
}

/// To whom traffic is looked at, by whom routes are: to everybody where nobody is named.
pub(super) fn watched(watch: &gonedark_infer::Watch) -> Watched {
    Watched {
        everything: watch.every_asn
            || watch.countries.is_empty() && watch.prefixes.is_empty() && watch.asns.is_empty(),
        prefixes: watch.prefixes.clone(),
        countries: watch.countries.clone(),
        asns: watch.asns.clone(),
    }
}

/// Reads files and meters what is in them.
pub(super) fn meter(
    paths: &[PathBuf],
    kind: Kind,
    settings: Settings,
    watched: Watched,
    (table, origins): (Arc<CountryTable>, Box<dyn Origins + Send>),
) -> Result<Metered, Failure> {
    let traffic = Traffic::new(Parameters::default(), watched, Box::new(table), origins);
    let mut meter = Meter::new(Exports::new(settings), traffic);
    let workers = Workers::per_core();
    let mut inputs = Vec::new();
    for path in paths {
        let input = meter.read(path, &workers, kind).with_context(|| path.display().to_string())?;
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
    if let Some(last) = meter.last() {
        meter.advance(last + SECOND);
    }
    let report = meter.report();
    let exporters = match kind {
        Kind::Exports => meter.exporters().iter().map(exporter_line).collect(),
        Kind::Packets => vec![mirror(report.records)],
    };
    Ok(Metered { report, exporters, inputs })
}

/// What a user says of the sampling: one packet in so many was counted, in any case or where an exporter does not say.
pub(super) fn settings(always: Option<u32>, otherwise: Option<u32>) -> Settings {
    let rate = RateSetting { always, otherwise };
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
