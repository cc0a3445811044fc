//! Every signal over time, as its transitions: each value holds until the next line of the same signal.
//!
//! A sample that is missing has no value and says so; it never is a zero.

use super::{Case, csv};
use crate::rows::{Field, TRANSITIONS};
use gonedark_infer::report::{Sample, Series};
use std::io::{self, Write};
use std::path::Path;

/// In which form series are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Comma-separated values.
    Csv,
    /// Apache Parquet.
    Parquet,
}

impl Format {
    /// By the ending of the file's name; the error says what endings there are.
    pub fn of(path: &Path) -> Result<Format, String> {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "csv" => Ok(Format::Csv),
            "parquet" if cfg!(feature = "parquet") => Ok(Format::Parquet),
            "parquet" => Err(format!(
                "{}: this program was built without Parquet; write .csv, or build it with --features parquet",
                path.display()
            )),
            _ => Err(format!(
                "{}: series are written as .csv or .parquet, by the name's ending",
                path.display()
            )),
        }
    }
}

/// A heading line, then one line for each transition, by entity, family and signal as the report gives them.
pub fn write_csv(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    csv::write_heading(out, &TRANSITIONS)?;
    case.report.series.iter().flat_map(rows).try_for_each(|row| csv::write_fields(out, &row))
}

/// The same columns as in CSV, a row group for each signal; `missing` rows have a null value.
///
/// # Errors
/// What cannot be written.
#[cfg(feature = "parquet")]
pub fn write_parquet(out: impl Write + Send, case: &Case<'_>) -> parquet::errors::Result<()> {
    let mut table = super::columns::Table::begin(out, &TRANSITIONS)?;
    for series in &case.report.series {
        rows(series).try_for_each(|row| table.row(&row))?;
        table.flush()?;
    }
    table.end()
}

fn rows(series: &Series) -> impl Iterator<Item = [Field; 7]> + '_ {
    let (kind, code) = (series.entity.kind().to_owned(), series.entity.code());
    let names = [kind, code, series.family.name().to_owned(), series.signal.name().to_owned()];
    series.points.iter().map(move |(time, sample)| {
        let value = match sample {
            Sample::Value(value) => Field::Number(i64::try_from(*value).unwrap_or(i64::MAX)),
            Sample::Missing => Field::Null,
        };
        let [kind, code, family, signal] = names.clone().map(Field::Text);
        let missing = Field::Truth(value == Field::Null);
        [Field::Moment(*time), kind, code, family, signal, value, missing]
    })
}
