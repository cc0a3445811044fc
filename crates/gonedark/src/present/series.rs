//! Every signal over time, as its transitions: each value holds until the next line of the same signal.
//!
//! A sample that is missing has no value and says so; it never is a zero.

use super::Case;
use super::csv::write_row;
use gonedark_infer::report::Sample;
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

/// The columns of both forms, in order.
pub const COLUMNS: [&str; 7] = ["time", "kind", "code", "family", "signal", "value", "missing"];

/// A heading line, then one line for each transition, by entity, family and signal as the report gives them.
pub fn write_csv(out: &mut dyn Write, case: &Case<'_>) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.join(","))?;
    for series in &case.report.series {
        let (kind, code) = (series.entity.kind().to_owned(), series.entity.code());
        let (family, signal) = (series.family.name().to_owned(), series.signal.name().to_owned());
        for (time, sample) in &series.points {
            let (value, missing) = match sample {
                Sample::Value(value) => (value.to_string(), "false"),
                Sample::Missing => (String::new(), "true"),
            };
            let fields = [
                time.to_string(),
                kind.clone(),
                code.clone(),
                family.clone(),
                signal.clone(),
                value,
                missing.to_owned(),
            ];
            write_row(out, &fields)?;
        }
    }
    Ok(())
}

#[cfg(feature = "parquet")]
pub use columns::write_parquet;

#[cfg(feature = "parquet")]
mod columns {
    use super::{Case, Sample};
    use gonedark_infer::report::Series;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::data_type::{BoolType, ByteArray, ByteArrayType, Int64Type};
    use parquet::errors::Result;
    use parquet::file::properties::WriterProperties;
    use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
    use parquet::schema::parser::parse_message_type;
    use std::io::Write;
    use std::sync::Arc;

    const SCHEMA: &str = "message series {
        REQUIRED INT64 time (TIMESTAMP(MICROS, true));
        REQUIRED BYTE_ARRAY kind (UTF8);
        REQUIRED BYTE_ARRAY code (UTF8);
        REQUIRED BYTE_ARRAY family (UTF8);
        REQUIRED BYTE_ARRAY signal (UTF8);
        OPTIONAL INT64 value;
        REQUIRED BOOLEAN missing;
    }";

    /// The same columns as in CSV, one row group for each signal; `missing` rows have a null value.
    pub fn write_parquet(out: impl Write + Send, case: &Case<'_>) -> Result<()> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // Fixed: the library's own name and version would change the bytes with each update of it.
            .set_created_by("gonedark".to_owned());
        let schema = Arc::new(parse_message_type(SCHEMA)?);
        let mut file = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        for series in &case.report.series {
            let mut group = file.next_row_group()?;
            write_group(&mut group, series)?;
            group.close()?;
        }
        file.close()?;
        Ok(())
    }

    fn write_group<W: Write + Send>(
        group: &mut SerializedRowGroupWriter<'_, W>,
        series: &Series,
    ) -> Result<()> {
        let rows = series.points.len();
        let times: Vec<i64> = series.points.iter().map(|(time, _)| time.micros()).collect();
        write_column::<W, Int64Type>(group, &times, None)?;
        let code = series.entity.code();
        for text in [series.entity.kind(), &code, series.family.name(), series.signal.name()] {
            write_column::<W, ByteArrayType>(group, &vec![ByteArray::from(text); rows], None)?;
        }
        let values: Vec<i64> = series
            .points
            .iter()
            .filter_map(|(_, sample)| match sample {
                Sample::Value(value) => Some(i64::try_from(*value).unwrap_or(i64::MAX)),
                Sample::Missing => None,
            })
            .collect();
        let missing: Vec<bool> = series.points.iter().map(|(_, sample)| *sample == Sample::Missing).collect();
        let defined: Vec<i16> = missing.iter().map(|missing| i16::from(!missing)).collect();
        write_column::<W, Int64Type>(group, &values, Some(&defined))?;
        write_column::<W, BoolType>(group, &missing, None)
    }

    fn write_column<W: Write + Send, T: parquet::data_type::DataType>(
        group: &mut SerializedRowGroupWriter<'_, W>,
        values: &[T::T],
        defined: Option<&[i16]>,
    ) -> Result<()> {
        let Some(mut column) = group.next_column()? else {
            return Err(parquet::errors::ParquetError::General("the schema has seven columns".to_owned()));
        };
        column.typed::<T>().write_batch(values, defined, None)?;
        column.close()
    }
}
