//! What is known of the traffic to a target that may be under attack: sources, ports, targets, who counted it.

use super::amount::Amount;
use super::kind::Misuse;
use super::place::{Place, Scale, hash_of};
use super::report::{Estimate, Vector, VectorKind};
use super::sketch::{Distinct, Heaviest};
use gonedark_route::Flow;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Registers for sources (2 to this power): 2 KiB, a standard error of 2.3 %.
const SOURCE_BITS: u32 = 11;
/// Registers for targets: 1 KiB, 3.3 %.
const TARGET_BITS: u32 = 10;
/// Registers for ports: 256 bytes, 6.5 %.
const PORT_BITS: u32 = 8;
/// Vectors told apart, ports of UDP, top targets: whatever has more than a 64th of the packets is among them.
const TOLD_APART: usize = 64;
/// Blocks told apart in an entity.
const BLOCKS: usize = 16;
/// Exporters that are named of one attack. Guess.
const EXPORTERS: usize = 64;
/// Records a second that are looked at in full; of more, by their hash, about as many. Guess: shares of a hundredth are then
/// off by a sixth of it.
const LOOKED_AT: u64 = 4_096;
/// Targets that are named.
const TOP: usize = 10;

/// A record as it is kept for a second, in case its target becomes suspect.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Seen {
    pub(crate) source: IpAddr,
    pub(crate) target: IpAddr,
    pub(crate) ports: (u16, u16),
    pub(crate) protocol: u8,
    pub(crate) tcp_flags: u8,
    pub(crate) kind: Misuse,
    pub(crate) exporter: u16,
    pub(crate) sampling: u32,
    pub(crate) amount: Amount,
    /// Of the source.
    pub(crate) hash: u64,
}

impl Seen {
    #[inline]
    pub(crate) fn new(flow: &Flow, kind: Misuse, exporter: u16, amount: Amount) -> Self {
        Seen {
            source: flow.source,
            target: flow.target,
            ports: (flow.source_port, flow.target_port),
            protocol: flow.protocol,
            tcp_flags: flow.tcp_flags,
            kind,
            exporter,
            sampling: flow.sampling.max(1),
            amount,
            hash: hash_of(flow.source),
        }
    }

    /// A hash of the record, for choosing some of many; of other bits than those that count sources.
    #[inline]
    pub(crate) fn lot(&self) -> u64 {
        let ports = u64::from(self.ports.0) << 16 | u64::from(self.ports.1);
        let target = match self.target {
            IpAddr::V4(target) => u64::from(u32::from(target)),
            IpAddr::V6(target) => u128::from(target) as u64,
        };
        super::place::mix(self.hash ^ ports ^ target << 32 ^ self.amount.packets as u64)
    }

    fn vector(&self) -> VectorKind {
        match self.kind {
            Misuse::SynFlood => VectorKind::TcpSyn { port: self.ports.1 },
            Misuse::TcpReflection if self.tcp_flags & 0b1_0010 == 0b1_0010 => {
                VectorKind::TcpSynAck { port: self.ports.0 }
            }
            Misuse::TcpReflection if self.tcp_flags & 0b100 != 0 => VectorKind::TcpReset,
            Misuse::TcpReflection => VectorKind::TcpOddFlags,
            Misuse::AckFlood | Misuse::Conversation if self.protocol == 17 => VectorKind::Quic,
            Misuse::AckFlood => VectorKind::TcpAck,
            Misuse::Conversation => VectorKind::TcpData,
            Misuse::Amplification => VectorKind::Amplification { port: self.ports.0 },
            Misuse::UdpFlood => VectorKind::Udp,
            Misuse::IcmpFlood => {
                VectorKind::Icmp { is_v6: self.protocol == 58, number: (self.ports.1 >> 8) as u8 }
            }
            Misuse::Fragments => VectorKind::Fragments,
            Misuse::OtherProtocol | Misuse::Total => VectorKind::Protocol { number: self.protocol },
        }
    }
}

/// The account of one target.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Account {
    pub(crate) place: Place,
    /// The second in which it was opened, and the last in which the target was suspect.
    pub(crate) since: i64,
    pub(crate) suspect_at: i64,
    pub(crate) records: u64,
    /// Everything but conversations.
    pub(crate) amount: Amount,
    pub(crate) conversation: Amount,
    /// What the target itself sent.
    pub(crate) answered: Amount,
    sources: Distinct,
    targets: Distinct,
    ports: Distinct,
    vectors: Heaviest<VectorKind>,
    udp_from: Heaviest<u16>,
    udp_to: Heaviest<u16>,
    /// Ports at the target, of whatever has ports.
    hit: Heaviest<u16>,
    top: Heaviest<IpAddr>,
    blocks: Heaviest<Place>,
    /// What the vectors add up to, of all and of UDP, as estimated.
    looked_at: Amount,
    pub(crate) exporters: BTreeSet<u16>,
    pub(crate) sampling: (u32, u32),
    /// Records of the second that goes on, and of which hashes they are looked at in full: one in 2 to this power.
    fresh: u64,
    thin: u32,
}

impl Account {
    pub(crate) fn new(place: Place, since: i64) -> Self {
        let of_many = if place.scale() == Scale::Host { 0 } else { TOLD_APART };
        Account {
            place,
            since,
            suspect_at: since,
            records: 0,
            amount: Amount::default(),
            conversation: Amount::default(),
            answered: Amount::default(),
            sources: Distinct::new(SOURCE_BITS),
            targets: Distinct::new(if of_many == 0 { 4 } else { TARGET_BITS }),
            ports: Distinct::new(PORT_BITS),
            vectors: Heaviest::new(TOLD_APART),
            udp_from: Heaviest::new(TOLD_APART),
            udp_to: Heaviest::new(TOLD_APART),
            hit: Heaviest::new(TOLD_APART),
            top: Heaviest::new(of_many),
            blocks: Heaviest::new(if place.scale() == Scale::Entity { BLOCKS } else { 0 }),
            looked_at: Amount::default(),
            exporters: BTreeSet::new(),
            sampling: (u32::MAX, 1),
            fresh: 0,
            thin: 0,
        }
    }

    /// Takes a record; `weight` is 2 to this power of records for which it stands.
    #[inline]
    pub(crate) fn add(&mut self, seen: &Seen, lot: u64, weight: u32) {
        self.records += 1 << weight;
        self.fresh += 1;
        let amount = seen.amount.weighed(weight);
        self.sampling.0 = self.sampling.0.min(seen.sampling);
        self.sampling.1 = self.sampling.1.max(seen.sampling);
        if seen.kind == Misuse::Conversation {
            self.conversation = self.conversation.plus(amount);
        } else {
            self.amount = self.amount.plus(amount);
            self.sources.add(seen.hash);
        }
        if !self.exporters.contains(&seen.exporter) && self.exporters.len() < EXPORTERS {
            self.exporters.insert(seen.exporter);
        }
        if lot.trailing_zeros() >= self.thin {
            self.look_at(seen, seen.amount.weighed(weight + self.thin));
        }
    }

    fn look_at(&mut self, seen: &Seen, amount: Amount) {
        self.looked_at = self.looked_at.plus(amount);
        self.vectors.add(seen.vector(), amount);
        if seen.kind == Misuse::UdpFlood {
            self.udp_from.add(seen.ports.0, amount);
            self.udp_to.add(seen.ports.1, amount);
        }
        if seen.kind != Misuse::Conversation {
            self.ports.add(super::place::mix(u64::from(seen.ports.1)));
            if seen.kind != Misuse::IcmpFlood {
                self.hit.add(seen.ports.1, amount);
            }
            if self.place.scale() != Scale::Host {
                self.targets.add(hash_of(seen.target));
                self.top.add(seen.target, amount);
                self.blocks.add(Place::block(seen.target), amount);
            }
        }
    }

    /// A second is over: how much of the next is looked at in full.
    pub(crate) fn close_second(&mut self) {
        let over = std::mem::take(&mut self.fresh) / LOOKED_AT;
        self.thin = u64::BITS - over.leading_zeros();
    }

    pub(crate) fn sources(&self) -> Estimate {
        Estimate { value: self.sources.estimate(), error_permille: self.sources.error_permille() }
    }

    pub(crate) fn targets(&self) -> Estimate {
        match self.place.scale() {
            Scale::Host => Estimate { value: 1, error_permille: 0 },
            _ => Estimate { value: self.targets.estimate(), error_permille: self.targets.error_permille() },
        }
    }

    /// Ports that were tried at the targets, about.
    pub(crate) fn target_ports(&self) -> u64 {
        self.ports.estimate()
    }

    /// The port to which most UDP goes.
    pub(crate) fn first_udp_port(&self) -> Option<u16> {
        self.udp_to.certain().first().map(|(port, _)| *port)
    }

    pub(crate) fn top_targets(&self) -> Vec<(IpAddr, u64)> {
        match self.place.target() {
            super::report::Target::Host(address) => vec![(address, self.amount.whole_packets())],
            _ => {
                let certain = self.top.certain().into_iter().filter(|(_, amount)| amount.packets > 0);
                certain.take(TOP).map(|(address, amount)| (address, amount.whole_packets())).collect()
            }
        }
    }

    /// The ports that get most packets, each with at least `percent` of all.
    pub(crate) fn top_ports(&self, percent: u64) -> Vec<(u16, u64)> {
        let least = self.looked_at.whole_packets().max(1) * percent;
        let ports = self.hit.certain().into_iter().map(|(port, amount)| (port, amount.whole_packets()));
        ports.filter(|(_, packets)| packets * 100 >= least).take(TOP).collect()
    }

    /// What one target, and one block, has of the packets (percent), at least.
    pub(crate) fn dominance(&self) -> (u64, u64) {
        let all = self.amount.whole_packets().max(1);
        let percent = |amount: Option<Amount>| amount.map_or(0, |amount| amount.whole_packets() * 100 / all);
        let top = self.top.certain().first().map(|(_, amount)| *amount);
        let block = self.blocks.certain().first().map(|(_, amount)| *amount);
        (percent(top), percent(block))
    }

    /// By what means, each with at least `percent` of the packets; UDP by its source ports where these repeat, else by the
    /// ports at the target.
    pub(crate) fn vectors(&self, percent: u64, with_data: bool) -> Vec<Vector> {
        let is_told =
            |kind: &VectorKind| with_data || !matches!(kind, VectorKind::TcpData | VectorKind::Quic);
        let all: Vec<(VectorKind, Amount)> =
            self.vectors.certain().into_iter().filter(|(kind, _)| is_told(kind)).collect();
        let sum = all.iter().fold(Amount::default(), |sum, (_, amount)| sum.plus(*amount));
        let total = sum.whole_packets().max(1);
        let is_large = |amount: Amount| amount.whole_packets() * 100 >= total * percent;
        let mut told: Vec<(VectorKind, Amount)> = Vec::new();
        for (kind, amount) in all {
            if kind == VectorKind::Udp {
                told.extend(self.udp_by_port(amount, is_large));
            } else {
                told.push((kind, amount));
            }
        }
        let mut vectors: Vec<Vector> = told
            .into_iter()
            .filter(|(_, amount)| is_large(*amount))
            .map(|(kind, amount)| Vector {
                kind,
                packets: amount.whole_packets(),
                bytes: amount.whole_bytes(),
                permille: (u128::from(amount.whole_packets()) * 1_000 / u128::from(total)) as u32,
            })
            .collect();
        vectors.sort_unstable_by_key(|vector| (std::cmp::Reverse(vector.packets), vector.kind));
        vectors
    }

    /// The plain UDP, `amount` of it, by what its packets have in common.
    fn udp_by_port(&self, amount: Amount, is_large: impl Fn(Amount) -> bool) -> Vec<(VectorKind, Amount)> {
        let mut told = Vec::new();
        let mut rest = amount;
        for (port, part) in self.udp_from.certain().into_iter().filter(|(_, part)| is_large(*part)) {
            told.push((VectorKind::UdpFrom { port }, part));
            rest = rest.less(part);
        }
        // Of what comes from everywhere the port at the target is what it has in common, where there is one.
        for (port, part) in self.udp_to.certain().into_iter().filter(|(_, part)| is_large(*part)) {
            let part = Amount { packets: part.packets.min(rest.packets), bytes: part.bytes.min(rest.bytes) };
            if !is_large(part) {
                break;
            }
            told.push((VectorKind::UdpTo { port }, part));
            rest = rest.less(part);
        }
        told.push((VectorKind::Udp, rest));
        told
    }
}
