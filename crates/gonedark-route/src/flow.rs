use crate::Time;
use std::net::IpAddr;

/// Packets that one exporter counted between two addresses: what NetFlow, IPFIX and sFlow have in common.
///
/// Counts are as the exporter gave them; times its `sampling` they estimate what was there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flow {
    /// Who sent the packets, or whose address was written on them.
    pub source: IpAddr,
    /// To whom.
    pub target: IpAddr,
    /// TCP, UDP or SCTP port of the source; 0 for others.
    pub source_port: u16,
    /// The port at the target; for ICMP `type << 8 | code`, as NetFlow has it.
    pub target_port: u16,
    /// Of the IP header: 1 ICMP, 6 TCP, 17 UDP, 58 ICMPv6.
    pub protocol: u8,
    /// TCP flags of all packets together (RFC 9293 section 3.1, the low eight bits); 0 for others or where they are not told.
    pub tcp_flags: u8,
    /// Whether the packets are fragments of larger ones, where the exporter tells of it.
    pub is_fragment: bool,
    /// Packets counted.
    pub packets: u64,
    /// Bytes counted, from the IP header on where the exporter tells that apart.
    pub bytes: u64,
    /// One packet in so many was counted; 1 where all were, or where nobody says.
    pub sampling: u32,
    /// The first packet, by the exporter's clock; never after `end`.
    pub begin: Time,
    /// The last packet, by the exporter's clock; never after the message that told of it.
    pub end: Time,
}
