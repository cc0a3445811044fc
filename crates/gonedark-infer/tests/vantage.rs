//! Who looks: sessions that come and go, several sessions of one AS, tables in the midst of a loss, and full feeds.

mod world;

use gonedark_infer::observation::TableEntry;
use gonedark_infer::report::{BlindReason, Level};
use gonedark_route::{AsnSize, Family, PathView, Prefix};
use world::{KP, TWELVE, World, all_but_kp, at, everything, hms, incidents_of, path};

/// Sessions of all peers go down (unless nobody says so) and come up again with everything.
fn all_sessions_anew(world: &mut World, down: Option<i64>, up: i64) {
    if let Some(down) = down {
        world.all_sessions(down, false);
    }
    world.all_sessions(up, true);
    for peer in 0..12 {
        for (prefix, tail) in everything() {
            world.announce(up + 20, peer, &tail, &[&prefix.to_string()]);
        }
    }
}

#[test]
fn a_collector_that_was_blind_does_not_bring_back_what_others_saw_go() {
    let mut world = World::new(2, &[701, 701, 174, 174, 2914, 2914]);
    world.tables(0);
    let blind = world.collectors[0];
    world.inference.gap_begin(at(hms(2, 0, 0)), blind, BlindReason::MissingFile);
    for peer in [1, 3, 5] {
        world.withdraw(hms(2, 10, 0), peer, &KP);
    }
    world.inference.gap_end(at(hms(3, 0, 0)), blind);
    let report = world.report(hms(5, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert!(!incident.ended && incident.level == Level::Dark, "{incident:#?}");
    // The table has it no more either, and they speak again.
    world.tables_of(hms(8, 0, 0), &all_but_kp());
    let report = world.report(hms(9, 0, 0));
    assert_eq!(incidents_of(&report, "KP").len(), 1);
    assert!(!incidents_of(&report, "KP")[0].ended);
}

#[test]
fn what_an_as_holds_does_not_go_because_its_full_feed_died_and_a_partial_one_lives() {
    let voters = [701, 701, 174, 174, 2914, 2914, 3257, 3257];
    let mut world = World::new(2, &voters);
    // The second session of each has one network.
    world.table(0, 0, &everything(), |_, _| true);
    let one = everything()[0].0;
    world.table(0, 1, &everything(), move |_, prefix| prefix == one);
    for peer in [0, 2, 4, 6] {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(2, 0, 0)), id, false);
    }
    let report = world.report(hms(2, 30, 0));
    assert!(report.incidents.is_empty(), "{:#?}", report.incidents);
    for peer in [0, 2, 4, 6] {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(3, 0, 0)), id, true);
        for (prefix, tail) in all_but_kp() {
            world.announce(hms(3, 0, 10), peer, &tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(hms(3, 0, 20)), id);
    }
    let report = world.report(hms(5, 0, 0));
    let onset = incidents_of(&report, "KP")[0].onset;
    assert!(onset.latest >= at(hms(3, 0, 0)), "it was there until somebody saw that it was not: {onset:?}");
}

#[test]
fn the_end_of_rib_of_one_family_does_not_tell_of_the_other() {
    let mut world = World::started();
    world.all_sessions(hms(2, 0, 0), false);
    world.all_sessions(hms(2, 0, 30), true);
    let family = |family| move |(prefix, _): &(Prefix, Vec<u32>)| prefix.family() == family;
    for peer in 0..12 {
        let id = world.peers[peer];
        for of in [Family::V6, Family::V4] {
            for (prefix, tail) in all_but_kp().into_iter().filter(family(of)) {
                world.announce(hms(2, 1, 0), peer, &tail, &[&prefix.to_string()]);
            }
            world.inference.end_of_rib(at(hms(2, 1, 0)), id);
        }
    }
    let report = world.report(hms(5, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert!(!incident.ended && incident.level == Level::Dark, "{incident:#?}");
}

#[test]
fn which_session_of_an_as_speaks_first_changes_nothing() {
    // AS701 has two sessions that say the same within the same seconds; without a table the ASN votes by both.
    let heard = |order: [usize; 2]| {
        let mut world = World::new(1, &[701, 701, 174, 2914]);
        for round in 0..40 {
            let nets: Vec<String> = (0..4).map(|net| format!("8.{}.0.0/16", round * 4 + net)).collect();
            let nets: Vec<&str> = nets.iter().map(String::as_str).collect();
            for peer in order.into_iter().chain([2, 3]) {
                world.announce(60 + round, peer, &[3356], &nets);
            }
        }
        for peer in order.into_iter().chain([2, 3]) {
            world.announce(120, peer, &[4837, 131279], &KP);
        }
        // One session of AS701 goes down for good; the other sees the country vanish with all others.
        let id = world.peers[0];
        world.inference.peer_state(at(hms(1, 0, 0)), id, false);
        for (later, peer) in [1, 2, 3].into_iter().enumerate() {
            world.withdraw(hms(2, 0, 0) + later as i64, peer, &KP);
        }
        format!("{:?}", world.report(hms(3, 0, 0)))
    };
    assert_eq!(heard([0, 1]), heard([1, 0]));
    assert!(heard([0, 1]).contains("agreeing: 3"));
}

#[test]
fn the_order_of_two_sessions_of_an_as_within_a_second_changes_nothing() {
    let heard = |order: [usize; 2]| {
        let mut world = World::new(1, &[701, 701, 174, 2914]);
        world.tables(0);
        world.withdraw(hms(1, 0, 0), 0, &KP);
        world.all_withdraw(hms(2, 0, 0), 0, &KP);
        world.all_announce(hms(3, 0, 0), 0, &[4837, 131279], &KP);
        world.withdraw(hms(4, 0, 0), 1, &KP);
        // One session of AS701 loses in the second in which the other comes back.
        for peer in order {
            match peer {
                0 => world.withdraw(hms(5, 0, 0), 0, &KP),
                _ => world.announce(hms(5, 0, 0), 1, &[4837, 131279], &KP),
            }
        }
        for peer in [2, 3] {
            world.withdraw(hms(5, 0, 0), peer, &KP);
        }
        world.all_announce(hms(6, 0, 0), 0, &[4837, 131279], &KP);
        format!("{:?}", world.report(hms(7, 0, 0)))
    };
    assert_eq!(heard([0, 1]), heard([1, 0]));
}

#[test]
fn a_network_in_two_rows_of_a_table_is_held_by_the_peers_of_both() {
    // Peers with ADD-PATH have rows of their own (RFC 8050).
    let mut world = World::new(3, &TWELVE);
    for hour in [0, 8] {
        for collector in 0..3 {
            let id = world.collectors[collector];
            world.inference.table_begin(at(hms(hour, 0, 0)), id);
            for (prefix, tail) in everything() {
                for half in 0..2 {
                    let own = (0..12).filter(|peer| peer % 3 == collector && peer / 3 % 2 == half);
                    let paths: Vec<_> = own
                        .map(|peer| (world.peers[peer], path(&[&[world.asns[peer]], &tail[..]].concat())))
                        .collect();
                    let entries = paths.iter().map(|(peer, path)| TableEntry {
                        peer: *peer,
                        tail: PathView::new(path, AsnSize::Four).tail(),
                        path_id: 0,
                    });
                    let network = world.inference.network(prefix).unwrap();
                    world.inference.table_row(id, network, entries);
                }
            }
            world.inference.table_end(id, true);
        }
    }
    assert!(world.report(hms(12, 0, 0)).incidents.is_empty());
}

#[test]
fn a_table_taken_while_a_whole_family_is_lost_evicts_nobody() {
    // All IPv6 of this world is Syrian; one peer keeps stale routes to it.
    let mut world = World::started();
    let v6: Vec<String> = (0..30).map(|net| format!("2a00:1000:{net:x}::/48")).collect();
    let v6: Vec<&str> = v6.iter().map(String::as_str).collect();
    for peer in 1..12 {
        world.withdraw(hms(2, 0, 0), peer, &v6);
    }
    for collector in 0..3 {
        world.table(hms(8, 0, 0), collector, &everything(), |peer, prefix| {
            peer == 0 || prefix.family() == Family::V4
        });
    }
    world.all_announce(hms(9, 0, 0), 1, &[3491, 29256], &v6);
    let report = world.report(hms(12, 0, 0));
    assert_eq!(report.coverage.full_feed_asns, [12, 12]);
    let incident = incidents_of(&report, "SY")[0];
    assert_eq!(incident.recovery.unwrap().latest, at(hms(9, 0, 11)));
}

#[test]
fn a_full_feed_of_ipv6_alone_is_no_witness_of_ipv4() {
    let mut world = World::new(1, &[174, 2914, 3257, 1299, 6939]);
    // AS6939 has all of IPv6 and of IPv4 only North Korea.
    world.table(0, 0, &everything(), |peer, prefix| {
        peer != 4 || prefix.family() == Family::V6 || KP.contains(&&*prefix.to_string())
    });
    world.all_withdraw(hms(2, 0, 0), 1, &KP);
    let report = world.report(hms(3, 0, 0));
    let seen = &incidents_of(&report, "KP")[0].witnesses;
    assert_eq!(report.coverage.full_feed_asns, [4, 5]);
    assert_eq!((seen.asns, seen.agreeing), (4, 4));
}

#[test]
fn a_table_taken_as_sessions_come_back_lets_nobody_vote_with_what_was_held_before() {
    let mut world = World::of_short_outages(1, &TWELVE);
    world.tables(0);
    world.all_sessions(hms(3, 0, 0), false);
    world.all_sessions(hms(3, 4, 59), true);
    // The table comes between the begin of their transfers and the end.
    world.tables_of(hms(3, 5, 0), &all_but_kp());
    for peer in 0..12 {
        for (prefix, tail) in &all_but_kp() {
            world.announce(hms(3, 5, 1), peer, tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(hms(3, 5, 1)), world.peers[peer]);
    }
    let report = world.report(hms(3, 5, 30));
    let incidents = incidents_of(&report, "KP");
    assert_eq!((incidents.len(), incidents[0].level), (1, Level::Dark));
    assert_eq!(incidents[0].witnesses.agreeing, 12);
    assert!(incidents[0].onset.latest <= at(hms(3, 5, 1)));
}

#[test]
fn peers_of_whose_return_only_a_table_tells_see_since_then_and_vote_once_it_is_settled() {
    let heard = |lost_again: bool, until: i64| {
        let mut world = World::new(1, &TWELVE);
        world.tables(0);
        world.all_sessions(hms(3, 0, 0), false);
        world.tables_of(hms(4, 0, 0), &all_but_kp());
        if lost_again {
            world.all_sessions(hms(4, 0, 20), false);
        }
        world.report(until)
    };
    let report = heard(false, hms(4, 0, 50));
    assert!(
        report.incidents.is_empty()
            && report.coverage.blind.iter().all(|blind| blind.until > at(hms(4, 0, 0)))
    );
    let report = heard(false, hms(4, 2, 0));
    assert_eq!(incidents_of(&report, "KP")[0].onset.latest, at(hms(4, 0, 0)));
    assert!(report.coverage.blind.iter().all(|blind| blind.until == at(hms(4, 0, 0))));
    let report = heard(true, hms(4, 2, 0));
    assert!(report.coverage.blind.iter().all(|blind| blind.until == at(hms(4, 2, 0))));
}

#[test]
fn a_table_restores_nobody_whose_session_was_lost_as_it_was_taken_or_who_was_missing_from_the_next() {
    let blind_at_the_end = |world: &mut World| -> Vec<u32> {
        let report = world.report(hms(4, 2, 0));
        let blind = report.coverage.blind.iter().filter(|blind| blind.until == at(hms(4, 2, 0)));
        blind.filter_map(|blind| blind.peer_asn).map(|asn| asn.0).collect()
    };
    let mut world = World::new(1, &TWELVE);
    world.tables(0);
    world.tables(hms(4, 0, 0));
    world.inference.peer_state(at(hms(4, 0, 0)), world.peers[0], false);
    assert_eq!(blind_at_the_end(&mut world), [TWELVE[0]]);
    let mut world = World::new(1, &TWELVE);
    world.tables(0);
    world.inference.peer_state(at(hms(3, 0, 0)), world.peers[0], false);
    world.tables(hms(4, 0, 0));
    world.table(hms(4, 0, 20), 0, &everything(), |peer, _| peer != 0);
    assert_eq!(blind_at_the_end(&mut world), [TWELVE[0]]);
}

/// Sessions come up again with a part of what they held, of which the country is none; then a table comes.
fn a_table_after_a_part(part: usize, table: &[(Prefix, Vec<u32>)]) -> World {
    let mut world = World::of_short_outages(1, &TWELVE);
    world.tables(0);
    world.all_sessions(hms(3, 0, 0), false);
    world.all_sessions(hms(3, 0, 10), true);
    for peer in 0..12 {
        for (prefix, tail) in everything().iter().rev().take(part) {
            world.announce(hms(3, 0, 11), peer, tail, &[&prefix.to_string()]);
        }
    }
    world.tables_of(hms(3, 0, 20), table);
    world
}

#[test]
fn what_a_table_names_is_not_lost_because_the_session_did_not_announce_it_again() {
    let mut world = a_table_after_a_part(100, &everything());
    let report = world.report(hms(3, 2, 0));
    assert!(report.incidents.is_empty(), "{:?}", report.incidents);
}

#[test]
fn what_neither_a_table_has_nor_a_session_that_is_quiet_is_lost_before_the_table_is_settled() {
    let mut world = a_table_after_a_part(100, &all_but_kp());
    let report = world.report(hms(3, 0, 50));
    assert_eq!(incidents_of(&report, "KP")[0].level, Level::Dark);
    assert_eq!(report.incidents.len(), 1);
}

#[test]
fn what_a_table_named_can_be_withdrawn_before_it_is_settled() {
    let mut world = a_table_after_a_part(40, &everything());
    world.all_withdraw(hms(3, 0, 40), 0, &KP);
    let report = world.report(hms(3, 2, 0));
    assert_eq!(incidents_of(&report, "KP")[0].level, Level::Dark);
}

#[test]
fn a_return_while_sessions_were_down_lies_between_their_loss_and_their_tables() {
    let mut world = World::started();
    world.all_withdraw(hms(2, 0, 0), 0, &KP);
    all_sessions_anew(&mut world, Some(hms(3, 0, 0)), hms(3, 5, 0));
    let report = world.report(hms(12, 0, 0));
    let recovery = incidents_of(&report, "KP")[0].recovery.unwrap();
    // The sessions may have died of silence: then nobody was heard for a hold time before.
    assert_eq!((recovery.earliest, recovery.latest), (at(hms(2, 57, 0)), at(hms(3, 5, 20))));
}

#[test]
fn a_session_that_comes_up_without_having_gone_down_was_down_since_its_last_message() {
    let mut world = World::started();
    world.all_withdraw(hms(2, 0, 0), 0, &KP);
    world.all_announce(hms(2, 30, 0), 0, &[3356], &["8.0.0.0/16"]);
    all_sessions_anew(&mut world, None, hms(3, 5, 0));
    let report = world.report(hms(12, 0, 0));
    let recovery = incidents_of(&report, "KP")[0].recovery.unwrap();
    assert_eq!((recovery.earliest, recovery.latest), (at(hms(2, 30, 0)), at(hms(3, 5, 20))));
    let blind = &report.coverage.blind[0];
    assert_eq!((blind.from, blind.until), (at(hms(2, 30, 0)), at(hms(3, 5, 20))));
}

#[test]
fn what_is_lost_and_comes_back_after_a_gap_has_exact_times() {
    let mut world = World::started();
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(1, 0, 0)), collector, BlindReason::MissingFile);
        world.inference.gap_end(at(hms(2, 0, 0)), collector);
    }
    world.all_withdraw(hms(3, 0, 0), 1, &KP);
    world.all_announce(hms(4, 0, 0), 1, &[4837, 131279], &KP);
    let report = world.report(hms(5, 0, 0));
    let recovery = incidents_of(&report, "KP")[0].recovery.unwrap();
    assert_eq!((recovery.earliest, recovery.latest), (at(hms(4, 0, 0)), at(hms(4, 0, 11))));
}

#[test]
fn a_session_that_died_at_an_onset_and_came_back_without_the_network_agrees_and_widens_nothing() {
    let mut world = World::new(1, &TWELVE);
    world.tables(0);
    for peer in 0..11 {
        world.withdraw(hms(3, 0, 0) + peer as i64, peer, &KP);
    }
    let last = world.peers[11];
    world.inference.peer_state(at(hms(3, 0, 20)), last, false);
    world.inference.peer_state(at(hms(3, 1, 0)), last, true);
    for (prefix, tail) in &all_but_kp() {
        world.announce(hms(3, 1, 1), 11, tail, &[&prefix.to_string()]);
    }
    world.inference.end_of_rib(at(hms(3, 1, 10)), last);
    world.all_announce(hms(4, 0, 0), 0, &[4837, 131279], &KP);
    let report = world.report(hms(5, 0, 0));
    let [incident] = incidents_of(&report, "KP")[..] else { panic!("one incident") };
    assert_eq!(incident.witnesses.agreeing, 12);
    assert_eq!((incident.onset.earliest, incident.onset.latest), (at(hms(3, 0, 0)), at(hms(3, 0, 10))));
}

#[test]
fn what_a_session_sends_from_its_begin_to_its_end_of_rib_is_a_table() {
    let mut world = World::new(1, &TWELVE);
    for peer in 0..12 {
        world.inference.peer_state(at(0), world.peers[peer], true);
        for (prefix, tail) in everything() {
            world.announce(1, peer, &tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(2), world.peers[peer]);
    }
    // A minute later, and not after the hour that networks have to be known for where no table was read.
    world.all_withdraw(60, 1, &KP[..2]);
    let report = world.report(600);
    let incidents = incidents_of(&report, "KP");
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let networks = incidents[0].families[0].expect("IPv4").networks;
    assert_eq!((networks.before, networks.lost), (4, 2));
    assert_eq!(incidents[0].onset.earliest, at(60));
}

#[test]
fn a_session_without_an_end_of_rib_has_sent_its_table_once_hardly_anything_is_added() {
    let mut world = World::new(1, &TWELVE);
    for peer in 0..12 {
        world.inference.peer_state(at(0), world.peers[peer], true);
        for (prefix, tail) in everything() {
            world.announce(1, peer, &tail, &[&prefix.to_string()]);
        }
    }
    // It goes on talking, as everybody does, of what it holds.
    for second in 2..100 {
        world.announce(second, 3, &[3356], &["8.0.0.0/16"]);
    }
    world.all_withdraw(100, 1, &KP[..2]);
    let report = world.report(600);
    let incidents = incidents_of(&report, "KP");
    let networks = incidents.first().and_then(|incident| incident.families[0]).expect("one").networks;
    assert_eq!((networks.before, networks.lost), (4, 2));
}

#[test]
fn what_a_session_withdraws_before_it_has_announced_it_was_not_lost() {
    let mut world = World::new(1, &TWELVE);
    for peer in 0..12 {
        world.inference.peer_state(at(0), world.peers[peer], true);
        // FRR's BMP tells of what is not there yet before it tells of what is.
        world.withdraw(1, peer, &KP);
        for (prefix, tail) in everything() {
            world.announce(2, peer, &tail, &[&prefix.to_string()]);
        }
    }
    let report = world.report(900);
    assert_eq!(incidents_of(&report, "KP"), Vec::<&gonedark_infer::report::Incident>::new());
}

/// Sessions that begin, and say End-of-RIB when they have sent the last 60 of all networks: the rest comes behind it.
fn begun_too_early() -> World {
    let mut world = World::new(1, &TWELVE);
    let everything = everything();
    let (late, early) = everything.split_at(everything.len() - 60);
    for peer in 0..12 {
        world.inference.peer_state(at(0), world.peers[peer], true);
        for (prefix, tail) in early {
            world.announce(1, peer, tail, &[&prefix.to_string()]);
        }
        world.inference.end_of_rib(at(2), world.peers[peer]);
        for (prefix, tail) in late {
            world.announce(4, peer, tail, &[&prefix.to_string()]);
        }
    }
    world
}

#[test]
fn a_table_after_an_end_of_rib_that_came_too_early_is_the_first() {
    let mut world = begun_too_early();
    world.tables(10);
    world.all_withdraw(100, 1, &KP);
    let report = world.report(600);
    assert_eq!(incidents_of(&report, "KP").len(), 1);
}

#[test]
fn what_comes_behind_an_end_of_rib_that_came_too_early_belongs_to_the_table() {
    let mut world = begun_too_early();
    world.all_withdraw(100, 1, &KP);
    let report = world.report(600);
    assert_eq!(incidents_of(&report, "KP").len(), 1);
}

/// All sessions go down and come up again; their peers say everything, in the second of the last.
fn back_with_everything() -> World {
    let mut world = World::new(1, &TWELVE);
    world.tables(0);
    all_sessions_anew(&mut world, Some(3600), 3700);
    world
}

#[test]
fn a_session_that_said_again_all_that_it_held_is_seen_at_once() {
    let mut world = back_with_everything();
    // Before nothing came for 30 s.
    world.all_withdraw(3725, 1, &KP);
    world.all_announce(4000, 1, &[4837, 131279], &KP);
    let report = world.report(5000);
    let [incident] = incidents_of(&report, "KP")[..] else { panic!("one incident") };
    assert!(incident.onset.earliest >= at(3725), "{:?}", incident.onset);
    assert!(report.coverage.blind.iter().all(|blind| blind.until == at(3720)), "{:?}", report.coverage.blind);
}

#[test]
fn what_a_new_session_withdraws_before_it_has_announced_it_is_of_the_session_before() {
    let mut world = World::new(1, &TWELVE);
    world.tables(0);
    for peer in 0..12 {
        world.inference.peer_state(at(3600), world.peers[peer], false);
        world.inference.peer_state(at(3700), world.peers[peer], true);
    }
    // As FRR's BMP does it: what the lost session had, withdrawn within the new one, and then its table.
    world.all_withdraw(3701, 0, &KP);
    for peer in 0..12 {
        for (prefix, tail) in everything() {
            world.announce(3705, peer, &tail, &[&prefix.to_string()]);
        }
    }
    let report = world.report(5000);
    assert_eq!(incidents_of(&report, "KP").len(), 0);
    assert!(report.coverage.blind.iter().all(|blind| blind.until == at(3705)), "{:?}", report.coverage.blind);
}

#[test]
fn a_table_is_one_also_where_its_peers_were_chosen_by_their_speech_before() {
    // The table that the sessions sent is whole at 340, and voters without a table are chosen at 300.
    let mut world = World::new(1, &TWELVE);
    for peer in 0..12 {
        world.inference.peer_state(at(280), world.peers[peer], true);
        for (prefix, tail) in everything() {
            world.announce(281, peer, &tail, &[&prefix.to_string()]);
        }
    }
    world.all_withdraw(400, 1, &KP);
    let report = world.report(1200);
    assert_eq!(incidents_of(&report, "KP").len(), 1);
}
