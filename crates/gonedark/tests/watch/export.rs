//! Out of a store and into one: what a replay found comes out as it went in.

use crate::observed::{Observed, recording};
use std::path::Path;
use std::process::{Command, Output};

fn gonedark(arguments: &[&str], store: Option<&Path>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
    command.args(arguments);
    if let Some(store) = store {
        command.arg("--store").arg(store);
    }
    command.output().expect("it runs")
}

fn said(arguments: &[&str], store: &Path) -> String {
    let output = gonedark(arguments, Some(store));
    assert!(output.status.success(), "{arguments:?} {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    lines
}

#[test]
fn what_a_replay_found_is_imported_once_and_comes_out_as_it_was() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let [series, report, store] = ["kp.csv", "kp.json", "store.db"].map(|name| folder.path().join(name));
    let archives = recording.path().to_str().expect("a path");
    let replayed = gonedark(
        &["replay", archives, "--format", "json", "--series", series.to_str().expect("a path")],
        None,
    );
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    std::fs::write(&report, &replayed.stdout).expect("written");
    let [series_path, report_path] = [&series, &report].map(|path| path.to_str().expect("a path"));
    let mut first = None;
    for _ in 0..2 {
        said(&["import", report_path, "--series", series_path], &store);
        let incidents = said(&["export", "--format", "ndjson"], &store);
        let points = said(&["export", "--format", "csv", "--what", "points"], &store);
        let known = first.get_or_insert((incidents.clone(), points.clone()));
        assert_eq!(*known, (incidents, points), "twice is once");
    }
    let (incidents, points) = first.expect("imported");
    let truth: serde_json::Value = serde_json::from_slice(&replayed.stdout).expect("JSON");
    let found: Vec<serde_json::Value> =
        incidents.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!found.is_empty());
    assert_eq!(truth["incidents"], serde_json::Value::Array(found));
    let csv = std::fs::read_to_string(&series).expect("a series");
    assert!(csv.lines().count() > 10);
    assert_eq!(sorted(&csv), sorted(&points));
    let db = rusqlite::Connection::open(&store).expect("a store");
    let marked: i64 = db
        .query_row("SELECT count(*) FROM stream WHERE source = 'import' AND closed", [], |row| row.get(0))
        .expect("a count");
    assert_eq!(marked, 2);
}

#[test]
fn a_store_is_exported_by_entity_and_range() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording.path(), folder.path());
    assert!(watched.run().status.success());
    let export = |more: &[&str]| said(&[&["export", "--format", "csv"], more].concat(), &watched.store);
    let all = export(&["--what", "points"]);
    let kp = export(&["--what", "points", "--entity", "KP"]);
    assert!(kp.lines().count() > 10 && kp.lines().skip(1).all(|line| line.contains(",country,KP,")), "{kp}");
    assert!(all.lines().count() > kp.lines().count());
    // In the middle of the night the value that holds comes first, though it was taken before.
    let night = export(&[
        "--what",
        "points",
        "--entity",
        "KP",
        "--from",
        "2014-12-22T20:00:00Z",
        "--until",
        "2014-12-22T21:00:00Z",
    ]);
    let held = night.lines().find(|line| line.ends_with("ipv4,networks_up,0,false"));
    assert!(held.is_some_and(|line| line < "2014-12-22T20"), "{night}");
    assert!(kp.lines().any(|line| Some(line) == held));
    let phases = export(&["--what", "phases", "--entity", "KP"]);
    assert!(phases.lines().any(|line| line.contains(",dark,2014-12-22T16:")), "{phases}");
    let incidents = export(&["--until", "2014-12-23"]);
    assert!(incidents.lines().any(|line| line.contains(",KP,North Korea,ended,dark,")), "{incidents}");
    assert_eq!(export(&["--from", "2015-06-01"]).lines().count(), 1, "nothing but the heading");
    assert_eq!(export(&["--entity", "AS1"]).lines().count(), 1);
    assert!(export(&["--what", "blind"]).starts_with("collector,peer_asn,since,until,reason\n"));
    let wrong = gonedark(&["export", "--format", "csv", "--entity", "Korea"], Some(&watched.store));
    assert_eq!(wrong.status.code(), Some(2), "{}", String::from_utf8_lossy(&wrong.stderr));
}

#[test]
fn old_values_are_thinned_out_by_a_watch_and_incidents_stay() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording.path(), folder.path());
    assert!(watched.run().status.success());
    let export = |what: &str| said(&["export", "--format", "csv", "--what", what], &watched.store);
    let (all, incidents) = (export("points"), export("incidents"));
    watched.set("downsample_after_days = 1");
    assert!(watched.run().status.success());
    let left = export("points");
    let is_new = |line: &&str| *line >= "2014-12-28";
    let of = |text: &str| text.lines().filter(is_new).map(str::to_owned).collect::<Vec<_>>();
    assert!(left.lines().count() < all.lines().count() && left.lines().all(|line| all.contains(line)));
    assert_eq!(of(&left), of(&all), "of the last day all");
    assert_eq!(export("incidents"), incidents);
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_holds_the_rows_of_csv() {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording.path(), folder.path());
    assert!(watched.run().status.success());
    let file = folder.path().join("rows.parquet");
    let path = file.to_str().expect("a path");
    for what in ["incidents", "points", "blind", "phases"] {
        let csv = said(&["export", "--format", "csv", "--what", what], &watched.store);
        said(&["export", "--format", "parquet", "--what", what, "--out", path], &watched.store);
        let reader = SerializedFileReader::new(std::fs::File::open(&file).expect("a file")).expect("Parquet");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| {
            let row = row.expect("a row");
            let words = row.get_column_iter().map(|(_, field)| match field {
                Field::TimestampMicros(micros) => gonedark_route::Time::from_micros(*micros).to_string(),
                Field::Str(text) => text.clone(),
                Field::Long(value) => value.to_string(),
                Field::Bool(truth) => truth.to_string(),
                Field::Null => String::new(),
                other => panic!("{other:?}"),
            });
            words.collect::<Vec<_>>().join(",")
        });
        let (rows, lines) = (rows.collect::<Vec<_>>(), csv.lines().skip(1).collect::<Vec<_>>());
        assert!(rows.len() > 1, "{what}");
        assert_eq!(rows, lines, "{what}");
    }
    let nowhere = gonedark(&["export", "--format", "parquet"], Some(&watched.store));
    let why = String::from_utf8_lossy(&nowhere.stderr).into_owned();
    assert!(nowhere.status.code() == Some(2) && why.contains("--out FILE"), "{why}");
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_that_was_not_built_in_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store.db");
    let refused = gonedark(&["export", "--format", "parquet", "--out", "rows.parquet"], Some(&store));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("--features parquet"), "{why}");
}

#[test]
fn a_window_that_ends_before_it_begins_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store.db");
    let turned = ["export", "--format", "csv", "--from", "2014-12-23", "--until", "2014-12-22"];
    let refused = gonedark(&turned, Some(&store));
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("comes after --until"), "{why}");
}

/// A store with nothing in it.
fn new_store(path: &Path) {
    drop(gonedark::store::Store::open(path).expect("a store"));
}

#[test]
fn an_export_over_the_store_or_the_configuration_is_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let (store, config) = (at("a.part"), at("gonedark.toml"));
    new_store(&store);
    let text = format!("[store]\npath = {store:?}\n[[source.archive]]\nname = \"a\"\nfolder = \"a\"\n");
    std::fs::write(&config, text).expect("written");
    std::fs::hard_link(&store, at("linked.db")).expect("a second name");
    let kept = [&store, &config].map(|path| std::fs::read(path).expect("it is there"));
    let outs =
        ["a.part", "./a.part", "linked.db", "a.part-wal", "a.part-shm", "a.part.lock", "gonedark.toml"];
    // The last is written by way of the store itself.
    for out in outs.into_iter().chain(["a"]) {
        let refused = Command::new(env!("CARGO_BIN_EXE_gonedark"))
            .args(["export", "--format", "csv", "--config", "gonedark.toml", "--out", out])
            .current_dir(folder.path())
            .output()
            .expect("it runs");
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && why.contains("would overwrite"), "{out}: {why}");
    }
    assert_eq!([&store, &config].map(|path| std::fs::read(path).expect("it is there")), kept);
    let elsewhere = at("rows.csv");
    said(&["export", "--format", "csv", "--out", elsewhere.to_str().expect("a path")], &store);
    let rows = std::fs::read_to_string(&elsewhere).expect("rows");
    assert!(rows.starts_with("id,kind,code,") && rows.lines().count() == 1, "{rows}");
}

#[test]
fn what_is_no_store_is_neither_exported_nor_imported_into() {
    let folder = tempfile::tempdir().expect("a folder");
    let notes = folder.path().join("ev.toml");
    std::fs::write(&notes, "[watch]\n").expect("written");
    for arguments in [&["export", "--format", "csv"], &["import", "--series", "kp.csv"]] {
        let refused = gonedark(arguments, Some(&notes));
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{why}");
        assert!(why.contains(&format!("{}: is no store of gonedark", notes.display())), "{why}");
        assert_eq!(refused.stdout, b"", "nothing is printed");
    }
    assert_eq!(std::fs::read_to_string(&notes).expect("it is there"), "[watch]\n");
}

#[test]
fn what_is_no_report_is_refused_with_its_path_and_what_to_give() {
    let folder = tempfile::tempdir().expect("a folder");
    let [store, report, series] = ["store.db", "kp.json", "kp.csv"].map(|name| folder.path().join(name));
    std::fs::write(&report, "{\"a\": 1}").expect("written");
    std::fs::write(&series, "a,b\n").expect("written");
    let [report, series] = [&report, &series].map(|path| path.to_str().expect("a path"));
    for (arguments, told) in [
        (
            &["import", report][..],
            format!("{report}: is no report of gonedark; give one that `gonedark replay"),
        ),
        (
            &["import", "--series", series],
            format!("{series}: line 1: is no series of gonedark; give one that"),
        ),
    ] {
        let refused = gonedark(arguments, Some(&store));
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && why.contains(&told), "{why}");
    }
}
