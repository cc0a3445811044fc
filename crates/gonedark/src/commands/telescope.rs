//! `gonedark telescope`: what arrives where nobody is, in; attacks elsewhere out.

use super::output::Places;
use super::{Failure, meaning};
use crate::cli::{self, TrafficFormat};
use crate::country;
use crate::present::backscatter::{self, TelescopeCase, Victim};
use crate::present::traffic::InputLine;
use crate::source::archive::Workers;
use crate::source::capture::LIVE;
use crate::source::telescope;
use anyhow::{Context, anyhow};
use gonedark_infer::entity::Entity;
use gonedark_infer::observation::Delegations;
use gonedark_infer::parameters::SECOND;
use gonedark_infer::traffic::backscatter::{Backscatter, BackscatterParameters, DarkPacket};
use gonedark_route::{Family, Prefix, Time};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;

pub(super) fn run(arguments: &cli::Telescope, out: &mut dyn Write) -> Result<(), Failure> {
    let prefixes: Vec<Prefix> = meaning::watch(&[], &[], &arguments.prefix)?.prefixes.into_iter().collect();
    let addresses = arguments.addresses.unwrap_or_else(|| size(&prefixes));
    if addresses == 0 {
        return Err(Failure::Usage("--prefix: a telescope has at least one IPv4 address".into()));
    }
    let parameters = parameters(arguments)?;
    let countries = country::load(&arguments.delegated, arguments.data.as_deref(), Time::MAX)
        .map_err(anyhow::Error::from)?;
    let mut seen = Backscatter::new(parameters.clone(), addresses);
    let workers = Workers::per_core();
    let mut inputs = Vec::new();
    for path in &arguments.paths {
        let is_live = path == Path::new(LIVE) && arguments.format == TrafficFormat::Ndjson;
        let mut telling = Telling { out: &mut *out, table: &countries.table, second: Time::MIN, fault: None };
        let taken = &mut |dark: &DarkPacket| {
            seen.packet(dark);
            if is_live {
                telling.look(&mut seen, dark.at);
            }
        };
        let (summary, passed_over) =
            telescope::read(path, &workers, &prefixes, taken).with_context(|| path.display().to_string())?;
        if let Some(fault) = telling.fault {
            return Err(Failure::Input(fault.into()));
        }
        inputs.push(InputLine {
            path: path.display().to_string(),
            packets: summary.packets,
            used: summary.packets - passed_over,
            unread: passed_over + summary.passed_over,
            damage: summary.damage,
        });
    }
    if inputs.iter().all(|input| input.used == 0) {
        return Err(Failure::Input(anyhow!("no packet to the telescope is in what was read")));
    }
    let attacks = seen.report();
    let victims =
        attacks.iter().map(|attack| Victim { attack, entity: country_of(&countries.table, attack.victim) });
    let case = TelescopeCase {
        victims: victims.collect(),
        inputs: &inputs,
        addresses,
        scale: seen.scale(),
        least_pps: seen.least_pps(),
        counts: seen.counts(),
        parameters: &parameters,
        gazetteer: &Places,
    };
    let written = match arguments.format {
        TrafficFormat::Text => backscatter::text(out, &case),
        TrafficFormat::Json => backscatter::json(out, &case),
        TrafficFormat::Ndjson => backscatter::ndjson(out, &case),
    };
    written.map_err(|error| Failure::Input(error.into()))?;
    for warning in countries.warnings {
        // A warning that nobody can be shown is no reason to stop.
        let _ = writeln!(io::stderr(), "gonedark: {warning}");
    }
    Ok(())
}

/// Tells attacks while packets still come: each once it is one, and again when it is over.
struct Telling<'a> {
    out: &'a mut dyn Write,
    table: &'a dyn Delegations,
    /// Of the last look.
    second: Time,
    fault: Option<io::Error>,
}

impl Telling<'_> {
    fn look(&mut self, seen: &mut Backscatter, now: Time) {
        if self.fault.is_some() || now.seconds() <= self.second.seconds() {
            return;
        }
        self.second = now;
        let told = seen.news().iter().try_for_each(|attack| {
            let victim = Victim { attack, entity: country_of(self.table, attack.victim) };
            backscatter::line(self.out, &victim, &Places)
        });
        self.fault = told.and_then(|()| self.out.flush()).err();
    }
}

/// IPv4 addresses in these networks, each once.
fn size(prefixes: &[Prefix]) -> u64 {
    let alone = |prefix: &&Prefix| !prefixes.iter().any(|other| other != *prefix && other.covers(**prefix));
    let v4 = prefixes.iter().filter(|prefix| prefix.family() == Family::V4).filter(alone);
    v4.map(|prefix| 1_u64 << (32 - prefix.length())).sum()
}

fn parameters(arguments: &cli::Telescope) -> Result<BackscatterParameters, Failure> {
    let usual = BackscatterParameters::default();
    let duration = |flag, text: &Option<String>, otherwise| {
        text.as_deref().map_or(Ok(otherwise), |text| meaning::duration(flag, text))
    };
    let window = duration("window", &arguments.window, usual.window)?;
    if window < SECOND {
        return Err(Failure::Usage("--window: at least 1s".into()));
    }
    Ok(BackscatterParameters {
        least_packets: arguments.least_packets.unwrap_or(usual.least_packets),
        least_duration: duration("least-duration", &arguments.least_duration, usual.least_duration)?,
        least_in_window: arguments.least_in_window.unwrap_or(usual.least_in_window),
        window,
        slide: usual.slide.min(window),
        expiry: duration("expiry", &arguments.expiry, usual.expiry)?,
        ..usual
    })
}

fn country_of(table: &dyn Delegations, address: IpAddr) -> Option<Entity> {
    let network = match address {
        IpAddr::V4(address) => Prefix::v4(address, 32),
        IpAddr::V6(address) => Prefix::v6(address, 48),
    };
    let mut countries = Vec::new();
    table.split(network?, &mut countries);
    countries.first().map(|(country, _)| Entity::Country(*country))
}
