//! Attacks for people at a terminal.

use super::super::times;
use super::super::words::counted;
use super::{NO_ACTOR, TrafficCase, bits, packets};
use gonedark_infer::entity::Entity;
use gonedark_infer::report::Interval;
use gonedark_infer::traffic::report::{AlertType, Attack, DeafReason, Estimate, Target, Vector};
use std::io::{self, Write};

/// Attacks that are told in full; the rest is counted. Guess: a screen or two.
const TOLD: usize = 20;

/// The whole report.
///
/// # Errors
/// Those of the writer.
pub fn write(out: &mut dyn Write, case: &TrafficCase<'_>) -> io::Result<()> {
    writeln!(out, "{}", sentence(case))?;
    let whole = case.report.attacks.iter().filter(|attack| attack.part_of.is_none());
    let mut attacks: Vec<&Attack> = whole.collect();
    attacks
        .sort_by_key(|attack| (std::cmp::Reverse(attack.impact.packets), attack.start.latest, attack.target));
    for attack in attacks.iter().take(TOLD) {
        writeln!(out)?;
        one(out, case, attack)?;
    }
    if let Some(more) = attacks.len().checked_sub(TOLD).filter(|more| *more > 0) {
        writeln!(
            out,
            "\nand {} (--format json tells all)",
            counted(more as u64, "smaller attack", "smaller attacks")
        )?;
    }
    exporters(out, case)?;
    unseen(out, case)?;
    writeln!(out, "\n{NO_ACTOR}")
}

/// One plain sentence.
pub fn sentence(case: &TrafficCase<'_>) -> String {
    let Some((from, until)) = case.report.window else {
        return "No flow was told of: nothing can be said of attacks.".into();
    };
    let whole = || case.report.attacks.iter().filter(|attack| attack.part_of.is_none());
    let Some(worst) = whole().max_by_key(|attack| (attack.impact.peak.pps, std::cmp::Reverse(&attack.id)))
    else {
        return format!(
            "No attack was seen among {} between {from} and {until}.",
            counted(case.report.records, "flow", "flows")
        );
    };
    let count = whole().count() as u64;
    let which = match count {
        1 => String::new(),
        _ => format!(" (the largest of {count} attacks)"),
    };
    let end = match worst.stop {
        Some(stop) => format!("until {}", moment(stop)),
        None => format!("and went on at {until}"),
    };
    format!(
        "{} was under a denial of service from {} {end}{which}: up to {} and {}, {}.",
        whom(case, worst),
        moment(worst.start),
        packets(worst.impact.peak.pps),
        bits(worst.impact.peak.bps),
        means(&worst.vectors),
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

/// `NTP amplification (udp source port 123) 81 %, ...`.
fn means(vectors: &[Vector]) -> String {
    if vectors.is_empty() {
        return "by means that were not told apart".into();
    }
    let one = |vector: &Vector| format!("{} {} %", vector.kind, vector.permille.div_ceil(10).min(100));
    format!("by {}", vectors.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// A moment, or between which two.
fn moment(when: Interval) -> String {
    if when.earliest == when.latest {
        return when.latest.to_string();
    }
    format!("between {} and {}", when.earliest, when.latest)
}

fn estimate(number: &Estimate) -> String {
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
    writeln!(out, "  from {} {end}; alarm at {}", moment(attack.start), attack.detected)?;
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
        severity.misuse.name()
    )?;
    for vector in &attack.vectors {
        let share = format!("{}.{} %", vector.permille / 10, vector.permille % 10);
        writeln!(out, "  {share:>7}  {}", vector.kind)?;
    }
    writeln!(out, "  {} sources, {} targets", estimate(&attack.sources), estimate(&attack.targets))?;
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
        write!(out, ", one packet in {} (from: {})", exporter.sampling.max(1), exporter.sampling_from)?;
        if let Some(ahead) = exporter.clock_ahead_s.filter(|ahead| ahead.abs() >= 1.0) {
            let way = if ahead > 0.0 { "ahead" } else { "behind" };
            write!(out, ", its clock {:.0} s {way}", ahead.abs())?;
        }
        for (count, what) in
            [(exporter.missed, "missed"), (exporter.without_template, "sets without a template")]
        {
            if count > 0 {
                write!(out, ", {} {what}", times::grouped(count))?;
            }
        }
        for (kind, count) in &exporter.damaged {
            write!(out, ", {} damaged ({kind})", times::grouped(*count))?;
        }
        writeln!(out)?;
    }
    Ok(())
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
        let unread = match input.unread {
            0 => String::new(),
            count => format!(" {} could not be read", counted(count, "packet", "packets")),
        };
        let damage = input.damage.as_deref().map(|why| format!(" {why}")).unwrap_or_default();
        writeln!(out, "  {}:{unread}{damage}", input.path)?;
    }
    for deaf in &report.deaf {
        let who = case.exporters.get(usize::from(deaf.exporter)).map_or("?", |known| &known.address);
        let why = match deaf.reason {
            DeafReason::Lost => "lost on the way",
            DeafReason::Silent => "silent",
        };
        writeln!(out, "  {who} from {} until {}: {why}", deaf.from, deaf.until)?;
    }
    if without_room > 0 {
        writeln!(out, "  {} too light to be kept", counted(without_room, "record", "records"))?;
    }
    Ok(())
}
