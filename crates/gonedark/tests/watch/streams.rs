//! Streams that end, each in its way: what is known of their collectors afterwards.

use crate::ris_server::key;
use gonedark::country;
use gonedark::pipeline::observatory::Observatory;
use gonedark::present::Nameless;
use gonedark::source::batch::{Neighbour, Observation};
use gonedark::source::channel::channel;
use gonedark::source::live::{self, Outlet, Source, Stop};
use gonedark::source::parcel::{Parcel, Part};
use gonedark::store::Store;
use gonedark::store::retention::Keeping;
use gonedark::watch::{self, Limits, Pace, SharedOrigins, Watching};
use gonedark_infer::Watch;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::BlindReason;
use gonedark_route::{Asn, Time};
use std::sync::Arc;
use std::time::Duration;

fn at(seconds: i64) -> Time {
    Time::from_seconds(1_700_000_000 + seconds)
}

pub(crate) fn observatory() -> Observatory {
    let countries = country::load(&[], None, at(0)).expect("the tables built in");
    Observatory::new(Parameters::default(), Box::new(countries.table), Watch::default())
}

/// Sessions of new peers with these numbers behind their addresses come up, and time goes on for ten seconds.
fn sessions(source: &str, collector: &str, (first, peers): (u16, &[u8]), seconds: i64) -> Parcel {
    let mut parcel = Parcel::of(&Arc::new(key(source, collector, Part::Messages)));
    let neighbour =
        |peer: &u8| Neighbour { asn: Asn(64_500 + u32::from(*peer)), address: [192, 0, 2, *peer].into() };
    parcel.batch.peers = peers.iter().map(neighbour).collect();
    let up =
        |peer: usize| (at(seconds), Observation::Session { peer: first + peer as u16, established: true });
    parcel.batch.observations = (0..peers.len()).map(up).collect();
    (parcel.fresh, parcel.mark) = (first == 0, Some(at(seconds + 10)));
    parcel
}

#[test]
fn the_blindness_of_the_last_stream_is_told_while_it_lasts() {
    let mut observatory = observatory();
    observatory.take(sessions("ris", "rrc00", (0, &[1, 2]), 0));
    observatory.advance();
    observatory.news();
    let mut last = Parcel::of(&Arc::new(key("ris", "rrc00", Part::Messages)));
    let begin = Observation::GapBegin { reason: BlindReason::SessionDown };
    last.batch.observations = vec![(at(20), begin)];
    (last.mark, last.closed) = (Some(at(20)), true);
    observatory.take(last);
    observatory.advance();
    let told: Vec<_> =
        observatory.news().blind.into_iter().map(|news| (news.blind.collector, news.over)).collect();
    assert_eq!(told, [("rrc00".to_owned(), false)]);
    assert_eq!((observatory.now(), observatory.waiting()), (at(20), 0));
}

#[test]
fn closing_a_stream_takes_down_also_those_of_its_peers_that_wait_for_a_stream_that_lags() {
    let mut observatory = observatory();
    observatory.take(sessions("archive", "rrc00", (0, &[9]), -900));
    observatory.take(sessions("bmp", "edge", (0, &[1, 2]), 0));
    observatory.take(sessions("bmp", "edge", (2, &[3]), 10));
    observatory.advance();
    let closing = observatory.orphans(|key| key.source == "archive");
    let down = |(_, what): &(Time, Observation)| match what {
        Observation::Session { peer, established: false } => Some(*peer),
        _ => None,
    };
    let down: Vec<Vec<u16>> =
        closing.iter().map(|parcel| parcel.batch.observations.iter().filter_map(down).collect()).collect();
    assert_eq!(down, [[0, 1, 2]]);
}

#[test]
fn sessions_of_a_stream_that_is_gone_on_with_from_a_position_stand_where_nobody_goes_on_with_it() {
    let mut observatory = observatory();
    let of_a_file = sessions("archive", "rrc00", (0, &[9]), 0);
    observatory.take(Parcel { position: Some("a file".into()), ..of_a_file });
    observatory.advance();
    let closing = observatory.orphans(|_| false);
    let begin = Observation::GapBegin { reason: BlindReason::SessionDown };
    let said: Vec<_> = closing.iter().map(|parcel| &parcel.batch.observations[..]).collect();
    assert_eq!(said, [[(at(10), begin)]]);
    assert_eq!(closing[0].position.as_deref(), Some("shut a file"));
}

/// Says something, and dies.
struct Dying;

impl Source for Dying {
    fn name(&self) -> &str {
        "dying"
    }

    fn describe(&self) -> String {
        "dies".into()
    }

    fn run(self: Box<Self>, outlet: &Outlet) {
        outlet.send(sessions("dying", "edge", (0, &[1]), 0));
        panic!("on purpose");
    }
}

#[test]
fn a_source_that_dies_by_a_bug_leaves_its_collectors_blind_and_is_not_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("gonedark.db");
    let (sender, parcels) = channel();
    let stop = Stop::default();
    let outlet = |room| Outlet::new(sender.of_source(room), stop.clone(), Arc::default());
    // Somebody else goes on, so that the watch does.
    let other = outlet(1 << 20);
    let running = live::start(Box::new(Dying), outlet(1 << 20)).expect("a thread");
    let health = Arc::clone(&running.health);
    let mut watching = Watching {
        observatory: observatory(),
        store: Store::open(&path).expect("a store").0,
        gazetteer: &Nameless,
        pace: Pace {
            commit: Duration::from_millis(20),
            snapshot: Duration::from_secs(3600),
            keeping: Keeping::default(),
        },
        status: watch::begun(),
        stop: stop.clone(),
        meters: 0,
        origins: SharedOrigins::default(),
        limits: Limits::default(),
        running: vec![running],
        dead: Default::default(),
    };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                if health.condition().says.contains("bug") {
                    break;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            std::thread::sleep(Duration::from_millis(200));
            stop.stop();
        });
        watching.run(&parcels).expect("it is kept");
    });
    drop(other);
    assert!(!health.condition().is_well, "{:?}", health.condition());
    drop(watching);
    let db = rusqlite::Connection::open(&path).expect("a store");
    let blind = "SELECT count(*) FROM blind WHERE collector = 'edge' AND peer_asn = 0 AND until IS NULL";
    let blind: u32 = db.query_row(blind, [], |row| row.get(0)).expect("a count");
    assert_eq!(blind, 1);
}
