//! Packets as they were on a wire, or their first bytes: from the frame to the ports.
//!
//! What a telescope captures, what sFlow samples, and what IPFIX carries in `dataLinkFrameSection`: Ethernet with
//! VLAN tags (IEEE 802.1Q, 802.1ad), PPPoE and MPLS (RFC 3032), IPv4 and IPv6 with their extension headers, TCP, UDP
//! and ICMP. Frames are most often cut after 64 to 128 bytes; what is not there any more is told as absent, and the
//! rest is read.
//!
//! ```
//! use gonedark_decode::packet::{self, Transport};
//!
//! let syn = [
//!     0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7, // IPv4
//!     0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02, 0xFF, 0xFF, 0, 0, 0, 0, // TCP
//! ];
//! let packet = packet::ip(&syn)?;
//! assert!(matches!(packet.transport(), Transport::Tcp { target_port: 80, flags: 0x02, .. }));
//! # Ok::<(), gonedark_decode::DecodeError>(())
//! ```
//!
//! A packet is the outermost one behind MPLS, which is part of the link. What is inside of a tunnel is had from
//! [`Packet::inside`], one tunnel at a time, or from [`Packet::innermost`], at most [`TUNNELS_MAX`] deep.

mod link;
mod network;
mod quoted;
mod transport;
mod tunnel;

#[cfg(test)]
mod tests;

pub use link::{Link, ethernet, linked};
pub use network::{Fragment, ip};
pub use quoted::Quoted;
pub use transport::Transport;
pub(crate) use transport::read as transport;
pub use tunnel::TUNNELS_MAX;

use std::net::IpAddr;

/// ICMP (IANA "Protocol Numbers").
pub(crate) const ICMP: u8 = 1;
/// IPv4 in IP (IANA "Protocol Numbers").
pub(crate) const IPV4: u8 = 4;
/// TCP (IANA "Protocol Numbers").
pub(crate) const TCP: u8 = 6;
/// UDP (IANA "Protocol Numbers").
pub(crate) const UDP: u8 = 17;
/// IPv6 in IP (IANA "Protocol Numbers").
pub(crate) const IPV6: u8 = 41;
/// GRE (IANA "Protocol Numbers").
pub(crate) const GRE: u8 = 47;
/// ICMPv6 (IANA "Protocol Numbers").
pub(crate) const ICMP_V6: u8 = 58;
/// MPLS in IP (RFC 4023; IANA "Protocol Numbers").
pub(crate) const MPLS: u8 = 137;
/// Ethernet in IP, as SRv6 carries it (RFC 8986 section 9; IANA "Protocol Numbers").
pub(crate) const ETHERNET: u8 = 143;

/// An IP packet, or its first bytes. It borrows them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet<'a> {
    /// Whose address is written on it as that of the sender.
    pub source: IpAddr,
    /// Where it goes.
    pub target: IpAddr,
    /// The protocol behind the IPv6 extension headers that could be followed (IANA "Protocol Numbers").
    pub protocol: u8,
    /// Time to live, or hop limit.
    pub hop_limit: u8,
    /// Length in bytes from the IP header on, as the header says; 0 where it says nothing (a jumbogram, or a packet
    /// that the sending machine still had to cut).
    pub length: u32,
    /// Which part of a larger packet it is; `None` where it is whole.
    pub fragment: Option<Fragment>,
    /// What stands behind the IP headers, as far as it was captured, without what pads the frame.
    pub payload: &'a [u8],
    /// How many bytes of the frame stand before the IP header.
    pub link_length: u32,
}

impl<'a> Packet<'a> {
    /// Ports, flags, types: the header behind the IP headers.
    #[inline]
    pub fn transport(&self) -> Transport {
        match self.fragment {
            Some(fragment) if fragment.offset != 0 => Transport::Absent,
            _ => transport(self.protocol, self.payload),
        }
    }

    /// The packet that an ICMP error is about (RFC 792, RFC 4443 section 3). `None` where it is no such error, or too
    /// little of it was captured.
    pub fn quoted(&self) -> Option<Quoted> {
        match self.fragment {
            Some(fragment) if fragment.offset != 0 => None,
            _ => quoted::read(self.protocol, self.payload),
        }
    }

    /// The packet inside of it, if it is a tunnel's: IP in IP (RFC 2003, RFC 2473; SRv6, RFC 8986), GRE (RFC 2784,
    /// RFC 2890), VXLAN (RFC 7348), MPLS in IP (RFC 4023) or Ethernet in IP (RFC 8986). `None` where it is none, or
    /// what is inside is no IP packet.
    pub fn inside(&self) -> Option<Packet<'a>> {
        match self.fragment {
            Some(fragment) if fragment.offset != 0 => None,
            _ => tunnel::inside(self.protocol, self.payload),
        }
    }

    /// The packet in the innermost tunnel, at most [`TUNNELS_MAX`] deep; itself where there is no tunnel.
    pub fn innermost(self) -> Packet<'a> {
        let mut packet = self;
        for _ in 0..TUNNELS_MAX {
            match packet.inside() {
                Some(inside) => packet = inside,
                None => break,
            }
        }
        packet
    }
}
