//! A record of NetFlow version 9 or IPFIX as a flow.

use crate::flow::element::{Places, Section};
use crate::flow::plan::Plan;
use crate::flow::times::{self, Clocks};
use crate::flow::value::{bytes, low_u8, low_u16, low_u32, number, sixteen};
use crate::packet::{self, Packet};
use gonedark_route::{Flow, Time};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The flag that says that more fragments follow (IE 197, as in the IPv4 header).
const MORE_FRAGMENTS: u8 = 0x20;
/// The bits of an offset in an IPv4 header (RFC 791 section 3.1): some exporters send the flags beside it as well.
const FRAGMENT_OFFSET: u16 = 0x1FFF;

/// Who and to whom. Records with the fields of both families have zeros in those that do not apply. Where one address is
/// told only, the other one is unspecified.
#[inline]
fn addresses(plan: &Plan, places: &Places, record: &[u8]) -> Option<(IpAddr, IpAddr)> {
    if plan.has_v4 {
        let (source, target) = (low_u32(record, places.source_v4), low_u32(record, places.target_v4));
        if !plan.has_v6 || source | target != 0 {
            return Some((Ipv4Addr::from_bits(source).into(), Ipv4Addr::from_bits(target).into()));
        }
    }
    if plan.has_v6 && places.source_v6.length | places.target_v6.length != 0 {
        let (source, target) = (sixteen(record, places.source_v6), sixteen(record, places.target_v6));
        return Some((Ipv6Addr::from(source).into(), Ipv6Addr::from(target).into()));
    }
    None
}

/// A record, and what it is read by.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// What its template holds.
    pub(super) plan: &'a Plan,
    /// Where that stands in this record.
    pub(super) places: &'a Places,
    pub(super) record: &'a [u8],
    pub(super) clocks: &'a Clocks,
    /// Whether tunnels are looked into.
    pub(super) decapsulate: bool,
}

/// The flow of a record, without its sampling. `None` where it tells of no IP address.
#[inline]
pub(super) fn flow(told: Told<'_>) -> Option<Flow> {
    if told.plan.section != Section::None {
        return of_section(told);
    }
    let (source, target) = addresses(told.plan, told.places, told.record)?;
    Some(of_fields(told, source, target))
}

#[inline]
fn of_fields(told: Told<'_>, source: IpAddr, target: IpAddr) -> Flow {
    let Told { plan, places, record, clocks, .. } = told;
    let (begin, end) = times::interval(plan, places, record, clocks);
    let protocol = low_u8(record, places.protocol);
    let mut flow = Flow {
        source,
        target,
        source_port: low_u16(record, places.source_port),
        target_port: low_u16(record, places.target_port),
        protocol,
        tcp_flags: if protocol == packet::TCP { low_u8(record, places.tcp_flags) } else { 0 },
        is_fragment: false,
        packets: number(record, places.packets),
        bytes: number(record, places.bytes),
        sampling: 1,
        begin,
        end,
    };
    if plan.has_fragments {
        let offset = low_u16(record, places.fragment_offset) & FRAGMENT_OFFSET;
        flow.is_fragment = offset != 0 || low_u8(record, places.fragment_flags) & MORE_FRAGMENTS != 0;
    }
    if matches!(protocol, packet::ICMP | packet::ICMP_V6) {
        flow.source_port = 0;
        // Cisco ASA has the identifier of an echo where the port stands, and the type beside it.
        if plan.has_icmp {
            let apart = [low_u8(record, places.icmp_type), low_u8(record, places.icmp_code)];
            let told = low_u16(record, places.icmp_type_code) | u16::from_be_bytes(apart);
            flow.target_port = told;
        }
    }
    flow
}

/// The flow of a record that holds a part of a packet: what the packet says, and of counts and times what the record
/// says.
#[inline(never)]
fn of_section(told: Told<'_>) -> Option<Flow> {
    let Told { plan, places, record, clocks, decapsulate } = told;
    let section = bytes(record, places.section);
    let packet = section.and_then(|bytes| match plan.section {
        Section::Frame => packet::ethernet(bytes).ok(),
        Section::Ip => packet::ip(bytes).ok(),
        Section::Transport | Section::None => None,
    });
    let unspecified = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    let addresses = addresses(plan, places, record);
    let (source, target) = match (addresses, packet.is_some()) {
        (Some(addresses), _) => addresses,
        (None, true) => (unspecified, unspecified),
        (None, false) => return None,
    };
    let mut flow = of_fields(told, source, target);
    if let Some(outer) = packet {
        let frame = low_u32(record, places.frame_size);
        let seen = of_packet(&outer, decapsulate, frame, clocks.export);
        flow = Flow {
            packets: if plan.has_packets { flow.packets } else { 1 },
            bytes: if plan.has_counts && flow.bytes != 0 { flow.bytes } else { seen.bytes },
            begin: flow.begin,
            end: flow.end,
            ..seen
        };
    } else if let (Section::Transport, Some(payload)) = (plan.section, section) {
        let transport = packet::transport(flow.protocol, payload);
        if flow.source_port | flow.target_port == 0 {
            (flow.source_port, flow.target_port) = transport.ports();
        }
        if flow.tcp_flags == 0 {
            flow.tcp_flags = transport.tcp_flags();
        }
    }
    Some(flow)
}

/// The length of a packet from its IP header on, in bytes: as that says, or as long as the frame without its link
/// headers; 0 where neither is told.
fn length(packet: &Packet<'_>, frame: u32) -> u32 {
    match packet.length {
        0 => frame.saturating_sub(packet.link_length),
        length => length,
    }
}

/// A packet that was seen at a moment, as a flow of its own: what a sample, a mirror port or a capture shows.
///
/// It has as many bytes as its IP header says. Where that says none (a packet that its sender's card still had to cut,
/// or a jumbogram), it has those of the frame without its link headers; `frame` is how long that was, 0 where nobody
/// knows. With `decapsulate` it goes from and to the addresses inside of a tunnel, and has the bytes of the outside.
#[inline]
pub fn of_packet(outer: &Packet<'_>, decapsulate: bool, frame: u32, at: Time) -> Flow {
    let packet = if decapsulate { outer.innermost() } else { *outer };
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
        bytes: u64::from(length(outer, frame)),
        sampling: 1,
        begin: at,
        end: at,
    }
}

/// The other direction of a record that counts both (RFC 5103, Cisco ASA); `None` where nothing went there.
#[inline]
pub(super) fn reverse(places: &Places, record: &[u8], flow: &Flow) -> Option<Flow> {
    let (packets, bytes) = (number(record, places.reverse_packets), number(record, places.reverse_bytes));
    let is_icmp = matches!(flow.protocol, packet::ICMP | packet::ICMP_V6);
    let (source_port, target_port) =
        if is_icmp { (0, flow.target_port) } else { (flow.target_port, flow.source_port) };
    let is_tcp = flow.protocol == packet::TCP;
    (packets | bytes != 0).then(|| Flow {
        source: flow.target,
        target: flow.source,
        source_port,
        target_port,
        tcp_flags: if is_tcp { low_u8(record, places.reverse_flags) } else { 0 },
        packets,
        bytes,
        ..*flow
    })
}
