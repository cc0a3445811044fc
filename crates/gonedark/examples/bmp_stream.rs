//! How fast a BMP stream is taken in: from a socket on loopback through the station, the observatory and the store.
//!
//!     bmp_stream FILE      a recorded stream, plain or packed like an archive file
//!
//! Prints routes a second of wall time and of CPU time, and what a route takes in memory. The CPU is that of the station, the
//! observatory and the store: what the sender's thread takes is not in it.

#![allow(clippy::disallowed_methods, reason = "it measures time")]

use anyhow::{Context, Result};
use gonedark::config;
use gonedark::pipeline::observatory::Observatory;
use gonedark::present::Nameless;
use gonedark::source::archive::{ArchiveReader, Workers};
use gonedark::source::bmp::{Settings, Station, Taken};
use gonedark::source::channel::channel;
use gonedark::source::live::{self, Outlet, Source, Stop};
use gonedark::store::Store;
use gonedark::store::retention::Keeping;
use gonedark::watch::{Pace, Status, Watching, memory};
use gonedark_infer::parameters::Parameters;
use gonedark_route::Time;
use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    // As a watch does it.
    memory::share();
    let path = std::env::args().nth(1).context("usage: bmp_stream FILE")?;
    let bytes = unpacked(Path::new(&path))?;
    let folder = std::env::temp_dir().join(format!("bmp-stream-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let done = measure(&bytes, &folder);
    std::fs::remove_dir_all(&folder)?;
    done
}

fn measure(bytes: &[u8], folder: &Path) -> Result<()> {
    let routes = gonedark_decode_routes(bytes);
    anyhow::ensure!(routes > 0, "no routes are in it: there is nothing to measure");
    let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?.local_addr()?;
    let name = "bmp".to_owned();
    let hold = config::Span(Duration::from_millis(200)).micros();
    let settings =
        Settings { name, listen: free, routers: Vec::new(), hold, view: Taken::PrePolicy, vrf: None };
    let mut station: Box<dyn Source> = Box::new(Station::new(settings));
    station.prepare()?;
    let (store, _) = Store::open(&folder.join("store.db"))?;
    let countries = gonedark::country::load(&[], None, Time::MAX)?;
    let table = Box::new(countries.table);
    let observatory = Observatory::new(Parameters::default(), table, gonedark_infer::Watch::default());
    let (stop, (sender, parcels)) = (Stop::default(), channel());
    let departures = sender.of_source(station.room());
    let status = Arc::new(Mutex::new(Status::default()));
    let running = live::start(station, Outlet::new(departures, stop.clone(), Arc::default()))?;
    let pace = Pace {
        commit: Duration::from_millis(500),
        snapshot: Duration::from_secs(3600),
        keeping: Keeping::default(),
    };
    let sender = AtomicU64::new(0);
    let own = || all_threads().saturating_sub(sender.load(Ordering::Relaxed));
    let (before, began, cpu_before) = (resident(), Instant::now(), own());
    let sending = std::thread::scope(|scope| -> Result<()> {
        let (sender, until) = (&sender, stop.clone());
        let sent = scope.spawn(move || -> std::io::Result<()> {
            let mut router = TcpStream::connect(free)?;
            // Piece by piece, so that it is known how much of the CPU was the sender's at any time.
            for piece in bytes.chunks(1 << 20) {
                router.write_all(piece)?;
                sender.store(on_cpu(Path::new("/proc/thread-self")), Ordering::Relaxed);
            }
            // Connected to the end, so that no thread goes whose CPU is still to be counted.
            while !until.sleep(Duration::from_millis(50)) {}
            Ok(())
        });
        let watched = Arc::clone(&status);
        let stopping = stop.clone();
        scope.spawn(move || {
            // Until nothing more is applied for a second.
            let (mut last, mut quiet) = (0, 0);
            while quiet < 20 {
                std::thread::sleep(Duration::from_millis(50));
                let now = watched.lock().map_or(0, |status| status.applied);
                quiet = if now == last && now > 0 { quiet + 1 } else { 0 };
                if now != last {
                    report(
                        routes,
                        now,
                        began.elapsed(),
                        own().saturating_sub(cpu_before) as f64 / 1e9,
                        resident() - before,
                    );
                }
                last = now;
            }
            stopping.stop();
        });
        let mut watching = Watching {
            observatory,
            store,
            gazetteer: &Nameless,
            pace,
            status,
            stop: stop.clone(),
            meters: 0,
            origins: gonedark::watch::SharedOrigins::default(),
            limits: gonedark::watch::Limits::default(),
            running: Vec::new(),
            dead: Default::default(),
        };
        watching.run(&parcels)?;
        drop(parcels);
        sent.join().ok().context("the sender")??;
        Ok(())
    });
    running.join();
    sending
}

fn report(routes: u64, applied: u64, wall: Duration, cpu: f64, memory: u64) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(
        out,
        "{applied} observations applied after {:.2} s of wall, {cpu:.2} s of CPU; if that was all: {:.2} million routes/s of wall, \
         {:.2} of CPU; {:.0} bytes a route",
        wall.as_secs_f64(),
        routes as f64 / wall.as_secs_f64() / 1e6,
        routes as f64 / cpu / 1e6,
        memory as f64 / routes as f64
    );
}

/// Routes announced and withdrawn in the stream, by the decoder alone.
fn gonedark_decode_routes(bytes: &[u8]) -> u64 {
    use gonedark_decode::bmp::{Decoder, Message, messages};
    let mut decoder = Decoder::new();
    let mut routes = 0;
    for raw in messages(bytes).flatten() {
        if let Ok(Message::RouteMonitoring { update, .. }) = decoder.decode(raw) {
            routes += update.announced().count() as u64 + update.withdrawn().count() as u64;
        }
    }
    routes
}

fn unpacked(path: &Path) -> Result<Vec<u8>> {
    let mut reader = ArchiveReader::open(path, &Workers::per_core())?;
    let (mut all, mut chunk) = (Vec::new(), Vec::new());
    while reader.next_chunk(&mut chunk)? {
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}

/// Nanoseconds of CPU that all threads have had that are there.
fn all_threads() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    threads.map(|thread| on_cpu(&thread.path())).sum()
}

/// Nanoseconds of CPU that a thread has had.
fn on_cpu(thread: &Path) -> u64 {
    let schedule = std::fs::read_to_string(thread.join("schedstat")).unwrap_or_default();
    schedule.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// Resident memory in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: u64 = statm.split_whitespace().nth(1).and_then(|text| text.parse().ok()).unwrap_or(0);
    pages * 4096
}
