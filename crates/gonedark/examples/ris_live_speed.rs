//! How many messages of RIS Live a core takes: a WebSocket of this machine, JSON, BGP, batches. `ris_live_speed FILE [N]`
//! sends the lines of a file, `N` messages in all.

use gonedark::source::channel::channel;
use gonedark::source::live::{self, Outlet, Stop};
use gonedark::source::parcel::Freight;
use gonedark::source::ris_live::{Pace, RisLive, Settings};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Bytes that may wait.
const ROOM: usize = 64 << 20;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file?")?;
    let wanted: u64 = arguments.next().map_or(Ok(1_000_000), |number| number.parse())?;
    let text = std::fs::read_to_string(file)?;
    let frames: Vec<Vec<u8>> = text.lines().filter(|line| !line.is_empty()).map(frame).collect();
    let (url, bytes) = serve(frames, wanted)?;
    let settings = Settings {
        name: "ris".into(),
        url,
        collectors: BTreeSet::new(),
        prefixes: Vec::new(),
        asns: Vec::new(),
        hold: 2_000_000,
        expected: BTreeSet::new(),
        pace: Pace { patience: Duration::from_secs(600), ..Pace::default() },
    };
    let (sender, parcels) = channel();
    let stop = Stop::default();
    let outlet = Outlet::new(sender.of_source(ROOM), stop.clone(), Arc::new(BTreeMap::new()));
    let health = Arc::clone(&outlet.health);
    let running = live::start(Box::new(RisLive::new(settings)), outlet)?;
    let (mut begin, mut observations) = (None, 0);
    let seconds = loop {
        let Ok(Freight::Parcel(parcel)) = parcels.recv_timeout(Duration::from_millis(1)) else {
            if begin.is_none() && health.messages.load(Ordering::Relaxed) > 0 {
                begin = Some(now());
            }
            continue;
        };
        observations += parcel.batch.observations.len();
        if health.messages.load(Ordering::Relaxed) >= wanted {
            break begin.unwrap_or_else(now).elapsed().as_secs_f64();
        }
    };
    let processor = used("ris")?;
    stop.stop();
    drop(parcels);
    running.join();
    let rate = |seconds: f64| wanted as f64 / seconds;
    writeln!(
        std::io::stdout(),
        "{wanted} messages, {} MB, {observations} observations: {:.0} messages/s; {:.0} a second of the source's core",
        bytes / 1_000_000,
        rate(seconds),
        rate(processor)
    )?;
    Ok(())
}

/// A line as a server's frame of text (RFC 6455 section 5.2).
fn frame(line: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match line.len() {
        short @ ..126 => frame.push(short as u8),
        long @ ..65_536 => {
            frame.push(126);
            frame.extend((long as u16).to_be_bytes());
        }
        longer => {
            frame.push(127);
            frame.extend((longer as u64).to_be_bytes());
        }
    }
    frame.extend(line.as_bytes());
    frame
}

/// Sends frames over and over, many in one write.
fn serve(frames: Vec<Vec<u8>>, wanted: u64) -> Result<(String, usize), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("ws://{}/", listener.local_addr()?);
    let once: usize = frames.iter().map(Vec::len).sum();
    let rounds = wanted.div_ceil(frames.len() as u64);
    let all = frames.concat();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().ok()?;
        let mut socket = tungstenite::accept(stream).ok()?;
        socket.read().ok()?;
        for _ in 0..rounds {
            socket.get_mut().write_all(&all).ok()?;
        }
        // Stays until the client goes.
        while socket.read().is_ok() {}
        Some(())
    });
    Ok((url, once * rounds as usize))
}

/// Seconds of processor that the thread of a name has used, as Linux counts them in hundredths.
fn used(name: &str) -> Result<f64, Box<dyn Error>> {
    for task in std::fs::read_dir("/proc/self/task")? {
        let stat = std::fs::read_to_string(task?.path().join("stat"))?;
        let Some((begin, rest)) = stat.rsplit_once(')') else { continue };
        if begin.ends_with(&format!("({name}")) {
            let fields: Vec<i64> = rest.split_whitespace().filter_map(|field| field.parse().ok()).collect();
            // The state, a letter, is left out: user and system time are the 11th and 12th of the numbers.
            return Ok((fields[10] + fields[11]) as f64 / 100.0);
        }
    }
    Err("no thread of that name".into())
}

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn now() -> Instant {
    Instant::now()
}
