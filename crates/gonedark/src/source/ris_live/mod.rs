//! RIS Live (<https://ris-live.ripe.net/manual/>): what the collectors of RIPE RIS hear, a second or two after they hear
//! it, over one WebSocket. Each collector that is heard is a stream.
//!
//! A connection that is lost is blindness of every collector, until its first message of the next one; so is the time in
//! which the program did not run. The server does not wait for slow readers: where as much as there is room for waits for the
//! observatory, and for longer than [`Pace::patience`], what comes is dropped, counted as missed, and told as blindness
//! as well.
//!
//! - `connection`: TCP, TLS and the WebSocket;
//! - `subscription`: what is asked for;
//! - `collector`, `collectors`: what was heard, in order of time, to the observatory.

mod collector;
mod collectors;
mod connection;
mod subscription;

use super::live::{Outlet, Source};
use super::parcel::StreamKey;
use super::steady::{CAUGHT_UP, Steady};
use crate::clock::moment;
use collectors::Collectors;
pub(crate) use collectors::OVERLAP;
use connection::{Connection, Read};
use gonedark_route::Prefix;
use std::collections::BTreeSet;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How often what was heard is handed on, and the longest that a read waits. Guess: a tenth of the hold.
const TICK: Duration = Duration::from_millis(200);
/// Bytes of observations after which they are handed on even before their time.
const BATCH_BYTES: usize = 4 << 20;
/// Bytes on their way to the observatory before something is dropped: the server does not wait. Half a minute of all of
/// RIS at 20,000 messages a second of some 100 bytes each. Guess.
const ROOM: usize = 64 << 20;
/// The longest pause between two attempts to connect, so that a server that comes back is not stormed.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// A connection that lasted so long was a good one: the next pause is the shortest again. Guess.
const GOOD: Duration = Duration::from_secs(60);
/// A second, in microseconds.
const SECOND: i64 = 1_000_000;

/// What to hear, and from where.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the source.
    pub name: String,
    /// The server: `wss://`, or `ws://` of this machine.
    pub url: String,
    /// Which collectors; all where none is named.
    pub collectors: BTreeSet<String>,
    /// Only messages that name these prefixes or more specific ones; all where none is named.
    pub prefixes: Vec<Prefix>,
    /// Only announcements with these on their path; all where none is named.
    pub asns: Vec<u32>,
    /// How long a message may be on its way, compared with those of other collectors, in microseconds.
    pub hold: i64,
    /// Collectors that something else reads up to a moment after the start: without a message by then they are blind.
    pub expected: BTreeSet<String>,
    /// How patient it is.
    pub pace: Pace,
}

/// How patient the source is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A connection of which nothing came for so long is dead.
    pub dead: Duration,
    /// The first pause before another attempt to connect; each further one is twice as long.
    pub again: Duration,
    /// How long nothing is read while there is no room, before something is dropped.
    pub patience: Duration,
    /// A collector of which nothing came for so long over a connection that lives is not seen.
    pub silent: Duration,
}

impl Default for Pace {
    /// RIS Live sends thousands of messages a second, and answers a ping, so that half a minute without any is an end; its
    /// server closes connections that are slow for some seconds. Guesses, all three. A collector is silent after the hold
    /// time that its sessions have as a rule (180 s; RFC 4271, 4.2 and 10).
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Pace { dead: seconds(30), again: seconds(1), patience: seconds(2), silent: seconds(180) }
    }
}

/// The client of RIS Live.
pub struct RisLive {
    settings: Settings,
}

impl RisLive {
    /// One that waits to be started.
    pub fn new(settings: Settings) -> Self {
        RisLive { settings }
    }
}

impl Source for RisLive {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn goes_on(&self, _stream: &StreamKey) -> bool {
        // What it was at is told as missed, whether it is still asked for or not.
        true
    }

    fn room(&self) -> usize {
        ROOM
    }

    fn describe(&self) -> String {
        let Settings { url, collectors, prefixes, asns, .. } = &self.settings;
        let whose = match collectors.len() {
            0 => "all collectors".to_owned(),
            _ => collectors.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let only = match (prefixes.len(), asns.len()) {
            (0, 0) => String::new(),
            (count, 0) => format!(", only of {count} prefixes"),
            // A withdrawal has no path.
            (0, count) => format!(", only announcements through {count} ASes and no withdrawals"),
            (prefixes, asns) => format!(", only of {prefixes} prefixes or announced through {asns} ASes"),
        };
        let url = url.split('?').next().unwrap_or_default();
        format!("RIS Live of {whose}{only} from {url}")
    }

    fn run(self: Box<Self>, outlet: &Outlet) {
        let mut collectors = Collectors::new(&self.settings, outlet);
        if !collectors.take_up() {
            return;
        }
        let mut wait = self.settings.pace.again;
        // One of all connections: what was promised over an earlier one holds for the next.
        let mut clock = Steady::catching_up();
        while !outlet.stop.is_set() {
            outlet.health.say(false, "connecting");
            let begin = outlet.now();
            let why = self.connected(&mut collectors, &mut clock, outlet);
            if outlet.stop.is_set() || !collectors.lost() {
                return;
            }
            if outlet.now() - begin >= GOOD.as_micros() as i64 {
                wait = self.settings.pace.again;
            }
            let pause = jittered(wait);
            wait = (wait * 2).min(LONGEST_WAIT);
            tracing::warn!(source = self.settings.name, why, "RIS Live is not heard");
            let seconds = pause.as_secs_f32();
            outlet.health.say(false, format!("not connected: {why}; tried again in {seconds:.1} s"));
            if !rest(pause, &mut collectors, &mut clock, outlet) {
                return;
            }
        }
    }
}

impl RisLive {
    /// Connects, and hears until that ends; tells why it did.
    fn connected(&self, collectors: &mut Collectors<'_>, clock: &mut Steady, outlet: &Outlet) -> String {
        let mut connection = match Connection::open(&self.settings, TICK) {
            Ok(connection) => connection,
            Err(why) => return why,
        };
        outlet.health.connections.fetch_add(1, Ordering::Relaxed);
        outlet.health.say(true, "connected");
        tracing::info!(source = self.settings.name, "RIS Live is connected");
        let dead = self.settings.pace.dead;
        // Three chances to show that it lives.
        let ping = dead.as_micros() as i64 / 3;
        let now = clock.told(outlet.now(), CAUGHT_UP);
        let (mut handed_on, mut pinged) = (now, now);
        // Since when nothing comes, by a clock that nobody sets: one that is set forward must not end what lives.
        let mut quiet: Option<Instant> = None;
        loop {
            if outlet.stop.is_set() {
                return "the watch ends".into();
            }
            let read = connection.read();
            let now = clock.told(outlet.now(), CAUGHT_UP);
            let is_idle = matches!(read, Read::Nothing);
            match read {
                Read::Message(text) => {
                    quiet = None;
                    collectors.message(&text, now);
                }
                Read::Life => quiet = None,
                Read::Nothing if quiet.get_or_insert_with(moment).elapsed() >= dead => {
                    return format!("nothing came for {} s", dead.as_secs_f32());
                }
                Read::Nothing => {}
                Read::End(why) => return why,
            }
            if now - pinged >= ping {
                pinged = now;
                if let Err(why) = connection.ping() {
                    return why;
                }
            }
            let due = now - handed_on >= TICK.as_micros() as i64;
            if due || collectors.weight() >= BATCH_BYTES {
                handed_on = now;
                if !collectors.hand_on(now, is_idle) {
                    return "the watch ends".into();
                }
            }
        }
    }
}

/// Waits until it may be tried again, and meanwhile says who is missing; false where it has to stop.
fn rest(pause: Duration, collectors: &mut Collectors<'_>, clock: &mut Steady, outlet: &Outlet) -> bool {
    let mut left = pause;
    while !left.is_zero() {
        let part = left.min(TICK);
        if outlet.stop.sleep(part) || !collectors.miss(clock.told(outlet.now(), CAUGHT_UP)) {
            return false;
        }
        left -= part;
    }
    true
}

/// Between half of it and all of it: not all clients come back at the same moment.
fn jittered(wait: Duration) -> Duration {
    let chance = RandomState::new().build_hasher().finish() as f64 / u64::MAX as f64;
    wait.mul_f64(0.5 + chance / 2.0)
}
