//! The same through archive files: invariants 1, 8, 9 and 11 as whoever runs `gonedark replay` meets them.

use crate::feed::{self, Feeding, Registry};
use crate::recipe::{overlap, span};
use crate::{difference, kept};
use gonedark::pipeline::{Request, replay};
use gonedark::present::{Case, Input, InputKind, Nameless, RunInfo, csv, json, text};
use gonedark::scenario::{self, RandomOptions, Scenario};
use gonedark::source::archive;
use gonedark_infer::Watch;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::Report;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Half a day keeps the number of files small.
fn small() -> RandomOptions {
    RandomOptions { hours: 12, losses: 4, ..RandomOptions::default() }
}

pub(crate) struct Archives {
    pub(crate) scenario: Scenario,
    folder: tempfile::TempDir,
    folders: Vec<PathBuf>,
}

impl Archives {
    pub(crate) fn new(scenario: Scenario) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let summary = scenario::write(&scenario, folder.path(), &mut |_| {}).expect("archives");
        Archives { scenario, folder, folders: summary.folders }
    }

    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let listing = archive::list(&self.folders);
        listing.files.into_iter().map(|file| file.path).collect()
    }

    /// What is said of these paths, and of which files.
    pub(crate) fn replay(&self, paths: &[PathBuf], shards: usize) -> (Report, RunInfo) {
        let listing = archive::list(paths);
        let countries = self.scenario.networks.iter().filter_map(|network| network.country);
        let request = Request {
            listing: &listing,
            from: None,
            until: Some(self.scenario.until),
            watch: Watch { countries: countries.collect(), ..Watch::default() },
            parameters: Parameters { min_duration: 0, ..Parameters::default() },
            shards,
            missing: Vec::new(),
            origins: false,
        };
        let outcome = replay(request, Box::new(Registry::of(&self.scenario)), &mut |_| {});
        let base: &Path = self.folder.path();
        let inputs = outcome.inputs.iter().map(|input| Input {
            path: input.path.strip_prefix(base).unwrap_or(&input.path).display().to_string(),
            sha256: input.sha256.clone(),
            collector: input.collector.clone(),
            kind: if input.is_rib { InputKind::Rib } else { InputKind::Updates },
            first: input.span.map(|(first, _)| first),
            last: input.span.map(|(_, last)| last),
            records: input.records,
            skipped: input.skipped,
            damage: Vec::new(),
        });
        (outcome.report, RunInfo { inputs: inputs.collect(), ..RunInfo::default() })
    }

    fn json(&self, paths: &[PathBuf], shards: usize) -> String {
        let (report, run) = self.replay(paths, shards);
        let mut out = Vec::new();
        json::write(&mut out, &Case { report: &report, run: &run, gazetteer: &Nameless, traffic: None })
            .expect("memory takes everything");
        String::from_utf8(out).expect("JSON is UTF-8")
    }
}

#[test]
fn neither_the_order_of_paths_nor_shards_nor_repetition_changes_a_byte_of_json() {
    for seed in 0..4 {
        let archives = Archives::new(scenario::random(seed, small()));
        let plain = archives.json(&archives.folders, 1);
        let (mut backwards, mut shuffled) = (archives.files(), archives.files());
        backwards.reverse();
        shuffled.sort_by_key(|path| path.display().to_string().bytes().rev().collect::<Vec<u8>>());
        let variants = [
            ("again", archives.json(&archives.folders, 1)),
            ("files backwards", archives.json(&backwards, 1)),
            ("files by their minutes", archives.json(&shuffled, 1)),
            ("2 shards", archives.json(&archives.folders, 2)),
            ("7 shards", archives.json(&backwards, 7)),
        ];
        for (name, other) in variants {
            if let Some(line) = difference(&plain, &other) {
                panic!("seed {seed}, {name}: {}\n{line}", kept(&archives.scenario));
            }
        }
    }
}

#[test]
fn archives_say_what_the_same_observations_say_in_memory() {
    for seed in 0..6 {
        let archives = Archives::new(scenario::random(seed, small()));
        let parameters = Parameters { min_duration: 0, ..Parameters::default() };
        let memory = feed::report(&archives.scenario, &Feeding { parameters, ..Feeding::default() });
        let (files, _) = archives.replay(&archives.folders, 1);
        let incidents = |report: &Report| format!("{:#?}", report.incidents);
        if let Some(line) = difference(&incidents(&memory), &incidents(&files)) {
            panic!("seed {seed}: {}\n{line}\n{:#?}", kept(&archives.scenario), files.incidents[0]);
        }
    }
}

#[test]
fn files_that_are_missing_open_no_incident_and_are_told_as_blindness() {
    for seed in 0..6 {
        let archives =
            Archives::new(scenario::random(seed, RandomOptions { resets: false, gaps: false, ..small() }));
        let (whole, _) = archives.replay(&archives.folders, 1);
        let updates = |path: &PathBuf| {
            path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("updates"))
        };
        // Every seventh update file is not there, whichever collector's; first and last ones are not missed by anybody.
        let some: Vec<PathBuf> = archives
            .files()
            .into_iter()
            .enumerate()
            .filter(|(index, path)| !updates(path) || index % 7 != seed as usize)
            .map(|(_, path)| path)
            .collect();
        let (part, _) = archives.replay(&some, 1);
        assert!(!part.coverage.blind.is_empty(), "seed {seed} {}", kept(&archives.scenario));
        for incident in &part.incidents {
            let mut others = whole.incidents.iter().filter(|other| other.entity == incident.entity);
            let known = others.any(|other| overlap(span(incident, &part), span(other, &whole)));
            assert!(known, "seed {seed} {}: {} opened", kept(&archives.scenario), incident.id);
        }
    }
}

/// Words of cause and of actors. Routing alone shows neither, so that no form of the output may contain one, except
/// where it says just that.
const CAUSES: [&str; 30] = [
    "attack",
    "ddos",
    "dos ",
    "hack",
    "cyber",
    "sabot",
    "censor",
    "shutdown",
    "shut down",
    "blackout",
    "war ",
    "government",
    "military",
    "regime",
    "protest",
    "coup",
    "cable",
    "fibre",
    "fiber",
    "power",
    "earthquake",
    "storm",
    "because",
    "caused",
    "due to",
    "responsible",
    "blame",
    "suspect",
    "probably",
    "deliberate",
];

#[test]
fn no_form_of_the_output_names_a_cause_or_an_actor() {
    for seed in 0..3 {
        let archives = Archives::new(scenario::random(seed, small()));
        let (report, run) = archives.replay(&archives.folders, 1);
        assert!(!report.incidents.is_empty());
        let case = Case { report: &report, run: &run, gazetteer: &Nameless, traffic: None };
        let mut out = Vec::new();
        json::write(&mut out, &case).unwrap();
        json::write_ndjson(&mut out, &case).unwrap();
        csv::write(&mut out, &case).unwrap();
        text::write(&mut out, &case, text::Style { width: 2_000, colour: false }).unwrap();
        let said =
            String::from_utf8(out).unwrap().replace(gonedark::present::words::NO_CAUSE, "").to_lowercase();
        let found: BTreeSet<&str> = CAUSES.into_iter().filter(|word| said.contains(word)).collect();
        let lines: Vec<&str> =
            said.lines().filter(|line| found.iter().any(|word| line.contains(word))).collect();
        assert!(found.is_empty(), "{found:?}\n{}", lines.join("\n"));
    }
}
