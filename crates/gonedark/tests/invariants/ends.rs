//! Invariants 1 and 2 where the archives of several collectors end at different times.

use crate::files::Archives;
use crate::kept;
use crate::recipe::{BEGIN, Recipe};
use gonedark::source::archive::FileName;
use gonedark_infer::report::{BlindReason, EntityState, Incident, PhaseState, Report};
use gonedark_route::Time;
use std::path::PathBuf;

const HOUR: u64 = 3_600;

fn after(seconds: u64) -> Time {
    Time::from_seconds(BEGIN + seconds as i64)
}

/// The files that begin before the end of their collector's.
fn until_their_ends(archives: &Archives, ends: &[(&str, u64); 2]) -> Vec<PathBuf> {
    let stays = |path: &PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        let time = FileName::parse(&name).time.expect("a time in its name");
        ends.iter().any(|(collector, end)| {
            path.to_string_lossy().contains(&format!("/{collector}/")) && time < after(*end)
        })
    };
    archives.files().into_iter().filter(stays).collect()
}

fn of<'a>(report: &'a Report, code: &str) -> Vec<&'a Incident> {
    report.incidents.iter().filter(|incident| incident.entity.code() == code).collect()
}

#[test]
fn after_a_collectors_last_file_it_is_blind_and_after_the_last_of_all_nothing_is_lost_or_back() {
    for seed in 0..8 {
        let recipe = Recipe::new(seed);
        let early = 3 * HOUR + recipe.draw(0, 8) * HOUR;
        let late = early + 2 * HOUR + recipe.draw(1, 6) * HOUR;
        let ends = match seed % 2 {
            0 => [("rrc00", early), ("route-views2", late)],
            _ => [("rrc00", late), ("route-views2", early)],
        };
        let kp = "networks.country = \"KP\", spread = \"30s\"";
        // KP goes while all can see and comes back when nobody can; TV goes when one can, EG when nobody can.
        let archives = Archives::new(
            recipe
                .event(early - HOUR, &format!("withdraw = {{ {kp} }}"))
                .event(early + HOUR, "withdraw = { networks.country = \"TV\", spread = \"30s\" }")
                .event(late + HOUR / 2, "withdraw = { networks.country = \"EG\", spread = \"30s\" }")
                .event(late + HOUR, &format!("announce = {{ {kp} }}"))
                .scenario(),
        );
        let (report, _) = archives.replay(&until_their_ends(&archives, &ends), 1);
        let place = kept(&archives.scenario);
        for (collector, end) in ends {
            let told = report.coverage.blind.iter().any(|blind| {
                blind.collector == collector
                    && blind.peer_asn.is_none()
                    && blind.reason == BlindReason::MissingFile
                    && (blind.from, blind.until) == (after(end), report.window.1)
            });
            assert!(told, "{place}: {collector} from {} on: {:#?}", after(end), report.coverage.blind);
        }
        let [outage] = of(&report, "KP")[..] else { panic!("{place}: {:#?}", report.incidents) };
        assert!(!outage.ended && outage.recovery.is_none(), "{place}: {outage:#?}");
        let last = outage.phases.last().expect("a phase");
        assert_eq!((last.state, last.from, last.until), (PhaseState::Unknown, after(late), None), "{place}");
        assert!(of(&report, "EG").is_empty(), "{place}: {:#?}", report.incidents);
        for incident in of(&report, "TV") {
            let onset = incident.onset;
            assert!(
                onset.earliest <= after(early + HOUR + 60) && onset.vote < after(late),
                "{place}: {onset:?}"
            );
            assert!(incident.recovery.is_none(), "{place}: {incident:#?}");
        }
        for status in &report.entities {
            assert_eq!(status.state, EntityState::Unknown, "{place}: {:?}", status.entity);
        }
    }
}
