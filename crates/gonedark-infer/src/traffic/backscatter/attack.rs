//! Attacks that a telescope saw the echo of, as they are told.

use crate::report::Interval;
use gonedark_route::Time;
use std::net::IpAddr;

/// By what the victim was flooded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, serde::Serialize, serde::Deserialize)]
pub enum Flooded {
    /// It answered with SYN-ACK or RST, or errors quote TCP.
    Tcp,
    /// Errors quote UDP.
    Udp,
    /// It answered ICMP, or errors quote ICMP.
    Icmp,
}

impl Flooded {
    /// `tcp`, `udp`, `icmp`.
    pub const fn name(self) -> &'static str {
        match self {
            Flooded::Tcp => "tcp",
            Flooded::Udp => "udp",
            Flooded::Icmp => "icmp",
        }
    }
}

/// An attack that a telescope saw the echo of.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct BackscatterAttack {
    /// Who answers.
    pub victim: IpAddr,
    /// By what it is flooded.
    pub flooded: Flooded,
    /// The first packet; it may have begun before, as a telescope sees one in so many.
    pub first: Time,
    /// The last packet so far.
    pub last: Time,
    /// Whether nothing came of it for as long as is waited.
    pub is_over: bool,
    /// Packets that reached the telescope.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The most within a window, as packets a minute.
    pub most_per_minute: u64,
    /// Errors whose quoted sender is not the address that they were sent to.
    pub mismatches: u64,
    /// Distinct /16s (IPv6: /32s) of the addresses that the attacker wrote on his packets.
    pub attacker_networks: u64,
    /// Ports of the victim that answer, ascending; as many as are remembered.
    pub victim_ports: Vec<u16>,
    /// Ports that the attacker wrote on his packets, ascending; as many as are remembered.
    pub attacker_ports: Vec<u16>,
    /// What the victim answered in all in its worst minute, in packets a second, if the attacker forged addresses of the whole
    /// family alike: what arrived times [`super::Backscatter::scale`].
    pub pps_at_victim: u64,
}

impl BackscatterAttack {
    /// From the first packet to the last.
    pub fn span(&self) -> Interval {
        Interval { earliest: self.first, latest: self.last }
    }
}
