//! Routing archives on disk: which files there are, and their decompressed bytes.
//!
//! - [`list`] turns the paths that a person gave into archive files in a fixed order, with the collector and the
//!   nominal time of each, and says which it passed over and why.
//! - [`Rhythm`] learns from the times of a collector's update files how often it writes one, and so which are missing.
//! - [`reading`] turns one file into batches on a thread of its own.
//! - [`ArchiveReader`] gives the decompressed bytes of one file, decoding ahead on [`Workers`], and the sha256 of the
//!   file as it lies on disk, in one reading.

mod ahead;
mod bzip2;
mod files;
mod input;
mod member;
mod name;
mod reader;
pub mod reading;
mod rhythm;
mod stream;
mod workers;

pub use files::{ArchiveFile, Gap, Listing, PassedOver, Why, list};
pub use name::{FileName, Kind, is_ris};
pub use reader::{ArchiveReader, Damage, Digest, Fault, Format};
pub use reading::FileSummary;
pub use rhythm::{Rhythm, WITHOUT_RHYTHM};
pub use workers::Workers;
