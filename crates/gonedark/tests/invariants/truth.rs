//! Invariants 3 to 7: what is reported is what happened, wherever somebody could see it.

use crate::feed::{Feeding, report};
use crate::kept;
use crate::recipe::{Recipe, overlap, span};
use gonedark::scenario::{self, RandomOptions, Scenario, TrueIncident};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{Incident, Interval, Level, PhaseState, Report};
use gonedark_route::{Family, Time};

/// Every loss is told, however short: the truth does not leave out any either.
fn all() -> Feeding {
    Feeding { parameters: Parameters { min_duration: 0, ..Parameters::default() }, ..Feeding::default() }
}

/// Clocks are up to 3 s off, and stamps of whole seconds name any moment of theirs.
const CLOCKS: i64 = 4_000_000;

/// Nothing keeps anybody from seeing.
fn clear_sight() -> RandomOptions {
    RandomOptions { resets: false, gaps: false, ..RandomOptions::default() }
}

/// The same without partial feeds: of a few IPv6 networks a third may well be three quarters, and then the feed is full.
fn all_full(seed: u64, options: RandomOptions) -> Scenario {
    let text = scenario::random(seed, options).to_toml().expect("every scenario can be written");
    let text = text.replace("feed = \"partial\"", "feed = \"full\"");
    let lines = text.lines().filter(|line| !line.starts_with("share = 0.3"));
    let text: String = lines.flat_map(|line| [line, "\n"]).collect();
    Scenario::parse(&text, &format!("random-{seed}-full")).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
}

fn same(reported: Time, truth: Time) -> bool {
    (reported - truth).abs() <= CLOCKS
}

fn contains(reported: Interval, earliest: Time, latest: Time) -> bool {
    reported.earliest <= earliest + CLOCKS && latest <= reported.latest + CLOCKS
}

/// What must be true of any incident, whatever happened.
fn is_sane(incident: &Incident, scenario: &Scenario) -> Result<(), String> {
    let check =
        |holds: bool, what: &str| if holds { Ok(()) } else { Err(format!("{}: {what}", incident.id)) };
    let turns = [Some(incident.onset), incident.recovery];
    for turn in turns.into_iter().flatten() {
        check(turn.earliest <= turn.latest, "a turn ends before it begins")?;
    }
    let end = incident.phases.last().and_then(|phase| phase.until);
    check(incident.ended == end.is_some(), "ended, and a phase that lasts")?;
    check(incident.phases[0].from <= incident.onset.vote, "the vote comes before the first phase")?;
    check(end.is_none_or(|end| incident.onset.vote <= end), "the vote comes after the last phase")?;
    let follow = incident.phases.windows(2).all(|pair| pair[0].until == Some(pair[1].from));
    check(follow, "phases with a gap or an overlap")?;
    check(
        incident.networks.iter().all(|network| network.lost.earliest <= network.lost.latest),
        "a loss is turned",
    )?;
    for network in &incident.networks {
        if let Some(back) = network.back {
            check(back.earliest <= back.latest, "a return is turned")?;
            check(network.lost.earliest <= back.latest, "a return before the loss")?;
        }
    }
    let known = |asn| scenario.peers.iter().any(|peer| peer.asn == asn);
    let seen = &incident.witnesses;
    check(seen.agreeing_asns.iter().chain(&seen.stuck).all(|asn| known(*asn)), "a witness that is no peer")?;
    check(
        seen.agreeing as usize == seen.agreeing_asns.len() && seen.agreeing <= seen.asns,
        "miscounted witnesses",
    )?;
    check(
        !seen.stuck.iter().any(|asn| seen.agreeing_asns.contains(asn)),
        "a witness that is stuck and agrees",
    )?;
    for loss in incident.families.iter().flatten() {
        check(loss.networks.lost <= loss.networks.before, "more networks lost than there were")?;
        check(loss.addresses.lost <= loss.addresses.before, "more addresses lost than there were")?;
    }
    Ok(())
}

fn of<'a>(report: &'a Report, truth: &TrueIncident) -> Vec<&'a Incident> {
    let mine = |incident: &&Incident| incident.entity.code() == truth.country.to_string();
    report.incidents.iter().filter(mine).collect()
}

/// Compares one true incident with what is reported of it.
fn is_told(truth: &TrueIncident, report: &Report) -> Result<(), String> {
    let err = |what: String| Err(format!("{} {}: {what}", truth.country, truth.from));
    let mine: Vec<&Incident> =
        of(report, truth).into_iter().filter(|it| same(it.phases[0].from, truth.from)).collect();
    let [incident] = mine[..] else {
        return err(format!("{} incidents begin then", mine.len()));
    };
    if incident.level != truth.level {
        return err(format!("{} instead of {}", incident.level.name(), truth.level.name()));
    }
    if incident.flaps.len() != truth.flaps.len() {
        return err(format!("{} flaps instead of {}", incident.flaps.len(), truth.flaps.len()));
    }
    for (flap, true_flap) in incident.flaps.iter().zip(&truth.flaps) {
        if !same(flap.from, true_flap.from) || !same(flap.until, true_flap.until) {
            return err(format!("a flap at {} instead of {}", flap.from, true_flap.from));
        }
    }
    if truth.flaps.len() < 2 {
        let turns = [(Some(incident.onset), truth.onset), (incident.recovery, truth.recovery)];
        for (told, turn) in turns.into_iter().filter_map(|(told, turn)| Some((told?, turn?))) {
            if !same(told.earliest, turn.earliest) || !same(told.latest, turn.latest) {
                return err(format!("{told:?} instead of {turn:?}"));
            }
        }
    }
    // Of several losses alike either is the main one: clocks and stamps decide.
    let main = (truth.flaps.len() < 2).then_some(&truth.networks);
    for network in main.into_iter().flatten() {
        let Some(told) = incident.networks.iter().find(|told| told.prefix == network.prefix) else {
            continue;
        };
        if !contains(told.lost, network.lost.earliest, network.lost.latest) {
            return err(format!("{} lost {:?} instead of {:?}", network.prefix, told.lost, network.lost));
        }
        if let (Some(told), Some(back)) = (told.back, network.back)
            && !contains(told, back.earliest, back.latest)
        {
            return err(format!("{} back {told:?} instead of {back:?}", network.prefix));
        }
    }
    Ok(())
}

/// One loss of a country, and one incident that can only be it: its turns must meet the true ones.
fn lies_within(truth: &TrueIncident, report: &Report) -> Result<(), String> {
    let window = |earliest: Time, latest: Time| (earliest + -CLOCKS, latest + CLOCKS);
    let (Some(onset), Some(recovery)) = (truth.onset, truth.recovery) else { return Ok(()) };
    let whole = window(onset.earliest, recovery.latest);
    let mine: Vec<&Incident> =
        of(report, truth).into_iter().filter(|incident| overlap(span(incident, report), whole)).collect();
    let [incident] = mine[..] else { return Ok(()) };
    if truth.flaps.len() > 1 || incident.flaps.len() > 1 {
        return Ok(());
    }
    let turns = [(Some(incident.onset), onset), (incident.recovery, recovery)];
    for (told, turn) in turns.into_iter().filter_map(|(told, turn)| Some((told?, turn))) {
        if !overlap((told.earliest, told.latest), window(turn.earliest, turn.latest)) {
            return Err(format!("{}: {told:?} instead of {turn:?}", incident.id));
        }
    }
    for network in &truth.networks {
        let Some(told) = incident.networks.iter().find(|told| told.prefix == network.prefix) else {
            continue;
        };
        if !overlap(
            (told.lost.earliest, told.lost.latest),
            window(network.lost.earliest, network.lost.latest),
        ) {
            return Err(format!(
                "{}: {} lost {:?} instead of {:?}",
                incident.id, network.prefix, told.lost, network.lost
            ));
        }
    }
    Ok(())
}

#[test]
fn with_clear_sight_every_loss_is_told_with_its_level_flaps_and_seconds() {
    let mut wrong = Vec::new();
    for seed in 0..120 {
        let scenario = all_full(seed, RandomOptions { skew: false, ..clear_sight() });
        let (truth, report) = (scenario::truth(&scenario), report(&scenario, &all()));
        let mut complaints: Vec<String> =
            truth.incidents.iter().filter_map(|incident| is_told(incident, &report).err()).collect();
        if report.incidents.len() != truth.incidents.len() {
            complaints.push(format!(
                "{} incidents instead of {}",
                report.incidents.len(),
                truth.incidents.len()
            ));
        }
        if !complaints.is_empty() {
            wrong.push(format!("seed {seed} {}:\n  {}", kept(&scenario), complaints.join("\n  ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_interval_phase_and_witness_is_sane_whatever_happens() {
    for options in [RandomOptions::default(), RandomOptions { tables: false, ..RandomOptions::default() }] {
        for seed in 0..150 {
            let scenario = scenario::random(seed, options);
            let report = report(&scenario, &all());
            for incident in &report.incidents {
                if let Err(what) = is_sane(incident, &scenario) {
                    panic!("seed {seed} {}: {what}\n{incident:#?}", kept(&scenario));
                }
            }
        }
    }
}

#[test]
fn with_clouded_sight_the_truth_lies_within_what_is_told() {
    let mut wrong = Vec::new();
    for seed in 0..150 {
        let scenario = scenario::random(seed, RandomOptions::default());
        let (truth, report) = (scenario::truth(&scenario), report(&scenario, &all()));
        for incident in &report.incidents {
            let code = incident.entity.code();
            let (from, until) = span(incident, &report);
            let mut own = truth.incidents.iter().filter(|it| it.country.to_string() == code);
            let found = own.any(|it| {
                let flapped = it.flaps.iter().map(|flap| flap.until).max().unwrap_or(it.from);
                let end =
                    it.recovery.map_or(Time::from_seconds(1 << 40), |recovery| recovery.latest.max(flapped));
                overlap((from, until), (it.from + -CLOCKS, end + CLOCKS))
            });
            if !found {
                wrong.push(format!("seed {seed} {}: {} never happened", kept(&scenario), incident.id));
            }
        }
        // A collector that starts anew without a word betrays it only by a hundred routes or more sent again.
        if scenario.to_toml().expect("every scenario can be written").contains("silent_restart") {
            continue;
        }
        let told = truth.incidents.iter().filter_map(|truth| lies_within(truth, &report).err());
        wrong.extend(told.map(|what| format!("seed {seed} {}: {what}", kept(&scenario))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_country_of_one_network_and_one_of_four_are_exact() {
    for seed in 0..40 {
        let recipe = Recipe::new(seed);
        let (one, four) = (recipe.time(0), recipe.time(1));
        let scenario = recipe
            .event(one, "withdraw = { networks.country = \"TV\", spread = \"40s\" }")
            .event(one + 1_900, "announce = { networks.country = \"TV\", spread = \"20s\" }")
            .event(four, "withdraw = { networks.prefixes = [\"20.1.0.0/16\"], spread = \"30s\" }")
            .event(four + 700, "withdraw = { networks.country = \"KP\", spread = \"1m30s\" }")
            .event(four + 4_000, "announce = { networks.country = \"KP\", spread = \"1m30s\" }")
            .scenario();
        let (truth, report) = (scenario::truth(&scenario), report(&scenario, &all()));
        assert_eq!((truth.incidents.len(), report.incidents.len()), (2, 2), "{}", kept(&scenario));
        for truth in &truth.incidents {
            let incident = of(&report, truth)[0];
            let place = format!("{} {}", kept(&scenario), incident.id);
            assert_eq!((incident.level, truth.level), (Level::Dark, Level::Dark), "{place}");
            let loss = incident.families[0].unwrap();
            let expected = truth.families[0];
            assert_eq!(
                (loss.networks.before, loss.networks.lost),
                (expected.networks, expected.lost),
                "{place}"
            );
            assert_eq!(
                (loss.addresses.before, loss.addresses.lost),
                (expected.addresses, expected.lost_addresses),
                "{place}"
            );
            let turn = |interval: scenario::Interval| (interval.earliest, interval.latest);
            let (onset, recovery) = (incident.onset, incident.recovery.unwrap());
            assert_eq!((onset.earliest, onset.latest), turn(truth.onset.unwrap()), "{place}");
            assert_eq!((recovery.earliest, recovery.latest), turn(truth.recovery.unwrap()), "{place}");
            assert_eq!(incident.networks.len(), truth.networks.len(), "{place}");
            for (network, expected) in incident.networks.iter().zip(&truth.networks) {
                assert_eq!(network.prefix, expected.prefix, "{place}");
                assert_eq!((network.lost.earliest, network.lost.latest), turn(expected.lost), "{place}");
                let back = network.back.unwrap();
                assert_eq!((back.earliest, back.latest), turn(expected.back.unwrap()), "{place}");
            }
            assert_eq!(incident.witnesses.agreeing_asns, truth.agreeing, "{place}");
            assert_eq!(incident.witnesses.asns as usize, truth.asns.len(), "{place}");
        }
    }
}

#[test]
fn more_specifics_under_a_standing_cover_are_no_outage_and_a_cover_loses_only_what_they_leave() {
    for seed in 0..20 {
        let recipe = Recipe::new(seed);
        let at = recipe.time(0);
        let parts = "networks.prefixes = [\"21.0.0.0/24\", \"21.0.1.0/24\"]";
        let recipe = recipe
            .event(at, &format!("withdraw = {{ {parts}, spread = \"1m\" }}"))
            .event(at + 3_000, &format!("announce = {{ {parts}, spread = \"1m\" }}"));
        let scenario = recipe.scenario();
        assert!(report(&scenario, &all()).incidents.is_empty(), "{}", kept(&scenario));
        let cover = "networks.prefixes = [\"21.0.0.0/22\"]";
        let scenario =
            recipe.event(at + 9_000, &format!("withdraw = {{ {cover}, spread = \"1m\" }}")).scenario();
        let report = report(&scenario, &all());
        let loss = report.incidents[0].families[0].unwrap();
        // Two of four /24s have a route of their own.
        assert_eq!((loss.networks.before, loss.networks.lost), (3, 1), "{}", kept(&scenario));
        assert_eq!((loss.addresses.before, loss.addresses.lost), (4, 2), "{}", kept(&scenario));
    }
}

#[test]
fn flaps_close_together_are_one_unstable_incident_with_their_true_number() {
    for seed in 0..40 {
        let recipe = Recipe::new(seed);
        let (at, lasts) = (recipe.time(0), 3 + recipe.draw(2, 6));
        let flaps = format!(
            "flaps = {{ networks.country = \"KP\", lasts = \"{lasts}h\", first_interval = \"{}s\", \
             last_interval = \"{}s\", down_min = \"40s\", down_max = \"{}s\", spread = \"30s\" }}",
            1_500 + recipe.draw(3, 2_000),
            700 + recipe.draw(4, 800),
            60 + recipe.draw(5, 400),
        );
        let scenario = recipe.event(at, &flaps).scenario();
        let (truth, report) = (scenario::truth(&scenario), report(&scenario, &Feeding::default()));
        let [incident] = &report.incidents[..] else {
            panic!("{} incidents {}", report.incidents.len(), kept(&scenario))
        };
        let [expected] = &truth.incidents[..] else { panic!("{} true ones", truth.incidents.len()) };
        let [phase] = incident.phases[..] else { panic!("{:?} {}", incident.phases, kept(&scenario)) };
        assert_eq!(
            (phase.state, phase.flaps as usize),
            (PhaseState::Unstable, expected.flaps.len()),
            "{}",
            kept(&scenario)
        );
        assert!(expected.flaps.len() >= 3);
    }
}

#[test]
fn what_is_said_of_ipv4_does_not_depend_on_ipv6() {
    let only = Feeding { only: Some(Family::V4), ..all() };
    // A session that is lost is lost for both families, and so is what tells that its table has come.
    for options in [clear_sight(), RandomOptions { covers: false, ..clear_sight() }] {
        for seed in 0..60 {
            let scenario = scenario::random(seed, options);
            let of_v4 = |report: Report| -> Vec<String> {
                let series = report.series.iter().filter(|series| series.family == Family::V4);
                series.map(|series| format!("{series:?}")).collect()
            };
            let (both, alone) = (of_v4(report(&scenario, &all())), of_v4(report(&scenario, &only)));
            for (both, alone) in both.iter().zip(&alone) {
                assert_eq!(both, alone, "seed {seed} {}", kept(&scenario));
            }
            assert_eq!(both.len(), alone.len(), "seed {seed} {}", kept(&scenario));
        }
    }
}
