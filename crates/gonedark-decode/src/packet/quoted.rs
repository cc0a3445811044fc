//! The packet that an ICMP error is about: its IP header, and at least eight bytes of what is behind it (RFC 792,
//! RFC 4443 section 2.4). Of backscatter it is the only witness of whom an attack is directed at, and from which port.

use crate::packet::{ICMP, ICMP_V6, network, transport};
use std::net::IpAddr;

/// Destination unreachable, source quench, redirect, time exceeded, parameter problem (RFC 792): the types that CAIDA's
/// corsaro looks into.
const ERRORS: [u8; 5] = [3, 4, 5, 11, 12];
/// Destination unreachable, packet too big, time exceeded, parameter problem (RFC 4443 section 3).
const ERRORS_V6: [u8; 4] = [1, 2, 3, 4];

/// A packet that caused an ICMP error, as the error quotes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quoted {
    /// Who is said to have sent it: whom the error goes to, or something on the way has rewritten it.
    pub source: IpAddr,
    /// Where it was to go.
    pub target: IpAddr,
    /// Its protocol (IANA "Protocol Numbers").
    pub protocol: u8,
    /// The first four bytes behind its IP headers as two ports, which they are in TCP, UDP and SCTP; `None` where not
    /// so many are quoted.
    pub ports: Option<(u16, u16)>,
}

pub(super) fn read(protocol: u8, payload: &[u8]) -> Option<Quoted> {
    let (header, quoted) = payload.split_first_chunk::<8>()?;
    let [kind, ..] = header;
    let is_error = match protocol {
        ICMP => ERRORS.contains(kind),
        ICMP_V6 => ERRORS_V6.contains(kind),
        _ => false,
    };
    if !is_error {
        return None;
    }
    let packet = network::ip(quoted).ok()?;
    let is_first = packet.fragment.is_none_or(|fragment| fragment.offset == 0);
    Some(Quoted {
        source: packet.source,
        target: packet.target,
        protocol: packet.protocol,
        ports: transport::ports(packet.payload).filter(|_| is_first),
    })
}
