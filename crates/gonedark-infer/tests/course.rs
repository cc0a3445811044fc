//! The course of outages: onset, phases, recovery, on a small Internet.

mod world;

use gonedark_infer::report::{Interval, Level, PhaseState};
use world::{KP, World, at, hms, incidents_of};

#[test]
fn a_whole_country_withdrawn_is_dark_from_the_vote_to_the_return() {
    let mut world = World::started();
    // From 16:07:00 on one peer loses it every 40 seconds: the last at 16:14:20.
    world.all_withdraw(hms(16, 7, 0), 40, &KP);
    world.all_announce(hms(25, 46, 0), 2, &[4837, 131279], &KP);
    let report = world.report(hms(30, 0, 0));
    let incidents = incidents_of(&report, "KP");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = incidents[0];
    assert_eq!(incident.level, Level::Dark);
    assert!(incident.ended);
    assert_eq!(incident.onset.earliest, at(hms(16, 7, 0)));
    assert_eq!(incident.onset.latest, at(hms(16, 14, 20)));
    // 12 voters: dark once at most 20 %, that is two, still hold it: the tenth loses it at 16:13:00.
    assert_eq!(incident.onset.vote, at(hms(16, 13, 0)));
    let recovery = incident.recovery.unwrap();
    assert_eq!((recovery.earliest, recovery.latest), (at(hms(25, 46, 0)), at(hms(25, 46, 22))));
    // Back at 80 %: the tenth.
    assert_eq!(recovery.vote, at(hms(25, 46, 18)));
    assert_eq!((incident.witnesses.asns, incident.witnesses.agreeing), (12, 12));
    assert!(incident.witnesses.stuck.is_empty());
    let (least, most) = incident.duration_s.unwrap();
    // 16:14:20 to 25:46:00 at the least, 16:07:00 to 25:46:22 at the most, and every stamp names a whole second.
    assert_eq!((least, most), (34_299, 34_763));
    assert_eq!(incident.networks.len(), 4);
    assert_eq!(incident.networks[0].upstreams, [gonedark_route::Asn(4837)]);
    assert_eq!(
        incident.networks[0].lost,
        Interval { earliest: at(hms(16, 7, 0)), latest: at(hms(16, 14, 20)) }
    );
    let v4 = incident.families[0].unwrap();
    assert_eq!((v4.networks.before, v4.networks.lost), (4, 4));
    assert_eq!((v4.addresses.before, v4.addresses.lost), (4, 4));
    assert!(incident.families[1].is_none());
    let states: Vec<PhaseState> = incident.phases.iter().map(|phase| phase.state).collect();
    // All four networks fall with the same messages: from the seventh peer on they are lost, from the tenth dark.
    // On the way back they are recovering from the third peer on, when over a fifth of the vote is there again.
    assert_eq!(states, [PhaseState::Severe, PhaseState::Dark, PhaseState::Recovering]);
    assert_eq!(incident.phases[0].from, at(hms(16, 11, 0)));
}

#[test]
fn flapping_before_a_collapse_is_one_unstable_phase_of_the_same_incident() {
    let mut world = World::started();
    for flap in 0..10 {
        let begin = hms(4, 0, 0) + flap * 3600;
        world.all_withdraw(begin, 1, &KP);
        world.all_announce(begin + 240, 1, &[4837, 131279], &KP);
    }
    world.all_withdraw(hms(14, 0, 0), 10, &KP);
    world.all_announce(hms(20, 0, 0), 1, &[4837, 131279], &KP);
    let report = world.report(hms(30, 0, 0));
    let incidents = incidents_of(&report, "KP");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let incident = incidents[0];
    assert_eq!(incident.phases[0].state, PhaseState::Unstable);
    assert_eq!(incident.phases[0].flaps, 10);
    assert_eq!(incident.flaps.len(), 10);
    assert_eq!(incident.phases[0].from, at(hms(4, 0, 6)));
    assert_eq!(incident.level, Level::Dark);
    assert_eq!(incident.onset.earliest, at(hms(14, 0, 0)));
    assert_eq!(incident.id, "country-KP-20141222T040006Z");
    for pair in incident.phases.windows(2) {
        assert_eq!(pair[0].until, Some(pair[1].from));
    }
}

#[test]
fn two_short_losses_alone_are_two_incidents_and_very_short_ones_none() {
    let mut world = World::started();
    world.all_withdraw(hms(4, 0, 0), 1, &KP);
    world.all_announce(hms(4, 5, 0), 1, &[4837, 131279], &KP);
    world.all_withdraw(hms(5, 0, 0), 0, &KP);
    world.all_announce(hms(5, 1, 0), 0, &[4837, 131279], &KP);
    let report = world.report(hms(20, 0, 0));
    let incidents = incidents_of(&report, "KP");
    assert_eq!(incidents.len(), 1, "the loss of one minute is under --min-duration: {incidents:#?}");
    assert_eq!(incidents[0].onset.vote, at(hms(4, 0, 9)));
}

#[test]
fn an_incident_that_lasts_has_no_recovery() {
    let mut world = World::started();
    world.all_withdraw(hms(16, 0, 0), 1, &KP);
    let report = world.report(hms(18, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert!(!incident.ended && incident.recovery.is_none() && incident.duration_s.is_none());
    assert_eq!(incident.phases.last().unwrap().until, None);
    assert!(incident.networks.iter().all(|network| network.back.is_none()));
}

#[test]
fn one_family_dark_while_the_other_stands_is_severe() {
    let mut world = World::started();
    let v6: Vec<String> = (0..30).map(|net| format!("2a00:1000:{net:x}::/48")).collect();
    let v6: Vec<&str> = v6.iter().map(String::as_str).collect();
    world.all_withdraw(hms(10, 0, 0), 1, &v6);
    let report = world.report(hms(18, 0, 0));
    let incident = incidents_of(&report, "SY")[0];
    assert_eq!(incident.level, Level::Severe);
    assert_eq!(incident.families[1].unwrap().level, Level::Dark);
    assert_eq!(incident.families[0].unwrap().level, Level::None);
}

#[test]
fn a_few_of_many_networks_lost_is_partial_from_a_tenth_on() {
    let mut world = World::started();
    world.all_withdraw(hms(10, 0, 0), 1, &["5.0.1.0/24", "5.0.2.0/24"]);
    let report = world.report(hms(11, 0, 0));
    assert!(incidents_of(&report, "SY").is_empty(), "2 of 30 are under a tenth");
    world.all_withdraw(hms(11, 0, 1), 1, &["5.0.3.0/24"]);
    let report = world.report(hms(12, 0, 0));
    let incident = incidents_of(&report, "SY")[0];
    assert_eq!(incident.level, Level::Partial);
    assert_eq!(incident.families[0].unwrap().networks.lost, 3);
    assert_eq!(incident.onset.vote, at(hms(11, 0, 7)));
}
