//! RIR statistics: which registry delegated which addresses and ASNs to which country, and when.
//!
//! Reads the "RIR statistics exchange format" (versions 2 to 2.3) of the files `delegated-<registry>-<date>` and
//! `delegated-<registry>-extended-<date>` that AFRINIC, APNIC, ARIN, LACNIC and the RIPE NCC publish every day; the
//! format is described in APNIC's `README-EXTENDED.txt`. Nothing is copied: a [`Record`] borrows the bytes.
//!
//! ```text
//! 2.3|apnic|20181014|113050||20181012|+1000             header: version, registry, serial, records, start, end, UTC offset
//! apnic|*|asn|*|9210|summary                            how many records of a kind
//! apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated|A9183010
//! apnic||asn|138350|1228||available|                    only in extended files
//! ```
//!
//! A download that broke off is common, and looks well-formed to its last line. [`verify()`] therefore compares what the
//! header and the summary lines announce with what is there, before anything is believed.
#![deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![deny(clippy::arithmetic_side_effects, clippy::panic)]

mod line;
mod verify;

#[cfg(test)]
mod tests;

pub use line::{LineError, Lines, Records, lines, records};
pub use verify::{DelegatedError, verify};

use gonedark_route::{Asn, Prefix};
use std::net::Ipv4Addr;

/// One line of a file that is neither empty nor a comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line<'a> {
    /// The first one.
    Header(Header<'a>),
    /// How many records of a kind there are.
    Summary(Summary),
    /// A delegation, or (in extended files) space that is not delegated.
    Record(Record<'a>),
}

/// The first line of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'a> {
    /// The version of the format: `2` or `2.3`.
    pub version: &'a str,
    /// The registry: `afrinic`, `apnic`, `arin`, `lacnic`, `ripencc`; `nro` for all of them in one file.
    pub registry: &'a str,
    /// The serial: a date at most registries, seconds since 1970 at the RIPE NCC, milliseconds since 1970 at ARIN.
    pub serial: &'a str,
    /// How many records the file has, summary lines not counted.
    pub records: u64,
    /// The day of the earliest delegation, `yyyymmdd`; `None` where empty or zero.
    pub start: Option<u32>,
    /// The day that the file describes, `yyyymmdd`; `None` where empty or zero.
    pub end: Option<u32>,
    /// The registry's offset from UTC, `+1000`.
    pub utc_offset: &'a str,
}

/// What sort of number is delegated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// AS numbers.
    Asn = 0,
    /// IPv4 addresses.
    Ipv4 = 1,
    /// IPv6 prefixes.
    Ipv6 = 2,
}

impl Kind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Kind; 3] = [Kind::Asn, Kind::Ipv4, Kind::Ipv6];

    /// The word in the file.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Asn => "asn",
            Kind::Ipv4 => "ipv4",
            Kind::Ipv6 => "ipv6",
        }
    }
}

/// A summary line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Summary {
    /// Of which kind.
    pub kind: Kind,
    /// How many records.
    pub records: u64,
}

/// A record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<'a> {
    /// The registry that keeps it.
    pub registry: &'a str,
    /// The holder's country in upper-case letters, `EU` and `AP` among them; `None` for an empty field and for `ZZ`.
    pub country: Option<[u8; 2]>,
    /// What is delegated.
    pub resource: Resource,
    /// The day of the first delegation, `yyyymmdd`. `None` where empty, `00000000` or not a date: an unreadable date
    /// is no reason to lose a delegation. A transfer between countries keeps the old date.
    pub date: Option<u32>,
    /// Whether it is delegated at all.
    pub status: Status<'a>,
    /// The holder: the same text on all records of one holder within one file; empty in plain files.
    pub opaque_id: &'a str,
}

impl Record<'_> {
    /// The country to which it is delegated; `None` for space that is available or reserved or has no country.
    pub fn delegated_to(&self) -> Option<[u8; 2]> {
        self.country.filter(|_| matches!(self.status, Status::Allocated | Status::Assigned))
    }
}

/// What a record is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resource {
    /// Addresses from `start` on. The count need not be a power of two, and the range may be no prefix.
    Ipv4 {
        /// The first address.
        start: Ipv4Addr,
        /// How many: 1 to 2^32, and all of them lie below 2^32.
        count: u64,
    },
    /// A network.
    Ipv6 {
        /// The network.
        prefix: Prefix,
    },
    /// AS numbers from `start` on.
    Asn {
        /// The first number.
        start: Asn,
        /// How many: 1 to 2^32, and all of them lie below 2^32.
        count: u64,
    },
}

impl Resource {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Resource::Ipv4 { .. } => Kind::Ipv4,
            Resource::Ipv6 { .. } => Kind::Ipv6,
            Resource::Asn { .. } => Kind::Asn,
        }
    }
}

/// The seventh field of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status<'a> {
    /// Delegated, for delegation to others.
    Allocated,
    /// Delegated, for the holder's own use.
    Assigned,
    /// Not delegated, may be.
    Available,
    /// Not delegated, may not be.
    Reserved,
    /// Another word (`ianapool` in the NRO's file), not counted as delegated.
    Other(&'a str),
}
