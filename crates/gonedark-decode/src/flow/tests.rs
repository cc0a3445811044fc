//! One claim a test, on datagrams that are built by hand.

use super::flow_wire::*;
use super::{Counters, Damage, Decoded, Decoder, RateOf, RateSetting, SamplingFrom, Settings};
use crate::error::{DecodeError, Field};
use gonedark_route::{Family, Flow, Prefix, Time};
use std::net::{IpAddr, Ipv4Addr};

const ROUTER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2));
const SECOND: i64 = 1_000_000;

fn now() -> Time {
    Time::from_seconds(i64::from(AT) + 2)
}

struct Lab {
    decoder: Decoder,
    flows: Vec<Flow>,
}

impl Lab {
    fn new(settings: Settings) -> Self {
        Lab { decoder: Decoder::new(settings), flows: Vec::new() }
    }

    fn takes_at(&mut self, from: IpAddr, at: Time, datagram: &[u8]) -> Result<Decoded, DecodeError> {
        self.flows.clear();
        self.decoder.decode(from, at, datagram, &mut |_, flow| self.flows.push(*flow))
    }

    /// The flows of a datagram that is not damaged.
    fn takes(&mut self, datagram: &[u8]) -> Vec<Flow> {
        let decoded = self.takes_at(ROUTER, now(), datagram).unwrap();
        assert_eq!(decoded.damage, None);
        self.flows.clone()
    }

    fn counters(&self) -> Counters {
        *self.decoder.exporters()[0].counters()
    }
}

fn lab() -> Lab {
    Lab::new(Settings::default())
}

fn v4(address: u32) -> IpAddr {
    Ipv4Addr::from_bits(address).into()
}

/// The flow of the only record of a template of version 9.
fn of_v9(fields: &[(u16, u16)], record: &[u8]) -> Flow {
    let flows = lab().takes(&v9(0, 0, &[set(0, &template(256, fields)), set(256, record)]));
    assert_eq!(flows.len(), 1);
    flows[0]
}

/// The same of IPFIX, with two addresses before the fields.
fn of_ipfix(fields: &[(u32, u16, u16)], record: &[u8]) -> Vec<Flow> {
    let fields = [&[(0, 8, 4), (0, 12, 4)], fields].concat();
    let record = [&u32s(&[1, 2]), record].concat();
    lab().takes(&ipfix(0, 0, &[set(2, &enterprise_template(256, &fields)), set(256, &record)]))
}

#[test]
fn a_record_of_version_9_is_read_as_it_was_written() {
    let body = [record(1, 2, 1_500, 3), record(3, 4, 60, 1), vec![0]].concat();
    let flows = lab().takes(&v9(0, 0, &[set(0, &template(256, &FIELDS)), set(256, &body)]));
    let at = Time::from_seconds(i64::from(AT));
    let flow = Flow {
        source: v4(1),
        target: v4(2),
        source_port: 53,
        target_port: 4_000,
        protocol: 17,
        tcp_flags: 0,
        is_fragment: false,
        packets: 3,
        bytes: 1_500,
        sampling: 1,
        begin: at,
        end: at,
    };
    assert_eq!(flows, [flow, Flow { source: v4(3), target: v4(4), bytes: 60, packets: 1, ..flow }]);
}

#[test]
fn data_before_their_template_in_one_datagram_are_decoded() {
    let data = set(256, &record(1, 2, 3, 4));
    let flows = lab().takes(&v9(0, 0, &[data.clone(), set(0, &template(256, &FIELDS)), data]));
    assert_eq!(flows.len(), 2);
}

#[test]
fn data_before_their_template_wait_with_the_times_of_their_own_datagram() {
    let fields = [&FIELDS[..], &[(21, 4)]].concat();
    let data = set(256, &[record(1, 2, 3, 4), u32s(&[UPTIME - 1_000])].concat());
    let mut lab = lab();
    assert_eq!(lab.takes(&v9(0, 0, &[data])), []);
    assert_eq!(lab.decoder.exporters()[0].waiting(), 1);
    let flows = lab.takes(&v9_at(UPTIME + 60_000, AT + 60, 1, 0, &[set(0, &template(256, &fields))]));
    assert_eq!(flows.len(), 1);
    assert_eq!(flows[0].end, Time::from_seconds(i64::from(AT) - 1));
    assert_eq!((lab.counters().sets_waited, lab.counters().sets_found), (1, 1));
}

#[test]
fn what_waits_is_bounded_in_age_and_bytes_and_what_falls_out_is_counted() {
    let mut lab = Lab::new(Settings { waiting_bytes_max: 4_000, ..Settings::default() });
    for _ in 0..100 {
        lab.takes(&v9(0, 0, &[set(256, &[1; 100])]));
    }
    let waiting = lab.decoder.exporters()[0].waiting();
    assert!((10..40).contains(&waiting), "{waiting}");
    assert_eq!(lab.counters().sets_without_room, 100 - waiting as u64);
    lab.takes(&v9(0, 0, &[set(256, &[1; 5_000])]));
    assert_eq!(lab.counters().sets_without_room, 101 - waiting as u64);
    let later = Time::from_micros(now().micros() + 601 * SECOND);
    lab.takes_at(ROUTER, later, &v9(0, 0, &[])).unwrap();
    assert_eq!(lab.decoder.exporters()[0].waiting(), 0);
    assert_eq!(lab.counters().sets_too_old, waiting as u64);
}

#[test]
fn exporters_domains_and_versions_may_have_templates_of_one_identifier() {
    let mut lab = lab();
    let swapped = [(12, 4), (8, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4)];
    let data = set(256, &record(1, 2, 3, 4));
    lab.takes(&v9(0, 7, &[set(0, &template(256, &FIELDS))]));
    lab.takes(&v9(0, 8, &[set(0, &template(256, &swapped))]));
    lab.takes(&ipfix(0, 7, &[set(2, &template(256, &swapped))]));
    lab.takes_at(OTHER, now(), &v9(0, 7, &[set(0, &template(256, &swapped))])).unwrap();
    assert_eq!(lab.takes(&v9(1, 7, std::slice::from_ref(&data)))[0].source, v4(1));
    assert_eq!(lab.takes(&v9(1, 8, std::slice::from_ref(&data)))[0].source, v4(2));
    assert_eq!(lab.takes(&ipfix(0, 7, std::slice::from_ref(&data)))[0].source, v4(2));
    lab.takes_at(OTHER, now(), &v9(1, 7, &[data])).unwrap();
    assert_eq!(lab.flows[0].source, v4(2));
    assert_eq!(lab.decoder.exporters()[0].domains().count(), 3);
}

#[test]
fn a_template_may_be_redefined_and_withdrawn() {
    let mut lab = lab();
    let data = set(256, &record(1, 2, 3, 4));
    let first = set(2, &template(256, &FIELDS));
    let swapped = [(12, 4), (8, 4), (7, 2), (11, 2), (4, 1), (1, 4), (2, 4)];
    lab.takes(&ipfix(0, 0, &[first.clone(), first, set(2, &template(256, &swapped))]));
    assert_eq!((lab.counters().templates, lab.counters().templates_redefined), (3, 1));
    assert_eq!(lab.takes(&ipfix(0, 0, std::slice::from_ref(&data)))[0].source, v4(2));
    lab.takes(&ipfix(0, 0, &[set(2, &u16s(&[256, 0])), set(2, &template(300, &FIELDS))]));
    assert_eq!(lab.takes(&ipfix(0, 0, &[data])), []);
    assert_eq!(lab.decoder.exporters()[0].templates(), 1);
    lab.takes(&ipfix(0, 0, &[set(2, &u16s(&[2, 0]))]));
    assert_eq!(lab.decoder.exporters()[0].templates(), 0);
    assert_eq!(lab.counters().templates_withdrawn, 2);
}

#[test]
fn templates_make_room_for_others_the_longest_unused_first() {
    let mut lab = Lab::new(Settings { template_bytes_max: 2_000, ..Settings::default() });
    let data = set(256, &record(1, 2, 3, 4));
    for id in 256..300 {
        lab.takes(&v9(0, 0, &[set(0, &template(id, &FIELDS)), data.clone()]));
    }
    let known = lab.decoder.exporters()[0].templates();
    assert!((2..20).contains(&known), "{known}");
    assert_eq!(lab.counters().templates_evicted, 44 - known as u64);
    assert_eq!(lab.counters().records, 44);
}

#[test]
fn more_exporters_or_domains_than_the_settings_allow_are_refused_and_counted() {
    let mut lab = Lab::new(Settings { exporters_max: 1, domains_max: 1, ..Settings::default() });
    lab.takes(&v9(0, 0, &[]));
    let refused = |field| Err(DecodeError::Value { offset: 0, field, found: 1 });
    assert_eq!(lab.takes_at(OTHER, now(), &v9(0, 0, &[])), refused(Field::FlowExporters));
    assert_eq!(lab.takes_at(ROUTER, now(), &v9(0, 1, &[])), refused(Field::FlowDomains));
    assert!(lab.takes_at(ROUTER, now(), &[0, 7, 0, 0]).is_err());
    assert!(lab.takes_at(ROUTER, now(), &[0, 9, 0, 0]).is_err());
    let refused = lab.decoder.refused();
    assert_eq!((refused.exporters, refused.domains, refused.versions, refused.headers), (1, 1, 1, 1));
    assert_eq!(lab.counters().unknown_versions, 1);
}

#[test]
fn templates_and_rates_survive_a_restart() {
    let mut first = lab();
    let told =
        [set(1, &v9_options(257, &[(1, 4)], &[(48, 1), (50, 4)])), set(257, &[0, 0, 0, 0, 5, 0, 0, 3, 232])];
    first.takes(&v9(0, 7, &told));
    first.takes(&v9(1, 7, &[set(0, &template(256, &[&FIELDS[..], &[(48, 1)]].concat()))]));
    first.takes(&ipfix(0, 7, &[set(3, &ipfix_options(256, &[(149, 4)], &[(305, 4)]))]));
    first.takes(&ipfix(0, 7, &[set(2, &enterprise_template(258, &[(29305, 1, 4), (0, 8, 4)]))]));
    let mut second = lab();
    for (exporter, message) in first.decoder.templates() {
        second.decoder.take_up_template(exporter, &message).unwrap();
    }
    for rate in first.decoder.rates() {
        second.decoder.take_up_rate(rate).unwrap();
    }
    assert_eq!(second.decoder.templates().collect::<Vec<_>>(), first.decoder.templates().collect::<Vec<_>>());
    assert_eq!(second.decoder.templates().count(), 4);
    assert_eq!(second.counters(), Counters::default());
    let flows = second.takes(&v9(2, 7, &[set(256, &[&record(1, 2, 3, 4)[..], &[5]].concat())]));
    assert_eq!(flows[0].sampling, 1_000);
    assert!(second.decoder.take_up_template(ROUTER, &v5(0, 0, 0, &[])).is_err());
}

#[test]
fn a_rate_is_joined_per_sampler_and_holds_from_when_it_is_told() {
    let mut lab = lab();
    let fields = [&FIELDS[..], &[(48, 1)]].concat();
    let of = |sampler: u8| [&record(1, 2, 3, 4)[..], &[sampler]].concat();
    let data = set(256, &[of(1), of(2), of(2), of(9)].concat());
    let rates = |flows: Vec<Flow>| flows.iter().map(|flow| flow.sampling).collect::<Vec<_>>();
    assert_eq!(rates(lab.takes(&v9(0, 0, &[set(0, &template(256, &fields)), data.clone()]))), [1, 1, 1, 1]);
    let options = set(1, &v9_options(257, &[(1, 4)], &[(48, 1), (49, 1), (50, 4)]));
    let told = [0, 0, 0, 0, 1, 2, 0, 0, 3, 232, 0, 0, 0, 0, 2, 2, 0, 0, 7, 208];
    assert_eq!(rates(lab.takes(&v9(1, 0, &[options, set(257, &told), data]))), [1_000, 2_000, 2_000, 1]);
    assert_eq!(lab.counters().sampling, [0, 0, 3, 0, 5]);
    assert_eq!(lab.counters().options_records, 2);
    let exporter = &lab.decoder.exporters()[0];
    assert_eq!(exporter.rates().count(), 2);
    assert_eq!(exporter.rates().next(), Some((9, 0, RateOf::Sampler(1), 1_000)));
    assert_eq!(exporter.sampling().unwrap().from, SamplingFrom::Assumed);
}

/// The rate of a flow whose IPFIX exporter told these fields in options.
fn told(fields: &[(u16, u16)], values: &[u8]) -> u32 {
    let mut lab = lab();
    let options = set(3, &ipfix_options(257, &[(149, 4)], fields));
    let told = set(257, &[&[0; 4], values].concat());
    let data = [set(2, &template(256, &FIELDS)), set(256, &record(1, 2, 3, 4))];
    lab.takes(&ipfix(0, 0, &[options, told]));
    lab.takes(&ipfix(1, 0, &data))[0].sampling
}

#[test]
fn every_way_to_tell_a_rate_is_understood() {
    assert_eq!(told(&[(34, 4)], &u32s(&[500])), 500);
    assert_eq!(told(&[(34, 4), (35, 1)], &[0, 0, 1, 244, 2]), 500);
    assert_eq!(told(&[(50, 4)], &u32s(&[512])), 512);
    assert_eq!(told(&[(304, 2), (305, 4), (306, 4)], &[0, 1, 0, 0, 0, 1, 0, 0, 3, 231]), 1_000);
    assert_eq!(told(&[(305, 4), (306, 4)], &u32s(&[10, 990])), 100);
    assert_eq!(told(&[(305, 4), (309, 4), (310, 4)], &u32s(&[1, 1, 4_096])), 4_096);
    assert_eq!(told(&[(309, 4), (310, 4)], &u32s(&[2, 4_096])), 2_048);
    assert_eq!(told(&[(311, 8)], &0.01_f64.to_be_bytes()), 100);
    assert_eq!(told(&[(302, 8), (305, 4)], &[&[0; 8][..], &u32s(&[100])].concat()), 100);
    assert_eq!(told(&[(34, 4)], &u32s(&[0])), 1);
}

#[test]
fn a_rate_in_the_record_stands_before_options_and_one_of_the_user_before_all() {
    let fields = [&FIELDS[..], &[(34, 4)]].concat();
    let data = set(256, &[record(1, 2, 3, 4), u32s(&[64]), record(1, 2, 3, 4), u32s(&[0])].concat());
    let datagram = v9(0, 0, &[set(0, &template(256, &fields)), data]);
    let rates = |always, otherwise| {
        let network = Prefix::from_bits(Family::V4, u128::from(0xC000_0200_u32) << 96, 24).unwrap();
        let all = Prefix::from_bits(Family::V4, 0, 0).unwrap();
        let far = RateSetting { always: Some(7), otherwise: None };
        let sampling = vec![(network, RateSetting { always, otherwise }), (all, far)];
        let mut lab = Lab::new(Settings { sampling, ..Settings::default() });
        lab.takes(&datagram).iter().map(|flow| flow.sampling).collect::<Vec<_>>()
    };
    assert_eq!(rates(None, None), [64, 1]);
    assert_eq!(rates(None, Some(10)), [64, 10]);
    assert_eq!(rates(Some(5), Some(10)), [5, 5]);
}

#[test]
fn the_header_of_version_5_tells_the_rate_in_its_low_fourteen_bits() {
    let mut lab = lab();
    let flows = lab.takes(&v5(0, 0x4000 | 1_000, 1, &[v5_record(1, 2, UPTIME - 5_000, UPTIME - 1_000)]));
    assert_eq!((flows[0].sampling, flows[0].bytes, flows[0].packets), (1_000, 1_500, 3));
    assert_eq!((flows[0].protocol, flows[0].tcp_flags, flows[0].target_port), (6, 0x12, 80));
    assert_eq!(flows[0].begin, Time::from_micros(i64::from(AT) * SECOND + SECOND / 2 - 5 * SECOND));
    assert_eq!(flows[0].end, Time::from_micros(i64::from(AT) * SECOND + SECOND / 2 - SECOND));
    assert_eq!(lab.decoder.exporters()[0].sampling().unwrap().from, SamplingFrom::Header);
}

#[test]
fn a_header_that_counts_more_than_there_is_costs_no_record() {
    let mut lab = lab();
    let records = [v5_record(1, 2, 0, 0), v5_record(3, 4, 0, 0)];
    let decoded = lab.takes_at(ROUTER, now(), &v5(0, 0, 55_582, &records)).unwrap();
    assert_eq!((decoded.records, lab.flows.len()), (2, 2));
    assert_eq!(lab.counters().damaged(Damage::Count), 1);
    let decoded = lab.takes_at(ROUTER, now(), &v5(0, 0, 1, &records)).unwrap();
    assert_eq!((decoded.records, decoded.damage), (1, None));
}

#[test]
fn fields_of_variable_length_are_read_in_ipfix_and_in_version_9() {
    let fields = [(82, 65_535), (8, 4), (12, 4), (95, 65_535), (1, 8), (2, 3)];
    let long = [&[255, 1, 44][..], &[b'x'; 300]].concat();
    let body = [
        [&[3, b'a', b'b', b'c'][..], &u32s(&[1, 2]), &[0], &number(77, 8), &number(5, 3)].concat(),
        [&long[..], &u32s(&[3, 4]), &[1, b'y'], &number(88, 8), &number(6, 3)].concat(),
        vec![0; 3],
    ]
    .concat();
    for datagram in [
        ipfix(0, 0, &[set(2, &template(256, &fields)), set(256, &body)]),
        v9(0, 0, &[set(0, &template(256, &fields)), set(256, &body)]),
    ] {
        let flows = lab().takes(&datagram);
        let read = |flow: &Flow| (flow.source, flow.target, flow.bytes, flow.packets);
        assert_eq!(
            flows.iter().map(read).collect::<Vec<_>>(),
            [(v4(1), v4(2), 77, 5), (v4(3), v4(4), 88, 6)]
        );
    }
    let mut lab = lab();
    let cut = set(256, &[&u32s(&[1, 2])[..], &[200, 1, 2, 3]].concat());
    let sets = [
        set(2, &template(256, &[(8, 4), (12, 4), (82, 65_535)])),
        cut,
        set(256, &[&u32s(&[1, 2])[..], &[0]].concat()),
    ];
    let decoded = lab.takes_at(ROUTER, now(), &ipfix(0, 0, &sets)).unwrap();
    assert!(decoded.damage.is_some());
    assert_eq!((lab.flows.len(), lab.counters().damaged(Damage::RecordCut)), (1, 1));
}

#[test]
fn fields_of_no_length_and_numbers_of_any_length_are_read() {
    let fields = [(8, 4), (1, 0), (12, 4), (85, 5), (2, 0), (86, 2), (6, 0), (7, 0)];
    let flow = of_v9(&fields, &[u32s(&[1, 2]), number(0x01_0203_0405, 5), number(7, 2)].concat());
    assert_eq!((flow.source, flow.target), (v4(1), v4(2)));
    assert_eq!((flow.bytes, flow.packets, flow.source_port), (0x01_0203_0405, 7, 0));
    for length in 1..=8 {
        let flow =
            of_v9(&[(8, 4), (12, 4), (1, length)], &[u32s(&[1, 2]), number(200, length.into())].concat());
        assert_eq!(flow.bytes, 200, "{length} bytes");
    }
    let mut lab = lab();
    let empty = v9(0, 0, &[set(0, &template(256, &[(8, 0), (12, 0)])), set(256, &[0; 20])]);
    assert!(lab.takes_at(ROUTER, now(), &empty).unwrap().damage.is_some());
    assert_eq!(lab.counters().damaged(Damage::TemplateSize), 1);
}

#[test]
fn one_odd_set_or_template_costs_that_one_only() {
    let good = [set(0, &template(256, &FIELDS)), set(256, &record(1, 2, 3, 4))];
    let odd = [
        (set(0, &template(12, &FIELDS)), Damage::TemplateId),
        (set(17, &[1, 2, 3, 4]), Damage::SetId),
        (set(0, &[1, 1, 0, 99, 0, 8, 0, 4]), Damage::TemplateCut),
        (set(1, &[1, 1, 0, 99, 0, 8, 0, 4]), Damage::TemplateCut),
        (set(0, &template(300, &[(8, 65_000), (12, 65_000)])), Damage::TemplateSize),
    ];
    for (odd, damage) in odd {
        let mut lab = lab();
        let decoded = lab.takes_at(ROUTER, now(), &v9(0, 0, &[odd, good.concat()])).unwrap();
        assert_eq!((lab.flows.len(), decoded.records), (1, 1), "{damage:?}");
        assert_eq!(lab.counters().damaged(damage), 1, "{damage:?}");
        assert_eq!(lab.counters().damaged_at_all(), 1, "{damage:?}");
    }
    // An odd template before a good one in the same set.
    let both = set(0, &[template(12, &FIELDS), template(256, &FIELDS)].concat());
    let mut lab = lab();
    lab.takes_at(ROUTER, now(), &v9(0, 0, &[both, set(256, &record(1, 2, 3, 4))])).unwrap();
    assert_eq!(lab.flows.len(), 1);
}

#[test]
fn zeros_that_fill_a_datagram_are_no_damage_and_a_set_that_is_cut_gives_what_is_there() {
    let good = [set(0, &template(256, &FIELDS)), set(256, &record(1, 2, 3, 4))].concat();
    assert_eq!(lab().takes(&v9(0, 0, &[good.clone(), vec![0; 1_000]])).len(), 1);
    let mut lab = lab();
    let short = v9(0, 0, &[good.clone(), vec![1, 0, 0, 3, 9, 9, 9, 9]]);
    assert!(lab.takes_at(ROUTER, now(), &short).unwrap().damage.is_some());
    assert_eq!((lab.flows.len(), lab.counters().damaged(Damage::SetLength)), (1, 1));
    let two = set(256, &[record(1, 2, 3, 4), record(1, 2, 3, 4)].concat());
    lab.takes_at(ROUTER, now(), &v9(1, 0, &[two[..30].to_vec()])).unwrap();
    assert_eq!((lab.flows.len(), lab.counters().damaged(Damage::SetCut)), (1, 1));
}

#[test]
fn a_length_of_ipfix_that_lies_is_told_and_what_is_behind_the_message_passed_over() {
    let mut lab = lab();
    let mut datagram = ipfix(0, 0, &[set(2, &template(256, &FIELDS)), set(256, &record(1, 2, 3, 4))]);
    datagram.extend(set(256, &record(1, 2, 3, 4)));
    let decoded = lab.takes_at(ROUTER, now(), &datagram).unwrap();
    assert!(decoded.damage.is_some());
    assert_eq!((lab.flows.len(), lab.counters().damaged(Damage::Length)), (1, 1));
}

#[test]
fn uptimes_become_times_also_over_a_roll_over() {
    let fields = [(8, 4), (12, 4), (22, 4), (21, 4)];
    let at = |uptime: u32, first: u32, last: u32| {
        let sets = [set(0, &template(256, &fields)), set(256, &u32s(&[1, 2, first, last]))];
        let flows = lab().takes(&v9_at(uptime, AT, 0, 0, &sets));
        let before = |time: Time| (i64::from(AT) * SECOND - time.micros()) / 1_000;
        (before(flows[0].begin), before(flows[0].end))
    };
    assert_eq!(at(UPTIME, UPTIME - 79_200_000, UPTIME - 10), (79_200_000, 10));
    assert_eq!(at(1_000, u32::MAX - 999, 500), (2_000, 500));
    assert_eq!(at(1_000, u32::MAX - 999, u32::MAX), (2_000, 1_001));
    // Written while the header was already, and the wrong way round.
    assert_eq!(at(UPTIME, UPTIME - 5_000, UPTIME + 20), (5_000, 0));
    assert_eq!(at(UPTIME, UPTIME - 5_000, UPTIME - 8_000), (8_000, 8_000));
    assert_eq!(at(UPTIME, 0, 0), (0, 0));
}

#[test]
fn absolute_times_of_every_unit_are_read_and_none_is_after_the_second_of_the_message() {
    let seconds = u64::from(AT) - 10;
    let ntp = (seconds + 2_208_988_800) << 32 | 0x8000_0000;
    let of = |fields: &[(u32, u16, u16)], values: &[u64]| {
        let record =
            values.iter().zip(fields).flat_map(|(value, (_, _, length))| number(*value, (*length).into()));
        let flow = of_ipfix(fields, &record.collect::<Vec<u8>>())[0];
        let before = |time: Time| (i64::from(AT) * SECOND - time.micros()) / 1_000;
        (before(flow.begin), before(flow.end))
    };
    assert_eq!(of(&[(0, 150, 4), (0, 151, 4)], &[seconds, seconds + 5]), (10_000, 5_000));
    assert_eq!(of(&[(0, 152, 8), (0, 153, 8)], &[seconds * 1_000 + 1, seconds * 1_000 + 2]), (9_999, 9_998));
    assert_eq!(of(&[(0, 154, 8), (0, 155, 8)], &[ntp, ntp]), (9_500, 9_500));
    assert_eq!(of(&[(0, 156, 8), (0, 157, 8)], &[ntp, ntp]), (9_500, 9_500));
    assert_eq!(of(&[(0, 158, 4), (0, 159, 4)], &[7_000_000, 2_000_000]), (7_000, 2_000));
    assert_eq!(of(&[(0, 153, 8), (0, 161, 4)], &[seconds * 1_000, 3_000]), (13_000, 10_000));
    assert_eq!(of(&[(0, 152, 8), (0, 161, 4)], &[seconds * 1_000, 3_000]), (10_000, 7_000));
    assert_eq!(of(&[(0, 152, 8), (0, 323, 8)], &[seconds * 1_000, seconds * 1_000 + 4_000]), (10_000, 6_000));
    // Within the second of the message, of which the header says no more; ahead, and the wrong way round.
    let now = (seconds + 10) * 1_000;
    assert_eq!(of(&[(0, 152, 8), (0, 153, 8)], &[now - 300, now + 700]), (300, -700));
    assert_eq!(of(&[(0, 152, 8), (0, 153, 8)], &[seconds * 1_000, now + 89_000]), (10_000, -999));
    assert_eq!(of(&[(0, 152, 8), (0, 153, 8)], &[(seconds + 5) * 1_000, seconds * 1_000]), (10_000, 10_000));
    assert_eq!(of(&[(0, 152, 8), (0, 153, 8)], &[u64::MAX, u64::MAX]), (0, 0));
    assert_eq!(of(&[(0, 4, 1)], &[6]), (0, 0));
}

#[test]
fn uptimes_of_ipfix_need_the_moment_of_the_start_or_tell_how_long_a_flow_was() {
    let init = (u64::from(AT) - 1_000) * 1_000;
    let uptimes = number(990_000, 4).into_iter().chain(number(999_000, 4)).collect::<Vec<u8>>();
    let before = |flow: &Flow| {
        let before = |time: Time| (i64::from(AT) * SECOND - time.micros()) / 1_000;
        (before(flow.begin), before(flow.end))
    };
    let fields = [(0, 22, 4), (0, 21, 4), (0, 160, 8)];
    let in_record = of_ipfix(&fields, &[&uptimes[..], &init.to_be_bytes()].concat());
    assert_eq!(before(&in_record[0]), (10_000, 1_000));
    assert_eq!(before(&of_ipfix(&fields[..2], &uptimes)[0]), (9_000, 0));
    let mut lab = lab();
    let options = set(3, &ipfix_options(257, &[(149, 4)], &[(160, 8)]));
    lab.takes(&ipfix(0, 0, &[options, set(257, &[&[0; 4][..], &init.to_be_bytes()].concat())]));
    let template = set(2, &template(256, &[(8, 4), (12, 4), (22, 4), (21, 4)]));
    let flows = lab.takes(&ipfix(1, 0, &[template, set(256, &[&u32s(&[1, 2])[..], &uptimes].concat())]));
    assert_eq!(before(&flows[0]), (10_000, 1_000));
}

#[test]
fn both_directions_of_a_connection_are_two_flows() {
    let fields = [(0, 7, 2), (0, 11, 2), (0, 4, 1), (0, 6, 1), (0, 1, 4), (0, 2, 4)];
    let reverse = [(29305, 1, 4), (29305, 2, 4), (29305, 6, 1)];
    let record = [u16s(&[999, 80]), vec![6, 0x02], u32s(&[100, 2, 9_000, 7]), vec![0x12]].concat();
    let flows = of_ipfix(&[&fields[..], &reverse].concat(), &record);
    assert_eq!(flows.len(), 2);
    let read = |flow: &Flow| {
        (flow.source, flow.source_port, flow.target_port, flow.tcp_flags, flow.bytes, flow.packets)
    };
    assert_eq!(read(&flows[0]), (v4(1), 999, 80, 0x02, 100, 2));
    assert_eq!(read(&flows[1]), (v4(2), 80, 999, 0x12, 9_000, 7));
    // Cisco ASA; and nothing came back.
    assert_eq!(of_ipfix(&[(0, 231, 4), (0, 232, 4)], &u32s(&[10, 20])).len(), 2);
    assert_eq!(of_ipfix(&[(0, 231, 4), (0, 232, 4)], &u32s(&[10, 0])).len(), 1);
}

#[test]
fn events_without_counts_are_flows_of_no_packets_and_counted() {
    let mut lab = lab();
    let fields = [(8, 4), (12, 4), (233, 1), (323, 8)];
    let record = [u32s(&[1, 2]), vec![1], (u64::from(AT) * 1_000).to_be_bytes().to_vec()].concat();
    let flows = lab.takes(&v9(0, 0, &[set(0, &template(256, &fields)), set(256, &record)]));
    assert_eq!((flows[0].packets, flows[0].bytes), (0, 0));
    assert_eq!(lab.counters().without_packets, 1);
    let bridged = v9(1, 0, &[set(0, &template(257, &[(56, 6), (1, 4)])), set(257, &[0; 10])]);
    assert_eq!(lab.takes(&bridged), []);
    assert_eq!((lab.counters().without_addresses, lab.counters().records), (1, 2));
}

#[test]
fn records_with_the_fields_of_both_families_are_of_the_one_that_is_filled() {
    let fields = [(8, 4), (12, 4), (27, 16), (28, 16)];
    let six = [vec![0x20; 16], vec![0x21; 16]].concat();
    let flow = of_v9(&fields, &[&[0; 8][..], &six].concat());
    assert_eq!(flow.source, IpAddr::from([0x20; 16]));
    let flow = of_v9(&fields, &[&u32s(&[1, 2])[..], &six].concat());
    assert_eq!(flow.source, v4(1));
    let flow = of_v9(&[(28, 16)], &[0x21; 16]);
    assert_eq!((flow.source, flow.target), (IpAddr::from([0; 16]), IpAddr::from([0x21; 16])));
}

#[test]
fn the_type_and_code_of_icmp_stand_where_the_port_does() {
    let fields = |number| [(8, 4), (12, 4), (4, 1), (number, 2)];
    let record = |protocol| [&u32s(&[1, 2])[..], &[protocol, 3, 1]].concat();
    assert_eq!(of_v9(&fields(32), &record(1)).target_port, 0x0301);
    assert_eq!(of_v9(&fields(139), &record(58)).target_port, 0x0301);
    assert_eq!(of_v9(&fields(11), &record(1)).target_port, 0x0301);
    let apart = [(8, 4), (12, 4), (4, 1), (176, 1), (177, 1)];
    assert_eq!(of_v9(&apart, &record(1)).target_port, 0x0301);
    assert_eq!(of_v9(&fields(32), &record(17)).target_port, 0);
    // The identifier of an echo stands where the port does, and its type is 0.
    let asa = [(8, 4), (12, 4), (4, 1), (11, 2), (176, 1), (177, 1)];
    let reply = [&u32s(&[1, 2])[..], &[1, 68, 141, 0, 0]].concat();
    assert_eq!(of_v9(&asa, &reply).target_port, 0);
}

#[test]
fn of_a_packet_in_a_packet_the_outer_one_is_read_or_the_inner_one_and_never_a_mixture() {
    // As IOS XR tells of IPv4 in SRv6.
    let fields =
        [(27, 16), (28, 16), (7, 2), (11, 2), (4, 1), (8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (1, 4)];
    let outer = [&[0x20; 32][..], &u16s(&[0, 0]), &[4]].concat();
    let inner = [&u32s(&[1, 2])[..], &u16s(&[999, 80]), &[6]].concat();
    let record = [outer, inner, u32s(&[1_500])].concat();
    let datagram = v9(0, 0, &[set(0, &template(256, &fields)), set(256, &record)]);
    let read = |decapsulate| {
        let flow = Lab::new(Settings { decapsulate, ..Settings::default() }).takes(&datagram)[0];
        (flow.source, flow.target_port, flow.protocol, flow.bytes)
    };
    assert_eq!(read(false), (IpAddr::from([0x20; 16]), 0, 4, 1_500));
    assert_eq!(read(true), (v4(1), 80, 6, 1_500));
}

#[test]
fn fragments_are_told_by_offset_or_flag_and_not_by_do_not_fragment() {
    let is_fragment = |fields: &[(u16, u16)], value: &[u8]| {
        of_v9(&[&[(8, 4), (12, 4)], fields].concat(), &[&u32s(&[1, 2])[..], value].concat()).is_fragment
    };
    assert!(is_fragment(&[(88, 2)], &[0, 185]));
    assert!(!is_fragment(&[(88, 2)], &[0x40, 0]));
    assert!(is_fragment(&[(197, 1)], &[0x20]));
    assert!(!is_fragment(&[(197, 1)], &[0x40]));
}

#[test]
fn flags_of_tcp_may_have_two_bytes() {
    let flow = of_v9(&[(8, 4), (12, 4), (4, 1), (6, 2)], &[&u32s(&[1, 2])[..], &[6, 0x01, 0x12]].concat());
    assert_eq!(flow.tcp_flags, 0x12);
}

#[test]
fn a_section_of_a_frame_or_packet_is_read_as_a_packet() {
    let frame = frame(1, 2);
    let length = frame.len() as u8;
    let fields = [(0, 315, 65_535)];
    let datagram = |fields: &[(u32, u16, u16)], record: &[u8]| {
        ipfix(0, 0, &[set(2, &enterprise_template(256, fields)), set(256, record)])
    };
    let flow = lab().takes(&datagram(&fields, &[&[length][..], &frame].concat()))[0];
    assert_eq!((flow.source, flow.target, flow.target_port, flow.tcp_flags), (v4(1), v4(2), 80, 2));
    assert_eq!((flow.packets, flow.bytes, flow.protocol), (1, 40, 6));
    let packet = &frame[14..54];
    assert_eq!(lab().takes(&datagram(&[(0, 313, 40)], packet))[0].target_port, 80);
    let fields = [(0, 8, 4), (0, 12, 4), (0, 4, 1), (0, 314, 20)];
    let flow = lab().takes(&datagram(&fields, &[&u32s(&[7, 8])[..], &[6], &packet[20..]].concat()))[0];
    assert_eq!((flow.source, flow.target_port, flow.tcp_flags), (v4(7), 80, 2));
}

#[test]
fn datagrams_that_do_not_come_are_counted_and_a_restart_is_no_loss() {
    let mut lab = lab();
    for sequence in [10, 11, 15, 13, 16] {
        lab.takes(&v9(sequence, 0, &[]));
    }
    assert_eq!((lab.counters().missed_datagrams, lab.counters().late), (2, 1));
    lab.takes(&v9_at(1_000, AT + 60, 0, 0, &[]));
    lab.takes(&v9_at(2_000, AT + 61, 1, 0, &[]));
    assert_eq!((lab.counters().missed_datagrams, lab.counters().restarts), (2, 1));
    let records =
        [set(2, &template(256, &FIELDS)), set(256, &[record(1, 2, 3, 4), record(1, 2, 3, 4)].concat())];
    for sequence in [100, 102, 110] {
        lab.takes(&ipfix(sequence, 0, &records));
    }
    assert_eq!(lab.counters().missed_records, 6);
    for sequence in [0, 1, 5] {
        lab.takes(&v5(sequence, 0, 1, &[v5_record(1, 2, 0, 0)]));
    }
    assert_eq!(lab.counters().missed_records, 9);
}

#[test]
fn the_offset_of_an_exporters_clock_is_told_and_nothing_corrected() {
    let mut lab = lab();
    lab.takes(&v9(0, 0, &[]));
    assert_eq!(lab.decoder.exporters()[0].clock_offset(), Some(-2 * SECOND));
    let mapped = "::ffff:192.0.2.1".parse().unwrap();
    lab.takes_at(mapped, now(), &v9(1, 0, &[])).unwrap();
    assert_eq!(lab.decoder.exporters().len(), 1);
}
