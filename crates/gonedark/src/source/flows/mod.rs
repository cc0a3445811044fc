//! Flows: what exporters tell of them, or a capture of the packets themselves, as one stream of what the meter is told.
//!
//! - `exports`: datagrams to records, and what did not arrive;
//! - `files`: captures, of what exporters sent or of the traffic itself;
//! - [`listener`]: sockets to which exporters send; `drops`: what the kernel dropped before it could be read;
//! - `kept`: what of exporters survives a restart.

mod drops;
mod exports;
mod files;
mod kept;
pub mod listener;

pub use exports::{Exports, Heard, Told, is_export};
pub use files::{Input, Kind, read};
pub use kept::KeptExports;
pub use listener::{Listener, Metering};
