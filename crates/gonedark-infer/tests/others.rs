//! What others do about networks that an entity has lost: announce them, or what covers them.

mod world;

use gonedark_infer::Watch;
use gonedark_route::Asn;
use world::{KP, TWELVE, World, at, everything, hms, incidents_of, registry};

/// The four networks of KP, with AS131279 asked for by name.
fn watching_an_as() -> World {
    let watch = Watch { asns: [Asn(131279)].into(), ..Watch::default() };
    World::with(3, &TWELVE, registry(), watch, 1)
}

#[test]
fn an_as_whose_networks_come_back_by_another_origin_of_the_country_is_lost_no_longer() {
    let mut world = watching_an_as();
    world.tables(0);
    world.all_withdraw(hms(1, 0, 0), 1, &KP);
    world.all_announce(hms(2, 0, 0), 1, &[4837, 64999], &KP);
    let report = world.report(hms(9, 0, 0));
    let incidents = incidents_of(&report, "AS131279");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert!(incidents[0].ended, "{incidents:#?}");
    assert_eq!(incidents[0].recovery.unwrap().latest, at(hms(2, 0, 11)));
}

#[test]
fn a_cover_of_another_as_of_the_country_carries_an_as_as_long_as_it_stands() {
    let mut world = watching_an_as();
    let mut routes = everything();
    routes.push(("175.45.176.0/22".parse().unwrap(), vec![4837, 64999]));
    world.tables_of(0, &routes);
    world.all_withdraw(hms(1, 0, 0), 1, &KP);
    assert!(incidents_of(&world.report(hms(1, 30, 0)), "AS131279").is_empty(), "it was carried");
    world.all_withdraw(hms(2, 0, 0), 1, &["175.45.176.0/22"]);
    world.all_announce(hms(3, 0, 0), 1, &[4837, 64999], &["175.45.176.0/22"]);
    let report = world.report(hms(9, 0, 0));
    let incidents = incidents_of(&report, "AS131279");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    assert_eq!((incidents[0].phases[0].from, incidents[0].ended), (at(hms(2, 0, 6)), true));
}

#[test]
fn a_cover_that_comes_to_count_while_networks_are_lost_carries_them_from_then_on() {
    let mut world = World::started();
    world.all_withdraw(hms(1, 0, 0), 1, &KP);
    world.all_announce(hms(2, 0, 0), 1, &[4837, 131279], &["175.45.176.0/22"]);
    let report = world.report(hms(20, 0, 0));
    assert!(!incidents_of(&report, "KP")[0].ended, "nobody usually holds the cover yet");
    let report = world.report(hms(40, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    let recovery = incident.recovery.expect("the cover has been there for a day");
    assert!(recovery.vote >= at(hms(26, 0, 0)) && recovery.vote <= at(hms(28, 0, 0)), "{recovery:?}");
}

#[test]
fn what_is_known_of_the_past_only_later_begins_no_loss_before_one_that_has_ended() {
    let mut world = World::started();
    let net = |number: usize| format!("5.0.{number}.0/24");
    let [stays, b, c, d, e] = [1, 2, 3, 4, 5].map(net);
    // Not quite lost: five of twelve no longer hold two networks.
    for peer in 0..5 {
        world.withdraw(hms(1, 0, peer as i64), peer, &[&d, &e]);
    }
    // Partial, by three of thirty; one of them stays lost.
    world.all_withdraw(hms(1, 5, 0), 0, &[&stays, &b, &c]);
    world.all_announce(hms(1, 8, 0), 0, &[3491, 29256], &[&b, &c]);
    // Three who hold the two go blind, and one who does not is blind for a while: with its sight the vote is lost, by what was
    // lost at one o'clock.
    for peer in [6, 7, 8] {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(1, 10, 0)), id, false);
    }
    let id = world.peers[0];
    world.inference.peer_state(at(hms(1, 11, 0)), id, false);
    world.inference.peer_state(at(hms(1, 12, 0)), id, true);
    world.table(hms(1, 20, 0), 0, &everything(), |peer, prefix| {
        peer % 3 == 0 && peer != 6 && {
            let text = prefix.to_string();
            text != stays && !(peer < 5 && (text == d || text == e))
        }
    });
    let report = world.report(hms(2, 0, 0));
    let incidents = incidents_of(&report, "SY");
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
    assert!(incidents[1].phases[0].from >= at(hms(1, 8, 0)), "{incidents:#?}");
}
