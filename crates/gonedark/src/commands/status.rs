//! `gonedark status`: what a watch has come to, read from its store while it runs or after.

use super::Failure;
use crate::cli;
use crate::config;
use crate::store;
use anyhow::Context;
use std::io::Write;

pub(super) fn run(arguments: &cli::Status, out: &mut dyn Write) -> Result<(), Failure> {
    let config = config::read(&arguments.config).map_err(Failure::Usage)?;
    let path = &config.store.path;
    let told = || format!("{}: cannot be read as a store", path.display());
    let db = store::open_to_read(path).map_err(|fault| Failure::Input(fault.into()))?;
    let summary = store::summary(&db).with_context(told)?;
    write(&summary, out).context("cannot write")?;
    Ok(())
}

fn write(summary: &store::Summary, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "Streams")?;
    for stream in &summary.streams {
        let seen =
            stream.seen_until.map_or_else(|| "nothing yet".to_owned(), |at| format!("seen until {at}"));
        let closed = if stream.closed { ", at rest" } else { "" };
        writeln!(out, "  {} {} {}: {seen}{closed}", stream.source, stream.collector, stream.part)?;
    }
    writeln!(out, "Blind now")?;
    for (who, since, reason) in &summary.blind {
        writeln!(out, "  {who} since {since}: {reason}")?;
    }
    if summary.blind.is_empty() {
        writeln!(out, "  nobody")?;
    }
    writeln!(out, "Going on")?;
    for (id, level) in &summary.ongoing {
        writeln!(out, "  {id}: {level}")?;
    }
    if summary.ongoing.is_empty() {
        writeln!(out, "  no incident")?;
    }
    writeln!(out, "{} incidents in all, {} values of signals", summary.incidents, summary.points)
}
