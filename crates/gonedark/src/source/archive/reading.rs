//! One archive file to batches, on a thread of its own.

use super::super::batch::{Batch, Entry, Neighbour, Observation, Spare};
use super::super::filling::Filling;
use super::{ArchiveFile, ArchiveReader, Damage, Workers};
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
    /// What could not be read, and where.
    pub damage: Vec<String>,
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
            Err(error) => reading.summary.damage.push(format!("cannot be opened: {error}")),
        }
        // Where nobody listens any more, nothing is missed.
        let _ = sender.send(Piece::End(Box::new(reading.summary)));
    };
    if std::thread::Builder::new().name("decode".into()).spawn(job).is_err() {
        let (sender, receiver) = sync_channel(1);
        let damage = vec!["no thread to read it with".to_owned()];
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
    complaints: u64,
    warnings: BTreeMap<&'static str, u64>,
    past_end: bool,
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
            filling: Filling::new(spare),
            index: Vec::new(),
            table_open: false,
            table_damaged: false,
            row: None,
            complaints: 0,
            warnings: BTreeMap::new(),
            past_end: false,
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
        self.finish(damage, &rest, offset, reader, sender);
    }

    /// Decodes a chunk that follows on `rest`, which begins at `offset`; what is left over becomes the next `rest`.
    fn feed(&mut self, chunk: &[u8], (rest, offset): (&mut Vec<u8>, &mut u64), decoder: &mut Decoder) {
        let mut chunk = chunk;
        // A record that goes over the end of a chunk is put together from both; all others are read where they lie.
        while !rest.is_empty() && !self.past_end {
            if let Frame::NeedMore { at_least } = mrt::frame(rest, *offset) {
                let wanted = at_least.saturating_sub(rest.len()).max(1);
                let Some((more, after)) = chunk.split_at_checked(wanted) else {
                    return rest.extend_from_slice(chunk);
                };
                rest.extend_from_slice(more);
                chunk = after;
            } else {
                let used = self.take(rest, *offset, decoder);
                rest.drain(..used);
                *offset += used as u64;
            }
        }
        let used = self.take(chunk, *offset, decoder);
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
            self.complain(damage.to_string());
        } else if !rest.is_empty() && !self.past_end {
            self.complain(mrt::cut_at_end(rest, offset).to_string());
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
            Err(error) => self.complain(format!("cannot be read to its end: {error}")),
        }
        for (text, count) in std::mem::take(&mut self.warnings) {
            self.summary.damage.push(format!("{count} messages: {text}"));
        }
        if self.complaints > COMPLAINTS as u64 {
            let more = self.complaints - COMPLAINTS as u64;
            self.summary.damage.push(format!("and {more} more places"));
        }
        self.hand_on(sender);
    }

    /// Decodes the whole records of some bytes; gives how many bytes they took.
    fn take(&mut self, bytes: &[u8], offset: u64, decoder: &mut Decoder) -> usize {
        let mut used = 0;
        while !self.past_end {
            match mrt::frame(&bytes[used..], offset + used as u64) {
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
        self.complain(error.to_string());
        self.table_damaged = true;
    }

    fn complain(&mut self, text: String) {
        self.complaints += 1;
        if self.summary.damage.len() < COMPLAINTS {
            self.summary.damage.push(text);
        }
    }

    fn record(&mut self, raw: RawRecord<'_>, decoder: &mut Decoder) {
        let at = raw.at;
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
                self.complain(error.to_string());
                if let Some(peer) = self.filling.peer(neighbour(peer)) {
                    self.filling.batch.observations.push((at, Observation::Damaged { peer }));
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
