//! Archives that give the answers of the first minutes, until RIS Live goes on alone.

use crate::follower::{STEP, all, write};
use gonedark::clock;
use gonedark::source::follow::{Fetcher, Follower, Settings};
use gonedark::source::live::Source;
use gonedark::source::parcel::{Part, StreamKey};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

fn follower(folder: &Path, patience: Duration, fetcher: Option<Fetcher>) -> Follower {
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
    Follower::new(settings, fetcher)
}

fn key() -> StreamKey {
    StreamKey { source: "begin".into(), collector: "rrc00".into(), part: Part::Messages }
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
    let follower_of = || follower(folder.path(), Duration::from_secs(900), None);
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
    let parcels = all(follower(folder.path(), Duration::from_millis(300), None), BTreeMap::new());
    assert_eq!(parcels.len(), 1);
    assert!(parcels[0].closed && parcels[0].position.as_deref() == Some("bootstrapped"));
}

#[test]
fn a_fetch_that_takes_longer_than_patience_is_waited_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    let fetcher: Fetcher = Box::new(move |_| {
        std::thread::sleep(Duration::from_millis(600));
        std::fs::create_dir_all(&collector).map_err(|why| why.to_string())?;
        let now = clock::now().seconds();
        (0..5).for_each(|back| write(&collector, now - now % STEP + STEP - back * STEP));
        Ok(())
    });
    let parcels = all(follower(folder.path(), Duration::from_millis(300), Some(fetcher)), BTreeMap::new());
    let read: usize = parcels.iter().map(|parcel| parcel.batch.observations.len()).sum();
    assert_eq!(read, 5, "{parcels:#?}");
}
