//! Attacks on the page: those beside an incident, those beside none, and who told of them.

use crate::present::evidence::{self, Beside};
use crate::present::times::{self, grouped};
use crate::present::traffic::text::{about, limits, moment, sampling, sentence, unread, why};
use crate::present::traffic::{NO_ACTOR, TrafficCase, bits, means, packets};
use crate::present::{Case, words};
use askama::Template;
use gonedark_infer::report::{Incident, Interval};
use gonedark_infer::traffic::report::{Attack, Vector};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Attacks in one table, the largest; the rest is counted. Guess: more of them nobody reads on a page.
const LISTED: usize = 60;
/// Times of deafness, and files. Guess, as above.
const LINES: usize = 200;

/// A table of attacks, by begin.
#[derive(Template)]
#[template(path = "attacks.html")]
pub(super) struct AttackTable {
    caption: &'static str,
    /// Whether they lie beside an incident.
    beside: bool,
    rows: Vec<AttackRow>,
    more: usize,
}

struct AttackRow {
    when: String,
    /// How long it lasted, and what is not known better.
    lasted: String,
    target: String,
    means: Vec<String>,
    bits: String,
    packets: String,
    sources: String,
    lies: &'static str,
    before: String,
}

impl AttackRow {
    fn new(attack: &Attack, beside: Option<&Beside<'_>>) -> Self {
        let begin = attack.start.latest;
        let mut lasted = Vec::new();
        lasted.extend(attack.stop.map(|stop| times::duration(times::seconds_between(begin, stop.latest))));
        lasted.extend(unsure(attack.start).map(|between| format!("began {between}")));
        lasted.extend(attack.stop.and_then(unsure).map(|between| format!("ended {between}")));
        let before = beside.and_then(Beside::before);
        AttackRow {
            when: attack.stop.map_or_else(
                || format!("{}, goes on", times::stamp(begin)),
                |stop| times::span(begin, stop.latest),
            ),
            lasted: lasted.join("; "),
            target: attack.target.to_string(),
            means: shares(&attack.vectors),
            bits: bits(attack.impact.peak.bps),
            packets: packets(attack.impact.peak.pps),
            sources: about(&attack.sources),
            lies: beside.map_or("", |beside| evidence::words(beside.evidence.lies)),
            before: before.map(|before| format!("by {before}")).unwrap_or_default(),
        }
    }
}

/// Between which moments, where one does not name it.
fn unsure(when: Interval) -> Option<String> {
    let words = moment(when);
    words.starts_with("between").then_some(words)
}

/// The vectors, with their shares where there are several.
fn shares(vectors: &[Vector]) -> Vec<String> {
    match vectors {
        [] => vec!["means that were not told apart".to_owned()],
        [one] => vec![means::vector(one.kind)],
        several => {
            let share =
                |vector: &Vector| format!("{}, {} %", means::vector(vector.kind), (vector.permille + 5) / 10);
            several.iter().map(share).collect()
        }
    }
}

/// The largest of some attacks, in the order in which they come; and how many there are beyond them.
fn largest<T>(mut all: Vec<T>, attack: impl Fn(&T) -> &Attack) -> (Vec<T>, usize) {
    let more = all.len().saturating_sub(LISTED);
    if more > 0 {
        let mut sizes: Vec<u64> = all.iter().map(|one| attack(one).impact.peak.bps).collect();
        sizes.sort_unstable_by_key(|size| Reverse(*size));
        let least = sizes[LISTED - 1];
        all.retain(|one| attack(one).impact.peak.bps >= least);
        all.truncate(LISTED);
    }
    (all, more)
}

/// What is said of the attacks beside an incident.
pub(super) struct AttacksBeside {
    pub(super) sentences: Vec<String>,
    pub(super) table: AttackTable,
}

impl AttacksBeside {
    /// `None` where there are none.
    pub(super) fn new(case: &Case<'_>, incident: &Incident, all: &[Beside<'_>]) -> Option<Self> {
        let own: Vec<&Beside<'_>> = all.iter().filter(|beside| beside.incident.id == incident.id).collect();
        let sentences = evidence::sentences(case, incident, all);
        let (own, more) = largest(own, |beside| beside.attack);
        let rows: Vec<AttackRow> =
            own.into_iter().map(|beside| AttackRow::new(beside.attack, Some(beside))).collect();
        let table = AttackTable { caption: "Attacks beside it", beside: true, rows, more };
        (!table.rows.is_empty()).then_some(AttacksBeside { sentences, table })
    }
}

/// All else that is said of traffic.
pub(super) struct TrafficView {
    pub(super) sentence: String,
    /// Attacks that bear on no incident; `None` where there are none.
    pub(super) others: Option<AttackTable>,
    pub(super) attacks: usize,
    pub(super) exporters: Vec<ExporterRow>,
    /// Exporter, from, until, why, how much was lost.
    pub(super) deaf: Vec<[String; 5]>,
    pub(super) deaf_more: usize,
    /// Path, packets, of these used, what was not read.
    pub(super) inputs: Vec<[String; 4]>,
    pub(super) no_actor: &'static str,
}

/// Who told of traffic.
pub(super) struct ExporterRow {
    pub(super) address: String,
    pub(super) formats: String,
    pub(super) records: String,
    pub(super) sampling: String,
    pub(super) limits: String,
}

impl TrafficView {
    pub(super) fn new(traffic: &TrafficCase<'_>, beside: &[Beside<'_>]) -> Self {
        let told: BTreeSet<&str> = beside.iter().map(|beside| &beside.attack.id[..]).collect();
        let whole = || traffic.report.attacks.iter().filter(|attack| attack.part_of.is_none());
        let (others, more) =
            largest(whole().filter(|attack| !told.contains(&attack.id[..])).collect(), |attack| attack);
        let rows: Vec<AttackRow> = others.into_iter().map(|attack| AttackRow::new(attack, None)).collect();
        let table = AttackTable { caption: "Attacks that bear on no incident", beside: false, rows, more };
        let deaf = &traffic.report.deaf;
        TrafficView {
            sentence: sentence(traffic),
            others: (!table.rows.is_empty()).then_some(table),
            attacks: whole().count(),
            exporters: traffic.exporters.iter().map(ExporterRow::new).collect(),
            deaf: deaf.iter().take(LINES).map(|deaf| deaf_cells(deaf, traffic)).collect(),
            deaf_more: deaf.len().saturating_sub(LINES),
            inputs: traffic.inputs.iter().take(LINES).map(input_cells).collect(),
            no_actor: NO_ACTOR,
        }
    }
}

impl ExporterRow {
    fn new(exporter: &crate::present::traffic::ExporterLine) -> Self {
        let limits = limits(exporter);
        ExporterRow {
            address: exporter.address.clone(),
            formats: exporter.formats.join(" and "),
            records: grouped(exporter.records),
            sampling: sampling(exporter),
            limits: if limits.is_empty() { "nothing".to_owned() } else { limits.join(", ") },
        }
    }
}

fn deaf_cells(deaf: &gonedark_infer::traffic::report::Deaf, traffic: &TrafficCase<'_>) -> [String; 5] {
    let who = traffic.exporters.get(usize::from(deaf.exporter)).map_or("?", |known| &known.address);
    let lost = if deaf.lost == 0 { String::new() } else { grouped(deaf.lost) };
    [who.to_owned(), times::stamp(deaf.from), times::stamp(deaf.until), why(deaf.reason).to_owned(), lost]
}

fn input_cells(input: &crate::present::traffic::InputLine) -> [String; 4] {
    let unread = unread(input);
    let unread = if unread.is_empty() { "nothing".to_owned() } else { words::listed(&unread) };
    [input.path.clone(), grouped(input.packets), grouped(input.used), unread]
}
