//! The words that decoding and inference share.
//!
//! Both sides of the seam speak of the same few things and of nothing else:
//!
//! - [`Prefix`] and [`Nlri`]: an IPv4 or IPv6 network, and the same with an ADD-PATH path identifier;
//! - [`Asn`]: an autonomous system number;
//! - [`Time`]: microseconds since 1970 in UTC;
//! - [`Flow`]: packets that an exporter counted between two addresses;
//! - [`PathView`]: a borrowed AS path in wire form; and [`Tail`], what of it a routing table keeps.
//!
//! The crate has no dependencies and does no I/O.
#![warn(missing_docs)]

mod asn;
mod flow;
mod path;
mod prefix;
mod time;

pub use asn::Asn;
pub use flow::Flow;
pub use path::{AsnSize, PathView, Segment, SegmentKind, Tail};
pub use prefix::{Family, Nlri, Prefix, PrefixError};
pub use time::Time;
