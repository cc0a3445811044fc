//! Archives that give the answers of the first minutes, until RIS Live goes on alone.

use crate::follower::{STEP, all, write};
use crate::streams::observatory;
use gonedark::clock;
use gonedark::source::channel::channel;
use gonedark::source::follow::{Fetcher, Follower, Settings, catch_up};
use gonedark::source::live::{self, Outlet, Source, Stop};
use gonedark::source::parcel::{Part, StreamKey};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
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
fn what_a_live_source_missed_during_a_stop_is_read_from_where_it_was_heard_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let collector = folder.path().join("rrc00");
    std::fs::create_dir(&collector).expect("a folder");
    let now = clock::now();
    let newest = now.seconds() - now.seconds() % STEP + STEP;
    for back in 0..9 {
        write(&collector, newest - back * STEP);
    }
    let heard = Time::from_seconds(newest - 4 * STEP + 100);
    let done = format!("bootstrapped 1 1 whole {} sees updates", heard.micros() - 3_600_000_000);
    let mut positions = BTreeMap::from([(key(), done)]);
    let opening = catch_up(&mut positions, |_| Some(heard), now);
    assert_eq!(opening.iter().map(|parcel| &*parcel.stream).collect::<Vec<_>>(), [&key()]);
    // Stopped before anything of it came, while the live source was heard again: the next start must not wait for nobody.
    let mut observatory = observatory();
    opening.into_iter().for_each(|parcel| observatory.take(parcel));
    let mut positions = observatory.positions();
    assert_eq!(catch_up(&mut positions, |_| Some(now), now), []);
    let parcels = all(follower(folder.path(), Duration::from_secs(900), None), positions);
    let stamps: Vec<i64> = parcels
        .iter()
        .flat_map(|parcel| &parcel.batch.observations)
        .map(|(at, _)| (*at - Time::from_seconds(newest)) / 1_000_000)
        .collect();
    // The first record, which was heard already, is of the moment to which it was heard.
    let expected = [-4 * STEP + 100, -3 * STEP + 1, -2 * STEP + 1, -STEP + 1, 1];
    assert_eq!(stamps, expected, "{parcels:#?}");
    assert!(
        parcels
            .iter()
            .filter_map(|parcel| parcel.mark)
            .all(|mark| mark >= Time::from_seconds(newest - 4 * STEP))
    );
    let last = parcels.last().expect("parcels");
    assert!(
        last.closed && last.position.as_ref().is_some_and(|position| position.starts_with("bootstrapped "))
    );
}

#[test]
fn a_fetch_that_fails_is_told_and_the_source_is_not_well_until_it_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let works = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&works);
    let fetcher: Fetcher = Box::new(move |_| match asked.load(Ordering::SeqCst) {
        true => Ok(()),
        false => Err("rrc00: connection refused".to_owned()),
    });
    let follower = follower(folder.path(), Duration::from_secs(900), Some(fetcher));
    let (sender, _parcels) = channel();
    let stop = Stop::default();
    let outlet = Outlet::new(sender.of_source(1 << 20), stop.clone(), Arc::default());
    let running = live::start(Box::new(follower), outlet).expect("a thread");
    let stays = |is_well: bool, says: &str| {
        let is = || {
            let condition = running.health.condition();
            condition.is_well == is_well && condition.says.contains(says)
        };
        for _ in 0..200 {
            std::thread::sleep(Duration::from_millis(20));
            if (0..20).all(|_| {
                std::thread::sleep(Duration::from_millis(5));
                is()
            }) {
                return;
            }
        }
        panic!("{:?}", running.health.condition());
    };
    stays(false, "cannot fetch: rrc00: connection refused");
    works.store(true, Ordering::SeqCst);
    stays(true, "");
    stop.stop();
    assert!(running.join());
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
