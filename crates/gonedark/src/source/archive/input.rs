use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use sha2::{Digest as _, Sha256};

/// The bytes of a file as they lie on disk, counted and hashed as they pass, so that no file is read twice.
pub(super) struct Input {
    file: Box<dyn Read + Send>,
    hash: Sha256,
    read: u64,
}

impl Input {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        // Reading a folder fails only at the first read, with a text that helps nobody.
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(ErrorKind::IsADirectory, "is a folder, not a file"));
        }
        Ok(Self::over(Box::new(file)))
    }

    pub(super) fn over(file: Box<dyn Read + Send>) -> Self {
        Input { file, hash: Sha256::new(), read: 0 }
    }

    /// Appends up to `want` bytes to `buffer`; fewer only where the file ends. False at its end.
    pub(super) fn append(&mut self, buffer: &mut Vec<u8>, want: usize) -> io::Result<bool> {
        let start = buffer.len();
        // read_to_end on a limited reader asks again after an interrupted call, and needs no zeroed buffer.
        let result = (&mut self.file).take(want as u64).read_to_end(buffer);
        let fresh = &buffer[start..];
        self.hash.update(fresh);
        self.read += fresh.len() as u64;
        result?;
        Ok(fresh.len() == want)
    }

    /// Reads what is left, then gives the sha256 of the whole file and its length in bytes.
    pub(super) fn finish(mut self) -> io::Result<([u8; 32], u64)> {
        let mut rest = Vec::new();
        while self.append(&mut rest, 1 << 18)? {
            rest.clear();
        }
        Ok((self.hash.finalize().into(), self.read))
    }
}
