//! `big_table [--prefixes N] [--peers M]`: loads a generated table of full feeds, and says how fast and how large.
//!
//! The rows are MRT bytes that exist only a chunk at a time (the whole would be some 22 GB) and go the way of a file
//! that is decompressed: framed, decoded and put into batches by one thread, taken into the inference by another. What
//! making the bytes costs is timed and told apart.

#![allow(clippy::disallowed_methods, reason = "it measures how long things take")]

mod rows;

use anyhow::{Context, Result};
use gonedark::source::batch::{Batch, Entry, Neighbour, Observation};
use gonedark_decode::mrt::{self, Decoder, Frame, Record};
use gonedark_infer::observation::{CollectorId, NetworkId, PeerId, PeerKey, TableEntry};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::{Inference, Watch};
use gonedark_route::Time;
use rows::Rows;
use std::io::{self, Write};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

/// As in the archive reader and in `source::archive::reading`.
const CHUNK: usize = 256 << 10;
const BATCH_BYTES: usize = 1 << 20;
const WAITING: usize = 2;

/// What the reading thread did.
#[derive(Default)]
struct Produced {
    bytes: u64,
    making: Duration,
    decoding: Duration,
}

fn main() -> Result<()> {
    let (mut prefixes, mut peers) = (1_200_000, 325);
    let mut arguments = std::env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().with_context(|| format!("{flag}: expected a number behind it"))?;
        match flag.as_str() {
            "--prefixes" => prefixes = value.parse().context("--prefixes")?,
            "--peers" => peers = value.parse().context("--peers")?,
            _ => anyhow::bail!("usage: big_table [--prefixes N] [--peers M]"),
        }
    }
    let rows = Rows::new(prefixes, peers);
    let mut out = io::stdout().lock();
    let diversity = &rows.diversity;
    writeln!(
        out,
        "rows made of {:.1} attribute bytes and {:.2} ASNs an entry, {:.1} paths beyond the first hop and {:.2} tails a row",
        diversity.attribute_bytes, diversity.path_length, diversity.paths, diversity.tails
    )?;
    let countries = gonedark::country::load(&[], None, Time::from_seconds(1_717_200_000))?;
    let before = memory("VmRSS")?;
    let mut table = Taken::new(Box::new(countries.table));
    let start = Instant::now();
    let (sender, receiver) = sync_channel(WAITING);
    let reading = std::thread::spawn(move || produce(rows, &sender));
    let mut waited = Duration::ZERO;
    loop {
        let asked = Instant::now();
        let batch = receiver.recv();
        waited += asked.elapsed();
        let Ok(batch) = batch else { break };
        table.take(&batch);
    }
    let wall = start.elapsed();
    let Ok(produced) = reading.join() else { anyhow::bail!("the reading thread panicked") };
    let rate = |time: Duration| table.entries as f64 / time.as_secs_f64() / 1e6;
    let peak = memory("VmHWM")?;
    writeln!(
        out,
        "{} rows, {} entries, {:.1} MB of MRT",
        table.rows,
        table.entries,
        produced.bytes as f64 / 1e6
    )?;
    writeln!(out, "loaded in {:.2} s: {:.1} million entries/s", wall.as_secs_f64(), rate(wall))?;
    writeln!(
        out,
        "reading thread: {:.2} s decoding ({:.1} million entries/s), {:.2} s making the bytes; inference: {:.2} s ({:.1} million entries/s)",
        produced.decoding.as_secs_f64(),
        rate(produced.decoding),
        produced.making.as_secs_f64(),
        (wall - waited).as_secs_f64(),
        rate(wall - waited)
    )?;
    writeln!(
        out,
        "peak {:.1} MiB, of which {:.1} MiB before the table; {:.2} bytes a route",
        peak as f64 / 1024.0,
        before as f64 / 1024.0,
        peak as f64 * 1024.0 / table.entries.max(1) as f64
    )?;
    table.inference.watermark(Time::from_seconds(1_717_203_600));
    writeln!(
        out,
        "an hour later: peak {:.1} MiB, {:.2} s",
        memory("VmHWM")? as f64 / 1024.0,
        start.elapsed().as_secs_f64()
    )?;
    Ok(())
}

/// Makes and decodes chunks, and hands batches on, as `source::archive::reading` does.
fn produce(mut rows: Rows, sender: &SyncSender<Box<Batch>>) -> Produced {
    let mut produced = Produced::default();
    let mut decoder = Decoder::new();
    let mut batch = Box::<Batch>::default();
    let mut chunk = rows.peer_index();
    loop {
        let start = Instant::now();
        let more = rows.write(&mut chunk, CHUNK);
        let made = Instant::now();
        decode(&chunk, &mut decoder, &mut batch);
        produced.making += made - start;
        produced.decoding += made.elapsed();
        produced.bytes += chunk.len() as u64;
        chunk.clear();
        if !more {
            batch
                .observations
                .push((Time::from_seconds(1_717_200_000), Observation::TableEnd { whole: true }));
        }
        let heard = batch.weight() < BATCH_BYTES && more || sender.send(std::mem::take(&mut batch)).is_ok();
        if !heard || !more {
            return produced;
        }
    }
}

fn decode(chunk: &[u8], decoder: &mut Decoder, batch: &mut Batch) {
    let mut used = 0;
    while let Frame::Record { record, consumed } = mrt::frame(&chunk[used..], used as u64, false) {
        used += consumed;
        let at = record.at;
        match decoder.decode(record) {
            Ok(Record::PeerIndexTable(table)) => {
                batch.peers.extend(
                    table.peers.iter().map(|peer| Neighbour { asn: peer.asn, address: peer.address }),
                );
                batch.observations.push((at, Observation::TableBegin));
            }
            Ok(Record::RibRow(row)) => {
                let start = batch.entries.len() as u32;
                for entry in row.entries().flatten() {
                    if let Some(path) = entry.attributes.path() {
                        let (peer, path_id) = (entry.peer_index, entry.path_id);
                        batch.entries.push(Entry { peer, path_id, tail: path.tail() });
                    }
                }
                let entries = start..batch.entries.len() as u32;
                let network = batch.named.len() as u32;
                batch.named.push(row.prefix);
                batch.observations.push((at, Observation::TableRow { network, entries }));
            }
            _ => {}
        }
    }
}

/// The inference and what it was given, as `pipeline::replay` does it.
struct Taken {
    inference: Inference,
    collector: CollectorId,
    peers: Vec<PeerId>,
    rows: u64,
    entries: u64,
}

impl Taken {
    fn new(delegations: Box<dyn gonedark_infer::observation::Delegations + Send>) -> Self {
        let mut inference = Inference::new(Parameters::default(), delegations, Watch::default(), 1);
        let collector = inference.collector("generated");
        Taken { inference, collector, peers: Vec::new(), rows: 0, entries: 0 }
    }

    fn take(&mut self, batch: &Batch) {
        let Taken { inference, collector, peers, .. } = self;
        let keys = batch.peers.iter().map(|peer| PeerKey {
            collector: *collector,
            asn: peer.asn,
            address: peer.address,
        });
        peers.extend(keys.filter_map(|key| inference.peer(key)));
        // Each batch numbers its rows from zero; a file goes on.
        let networks: Vec<Option<NetworkId>> =
            batch.named.iter().map(|prefix| inference.network(*prefix)).collect();
        for (at, observation) in &batch.observations {
            match observation {
                Observation::TableBegin => inference.table_begin(*at, *collector),
                Observation::TableEnd { whole } => inference.table_end(*collector, *whole),
                Observation::TableRow { network, entries } => {
                    let routes = batch.routes(entries);
                    self.rows += 1;
                    self.entries += routes.len() as u64;
                    let entry = |entry: &Entry| TableEntry {
                        peer: peers[usize::from(entry.peer)],
                        tail: entry.tail,
                        path_id: entry.path_id,
                    };
                    if let Some(network) = networks[*network as usize] {
                        inference.table_row(*collector, network, routes.iter().map(entry));
                    }
                }
                _ => {}
            }
        }
    }
}

/// A figure of this process in KiB, as Linux tells it (proc(5)).
fn memory(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with(name)).context("no such line in /proc/self/status")?;
    line.split_ascii_whitespace().nth(1).context("no figure")?.parse().context(line.to_owned())
}
