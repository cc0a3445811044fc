//! `gonedark demo`: a scenario written, replayed and reported on by the very code that reads real archives.

use super::replay::{Plan, execute};
use super::{Failure, output, scenario};
use crate::cli;
use anyhow::{Context, anyhow};
use gonedark_infer::parameters::Parameters;
use std::io::Write;

pub(super) fn run(arguments: &cli::Demo, out: &mut dyn Write) -> Result<(), Failure> {
    let known = scenario::find(&arguments.scenario)?;
    let archives = arguments.out.join("archives");
    if archives.exists() {
        if !archives.join("truth.json").exists() {
            return Err(Failure::Input(anyhow!(
                "{} is there and holds no archives of a demo: choose another folder with --out, or move it away",
                archives.display()
            )));
        }
        std::fs::remove_dir_all(&archives).with_context(|| format!("cannot clear {}", archives.display()))?;
    }
    let summary = scenario::write(&known, &archives)?;
    let telemetry = crate::scenario::write_telemetry(&known, &arguments.out.join("flows"))?;
    writeln!(
        out,
        "Wrote {} MRT files ({} records) of \"{}\" to {}\nand replays them as if they came from the public archives.\n",
        summary.files,
        summary.records,
        known.title,
        archives.display()
    )
    .context("cannot write")?;
    let plan = Plan {
        paths: summary.folders,
        delegated: Vec::new(),
        data: None,
        flows: telemetry.files,
        watch: super::meaning::watch(&known.subjects(), &[], &[])?,
        from: None,
        until: None,
        parameters: Parameters::default(),
        shards: 1,
        missing: Vec::new(),
        reconstruction: Some(known.notice.clone()),
    };
    let done = execute(plan)?;
    let files = cli::Output {
        report: Some(arguments.out.join("report.html")),
        graph: Some(arguments.out.join("graph.svg")),
        ..cli::Output::default()
    };
    output::write(&done, &files, out)?;
    if done.report.incidents.is_empty() {
        return Err(Failure::Input(anyhow!("the replay found nothing: this is a bug in gonedark")));
    }
    writeln!(out, "\nLook at {0}/report.html and {0}/graph.svg", arguments.out.display())
        .context("cannot write")?;
    Ok(())
}
