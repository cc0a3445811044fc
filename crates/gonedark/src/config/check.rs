//! What has to hold between the keys of a configuration.

use super::{Config, Flows, From, RisLive, Sources, Store};
use crate::source::archive::is_ris;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// Whether what each key says makes sense beside the others.
pub(super) fn check(config: &Config, text: &str) -> Result<(), String> {
    let line = |word: &str| {
        let lines = text.lines().enumerate();
        lines.filter(|(_, line)| line.contains(word)).last().map_or(0, |(number, _)| number + 1)
    };
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let bmp = config.source.bmp.iter().map(|station| &station.name);
    let ris_live = config.source.ris_live.iter().map(|client| &client.name);
    let flows = config.source.flows.iter().map(|listener| &listener.name);
    let archives = config.source.archive.iter().map(|archive| &archive.name);
    for name in archives.chain(bmp).chain(ris_live).chain(flows) {
        if name.trim().is_empty() {
            let line = line(&format!("{name:?}")).max(line(&format!("'{name}'")));
            return Err(format!(
                "line {line}: a source has no name; give it one to be told by, such as \"edge\""
            ));
        }
        if !names.insert(name) {
            let line = line(&format!("{name:?}"));
            return Err(format!("line {line}: two sources are called {name:?}; give one another name"));
        }
    }
    for archive in &config.source.archive {
        if archive.fetch && archive.collectors.is_empty() {
            let line = line(&format!("{:?}", archive.name));
            return Err(format!(
                "line {line}: {:?} is to fetch, but from nobody; add collectors = [\"rrc00\", \"route-views2\"]",
                archive.name
            ));
        }
    }
    if config.store.retention_days == Some(0) {
        let line = line("retention_days");
        return Err(format!(
            "line {line}: retention_days = 0 would keep nothing; write 1 or more, or leave it out to keep all"
        ));
    }
    check_downsampling(&config.store).map_err(|(key, wrong)| format!("line {}: {key} {wrong}", line(key)))?;
    if config.watch.min_duration.0 > LONGEST_WAIT {
        let line = line("min_duration");
        return Err(format!(
            "line {line}: min_duration is more than 30 days, and nothing would be told for so long; write \"2m\" or \"1h\""
        ));
    }
    if let Some(address) = taken_twice(config) {
        // An address may be written otherwise than it is told.
        let place = match line(&address.to_string()) {
            0 => String::new(),
            line => format!("line {line}: "),
        };
        return Err(format!("{place}{address} is listened at twice; give one of them another port"));
    }
    check_roots(&config.source).map_err(|(key, wrong)| format!("line {}: {key} {wrong}", line(key)))?;
    check_bootstraps(&config.source)
        .and_then(|()| check_ris_live(&config.source))
        .and_then(|()| check_flows(&config.source))
        .map_err(|(name, wrong)| format!("line {}: {name:?} {wrong}", line(&format!("{name:?}"))))?;
    if names.is_empty() {
        return Err(
            "there is no source, so nothing could be seen; add a [[source.archive]], a [[source.bmp]], a \
             [[source.ris_live]] or a [[source.flows]] (docs/watch.md has an example of each kind)"
                .into(),
        );
    }
    Ok(())
}

/// The most that a loss may have to last before it is told. Guess: longer than any outage that somebody waits for.
const LONGEST_WAIT: Duration = Duration::from_secs(30 * 24 * 3600);

/// An address and port that is to be listened at twice. Pages and routers come by TCP, flows by UDP, whose ports are others;
/// of port 0 the system chooses one each time.
fn taken_twice(config: &Config) -> Option<SocketAddr> {
    let pages = config.serve.iter().map(|serve| (false, serve.listen));
    let routers = config.source.bmp.iter().map(|station| (false, station.listen));
    let flows =
        config.source.flows.iter().flat_map(|listener| &listener.listen).map(|listen| (true, *listen));
    let mut taken = BTreeSet::new();
    let mut all = pages.chain(routers).chain(flows).filter(|(_, listen)| listen.port() != 0);
    all.find(|place| !taken.insert(*place)).map(|(_, listen)| listen)
}

/// The key, and what is wrong with it: files are fetched by HTTP alone.
fn check_roots(sources: &Sources) -> Result<(), (&'static str, String)> {
    let roots = sources
        .archive
        .iter()
        .flat_map(|archive| [("ris_root", &archive.ris_root), ("routeviews_root", &archive.routeviews_root)]);
    for (key, root) in roots {
        let Some(root) = root else { continue };
        let begin = root.to_ascii_lowercase();
        if !["http://", "https://"].iter().any(|scheme| begin.starts_with(scheme)) {
            let wrong = format!(
                "= {root:?} is no address of an archive; write one that begins with https:// or http:// (files that are \
                 here already are read from folder, without fetch)"
            );
            return Err((key, wrong));
        }
    }
    Ok(())
}

/// The key, and what is wrong with it.
fn check_downsampling(store: &Store) -> Result<(), (&'static str, String)> {
    let Store { retention_days, downsample_after_days, downsample_to, .. } = store;
    let longest = Duration::from_secs(24 * 3600);
    let wrong = match (downsample_after_days, retention_days) {
        (Some(0), _) => "= 0 would leave nothing exact; write 1 or more, or leave it out".to_owned(),
        (Some(after), Some(kept)) if after >= kept => {
            format!(
                "= {after} comes too late: retention_days = {kept} deletes it all by then; write less, or leave it out"
            )
        }
        _ if downsample_to.0 > longest => {
            return Err(("downsample_to", "is more than a day; write \"10m\", \"1h\" or \"24h\"".into()));
        }
        _ => return Ok(()),
    };
    Err(("downsample_after_days", wrong))
}

/// The name of a source, and what is wrong with it.
type Wrong<'a> = (&'a str, String);

fn check_bootstraps(sources: &Sources) -> Result<(), Wrong<'_>> {
    let clients = sources.ris_live.iter().map(|client| &client.collectors);
    let is_heard = |name: &String| clients.clone().any(|known| known.is_empty() || known.contains(name));
    for archive in sources.archive.iter().filter(|archive| archive.bootstrap) {
        let wrong = if archive.collectors.is_empty() {
            "is to bootstrap, but whom is not said; add collectors = [\"rrc00\"]"
        } else if archive.once || archive.from == From::Everything {
            "is to bootstrap, which begins at the newest table and waits for what follows; leave out once and from"
        } else if archive.collectors.iter().any(|name| !is_heard(name)) {
            "is to bootstrap, but nothing live goes on with all its collectors; add a [[source.ris_live]] that hears them"
        } else {
            continue;
        };
        return Err((&archive.name, wrong.into()));
    }
    Ok(())
}

fn check_ris_live(sources: &Sources) -> Result<(), Wrong<'_>> {
    for client in &sources.ris_live {
        let RisLive { name, url, collectors, prefixes, asns, .. } = client;
        let local = ["ws://127.0.0.1", "ws://localhost", "ws://[::1]"];
        let is_local = local.iter().any(|begin| {
            url.strip_prefix(begin).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/']))
        });
        if let Some(other) = collectors.iter().find(|name| !is_ris(name)) {
            let wrong = format!(
                "is to hear {other:?}, but RIS Live has the collectors of RIPE RIS alone, such as \"rrc00\"; others are \
                 followed by a [[source.archive]]"
            );
            return Err((name, wrong));
        }
        if !url.starts_with("wss://") && !is_local {
            let wrong = format!("has the url {url:?}; write wss:// (ws:// only of this machine)");
            return Err((name, wrong));
        }
        let asked = collectors.len().max(1) * (prefixes.len() + asns.len());
        if asked > SUBSCRIPTIONS {
            let wrong = format!(
                "asks for {asked} pairs of a collector and a prefix or AS; at {SUBSCRIPTIONS} or more leave prefixes and \
                 asns out: then all messages come, and nothing is missed"
            );
            return Err((name, wrong));
        }
    }
    Ok(())
}

fn check_flows(sources: &Sources) -> Result<(), Wrong<'_>> {
    let both = |listener: &&Flows| listener.sampling.is_some() && listener.sampling_otherwise.is_some();
    sources.flows.iter().find(both).map_or(Ok(()), |listener| {
        let wrong = "has sampling, which holds whatever exporters say, so that sampling_otherwise never would; leave one out";
        Err((listener.name.as_str(), wrong.into()))
    })
}

/// What one client may ask the server for. Guess: the manual names no limit, and nobody should search for it.
const SUBSCRIPTIONS: usize = 1000;
