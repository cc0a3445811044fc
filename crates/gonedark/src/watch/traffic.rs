//! The meter of one source of flows, on the source's own thread: it takes what is received, and says what is new to the loop,
//! which writes it down. It never waits for the store: what cannot be handed on yet is gathered.

use super::SharedOrigins;
use crate::pipeline::Meter;
use crate::present::Gazetteer;
use crate::present::traffic::{ExporterLine, TrafficCase, json::AttackJson};
use crate::source::flows::{Heard, Metering};
use crate::source::live::{Health, Outlet};
use crate::source::parcel::{AttackTold, Tidings, Unheard};
use crate::store::journal;
use gonedark_infer::traffic::GONE;
use gonedark_infer::traffic::report::{Attack, Deaf, DeafReason, TrafficReport};
use gonedark_route::Time;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often attacks that go on are told anew, and exporters are described. Guess: as often as people look again.
const AGAIN: i64 = 10_000_000;
/// State of at most so many bytes, compressed, is kept every minute; of more as often as all other state. Guess: what the store
/// takes in a tenth of a second.
const SMALL: usize = 8 << 20;
/// How often small state is kept: what a crash costs. Guess.
const OFTEN: i64 = 60_000_000;
/// A second, in microseconds.
const SECOND: f64 = 1e6;

/// The meter, and what of it was not handed on yet.
pub struct MeterDesk {
    source: String,
    meter: Meter,
    gazetteer: Box<dyn Gazetteer + Send>,
    origins: SharedOrigins,
    /// Which version of them the meter has asked.
    asked: u64,
    /// How often all state is kept.
    snapshot: i64,
    pending: Tidings,
    told_again: Time,
    kept: Time,
    state_bytes: usize,
    described: usize,
    /// Since when is listened.
    begun: Option<Time>,
    /// Since when each exporter is silent that is, by number, as the log has it.
    silent: BTreeMap<u16, Time>,
}

impl MeterDesk {
    /// Of a source, by its name; all state is kept every so often.
    /// `origins` is what the meter asks.
    pub fn new(
        source: String,
        (meter, origins): (Meter, SharedOrigins),
        gazetteer: Box<dyn Gazetteer + Send>,
        snapshot: Duration,
    ) -> Self {
        MeterDesk {
            source,
            meter,
            gazetteer,
            asked: origins.version(),
            origins,
            snapshot: i64::try_from(snapshot.as_micros()).unwrap_or(i64::MAX),
            pending: Tidings::default(),
            told_again: Time::MIN,
            kept: Time::MIN,
            state_bytes: 0,
            described: 0,
            begun: None,
            silent: BTreeMap::new(),
        }
    }

    /// Gathers what is new, and what goes on where that is due.
    fn gather(&mut self, now: Time, health: &Health) {
        let news = self.meter.news();
        let mut deaf = news.deaf;
        let mut attacks: Vec<(Attack, bool)> =
            news.attacks.into_iter().map(|attack| (attack, true)).collect();
        let exporters = self.meter.exporters();
        let is_other = self.look_for_silence(now, &exporters, health);
        let is_again = now - self.told_again >= AGAIN || now < self.told_again;
        if is_again || is_other || exporters.len() > self.described {
            self.described = exporters.len();
            describe(&exporters, &self.silent, health);
        }
        if is_again {
            self.told_again = now;
            let news: Vec<String> = attacks.iter().map(|(attack, _)| attack.id.clone()).collect();
            let ongoing = self.meter.ongoing().into_iter().filter(|attack| !news.contains(&attack.id));
            attacks.extend(ongoing.map(|attack| (attack, false)));
            deaf.extend(self.meter.deaf());
        }
        let records = exporters.iter().map(|exporter| exporter.records).sum();
        health.records.store(records, Ordering::Relaxed);
        self.pending.until = Some(now);
        for Deaf { exporter, from, until, reason, lost } in deaf {
            let exporter = exporters.get(usize::from(exporter)).map(|known| known.address.to_string());
            self.unheard(Unheard { exporter, from, until, reason, lost });
        }
        if !attacks.is_empty() {
            let lines: Vec<ExporterLine> = exporters.iter().map(exporter_line).collect();
            attacks.into_iter().for_each(|(attack, is_news)| self.write_down(attack, is_news, &lines));
        }
    }

    /// Says in the log who fell silent and who is heard again; whether anybody is or did. Who is gone for good is counted no more.
    fn look_for_silence(&mut self, now: Time, exporters: &[Heard], health: &Health) -> bool {
        let known = self.meter.silent(self.begun.unwrap_or(now), now);
        let silent: BTreeMap<u16, Time> =
            known.filter_map(|(number, since)| Some((number, since?))).collect();
        let is_awaited = |since: &Time| now - *since < GONE;
        let awaited = silent.values().filter(|since| is_awaited(since)).count();
        health.silent.store(awaited as u64, Ordering::Relaxed);
        if silent == self.silent {
            return false;
        }
        let source = &self.source;
        let named = |number: &u16| exporters.get(usize::from(*number)).map(|known| known.address.to_string());
        let is_new = |number: &u16, since: &Time| !self.silent.contains_key(number) && is_awaited(since);
        for (number, since) in silent.iter().filter(|(number, since)| is_new(number, since)) {
            let exporter = named(number).unwrap_or_default();
            tracing::warn!(source, exporter, %since, "an exporter is silent: what it would tell of is not seen");
        }
        for (number, since) in self.silent.iter().filter(|(number, _)| !silent.contains_key(number)) {
            let exporter = named(number).unwrap_or_default();
            tracing::info!(source, exporter, silent_since = %since, "an exporter is heard again");
        }
        self.silent = silent;
        true
    }

    /// Since when all are silent who were heard once; `None` while one is heard, or was none ever.
    fn nobody_heard_since(&self, now: Time) -> Option<Time> {
        let mut known = self.meter.silent(self.begun.unwrap_or(now), now).map(|(_, since)| since);
        known.try_fold(None, |latest, since| Some(latest.max(Some(since?)))).flatten()
    }

    /// Puts an attack among what is to be told, in the place of what was to be told of it before.
    fn write_down(&mut self, attack: Attack, is_news: bool, exporters: &[ExporterLine]) {
        let report = TrafficReport::default();
        let case = TrafficCase { report: &report, exporters, inputs: &[], gazetteer: &*self.gazetteer };
        // Memory takes everything: there is no error to be had.
        let body = serde_json::to_string(&AttackJson::of(&attack, &case)).unwrap_or_default();
        match self.pending.attacks.iter_mut().find(|known| known.attack.id == attack.id) {
            // News stay news until they are told.
            Some(known) => *known = AttackTold { attack, body, is_news: is_news || known.is_news },
            None => self.pending.attacks.push(AttackTold { attack, body, is_news }),
        }
    }

    /// Puts a time without hearing among what is to be told, in the place of what was to be told of it before.
    fn unheard(&mut self, new: Unheard) {
        let is_same = |known: &&mut Unheard| {
            (&known.exporter, known.from, known.reason) == (&new.exporter, new.from, new.reason)
        };
        match self.pending.deaf.iter_mut().find(is_same) {
            Some(known) => *known = new,
            None => self.pending.deaf.push(new),
        }
    }

    fn keep(&mut self, now: Time) {
        self.kept = now;
        match journal::framed(|into| self.meter.keep(into).map_err(io::Error::other)) {
            Ok(state) => {
                self.state_bytes = state.len();
                self.pending.state = Some(state);
            }
            Err(error) => tracing::error!(source = self.source, %error, "the meter's state cannot be kept"),
        }
    }

    fn is_due(&self, now: Time) -> bool {
        let every = if self.state_bytes <= SMALL { self.snapshot.min(OFTEN) } else { self.snapshot };
        now - self.kept >= every || now < self.kept
    }

    fn hand_on(&mut self, outlet: &Outlet) {
        let tidings = std::mem::take(&mut self.pending);
        outlet.tell(Tidings { source: self.source.clone(), ..tidings });
    }
}

impl Metering for MeterDesk {
    fn take(&mut self, from: IpAddr, at: Time, datagram: &[u8]) -> bool {
        self.meter.take(from, at, datagram)
    }

    fn dropped(&mut self, at: Time, datagrams: u64) {
        // Noticed once a second: it happened since the last look.
        let from = at + -(SECOND as i64);
        let last = self.pending.deaf.iter_mut().rev().find(|known| known.exporter.is_none());
        match last {
            Some(known) => (known.until, known.lost) = (at, known.lost.saturating_add(datagrams)),
            None => {
                let (until, reason) = (at, DeafReason::Lost);
                self.pending.deaf.push(Unheard { exporter: None, from, until, reason, lost: datagrams });
            }
        }
    }

    fn advance(&mut self, now: Time, outlet: &Outlet) -> Option<Time> {
        let version = self.origins.version();
        if std::mem::replace(&mut self.asked, version) != version {
            self.meter.routes_changed();
        }
        self.begun.get_or_insert(now);
        self.meter.advance(now);
        self.gather(now, &outlet.health);
        let silence = self.nobody_heard_since(now);
        if !outlet.is_idle() {
            return silence;
        }
        // Begun with the first flow: before it there is nothing to keep.
        if self.kept == Time::MIN {
            self.kept = now;
        }
        if self.is_due(now) && self.meter.last().is_some() {
            self.keep(now);
        }
        let Tidings { attacks, deaf, state, .. } = &self.pending;
        if !attacks.is_empty() || !deaf.is_empty() || state.is_some() {
            self.hand_on(outlet);
        }
        silence
    }

    fn end(&mut self, now: Time, outlet: &Outlet) {
        self.meter.advance(now);
        self.gather(now, &outlet.health);
        self.keep(now);
        self.pending.is_last = true;
        self.hand_on(outlet);
    }
}

/// An exporter, as it is presented.
pub fn exporter_line(heard: &Heard) -> ExporterLine {
    ExporterLine {
        address: heard.address.to_string(),
        formats: heard.formats.clone(),
        records: heard.records,
        sampling: heard.sampling,
        sampling_from: heard.sampling_from,
        clock_ahead_s: heard.clock_ahead.map(|micros| micros as f64 / SECOND),
        missed: heard.missed,
        without_template: heard.without_template,
        damaged: heard.damaged.clone(),
    }
}

/// Says of each exporter how well it is heard.
fn describe(exporters: &[Heard], silent: &BTreeMap<u16, Time>, health: &Health) {
    for (number, heard) in exporters.iter().enumerate() {
        let Heard { records, sampling, sampling_from, missed, without_template, .. } = heard;
        let since = u16::try_from(number).ok().and_then(|number| silent.get(&number));
        let silence = since.map_or_else(String::new, |since| format!("SILENT since {since}; "));
        let mut says = format!(
            "{silence}{}, {records} records, one packet in {sampling} counted ({sampling_from}), {missed} missed",
            heard.formats.join(" and ")
        );
        if *without_template > 0 {
            says += &format!(", {without_template} sets without their template");
        }
        let damaged: u64 = heard.damaged.iter().map(|(_, count)| count).sum();
        if damaged > 0 {
            says += &format!(", {damaged} times damaged");
        }
        let ahead = heard.clock_ahead.map_or(0.0, |micros| micros as f64 / SECOND);
        if ahead.abs() >= CLOCK_SAID {
            let word = if ahead > 0.0 { "ahead" } else { "behind" };
            says += &format!(", clock {:.0} s {word}", ahead.abs());
        }
        health.session(&heard.address.to_string(), Some(says));
    }
}

/// Seconds from which on a clock is said to be wrong: headers tell whole seconds, and datagrams take their time. Guess.
const CLOCK_SAID: f64 = 3.0;
