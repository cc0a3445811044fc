//! All collectors of a source: what is heard goes into batches, with one promise of time for all of them.

use super::collector::{Collector, Sight};
use super::{SECOND, Settings};
use crate::source::batch::{Neighbour, Observation};
use crate::source::channel::Refused;
use crate::source::live::Outlet;
use crate::source::parcel::{Parcel, Part, StreamKey};
use crate::source::stamp::Stamps;
use gonedark_decode::mrt::PeerAddress;
use gonedark_decode::ris_live::{Heard, Message, PeerState, Scratch, Server, decode};
use gonedark_route::Time;
use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Collectors that are taken: a server that names ever more of them gets no more memory. RIS has 23 in 2024, numbered up
/// to 26.
const COLLECTORS: usize = 256;
/// The longest name of one, as of a host.
const NAME: usize = 255;
/// How long after the start a collector that was read up to then must have been heard, in microseconds. Guess: time to
/// connect; what reads it has to go on as long.
pub(crate) const OVERLAP: i64 = 30 * SECOND;
/// How long it sleeps where there is no room.
const SOON: Duration = Duration::from_millis(5);

/// The collectors.
pub(super) struct Collectors<'a> {
    streams: Streams<'a>,
    scratch: Scratch,
    damaged: u64,
}

struct Streams<'a> {
    settings: &'a Settings,
    outlet: &'a Outlet,
    known: Vec<Collector>,
    places: HashMap<String, usize>,
    /// Those of whom something must be heard soon.
    expected: BTreeSet<String>,
    /// Until when those have time.
    due: Time,
    stamps: Stamps,
    /// The newest stamp, and when it was heard by this machine's clock.
    newest: Option<(Time, Time)>,
    /// Bytes in the batches that are being filled.
    weight: usize,
    /// Something was dropped, and nothing could be handed on since.
    is_full: bool,
    /// The connection lives, and no collector says anything over it.
    is_mute: bool,
}

impl<'a> Collectors<'a> {
    /// None yet.
    pub(super) fn new(settings: &'a Settings, outlet: &'a Outlet) -> Self {
        let streams = Streams {
            settings,
            outlet,
            known: Vec::new(),
            places: HashMap::new(),
            expected: settings.expected.clone(),
            due: outlet.now() + OVERLAP,
            stamps: Stamps::new(settings.hold),
            newest: None,
            weight: 0,
            is_full: false,
            is_mute: false,
        };
        Collectors { streams, scratch: Scratch::default(), damaged: 0 }
    }

    /// Takes up those that were heard before this start: since then nobody saw what they see. False where it has to stop.
    pub(super) fn take_up(&mut self) -> bool {
        let streams = &mut self.streams;
        let Streams { settings, outlet, .. } = streams;
        let own = |key: &&_| is_own(key, &settings.name);
        for key in outlet.positions.keys().filter(own) {
            let position = outlet.positions.get(key).map(String::as_str).unwrap_or_default();
            if let Some(collector) = Collector::go_on(&settings.name, &key.collector, position) {
                let (Sight::Missed(since) | Sight::Blind(since)) = collector.sight else { continue };
                streams.stamps.promise(since + settings.hold);
                streams.expected.remove(&key.collector);
                streams.places.insert(key.collector.clone(), streams.known.len());
                streams.known.push(collector);
            }
        }
        self.lost()
    }

    /// Bytes that wait to be handed on.
    pub(super) fn weight(&self) -> usize {
        self.streams.weight
    }

    /// Takes a message that came at `now`.
    pub(super) fn message(&mut self, text: &str, now: Time) {
        let Collectors { streams, scratch, damaged } = self;
        streams.outlet.health.messages.fetch_add(1, Ordering::Relaxed);
        let session = |established| move |peer| Observation::Session { peer, established };
        match decode(text.as_bytes(), scratch) {
            Ok(Message::Update { heard, update, .. }) => streams.of(&heard, now, |collector, at, peer| {
                collector.filling.update(at, peer, &update);
            }),
            Ok(Message::PeerState { heard, state: PeerState::Up }) => {
                streams.peer(&heard, now, session(true))
            }
            Ok(
                Message::PeerState { heard, state: PeerState::Down } | Message::Notification { heard, .. },
            ) => {
                streams.peer(&heard, now, session(false));
            }
            // A session that is opened anew without a word betrays it by the OPEN that the collector receives.
            Ok(Message::Open { heard, sent: false, .. }) => streams.of(&heard, now, |collector, at, peer| {
                collector.filling.of_peer(at, peer, session(false));
                collector.filling.of_peer(at, peer, session(true));
            }),
            Ok(Message::Damaged { heard, error }) => {
                streams.peer(&heard, now, |peer| Observation::Damaged { peer: Some(peer) });
                streams.damage(damaged, &error.to_string());
            }
            Ok(
                Message::Keepalive { heard }
                | Message::Open { heard, .. }
                | Message::PeerState { heard, .. }
                | Message::Unsupported { heard, .. },
            ) => streams.of(&heard, now, |_, _, _| ()),
            Ok(Message::Server(Server::Error(why))) => {
                let why: String = why.chars().filter(|letter| !letter.is_control()).take(NAME).collect();
                tracing::error!(source = streams.settings.name, why, "RIS Live refuses what it is asked");
                streams.outlet.health.say(false, format!("RIS Live refuses what it is asked: {why}"));
            }
            Ok(Message::Server(_)) => {}
            Err(error) => streams.damage(damaged, &error.to_string()),
        }
    }

    /// Hands on what there is, and how far it speaks; false where nobody takes it any more. `is_idle` where nothing waits
    /// to be read: then the time goes on by the clock, as far behind it as the newest message was.
    pub(super) fn hand_on(&mut self, now: Time, is_idle: bool) -> bool {
        let streams = &mut self.streams;
        if let Some((newest, heard_at)) = streams.newest {
            let passed = if is_idle { (now - heard_at).max(0) } else { 0 };
            streams.stamps.promise((newest + passed).min(now));
            streams.outlet.health.seen(streams.stamps.promised());
        }
        streams.hand_on() && streams.miss(now) && streams.silent(now)
    }

    /// The connection is lost: nothing of any collector is seen. False where nobody takes it any more.
    pub(super) fn lost(&mut self) -> bool {
        let streams = &mut self.streams;
        // The next connection may be as far behind as it likes.
        if let Some((newest, _)) = streams.newest.take() {
            streams.stamps.promise(newest);
        }
        let mark = streams.stamps.promised();
        streams.weight = 0;
        for collector in &mut streams.known {
            let Some(sending) = collector.lost(mark) else { continue };
            let (sight, mark) = sending.outcome();
            streams.outlet.health.session(&collector.key.collector, Some("not seen".into()));
            if !streams.outlet.send(sending.parcel) {
                return false;
            }
            collector.sent(sight, mark);
        }
        true
    }

    /// Says who should have been heard by now; false where nobody takes it any more.
    pub(super) fn miss(&mut self, now: Time) -> bool {
        self.streams.miss(now)
    }
}

impl Streams<'_> {
    /// Lets the collector that heard something take it.
    fn of(&mut self, heard: &Heard<'_>, now: Time, take: impl FnOnce(&mut Collector, Time, Neighbour)) {
        let Some(place) = self.place(heard.host) else { return };
        // One that comes after all is of the earliest time that is still open.
        let said = heard.at.max(self.stamps.promised());
        let at = self.stamps.of(Some(said), now);
        if self.newest.is_none_or(|(newest, _)| at > newest) {
            self.newest = Some((at, now));
        }
        let collector = &mut self.known[place];
        collector.heard_at = now;
        let at = collector.hear(at);
        let before = collector.filling.batch.weight();
        take(collector, at, neighbour(heard.peer));
        self.weight += collector.filling.batch.weight() - before;
    }

    fn peer(&mut self, heard: &Heard<'_>, now: Time, what: impl FnOnce(u16) -> Observation) {
        self.of(heard, now, |collector, at, peer| collector.filling.of_peer(at, peer, what));
    }

    /// The place of a collector, new or known; `None` for more of them than there can be.
    fn place(&mut self, host: &str) -> Option<usize> {
        if let Some(place) = self.places.get(host) {
            return Some(*place);
        }
        if self.known.len() >= COLLECTORS || host.is_empty() || host.len() > NAME {
            return None;
        }
        self.expected.remove(host);
        self.places.insert(host.to_owned(), self.known.len());
        self.known.push(Collector::new(&self.settings.name, host, Sight::Blind(Time::MIN)));
        Some(self.known.len() - 1)
    }

    fn hand_on(&mut self) -> bool {
        self.weight = 0;
        let mark = self.stamps.promised();
        let mut patience = if self.is_full { Duration::ZERO } else { self.settings.pace.patience };
        for collector in &mut self.known {
            let Some(sending) = collector.due(mark) else { continue };
            let (sight, mark) = sending.outcome();
            let before = collector.sight;
            match send(self.outlet, sending.parcel, &mut patience) {
                Ok(()) => {
                    collector.sent(sight, mark);
                    if before != sight {
                        let says = if sight == Sight::Sees { "seen" } else { "not seen" };
                        self.outlet.health.session(&collector.key.collector, Some(says.into()));
                    }
                    let is_heard = sight == Sight::Sees && std::mem::take(&mut self.is_mute);
                    if std::mem::take(&mut self.is_full) || is_heard {
                        self.outlet.health.say(true, "connected");
                    }
                }
                Err(Refused::Nobody) => return false,
                Err(Refused::Full(parcel)) => {
                    let missed = collector.dropped(&parcel, sending.messages);
                    self.outlet.health.missed.fetch_add(missed, Ordering::Relaxed);
                    if missed > 0 && !std::mem::replace(&mut self.is_full, true) {
                        let source = &self.settings.name;
                        tracing::warn!(source, "there is no room for what RIS Live says: it is missed");
                        self.outlet.health.say(false, "the watch is busy: what RIS Live says is missed");
                    }
                }
            }
        }
        true
    }

    fn miss(&mut self, now: Time) -> bool {
        if now < self.due {
            return true;
        }
        for name in std::mem::take(&mut self.expected) {
            let Some(place) = self.place(&name) else { continue };
            let collector = &mut self.known[place];
            collector.sight = Sight::Missed(self.due);
            let Some(sending) = collector.lost(self.due) else { continue };
            let (sight, mark) = sending.outcome();
            if !self.outlet.send(sending.parcel) {
                return false;
            }
            collector.sent(sight, mark);
            self.outlet.health.session(&name, Some("not seen".into()));
        }
        true
    }

    /// Says which collectors have fallen silent while the connection lives: their sessions send KEEPALIVEs, which are asked
    /// for, so that nothing at all is a feed that has stopped. False where nobody takes it any more.
    fn silent(&mut self, now: Time) -> bool {
        let silent = self.settings.pace.silent.as_micros() as i64;
        let mark = self.stamps.promised();
        for collector in &mut self.known {
            if collector.sight != Sight::Sees || now - collector.heard_at < silent {
                continue;
            }
            let Some(sending) = collector.lost(mark) else { continue };
            let (sight, mark) = sending.outcome();
            let name = &collector.key.collector;
            let since = collector.heard_at;
            tracing::warn!(source = self.settings.name, collector = name, %since, "a collector is silent");
            self.outlet.health.session(name, Some(format!("silent since {since}")));
            if !self.outlet.send(sending.parcel) {
                return false;
            }
            collector.sent(sight, mark);
            self.is_mute = true;
        }
        self.is_mute &= self.known.iter().all(|collector| collector.sight != Sight::Sees);
        if self.is_mute {
            self.outlet.health.say(false, "connected, but no collector is heard");
        }
        true
    }

    /// Something could not be understood. It costs itself, and is told where there is twice as much as before.
    fn damage(&self, damaged: &mut u64, why: &str) {
        *damaged += 1;
        self.outlet.health.damaged.fetch_add(1, Ordering::Relaxed);
        if damaged.is_power_of_two() {
            let source = &self.settings.name;
            tracing::warn!(source, why, damaged, "a message of RIS Live cannot be understood");
        }
    }
}

/// Sends as soon as there is room; gives it back where patience ends.
fn send(outlet: &Outlet, mut parcel: Parcel, patience: &mut Duration) -> Result<(), Refused> {
    loop {
        match outlet.try_send(parcel) {
            Err(Refused::Full(back)) if !patience.is_zero() => parcel = *back,
            done => return done,
        }
        if outlet.stop.sleep(SOON) {
            return Err(Refused::Nobody);
        }
        *patience = patience.saturating_sub(SOON);
    }
}

fn is_own(key: &StreamKey, source: &str) -> bool {
    key.source == source && key.part == Part::Messages
}

fn neighbour(peer: PeerAddress) -> Neighbour {
    Neighbour { asn: peer.asn, address: peer.address }
}
