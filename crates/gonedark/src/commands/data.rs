//! `gonedark data`: which network belongs to which country.

use super::Failure;
use super::fetch::Bar;
use crate::cli::{self, DataAction};
use crate::clock;
use crate::fetch::{RirOutcome, RirRoots, Settings, update_rir};
use anyhow::{Context, anyhow};
use gonedark_decode::delegated;
use std::io::Write;

pub(super) fn run(arguments: &cli::Data, out: &mut dyn Write) -> Result<(), Failure> {
    let DataAction::Update { data, mirror } = &arguments.action;
    let roots = mirror.as_deref().map_or_else(RirRoots::default, mirrored);
    let verify = |bytes: &[u8]| delegated::verify(bytes).map(|_| ()).map_err(|error| error.to_string());
    let bar = Bar::new();
    let done = update_rir(data, clock::today(), &roots, &verify, &Settings::default(), &bar);
    bar.0.finish_and_clear();
    let done = done.map_err(anyhow::Error::from)?;
    let mut bad = 0;
    for delegation in &done {
        let (what, path) = match (&delegation.outcome, &delegation.path) {
            (RirOutcome::New { bytes, checked: true }, _) => (format!("new, {bytes} bytes, MD5 right"), None),
            (RirOutcome::New { bytes, checked: false }, _) => {
                (format!("new, {bytes} bytes, no MD5 given"), None)
            }
            (RirOutcome::Unchanged, _) => ("unchanged".to_owned(), None),
            (RirOutcome::Refused(why), kept) => (format!("refused: {why}"), Some(kept)),
            (RirOutcome::Failed(why), kept) => (format!("did not come: {why}"), Some(kept)),
        };
        let kept = match path {
            None => String::new(),
            Some(Some(kept)) => format!("; {} is kept", kept.display()),
            Some(None) => "; there is none from before".to_owned(),
        };
        bad += usize::from(path.is_some());
        writeln!(out, "{}: {what}{kept}", delegation.registry).context("cannot write")?;
    }
    if bad > 0 {
        return Err(Failure::Input(anyhow!(
            "{bad} of {} registries' files could not be updated",
            done.len()
        )));
    }
    Ok(())
}

fn mirrored(root: &str) -> RirRoots {
    let root = root.trim_end_matches('/');
    let of = |registry: &str| format!("{root}/{registry}");
    RirRoots {
        afrinic: of("afrinic"),
        apnic: of("apnic"),
        arin: of("arin"),
        lacnic: of("lacnic"),
        ripencc: of("ripencc"),
    }
}
