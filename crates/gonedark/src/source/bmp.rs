//! A BMP station (RFC 7854): routers connect and tell what their neighbours send them. Each router is a collector.
//!
//! A router that goes away is blindness. While the observatory is busy its connection is not read, so that it waits:
//! nothing is dropped.

use super::batch::{Neighbour, Observation, Spare};
use super::filling::Filling;
use super::live::{Outlet, Source};
use super::parcel::{Parcel, Part, StreamKey};
use super::stamp::Stamps;
use gonedark_decode::bmp::{self, Decoder, Frame, Message, PerPeer, View, tlv};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use socket2::{SockRef, TcpKeepalive};
use std::collections::{HashMap, HashSet};
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often what was read is handed on, and how long the station sleeps between two looks for new connections.
const TICK: Duration = Duration::from_millis(100);
/// Bytes that are read from a connection at once.
const READ: usize = 256 << 10;
/// A batch is handed on at about this many bytes even before its time.
const BATCH_BYTES: usize = 1 << 20;
/// After so long without a word the system asks whether the router is still there: BMP has no keepalives of its own.
/// Guess: a third of BGP's hold time, so that a router that lost its power is blind within about a minute.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// Routers at a time: a thread and a buffer each. Guess: the largest networks have some hundred that speak BMP.
const ROUTERS: usize = 1024;

/// Where to listen, and for whom.
#[derive(Clone)]
pub struct Settings {
    /// The name of the source.
    pub name: String,
    /// Where routers connect to.
    pub listen: SocketAddr,
    /// Addresses from which they may; any where none is named.
    pub routers: Vec<IpAddr>,
    /// How long a message may be on its way from the router, in microseconds.
    pub hold: i64,
    /// Which of a router's tables are taken: the neighbours' routes before its policy, or what it chose itself.
    pub view: Taken,
}

/// Which of a router's tables are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Adj-RIB-In before policy.
    PrePolicy,
    /// Adj-RIB-In after policy.
    PostPolicy,
    /// Loc-RIB: the router is its own only peer.
    LocRib,
}

impl Taken {
    fn takes_session(self, view: View) -> bool {
        (self == Taken::LocRib) == matches!(view, View::LocRib { .. })
    }

    fn takes(self, view: View) -> bool {
        matches!(
            (self, view),
            (Taken::PrePolicy, View::InPrePolicy)
                | (Taken::PostPolicy, View::InPostPolicy)
                | (Taken::LocRib, View::LocRib { .. })
        )
    }
}

/// The station.
pub struct Station {
    settings: Settings,
    listener: Option<TcpListener>,
}

impl Station {
    /// One that waits to be started.
    pub fn new(settings: Settings) -> Self {
        Station { settings, listener: None }
    }
}

impl Source for Station {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn describe(&self) -> String {
        // Of port 0 the system has chosen one.
        let listener = self.listener.as_ref();
        let listen = listener.and_then(|known| known.local_addr().ok()).unwrap_or(self.settings.listen);
        let whom = match self.settings.routers.len() {
            0 => "any router".to_owned(),
            count => format!("{count} routers"),
        };
        format!("BMP from {whom} at {listen}")
    }

    fn prepare(&mut self) -> std::io::Result<()> {
        let listener = TcpListener::bind(self.settings.listen)?;
        listener.set_nonblocking(true)?;
        self.listener = Some(listener);
        Ok(())
    }

    fn run(self: Box<Self>, outlet: &Outlet) {
        let Some(listener) = &self.listener else { return };
        let routers = Arc::new(AtomicUsize::new(0));
        outlet.health.say(false, "no router is connected");
        let newest: Arc<Newest> = Arc::default();
        let mut threads = Vec::new();
        while !outlet.stop.sleep(TICK) {
            threads.retain(|thread: &std::thread::JoinHandle<()>| !thread.is_finished());
            while let Ok((stream, from)) = listener.accept() {
                let known = self.settings.routers.is_empty() || self.settings.routers.contains(&from.ip());
                if !known || threads.len() >= ROUTERS {
                    tracing::warn!(source = self.settings.name, router = %from, "a router was turned away");
                    continue;
                }
                let (outlet, settings) = (outlet.clone(), self.settings.clone());
                let (routers, newest) = (Arc::clone(&routers), Arc::clone(&newest));
                let job = move || {
                    routers.fetch_add(1, Ordering::SeqCst);
                    Connection::new(stream, from, (&settings, &newest), &outlet).run();
                    let left = routers.fetch_sub(1, Ordering::SeqCst) - 1;
                    outlet.health.say(left > 0, format!("{left} routers are connected"));
                };
                threads.extend(std::thread::Builder::new().name("bmp".into()).spawn(job));
            }
            let connected = routers.load(Ordering::SeqCst);
            if connected > 0 {
                outlet.health.say(true, format!("{connected} routers are connected"));
            }
        }
        for thread in threads {
            let _ = thread.join();
        }
    }
}

/// One router.
struct Connection<'a> {
    stream: TcpStream,
    settings: &'a Settings,
    outlet: &'a Outlet,
    key: Arc<StreamKey>,
    filling: Filling,
    stamps: Stamps,
    decoder: Decoder,
    bytes: Vec<u8>,
    offset: u64,
    /// Whether anything was sent: then the numbers go on.
    begun: bool,
    /// Neighbours whose sessions are up.
    up: HashSet<Neighbour>,
    /// The newest connection of each router: an older one, which may be dead without a word, has nothing more to say.
    newest: &'a Newest,
    number: u64,
}

/// The number of the newest connection of each router, by its name.
type Newest = Mutex<HashMap<String, u64>>;

impl<'a> Connection<'a> {
    fn new(
        stream: TcpStream,
        from: SocketAddr,
        (settings, newest): (&'a Settings, &'a Newest),
        outlet: &'a Outlet,
    ) -> Self {
        let key = StreamKey {
            source: settings.name.clone(),
            collector: format!("{}/{}", settings.name, from.ip()),
            part: Part::Messages,
        };
        Connection {
            stream,
            settings,
            outlet,
            key: Arc::new(key),
            filling: Filling::new(Spare::default()),
            stamps: Stamps::new(settings.hold),
            decoder: Decoder::new(),
            bytes: Vec::new(),
            offset: 0,
            begun: false,
            up: HashSet::new(),
            newest,
            number: 0,
        }
    }

    fn run(mut self) {
        self.outlet.health.connections.fetch_add(1, Ordering::Relaxed);
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3);
        let reading = SockRef::from(&self.stream)
            .set_tcp_keepalive(&keepalive)
            .and_then(|()| self.stream.set_nonblocking(false))
            .and_then(|()| self.stream.set_read_timeout(Some(TICK)));
        let why = match reading {
            Ok(()) => self.read(),
            Err(error) => error.to_string(),
        };
        let (key, now) = (Arc::clone(&self.key), self.outlet.now());
        tracing::info!(source = self.settings.name, router = key.collector, why, "a router has gone");
        self.outlet.health.session(&key.collector, None);
        if self.begun && !self.is_superseded() {
            let at = self.stamps.of(None, now);
            // Who is still there is told of when it connects again; who is not would otherwise be there for ever.
            for neighbour in std::mem::take(&mut self.up) {
                let down = |peer| Observation::Session { peer, established: false };
                self.filling.of_peer(at, neighbour, down);
            }
            let begin = Observation::GapBegin { reason: BlindReason::SessionDown };
            self.filling.batch.observations.push((at, begin));
            let batch = self.filling.take();
            let mark = Some(at);
            self.outlet.send(Parcel { batch, mark, closed: true, ..Parcel::of(&key) });
        }
    }

    /// Reads to the end; tells why it ended.
    fn read(&mut self) -> String {
        let mut room = vec![0; READ];
        let mut handed_on = self.outlet.now();
        loop {
            if self.outlet.stop.is_set() {
                return "the watch ends".into();
            }
            match self.stream.read(&mut room) {
                Ok(0) => return "it closed the connection".into(),
                Ok(length) => self.bytes.extend_from_slice(&room[..length]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return error.to_string(),
            }
            let now = self.outlet.now();
            if let Some(why) = self.take(now) {
                return why;
            }
            let due = now - handed_on >= TICK.as_micros() as i64 || now < handed_on;
            if due || self.filling.batch.weight() >= BATCH_BYTES {
                handed_on = now;
                if !self.hand_on(now) {
                    return "the watch ends".into();
                }
            }
        }
    }

    /// Takes the whole messages; tells why the router ends where it does.
    fn take(&mut self, now: Time) -> Option<String> {
        let bytes = std::mem::take(&mut self.bytes);
        let mut used = 0;
        let mut ends = None;
        while ends.is_none() {
            match bmp::frame(&bytes[used..], self.offset + used as u64) {
                Frame::Message { message, consumed } => {
                    used += consumed;
                    self.outlet.health.messages.fetch_add(1, Ordering::Relaxed);
                    ends = self.message(message, now);
                }
                Frame::NeedMore { .. } => break,
                Frame::Damaged { error, skip } => {
                    used += skip;
                    self.damaged(&error.to_string(), now);
                }
            }
        }
        self.offset += used as u64;
        self.bytes = bytes;
        self.bytes.drain(..used);
        ends
    }

    fn message(&mut self, raw: bmp::RawMessage<'_>, now: Time) -> Option<String> {
        let Connection { decoder, settings, filling, stamps, up, .. } = self;
        let takes = |peer: &PerPeer| settings.view.takes(peer.view);
        // Routers tell of sessions with the flags of any of a neighbour's tables.
        let of_ours = |peer: &PerPeer| settings.view.takes_session(peer.view);
        match decoder.decode(raw) {
            Ok(Message::RouteMonitoring { peer, update }) if takes(&peer) => {
                filling.update(stamps.of(peer.at, now), neighbour(&peer), &update);
            }
            Ok(Message::Damaged { peer, error }) if takes(&peer) => {
                let at = stamps.of(peer.at, now);
                filling.of_peer(at, neighbour(&peer), |peer| Observation::Damaged { peer: Some(peer) });
                tracing::warn!(router = self.key.collector, %error, "an UPDATE cannot be trusted");
                self.outlet.health.damaged.fetch_add(1, Ordering::Relaxed);
            }
            // Told once for each of its tables: the first time counts.
            Ok(Message::PeerUp { peer, .. }) if of_ours(&peer) => {
                if up.insert(neighbour(&peer)) {
                    let is_up = |peer| Observation::Session { peer, established: true };
                    filling.of_peer(stamps.of(peer.at, now), neighbour(&peer), is_up);
                }
            }
            // Also of one that was never up: some routers tell of those.
            Ok(Message::PeerDown { peer, .. }) if of_ours(&peer) => {
                up.remove(&neighbour(&peer));
                let down = |peer| Observation::Session { peer, established: false };
                filling.of_peer(stamps.of(peer.at, now), neighbour(&peer), down);
            }
            Ok(Message::Initiation(tlvs)) => {
                let name = tlvs.first(tlv::SYSTEM_NAME).and_then(|name| std::str::from_utf8(name).ok());
                let name = name.map(|name| name.trim().to_owned());
                self.name(name);
            }
            Ok(Message::Termination(tlvs)) => {
                return Some(format!("it said goodbye, reason {}", tlvs.reason().unwrap_or(1)));
            }
            Ok(_) => {}
            Err(error) => self.damaged(&error.to_string(), now),
        }
        None
    }

    /// The router's own name makes it known over several addresses; it counts only before anything was sent.
    fn name(&mut self, name: Option<String>) {
        if let Some(collector) = name.filter(|name| !name.is_empty() && name.len() <= 255 && !self.begun) {
            // With the source's name before it: a router must not pass for a collector of somebody else.
            let collector = format!("{}/{collector}", self.settings.name);
            let key = StreamKey { collector, ..(*self.key).clone() };
            self.key = Arc::new(key);
        }
        self.outlet.health.session(&self.key.collector, Some("connected".into()));
    }

    /// Whether the router has connected anew meanwhile.
    fn is_superseded(&self) -> bool {
        let newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        self.begun && newest.get(&self.key.collector).is_some_and(|newest| *newest != self.number)
    }

    /// Something of the connection could not be read: nobody knows of whom it was.
    fn damaged(&mut self, why: &str, now: Time) {
        self.outlet.health.damaged.fetch_add(1, Ordering::Relaxed);
        tracing::warn!(router = self.key.collector, why, "part of a BMP connection cannot be read");
        let at = self.stamps.of(None, now);
        self.filling.batch.observations.push((at, Observation::Damaged { peer: None }));
    }

    /// Hands on what there is, and how far it speaks; false where nobody takes it any more.
    fn hand_on(&mut self, now: Time) -> bool {
        if self.is_superseded() {
            return false;
        }
        let fresh = !self.begun;
        if fresh && self.filling.batch.observations.is_empty() {
            return true;
        }
        let mut batch = self.filling.take();
        let mark = self.stamps.promise(now);
        if fresh {
            // Who was there before is seen again from its first message on.
            batch.observations.insert(0, (batch.observations[0].0, Observation::GapEnd));
            self.begun = true;
            let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
            let number = newest.entry(self.key.collector.clone()).or_default();
            *number += 1;
            self.number = *number;
        }
        batch.sort();
        if let Some(mark) = mark {
            self.outlet.health.seen(mark);
        }
        self.outlet.send(Parcel { batch, fresh, mark, ..Parcel::of(&self.key) })
    }
}

fn neighbour(peer: &PerPeer) -> Neighbour {
    let address = match peer.view {
        // A Loc-RIB has no neighbour: the router stands for itself.
        View::LocRib { .. } => IpAddr::V4(peer.identifier),
        _ => peer.address,
    };
    Neighbour { asn: peer.asn, address }
}
