//! Invented and reconstructed Internets as text, and the recordings that the world's collectors would have made of them.
//!
//! ```text
//! scenarios/*.toml --parse--> text (words) --check--> plan (indices, microseconds)
//!                                                        |
//!            course, noise -> simulation (a queue) -> world (what every peer holds) -> truth, incidents
//!                                  |
//!                             recording (plain values, in time order) -> archive -> mrt_writer -> files
//!            telemetry (flows, in the order of their export) -> netflow_writer -> captures of what an exporter sends
//! ```
//!
//! [`Scenario::parse`] reads a file, [`builtin`] the three that are built in, [`random()`] invents one; [`events`] gives
//! what is recorded as plain values, [`write()`] as MRT files; [`truth()`] and [`Summary::truth`] say what really happened;
//! [`delegated`] gives the countries as RIR statistics. The same text gives the same bytes, on every machine.
//! docs/scenarios.md explains the language.

mod address_plan;
mod archive;
mod check;
mod convergence;
mod course;
mod delegations;
mod error;
mod incidents;
mod mrt_writer;
mod netflow_writer;
mod noise;
mod plan;
mod prng;
mod random;
mod recording;
mod simulation;
mod telemetry;
pub mod text;
mod topology;
mod truth;
pub mod values;
mod world;

pub use archive::{Progress, Summary, write};
pub use delegations::delegated;
pub use error::ScenarioError;
pub use incidents::{Interval, TrueBlindness, TrueFamily, TrueFlap, TrueIncident, TrueNetwork, Truth};
pub use plan::{Collector, Exporter, Network, Peer, Scenario};
pub use random::{RandomOptions, random};
pub use recording::{Recorded, RibEntry, ScenarioEvent};
pub use simulation::Events;
pub use telemetry::{Telemetry, write_telemetry};

use error::Place;

/// The scenarios that come with the program: name and text.
const BUILTIN: [(&str, &str); 3] = [
    ("north-korea-2014", include_str!("../../../../scenarios/north-korea-2014.toml")),
    ("egypt-2011", include_str!("../../../../scenarios/egypt-2011.toml")),
    ("syria-2012", include_str!("../../../../scenarios/syria-2012.toml")),
];

impl Scenario {
    /// Reads a scenario; `name` stands in messages.
    ///
    /// # Errors
    /// Text that is no scenario: with the line, what is wrong, and what to do.
    pub fn parse(text: &str, name: &str) -> Result<Scenario, ScenarioError> {
        let document: text::Document = toml::from_str(text).map_err(|error| {
            let place = Place::whole(name, text);
            let place = error.span().map_or(place, |span| place.at(span.start..span.end.max(span.start + 1)));
            place.error(error.message(), "see docs/scenarios.md for the words")
        })?;
        check::check(document, text, name)
    }

    /// The scenario as text: [`Scenario::parse`] of it gives the same scenario.
    ///
    /// # Errors
    /// None that is known: every document can be written as TOML.
    pub fn to_toml(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&self.document)
    }
}

/// The names of the scenarios that are built in.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// A scenario that is built in, by name (`north-korea-2014`, with or without `.toml`); `None` for an unknown one.
///
/// # Errors
/// None: a test parses all of them.
pub fn builtin(name: &str) -> Option<Result<Scenario, ScenarioError>> {
    let name = name.strip_suffix(".toml").unwrap_or(name);
    let (name, text) = BUILTIN.iter().find(|(known, _)| *known == name)?;
    Some(Scenario::parse(text, &format!("{name}.toml")))
}

/// What the collectors record, as plain values in the order of true time.
pub fn events(scenario: &Scenario) -> Events<'_> {
    Events::new(scenario)
}

/// What really happens in a scenario.
pub fn truth(scenario: &Scenario) -> Truth {
    let mut events = Events::new(scenario);
    events.by_ref().for_each(drop);
    events.into_truth()
}
