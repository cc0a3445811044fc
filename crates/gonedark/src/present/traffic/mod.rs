//! What is said of attacks: one [`TrafficCase`] in, text or JSON out.

pub mod json;
pub mod means;
mod quantity;
pub mod text;

pub use quantity::{bits, packets};

use super::Gazetteer;
use gonedark_infer::traffic::report::TrafficReport;

/// The line with which every report of traffic ends.
pub const NO_ACTOR: &str = "Addresses of senders can be forged, and those of reflectors are not the attacker's: nothing here says who \
                            it was, or what for.";

/// All that the forms are made from.
#[derive(Clone, Copy)]
pub struct TrafficCase<'a> {
    /// What the inference says.
    pub report: &'a TrafficReport,
    /// Who told it, by number.
    pub exporters: &'a [ExporterLine],
    /// What was read.
    pub inputs: &'a [InputLine],
    /// What entities are called.
    pub gazetteer: &'a dyn Gazetteer,
}

/// An exporter, and how well it was heard.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct ExporterLine {
    /// Its address; `packets` where a capture of the traffic itself was read.
    pub address: String,
    /// What it speaks: `NetFlow v9`.
    pub formats: Vec<&'static str>,
    /// Records of flows.
    pub records: u64,
    /// Of how many packets one was counted, as the last record has it.
    pub sampling: u32,
    /// Who says so: header, record, options, setting, assumed.
    pub sampling_from: &'static str,
    /// By how many seconds its clock was ahead of that of who received it, at the last datagram.
    pub clock_ahead_s: Option<f64>,
    /// Records and datagrams that did not arrive, by their numbers.
    pub missed: u64,
    /// Sets of data without a template, still waiting or given up.
    pub without_template: u64,
    /// What could not be read of it: kind of damage, how often.
    pub damaged: Vec<(&'static str, u64)>,
}

/// A file that was read.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct InputLine {
    /// As it was named.
    pub path: String,
    /// Packets or datagrams in it.
    pub packets: u64,
    /// Of them those that told something.
    pub used: u64,
    /// Of them those that could not be read.
    pub unread: u64,
    /// Why not all of it was read.
    pub damage: Option<String>,
}
