//! What the follower of archives promises: nothing earlier than a mark comes after it, wherever it goes on.

use gonedark::source::batch::Observation;
use gonedark::source::channel::channel;
use gonedark::source::follow::{Follower, Settings};
use gonedark::source::live::{self, Outlet, Stop};
use gonedark::source::parcel::{Parcel, Part, StreamKey};
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// Five minutes, as a file of RIS spans.
pub(crate) const STEP: i64 = 300;

/// Writes the file of updates that begins at `time`: one record, of a session that came up.
pub(crate) fn write(folder: &Path, time: i64) {
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

/// Everything it gives until it ends by itself.
pub(crate) fn all(follower: Follower, positions: BTreeMap<StreamKey, String>) -> Vec<Parcel> {
    let (sender, parcels) = channel();
    let outlet = Outlet::new(sender.of_source(1 << 30), Stop::default(), Arc::new(positions));
    drop(sender);
    let running = live::start(Box::new(follower), outlet).expect("a thread");
    let mut all = Vec::new();
    while let Ok(parcel) = parcels.recv_timeout(Duration::from_secs(20)) {
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
    let follower = || {
        let settings = Settings {
            name: "files".into(),
            folder: folder.path().to_owned(),
            collectors: BTreeSet::new(),
            poll: Duration::from_secs(1),
            patience: Duration::from_secs(900),
            once: true,
            from_newest_table: false,
            bootstrap: false,
        };
        Follower::new(settings, None)
    };
    let key = StreamKey { source: "files".into(), collector: "rrc00".into(), part: Part::Messages };
    let whole = all(follower(), BTreeMap::new());
    let said = observations(&whole);
    let gaps = said.iter().filter(|(_, what)| matches!(what, Observation::GapBegin { .. })).count();
    assert_eq!(gaps, 1, "{said:?}");
    let mut stops = 0;
    for stop in 1..=whole.len() {
        let before = &whole[..stop];
        let positions = before.iter().rev().find_map(|parcel| parcel.position.clone());
        let positions = positions.map(|position| (key.clone(), position)).into_iter().collect();
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

fn observations(parcels: &[Parcel]) -> Vec<(Time, Observation)> {
    parcels.iter().flat_map(|parcel| parcel.batch.observations.clone()).collect()
}
