//! The sources of a configuration, each inert until it is started.

use super::super::output::Places;
use super::super::{Failure, fetch};
use crate::cli;
use crate::clock;
use crate::config::{self, Config};
use crate::fetch::{Report, WhyMissing};
use crate::pipeline::Meter;
use crate::source::bmp;
use crate::source::flows;
use crate::source::follow::{Fetcher, Follower, Settings};
use crate::source::live::Source;
use crate::source::ris_live;
use crate::watch::SharedOrigins;
use crate::watch::traffic::MeterDesk;
use gonedark_route::Time;

/// How far back the table and the updates are fetched at the first start: a guess, two files of RouteViews.
const FIRST_LOOK: i64 = 30 * 60 * 1_000_000;

/// Those of routes.
pub(super) fn of_routes(config: &Config) -> Vec<Box<dyn Source>> {
    let mut sources: Vec<Box<dyn Source>> = Vec::new();
    for archive in &config.source.archive {
        sources.push(Box::new(follower(archive)));
    }
    for station in &config.source.bmp {
        let settings = bmp::Settings {
            name: station.name.clone(),
            listen: station.listen,
            routers: station.routers.clone(),
            hold: station.hold.micros(),
            view: match station.view {
                config::View::PrePolicy => bmp::Taken::PrePolicy,
                config::View::PostPolicy => bmp::Taken::PostPolicy,
                config::View::LocRib => bmp::Taken::LocRib,
            },
            vrf: station.vrf,
        };
        sources.push(Box::new(bmp::Station::new(settings)));
    }
    for client in &config.source.ris_live {
        sources.push(Box::new(ris_live::RisLive::new(ris_live_settings(client, config))));
    }
    sources
}

/// Those of flows; `meter` gives each, by its name, what it goes on with, which asks `origins`.
pub(super) fn of_flows(
    config: &Config,
    origins: &SharedOrigins,
    mut meter: impl FnMut(&str) -> Meter,
) -> Vec<Box<dyn Source>> {
    let listener = |known: &config::Flows| -> Box<dyn Source> {
        let settings = flows::listener::Settings {
            name: known.name.clone(),
            listen: known.listen.clone(),
            exporters: known.exporters.clone(),
            sockets: usize::from(known.sockets.get()),
            receive_buffer: known.receive_buffer.0,
        };
        let name = known.name.clone();
        let desk = MeterDesk::new(
            name,
            (meter(&known.name), origins.clone()),
            Box::new(Places),
            config.store.snapshot.0,
        );
        Box::new(flows::Listener::new(settings, Box::new(desk)))
    };
    config.source.flows.iter().map(listener).collect()
}

fn ris_live_settings(client: &config::RisLive, config: &Config) -> ris_live::Settings {
    let heard = |name: &&String| client.collectors.is_empty() || client.collectors.contains(*name);
    let bootstraps = config.source.archive.iter().filter(|archive| archive.bootstrap);
    let expected = bootstraps.flat_map(|archive| &archive.collectors);
    ris_live::Settings {
        name: client.name.clone(),
        url: client.url.clone(),
        collectors: client.collectors.clone(),
        prefixes: client.prefixes.clone(),
        asns: client.asns.clone(),
        hold: client.hold.micros(),
        expected: expected.filter(heard).cloned().collect(),
        pace: ris_live::Pace::default(),
    }
}

fn follower(archive: &config::Archive) -> Follower {
    let settings = Settings {
        name: archive.name.clone(),
        folder: archive.folder.clone(),
        collectors: archive.collectors.clone(),
        poll: archive.poll.0,
        patience: archive.patience.0,
        once: archive.once,
        from_newest_table: archive.from == config::From::NewestTable,
        bootstrap: archive.bootstrap,
    };
    Follower::new(settings, archive.fetch.then(|| fetcher(archive)))
}

/// What a fetch failed to bring, if anything. What the archive does not have yet is only late, but at the first look, which
/// reaches back further than it ever is.
fn lacking(report: &Report, is_first: bool) -> Option<String> {
    let missing = report.missing.iter().find_map(|missing| match &missing.why {
        WhyMissing::NotFetched(why) => Some(format!("{}: {why}", missing.collector)),
        WhyMissing::NotInArchive => None,
    });
    let unknown = || report.unknown.first().map(|name| format!("{name}: {}", fetch::UNKNOWN));
    let table = || report.without_table.first().map(|(name, why)| format!("{name}: no table: {why}"));
    let absent =
        || report.absent.first().map(|name| format!("{name}: the archive has nothing of it for now"));
    missing
        .or_else(unknown)
        .or_else(|| is_first.then(table).flatten())
        .or_else(|| is_first.then(absent).flatten())
}

/// Fetches what a follower lacks into its folder.
fn fetcher(archive: &config::Archive) -> Fetcher {
    let collectors: Vec<String> = archive.collectors.iter().cloned().collect();
    let from = cli::Archive {
        archive: archive.folder.clone(),
        ris_root: archive.ris_root.clone(),
        routeviews_root: archive.routeviews_root.clone(),
        connections: 2,
    };
    Box::new(move |read| {
        let now = clock::now();
        let since = read.values().filter(|until| **until > Time::MIN).min().copied();
        let range = (since.unwrap_or(now + -FIRST_LOOK).min(now + -1), now);
        match fetch::fetch(&collectors, range, &from) {
            Ok(report) => lacking(&report, since.is_none()).map_or(Ok(()), Err),
            Err(Failure::Usage(why)) => Err(why),
            Err(Failure::Input(error)) => Err(format!("{error:#}")),
        }
    })
}
