//! What a packet that reached the telescope says of a victim.

use super::attack::Flooded;
use gonedark_route::Time;
use std::net::IpAddr;

/// The packet that an ICMP error quotes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Inner {
    /// Who seemed to have sent it.
    pub source: IpAddr,
    /// To whom: the victim.
    pub target: IpAddr,
    /// Its protocol.
    pub protocol: u8,
    /// The first two bytes after its header: the source port of TCP and UDP.
    pub source_port: u16,
    /// The next two: the target port.
    pub target_port: u16,
}

/// A packet that reached the telescope, as the caller decoded it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DarkPacket {
    /// When.
    pub at: Time,
    /// Who sent it.
    pub source: IpAddr,
    /// An address of the telescope.
    pub target: IpAddr,
    /// 1 ICMP, 6 TCP, 17 UDP.
    pub protocol: u8,
    /// TCP or UDP; 0 for others.
    pub source_port: u16,
    /// TCP or UDP; 0 for others.
    pub target_port: u16,
    /// Of TCP.
    pub tcp_flags: u8,
    /// Of ICMP: type and code.
    pub icmp: (u8, u8),
    /// Of an ICMP error.
    pub inner: Option<Inner>,
    /// From the IP header on.
    pub bytes: u64,
}

/// Which protocol, whose, and between which ports: what a packet says of a victim.
pub(super) struct Echo {
    pub(super) flooded: Flooded,
    pub(super) victim: IpAddr,
    pub(super) attacker: IpAddr,
    pub(super) victim_port: u16,
    pub(super) attacker_port: u16,
    pub(super) is_mismatch: bool,
}

/// What a packet says of a victim, if it is an answer to one that was never sent.
pub(super) fn echo(packet: &DarkPacket) -> Option<Echo> {
    let DarkPacket { source, target, source_port, target_port, .. } = *packet;
    let direct = |flooded| Echo {
        flooded,
        victim: source,
        attacker: target,
        victim_port: source_port,
        attacker_port: target_port,
        is_mismatch: false,
    };
    match packet.protocol {
        6 => {
            let (syn_ack, rst) = (0b1_0010, 0b100);
            let is_answer = packet.tcp_flags & syn_ack == syn_ack || packet.tcp_flags & rst != 0;
            is_answer.then(|| direct(Flooded::Tcp))
        }
        1 => match packet.icmp.0 {
            0 | 14 | 16 | 18 => Some(direct(Flooded::Icmp)),
            // An error need not come from the victim: whom the quoted packet was for is the victim.
            3 | 4 | 5 | 11 | 12 => {
                let inner = packet.inner?;
                let flooded = match inner.protocol {
                    6 => Flooded::Tcp,
                    17 => Flooded::Udp,
                    1 => Flooded::Icmp,
                    _ => return None,
                };
                let ports =
                    if flooded == Flooded::Icmp { (0, 0) } else { (inner.target_port, inner.source_port) };
                Some(Echo {
                    flooded,
                    victim: inner.target,
                    attacker: target,
                    victim_port: ports.0,
                    attacker_port: ports.1,
                    is_mismatch: inner.source != target,
                })
            }
            _ => None,
        },
        _ => None,
    }
}
