//! Writes a scenario as the public archives would hold it: one folder per collector, one file per stretch of updates,
//! one per table. A file is open only while it is written; memory does not grow with the scenario's length.

use super::incidents::Truth;
use super::mrt_writer::{self, Entry, Routes, Session, Stamp};
use super::plan::{Collector, Scenario};
use super::recording::{Recorded, RibEntry, ScenarioEvent};
use super::simulation::Events;
use super::text::{Compression, Layout};
use anyhow::{Context, Result, bail};
use gonedark_route::{Asn, Family, Time};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

/// What is buffered before it goes to the compressor.
const BUFFER: usize = 64 * 1024;

/// How far writing has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// The scenario's time.
    pub at: Time,
    /// Where it began.
    pub from: Time,
    /// Where it ends.
    pub until: Time,
    /// Files finished.
    pub files: u64,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The collectors' folders.
    pub folders: Vec<PathBuf>,
    /// Files written.
    pub files: u64,
    /// MRT records in them.
    pub records: u64,
    /// Bytes on disk.
    pub bytes: u64,
    /// What really happened.
    pub truth: Truth,
}

/// A compressed file that is being written.
enum Packed {
    Gz(flate2::write::GzEncoder<BufWriter<File>>),
    Bz2(bzip2::write::BzEncoder<BufWriter<File>>),
    Plain(BufWriter<File>),
}

impl Packed {
    fn create(path: &Path, compression: Compression) -> Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
        let file = BufWriter::new(file);
        Ok(match compression {
            // Fast: the files live for one demo.
            Compression::Gz => Packed::Gz(flate2::write::GzEncoder::new(file, flate2::Compression::fast())),
            Compression::Bz2 => Packed::Bz2(bzip2::write::BzEncoder::new(file, bzip2::Compression::fast())),
            Compression::None => Packed::Plain(file),
        })
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self {
            Packed::Gz(file) => file.write_all(bytes),
            Packed::Bz2(file) => file.write_all(bytes),
            Packed::Plain(file) => file.write_all(bytes),
        }
    }

    /// Ends the file and gives its size.
    fn finish(self) -> std::io::Result<u64> {
        let buffered = match self {
            Packed::Gz(file) => file.finish()?,
            Packed::Bz2(file) => file.finish()?,
            Packed::Plain(file) => file,
        };
        let file = buffered.into_inner().map_err(|error| error.into_error())?;
        Ok(file.metadata()?.len())
    }
}

/// A file that is being written, and what is not yet compressed of it.
struct Open {
    path: PathBuf,
    packed: Packed,
    buffer: Vec<u8>,
}

impl Open {
    fn create(path: PathBuf, compression: Compression) -> Result<Self> {
        let packed = Packed::create(&path, compression)?;
        Ok(Open { path, packed, buffer: Vec::with_capacity(BUFFER) })
    }

    fn spill(&mut self, over: usize) -> Result<()> {
        if self.buffer.len() > over {
            self.packed
                .write(&self.buffer)
                .with_context(|| format!("cannot write {}", self.path.display()))?;
            self.buffer.clear();
        }
        Ok(())
    }

    fn finish(mut self) -> Result<u64> {
        self.spill(0)?;
        let path = self.path;
        self.packed.finish().with_context(|| format!("cannot finish {}", path.display()))
    }
}

/// One collector's part of the archive.
struct Shelf<'a> {
    scenario: &'a Scenario,
    collector: &'a Collector,
    folder: PathBuf,
    sessions: Vec<Session>,
    updates: Option<Open>,
    /// End of the update file that is open, or begin of the next.
    boundary: Time,
    table: Option<Open>,
    sequence: u32,
    files: u64,
    records: u64,
    bytes: u64,
}

impl<'a> Shelf<'a> {
    fn new(scenario: &'a Scenario, collector: &'a Collector, out_dir: &Path) -> Result<Self> {
        let folder = out_dir.join(&collector.name);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let mut inside =
            std::fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        if inside.next().is_some() {
            bail!("{} is not empty; name a new folder, or remove it first", folder.display());
        }
        let first = collector.stamp(scenario.from).micros();
        Ok(Shelf {
            scenario,
            collector,
            folder,
            sessions: collector.peers.clone().map(|peer| session(scenario, collector, peer)).collect(),
            updates: None,
            boundary: Time::from_micros(first - first.rem_euclid(collector.updates_every)),
            table: None,
            sequence: 0,
            files: 0,
            records: 0,
            bytes: 0,
        })
    }

    /// Ends and begins update files until the one that `stamp` belongs to is open, or is known to be missing.
    fn advance(&mut self, stamp: Time) -> Result<()> {
        while self.boundary <= stamp {
            self.close_updates()?;
            let begin = self.boundary;
            self.boundary = begin + self.collector.updates_every;
            if !self.collector.is_missing(begin) {
                let path = self.path("updates", begin);
                self.updates = Some(Open::create(path, self.collector.compression)?);
            }
        }
        Ok(())
    }

    fn path(&self, kind: &str, begin: Time) -> PathBuf {
        let (year, month, day) = begin.date();
        let minute = begin.seconds().rem_euclid(86_400) / 60;
        let ending = match self.collector.compression {
            Compression::Gz => ".gz",
            Compression::Bz2 => ".bz2",
            Compression::None => "",
        };
        let name = format!("{kind}.{year:04}{month:02}{day:02}.{:02}{:02}{ending}", minute / 60, minute % 60);
        self.folder.join(name)
    }

    fn close_updates(&mut self) -> Result<()> {
        if let Some(open) = self.updates.take() {
            self.bytes += open.finish()?;
            self.files += 1;
        }
        Ok(())
    }

    fn write(&mut self, event: &ScenarioEvent) -> Result<()> {
        match &event.what {
            Recorded::RibBegin => self.begin_table(event.stamp),
            Recorded::RibRow { prefix, entries } => self.table_row(event.stamp, *prefix, entries),
            Recorded::RibEnd => self.end_table(),
            Recorded::Gap { .. } => Ok(()),
            other => self.update(event.stamp, other),
        }
    }

    fn begin_table(&mut self, stamp: Time) -> Result<()> {
        let kind = match self.collector.layout {
            Layout::Ris => "bview",
            Layout::Routeviews => "rib",
        };
        let mut open = Open::create(self.path(kind, stamp), self.collector.compression)?;
        let id = Ipv4Addr::new(192, 0, 2, 1);
        mrt_writer::peer_index_table(&mut open.buffer, stamp, &self.collector.name, id, &self.sessions);
        self.table = Some(open);
        self.sequence = 0;
        self.records += 1;
        Ok(())
    }

    fn table_row(&mut self, stamp: Time, prefix: gonedark_route::Prefix, entries: &[RibEntry]) -> Result<()> {
        let Some(open) = &mut self.table else { return Ok(()) };
        for add_path in [false, true] {
            let of_kind = entries.iter().filter(|entry| self.scenario.peers[entry.peer].add_path == add_path);
            let written: Vec<Entry<'_>> = of_kind
                .map(|entry| Entry {
                    peer: (entry.peer - self.collector.peers.start) as u16,
                    path_id: entry.path_id,
                    since: entry.since,
                    path: &entry.path,
                    next_hop: next_hop(self.scenario.peers[entry.peer].address, prefix.family()),
                })
                .collect();
            if !written.is_empty() {
                mrt_writer::rib_row(&mut open.buffer, stamp, self.sequence, prefix, &written, add_path);
                self.sequence += 1;
                self.records += 1;
            }
        }
        open.spill(BUFFER)
    }

    fn end_table(&mut self) -> Result<()> {
        if let Some(open) = self.table.take() {
            self.bytes += open.finish()?;
            self.files += 1;
        }
        Ok(())
    }

    fn update(&mut self, stamp: Time, what: &Recorded) -> Result<()> {
        self.advance(stamp)?;
        let Some(open) = &mut self.updates else { return Ok(()) };
        let first = self.collector.peers.start;
        let out = &mut open.buffer;
        let stamp = Stamp { time: stamp, micros: self.collector.micros };
        match what {
            Recorded::Update { peer, withdrawn, announced, path } => {
                let family =
                    withdrawn.iter().chain(announced).next().map_or(Family::V4, |it| it.prefix.family());
                let next_hop = next_hop(self.scenario.peers[*peer].address, family);
                let routes = Routes { withdrawn, announced, path, next_hop };
                mrt_writer::update(out, stamp, &self.sessions[peer - first], routes);
            }
            Recorded::EndOfRib { peer, family } => {
                mrt_writer::end_of_rib(out, stamp, &self.sessions[peer - first], *family);
            }
            Recorded::State { peer, up } => {
                mrt_writer::state_change(out, stamp, &self.sessions[peer - first], *up);
            }
            _ => return Ok(()),
        }
        self.records += 1;
        open.spill(BUFFER)
    }

    /// The files up to the end of the window, silent ones too: a collector without news writes an empty file.
    fn finish(&mut self) -> Result<()> {
        self.advance(self.collector.stamp(self.scenario.until + -1))?;
        self.close_updates()
    }
}

fn session(scenario: &Scenario, collector: &Collector, peer: usize) -> Session {
    let peer = &scenario.peers[peer];
    let local = match collector.layout {
        Layout::Ris => Asn(12_654),
        Layout::Routeviews => Asn(6_447),
    };
    // Documentation addresses (RFC 5737, RFC 3849): the collector's own address carries no meaning.
    let local_address: IpAddr = match peer.address {
        IpAddr::V4(_) => Ipv4Addr::new(192, 0, 2, 1).into(),
        IpAddr::V6(_) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1).into(),
    };
    Session { peer: peer.asn, local, peer_address: peer.address, local_address, add_path: peer.add_path }
}

/// The peer itself, or where it speaks the other family a documentation address.
fn next_hop(peer: IpAddr, family: Family) -> IpAddr {
    match (family, peer) {
        (Family::V4, IpAddr::V6(_)) => Ipv4Addr::new(192, 0, 2, 2).into(),
        (Family::V6, IpAddr::V4(_)) => Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2).into(),
        (_, peer) => peer,
    }
}

/// Writes the archive: `<out_dir>/<collector>/bview.20141219.0000.gz` (or `rib....bz2`) and `updates....`.
///
/// # Errors
/// A collector's folder that is not empty, and whatever the disk refuses.
pub fn write(scenario: &Scenario, out_dir: &Path, progress: &mut dyn FnMut(Progress)) -> Result<Summary> {
    let shelves = scenario.collectors.iter().map(|collector| Shelf::new(scenario, collector, out_dir));
    let mut shelves: Vec<Shelf<'_>> = shelves.collect::<Result<_>>()?;
    let mut events = Events::new(scenario);
    let mut told = 0;
    for event in events.by_ref() {
        shelves[event.collector].write(&event)?;
        let files = shelves.iter().map(|shelf| shelf.files).sum();
        if files > told {
            told = files;
            progress(Progress { at: event.at, from: scenario.from, until: scenario.until, files });
        }
    }
    shelves.iter_mut().try_for_each(Shelf::finish)?;
    let sum = |of: fn(&Shelf<'_>) -> u64| shelves.iter().map(of).sum();
    Ok(Summary {
        files: sum(|shelf| shelf.files),
        records: sum(|shelf| shelf.records),
        bytes: sum(|shelf| shelf.bytes),
        folders: shelves.into_iter().map(|shelf| shelf.folder).collect(),
        truth: events.into_truth(),
    })
}
