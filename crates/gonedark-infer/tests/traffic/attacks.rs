//! What attacks look like when they are told: vectors, targets, times, and who saw them.

use crate::world::{BEGIN, Dice, Flood, SECOND, address, at, attacks, flow, meter, micros};
use gonedark_infer::entity::{CountryCode, Entity};
use gonedark_infer::traffic::kind::Misuse;
use gonedark_infer::traffic::report::{AlertType, Attack, DeafReason, Target, Unit, VectorKind};
use gonedark_infer::traffic::{Parameters, Traffic};
use gonedark_route::{Asn, Flow};

/// Sends a flood for some seconds; everything after `until` is quiet but for a flow a second to somebody else.
fn send(traffic: &mut Traffic, flood: &Flood, (from, until): (i64, i64), exporter: u16, dice: &mut Dice) {
    for second in from..until {
        let times = (second * SECOND, (second + 1) * SECOND);
        flood.send(times, dice, |flow| traffic.flow(flow.end, exporter, &flow));
    }
}

fn quiet(traffic: &mut Traffic, (from, until): (i64, i64), exporter: u16) {
    for second in from..until {
        traffic.flow(at(second), exporter, &flow(address("30.0.0.1"), at(second)));
    }
    traffic.advance(at(until));
}

/// Ten seconds of a flood, and quiet.
fn told_of(flood: &Flood) -> Vec<Attack> {
    let mut traffic = meter(Parameters::default());
    send(&mut traffic, flood, (100, 110), 1, &mut Dice(1));
    quiet(&mut traffic, (110, 300), 1);
    attacks(&traffic)
}

fn only(attacks: Vec<Attack>) -> Attack {
    assert_eq!(attacks.len(), 1, "{attacks:#?}");
    attacks.into_iter().next().expect("one")
}

fn kinds(attack: &Attack) -> Vec<VectorKind> {
    attack.vectors.iter().map(|vector| vector.kind).collect()
}

fn from_port(flow: &mut Flow, dice: &mut Dice, port: u16) {
    flow.source_port = port;
    flow.target_port = 1_024 + dice.below(60_000) as u16;
}

#[test]
fn ntp_reflection_on_a_name_server_in_north_korea_is_told_with_all_that_is_known_of_it() {
    let shape = |flow: &mut Flow, _: &mut Dice| (flow.source_port, flow.target_port) = (123, 53);
    let flood = Flood { target: address("175.45.176.8"), pps: 100_000, size: 468, shape };
    let attack = only(told_of(&flood));
    let north_korea = Entity::Country(CountryCode::new("KP").expect("a code"));
    assert_eq!(attack.alert_type, AlertType::Host);
    assert_eq!(attack.target, Target::Host(address("175.45.176.8")));
    assert_eq!(attack.entities, [north_korea, Entity::As(Asn(131_279))]);
    assert_eq!((attack.start.earliest, attack.start.latest), (at(100), at(100)));
    assert_eq!(attack.detected, at(101));
    assert!(attack.is_fast);
    let stop = attack.stop.expect("over");
    assert_eq!((stop.earliest, stop.latest), (at(109), at(110)));
    assert_eq!((attack.impact.peak.pps, attack.impact.mean.pps), (100_000, 100_000));
    assert_eq!(attack.impact.packets, 1_000_000);
    assert_eq!(attack.impact.bytes, 468_000_000);
    assert_eq!(kinds(&attack), [VectorKind::Amplification { port: 123 }]);
    assert_eq!(attack.vectors[0].kind.to_string(), "ntp amplification (udp source port 123)");
    assert_eq!(attack.vectors[0].permille, 1_000);
    assert!(attack.misuses.contains(&Misuse::Amplification));
    // 100,000 a second of 2,000.
    assert_eq!((attack.severity.percent, attack.severity.threshold), (5_000, 2_000));
    assert_eq!((attack.severity.unit, attack.severity.misuse), (Unit::Packets, Misuse::Amplification));
    let sources = attack.sources.value as f64;
    assert!((3_700.0..4_300.0).contains(&sources), "{sources}");
    assert_eq!((attack.coverage.exporters.as_slice(), attack.coverage.sampling), (&[1][..], (1, 1)));
    assert_eq!((attack.coverage.records, attack.coverage.lost), (4_000, 0));
    assert_eq!(attack.part_of, None);
}

#[test]
fn bacnet_reflection_has_three_vectors_by_its_source_ports() {
    // As in the capture of it: 6,737 packets from 47808, 2,377 from 37810, 493 from 30120, 10 from others.
    let shape = |flow: &mut Flow, dice: &mut Dice| match dice.below(9_617) {
        0..6_737 => from_port(flow, dice, 47_808),
        6_737..9_114 => from_port(flow, dice, 37_810),
        9_114..9_607 => from_port(flow, dice, 30_120),
        _ => from_port(flow, dice, 1_024 + flow.packets as u16),
    };
    let flood = Flood { target: address("175.45.176.8"), pps: 50_000, size: 400, shape };
    let attack = only(told_of(&flood));
    let expected = [
        VectorKind::Amplification { port: 47_808 },
        VectorKind::Amplification { port: 37_810 },
        VectorKind::UdpFrom { port: 30_120 },
    ];
    assert_eq!(kinds(&attack), expected, "{attack:#?}");
    let shares: Vec<u32> = attack.vectors.iter().map(|vector| vector.permille / 50).collect();
    assert_eq!(shares, [14, 4, 1], "{:?}", attack.vectors);
}

#[test]
fn each_vector_has_its_name() {
    fn tcp(flow: &mut Flow, dice: &mut Dice, flags: u8) {
        from_port(flow, dice, 1_024 + dice.0 as u16 % 10_000);
        (flow.protocol, flow.tcp_flags, flow.target_port) = (6, flags, 80);
        // One of many was seen: of a conversation there are more in a record.
        (flow.packets, flow.sampling) = (1, flow.packets as u32);
    }
    type Shape = fn(&mut Flow, &mut Dice);
    let cases: [(Shape, VectorKind); 12] = [
        (|flow, dice| tcp(flow, dice, 0b10), VectorKind::TcpSyn { port: 80 }),
        (
            |flow, dice| {
                tcp(flow, dice, 0b1_0010);
                flow.source_port = 443;
            },
            VectorKind::TcpSynAck { port: 443 },
        ),
        (|flow, dice| tcp(flow, dice, 0b100), VectorKind::TcpReset),
        (|flow, dice| tcp(flow, dice, 0b1_0000), VectorKind::TcpAck),
        (|flow, dice| tcp(flow, dice, 0b10_1001), VectorKind::TcpOddFlags),
        (|flow, _| flow.is_fragment = true, VectorKind::Fragments),
        (
            |flow, _| (flow.protocol, flow.source_port, flow.target_port) = (1, 0, 8 << 8),
            VectorKind::Icmp { is_v6: false, number: 8 },
        ),
        (|flow, dice| from_port(flow, dice, 1_900), VectorKind::Amplification { port: 1_900 }),
        (|flow, dice| from_port(flow, dice, 11_211), VectorKind::Amplification { port: 11_211 }),
        (|flow, dice| from_port(flow, dice, 30_120), VectorKind::UdpFrom { port: 30_120 }),
        (
            |flow, dice| (flow.source_port, flow.target_port) = (dice.below(60_000) as u16, 53),
            VectorKind::UdpTo { port: 53 },
        ),
        (
            |flow, _| (flow.protocol, flow.source_port, flow.target_port) = (47, 0, 0),
            VectorKind::Protocol { number: 47 },
        ),
    ];
    for (shape, expected) in cases {
        let flood = Flood { target: address("175.45.176.8"), pps: 60_000, size: 60, shape };
        let attack = only(told_of(&flood));
        assert_eq!(attack.vectors.first().map(|vector| vector.kind), Some(expected), "{attack:#?}");
    }
    let flood = Flood::udp(address("175.45.176.8"), 60_000);
    assert_eq!(kinds(&only(told_of(&flood))), [VectorKind::Udp]);
}

#[test]
fn the_real_spoofed_syn_flood_of_1_598_packets_a_second_would_be_found() {
    let shape = |flow: &mut Flow, dice: &mut Dice| {
        flow.source_port = 1_024 + dice.below(60_000) as u16;
        (flow.protocol, flow.tcp_flags, flow.target_port) = (6, 0b10, 80);
    };
    let flood = Flood { target: address("175.45.176.10"), pps: 1_598, size: 60, shape };
    let attack = only(told_of(&flood));
    assert_eq!((attack.misuses.as_slice(), attack.detected), (&[Misuse::SynFlood][..], at(101)));
}

#[test]
fn carpet_bombing_of_a_block_is_one_attack_though_no_host_is_over_its_threshold() {
    let shape = |flow: &mut Flow, dice: &mut Dice| {
        let host = dice.below(250);
        flow.target = address(&format!("175.45.176.{}", host + 1));
        from_port(flow, dice, 161);
    };
    let flood = Flood { target: address("175.45.176.1"), pps: 60_000, size: 200, shape };
    let attack = only(told_of(&flood));
    assert_eq!(attack.alert_type, AlertType::CarpetBombing);
    assert_eq!(attack.target, Target::Block("175.45.176.0/24".parse().expect("a prefix")));
    assert!((230..=265).contains(&attack.targets.value), "{:?}", attack.targets);
    assert_eq!(kinds(&attack), [VectorKind::Amplification { port: 161 }]);
    assert!(attack.detected <= at(102));
}

#[test]
fn carpet_bombing_over_all_blocks_of_a_country_is_found_on_its_as() {
    // 80,000 a second over four blocks: no block has as many as four times 20,000, so each is below its own threshold of UDP.
    let shape = |flow: &mut Flow, dice: &mut Dice| {
        let host = dice.below(1_024);
        flow.target = address(&format!("175.45.{}.{}", 176 + host / 256, host % 256));
        flow.source_port = 1_024 + dice.below(60_000) as u16;
        flow.target_port = 1_024 + dice.below(60_000) as u16;
    };
    let flood = Flood { target: address("175.45.176.1"), pps: 80_000, size: 100, shape };
    let mut traffic = meter(Parameters { entity_times: 3, ..Parameters::default() });
    send(&mut traffic, &flood, (100, 110), 1, &mut Dice(1));
    quiet(&mut traffic, (110, 300), 1);
    let attack = only(attacks(&traffic));
    assert_eq!(attack.target, Target::Entity(Entity::As(Asn(131_279))));
    assert_eq!(attack.alert_type, AlertType::CarpetBombing);
}

#[test]
fn the_alerts_of_many_hosts_of_one_block_are_parts_of_one_attack_where_they_share_a_vector() {
    let shape = |flow: &mut Flow, dice: &mut Dice| {
        let host = dice.below(10);
        flow.target = address(&format!("175.45.176.{}", host + 1));
        from_port(flow, dice, 1_900);
    };
    let flood = Flood { target: address("175.45.176.1"), pps: 400_000, size: 300, shape };
    let mut traffic = meter(Parameters::default());
    send(&mut traffic, &flood, (100, 110), 1, &mut Dice(1));
    // Something else on one of them is an attack of its own.
    let shape = |flow: &mut Flow, _: &mut Dice| (flow.protocol, flow.target_port) = (1, 8 << 8);
    let other = Flood { target: address("175.45.176.200"), pps: 20_000, size: 100, shape };
    send(&mut traffic, &other, (110, 120), 1, &mut Dice(2));
    quiet(&mut traffic, (120, 300), 1);
    let all = attacks(&traffic);
    let whole: Vec<&Attack> = all.iter().filter(|attack| attack.part_of.is_none()).collect();
    let targets: Vec<Target> = whole.iter().map(|attack| attack.target).collect();
    let block = Target::Block("175.45.176.0/24".parse().expect("a prefix"));
    assert_eq!(targets, [block, Target::Host(address("175.45.176.200"))], "{whole:#?}");
    let parts = all.iter().filter(|attack| attack.part_of.as_ref() == Some(&whole[0].id));
    assert_eq!(parts.count(), 10);
}

#[test]
fn an_attack_on_one_host_is_none_on_its_block_its_as_and_its_country() {
    let attack = only(told_of(&Flood::udp(address("175.45.176.8"), 2_000_000)));
    assert_eq!(attack.target, Target::Host(address("175.45.176.8")));
}

#[test]
fn records_of_a_minute_that_come_at_its_end_are_put_where_they_belong() {
    // An exporter with an active timeout of 60 s: each of 6,000 flows is told once a minute, at any time of it.
    let mut traffic = meter(Parameters::default());
    let mut dice = Dice(3);
    let mut records = Vec::new();
    for _ in 0..6_000 {
        let mut flow = flow(address("175.45.176.8"), at(0));
        flow.source = dice.address();
        let first = 600 * SECOND + dice.below(60_000_000) as i64;
        // 40,000 packets a second together, from second 600 to second 840.
        for round in 0..4 {
            let end = first + round * 60 * SECOND;
            flow.begin = micros((end - 60 * SECOND).max(600 * SECOND));
            flow.end = micros(end);
            flow.packets = ((flow.end - flow.begin) as u64 * 40) / 6 / 1_000_000;
            flow.bytes = flow.packets * 100;
            records.push(flow);
        }
    }
    records.sort_by_key(|flow| flow.end);
    for record in &records {
        traffic.flow(record.end, 1, record);
    }
    quiet(&mut traffic, (845, 1_000), 1);
    let attack = only(attacks(&traffic));
    assert!(attack.start.earliest <= at(600 + 31) && attack.detected <= at(665), "{attack:#?}");
    assert!((30_000..50_000).contains(&attack.impact.peak.pps), "{:?}", attack.impact);
}

#[test]
fn a_clock_that_is_hours_wrong_is_told_and_set_right() {
    let mut traffic = meter(Parameters::default());
    let mut dice = Dice(4);
    let wrong = -3 * 3_600 * SECOND;
    for second in 0..30 {
        let pps = if second < 10 { 100 } else { 50_000 };
        let flood = Flood::udp(address("175.45.176.8"), pps);
        flood.send((second * SECOND, (second + 1) * SECOND), &mut dice, |flow| {
            let told = Flow { begin: flow.begin + wrong, end: flow.end + wrong, ..flow };
            traffic.flow(flow.end, 9, &told);
        });
    }
    quiet(&mut traffic, (30, 33), 8);
    let report = traffic.report();
    assert_eq!(report.exporters.iter().map(|known| known.exporter).collect::<Vec<_>>(), [8, 9]);
    let behind = report.exporters[1].behind;
    assert!((behind + wrong).abs() < SECOND, "{behind}");
    assert_eq!(only(report.attacks).start.latest, at(10));
}

#[test]
fn what_is_lost_on_the_way_is_told_of_the_attack_that_it_may_belong_to() {
    let mut traffic = meter(Parameters::default());
    let mut dice = Dice(5);
    let flood = Flood::udp(address("175.45.176.8"), 50_000);
    send(&mut traffic, &flood, (100, 105), 1, &mut dice);
    traffic.lost(at(105), 1, 700);
    traffic.lost(at(105), 2, 9);
    quiet(&mut traffic, (106, 300), 1);
    let report = traffic.report();
    let deaf: Vec<_> = report.deaf.iter().map(|deaf| (deaf.exporter, deaf.reason, deaf.lost)).collect();
    assert_eq!(deaf, [(1, DeafReason::Lost, 700), (2, DeafReason::Lost, 9)]);
    assert_eq!(only(report.attacks).coverage.lost, 700);
}

#[test]
fn an_attack_whose_exporter_falls_silent_has_not_ended() {
    let mut traffic = meter(Parameters::default());
    let flood = Flood::udp(address("175.45.176.8"), 50_000);
    send(&mut traffic, &flood, (100, 110), 1, &mut Dice(6));
    quiet(&mut traffic, (110, 1_000), 2);
    assert!(only(attacks(&traffic)).is_ongoing());
    // It is heard again after a quarter of an hour: the attack ended somewhere in it.
    quiet(&mut traffic, (1_000, 1_010), 1);
    let stop = only(attacks(&traffic)).stop.expect("over");
    assert_eq!((stop.earliest, stop.latest), (at(109), at(1_000)));
}

#[test]
fn a_second_of_which_only_the_begin_was_heard_does_not_end_an_attack() {
    let mut traffic = meter(Parameters::default());
    let flood = Flood::udp(address("175.45.176.8"), 50_000);
    send(&mut traffic, &flood, (100, 110), 1, &mut Dice(6));
    // The program is stopped while it goes on, and runs again after five minutes.
    traffic.alive(at(110) + 200_000, 1);
    traffic.did_not_run_until(at(400));
    quiet(&mut traffic, (400, 600), 1);
    let stop = only(attacks(&traffic)).stop.expect("over");
    assert_eq!((stop.earliest, stop.latest), (at(109), at(400)));
}

#[test]
fn an_exporter_that_comes_back_in_the_midst_of_an_attack_does_not_know_when_it_began() {
    let mut traffic = meter(Parameters::default());
    quiet(&mut traffic, (0, 10), 1);
    quiet(&mut traffic, (10, 400), 2);
    let flood = Flood::udp(address("175.45.176.8"), 50_000);
    send(&mut traffic, &flood, (400, 410), 1, &mut Dice(6));
    traffic.advance(at(410));
    let start = only(attacks(&traffic)).start;
    assert_eq!((start.earliest, start.latest), (at(9), at(400)));
}

#[test]
fn news_tell_an_attack_when_it_begins_and_when_it_is_over() {
    let mut traffic = meter(Parameters::default());
    let flood = Flood::udp(address("175.45.176.8"), 50_000);
    send(&mut traffic, &flood, (100, 101), 1, &mut Dice(6));
    assert_eq!(traffic.news().attacks, []);
    traffic.advance(at(101));
    let begun = only(traffic.news().attacks);
    assert_eq!((begun.stop, begun.detected), (None, at(101)));
    assert_eq!(traffic.news().attacks, []);
    quiet(&mut traffic, (101, 300), 1);
    let over = only(traffic.news().attacks);
    assert_eq!((over.id, over.is_fast, over.stop.is_some()), (begun.id, true, true));
    assert_eq!(traffic.news().attacks, []);
}

#[test]
fn one_sampled_record_in_a_thousand_is_worth_a_thousand_packets_but_few_of_them_prove_nothing() {
    let told = |records: i64, seconds: i64| {
        let mut traffic = meter(Parameters::default());
        let mut dice = Dice(8);
        for number in 0..records * seconds {
            let end = micros(100 * SECOND + number * SECOND / records);
            let mut flow = flow(address("175.45.176.8"), end);
            (flow.source, flow.sampling) = (dice.address(), 1_000);
            traffic.flow(end, 1, &flow);
        }
        quiet(&mut traffic, (100 + seconds, 101 + seconds), 1);
        attacks(&traffic).into_iter().map(|attack| attack.detected.seconds() - BEGIN - 100).next()
    };
    // 24 records in a second are 24,000 packets, give or take 5,000: that may be chance, for half a minute it is none.
    assert_eq!(told(24, 1), None);
    assert!(told(24, 31).is_some_and(|took| took > 5));
    // From three times the threshold on one second is enough.
    assert_eq!(told(60, 5), Some(1));
}
