//! Attacks as a user finds them: the binary itself, over recordings that it wrote and over real captures.

mod december_2014;
mod packets;
mod real_captures;
mod refused;
mod telescope;

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn gonedark(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gonedark")).args(arguments).output().expect("it runs")
}

/// What a command says as JSON.
fn json(arguments: &[&str]) -> Value {
    let output = gonedark(&[arguments, &["--format", "json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

fn attacks(report: &Value) -> &[Value] {
    report["attacks"].as_array().expect("a list")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A real capture; nothing where there are none, which CI must not let pass.
fn capture(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("GONEDARK_SHARED").map_or_else(beside, PathBuf::from);
    let path = root.join("data/flow").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} is missing, and CI must have it", path.display());
    let test = std::thread::current();
    let said = format!("test passed over: {}: no real captures\n", test.name().unwrap_or_default());
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    None
}
