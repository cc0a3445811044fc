//! The header behind the IP headers.

use crate::packet::{ICMP, ICMP_V6, TCP, UDP};

/// DCCP (RFC 4340), SCTP (RFC 9260) and UDP-Lite (RFC 3828) begin with two ports.
const WITH_PORTS: [u8; 3] = [33, 132, 136];

/// What of the transport header is of use here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// TCP (RFC 9293 section 3.1).
    Tcp {
        /// Port of the source.
        source_port: u16,
        /// Port at the target.
        target_port: u16,
        /// The low eight bits of the flags; 0 where they were not captured.
        flags: u8,
    },
    /// UDP (RFC 768).
    Udp {
        /// Port of the source.
        source_port: u16,
        /// Port at the target.
        target_port: u16,
    },
    /// DCCP, SCTP or UDP-Lite.
    Ports {
        /// Port of the source.
        source_port: u16,
        /// Port at the target.
        target_port: u16,
    },
    /// ICMP (RFC 792) or ICMPv6 (RFC 4443), by the packet's protocol.
    Icmp {
        /// Type.
        kind: u8,
        /// Code.
        code: u8,
    },
    /// Of a protocol that has none of these.
    Other,
    /// A later fragment, or cut before the ports.
    Absent,
}

impl Transport {
    /// Source and target port; for ICMP 0 and `type << 8 | code`, as NetFlow has it; 0 for others.
    pub const fn ports(self) -> (u16, u16) {
        match self {
            Transport::Tcp { source_port, target_port, .. }
            | Transport::Udp { source_port, target_port }
            | Transport::Ports { source_port, target_port } => (source_port, target_port),
            Transport::Icmp { kind, code } => (0, u16::from_be_bytes([kind, code])),
            Transport::Other | Transport::Absent => (0, 0),
        }
    }

    /// The flags of TCP; 0 for others.
    pub const fn tcp_flags(self) -> u8 {
        match self {
            Transport::Tcp { flags, .. } => flags,
            _ => 0,
        }
    }
}

/// What stands at the start of a payload.
#[inline]
pub(crate) fn read(protocol: u8, payload: &[u8]) -> Transport {
    match protocol {
        ICMP | ICMP_V6 => match *payload {
            [kind, code, ..] => Transport::Icmp { kind, code },
            _ => Transport::Absent,
        },
        TCP | UDP => with_ports(protocol, payload),
        other if WITH_PORTS.contains(&other) => with_ports(other, payload),
        _ => Transport::Other,
    }
}

#[inline]
fn with_ports(protocol: u8, payload: &[u8]) -> Transport {
    let Some((source_port, target_port)) = ports(payload) else { return Transport::Absent };
    match protocol {
        TCP => {
            let flags = payload.get(13).copied().unwrap_or_default();
            Transport::Tcp { source_port, target_port, flags }
        }
        UDP => Transport::Udp { source_port, target_port },
        _ => Transport::Ports { source_port, target_port },
    }
}

/// The two ports at the start of a transport header.
#[inline]
pub(super) fn ports(payload: &[u8]) -> Option<(u16, u16)> {
    match *payload {
        [a, b, c, d, ..] => Some((u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))),
        _ => None,
    }
}
