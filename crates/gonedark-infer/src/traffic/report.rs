//! What is said of traffic: plain values, no text and no format.

use super::kind::{Misuse, amplifying_service};
use crate::entity::Entity;
use crate::report::Interval;
use gonedark_route::{Family, Prefix, Time};
use std::fmt;
use std::net::IpAddr;

/// What is attacked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Target {
    /// One address.
    Host(IpAddr),
    /// A /24, or a /48 of IPv6.
    Block(Prefix),
    /// A watched prefix, an AS, a country.
    Entity(Entity),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Host(address) => write!(f, "{address}"),
            Target::Block(prefix) => write!(f, "{prefix}"),
            Target::Entity(entity) => f.write_str(&entity.code()),
        }
    }
}

/// What raised the alarm.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum AlertType {
    /// One address got more than its thresholds allow.
    Host,
    /// Many addresses of an aggregate got more than the thresholds of the aggregate allow together.
    CarpetBombing,
    /// An entity got more than it ever does at this time of day.
    Deviation,
}

impl AlertType {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            AlertType::Host => "dos_host",
            AlertType::CarpetBombing => "dos_carpet_bombing",
            AlertType::Deviation => "dos_deviation",
        }
    }
}

/// Where the packets go, as seen from what is watched.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Direction {
    /// To something that was named to be watched.
    Inbound,
    /// Everything is watched: nobody said what is inside.
    Transit,
}

/// In what a rate is measured.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Unit {
    /// Packets a second.
    Packets,
    /// Bits a second.
    Bits,
}

impl Unit {
    /// `pps` or `bps`.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Packets => "pps",
            Unit::Bits => "bps",
        }
    }
}

/// Packets and bits a second.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Rate {
    /// Packets a second.
    pub pps: u64,
    /// Bits a second.
    pub bps: u64,
}

/// How large an attack was, as the exporters counted it, times their sampling.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Impact {
    /// The highest second; the two need not be of the same one.
    pub peak: Rate,
    /// Over all seconds from the start to the last above the threshold.
    pub mean: Rate,
    /// All packets of these seconds.
    pub packets: u64,
    /// All bytes of these seconds.
    pub bytes: u64,
}

/// How far over the threshold it was.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Severity {
    /// The highest second in percent of the threshold.
    pub percent: u64,
    /// The threshold.
    pub threshold: u64,
    /// Of what.
    pub unit: Unit,
    /// Of which kind of traffic.
    pub misuse: Misuse,
}

/// A number that was not counted one by one.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Estimate {
    /// About so many.
    pub value: u64,
    /// The standard error in thousandths of it; 0 where it is exact.
    pub error_permille: u32,
}

/// By what means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum VectorKind {
    /// SYNs to a port.
    TcpSyn {
        /// At the target.
        port: u16,
    },
    /// SYN-ACKs from a port: servers that were asked in the target's name.
    TcpSynAck {
        /// At the server.
        port: u16,
    },
    /// RSTs.
    TcpReset,
    /// Acknowledgements, and packets without any flag.
    TcpAck,
    /// Flags that do not go together.
    TcpOddFlags,
    /// TCP with data.
    TcpData,
    /// QUIC, by its port.
    Quic,
    /// Fragments.
    Fragments,
    /// ICMP or ICMPv6 of a type.
    Icmp {
        /// Whether it is ICMPv6.
        is_v6: bool,
        /// The type.
        number: u8,
    },
    /// Answers of a service that amplifies, by its port.
    Amplification {
        /// At the service.
        port: u16,
    },
    /// UDP from one port.
    UdpFrom {
        /// At the source.
        port: u16,
    },
    /// UDP to one port, from many.
    UdpTo {
        /// At the target.
        port: u16,
    },
    /// Other UDP.
    Udp,
    /// Another protocol.
    Protocol {
        /// Its number (IANA's "Protocol Numbers").
        number: u8,
    },
}

impl fmt::Display for VectorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            VectorKind::TcpSyn { port } => write!(f, "TCP SYN to port {port}"),
            VectorKind::TcpSynAck { port } => write!(f, "TCP SYN-ACK from port {port}"),
            VectorKind::TcpReset => f.write_str("TCP RST"),
            VectorKind::TcpAck => f.write_str("TCP ACK"),
            VectorKind::TcpOddFlags => f.write_str("TCP with impossible flags"),
            VectorKind::TcpData => f.write_str("TCP with data"),
            VectorKind::Quic => f.write_str("QUIC"),
            VectorKind::Fragments => f.write_str("fragments"),
            VectorKind::Icmp { is_v6: false, number } => write!(f, "ICMP type {number}"),
            VectorKind::Icmp { is_v6: true, number } => write!(f, "ICMPv6 type {number}"),
            VectorKind::Amplification { port } => {
                let service = amplifying_service(*port).unwrap_or("unknown service");
                write!(f, "{service} amplification (udp source port {port})")
            }
            VectorKind::UdpFrom { port } => write!(f, "udp source port {port}"),
            VectorKind::UdpTo { port } => write!(f, "udp to port {port}"),
            VectorKind::Udp => f.write_str("udp"),
            VectorKind::Protocol { number } => write!(f, "IP protocol {number}"),
        }
    }
}

/// A vector with its part of an attack.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Vector {
    /// By what means.
    pub kind: VectorKind,
    /// Packets, at least.
    pub packets: u64,
    /// Bytes, at least.
    pub bytes: u64,
    /// Its part of the packets, in thousandths.
    pub permille: u32,
}

/// Who counted it, and how much was not counted.
#[derive(Clone, PartialEq, Eq, Default, Debug, serde::Serialize, serde::Deserialize)]
pub struct Coverage {
    /// The exporters that saw it, ascending.
    pub exporters: Vec<u16>,
    /// Records that told of it.
    pub records: u64,
    /// What its exporters sent, of whatever, and did not arrive while it lasted.
    pub lost: u64,
    /// The least and the largest sampling: one packet in so many was counted.
    pub sampling: (u32, u32),
}

/// An attack, as far as flows show it: never by whom, or what for.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Attack {
    /// Target and start, fixed once it was told: `attack-175.45.176.8-20141220T101500Z`.
    pub id: String,
    /// What raised the alarm.
    pub alert_type: AlertType,
    /// What is attacked.
    pub target: Target,
    /// The AS and the country of the target, and the watched prefixes that cover it.
    pub entities: Vec<Entity>,
    /// The family of its addresses; `None` of an AS or a country, which have both.
    pub family: Option<Family>,
    /// Where the packets go.
    pub direction: Direction,
    /// The first second of the excess. It is as wide as what could not be seen before it.
    pub start: Interval,
    /// When the alarm was raised: by the time at which records came in.
    pub detected: Time,
    /// The last second above the threshold, once it has been quiet since; `None` while it goes on.
    pub stop: Option<Interval>,
    /// Whether nothing had to be summed up to raise the alarm.
    pub is_fast: bool,
    /// How large.
    pub impact: Impact,
    /// How far over the threshold.
    pub severity: Severity,
    /// The kinds of traffic that were over their thresholds.
    pub misuses: Vec<Misuse>,
    /// By what means, most packets first.
    pub vectors: Vec<Vector>,
    /// The sources written on the packets.
    pub sources: Estimate,
    /// The addresses that were hit.
    pub targets: Estimate,
    /// Those that got most packets, with these.
    pub top_targets: Vec<(IpAddr, u64)>,
    /// The ports at the targets that got most packets, with these; none of floods without ports.
    pub top_ports: Vec<(u16, u64)>,
    /// Who counted it.
    pub coverage: Coverage,
    /// The attack on an aggregate that this is part of.
    pub part_of: Option<String>,
}

impl Attack {
    /// Whether it goes on, as far as was told.
    pub fn is_ongoing(&self) -> bool {
        self.stop.is_none()
    }

    /// From the first second to the last; to `now` while it goes on.
    pub fn span(&self, now: Time) -> Interval {
        let latest = self.stop.map_or(now, |stop| stop.latest);
        Interval { earliest: self.start.earliest, latest: latest.max(self.start.latest) }
    }
}

/// Why an exporter could not be heard.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum DeafReason {
    /// It sent, and what it sent did not arrive: dropped by the kernel, or missing in the sequence.
    Lost,
    /// It sent nothing any more.
    Silent,
    /// Nobody listened: this program did not run.
    NotRunning,
}

impl DeafReason {
    /// The name in files.
    pub const fn name(self) -> &'static str {
        match self {
            DeafReason::Lost => "lost",
            DeafReason::Silent => "silent",
            DeafReason::NotRunning => "not_running",
        }
    }
}

/// A time in which an exporter could not be heard, or not wholly.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, serde::Serialize, serde::Deserialize)]
pub struct Deaf {
    /// Which.
    pub exporter: u16,
    /// Begin.
    pub from: Time,
    /// End; the time of telling while it lasts.
    pub until: Time,
    /// Why.
    pub reason: DeafReason,
    /// What was lost, as the caller counts it; 0 where that cannot be known.
    pub lost: u64,
}

/// What one exporter gave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct ExporterStatus {
    /// Which.
    pub exporter: u16,
    /// Records.
    pub records: u64,
    /// Sent and not arrived.
    pub lost: u64,
    /// By how many microseconds its newest flows end before they are received: a wrong clock, or a slow way. What it tells is
    /// set right by as much; 0 where it is too little to be told from the usual delay.
    pub behind: i64,
    /// Packets, as estimated, that lay too far back to be put into any second.
    pub too_old_packets: u64,
    /// Their bytes.
    pub too_old_bytes: u64,
    /// When it was last heard.
    pub heard: Time,
}

/// What is learnt of an entity.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Learnt {
    /// Of which.
    pub entity: Entity,
    /// Days of which the time of day that it is now was learnt.
    pub days: u64,
    /// What is usual now; conversations left out.
    pub usual: Rate,
    /// From when on it would be a deviation; `None` before enough is learnt.
    pub deviation_from: Option<Rate>,
}

/// What is new since the last time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TrafficNews {
    /// Attacks that began, ended or became part of another, as they are now: by target, start.
    pub attacks: Vec<Attack>,
    /// Times in which exporters could not be heard, that are over.
    pub deaf: Vec<Deaf>,
}

/// Everything that can be said of traffic at one time.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct TrafficReport {
    /// Begin and end of what was looked at.
    pub window: Option<(Time, Time)>,
    /// By start, target.
    pub attacks: Vec<Attack>,
    /// By exporter, begin.
    pub deaf: Vec<Deaf>,
    /// By number.
    pub exporters: Vec<ExporterStatus>,
    /// By entity.
    pub learnt: Vec<Learnt>,
    /// Records taken.
    pub records: u64,
    /// Records for which no course could be kept, of hosts, blocks, entities: there was no room, and they were light.
    pub without_room: [u64; 3],
    /// Attacks that ended and were forgotten, as there was no room.
    pub forgotten: u64,
}
