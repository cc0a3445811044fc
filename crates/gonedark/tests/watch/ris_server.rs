//! A server of RIS Live on this machine, and a client of it that is watched.

use gonedark::source::batch::Observation;
use gonedark::source::channel::{Arrivals, channel};
use gonedark::source::live::{self, Health, Outlet, Running, Stop};
use gonedark::source::parcel::{Freight, Parcel, Part, StreamKey};
use gonedark::source::ris_live::{Pace, RisLive, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tungstenite::{Message, WebSocket};

/// What the server does with one connection.
pub(crate) type Script = Box<dyn FnOnce(&mut Peer) + Send>;

/// The client, as the server has it.
pub(crate) struct Peer {
    socket: WebSocket<TcpStream>,
    /// What it has asked for.
    pub(crate) subscriptions: Vec<String>,
}

impl Peer {
    /// Sends lines, as fast as they are taken.
    pub(crate) fn say<T: AsRef<str>>(&mut self, lines: impl IntoIterator<Item = T>) {
        for line in lines {
            if self.socket.write(Message::text(line.as_ref().to_owned())).is_err() {
                return;
            }
        }
        let _ = self.socket.flush();
    }

    /// Sends a line that never ends, piece by piece, until the client goes or `done`.
    pub(crate) fn drip(&mut self, done: impl Fn() -> bool) {
        // The begin of a text and its continuations, none of them the last (RFC 6455 section 5.4).
        let mut piece: &[u8] = &[0x01, 0x01, b'{'];
        while !done() && self.socket.get_mut().write_all(piece).is_ok() {
            piece = &[0x00, 0x01, b' '];
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Answers pings until the client goes, or until `done`.
    pub(crate) fn stay(&mut self, done: impl Fn() -> bool) {
        let timeout = Some(Duration::from_millis(20));
        self.socket.get_ref().set_read_timeout(timeout).expect("a socket");
        while !done() {
            match self.socket.read() {
                Ok(Message::Text(text)) if text.contains("ping") => {
                    self.say([r#"{"type":"pong","data":null}"#])
                }
                Ok(_) => {}
                Err(tungstenite::Error::Io(error)) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return,
            }
        }
    }
}

/// Serves one connection after the other, one for each script, and gives the address.
pub(crate) fn serve(scripts: Vec<Script>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}/v1/ws/?client=test", listener.local_addr().expect("its address"));
    let work = move || {
        for script in scripts {
            let (stream, _) = listener.accept().expect("a client");
            let Ok(mut socket) = tungstenite::accept(stream) else { continue };
            let Ok(Message::Text(first)) = socket.read() else { continue };
            script(&mut Peer { socket, subscriptions: vec![first.to_string()] });
        }
    };
    std::thread::spawn(work);
    url
}

/// Bytes of which no test uses up all.
pub(crate) const ROOM: usize = 64 << 20;

/// A client that runs.
pub(crate) struct Client {
    pub(crate) health: Arc<Health>,
    pub(crate) parcels: Arrivals,
    stop: Stop,
    running: Option<Running>,
}

/// Starts a client of `url` that hands on through a channel that has room for `room` bytes and goes on from `positions`.
pub(crate) fn hear(url: &str, room: usize, positions: BTreeMap<StreamKey, String>) -> Client {
    hear_until_silent(url, room, positions, Duration::from_secs(600))
}

/// The same; a collector of which nothing comes for so long is `silent`.
pub(crate) fn hear_until_silent(
    url: &str,
    room: usize,
    positions: BTreeMap<StreamKey, String>,
    silent: Duration,
) -> Client {
    let short = Duration::from_millis;
    let settings = Settings {
        name: "ris".into(),
        url: url.to_owned(),
        collectors: BTreeSet::new(),
        prefixes: Vec::new(),
        asns: Vec::new(),
        hold: 500_000,
        expected: BTreeSet::new(),
        pace: Pace { dead: short(1000), again: short(50), patience: short(300), silent },
    };
    let (sender, parcels) = channel();
    let stop = Stop::default();
    let outlet = Outlet::new(sender.of_source(room), stop.clone(), Arc::new(positions));
    let health = Arc::clone(&outlet.health);
    let running = live::start(Box::new(RisLive::new(settings)), outlet).expect("a thread");
    Client { health, parcels, stop, running: Some(running) }
}

impl Client {
    /// Parcels until what has come is `enough`, or for ten seconds.
    pub(crate) fn until(&self, enough: impl Fn(&[Parcel]) -> bool) -> Vec<Parcel> {
        let mut parcels = Vec::new();
        for _ in 0..200 {
            while let Ok(Freight::Parcel(parcel)) = self.parcels.recv_timeout(Duration::from_millis(50)) {
                parcels.push(parcel);
                if enough(&parcels) {
                    return parcels;
                }
            }
        }
        panic!("it did not come: {:?}; {:#?}", self.health.condition(), told(&parcels));
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.stop();
        // What it still wants to send finds nobody.
        let (_, nobody) = channel();
        drop(std::mem::replace(&mut self.parcels, nobody));
        if let Some(running) = self.running.take() {
            assert!(running.join(), "it ended by a bug");
        }
    }
}

/// What is told of each collector, a word for each observation.
pub(crate) fn told(parcels: &[Parcel]) -> BTreeMap<String, Vec<&'static str>> {
    let mut told: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    for parcel in parcels {
        let words = told.entry(parcel.stream.collector.clone()).or_default();
        words.extend(parcel.batch.observations.iter().map(|(_, what)| match what {
            Observation::Update { .. } => "update",
            Observation::Session { established: true, .. } => "up",
            Observation::Session { established: false, .. } => "down",
            Observation::GapBegin { .. } => "blind",
            Observation::GapEnd => "sees",
            Observation::Damaged { .. } => "damaged",
            _ => "other",
        }));
    }
    told
}

/// How often `word` is told, of all collectors.
pub(crate) fn count(parcels: &[Parcel], word: &str) -> usize {
    told(parcels).values().flatten().filter(|told| **told == word).count()
}

/// A message of RIS Live, without the BGP message.
pub(crate) fn line(host: &str, peer: u8, seconds: f64, rest: &str) -> String {
    format!(
        r#"{{"type":"ris_message","data":{{"timestamp":{seconds:.2},"peer":"192.0.2.{peer}","peer_asn":"{}","id":"x","host":"{host}.ripe.net",{rest}}}}}"#,
        64_500 + u32::from(peer)
    )
}

/// An announcement of a network of North Korea.
pub(crate) fn announce(host: &str, peer: u8, seconds: f64) -> String {
    let path = 64_500 + u32::from(peer);
    let rest = format!(
        r#""type":"UPDATE","path":[{path},4837,131279],"announcements":[{{"next_hop":"192.0.2.1","prefixes":["175.45.176.0/24"]}}]"#
    );
    line(host, peer, seconds, &rest)
}

/// Its withdrawal.
pub(crate) fn withdraw(host: &str, peer: u8, seconds: f64) -> String {
    line(host, peer, seconds, r#""type":"UPDATE","withdrawals":["175.45.176.0/24"]"#)
}

/// The folder of recorded messages. `None`, said aloud, where there is none; on CI it has to be there.
pub(crate) fn captures() -> Option<PathBuf> {
    let root = std::env::var_os("GONEDARK_SHARED")
        .map(PathBuf::from)
        .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    let folder = root.join("data/bgp");
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "on CI the captures have to be at {}", folder.display());
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    let said = format!("test passed over: {test}: no captures at {}\n", folder.display());
    let _ = std::io::stderr().write_all(said.as_bytes());
    None
}

/// The key of a stream.
pub(crate) fn key(source: &str, collector: &str, part: Part) -> StreamKey {
    StreamKey { source: source.into(), collector: collector.into(), part }
}

/// Something that a script and its test share.
pub(crate) fn shared<T: Default>() -> (Arc<Mutex<T>>, Arc<Mutex<T>>) {
    let one = Arc::new(Mutex::new(T::default()));
    (Arc::clone(&one), one)
}
