use std::path::Path;
use std::{fmt, io};

use super::ahead::Ahead;
use super::bzip2::Blocks;
use super::input::Input;
use super::stream::Sequence;
use super::workers::Workers;

/// What a file is compressed with, told by its first bytes and never by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Not compressed, as far as the first bytes tell.
    Plain,
    /// RFC 1952, any number of members.
    Gzip,
    /// Any number of streams; decoded block by block on all workers.
    Bzip2,
    /// The .xz format, any number of streams.
    Xz,
    /// RFC 8878, any number of frames.
    Zstd,
}

impl Format {
    /// The format that begins with these bytes. What begins like no format is plain; what ends within the mark of a
    /// format is that format, cut.
    pub fn of(head: &[u8]) -> Format {
        let begins =
            |mark: &[u8]| !head.is_empty() && head.iter().zip(mark).all(|(byte, wanted)| byte == wanted);
        if begins(&[0x1f, 0x8b]) {
            Format::Gzip
        } else if begins(b"BZh") && head.get(3).is_none_or(|size| (b'1'..=b'9').contains(size)) {
            Format::Bzip2
        } else if begins(b"\xfd7zXZ\0") {
            Format::Xz
        // A frame, or a frame to be skipped (RFC 8878, 3.1.1 and 3.1.2).
        } else if begins(&[0x28, 0xb5, 0x2f, 0xfd])
            || head.first().is_some_and(|first| begins(&[first & 0x0f | 0x50, 0x2a, 0x4d, 0x18]))
        {
            Format::Zstd
        } else {
            Format::Plain
        }
    }
}

/// What is wrong with an archive file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The file ends inside compressed data: a download that stopped, or a file still being written.
    Cut,
    /// The data is not what its format allows, or a checksum says that it was changed.
    Corrupt(String),
    /// The data is complete and good, but something else follows it.
    Trailing,
    /// The system could not read the file further.
    Unreadable(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Cut => write!(f, "the file ends inside compressed data; fetch it again"),
            Fault::Corrupt(why) => write!(f, "corrupt compressed data ({why}); fetch it again"),
            Fault::Trailing => {
                write!(f, "the compressed data is complete, but other bytes follow it and were left out")
            }
            Fault::Unreadable(why) => write!(f, "cannot be read further: {why}"),
        }
    }
}

/// Where and why decompression stopped. Everything before `offset_out` was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Bytes from the start of the file on disk.
    pub offset_in: u64,
    /// Bytes from the start of the decompressed data.
    pub offset_out: u64,
    /// What is wrong.
    pub fault: Fault,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {} (decompressed {}): {}", self.offset_in, self.offset_out, self.fault)
    }
}

impl std::error::Error for Damage {}

/// What the file as it lies on disk was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// Of the whole file, compressed as it is.
    pub sha256: [u8; 32],
    /// Its length in bytes.
    pub length: u64,
    /// It had another length when it was opened: somebody is still writing it.
    pub grew: bool,
}

/// How a chunk ended.
pub(super) enum Part {
    More,
    Last,
    Damaged(Damage),
}

/// Gives the decompressed bytes of one archive file, chunk by chunk, in order.
///
/// Decoding starts when the file is opened and goes on ahead of the caller on the [`Workers`]: by a MiB, or by two blocks
/// for each worker for bzip2. Opening the next file before the last is used up hides its start.
/// Memory is bounded whatever the file holds.
pub struct ArchiveReader {
    decoding: Decoding,
    workers: Workers,
    format: Format,
    length_at_open: u64,
    delivered: u64,
    damage: Option<Damage>,
    ended: bool,
}

enum Decoding {
    Ahead(Ahead),
    Blocks(Box<Blocks>),
}

impl ArchiveReader {
    /// Opens the file and starts to decode it.
    ///
    /// # Errors
    /// If the file cannot be opened or its first bytes cannot be read. Whatever is wrong with the content comes as
    /// [`Damage`] from [`next_chunk`](Self::next_chunk).
    pub fn open(path: &Path, workers: &Workers) -> io::Result<Self> {
        let length = path.metadata()?.len();
        Self::start(Input::open(path)?, length, workers)
    }

    fn start(mut input: Input, length_at_open: u64, workers: &Workers) -> io::Result<Self> {
        let mut head = Vec::new();
        let ended = !input.append(&mut head, 4 << 10)?;
        let format = Format::of(&head);
        let decoding = if format == Format::Bzip2 {
            Decoding::Blocks(Box::new(Blocks::new(input, head, ended, workers)))
        } else {
            let sequence = Sequence::new(input, format, head, ended).map_err(io::Error::other)?;
            Decoding::Ahead(Ahead::new(sequence, workers))
        };
        let workers = workers.clone();
        Ok(ArchiveReader {
            decoding,
            workers,
            format,
            length_at_open,
            delivered: 0,
            damage: None,
            ended: false,
        })
    }

    /// What the file is compressed with.
    pub fn format(&self) -> Format {
        self.format
    }

    /// Replaces the content of `chunk` by the next decompressed bytes, never none. False at the end.
    ///
    /// The vector's memory is taken and used again: give back the one of the last call.
    ///
    /// # Errors
    /// Once, after everything before the damage was delivered; after that false.
    pub fn next_chunk(&mut self, chunk: &mut Vec<u8>) -> Result<bool, Damage> {
        chunk.clear();
        while chunk.is_empty() {
            if let Some(damage) = self.damage.take() {
                self.ended = true;
                return Err(damage);
            }
            if self.ended {
                return Ok(false);
            }
            match self.advance(chunk) {
                Part::More => {}
                Part::Last => self.ended = true,
                Part::Damaged(damage) => self.damage = Some(damage),
            }
            self.delivered += chunk.len() as u64;
        }
        Ok(true)
    }

    fn advance(&mut self, chunk: &mut Vec<u8>) -> Part {
        match &mut self.decoding {
            Decoding::Blocks(blocks) => blocks.next(chunk, self.delivered, &self.workers),
            Decoding::Ahead(ahead) => ahead.next(chunk, &self.workers).unwrap_or_else(|| {
                Part::Damaged(Damage {
                    offset_in: 0,
                    offset_out: self.delivered,
                    fault: Fault::Corrupt(
                        "the decoder gave up; this is a bug, please report the file".into(),
                    ),
                })
            }),
        }
    }

    /// Reads what was not read yet, and gives the sha256 and length of the file as it lies on disk.
    ///
    /// # Errors
    /// If the system cannot read the rest.
    pub fn finish(self) -> io::Result<Digest> {
        let input = match self.decoding {
            Decoding::Blocks(blocks) => Some(blocks.into_input()),
            Decoding::Ahead(ahead) => ahead.into_input(),
        };
        let (sha256, length) = input
            .ok_or_else(|| io::Error::other("the decoder gave up and took the file with it"))?
            .finish()?;
        Ok(Digest { sha256, length, grew: length != self.length_at_open })
    }
}
