//! A packet as a flow of its own: what a mirror port or a capture shows.

use gonedark_decode::packet::Packet;
use gonedark_route::{Flow, Time};

/// The flow that one packet is.
pub fn flow_of(at: Time, packet: &Packet<'_>) -> Flow {
    let transport = packet.transport();
    let (source_port, target_port) = transport.ports();
    Flow {
        source: packet.source,
        target: packet.target,
        source_port,
        target_port,
        protocol: packet.protocol,
        tcp_flags: transport.tcp_flags(),
        is_fragment: packet.fragment.is_some(),
        packets: 1,
        bytes: u64::from(packet.length),
        sampling: 1,
        begin: at,
        end: at,
    }
}
