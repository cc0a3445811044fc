//! The first sentence, case by case.

use crate::fixtures::*;
use gonedark::present::sentence::headlines;
use gonedark_infer::report::*;
use gonedark_route::{Asn, Time};

#[test]
fn the_north_korean_outage_is_told_in_one_sentence() {
    assert_eq!(
        north_korea().sentence(),
        "North Korea went dark between 16:07 and 16:15 UTC on 22 December 2014 (01:07 to 01:15 on the 23rd in \
         Pyongyang) and was back at 01:46, after 26 hours of flapping: 4 of 4 networks, 12 of 12 full-feed networks \
         that watch"
    );
}

#[test]
fn what_lasts_is_told_with_the_end_of_the_recording() {
    let mut fixture = ongoing();
    assert_eq!(
        fixture.sentence(),
        "Syria went dark at some time between 09:30 and 11:05 UTC on 24 December 2014 (11:30 to 13:05 in Damascus), \
         when too few could see, and was still dark at 00:00 on 25 December, where this report ends: 66 of 66 \
         networks, 11 of 12 full-feed networks that watch"
    );
    let incident = fixture.incident();
    incident.onset = turn("2014-12-24T11:05:20Z", "2014-12-24T11:05:40Z");
    incident.phases = vec![
        phase(PhaseState::Unstable, "2014-12-24T08:35:20Z", Some("2014-12-24T11:05:20Z"), 9),
        phase(PhaseState::Dark, "2014-12-24T11:05:20Z", None, 0),
    ];
    fixture.report.series.clear();
    assert_eq!(
        fixture.sentence(),
        "Syria went dark at 11:05 UTC on 24 December 2014 (13:05 in Damascus), after 3 hours of flapping, and was \
         still dark at 00:00 on 25 December, where this report ends: 66 of 66 networks, 11 of 12 full-feed networks \
         that watch"
    );
}

#[test]
fn what_cannot_be_seen_at_the_end_is_not_called_up() {
    let mut fixture = ongoing();
    fixture.incident().phases.push(phase(PhaseState::Unknown, "2014-12-24T18:00:00Z", None, 0));
    fixture.incident().phases[2].until = Some(at("2014-12-24T18:00:00Z"));
    assert!(
        fixture
            .sentence()
            .contains("and could not be seen from 18:00 on, so that nobody knows whether it is back")
    );
    let nothing = nothing();
    assert_eq!(
        headlines(&nothing.case(), 4),
        [
            "No outage of North Korea between 00:00 UTC on 20 December 2014 and 00:00 UTC on 25 December 2014: 3 \
             collectors and 12 full-feed networks watched, with 3 intervals of blindness",
            "Yemen could not be seen at 00:00 UTC on 25 December 2014, where this report ends: whether it was up is \
             not known"
        ]
    );
}

#[test]
fn a_partial_loss_counts_what_was_lost() {
    let mut fixture = north_korea();
    fixture.report.incidents.truncate(1);
    let incident = fixture.incident();
    incident.level = Level::Partial;
    incident.families = [Some(loss(Level::Partial, 3, 46)), None];
    incident.phases =
        vec![phase(PhaseState::Partial, "2014-12-22T16:07:12Z", Some("2014-12-23T01:46:20Z"), 0)];
    assert_eq!(
        fixture.sentence(),
        "North Korea lost 3 of 46 networks between 16:07 and 16:15 UTC on 22 December 2014 (01:07 to 01:15 on the \
         23rd in Pyongyang) and had them back at 01:46: 12 of 12 full-feed networks that watch"
    );
    let loss_of_addresses = BeforeLost { before: 100, lost: 62 };
    fixture.incident().families[0].as_mut().unwrap().addresses = loss_of_addresses;
    assert!(fixture.sentence().contains("lost 3 of 46 networks with 62 % of its addresses between"));
    fixture.incident().families[1] = Some(loss(Level::Partial, 1, 9));
    assert!(fixture.sentence().contains("lost 3 of 46 IPv4 and 1 of 9 IPv6 networks between"));
}

#[test]
fn a_slow_fall_is_told_from_its_first_network_to_its_whole_toll() {
    let mut fixture = north_korea();
    fixture.report.incidents.truncate(1);
    let incident = fixture.incident();
    incident.level = Level::Severe;
    incident.families = [Some(loss(Level::Severe, 40, 46)), None];
    incident.onset = turn("2014-12-22T16:09:34Z", "2014-12-22T16:09:34Z");
    incident.phases =
        vec![phase(PhaseState::Severe, "2014-12-22T16:09:34Z", Some("2014-12-23T01:46:20Z"), 0)];
    let entity = incident.entity;
    let first = incident.networks.iter().map(|network| network.lost.earliest).min().unwrap();
    assert_eq!(first, at("2014-12-22T16:07:12Z"));
    fixture.report.series.retain(|series| series.signal != Signal::NetworksLost);
    let mut falls = |steps: &[(&str, u64)]| {
        fixture.report.series.retain(|series| series.signal != Signal::NetworksLost);
        fixture.report.series.push(Series {
            entity,
            family: gonedark_route::Family::V4,
            signal: Signal::NetworksLost,
            points: steps.iter().map(|(time, lost)| (at(time), Sample::Value(*lost))).collect(),
        });
        fixture.sentence()
    };
    let told =
        falls(&[("2014-12-22T16:07:40Z", 3), ("2014-12-22T16:09:34Z", 24), ("2014-12-22T16:31:04Z", 40)]);
    assert!(told.starts_with(
        "North Korea lost 40 of 46 networks between 16:07 and 16:31 UTC on 22 December 2014 (01:07 to 01:31 on the 23rd \
         in Pyongyang) and had them back at 01:46"
    ), "{told}");
    let told =
        falls(&[("2014-12-22T16:09:34Z", 24), ("2014-12-22T16:20:00Z", 36), ("2014-12-22T18:31:04Z", 40)]);
    assert!(
        told.contains("in Pyongyang), nine tenths of them by 16:20, and had them back at 01:46"),
        "{told}"
    );
    // What fell at once has the moment of its vote.
    let told = falls(&[("2014-12-22T16:07:40Z", 3), ("2014-12-22T16:09:34Z", 40)]);
    assert!(
        told.starts_with("North Korea lost 40 of 46 networks at 16:09:34 UTC on 22 December 2014"),
        "{told}"
    );
}

#[test]
fn flapping_alone_is_told_as_unstable() {
    let mut fixture = north_korea();
    let incident = fixture.incident();
    incident.phases.truncate(1);
    assert_eq!(
        fixture.sentence(),
        "North Korea was unstable from 14:02 UTC on 21 December 2014 (23:02 in Pyongyang) to 16:11 on 22 December: 31 \
         falls, at worst 4 of 4 networks, 12 of 12 full-feed networks that watch"
    );
    fixture.incident().ended = false;
    fixture.incident().phases[0].until = None;
    assert!(fixture.sentence().contains(
        "was unstable from 14:02 UTC on 21 December 2014 (23:02 in Pyongyang) on and still so at 00:00 on 25 December, \
         where this report ends: 31 falls"
    ));
}

#[test]
fn one_family_dark_is_not_the_country_dark() {
    assert_eq!(
        v6_only().sentence(),
        "The Netherlands went dark on IPv6 at 10:00:07 UTC on 24 December 2014 (11:00:07 in Amsterdam) and was back \
         between 12:30 and 12:41, IPv4 untouched: 301 of 301 IPv6 networks, 9 of 9 full-feed networks that watch"
    );
}

#[test]
fn a_divided_world_is_told_as_divided() {
    let mut fixture = north_korea();
    let incident = fixture.incident();
    incident.level = Level::Severe;
    incident.families[0] = Some(FamilyLoss { split: true, ..loss(Level::Severe, 4, 4) });
    incident.witnesses.agreeing = 9;
    assert_eq!(
        fixture.sentence(),
        "North Korea was lost to most who watch, yet not to all, between 16:07 and 16:15 UTC on 22 December 2014 \
         (01:07 to 01:15 on the 23rd in Pyongyang) and was back at 01:46, after 26 hours of flapping: 4 of 4 networks, \
         but only 9 of 12 full-feed networks that watch"
    );
}

#[test]
fn the_day_of_the_return_is_left_out_only_where_it_cannot_be_mistaken() {
    let mut fixture = north_korea();
    fixture.incident().phases.truncate(3);
    let mut back = |recovery: &str| {
        fixture.incident().recovery = Some(turn(recovery, recovery));
        fixture.incident().phases[2].until = Some(at(recovery));
        let sentence = fixture.sentence();
        sentence.split(" was back ").nth(1).unwrap().split(',').next().unwrap().to_owned()
    };
    assert_eq!(back("2014-12-22T22:00:00Z"), "at 22:00");
    assert_eq!(back("2014-12-23T16:06:00Z"), "at 16:06");
    assert_eq!(back("2014-12-23T16:10:00Z"), "at 16:10 on 23 December");
    assert_eq!(back("2015-01-02T16:06:00Z"), "at 16:06 on 2 January 2015");
    // Without a local day that names the 23rd, the sentence has to.
    fixture.incident().entity = country("YE");
    fixture.incident().recovery = Some(turn("2014-12-23T01:46:03Z", "2014-12-23T01:52:03Z"));
    assert!(fixture.sentence().starts_with(
        "Yemen went dark between 16:07 and 16:15 UTC on 22 December 2014 and was back between 01:46 and 01:52 on 23 \
         December, after"
    ));
}

#[test]
fn an_onset_over_midnight_names_both_days() {
    let mut fixture = north_korea();
    fixture.incident().onset = turn("2014-12-22T23:50:00Z", "2014-12-23T00:10:00Z");
    assert!(fixture.sentence().starts_with(
        "North Korea went dark between 23:50 UTC on 22 December and 00:10 UTC on 23 December 2014 (08:50 to 09:10 on \
         the 23rd in Pyongyang) and was back at 01:46, after"
    ) || fixture.sentence().contains("(08:50 to 09:10 on the 23rd in Pyongyang)"));
    fixture.incident().onset = turn("2014-12-22T14:55:00Z", "2014-12-22T15:05:00Z");
    assert!(fixture.sentence().contains(
        "between 14:55 and 15:05 UTC on 22 December 2014 (23:55 on the 22nd to 00:05 on the 23rd in Pyongyang)"
    ));
}

#[test]
fn a_return_in_steps_is_not_a_return_at_once() {
    let mut fixture = north_korea();
    fixture.incident().phases[3].until = Some(at("2014-12-23T05:20:00Z"));
    assert!(fixture.sentence().contains("and began to come back at 01:46, whole at 05:20, after 26 hours"));
    fixture.incident().phases[3].until = None;
    assert!(fixture.sentence().contains(
        "and began to come back at 01:46, but was not whole at 00:00 on 25 December, where this report ends, after"
    ));
}

#[test]
fn blindness_outside_of_the_window_is_not_told_of_it() {
    let mut fixture = nothing();
    let text = |fixture: &Fixture| {
        let mut out = Vec::new();
        let style = gonedark::present::text::Style { width: 120, colour: false };
        gonedark::present::text::write(&mut out, &fixture.case(), style).unwrap();
        String::from_utf8(out).unwrap()
    };
    assert!(text(&fixture).contains("rrc01, whole collector"));
    // Both of the intervals of rrc00 are of the 21st, that of rrc01 is of the 24th.
    fixture.report.window.0 = at("2014-12-22T00:00:00Z");
    assert!(headlines(&fixture.case(), 4)[0].ends_with("watched, with 1 interval of blindness"));
    assert!(!text(&fixture).contains("? rrc00"));
    fixture.report.window.1 = at("2014-12-23T00:00:00Z");
    assert!(headlines(&fixture.case(), 4)[0].ends_with("12 full-feed networks watched"));
    assert!(text(&fixture).contains("Nobody was blind."));
}

#[test]
fn nobody_who_could_see_is_not_nothing_found() {
    let mut fixture = nothing();
    fixture.report.entities.clear();
    assert!(
        headlines(&fixture.case(), 4)[0]
            .starts_with("No country lost networks for long enough to count between")
    );
    fixture.report.coverage = Coverage::default();
    assert_eq!(
        headlines(&fixture.case(), 4),
        [
            "Nothing can be said of the time between 00:00 UTC on 20 December 2014 and 00:00 UTC on 25 December 2014: no \
          full-feed network could be seen"
        ]
    );
}

#[test]
fn no_sentence_names_a_cause_or_an_actor() {
    let fixtures = [north_korea(), ongoing(), v6_only(), nothing(), crowd()];
    for line in fixtures.iter().flat_map(|fixture| headlines(&fixture.case(), 200)) {
        for word in ["attack", "because", "cause", "government", "shut", "cut off", "blame", "hack"] {
            assert!(!line.to_lowercase().contains(word), "{line}");
        }
    }
    let mut network = north_korea();
    network.incident().entity = gonedark_infer::entity::Entity::As(Asn(131_279));
    assert!(network.sentence().starts_with("AS131279 (Star Joint Venture) went dark between"));
    network.incident().onset.latest = Time::MIN;
    assert!(network.sentence().contains("16:07"), "a turned interval does not panic");
}
