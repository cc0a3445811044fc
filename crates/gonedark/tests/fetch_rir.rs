//! What `data update` claims, against registries that misbehave.

mod fetch_server;

use std::fs;
use std::path::Path;

use fetch_server::{Asked, Reply, Server, quick};
use gonedark::fetch::{Delegation, Quiet, RirOutcome, RirRoots, update_rir};
use jiff::civil::date;
use md5::{Digest, Md5};

const DATE: &str = "Mon, 22 Dec 2014 00:00:00 GMT";

fn file(registry: &str, version: &str) -> String {
    format!("2|{registry}|20141222|1|19930501|20141222|+0000\n{version}\n")
}

fn registry_of(asked: &Asked) -> &str {
    asked.path.trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// Serves `version` of every registry, with the checksum as each of them writes it.
fn usual(asked: &Asked, version: &str) -> Reply {
    let registry = registry_of(asked);
    let content = file(registry, version);
    if !asked.path.ends_with(".md5") {
        return match asked.header("if-modified-since") {
            Some(DATE) => Reply::new(304, ""),
            _ => Reply::ok(content).with("Last-Modified", DATE),
        };
    }
    let sum: String = Md5::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    Reply::ok(match registry {
        "apnic" | "ripencc" => format!("MD5 (delegated-{registry}-extended-20141222) = {sum}\n"),
        _ => format!("{sum}  delegated-{registry}-extended-20141222\n"),
    })
}

fn roots(server: &Server) -> RirRoots {
    let root = |registry: &str| format!("{}/{registry}/", server.root);
    RirRoots {
        afrinic: root("afrinic"),
        apnic: root("apnic"),
        arin: root("arin"),
        lacnic: root("lacnic"),
        ripencc: root("ripencc"),
    }
}

fn verify(bytes: &[u8]) -> Result<(), String> {
    if bytes.starts_with(b"2|") { Ok(()) } else { Err("it has 48961 records of 111240".into()) }
}

fn update(server: &Server, data: &Path, day: i8) -> Vec<Delegation> {
    update_rir(data, date(2014, 12, day), &roots(server), &verify, &quick(), &Quiet).expect("a report")
}

fn text(delegation: &Delegation) -> String {
    fs::read_to_string(delegation.path.as_ref().expect("a file")).expect("it is there")
}

#[test]
fn five_files_come_to_the_folder_of_the_day_and_only_once() {
    let server = Server::start(|asked, _| usual(asked, "one"));
    let data = tempfile::tempdir().expect("a folder");
    for (delegation, registry) in
        update(&server, data.path(), 22).iter().zip(["afrinic", "apnic", "arin", "lacnic", "ripencc"])
    {
        assert_eq!(delegation.registry, registry);
        assert!(matches!(delegation.outcome, RirOutcome::New { checked: true, .. }), "{delegation:?}");
        assert_eq!(text(delegation), file(registry, "one"));
        let path = data.path().join(format!("rir/2014-12-22/delegated-{registry}-extended-latest"));
        assert_eq!(delegation.path.as_ref(), Some(&path));
    }
    for delegation in update(&server, data.path(), 23) {
        assert_eq!(delegation.outcome, RirOutcome::Unchanged);
        assert!(delegation.path.expect("a file").starts_with(data.path().join("rir/2014-12-22")));
    }
    assert!(!data.path().join("rir/2014-12-23").exists(), "nothing new, no new folder");
}

#[test]
fn a_snapshot_is_whole_although_only_one_registry_has_news() {
    let data = tempfile::tempdir().expect("a folder");
    update(&Server::start(|asked, _| usual(asked, "one")), data.path(), 22);
    let server = Server::start(|asked, _| match registry_of(asked) {
        "arin" if asked.path.ends_with("latest") => Reply::ok(file("arin", "two")),
        "arin" => Reply::new(404, ""),
        "lacnic" => Reply::new(500, ""),
        _ => usual(asked, "one"),
    });
    let delegations = update(&server, data.path(), 24);
    for delegation in &delegations {
        assert!(delegation.path.as_ref().expect("a file").starts_with(data.path().join("rir/2014-12-24")));
        let version = if delegation.registry == "arin" { "two" } else { "one" };
        assert_eq!(text(delegation), file(delegation.registry, version));
    }
    assert!(matches!(delegations[2].outcome, RirOutcome::New { checked: false, .. }), "no checksum is said");
    assert!(matches!(&delegations[3].outcome, RirOutcome::Failed(why) if why.contains("500")));
    let before = data.path().join("rir/2014-12-22/delegated-arin-extended-latest");
    assert_eq!(
        fs::read_to_string(before).expect("kept"),
        file("arin", "one"),
        "an older snapshot stays what it was"
    );
}

#[test]
fn a_file_that_is_cut_or_changed_is_refused_and_the_one_before_kept() {
    let data = tempfile::tempdir().expect("a folder");
    update(&Server::start(|asked, _| usual(asked, "one")), data.path(), 22);
    let server = Server::start(|asked, _| match (registry_of(asked), asked.path.ends_with(".md5")) {
        // Whole by its length, but without most of its records; no checksum tells.
        ("arin", true) => Reply::new(404, ""),
        ("arin", false) => Reply::ok("arin|US|ipv4|"),
        // Another file's checksum, both times.
        ("apnic", true) => Reply::ok(format!("MD5 (x) = {}", "0".repeat(32))),
        ("apnic", false) => Reply::ok(file("apnic", "changed on the way")),
        // An error page for the checksum.
        ("ripencc", true) => Reply::ok("<html>maintenance</html>"),
        ("ripencc", false) => Reply::ok(file("ripencc", "two")),
        ("lacnic", false) => Reply::ok(file("lacnic", "two")).cut(20),
        ("afrinic", false) => Reply::ok(""),
        _ => usual(asked, "two"),
    });
    let delegations = update(&server, data.path(), 23);
    for (delegation, wanted) in
        delegations.iter().zip(["empty", "MD5 sum is not", "48961 records of 111240", "", "no MD5 sum"])
    {
        match &delegation.outcome {
            RirOutcome::Refused(why) | RirOutcome::Failed(why) => assert!(why.contains(wanted), "{why}"),
            other => panic!("{}: {other:?}", delegation.registry),
        }
        assert_eq!(text(delegation), file(delegation.registry, "one"), "the one before is kept");
    }
    assert!(!data.path().join("rir/2014-12-23").exists());
}

#[test]
fn a_file_replaced_between_the_two_requests_is_asked_for_again() {
    let server = Server::start(|asked, before| {
        let old = before == 0 && asked.path.ends_with("latest");
        usual(asked, if old { "old" } else { "new" })
    });
    let data = tempfile::tempdir().expect("a folder");
    for delegation in update(&server, data.path(), 22) {
        assert_eq!(text(&delegation), file(delegation.registry, "new"));
    }
}

#[test]
fn a_mirror_that_always_sends_the_file_has_nothing_new_either() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(|asked, _| {
        let mut plain = asked.clone();
        plain.headers.clear();
        usual(&plain, "one")
    });
    update(&server, data.path(), 22);
    assert!(
        update(&server, data.path(), 23).iter().all(|delegation| delegation.outcome == RirOutcome::Unchanged)
    );
}

#[test]
fn without_any_file_before_a_failure_leaves_none() {
    let data = tempfile::tempdir().expect("a folder");
    let server = Server::start(|_, _| Reply::new(404, ""));
    for delegation in update(&server, data.path(), 22) {
        assert_eq!(delegation.path, None);
        assert!(matches!(delegation.outcome, RirOutcome::Failed(_)));
    }
}
