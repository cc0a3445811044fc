//! What a collector records, as plain values, before anything is encoded.

use gonedark_route::{Asn, Family, Nlri, Prefix, Time};
use std::sync::Arc;

/// Something that a collector records, or fails to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ScenarioEvent {
    /// The true time. Events come in this order.
    pub at: Time,
    /// What the collector's clock shows and its files say: skewed, and cut to seconds where it stamps no microseconds.
    pub stamp: Time,
    /// Index into [`Scenario::collectors`](super::Scenario::collectors).
    pub collector: usize,
    /// What.
    pub what: Recorded,
}

/// What is recorded. A `peer` is an index into [`Scenario::peers`](super::Scenario::peers).
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// A table begins. Its rows follow at once, ascending by prefix.
    RibBegin,
    /// One network of the table.
    RibRow {
        /// It.
        prefix: Prefix,
        /// Who holds it.
        entries: Vec<RibEntry>,
    },
    /// The table ends.
    RibEnd,
    /// Routes come and go: one BGP UPDATE of one family.
    Update {
        /// From whom.
        peer: usize,
        /// What is gone.
        withdrawn: Vec<Nlri>,
        /// What is given, all with `path`.
        announced: Vec<Nlri>,
        /// The AS path, the peer first; empty where nothing is announced.
        path: Arc<[Asn]>,
    },
    /// The peer says that its table is whole (RFC 4724).
    EndOfRib {
        /// Who.
        peer: usize,
        /// Of which family.
        family: Family,
    },
    /// A session comes up or goes down.
    State {
        /// Whose.
        peer: usize,
        /// Whether it is established now.
        up: bool,
    },
    /// The update files from now (by the collector's clock: `from`) on are missing.
    Gap {
        /// Begin by the collector's clock.
        from: Time,
        /// End by the collector's clock.
        until: Time,
    },
}

/// Who holds a network of a table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RibEntry {
    /// Who.
    pub peer: usize,
    /// The ADD-PATH identifier; 0 without ADD-PATH.
    pub path_id: u32,
    /// Since when this route, by the collector's clock (whole seconds, as tables store it).
    pub since: Time,
    /// The AS path, the peer first.
    pub path: Arc<[Asn]>,
}
