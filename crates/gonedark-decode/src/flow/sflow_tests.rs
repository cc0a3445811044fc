//! One claim a test: sFlow.

use super::flow_wire::*;
use super::{Damage, Decoder, Settings};
use gonedark_route::{Flow, Time};
use std::net::{IpAddr, Ipv4Addr};

const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const NOW: Time = Time::from_seconds(AT as i64);

fn takes(decoder: &mut Decoder, datagram: &[u8]) -> (Vec<Flow>, bool) {
    let mut flows = Vec::new();
    let decoded = decoder.decode(ROUTER, NOW, datagram, &mut |_, flow| flows.push(*flow)).unwrap();
    (flows, decoded.damage.is_some())
}

fn flows(samples: &[Vec<u8>]) -> Vec<Flow> {
    let (flows, is_damaged) = takes(&mut Decoder::new(Settings::default()), &sflow(0, samples));
    assert!(!is_damaged);
    flows
}

#[test]
fn a_sampled_frame_is_a_flow_of_one_packet_as_long_as_its_ip_header_says() {
    let raw = raw_header(64, &frame(1, 2));
    let read = flows(&[flow_sample(1, 1024, std::slice::from_ref(&raw)), expanded_sample(2, 512, &[raw])]);
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].packets, read[0].bytes, read[0].sampling), (1, 40, 1024));
    assert_eq!((read[0].target_port, read[0].tcp_flags, read[0].protocol), (80, 2, 6));
    assert_eq!((read[0].begin, read[0].end), (NOW, NOW));
    assert_eq!(read[1], Flow { sampling: 512, ..read[0] });
}

#[test]
fn a_packet_that_says_no_length_is_as_long_as_its_frame_without_the_link() {
    let mut frame = frame(1, 2);
    (frame[16], frame[17]) = (0, 0);
    assert_eq!(flows(&[flow_sample(1, 1, &[raw_header(1_518, &frame)])])[0].bytes, 1_518 - 4 - 14);
}

#[test]
fn records_of_addresses_are_read_and_the_header_itself_tells_more() {
    let four = opaque(3, &u32s(&[100, 17, 7, 8, 53, 4_000, 0, 0]));
    let read = flows(&[flow_sample(1, 9, std::slice::from_ref(&four))]);
    assert_eq!((read[0].bytes, read[0].protocol, read[0].source_port, read[0].sampling), (100, 17, 53, 9));
    let six = opaque(4, &[&u32s(&[100, 6])[..], &[0x20; 32], &u32s(&[1, 2, 0x12, 0])].concat());
    assert_eq!(flows(&[flow_sample(1, 9, &[six])])[0].source, IpAddr::from([0x20; 16]));
    let unknown = opaque(1001, &[0; 16]);
    let read = flows(&[flow_sample(1, 9, &[four, unknown, raw_header(64, &frame(1, 2))])]);
    assert_eq!((read.len(), read[0].protocol), (1, 6));
}

#[test]
fn counters_discards_and_unknown_samples_are_counted_and_no_flows() {
    let mut decoder = Decoder::new(Settings::default());
    let discard =
        opaque(5, &[&u32s(&[1, 0, 7, 0, 1, 2, 256, 1])[..], &raw_header(64, &frame(1, 2))].concat());
    let arp = [&[2; 12][..], &[8, 6, 0, 1]].concat();
    let samples = [
        opaque(2, &[0; 12]),
        opaque(4, &[0; 16]),
        discard,
        opaque(4300 << 12 | 1002, &[]),
        flow_sample(1, 1, &[raw_header(64, &arp)]),
    ];
    let (flows, is_damaged) = takes(&mut decoder, &sflow(0, &samples));
    assert_eq!((flows.len(), is_damaged), (0, false));
    let counters = decoder.exporters()[0].counters();
    assert_eq!((counters.counter_samples, counters.discards, counters.unknown_samples), (2, 1, 1));
    assert_eq!((counters.records, counters.without_addresses), (1, 1));
}

#[test]
fn bytes_behind_the_records_of_a_sample_are_passed_over() {
    let good = flow_sample(1, 7, &[raw_header(64, &frame(1, 2))]);
    let longer = opaque(1, &[&good[8..], &[1, 2, 3, 4, 5, 6, 7, 8]].concat());
    assert_eq!(flows(&[longer, good]).len(), 2);
}

#[test]
fn a_damaged_sample_costs_itself_and_a_cut_datagram_what_is_behind_the_cut() {
    let good = flow_sample(1, 7, &[raw_header(64, &frame(1, 2))]);
    let mut lying = good.clone();
    // The length of the record.
    lying[8 + 32 + 4..8 + 32 + 8].copy_from_slice(&[0xFF; 4]);
    let mut decoder = Decoder::new(Settings::default());
    let (flows, is_damaged) = takes(&mut decoder, &sflow(0, &[lying, good.clone()]));
    assert_eq!((flows.len(), is_damaged), (1, true));
    let datagram = sflow(1, &[good.clone(), good]);
    let (flows, is_damaged) = takes(&mut decoder, &datagram[..datagram.len() - 1]);
    assert_eq!((flows.len(), is_damaged), (1, true));
    let mut more = sflow(2, &[]);
    more[27] = 9;
    assert!(takes(&mut decoder, &more).1);
    let counters = decoder.exporters()[0].counters();
    assert_eq!(counters.damaged(Damage::SampleRecordCut), 1);
    assert_eq!((counters.damaged(Damage::SampleCut), counters.damaged(Damage::Count)), (1, 1));
}

#[test]
fn agents_behind_one_address_count_for_themselves_and_may_have_ipv6() {
    let mut decoder = Decoder::new(Settings::default());
    let of_agent = |sequence| [&u32s(&[5, 2])[..], &[0x20; 16], &u32s(&[3, sequence, UPTIME, 0])].concat();
    for datagram in [sflow(1, &[]), of_agent(500), sflow(2, &[]), of_agent(501), sflow(5, &[]), of_agent(502)]
    {
        takes(&mut decoder, &datagram);
    }
    let exporter = &decoder.exporters()[0];
    assert_eq!((exporter.counters().missed_datagrams, exporter.counters().late), (2, 0));
    assert_eq!(exporter.domains().filter_map(|domain| domain.agent).count(), 2);
    let sample = |number| flow_sample(number, 1, &[]);
    takes(&mut decoder, &sflow(6, &[sample(1), sample(2), sample(9)]));
    assert_eq!(decoder.exporters()[0].counters().missed_samples, 6);
}

#[test]
fn netflow_and_sflow_may_come_to_one_port() {
    let mut decoder = Decoder::new(Settings::default());
    takes(&mut decoder, &sflow(1, &[]));
    takes(&mut decoder, &v5(1, 0, 0, &[]));
    assert_eq!(decoder.exporters()[0].domains().count(), 2);
    let refused = decoder.decode(ROUTER, NOW, &u32s(&[4, 1, 0, 0, 0, 0, 0]), &mut |_, _| {});
    assert!(refused.is_err());
}
