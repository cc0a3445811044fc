//! The RIRs' statistics files as they lie on disk.

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use gonedark_decode::delegated::{self, DelegatedError, Header, LineError};
use gonedark_infer::entity::registry::{BuildError, TableError};
use sha2::{Digest, Sha256};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The registries that share the world between them.
pub const REGISTRIES: [&str; 5] = ["afrinic", "apnic", "arin", "lacnic", "ripencc"];

/// The most that one file may hold, unpacked. A guess: all five registries in one file had 31 MB in 2018.
pub const LARGEST_FILE: u64 = 512 << 20;

/// Why there is no country table.
#[derive(Debug, thiserror::Error)]
pub enum CountryError {
    /// The file cannot be read or unpacked.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why. It stands in the text above, so that it is no source: it would be said twice.
        error: io::Error,
    },
    /// It unpacks to more than any statistics have.
    #[error("{}: over {} MiB unpacked: not RIR statistics", path.display(), LARGEST_FILE >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is cut, damaged or something else.
    #[error("{file}: {error}")]
    Refused {
        /// The file.
        file: String,
        /// Why, in the text above as well.
        error: DelegatedError,
    },
    /// Nothing in it says which day it describes.
    #[error("{file}: neither the end date nor the serial of the header (line 1) is a date (yyyymmdd)")]
    Undated {
        /// The file.
        file: String,
    },
    /// Two files of one registry; which of them holds could only be guessed.
    #[error("{first} and {second} are both of {registry}: give one file of each registry")]
    Twice {
        /// The registry.
        registry: String,
        /// One file.
        first: String,
        /// The other file.
        second: String,
    },
    /// No file at all.
    #[error("no statistics file given")]
    NoFile,
    /// What the files say fits into no table.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// A table cannot be opened; one that is built in: a fault of this program.
    #[error(transparent)]
    Table(#[from] TableError),
}

/// A file of statistics, read, unpacked and found whole.
#[derive(Clone, Debug)]
pub struct StatisticsFile {
    /// Its name without folder and without `.gz` or `.bz2`.
    pub file: String,
    /// Of which registry, as its header says.
    pub registry: String,
    /// Its serial, as its header says.
    pub serial: String,
    /// The day it describes, `yyyymmdd`.
    pub date: u32,
    /// Of the statistics themselves, unpacked: the same however they are packed.
    pub sha256: String,
    /// Lines that could not be read.
    pub damaged: Damage,
    pub(super) bytes: Vec<u8>,
}

/// Lines left out of a file.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Damage {
    /// How many.
    pub lines: u64,
    /// The first: its number, counted from 1, and what is wrong with it.
    pub first: Option<(u64, LineError)>,
}

impl StatisticsFile {
    /// Reads a file, plain, gzip or bzip2 (told by its first bytes, not by its name), and checks that it is whole.
    ///
    /// # Errors
    /// A file that cannot be read, is cut, is of another format, or has no date.
    pub fn read(path: &Path) -> Result<Self, CountryError> {
        let failed = |error| CountryError::Read { path: path.to_owned(), error };
        let raw = std::fs::read(path).map_err(failed)?;
        let mut bytes = Vec::new();
        let unpacked = match raw.as_slice() {
            [0x1F, 0x8B, ..] => {
                MultiGzDecoder::new(raw.as_slice()).take(LARGEST_FILE + 1).read_to_end(&mut bytes)
            }
            [b'B', b'Z', b'h', ..] => {
                MultiBzDecoder::new(raw.as_slice()).take(LARGEST_FILE + 1).read_to_end(&mut bytes)
            }
            _ => {
                bytes = raw;
                Ok(bytes.len())
            }
        };
        unpacked.map_err(failed)?;
        if bytes.len() as u64 > LARGEST_FILE {
            return Err(CountryError::TooLarge { path: path.to_owned() });
        }
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let name = name.strip_suffix(".gz").or(name.strip_suffix(".bz2")).unwrap_or(&name);
        Self::check(name, bytes)
    }

    /// Checks statistics that were read already.
    ///
    /// # Errors
    /// As [`StatisticsFile::read`].
    pub fn check(file: &str, bytes: Vec<u8>) -> Result<Self, CountryError> {
        let file = file.to_owned();
        let header = match delegated::verify(&bytes) {
            Ok(header) => header,
            Err(error) => return Err(CountryError::Refused { file, error }),
        };
        let Some(date) = date_of(&header) else { return Err(CountryError::Undated { file }) };
        let mut damaged = Damage::default();
        for (line, record) in delegated::records(&bytes) {
            if let Err(error) = record {
                damaged.lines += 1;
                damaged.first.get_or_insert((line, error));
            }
        }
        let (registry, serial) = (header.registry.to_owned(), header.serial.to_owned());
        let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(StatisticsFile { file, registry, serial, date, sha256, damaged, bytes })
    }
}

/// The day of a file: the header's end date, else a serial that is a date.
fn date_of(header: &Header<'_>) -> Option<u32> {
    let serial = || header.serial.parse().ok().filter(|serial| (19_000_101..=99_991_231).contains(serial));
    header.end.or_else(serial)
}
