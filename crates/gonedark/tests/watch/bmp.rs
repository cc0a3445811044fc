//! A BMP station on this machine, and routers that connect to it.

use gonedark::source::batch::Observation;
use gonedark::source::bmp::{Settings, Station, Taken};
use gonedark::source::live::{self, Outlet, Running, Source, Stop};
use gonedark::source::parcel::Parcel;
use socket2::{Domain, Socket, Type};
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

/// A station that runs, and what it hands on.
struct Listening {
    address: SocketAddr,
    stop: Stop,
    running: Option<Running>,
    parcels: Receiver<Parcel>,
}

impl Listening {
    fn new() -> Self {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let settings = Settings {
            name: "station".into(),
            listen: address,
            routers: Vec::new(),
            hold: 200_000,
            view: Taken::PrePolicy,
        };
        let mut station: Box<dyn Source> = Box::new(Station::new(settings));
        station.prepare().expect("it listens");
        let (stop, (sender, parcels)) = (Stop::default(), sync_channel(64));
        let running = live::start(station, Outlet::new(sender, stop.clone(), Default::default()));
        Listening { address, stop, running: Some(running.expect("it runs")), parcels }
    }

    /// A router at an address of the loopback.
    fn connect(&self, from: [u8; 4]) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        socket.bind(&SocketAddr::from((from, 0)).into()).expect("an address");
        socket.connect(&self.address.into()).expect("it listens");
        socket.into()
    }

    /// Parcels until `done`; a hundred of them, or five seconds, at the most.
    fn until(&self, done: impl Fn(&[Parcel]) -> bool) -> Vec<Parcel> {
        let mut some = Vec::new();
        for _ in 0..100 {
            if done(&some) {
                return some;
            }
            some.extend(self.parcels.recv_timeout(Duration::from_millis(50)));
        }
        assert!(done(&some), "{some:#?}");
        some
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.stop();
        // It may wait for room.
        while self.parcels.recv_timeout(Duration::from_millis(300)).is_ok() {}
        self.running.take().map(Running::join);
    }
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (6 + body.len()) as u32;
    [&[3], &length.to_be_bytes()[..], &[kind], body].concat()
}

/// Initiation (RFC 7854 section 4.3) with the name of the router.
fn initiation(name: &str) -> Vec<u8> {
    let tlv = |kind: u8, text: &str| [&[0, kind, 0, text.len() as u8], text.as_bytes()].concat();
    message(4, &[tlv(1, "none"), tlv(2, name)].concat())
}

/// Peer Down (section 4.9) of AS64496 at 192.0.2.1: the shortest that tells of a session.
fn peer_down() -> Vec<u8> {
    let mut header = vec![0; 42];
    header[22..26].copy_from_slice(&[192, 0, 2, 1]);
    header[26..30].copy_from_slice(&64496u32.to_be_bytes());
    header.push(4);
    message(2, &header)
}

fn collectors(parcels: &[Parcel]) -> Vec<&str> {
    let mut names: Vec<&str> = parcels.iter().map(|parcel| parcel.stream.collector.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn closings(parcels: &[Parcel]) -> usize {
    parcels.iter().filter(|parcel| parcel.closed).count()
}

#[test]
fn two_routers_of_one_name_are_two_collectors() {
    let station = Listening::new();
    let said = [initiation("GoBGP"), peer_down()].concat();
    let mut first = station.connect([127, 0, 0, 2]);
    first.write_all(&said).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    let mut second = station.connect([127, 0, 0, 3]);
    second.write_all(&said).expect("sent");
    let parcels = station.until(|parcels| collectors(parcels).len() == 2);
    assert_eq!(collectors(&parcels), ["station/GoBGP", "station/GoBGP@127.0.0.3"]);
    drop((first, second));
    station.until(|parcels| closings(parcels) == 2);
}

#[test]
fn a_router_that_connects_anew_takes_the_place_of_its_dead_connection() {
    let station = Listening::new();
    let said = [initiation("edge"), peer_down()].concat();
    let mut dead = station.connect([127, 0, 0, 2]);
    dead.write_all(&said).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    let mut anew = station.connect([127, 0, 0, 2]);
    anew.write_all(&said).expect("sent");
    let begins = |parcels: &[Parcel]| parcels.iter().any(|parcel| parcel.fresh);
    let parcels = station.until(begins);
    assert_eq!((collectors(&parcels), closings(&parcels)), (vec!["station/edge"], 0));
    drop(dead);
    drop(anew);
    let parcels = station.until(|parcels| closings(parcels) > 0);
    assert_eq!(closings(&parcels), 1, "the dead one says nothing more");
}

#[test]
fn a_router_that_goes_away_leaves_nobody_who_sees() {
    let station = Listening::new();
    let mut router = station.connect([127, 0, 0, 2]);
    router.write_all(&[initiation("edge"), peer_down()].concat()).expect("sent");
    station.until(|parcels| !parcels.is_empty());
    drop(router);
    let parcels = station.until(|parcels| closings(parcels) == 1);
    let last = parcels.last().and_then(|parcel| parcel.batch.observations.last());
    assert!(matches!(last, Some((_, Observation::GapBegin { .. }))), "{last:?}");
}
