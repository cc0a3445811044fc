//! Which country a network or an ASN is delegated to, by the statistics of the RIRs on one day.
//!
//! A [`CountryTable`] is one block of bytes, laid out so that it is used as it lies in the program or on disk: opening
//! it checks it once and builds nothing. Space is cut where the country changes; neighbouring ranges of one country
//! are one. `EU` and `AP`, under which the RIRs keep what belongs to a region, are codes like others here.
//!
//! | bytes | what (little-endian) |
//! |---|---|
//! | 4 | `GDCT` |
//! | 1, 1, 2 | version (1), number of countries *n*, zero |
//! | 4 | the day that the table describes, `yyyymmdd` |
//! | 4 | length of the provenance |
//! | 3 × 12 | for IPv4, IPv6, ASN: first bucket, number of buckets *b*, number of cuts *c* |
//! | 2 *n* | country codes, ascending |
//! | 3 × | *b* + 1 bucket starts of 4; *c* low parts of 2, 6 and 2; *c* countries of 1 (0: none) |
//! | rest | provenance, UTF-8 |

mod build;
mod ranges;
mod shares;

#[cfg(test)]
mod tests;

pub use build::{BuildError, CountryTableBuilder};
pub use shares::{Piece, Shares};

use super::CountryCode;
use gonedark_route::{Asn, Family, Prefix, Time};
use ranges::{Ranges, Section};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

const MAGIC: &[u8; 4] = b"GDCT";
const VERSION: u8 = 1;
/// Up to the country codes.
const HEADER: usize = 52;

/// Why bytes are no country table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TableError {
    /// They do not begin as one.
    NotATable,
    /// Of a version that this program does not read.
    Version(u8),
    /// They end before what the header announces, or after.
    Length {
        /// As announced.
        expected: usize,
        /// As there.
        found: usize,
    },
    /// A part contradicts itself.
    Damaged(&'static str),
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TableError::NotATable => write!(f, "not a country table"),
            TableError::Version(version) => {
                write!(f, "country table of version {version}; this program reads {VERSION}")
            }
            TableError::Length { expected, found } => {
                write!(f, "country table of {found} bytes where its header announces {expected}")
            }
            TableError::Damaged(part) => write!(f, "country table damaged: {part}"),
        }
    }
}

impl std::error::Error for TableError {}

/// Networks and ASNs by country on one day. See the [module](self).
pub struct CountryTable {
    bytes: Cow<'static, [u8]>,
    date: u32,
    countries: Vec<CountryCode>,
    /// IPv4, IPv6, ASN.
    sections: [Section; 3],
    provenance: Range<usize>,
}

impl CountryTable {
    /// Opens a table. Every part is checked, in one pass over the bytes.
    ///
    /// # Errors
    /// Bytes that are no table, are cut, or contradict themselves.
    pub fn from_bytes(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Self, TableError> {
        let bytes = bytes.into();
        let header = Header::read(&bytes)?;
        let countries = header.countries(&bytes)?;
        let mut at = HEADER + 2 * countries.len();
        let mut sections = [Section::default(); 3];
        for (section, (description, low_bytes)) in
            sections.iter_mut().zip(header.sections.into_iter().zip([2, 6, 2]))
        {
            *section = Section::new(at, low_bytes, description);
            at = section.end();
        }
        let expected = at.saturating_add(header.provenance);
        if bytes.len() != expected {
            return Err(TableError::Length { expected, found: bytes.len() });
        }
        for section in &sections {
            section.over(&bytes).check(countries.len()).map_err(TableError::Damaged)?;
        }
        if std::str::from_utf8(&bytes[at..]).is_err() {
            return Err(TableError::Damaged("provenance is not UTF-8"));
        }
        Ok(CountryTable { date: header.date, countries, sections, provenance: at..expected, bytes })
    }

    /// The day that a table describes, `yyyymmdd`, from its first bytes alone.
    pub fn date_of(bytes: &[u8]) -> Option<u32> {
        Header::read(bytes).ok().map(|header| header.date)
    }

    /// The day that it describes, `yyyymmdd`.
    pub fn date(&self) -> u32 {
        self.date
    }

    /// Where it comes from, as its maker wrote it.
    pub fn provenance(&self) -> &str {
        self.bytes.get(self.provenance.clone()).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or("")
    }

    /// Every country that has anything, ascending.
    pub fn countries(&self) -> &[CountryCode] {
        &self.countries
    }

    /// Where a country stands in [`CountryTable::countries`].
    pub fn country_index(&self, code: CountryCode) -> Option<usize> {
        self.countries.binary_search(&code).ok()
    }

    /// The country to which an ASN is delegated.
    pub fn country_of_asn(&self, asn: Asn) -> Option<CountryCode> {
        let asns = self.asns();
        self.country(asns.country(asns.position(u64::from(asn.0))?))
    }

    /// The country that holds most of the delegated addresses of a network; of two with as many, the one whose code
    /// comes first. `None` where none of it is delegated. Of IPv6, the first 64 bits count.
    pub fn country_of_prefix(&self, prefix: Prefix) -> Option<CountryCode> {
        match self.whole(prefix) {
            Some(country) => country,
            None => shares::majority(self.pieces(prefix)),
        }
    }

    /// The countries of a network with how much of it they hold, in /24s for IPv4 and /48s for IPv6.
    ///
    /// A country's share is the number of /24s (/48s) of the network in which at least one address is its own. So
    /// every country touched has at least one, a network longer than /24 (/48) is one for each of its countries, and
    /// where a /24 is divided, it counts for all who have a part of it.
    pub fn split(&self, prefix: Prefix) -> Shares {
        match self.whole(prefix) {
            Some(country) => Shares::whole(country, prefix),
            None => Shares::of(self.pieces(prefix), prefix.family()),
        }
    }

    /// The countries of [`CountryTable::split`] appended to a list: a table of routes asks this of each of its networks, and
    /// nearly all of them are one country's.
    pub fn split_into(&self, prefix: Prefix, into: &mut Vec<(CountryCode, u64)>) {
        match self.whole(prefix) {
            Some(country) => into.extend(country.map(|country| (country, shares::units(prefix)))),
            None => into.extend(self.split(prefix).iter()),
        }
    }

    /// A network cut where the country changes, ascending: every address is in exactly one piece.
    ///
    /// As many steps as there are cuts: one for nearly every network, 100,000 for the default route.
    pub fn pieces(&self, prefix: Prefix) -> impl Iterator<Item = Piece> {
        let (first, last) = shares::bounds(prefix);
        self.addresses(prefix.family()).cuts(first, last).map(|(first, last, country)| Piece {
            first,
            last,
            country: self.country(country),
        })
    }

    /// The country of a network that no cut divides (nearly all of them): `Some(None)` where nobody has it, `None`
    /// where it is divided.
    fn whole(&self, prefix: Prefix) -> Option<Option<CountryCode>> {
        let (first, last) = shares::bounds(prefix);
        Some(self.country(self.addresses(prefix.family()).undivided(first, last)?))
    }

    fn addresses(&self, family: Family) -> Ranges<'_> {
        let [v4, v6, _] = &self.sections;
        match family {
            Family::V4 => v4.over(&self.bytes),
            Family::V6 => v6.over(&self.bytes),
        }
    }

    fn asns(&self) -> Ranges<'_> {
        let [_, _, asns] = &self.sections;
        asns.over(&self.bytes)
    }

    fn country(&self, number: u8) -> Option<CountryCode> {
        self.countries.get(usize::from(number).checked_sub(1)?).copied()
    }
}

impl fmt::Debug for CountryTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountryTable").field("date", &self.date).field("bytes", &self.bytes.len()).finish()
    }
}

/// Which of several dated tables (`yyyymmdd`) speaks for a moment: the nearest that is not earlier than its day, else the
/// newest. A record keeps the date of its first delegation when it moves to another country, and what was given back
/// is gone; so the state at a time is in the next table after it, not in one before. `None` where there is no table.
pub fn choose(dates: &[u32], at: Time) -> Option<usize> {
    let (year, month, day) = at.date();
    let day = year.saturating_mul(10_000).saturating_add(i64::from(month * 100 + day));
    let by_date = |(_, date): &(usize, &u32)| **date;
    let later = dates.iter().enumerate().filter(|(_, date)| i64::from(**date) >= day).min_by_key(by_date);
    later.or_else(|| dates.iter().enumerate().max_by_key(by_date)).map(|(index, _)| index)
}

/// What stands before the country codes.
struct Header {
    countries: usize,
    date: u32,
    provenance: usize,
    /// First bucket, buckets, cuts.
    sections: [[u32; 3]; 3],
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, TableError> {
        let Some((head, _)) = bytes.split_first_chunk::<HEADER>() else { return Err(TableError::NotATable) };
        if !head.starts_with(MAGIC) {
            return Err(TableError::NotATable);
        }
        if head[4] != VERSION {
            return Err(TableError::Version(head[4]));
        }
        let number = |index: usize| ranges::u32_at(&head[8..], index);
        Ok(Header {
            countries: usize::from(head[5]),
            date: number(0),
            provenance: number(1) as usize,
            sections: [0, 1, 2].map(|section| [0, 1, 2].map(|field| number(2 + 3 * section + field))),
        })
    }

    fn countries(&self, bytes: &[u8]) -> Result<Vec<CountryCode>, TableError> {
        let end = HEADER + 2 * self.countries;
        let codes = bytes.get(HEADER..end).ok_or(TableError::Length { expected: end, found: bytes.len() })?;
        let countries: Option<Vec<_>> = codes
            .chunks_exact(2)
            .map(|code| std::str::from_utf8(code).ok().and_then(CountryCode::new))
            .collect();
        countries
            .filter(|countries| countries.is_sorted_by(|a, b| a < b))
            .ok_or(TableError::Damaged("countries are not ascending codes of two letters"))
    }
}
