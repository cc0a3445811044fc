//! `gonedark status`: how a watch is and what it has come to. Its store is read in any case; where the watch runs and
//! `[serve]` is configured, the watch itself is asked as well.

mod words;

use super::Failure;
use crate::cli;
use crate::clock;
use crate::config::{self, Config};
use crate::present::times::grouped;
use crate::present::traffic::{bits, packets};
use crate::present::words::counted;
use crate::serve;
use crate::serve::View;
use crate::store::{self, AttackSummary, DeafSummary, IncidentSummary, Summary, TOLD};
use crate::watch::SourceStatus;
use anyhow::Context;
use gonedark_infer::Watch;
use gonedark_infer::entity::Entity;
use gonedark_infer::parameters::SECOND;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;
use words::{Page, span, time};

/// How long the running watch is waited for. Guess: it answers in milliseconds.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of an answer at most. Guess: a thousand routers take a tenth of it.
const LARGEST: u64 = 4 << 20;
/// Routers or collectors that are told of each source. Guess: what fits on a screen with the rest.
const SESSIONS: usize = 8;

pub(super) fn run(arguments: &cli::Status, out: &mut dyn Write) -> Result<(), Failure> {
    let config = config::read(&arguments.config).map_err(Failure::Usage)?;
    let path = &config.store.path;
    let told = || format!("{}: cannot be read as a store", path.display());
    let db = store::open_to_read(path).map_err(|fault| Failure::Input(fault.into()))?;
    let summary = store::summary(&db).with_context(told)?;
    let unheard = store::unheard(&db, watched(&config)).with_context(told)?;
    let view = config.serve.as_ref().map(|serve| (serve.listen, ask(serve.listen, path)));
    let mut page = Page::new(out, columns());
    write(&config, (&summary, &unheard), view.as_ref(), &mut page).context("cannot write")?;
    Ok(())
}

fn columns() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    // What terminals have had since the VT100.
    columns.unwrap_or(80)
}

/// Whom the configuration names.
fn watched(config: &Config) -> impl Iterator<Item = Entity> + use<> {
    let Watch { countries, asns, prefixes, .. } = config.watch.watch();
    let countries = countries.into_iter().map(Entity::Country);
    countries.chain(asns.into_iter().map(Entity::As)).chain(prefixes.into_iter().map(Entity::Prefix))
}

/// Asks the running watch, if it is the one that writes the store.
fn ask(listen: SocketAddr, store: &Path) -> Result<View, String> {
    // Who listens at every address is asked at this machine's own.
    let address = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from((Ipv4Addr::LOCALHOST, listen.port())),
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::from((Ipv6Addr::LOCALHOST, listen.port())),
        _ => listen,
    };
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).proxy(None).build().into();
    let answer = agent.get(format!("http://{address}/status")).call().map_err(|error| error.to_string())?;
    let mut text = String::new();
    let read = answer.into_body().into_reader().take(LARGEST).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let view: View = serde_json::from_str(&text)
        .map_err(|error| format!("what answers is no watch that is known: {error}"))?;
    match &view.store {
        Some(other) if *other != serve::view::whole_path(store) => {
            Err(format!("what answers is another watch, whose store is {other}"))
        }
        _ => Ok(view),
    }
}

type Asked = (SocketAddr, Result<View, String>);

fn write(
    config: &Config,
    (summary, unheard): (&Summary, &[String]),
    asked: Option<&Asked>,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let now = clock::now();
    // What lasts is measured by what was seen, whether that was now or before the watch died.
    let seen = summary.seen_until().unwrap_or(now);
    match asked {
        Some((_, Ok(view))) => running(view, page)?,
        _ => not_asked(config, asked, summary, page)?,
    }
    page.heading("Blind now")?;
    for (who, since, reason) in &summary.blind {
        page.line(2, &format!("{who} since {} ({}): {reason}", time(*since), span(seen - *since)))?;
    }
    let nobody = match summary.sighted {
        _ if config.source.is_of_flows_alone() => "no routes are watched",
        None => "everybody: nothing of any network was seen yet",
        Some(0) => "everybody: nobody who speaks for a network sees now",
        Some(_) => "nobody",
    };
    match summary.sighted {
        Some(0) if summary.blind_count > 0 => page.line(2, nobody)?,
        _ => rest(page, nobody, summary.blind_count)?,
    }
    if !unheard.is_empty() {
        let (some, more) =
            (unheard.iter().take(TOLD).cloned().collect::<Vec<_>>().join(", "), unheard.len() > TOLD);
        let more = if more { " and more" } else { "" };
        page.line(2, &format!("{some}{more}: cannot be seen, no network of it was ever heard of"))?;
    }
    page.heading("Going on")?;
    for incident in &summary.ongoing {
        let state = incident.state.as_deref().unwrap_or("unknown");
        let since = incident.since;
        let (since, lasts) = (time(since), span(seen - since));
        page.line(2, &format!("{}: {state} now, {since} on ({lasts})", title(incident)))?;
    }
    rest(page, "no incident", summary.ongoing_count)?;
    page.heading("Last incidents that have ended")?;
    for incident in &summary.ended {
        let lasted = incident.lasted.map(|(min, max)| {
            let (min, max) = (span(min * 1_000_000), span(max * 1_000_000));
            let lasted = if min == max { min } else { format!("{min} to {max}") };
            // Flapping before it and what is left of it after it are in its times, and not in this.
            format!(" ({} for {lasted})", incident.level)
        });
        let until = incident.until.as_deref().map_or_else(String::new, |until| format!(" to {until}"));
        let lasted = lasted.unwrap_or_default();
        page.line(2, &format!("{}: {}{until}{lasted}", title(incident), time(incident.since)))?;
    }
    rest(page, "none", summary.incidents - summary.ongoing_count)?;
    // Who meters no traffic need not read that there are no attacks.
    if config.source.flows.is_empty() && summary.attack_counts == (0, 0) {
        return Ok(());
    }
    traffic(summary, page)
}

/// Attacks, and exporters that could not be heard.
fn traffic(summary: &Summary, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Attacks that go on")?;
    summary.attacks.0.iter().try_for_each(|known| page.line(2, &attack(known)))?;
    rest(page, "none", summary.attack_counts.0)?;
    page.heading("Last attacks that have ended")?;
    summary.attacks.1.iter().try_for_each(|known| page.line(2, &attack(known)))?;
    rest(page, "none", summary.attack_counts.1)?;
    page.heading("Exporters that could not be heard")?;
    for DeafSummary { exporter, from, until, reason, lost } in &summary.deaf {
        let lost = if *lost > 0 { format!(", {lost} missing") } else { String::new() };
        let reason = reason.replace('_', " ");
        page.line(2, &format!("{exporter} {} to {}: {reason}{lost}", time(*from), time(*until)))?;
    }
    rest(page, "none", summary.deaf_count)
}

fn attack(attack: &AttackSummary) -> String {
    let AttackSummary { target, since, until, vector, peak: (pps, bps), beside } = attack;
    let until = match until {
        None => " on".to_owned(),
        // Within a second, as seconds are judged.
        Some((earliest, latest)) if *latest - *earliest <= SECOND => format!(" to {}", time(*latest)),
        Some((earliest, latest)) => {
            format!(", ended between {} and {} (not heard meanwhile)", time(*earliest), time(*latest))
        }
    };
    let vector = vector.as_deref().unwrap_or("nothing in particular");
    let peak = format!("{} and {}", packets(pps.unsigned_abs()), bits(bps.unsigned_abs()));
    let beside = beside.as_ref().map_or_else(String::new, |beside| format!("; beside incidents: {beside}"));
    format!("{target} {}{until}: {vector}, up to {peak}{beside}", time(*since))
}

fn title(incident: &IncidentSummary) -> String {
    let name = incident.name.as_ref().map_or_else(String::new, |name| format!(" ({name})"));
    format!("{:7} {}{name}", incident.level, incident.code)
}

/// What was left out, or that there is nothing.
fn rest(page: &mut Page<'_>, nothing: &str, all: i64) -> io::Result<()> {
    match all - TOLD as i64 {
        _ if all == 0 => page.line(2, nothing),
        more if more > 0 => page.line(2, &format!("and {more} earlier")),
        _ => Ok(()),
    }
}

/// What the running watch says.
fn running(view: &View, page: &mut Page<'_>) -> io::Result<()> {
    let View { pid, version, alive, not_ready, .. } = view;
    let how = match (alive, not_ready.is_empty()) {
        (false, _) => "but it gives no sign of life",
        (true, true) => "and is ready",
        (true, false) => "but is not ready",
    };
    page.line(0, &format!("The watch runs (gonedark {version}, process {pid}) {how}."))?;
    for reason in not_ready {
        page.line(2, reason)?;
    }
    let until = view.seen_until.as_ref().zip(view.lag_s);
    let until = until.map_or_else(
        || "No route is applied yet.".to_owned(),
        |(until, lag)| format!("Applied until {until}, {} ago.", span((lag * 1e6) as i64)),
    );
    let (store, waiting) = (grouped(view.store_bytes / 1024), grouped(view.waiting_bytes / 1024));
    page.line(0, &format!("{until} The store has {store} KiB; {waiting} KiB wait for what lags."))?;
    page.heading("Sources")?;
    view.sources.iter().try_for_each(|source| one_source(source, page))?;
    if view.limits.is_empty() {
        return Ok(());
    }
    page.heading("What limits this")?;
    view.limits.iter().take(SESSIONS).try_for_each(|limit| page.line(2, limit))?;
    match view.limits.len().saturating_sub(SESSIONS) {
        0 => Ok(()),
        more => page.line(2, &format!("and {more} more")),
    }
}

fn one_source(source: &SourceStatus, page: &mut Page<'_>) -> io::Result<()> {
    let SourceStatus { name, is_well, says, messages, damaged, missed, connections, sessions, .. } = source;
    let well = if *is_well { "well" } else { "NOT WELL" };
    page.line(2, &format!("{name}: {well}, {}", if says.is_empty() { "not begun" } else { says }))?;
    let until = source.seen_until.as_ref().zip(source.lag_s);
    let until = until.map_or_else(
        || "nothing seen yet".to_owned(),
        |(until, lag)| format!("seen until {until}, {} ago", span((lag * 1e6) as i64)),
    );
    page.line(4, &until)?;
    page.line(
        4,
        &format!(
            "{}, {} damaged, {} missed; {}",
            counted(*messages, "message", "messages"),
            grouped(*damaged),
            grouped(*missed),
            counted(*connections, "connection", "connections")
        ),
    )?;
    for (who, at) in sessions.iter().take(SESSIONS) {
        page.line(4, &format!("{who}: {at}"))?;
    }
    match sessions.len().saturating_sub(SESSIONS) {
        0 => Ok(()),
        more => page.line(4, &format!("and {more} more")),
    }
}

/// What is known where the watch could not be asked: whether it runs, and what the store says of its streams.
fn not_asked(
    config: &Config,
    asked: Option<&Asked>,
    summary: &Summary,
    page: &mut Page<'_>,
) -> io::Result<()> {
    let until = summary.seen_until();
    let until = until.map_or_else(
        || "no route is in the store yet".to_owned(),
        |at| format!("it has come to {}", time(at)),
    );
    let runs = store::is_written(&config.store.path);
    let first = match (runs, asked) {
        (true, Some((listen, Err(why)))) => {
            format!("A watch runs, but does not answer at {listen} ({why}). By its store {until}.")
        }
        (true, _) => format!("A watch runs; without [serve] only its store can be asked: {until}."),
        (false, _) => format!("No watch runs. By its store {until}."),
    };
    page.line(0, &first)?;
    page.heading("Streams")?;
    let now = clock::now();
    for stream in &summary.streams {
        let seen = stream.seen_until.map(|at| format!("seen until {}, {} ago", time(at), span(now - at)));
        let seen = seen.unwrap_or_else(|| "nothing seen yet".to_owned());
        let seen = match &stream.blind {
            Some((since, reason)) => {
                format!("blind since {} ({}): {reason}", time(*since), span(now - *since))
            }
            None => seen,
        };
        let closed = if stream.closed { "; nobody waits for it" } else { "" };
        page.line(2, &format!("{} {} {}: {seen}{closed}", stream.source, stream.collector, stream.part))?;
    }
    if summary.streams.is_empty() { page.line(2, "none") } else { Ok(()) }
}
