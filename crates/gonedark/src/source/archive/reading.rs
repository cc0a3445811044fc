//! One archive file to batches, on a thread of its own.

use super::super::batch::{Batch, Entry, Neighbour, Observation, Spare};
use super::super::filling::{Filling, PER_FILE};
use super::super::stamp::STRAY;
use super::{ArchiveFile, ArchiveReader, Damage, Kind, Workers};
use gonedark_decode::DecodeError;
use gonedark_decode::bgp::Message;
use gonedark_decode::mrt::{self, Decoder, Frame, PeerAddress, RawRecord, Record};
use gonedark_route::{Prefix, Time};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// A batch is handed on at about this many bytes: large enough that handing on costs nothing, small enough that many
/// collectors fit side by side.
const BATCH_BYTES: usize = 1 << 20;
/// A file of at most this many bytes is decompressed by the thread that decodes it: many small files keep all cores
/// busy side by side, and need no second thread each. Guess: an update file of RIS has a quarter of it in most hours.
const SMALL: u64 = 1 << 20;
/// Batches of one file that may wait: one in use, one ready.
const WAITING: usize = 2;
/// Distinct complaints that are kept of one file; further ones are counted.
const COMPLAINTS: usize = 20;
/// BGP finite state machine: Established (RFC 4271 section 8.2.2).
const ESTABLISHED: u16 = 6;

/// One kind of damage in a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Complaint {
    /// Where it was met first, in bytes into the decompressed stream; `None` where that is not known.
    pub offset: Option<u64>,
    /// What was expected and what was there.
    pub what: String,
    /// How often.
    pub count: u64,
}

impl Complaint {
    /// One of a file as a whole.
    pub(crate) fn of_file(what: String) -> Self {
        Complaint { offset: None, what, count: 1 }
    }
}

/// What a file was, once it is read.
#[derive(Clone, Debug, Default)]
pub struct FileSummary {
    /// As given, or below the folder given.
    pub path: PathBuf,
    /// Whose.
    pub collector: String,
    /// Of the file as it lies on the disk, in hexadecimal.
    pub sha256: String,
    /// A table, or updates, by what is in it.
    pub is_rib: bool,
    /// The first and the last stamp.
    pub span: Option<(Time, Time)>,
    /// Records read.
    pub records: u64,
    /// Records of types and subtypes that are of no use here.
    pub skipped: u64,
    /// What could not be read, and where: equal complaints are one.
    pub damage: Vec<Complaint>,
    /// The time from which on the file could not be read to its end.
    pub cut_at: Option<Time>,
}

/// What comes out of a file.
pub enum Piece {
    /// The next batch.
    Batch(Batch),
    /// The file has been read.
    End(Box<FileSummary>),
}

/// Starts to read a file. Batches come until the summary does.
pub fn start(file: &ArchiveFile, until: Option<Time>, workers: &Workers, spare: &Spare) -> Receiver<Piece> {
    let (sender, receiver) = sync_channel(WAITING);
    let (file, spare) = (file.clone(), spare.clone());
    let workers = if file.length <= SMALL { Workers::new(0) } else { workers.clone() };
    let job = move || {
        let mut reading = Reading::new(&file, until, spare);
        match ArchiveReader::open(&file.path, &workers) {
            Ok(reader) => reading.run(reader, &sender),
            Err(error) => reading.complain(None, format!("cannot be opened: {error}")),
        }
        // Where nobody listens any more, nothing is missed.
        let _ = sender.send(Piece::End(Box::new(reading.summary)));
    };
    if std::thread::Builder::new().name("decode".into()).spawn(job).is_err() {
        let (sender, receiver) = sync_channel(1);
        let damage = vec![Complaint::of_file("no thread to read it with".to_owned())];
        let _ = sender.send(Piece::End(Box::new(FileSummary { damage, ..FileSummary::default() })));
        return receiver;
    }
    receiver
}

struct Reading {
    until: Option<Time>,
    summary: FileSummary,
    filling: Filling,
    /// The file's numbers of the peers of the current PEER_INDEX_TABLE.
    index: Vec<Option<u16>>,
    table_open: bool,
    table_damaged: bool,
    /// The row of a TABLE_DUMP table that is being put together.
    row: Option<(Time, Prefix, u32)>,
    /// Damage of more kinds than are kept.
    untold: u64,
    warnings: BTreeMap<&'static str, u64>,
    past_end: bool,
    /// When the file should begin, and whether it should be a table, by its name.
    begin: Option<Time>,
    of_table: bool,
    /// The last stamp at which the whole collector's peers were doubted.
    doubted: Option<Time>,
}

impl Reading {
    fn new(file: &ArchiveFile, until: Option<Time>, spare: Spare) -> Self {
        let summary = FileSummary {
            path: file.path.clone(),
            collector: file.collector.clone(),
            ..FileSummary::default()
        };
        Reading {
            until,
            summary,
            filling: Filling::new(spare, PER_FILE),
            index: Vec::new(),
            table_open: false,
            table_damaged: false,
            row: None,
            untold: 0,
            warnings: BTreeMap::new(),
            past_end: false,
            begin: file.time,
            of_table: file.kind == Kind::Rib,
            doubted: None,
        }
    }

    fn run(&mut self, mut reader: ArchiveReader, sender: &SyncSender<Piece>) {
        let mut decoder = Decoder::new();
        let (mut chunk, mut rest, mut offset) = (Vec::new(), Vec::new(), 0_u64);
        let mut damage: Option<Damage> = None;
        loop {
            match reader.next_chunk(&mut chunk) {
                Ok(true) => {}
                Ok(false) => break,
                Err(found) => {
                    damage = Some(found);
                    break;
                }
            }
            self.feed(&chunk, (&mut rest, &mut offset), &mut decoder);
            if self.filling.batch.weight() >= BATCH_BYTES && !self.hand_on(sender) {
                return;
            }
            if self.past_end {
                break;
            }
        }
        let used = self.take((&rest, offset), &mut decoder, false);
        self.finish(damage, &rest[used..], offset + used as u64, reader, sender);
    }

    /// Decodes a chunk that follows on `rest`, which begins at `offset`; what is left over becomes the next `rest`.
    fn feed(&mut self, chunk: &[u8], (rest, offset): (&mut Vec<u8>, &mut u64), decoder: &mut Decoder) {
        // A record that goes over the end of a chunk is put together from both; all others are read where they lie.
        let (mut chunk, mut lent) = (chunk, 0);
        while !rest.is_empty() && !self.past_end {
            if let Frame::NeedMore { at_least } = mrt::frame(rest, *offset, true) {
                // A share of what there is: bytes that move up behind each small step would take the square of the time.
                let wanted = at_least.saturating_sub(rest.len()).max(rest.len() / 8).max(1);
                let Some(more) = chunk.get(lent..lent + wanted) else {
                    return rest.extend_from_slice(&chunk[lent..]);
                };
                rest.extend_from_slice(more);
                lent += wanted;
            } else {
                let used = self.take((rest, *offset), decoder, true);
                *offset += used as u64;
                if let Some(of_chunk) = (used + lent).checked_sub(rest.len()) {
                    chunk = &chunk[of_chunk..];
                    lent = 0;
                    rest.clear();
                } else {
                    rest.drain(..used);
                }
            }
        }
        let used = self.take((chunk, *offset), decoder, true);
        *offset += used as u64;
        rest.extend_from_slice(&chunk[used..]);
    }

    fn finish(
        &mut self,
        damage: Option<Damage>,
        rest: &[u8],
        offset: u64,
        reader: ArchiveReader,
        sender: &SyncSender<Piece>,
    ) {
        if let Some(damage) = &damage {
            let what = format!("{}; byte {} of the file as it lies there", damage.fault, damage.offset_in);
            self.complain(Some(damage.offset_out), what);
        } else if !rest.is_empty() && !self.past_end {
            let error = mrt::cut_at_end(rest, offset);
            self.complain(Some(error.offset()), error.complaint().to_string());
        }
        let cut = (damage.is_some() || !rest.is_empty()) && !self.past_end;
        self.end_row();
        let last = self.summary.span.map(|(_, last)| last);
        if self.table_open {
            let at = last.unwrap_or_default();
            let whole = !cut && !self.table_damaged && !self.past_end;
            self.filling.batch.observations.push((at, Observation::TableEnd { whole }));
        } else if cut {
            self.summary.cut_at = last;
        }
        match reader.finish() {
            Ok(digest) => {
                self.summary.sha256 = digest.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            }
            Err(error) => self.complain(None, format!("cannot be read to its end: {error}")),
        }
        for (text, count) in std::mem::take(&mut self.warnings) {
            self.summary.damage.push(Complaint { offset: None, what: text.to_owned(), count });
        }
        if self.untold > 0 {
            let what = "damage of yet other kinds".to_owned();
            self.summary.damage.push(Complaint { offset: None, what, count: self.untold });
        }
        self.hand_on(sender);
    }

    /// Decodes the whole records of some bytes, behind which there may be more; gives how many bytes they took.
    fn take(&mut self, (bytes, offset): (&[u8], u64), decoder: &mut Decoder, more: bool) -> usize {
        let mut used = 0;
        while !self.past_end {
            match mrt::frame(&bytes[used..], offset + used as u64, more) {
                Frame::Record { record, consumed } => {
                    used += consumed;
                    self.record(record, decoder);
                }
                Frame::NeedMore { .. } => break,
                Frame::Damaged { error, skip } => {
                    used += skip;
                    self.damaged_record(error);
                }
            }
        }
        used
    }

    fn damaged_record(&mut self, error: DecodeError) {
        self.complain(Some(error.offset()), error.complaint().to_string());
        self.lost_record();
    }

    /// A record says nothing that can be believed.
    fn lost_record(&mut self) {
        self.table_damaged = true;
        // Nobody knows whose messages stood there: since the last stamp before it all of the collector's peers are in
        // doubt. A table speaks only of its own time, and once for a stamp is enough.
        let before = self.summary.span.map(|(_, last)| last).or(self.begin);
        let before = before.filter(|at| !self.of_table && !self.table_open && self.doubted != Some(*at));
        if let Some(at) = before {
            self.doubted = Some(at);
            self.filling.batch.observations.push((at, Observation::Damaged { peer: None }));
        }
    }

    /// Notes what was wrong; what was complained of before is only counted.
    fn complain(&mut self, offset: Option<u64>, what: String) {
        let damage = &mut self.summary.damage;
        if let Some(known) = damage.iter_mut().find(|known| known.what == what) {
            known.count += 1;
        } else if damage.len() < COMPLAINTS {
            damage.push(Complaint { offset, what, count: 1 });
        } else {
            self.untold += 1;
        }
    }

    /// What is wrong with a stamp, by the time in the file's name. Asked of updates only, and not where the name tells no
    /// time: then they may be of any.
    fn stray(&self, at: Time) -> Option<String> {
        let off = at - self.begin.filter(|_| !self.of_table)?;
        if off.saturating_abs() <= STRAY {
            return None;
        }
        let days = off.saturating_abs() / STRAY;
        let plural = if days == 1 { "" } else { "s" };
        let side = if off > 0 { "after" } else { "before" };
        Some(format!("record is stamped more than {days} day{plural} {side} the time in the file's name"))
    }

    fn record(&mut self, raw: RawRecord<'_>, decoder: &mut Decoder) {
        let at = raw.at;
        // Before anything is concluded of the stamp: it must not end the reading, nor tell how far the file speaks.
        if let Some(what) = self.stray(at) {
            self.complain(Some(raw.offset), what);
            return self.lost_record();
        }
        if self.until.is_some_and(|until| at > until) && !self.table_open {
            // Records of one file are nearly in order: a stamp a minute past the end ends the reading.
            self.past_end |= self.until.is_some_and(|until| at - until > 60_000_000);
            return;
        }
        self.summary.records += 1;
        let (first, last) = self.summary.span.unwrap_or((at, at));
        self.summary.span = Some((first.min(at), last.max(at)));
        match decoder.decode(raw) {
            Ok(record) => self.take_record(at, record),
            Err(error) => self.damaged_record(error),
        }
    }

    fn take_record(&mut self, at: Time, record: Record<'_>) {
        match record {
            Record::Update { peer, update } => self.update(at, peer, &update),
            Record::RibRow(row) => self.rib_row(at, &row),
            Record::TableDump(mut dump) => {
                while let Some(entry) = dump.next_entry() {
                    match entry {
                        Ok(entry) => self.table_dump(at, &entry),
                        Err(error) => return self.damaged_record(error),
                    }
                }
            }
            Record::PeerIndexTable(table) => {
                self.summary.is_rib = true;
                self.index = table.peers.iter().map(|peer| self.filling.peer(neighbour(*peer))).collect();
                self.open_table(at);
            }
            Record::StateChange { peer, old, new } => {
                if let Some(peer) = self.filling.peer(neighbour(peer))
                    && (old == ESTABLISHED || new == ESTABLISHED)
                {
                    let session = Observation::Session { peer, established: new == ESTABLISHED };
                    self.filling.batch.observations.push((at, session));
                }
            }
            Record::Damaged { peer, error } => {
                self.complain(Some(error.offset()), error.complaint().to_string());
                if let Some(peer) = self.filling.peer(neighbour(peer)) {
                    self.filling.batch.observations.push((at, Observation::Damaged { peer: Some(peer) }));
                }
            }
            // A collector that re-opens a session without a state record betrays it by the OPEN that it receives.
            Record::Message { peer, message: Message::Open(_) } => {
                if let Some(peer) = self.filling.peer(neighbour(peer)) {
                    self.filling
                        .batch
                        .observations
                        .push((at, Observation::Session { peer, established: false }));
                    self.filling
                        .batch
                        .observations
                        .push((at, Observation::Session { peer, established: true }));
                }
            }
            Record::Message { peer, message: Message::Notification { .. } } => {
                if let Some(peer) = self.filling.peer(neighbour(peer)) {
                    self.filling
                        .batch
                        .observations
                        .push((at, Observation::Session { peer, established: false }));
                }
            }
            Record::Message { peer, message: Message::Keepalive } => {
                self.filling.of_peer(at, neighbour(peer), |peer| Observation::Alive { peer });
            }
            Record::Message { .. } | Record::Sent { .. } => {}
            Record::Unsupported { .. } => self.summary.skipped += 1,
        }
    }

    fn update(&mut self, at: Time, peer: PeerAddress, update: &gonedark_decode::bgp::Update<'_>) {
        if !update.warnings.is_empty() {
            for warning in update.warnings.iter() {
                *self.warnings.entry(warning.text()).or_default() += 1;
            }
        }
        self.filling.update(at, neighbour(peer), update);
    }

    fn open_table(&mut self, at: Time) {
        self.summary.is_rib = true;
        if !std::mem::replace(&mut self.table_open, true) {
            self.filling.batch.observations.push((at, Observation::TableBegin));
        }
    }

    fn rib_row(&mut self, at: Time, row: &mrt::RibRow<'_>) {
        self.open_table(at);
        let start = self.filling.batch.entries.len() as u32;
        for entry in row.entries() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.damaged_record(error);
                    break;
                }
            };
            let Some(peer) = self.index.get(usize::from(entry.peer_index)).copied().flatten() else {
                *self.warnings.entry("a row names a peer that no PEER_INDEX_TABLE lists").or_default() += 1;
                self.table_damaged = true;
                continue;
            };
            if let Some(path) = entry.attributes.path() {
                self.filling.batch.entries.push(Entry { peer, path_id: entry.path_id, tail: path.tail() });
            }
        }
        let entries = start..self.filling.batch.entries.len() as u32;
        let network = self.filling.network_anew(row.prefix);
        self.filling.batch.observations.push((at, Observation::TableRow { network, entries }));
    }

    /// TABLE_DUMP has a record for each route; those of one prefix follow each other.
    fn table_dump(&mut self, at: Time, entry: &mrt::TableDumpEntry<'_>) {
        self.open_table(at);
        if self.row.is_none_or(|(_, prefix, _)| prefix != entry.prefix) {
            self.end_row();
            self.row = Some((at, entry.prefix, self.filling.batch.entries.len() as u32));
        }
        if let (Some(path), Some(peer)) = (entry.path, self.filling.peer(neighbour(entry.peer))) {
            self.filling.batch.entries.push(Entry { peer, path_id: 0, tail: path.tail() });
        }
    }

    fn end_row(&mut self) {
        if let Some((at, prefix, start)) = self.row.take() {
            let entries = start..self.filling.batch.entries.len() as u32;
            let network = self.filling.network_anew(prefix);
            self.filling.batch.observations.push((at, Observation::TableRow { network, entries }));
        }
    }

    /// Hands the batch on; false where nobody wants it any more.
    fn hand_on(&mut self, sender: &SyncSender<Piece>) -> bool {
        self.end_row();
        let mut batch = self.filling.take();
        if !self.table_open {
            batch.sort();
        }
        sender.send(Piece::Batch(batch)).is_ok()
    }
}

fn neighbour(peer: PeerAddress) -> Neighbour {
    Neighbour { asn: peer.asn, address: peer.address }
}
