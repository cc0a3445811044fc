//! From archive files to the inference: the same way for a replay of one hour and of a month.
//!
//! ```text
//! files --(one thread each: decompress, decode)--> batches --(merged by time)--> inference
//! ```
//!
//! - [`apply`]: gives a batch's observations to the inference.
//! - [`observatory`]: live streams in one order of time, for a program that does not end.
//! - `merge`: all files' batches in one order of time, tables before messages of the same stamp.
//! - [`mod@replay`]: drives the inference with them.
//! - [`meter`]: what exporters send, metered.

pub mod apply;
mod merge;
pub mod meter;
pub mod observatory;
pub mod replay;

pub use meter::Meter;

pub use crate::source::archive::reading::{Complaint, FileSummary};
pub use replay::{Outcome, Request, replay};
