//! Incidents as CSV (RFC 4180, lines end in a line feed): one line each, the same values as in JSON.

use super::json::lifecycle;
use super::{Case, course::Course};
use crate::rows::{self, Column, Field};
use gonedark_infer::report::Incident;
use gonedark_route::{Asn, Family};
use std::io::{self, Write};

/// The columns, in order. A value that is not there is empty.
pub const COLUMNS: [&str; 32] = [
    "id",
    "kind",
    "code",
    "name",
    "lifecycle",
    "level",
    "begin",
    "onset_earliest",
    "onset_latest",
    "onset_vote",
    "recovery_earliest",
    "recovery_latest",
    "recovery_vote",
    "duration_min_s",
    "duration_max_s",
    "flaps",
    "ipv4_level",
    "ipv4_networks_before",
    "ipv4_networks_lost",
    "ipv4_addresses_before",
    "ipv4_addresses_lost",
    "ipv4_split",
    "ipv6_level",
    "ipv6_networks_before",
    "ipv6_networks_lost",
    "ipv6_addresses_before",
    "ipv6_addresses_lost",
    "ipv6_split",
    "witnesses",
    "agreeing",
    "stuck",
    "phases",
];

/// A heading line, then one line for each incident.
pub fn write(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for incident in &case.report.incidents {
        write_row(out, &row(case, incident))?;
    }
    Ok(())
}

/// The heading line of rows.
pub(crate) fn write_heading(out: &mut dyn Write, columns: &[Column]) -> io::Result<()> {
    writeln!(out, "{}", rows::heading(columns))
}

/// A line of fields; those that are not there are empty.
pub(crate) fn write_fields(out: &mut dyn Write, fields: &[Field]) -> io::Result<()> {
    let word = |field: &Field| match field {
        Field::Null => String::new(),
        Field::Number(number) => number.to_string(),
        Field::Text(text) => text.clone(),
        Field::Moment(time) => time.to_string(),
        Field::Truth(truth) => truth.to_string(),
    };
    write_row(out, &fields.iter().map(word).collect::<Vec<_>>())
}

/// One line; fields with a comma, a quote or a line's end are quoted.
pub(crate) fn write_row(out: &mut dyn Write, fields: &[String]) -> io::Result<()> {
    for (place, field) in fields.iter().enumerate() {
        let comma = if place == 0 { "" } else { "," };
        if field.contains([',', '"', '\n', '\r']) {
            write!(out, "{comma}\"{}\"", field.replace('"', "\"\""))?;
        } else {
            write!(out, "{comma}{field}")?;
        }
    }
    writeln!(out)
}

fn row(case: &Case<'_>, incident: &Incident) -> Vec<String> {
    let time = |time: Option<gonedark_route::Time>| time.map(|time| time.to_string()).unwrap_or_default();
    let recovery = incident.recovery;
    let duration =
        incident.duration_s.map(|(min, max)| (min.to_string(), max.to_string())).unwrap_or_default();
    let mut fields = vec![
        incident.id.clone(),
        incident.entity.kind().to_owned(),
        incident.entity.code(),
        case.gazetteer.name(&incident.entity).unwrap_or_default(),
        lifecycle(incident).to_owned(),
        incident.level.name().to_owned(),
        incident.begin().to_string(),
        incident.onset.earliest.to_string(),
        incident.onset.latest.to_string(),
        incident.onset.vote.to_string(),
        time(recovery.map(|turn| turn.earliest)),
        time(recovery.map(|turn| turn.latest)),
        time(recovery.map(|turn| turn.vote)),
        duration.0,
        duration.1,
        incident.falls().to_string(),
    ];
    for family in Family::ALL {
        fields.extend(family_fields(incident, family));
    }
    fields.push(incident.witnesses.asns.to_string());
    fields.push(incident.witnesses.agreeing.to_string());
    fields.push(joined(&incident.witnesses.stuck));
    let phases = incident.phases.iter().map(|phase| format!("{}@{}", phase.state.name(), phase.from));
    fields.push(phases.collect::<Vec<_>>().join(" "));
    fields
}

fn family_fields(incident: &Incident, family: Family) -> [String; 6] {
    match &incident.families[family as usize] {
        None => Default::default(),
        Some(loss) => [
            loss.level.name().to_owned(),
            loss.networks.before.to_string(),
            loss.networks.lost.to_string(),
            loss.addresses.before.to_string(),
            loss.addresses.lost.to_string(),
            loss.split.to_string(),
        ],
    }
}

fn joined(asns: &[Asn]) -> String {
    asns.iter().map(|asn| asn.0.to_string()).collect::<Vec<_>>().join(" ")
}
