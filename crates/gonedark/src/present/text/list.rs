//! The ranked list of incidents and the state of the entities asked for.

use super::layout::{Column, Side, Table, heading};
use super::{Case, Style};
use crate::present::course::Course;
use crate::present::times::{self, grouped, stamp};
use crate::present::words;
use gonedark_infer::report::Incident;
use gonedark_route::Family;
use std::io::{self, Write};

/// Rows of the table of entities: a screen.
const ENTITIES: usize = 30;

/// The worst first; what does not fit is counted.
pub(super) fn ranked(
    out: &mut dyn Write,
    case: &Case<'_>,
    incidents: &[&Incident],
    rows: usize,
    style: Style,
) -> io::Result<()> {
    heading(out, &format!("{} incidents, the worst first", incidents.len()), style)?;
    let mut table = Table::new(&[
        Column("level", Side::Left),
        Column("where", Side::Left),
        Column("since (UTC)", Side::Left),
        Column("lasted", Side::Right),
        Column("falls", Side::Right),
        Column("networks", Side::Right),
        Column("agree", Side::Right),
    ]);
    for incident in incidents.iter().take(rows) {
        table.row(Some(words::state(incident)), cells(case, incident));
    }
    table.write(out, style)?;
    if incidents.len() > rows {
        writeln!(out, "  and {} more (--report, --format csv)", incidents.len() - rows)?;
    }
    writeln!(out)
}

fn cells(case: &Case<'_>, incident: &Incident) -> Vec<String> {
    let networks: Vec<String> = words::families(incident)
        .filter(|(_, loss)| loss.networks.lost > 0)
        .map(|(family, loss)| {
            let six = if family == Family::V6 { " v6" } else { "" };
            format!("{}/{}{six}", grouped(loss.networks.lost), grouped(loss.networks.before))
        })
        .collect();
    let falls = incident.falls();
    let since = if incident.is_unstable_only() { incident.begin() } else { incident.onset.earliest };
    vec![
        format!("{} {}", words::sign(words::state(incident)), words::level(incident)),
        case.capital_name(&incident.entity),
        stamp(since),
        words::lasted(case, incident),
        if falls > 0 { grouped(falls) } else { String::new() },
        networks.join(" "),
        format!("{}/{}", incident.witnesses.agreeing, incident.witnesses.asns),
    ]
}

/// How those asked for stand at the end of the window.
pub(super) fn entities(out: &mut dyn Write, case: &Case<'_>, style: Style) -> io::Result<()> {
    if case.report.entities.is_empty() {
        return Ok(());
    }
    let end = case.report.window.1;
    let title = format!("At the end, {} {} UTC", times::day(end).long(), times::clock(end));
    heading(out, &title, style)?;
    let mut table = Table::new(&[
        Column("where", Side::Left),
        Column("state", Side::Left),
        Column("IPv4 up", Side::Right),
        Column("IPv6 up", Side::Right),
        Column("origin", Side::Left),
        Column("upstream", Side::Left),
    ]);
    for status in case.report.entities.iter().take(ENTITIES) {
        let up = |family: Family| words::up(status, family);
        table.row(
            None,
            vec![
                case.capital_name(&status.entity),
                words::entity_state(status.state).to_owned(),
                up(Family::V4),
                up(Family::V6),
                words::few_asns(&status.origin_asns, 3),
                words::few_asns(&status.upstreams, 3),
            ],
        );
    }
    table.write(out, style)?;
    if case.report.entities.len() > ENTITIES {
        writeln!(out, "  and {} more (--report, --format json)", case.report.entities.len() - ENTITIES)?;
    }
    writeln!(out)
}
