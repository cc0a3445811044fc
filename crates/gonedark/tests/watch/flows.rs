//! Flows that exporters send to a watch: attacks, with their times, in the store; what could not be heard beside them.

use crate::exporter::{Exporter, Listening, now};
use std::time::Duration;

/// An address of North Korea.
const TARGET: [u8; 4] = [175, 45, 176, 8];
/// Ends are told soon, so that a test need not wait for two minutes.
const SOON: &str = "[attacks]\nquiet = \"2s\"\n";

/// Floods for a while: some 9,000 packets a second.
fn flood(exporter: &mut Exporter, seconds: i64) -> (i64, i64) {
    let begin = now();
    while now() - begin < seconds * 1_000_000 {
        exporter.floods(TARGET, 30);
        std::thread::sleep(Duration::from_millis(100));
    }
    (begin, now())
}

fn whole(row: Option<String>) -> Vec<i64> {
    row.expect("it is told").split(' ').map(|word| word.parse().expect("a number")).collect()
}

#[test]
fn an_attack_is_told_with_its_target_its_country_and_its_times_while_it_goes_on_and_when_it_has_ended() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut watch = Listening::start(folder.path(), SOON);
    let mut exporter = Exporter::new([127, 0, 0, 2], watch.at);
    let (begin, _) = flood(&mut exporter, 3);
    let ongoing = "SELECT target FROM attack WHERE stop IS NULL";
    assert_eq!(watch.row(ongoing).as_deref(), Some("175.45.176.8"));
    let (_, end) = flood(&mut exporter, 2);
    // Only who is heard can say that it has ended.
    for _ in 0..40 {
        exporter.floods([192, 0, 2, 1], 1);
        std::thread::sleep(Duration::from_millis(100));
    }
    let times = whole(watch.row(
        "SELECT start || ' ' || start_latest || ' ' || stop || ' ' || stop_latest FROM attack WHERE stop IS NOT NULL",
    ));
    let two = 2_000_000;
    assert!((begin - two..=begin + two).contains(&times[0]) && times[1] <= begin + two, "{times:?} {begin}");
    assert!((end - two..=end + two).contains(&times[2]) && times[3] <= end + two, "{times:?} {end}");
    let whose = "SELECT group_concat(code, ' ') FROM (SELECT code FROM attacked JOIN entity ON id = entity ORDER BY code)";
    assert_eq!(watch.row(whose).as_deref(), Some("KP"));
    let vector = "SELECT body ->> '$.vectors[0].name' FROM attack";
    assert_eq!(watch.row(vector).as_deref(), Some("TCP SYN to port 80"));
    let said = watch.status();
    assert!(said.contains("175.45.176.8") && said.contains("TCP SYN to port 80"), "{said}");
    watch.end();
}

#[test]
fn what_an_exporter_sent_and_did_not_arrive_is_deafness() {
    let folder = tempfile::tempdir().expect("a folder");
    let watch = Listening::start(folder.path(), SOON);
    let mut exporter = Exporter::new([127, 0, 0, 3], watch.at);
    let begin = now();
    for round in 0..130 {
        exporter.floods([192, 0, 2, 1], 1);
        if round == 5 {
            exporter.loses(90);
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let lost = "SELECT exporter || ' ' || lost FROM deaf WHERE reason = 'lost'";
    assert_eq!(watch.row(lost).as_deref(), Some("127.0.0.3 90"));
    let since = whole(watch.row("SELECT '' || since FROM deaf WHERE reason = 'lost'"));
    assert!((begin..begin + 2_000_000).contains(&since[0]), "{since:?} {begin}");
    let said = watch.status();
    assert!(said.contains("127.0.0.3") && said.contains("lost, 90 missing"), "{said}");
}

#[test]
fn the_silence_of_the_only_exporter_is_told_while_it_lasts() {
    let folder = tempfile::tempdir().expect("a folder");
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let watch = Listening::start(
        folder.path(),
        &format!("[attacks]\nquiet = \"2s\"\nsilence = \"2s\"\n[serve]\nlisten = \"{free}\"\n"),
    );
    let mut exporter = Exporter::new([127, 0, 0, 5], watch.at);
    flood(&mut exporter, 3);
    let mut said = String::new();
    let mut says_within_ten_seconds = |done: &dyn Fn(&str) -> bool, send: &mut dyn FnMut()| {
        (0..100).any(|_| {
            send();
            std::thread::sleep(Duration::from_millis(100));
            said = watch.status();
            done(&said)
        })
    };
    let is_silent = |said: &str| {
        said.contains("edge: NOT WELL, no exporter is heard since ")
            && said.contains("127.0.0.5: SILENT since ")
    };
    assert!(says_within_ten_seconds(&is_silent, &mut || {}));
    let is_heard = |said: &str| said.contains("edge: well, listens") && !said.contains("SILENT");
    assert!(says_within_ten_seconds(&is_heard, &mut || exporter.floods([192, 0, 2, 1], 1)));
}

#[test]
fn after_a_kill_templates_are_known_and_what_went_on_meanwhile_is_an_interval() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut watch = Listening::start(folder.path(), SOON);
    let mut exporter = Exporter::new([127, 0, 0, 4], watch.at);
    exporter.template();
    flood(&mut exporter, 4);
    assert_eq!(watch.row("SELECT target FROM attack WHERE stop IS NULL").as_deref(), Some("175.45.176.8"));
    assert!(watch.row("SELECT source FROM meter WHERE part = 0").is_some(), "the meter's state is kept");
    let killed = now();
    watch = watch.kill_and_start_again(|| std::thread::sleep(Duration::from_secs(3)));
    let again = now();
    let mut exporter = Exporter::new([127, 0, 0, 4], watch.at);
    for _ in 0..50 {
        exporter.floods_in_9([175, 45, 176, 9], 30);
        std::thread::sleep(Duration::from_millis(100));
    }
    // Read by the template of before the kill.
    assert!(watch.row("SELECT id FROM attack WHERE target = '175.45.176.9'").is_some());
    // The other ended somewhere while nobody listened.
    let times = whole(watch.row("SELECT stop || ' ' || stop_latest FROM attack WHERE stop IS NOT NULL"));
    assert!(times[0] <= killed && times[1] >= again - 1_000_000, "{times:?} {killed} {again}");
    let deaf = watch.row("SELECT '' || until FROM deaf WHERE reason = 'not_running'");
    assert!(whole(deaf)[0] >= again - 1_000_000);
    watch.end();
}
