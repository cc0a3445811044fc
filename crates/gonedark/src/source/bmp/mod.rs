//! A BMP station (RFC 7854): routers connect and tell what their neighbours send them. Each router is a collector.
//!
//! A router that goes away is blindness. While the observatory is busy its connection is not read, so that it waits:
//! nothing is dropped.

mod distinguisher;
mod names;
mod router;

pub use distinguisher::Distinguisher;
pub use router::{Router, Taken};

use super::live::{Health, Outlet, Source};
use super::parcel::StreamKey;
use super::steady::{CAUGHT_UP, Steady};
use gonedark_route::Time;
use names::{Claim, Names, Refusal};
use socket2::{SockRef, TcpKeepalive};
use std::io::{ErrorKind, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How often what was read is handed on, and how long the station sleeps between two looks for new connections.
const TICK: Duration = Duration::from_millis(100);
/// Bytes that are read from a connection at once.
const READ: usize = 256 << 10;
/// A batch is handed on at about this many bytes even before its time: its networks' rows are then still in the processor's
/// cache when its routes are put into them.
const BATCH_BYTES: usize = 256 << 10;
/// After so long without a word the system asks whether the router is still there: BMP has no keepalives of its own.
/// Guess: a third of BGP's hold time, so that a router that lost its power is blind within about a minute.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// So many questions without an answer, a third of [`KEEPALIVE`] apart, and it is gone. Guess, as above: Linux asks nine times
/// by itself, which makes two minutes.
const KEEPALIVES: u32 = 3;
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
    /// The routing instance whose tables are taken; the global one where none is named.
    pub vrf: Option<Distinguisher>,
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
        let names: Arc<Names> = Arc::default();
        // One of all connections: what an earlier one of a router has promised holds for the next.
        let clock = Arc::new(Mutex::new(Steady::catching_up()));
        let mut threads = Vec::new();
        while !outlet.stop.sleep(TICK) {
            threads.retain(|thread: &std::thread::JoinHandle<()>| !thread.is_finished());
            while let Ok((stream, from)) = listener.accept() {
                // A socket of both families writes IPv4 addresses as IPv6.
                let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                let known = self.settings.routers.is_empty() || self.settings.routers.contains(&from.ip());
                if !known || threads.len() >= ROUTERS {
                    tracing::warn!(source = self.settings.name, router = %from, "a router was turned away");
                    continue;
                }
                let (outlet, settings) = (outlet.clone(), self.settings.clone());
                let (routers, names, clock) = (Arc::clone(&routers), Arc::clone(&names), Arc::clone(&clock));
                let job = move || {
                    let _connected = Connected::new(&routers, &outlet.health);
                    let address = from.ip();
                    let router = Router::new(&settings, address);
                    let (outlet, names, clock) = (&outlet, &*names, &*clock);
                    Connection { stream, address, outlet, router, names, claim: None, clock }.run();
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

/// Counts a router for as long as its thread runs, also where that ends by a bug.
struct Connected<'a> {
    routers: &'a AtomicUsize,
    health: &'a Health,
}

impl<'a> Connected<'a> {
    fn new(routers: &'a AtomicUsize, health: &'a Health) -> Self {
        routers.fetch_add(1, Ordering::SeqCst);
        Connected { routers, health }
    }
}

impl Drop for Connected<'_> {
    fn drop(&mut self) {
        let left = self.routers.fetch_sub(1, Ordering::SeqCst).saturating_sub(1);
        self.health.say(left > 0, format!("{left} routers are connected"));
    }
}

/// One router that is connected.
struct Connection<'a> {
    stream: TcpStream,
    address: IpAddr,
    outlet: &'a Outlet,
    router: Router,
    names: &'a Names,
    /// Its name, from when it first hands on anything.
    claim: Option<Claim>,
    clock: &'a Mutex<Steady>,
}

impl Connection<'_> {
    fn run(mut self) {
        self.outlet.health.connections.fetch_add(1, Ordering::Relaxed);
        let keepalive =
            TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 3).with_retries(KEEPALIVES);
        let reading = SockRef::from(&self.stream)
            .set_tcp_keepalive(&keepalive)
            .and_then(|()| self.stream.set_nonblocking(false))
            .and_then(|()| self.stream.set_read_timeout(Some(TICK)));
        let why = match reading {
            Ok(()) => self.read(),
            Err(error) => error.to_string(),
        };
        // What came last, or all of a connection that was shorter than a tick.
        let now = self.now();
        self.hand_on(now);
        let key = Arc::clone(&self.router.key);
        let StreamKey { source, collector, .. } = &*key;
        tracing::info!(source, router = collector, why, "a router has gone");
        let Some(claim) = self.claim.take() else {
            self.outlet.health.session(collector, None);
            return;
        };
        // Held over the last parcel, so that the next connection's first one comes behind it.
        let Some(mut held) = claim.hold() else { return };
        held.release();
        self.outlet.health.session(collector, None);
        let now = self.now();
        if let Some(last) = self.router.gone(now) {
            self.outlet.send(last);
        }
    }

    /// Now, which never goes back.
    fn now(&self) -> Time {
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.told(self.outlet.now(), CAUGHT_UP)
    }

    /// Reads to the end; tells why it ended.
    fn read(&mut self) -> String {
        let mut room = vec![0; READ];
        let mut handed_on = self.now();
        loop {
            if self.outlet.stop.is_set() {
                return "the watch ends".into();
            }
            let length = match self.stream.read(&mut room) {
                Ok(0) => return "it closed the connection".into(),
                Ok(length) => length,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => 0,
                Err(error) if error.kind() == ErrorKind::Interrupted => 0,
                Err(error) => return error.to_string(),
            };
            let now = self.now();
            if let Some(why) = self.router.take(&room[..length], now, &self.outlet.health) {
                return why;
            }
            let due = now - handed_on >= TICK.as_micros() as i64;
            if due || self.router.filling.batch.weight() >= BATCH_BYTES {
                handed_on = now;
                if !self.hand_on(now) {
                    return "the watch ends, or the router has connected anew".into();
                }
            }
        }
    }

    /// Takes the router's name for this connection. Where a router at another address has it, as GoBGP's all have without a
    /// `sys-name`, this is another router, and its address tells the two apart. `None` where there were too many names.
    fn take_name(&mut self) -> Option<Claim> {
        let address = self.address;
        loop {
            let before = Arc::clone(&self.router.key);
            match self.names.take(&before.collector, address) {
                Ok(claim) => return Some(claim),
                Err(Refusal::Elsewhere) => {}
                Err(Refusal::TooMany) => {
                    let name = &before.collector;
                    tracing::error!(
                        name,
                        "routers have had too many names: no new one is taken before a restart"
                    );
                    return None;
                }
            }
            self.router.rename(format!("{}@{address}", before.collector));
            let (before, name) = (&before.collector, &self.router.key.collector);
            tracing::warn!(router = before, name, "two routers have one name; give each a name of its own");
            self.outlet.health.session(name, Some(self.router.state().into()));
        }
    }

    /// Hands on what there is, and how far it speaks; false where nobody takes it any more, or not from this connection.
    fn hand_on(&mut self, now: Time) -> bool {
        if !self.router.has_spoken() {
            return true;
        }
        if self.claim.is_none() {
            self.claim = self.take_name();
            let before = self.claim.as_mut().map(|claim| std::mem::take(&mut claim.before));
            self.router.inherit(before.unwrap_or_default());
        }
        // Held until it is sent: sending may wait long, and the router connect anew meanwhile.
        let Some(mut held) = self.claim.as_ref().and_then(Claim::hold) else { return false };
        let Some(parcel) = self.router.hand_on(now) else { return true };
        held.note(&self.router.up);
        if let Some(mark) = parcel.mark {
            self.outlet.health.seen(mark);
        }
        self.outlet.send(parcel)
    }
}
