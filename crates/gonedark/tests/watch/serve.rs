//! What a watch says of itself over HTTP, and `gonedark status` of it: while it runs, and after.

use crate::observed::recording;
use gonedark_route::Time;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// 2014-12-27T12:00:00Z.
const NOON_OF_THE_27TH: i64 = 1_419_681_600;

/// A watch that waits for further files and answers.
struct Serving {
    child: Child,
    address: SocketAddr,
    config: PathBuf,
}

impl Serving {
    fn start(recording: &Path, into: &Path) -> Self {
        // Of port 0 the system would choose another for whoever reads the configuration.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port");
        let config = into.join("gonedark.toml");
        // Of what is missing on the 20th and the 25th it gives up; at the end, after the 28th, it still waits.
        let patience = gonedark::clock::now() - Time::from_seconds(NOON_OF_THE_27TH);
        let patience = patience / 1_000_000;
        let text = format!(
            "[store]\npath = {:?}\ncommit = \"50ms\"\n[serve]\nlisten = \"{free}\"\n\
             [[source.archive]]\nname = \"recording\"\nfolder = {recording:?}\nfrom = \"everything\"\npoll = \"1s\"\npatience = \"{patience}s\"\n",
            into.join("gonedark.db")
        );
        std::fs::write(&config, text).expect("a configuration");
        let mut child = watch(&config).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it runs");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let said = lines.map(|line| line.expect("a line")).find(|line| line.starts_with("Look at http://"));
        assert!(said.is_some_and(|said| said.contains(&free.to_string())), "it says where it listens");
        Serving { child, address: free, config }
    }

    /// The code, the kind and the body of a page.
    fn get(&self, path: &str) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        let request = format!("GET {path} HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("asked");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a code");
        let kind = head.lines().find_map(|line| line.strip_prefix("content-type: ")).unwrap_or_default();
        (code, kind.to_owned(), body.to_owned())
    }

    fn wait_until_ready(&self) {
        for _ in 0..600 {
            if self.get("/readyz").0 == 200 {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("never ready: {:?}", self.get("/readyz"));
    }

    fn status(&self, columns: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
        let output = command.args(["status", "--config"]).arg(&self.config).env("COLUMNS", columns).output();
        let output = output.expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn watch(config: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
    command.args(["watch", "--config"]).arg(config).env("RUST_LOG", "warn").env("NO_COLOR", "1");
    command
}

#[test]
fn a_running_watch_says_how_it_is_and_ends_with_its_server() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let mut serving = Serving::start(recording.path(), folder.path());
    assert_eq!(serving.get("/healthz").0, 200);
    serving.wait_until_ready();

    let (code, kind, body) = serving.get("/status");
    assert_eq!((code, kind.as_str()), (200, "application/json"));
    let view: serde_json::Value = serde_json::from_str(&body).expect("JSON");
    assert_eq!((&view["schema"], &view["alive"]), (&1.into(), &true.into()), "{body}");
    assert!(view["applied"].as_u64() > Some(0) && view["store_bytes"].as_u64() > Some(0), "{body}");
    assert_eq!(view["sources"][0]["name"], "recording");
    assert!(view["sources"][0]["lag_s"].as_f64() > Some(3e8), "the recording is of 2014: {body}");

    let (code, kind, body) = serving.get("/metrics");
    assert!(code == 200 && kind.starts_with("application/openmetrics-text"), "{kind}");
    for line in [
        "# TYPE gonedark_source_messages counter",
        "gonedark_source_messages_total{source=\"recording\"} ",
        "gonedark_source_well{source=\"recording\"} 1",
        "gonedark_source_lag_seconds{source=\"recording\"} ",
        "gonedark_source_missed_total{source=\"recording\"} 0",
        "gonedark_commits_total ",
        "gonedark_applied_observations_total ",
        "gonedark_waiting_bytes ",
        "gonedark_store_fault 0",
        "gonedark_store_size_bytes ",
        "gonedark_incidents_ongoing{level=\"dark\"} ",
        "# EOF",
    ] {
        assert!(body.lines().any(|said| said.starts_with(line)), "{line}\n{body}");
    }
    assert_eq!(serving.get("/elsewhere").0, 404);

    let pid = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    assert!(serving.child.wait().expect("it ends").success());
    assert!(TcpStream::connect(serving.address).is_err(), "nobody answers any more");
}

#[test]
fn after_a_restart_it_shows_at_once_how_far_it_had_come() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let first = Serving::start(recording.path(), folder.path());
    first.wait_until_ready();
    let applied = |serving: &Serving| {
        let (_, _, metrics) = serving.get("/metrics");
        let line = metrics.lines().find(|line| line.starts_with("gonedark_applied_observations_total "));
        line.and_then(|line| line.split(' ').nth(1)?.parse::<u64>().ok()).expect("a count")
    };
    // All is read: nothing more comes to be applied.
    let mut before = 0;
    while applied(&first) != std::mem::replace(&mut before, applied(&first)) {
        std::thread::sleep(Duration::from_millis(1500));
    }
    drop(first);
    let again = Serving::start(recording.path(), folder.path());
    assert_eq!(applied(&again), before);
    // Ready as soon as its loop has begun, which on a busy machine is a moment after its server answers.
    again.wait_until_ready();
    assert_eq!(applied(&again), before, "without anything new");
}

#[test]
fn an_address_that_cannot_be_had_is_told_of_before_anything_begins() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("gonedark.toml");
    let text = format!(
        "[store]\npath = {:?}\n[serve]\nlisten = \"{}\"\n[[source.archive]]\nname = \"a\"\nfolder = {:?}\n",
        folder.path().join("gonedark.db"),
        taken.local_addr().expect("its address"),
        folder.path()
    );
    std::fs::write(&config, text).expect("a configuration");
    let output = watch(&config).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("[serve] listen") && said.contains("give another address"), "{said}");
    assert!(output.stdout.is_empty(), "nothing has begun");
}

#[test]
fn whoever_opens_many_connections_takes_no_more_than_a_few() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let serving = Serving::start(recording.path(), folder.path());
    let held: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect(serving.address).expect("a connection")).collect();
    let closed = |stream: &mut &TcpStream| {
        stream.set_read_timeout(Some(Duration::from_millis(5))).expect("a limit");
        let read = stream.read(&mut [0]);
        read.as_ref().is_ok_and(|read| *read == 0)
            || read.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    };
    std::thread::sleep(Duration::from_millis(500));
    let closed = held.iter().filter(|stream| closed(&mut &**stream)).count();
    assert!(closed >= 100, "{closed} of 200 were closed");
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(serving.get("/healthz").0, 200);
}

#[test]
fn status_says_whether_the_watch_runs_and_fits_eighty_columns() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let mut serving = Serving::start(recording.path(), folder.path());
    serving.wait_until_ready();
    // To the last file: then the incident has ended.
    let mut said = String::new();
    for _ in 0..600 {
        said = serving.status("80");
        if said.contains("waiting for the next file") && said.contains("dark    KP") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let process = format!("process {}", serving.child.id());
    for words in
        ["The watch runs", "and is ready", &process, "recording: well", "KP (North Korea)", "messages"]
    {
        let unbroken = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unbroken.contains(words), "{words}\n{said}");
    }
    for heading in ["Sources", "Blind now", "Going on", "Last incidents that have ended"] {
        assert!(said.lines().any(|line| line == heading), "{heading}\n{said}");
    }
    let path = recording.path().display().to_string();
    let long = said.lines().find(|line| line.chars().count() > 80 && !line.contains(&path));
    assert_eq!(long, None, "{said}");

    serving.child.kill().expect("killed");
    serving.child.wait().expect("it ends");
    let said = serving.status("80");
    assert!(said.starts_with("No watch runs. By its store it has come to "), "{said}");
    for words in ["Streams", "recording", "KP (North Korea)"] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}
