//! What a live watch says of a recorded BMP stream: each piece is received when it was received then, by the clock of the
//! recording, and goes the whole way through station, observatory and store.

use flate2::read::MultiGzDecoder;
use gonedark::pipeline::observatory::Observatory;
use gonedark::present::Nameless;
use gonedark::source::bmp::{Router, Settings, Taken};
use gonedark::source::channel::channel;
use gonedark::source::live::{Health, Stop};
use gonedark::source::parcel::Parcel;
use gonedark::store::Store;
use gonedark::store::retention::Keeping;
use gonedark::watch::{self, Pace, Watching};
use gonedark_infer::parameters::Parameters;
use gonedark_route::Time;
use serde_json::{Value, json};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// As the station does it, in microseconds.
const TICK: i64 = 100_000;

/// The report of a watch of every connection in a folder of the lab's `bmp-N.raw.gz` with their `bmp-N.arrivals.gz`.
pub(crate) fn report(folder: &Path, delegated: PathBuf) -> Value {
    let kept = tempfile::tempdir().expect("a folder");
    let path = kept.path().join("live.db");
    let parameters = Parameters { min_duration: 1_000, ..Parameters::default() };
    let countries = gonedark::country::load(&[delegated], None, Time::MAX).expect("delegations").table;
    let mut watching = Watching {
        observatory: Observatory::new(parameters, Box::new(countries), gonedark_infer::Watch::default()),
        store: Store::open(&path).expect("a store").0,
        gazetteer: &Nameless,
        pace: Pace {
            commit: Duration::from_millis(100),
            snapshot: Duration::from_secs(3600),
            keeping: Keeping::default(),
        },
        status: watch::begun(),
        stop: Stop::default(),
        meters: 0,
        origins: watch::SharedOrigins::default(),
        limits: watch::Limits::default(),
        running: Vec::new(),
        dead: Default::default(),
    };
    let (sender, parcels) = channel();
    let departures = sender.of_source(1 << 20);
    drop(sender);
    std::thread::scope(|scope| {
        scope.spawn(move || play(folder, |parcel| assert!(departures.send(parcel), "it is taken")));
        watching.run(&parcels).expect("it is kept");
    });
    drop(watching);
    let incidents = exported(&path, "incidents");
    let blind: Vec<Value> = exported(&path, "blind").into_iter().map(as_reported).collect();
    json!({ "incidents": incidents, "coverage": { "blind": blind }, "inputs": [] })
}

/// One connection after the other, as the lab's recorder took them.
fn play(folder: &Path, mut hand_on: impl FnMut(Parcel)) {
    let health = Health::default();
    for number in 1.. {
        let Some(bytes) = unpacked(&folder.join(format!("bmp-{number}.raw.gz"))) else { return };
        let arrivals = unpacked(&folder.join(format!("bmp-{number}.arrivals.gz"))).expect("arrivals");
        let settings = Settings {
            name: "lab".into(),
            listen: ([127, 0, 0, 1], 0).into(),
            routers: Vec::new(),
            hold: 200_000,
            view: Taken::PrePolicy,
            vrf: None,
        };
        let mut router = Router::new(&settings, settings.listen.ip());
        let (mut rest, mut now) = (&bytes[..], Time::MIN);
        for line in String::from_utf8(arrivals).expect("text").lines() {
            let (at, size) = line.split_once(' ').expect("a time and a size");
            let at = Time::from_micros(at.parse().expect("a time"));
            // While nothing comes the station says how far it has seen.
            while now > Time::MIN && now + TICK < at {
                now = now + TICK;
                router.hand_on(now).into_iter().for_each(&mut hand_on);
            }
            now = at;
            let (piece, others) = rest.split_at(size.parse().expect("a size"));
            rest = others;
            router.take(piece, now, &health);
            router.hand_on(now).into_iter().for_each(&mut hand_on);
        }
        router.gone(now + TICK).into_iter().for_each(&mut hand_on);
    }
}

fn unpacked(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(File::open(path).ok()?).read_to_end(&mut bytes).expect("gzip");
    Some(bytes)
}

fn exported(store: &Path, what: &str) -> Vec<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .args(["export", "--format", "ndjson", "--what", what, "--store"])
        .arg(store)
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Blindness in the words of a report; a router without the name of its source.
fn as_reported(mut blind: Value) -> Value {
    let collector = blind["collector"].as_str().expect("a name").replace("lab/", "");
    blind["collector"] = collector.into();
    blind["from"] = blind["since"].take();
    blind
}
