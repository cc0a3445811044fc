//! One claim a test, on packets that are built by hand.

use super::{Fragment, Link, Packet, Quoted, TUNNELS_MAX, Transport, ethernet, ip, linked};
use crate::error::{DecodeError, Field};
use std::net::{IpAddr, Ipv4Addr};

fn v4(last: u8) -> IpAddr {
    Ipv4Addr::new(192, 0, 2, last).into()
}

fn v6(last: u8) -> IpAddr {
    let mut bytes = [0; 16];
    (bytes[0], bytes[1], bytes[15]) = (0x20, 0x01, last);
    bytes.into()
}

/// An IPv4 packet from .1 to .2.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len()) as u16;
    let [l0, l1] = length.to_be_bytes();
    let header = [0x45, 0, l0, l1, 0, 0, 0, 0, 64, protocol, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
    [&header[..], payload].concat()
}

/// An IPv6 packet from ::1 to ::2 of 2001::.
fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [l0, l1] = (payload.len() as u16).to_be_bytes();
    let mut bytes = vec![0x60, 0, 0, 0, l0, l1, next, 64];
    for last in [1, 2] {
        bytes.extend([0x20, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    [&bytes[..], payload].concat()
}

fn udp(source: u16, target: u16, payload: &[u8]) -> Vec<u8> {
    let length = (8 + payload.len()) as u16;
    let numbers = [source, target, length, 0].map(u16::to_be_bytes).concat();
    [&numbers[..], payload].concat()
}

fn tcp(flags: u8) -> Vec<u8> {
    [&[0x30, 0x39, 0, 80, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags][..], &[0; 6]].concat()
}

fn frame(kinds: &[u8], payload: &[u8]) -> Vec<u8> {
    [&[2; 12][..], kinds, payload].concat()
}

fn ports(packet: Packet<'_>) -> (u16, u16) {
    packet.transport().ports()
}

#[test]
fn tags_labels_and_sessions_before_a_packet_are_stepped_over() {
    let packet = ipv4(17, &udp(53, 4_000, &[]));
    for (kinds, link_length) in [
        (&[8, 0][..], 14),
        (&[0x81, 0, 0, 9, 8, 0], 18),
        (&[0x88, 0xA8, 0, 9, 0x81, 0, 0, 10, 8, 0], 22),
        (&[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64], 22),
        (&[0x88, 0x64, 0x11, 0, 0, 1, 0, 30, 0, 0x21], 22),
        (&[0, 40, 0xAA, 0xAA, 3, 0, 0, 0, 8, 0], 22),
    ] {
        let bytes = frame(kinds, &packet);
        let read = ethernet(&bytes).unwrap();
        assert_eq!(
            (ports(read), read.link_length, read.length),
            ((53, 4_000), link_length, 28),
            "{kinds:x?}"
        );
    }
    let inner = frame(&[8, 0], &packet);
    let pseudowire = frame(&[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0], &inner);
    assert_eq!(ports(ethernet(&pseudowire).unwrap()), (53, 4_000));
    let odd = frame(&[0x88, 0x47, 0, 1, 1, 64, 0, 5, 0, 0], &inner);
    assert_eq!(ethernet(&odd).unwrap_err().field(), Field::Mpls);
    let nibble = frame(&[0x88, 0x47, 0, 1, 1, 64, 0x90, 0, 0, 0], &[]);
    assert_eq!(
        ethernet(&nibble).unwrap_err(),
        DecodeError::Value { offset: 18, field: Field::Mpls, found: 9 }
    );
}

#[test]
fn every_kind_of_link_that_captures_have_is_known() {
    let packet = ipv4(6, &tcp(0x12));
    for (number, before) in [
        (0, &[2, 0, 0, 0][..]),
        (101, &[]),
        (219, &[0, 1, 1, 64]),
        (113, &[0, 0, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0, 8, 0]),
        (276, &[8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 2, 2, 2, 2, 2, 0, 0]),
    ] {
        let bytes = [before, &packet].concat();
        let read = linked(Link::from_pcap(number).unwrap(), &bytes).unwrap();
        assert_eq!(read.transport(), Transport::Tcp { source_port: 12_345, target_port: 80, flags: 0x12 });
    }
    assert_eq!(Link::from_pcap(105), None);
}

#[test]
fn what_holds_no_ip_packet_is_an_error_that_says_what_it_holds() {
    let arp = frame(&[8, 6], &[0; 28]);
    assert_eq!(
        ethernet(&arp).unwrap_err(),
        DecodeError::Value { offset: 14, field: Field::EtherType, found: 0x0806 }
    );
    assert_eq!(ip(&[0x55; 40]).unwrap_err().field(), Field::IpVersion);
    assert_eq!(ip(&[0x44; 40]).unwrap_err().field(), Field::IpHeaderLength);
    assert_eq!(ip(&ipv4(6, &[])[..19]).unwrap_err().field(), Field::IpHeader);
}

#[test]
fn padding_is_no_payload_and_a_cut_packet_is_read_as_far_as_it_goes() {
    let mut bytes = ipv4(17, &udp(53, 4_000, &[1]));
    bytes.extend([0; 17]);
    assert_eq!(ip(&bytes).unwrap().payload.len(), 9);
    let bytes = ipv4(6, &tcp(2));
    assert_eq!(
        ip(&bytes[..24]).unwrap().transport(),
        Transport::Tcp { source_port: 12_345, target_port: 80, flags: 0 }
    );
    assert_eq!(ip(&bytes[..23]).unwrap().transport(), Transport::Absent);
    assert_eq!(ip(&bytes[..23]).unwrap().length, 40);
    let mut offloaded = ipv4(17, &udp(1, 2, &[]));
    (offloaded[2], offloaded[3]) = (0, 0);
    assert_eq!((ip(&offloaded).unwrap().length, ports(ip(&offloaded).unwrap())), (0, (1, 2)));
}

#[test]
fn options_of_ipv4_and_extension_headers_of_ipv6_are_stepped_over() {
    let mut options = ipv4(17, &[&[1, 1, 1, 1][..], &udp(7, 8, &[])].concat());
    options[0] = 0x46;
    assert_eq!(ports(ip(&options).unwrap()), (7, 8));
    let chain = [
        &[43, 0, 0, 0, 0, 0, 0, 0][..],                     // hop by hop
        &[60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // routing
        &[51, 0, 0, 0, 0, 0, 0, 0],                         // destination
        &[17, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], // authentication
        &udp(7, 8, &[]),
    ]
    .concat();
    let bytes = ipv6(0, &chain);
    let read = ip(&bytes).unwrap();
    assert_eq!((read.protocol, ports(read), read.length), (17, (7, 8), 40 + 64));
    assert_eq!((read.source, read.target), (v6(1), v6(2)));
    let cut = ip(&bytes[..60]).unwrap();
    assert_eq!((cut.transport(), cut.payload.len()), (Transport::Other, 0));
}

#[test]
fn fragments_are_told_and_only_the_first_one_has_ports() {
    let with = |fragment: u16| {
        let mut bytes = ipv4(17, &udp(7, 8, &[]));
        bytes[6..8].copy_from_slice(&fragment.to_be_bytes());
        let packet = ip(&bytes).unwrap();
        (packet.fragment, packet.transport().ports())
    };
    assert_eq!(with(0x4000), (None, (7, 8)));
    assert_eq!(with(0x2000), (Some(Fragment { offset: 0, more: true }), (7, 8)));
    assert_eq!(with(185), (Some(Fragment { offset: 185, more: false }), (0, 0)));
    let with = |bits: u16| {
        let [high, low] = bits.to_be_bytes();
        let bytes = ipv6(44, &[&[17, 0, high, low, 0, 0, 0, 1][..], &udp(7, 8, &[])].concat());
        let packet = ip(&bytes).unwrap();
        (packet.fragment, packet.transport().ports(), packet.protocol)
    };
    assert_eq!(with(0), (None, (7, 8), 17));
    assert_eq!(with(1), (Some(Fragment { offset: 0, more: true }), (7, 8), 17));
    assert_eq!(with(185 << 3), (Some(Fragment { offset: 185, more: false }), (0, 0), 17));
}

#[test]
fn an_icmp_error_quotes_the_packet_that_it_is_about() {
    let quoted = ipv4(17, &udp(4_000, 53, &[]));
    let bytes = ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &quoted].concat());
    let packet = ip(&bytes).unwrap();
    assert_eq!(packet.transport(), Transport::Icmp { kind: 3, code: 3 });
    assert_eq!(packet.transport().ports(), (0, 0x0303));
    let read = Quoted { source: v4(1), target: v4(2), protocol: 17, ports: Some((4_000, 53)) };
    assert_eq!(packet.quoted(), Some(read));
    // Eight bytes of what is behind the header are all that has to be quoted; of none of them there are no ports.
    assert_eq!(ip(&bytes[..bytes.len() - 8]).unwrap().quoted(), Some(Quoted { ports: None, ..read }));
    let bytes = ipv6(58, &[&[1, 4, 0, 0, 0, 0, 0, 0][..], &ipv6(6, &tcp(2))].concat());
    let read = Quoted { source: v6(1), target: v6(2), protocol: 6, ports: Some((12_345, 80)) };
    assert_eq!(ip(&bytes).unwrap().quoted(), Some(read));
    let echo = ipv4(1, &[&[8, 0, 0, 0, 0, 0, 0, 0][..], &quoted].concat());
    assert_eq!(ip(&echo).unwrap().quoted(), None);
}

#[test]
fn what_is_inside_of_every_tunnel_is_found() {
    let four = ipv4(17, &udp(7, 8, &[]));
    let six = ipv6(17, &udp(7, 8, &[]));
    let bridged = frame(&[0x81, 0, 0, 9, 8, 0], &four);
    let gre = |flags: u8, kind: u16, extra: usize, payload: &[u8]| {
        let [high, low] = kind.to_be_bytes();
        ipv4(47, &[&[flags, 0, high, low][..], &vec![0; extra], payload].concat())
    };
    let vxlan = udp(1, 4_789, &[&[8, 0, 0, 0, 0, 0, 9, 0][..], &bridged].concat());
    for outer in [
        ipv4(4, &four),
        ipv4(41, &six),
        ipv6(41, &six),
        ipv6(4, &four),
        gre(0, 0x0800, 0, &four),
        gre(0xB0, 0x86DD, 12, &six),
        gre(0x20, 0x6558, 4, &bridged),
        gre(0, 0x8847, 4, &[]).into_iter().chain(four.clone()).collect(),
        ipv4(17, &vxlan),
        ipv6(143, &bridged),
        ipv4(137, &[&[0, 1, 1, 64][..], &four].concat()),
        ipv6(43, &[&[41, 2, 4, 0, 0, 0, 0, 0][..], &[0x20; 16], &six].concat()),
    ] {
        let mut outer = outer;
        // The stack of labels of the GRE packet ends with its first one, and the packet is longer than its header said.
        if outer.len() > 27 && outer[9] == 47 && outer[22..24] == [0x88, 0x47] {
            (outer[24], outer[26]) = (0, 1);
            let [high, low] = (outer.len() as u16).to_be_bytes();
            (outer[2], outer[3]) = (high, low);
        }
        let packet = ip(&outer).unwrap();
        assert_eq!(packet.inside().map(ports), Some((7, 8)), "{outer:x?}");
        assert_eq!(ports(packet.innermost()), (7, 8));
    }
    assert_eq!(ip(&four).unwrap().inside(), None);
    assert_eq!(ip(&gre(0x40, 0x0800, 4, &four)).unwrap().inside(), None);
}

#[test]
fn tunnels_are_gone_into_as_deep_as_is_allowed_and_no_deeper() {
    let mut bytes = ipv4(17, &udp(7, 8, &[]));
    for _ in 0..TUNNELS_MAX {
        bytes = ipv4(4, &bytes);
    }
    assert_eq!(ports(ip(&bytes).unwrap().innermost()), (7, 8));
    let deeper = ipv4(4, &bytes);
    assert_eq!(ip(&deeper).unwrap().innermost().protocol, 4);
}
