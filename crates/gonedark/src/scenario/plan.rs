//! A checked scenario: names resolved to indices, plans cut into networks, every number within its range.

use super::text::{BackgroundText, Compression, Document, Layout, ProtocolText};
use super::topology::Topology;
use gonedark_infer::entity::CountryCode;
use gonedark_route::{Asn, Family, Prefix, Time};
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

/// An invented or reconstructed Internet and what happens in it. Made by [`Scenario::parse`](super::Scenario::parse).
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name, for messages.
    pub name: String,
    /// What it tells, in one line.
    pub title: String,
    /// What it is and is not.
    pub notice: String,
    /// Everything random is drawn from this.
    pub seed: u64,
    /// Begin of the recordings.
    pub from: Time,
    /// End of the recordings (excluded).
    pub until: Time,
    /// Who records.
    pub collectors: Vec<Collector>,
    /// Their peers, collector by collector.
    pub peers: Vec<Peer>,
    /// Every network that is announced at some time, those of leaks included.
    pub networks: Vec<Network>,
    pub(crate) vias: Vec<Vec<Asn>>,
    pub(crate) topology: Topology,
    pub(crate) background: BackgroundText,
    pub(crate) events: Vec<Event>,
    /// Who tells of traffic.
    pub exporters: Vec<Exporter>,
    pub(crate) attacks: Vec<Attack>,
    /// The text that it was made from.
    pub(crate) document: Document,
}

impl Scenario {
    /// The countries that its events withdraw networks of, ascending: whom it tells of.
    pub fn subjects(&self) -> Vec<String> {
        let lost = self.events.iter().filter_map(|event| match &event.what {
            What::Lose { networks, .. } => Some(networks),
            What::Flaps(flaps) => Some(&flaps.networks),
            _ => None,
        });
        let countries = lost.flatten().filter_map(|network| self.networks.get(*network as usize)?.country);
        let countries: std::collections::BTreeSet<CountryCode> = countries.collect();
        countries.iter().map(ToString::to_string).collect()
    }
}

/// A collector.
#[derive(Clone, Debug)]
pub struct Collector {
    /// The name of its folder.
    pub name: String,
    /// How its files are named.
    pub layout: Layout,
    /// How they are packed.
    pub compression: Compression,
    /// Length of an update file in microseconds.
    pub updates_every: i64,
    /// Distance of the tables in microseconds.
    pub tables_every: Option<i64>,
    /// Whether its stamps carry microseconds.
    pub micros: bool,
    /// Microseconds by which its clock is ahead.
    pub skew: i64,
    /// Its peers, as indices into [`Scenario::peers`].
    pub peers: Range<usize>,
    /// Intervals without update files, by the collector's own clock, aligned to files, ascending.
    pub missing: Vec<(Time, Time)>,
}

impl Collector {
    /// What the collector's clock shows at a moment, as it writes it down.
    pub fn stamp(&self, at: Time) -> Time {
        let shown = at + self.skew;
        if self.micros { shown } else { Time::from_seconds(shown.seconds()) }
    }

    /// Whether the file that a stamp belongs to is missing.
    pub fn is_missing(&self, stamp: Time) -> bool {
        self.missing.iter().any(|(from, until)| *from <= stamp && stamp < *until)
    }
}

/// A peer of a collector.
#[derive(Clone, Debug)]
pub struct Peer {
    /// Index of its collector.
    pub collector: usize,
    /// Its AS.
    pub asn: Asn,
    /// Its address in the session.
    pub address: IpAddr,
    /// Whether it gives every network.
    pub full: bool,
    /// Whether it gives IPv4 and IPv6 (index by `Family as usize`).
    pub families: [bool; 2],
    /// Whether the session has ADD-PATH.
    pub add_path: bool,
    /// The country it stands in.
    pub country: Option<CountryCode>,
    pub(crate) share: f64,
    pub(crate) carries: Vec<CountryCode>,
}

impl Peer {
    /// Whether it votes on networks of this family and country: a full feed from outside the country.
    pub fn votes_on(&self, family: Family, country: Option<CountryCode>) -> bool {
        self.full && self.families[family as usize] && (self.country.is_none() || self.country != country)
    }
}

/// A network.
#[derive(Clone, Debug)]
pub struct Network {
    /// Its prefix.
    pub prefix: Prefix,
    /// Who originates it.
    pub origin: Asn,
    /// Whose it is; `None` for a leak's.
    pub country: Option<CountryCode>,
    /// Whether it is announced from the begin.
    pub announced: bool,
    pub(crate) churn: bool,
    pub(crate) via: u16,
    /// The nearest network of the same country that covers it.
    pub(crate) cover: Option<u32>,
    /// /24s or /48s that it holds and no network under it does; at least 1 for a longer prefix.
    pub(crate) exclusive: u64,
}

/// A router that exports flows.
#[derive(Clone, Debug)]
pub struct Exporter {
    /// The name of its file.
    pub name: String,
    /// Where its datagrams come from.
    pub address: Ipv4Addr,
    /// One packet in so many is counted.
    pub sampling: u32,
    /// In microseconds.
    pub active_timeout: i64,
    /// Packets a second to each address that is attacked at some time.
    pub usual_pps: u32,
}

/// A flood of packets, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Attack {
    pub(crate) at: Time,
    pub(crate) until: Time,
    pub(crate) targets: Vec<Ipv4Addr>,
    pub(crate) protocol: ProtocolText,
    pub(crate) ports: (Option<u16>, Option<u16>),
    pub(crate) packet_bytes: u32,
    pub(crate) peak_pps: u64,
    pub(crate) sources: u32,
}

/// Something that happens, resolved.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) at: Time,
    pub(crate) what: What,
}

/// What happens, resolved; durations in microseconds.
#[derive(Clone, Debug)]
pub(crate) enum What {
    Lose { networks: Vec<u32>, spread: i64, stagger: i64 },
    Gain { networks: Vec<u32>, spread: i64, stagger: i64 },
    Flaps(Flaps),
    Reroute { networks: Vec<u32>, via: u16, spread: i64 },
    SessionLoss { peers: Vec<u32>, lasts: i64 },
    CollectorGap,
    CollectorOutage { collector: usize, lasts: i64 },
    SilentRestart { collector: usize, lasts: i64 },
    Stuck { peers: Vec<u32>, networks: Vec<u32>, lasts: i64 },
    Hijack { networks: Vec<u32>, origin: Asn, share: f64, spread: i64, lasts: i64 },
    Leak { peers: Vec<u32>, networks: Vec<u32>, lasts: i64 },
}

/// A series of short losses.
#[derive(Clone, Debug)]
pub(crate) struct Flaps {
    pub(crate) networks: Vec<u32>,
    pub(crate) lasts: i64,
    pub(crate) first_interval: i64,
    pub(crate) last_interval: i64,
    pub(crate) down: (i64, i64),
    pub(crate) spread: i64,
}

impl Flaps {
    /// From one fall to the next, where the fall is `elapsed` after the first one.
    pub(crate) fn interval(&self, elapsed: i64) -> i64 {
        let progress = elapsed as f64 / self.lasts.max(1) as f64;
        let growth = self.last_interval as f64 / self.first_interval as f64;
        (self.first_interval as f64 * growth.powf(progress)) as i64
    }
}
