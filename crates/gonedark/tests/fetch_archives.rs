//! What `fetch` claims, against an archive that misbehaves.

mod fetch_server;

use std::fs;
use std::path::Path;
use std::time::Duration;

use fetch_server::{Asked, Reply, Server, quick};
use gonedark::fetch::{
    ArchiveRoots, Collectors, Failure, Missing, Outcome, Progress, Quiet, Report, Request, Settings,
    WhyMissing, fetch_archives,
};
use gonedark::source::archive::{FileName, Kind, list};
use gonedark_route::Time;

const UPDATES: &str = "updates.20141222.1605.gz";

fn at(clock: &str) -> Time {
    FileName::parse(&format!("updates.201412{clock}.gz")).time.expect("a time")
}

/// Not gzip all through, but it begins like it and has a length of its own.
fn content(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x1f, 0x8b, 8, 0];
    bytes.extend((0..20_000).map(|n: usize| (n * name.len()) as u8));
    bytes.extend_from_slice(name.as_bytes());
    bytes
}

fn listing(names: &[String]) -> String {
    let links: String = names.iter().map(|name| format!("<a href=\"{name}\">{name}</a>\r\n")).collect();
    format!("<html><h1>Index of</h1><pre><a href=\"../\">../</a>\r\n{links}</pre></html>")
}

/// rrc00 in December 2014: tables every 8 hours, updates every 5 minutes, without 16:10.
fn rrc00() -> Vec<String> {
    let mut names = vec!["bview.20141222.0800.gz".to_owned(), "bview.20141222.1600.gz".into()];
    names.extend(
        (0..24).filter(|n| *n != 2).map(|n| format!("updates.20141222.{}{:02}.gz", 16 + n / 12, n % 12 * 5)),
    );
    names
}

fn usual(asked: &Asked) -> Reply {
    match asked.path.rsplit_once('/') {
        Some(("/rrc00/2014.12", "")) => Reply::ok(listing(&rrc00())),
        Some(("/rrc00/2014.12", name)) if rrc00().iter().any(|listed| listed == name) => {
            Reply::range(asked, &content(name))
        }
        _ => Reply::new(404, "<html>Not Found</html>"),
    }
}

fn request(server: &Server, into: &Path) -> Request {
    Request {
        collectors: Collectors::Named(vec!["rrc00".into()]),
        from: at("22.1601"),
        until: at("22.1620"),
        into: into.into(),
        roots: ArchiveRoots { ris: server.root.clone(), routeviews: format!("{}/rv", server.root) },
    }
}

fn names(report: &Report) -> Vec<&str> {
    report.files.iter().filter_map(|file| file.path.file_name()?.to_str()).collect()
}

/// Fetches from a server that answers for one file as `odd` says, and else as usual.
fn fetch_with(
    odd: impl Fn(&Asked, usize) -> Reply + Send + Sync + 'static,
) -> (tempfile::TempDir, Server, Report) {
    let server = Server::start(
        move |asked, before| {
            if asked.path.ends_with(UPDATES) { odd(asked, before) } else { usual(asked) }
        },
    );
    let folder = tempfile::tempdir().expect("a folder");
    let report = fetch_archives(&request(&server, folder.path()), &quick(), &Quiet).expect("a report");
    (folder, server, report)
}

fn assert_good(folder: &Path, report: &Report) {
    assert_eq!(
        names(report),
        ["bview.20141222.1600.gz", "updates.20141222.1600.gz", UPDATES, "updates.20141222.1615.gz"]
    );
    for file in &report.files {
        let name = file.path.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(fs::read(&file.path).expect("it is there") == content(&name), "{name}");
    }
    let left = fs::read_dir(folder.join("rrc00")).expect("the folder").count();
    assert_eq!(left, report.files.len(), "nothing else is left behind");
}

fn assert_refused(folder: &Path, report: &Report, why: &str) {
    assert_eq!(report.files.len(), 3);
    let [first, second] = &report.missing[..] else { panic!("{:?}", report.missing) };
    assert_eq!((first.from, first.until), (at("22.1605"), at("22.1610")));
    assert!(matches!(&first.why, WhyMissing::NotFetched(text) if text.contains(why)), "{:?}", first.why);
    assert_eq!(second.why, WhyMissing::NotInArchive);
    assert!(!folder.join("rrc00").join(UPDATES).exists());
}

#[test]
fn the_table_before_the_range_and_every_update_file_come_to_the_collectors_folder() {
    let (folder, server, report) = fetch_with(|asked, _| usual(asked));
    assert_good(folder.path(), &report);
    assert_eq!(report.files[0].kind, Kind::Rib);
    let gap = Missing {
        collector: "rrc00".into(),
        from: at("22.1610"),
        until: at("22.1615"),
        why: WhyMissing::NotInArchive,
    };
    assert_eq!(report.missing, [gap], "what the archive has not is said");
    let asked = server.asked();
    assert!(
        asked
            .iter()
            .all(|asked| asked.header("user-agent") == Some(concat!("gonedark/", env!("CARGO_PKG_VERSION"))))
    );
    // And replay finds it all.
    let found = list(&[folder.path().into()]);
    assert!(found.files.iter().all(|file| file.collector == "rrc00"));
    assert_eq!((found.files.len(), found.passed_over.len()), (4, 0));
}

#[test]
fn what_is_there_is_not_fetched_again() {
    let (folder, server, _) = fetch_with(|asked, _| usual(asked));
    let before = server.asked_for(".gz").len();
    let again = fetch_archives(&request(&server, folder.path()), &quick(), &Quiet).expect("a report");
    assert_eq!(server.asked_for(".gz").len(), before);
    assert!(again.files.iter().all(|file| file.outcome == Outcome::AlreadyThere));
    assert_good(folder.path(), &again);
}

#[test]
fn an_error_in_passing_is_tried_again() {
    let (folder, _server, report) = fetch_with(|asked, before| match before {
        0 => Reply::new(500, "oh"),
        1 => Reply::new(503, "later").with("Retry-After", "0"),
        _ => usual(asked),
    });
    assert_good(folder.path(), &report);
}

#[test]
fn an_error_that_stays_is_given_up_and_is_blindness() {
    let (folder, server, report) = fetch_with(|_, _| Reply::new(500, "oh"));
    assert_refused(folder.path(), &report, "status 500");
    assert_eq!(server.asked_for(UPDATES).len(), 3, "three attempts, as set");
}

#[test]
fn a_file_that_is_listed_but_gone_is_blindness_and_asked_for_once() {
    let (folder, server, report) = fetch_with(|_, _| Reply::new(404, "gone"));
    assert_refused(folder.path(), &report, "does not have it");
    assert_eq!(server.asked_for(UPDATES).len(), 1);
}

#[test]
fn a_cut_body_is_continued_where_it_stopped() {
    let (folder, server, report) = fetch_with(|asked, before| {
        let reply = Reply::range(asked, &content(UPDATES)).with("ETag", "\"v1\"");
        let all = reply.body.len();
        reply.cut(if before < 5 { all / 2 } else { all })
    });
    assert_good(folder.path(), &report);
    let asked = server.asked_for(UPDATES);
    assert_eq!(asked.len(), 6, "more than three attempts, because each brought something");
    let starts: Vec<_> = asked.iter().map(|asked| asked.range().unwrap_or(0)).collect();
    assert!(starts.windows(2).all(|pair| pair[0] < pair[1]), "{starts:?}");
    assert!(asked[1..].iter().all(|asked| asked.header("if-range") == Some("\"v1\"")));
}

#[test]
fn a_download_that_was_stopped_is_continued_by_the_next_run() {
    let server = Server::start(|asked, before| {
        let reply = usual(asked).with("Last-Modified", "Mon, 22 Dec 2014 16:12:00 GMT");
        let half = reply.body.len() / 2;
        if asked.path.ends_with(UPDATES) && before == 0 { reply.cut(half) } else { reply }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let once = Settings { retry: gonedark::fetch::Retry { attempts: 1, ..quick().retry }, ..quick() };
    let first = fetch_archives(&request(&server, folder.path()), &once, &Quiet).expect("a report");
    assert_refused(folder.path(), &first, "");
    // A listing of the folder in this state passes over what is not whole.
    assert_eq!(list(&[folder.path().into()]).files.len(), 3);
    let second = fetch_archives(&request(&server, folder.path()), &once, &Quiet).expect("a report");
    assert_good(folder.path(), &second);
    let asked = server.asked_for(UPDATES);
    assert_eq!(asked[1].range(), Some(content(UPDATES).len() / 2));
    assert_eq!(asked[1].header("if-range"), Some("Mon, 22 Dec 2014 16:12:00 GMT"));
    let modified = fs::metadata(folder.path().join("rrc00").join(UPDATES)).and_then(|file| file.modified());
    let seconds =
        modified.expect("a date").duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs();
    assert_eq!(
        Time::from_seconds(seconds as i64).to_string(),
        "2014-12-22T16:12:00Z",
        "the archive's own date"
    );
}

#[test]
fn a_file_that_changed_between_two_attempts_is_begun_again() {
    let (folder, _server, report) = fetch_with(|asked, before| {
        if before == 0 {
            let old = [&content("old")[..], &[0; 5_000]].concat();
            return Reply::ok(old).with("ETag", "\"old\"").cut(15_000);
        }
        // If-Range names the old version, so the answer is the whole of the new one.
        assert_eq!(asked.header("if-range"), Some("\"old\""));
        Reply::ok(content(UPDATES)).with("ETag", "\"new\"")
    });
    assert_good(folder.path(), &report);
}

#[test]
fn an_archive_without_ranges_or_versions_is_begun_again() {
    let (folder, server, report) = fetch_with(|_, before| {
        let whole = content(UPDATES);
        let half = whole.len() / 2;
        if before < 2 { Reply::ok(whole).cut(half) } else { Reply::ok(whole) }
    });
    assert_good(folder.path(), &report);
    assert!(
        server.asked_for(UPDATES).iter().all(|asked| asked.range().is_none()),
        "no version to hold on to"
    );
}

#[test]
fn a_part_that_was_not_asked_for_is_not_used() {
    let (folder, _server, report) = fetch_with(|asked, before| {
        let whole = content(UPDATES);
        match before {
            0 => Reply::ok(whole).with("ETag", "\"v1\"").cut(9_000),
            1 => Reply::new(206, &whole[100..])
                .with("Content-Range", format!("bytes 100-{0}/{0}", whole.len())),
            _ => usual(asked),
        }
    });
    assert_good(folder.path(), &report);
}

#[test]
fn a_body_shorter_than_announced_never_comes_to_its_place() {
    let (folder, _server, report) =
        fetch_with(|_, _| Reply::ok(content(UPDATES)).with("Content-Length", "30000"));
    assert_refused(folder.path(), &report, "broke off");
}

#[test]
fn a_body_longer_than_announced_is_cut_to_what_was_announced_or_refused() {
    // The extra bytes belong to no answer; what was announced is there.
    let (folder, _server, report) = fetch_with(|asked, _| {
        let reply = usual(asked);
        let length = reply.body.len().to_string();
        let longer = [&reply.body[..], b"and more"].concat();
        Reply::ok(longer).with("Content-Length", length)
    });
    assert_good(folder.path(), &report);
}

#[test]
fn an_error_page_called_gz_is_refused() {
    let (folder, server, report) = fetch_with(|_, _| Reply::ok("<!DOCTYPE html><html>Please log in</html>"));
    assert_refused(folder.path(), &report, "<!DOCTYPE html>");
    assert_eq!(server.asked_for(UPDATES).len(), 1, "asking again would not help");
    let left = fs::read_dir(folder.path().join("rrc00")).expect("the folder").count();
    assert_eq!(left, 3, "nothing of it is left");
}

#[test]
fn an_empty_file_is_blindness() {
    let (folder, _server, report) = fetch_with(|_, _| Reply::ok(""));
    assert_refused(folder.path(), &report, "empty");
}

#[test]
fn a_slow_archive_is_waited_for_and_a_silent_one_is_not() {
    let (folder, _server, report) =
        fetch_with(|asked, _| Reply { pause: Duration::from_millis(300), ..usual(asked) });
    assert_good(folder.path(), &report);
    let server = Server::start(|asked, _| {
        let silent = Duration::from_secs(if asked.path.ends_with(UPDATES) { 10 } else { 0 });
        Reply { pause: silent, ..usual(asked) }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let impatient = Settings { read_timeout: Duration::from_secs(1), ..quick() };
    let report = fetch_archives(&request(&server, folder.path()), &impatient, &Quiet).expect("a report");
    assert_refused(folder.path(), &report, "timeout");
    assert_eq!(server.asked_for(UPDATES).len(), 3);
}

#[test]
fn redirects_are_followed_and_a_circle_is_given_up() {
    let (folder, _server, report) = fetch_with(|asked, _| {
        if asked.path.starts_with("/moved/") {
            Reply::ok(content(UPDATES))
        } else {
            Reply::new(302, "").with("Location", format!("/moved{}", asked.path))
        }
    });
    assert_good(folder.path(), &report);
    let (folder, _server, report) =
        fetch_with(|asked, _| Reply::new(301, "").with("Location", asked.path.clone()));
    assert_refused(folder.path(), &report, "redirect");
}

#[test]
fn a_good_file_is_never_lost_to_a_bad_one() {
    let server = Server::start(
        |asked, _| {
            if asked.path.ends_with(".gz") { Reply::ok("<html>") } else { usual(asked) }
        },
    );
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("rrc00").join(UPDATES);
    fs::create_dir_all(good.parent().expect("a folder")).expect("a folder");
    fs::write(&good, content("mine")).expect("room");
    fetch_archives(&request(&server, folder.path()), &quick(), &Quiet).expect("a report");
    assert!(fs::read(&good).expect("still there") == content("mine"));
}

#[test]
fn a_listing_that_cannot_be_read_makes_the_collector_blind_for_the_range() {
    for reply in [|| Reply::new(500, "oh"), || Reply::ok("nothing but text")] {
        let server = Server::start(move |_, _| reply());
        let folder = tempfile::tempdir().expect("a folder");
        let report = fetch_archives(&request(&server, folder.path()), &quick(), &Quiet).expect("a report");
        assert!(report.files.is_empty());
        let [missing] = &report.missing[..] else { panic!("{:?}", report.missing) };
        assert_eq!((missing.from, missing.until), (at("22.1601"), at("22.1620")));
        assert_eq!(report.without_table.len(), 1);
    }
}

#[test]
fn a_collector_that_the_archive_has_not_is_blind_if_named_and_absent_if_one_of_all() {
    let server = Server::start(|asked, _| match &asked.path[..] {
        "/" => Reply::ok("<a href='rrc00/'>a</a><a href='rrc99/'>b</a>"),
        "/rv/" => Reply::ok("<a href='/rv/route-views3/bgpdata/'>c</a>"),
        _ => usual(asked),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut request = request(&server, folder.path());
    request.collectors = Collectors::All;
    let report = fetch_archives(&request, &quick(), &Quiet).expect("a report");
    assert_eq!(report.absent, ["route-views3", "rrc99"]);
    assert_good(folder.path(), &report);
    request.collectors = Collectors::Named(vec!["rrc99".into()]);
    let report = fetch_archives(&request, &quick(), &Quiet).expect("a report");
    assert_eq!(report.missing.len(), 1);
    assert_eq!(report.missing[0].why, WhyMissing::NotInArchive);
}

#[test]
fn a_name_that_the_archive_answers_404_for_as_a_whole_is_unknown_and_one_without_these_months_is_not() {
    let server = Server::start(|asked, _| match &asked.path[..] {
        "/rrc98/" => Reply::ok("<a href='../'>up</a><a href='2001.01/'>2001.01/</a>"),
        _ => usual(asked),
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut request = request(&server, folder.path());
    request.collectors =
        Collectors::Named(["rrc00", "rrc98", "rrc99", "route-views9"].map(String::from).into());
    let report = fetch_archives(&request, &quick(), &Quiet).expect("a report");
    assert_eq!(report.unknown, ["route-views9", "rrc99"]);
    assert_eq!(report.files.len(), 4, "the known ones come all the same");
}

#[test]
fn the_table_may_lie_in_the_month_before_and_the_updates_since_it_come_too() {
    let server = Server::start(|asked, _| {
        let (folder, name) = asked.path.rsplit_once('/').expect("a path");
        let table = "rib.20141130.2200.bz2".to_owned();
        let updates = |day: &str, hours: std::ops::Range<u32>| {
            hours
                .flat_map(|hour| (0..4).map(move |n| (hour, n * 15)))
                .map(|(hour, minute)| format!("updates.2014{day}.{hour:02}{minute:02}.bz2"))
                .collect::<Vec<_>>()
        };
        match (folder, name) {
            ("/rv/bgpdata/2014.12/RIBS", "") => Reply::ok(listing(&["rib.20141201.0200.bz2".into()])),
            ("/rv/bgpdata/2014.11/RIBS", "") => Reply::ok(listing(&["rib.20141130.2000.bz2".into(), table])),
            ("/rv/bgpdata/2014.12/UPDATES", "") => Reply::ok(listing(&updates("1201", 0..3))),
            ("/rv/bgpdata/2014.11/UPDATES", "") => Reply::ok(listing(&updates("1130", 20..24))),
            (_, "") => Reply::new(404, ""),
            _ => Reply::ok(&b"BZh9 or so"[..]),
        }
    });
    let folder = tempfile::tempdir().expect("a folder");
    let request = Request {
        collectors: Collectors::Named(vec!["route-views2".into()]),
        from: at("01.0050"),
        until: at("01.0100"),
        ..request(&server, folder.path())
    };
    let report = fetch_archives(&request, &quick(), &Quiet).expect("a report");
    let names = names(&report);
    assert_eq!(names[..2], ["rib.20141130.2200.bz2", "updates.20141130.2200.bz2"]);
    assert_eq!((names.len(), *names.last().expect("some")), (13, "updates.20141201.0045.bz2"));
    assert!(report.missing.is_empty() && report.without_table.is_empty(), "{report:?}");
    assert!(report.files[0].path.ends_with("route-views2/rib.20141130.2200.bz2"));
}

#[test]
fn no_more_connections_are_open_than_is_polite() {
    let server = Server::start(|asked, _| {
        std::thread::sleep(Duration::from_millis(5));
        usual(asked)
    });
    let folder = tempfile::tempdir().expect("a folder");
    let mut request = request(&server, folder.path());
    request.until = at("22.1800");
    let report = fetch_archives(&request, &quick(), &Quiet).expect("a report");
    assert_eq!(report.files.len(), 24);
    assert!(server.most_at_once() <= 2, "{}", server.most_at_once());
}

#[test]
fn names_that_lead_elsewhere_are_no_collectors() {
    let server = Server::start(|asked, _| usual(asked));
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["../rrc00", "", "a/b", "rrc00?"] {
        let request =
            Request { collectors: Collectors::Named(vec![name.into()]), ..request(&server, folder.path()) };
        let failure = fetch_archives(&request, &quick(), &Quiet).expect_err("not a name");
        assert!(matches!(failure, Failure::NoCollector(_)));
    }
    assert!(server.asked().is_empty());
}

#[test]
fn progress_adds_up() {
    #[derive(Default)]
    struct Count([std::sync::atomic::AtomicU64; 3]);
    impl Progress for Count {
        fn planned(&self, files: usize) {
            self.0[0].fetch_add(files as u64, std::sync::atomic::Ordering::SeqCst);
        }
        fn advanced(&self, _: &str, bytes: u64) {
            self.0[1].fetch_add(bytes, std::sync::atomic::Ordering::SeqCst);
        }
        fn finished(&self, _: &str, result: Result<&Path, &Failure>) {
            self.0[2].fetch_add(u64::from(result.is_ok()), std::sync::atomic::Ordering::SeqCst);
        }
    }
    let server = Server::start(|asked, _| usual(asked));
    let folder = tempfile::tempdir().expect("a folder");
    let count = Count::default();
    let report = fetch_archives(&request(&server, folder.path()), &quick(), &count).expect("a report");
    let bytes: u64 = report
        .files
        .iter()
        .map(|file| match file.outcome {
            Outcome::Downloaded(bytes) => bytes,
            Outcome::AlreadyThere => 0,
        })
        .sum();
    let [planned, advanced, finished] = count.0.map(|count| count.into_inner());
    assert_eq!((planned, advanced, finished), (4, bytes, 4));
}
