//! RIS Live over a WebSocket of this machine: recorded messages, broken ones, and connections that fail in each way.

use crate::ris_server::{
    Peer, ROOM, Script, announce, captures, count, hear, hear_until_silent, key, line, serve, shared, told,
    withdraw,
};
use gonedark::country;
use gonedark::pipeline::observatory::Observatory;
use gonedark::source::batch::{Entry, Member, Neighbour, Observation};
use gonedark::source::parcel::{Parcel, Part};
use gonedark_infer::Watch;
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::BlindReason;
use gonedark_route::{Asn, Time};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// When the generated messages begin.
const BEGIN: f64 = 1_700_000_000.0;

fn script(work: impl FnOnce(&mut Peer) + Send + 'static) -> Script {
    Box::new(work)
}

fn stays(lines: Vec<String>) -> Script {
    script(move |peer| {
        peer.say(lines);
        peer.stay(|| false);
    })
}

fn goes(lines: Vec<String>) -> Script {
    script(move |peer| peer.say(lines))
}

fn observatory() -> Observatory {
    let at = Time::from_seconds(1_700_000_000);
    let countries = country::load(&[], None, at).expect("the tables built in");
    let parameters = Parameters { min_duration: 0, ..Parameters::default() };
    let countries_watched =
        BTreeSet::from([gonedark_infer::entity::CountryCode::new("KP").expect("a country")]);
    let watch = Watch { countries: countries_watched, ..Watch::default() };
    Observatory::new(parameters, Box::new(countries.table), watch)
}

#[test]
fn the_thousand_recorded_messages_reach_the_observatory_as_994_updates_of_14_collectors() {
    let Some(captures) = captures() else { return };
    let text = std::fs::read_to_string(captures.join("morrowc-rislive/1k-msgs")).expect("a capture");
    let lines: Vec<String> = text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let (asked, told_us) = shared::<Vec<String>>();
    let url = serve(vec![script(move |peer| {
        *told_us.lock().unwrap() = std::mem::take(&mut peer.subscriptions);
        peer.say(lines);
        peer.stay(|| false);
    })]);
    let client = hear(&url, ROOM, BTreeMap::new());
    // Until all is promised: the last stamp is of 47.17.
    let last = Time::from_micros(1_558_620_047_170_000);
    let promised = |parcels: &[Parcel]| {
        let marks: BTreeMap<_, _> = parcels.iter().map(|parcel| (&parcel.stream, parcel.mark)).collect();
        marks.len() == 14 && marks.values().all(|mark| *mark > Some(last))
    };
    let parcels = client.until(promised);
    assert_eq!((count(&parcels, "update"), count(&parcels, "sees")), (994, 14));
    // Beside them there may be the answers to pings.
    let messages = client.health.messages.load(Ordering::Relaxed);
    assert!((1000..1010).contains(&messages), "{messages}");
    assert_eq!(client.health.damaged.load(Ordering::Relaxed), 0);
    let asked = asked.lock().unwrap().concat();
    assert!(asked.contains(r#""includeRaw":true"#) && asked.contains("ris_subscribe"), "{asked}");
    let mut observatory = observatory();
    parcels.into_iter().for_each(|parcel| observatory.take(parcel));
    observatory.advance();
    assert_eq!((observatory.applied(), observatory.waiting()), (994 + 14, 0));
}

#[test]
fn a_broken_line_costs_itself_and_what_the_server_refuses_is_told() {
    let mut lines = vec![announce("rrc00", 1, BEGIN)];
    lines.extend(["", "{", "null", r#"{"type":"ris_message","data":{"type":"UPDATE"}}"#].map(str::to_owned));
    lines.push(line("rrc00", 1, BEGIN, r#""type":"UPDATE","raw":"FF""#));
    lines.push(line("rrc00", 1, BEGIN, r#""type":"KEEPALIVE""#));
    lines.push(line("rrc00", 1, BEGIN + 1.0, r#""type":"RIS_PEER_STATE","state":"down""#));
    lines.push(line("rrc00", 1, BEGIN + 2.0, r#""type":"RIS_PEER_STATE","state":"connected""#));
    lines.push(line("rrc00", 1, BEGIN + 3.0, r#""type":"NOTIFICATION""#));
    lines.push(line("rrc00", 1, BEGIN + 4.0, r#""type":"OPEN","direction":"sent""#));
    lines.push(line("rrc00", 1, BEGIN + 5.0, r#""type":"OPEN","direction":"received""#));
    lines.push(r#"{"type":"ris_error","data":{"message":"no such host"}}"#.into());
    lines.push(announce("rrc00", 1, BEGIN + 6.0));
    let client = hear(&serve(vec![stays(lines)]), ROOM, BTreeMap::new());
    let parcels = client.until(|parcels| count(parcels, "update") == 2);
    let expected = ["sees", "update", "damaged", "down", "up", "down", "down", "up", "update"];
    assert_eq!(told(&parcels)["rrc00"], expected);
    assert_eq!(client.health.damaged.load(Ordering::Relaxed), 5);
    let condition = client.health.condition();
    assert!(!condition.is_well && condition.says.contains("no such host"), "{condition:?}");
}

#[test]
fn every_capture_gives_the_updates_and_the_damage_that_it_holds() {
    let Some(captures) = captures() else { return };
    // Updates, and lines or messages that cannot be understood: what gonedark-decode is held to by the same files.
    for (file, updates, damaged) in [
        ("morrowc-rislive/1-msg", 1, 0),
        ("morrowc-rislive/10-msg", 10, 0),
        ("morrowc-rislive/20-msg", 20, 0),
        ("caida-libbgpstream/ris-live-stream.json", 1, 1),
        ("caida-libbgpstream/ris-live-stream.json.5452370", 2, 0),
        ("caida-libbgpstream/ris-live-stream.json.63a6de1", 100, 0),
        ("caida-libbgpstream/ris-live-stream.json.7e61f4b", 1, 1),
        ("caida-libbgpstream/ris-live-stream.json.9e19903", 2, 2),
        ("caida-libbgpstream/ris-live-stream.json.b7788ec", 1, 1),
        ("caida-libbgpstream/ris-live-stream.json.c3cfe19", 1, 1),
        ("caida-libbgpstream/ris-live-stream.json.c96c5fc", 1, 1),
    ] {
        let text = std::fs::read_to_string(captures.join(file)).expect("a capture");
        let messages = text.lines().filter(|line| !line.is_empty());
        let mut lines: Vec<String> = messages.map(str::to_owned).collect();
        lines.push(announce("rrc99", 1, BEGIN));
        let client = hear(&serve(vec![stays(lines)]), ROOM, BTreeMap::new());
        let parcels = client.until(|parcels| told(parcels).contains_key("rrc99"));
        assert_eq!(count(&parcels, "update"), updates + 1, "{file}");
        assert_eq!(client.health.damaged.load(Ordering::Relaxed), damaged, "{file}");
    }
}

/// A table in which five peers of two collectors hold a network of North Korea.
fn table(collector: &str, peers: &[u8]) -> Parcel {
    let at = Time::from_seconds(BEGIN as i64 - 60);
    let mut parcel = Parcel::of(&Arc::new(key("archive", collector, Part::Tables)));
    let address = |peer: u8| [192, 0, 2, peer].into();
    let neighbour = |peer: &u8| Neighbour { asn: Asn(64_500 + u32::from(*peer)), address: address(*peer) };
    let tail = |asn| gonedark_route::Tail::new(Some(Asn(asn)), Some(Asn(4837)));
    let batch = &mut parcel.batch;
    batch.peers = peers.iter().map(neighbour).collect();
    batch.named = vec!["175.45.176.0/24".parse().expect("a prefix")];
    let entry = |peer: usize| Entry { peer: peer as u16, path_id: 0, tail: tail(131_279) };
    batch.entries = (0..peers.len()).map(entry).collect();
    let row = Observation::TableRow { network: 0, entries: 0..peers.len() as u32 };
    for observation in [Observation::TableBegin, row, Observation::TableEnd { whole: true }] {
        batch.observations.push((at, observation));
    }
    (parcel.fresh, parcel.mark, parcel.closed) = (true, Some(at), true);
    parcel
}

#[test]
fn a_lost_connection_is_blindness_of_every_collector_and_no_incident() {
    let both = |seconds: f64, say: fn(&str, u8, f64) -> String| -> Vec<String> {
        let hosts = [("rrc00", 1), ("rrc00", 2), ("rrc00", 3), ("rrc01", 4), ("rrc01", 5)];
        hosts.map(|(host, peer)| say(host, peer, seconds)).to_vec()
    };
    let mut second = both(BEGIN + 100.0, announce);
    second.extend(both(BEGIN + 200.0, withdraw));
    second.push(line("rrc00", 1, BEGIN + 2000.0, r#""type":"KEEPALIVE""#));
    let url = serve(vec![goes(both(BEGIN, announce)), stays(second)]);
    let client = hear(&url, ROOM, BTreeMap::new());
    let far = Time::from_seconds(BEGIN as i64 + 1990);
    let promised = |parcels: &[Parcel]| {
        let of = |name| parcels.iter().filter(move |parcel| parcel.stream.collector == name);
        ["rrc00", "rrc01"].iter().all(|name| of(*name).any(|parcel| parcel.mark > Some(far)))
    };
    let parcels = client.until(promised);
    let words = |updates: usize| {
        let once = vec!["update"; updates];
        [vec!["sees"], once.clone(), vec!["blind", "sees"], once.clone(), once].concat()
    };
    let told = told(&parcels);
    // What came in the last moment before the end is told as of the time that was not promised yet.
    let sorted =
        |name: &str| told[name].iter().filter(|word| **word != "update").copied().collect::<Vec<_>>();
    assert_eq!(
        (sorted("rrc00"), sorted("rrc01")),
        (vec!["sees", "blind", "sees"], vec!["sees", "blind", "sees"])
    );
    assert_eq!((told["rrc00"].len(), told["rrc01"].len()), (words(3).len(), words(2).len()));
    assert!(client.health.connections.load(Ordering::Relaxed) == 2);
    let mut observatory = observatory();
    for table in [table("rrc00", &[1, 2, 3]), table("rrc01", &[4, 5])] {
        observatory.take(table);
    }
    let (mut blind, mut before_withdrawal, mut after) = (BTreeSet::new(), 0, 0);
    for parcel in parcels {
        observatory.take(parcel);
        observatory.advance();
        let news = observatory.news();
        blind.extend(news.blind.iter().filter(|news| news.over).map(|news| news.blind.collector.clone()));
        let incidents: usize = news.incidents.iter().map(|retold| retold.incidents.len()).sum();
        if observatory.now() < Time::from_seconds(BEGIN as i64 + 200) {
            before_withdrawal += incidents;
        } else {
            after += incidents;
        }
    }
    assert_eq!(blind, BTreeSet::from(["rrc00".to_owned(), "rrc01".to_owned()]));
    assert_eq!(before_withdrawal, 0);
    assert!(after > 0, "what all withdraw is an incident");
}

#[test]
fn an_outage_that_began_while_the_program_was_stopped_is_found_by_catching_up_and_is_as_wide_as_the_stop() {
    let at = |seconds: i64| Time::from_seconds(BEGIN as i64 + seconds);
    let mut observatory = observatory();
    for table in [table("rrc00", &[1, 2, 3]), table("rrc01", &[4, 5])] {
        observatory.take(table);
    }
    let of = |source: &str, collector: &str| Parcel::of(&Arc::new(key(source, collector, Part::Messages)));
    let says = |collector: &str, observation: (Time, Observation), mark: Time, closed: bool| {
        let mut parcel = of("ris", collector);
        parcel.batch.observations.push(observation);
        (parcel.mark, parcel.closed) = (Some(mark), closed);
        parcel
    };
    let collectors = [("rrc00", vec![1, 2, 3]), ("rrc01", vec![4, 5])];
    for (name, _) in &collectors {
        observatory.take(says(name, (at(0), Observation::GapEnd), at(100), false));
        // What a start tells of the time before it.
        let begin = Observation::GapBegin { reason: BlindReason::SessionDown };
        observatory.take(says(name, (at(100), begin), at(100), true));
        observatory.take(Parcel { mark: Some(at(100)), ..of("begin", name) });
    }
    // Live again, before the archive has come so far.
    for (name, _) in &collectors {
        observatory.take(says(name, (at(900), Observation::GapEnd), at(2000), false));
    }
    observatory.advance();
    assert_eq!(observatory.now(), at(100), "nobody overtakes what is caught up with");
    for (name, peers) in &collectors {
        let mut parcel = of("begin", name);
        let table = table(name, peers);
        parcel.batch.peers = table.batch.peers;
        parcel.batch.named = table.batch.named;
        for peer in 0..peers.len() {
            parcel.batch.nlri.push(Member { network: 0, path_id: 0 });
            let networks = peer as u32..peer as u32 + 1;
            let withdrawal = Observation::Update { peer: peer as u16, tail: None, networks, withdrawn: 1 };
            parcel.batch.observations.push((at(400), withdrawal));
        }
        (parcel.fresh, parcel.mark, parcel.closed) = (true, Some(at(950)), true);
        observatory.take(parcel);
    }
    observatory.advance();
    let news = observatory.news();
    let incidents: Vec<_> = news.incidents.iter().flat_map(|retold| &retold.incidents).collect();
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let (earliest, latest) = (incidents[0].onset.earliest, incidents[0].onset.latest);
    assert!(
        earliest >= at(100) && latest <= at(901) && earliest <= at(400) && latest >= at(400),
        "{earliest} {latest}"
    );
    let blind: Vec<_> =
        news.blind.iter().map(|told| (told.blind.from, told.blind.until, told.over)).collect();
    assert_eq!(blind, [(at(100), at(900), true); 2]);
}

#[test]
fn a_server_that_stops_answering_is_left_and_its_collectors_are_blind() {
    let silent = script(|peer| {
        peer.say([announce("rrc00", 1, BEGIN)]);
        std::thread::sleep(Duration::from_secs(3));
    });
    // The second connection waits in the queue of the first until that is done.
    let url = serve(vec![silent, stays(vec![announce("rrc00", 1, BEGIN + 60.0)])]);
    let client = hear(&url, ROOM, BTreeMap::new());
    let parcels = client.until(|parcels| count(parcels, "update") == 2);
    let words: Vec<_> = told(&parcels)["rrc00"].clone();
    assert_eq!(words, ["sees", "update", "blind", "sees", "update"]);
    assert!(parcels.iter().any(|parcel| parcel.closed));
}

#[test]
fn a_server_that_never_ends_a_message_holds_up_nobody_and_is_left() {
    let (asked, is_left) = shared::<bool>();
    let dripping = script(move |peer| {
        peer.say([announce("rrc00", 1, BEGIN)]);
        peer.drip(|| *asked.lock().expect("not poisoned"));
    });
    let client = hear(&serve(vec![dripping]), ROOM, BTreeMap::new());
    let parcels = client.until(|parcels| parcels.iter().any(|parcel| parcel.closed));
    *is_left.lock().expect("not poisoned") = true;
    assert_eq!(told(&parcels)["rrc00"], ["sees", "update", "blind"]);
}

#[test]
fn a_server_that_answers_pings_is_heard_though_nothing_happens() {
    let client = hear(&serve(vec![stays(vec![announce("rrc00", 1, BEGIN)])]), ROOM, BTreeMap::new());
    std::thread::sleep(Duration::from_millis(2500));
    let parcels = client.until(|parcels| parcels.len() > 5);
    assert_eq!(client.health.connections.load(Ordering::Relaxed), 1);
    // The time goes on meanwhile.
    let promised = parcels.iter().filter_map(|parcel| parcel.mark).max();
    assert!(promised > Some(Time::from_seconds(BEGIN as i64)), "{promised:?}");
    assert_eq!(count(&parcels, "blind"), 0);
}

#[test]
fn a_collector_that_falls_silent_while_others_speak_is_blind_until_it_is_heard_again() {
    let url = serve(vec![script(|peer| {
        peer.say([announce("rrc00", 1, BEGIN)]);
        for number in 0..30 {
            peer.say([announce("rrc01", 2, BEGIN + f64::from(number) / 10.0)]);
            std::thread::sleep(Duration::from_millis(100));
        }
        peer.say([announce("rrc00", 1, BEGIN + 3.0)]);
        peer.stay(|| false);
    })]);
    let client = hear_until_silent(&url, ROOM, BTreeMap::new(), Duration::from_millis(1500));
    let of = |parcels: &[Parcel], name: &str| told(parcels).remove(name).unwrap_or_default();
    let parcels = client.until(|parcels| of(parcels, "rrc00").len() >= 5);
    assert_eq!(of(&parcels, "rrc00"), ["sees", "update", "blind", "sees", "update"]);
    assert!(!of(&parcels, "rrc01").contains(&"blind"), "{:?}", of(&parcels, "rrc01"));
    assert_eq!(client.health.connections.load(Ordering::Relaxed), 1);
    // Both are silent now, though the server answers.
    let condition = |says: &str| {
        (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(50));
            let condition = client.health.condition();
            condition.says.contains(says) && !condition.is_well
        })
    };
    assert!(condition("no collector is heard"), "{:?}", client.health.condition());
}

#[test]
fn what_a_slow_watch_misses_is_counted_and_told_as_blindness() {
    const SENT: usize = 4000;
    let url = serve(vec![script(|peer| {
        for number in 0..SENT {
            peer.say([announce("rrc00", 1, BEGIN + number as f64 / 100.0)]);
            if number % 4 == 0 {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        peer.stay(|| false);
    })]);
    let client = hear(&url, 1, BTreeMap::new());
    std::thread::sleep(Duration::from_millis(1200));
    assert!(client.health.missed.load(Ordering::Relaxed) > 0, "{:?}", client.health.condition());
    assert!(client.health.condition().says.contains("missed"));
    let all = |parcels: &[Parcel]| {
        count(parcels, "update") + client.health.missed.load(Ordering::Relaxed) as usize == SENT
    };
    let parcels = client.until(all);
    let gaps: Vec<_> =
        told(&parcels)["rrc00"].iter().filter(|word| **word != "update").copied().collect::<Vec<_>>();
    assert_eq!(gaps[..3], ["sees", "blind", "sees"]);
    assert!(parcels.iter().filter(|parcel| parcel.fresh).count() >= 2, "the numbers begin anew");
    let condition = client.health.condition();
    assert!(condition.is_well, "{condition:?}");
}

#[test]
fn the_time_in_which_the_program_did_not_run_is_blindness() {
    let positions = BTreeMap::from([
        (key("ris", "rrc00", Part::Messages), "1699999000000000".to_owned()),
        (key("ris", "rrc01", Part::Messages), "1699999000000000 blind".to_owned()),
        (key("other", "rrc02", Part::Messages), "1699999000000000".to_owned()),
    ]);
    let client = hear(&serve(vec![stays(vec![announce("rrc00", 1, BEGIN)])]), ROOM, positions);
    let parcels = client.until(|parcels| count(parcels, "update") == 1);
    let told = told(&parcels);
    assert_eq!(told, BTreeMap::from([("rrc00".to_owned(), vec!["blind", "sees", "update"])]));
    let first = &parcels[0];
    assert_eq!(first.batch.observations[0].0, Time::from_seconds(1_699_999_000));
    assert!(first.closed && first.position.as_deref() == Some("1699999000000000 blind"));
    assert_eq!(parcels.last().map(|parcel| parcel.closed), Some(false));
}

#[test]
fn a_message_that_is_longer_than_any_costs_the_connection_and_no_memory() {
    let long = format!("[{}]", " ".repeat(2 << 20));
    let url = serve(vec![
        goes(vec![announce("rrc00", 1, BEGIN), long]),
        stays(vec![announce("rrc00", 1, BEGIN + 9.0)]),
    ]);
    let client = hear(&url, ROOM, BTreeMap::new());
    let parcels = client.until(|parcels| count(parcels, "update") == 2);
    assert_eq!(count(&parcels, "blind"), 1);
}

/// Asks a store until it gives a row, or for fifteen seconds.
fn row(store: &Path, query: &str) -> String {
    let mut found = None;
    for _ in 0..150 {
        std::thread::sleep(Duration::from_millis(100));
        let db = rusqlite::Connection::open_with_flags(store, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE);
        found = db.and_then(|db| db.query_row(query, [], |row| row.get(0))).ok();
        if found.is_some() {
            break;
        }
    }
    found.unwrap_or_else(|| panic!("no row for {query}"))
}

#[test]
fn the_watch_keeps_how_far_it_heard_and_tells_of_the_time_between_two_starts() {
    let later = announce("rrc00", 1, BEGIN + 100.0);
    let url = serve(vec![stays(vec![announce("rrc00", 1, BEGIN)]), stays(vec![later])]);
    let folder = tempfile::tempdir().expect("a folder");
    let (config, store) = (folder.path().join("gonedark.toml"), folder.path().join("gonedark.db"));
    let text = format!("[store]\npath = {store:?}\n[[source.ris_live]]\nname = \"ris\"\nurl = {url:?}\n");
    std::fs::write(&config, text).expect("a configuration");
    let start = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        command.args(["watch", "--config"]).arg(&config).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("it runs")
    };
    let end = |mut child: Child| {
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    };
    let child = start();
    // The hold of two seconds has passed, so that the update is applied.
    let heard = format!("SELECT position FROM stream WHERE mark > {}", BEGIN as i64 * 1_000_000);
    let position = row(&store, &heard);
    end(child);
    assert!(position.starts_with("17000000"), "{position}");
    let child = start();
    let blind = row(
        &store,
        "SELECT reason || ' ' || (until - since > 90000000) FROM blind WHERE collector = 'rrc00' AND until > 0",
    );
    end(child);
    assert_eq!(blind, "session_down 1");
}
