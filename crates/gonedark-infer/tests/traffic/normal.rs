//! A week of what people do, and not one alarm.

use crate::world::{Dice, SECOND, address, at, flow, meter, micros};
use gonedark_infer::traffic::{Parameters, Traffic};
use gonedark_route::Flow;
use std::net::{IpAddr, Ipv4Addr};

const DAY: i64 = 86_400;

/// A user of one of two ASes.
fn user(dice: &mut Dice) -> IpAddr {
    let number = dice.below(4_000);
    let network = if number < 500 { (175, 45, 176) } else { (60, 7, 0) };
    Ipv4Addr::new(network.0, network.1, network.2 + (number / 250 % 4) as u8, (number % 250) as u8).into()
}

fn conversation(target: IpAddr, end: i64, length: i64, packets: u64, size: u64) -> Flow {
    let mut flow = flow(target, micros(end));
    flow.begin = micros(end - length);
    (flow.protocol, flow.tcp_flags) = (6, 0b1_1011);
    (flow.source_port, flow.target_port) = (443, 50_000);
    (flow.packets, flow.bytes) = (packets, packets * size);
    flow
}

/// People read, listen and load down: more by day than by night.
fn people(second: i64, dice: &mut Dice, send: &mut impl FnMut(i64, Flow)) {
    let hour = second.rem_euclid(DAY) / 3_600;
    let busy = [2, 1, 1, 1, 1, 2, 3, 5, 7, 8, 8, 8, 9, 8, 8, 8, 8, 9, 10, 10, 9, 7, 5, 3][hour as usize];
    for _ in 0..dice.below(busy + 1) {
        let end = second * SECOND + dice.below(1_000_000) as i64;
        let target = user(dice);
        let mut sent = match dice.below(10) {
            0..6 => {
                let packets = 10 + dice.below(5_000);
                conversation(target, end, dice.below(60_000_000) as i64, packets, 1_200)
            }
            6..8 => {
                // QUIC.
                let mut flow = conversation(target, end, dice.below(30_000_000) as i64, 1_000, 1_250);
                (flow.protocol, flow.tcp_flags) = (17, 0);
                flow
            }
            8 => {
                // An answer of a name server, seldom a large one.
                let mut flow = flow(target, micros(end));
                (flow.source_port, flow.target_port) = (53, 50_000);
                flow.bytes = if dice.below(10) == 0 { 1_300 } else { 150 };
                flow
            }
            _ => {
                // Half a handshake that came to nothing.
                let mut flow = conversation(target, end, 0, 1, 60);
                flow.tcp_flags = 0b10;
                flow
            }
        };
        sent.source = dice.address();
        send(end, sent);
    }
}

/// Fast downloads, backups by night, tunnels: one source, as much as a line bears.
fn from_one_source(second: i64, send: &mut impl FnMut(i64, Flow)) {
    let end = second * SECOND + 500_000;
    let of_day = second.rem_euclid(DAY);
    // A download of an hour at 950 Mbit/s, and a second one beside it for a minute.
    if of_day / 3_600 == 20 {
        send(end, conversation(address("60.7.0.1"), end, SECOND, 80_000, 1_480));
        if of_day % 3_600 < 60 {
            send(end, conversation(address("60.7.0.1"), end, SECOND, 80_000, 1_480));
        }
    }
    // A backup, told once a minute, through a tunnel of UDP at 600 Mbit/s.
    if of_day / 3_600 == 3 && second % 60 == 0 {
        let mut flow = conversation(address("60.7.1.9"), end, 60 * SECOND, 52_000 * 60, 1_400);
        (flow.protocol, flow.tcp_flags, flow.source_port, flow.target_port) = (17, 0, 51_820, 51_820);
        send(end, flow);
    }
}

/// A thousand people come to one server within minutes, ask, get and acknowledge.
fn crowd(second: i64, dice: &mut Dice, send: &mut impl FnMut(i64, Flow)) {
    let into = second.rem_euclid(2 * DAY) - 12 * 3_600;
    if !(0..900).contains(&into) {
        return;
    }
    let server = address("175.45.176.79");
    // Up to 30,000 packets a second that ask, in 40 records of many people each.
    let rise = into.min(300).min(900 - into) as u64;
    for _ in 0..40 {
        let end = second * SECOND + dice.below(1_000_000) as i64;
        let mut asks = conversation(server, end, SECOND, 1 + rise * 100 / 40, 130);
        let person = Ipv4Addr::from(0x1e00_0000 | dice.below(1 << 14) as u32);
        (asks.source, asks.source_port, asks.target_port) = (person.into(), 50_000, 443);
        send(end, asks);
        // Some of them were seen in pieces: acknowledgements alone, SYNs alone.
        let mut pieces = asks;
        (pieces.packets, pieces.bytes) = (1 + rise * 20 / 40, (1 + rise * 20 / 40) * 52);
        (pieces.tcp_flags, pieces.begin) = (0b1_0000, pieces.end);
        send(end, pieces);
        let mut first = asks;
        (first.packets, first.bytes) = (1 + rise * 8 / 40, (1 + rise * 8 / 40) * 60);
        first.tcp_flags = 0b10;
        send(end, first);
        let mut answers = asks;
        (answers.source, answers.target) = (server, asks.source);
        (answers.source_port, answers.target_port) = (443, 50_000);
        (answers.packets, answers.bytes) = (asks.packets * 2, asks.packets * 2_800);
        send(end, answers);
    }
}

/// Somebody tries all ports of one host, somebody else one port of all hosts.
fn scans(second: i64, dice: &mut Dice, send: &mut impl FnMut(i64, Flow)) {
    let of_day = second.rem_euclid(DAY);
    if !(3_600 * 5..3_600 * 5 + 120).contains(&of_day) {
        return;
    }
    for number in 0..100 {
        let end = second * SECOND + number * 10_000;
        let mut probe = conversation(address("175.45.176.67"), end, 0, 30, 44);
        (probe.tcp_flags, probe.source) = (0b10, address("99.1.1.1"));
        probe.target_port = dice.below(65_536) as u16;
        send(end, probe);
        probe.target = user(dice);
        (probe.source, probe.target_port, probe.packets, probe.bytes) = (address("99.1.1.2"), 23, 30, 1_320);
        send(end, probe);
    }
}

#[test]
fn a_week_of_normal_traffic_raises_no_alarm() {
    let mut traffic = meter(Parameters::default());
    let mut dice = Dice(2_014);
    week(&mut traffic, &mut dice);
    let report = traffic.report();
    assert_eq!(report.attacks, [], "normal");
    assert!(report.records > 2_500_000, "{}", report.records);
    // The exporter whose clock is four hours slow is told of.
    let behind: Vec<(u16, i64)> =
        report.exporters.iter().map(|known| (known.exporter, known.behind / SECOND / 60)).collect();
    assert_eq!(behind, [(0, 0), (1, 0), (2, 240)]);
    let north_korea = report.learnt.iter().find(|learnt| learnt.entity.code() == "KP").expect("learnt");
    assert!(north_korea.days >= 6, "{north_korea:?}");
}

#[test]
fn after_a_week_what_is_far_below_the_threshold_is_a_deviation() {
    // Every entity is small here: what is usual is some thousand packets a second, and an entity is allowed half a million.
    let mut traffic = meter(Parameters::default());
    let mut dice = Dice(2_014);
    week(&mut traffic, &mut dice);
    let begin = 7 * DAY + 8 * 3_600;
    for second in begin..begin + 10 {
        people(second, &mut dice, &mut |received, flow| traffic.flow(micros(received), 0, &flow));
        for number in 0..1_000 {
            let end = micros(second * SECOND + number * 1_000);
            let mut sent = flow(user(&mut dice), end);
            (sent.source, sent.packets, sent.bytes) = (dice.address(), 40, 4_000);
            sent.source_port = 1_024 + dice.below(60_000) as u16;
            sent.target_port = 1_024 + dice.below(60_000) as u16;
            traffic.flow(end, 0, &sent);
        }
    }
    traffic.advance(at(begin + 10));
    let attacks = traffic.report().attacks;
    assert!(!attacks.is_empty());
    let deviates = |name: &str| {
        let found = attacks.iter().find(|attack| attack.target.to_string() == name);
        found.is_some_and(|attack| attack.alert_type.name() == "dos_deviation")
    };
    assert!(deviates("UT") || deviates("AS115367"), "{attacks:#?}");
    assert!(attacks.iter().all(|attack| attack.detected <= at(begin + 3)), "{attacks:#?}");
}

/// Seven days of it, from three exporters of which one has a clock that is four hours slow.
fn week(traffic: &mut Traffic, dice: &mut Dice) {
    for second in 0..7 * DAY {
        let mut records: Vec<(i64, Flow)> = Vec::new();
        let mut send = |end: i64, flow: Flow| records.push((end, flow));
        people(second, dice, &mut send);
        from_one_source(second, &mut send);
        crowd(second, dice, &mut send);
        scans(second, dice, &mut send);
        for (end, mut flow) in records {
            let exporter = dice.below(3) as u16;
            if exporter == 2 {
                let slow = -4 * 3_600 * SECOND;
                (flow.begin, flow.end) = (flow.begin + slow, flow.end + slow);
            }
            traffic.flow(micros(end), exporter, &flow);
        }
    }
    traffic.advance(at(7 * DAY));
}
