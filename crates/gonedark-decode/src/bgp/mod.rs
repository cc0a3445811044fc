//! BGP-4 messages (RFC 4271) as collectors record them.
//!
//! - [`Message::read`]: one message with its header;
//! - [`Update`]: announced and withdrawn prefixes with their path, and [`Warnings`] after RFC 7606;
//! - [`Open`]: capabilities, of which ADD-PATH and four-byte ASNs decide how later messages are read;
//! - [`Attributes`]: the attributes of a RIB entry, for the path alone.

mod add_path;
mod as4;
mod attributes;
mod message;
mod nlri;
mod open;
mod update;
mod warnings;

pub use add_path::AddPath;
pub use attributes::Attributes;
pub use message::Message;
pub use open::{AddPathOffer, Open};
pub use update::{Session, Update};
pub use warnings::{Severity, Warning, Warnings};

pub(crate) use as4::{merge, merged};
pub(crate) use message::take;
pub(crate) use update::read_of_either_width;
