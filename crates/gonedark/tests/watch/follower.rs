//! What the follower of archives promises: nothing earlier than a mark comes after it, wherever it goes on.

use gonedark::clock;
use gonedark::source::archive::{self, Workers, reading};
use gonedark::source::batch::{Observation, Spare};
use gonedark::source::channel::{Arrivals, channel};
use gonedark::source::follow::{Fetcher, Follower, Settings};
use gonedark::source::live::{self, Outlet, Running, Source, Stop};
use gonedark::source::parcel::{Freight, Parcel, Part, StreamKey};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Five minutes, as a file of RIS spans.
pub(crate) const STEP: i64 = 300;

/// Writes the file of updates that begins at `time`: one record, of a session that came up.
pub(crate) fn write(folder: &Path, time: i64) {
    put(folder, time, &record(time));
}

fn record(time: i64) -> Vec<u8> {
    stamped(time as u32 + 1)
}

fn stamped(stamp: u32) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(64_500_u32.to_be_bytes());
    body.extend(64_501_u32.to_be_bytes());
    body.extend([0, 0, 0, 1, 192, 0, 2, 1, 192, 0, 2, 2]);
    body.extend([0, 5, 0, 6]);
    let mut record = Vec::new();
    record.extend(stamp.to_be_bytes());
    // BGP4MP_STATE_CHANGE_AS4 (RFC 6396 section 4.4).
    record.extend([0, 16, 0, 5]);
    record.extend((body.len() as u32).to_be_bytes());
    record.extend(body);
    record
}

/// Puts the file of updates that begins at `time` into its place at once, as whoever fetches does.
fn put(folder: &Path, time: i64, bytes: &[u8]) {
    let text = Time::from_seconds(time).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(12).collect();
    let name = folder.join(format!("updates.{}.{}", &digits[..8], &digits[8..]));
    let part = name.with_added_extension("part");
    std::fs::write(&part, bytes).and_then(|()| std::fs::rename(&part, &name)).expect("a file");
}

/// Everything it gives until it ends by itself.
pub(crate) fn all(follower: Follower, positions: BTreeMap<StreamKey, String>) -> Vec<Parcel> {
    let (sender, parcels) = channel();
    let outlet = Outlet::new(sender.of_source(1 << 30), Stop::default(), Arc::new(positions));
    drop(sender);
    let running = live::start(Box::new(follower), outlet).expect("a thread");
    let mut all = Vec::new();
    while let Ok(Freight::Parcel(parcel)) = parcels.recv_timeout(Duration::from_secs(20)) {
        all.push(parcel);
    }
    assert!(running.join());
    all
}

#[test]
fn wherever_it_goes_on_it_keeps_what_it_promised_and_says_what_it_would_have_said() {
    const BEGIN: i64 = 1_700_000_100;
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    // Two files are missing.
    for number in [0, 1, 2, 3, 6, 7, 8] {
        write(&collector, BEGIN - BEGIN % STEP + number * STEP);
    }
    let follower = || Follower::new(Settings { once: true, ..settings(folder.path()) }, None);
    let whole = all(follower(), BTreeMap::new());
    let said = observations(&whole);
    let gaps = said.iter().filter(|(_, what)| matches!(what, Observation::GapBegin { .. })).count();
    assert_eq!(gaps, 1, "{said:?}");
    let mut stops = 0;
    for stop in 1..=whole.len() {
        let before = &whole[..stop];
        let positions = before.iter().rev().find_map(|parcel| parcel.position.clone());
        let positions = positions.map(|position| (key("rrc00"), position)).into_iter().collect();
        let mut parcels = before.to_vec();
        parcels.extend(all(follower(), positions));
        let mut promised = Time::MIN;
        for parcel in &parcels {
            let first = parcel.batch.observations.first();
            assert!(first.is_none_or(|(at, _)| *at >= promised), "{promised:?} was promised: {parcel:?}");
            promised = promised.max(parcel.mark.unwrap_or(Time::MIN));
        }
        assert_eq!(observations(&parcels), said, "stopped after {stop}");
        stops += 1;
    }
    assert!(stops > 10);
}

fn key(collector: &str) -> StreamKey {
    StreamKey { source: "files".into(), collector: collector.into(), part: Part::Messages }
}

/// Of all that is in a folder.
fn settings(folder: &Path) -> Settings {
    Settings {
        name: "files".into(),
        folder: folder.to_owned(),
        collectors: BTreeSet::new(),
        poll: Duration::from_millis(30),
        patience: Duration::from_secs(900),
        once: false,
        from_newest_table: false,
        bootstrap: false,
    }
}

/// A follower of files as they come, and a folder for them.
struct Live {
    folder: tempfile::TempDir,
    /// When the file of now begins.
    now: i64,
    parcels: Arrivals,
    stop: Stop,
    running: Option<Running>,
}

impl Live {
    /// Files that begin so many steps before now are there from the beginning.
    fn new(steps: &[i64], patience: Duration, fetcher: Option<Fetcher>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join("rrc00")).expect("a folder");
        let settings = Settings { patience, ..settings(folder.path()) };
        let now = clock::now().seconds();
        let ((sender, parcels), stop) = (channel(), Stop::default());
        let outlet = Outlet::new(sender.of_source(1 << 30), stop.clone(), Arc::default());
        let mut live = Live { folder, now: now - now % STEP, parcels, stop, running: None };
        steps.iter().for_each(|steps| live.write(*steps));
        let running = live::start(Box::new(Follower::new(settings, fetcher)), outlet).expect("a thread");
        live.running = Some(running);
        live
    }

    fn write(&self, steps: i64) {
        write(&self.folder.path().join("rrc00"), self.now - steps * STEP);
    }

    /// What comes within a second of silence: `up` for each file, `blind` and `sees`.
    fn told(&self) -> Vec<&'static str> {
        let mut told = Vec::new();
        while let Ok(Freight::Parcel(parcel)) = self.parcels.recv_timeout(Duration::from_millis(500)) {
            // Marks alone come all the time where a file is overdue.
            if parcel.batch.observations.is_empty() && told.len() > 20 {
                break;
            }
            told.push("");
            told.extend(parcel.batch.observations.iter().map(|(_, what)| match what {
                Observation::GapBegin { .. } => "blind",
                Observation::GapEnd => "sees",
                _ => "up",
            }));
        }
        told.retain(|word| !word.is_empty());
        told
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.stop.stop();
        assert!(self.running.take().is_none_or(Running::join), "it ended by a bug");
    }
}

#[test]
fn a_file_that_is_late_is_waited_for_also_where_the_one_after_it_is_there() {
    let live = Live::new(&[5, 4, 3, 1], Duration::from_secs(900), None);
    assert_eq!(live.told(), ["up"; 3]);
    live.write(2);
    assert_eq!(live.told(), ["up"; 2]);
}

#[test]
fn a_file_of_the_future_by_its_name_is_left_out_and_ends_nobody() {
    // Nobody waits for what would come before it.
    let live = Live::new(&[5, 4, 3, -400], Duration::from_secs(1), None);
    assert_eq!(live.told(), ["up", "up", "up", "blind"]);
    live.write(2);
    assert_eq!(live.told()[..2], ["sees", "up"]);
}

#[test]
fn a_late_file_is_waited_for_also_behind_one_that_is_damaged() {
    let live = Live::new(&[7, 6, 5], Duration::from_secs(3600), None);
    assert_eq!(live.told(), ["up"; 3]);
    let time = live.now - 4 * STEP;
    put(&live.folder.path().join("rrc00"), time, &record(time)[..20]);
    assert_eq!(live.told(), ["blind"]);
    live.write(2);
    assert_eq!(live.told(), [""; 0]);
    live.write(3);
    assert_eq!(live.told(), ["sees", "up", "up"]);
}

#[test]
fn while_more_is_fetched_what_joins_on_is_read_and_nothing_else() {
    let (answer, never) = std::sync::mpsc::sync_channel::<()>(1);
    let mut is_first = true;
    let fetcher: Fetcher = Box::new(move |_| {
        if !std::mem::replace(&mut is_first, false) {
            let _ = never.recv();
        }
        Ok(())
    });
    // Nobody waits for what is so old, but it may still be fetched.
    let live = Live::new(&[12, 11, 10], Duration::from_secs(60), Some(fetcher));
    assert_eq!(live.told(), ["up", "up", "up", "blind"]);
    live.write(9);
    live.write(7);
    let other = live.folder.path().join("rrc01");
    std::fs::create_dir(&other).expect("a folder");
    write(&other, live.now - 9 * STEP);
    assert_eq!(live.told(), ["sees", "up", "blind"], "neither behind a hole nor of whom nothing was read");
    answer.send(()).expect("it is asked");
    // Also of whom a single file tells no rhythm nobody waits for another.
    assert_eq!(live.told(), ["up", "sees", "up", "blind", "blind"]);
}

#[test]
fn a_table_that_an_earlier_run_has_begun_is_read_on_before_all_is_fetched() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    std::fs::write(collector.join("bview.20231114.2200"), record(1_700_000_000)).expect("a table");
    let at = Time::from_seconds(1_699_999_200).micros();
    let tables = StreamKey { part: Part::Tables, ..key("rrc00") };
    let positions = BTreeMap::from([(tables.clone(), format!("{at} 0 part 0 sees bview.20231114.2200"))]);
    let (answer, never) = std::sync::mpsc::sync_channel::<()>(1);
    let fetcher: Fetcher = Box::new(move |_| never.recv().map_err(|_| "the end".to_owned()));
    let ((sender, parcels), stop) = (channel(), Stop::default());
    let outlet = Outlet::new(sender.of_source(1 << 30), stop.clone(), Arc::new(positions));
    let follower = Follower::new(settings(folder.path()), Some(fetcher));
    let running = live::start(Box::new(follower), outlet).expect("a thread");
    let ended = std::iter::from_fn(|| match parcels.recv_timeout(Duration::from_secs(20)) {
        Ok(Freight::Parcel(parcel)) => Some(parcel),
        _ => None,
    });
    let ended = ended.into_iter().find(|parcel| parcel.closed).map(|parcel| (*parcel.stream).clone());
    stop.stop();
    drop(answer);
    assert!(running.join());
    assert_eq!(ended, Some(tables));
}

#[test]
fn at_a_restart_it_fetches_what_follows_what_was_read() {
    let (told, asked) = std::sync::mpsc::sync_channel(1);
    let fetcher: Fetcher = Box::new(move |read| {
        told.send(read.clone()).map_err(|why| why.to_string())?;
        Ok(())
    });
    let folder = tempfile::tempdir().expect("a folder");
    let until = 1_700_000_400_000_000;
    let position = |name: &str| (key(name), format!("1700000100000000 1 whole {until} sees updates.x"));
    let collectors = BTreeSet::from(["rrc00".to_owned()]);
    let settings = Settings { once: true, collectors, ..settings(folder.path()) };
    // One that is not wanted any more would have it fetch what nobody reads.
    all(Follower::new(settings, Some(fetcher)), [position("rrc00"), position("rrc01")].into());
    let expected = BTreeMap::from([("rrc00".to_owned(), Time::from_micros(until))]);
    assert_eq!(asked.recv().expect("it was asked"), expected);
}

#[test]
fn a_file_that_is_missing_is_given_up() {
    let live = Live::new(&[7, 6, 5, 1, 0], Duration::from_secs(60), None);
    assert_eq!(live.told(), ["up", "up", "up", "blind", "sees", "up", "up"]);
}

#[test]
fn who_stops_after_two_files_is_blind_once_nobody_waits_any_more() {
    let live = Live::new(&[30, 29], Duration::from_secs(1), None);
    assert_eq!(live.told(), ["up", "up", "blind"]);
}

#[test]
fn of_whom_the_files_are_removed_it_goes_on_to_say_that_nobody_waits() {
    let live = Live::new(&[30, 29, 28], Duration::from_secs(1), None);
    assert_eq!(live.told(), ["up", "up", "up", "blind"]);
    std::fs::remove_dir_all(live.folder.path().join("rrc00")).expect("removed");
    let mut marks = BTreeSet::new();
    while marks.len() < 3 {
        let Ok(Freight::Parcel(parcel)) = live.parcels.recv_timeout(Duration::from_secs(5)) else {
            panic!("everybody waits for a collector without files");
        };
        // By the rhythm that the files had they would be later.
        marks.extend(parcel.mark.filter(|mark| *mark < clock::now() + -900_000_000));
    }
}

#[test]
fn it_goes_on_with_its_own_streams_of_collectors_that_are_wanted() {
    let folder = tempfile::tempdir().expect("a folder");
    let of = |collectors| Follower::new(Settings { collectors, ..settings(folder.path()) }, None);
    let one = of(BTreeSet::from(["rrc00".to_owned()]));
    assert!(one.goes_on(&key("rrc00")) && !one.goes_on(&key("rrc01")));
    let all = of(BTreeSet::new());
    assert!(all.goes_on(&key("rrc01")));
    assert!(!all.goes_on(&StreamKey { source: "other".into(), ..key("rrc01") }));
}

#[test]
fn what_was_closed_in_its_stead_is_seen_again_from_the_next_file_on() {
    const BEGIN: i64 = 1_700_000_100;
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    (0..4).for_each(|number| write(&collector, BEGIN + number * STEP));
    let at = Time::from_seconds(BEGIN + STEP).micros();
    let position = format!("shut {at} 1 whole {} sees updates.z", at + STEP * 1_000_000);
    let follower = Follower::new(Settings { once: true, ..settings(folder.path()) }, None);
    let parcels = all(follower, [(key("rrc00"), position)].into());
    let said = observations(&parcels);
    assert_eq!(said[0], (Time::from_seconds(BEGIN + 2 * STEP), Observation::GapEnd), "{said:?}");
    assert_eq!(said.iter().filter(|(_, what)| *what == Observation::GapEnd).count(), 1);
    assert_eq!(said.len(), 3);
    assert!(
        parcels.iter().filter_map(|parcel| parcel.position.as_ref()).all(|text| !text.starts_with("shut"))
    );
}

#[test]
fn what_was_left_within_a_file_that_is_gone_is_ended_and_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let begin = Time::from_seconds(1_700_000_100);
    let tables = StreamKey { part: Part::Tables, ..key("rrc00") };
    let left = |name: &str| format!("{0} 3 part {0} sees {name}.20231114.2215.gz", begin.micros());
    let left = [(key("rrc00"), left("updates")), (tables.clone(), left("bview"))];
    let follower = || Follower::new(Settings { once: true, ..settings(folder.path()) }, None);
    let parcels = all(follower(), left.into());
    let of = |key: &StreamKey| parcels.iter().find(|parcel| *parcel.stream == *key).expect("it is told of");
    let (messages, table) = (of(&key("rrc00")), of(&tables));
    let blind = Observation::GapBegin { reason: BlindReason::MissingFile };
    assert_eq!(messages.batch.observations, [(begin, blind)]);
    assert!(!messages.closed && table.closed, "the next table is not waited for, the next messages are");
    assert_eq!(table.batch.observations, [(begin, Observation::TableEnd { whole: false })]);
    let told = |parcel: &Parcel| ((*parcel.stream).clone(), parcel.position.clone().expect("a position"));
    let again = observations(&all(follower(), [told(messages), told(table)].into()));
    assert!(again.is_empty(), "{again:?}");
}

#[test]
fn a_stamp_of_another_century_is_damage_and_holds_nobody_up() {
    const BEGIN: i64 = 1_700_000_100;
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    write(&collector, BEGIN);
    let bytes = [record(BEGIN + STEP), stamped(u32::MAX), record(BEGIN + STEP + 60)].concat();
    put(&collector, BEGIN + STEP, &bytes);
    write(&collector, BEGIN + 2 * STEP);
    let follower = Follower::new(Settings { once: true, ..settings(folder.path()) }, None);
    let parcels = all(follower, BTreeMap::new());
    let said = observations(&parcels);
    let up = said.iter().filter(|(_, what)| matches!(what, Observation::Session { .. })).count();
    let damaged = said.iter().filter(|(_, what)| *what == Observation::Damaged { peer: None }).count();
    assert_eq!((up, damaged, said.len()), (4, 1, 5), "{said:?}");
    let end = Time::from_seconds(BEGIN + 3 * STEP);
    assert_eq!(parcels.iter().filter_map(|parcel| parcel.mark).max(), Some(end));
    assert!(said.iter().all(|(at, _)| *at < end), "{said:?}");

    let listing = archive::list(&[folder.path().to_owned()]);
    let pieces = reading::start(&listing.files[1], None, &Workers::new(0), &Spare::default());
    let damage = pieces.into_iter().find_map(|piece| match piece {
        reading::Piece::End(summary) => Some((summary.records, summary.damage)),
        reading::Piece::Batch(_) => None,
    });
    let (records, damage) = damage.expect("it ends");
    let what: Vec<&str> = damage.iter().map(|complaint| complaint.what.as_str()).collect();
    assert_eq!(what, ["record is stamped more than 30034 days after the time in the file's name"]);
    assert_eq!((records, damage[0].offset), (2, Some(bytes.len() as u64 / 3)));
}

#[test]
fn what_is_read_once_waits_for_a_fetch_that_takes_longer_than_a_look() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    let into = collector.clone();
    let fetcher: Fetcher = Box::new(move |_| {
        std::thread::sleep(Duration::from_millis(400));
        std::fs::create_dir(&into).map_err(|why| why.to_string())?;
        (0..3).for_each(|number| write(&into, 1_700_000_100 + number * STEP));
        Ok(())
    });
    let settings = Settings { once: true, ..settings(folder.path()) };
    let said = observations(&all(Follower::new(settings, Some(fetcher)), BTreeMap::new()));
    assert_eq!(said.len(), 3, "{said:?}");
}

#[test]
fn an_archive_that_does_not_answer_keeps_nobody_from_telling_what_is_overdue_or_from_stopping() {
    let (answer, never) = std::sync::mpsc::sync_channel::<()>(1);
    let mut is_first = true;
    let fetcher: Fetcher = Box::new(move |_| {
        if !std::mem::replace(&mut is_first, false) {
            let _ = never.recv();
        }
        Ok(())
    });
    let live = Live::new(&[30, 29, 28, 27], Duration::from_secs(1), Some(fetcher));
    assert_eq!(live.told(), ["up", "up", "up", "up", "blind"]);
    drop(live);
    drop(answer);
}

fn observations(parcels: &[Parcel]) -> Vec<(Time, Observation)> {
    parcels.iter().flat_map(|parcel| parcel.batch.observations.clone()).collect()
}
