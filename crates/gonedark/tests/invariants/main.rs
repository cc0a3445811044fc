//! What must always hold, on Internets invented at random (ARCHITECTURE.md, "Invariants"; METHOD.md). A failure
//! names the file in which it left the scenario: `gonedark scenario write FILE --out DIR` makes archives of it.
//!
//! | claim | tests |
//! |---|---|
//! | 1, 2 blindness is no loss, and makes intervals wide | `blindness`, `ends` |
//! | 3 to 7 what is reported is what happened | `truth` |
//! | 8, 11 order, shards, watermarks and repetition change nothing | `repetition`, `files` |
//! | 12 a restart at any moment, and news told piece by piece, say the same | `repetition`, `news` |
//! | 9 no cause, no actor | `files` |
//! | 10 decoders never panic | `gonedark-decode/tests` |

mod blindness;
mod ends;
mod feed;
mod files;
#[path = "../invented/mod.rs"]
mod invented;
mod news;
mod recipe;
mod repetition;
mod truth;

use gonedark::scenario::Scenario;

/// Where a scenario is left for whoever looks into a failure.
fn kept(scenario: &Scenario) -> String {
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.toml", scenario.name));
    let text = scenario.to_toml().expect("every scenario can be written");
    std::fs::write(&path, text).map_or_else(|error| error.to_string(), |()| path.display().to_string())
}

/// The first line in which two texts differ, with the one before it.
fn difference(one: &str, other: &str) -> Option<String> {
    let lines: Vec<(&str, &str)> = one.lines().zip(other.lines()).collect();
    let place = lines.iter().position(|(a, b)| a != b);
    match place {
        Some(place) => {
            let context: Vec<&str> = lines[place.saturating_sub(12)..place].iter().map(|(a, _)| *a).collect();
            Some(format!("{}\n- {}\n+ {}", context.join("\n"), lines[place].0, lines[place].1))
        }
        None => (one.len() != other.len()).then(|| "one is longer than the other".to_owned()),
    }
}
