//! What the listing of archive files and the rhythm of collectors claim.

use std::fs;
use std::path::{Path, PathBuf};

use gonedark::source::archive::{ArchiveReader, FileName, Gap, Kind, Rhythm, Why, Workers, list};
use gonedark_route::Time;
use proptest::prelude::*;

fn at(stamp: &str) -> Time {
    FileName::parse(&format!("updates.{stamp}.gz")).time.expect("a time")
}

fn write(root: &Path, path: &str, content: &[u8]) -> PathBuf {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, content).expect("room");
    path
}

/// The folder of real captures. On CI it must be there.
fn shared() -> Option<PathBuf> {
    let path = std::env::var_os("GONEDARK_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    if path.join("data").is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{} must be there on CI", path.display());
    let test = std::thread::current();
    let said = format!("test passed over: {}: no real captures\n", test.name().unwrap_or_default());
    let _ = std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes());
    None
}

#[test]
fn files_come_in_the_same_order_however_they_are_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for path in [
        "rrc01/2014.12/updates.20141222.1600.gz",
        "rrc01/2014.12/bview.20141222.1600.gz",
        "rrc01/2014.11/updates.20141130.2355.gz",
        "rrc00/updates.20141222.1615.gz",
        "route-views2/bgpdata/2014.12/UPDATES/updates.20141222.1615.bz2",
        "route-views2/bgpdata/2014.12/RIBS/rib.20141222.1600.bz2",
        "cache/routeviews.route-views.jinx.ribs.1401487200.bz2",
        "bird_bgp",
    ] {
        write(root, path, b"x");
    }
    let all = list(&[root.into()]);
    let found: Vec<_> = all
        .files
        .iter()
        .map(|file| {
            format!("{} {}", file.collector, file.path.file_name().expect("a name").to_string_lossy())
        })
        .collect();
    let here = root.file_name().expect("a name").to_string_lossy();
    let mut wanted = vec![
        format!("{here} bird_bgp"),
        "route-views.jinx routeviews.route-views.jinx.ribs.1401487200.bz2".into(),
        "route-views2 rib.20141222.1600.bz2".into(),
        "route-views2 updates.20141222.1615.bz2".into(),
        "rrc00 updates.20141222.1615.gz".into(),
        "rrc01 updates.20141130.2355.gz".into(),
        "rrc01 bview.20141222.1600.gz".into(),
        "rrc01 updates.20141222.1600.gz".into(),
    ];
    wanted.sort_by(|a, b| a.split(' ').next().cmp(&b.split(' ').next()));
    assert_eq!(found, wanted);
    let mut one_by_one: Vec<PathBuf> = all.files.iter().rev().map(|file| file.path.clone()).collect();
    // A folder beside files in it: each once.
    one_by_one.push(root.join("rrc01"));
    assert_eq!(list(&one_by_one), all);
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_is_found() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    let good = write(root, "rrc00/updates.20141222.1600.gz", b"x");
    write(root, "rrc00/updates.20141222.1605.gz", b"");
    write(root, "rrc00/updates.20141222.1610.gz.part", b"x");
    write(root, "rrc00/updates.20141222.1600.gz.md5", b"x");
    write(root, "rrc00/index.html", b"x");
    write(root, "rrc00/.updates.20141222.1610.gz.Xy12", b"x");
    let listing = list(&[root.join("rrc00"), root.join("rrc77")]);
    assert_eq!(listing.files.len(), 1);
    assert_eq!((&listing.files[0].path, listing.files[0].kind), (&good, Kind::Updates));
    let why: Vec<_> = listing
        .passed_over
        .iter()
        .map(|passed| (passed.path.file_name().expect("a name").to_string_lossy().into_owned(), &passed.why))
        .collect();
    assert_eq!(why[0], ("index.html".into(), &Why::NotAnArchive));
    assert_eq!(why[1], ("updates.20141222.1600.gz.md5".into(), &Why::NotAnArchive));
    assert_eq!(why[2], ("updates.20141222.1605.gz".into(), &Why::Empty));
    assert_eq!(why[3], ("updates.20141222.1610.gz.part".into(), &Why::BeingWritten));
    assert!(why[4].0 == "rrc77" && matches!(why[4].1, Why::Unreadable(_)), "{why:?}");
    assert_eq!(listing.passed_over[2].time, Some(at("20141222.1605")));
    // By name any file is taken.
    assert_eq!(list(&[root.join("rrc00/index.html")]).files.len(), 1);
}

#[cfg(unix)]
#[test]
fn links_that_lead_in_a_circle_end() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "rrc00/updates.20141222.1600.gz", b"x");
    std::os::unix::fs::symlink(folder.path(), folder.path().join("rrc00/again")).expect("a link");
    std::os::unix::fs::symlink("nowhere", folder.path().join("rrc00/updates.20141222.1605.gz"))
        .expect("a link");
    let listing = list(&[folder.path().into()]);
    assert_eq!((listing.files.len(), listing.passed_over.len()), (1, 1));
}

#[test]
fn a_file_that_grows_while_it_is_read_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = write(folder.path(), "rrc00/updates.20141222.1600", &[7; 3_000_000]);
    let reader = ArchiveReader::open(&path, &Workers::new(0)).expect("it is there");
    let file = fs::OpenOptions::new().append(true).open(&path);
    std::io::Write::write_all(&mut file.expect("it is there"), b"more").expect("room");
    assert!(reader.finish().expect("readable").grew);
}

#[test]
fn an_empty_file_is_a_gap_in_the_rhythm() {
    let folder = tempfile::tempdir().expect("a folder");
    for (minute, content) in [("00", "x"), ("05", "x"), ("10", ""), ("15", "x"), ("20", "x")] {
        write(folder.path(), &format!("rrc00/updates.20141222.16{minute}.gz"), content.as_bytes());
    }
    let gap = Gap { collector: "rrc00".into(), from: at("20141222.1610"), until: at("20141222.1615") };
    assert_eq!(list(&[folder.path().into()]).gaps(), [gap]);
}

#[test]
fn the_real_gaps_of_a_folder_are_found() {
    let Some(shared) = shared() else { return };
    let listing = list(&[shared.join("data/bgp/bgpguard-rrc04")]);
    assert_eq!((listing.files.len(), listing.passed_over.len()), (64, 0));
    let gaps = listing.gaps();
    // Counted by hand from the names: a file is followed by a gap unless the next comes 5 minutes later.
    let times: Vec<i64> = listing.files.iter().filter_map(|file| Some(file.time?.seconds())).collect();
    let wanted: Vec<(i64, i64)> = times
        .windows(2)
        .filter(|pair| pair[1] - pair[0] != 300)
        .map(|pair| (pair[0] + 300, pair[1]))
        .collect();
    let found: Vec<(i64, i64)> = gaps.iter().map(|gap| (gap.from.seconds(), gap.until.seconds())).collect();
    assert_eq!(found, wanted);
    let named = [
        ("20220131.0635", "20220131.0640"),
        ("20220131.0645", "20220131.0825"),
        ("20220206.0825", "20220206.0850"),
        ("20220206.2355", "20220207.0000"),
    ];
    for (from, until) in named {
        assert!(gaps.iter().any(|gap| (gap.from, gap.until) == (at(from), at(until))), "{from}");
    }
}

fn every(minutes: i64, from: &str, count: i64) -> Vec<Time> {
    (0..count).map(|n| at(from) + n * minutes * 60_000_000).collect()
}

#[test]
fn a_rhythm_that_changes_is_no_gap() {
    // RIS in July 2003.
    let times = [every(15, "20030722.0000", 96), every(5, "20030723.0000", 288)].concat();
    let rhythm = Rhythm::learn(&times).expect("a rhythm");
    assert_eq!((rhythm.step_at(times[50]), rhythm.step_at(times[200])), (900, 300));
    assert_eq!(rhythm.gaps(&times), []);
    let mut holes = times;
    holes.remove(300);
    holes.remove(40);
    let gaps = [(at("20030722.1000"), at("20030722.1015")), (at("20030723.1700"), at("20030723.1705"))];
    assert_eq!(Rhythm::learn(&holes).expect("a rhythm").gaps(&holes), gaps);
}

#[test]
fn one_file_or_two_have_no_rhythm() {
    assert_eq!(Rhythm::learn(&[]), None);
    assert_eq!(Rhythm::learn(&every(5, "20141222.1600", 1)), None);
    assert_eq!(Rhythm::learn(&every(5, "20141222.1600", 2)), None);
    assert!(Rhythm::learn(&every(5, "20141222.1600", 3)).is_some());
    // Nor has one file a day: that is a selection.
    assert_eq!(Rhythm::learn(&every(24 * 60, "20141201.1200", 20)), None);
}

#[test]
fn a_restart_between_two_times_is_no_gap() {
    let mut times = every(15, "20020722.2000", 20);
    times.push(at("20020722.2238"));
    let rhythm = Rhythm::learn(&times).expect("a rhythm");
    assert_eq!(rhythm.gaps(&times), []);
    // Without the one that is due after it, the gap begins where that one should.
    times.retain(|time| *time != at("20020722.2245"));
    assert_eq!(rhythm.gaps(&times), [(at("20020722.2245"), at("20020722.2300"))]);
}

#[test]
fn names_that_are_a_minute_early_or_late_are_no_gaps() {
    let mut times = every(15, "20020722.2008", 40);
    for (n, minutes) in [(3, 1), (10, -1), (11, -1), (20, -1), (21, 1), (30, 2), (31, -2)] {
        times[n] = times[n] + minutes * 60_000_000;
    }
    let rhythm = Rhythm::learn(&times).expect("a rhythm");
    assert_eq!(rhythm.gaps(&times), []);
    times.remove(10);
    assert_eq!(rhythm.gaps(&times).len(), 1);
}

#[test]
fn what_is_missing_at_the_ends_of_a_range_is_missing() {
    let times = every(5, "20141222.1600", 4);
    let rhythm = Rhythm::learn(&times).expect("a rhythm");
    let gaps = rhythm.gaps_within(&times, at("20141222.1550"), at("20141222.1630"));
    assert_eq!(
        gaps,
        [(at("20141222.1550"), at("20141222.1600")), (at("20141222.1620"), at("20141222.1630"))]
    );
    assert_eq!(rhythm.gaps_within(&times, at("20141222.1602"), at("20141222.1619")), []);
    let range = (at("20141222.1602"), at("20141222.1619"));
    assert_eq!(rhythm.gaps_within(&[], range.0, range.1), [range]);
}

proptest! {
    #[test]
    fn exactly_the_files_left_out_are_missing(step in prop::sample::select(vec![60_i64, 300, 900]),
                                              left_out in prop::collection::btree_set(1_i64..199, 0..15)) {
        let times: Vec<Time> = (0..200)
            .filter(|n| !left_out.contains(n))
            .map(|n| at("20141222.0000") + n * step * 1_000_000)
            .collect();
        let gaps = Rhythm::learn(&times).expect("a rhythm").gaps(&times);
        let slots: i64 = gaps.iter().map(|(from, until)| (*until - *from) / (step * 1_000_000)).sum();
        prop_assert_eq!(slots, left_out.len() as i64);
    }

    #[test]
    fn any_times_end_without_panic(seconds in prop::collection::vec(any::<i64>(), 0..40)) {
        let times: Vec<Time> = seconds.into_iter().map(Time::from_micros).collect();
        if let Some(rhythm) = Rhythm::learn(&times) {
            rhythm.gaps_within(&times, Time::MIN, Time::MAX);
        }
    }
}
