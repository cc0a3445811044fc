//! The country table that is made of statistics files, and where it is from.

use super::statistics::{CountryError, StatisticsFile};
use gonedark_decode::delegated::{self, Resource};
use gonedark_infer::entity::CountryCode;
use gonedark_infer::entity::registry::{CountryTable, CountryTableBuilder};
use serde::Serialize;

/// A file that a table was made of: an element of `countries` in the JSON contract.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Source {
    /// Its name, without folder and packing.
    pub file: String,
    /// The registry's serial.
    pub serial: String,
    /// Of the unpacked statistics.
    pub sha256: String,
    /// The day it describes, `YYYY-MM-DD`.
    pub date: String,
}

/// The bytes of the table of a day (`yyyymmdd`; the newest day of the files where `None`).
///
/// What was delegated after that day is left out, so that a later file can stand in for a registry whose own of the
/// day is not to be had; it knows nothing of transfers between the two days. Of overlapping delegations the one in the
/// file nearest to the day holds. The order of the files changes nothing.
///
/// # Errors
/// No file, two of one registry, or contents that fit into no table.
pub fn build_table(files: &[StatisticsFile], date: Option<u32>) -> Result<Vec<u8>, CountryError> {
    let mut files: Vec<&StatisticsFile> = files.iter().collect();
    files.sort_by_key(|file| (&file.registry, &file.file));
    if let Some([first, second]) = files.array_windows().find(|[a, b]| a.registry == b.registry) {
        return Err(CountryError::Twice {
            registry: first.registry.clone(),
            first: first.file.clone(),
            second: second.file.clone(),
        });
    }
    let newest = files.iter().map(|file| file.date).max().ok_or(CountryError::NoFile)?;
    let date = date.unwrap_or(newest);
    let mut builder = CountryTableBuilder::default();
    let mut provenance = String::new();
    for file in files {
        add(&mut builder, file, date);
        let StatisticsFile { file, serial, sha256, date, .. } = file;
        provenance.push_str(&format!("{file}\t{serial}\t{sha256}\t{}\n", date_text(*date)));
    }
    Ok(builder.build(date, &provenance)?)
}

fn add(builder: &mut CountryTableBuilder, file: &StatisticsFile, date: u32) {
    let rank = day(file.date).abs_diff(day(date));
    for record in delegated::records(&file.bytes).filter_map(|(_, record)| record.ok()) {
        let delegated =
            record.delegated_to().filter(|_| file.date <= date || record.date.is_none_or(|day| day <= date));
        let country = delegated.and_then(|code| CountryCode::new(std::str::from_utf8(&code).ok()?));
        let Some(country) = country else { continue };
        match record.resource {
            Resource::Ipv4 { start, count } => builder.add_v4(start, count, country, rank),
            Resource::Ipv6 { prefix } => builder.add_prefix(prefix, country, rank),
            Resource::Asn { start, count } => builder.add_asns(start, count, country, rank),
        }
    }
}

/// The files that a table was made of, as [`build_table`] wrote them into it.
pub fn sources(table: &CountryTable) -> Vec<Source> {
    let source = |line: &str| {
        let mut fields = line.split('\t').map(str::to_owned);
        Some(Source {
            file: fields.next()?,
            serial: fields.next()?,
            sha256: fields.next()?,
            date: fields.next()?,
        })
    };
    table.provenance().lines().filter_map(source).collect()
}

/// `20141222` as `2014-12-22`.
pub fn date_text(date: u32) -> String {
    format!("{:04}-{:02}-{:02}", date / 10_000, date / 100 % 100, date % 100)
}

/// A number that grows with the date (`yyyymmdd`), nearly by one a day: every month has 31 days in it.
fn day(date: u32) -> u32 {
    let (year, month, day) = (date / 10_000, date / 100 % 100, date % 100);
    (year * 12 + month) * 31 + day
}
