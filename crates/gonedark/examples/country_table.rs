//! Makes one of the country tables that are built in: `country_table DATE OUT FILE...`, DATE as `yyyymmdd`.
//! `scripts/make-country-tables.sh` calls it.

use anyhow::{Context, Result, bail};
use gonedark::country::build_table;
use gonedark::country::statistics::StatisticsFile;
use std::io::Write;
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [date, out, files @ ..] = arguments.as_slice() else {
        bail!("usage: country_table DATE OUT FILE...")
    };
    let date = date.parse().context("DATE is yyyymmdd")?;
    let files: Vec<StatisticsFile> =
        files.iter().map(|file| StatisticsFile::read(Path::new(file))).collect::<Result<_, _>>()?;
    let bytes = build_table(&files, Some(date))?;
    std::fs::write(out, &bytes).with_context(|| format!("cannot write {out}"))?;
    writeln!(std::io::stdout(), "{out}: {} bytes of {} files", bytes.len(), files.len())?;
    Ok(())
}
