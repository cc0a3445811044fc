//! What `gonedark watch` says to who runs it.

use crate::observed::{Observed, recording};
use std::process::Command;

fn check(text: &str) -> (Option<i32>, String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("gonedark.toml");
    std::fs::write(&config, text).expect("a configuration");
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["watch", "--check", "--config"])
        .arg(&config)
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const RIS_LIVE: &str = "[[source.ris_live]]\nname = \"ris\"\n";
const SOURCE: &str = "[[source.archive]]\nname = \"here\"\nfolder = \"archive\"\n";
const BMP: &str = "[[source.bmp]]\nname = \"lab\"\nlisten = \"127.0.0.1:2055\"\n";

const FLOWS: &str = "[[source.flows]]\nname = \"edge\"\nlisten = \"127.0.0.1:2055\"\n";

#[test]
fn a_wrong_configuration_is_refused_with_the_line_and_the_remedy() {
    for (text, line, remedy) in [
        (format!("[watch]\nmin_duration = \"soon\"\n{SOURCE}"), "line 2", "\"2m\""),
        (format!("[watch]\ncountries = [\"Korea\"]\n{SOURCE}"), "line 2", "such as \"KP\""),
        (format!("[watch]\nasns = \"some\"\n{SOURCE}"), "line 2", "expected \"all\" or a list"),
        (format!("[watch]\nprefixes = [\"here\"]\n{SOURCE}"), "line 2", "175.45.176.0/22"),
        (
            format!("[watch]\nprefixes = [\"175.45.178.0/22\"]\n{SOURCE}"),
            "line 2",
            "write \"175.45.176.0/22\"",
        ),
        (format!("[watch]\nmin_duration = 120\n{SOURCE}"), "line 2", "\"2m\""),
        (format!("[serve]\nlisten = \"8080\"\n{SOURCE}"), "line 2", "\"127.0.0.1:8080\""),
        (format!("[serve]\nlisten = 8080\n{SOURCE}"), "line 2", "\"127.0.0.1:8080\""),
        (format!("[store]\ndownsample_after_days = 0\n{SOURCE}"), "line 2", "write 1 or more"),
        (format!("[store]\ndownsample_to = \"25h\"\n{SOURCE}"), "line 2", "more than a day"),
        (
            format!("[store]\nretention_days = 7\ndownsample_after_days = 7\n{SOURCE}"),
            "line 3",
            "comes too late",
        ),
        (format!("[store]\nretention_days = 0\n{SOURCE}"), "line 2", "write 1 or more"),
        (format!("{RIS_LIVE}collectors = [\"route-views2\"]\n"), "line 2", "[[source.archive]]"),
        (format!("[store]\nplace = \"x\"\n{SOURCE}"), "line 2", "expected one of `path`"),
        (format!("{SOURCE}{SOURCE}"), "line 5", "give one another name"),
        (format!("{SOURCE}fetch = true\n"), "line 2", "collectors = [\"rrc00\""),
        (format!("{SOURCE}bootstrap = true\n"), "line 2", "collectors = [\"rrc00\"]"),
        (
            format!("{SOURCE}bootstrap = true\ncollectors = [\"rrc00\"]\n"),
            "line 2",
            "add a [[source.ris_live]]",
        ),
        (format!("{RIS_LIVE}url = \"ws://192.0.2.1/\"\n"), "line 2", "write wss://"),
        (format!("{RIS_LIVE}url = \"ws://localhost.example/\"\n"), "line 2", "write wss://"),
        (format!("{RIS_LIVE}asns = [{}1]\n", "1, ".repeat(1000)), "line 2", "then all messages come"),
        (format!("{FLOWS}sampling = 100\nsampling_otherwise = 10\n"), "line 2", "leave one out"),
        (format!("{FLOWS}receive_buffer = \"1 GiB\"\n"), "line 4", "under 1 GiB"),
        (SOURCE.replace("here", " "), "line 2", "give it one"),
        (format!("[watch]\nmin_duration = \"0s\"\n{SOURCE}"), "line 2", "must be more than 0"),
        (format!("[store]\ncommit = \"0ms\"\n{SOURCE}"), "line 2", "must be more than 0"),
        (format!("[watch]\nmin_duration = \"2d\"\n{SOURCE}"), "line 2", "are not known; write \"48h\""),
        (format!("[watch]\nmin_duration = \"721h\"\n{SOURCE}"), "line 2", "more than 30 days"),
        (format!("[watch]\ncountries = \"KP\"\n{SOURCE}"), "line 2", "write a list, countries = [\"KP\"]"),
        (SOURCE.replace("[[", "[").replace("]]", "]"), "line 1", "write [[source.archive]]"),
        (format!("{SOURCE}ris_root = \"mirror/ris\"\n"), "line 4", "begins with https://"),
        (format!("{SOURCE}routeviews_root = \"file:///mirror\"\n"), "line 4", "begins with https://"),
        (format!("{FLOWS}{}", FLOWS.replace("edge", "core")), "line 6", "listened at twice"),
        (FLOWS.replace("\"127.0.0.1:2055\"", "[\"[::1]:1\", \"[::1]:1\"]"), "line 3", "listened at twice"),
        (format!("[serve]\nlisten = \"127.0.0.1:2055\"\n{BMP}"), "line 5", "listened at twice"),
        (String::new(), "no source", "add a [[source.archive]]"),
    ] {
        let (code, _, said) = check(&text);
        assert_eq!(code, Some(2), "{text}\n{said}");
        assert!(said.contains(line) && said.contains(remedy), "{text}\n{said}");
    }
}

#[test]
fn ports_of_tcp_and_of_udp_and_ports_that_the_system_chooses_are_never_the_same() {
    let chosen = FLOWS.replace("2055", "0");
    for text in [format!("{BMP}{FLOWS}"), format!("{chosen}{}", chosen.replace("edge", "core"))] {
        let (code, _, said) = check(&text);
        assert_eq!(code, Some(0), "{text}\n{said}");
    }
}

#[test]
fn a_configuration_that_cannot_be_read_is_told_with_its_name_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let latin = folder.path().join("latin.toml");
    std::fs::write(&latin, b"# one\n# caf\xe9\n").expect("written");
    let missing = folder.path().join("gonedark.toml");
    for (path, remedy) in [
        (
            &missing,
            "there is no such file; write one (docs/watch.md has one to copy), or name it with --config",
        ),
        (&latin, "line 2: is no UTF-8 text; save the file as UTF-8"),
        (&folder.path().to_owned(), "is a directory; name the file in it with --config"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
            .args(["watch", "--check", "--config"])
            .arg(path)
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(said.trim_end(), format!("gonedark: {}: {remedy}", path.display()));
        assert_eq!(output.status.code(), Some(2), "{said}");
    }
}

#[test]
fn a_file_that_was_never_a_store_is_not_watched_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let (notes, config) = (folder.path().join("notes.txt"), folder.path().join("gonedark.toml"));
    std::fs::write(&notes, "mine").expect("written");
    std::fs::write(&config, format!("[store]\npath = {notes:?}\n{SOURCE}")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["watch", "--config"])
        .arg(&config)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("notes.txt: is no store of gonedark") && said.contains("Give another path"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(&notes).expect("it is there"), "mine");
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is there").count(), 2, "nothing lies beside it");
}

#[test]
fn the_first_ten_lines_say_what_is_seen_what_is_not_and_where_to_look() {
    let (code, said, _) =
        check(&format!("[watch]\ncountries = [\"KP\"]\n[serve]\nlisten = \"127.0.0.1:8080\"\n{SOURCE}"));
    assert_eq!(code, Some(0));
    assert!(said.lines().count() <= 10, "{said}");
    for word in
        ["Watching KP", "Source here", "Not seen", "Store: gonedark.db", "http://127.0.0.1:8080/status"]
    {
        assert!(said.contains(word), "{word}: {said}");
    }
}

#[test]
fn a_second_watch_of_the_same_store_is_refused() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording.path(), folder.path());
    let mut first = watched.start();
    std::thread::sleep(std::time::Duration::from_millis(300));
    if first.try_wait().expect("its state").is_none() {
        let second = watched.run();
        let said = String::from_utf8_lossy(&second.stderr).into_owned();
        assert!(second.status.code() == Some(1) && said.contains("another process is writing it"), "{said}");
    }
    first.wait().expect("it ends");
}
