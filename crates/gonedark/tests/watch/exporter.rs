//! An exporter on this machine: what a router says of the traffic through it, to a watch that listens.

use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Microseconds since 1970.
pub(crate) fn now() -> i64 {
    gonedark::clock::now().micros()
}

/// A router that tells of flows to one address.
pub(crate) struct Exporter {
    socket: UdpSocket,
    sequence: u32,
}

/// The template of the flows below (RFC 3954 section 8): source, target, ports, protocol, flags, packets, bytes, begin, end.
const FIELDS: [(u16, u16); 10] =
    [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4)];
/// How long it has been up, in milliseconds.
const UPTIME: u32 = 3_600_000;

impl Exporter {
    /// One at an address of the loopback.
    pub(crate) fn new(from: [u8; 4], to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::from(from), 0)).expect("a socket");
        socket.connect(to).expect("connected");
        Exporter { socket, sequence: 0 }
    }

    /// SYNs to port 80 of a target, `packets` in each of 30 flows from 30 sources, in NetFlow version 5.
    pub(crate) fn floods(&mut self, target: [u8; 4], packets: u32) {
        let seconds = (now() / 1_000_000) as u32;
        let nanos = ((now() % 1_000_000) * 1_000) as u32;
        let mut datagram = [5_u16.to_be_bytes(), 30_u16.to_be_bytes()].concat();
        for word in [UPTIME, seconds, nanos, self.sequence, 0] {
            datagram.extend(word.to_be_bytes());
        }
        for number in 0..30_u8 {
            datagram.extend([198, 51, 100, number]);
            datagram.extend(target);
            datagram.extend([0; 8]);
            for word in [packets, packets * 40, UPTIME - 100, UPTIME] {
                datagram.extend(word.to_be_bytes());
            }
            datagram.extend(1_024_u16.to_be_bytes());
            datagram.extend(80_u16.to_be_bytes());
            // Padding, SYN, TCP, service; ASes, masks, padding.
            datagram.extend([0, 2, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        self.sequence += 30;
        self.send(&datagram);
    }

    /// Leaves out datagrams of the sequence, as if they were lost on the way.
    pub(crate) fn loses(&mut self, records: u32) {
        self.sequence += records;
    }

    /// The template of version 9 alone.
    pub(crate) fn template(&mut self) {
        let mut set =
            [0_u16, 8 + 4 * FIELDS.len() as u16, 256, FIELDS.len() as u16].map(u16::to_be_bytes).concat();
        set.extend(
            FIELDS
                .iter()
                .flat_map(|(element, length)| [element.to_be_bytes(), length.to_be_bytes()].concat()),
        );
        self.version_9(&set);
    }

    /// The same flood in version 9, without its template.
    pub(crate) fn floods_in_9(&mut self, target: [u8; 4], packets: u32) {
        let mut records = Vec::new();
        for number in 0..30 {
            records.extend([198, 51, 100, number]);
            records.extend(target);
            records.extend([4, 0, 0, 80, 6, 2]);
            for word in [packets, packets * 40, UPTIME - 100, UPTIME] {
                records.extend(word.to_be_bytes());
            }
        }
        let set = [256_u16.to_be_bytes(), (4 + records.len() as u16).to_be_bytes()].concat();
        self.version_9(&[set, records].concat());
    }

    fn version_9(&mut self, set: &[u8]) {
        let mut datagram = [9_u16.to_be_bytes(), 1_u16.to_be_bytes()].concat();
        for word in [UPTIME, (now() / 1_000_000) as u32, self.sequence, 7] {
            datagram.extend(word.to_be_bytes());
        }
        self.sequence += 1;
        self.send(&[&datagram, set].concat());
    }

    pub(crate) fn send(&self, datagram: &[u8]) {
        // Nobody may listen at the moment.
        let _ = self.socket.send(datagram);
    }
}

/// A watch that listens for flows.
pub(crate) struct Listening {
    child: Child,
    /// Where exporters send to.
    pub(crate) at: SocketAddr,
    config: PathBuf,
    pub(crate) store: PathBuf,
}

impl Listening {
    /// Starts one in a folder; `more` stands in the configuration as well.
    pub(crate) fn start(folder: &Path, more: &str) -> Self {
        let (config, store) = (folder.join("gonedark.toml"), folder.join("gonedark.db"));
        let text = format!(
            "{more}\n[store]\npath = {store:?}\ncommit = \"50ms\"\nsnapshot = \"1s\"\n\
             [[source.flows]]\nname = \"edge\"\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(&config, text).expect("a configuration");
        Self::again(config, store)
    }

    fn again(config: PathBuf, store: PathBuf) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        command.args(["watch", "--config"]).arg(&config).env("NO_COLOR", "1").env("RUST_LOG", "warn");
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it runs");
        let said = BufReader::new(child.stdout.take().expect("its output")).lines().map_while(Result::ok);
        let source =
            said.into_iter().find(|line| line.starts_with("Source edge")).expect("it says where it listens");
        let place = source.trim_end_matches('.').rsplit(' ').next().expect("a place");
        Listening { child, at: place.parse().expect("an address"), config, store }
    }

    /// Kills it, does something meanwhile, and starts it again.
    pub(crate) fn kill_and_start_again(mut self, meanwhile: impl FnOnce()) -> Self {
        self.child.kill().and_then(|()| self.child.wait()).expect("killed");
        meanwhile();
        let (config, store) = (self.config.clone(), self.store.clone());
        drop(self);
        Self::again(config, store)
    }

    /// Ends it in good order.
    pub(crate) fn end(&mut self) {
        let pid = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success());
        assert!(self.child.wait().expect("it ends").success());
    }

    /// The one row that a query gives, as text, once it gives one; `None` after ten seconds.
    pub(crate) fn row(&self, query: &str) -> Option<String> {
        for _ in 0..100 {
            let db = rusqlite::Connection::open(&self.store).expect("a store");
            if let Ok(row) = db.query_row(query, [], |row| row.get::<_, String>(0)) {
                return Some(row);
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        None
    }

    /// What `gonedark status` says.
    pub(crate) fn status(&self) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        let output = command.args(["status", "--config"]).arg(&self.config).env("COLUMNS", "200").output();
        String::from_utf8(output.expect("it runs").stdout).expect("text")
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
