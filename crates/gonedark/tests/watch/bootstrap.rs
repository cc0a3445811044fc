//! Archives that give the answers of the first minutes, until RIS Live goes on alone.

use gonedark::clock;
use gonedark::source::follow::{Follower, Settings};
use gonedark::source::live::{self, Outlet, Source, Stop};
use gonedark::source::parcel::{Parcel, Part, StreamKey};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// Five minutes, as a file of RIS spans.
const STEP: i64 = 300;

/// Writes the file of updates that begins at `time`: one record, of a session that came up.
fn write(folder: &Path, time: i64) {
    let mut body = Vec::new();
    body.extend(64_500_u32.to_be_bytes());
    body.extend(64_501_u32.to_be_bytes());
    body.extend([0, 0, 0, 1, 192, 0, 2, 1, 192, 0, 2, 2]);
    body.extend([0, 5, 0, 6]);
    let mut record = Vec::new();
    record.extend((time as u32 + 1).to_be_bytes());
    // BGP4MP_STATE_CHANGE_AS4 (RFC 6396 section 4.4).
    record.extend([0, 16, 0, 5]);
    record.extend((body.len() as u32).to_be_bytes());
    record.extend(body);
    let text = Time::from_seconds(time).to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(12).collect();
    let name = format!("updates.{}.{}", &digits[..8], &digits[8..]);
    std::fs::write(folder.join(name), record).expect("a file");
}

fn follower(folder: &Path, patience: Duration) -> Follower {
    let settings = Settings {
        name: "begin".into(),
        folder: folder.to_owned(),
        collectors: BTreeSet::from(["rrc00".to_owned()]),
        poll: Duration::from_millis(50),
        patience,
        once: false,
        from_newest_table: true,
        bootstrap: true,
    };
    Follower::new(settings, None)
}

fn key() -> StreamKey {
    StreamKey { source: "begin".into(), collector: "rrc00".into(), part: Part::Messages }
}

/// Everything it gives until it ends by itself.
fn all(follower: Follower, positions: BTreeMap<StreamKey, String>) -> Vec<Parcel> {
    let (sender, parcels) = sync_channel(1000);
    let outlet = Outlet::new(sender, Stop::default(), Arc::new(positions));
    let running = live::start(Box::new(follower), outlet).expect("a thread");
    let mut all = Vec::new();
    while let Ok(parcel) = parcels.recv_timeout(Duration::from_secs(20)) {
        all.push(parcel);
    }
    assert!(running.join());
    all
}

#[test]
fn a_bootstrap_reads_past_the_start_hands_over_and_is_not_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    let now = clock::now().micros() / 1_000_000;
    let newest = now - now % STEP + STEP;
    for back in 0..5 {
        write(&collector, newest - back * STEP);
    }
    let follower_of = || follower(folder.path(), Duration::from_secs(900));
    assert_eq!(follower_of().awaited(), [key()]);
    let parcels = all(follower_of(), BTreeMap::new());
    let last = parcels.last().expect("parcels");
    assert!(last.closed && last.mark >= Some(Time::from_seconds(now + 30)), "{last:?}");
    assert!(parcels[..parcels.len() - 1].iter().all(|parcel| !parcel.closed));
    let position = last.position.clone().expect("a position");
    assert!(position.starts_with("bootstrapped "), "{position}");
    // Nothing is read at the next start.
    assert_eq!(all(follower_of(), BTreeMap::from([(key(), position)])), []);
}

#[test]
fn a_collector_without_files_is_not_waited_for_for_ever() {
    let folder = tempfile::tempdir().expect("a folder");
    let parcels = all(follower(folder.path(), Duration::from_millis(300)), BTreeMap::new());
    assert_eq!(parcels.len(), 1);
    assert!(parcels[0].closed && parcels[0].position.as_deref() == Some("bootstrapped"));
}
