//! The demo as a newcomer runs it: the binary itself, from scenario to sentence.

use std::process::Command;

#[test]
fn the_demo_says_in_one_sentence_what_happened_to_north_korea() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["demo", "--out"])
        .arg(folder.path())
        .env("COLUMNS", "400")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let text = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "North Korea went dark between 16:07 and 16:15 UTC on 22 December 2014 (01:07 to 01:15 on the 23rd in \
                    Pyongyang) and was back at 01:46, after 26 hours of flapping: 4 of 4 networks, 12 of 12 full-feed \
                    networks that watch.";
    assert!(text.contains(sentence), "{said}");
    assert!(text.contains("A reconstruction from published reports, not a recording."), "{said}");
    // The telemetry of the days before lies beside it, and is not said to be the cause.
    let beside = "27 denials of service on addresses of North Korea between 18 Dec 10:12:20 and 22 Dec 15:1";
    assert!(text.contains(beside), "{said}");
    assert!(text.contains("The largest had up to 1.70 Mpps and 5.97 Gbit/s, at 175.45.176.67"), "{said}");
    assert!(text.contains("does not say that it caused it"), "{said}");
    for name in ["report.html", "graph.svg", "archives/truth.json"] {
        let length = std::fs::metadata(folder.path().join(name)).map(|file| file.len()).unwrap_or(0);
        assert!(length > 1_000, "{name} has {length} bytes");
    }
}

#[test]
fn exit_codes_tell_whose_fault_it_is() {
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gonedark")).args(arguments).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = run(&["replay", "/no/such/folder"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.starts_with("gonedark: /no/such/folder: no such file or folder"), "{said}");
    let (code, said) = run(&["replay", "--country", "Korea", "/no/such/folder"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("expected a code of two letters such as KP"), "{said}");
    assert_eq!(run(&["replay"]).0, Some(2));
}

/// The demo's archives without the files of rrc00 and route-views2 from `hour` o'clock of 22 December on.
fn archives_that_end_early(hour: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let run = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["scenario", "write", "north-korea-2014", "--out"])
        .arg(folder.path().join("archives"))
        .output()
        .expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for collector in ["rrc00", "route-views2"] {
        let files = std::fs::read_dir(folder.path().join("archives").join(collector)).expect("files");
        for file in files.flatten() {
            let name = file.file_name().into_string().expect("a name");
            let stamp: String = name.chars().filter(char::is_ascii_digit).collect();
            if stamp[..12] >= *format!("20141222{hour}") {
                std::fs::remove_file(file.path()).expect("removed");
            }
        }
    }
    folder
}

fn replay(folder: &std::path::Path, arguments: &[&str]) -> serde_json::Value {
    let run = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .arg("replay")
        .arg(folder.join("archives"))
        .args(["--country", "KP", "--format", "json"])
        .args(arguments)
        .output()
        .expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    serde_json::from_slice(&run.stdout).expect("JSON")
}

#[test]
fn collectors_whose_files_end_early_are_blind_and_nothing_is_called_up() {
    let folder = archives_that_end_early("1000");
    let report = replay(folder.path(), &["--until", "2014-12-23"]);
    let blind = report["coverage"]["blind"].as_array().expect("a list");
    for collector in ["rrc00", "route-views2"] {
        let told = blind.iter().any(|blind| {
            blind["collector"] == collector
                && blind["peer"].is_null()
                && blind["reason"] == "missing_file"
                && blind["from"] == "2014-12-22T10:00:00Z"
        });
        assert!(told, "{collector}: {blind:#?}");
    }
    // A third of the watchers is too few to say anything, however sure the third is.
    assert_eq!(report["entities"][0]["state"], "unknown", "{:#?}", report["entities"]);
    for incident in report["incidents"].as_array().expect("a list") {
        let onset = incident["onset"]["earliest"].as_str().expect("a time");
        assert!(onset < "2014-12-22T10:00:00Z", "{incident:#?}");
    }
}

#[test]
fn a_window_that_ends_with_the_archives_was_seen_to_its_end() {
    let folder = archives_that_end_early("2400");
    let (rrc00, archives) = (folder.path().join("archives/rrc00"), folder.path().join("archives"));
    let last = std::fs::read_dir(rrc00).expect("files").flatten().map(|file| file.file_name()).max();
    assert_eq!(last.expect("a file"), "updates.20141222.2300.gz", "{}", archives.display());
    std::fs::remove_dir_all(archives.join("rrc03")).expect("removed");
    let report = replay(folder.path(), &["--until", "2014-12-23"]);
    assert_eq!(report["entities"][0]["state"], "dark", "{:#?}", report["entities"]);
}

#[test]
fn without_an_end_the_window_lasts_as_long_as_the_last_file_speaks() {
    let folder = archives_that_end_early("2400");
    let report = replay(folder.path(), &[]);
    assert_eq!(report["window"]["until"], "2014-12-29T00:00:00Z");
}

#[test]
fn of_a_time_after_the_recording_nothing_is_known() {
    let folder = archives_that_end_early("1000");
    let report = replay(folder.path(), &["--from", "2015-01-05", "--until", "2015-01-06"]);
    assert_eq!(report["entities"][0]["state"], "unknown", "{:#?}", report["entities"]);
}

#[test]
fn a_demo_takes_nothing_away_that_is_not_its_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let precious = folder.path().join("archives/precious.txt");
    std::fs::create_dir(folder.path().join("archives")).expect("a folder");
    std::fs::write(&precious, "mine").expect("written");
    let run =
        Command::new(env!("CARGO_BIN_EXE_gonedark")).args(["demo", "--out"]).arg(folder.path()).output();
    assert_eq!(run.expect("it runs").status.code(), Some(1));
    assert!(precious.exists());
}
