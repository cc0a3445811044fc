//! Small Internets of which a test knows every network, with events that it adds; times are drawn from a seed.

use gonedark::scenario::Scenario;
use gonedark_infer::report::{Incident, Report};
use gonedark_route::Time;

/// Two collectors, nine full feeds, stamps in microseconds, clocks that are right: TV has one network, KP four, EG
/// three of which one covers the others.
const INTERNET: &str = r#"
notice = "Invented, for a test."
from = 2020-03-01T00:00:00Z
until = 2020-03-02T06:00:00Z
[topology]
backbone = [1299, 2914, 3257]
source = "invented"
[[collector]]
name = "rrc00"
layout = "ris"
updates_every = "5m"
tables_every = "2h"
stamps = "micros"
source = "invented"
peer = [
  { asn = 101, address = "198.51.100.1" },
  { asn = 102, address = "198.51.100.2" },
  { asn = 102, address = "198.51.100.22" },
  { asn = 103, address = "198.51.100.3" },
  { asn = 104, address = "198.51.100.4" },
  { asn = 105, address = "198.51.100.5" },
]
[[collector]]
name = "route-views2"
layout = "routeviews"
updates_every = "15m"
tables_every = "2h"
stamps = "micros"
source = "invented"
peer = [
  { asn = 201, address = "198.51.101.1" },
  { asn = 202, address = "198.51.101.2" },
  { asn = 203, address = "198.51.101.3" },
  { asn = 101, address = "198.51.101.4" },
]
[[country]]
code = "TV"
network = [{ prefixes = ["22.0.0.0/16"], origin = 64102, source = "invented" }]
[[country]]
code = "KP"
network = [{ prefixes = ["20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16", "20.3.0.0/16"], origin = 64100, source = "invented" }]
[[country]]
code = "EG"
network = [{ prefixes = ["21.0.0.0/22", "21.0.0.0/24", "21.0.1.0/24"], origin = 64101, source = "invented" }]
"#;

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
        let begin = 1_583_020_800;
        let at = Time::from_seconds(begin + seconds as i64);
        let text = format!("[[event]]\nat = {at}\nwhat.{what}\nprecision = \"1s\"\nsource = \"invented\"\n");
        Recipe { seed: self.seed, events: format!("{}{text}", self.events) }
    }

    pub(crate) fn scenario(&self) -> Scenario {
        let Recipe { seed, events } = self;
        let text = format!("title = \"recipe {seed}\"\nseed = {seed}\n{INTERNET}{events}");
        Scenario::parse(&text, &format!("recipe-{seed}")).unwrap_or_else(|error| panic!("{error:#}\n{text}"))
    }
}

/// A scenario with events added to it, as text.
pub(crate) fn with_events(scenario: &Scenario, events: &[(i64, String)]) -> Scenario {
    let mut text = scenario.to_toml().expect("every scenario can be written");
    for (seconds, what) in events {
        let at = Time::from_seconds(scenario.from.seconds() + seconds);
        text += &format!("\n[[event]]\nat = {at}\nwhat.{what}\nprecision = \"1s\"\nsource = \"invented\"\n");
    }
    Scenario::parse(&text, &format!("{}-troubled", scenario.name))
        .unwrap_or_else(|error| panic!("{error:#}\n{text}"))
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
