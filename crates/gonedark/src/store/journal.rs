//! What was accepted, and all state: written as zstd frames with checksums, and read again.

use super::{Store, StoreFault, Warnings};
use crate::source::parcel::Parcel;
use std::io::{self, BufWriter, Write};

/// zstd's fastest ordinary level: the journal is written once and seldom read.
const LEVEL: i32 = 1;
/// Bytes in one part of a snapshot: SQLite writes rows of this size without copying them about. Guess.
pub(super) const PART: usize = 1 << 20;
/// Bytes that are gathered before they are compressed: what zstd asks for at a time is 128 KiB.
const PIECE: usize = 128 << 10;
/// Snapshots that are held: the newest, and the one before it in case the newest cannot be read.
const HELD: i64 = 2;

/// A frame of bytes with a checksum.
pub(super) fn frame(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(LEVEL)?;
    compressor.include_checksum(true)?;
    compressor.compress(bytes)
}

/// A frame with a checksum of what is written, piece by piece.
///
/// # Errors
/// Those of the one who writes.
pub fn framed(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Vec<u8>> {
    into_frame(Vec::new(), write)
}

/// Writes a frame with a checksum.
fn into_frame<W: Write>(out: W, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<W> {
    let mut encoder = zstd::Encoder::new(out, LEVEL)?;
    encoder.include_checksum(true)?;
    // State is written by the number: each on its own would cost the compressor more than the compression.
    let mut pieces = BufWriter::with_capacity(PIECE, encoder);
    write(&mut pieces)?;
    pieces.into_inner().map_err(io::IntoInnerError::into_error)?.finish()
}

/// Parcels as the journal holds them: one row for those of one commit.
pub(super) fn written(parcels: &[Parcel]) -> io::Result<Vec<u8>> {
    frame(&postcard::to_stdvec(parcels).map_err(io::Error::other)?)
}

/// A snapshot and the number of the parcel after which it was taken.
pub struct Snapshot {
    /// See there.
    pub seq: i64,
    /// As the observatory kept it.
    pub bytes: Vec<u8>,
}

impl Store {
    /// The newest snapshot that can be read; `None` where there is none. One that cannot is told of.
    ///
    /// # Errors
    /// Those of the store.
    pub fn snapshot(&self, warnings: &mut Warnings) -> Result<Option<Snapshot>, StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let query = "SELECT DISTINCT seq FROM snapshot ORDER BY seq DESC";
        let mut statement = self.db.prepare(query).map_err(told)?;
        let numbers: Vec<i64> =
            statement.query_map([], |row| row.get(0)).and_then(Iterator::collect).map_err(told)?;
        for seq in numbers {
            let mut parts =
                self.db.prepare("SELECT body FROM snapshot WHERE seq = ? ORDER BY part").map_err(told)?;
            let parts: Result<Vec<Vec<u8>>, _> =
                parts.query_map([seq], |row| row.get(0)).and_then(Iterator::collect);
            match parts.map_err(io::Error::other).and_then(|parts| zstd::decode_all(&parts.concat()[..])) {
                Ok(bytes) => return Ok(Some(Snapshot { seq, bytes })),
                Err(error) => {
                    warnings.push(format!(
                        "{}: the snapshot after commit {seq} cannot be read ({error}); the one before it is used",
                        self.path.display()
                    ));
                    // It must not pass for one of the two that are held.
                    self.db.execute("DELETE FROM snapshot WHERE seq = ?", [seq]).map_err(told)?;
                }
            }
        }
        Ok(None)
    }

    /// The parcels that were committed after number `after`, in order, given one commit at a time. Ends with a warning
    /// where one cannot be read: what follows it cannot be used, and is taken back.
    ///
    /// # Errors
    /// Those of the store.
    pub fn replay(
        &mut self,
        after: i64,
        warnings: &mut Warnings,
        mut take: impl FnMut(Vec<Parcel>),
    ) -> Result<(), StoreFault> {
        let told = |error| StoreFault::of(&self.path, error);
        let mut last = after;
        let mut broken = None;
        {
            let query = "SELECT seq, body FROM journal WHERE seq > ? ORDER BY seq";
            let mut statement = self.db.prepare(query).map_err(told)?;
            let mut rows = statement.query([after]).map_err(told)?;
            while let Some(row) = rows.next().map_err(told)? {
                let (seq, body): (i64, Vec<u8>) =
                    row.get(0).and_then(|seq| Ok((seq, row.get(1)?))).map_err(told)?;
                self.journaled += body.len() as u64;
                let bytes = zstd::decode_all(&body[..]);
                let parcels = bytes.and_then(|bytes| postcard::from_bytes(&bytes).map_err(io::Error::other));
                match parcels {
                    Ok(parcels) if seq == last + 1 => take(parcels),
                    Ok(_) => broken = Some(format!("commit {} is missing", last + 1)),
                    Err(error) => broken = Some(format!("commit {seq} cannot be read ({error})")),
                }
                if broken.is_some() {
                    break;
                }
                last = seq;
            }
        }
        if let Some(why) = broken {
            warnings.push(format!(
                "{}: {why}: what was accepted after commit {last} is given by the sources again",
                self.path.display()
            ));
        }
        // Where something is missing the numbers go on behind all that were ever given: what is kept next is the newest.
        self.seq = self.seq.max(last);
        Ok(())
    }

    /// Keeps all state as it is after the last commit, and drops what is not needed any more.
    ///
    /// # Errors
    /// Those of the store, and of the one who writes.
    pub fn keep(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), StoreFault> {
        let Store { path, db, seq, journaled, .. } = self;
        let told = |error| StoreFault::of(path, error);
        let other = |error: io::Error| StoreFault::Other { path: path.clone(), why: error.to_string() };
        let work = db.transaction().map_err(told)?;
        work.execute("DELETE FROM snapshot WHERE seq = ?", [*seq]).map_err(told)?;
        let mut parts =
            Parts { work: &work, seq: *seq, part: 0, bytes: Vec::with_capacity(PART), fault: None };
        let done = into_frame(&mut parts, write).map(drop);
        let done = done.and_then(|()| parts.put());
        if let Some(fault) = parts.fault {
            return Err(told(fault));
        }
        done.map_err(other)?;
        let old = "SELECT min(seq) FROM (SELECT DISTINCT seq FROM snapshot ORDER BY seq DESC LIMIT ?)";
        let oldest: i64 = work.query_row(old, [HELD], |row| row.get(0)).map_err(told)?;
        work.execute("DELETE FROM snapshot WHERE seq < ?", [oldest]).map_err(told)?;
        work.execute("DELETE FROM journal WHERE seq <= ?", [oldest]).map_err(told)?;
        work.commit().map_err(told)?;
        *journaled = 0;
        Ok(())
    }

    /// Bytes of the journal since the last snapshot.
    pub fn journaled(&self) -> u64 {
        self.journaled
    }
}

/// Writes a snapshot in parts.
struct Parts<'a> {
    work: &'a rusqlite::Transaction<'a>,
    seq: i64,
    part: i64,
    bytes: Vec<u8>,
    /// What SQLite said: an error of a writer cannot carry it.
    fault: Option<rusqlite::Error>,
}

impl Parts<'_> {
    fn put(&mut self) -> io::Result<()> {
        let insert = "INSERT INTO snapshot VALUES (?, ?, ?)";
        let done = self
            .work
            .prepare_cached(insert)
            .and_then(|mut insert| insert.execute((self.seq, self.part, &self.bytes)).map(drop));
        self.part += 1;
        self.bytes.clear();
        done.map_err(|fault| {
            self.fault = Some(fault);
            io::Error::other("the store cannot take it")
        })
    }
}

impl Write for Parts<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..taken]);
        if self.bytes.len() == PART {
            self.put()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
