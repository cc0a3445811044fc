//! Makes a table from delegations.

use super::{CountryCode, CountryTable, HEADER, MAGIC, VERSION, shares};
use gonedark_route::{Asn, Family, Prefix};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::net::Ipv4Addr;

/// Why delegations make no table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// More than 255 codes; ISO 3166-1 has 249.
    Countries(usize),
    /// The provenance or the cuts are over 4 GiB.
    Size,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BuildError::Countries(count) => {
                write!(f, "{count} different country codes; at most 255 are possible")
            }
            BuildError::Size => write!(f, "country table over 4 GiB"),
        }
    }
}

impl std::error::Error for BuildError {}

/// Collects delegations in any order and makes the bytes of a [`CountryTable`] of them; equal delegations make equal bytes.
///
/// Where delegations overlap, the one with the lower rank holds (the caller's: how near a file is to the table's day),
/// then the smaller one, then the country whose code comes first.
#[derive(Default, Debug)]
pub struct CountryTableBuilder {
    v4: Vec<Span>,
    v6: Vec<Span>,
    asns: Vec<Span>,
}

impl CountryTableBuilder {
    /// Adds `count` addresses from `first` on; what lies past the last address is left out.
    pub fn add_v4(&mut self, first: Ipv4Addr, count: u64, country: CountryCode, rank: u32) {
        self.v4.extend(Span::counted(u32::from(first), count, country, rank));
    }

    /// Adds a network. One longer than /64 takes its whole /64, since the table keeps 64 bits.
    pub fn add_prefix(&mut self, prefix: Prefix, country: CountryCode, rank: u32) {
        let (first, last) = shares::bounds(prefix);
        match prefix.family() {
            Family::V4 => self.v4.push(Span { first, last, country, rank }),
            Family::V6 => self.v6.push(Span { first, last, country, rank }),
        }
    }

    /// Adds `count` numbers from `first` on; what lies past the last number is left out.
    pub fn add_asns(&mut self, first: Asn, count: u64, country: CountryCode, rank: u32) {
        self.asns.extend(Span::counted(first.0, count, country, rank));
    }

    /// The bytes of the table of a day, `yyyymmdd`, with a word on where it comes from.
    ///
    /// # Errors
    /// More countries or bytes than the format can hold.
    pub fn build(self, date: u32, provenance: &str) -> Result<Vec<u8>, BuildError> {
        let all = || self.v4.iter().chain(&self.v6).chain(&self.asns);
        let mut countries: Vec<CountryCode> = all().map(|span| span.country).collect();
        countries.sort_unstable();
        countries.dedup();
        let count = u8::try_from(countries.len()).map_err(|_| BuildError::Countries(countries.len()))?;
        let size = |length: usize| u32::try_from(length).map_err(|_| BuildError::Size);

        let mut bytes = Vec::new();
        bytes.extend(MAGIC);
        bytes.extend([VERSION, count, 0, 0]);
        bytes.extend(date.to_le_bytes());
        bytes.extend(size(provenance.len())?.to_le_bytes());
        let mut bodies = Vec::new();
        for (spans, low_bytes) in [(self.v4, 2), (self.v6, 6), (self.asns, 2)] {
            let section = Encoded::new(&paint(spans), low_bytes, &countries);
            for number in [section.first_bucket, size(section.buckets)?, size(section.cuts)?] {
                bytes.extend(number.to_le_bytes());
            }
            bodies.extend(section.body);
        }
        debug_assert_eq!(bytes.len(), HEADER);
        bytes.extend(countries.iter().flat_map(|country| country.as_str().bytes()));
        bytes.extend(bodies);
        bytes.extend(provenance.bytes());
        Ok(bytes)
    }

    /// The table itself; see [`CountryTableBuilder::build`].
    ///
    /// # Errors
    /// As [`CountryTableBuilder::build`].
    pub fn into_table(self, date: u32, provenance: &str) -> Result<CountryTable, BuildError> {
        // Only its length can keep a table that was just built from being opened.
        CountryTable::from_bytes(self.build(date, provenance)?).map_err(|_| BuildError::Size)
    }
}

/// A delegation as a range of numbers.
#[derive(Clone, Copy, Debug)]
struct Span {
    first: u64,
    last: u64,
    country: CountryCode,
    rank: u32,
}

impl Span {
    fn counted(first: u32, count: u64, country: CountryCode, rank: u32) -> Option<Self> {
        let first = u64::from(first);
        let last = first.saturating_add(count.checked_sub(1)?).min(u64::from(u32::MAX));
        Some(Span { first, last, country, rank })
    }
}

/// A number from which on a country holds, or nobody.
type Cut = (u64, Option<CountryCode>);

/// Lays spans over each other and cuts where the country changes.
fn paint(mut spans: Vec<Span>) -> Vec<Cut> {
    spans.sort_unstable_by_key(|span| span.first);
    let mut edges: Vec<u64> = spans.iter().map(|span| span.first).collect();
    edges.extend(spans.iter().filter_map(|span| span.last.checked_add(1)));
    edges.sort_unstable();
    edges.dedup();

    let mut cuts: Vec<Cut> = Vec::new();
    let mut spans = spans.into_iter().peekable();
    let mut open = BinaryHeap::new();
    for edge in edges {
        while let Some(span) = spans.next_if(|span| span.first == edge) {
            open.push(Reverse((span.rank, span.last - span.first, span.country, span.last)));
        }
        while open.peek().is_some_and(|Reverse((_, _, _, last))| *last < edge) {
            open.pop();
        }
        let country = open.peek().map(|Reverse((_, _, country, _))| *country);
        if cuts.last().map_or(country.is_some(), |(_, before)| *before != country) {
            cuts.push((edge, country));
        }
    }
    cuts
}

/// One number space as [`super::ranges`] reads it.
struct Encoded {
    first_bucket: u32,
    buckets: usize,
    cuts: usize,
    body: Vec<u8>,
}

impl Encoded {
    fn new(cuts: &[Cut], low_bytes: usize, countries: &[CountryCode]) -> Self {
        let low_bits = 8 * low_bytes;
        // A cut after the very last number, where nobody begins to hold, has no bucket.
        let cuts = match cuts {
            [rest @ .., (past, None)] if past >> low_bits > 0xFFFF => rest,
            all => all,
        };
        let bucket_of = |cut: &Cut| (cut.0 >> low_bits) as usize;
        let first_bucket = cuts.first().map_or(0, bucket_of);
        let buckets = cuts.last().map_or(0, |last| bucket_of(last) + 1 - first_bucket);
        let mut body = Vec::new();
        for bucket in first_bucket..=first_bucket + buckets {
            let start = cuts.partition_point(|cut| bucket_of(cut) < bucket);
            body.extend((start as u32).to_le_bytes());
        }
        for (key, _) in cuts {
            body.extend(&key.to_le_bytes()[..low_bytes]);
        }
        for (_, country) in cuts {
            // Zero is nobody.
            body.push(country.map_or(0, |code| countries.partition_point(|known| *known <= code) as u8));
        }
        Encoded { first_bucket: first_bucket as u32, buckets, cuts: cuts.len(), body }
    }
}
