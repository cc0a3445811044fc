//! The traps of the field: each a way in which a monitor says "dark" where nothing is, or "up" where something is dark.

mod world;

use gonedark_infer::observation::{PeerKey, TableEntry, Update};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{BlindReason, EntityState, Level, Note, PhaseState};
use gonedark_infer::{Inference, Watch};
use gonedark_route::{Asn, AsnSize, PathView, Prefix, Tail};
use world::{KP, TWELVE, World, at, everything, hms, incidents_of, path, registry};

#[test]
fn peer_session_loss_is_not_an_outage() {
    let mut world = World::started();
    for peer in 0..5 {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(3, 0, peer as i64)), id, false);
    }
    let report = world.report(hms(9, 0, 0));
    assert!(report.incidents.is_empty());
    assert_eq!(report.coverage.blind.len(), 5);
    assert!(report.coverage.blind.iter().all(|blind| blind.reason == BlindReason::SessionDown));
}

#[test]
fn a_collector_without_files_is_blind_and_no_outage() {
    let mut world = World::started();
    let collector = world.collectors[1];
    world.inference.gap_begin(at(hms(3, 0, 0)), collector, BlindReason::MissingFile);
    world.inference.gap_end(at(hms(4, 0, 0)), collector);
    let report = world.report(hms(9, 0, 0));
    assert!(report.incidents.is_empty());
    let blind = &report.coverage.blind[0];
    assert_eq!((blind.from, blind.until), (at(hms(3, 0, 0)), at(hms(4, 0, 0))));
    assert_eq!((blind.collector.as_str(), blind.peer_asn), ("rrc01", None));
}

#[test]
fn what_was_withdrawn_while_all_were_blind_counts_as_up_and_that_is_said_until_tables_come() {
    let said = |blind: &[usize]| {
        let mut world = World::started();
        for collector in blind {
            let id = world.collectors[*collector];
            world.inference.gap_begin(at(hms(3, 0, 0)), id, BlindReason::SessionDown);
            world.inference.gap_end(at(hms(3, 5, 0)), id);
        }
        let mut unconfirmed = |hour| {
            let notes = world.report(hms(hour, 0, 0)).notes;
            notes.into_iter().filter(|note| matches!(note, Note::NotConfirmed { .. })).collect::<Vec<_>>()
        };
        let before = unconfirmed(4);
        world.tables_of(hms(8, 0, 0), &everything());
        let mut unconfirmed = |hour| {
            let notes = world.report(hms(hour, 0, 0)).notes;
            notes.iter().any(|note| matches!(note, Note::NotConfirmed { .. }))
        };
        assert!(!unconfirmed(9));
        before
    };
    let (from, until) = (at(hms(3, 0, 0)), at(hms(3, 5, 0)));
    assert_eq!(said(&[0, 1, 2]), [Note::NotConfirmed { asns: 12, from, until }]);
    assert_eq!(said(&[1]), [], "enough of them are certain");
}

#[test]
fn when_all_collectors_are_blind_nothing_is_said() {
    let mut world = World::started();
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(3, 0, 0)), collector, BlindReason::MissingFile);
    }
    let report = world.report(hms(4, 0, 0));
    assert!(report.incidents.is_empty());
}

#[test]
fn an_outage_inside_a_gap_begins_somewhere_in_the_gap() {
    let mut world = World::started();
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(3, 0, 0)), collector, BlindReason::MissingFile);
    }
    for collector in world.collectors.clone() {
        world.inference.gap_end(at(hms(5, 0, 0)), collector);
    }
    let rest: Vec<_> = everything().into_iter().filter(|(_, tail)| tail[1..] != [131279]).collect();
    world.tables_of(hms(8, 0, 0), &rest);
    let report = world.report(hms(12, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Dark);
    assert_eq!(incident.onset.earliest, at(hms(3, 0, 0)));
    assert_eq!(incident.onset.latest, at(hms(8, 0, 0)));
}

#[test]
fn a_session_that_comes_back_without_a_route_has_lost_it_while_it_was_down() {
    let mut world = World::started();
    for peer in 0..12 {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(3, 0, 0)), id, false);
    }
    for peer in 0..12 {
        let id = world.peers[peer];
        world.inference.peer_state(at(hms(3, 5, 0)), id, true);
        for (prefix, tail) in everything().iter().filter(|(_, tail)| tail[1..] != [131279]) {
            world.announce(hms(3, 5, 20), peer, tail, &[&prefix.to_string()]);
        }
    }
    let report = world.report(hms(12, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Dark);
    // The sessions may have died of silence: then nobody was heard for a hold time before.
    assert_eq!(incident.onset.earliest, at(hms(2, 57, 0)));
    assert_eq!(incident.onset.latest, at(hms(3, 5, 20)));
    assert!(incidents_of(&report, "US").is_empty() && incidents_of(&report, "SY").is_empty());
}

#[test]
fn two_peers_of_one_as_are_one_vote() {
    // AS701 has eight sessions; three other ASes have one each.
    let asns = [701, 701, 701, 701, 701, 701, 701, 701, 174, 2914, 3257];
    let mut world = World::new(1, &asns);
    world.tables(0);
    for peer in 0..8 {
        world.withdraw(hms(2, 0, 0), peer, &KP);
    }
    let report = world.report(hms(3, 0, 0));
    assert!(report.incidents.is_empty(), "one of four ASes lost it: {:#?}", report.incidents);
    assert_eq!(report.coverage.full_feed_asns[0], 4);
}

#[test]
fn an_as_holds_what_any_of_its_sessions_holds() {
    let asns = [701, 701, 174, 174, 2914, 2914];
    let mut world = World::new(2, &asns);
    world.tables(0);
    for peer in [0, 2, 4] {
        world.withdraw(hms(2, 0, 0), peer, &KP);
    }
    assert!(world.report(hms(3, 0, 0)).incidents.is_empty());
    for peer in [1, 3, 5] {
        world.withdraw(hms(4, 0, 0), peer, &KP);
    }
    let report = world.report(hms(5, 0, 0));
    assert_eq!(incidents_of(&report, "KP")[0].onset.earliest, at(hms(4, 0, 0)));
}

#[test]
fn a_default_route_keeps_nothing_up() {
    let mut world = World::started();
    world.all_announce(hms(1, 0, 0), 0, &[3356], &["0.0.0.0/0"]);
    world.all_withdraw(hms(16, 0, 0), 0, &KP);
    let report = world.report(hms(18, 0, 0));
    assert_eq!(incidents_of(&report, "KP")[0].level, Level::Dark);
}

#[test]
fn a_leaking_peer_does_not_evict_the_honest_ones() {
    let mut world = World::new(3, &TWELVE);
    let mut routes = everything();
    routes.extend((0..250).flat_map(|net| {
        (0..8).map(move |part| (format!("1.{net}.{part}.0/24").parse().unwrap(), vec![4134]))
    }));
    for collector in 0..3 {
        // Peer 0 leaks 2,000 more-specifics beside the 124 networks there are.
        world.table(0, collector, &routes, |peer, prefix| peer == 0 || !prefix.to_string().starts_with("1."));
    }
    let report = world.report(1);
    assert_eq!(report.coverage.full_feed_asns[0], 12);
}

#[test]
fn a_leak_of_as_much_again_evicts_nobody_and_counts_for_nothing() {
    let mut world = World::new(3, &TWELVE);
    let mut routes = everything();
    routes.extend((0..200).map(|net| (format!("1.{net}.0.0/24").parse().unwrap(), vec![4134])));
    for collector in 0..3 {
        world.table(0, collector, &routes, |peer, prefix| peer == 0 || !prefix.to_string().starts_with("1."));
    }
    let report = world.report(1);
    assert_eq!(report.coverage.full_feed_asns[0], 12);
}

#[test]
fn a_vantage_inside_the_country_does_not_vote_on_it() {
    // Two peers are North Korean and keep the domestic routes; two others see the country vanish.
    let mut world = World::new(1, &[131279, 64999, 174, 2914]);
    world.tables(0);
    for peer in [2, 3] {
        world.withdraw(hms(16, 0, 0), peer, &KP);
    }
    let report = world.report(hms(17, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Dark);
    assert_eq!((incident.witnesses.asns, incident.witnesses.agreeing), (2, 2));
    assert!(incident.witnesses.stuck.is_empty());
}

#[test]
fn a_hijack_while_the_country_is_dark_does_not_bring_it_back() {
    let mut world = World::started();
    world.all_withdraw(hms(16, 0, 0), 0, &KP);
    world.all_announce(hms(17, 0, 0), 1, &[6939, 65551], &["175.45.176.0/24"]);
    let report = world.report(hms(18, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert!(!incident.ended);
    assert_eq!(incident.level, Level::Dark);
    assert_eq!(incident.networks[0].foreign_origins, [Asn(65551)]);
}

#[test]
fn another_origin_of_the_same_country_does_bring_it_back() {
    let mut world = World::started();
    world.all_withdraw(hms(16, 0, 0), 0, &KP);
    world.all_announce(hms(17, 0, 0), 1, &[6939, 64999], &KP);
    let report = world.report(hms(18, 0, 0));
    assert!(incidents_of(&report, "KP")[0].ended);
}

#[test]
fn those_that_never_let_go_are_named_as_stuck() {
    let mut world = World::started();
    for peer in 0..10 {
        world.withdraw(hms(16, 0, peer as i64), peer, &KP);
    }
    world.all_announce(hms(20, 0, 0), 0, &[4837, 131279], &KP);
    let report = world.report(hms(22, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Dark, "two of twelve are under 20 %");
    assert_eq!(incident.witnesses.agreeing, 10);
    assert_eq!(incident.witnesses.stuck, [Asn(9002), Asn(12956)]);
}

#[test]
fn over_a_fifth_of_the_vote_left_is_severe_and_split() {
    let mut world = World::started();
    for peer in 0..8 {
        world.withdraw(hms(16, 0, peer as i64), peer, &KP);
    }
    let report = world.report(hms(18, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Severe);
    assert!(incident.families[0].unwrap().split);
}

#[test]
fn more_specifics_withdrawn_under_a_standing_cover_are_no_outage() {
    let mut routes = everything();
    routes.push(("5.0.0.0/19".parse().unwrap(), vec![3491, 29256]));
    let mut world = World::new(3, &TWELVE);
    world.tables_of(0, &routes);
    let specifics: Vec<String> = (0..30).map(|net| format!("5.0.{net}.0/24")).collect();
    let specifics: Vec<&str> = specifics.iter().map(String::as_str).collect();
    world.all_withdraw(hms(5, 0, 0), 1, &specifics);
    assert!(world.report(hms(6, 0, 0)).incidents.is_empty());
    // When the cover goes as well, they are lost with it.
    world.all_withdraw(hms(7, 0, 0), 1, &["5.0.0.0/19"]);
    let report = world.report(hms(8, 0, 0));
    let incident = incidents_of(&report, "SY")[0];
    let v4 = incident.families[0].unwrap();
    assert_eq!((v4.level, v4.networks.lost, v4.addresses.lost), (Level::Dark, 31, 32));
}

#[test]
fn a_cover_withdrawn_over_standing_more_specifics_loses_only_what_they_leave() {
    let mut routes = everything();
    routes.push(("5.0.0.0/19".parse().unwrap(), vec![3491, 29256]));
    let mut world = World::with(3, &TWELVE, registry(), Watch::default(), 1);
    world.tables_of(0, &routes);
    world.all_withdraw(hms(5, 0, 0), 1, &["5.0.0.0/19"]);
    let report = world.report(hms(6, 0, 0));
    assert!(report.incidents.is_empty(), "2 of 32 /24s: {:#?}", report.incidents);
}

#[test]
fn add_path_routes_are_held_until_the_last_one_goes() {
    let mut world = World::started();
    for (peer, asn) in TWELVE.iter().enumerate() {
        let path = path(&[*asn, 4837, 131279]);
        let id = world.peers[peer];
        for path_id in [1, 2] {
            let announced = world.named(&KP, path_id);
            let tail = Some(PathView::new(&path, AsnSize::Four).tail());
            world.inference.update(&Update {
                at: at(60),
                peer: id,
                tail,
                announced: &announced,
                withdrawn: &[],
            });
        }
    }
    for (path_id, hour) in [(2, 3), (1, 4)] {
        for peer in world.peers.clone() {
            let withdrawn = world.named(&KP, path_id);
            world.inference.update(&Update {
                at: at(hms(hour, 0, 0)),
                peer,
                tail: None,
                announced: &[],
                withdrawn: &withdrawn,
            });
        }
    }
    let report = world.report(hms(5, 0, 0));
    assert_eq!(incidents_of(&report, "KP")[0].onset.earliest, at(hms(4, 0, 0)));
}

#[test]
fn a_prefix_that_spans_two_delegations_is_split_by_addresses() {
    // 1.0.0.0/8 is half Chinese and half Australian.
    let mut routes = everything();
    routes.push(("1.0.0.0/8".parse().unwrap(), vec![4134]));
    let mut world = World::new(3, &TWELVE);
    world.tables_of(0, &routes);
    world.all_withdraw(hms(5, 0, 0), 1, &["1.0.0.0/8"]);
    let report = world.report(hms(6, 0, 0));
    for country in ["CN", "AU"] {
        let v4 = incidents_of(&report, country)[0].families[0].unwrap();
        assert_eq!((v4.networks.lost, v4.addresses.lost), (1, 32_768), "{country}");
    }
}

#[test]
fn a_leaked_more_specific_of_a_minute_never_counts() {
    let mut world = World::started();
    for minute in 0..30 {
        let begin = hms(5, minute, 0);
        world.all_announce(begin, 0, &[4837, 131279], &["175.45.178.0/24", "175.45.176.0/23"]);
        world.all_withdraw(begin + 40, 0, &["175.45.176.0/23"]);
    }
    let report = world.report(hms(8, 0, 0));
    assert!(report.incidents.is_empty());
}

#[test]
fn a_network_held_for_a_day_counts() {
    let mut world = World::started();
    world.all_announce(hms(1, 0, 0), 0, &[4837, 131279], &["175.45.176.0/22"]);
    world.all_withdraw(hms(27, 0, 0), 0, &["175.45.176.0/22"]);
    // The four /24s inside it stand, so that no address is lost; still it is one network of five.
    let report = world.report(hms(28, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.families[0].unwrap().networks.before, 5);
    assert_eq!(incident.families[0].unwrap().addresses.lost, 0);
}

#[test]
fn a_network_that_all_have_who_usually_do_is_not_lost() {
    let mut world = World::started();
    // More than half of the world leaves it for good.
    for peer in 0..7 {
        world.withdraw(hms(5, 0, 0), peer, &KP[..1]);
    }
    assert!(!incidents_of(&world.report(hms(6 * 24, 0, 0)), "KP")[0].ended);
    let report = world.report(hms(9 * 24, 0, 0));
    assert!(incidents_of(&report, "KP")[0].ended, "{:#?}", report.incidents);
}

#[test]
fn what_aged_out_over_two_sweeps_counts_whole_again_when_it_is_back() {
    let mut world = World::started();
    // Those of four are a week old at the sweep of an hour, the others only at the next.
    world.all_withdraw(hms(4, 45, 0), 300, &KP);
    world.all_announce(hms(9 * 24, 0, 0), 1, &[4837, 131279], &KP);
    world.all_withdraw(hms(11 * 24, 0, 0), 1, &KP[..1]);
    let report = world.report(hms(11 * 24 + 5, 0, 0));
    let last = incidents_of(&report, "KP").last().map(|incident| (incident.level, incident.ended));
    assert_eq!(last, Some((Level::Partial, false)), "{:#?}", report.incidents);
}

#[test]
fn a_hijack_of_a_second_makes_nobody_acceptable_a_day_later() {
    let mut world = World::started();
    world.announce(hms(1, 0, 0), 0, &[65551], &KP);
    world.announce(hms(1, 0, 1), 0, &[4837, 131279], &KP);
    world.all_withdraw(hms(30, 0, 0), 1, &KP);
    world.all_announce(hms(31, 0, 0), 1, &[65551], &KP);
    let report = world.report(hms(36, 0, 0));
    assert!(!incidents_of(&report, "KP")[0].ended, "{:#?}", report.incidents);
    // Nor does it by staying: that is a hijack, or a move abroad, and no return.
    world.all_announce(hms(58, 0, 0), 1, &[3356, 65551], &KP);
    let report = world.report(hms(60, 0, 0));
    assert!(!incidents_of(&report, "KP")[0].ended, "{:#?}", report.incidents);
}

#[test]
fn paths_of_an_earlier_session_keep_nothing_up() {
    let mut world = World::started();
    let announce = |world: &mut World, seconds, prefixes: &[&str], tail: &[u32], path_id| {
        for (peer, asn) in TWELVE.into_iter().enumerate() {
            let announced = world.named(prefixes, path_id);
            let path = path(&[&[asn], tail].concat());
            let tail = Some(PathView::new(&path, AsnSize::Four).tail());
            let (at, peer) = (at(seconds), world.peers[peer]);
            world.inference.update(&Update { at, peer, tail, announced: &announced, withdrawn: &[] });
        }
    };
    announce(&mut world, hms(1, 0, 0), &KP, &[4837, 131279], 1);
    world.all_sessions(hms(2, 0, 0), false);
    world.all_sessions(hms(2, 0, 30), true);
    for (prefix, tail) in everything() {
        announce(&mut world, hms(2, 1, 0), &[&prefix.to_string()], &tail, 7);
    }
    for peer in 0..TWELVE.len() {
        let (id, withdrawn) = (world.peers[peer], world.named(&KP, 7));
        world.inference.end_of_rib(at(hms(2, 2, 0)), id);
        let update =
            Update { at: at(hms(3, 0, 0)), peer: id, tail: None, announced: &[], withdrawn: &withdrawn };
        world.inference.update(&update);
    }
    let report = world.report(hms(5, 0, 0));
    let incident = incidents_of(&report, "KP").first().map(|incident| (incident.level, incident.ended));
    assert_eq!(incident, Some((Level::Dark, false)));
}

#[test]
fn a_permanent_withdrawal_ages_out_and_is_said_to() {
    let mut world = World::started();
    world.all_withdraw(hms(5, 0, 0), 0, &["175.45.179.0/24"]);
    world.inference.watermark(at(hms(24 * 9, 0, 0)));
    let report = world.report(hms(24 * 9, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert!(incident.ended);
    let prefix: Prefix = "175.45.179.0/24".parse().unwrap();
    assert!(report.notes.contains(&Note::AgedOut { prefix, lost: at(hms(5, 0, 0)) }), "{:?}", report.notes);
    world.all_withdraw(hms(24 * 9 + 1, 0, 0), 0, &KP[..3]);
    let report = world.report(hms(24 * 9 + 2, 0, 0));
    let newest = *incidents_of(&report, "KP").last().unwrap();
    assert_eq!((newest.level, newest.families[0].unwrap().networks.before), (Level::Dark, 3));
}

#[test]
fn updates_without_a_table_find_an_outage_by_what_was_withdrawn() {
    let mut world = World::new(3, &TWELVE);
    // An hour of ordinary talk, so that it is known who speaks of how much.
    for round in 0..30 {
        for net in 0..10 {
            world.all_announce(round * 60 + net, 0, &[3356], &[&format!("8.{net}.0.0/16")]);
        }
    }
    world.all_withdraw(hms(1, 0, 0), 5, &KP);
    world.all_announce(hms(3, 0, 0), 1, &[4837, 131279], &KP);
    let report = world.report(hms(4, 0, 0));
    let incident = incidents_of(&report, "KP")[0];
    assert_eq!(incident.level, Level::Dark);
    assert_eq!(incident.onset.earliest, at(hms(1, 0, 0)));
    assert_eq!(incident.onset.latest, at(hms(1, 0, 55)));
    assert!(report.notes.contains(&Note::TableNotSeen { collector: "rrc00".into() }));
}

#[test]
fn a_table_does_not_undo_what_a_message_said_around_its_time() {
    let mut world = World::started();
    // The withdrawal comes 30 seconds before the table, whose rows still have the route.
    world.all_withdraw(hms(7, 59, 30), 0, &KP);
    world.tables(hms(8, 0, 0));
    // And for Syria 30 seconds after it, though the rows have it no more.
    let rest: Vec<_> = everything().into_iter().filter(|(_, tail)| tail[1..] != [29256]).collect();
    world.tables_of(hms(9, 0, 0), &rest);
    let syria: Vec<String> = (0..30).map(|net| format!("5.0.{net}.0/24")).collect();
    let syria: Vec<&str> = syria.iter().map(String::as_str).collect();
    world.all_withdraw(hms(9, 0, 30), 0, &syria);
    let report = world.report(hms(12, 0, 0));
    assert_eq!(incidents_of(&report, "KP")[0].onset.earliest, at(hms(7, 59, 30)));
    let incident = incidents_of(&report, "SY")[0];
    assert_eq!(incident.families[0].unwrap().level, Level::Dark);
    assert!(incident.networks.iter().any(|network| network.lost.earliest == at(hms(9, 0, 30))));
}

#[test]
fn a_peer_absent_from_a_table_and_silent_for_an_hour_is_blind() {
    let mut world = World::new(3, &TWELVE);
    world.tables(0);
    for collector in 0..3 {
        world.table(hms(8, 0, 0), collector, &everything(), |peer, _| peer > 3);
    }
    let report = world.report(hms(9, 0, 0));
    assert!(report.incidents.is_empty());
    let absent: Vec<_> = report.coverage.blind.iter().filter(|b| b.reason == BlindReason::Absent).collect();
    assert_eq!(absent.len(), 4);
}

#[test]
fn a_collector_that_sends_its_tables_anew_without_saying_so_was_blind() {
    let mut world = World::started();
    for (prefix, tail) in everything() {
        world.announce(hms(5, 0, 0), 0, &tail, &[&prefix.to_string()]);
    }
    let report = world.report(hms(6, 0, 0));
    let silent = report.coverage.blind.iter().find(|blind| blind.reason == BlindReason::SilentRestart);
    assert_eq!(silent.unwrap().peer_asn, Some(Asn(701)));
}

#[test]
fn what_cannot_be_seen_during_an_incident_is_a_phase_of_its_own() {
    let mut world = World::started();
    world.all_withdraw(hms(10, 0, 0), 0, &KP);
    for collector in world.collectors.clone() {
        world.inference.gap_begin(at(hms(12, 0, 0)), collector, BlindReason::MissingFile);
    }
    for collector in world.collectors.clone() {
        world.inference.gap_end(at(hms(13, 0, 0)), collector);
    }
    world.all_announce(hms(15, 0, 0), 0, &[4837, 131279], &KP);
    let report = world.report(hms(18, 0, 0));
    let states: Vec<PhaseState> =
        incidents_of(&report, "KP")[0].phases.iter().map(|phase| phase.state).collect();
    assert_eq!(states, [PhaseState::Dark, PhaseState::Unknown, PhaseState::Dark]);
}

#[test]
fn a_country_of_which_nothing_was_ever_seen_is_unknown_and_not_up() {
    let watch = Watch {
        countries: [gonedark_infer::entity::CountryCode::new("ER").unwrap()].into(),
        ..Default::default()
    };
    let mut world = World::with(1, &TWELVE, registry(), watch, 1);
    world.tables(0);
    let report = world.report(60);
    assert_eq!(report.entities[0].state, EntityState::Unknown);
}

#[test]
fn a_path_change_is_neither_loss_nor_return() {
    let mut world = World::started();
    for hour in 1..20 {
        world.all_announce(hms(hour, 0, 0), 1, &[22351, 131279], &KP);
        world.all_announce(hms(hour, 30, 0), 1, &[4837, 131279], &KP);
    }
    assert!(world.report(hms(22, 0, 0)).incidents.is_empty());
}

#[test]
fn a_row_may_have_more_paths_than_a_cell_can_number() {
    let mut world = World::started();
    for upstream in 0..700 {
        world.announce(hms(1, 0, 0) + upstream, 0, &[100_000 + upstream as u32, 131279], &KP);
    }
    assert!(world.report(hms(2, 0, 0)).incidents.is_empty());
    let key = PeerKey { collector: world.collectors[0], asn: Asn(9), address: "::1".parse().unwrap() };
    let late = world.inference.peer(key).unwrap();
    let path = path(&[9, 4837, 131279]);
    let entry = TableEntry { peer: late, tail: PathView::new(&path, AsnSize::Four).tail(), path_id: 0 };
    world.inference.table_begin(at(hms(3, 0, 0)), world.collectors[0]);
    let network = world.inference.network(KP[0].parse().unwrap()).unwrap();
    world.inference.table_row(world.collectors[0], network, [entry].into_iter());
    world.inference.table_end(world.collectors[0], false);
    assert!(world.report(hms(4, 0, 0)).incidents.is_empty());
}

/// Collector 2's clock runs ahead: what all see of three outages it stamps so much later. The last lasts from 16:15 to
/// 25:46.
fn with_a_clock_ahead(ahead: i64) -> World {
    let mut world = World::started();
    let first = [(4, 0, false), (5, 0, true), (10, 0, false), (11, 30, true)];
    for (hour, minute, back) in first.into_iter().chain([(16, 15, false), (25, 46, true)]) {
        let mut stamps: Vec<(i64, usize)> = (0..TWELVE.len())
            .map(|peer| (hms(hour, minute, peer as i64) + if peer % 3 == 2 { ahead } else { 0 }, peer))
            .collect();
        stamps.sort_unstable();
        for (stamp, peer) in stamps {
            match back {
                true => world.announce(stamp, peer, &[4837, 131279], &KP),
                false => world.withdraw(stamp, peer, &KP),
            }
        }
    }
    world
}

#[test]
fn a_clock_that_runs_ahead_is_told_by_the_others_and_widens_what_it_says() {
    let report = with_a_clock_ahead(180).report(hms(27, 0, 0));
    let skew = report.notes.iter().find_map(|note| match note {
        Note::ClockSkew { collector, micros } => Some((collector.as_str(), *micros / 1_000_000)),
        _ => None,
    });
    let (collector, seconds) = skew.expect("a note of the skew");
    assert_eq!(collector, "rrc02");
    assert!((178..=182).contains(&seconds), "{seconds} s");
    let incident = incidents_of(&report, "KP").into_iter().last().unwrap();
    assert!(incident.onset.earliest <= at(hms(16, 15, 0)));
    assert!(incident.recovery.unwrap().latest >= at(hms(25, 46, 11)));
}

#[test]
fn a_clock_that_runs_behind_is_told_as_behind() {
    let report = with_a_clock_ahead(-180).report(hms(27, 0, 0));
    let behind = |note: &Note| matches!(note, Note::ClockSkew { collector, micros } if collector == "rrc02" && *micros < 0);
    assert!(report.notes.iter().any(behind));
    let onset = incidents_of(&report, "KP").into_iter().last().unwrap().onset;
    assert!(onset.earliest <= at(hms(16, 15, 0)) && onset.latest >= at(hms(16, 15, 9)));
}

#[test]
fn delays_of_half_a_minute_are_no_skew() {
    let report = with_a_clock_ahead(30).report(hms(27, 0, 0));
    assert!(!report.notes.iter().any(|note| matches!(note, Note::ClockSkew { .. })));
}

#[test]
fn a_table_that_was_cut_off_is_said_to_be() {
    let mut world = World::new(1, &TWELVE);
    let id = world.collectors[0];
    world.inference.table_begin(at(0), id);
    let network = world.inference.network(KP[0].parse().unwrap()).unwrap();
    let entry = TableEntry { peer: world.peers[0], tail: Tail::default(), path_id: 0 };
    world.inference.table_row(id, network, [entry].into_iter());
    world.inference.table_end(id, false);
    let notes = world.report(hms(1, 0, 0)).notes;
    assert!(notes.contains(&Note::TableCut { collector: "rrc00".into() }), "{notes:?}");
}

#[test]
fn more_networks_than_there_is_room_for_are_left_out_and_counted() {
    let parameters = Parameters { max_networks: 3, ..Parameters::default() };
    let mut inference = Inference::new(parameters, Box::new(registry()), Watch::default(), 2);
    let mut named = |prefix: &str| inference.network(prefix.parse().unwrap()).is_some();
    assert_eq!(KP.map(&mut named), [true, true, true, false]);
    assert!(named(KP[1]), "one that is known has its place");
    let notes = inference.report(at(0)).notes;
    assert_eq!(notes, [Note::TooManyNetworks { room: 3, refused: 1 }]);
}

#[test]
fn peers_beyond_those_that_are_told_apart_are_left_out_and_counted() {
    let mut inference = Inference::new(Parameters::default(), Box::new(registry()), Watch::default(), 2);
    let collector = inference.collector("rrc00");
    let mut peer = |number: u32| {
        let address = std::net::Ipv4Addr::from_bits(number).into();
        inference.peer(PeerKey { collector, asn: Asn(701), address }).is_some()
    };
    assert!((0..65_535).all(&mut peer));
    assert!(!peer(65_535));
    assert!(peer(0), "one that is known keeps its number");
    let notes = inference.report(at(0)).notes;
    assert!(notes.contains(&Note::TooManyPeers { room: 65_535, refused: 1 }), "{notes:?}");
}

#[test]
fn without_a_table_the_first_withdrawal_of_one_of_several_paths_proves_no_loss() {
    let mut world = World::new(1, &TWELVE);
    for peer in 0..TWELVE.len() {
        let (id, withdrawn) = (world.peers[peer], world.named(&KP, 7));
        let update = Update { at: at(60), peer: id, tail: None, announced: &[], withdrawn: &withdrawn };
        world.inference.update(&update);
    }
    assert!(world.report(hms(2, 0, 0)).incidents.is_empty());
}
