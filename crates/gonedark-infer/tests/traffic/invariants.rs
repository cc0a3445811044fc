//! What must hold of any flows.

use crate::world::{Dice, Registry, SECOND, Table, address, at, flow, meter, micros};
use gonedark_infer::traffic::report::TrafficReport;
use gonedark_infer::traffic::{KeptTraffic, Parameters, Traffic, Watched};
use gonedark_route::Flow;
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

/// Half a minute of floods on several targets and things beside them; each with the second in which it is received.
fn records(seed: u64) -> Vec<(i64, Flow)> {
    let mut dice = Dice(seed);
    let mut records = Vec::new();
    for second in 0..30 {
        for _ in 0..200 {
            let received = second * SECOND + dice.below(1_000_000) as i64;
            let host = [8, 8, 8, 9, 10, 77, 79][dice.below(7) as usize];
            let mut sent = flow(Ipv4Addr::new(175, 45, 176, host).into(), micros(received));
            sent.begin = micros(received - dice.below(8_000_000) as i64 * dice.below(2) as i64);
            sent.source = dice.address();
            sent.packets = if (5..20).contains(&second) { 1_000 } else { 10 };
            sent.bytes = sent.packets * 200;
            match dice.below(6) {
                0 => sent.source_port = 123,
                1 => sent.source_port = 1_900,
                2 => (sent.protocol, sent.tcp_flags) = (6, 0b10),
                3 => (sent.protocol, sent.tcp_flags) = (6, 0b1_1011),
                4 => (sent.protocol, sent.source_port, sent.target_port) = (1, 0, 8 << 8),
                _ => sent.source_port = 30_120,
            }
            records.push((received, sent));
        }
    }
    records
}

fn feed(traffic: &mut Traffic, records: &[(i64, Flow)], exporter: impl Fn(usize) -> u16) {
    for (number, (received, flow)) in records.iter().enumerate() {
        traffic.flow(micros(*received), exporter(number), flow);
    }
}

fn finish(mut traffic: Traffic) -> TrafficReport {
    for second in 31..200 {
        traffic.alive(at(second), 0);
    }
    traffic.advance(at(200));
    traffic.report()
}

/// Without what names exporters.
fn anonymous(mut report: TrafficReport) -> TrafficReport {
    report.exporters.clear();
    report.deaf.clear();
    for attack in &mut report.attacks {
        attack.coverage.exporters.clear();
    }
    report
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_order_within_a_second_changes_nothing(seed in any::<u64>()) {
        let mut sorted = records(seed);
        sorted.sort_by_key(|(received, _)| received / SECOND);
        let mut turned = sorted.clone();
        // Turned around within each second, each at the time of another.
        for second in turned.chunk_by_mut(|a, b| a.0 / SECOND == b.0 / SECOND) {
            second.reverse();
        }
        let report = |records: &[(i64, Flow)]| {
            let mut traffic = meter(Parameters::default());
            feed(&mut traffic, records, |_| 0);
            finish(traffic)
        };
        let first = report(&sorted);
        prop_assert!(first.attacks.len() >= 2, "{:?}", first.attacks);
        prop_assert_eq!(first, report(&turned));
    }

    #[test]
    fn which_exporters_count_a_flow_changes_nothing(seed in any::<u64>(), parts in 1_u16..5) {
        let records = records(seed);
        let mut one = meter(Parameters::default());
        feed(&mut one, &records, |_| 0);
        let mut many = meter(Parameters::default());
        feed(&mut many, &records, |number| number as u16 % parts);
        let (one, many) = (anonymous(finish(one)), anonymous(finish(many)));
        prop_assert_eq!(one, many);
    }

    #[test]
    fn a_flow_in_parts_is_the_same_flow(seed in any::<u64>()) {
        let records = records(seed);
        let mut halves = Vec::new();
        for (received, flow) in &records {
            let half = Flow { packets: flow.packets / 2, bytes: flow.bytes / 2, ..*flow };
            halves.extend([(*received, half), (*received, half)]);
        }
        let mut whole = meter(Parameters::default());
        feed(&mut whole, &records, |_| 0);
        let mut parts = meter(Parameters::default());
        feed(&mut parts, &halves, |number| number as u16 % 2);
        let (whole, parts) = (finish(whole), finish(parts));
        let told = |report: &TrafficReport| {
            let told = report.attacks.iter().map(|attack| {
                (attack.id.clone(), attack.detected, attack.stop, attack.misuses.clone(), attack.sources)
            });
            told.collect::<Vec<_>>()
        };
        prop_assert_eq!(told(&whole), told(&parts));
        for (whole, parts) in whole.attacks.iter().zip(&parts.attacks) {
            // Rounding may cost a packet for each second.
            let off = whole.impact.packets.abs_diff(parts.impact.packets);
            prop_assert!(off <= 32, "{} {}", whole.impact.packets, parts.impact.packets);
        }
    }

    #[test]
    fn a_restart_anywhere_changes_nothing(seed in any::<u64>(), places in prop::collection::vec(0_usize..6_000, 1..4)) {
        let records = records(seed);
        let mut whole = meter(Parameters::default());
        let mut cut = meter(Parameters::default());
        let (mut told_whole, mut told_cut) = (Vec::new(), Vec::new());
        for (number, record) in records.iter().enumerate() {
            if places.contains(&number) {
                cut = restarted(&cut);
            }
            feed(&mut whole, std::slice::from_ref(record), |_| (number % 2) as u16);
            feed(&mut cut, std::slice::from_ref(record), |_| (number % 2) as u16);
            if number % 500 == 0 {
                told_whole.push(whole.news());
                told_cut.push(cut.news());
            }
        }
        prop_assert_eq!(told_whole, told_cut);
        prop_assert_eq!(finish(whole), finish(cut));
    }

    #[test]
    fn when_time_is_told_changes_nothing(seed in any::<u64>(), every in 1_i64..20) {
        let records = records(seed);
        let mut often = meter(Parameters::default());
        feed(&mut often, &records, |_| 0);
        let mut seldom = meter(Parameters::default());
        feed(&mut seldom, &records, |_| 0);
        for tenth in 0..1_700 {
            often.advance(micros(30 * SECOND + tenth * SECOND / 10));
            if tenth % every == 0 {
                let _ = often.news();
            }
        }
        prop_assert_eq!(finish(often).attacks, finish(seldom).attacks);
    }

    #[test]
    fn nonsense_breaks_nothing(
        flows in prop::collection::vec(any::<(u32, u32, [u16; 2], [u8; 2], u64, u64, u32, (i64, i64, i64))>(), 1..200),
    ) {
        let mut traffic = meter(Parameters::default());
        for (source, target, ports, [protocol, tcp_flags], packets, bytes, sampling, times) in flows {
            let address = |number| IpAddr::V4(Ipv4Addr::from(number));
            let flow = Flow {
                source: address(source),
                target: address(target),
                source_port: ports[0],
                target_port: ports[1],
                protocol,
                tcp_flags,
                is_fragment: source % 7 == 0,
                packets,
                bytes,
                sampling,
                begin: gonedark_route::Time::from_micros(times.0),
                end: gonedark_route::Time::from_micros(times.1),
            };
            traffic.flow(gonedark_route::Time::from_micros(times.2 >> 8), ports[0] % 4, &flow);
        }
        let _ = traffic.news();
        let _ = traffic.report();
    }
}

fn restarted(traffic: &Traffic) -> Traffic {
    let kept = postcard::to_stdvec(traffic).expect("written");
    let kept: KeptTraffic = postcard::from_bytes(&kept).expect("read");
    kept.go_on(Parameters::default(), Watched::everything(), Box::new(Registry), Box::new(Table))
}

#[test]
fn memory_is_bounded_under_random_sources_and_random_targets() {
    let parameters = Parameters {
        max_hosts: 500,
        max_blocks: 200,
        max_entities: 200,
        max_suspects: 16,
        max_remembered: 1_000,
        ..Parameters::default()
    };
    let mut traffic = meter(parameters);
    let mut dice = Dice(9);
    let mut largest = Vec::new();
    for second in 0..40 {
        for number in 0..5_000 {
            let end = micros(second * SECOND + number * 200);
            let target = if number % 2 == 0 { address("175.45.176.8") } else { dice.address() };
            let mut sent = flow(target, end);
            (sent.source, sent.packets, sent.bytes) = (dice.address(), 20, 2_000);
            traffic.flow(end, 0, &sent);
        }
        largest.push(postcard::to_stdvec(&traffic).expect("written").len());
    }
    // 900 courses of 800 bytes, accounts and records: what grows are the digits of the numbers in it.
    let early = largest[..20].iter().max().expect("some");
    let late = largest[20..].iter().max().expect("some");
    assert!(*late <= early + early / 5 && *late < 1_200_000, "{early} {late}");
    traffic.advance(at(41));
    let attacks = traffic.report().attacks;
    assert!(attacks.iter().any(|attack| attack.target.to_string() == "175.45.176.8"), "{attacks:#?}");
    assert!(traffic.report().without_room[0] > 10_000);
}
