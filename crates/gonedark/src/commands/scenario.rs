//! `gonedark scenario`: recordings of invented and reconstructed Internets.

use super::Failure;
use crate::cli::{self, ScenarioAction};
use crate::scenario::{self, Scenario};
use anyhow::{Context, anyhow};
use std::io::Write;
use std::path::Path;

pub(super) fn run(arguments: &cli::Scenario, out: &mut dyn Write) -> Result<(), Failure> {
    match &arguments.action {
        ScenarioAction::List => {
            for name in scenario::builtin_names() {
                writeln!(out, "{name}").context("cannot write")?;
            }
        }
        ScenarioAction::Write { scenario, out: folder } => {
            let scenario = find(scenario)?;
            let summary = write(&scenario, folder)?;
            writeln!(
                out,
                "{} files, {} records, {} bytes in {}",
                summary.files,
                summary.records,
                summary.bytes,
                folder.display()
            )
            .context("cannot write")?;
            let telemetry = scenario::write_telemetry(&scenario, &folder.join("flows"))?;
            for file in &telemetry.files {
                writeln!(out, "{}: what an exporter sent", file.display()).context("cannot write")?;
            }
        }
    }
    Ok(())
}

/// A scenario built in, or one in a file.
pub(super) fn find(name: &str) -> Result<Scenario, Failure> {
    if let Some(builtin) = scenario::builtin(name) {
        return builtin.map_err(|error| Failure::Input(error.into()));
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        let known: Vec<&str> = scenario::builtin_names().collect();
        format!("{name} is neither a scenario built in ({}) nor a file that can be read", known.join(", "))
    })?;
    Scenario::parse(&text, name).map_err(|error| Failure::Input(error.into()))
}

/// Writes the archives, the delegations and the truth.
pub(super) fn write(scenario: &Scenario, folder: &Path) -> Result<scenario::Summary, Failure> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let summary = scenario::write(scenario, folder, &mut |_| {})
        .map_err(|error| anyhow!("{error:#}"))
        .with_context(|| format!("cannot write the archives to {}", folder.display()))?;
    let beside = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    beside("truth.json", summary.truth.to_json().context("cannot write the truth as JSON")?)?;
    Ok(summary)
}
