use std::path::Path;
use std::time::Duration;

use super::failure::Failure;

/// Told what a download does, from several threads at once. Every method may be left out.
pub trait Progress: Sync {
    /// So many files are wanted; the ones already there are not among them.
    fn planned(&self, files: usize) {
        let _ = files;
    }
    /// A file's transfer began, or began again: `have` bytes are there from before, `length` is the whole, if known.
    fn started(&self, url: &str, have: u64, length: Option<u64>) {
        let _ = (url, have, length);
    }
    /// So many bytes more arrived.
    fn advanced(&self, url: &str, bytes: u64) {
        let _ = (url, bytes);
    }
    /// An attempt failed, and the next comes after `wait`.
    fn retrying(&self, url: &str, why: &Failure, wait: Duration) {
        let _ = (url, why, wait);
    }
    /// A file is in its place, or will not come.
    fn finished(&self, url: &str, result: Result<&Path, &Failure>) {
        let _ = (url, result);
    }
}

/// Says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {}
