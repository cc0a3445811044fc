//! Whether a watch lives, and whether it does what it is for: in plain sentences, for probes and people.

use crate::watch::{SourceStatus, Status};
use std::time::Duration;

/// How long the loop may go without a sign of life, where commits are no rarer. Guess: a snapshot of a table of RIS's size
/// takes under ten seconds on a slow disk, and a reader of the store keeps the writer waiting for ten at the most.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Whether the loop lives: it gave a sign of life `silent_for` ago.
///
/// # Errors
/// One sentence that says that it does not.
pub fn alive(silent_for: Option<Duration>, patience: Duration) -> Result<(), String> {
    match silent_for {
        None => Err("the loop has not begun".to_owned()),
        Some(silent) if silent <= patience => Ok(()),
        Some(silent) => Err(format!(
            "the loop has given no sign of life for {} s ({} s are allowed): the disk hangs, or it is a bug",
            silent.as_secs(),
            patience.as_secs()
        )),
    }
}

/// What is missing until it does what it is for; nothing where it does.
pub fn reasons(status: &Status, sources: &[SourceStatus]) -> Vec<String> {
    let mut reasons = Vec::new();
    if status.applied == 0 && !sources.iter().any(|source| source.records > 0) {
        reasons.push("nothing was applied yet: the first routes or flows are still to come".to_owned());
    }
    if let Some(fault) = &status.store_fault {
        reasons.push(format!("the store cannot be written: {fault}"));
    }
    if !sources.iter().any(|source| source.is_well) {
        reasons.push("no source is well:".to_owned());
        reasons.extend(sources.iter().map(|source| {
            let says = if source.says.is_empty() { "not begun" } else { &source.says };
            format!("source {}: {says}", source.name)
        }));
    }
    reasons
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::live::Health;
    use gonedark_route::Time;
    use std::sync::Arc;

    #[test]
    fn a_loop_is_alive_as_long_as_its_last_sign_is_recent() {
        assert!(alive(Some(Duration::from_secs(3)), PATIENCE).is_ok());
        let said = alive(Some(Duration::from_secs(61)), PATIENCE).expect_err("it is silent");
        assert!(said.contains("61 s") && said.contains("60 s"), "{said}");
        assert!(alive(None, PATIENCE).is_err());
    }

    #[test]
    fn ready_is_what_has_applied_something_can_write_and_hears_one_source() {
        let (good, bad) = (Arc::new(Health::default()), Arc::new(Health::default()));
        good.say(true, "waiting for the next file");
        bad.say(false, "no router is connected");
        let mut status = Status::default();
        status.sources.insert("bad".into(), Arc::clone(&bad));
        let reasons = |status: &Status| reasons(status, &status.sources(Time::MIN));
        assert_eq!(
            reasons(&status),
            [
                "nothing was applied yet: the first routes or flows are still to come",
                "no source is well:",
                "source bad: no router is connected"
            ]
        );
        status.sources.insert("good".into(), good);
        status.applied = 1;
        assert_eq!(reasons(&status), Vec::<String>::new());
        status.store_fault = Some("the disk is full".into());
        assert_eq!(reasons(&status), ["the store cannot be written: the disk is full"]);
    }
}
