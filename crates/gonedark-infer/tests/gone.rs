//! Peers that do not come back: for a week they are blind, then others are all that there is.

mod world;

use gonedark_infer::report::{BlindReason, Level};
use world::{KP, TWELVE, World, at, hms, incidents_of};

const DAY: i64 = 24 * 3_600;

/// Seven of twelve peers are lost at 01:00, and all of North Korea is withdrawn by the rest from `lost` on.
fn seven_gone(lost: i64) -> World {
    let mut world = World::started();
    for peer in 0..7 {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(1, 0, 0)), id, false);
    }
    world.inference.watermark(at(lost));
    for peer in 7..12 {
        world.withdraw(lost + peer as i64, peer, &KP);
    }
    world
}

#[test]
fn who_was_blind_for_a_week_while_others_saw_is_no_voter_any_more() {
    let mut world = seven_gone(8 * DAY);
    let report = world.report(8 * DAY + 3_600);
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!((incident.level, incident.witnesses.agreeing), (Level::Dark, 5));
    assert_eq!(incident.onset.latest, at(8 * DAY + 11));
}

#[test]
fn until_then_nothing_is_judged_by_the_few_that_are_left() {
    let mut world = seven_gone(3 * DAY);
    assert!(incidents_of(&world.report(6 * DAY), "KP").is_empty(), "five of twelve judged");
    // Then what they saw meanwhile is.
    let report = world.report(8 * DAY);
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!((incident.level, incident.ended), (Level::Dark, false));
    assert!(incident.onset.earliest <= at(3 * DAY + 7), "{:?}", incident.onset);
}

#[test]
fn who_comes_back_after_all_votes_again() {
    let mut world = seven_gone(8 * DAY);
    let back = 9 * DAY;
    for peer in 0..7 {
        let id = world.peers[peer];
        world.inference.peer_state(at(back), id, true);
        for (prefix, tail) in world::everything() {
            world.announce(back + 10, peer, &tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(back + 20), id);
    }
    // Seven of twelve hold it, of five none did.
    let report = world.report(back + 3_600);
    assert_eq!(incidents_of(&report, "KP")[0].witnesses.agreeing, 5);
    let some = ["5.0.1.0/24", "5.0.2.0/24", "5.0.3.0/24", "5.0.4.0/24"];
    for peer in 0..7 {
        world.withdraw(back + 7_200 + peer as i64, peer, &some);
    }
    let report = world.report(back + 8_000);
    assert_eq!(incidents_of(&report, "SY").len(), 1, "seven of twelve lost it");
}

#[test]
fn nobody_is_gone_because_the_program_was_down() {
    let mut world = World::new(2, &TWELVE);
    world.tables(0);
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(1, 0, 0)), collector, BlindReason::MissingFile);
    }
    // One collector of two is there first, and has to wait for the other.
    let (first, second) = (world.collectors[0], world.collectors[1]);
    world.inference.gap_end(at(9 * DAY), first);
    for peer in [0, 2] {
        let id = world.peers[peer];
        world.inference.peer_state(at(9 * DAY + 1), id, false);
    }
    for peer in [4, 6, 8, 10] {
        world.withdraw(9 * DAY + 7_200, peer, &KP);
    }
    assert!(incidents_of(&world.report(9 * DAY + 3 * 3_600), "KP").is_empty(), "four of twelve judged");
    world.inference.gap_end(at(9 * DAY + 4 * 3_600), second);
    assert!(incidents_of(&world.report(9 * DAY + 5 * 3_600), "KP").is_empty(), "four of ten judged");
}
