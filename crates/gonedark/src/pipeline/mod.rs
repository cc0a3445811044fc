//! From archive files to the inference: the same way for a replay of one hour and of a month.
//!
//! ```text
//! files --(one thread each: decompress, decode)--> batches --(merged by time)--> inference
//! ```
//!
//! - [`batch`]: what one stretch of a file says, as plain values; the only form in which observations are ever stored
//!   or sent.
//! - `reading`: a thread that turns one file into batches, and says at the end what the file was.
//! - `merge`: all files' batches in one order of time, tables before messages of the same stamp.
//! - [`mod@replay`]: drives the inference with them.

pub mod batch;
mod merge;
mod reading;
pub mod replay;

pub use reading::{Complaint, FileSummary};
pub use replay::{Outcome, Request, replay};
