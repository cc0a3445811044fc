//! The scenarios that come with the program tell what was published.

use gonedark::scenario::{self, Scenario, TrueIncident, Truth};
use gonedark_infer::report::Level;
use gonedark_route::Time;

fn builtin(name: &str) -> (Scenario, Truth) {
    let scenario = scenario::builtin(name).unwrap().unwrap();
    let truth = scenario::truth(&scenario);
    (scenario, truth)
}

fn of<'a>(truth: &'a Truth, country: &str) -> Vec<&'a TrueIncident> {
    truth.incidents.iter().filter(|incident| incident.country.as_str() == country).collect()
}

fn minute(time: Time) -> String {
    time.to_string()[..16].to_owned()
}

#[test]
fn every_builtin_scenario_is_valid_and_says_that_it_is_no_recording() {
    for name in scenario::builtin_names() {
        let scenario = scenario::builtin(name).unwrap().unwrap();
        assert!(
            scenario.notice.contains("reconstruction") && scenario.notice.contains("not a recording"),
            "{name}"
        );
    }
    assert!(scenario::builtin("atlantis").is_none());
}

#[test]
fn north_korea_goes_dark_between_16_07_and_16_15_and_is_back_at_01_46_after_26_hours_of_flapping() {
    let (_, truth) = builtin("north-korea-2014");
    let main = of(&truth, "KP")[0];
    let (onset, recovery) = (main.onset.unwrap(), main.recovery.unwrap());
    assert_eq!(main.level, Level::Dark);
    assert_eq!(minute(onset.earliest), "2014-12-22T16:07");
    assert_eq!(onset.latest.to_string(), "2014-12-22T16:15:00Z");
    assert_eq!(minute(recovery.earliest), "2014-12-23T01:46");
    assert_eq!(minute(recovery.latest), "2014-12-23T01:46");
    let hours = (onset.latest - main.from) as f64 / 3.6e9;
    assert!((25.5..26.5).contains(&hours), "{hours}");
    assert_eq!((main.families[0].lost, main.families[0].networks), (4, 4));
    assert_eq!((main.agreeing.len(), main.asns.len()), (12, 12));
}

#[test]
fn the_flapping_of_north_korea_grows_worse_and_is_one_unstable_phase() {
    let (_, truth) = builtin("north-korea-2014");
    let main = of(&truth, "KP")[0];
    let flaps = &main.flaps;
    assert!(flaps.iter().all(|flap| flap.until - flap.from < 15 * 60_000_000));
    assert!(flaps.windows(2).all(|pair| pair[1].from - pair[0].until <= 7_200_000_000));
    assert!(main.onset.unwrap().earliest - flaps.last().unwrap().until <= 7_200_000_000);
    let half = main.from + (main.onset.unwrap().earliest - main.from) / 2;
    let early = flaps.iter().filter(|flap| flap.from < half).count();
    assert!(flaps.len() - early > 2 * early, "{early} of {}", flaps.len());
}

#[test]
fn the_later_losses_of_north_korea_are_incidents_of_their_own() {
    let (_, truth) = builtin("north-korea-2014");
    let later: Vec<_> = of(&truth, "KP")[1..].to_vec();
    let onsets: Vec<String> = later.iter().map(|incident| minute(incident.onset.unwrap().earliest)).collect();
    assert_eq!(onsets, ["2014-12-23T07:55", "2014-12-23T15:41", "2014-12-27T10:30"]);
    assert_eq!(minute(later[1].recovery.unwrap().latest), "2014-12-23T16:12");
    assert!(later.iter().all(|incident| incident.flaps.is_empty()));
}

#[test]
fn the_background_of_north_korea_is_noise_and_no_incident() {
    let (scenario, truth) = builtin("north-korea-2014");
    assert!(scenario.networks.len() > 2_000);
    assert!(truth.incidents.iter().all(|incident| incident.country.as_str() == "KP"));
    assert_eq!(truth.blind.iter().filter(|blind| blind.peer.is_none()).count(), 2);
}

#[test]
fn egypt_loses_2576_of_2903_networks_in_one_night_and_noor_four_days_later() {
    let (_, truth) = builtin("egypt-2011");
    let [egypt] = of(&truth, "EG")[..] else { panic!("not one incident") };
    assert_eq!(egypt.level, Level::Severe);
    assert_eq!(egypt.families[0].networks, 2_903);
    let night: Time = Time::from_seconds(1_296_172_800); // 2011-01-28T00:00:00Z
    let lost = egypt.networks.iter().filter(|network| network.lost.latest < night).count();
    assert_eq!(lost, 2_576);
    let descent = egypt.descent.unwrap();
    assert_eq!(descent.earliest.to_string(), "2011-01-27T22:12:43Z");
    assert_eq!(minute(descent.latest), "2011-01-27T22:34");
    let noor: Vec<_> = egypt.networks.iter().filter(|network| network.origin.0 == 20_928).collect();
    assert_eq!(noor.len(), 83);
    assert!(noor.iter().all(|network| *minute(network.lost.earliest) >= *"2011-01-31T20:46"));
    assert_eq!(egypt.ascent.unwrap().earliest.to_string(), "2011-02-02T09:29:31Z");
}

#[test]
fn syria_is_severe_until_the_last_five_networks_go_too() {
    let (_, truth) = builtin("syria-2012");
    let [syria] = of(&truth, "SY")[..] else { panic!("not one incident") };
    assert_eq!(minute(syria.from), "2012-11-29T10:26");
    assert_eq!((syria.level, syria.families[0].networks), (Level::Dark, 84));
    assert_eq!(minute(syria.onset.unwrap().earliest), "2012-11-29T23:44");
    assert_eq!(minute(syria.ascent.unwrap().earliest), "2012-12-01T14:32");
    let tata: Vec<_> = syria.networks.iter().filter(|network| network.origin.0 == 6_453).collect();
    assert_eq!(tata.len(), 5);
    assert!(tata.iter().all(|network| minute(network.back.unwrap().earliest) == "2012-12-01T14:58"));
}
