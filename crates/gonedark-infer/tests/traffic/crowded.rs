//! What must not be lost where there is more than there is room for.

use crate::world::{BEGIN, Dice, SECOND, address, at, attacks, flow, meter, micros};
use gonedark_infer::entity::Entity;
use gonedark_infer::traffic::report::{AlertType, Target};
use gonedark_infer::traffic::{Parameters, Traffic};
use gonedark_route::Asn;
use std::net::{IpAddr, Ipv4Addr};

const STAR_JV: Entity = Entity::As(Asn(131_279));

/// `packets` in one second from 40 sources.
fn hit(traffic: &mut Traffic, target: IpAddr, second: i64, packets: u64) {
    for number in 0..40 {
        let mut sent = flow(target, micros(second * SECOND + i64::from(number)));
        sent.source = Ipv4Addr::new(40, 1, 1, number).into();
        (sent.packets, sent.bytes) = (packets / 40, packets * 100 / 40);
        traffic.flow(sent.end, 0, &sent);
    }
}

fn host(number: u8) -> IpAddr {
    Ipv4Addr::new(30, 1, number, 1).into()
}

/// A hundred packets a second to North Korea.
fn usual(traffic: &mut Traffic, second: i64) {
    let mut sent = flow(address("175.45.176.8"), at(second));
    (sent.packets, sent.bytes) = (100, 10_000);
    traffic.flow(sent.end, 0, &sent);
}

#[test]
fn an_attack_is_not_learnt_as_usual_however_many_others_have_ended_since() {
    let mut traffic = meter(Parameters { quiet: 10 * SECOND, ..Parameters::default() });
    let half_hour = BEGIN.rem_euclid(1_800);
    assert_eq!(half_hour, 0);
    for second in 0..2_000 {
        usual(&mut traffic, second);
        if second == 400 {
            hit(&mut traffic, address("175.45.176.9"), second, 400_000);
        }
        if second == 420 {
            (0..100).for_each(|number| hit(&mut traffic, host(number), second, 400_000));
        }
    }
    assert!(attacks(&traffic).len() > 100);
    // Half an hour is known once the next has begun; a day later it is that time again.
    traffic.advance(at(86_400 + 60));
    let report = traffic.report();
    let learnt = report.learnt.iter().find(|learnt| learnt.entity == STAR_JV).expect("learnt");
    assert_eq!(learnt.days, 1);
    assert_eq!(learnt.usual.pps, 100);
}

#[test]
fn a_target_that_gets_an_account_late_is_told_with_its_sources() {
    // The country, the AS and two blocks take all accounts, until one of the blocks is quiet.
    let mut traffic = meter(Parameters { max_suspects: 4, ..Parameters::default() });
    for second in 0..200 {
        if second < 20 {
            hit(&mut traffic, host(1), second, 50_000);
        }
        hit(&mut traffic, host(2), second, 400_000);
    }
    traffic.advance(at(200));
    let attacks = attacks(&traffic);
    let late = attacks.iter().find(|attack| attack.target == Target::Host(host(2))).expect("told");
    assert!((35..=45).contains(&late.sources.value), "{late:#?}");
}

#[test]
fn a_block_is_bombed_even_where_there_is_no_room_for_an_account_of_each_of_its_addresses() {
    let mut traffic = meter(Parameters { max_suspects: 16, ..Parameters::default() });
    for second in 0..5 {
        for number in 0..64 {
            hit(&mut traffic, Ipv4Addr::new(30, 1, 1, number).into(), second, 10_000);
        }
    }
    traffic.advance(at(6));
    let attacks = attacks(&traffic);
    let bombed = attacks.iter().any(|attack| attack.alert_type == AlertType::CarpetBombing);
    assert!(bombed, "{attacks:#?}");
}

#[test]
fn whom_single_packets_reached_once_takes_no_room_from_what_has_something_usual() {
    let mut traffic = meter(Parameters { max_entities: 20, ..Parameters::default() });
    let mut dice = Dice(5);
    for second in 0..2_000 {
        if second % 500 == 0 {
            for _ in 0..400 {
                traffic.flow(at(second), 0, &flow(dice.address(), at(second)));
            }
        }
        traffic.alive(at(second), 0);
        if second > 1_600 {
            usual(&mut traffic, second);
        }
    }
    let learnt = traffic.report().learnt;
    assert!(learnt.iter().any(|learnt| learnt.entity == STAR_JV), "{learnt:#?}");
    assert!(learnt.len() <= 20);
}
