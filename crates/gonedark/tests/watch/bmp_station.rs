//! A BMP station on this machine.

use gonedark::source::bmp::{Distinguisher, Settings, Station, Taken};
use gonedark::source::channel::{Arrivals, channel};
use gonedark::source::live::{self, Outlet, Running, Source, Stop};
use gonedark::source::parcel::{Freight, Parcel};
use socket2::{Domain, Socket, Type};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// A station that runs, and what it hands on.
pub(crate) struct Listening {
    address: SocketAddr,
    stop: Stop,
    running: Option<Running>,
    parcels: Arrivals,
}

impl Listening {
    pub(crate) fn new(view: Taken) -> Self {
        Self::of(view, None)
    }

    /// One for the tables of a routing instance.
    pub(crate) fn of(view: Taken, vrf: Option<Distinguisher>) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        Self::at(address, Vec::new(), (view, vrf))
    }

    /// One for some routers only; they reach it at the loopback, whatever it listens to.
    pub(crate) fn at(
        listen: SocketAddr,
        routers: Vec<IpAddr>,
        (view, vrf): (Taken, Option<Distinguisher>),
    ) -> Self {
        let settings = Settings { name: "station".into(), listen, routers, hold: 200_000, view, vrf };
        let address = SocketAddr::from(([127, 0, 0, 1], listen.port()));
        let mut station: Box<dyn Source> = Box::new(Station::new(settings));
        station.prepare().expect("it listens");
        let (stop, (sender, parcels)) = (Stop::default(), channel());
        let departures = sender.of_source(station.room());
        let running = live::start(station, Outlet::new(departures, stop.clone(), Default::default()));
        Listening { address, stop, running: Some(running.expect("it runs")), parcels }
    }

    /// A router at an address of the loopback.
    pub(crate) fn connect(&self, from: [u8; 4]) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address");
        socket.connect(&self.address.into()).expect("it listens");
        socket.into()
    }

    /// Parcels until `done`; a hundred of them, or five seconds, at the most.
    pub(crate) fn until(&self, done: impl Fn(&[Parcel]) -> bool) -> Vec<Parcel> {
        let mut some = Vec::new();
        for _ in 0..100 {
            if done(&some) {
                return some;
            }
            some.extend(self.parcels.recv_timeout(Duration::from_millis(50)).ok().and_then(Freight::parcel));
        }
        assert!(done(&some), "{some:#?}");
        some
    }

    /// All that comes until `done`.
    pub(crate) fn drain(&self, done: impl Fn(&Self) -> bool) -> Vec<Parcel> {
        let mut some = Vec::new();
        while !done(self) {
            some.extend(self.parcels.recv_timeout(Duration::from_millis(10)).ok().and_then(Freight::parcel));
        }
        some
    }

    /// Messages that it has read.
    pub(crate) fn messages(&self) -> u64 {
        self.running.as_ref().map_or(0, |running| running.health.messages.load(Ordering::Relaxed))
    }

    /// Stops it, and gives what it had still to hand on.
    pub(crate) fn end(&mut self) -> Vec<Parcel> {
        self.stop.stop();
        // Until nobody can send any more: it may wait for room.
        let rest = std::iter::from_fn(|| self.parcels.recv_timeout(Duration::from_secs(5)).ok())
            .filter_map(Freight::parcel)
            .collect();
        assert!(self.running.take().is_none_or(Running::join), "it ended by a bug");
        rest
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.end();
        }
    }
}
