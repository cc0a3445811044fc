//! What is said to whoever mistypes, and with which exit code: the binary itself.

mod fetch_server;
mod invented;

use fetch_server::{Reply, Server};
use gonedark::scenario;
use std::path::Path;
use std::process::Command;

fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark")).args(arguments).output().expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Three hours of one collector, from the midnight of 1 March 2020 on.
fn archives() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let peers = [(101, "198.51.100.1"), (102, "198.51.100.2")];
    let text = [
        invented::internet("mistakes", 3, ("2020-03-01T00:00:00Z", "2020-03-01T03:00:00Z")),
        invented::collector(("rrc00", "ris"), ("1h", "8h"), &peers, ""),
        invented::country("KP", &["20.0.0.0/16"], 64100, ""),
    ];
    let scenario = invented::scenario("mistakes", &text.concat());
    scenario::write(&scenario, folder.path(), &mut |_| {}).expect("archives");
    folder
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a plain name")
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_the_replay() {
    let folder = tempfile::tempdir().expect("a folder");
    let nowhere = folder.path().join("none/report.svg");
    for (flag, name) in [("--report", "none/a.html"), ("--graph", "none/a.svg"), ("--series", "none/a.csv")] {
        let path = folder.path().join(name);
        // The archive is not there either: what is said first was looked at first.
        let (code, said) = run(&["replay", "no-such-archive", flag, text(&path)]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.starts_with(&format!("gonedark: cannot write {}: ", path.display())), "{said}");
    }
    let (_, said) = run(&["replay", "no-such-archive", "--report", text(folder.path())]);
    assert!(said.starts_with("gonedark: cannot write"), "{said}");
    let good = folder.path().join("a.html");
    let (_, said) = run(&["replay", "no-such-archive", "--report", text(&good), "--graph", text(&nowhere)]);
    assert!(said.contains("report.svg"), "{said}");
    let (_, said) = run(&["replay", "no-such-archive", "--report", text(&good)]);
    assert!(said.contains("no-such-archive: no such file"), "{said}");
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 0, "nothing is left behind");
}

#[test]
fn a_replay_of_nothing_is_told_of_both_ways_to_say_what() {
    let (code, said) = run(&["replay"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("PATH") && said.contains("--collector"), "{said}");
}

#[test]
fn a_collector_without_a_name_is_wrong_usage() {
    for name in ["", "rrc00,", "a/b"] {
        for command in ["replay", "fetch"] {
            let (code, said) =
                run(&[command, "--collector", name, "--from", "2014-12-22", "--until", "2014-12-23"]);
            assert_eq!(code, Some(2), "{name}: {said}");
            assert!(said.contains("is no collector"), "{said}");
        }
    }
}

#[test]
fn a_collector_that_the_archive_does_not_know_is_called_unknown() {
    let server = Server::start(|_, _| Reply::new(404, "<html>Not Found</html>"));
    let folder = tempfile::tempdir().expect("a folder");
    let (code, said) = run(&[
        "replay",
        "--collector",
        "rrc77",
        "--from",
        "2014-12-22",
        "--until",
        "2014-12-23",
        "--ris-root",
        &server.root,
        "--archive",
        text(folder.path()),
    ]);
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(
        said.trim_end(),
        "gonedark: rrc77: the archive knows no such collector: it answers 404 for all of it"
    );
}

#[test]
fn why_a_file_of_delegations_is_refused_is_said_once() {
    let archives = archives();
    let bad = archives.path().join("delegated-bad");
    std::fs::write(&bad, "").expect("written");
    for path in [bad, archives.path().join("none")] {
        let (code, said) = run(&["replay", text(archives.path()), "--delegated", text(&path)]);
        assert_eq!(code, Some(1), "{said}");
        let causes = ["no header line", "No such file or directory"];
        let times: usize = causes.iter().map(|cause| said.matches(cause).count()).sum();
        assert_eq!(times, 1, "{said}");
    }
}

#[test]
fn a_window_before_all_files_is_told_with_both_times() {
    let archives = archives();
    let (code, said) = run(&["replay", text(archives.path()), "--until", "2019-12-31"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("--until 2019-12-31T00:00:00Z lies before all files"), "{said}");
    assert!(
        said.contains("begins at 2020-03-01T00:00:00Z") || said.contains("begins at 2020-02-29"),
        "{said}"
    );
}

#[test]
fn every_help_ends_with_the_exit_codes() {
    for command in [&[][..], &["replay"], &["fetch"], &["data"], &["scenario"], &["demo"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_gonedark")).args(command).arg("--help").output();
        let said = String::from_utf8_lossy(&output.expect("it runs").stdout).into_owned();
        assert!(said.trim_end().ends_with("2  wrong usage"), "{command:?}: {said}");
    }
}
