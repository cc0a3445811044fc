//! Small Internets of which a test knows every network, with events that it adds; times are drawn from a seed.

use crate::invented;
use gonedark::scenario::Scenario;
use gonedark_infer::report::{Incident, Report};
use gonedark_route::Time;

/// From its begin on in seconds since 1970: 2020-03-01T00:00:00Z.
pub(crate) const BEGIN: i64 = 1_583_020_800;

/// Two collectors, nine full feeds, stamps in microseconds, clocks that are right: TV has one network, KP four, EG
/// three of which one covers the others.
fn internet(seed: u64) -> String {
    let (micros, days) = ("stamps = \"micros\"", ("2020-03-01T00:00:00Z", "2020-03-02T06:00:00Z"));
    let ris = [
        (101, "198.51.100.1"),
        (102, "198.51.100.2"),
        (102, "198.51.100.22"),
        (103, "198.51.100.3"),
        (104, "198.51.100.4"),
        (105, "198.51.100.5"),
    ];
    let views = [(201, "198.51.101.1"), (202, "198.51.101.2"), (203, "198.51.101.3"), (101, "198.51.101.4")];
    let kp = ["20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16"];
    [
        invented::internet(&format!("recipe {seed}"), seed, days),
        invented::collector(("rrc00", "ris"), ("5m", "2h"), &ris, micros),
        invented::collector(("route-views2", "routeviews"), ("15m", "2h"), &views, micros),
        invented::country("TV", &["22.0.0.0/16"], 64102, ""),
        invented::country("KP", &kp, 64100, ""),
        invented::country("EG", &["21.0.0.0/22", "21.0.0.0/24", "21.0.1.0/24"], 64101, ""),
    ]
    .concat()
}

/// A scenario in the making.
#[derive(Clone)]
pub(crate) struct Recipe {
    seed: u64,
    events: String,
}

impl Recipe {
    pub(crate) fn new(seed: u64) -> Self {
        Recipe { seed, events: String::new() }
    }

    /// Up to `below`; the same seed and place give the same.
    pub(crate) fn draw(&self, place: u64, below: u64) -> u64 {
        let mixed = (self.seed * 64 + place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) % below
    }

    /// Seconds after the begin, between the second and the tenth hour.
    pub(crate) fn time(&self, place: u64) -> u64 {
        7_200 + self.draw(place, 8 * 3_600)
    }

    /// Adds what happens so many seconds after the begin.
    pub(crate) fn event(&self, seconds: u64, what: &str) -> Self {
        let at = Time::from_seconds(BEGIN + seconds as i64);
        let text = invented::event(&at.to_string(), what);
        Recipe { seed: self.seed, events: format!("{}{text}", self.events) }
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let Recipe { seed, events } = self;
        invented::scenario(&format!("recipe-{seed}"), &format!("{}{events}", internet(*seed)))
    }
}

/// A scenario with events added to it, as text.
pub(crate) fn with_events(scenario: &Scenario, events: &[(i64, String)]) -> Scenario {
    let mut text = scenario.to_toml().expect("every scenario can be written");
    for (seconds, what) in events {
        let at = Time::from_seconds(scenario.from.seconds() + seconds);
        text += &format!("\n{}", invented::event(&at.to_string(), what));
    }
    invented::scenario(&format!("{}-troubled", scenario.name), &text)
}

/// From the earliest begin of an incident to its latest end.
pub(crate) fn span(incident: &Incident, report: &Report) -> (Time, Time) {
    let until = incident.phases.last().and_then(|phase| phase.until);
    let lost = incident.networks.iter().map(|network| network.lost.earliest);
    let begin = lost.chain([incident.phases[0].from, incident.onset.earliest]).min().unwrap_or_default();
    let back = incident.networks.iter().filter_map(|network| network.back).map(|back| back.latest);
    (begin, until.map_or(report.window.1, |until| back.chain([until]).max().unwrap_or(until)))
}

pub(crate) fn overlap(one: (Time, Time), other: (Time, Time)) -> bool {
    one.0 <= other.1 && other.0 <= one.1
}
