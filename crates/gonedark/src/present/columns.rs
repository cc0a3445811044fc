//! Rows as Apache Parquet: the columns of the CSV, typed. Any field may be null.

use crate::rows::{Column, Field, Kind};
use parquet::basic::{Compression, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::{ParquetError, Result};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use std::io::Write;
use std::sync::Arc;

/// Rows of one group: they wait in memory until it is full. Guess: some megabytes, and groups that readers can skip.
const GROUP: usize = 1 << 16;

/// A file that is being written.
pub struct Table<W: Write + Send> {
    file: SerializedFileWriter<W>,
    columns: Vec<Values>,
    rows: usize,
}

/// What waits of a column: the values that are there, and for each row whether one is.
enum Values {
    Numbers(Vec<i64>, Vec<i16>),
    Texts(Vec<ByteArray>, Vec<i16>),
    Truths(Vec<bool>, Vec<i16>),
}

impl<W: Write + Send> Table<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// What the library says of the schema, or of `out`.
    pub fn begin(out: W, columns: &[Column]) -> Result<Self> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            // Fixed: the library's own name and version would change the bytes with each update of it.
            .set_created_by("gonedark".to_owned());
        let named: String = columns.iter().map(|column| declared(*column)).collect();
        let schema = Arc::new(parse_message_type(&format!("message rows {{ {named}}}"))?);
        let file = SerializedFileWriter::new(out, schema, Arc::new(properties.build()))?;
        let columns = columns.iter().map(|column| Values::of(column.kind)).collect();
        Ok(Table { file, columns, rows: 0 })
    }

    /// Takes a row.
    ///
    /// # Errors
    /// A field that is not of its column's kind, or what cannot be written.
    pub fn row(&mut self, fields: &[Field]) -> Result<()> {
        for (column, field) in self.columns.iter_mut().zip(fields) {
            column.put(field)?;
        }
        self.rows += 1;
        if self.rows >= GROUP { self.flush() } else { Ok(()) }
    }

    /// Writes what waits as a group of its own.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        if std::mem::take(&mut self.rows) == 0 {
            return Ok(());
        }
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            column.write(&mut group)?;
        }
        group.close().map(drop)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn end(mut self) -> Result<()> {
        self.flush()?;
        self.file.close().map(drop)
    }
}

fn declared(column: Column) -> String {
    let Column { name, kind } = column;
    match kind {
        Kind::Text => format!("OPTIONAL BYTE_ARRAY {name} (UTF8); "),
        Kind::Number => format!("OPTIONAL INT64 {name}; "),
        Kind::Moment => format!("OPTIONAL INT64 {name} (TIMESTAMP(MICROS, true)); "),
        Kind::Truth => format!("OPTIONAL BOOLEAN {name}; "),
    }
}

impl Values {
    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Text => Values::Texts(Vec::new(), Vec::new()),
            Kind::Number | Kind::Moment => Values::Numbers(Vec::new(), Vec::new()),
            Kind::Truth => Values::Truths(Vec::new(), Vec::new()),
        }
    }

    fn put(&mut self, field: &Field) -> Result<()> {
        let there = i16::from(*field != Field::Null);
        match (&mut *self, field) {
            (Values::Numbers(_, all) | Values::Texts(_, all) | Values::Truths(_, all), Field::Null) => {
                all.push(there);
            }
            (Values::Numbers(some, all), Field::Number(number)) => {
                some.push(*number);
                all.push(there);
            }
            (Values::Numbers(some, all), Field::Moment(time)) => {
                some.push(time.micros());
                all.push(there);
            }
            (Values::Texts(some, all), Field::Text(text)) => {
                some.push(ByteArray::from(text.as_str()));
                all.push(there);
            }
            (Values::Truths(some, all), Field::Truth(truth)) => {
                some.push(*truth);
                all.push(there);
            }
            (_, field) => {
                return Err(ParquetError::General(format!("{field:?} is not of its column's kind")));
            }
        }
        Ok(())
    }

    fn write<W: Write + Send>(&mut self, group: &mut SerializedRowGroupWriter<'_, W>) -> Result<()> {
        match self {
            Values::Numbers(some, all) => write_column::<W, Int64Type>(group, some, all),
            Values::Texts(some, all) => write_column::<W, ByteArrayType>(group, some, all),
            Values::Truths(some, all) => write_column::<W, BoolType>(group, some, all),
        }
    }
}

fn write_column<W: Write + Send, T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    some: &mut Vec<T::T>,
    all: &mut Vec<i16>,
) -> Result<()> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("a row has more fields than the schema has columns".to_owned()));
    };
    column.typed::<T>().write_batch(some, Some(all), None)?;
    some.clear();
    all.clear();
    column.close()
}
