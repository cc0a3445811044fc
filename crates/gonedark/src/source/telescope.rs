//! A network telescope: a capture of what arrives at addresses that nobody uses.

use super::archive::Workers;
use super::capture::{self, Captured, Summary};
use gonedark_decode::packet::{self, Packet, Transport};
use gonedark_infer::traffic::backscatter::{DarkPacket, Inner};
use gonedark_route::Prefix;
use std::io;
use std::path::Path;

/// Gives out every IP packet of a capture that was sent to the telescope, in the capture's order, and how many frames were
/// something else or for somebody else.
///
/// # Errors
/// A file that cannot be read at all.
pub fn read(
    path: &Path,
    workers: &Workers,
    telescope: &[Prefix],
    each: &mut impl FnMut(&DarkPacket),
) -> io::Result<(Summary, u64)> {
    let mut passed_over = 0;
    let summary = capture::read(path, workers, &mut |captured: &Captured<'_>| match packet::linked(
        captured.link,
        captured.bytes,
    ) {
        Ok(packet) if is_of(telescope, &packet) => each(&dark(captured, &packet)),
        _ => passed_over += 1,
    })?;
    Ok((summary, passed_over))
}

fn is_of(telescope: &[Prefix], packet: &Packet<'_>) -> bool {
    let host = match packet.target {
        std::net::IpAddr::V4(address) => Prefix::v4(address, 32),
        std::net::IpAddr::V6(address) => Prefix::v6(address, 128),
    };
    telescope.is_empty() || host.is_some_and(|host| telescope.iter().any(|network| network.covers(host)))
}

fn dark(captured: &Captured<'_>, packet: &Packet<'_>) -> DarkPacket {
    let transport = packet.transport();
    let (source_port, target_port) = match transport {
        Transport::Icmp { .. } => (0, 0),
        transport => transport.ports(),
    };
    let icmp = match transport {
        Transport::Icmp { kind, code } => (kind, code),
        _ => (0, 0),
    };
    DarkPacket {
        at: captured.at,
        source: packet.source,
        target: packet.target,
        protocol: packet.protocol,
        source_port,
        target_port,
        tcp_flags: transport.tcp_flags(),
        icmp,
        inner: packet.quoted().map(|quoted| {
            let (source_port, target_port) = quoted.ports.unwrap_or_default();
            let (source, target, protocol) = (quoted.source, quoted.target, quoted.protocol);
            Inner { source, target, protocol, source_port, target_port }
        }),
        bytes: u64::from(packet.length),
    }
}
