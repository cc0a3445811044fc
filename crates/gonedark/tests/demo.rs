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
    assert!(said.starts_with("gonedark: nothing to read in /no/such/folder"), "{said}");
    let (code, said) = run(&["replay", "--country", "Korea", "/no/such/folder"]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("expected a code of two letters such as KP"), "{said}");
    assert_eq!(run(&["replay"]).0, Some(2));
}
