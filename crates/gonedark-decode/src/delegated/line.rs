//! One line at a time: what sort it is, then its fields.

use super::{Header, Kind, Line, Record, Resource, Status, Summary};
use gonedark_route::{Asn, Prefix};
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a line cannot be read. The line is left out; the next one is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LineError {
    /// Too few fields, or text that is not ASCII.
    #[error("not a line of RIR statistics (fields separated by '|')")]
    Fields,
    /// A header field that is not what it should be.
    #[error("header without a number of records")]
    HeaderRecords,
    /// A summary line of an unknown kind or without a number.
    #[error("summary line without a known kind and a number")]
    Summary,
    /// The country is neither empty nor two letters.
    #[error("country is neither empty nor two letters")]
    Country,
    /// Neither `asn`, `ipv4` nor `ipv6`.
    #[error("kind is neither asn, ipv4 nor ipv6")]
    Kind,
    /// The fourth field is no address or number of its kind.
    #[error("start is no address or number of its kind")]
    Start,
    /// The fifth field is no count or prefix length, or reaches past the end of the number space.
    #[error("value is no count or prefix length, or reaches past the last address or number")]
    Value,
}

/// The fields of a line, at most eight: the header has seven, a summary six, a record seven or eight. What extended
/// records may have after the eighth is not looked at.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a> {
    fields: [&'a str; 8],
    count: usize,
}

impl<'a> Fields<'a> {
    fn new(line: &'a [u8]) -> Option<Self> {
        // The format is ASCII; anything else is another file, or damage.
        let text = std::str::from_utf8(line).ok().filter(|text| text.is_ascii())?;
        let mut fields = [""; 8];
        let mut count = 0_usize;
        for (to, from) in fields.iter_mut().zip(text.split('|')) {
            *to = from;
            count = count.saturating_add(1);
        }
        Some(Fields { fields, count })
    }

    /// The third field, where it is a kind.
    pub(super) fn kind(&self) -> Option<Kind> {
        let [_, _, kind, ..] = self.fields;
        Kind::ALL.into_iter().find(|known| known.name() == kind)
    }

    pub(super) fn header(&self) -> Result<Header<'a>, LineError> {
        let [version, registry, serial, records, start, end, utc_offset, _] = self.fields;
        let records = number(records).ok_or(LineError::HeaderRecords)?;
        let (start, end) = (date(start), date(end));
        Ok(Header { version, registry, serial, records, start, end, utc_offset })
    }

    pub(super) fn summary(&self) -> Result<Summary, LineError> {
        let [_, _, _, _, records, ..] = self.fields;
        let (kind, records) = self.kind().zip(number(records)).ok_or(LineError::Summary)?;
        Ok(Summary { kind, records })
    }

    fn record(&self) -> Result<Record<'a>, LineError> {
        let [registry, country, _, start, value, day, status, opaque_id] = self.fields;
        if self.count < 7 {
            return Err(LineError::Fields);
        }
        Ok(Record {
            registry,
            country: country_code(country)?,
            resource: resource(self.kind().ok_or(LineError::Kind)?, start, value)?,
            date: date(day),
            status: match status {
                "allocated" => Status::Allocated,
                "assigned" => Status::Assigned,
                "available" => Status::Available,
                "reserved" => Status::Reserved,
                other => Status::Other(other),
            },
            opaque_id,
        })
    }
}

/// A line by its sort, before its fields are read.
#[derive(Clone, Copy)]
pub(super) enum Sorted<'a> {
    Header(Fields<'a>),
    Summary(Fields<'a>),
    Record(Fields<'a>),
    Unreadable,
}

/// The lines that are neither empty nor comments, with their numbers, counted from 1.
#[derive(Clone)]
pub(super) struct SortedLines<'a> {
    rest: &'a [u8],
    number: u64,
}

pub(super) const fn sorted_lines(bytes: &[u8]) -> SortedLines<'_> {
    SortedLines { rest: bytes, number: 0 }
}

impl<'a> Iterator for SortedLines<'a> {
    type Item = (u64, Sorted<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            // The last line may lack its newline.
            let mut parts = self.rest.splitn(2, |byte| *byte == b'\n');
            let line = parts.next().unwrap_or_default().trim_ascii();
            self.rest = parts.next().unwrap_or_default();
            self.number = self.number.saturating_add(1);
            if !line.is_empty() && !line.starts_with(b"#") {
                return Some((self.number, sort(line)));
            }
        }
        None
    }
}

fn sort(line: &[u8]) -> Sorted<'_> {
    let Some(fields) = Fields::new(line) else { return Sorted::Unreadable };
    match fields.fields {
        // No registry's name begins with a digit; every version does.
        [version, ..] if version.starts_with(|first: char| first.is_ascii_digit()) && fields.count >= 6 => {
            Sorted::Header(fields)
        }
        [_, _, _, _, _, "summary", ..] => Sorted::Summary(fields),
        _ => Sorted::Record(fields),
    }
}

/// Iterates over the lines of a file; see [`lines`].
#[derive(Clone)]
pub struct Lines<'a>(SortedLines<'a>);

/// The lines of a file that are neither empty nor comments, each with its number, counted from 1.
///
/// Bytes of any sort may be given: what is not a line of statistics comes out as an error, and the next line is read.
pub fn lines(bytes: &[u8]) -> Lines<'_> {
    Lines(sorted_lines(bytes))
}

impl<'a> Iterator for Lines<'a> {
    type Item = (u64, Result<Line<'a>, LineError>);

    fn next(&mut self) -> Option<Self::Item> {
        let (number, line) = self.0.next()?;
        let line = match line {
            Sorted::Header(fields) => fields.header().map(Line::Header),
            Sorted::Summary(fields) => fields.summary().map(Line::Summary),
            Sorted::Record(fields) => fields.record().map(Line::Record),
            Sorted::Unreadable => Err(LineError::Fields),
        };
        Some((number, line))
    }
}

/// Iterates over the records of a file; see [`records`].
#[derive(Clone)]
pub struct Records<'a>(Lines<'a>);

/// The records of a file, delegated or not, each with the number of its line. Damaged lines come out as errors.
pub fn records(bytes: &[u8]) -> Records<'_> {
    Records(lines(bytes))
}

impl<'a> Iterator for Records<'a> {
    type Item = (u64, Result<Record<'a>, LineError>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.find_map(|(number, line)| match line {
            Ok(Line::Record(record)) => Some((number, Ok(record))),
            Err(error) => Some((number, Err(error))),
            Ok(Line::Header(_) | Line::Summary(_)) => None,
        })
    }
}

fn number(text: &str) -> Option<u64> {
    // `parse` would take a sign.
    text.parse().ok().filter(|_| text.starts_with(|first: char| first.is_ascii_digit()))
}

/// `yyyymmdd` with a month and a day that exist in some month; `None` for anything else, zeros among it.
fn date(text: &str) -> Option<u32> {
    let value = u32::try_from(number(text)?).ok()?;
    let (month, day) = (value / 100 % 100, value % 100);
    (text.len() == 8 && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(value)
}

fn country_code(text: &str) -> Result<Option<[u8; 2]>, LineError> {
    match *text.as_bytes() {
        [] => Ok(None),
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            let code = [a.to_ascii_uppercase(), b.to_ascii_uppercase()];
            // ZZ: nobody's (ISO 3166-1 leaves it to users; AFRINIC writes it on what is not delegated).
            Ok((code != *b"ZZ").then_some(code))
        }
        _ => Err(LineError::Country),
    }
}

fn resource(kind: Kind, start: &str, value: &str) -> Result<Resource, LineError> {
    match kind {
        Kind::Ipv4 => {
            let start: Ipv4Addr = start.parse().map_err(|_| LineError::Start)?;
            Ok(Resource::Ipv4 { start, count: count_from(u32::from(start), value)? })
        }
        Kind::Ipv6 => {
            let start: Ipv6Addr = start.parse().map_err(|_| LineError::Start)?;
            let length = value.parse().map_err(|_| LineError::Value)?;
            Ok(Resource::Ipv6 { prefix: Prefix::v6(start, length).ok_or(LineError::Value)? })
        }
        Kind::Asn => {
            let start: u32 = start.parse().map_err(|_| LineError::Start)?;
            Ok(Resource::Asn { start: Asn(start), count: count_from(start, value)? })
        }
    }
}

/// A count of at least 1 that stays within 32 bits from `start` on.
fn count_from(start: u32, text: &str) -> Result<u64, LineError> {
    const SPACE: u64 = 1 << 32;
    let count = number(text).filter(|count| *count > 0).ok_or(LineError::Value)?;
    let end = u64::from(start).checked_add(count).ok_or(LineError::Value)?;
    if end <= SPACE { Ok(count) } else { Err(LineError::Value) }
}
