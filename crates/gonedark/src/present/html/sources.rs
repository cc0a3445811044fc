//! What the page rests on, and how to run it again.

use crate::present::times::grouped;
use crate::present::{Case, Input, words};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Files listed one by one; a sum over all of them stands for the rest.
const FILES: usize = 2_000;

/// How the report was come by.
pub(super) struct Sources {
    pub(super) command: String,
    pub(super) inputs: String,
    pub(super) digest: String,
    pub(super) collectors: Vec<CollectorRow>,
    pub(super) files: Vec<FileRow>,
    pub(super) files_more: usize,
    pub(super) damaged: Vec<FileRow>,
    pub(super) damaged_more: usize,
    pub(super) parameters: Vec<[String; 4]>,
    pub(super) countries: Vec<[String; 4]>,
    pub(super) credits: Vec<Credit>,
    pub(super) made_up: bool,
}

/// Who recorded the routes.
pub(super) struct Credit {
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) collectors: String,
}

/// One collector's files.
#[derive(Default)]
pub(super) struct CollectorRow {
    pub(super) collector: String,
    pub(super) tables: usize,
    pub(super) updates: usize,
    pub(super) records: String,
    pub(super) from: String,
    pub(super) until: String,
}

/// One file.
pub(super) struct FileRow {
    pub(super) path: String,
    pub(super) kind: &'static str,
    pub(super) records: String,
    pub(super) skipped: String,
    pub(super) sha256: String,
    pub(super) damage: String,
}

impl Sources {
    pub(super) fn new(case: &Case<'_>) -> Self {
        let inputs = case.run.sorted_inputs();
        let damaged: Vec<&Input> =
            inputs.iter().copied().filter(|input| input.skipped > 0 || !input.damage.is_empty()).collect();
        Sources {
            command: case.run.command.clone(),
            inputs: words::counted(inputs.len() as u64, "file", "files"),
            digest: digest(&inputs),
            collectors: collectors(&inputs),
            files: inputs.iter().take(FILES).map(|input| FileRow::new(input)).collect(),
            files_more: inputs.len().saturating_sub(FILES),
            damaged: damaged.iter().take(FILES).map(|input| FileRow::new(input)).collect(),
            damaged_more: damaged.len().saturating_sub(FILES),
            parameters: parameters(case),
            countries: case
                .run
                .countries
                .iter()
                .map(|table| {
                    [table.file.clone(), table.serial.clone(), table.date.clone(), table.sha256.clone()]
                })
                .collect(),
            credits: credits(case),
            made_up: case.run.reconstruction.is_some(),
        }
    }
}

/// The SHA-256 of what `sha256sum` prints for all files, sorted: one sum that stands for the whole of the input.
fn digest(inputs: &[&Input]) -> String {
    let mut lines: Vec<String> =
        inputs.iter().map(|input| format!("{}  {}\n", input.sha256, input.path)).collect();
    lines.sort();
    let mut hash = Sha256::new();
    for line in lines {
        hash.update(line.as_bytes());
    }
    hash.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn collectors(inputs: &[&Input]) -> Vec<CollectorRow> {
    let mut all: BTreeMap<&str, Vec<&Input>> = BTreeMap::new();
    for input in inputs {
        all.entry(&input.collector).or_default().push(input);
    }
    all.into_iter()
        .map(|(collector, files)| {
            let tables = files.iter().filter(|input| input.kind == crate::present::InputKind::Rib).count();
            let time =
                |time: Option<gonedark_route::Time>| time.map(|time| time.to_string()).unwrap_or_default();
            CollectorRow {
                collector: collector.to_owned(),
                tables,
                updates: files.len() - tables,
                records: grouped(files.iter().map(|input| input.records).sum()),
                from: time(files.iter().filter_map(|input| input.first).min()),
                until: time(files.iter().filter_map(|input| input.last).max()),
            }
        })
        .collect()
}

impl FileRow {
    fn new(input: &Input) -> Self {
        let damage: Vec<String> = input.damage.iter().map(words::damage).collect();
        FileRow {
            path: input.path.clone(),
            kind: match input.kind {
                crate::present::InputKind::Rib => "table",
                crate::present::InputKind::Updates => "updates",
            },
            records: grouped(input.records),
            skipped: grouped(input.skipped),
            sha256: input.sha256.clone(),
            damage: damage.join("; "),
        }
    }
}

fn parameters(case: &Case<'_>) -> Vec<[String; 4]> {
    case.run
        .parameters
        .iter()
        .map(|parameter| {
            let value = match &parameter.value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            [parameter.name.clone(), value, parameter.unit.clone(), parameter.source.clone()]
        })
        .collect()
}

/// RIPE RIS names its collectors rrc00 and on, RouteViews route-views and on.
fn credits(case: &Case<'_>) -> Vec<Credit> {
    let inputs = case.run.inputs.iter().map(|input| &input.collector);
    let mut names: Vec<&String> = case.report.coverage.collectors.iter().chain(inputs).collect();
    names.sort();
    names.dedup();
    let of = |belongs: fn(&str) -> bool| {
        let theirs: Vec<String> =
            names.iter().filter(|name| belongs(name)).map(|name| (*name).clone()).collect();
        words::listed(&theirs)
    };
    let known = [
        ("RIPE NCC Routing Information Service (RIS)", "https://ris.ripe.net/", of(is_ris)),
        ("University of Oregon RouteViews Project", "https://www.routeviews.org/", of(is_route_views)),
    ];
    known
        .into_iter()
        .filter(|(_, _, collectors)| !collectors.is_empty())
        .map(|(name, address, collectors)| Credit { name, address, collectors })
        .collect()
}

fn is_ris(collector: &str) -> bool {
    collector.strip_prefix("rrc").is_some_and(|rest| rest.starts_with(|letter: char| letter.is_ascii_digit()))
}

fn is_route_views(collector: &str) -> bool {
    collector.starts_with("route-views") || collector.starts_with("routeviews")
}
