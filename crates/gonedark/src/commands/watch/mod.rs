//! `gonedark watch`: live sources in, what happened into the store.

mod sources;
mod taken_up;

use super::Failure;
use super::output::Places;
use crate::cli;
use crate::clock;
use crate::config::{self, Config};
use crate::serve::{Server, Subject, verdict};
use crate::source::channel::channel;
use crate::source::follow::catch_up;
use crate::source::live::{self, Outlet, Source, Stop};
use crate::source::parcel::StreamKey;
use crate::store::retention::{Downsample, Keeping};
use crate::store::{Store, StoreFault};
use crate::watch::{self, Limits, Pace, SharedOrigins, Watching, memory};
use anyhow::{Context, anyhow};
use gonedark_route::Time;
use signal_hook::consts::{SIGINT, SIGTERM};
use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

/// `[store] retention_days` and `downsample_after_days` are in these.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// How often signals are looked for.
const SIGNALS: Duration = Duration::from_millis(100);

pub(super) fn run(arguments: &cli::Watch, out: &mut dyn Write) -> Result<(), Failure> {
    let mut config = config::read(&arguments.config).map_err(Failure::Usage)?;
    let mut sources = sources::of_routes(&config);
    if arguments.check {
        sources.extend(sources::of_flows(&config, &SharedOrigins::default(), |_| taken_up::blank_meter()));
        return introduce(&config, &sources, None, out).context("cannot write").map_err(Failure::Input);
    }
    log(arguments.log);
    memory::share();
    let (mut store, mut warnings) = Store::open(&config.store.path).map_err(input)?;
    let taken_up::TakenUp { observatory, mut meters, origins } =
        taken_up::take_up(&config, &mut store, &mut warnings)?;
    warnings.iter().for_each(|warning| tracing::warn!("{warning}"));
    let meters_count = meters.len();
    sources.extend(sources::of_flows(&config, &origins, |name| {
        meters.remove(name).unwrap_or_else(taken_up::blank_meter)
    }));
    for source in &mut sources {
        let told = format!("source {}: {}: cannot be had", source.name(), source.describe());
        source.prepare().context(told)?;
    }
    let server = server(&mut config)?;
    introduce(&config, &sources, Some(observatory.now()), out)
        .and_then(|()| out.flush())
        .context("cannot write")?;
    let stop = Stop::default();
    stop_by_signal(&stop)?;
    let goes_on =
        |key: &StreamKey| sources.iter().any(|source| source.name() == key.source && source.goes_on(key));
    let mut positions = observatory.positions();
    let heard = |key: &StreamKey| goes_on(key).then(|| observatory.heard(&key.collector)).flatten();
    let missed = catch_up(&mut positions, heard, clock::now());
    let positions = Arc::new(positions);
    let (sender, parcels) = channel();
    let status = watch::begun();
    let retention = config.store.retention_days.map(|days| DAY * days);
    let downsample = config.store.downsample_after_days.map(|days| DAY * days);
    let downsample = downsample.map(|after| Downsample { after, to: config.store.downsample_to.0 });
    let keeping = Keeping { retention, downsample };
    let pace = Pace { commit: config.store.commit.0, snapshot: config.store.snapshot.0, keeping };
    let (known, awaited) = (Arc::clone(&status), sources.iter().flat_map(|source| source.awaited()));
    let mut watching = Watching {
        observatory,
        store,
        gazetteer: &Places,
        pace,
        status: known,
        stop: stop.clone(),
        meters: meters_count,
        origins,
        limits: Limits::default(),
        running: Vec::new(),
        dead: BTreeSet::new(),
    };
    // What an earlier run had come to is there before anybody asks.
    drop(watching.show());
    let serving = server.map(|server| {
        let patience = verdict::PATIENCE.max(config.store.commit.0 * 3);
        let subject = Subject { status: Arc::clone(&status), store: config.store.path.clone(), patience };
        server.start(subject, stop.clone())
    });
    let serving = serving.transpose().context("no thread for [serve]")?;
    watching.close_orphans(goes_on).map_err(input)?;
    watching.await_streams(awaited).map_err(input)?;
    watching.reopen(missed).map_err(input)?;
    for source in sources {
        let outlet = Outlet::new(sender.of_source(source.room()), stop.clone(), Arc::clone(&positions));
        let started = live::start(source, outlet).context("no thread for a source")?;
        let mut known = status.lock().unwrap_or_else(PoisonError::into_inner);
        known.sources.insert(started.name.clone(), Arc::clone(&started.health));
        watching.running.push(started);
    }
    drop(sender);
    let done = watching.run(&parcels).map_err(input);
    stop.stop();
    // Sources that wait for room are let go.
    drop(parcels);
    let mut died = None;
    for source in watching.running {
        let name = source.name.clone();
        if !source.join() {
            tracing::error!(source = name, "ended by a bug in gonedark; please report it");
            died = Some(name);
        }
    }
    if let Some(serving) = serving
        && serving.join().is_err()
    {
        tracing::error!("[serve] ended by a bug in gonedark; please report it");
    }
    match died {
        Some(name) if done.is_ok() => {
            Err(Failure::Input(anyhow!("source {name} ended by a bug in gonedark")))
        }
        _ => done,
    }
}

/// Takes the place of `[serve]`, and notes it: of port 0 the system chooses one.
fn server(config: &mut Config) -> Result<Option<Server>, Failure> {
    let Some(serve) = &mut config.serve else { return Ok(None) };
    let listen = serve.listen;
    let told = || {
        format!(
            "[serve] listen = \"{listen}\": cannot be had; give another address or port, or end who has it"
        )
    };
    let server = Server::bind(listen).with_context(told)?;
    serve.listen = server.address().with_context(told)?;
    Ok(Some(server))
}

fn input(fault: StoreFault) -> Failure {
    Failure::Input(fault.into())
}

/// The first lines: what is seen, what is not, and where to look.
fn introduce(
    config: &Config,
    sources: &[Box<dyn Source>],
    now: Option<Time>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let watched = &config.watch;
    let countries: Vec<String> = watched.countries.iter().map(|code| code.0.to_string()).collect();
    let countries = if countries.is_empty() { "every country".to_owned() } else { countries.join(", ") };
    let asns = match &watched.asns {
        config::Asns::All(_) => ", every AS".to_owned(),
        config::Asns::Some(asns) if asns.is_empty() => String::new(),
        config::Asns::Some(asns) => {
            let asns: Vec<String> = asns.iter().map(|asn| format!("AS{asn}")).collect();
            format!(", {}", asns.join(", "))
        }
    };
    let prefixes: String = watched.prefixes.iter().map(|prefix| format!(", {prefix}")).collect();
    let confirmed = watched.min_duration.0.as_secs_f64();
    let traffic_alone = config.source.is_of_flows_alone();
    match traffic_alone {
        true => writeln!(out, "Watching traffic alone, for attacks.")?,
        false => writeln!(
            out,
            "Watching {countries}{asns}{prefixes}. A loss is an incident once it has lasted {confirmed} s."
        )?,
    }
    for source in sources {
        writeln!(out, "Source {}: {}.", source.name(), source.describe())?;
    }
    let unseen = match traffic_alone {
        true => "outages, as no source tells of routes; attacks that pass no exporter.",
        false => "outages that leave the routes standing (mobile networks, filtering, slow lines).",
    };
    writeln!(out, "Not seen: {unseen}")?;
    let store = config.store.path.display();
    match now {
        _ if traffic_alone => writeln!(out, "Store: {store}.")?,
        Some(now) if now > Time::MIN => writeln!(out, "Store: {store}, going on from {now}.")?,
        Some(_) => writeln!(out, "Store: {store}, no routes in it yet.")?,
        None => writeln!(out, "Store: {store}.")?,
    }
    if let Some(serve) = &config.serve {
        writeln!(out, "Look at http://{0}/status and http://{0}/metrics.", serve.listen)?;
    }
    let path = config.path.display();
    let table = if traffic_alone { "attack" } else { "alert" };
    writeln!(out, "Look at it with: gonedark status --config {path}; sqlite3 {store} 'SELECT * FROM {table}'")
}

/// Ends the watch in good order at SIGINT and SIGTERM.
fn stop_by_signal(stop: &Stop) -> Result<(), Failure> {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&told)).context("cannot wait for signals")?;
    }
    let stop = stop.clone();
    let wait = move || {
        while !stop.sleep(SIGNALS) {
            if told.load(Ordering::SeqCst) {
                tracing::info!("told to stop: all state is kept");
                stop.stop();
            }
        }
    };
    std::thread::Builder::new().name("signals".into()).spawn(wait).context("no thread")?;
    Ok(())
}

fn log(form: cli::Log) {
    let filter = tracing_subscriber::EnvFilter::builder()
        .with_default_directive(tracing::level_filters::LevelFilter::INFO.into())
        .from_env_lossy();
    let colour =
        io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(colour).with_writer(io::stderr);
    // Where a log is set up already (in tests) that one stays.
    let _ = match form {
        cli::Log::Text => builder.try_init(),
        cli::Log::Json => builder.json().try_init(),
    };
}
