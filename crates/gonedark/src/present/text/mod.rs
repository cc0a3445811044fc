//! The report on a terminal: the sentences, then what they rest on.
//!
//! Colour is for a terminal only and never the only sign of a state; every state has its word and its own sign.

mod course;
mod layout;
mod list;

use super::blindness;
use super::evidence;
use super::sentence::headlines;
use super::times::grouped;
use super::words::{self, counted};
use super::{Case, Input};
use gonedark_infer::report::Incident;
use layout::wrapped;
use std::io::{self, Write};

/// How the terminal is.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns; text is wrapped to it. Held between 60 and 120.
    pub width: usize,
    /// Whether escape sequences for colour may be written.
    pub colour: bool,
}

impl Style {
    fn columns(self) -> usize {
        self.width.clamp(60, 120)
    }
}

/// With more incidents than this a ranked table comes before all else but the first sentence: so many sentences still
/// fit on a screen (a guess).
const SENTENCES: usize = 4;
/// Rows of the ranked table.
const RANKED_ROWS: usize = 30;
/// Lines on what could not be seen, on damaged inputs and on notes, each.
const LINES: usize = 5;

/// Writes the whole report.
pub fn write(out: &mut dyn Write, case: &Case<'_>, style: Style) -> io::Result<()> {
    let width = style.columns();
    if let Some(line) = &case.run.reconstruction {
        wrapped(out, &layout::bold(&format!("NOTE: {line}"), style), width, "", "")?;
        writeln!(out)?;
    }
    let ranked = case.ranked();
    let many = ranked.len() > SENTENCES;
    for line in headlines(case, if many { 1 } else { SENTENCES }) {
        wrapped(out, &layout::bold(&format!("{line}."), style), width, "", "")?;
        writeln!(out)?;
    }
    if many {
        list::ranked(out, case, &ranked, RANKED_ROWS, style)?;
    }
    let detailed = if many { 1 } else { ranked.len() };
    for (place, incident) in ranked.iter().take(detailed).enumerate() {
        let form = if place == 0 { course::write } else { course::write_phases };
        form(out, case, incident, ranked.len() > 1, style)?;
    }
    attacks(out, case, ranked.first().copied(), style)?;
    list::entities(out, case, style)?;
    blind(out, case, style)?;
    inputs(out, case, style)?;
    notes(out, case, &ranked[..detailed], style)?;
    wrapped(out, words::NO_CAUSE, width, "", "")
}

/// What flows tell of attacks beside the incident that is told in full.
fn attacks(
    out: &mut dyn Write,
    case: &Case<'_>,
    incident: Option<&Incident>,
    style: Style,
) -> io::Result<()> {
    let sentences =
        incident.map(|incident| evidence::sentences(case, incident, &evidence::of(case))).unwrap_or_default();
    if sentences.is_empty() {
        return Ok(());
    }
    let first = incident.map(|incident| incident.id.as_str()).unwrap_or_default();
    layout::heading(out, &format!("Attacks beside {first}"), style)?;
    for sentence in &sentences {
        wrapped(out, sentence, style.columns(), "  ", "  ")?;
    }
    writeln!(out)
}

fn blind(out: &mut dyn Write, case: &Case<'_>, style: Style) -> io::Result<()> {
    let coverage = &case.report.coverage;
    let [ipv4, ipv6] = coverage.full_feed_asns;
    let watched = format!(
        "{} watched; full-feed networks at the end: {ipv4} for IPv4, {ipv6} for IPv6.",
        counted(coverage.collectors.len() as u64, "collector", "collectors")
    );
    layout::heading(out, "Who could see", style)?;
    wrapped(out, &watched, style.columns(), "  ", "  ")?;
    let summary = blindness::summary(&blindness::within(&coverage.blind, case.report.window));
    if summary.is_empty() {
        writeln!(out, "  Nobody was blind.")?;
    }
    for line in summary.iter().take(LINES) {
        wrapped(out, &format!("? {}", line.line()), style.columns(), "  ", "    ")?;
    }
    if summary.len() > LINES {
        writeln!(out, "  and {} more kinds of blindness (--report, --format json)", summary.len() - LINES)?;
    }
    writeln!(out)
}

fn inputs(out: &mut dyn Write, case: &Case<'_>, style: Style) -> io::Result<()> {
    let inputs = case.run.sorted_inputs();
    let sum = |of: fn(&Input) -> u64| inputs.iter().map(|input| of(input)).sum::<u64>();
    let damaged: Vec<&&Input> =
        inputs.iter().filter(|input| input.skipped > 0 || !input.damage.is_empty()).collect();
    layout::heading(out, "Inputs", style)?;
    let summary = format!(
        "{} with {}, {} passed over; {} damaged.",
        counted(inputs.len() as u64, "file", "files"),
        counted(sum(|input| input.records), "record", "records"),
        grouped(sum(|input| input.skipped)),
        if damaged.is_empty() { "none".to_owned() } else { damaged.len().to_string() },
    );
    wrapped(out, &summary, style.columns(), "  ", "  ")?;
    for input in damaged.iter().take(LINES) {
        let damage: Vec<String> = input.damage.iter().map(words::damage).collect();
        let what = match &damage[..] {
            [] => format!("{} passed over", counted(input.skipped, "record", "records")),
            _ => damage.join("; "),
        };
        wrapped(out, &format!("! {}: {what}", input.path), style.columns(), "  ", "    ")?;
    }
    if damaged.len() > LINES {
        writeln!(out, "  and {} more damaged files (--report, --format json)", damaged.len() - LINES)?;
    }
    writeln!(out)
}

fn notes(
    out: &mut dyn Write,
    case: &Case<'_>,
    detailed: &[&gonedark_infer::report::Incident],
    style: Style,
) -> io::Result<()> {
    let mut all = case.report.notes.clone();
    all.extend(detailed.iter().flat_map(|incident| incident.notes.iter().cloned()));
    all.sort();
    all.dedup();
    let limits: Vec<String> = all.iter().map(words::note).chain(case.old_tables()).collect();
    if limits.is_empty() {
        return Ok(());
    }
    layout::heading(out, "What limits this", style)?;
    for limit in limits.iter().take(LINES) {
        wrapped(out, &format!("- {limit}"), style.columns(), "  ", "    ")?;
    }
    if limits.len() > LINES {
        writeln!(out, "  and {} more (--report)", limits.len() - LINES)?;
    }
    writeln!(out)
}
