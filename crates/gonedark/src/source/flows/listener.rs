//! Sockets to which exporters send. They do not send again: what the kernel cannot hold is gone, so that each socket has a
//! thread that does nothing but empty it, and a large buffer; what was dropped all the same is told.

use super::super::live::{Outlet, Source};
use super::super::steady::Steady;
use super::drops::Drops;
use crate::clock;
use gonedark_route::Time;
use rustix::net::RecvFlags;
use rustix::net::sockopt::{
    set_socket_recv_buffer_size, set_socket_recv_buffer_size_force, socket_recv_buffer_size,
};
use std::collections::BTreeSet;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

/// The longest that anybody waits for a datagram, and the time between two looks whether to stop.
const TICK: Duration = Duration::from_millis(100);
/// The largest datagram there is.
const LARGEST: usize = 1 << 16;
/// Bytes that are read at once, as far as they are there. Guess: some 45 datagrams.
const PACK: usize = 64 << 10;
/// Datagrams that are read at once: empty ones, and those of others, have no bytes that would count. Guess.
const DATAGRAMS: usize = 1024;
/// Packs that may wait for the meter. Guess: 16 MiB; behind them the kernel's buffer fills.
const WAITING: usize = 256;
/// The longest that datagrams are left to gather in the kernel before they are read: each wakes its reader and the meter
/// otherwise, which costs as much as a dozen records do. Guess.
const GATHER: Duration = Duration::from_millis(10);
/// Bytes of the kernel's buffer for each second that nobody reads: 10 Gbit/s, which take up twice as much of it, and as much
/// again for the reader to be late.
const FILLING: f64 = 5e9;
/// Senders that are turned away with a word of their own each. Guess.
const TURNED_AWAY: usize = 16;

/// Where to listen, and to whom.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The name of the source.
    pub name: String,
    /// Addresses and ports.
    pub listen: Vec<SocketAddr>,
    /// Exporters that are taken; all where none is named.
    pub exporters: BTreeSet<IpAddr>,
    /// Sockets at each address: the kernel shares exporters out among them.
    pub sockets: usize,
    /// Bytes of the kernel's buffer of each socket.
    pub receive_buffer: usize,
}

/// Who is given what was received.
pub trait Metering: Send {
    /// A datagram from an exporter; false where nothing of it could be read.
    fn take(&mut self, from: IpAddr, at: Time, datagram: &[u8]) -> bool;

    /// The kernel dropped so many datagrams, of whichever exporters.
    fn dropped(&mut self, at: Time, datagrams: u64);

    /// Everything received before `now` was given. What there is to say goes to the outlet. Gives since when all are silent
    /// who were heard once, where that is so.
    fn advance(&mut self, now: Time, outlet: &Outlet) -> Option<Time>;

    /// Nothing more will come.
    fn end(&mut self, now: Time, outlet: &Outlet);
}

/// The sockets, and who is given what comes.
pub struct Listener {
    settings: Settings,
    sockets: Vec<UdpSocket>,
    metering: Box<dyn Metering>,
    /// The least that the kernel gave.
    buffer: usize,
}

impl Listener {
    /// One that waits to be started.
    pub fn new(settings: Settings, metering: Box<dyn Metering>) -> Self {
        Listener { settings, sockets: Vec::new(), metering, buffer: 0 }
    }

    fn places(&self) -> String {
        // Of port 0 the system has chosen one.
        let bound: BTreeSet<SocketAddr> =
            self.sockets.iter().filter_map(|one| one.local_addr().ok()).collect();
        let asked = self.settings.listen.iter().copied().collect();
        let places = if bound.is_empty() { asked } else { bound };
        let places: Vec<String> = places.iter().map(SocketAddr::to_string).collect();
        places.join(", ")
    }

    /// What it says of itself while it listens.
    fn says(&self) -> String {
        let (asked, given) = (self.settings.receive_buffer, self.buffer);
        let mib = |bytes: usize| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let buffer = match given < asked {
            // Linux says twice what may be used of it (socket(7)).
            true => format!(
                "the kernel holds {} for each socket instead of {}: set net.core.rmem_max = {asked}",
                mib(given),
                mib(asked)
            ),
            false => format!("the kernel holds {} for each socket", mib(given)),
        };
        format!("listens with {} sockets at {}; {buffer}", self.sockets.len(), self.places())
    }
}

impl Source for Listener {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn describe(&self) -> String {
        let whom = match self.settings.exporters.len() {
            0 => "any exporter".to_owned(),
            1 => "1 exporter".to_owned(),
            count => format!("{count} exporters"),
        };
        format!("NetFlow, IPFIX and sFlow from {whom} at {}", self.places())
    }

    fn prepare(&mut self) -> io::Result<()> {
        // Whoever else listens there with SO_REUSEPORT would be given a part of it, and nobody would say so.
        for listen in &self.settings.listen {
            drop(UdpSocket::bind(listen)?);
        }
        self.buffer = usize::MAX;
        for listen in &self.settings.listen {
            let mut address = *listen;
            for _ in 0..self.settings.sockets.max(1) {
                let (socket, buffer) = bind(address, self.settings.receive_buffer)?;
                // The others have to share the port that the first was given.
                address = socket.local_addr()?;
                self.buffer = self.buffer.min(buffer);
                self.sockets.push(socket);
            }
        }
        Ok(())
    }

    fn run(mut self: Box<Self>, outlet: &Outlet) {
        outlet.health.say(false, format!("no exporter was heard yet; {}", self.says()));
        let mut drops = Drops::of(&self.sockets);
        let (sender, packs) = mpsc::sync_channel(WAITING);
        std::thread::scope(|scope| {
            for socket in &self.sockets {
                let (sender, exporters) = (sender.clone(), &self.settings.exporters);
                let gather = gather(self.buffer);
                let mut reading =
                    Reading { socket, sender, exporters, gather, turned_away: BTreeSet::new(), outlet };
                let job = move || reading.run();
                if let Err(error) = std::thread::Builder::new().name("flows".into()).spawn_scoped(scope, job)
                {
                    tracing::error!(source = self.settings.name, %error, "no thread for a socket");
                }
            }
            drop(sender);
            let says = self.says();
            take(&mut *self.metering, &packs, &mut drops, (&says, outlet));
        });
    }
}

/// Takes what the sockets' threads read until they end.
fn take(
    metering: &mut dyn Metering,
    packs: &Receiver<Pack>,
    drops: &mut Drops,
    (says, outlet): (&str, &Outlet),
) {
    let mut clock = Steady::default();
    let mut steady =
        |now: Time| clock.told(now, "times of traffic are late by as much until it is set right");
    let mut second = steady(outlet.now()).seconds();
    // Whether anybody is heard, as it was said last.
    let mut is_heard = false;
    loop {
        let now = match packs.recv_timeout(TICK) {
            Ok(mut pack) => {
                pack.at = steady(pack.at);
                let unread =
                    pack.datagrams().filter(|(from, datagram)| !metering.take(*from, pack.at, datagram));
                let unread = unread.count();
                outlet.health.damaged.fetch_add(unread as u64, Ordering::Relaxed);
                // Junk is nobody's word.
                if unread < pack.ends.len() {
                    outlet.health.seen(pack.at);
                    if !std::mem::replace(&mut is_heard, true) {
                        outlet.health.say(true, says);
                    }
                }
                pack.at
            }
            Err(RecvTimeoutError::Timeout) => steady(outlet.now()),
            Err(RecvTimeoutError::Disconnected) => return metering.end(steady(outlet.now()), outlet),
        };
        if now.seconds() > second {
            second = now.seconds();
            let dropped = drops.new_ones();
            if dropped > 0 {
                outlet.health.missed.fetch_add(dropped, Ordering::Relaxed);
                metering.dropped(now, dropped);
            }
            if let Some(since) = metering.advance(now, outlet) {
                is_heard = false;
                outlet.health.say(false, format!("no exporter is heard since {since}; {says}"));
            }
        }
    }
}

/// A socket, its buffer as large as is allowed, and how large that is.
fn bind(address: SocketAddr, buffer: usize) -> io::Result<(UdpSocket, usize)> {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_port(true)?;
    // With the right to it (CAP_NET_ADMIN) more than net.core.rmem_max.
    set_socket_recv_buffer_size_force(&socket, buffer)
        .or_else(|_| set_socket_recv_buffer_size(&socket, buffer))?;
    // Linux doubles what was asked for, for its own bookkeeping, and says the double (socket(7)).
    let given = socket_recv_buffer_size(&socket)? / 2;
    socket.bind(&address.into())?;
    socket.set_read_timeout(Some(TICK))?;
    Ok((socket.into(), given))
}

/// How long a socket with a buffer of so many bytes may be left alone. One that is small is read without a pause.
fn gather(buffer: usize) -> Duration {
    GATHER.min(Duration::from_secs_f64(buffer as f64 / FILLING))
}

/// Datagrams that were read together.
struct Pack {
    at: Time,
    bytes: Vec<u8>,
    /// From whom, and where each ends.
    ends: Vec<(IpAddr, usize)>,
}

impl Pack {
    fn datagrams(&self) -> impl Iterator<Item = (IpAddr, &[u8])> {
        let begins = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        let datagrams = self.ends.iter().zip(begins);
        datagrams.filter_map(|((from, end), begin)| Some((*from, self.bytes.get(begin..*end)?)))
    }
}

/// Empties one socket.
struct Reading<'a> {
    socket: &'a UdpSocket,
    sender: SyncSender<Pack>,
    exporters: &'a BTreeSet<IpAddr>,
    /// How long to pause once all is read.
    gather: Duration,
    turned_away: BTreeSet<IpAddr>,
    outlet: &'a Outlet,
}

impl Reading<'_> {
    fn run(&mut self) {
        let mut room = vec![0; LARGEST];
        while !self.outlet.stop.is_set() {
            let (pack, is_all) = self.read(&mut room);
            let is_empty = pack.ends.is_empty();
            if !is_empty && self.sender.send(pack).is_err() {
                return;
            }
            if !is_empty && is_all {
                self.outlet.stop.sleep(self.gather);
            }
        }
    }

    /// What is there, and whether that was all; waits a while for the first.
    fn read(&mut self, room: &mut [u8]) -> (Pack, bool) {
        let mut pack = Pack { at: Time::MIN, bytes: Vec::new(), ends: Vec::new() };
        let mut flags = RecvFlags::empty();
        let (mut is_all, mut left) = (false, DATAGRAMS);
        while pack.bytes.len() < PACK && left > 0 {
            left -= 1;
            let (length, from) = match rustix::net::recvfrom(self.socket, &mut *room, flags) {
                Ok((length, _, from)) => (length, from.and_then(|from| SocketAddr::try_from(from).ok())),
                Err(error) => {
                    let kind = io::Error::from(error).kind();
                    if !matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) {
                        tracing::warn!(%error, "a socket for flows");
                        self.outlet.stop.sleep(TICK);
                    }
                    is_all = true;
                    break;
                }
            };
            flags = RecvFlags::DONTWAIT;
            let Some(from) = from.map(|from| from.ip().to_canonical()) else { continue };
            if !self.exporters.is_empty() && !self.exporters.contains(&from) {
                self.turn_away(from);
                continue;
            }
            if pack.ends.is_empty() {
                pack.bytes.reserve(PACK + LARGEST / 16);
            }
            pack.bytes.extend_from_slice(room.get(..length).unwrap_or_default());
            pack.ends.push((from, pack.bytes.len()));
        }
        self.outlet.health.messages.fetch_add(pack.ends.len() as u64, Ordering::Relaxed);
        pack.at = clock::now();
        (pack, is_all)
    }

    #[cold]
    fn turn_away(&mut self, from: IpAddr) {
        self.outlet.health.damaged.fetch_add(1, Ordering::Relaxed);
        if self.turned_away.len() < TURNED_AWAY && self.turned_away.insert(from) {
            tracing::warn!(exporter = %from, "an exporter was turned away: it is not in `exporters`");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Metering for Nobody {
        fn take(&mut self, _: IpAddr, _: Time, _: &[u8]) -> bool {
            true
        }
        fn dropped(&mut self, _: Time, _: u64) {}
        fn advance(&mut self, _: Time, _: &Outlet) -> Option<Time> {
            None
        }
        fn end(&mut self, _: Time, _: &Outlet) {}
    }

    #[test]
    fn where_another_listens_already_nothing_is_shared_out_in_silence() {
        let listener = |listen: SocketAddr| {
            let (name, listen) = ("edge".to_owned(), vec![listen]);
            let settings =
                Settings { name, listen, exporters: BTreeSet::new(), sockets: 2, receive_buffer: 1 << 16 };
            Listener::new(settings, Box::new(Nobody))
        };
        let mut first = listener("127.0.0.1:0".parse().expect("an address"));
        first.prepare().expect("a free port");
        let place = first.sockets[0].local_addr().expect("an address");
        let error = listener(place).prepare().expect_err("taken");
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(first);
        listener(place).prepare().expect("free again");
    }

    #[test]
    fn datagrams_gather_only_as_long_as_the_buffer_has_room_for_what_a_fast_link_brings() {
        assert_eq!(gather(64 << 20), GATHER);
        // What Linux gives to those who may not ask for more, twice over.
        assert!(gather(208 << 10) < Duration::from_micros(50));
        let buffer = 8 << 20;
        let arrived = gather(buffer).as_secs_f64() * 10e9 / 8.0;
        assert!(arrived * 4.0 <= buffer as f64 * 1.001, "{arrived}");
    }
}
