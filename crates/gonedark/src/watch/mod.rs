//! The loop of `gonedark watch`: parcels of all sources into the observatory, what follows into the store.
//!
//! One thread owns the state and the store. Sources are kept apart from it by a channel in which each has little room: where the
//! store is slow or the machine is, they wait, or say what they could not hand on.

mod limits;
pub mod memory;
mod origins;
mod status;
pub mod traffic;

pub use limits::Limits;
use memory::Memory;
pub use origins::SharedOrigins;

pub use status::{SourceStatus, Status};

use crate::pipeline::observatory::Observatory;
use crate::present::{Gazetteer, json};
use crate::source::channel::Arrivals;
use crate::source::live::{Running, Stop};
use crate::source::parcel::{AttackTold, Freight, Parcel, StreamKey, Tidings};
use crate::store::retention::{Keeping, Sweep};
use crate::store::{Commit, Store, StoreFault};
use gonedark_infer::report::{Blind, Blindness};
use gonedark_infer::traffic::report::Attack;
use gonedark_route::Time;
use std::collections::BTreeSet;
use std::io;
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of observations that go into one commit at the most.
const LARGEST: usize = 16 << 20;
/// Bytes of journal after which all state is kept, whatever the time: about what a restart reads in a few seconds. Guess.
const JOURNAL: u64 = 256 << 20;
/// Snapshots that a large journal asks for are at least so far apart, also where they fail. Guess.
const HURRY: Duration = Duration::from_secs(60);
/// How long after a commit that failed the next is tried.
const AGAIN: Duration = Duration::from_secs(1);

/// How long meters are waited for at the end. Guess: state of 200 MiB is written within two seconds.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// How often what is too old is looked for: a day more or less does not matter to anybody.
const SWEEP: Duration = Duration::from_secs(24 * 3600);

/// How often what.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A commit, at the longest.
    pub commit: Duration,
    /// A snapshot.
    pub snapshot: Duration,
    /// For how long values of signals are kept.
    pub keeping: Keeping,
}

/// The state, the store, and what they need.
pub struct Watching<'a> {
    /// All that is concluded.
    pub observatory: Observatory,
    /// What survives.
    pub store: Store,
    /// Names for incidents.
    pub gazetteer: &'a dyn Gazetteer,
    /// How often what.
    pub pace: Pace,
    /// For whoever asks how it is.
    pub status: Arc<Mutex<Status>>,
    /// Set where it is to stop.
    pub stop: Stop,
    /// How many sources meter traffic: their last word is waited for.
    pub meters: usize,
    /// Who originates what, for them.
    pub origins: SharedOrigins,
    /// What limits the conclusions.
    pub limits: Limits,
    /// The sources that run.
    pub running: Vec<Running>,
    /// Those that have ended by a bug: what of them is still on its way would open their streams again.
    pub dead: BTreeSet<String>,
}

/// A status whose loop is about to begin.
pub fn begun() -> Arc<Mutex<Status>> {
    Arc::new(Mutex::new(Status { beat: Some(now()), ..Status::default() }))
}

impl Watching<'_> {
    /// Watches until it is told to stop or all sources have ended. Then all state is kept.
    ///
    /// # Errors
    /// A store that could not take what it was given until it was told to stop.
    pub fn run(&mut self, parcels: &Arrivals) -> Result<(), StoreFault> {
        let mut kept = now();
        let mut sweeping = Sweeping::default();
        let mut owners = Owners::default();
        let mut memory = Memory::new();
        loop {
            self.beat();
            let (mut some, tidings, ended) = self.gather(parcels);
            some.retain(|parcel| !self.dead.contains(&parcel.stream.source));
            if ended {
                self.observatory.tell_rest();
            }
            if !some.is_empty() || ended {
                self.accept(some)?;
            }
            for tidings in tidings {
                self.hear(&tidings)?;
            }
            sweeping.step(self);
            owners.step(self);
            memory.step();
            self.bury()?;
            if ended {
                return self.keep();
            }
            let crowded = self.store.journaled() >= JOURNAL && kept.elapsed() >= HURRY;
            if (crowded || kept.elapsed() >= self.pace.snapshot) && !self.observatory.in_table() {
                // Without a snapshot nothing is lost, only a restart takes longer: the next one may be possible.
                if let Err(fault) = self.keep() {
                    tracing::error!("{fault}; all state could not be kept, and is tried again");
                }
                kept = now();
            }
        }
    }

    /// Makes streams known before anything comes of them, so that all others wait for them: also after a restart.
    ///
    /// # Errors
    /// A store that could not take it until it was told to stop.
    pub fn await_streams(&mut self, streams: impl IntoIterator<Item = StreamKey>) -> Result<(), StoreFault> {
        let new = streams.into_iter().filter(|key| !self.observatory.knows(key));
        let parcels: Vec<Parcel> = new.map(|key| Parcel::of(&Arc::new(key))).collect();
        if parcels.is_empty() { Ok(()) } else { self.accept(parcels) }
    }

    /// Has all others wait for streams of an earlier run again, which had ended.
    ///
    /// # Errors
    /// As of [`Watching::await_streams`].
    pub fn reopen(&mut self, parcels: Vec<Parcel>) -> Result<(), StoreFault> {
        if parcels.is_empty() { Ok(()) } else { self.accept(parcels) }
    }

    /// Closes streams of an earlier run with which no source goes on, so that nobody waits for them: their collectors are
    /// blind from where they had come to.
    ///
    /// # Errors
    /// As of [`Watching::await_streams`].
    pub fn close_orphans(&mut self, goes_on: impl Fn(&StreamKey) -> bool) -> Result<(), StoreFault> {
        let parcels = self.observatory.orphans(goes_on);
        if parcels.is_empty() { Ok(()) } else { self.accept(parcels) }
    }

    /// Ends what a source was at that has ended by a bug: nobody sees any more what it saw, and nobody waits for it.
    fn bury(&mut self) -> Result<(), StoreFault> {
        let ended: Vec<Running> = self.running.extract_if(.., |source| source.has_ended()).collect();
        for source in ended {
            let (name, health) = (source.name.clone(), Arc::clone(&source.health));
            if source.join() {
                continue;
            }
            tracing::error!(source = name, "ended by a bug in gonedark; please report it");
            health.say(false, "ended by a bug in gonedark; please report it, and restart the watch");
            self.close_orphans(|key| key.source != name)?;
            self.dead.insert(name);
        }
        Ok(())
    }

    /// What there is: as much as goes into one commit, or what came in time. Tells whether that was the last.
    fn gather(&self, parcels: &Arrivals) -> (Vec<Parcel>, Vec<Tidings>, bool) {
        let begin = now();
        let (mut some, mut tidings, mut weight) = (Vec::new(), Vec::new(), 0);
        loop {
            if self.stop.is_set() {
                self.last_tidings(parcels, &mut tidings);
                return (some, tidings, true);
            }
            let left = self.pace.commit.saturating_sub(begin.elapsed());
            let freight = match parcels.recv_timeout(left.max(Duration::from_millis(1))) {
                Ok(freight) => freight,
                Err(RecvTimeoutError::Timeout) => return (some, tidings, false),
                Err(RecvTimeoutError::Disconnected) => return (some, tidings, true),
            };
            weight += freight.weight();
            match freight {
                Freight::Parcel(parcel) => some.push(parcel),
                // One a second at the most, and somebody is attacked: it does not wait for the rest.
                Freight::Tidings(told) => {
                    tidings.push(*told);
                    return (some, tidings, false);
                }
            }
            if weight >= LARGEST || begin.elapsed() >= self.pace.commit {
                return (some, tidings, false);
            }
        }
    }

    /// Told to stop, meters say what they know once more: exporters do not send again. Parcels are left: their sources do.
    fn last_tidings(&self, parcels: &Arrivals, tidings: &mut Vec<Tidings>) {
        let begin = now();
        let mut left = self.meters;
        while left > 0 && begin.elapsed() < LAST_WORDS {
            match parcels.recv_timeout(Duration::from_millis(10)) {
                Ok(Freight::Tidings(told)) => {
                    left -= usize::from(told.is_last);
                    tidings.push(*told);
                }
                Ok(Freight::Parcel(_)) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Takes what a meter says into the store.
    fn hear(&mut self, tidings: &Tidings) -> Result<(), StoreFault> {
        self.insist(|store| store.take_tidings(tidings))?;
        for AttackTold { attack, .. } in tidings.attacks.iter().filter(|told| told.is_news) {
            let Attack { id, start, stop, severity, impact, .. } = attack;
            let (since, ended) = (start.earliest.to_string(), stop.is_some());
            let (source, over) = (&tidings.source, severity.percent);
            let (pps, bps) = (impact.peak.pps, impact.peak.bps);
            tracing::info!(
                source,
                attack = id,
                since,
                pps,
                bps,
                percent_of_threshold = over,
                ended,
                "attack"
            );
        }
        self.status.lock().unwrap_or_else(PoisonError::into_inner).commits += 1;
        Ok(())
    }

    fn accept(&mut self, parcels: Vec<Parcel>) -> Result<(), StoreFault> {
        let commit = Commit::of(&parcels).map_err(|error| self.store.told(&error))?;
        parcels.into_iter().for_each(|parcel| self.observatory.take(parcel));
        self.observatory.advance();
        let news = self.observatory.news();
        let told = news.incidents.iter().flat_map(|retold| &retold.incidents);
        let told: Vec<_> = told.map(|it| (it.id.clone(), it.level.name(), it.ended)).collect();
        let limits = self.limits.hold(&news.notes);
        let blind: Vec<_> = news.blind.iter().filter(|told| told.blind.peer_asn.is_none()).cloned().collect();
        let gazetteer = self.gazetteer;
        let commit = commit.with(news, |incident| json::incident(incident, gazetteer));
        self.insist(|store| store.commit(&commit))?;
        // Said when it is kept: the time of the line is that of the commit.
        for (incident, level, ended) in told {
            tracing::info!(incident, level, ended, "incident");
        }
        for Blindness { blind: Blind { collector, from, until, reason, .. }, over } in blind {
            match over {
                true => tracing::info!(collector, %from, %until, reason = reason.name(), "was blind"),
                false => tracing::info!(collector, since = %from, reason = reason.name(), "is blind"),
            }
        }
        let mut status = self.show();
        status.commits += 1;
        status.limits = limits;
        Ok(())
    }

    /// Shows how far it has come to whoever asks.
    pub fn show(&self) -> MutexGuard<'_, Status> {
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.applied = self.observatory.applied();
        status.waiting = self.observatory.not_applied();
        status.waiting_bytes = self.observatory.waiting() as u64;
        status.seen_until = Some(self.observatory.now());
        status
    }

    /// Keeps all state.
    fn keep(&mut self) -> Result<(), StoreFault> {
        let begin = now();
        let (observatory, store) = (&self.observatory, &mut self.store);
        store.keep(|into| observatory.keep(into).map_err(io::Error::other))?;
        tracing::debug!(ms = begin.elapsed().as_millis() as u64, "all state is kept");
        Ok(())
    }

    /// Tries until the store takes it: what is accepted must not be lost, and nothing more is accepted meanwhile.
    fn insist(
        &mut self,
        mut work: impl FnMut(&mut Store) -> Result<(), StoreFault>,
    ) -> Result<(), StoreFault> {
        let mut told = false;
        loop {
            self.beat();
            let fault = match work(&mut self.store) {
                Ok(()) => {
                    self.set_fault(None);
                    return Ok(());
                }
                Err(fault) => fault,
            };
            if fault.is_lasting() {
                // Of a damaged one the next start takes over what can be read.
                return Err(fault);
            }
            if !std::mem::replace(&mut told, true) {
                tracing::error!(
                    "{fault}; nothing is accepted until it can be written, and it is tried again"
                );
                self.set_fault(Some(fault.to_string()));
            }
            if self.stop.sleep(AGAIN) {
                return Err(fault);
            }
        }
    }

    /// Gives a sign of life.
    fn beat(&self) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).beat = Some(now());
    }

    fn set_fault(&self, fault: Option<String>) {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).store_fault = fault;
    }
}

/// A sweep of what is old, once a day, a step at a time.
#[derive(Default)]
struct Sweeping {
    next: Option<Sweep>,
    begun: Option<Instant>,
    /// Until when an earlier one has left few transitions.
    thinned: Option<Time>,
}

impl Sweeping {
    fn step(&mut self, watching: &mut Watching<'_>) {
        let seen = watching.observatory.now();
        let is_due = self.begun.is_none_or(|begun| begun.elapsed() >= SWEEP);
        if is_due && seen > Time::MIN {
            self.next = Sweep::of(&watching.pace.keeping, seen, self.thinned);
            self.begun = Some(now());
        }
        let Some(sweep) = self.next.take() else { return };
        match watching.store.forget(sweep) {
            Ok(Some(left)) => self.next = Some(left),
            Ok(None) => self.thinned = sweep.thinned(),
            // What cannot be deleted now is deleted another day: whether the disk is full says the next commit.
            Err(fault) => {
                tracing::warn!("{fault}; old values that are to go by [store] stay for another day");
            }
        }
    }
}

/// Tells the meters who originates what, as often as it costs no more than a hundredth of the time.
#[derive(Default)]
struct Owners {
    told: Option<Instant>,
    took: Duration,
    applied: u64,
}

impl Owners {
    /// The shortest pause. Guess: routes of a restarted router are there within it.
    const PAUSE: Duration = Duration::from_secs(10);

    fn step(&mut self, watching: &Watching<'_>) {
        let pause = Self::PAUSE.max(self.took * 100);
        let applied = watching.observatory.applied();
        let is_due = self.told.is_none_or(|told| told.elapsed() >= pause) && applied != self.applied;
        if watching.meters == 0 || !is_due || watching.observatory.in_table() {
            return;
        }
        let begin = now();
        watching.origins.replace(watching.observatory.origins());
        *self = Owners { told: Some(begin), took: begin.elapsed(), applied };
    }
}

/// For how long things took, never for when they happened.
#[allow(clippy::disallowed_methods, reason = "results do not depend on it: it paces commits")]
fn now() -> Instant {
    Instant::now()
}
