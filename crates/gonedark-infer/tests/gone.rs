//! Peers that do not come back: for a week they are blind, then others are all that there is.

mod world;

use gonedark_infer::report::{BlindReason, Level};
use gonedark_route::Family;
use std::ops::Range;
use world::{KP, TWELVE, World, at, everything, hms, incidents_of};

const DAY: i64 = 24 * 3_600;
/// Enough of Syria for a partial loss.
const SOME: [&str; 4] = ["5.0.1.0/24", "5.0.2.0/24", "5.0.3.0/24", "5.0.4.0/24"];

fn go_down(world: &mut World, peers: Range<usize>, seconds: i64) {
    for peer in peers {
        let id = world.peers[peer];
        world.inference.peer_state(at(seconds), id, false);
    }
}

fn come_back(world: &mut World, peers: Range<usize>, seconds: i64) {
    for peer in peers {
        let id = world.peers[peer];
        world.inference.peer_state(at(seconds), id, true);
        for (prefix, tail) in everything() {
            world.announce(seconds + 10, peer, &tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(seconds + 20), id);
    }
}

fn lose(world: &mut World, peers: Range<usize>, seconds: i64, prefixes: &[&str]) {
    for peer in peers {
        world.withdraw(seconds, peer, prefixes);
    }
}

/// Five of twelve peers are lost for good on the first day, two more on the ninth.
fn seven_gone() -> World {
    let mut world = World::started();
    go_down(&mut world, 0..5, hms(1, 0, 0));
    world.inference.watermark(at(9 * DAY));
    go_down(&mut world, 5..7, 9 * DAY);
    world
}

#[test]
fn who_was_blind_for_a_week_while_enough_others_saw_is_no_voter_any_more() {
    let mut world = seven_gone();
    lose(&mut world, 7..12, 9 * DAY + 60, &KP);
    let report = world.report(9 * DAY + 3_600);
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!((incident.level, incident.witnesses.agreeing), (Level::Dark, 5));
    assert_eq!(incident.onset.latest, at(9 * DAY + 60));
}

#[test]
fn before_a_week_is_over_who_is_blind_is_missing() {
    let mut world = World::started();
    go_down(&mut world, 0..5, hms(1, 0, 0));
    world.inference.watermark(at(6 * DAY));
    go_down(&mut world, 5..7, 6 * DAY);
    lose(&mut world, 7..12, 6 * DAY + 60, &KP);
    assert!(incidents_of(&world.report(7 * DAY), "KP").is_empty(), "five of twelve judged");
}

#[test]
fn the_few_that_are_left_of_many_do_not_judge_alone_however_long_it_lasts() {
    let mut world = World::started();
    go_down(&mut world, 0..7, hms(1, 0, 0));
    world.inference.watermark(at(30 * DAY));
    lose(&mut world, 7..12, 30 * DAY, &KP);
    assert!(incidents_of(&world.report(31 * DAY), "KP").is_empty(), "five of twelve judged");
    // With two more there are enough.
    come_back(&mut world, 0..2, 32 * DAY);
    assert_eq!(incidents_of(&world.report(33 * DAY), "KP").len(), 1);
}

#[test]
fn who_comes_back_after_all_votes_again() {
    let mut world = seven_gone();
    come_back(&mut world, 0..7, 10 * DAY);
    lose(&mut world, 0..7, 11 * DAY, &SOME);
    assert_eq!(incidents_of(&world.report(11 * DAY + 3_600), "SY").len(), 1, "seven of twelve lost it");
    // And when they are blind again their week begins anew.
    go_down(&mut world, 0..7, 12 * DAY);
    lose(&mut world, 7..12, 12 * DAY + 7_200, &KP);
    assert!(incidents_of(&world.report(13 * DAY), "KP").is_empty(), "five of twelve judged");
}

#[test]
fn a_table_chooses_among_those_that_it_brings_back_after_a_week() {
    let mut world = seven_gone();
    world.tables(10 * DAY);
    lose(&mut world, 0..7, 11 * DAY, &SOME);
    assert_eq!(incidents_of(&world.report(11 * DAY + 3_600), "SY").len(), 1, "seven of twelve lost it");
}

#[test]
fn one_family_that_nobody_sees_any_more_keeps_no_voters_of_the_other() {
    // Four of five have both families, the last has IPv4 alone.
    let mut world = World::new(1, &TWELVE[..5]);
    let holds = |peer: usize, prefix: gonedark_route::Prefix| peer < 4 || prefix.family() == Family::V4;
    world.table(0, 0, &everything(), holds);
    // One after another, until of IPv6 nobody is left.
    for peer in 0..4 {
        let day = 9 * peer as i64 * DAY + 3_600;
        world.inference.watermark(at(day));
        go_down(&mut world, peer..peer + 1, day);
    }
    world.inference.watermark(at(40 * DAY));
    lose(&mut world, 4..5, 40 * DAY, &KP);
    let report = world.report(41 * DAY);
    assert_eq!(incidents_of(&report, "KP")[0].level, Level::Dark);
}

#[test]
fn nobody_is_gone_because_the_program_was_down() {
    let mut world = World::new(2, &TWELVE);
    world.tables(0);
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(1, 0, 0)), collector, BlindReason::MissingFile);
    }
    // One collector of two is there first, and all but four of its peers are not.
    let first = world.collectors[0];
    world.inference.gap_end(at(9 * DAY), first);
    for peer in [0, 2] {
        let id = world.peers[peer];
        world.inference.peer_state(at(9 * DAY + 1), id, false);
    }
    for peer in [4, 6, 8, 10] {
        world.withdraw(9 * DAY + 7_200, peer, &KP);
    }
    assert!(incidents_of(&world.report(9 * DAY + 3 * 3_600), "KP").is_empty(), "four of twelve judged");
}
