//! What a watch goes on from: state of the store, or nothing.

use super::super::{Failure, flows};
use super::input;
use crate::clock;
use crate::config::{self, Config};
use crate::country;
use crate::pipeline::Meter;
use crate::pipeline::meter;
use crate::pipeline::observatory::{self, Observatory};
use crate::present::{CountryTable, words};
use crate::source::archive;
use crate::source::flows::Exports;
use crate::store::Store;
use crate::watch::SharedOrigins;
use anyhow::Context;
use gonedark_infer::entity::registry::CountryTable as Table;
use gonedark_infer::observation::Nobody;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::traffic::{self, NoOrigins, Traffic, Watched};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::num::NonZeroU32;
use std::sync::Arc;

/// See the [module](self).
pub(super) struct TakenUp {
    /// Of routes.
    pub(super) observatory: Observatory,
    /// Of flows, by their sources.
    pub(super) meters: BTreeMap<String, Meter>,
    /// What these ask.
    pub(super) origins: SharedOrigins,
}

/// Goes on from what the store holds, or begins.
pub(super) fn take_up(
    config: &Config,
    store: &mut Store,
    warnings: &mut Vec<String>,
) -> Result<TakenUp, Failure> {
    let damaged = !warnings.is_empty();
    let parameters = Parameters { min_duration: config.watch.min_duration.micros(), ..Parameters::default() };
    let at = store.begun_at(|| begin(config)).map_err(input)?;
    let countries = &config.countries;
    let countries = country::load(&countries.delegated, countries.data.as_deref(), at)
        .map_err(|error| Failure::Input(error.into()))?;
    warnings.extend(countries.warnings);
    let newest = countries.sources.iter().max_by_key(|source| &source.date);
    warnings.extend(newest.and_then(|source| {
        let table = CountryTable {
            file: source.file.clone(),
            serial: source.serial.clone(),
            sha256: source.sha256.clone(),
            date: source.date.clone(),
        };
        words::old_table(&table, at)
    }));
    let watch = config.watch.watch();
    // How long a loss must last is no part of what is concluded: it may be changed.
    let judged = Parameters { min_duration: 0, ..parameters.clone() };
    let tables: Vec<&str> = countries.sources.iter().map(|source| source.sha256.as_str()).collect();
    let basis = BTreeMap::from([
        ("the form of snapshots".to_owned(), observatory::FORM.to_string()),
        ("the thresholds".to_owned(), format!("{judged:?}")),
        ("the country tables".to_owned(), tables.join(" ")),
        ("[watch]".to_owned(), format!("{watch:?}")),
    ]);
    store.check_basis(&basis).map_err(input)?;
    let table = Arc::new(countries.table);
    let (mut meters, origins) = (BTreeMap::new(), SharedOrigins::default());
    for listener in &config.source.flows {
        meters.insert(listener.name.clone(), meter(listener, config, (&table, &origins), store, warnings)?);
    }
    // Of a source that is configured no longer nobody will say how its attacks went on.
    for gone in store.attacked_sources().map_err(input)? {
        if !meters.contains_key(&gone) {
            store.end_attacks(&gone, &BTreeSet::new(), clock::now()).map_err(input)?;
        }
    }
    let before = warnings.len();
    let snapshot = store.snapshot(warnings).map_err(input)?;
    let (after, mut observatory) = match snapshot {
        None => (0, Observatory::new(parameters, Box::new(Arc::clone(&table)), watch)),
        Some(snapshot) => {
            let restored =
                Observatory::restore(&snapshot.bytes, parameters, Box::new(Arc::clone(&table)), watch);
            let why = "the snapshot in the store is of another version of gonedark; begin another store";
            (snapshot.seq, restored.context(why).map_err(Failure::Input)?)
        }
    };
    let told = store.replay(after, warnings, |parcels| {
        parcels.into_iter().for_each(|parcel| observatory.take(parcel));
        observatory.advance();
    });
    told.map_err(input)?;
    if damaged || warnings.len() > before {
        // Where nothing could be read again, what was said stays: it is all that there is.
        if observatory.now() > Time::MIN {
            store.take_back(observatory.now()).map_err(input)?;
        }
        store.keep(|into| observatory.keep(into).map_err(io::Error::other)).map_err(input)?;
    }
    Ok(TakenUp { observatory, meters, origins })
}

/// The meter of a source, going on from what it kept.
fn meter(
    listener: &config::Flows,
    config: &Config,
    (table, origins): (&Arc<Table>, &SharedOrigins),
    store: &mut Store,
    warnings: &mut Vec<String>,
) -> Result<Meter, Failure> {
    let name = &listener.name;
    let number = |rate: Option<NonZeroU32>| rate.map(NonZeroU32::get);
    let settings = flows::settings(number(listener.sampling), number(listener.sampling_otherwise));
    let watched = flows::watched(&config.watch.watch());
    let (parameters, table) = (config.attacks.parameters(), Box::new(Arc::clone(table)));
    let kept = store.meter(name, warnings).map_err(input)?;
    let kept = kept.and_then(|bytes| {
        let taken_up = meter::take_up(&bytes);
        taken_up.map_err(|why| warnings.push(format!("what {name} had learnt is not used: {why}"))).ok()
    });
    let now = clock::now();
    let meter = match kept {
        Some((exports, kept)) => {
            let mut traffic = kept.go_on(parameters, watched, table, Box::new(origins.clone()));
            traffic.did_not_run_until(now);
            Meter::new(Exports::go_on(settings, exports), traffic)
        }
        None => Meter::new(
            Exports::new(settings),
            Traffic::new(parameters, watched, table, Box::new(origins.clone())),
        ),
    };
    let ongoing = meter.ongoing().into_iter().map(|attack| attack.id).collect();
    store.end_attacks(name, &ongoing, now).map_err(input)?;
    Ok(meter)
}

/// A meter of which nothing will be asked.
pub(super) fn blank_meter() -> Meter {
    let (parameters, watched) = (traffic::Parameters::default(), Watched::default());
    let traffic = Traffic::new(parameters, watched, Box::new(Nobody), Box::new(NoOrigins));
    Meter::new(Exports::default(), traffic)
}

/// The time by which the country table of a new store is chosen: that of the oldest recording where nothing is live.
fn begin(config: &Config) -> Time {
    let archives = &config.source.archive;
    let recorded = archives.iter().all(|archive| archive.once) && config.source.bmp.is_empty();
    let recorded = recorded && config.source.ris_live.is_empty() && config.source.flows.is_empty();
    let folders: Vec<_> = archives.iter().map(|archive| archive.folder.clone()).collect();
    let oldest = || archive::list(&folders).files.iter().filter_map(|file| file.time).min();
    recorded.then(oldest).flatten().unwrap_or_else(clock::now)
}
