//! Flows: what exporters tell of them, or a capture of the packets themselves, as one stream of what the meter is told.

mod exports;
mod files;

pub use exports::{Exports, Told, is_export};
pub use files::{Input, Kind, read};
