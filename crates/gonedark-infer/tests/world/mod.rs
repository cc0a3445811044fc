//! A small Internet for tests: collectors, peers with full feeds, and a few countries.
#![allow(dead_code, unreachable_pub)]

use gonedark_infer::entity::CountryCode;
use gonedark_infer::observation::{CollectorId, Delegations, Named, PeerId, PeerKey, TableEntry, Update};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{Incident, Report};
use gonedark_infer::{Inference, Watch};
use gonedark_route::{Asn, AsnSize, PathView, Prefix, Time};

/// Prefix to country, and AS to country.
pub struct Registry(pub Vec<(&'static str, &'static str)>, pub Vec<(u32, &'static str)>);

impl Delegations for Registry {
    fn split(&self, prefix: Prefix, into: &mut Vec<(CountryCode, u64)>) {
        for (space, country) in &self.0 {
            let space: Prefix = space.parse().unwrap();
            if space.covers(prefix) {
                into.push((CountryCode::new(country).unwrap(), units(prefix)));
            } else if prefix.covers(space) {
                into.push((CountryCode::new(country).unwrap(), units(space)));
            }
        }
        into.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
    }

    fn country_of_asn(&self, asn: Asn) -> Option<CountryCode> {
        let found = self.1.iter().find(|(number, _)| *number == asn.0)?;
        CountryCode::new(found.1)
    }
}

fn units(prefix: Prefix) -> u64 {
    let unit: u8 = if prefix.family() == gonedark_route::Family::V4 { 24 } else { 48 };
    1 << unit.saturating_sub(prefix.length())
}

pub const KP: [&str; 4] = ["175.45.176.0/24", "175.45.177.0/24", "175.45.178.0/24", "175.45.179.0/24"];
/// 2014-12-22T00:00:00Z.
pub const MIDNIGHT: i64 = 1_419_206_400;

pub fn registry() -> Registry {
    Registry(
        vec![
            ("175.45.176.0/22", "KP"),
            ("5.0.0.0/16", "SY"),
            ("2a00:1000::/32", "SY"),
            ("8.0.0.0/8", "US"),
            ("1.0.0.0/9", "CN"),
            ("1.128.0.0/9", "AU"),
        ],
        vec![
            (131279, "KP"),
            (4837, "CN"),
            (29256, "SY"),
            (3356, "US"),
            (1299, "SE"),
            (64999, "KP"),
            (6939, "US"),
        ],
    )
}

/// Seconds after midnight of 22 December 2014.
pub fn at(seconds: i64) -> Time {
    Time::from_seconds(MIDNIGHT + seconds)
}

pub fn hms(hour: i64, minute: i64, second: i64) -> i64 {
    hour * 3600 + minute * 60 + second
}

pub fn path(asns: &[u32]) -> Vec<u8> {
    let mut bytes = vec![2, asns.len() as u8];
    bytes.extend(asns.iter().flat_map(|asn| asn.to_be_bytes()));
    bytes
}

/// The whole Internet of the tests: 4 networks of KP, 20 of US, 30 of SY in both families.
pub fn everything() -> Vec<(Prefix, Vec<u32>)> {
    let mut routes: Vec<(Prefix, Vec<u32>)> =
        KP.iter().map(|prefix| (prefix.parse().unwrap(), vec![4837, 131279])).collect();
    routes.extend((0..60).map(|net| (format!("8.{net}.0.0/16").parse().unwrap(), vec![3356])));
    routes.extend((0..30).map(|net| (format!("5.0.{net}.0/24").parse().unwrap(), vec![3491, 29256])));
    routes.extend((0..30).map(|net| (format!("2a00:1000:{net:x}::/48").parse().unwrap(), vec![3491, 29256])));
    routes
}

/// The same without North Korea.
pub fn all_but_kp() -> Vec<(Prefix, Vec<u32>)> {
    let mut routes = everything();
    routes.retain(|(prefix, _)| !KP.contains(&&*prefix.to_string()));
    routes
}

pub struct World {
    pub inference: Inference,
    pub collectors: Vec<CollectorId>,
    pub peers: Vec<PeerId>,
    pub asns: Vec<u32>,
}

impl World {
    /// `asns[i]` is a full-feed peer of collector `i % collectors`.
    pub fn new(collectors: usize, asns: &[u32]) -> Self {
        Self::with(collectors, asns, registry(), Watch::default(), 1)
    }

    pub fn with(collectors: usize, asns: &[u32], registry: Registry, watch: Watch, shards: usize) -> Self {
        let inference = Inference::new(Parameters::default(), Box::new(registry), watch, shards);
        Self::of(inference, collectors, asns)
    }

    /// One to which no outage is too short to be told.
    pub fn of_short_outages(collectors: usize, asns: &[u32]) -> Self {
        let parameters = Parameters { min_duration: 0, ..Parameters::default() };
        Self::of(Inference::new(parameters, Box::new(registry()), Watch::default(), 1), collectors, asns)
    }

    fn of(mut inference: Inference, collectors: usize, asns: &[u32]) -> Self {
        let collectors: Vec<CollectorId> =
            (0..collectors).map(|number| inference.collector(&format!("rrc{number:02}"))).collect();
        let peers = asns
            .iter()
            .enumerate()
            .map(|(index, asn)| {
                let collector = collectors[index % collectors.len()];
                let address = format!("192.65.185.{}", index + 1).parse().unwrap();
                inference.peer(PeerKey { collector, asn: Asn(*asn), address }).unwrap()
            })
            .collect();
        World { inference, collectors, peers, asns: asns.to_vec() }
    }

    /// Twelve full feeds at three collectors, which give their tables at midnight.
    pub fn started() -> Self {
        let mut world = Self::new(3, &TWELVE);
        world.tables(0);
        world
    }

    /// Every collector gives a table of everything, as of `seconds`.
    pub fn tables(&mut self, seconds: i64) {
        self.tables_of(seconds, &everything());
    }

    pub fn tables_of(&mut self, seconds: i64, routes: &[(Prefix, Vec<u32>)]) {
        for collector in 0..self.collectors.len() {
            self.table(seconds, collector, routes, |_, _| true);
        }
    }

    pub fn table(
        &mut self,
        seconds: i64,
        collector: usize,
        routes: &[(Prefix, Vec<u32>)],
        holds: impl Fn(usize, Prefix) -> bool,
    ) {
        let id = self.collectors[collector];
        self.inference.table_begin(at(seconds), id);
        let count = self.collectors.len();
        for (prefix, tail) in routes {
            let own = (0..self.peers.len()).filter(|peer| peer % count == collector && holds(*peer, *prefix));
            let paths: Vec<(PeerId, Vec<u8>)> =
                own.map(|peer| (self.peers[peer], path(&[&[self.asns[peer]], &tail[..]].concat()))).collect();
            let entry = |(peer, path): &(PeerId, Vec<u8>)| TableEntry {
                peer: *peer,
                tail: PathView::new(path, AsnSize::Four).tail(),
                path_id: 0,
            };
            if !paths.is_empty() {
                let network = self.inference.network(*prefix).unwrap();
                self.inference.table_row(id, network, paths.iter().map(entry));
            }
        }
        self.inference.table_end(id, true);
    }

    pub fn named(&mut self, prefixes: &[&str], path_id: u32) -> Vec<Named> {
        let network = |prefix: &&str| self.inference.network(prefix.parse().unwrap()).unwrap();
        prefixes.iter().map(network).map(|network| Named { network, path_id }).collect()
    }

    pub fn withdraw(&mut self, seconds: i64, peer: usize, prefixes: &[&str]) {
        let withdrawn = self.named(prefixes, 0);
        self.inference.update(&Update {
            at: at(seconds),
            peer: self.peers[peer],
            tail: None,
            announced: &[],
            withdrawn: &withdrawn,
        });
    }

    pub fn announce(&mut self, seconds: i64, peer: usize, tail: &[u32], prefixes: &[&str]) {
        let announced = self.named(prefixes, 0);
        let path = path(&[&[self.asns[peer]], tail].concat());
        self.inference.update(&Update {
            at: at(seconds),
            peer: self.peers[peer],
            tail: Some(PathView::new(&path, AsnSize::Four).tail()),
            announced: &announced,
            withdrawn: &[],
        });
    }

    /// All peers lose the prefixes, one after another from `from` on, `apart` seconds between them.
    pub fn all_withdraw(&mut self, from: i64, apart: i64, prefixes: &[&str]) {
        for peer in 0..self.peers.len() {
            self.withdraw(from + peer as i64 * apart, peer, prefixes);
        }
    }

    pub fn all_announce(&mut self, from: i64, apart: i64, tail: &[u32], prefixes: &[&str]) {
        for peer in 0..self.peers.len() {
            self.announce(from + peer as i64 * apart, peer, tail, prefixes);
        }
    }

    /// Every session is told to come up, or to be lost.
    pub fn all_sessions(&mut self, seconds: i64, established: bool) {
        for peer in self.peers.clone() {
            self.inference.peer_state(at(seconds), peer, established);
        }
    }

    pub fn report(&mut self, seconds: i64) -> Report {
        self.inference.report(at(seconds))
    }
}

pub const TWELVE: [u32; 12] = [701, 174, 2914, 3257, 1299, 6939, 6453, 3320, 5511, 6762, 12956, 9002];

pub fn incidents_of<'a>(report: &'a Report, country: &str) -> Vec<&'a Incident> {
    report.incidents.iter().filter(|incident| incident.entity.code() == country).collect()
}
