//! Invariant 12: killed at any moment, and started again, it says what it would have said.

use crate::observed::{Observed, difference, recording};
use std::time::{Duration, Instant};

/// How often it is killed.
const KILLS: u32 = 100;

#[test]
#[allow(
    clippy::disallowed_methods,
    reason = "when to kill has to be measured; what is concluded does not depend on it"
)]
fn a_hundred_kills_change_nothing_of_what_is_concluded() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let undisturbed = Observed::new(recording.path(), folder.path());
    let begin = Instant::now();
    let output = undisturbed.run();
    let whole = begin.elapsed();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let truth = undisturbed.concluded();
    let incidents = truth.iter().filter(|line| line.starts_with("incident ")).count();
    assert!(incidents >= 3, "{truth:#?}");
    let (mut kills, mut rounds, mut state) = (0, 0, 88_172_645_463_325_252_u64);
    while kills < KILLS {
        rounds += 1;
        let folder = tempfile::tempdir().expect("a folder");
        let killed = Observed::new(recording.path(), folder.path());
        loop {
            let mut child = killed.start();
            // Anywhere from the first moment to a third of a whole run.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            std::thread::sleep(whole.mul_f64((state >> 11) as f64 / (1_u64 << 53) as f64 / 3.0));
            // Longer than it takes there is nothing to kill.
            if child.try_wait().expect("its state").is_some() {
                break;
            }
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
            kills += 1;
            if kills >= KILLS {
                break;
            }
        }
        let output = killed.run();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        assert!(!said.contains("WARN"), "a kill is no damage: {said}");
        let concluded = killed.concluded();
        if let Some(line) = difference(&truth, &concluded) {
            panic!("round {rounds}, after {kills} kills:\n{line}");
        }
    }
    assert!(whole > Duration::ZERO && rounds > 0);
}
