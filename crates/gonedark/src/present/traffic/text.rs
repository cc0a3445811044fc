//! Attacks for people at a terminal.

use super::super::times;
use super::super::words::{counted, listed};
use super::{ExporterLine, InputLine, NO_ACTOR, TrafficCase, bits, means, packets};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Interval;
use gonedark_infer::traffic::report::{AlertType, Attack, DeafReason, Estimate, Target, Vector};
use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// Attacks that are listed; the rest is counted. Guess: a screen or two.
const LISTED: usize = 60;
/// Of them those that are told in full, the largest. Guess.
const TOLD: usize = 3;

/// The whole report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    writeln!(out, "{}", sentence(case))?;
    let whole: Vec<&Attack> = case.report.attacks.iter().filter(|attack| attack.part_of.is_none()).collect();
    let mut largest = whole.clone();
    largest.sort_by_key(|attack| (Reverse(attack.impact.packets), attack.start.latest, attack.target));
    if whole.len() > 1 {
        let listed: BTreeSet<&str> = largest.iter().take(LISTED).map(|attack| &attack.id[..]).collect();
        list(out, whole.iter().copied().filter(|attack| listed.contains(&attack.id[..])))?;
        if let Some(more) = whole.len().checked_sub(LISTED).filter(|more| *more > 0) {
            let more = counted(more as u64, "smaller attack", "smaller attacks");
            writeln!(out, "and {more} (--format json tells all)")?;
        }
    }
    for attack in largest.iter().take(TOLD) {
        writeln!(out)?;
        one(out, case, attack)?;
    }
    exporters(out, case)?;
    unseen(out, case)?;
    writeln!(out, "\n{NO_ACTOR}")
}

/// A line for each, in the order in which they began.
fn list<'a>(out: &mut dyn Write, attacks: impl Iterator<Item = &'a Attack>) -> io::Result<()> {
    let row = |attack: &Attack| {
        let lasted = attack.stop.map_or("goes on".to_owned(), |stop| {
            times::duration(times::seconds_between(attack.start.latest, stop.latest))
        });
        let (peak, vector) = (attack.impact.peak, attack.vectors.first());
        let more = attack.vectors.len().saturating_sub(1);
        let by = vector.map_or("?".to_owned(), |vector| means::vector(vector.kind));
        [
            times::stamp(attack.start.latest),
            lasted,
            attack.target.to_string(),
            packets(peak.pps),
            bits(peak.bps),
            if more == 0 { by } else { format!("{by} and {more} more") },
        ]
    };
    let heads = ["FROM (UTC)", "LASTED", "TARGET", "PEAK", "", "BY"].map(str::to_owned);
    let rows: Vec<[String; 6]> = std::iter::once(heads).chain(attacks.map(row)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = [0, 1, 2, 3, 4].map(width);
    writeln!(out)?;
    for [from, lasted, target, pps, bps, by] in &rows {
        let [w0, w1, w2, w3, w4] = widths;
        writeln!(out, "{from:w0$}  {lasted:>w1$}  {target:w2$}  {pps:>w3$}  {bps:>w4$}  {by}")?;
    }
    Ok(())
}

/// One plain sentence.
pub fn sentence(case: &TrafficCase<'_>) -> String {
    let Some((from, until)) = case.report.window else {
        return "No flow was told of: nothing can be said of attacks.".into();
    };
    let whole = || case.report.attacks.iter().filter(|attack| attack.part_of.is_none());
    let Some(worst) = whole().max_by_key(|attack| (attack.impact.peak.pps, Reverse(&attack.id))) else {
        let flows = counted(case.report.records, "flow", "flows");
        let (from, until) = (times::long_stamp(from), times::long_stamp(until));
        return format!("No attack was seen among {flows} between {from} and {until} UTC.");
    };
    let which = match whole().count() {
        1 => String::new(),
        count => format!("; it is the largest of {count} attacks"),
    };
    let begin = times::long_stamp(worst.start.latest);
    let end = match worst.stop {
        Some(stop) if times::day(stop.latest) == times::day(worst.start.latest) => {
            format!("until {} UTC", times::clock_with_seconds(stop.latest))
        }
        Some(stop) => format!("until {} UTC", times::long_stamp(stop.latest)),
        None => "UTC on, and still was when the recording ended".into(),
    };
    format!(
        "{} was under a denial of service from {begin} {end}, with up to {} and {}, {}{which}.",
        whom(case, worst),
        packets(worst.impact.peak.pps),
        bits(worst.impact.peak.bps),
        by(&worst.vectors),
    )
}

fn whom(case: &TrafficCase<'_>, attack: &Attack) -> String {
    let place = attack.entities.iter().find_map(|entity| match entity {
        Entity::Country(_) => case.gazetteer.name(entity),
        _ => None,
    });
    let what = match (attack.target, attack.alert_type) {
        (Target::Entity(entity), _) => return case.gazetteer.name(&entity).unwrap_or_else(|| entity.code()),
        (Target::Block(block), _) => format!("The network {block}"),
        (Target::Host(address), _) => address.to_string(),
    };
    place.map_or(what.clone(), |place| format!("{what} in {place}"))
}

/// `by NTP amplification (UDP source port 123) (81 %) and ...`.
fn by(vectors: &[Vector]) -> String {
    if vectors.is_empty() {
        return "by means that were not told apart".into();
    }
    let one = |vector: &Vector| format!("{} ({} %)", means::vector(vector.kind), (vector.permille + 5) / 10);
    format!("by {}", listed(&vectors.iter().map(one).collect::<Vec<_>>()))
}

/// A moment, or between which two.
pub(in crate::present) fn moment(when: Interval) -> String {
    if times::seconds_between(when.earliest, when.latest) <= 1 {
        // A stamp of whole seconds names the second.
        return times::stamp(when.latest);
    }
    format!("between {} and {}", times::stamp(when.earliest), times::stamp(when.latest))
}

/// `1 source`, `about 1,024 sources`.
fn number(number: &Estimate, what: &str) -> String {
    format!("{} {what}{}", about(number), if number.value == 1 { "" } else { "s" })
}

/// `1`, `about 1,024`.
pub(in crate::present) fn about(number: &Estimate) -> String {
    let text = times::grouped(number.value);
    if number.error_permille == 0 { text } else { format!("about {text}") }
}

fn one(out: &mut dyn Write, case: &TrafficCase<'_>, attack: &Attack) -> io::Result<()> {
    let kind = match attack.alert_type {
        AlertType::Host => "one address",
        AlertType::CarpetBombing => "many addresses of one aggregate",
        AlertType::Deviation => "more than is usual at this time of day",
    };
    let entities: Vec<String> = attack.entities.iter().map(Entity::code).collect();
    let of = if entities.is_empty() { String::new() } else { format!(" ({})", entities.join(", ")) };
    writeln!(out, "{}{of}: {kind}", whom(case, attack))?;
    let end = attack.stop.map_or("goes on".to_owned(), |stop| format!("until {}", moment(stop)));
    writeln!(out, "  from {} {end}; alarm at {}", moment(attack.start), times::stamp(attack.detected))?;
    let (peak, mean) = (attack.impact.peak, attack.impact.mean);
    writeln!(
        out,
        "  peak {} and {}, mean {} and {}; {} and {} bytes in all",
        packets(peak.pps),
        bits(peak.bps),
        packets(mean.pps),
        bits(mean.bps),
        counted(attack.impact.packets, "packet", "packets"),
        times::grouped(attack.impact.bytes),
    )?;
    let severity = attack.severity;
    writeln!(
        out,
        "  {} % of the threshold of {} {} for {}",
        times::grouped(severity.percent),
        times::grouped(severity.threshold),
        severity.unit.name(),
        means::misuse(severity.misuse)
    )?;
    for vector in &attack.vectors {
        let share = format!("{}.{} %", vector.permille / 10, vector.permille % 10);
        writeln!(out, "  {share:>7}  {}", means::vector(vector.kind))?;
    }
    let (sources, targets) = (number(&attack.sources, "source"), number(&attack.targets, "target"));
    let ports = match &attack.top_ports[..] {
        [] => String::new(),
        [(one, _)] => format!(", to port {one}"),
        several => {
            let ports: Vec<String> = several.iter().map(|(port, _)| port.to_string()).collect();
            format!(", most of it to ports {}", listed(&ports))
        }
    };
    writeln!(out, "  {sources}, {targets}{ports}")?;
    let (least, most) = attack.coverage.sampling;
    let sampling = match (least, most) {
        (0 | 1, 0 | 1) => "every packet counted".to_owned(),
        (one, other) if one == other => format!("one packet in {one} counted"),
        (one, other) => format!("one packet in {one} to {other} counted"),
    };
    let seen = attack.coverage.exporters.len() as u64;
    let lost = attack.coverage.lost;
    let lost = if lost == 0 { String::new() } else { format!(", {} lost on the way", times::grouped(lost)) };
    writeln!(out, "  seen by {}: {sampling}{lost}", counted(seen, "exporter", "exporters"))
}

fn exporters(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    if case.exporters.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nWho told it")?;
    for exporter in case.exporters {
        let formats = exporter.formats.join(" and ");
        write!(out, "  {}: {formats}, {}", exporter.address, counted(exporter.records, "record", "records"))?;
        write!(out, ", {}", sampling(exporter))?;
        for limit in limits(exporter) {
            write!(out, ", {limit}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// `one packet in 1000 (from: options)`.
pub(in crate::present) fn sampling(exporter: &ExporterLine) -> String {
    format!("one packet in {} (from: {})", exporter.sampling.max(1), exporter.sampling_from)
}

/// What of an exporter was lost or could not be read, and how wrong its clock is.
pub(in crate::present) fn limits(exporter: &ExporterLine) -> Vec<String> {
    let clock = exporter.clock_ahead_s.filter(|ahead| ahead.abs() >= 1.0).map(|ahead| {
        let way = if ahead > 0.0 { "ahead" } else { "behind" };
        format!("its clock {:.0} s {way}", ahead.abs())
    });
    let counts = [(exporter.missed, "missed"), (exporter.without_template, "sets without a template")];
    let counts = counts.into_iter().filter(|(count, _)| *count > 0);
    let counts = counts.map(|(count, what)| format!("{} {what}", times::grouped(count)));
    let damaged = exporter.damaged.iter();
    let damaged = damaged.map(|(kind, count)| format!("{} damaged ({kind})", times::grouped(*count)));
    clock.into_iter().chain(counts).chain(damaged).collect()
}

/// Why an exporter could not be heard.
pub(in crate::present) const fn why(reason: DeafReason) -> &'static str {
    match reason {
        DeafReason::Lost => "lost on the way",
        DeafReason::Silent => "silent",
        DeafReason::NotRunning => "nobody listened",
    }
}

/// What of a file was not read.
pub(in crate::present) fn unread(input: &InputLine) -> Vec<String> {
    let packets = (input.unread > 0)
        .then(|| format!("{} could not be read", counted(input.unread, "packet", "packets")));
    packets.into_iter().chain(input.damage.clone()).collect()
}

fn unseen(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    let damaged = case.inputs.iter().filter(|input| input.damage.is_some() || input.unread > 0);
    let damaged: Vec<_> = damaged.collect();
    let report = case.report;
    let without_room: u64 = report.without_room.iter().sum();
    if damaged.is_empty() && report.deaf.is_empty() && without_room == 0 {
        return Ok(());
    }
    writeln!(out, "\nWhat was not seen")?;
    for input in damaged {
        writeln!(out, "  {}: {}", input.path, unread(input).join(" "))?;
    }
    for deaf in &report.deaf {
        let who = case.exporters.get(usize::from(deaf.exporter)).map_or("?", |known| &known.address);
        writeln!(out, "  {who} from {} until {}: {}", deaf.from, deaf.until, why(deaf.reason))?;
    }
    if without_room > 0 {
        writeln!(out, "  {} too light to be kept", counted(without_room, "record", "records"))?;
    }
    Ok(())
}
