//! One incident's course: phases, falls over time, networks, witnesses.

use super::layout::{Column, Side, Table, heading, wrapped};
use super::{Case, Style};
use crate::present::flapping;
use crate::present::times::{self, seconds_between, stamp};
use crate::present::words::{self, counted};
use gonedark_infer::report::{Incident, Interval, Phase};
use std::io::{self, Write};

/// Bars of the histogram: few enough for a screen, enough to show a course (a guess).
const BARS: usize = 8;
/// Networks and phases listed, each.
const ROWS: usize = 8;

/// Everything on the worst incident; `named` where there are others.
pub(super) fn write(
    out: &mut dyn Write,
    case: &Case<'_>,
    incident: &Incident,
    named: bool,
    style: Style,
) -> io::Result<()> {
    write_phases(out, case, incident, named, style)?;
    falls(out, case, incident, style)?;
    networks(out, incident, style)?;
    witnesses(out, incident, style)
}

/// Only how one of the others went: its sentence has told the rest.
pub(super) fn write_phases(
    out: &mut dyn Write,
    case: &Case<'_>,
    incident: &Incident,
    named: bool,
    style: Style,
) -> io::Result<()> {
    let name = if named { format!("{}: ", case.capital_name(&incident.entity)) } else { String::new() };
    heading(out, &words::capital(&format!("{name}course ({})", incident.id)), style)?;
    phases(out, case, incident, style)
}

fn phases(out: &mut dyn Write, case: &Case<'_>, incident: &Incident, style: Style) -> io::Result<()> {
    let mut table = Table::new(&[
        Column("phase", Side::Left),
        Column("from (UTC)", Side::Left),
        Column("until (UTC)", Side::Left),
        Column("local", Side::Left),
        Column("lasted", Side::Right),
        Column("falls", Side::Right),
    ]);
    if let Some(local) = case.gazetteer.local(&incident.entity, incident.onset.vote) {
        table.rename(3, format!("from ({})", local.place));
    }
    for phase in incident.phases.iter().take(ROWS) {
        table.row(Some(phase.state), phase_cells(case, incident, phase));
    }
    table.write(out, style)?;
    more(out, incident.phases.len(), ROWS, "phases")?;
    if let Some(range) = incident.duration_s {
        let text = format!("The worst of it lasted {}.", times::duration_range(range));
        wrapped(out, &text, style.columns(), "  ", "  ")?;
    }
    writeln!(out)
}

fn phase_cells(case: &Case<'_>, incident: &Incident, phase: &Phase) -> Vec<String> {
    let end = phase.until.unwrap_or(case.report.window.1);
    let local = case.gazetteer.local(&incident.entity, phase.from);
    vec![
        format!("{} {}", words::sign(phase.state), phase.state.name()),
        stamp(phase.from),
        phase.until.map_or_else(|| "lasts".to_owned(), stamp),
        local.map(|local| stamp(times::shifted(phase.from, local.offset_s))).unwrap_or_default(),
        times::duration(seconds_between(phase.from, end)),
        if phase.flaps > 0 { phase.flaps.to_string() } else { String::new() },
    ]
}

/// The histogram that shows whether it grew worse: bars by the rate, so that a shorter last step does not look calm.
fn falls(out: &mut dyn Write, case: &Case<'_>, incident: &Incident, style: Style) -> io::Result<()> {
    let buckets = flapping::buckets(incident, case.report.window.1, BARS);
    if buckets.iter().all(|bucket| bucket.falls == 0) {
        return Ok(());
    }
    // What stands beside a bar takes at most 58 columns.
    let widest = style.columns().saturating_sub(58).clamp(2, 24) as f64;
    let most = buckets.iter().filter_map(flapping::Bucket::rate).fold(0.0, f64::max);
    heading(out, &format!("Falls in steps of {}", flapping::step_words(&buckets)), style)?;
    for bucket in &buckets {
        let Some(rate) = bucket.rate() else {
            writeln!(out, "  {}  ? could not be seen", stamp(bucket.from))?;
            continue;
        };
        let length = if most > 0.0 { (rate / most * widest).round() as usize } else { 0 };
        let bar = "█".repeat(if bucket.falls > 0 { length.max(1) } else { 0 });
        let lost = match bucket.lost_s {
            0 => String::new(),
            seconds => format!(", lost for {}", times::duration(seconds)),
        };
        writeln!(
            out,
            "  {:<12}  {bar}{}{}, {rate:.1} an hour{lost}",
            stamp(bucket.from),
            if bar.is_empty() { "" } else { " " },
            counted(u64::from(bucket.falls), "fall", "falls"),
        )?;
    }
    if let Some(trend) = flapping::trend(incident, case.report.window.1) {
        wrapped(out, &format!("{}.", words::capital(&trend)), style.columns(), "  ", "  ")?;
    }
    writeln!(out)
}

fn networks(out: &mut dyn Write, incident: &Incident, style: Style) -> io::Result<()> {
    if incident.networks.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        Column("network", Side::Left),
        Column("lost (UTC)", Side::Left),
        Column("back (UTC)", Side::Left),
        Column("origin", Side::Left),
        Column("upstream", Side::Left),
    ]);
    for network in incident.networks.iter().take(ROWS) {
        table.row(
            None,
            vec![
                network.prefix.to_string(),
                span(network.lost),
                network.back.map_or_else(|| "still lost".to_owned(), span),
                words::asns(&network.origin_asns),
                words::asns(&network.upstreams),
            ],
        );
    }
    table.write(out, style)?;
    more(out, incident.networks.len(), ROWS, "networks (--report, --format json)")?;
    for network in incident.networks.iter().filter(|network| !network.foreign_origins.is_empty()).take(ROWS) {
        let text = format!(
            "{} was announced meanwhile by {}, which is no return.",
            network.prefix,
            words::asns(&network.foreign_origins)
        );
        wrapped(out, &text, style.columns(), "  ", "    ")?;
    }
    writeln!(out)
}

/// `22 Dec 16:07:12 - 16:15:40`.
fn span(interval: Interval) -> String {
    let (first, last) = (interval.earliest, interval.latest);
    if first == last {
        stamp(first)
    } else if times::day(first) == times::day(last) {
        format!(
            "{} {} - {}",
            times::day(first).short(),
            times::clock_with_seconds(first),
            times::clock_with_seconds(last)
        )
    } else {
        format!("{} - {}", stamp(first), stamp(last))
    }
}

fn witnesses(out: &mut dyn Write, incident: &Incident, style: Style) -> io::Result<()> {
    let seen = &incident.witnesses;
    let mut text = format!(
        "Witnesses: {} of {} agree",
        seen.agreeing,
        counted(u64::from(seen.asns), "full-feed network", "full-feed networks")
    );
    if !seen.agreeing_asns.is_empty() {
        text.push_str(&format!(" ({})", shortened(&seen.agreeing_asns)));
    }
    text.push('.');
    if !seen.stuck.is_empty() {
        text.push_str(&format!(" {} held a route to the end (stuck routes).", words::asns(&seen.stuck)));
    }
    wrapped(out, &text, style.columns(), "  ", "  ")?;
    writeln!(out)
}

fn shortened(asns: &[gonedark_route::Asn]) -> String {
    const SHOWN: usize = 12;
    match asns.len() {
        ..=SHOWN => words::asns(asns),
        many => format!("{} and {} more", words::asns(&asns[..SHOWN]), many - SHOWN),
    }
}

fn more(out: &mut dyn Write, all: usize, shown: usize, what: &str) -> io::Result<()> {
    if all > shown { writeln!(out, "  and {} more {what}", all - shown) } else { Ok(()) }
}
