//! Invariant 12: news told piece by piece, forgotten as they are told, say in the end what a report says.

use crate::feed::{self, Feeding, draw};
use crate::kept;
use gonedark::scenario::{self, RandomOptions, Scenario};
use gonedark_infer::Inference;
use gonedark_infer::entity::Entity;
use gonedark_infer::news::News;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{Incident, Report, Sample, Signal};
use gonedark_route::{Family, Time};
use std::collections::BTreeMap;

/// What a store holds that does with the news as they want it.
#[derive(Default)]
struct Ledger {
    incidents: BTreeMap<(Entity, Time), Incident>,
    points: BTreeMap<(Option<Entity>, Family, Signal, Time), Sample>,
}

impl Ledger {
    fn take(&mut self, news: News) {
        for retold in news.incidents {
            self.incidents.retain(|(entity, first), _| *entity != retold.entity || *first < retold.since);
            for incident in retold.incidents {
                // What a store deletes before it writes these; and losses ascend.
                assert!(incident.phases[0].from >= retold.since, "{incident:#?}");
                self.incidents.insert((retold.entity, incident.phases[0].from), incident);
            }
        }
        for point in news.points {
            self.points.insert((point.entity, point.family, point.signal, point.at), point.value);
        }
    }
}

/// Feeds a scenario and asks for news after every so many observations.
fn told(scenario: &Scenario, parameters: &Parameters, every: u64, restarts: Option<u64>) -> Ledger {
    let (mut ledger, mut state) = (Ledger::default(), every);
    let feeding =
        Feeding { restarts, tells_news: true, parameters: parameters.clone(), ..Feeding::default() };
    let mut inference: Inference = feed::drive(scenario, &feeding, |inference| {
        if draw(&mut state).is_multiple_of(every) {
            ledger.take(inference.news());
        }
    });
    inference.watermark(scenario.until);
    ledger.take(inference.news());
    // The stamp of the watermark itself is over only now.
    inference.watermark(scenario.until + 1);
    inference.tell_rest();
    ledger.take(inference.news());
    ledger
}

/// Three ways to come by the same news.
const WAYS: [(&str, u64, Option<u64>); 3] =
    [("after each observation", 1, None), ("now and then", 23, None), ("with restarts", 7, Some(5))];

#[test]
fn when_news_are_asked_for_changes_nothing_of_what_they_say_in_the_end() {
    for seed in 0..40 {
        let scenario = scenario::random(seed, RandomOptions::default());
        let plain = told(&scenario, &Parameters::default(), 1000, None);
        for (name, every, restarts) in WAYS {
            let other = told(&scenario, &Parameters::default(), every, restarts);
            let same = other.incidents == plain.incidents && other.points == plain.points;
            assert!(same, "{name}: {}", kept(&scenario));
        }
    }
}

#[test]
fn news_told_piece_by_piece_say_what_the_report_says() {
    // A clock is known to be wrong by what comes later too, which a report at the end knows and news could not.
    let parameters = Parameters { skew_returns: usize::MAX, ..Parameters::default() };
    for seed in 0..40 {
        let scenario = scenario::random(seed, RandomOptions::default());
        let feeding = Feeding { parameters: parameters.clone(), ..Feeding::default() };
        let report = feed::report(&scenario, &feeding);
        for (name, every, restarts) in WAYS {
            compare(&scenario, &report, &told(&scenario, &parameters, every, restarts), name);
        }
    }
}

fn compare(scenario: &Scenario, report: &Report, ledger: &Ledger, name: &str) {
    let told: Vec<&Incident> = ledger.incidents.values().collect();
    assert_eq!(report.incidents.len(), told.len(), "{name}: {}", kept(scenario));
    for (said, told) in report.incidents.iter().zip(told) {
        assert_eq!(said, told, "{name}: {}", kept(scenario));
    }
    for series in report.series.iter().filter(|series| series.signal != Signal::VotersSighted) {
        let of = (Some(series.entity), series.family, series.signal);
        let own =
            ledger.points.iter().filter(|((entity, family, signal, _), _)| (*entity, *family, *signal) == of);
        let told: Vec<(Time, Sample)> = own.map(|((.., at), value)| (*at, *value)).collect();
        // Of an entity that never lost anything no news are told.
        if !told.is_empty() {
            assert_eq!(series.points, told, "{name}, {of:?}: {}", kept(scenario));
        }
    }
}
