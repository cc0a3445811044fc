//! The one shape of all live sources: configured, inert until started, on a thread of its own, told to stop, and asked how
//! it is.

use super::channel::{Departures, Refused};
use super::parcel::{Parcel, StreamKey, Tidings};
use crate::clock;
use gonedark_route::Time;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A live source, configured and inert.
pub trait Source: Send {
    /// Its name in the configuration.
    fn name(&self) -> &str;

    /// What it will do, in one plain sentence.
    fn describe(&self) -> String;

    /// Takes what it needs from the system, so that what cannot be had is told before anything begins.
    ///
    /// # Errors
    /// What cannot be had.
    fn prepare(&mut self) -> std::io::Result<()> {
        Ok(())
    }

    /// Streams that others have to wait for from the first moment on, although nothing of them has come yet.
    fn awaited(&self) -> Vec<StreamKey> {
        Vec::new()
    }

    /// Whether it goes on with a stream of its name after a restart, where it was, so that it stays open meanwhile. Others
    /// are closed: who was heard by them is blind until heard again.
    fn goes_on(&self, _stream: &StreamKey) -> bool {
        false
    }

    /// Bytes of it that may be on their way to the observatory. Guess for sources that wait where there is no room: as much
    /// as one commit takes, so that the next is ready when the last is done.
    fn room(&self) -> usize {
        16 << 20
    }

    /// Works until it is told to stop or nothing can come any more. Whatever goes wrong is told by [`Outlet::health`] and
    /// tried again.
    fn run(self: Box<Self>, outlet: &Outlet);
}

/// How a source is, for people and for metrics. Shared between the source and whoever asks.
#[derive(Debug, Default)]
pub struct Health {
    /// Messages of the outside that were read, whatever they were.
    pub messages: AtomicU64,
    /// Of them those that could not be understood.
    pub damaged: AtomicU64,
    /// Messages known to be missed: nobody saw what they said, and the collectors were reported blind.
    pub missed: AtomicU64,
    /// Connections made.
    pub connections: AtomicU64,
    /// Observations that were handed on: as many are applied, or wait for a stream that lags.
    pub observations: AtomicU64,
    /// Records of flows that were metered.
    pub records: AtomicU64,
    /// Exporters of flows that are silent now.
    pub silent: AtomicU64,
    state: Mutex<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    says: String,
    is_well: bool,
    /// How far it has come, in the time of what it reads.
    seen_until: Option<Time>,
    sessions: BTreeMap<String, String>,
}

/// A moment's copy of a source's health.
#[derive(Clone, Debug)]
pub struct Condition {
    /// What it does now.
    pub says: String,
    /// Whether that is what it should do.
    pub is_well: bool,
    /// How far it has come, in the time of what it reads.
    pub seen_until: Option<Time>,
    /// Routers, collectors or files that it is connected to, and what they are at.
    pub sessions: BTreeMap<String, String>,
}

impl Health {
    /// Says what it does now.
    pub fn say(&self, is_well: bool, says: impl Into<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.is_well, state.says) = (is_well, says.into());
    }

    /// Notes how far it has come.
    pub fn seen(&self, until: Time) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.seen_until = state.seen_until.max(Some(until));
    }

    /// Notes what a router, collector or file is at; `None` where it is gone.
    pub fn session(&self, name: &str, at: Option<String>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match at {
            Some(at) => state.sessions.insert(name.to_owned(), at),
            None => state.sessions.remove(name),
        };
    }

    /// How it is now.
    pub fn condition(&self) -> Condition {
        let State { says, is_well, seen_until, sessions } =
            self.state.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Condition { says, is_well, seen_until, sessions }
    }
}

/// Tells threads to stop, and wakes those that sleep.
#[derive(Clone, Default)]
pub struct Stop(Arc<(AtomicBool, Mutex<()>, Condvar)>);

impl Stop {
    /// Asks all to stop.
    pub fn stop(&self) {
        // Under the lock: whoever is about to sleep has not looked yet, or sleeps already and is woken.
        let _guard = self.0.1.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.0.store(true, Ordering::SeqCst);
        self.0.2.notify_all();
    }

    /// Whether to stop.
    pub fn is_set(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Sleeps, or wakes up to stop; tells whether to stop.
    pub fn sleep(&self, time: Duration) -> bool {
        let guard = self.0.1.lock().unwrap_or_else(PoisonError::into_inner);
        let stopped = |(): &mut ()| !self.is_set();
        let _ = self.0.2.wait_timeout_while(guard, time, stopped);
        self.is_set()
    }
}

/// Where a source puts what it has.
#[derive(Clone)]
pub struct Outlet {
    departures: Departures,
    /// Set where it has to stop.
    pub stop: Stop,
    /// How it is.
    pub health: Arc<Health>,
    /// Where its streams go on.
    pub positions: Arc<BTreeMap<StreamKey, String>>,
}

impl Outlet {
    /// One that sends by `departures` and goes on from `positions`.
    pub fn new(departures: Departures, stop: Stop, positions: Arc<BTreeMap<StreamKey, String>>) -> Self {
        Outlet { departures, stop, health: Arc::default(), positions }
    }

    /// Sends, and waits as long as there is no room: for sources that keep what they have not sent (files, and routers whose
    /// connection then waits). False where nobody takes it any more.
    pub fn send(&self, parcel: Parcel) -> bool {
        let count = parcel.batch.observations.len();
        let is_taken = self.departures.send(parcel);
        self.handed_on(count, is_taken);
        is_taken
    }

    /// Tells what was concluded of traffic, and waits as long as there is no room. False where nobody takes it any more.
    pub fn tell(&self, tidings: Tidings) -> bool {
        self.departures.send(tidings)
    }

    /// Whether nothing of it is on its way, so that [`Outlet::tell`] does not wait.
    pub fn is_idle(&self) -> bool {
        self.departures.is_idle()
    }

    /// Sends if there is room; gives it back where there is none, which the source then has to account for.
    ///
    /// # Errors
    /// There is no room for it, or nobody who takes it.
    pub fn try_send(&self, parcel: Parcel) -> Result<(), Refused> {
        let count = parcel.batch.observations.len();
        let taken = self.departures.try_send(parcel);
        self.handed_on(count, taken.is_ok());
        taken
    }

    fn handed_on(&self, observations: usize, is_taken: bool) {
        let count = if is_taken { observations as u64 } else { 0 };
        self.health.observations.fetch_add(count, Ordering::Relaxed);
    }

    /// Now, by the clock of this machine.
    pub fn now(&self) -> Time {
        clock::now()
    }
}

/// A source that runs.
pub struct Running {
    /// Its name in the configuration.
    pub name: String,
    /// How it is.
    pub health: Arc<Health>,
    thread: JoinHandle<()>,
}

/// Starts a source on a thread of its own.
///
/// # Errors
/// The system has no thread for it.
pub fn start(source: Box<dyn Source>, outlet: Outlet) -> std::io::Result<Running> {
    let (name, health) = (source.name().to_owned(), Arc::clone(&outlet.health));
    let thread = std::thread::Builder::new().name(name.clone()).spawn(move || source.run(&outlet))?;
    Ok(Running { name, health, thread })
}

impl Running {
    /// Whether its thread has ended.
    pub fn has_ended(&self) -> bool {
        self.thread.is_finished()
    }

    /// Waits for its end, which somebody has asked for; false where it ended by a bug.
    pub fn join(self) -> bool {
        self.thread.join().is_ok()
    }
}
