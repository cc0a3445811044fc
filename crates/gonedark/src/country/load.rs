//! The country table for a run.

use super::statistics::{CountryError, REGISTRIES, StatisticsFile};
use super::table::{self, Source, build_table};
use gonedark_infer::entity::registry::{CountryTable, choose};
use gonedark_route::Time;
use std::path::{Path, PathBuf};

/// The tables that the program brings along; `crates/gonedark/data/README.md` says where they are from.
const BUILT_IN: [&[u8]; 2] = [
    include_bytes!("../../data/countries-20140630.gdct"),
    include_bytes!("../../data/countries-20181013.gdct"),
];

/// The table of a run, fixed from its begin to its end.
#[derive(Debug)]
pub struct Countries {
    /// Which network is whose.
    pub table: CountryTable,
    /// The files it was made of, by name.
    pub sources: Vec<Source>,
    /// What is wrong with it or with another that was passed over for it, in plain sentences.
    pub warnings: Vec<String>,
}

/// The table for what is seen at `at`.
///
/// Files that the user names replace everything else, whatever their date. Else the snapshots in the data folder
/// (`rir/<date>/delegated-*`) and those built in stand beside each other, and the nearest later one is taken, else
/// the newest ([`choose`]). A snapshot in the folder with a file that is cut or missing is passed over with a warning.
///
/// # Errors
/// A file that the user named and that cannot be used. A snapshot in the data folder is never an error.
pub fn load(files: &[PathBuf], data_folder: Option<&Path>, at: Time) -> Result<Countries, CountryError> {
    if !files.is_empty() {
        return from_files(files).map(Found::into_countries);
    }
    let mut candidates: Vec<Candidate> = data_folder.map(snapshots).unwrap_or_default();
    candidates.extend(BUILT_IN.iter().filter_map(|bytes| {
        Some(Candidate { date: CountryTable::date_of(bytes)?, place: Place::BuiltIn(bytes) })
    }));
    let mut warnings = Vec::new();
    loop {
        let dates: Vec<u32> = candidates.iter().map(|candidate| candidate.date).collect();
        // The folder's come first, and of equal dates the first is chosen.
        let index = choose(&dates, at).ok_or(CountryError::NoFile)?;
        let refused = match candidates.remove(index).place {
            Place::BuiltIn(bytes) => {
                let table = CountryTable::from_bytes(bytes)?;
                return Ok(Countries { sources: table::sources(&table), table, warnings });
            }
            Place::Folder(folder, paths) => match from_files(&paths) {
                Ok(found) if found.missing.is_empty() => {
                    let countries = found.into_countries();
                    warnings.extend(countries.warnings);
                    return Ok(Countries { warnings, ..countries });
                }
                Ok(found) => {
                    format!("{}: passed over: no file of {}", folder.display(), found.missing.join(", "))
                }
                Err(error) => format!("{}: passed over: {error}", folder.display()),
            },
        };
        warnings.push(refused);
    }
}

/// A snapshot that could be used.
struct Candidate {
    date: u32,
    place: Place,
}

enum Place {
    BuiltIn(&'static [u8]),
    /// The folder and its statistics files.
    Folder(PathBuf, Vec<PathBuf>),
}

/// The snapshots of a data folder: folders named by a date, `2018-10-13` or `20181013`, with anything in them.
fn snapshots(data_folder: &Path) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = entries(&data_folder.join("rir"))
        .filter_map(|folder| {
            let date = folder_date(folder.file_name()?.to_str()?)?;
            let mut paths: Vec<PathBuf> = entries(&folder).filter(|path| is_statistics(path)).collect();
            paths.sort();
            Some(Candidate { date, place: Place::Folder(folder, paths) })
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.date);
    candidates
}

/// What is in a folder; nothing where it cannot be read, as on the first start.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()))
}

fn folder_date(name: &str) -> Option<u32> {
    let digits: String = name.chars().filter(|character| *character != '-').collect();
    digits.parse().ok().filter(|_| digits.len() == 8)
}

/// Checksums and signatures lie beside the statistics.
fn is_statistics(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("delegated-") && ![".md5", ".asc", ".part"].iter().any(|ending| name.ends_with(ending))
}

/// A table made of files, and the registries of which there was none.
struct Found {
    table: CountryTable,
    files: Vec<StatisticsFile>,
    missing: Vec<&'static str>,
}

fn from_files(paths: &[PathBuf]) -> Result<Found, CountryError> {
    let files: Vec<StatisticsFile> =
        paths.iter().map(|path| StatisticsFile::read(path)).collect::<Result<_, _>>()?;
    let table = CountryTable::from_bytes(build_table(&files, None)?)?;
    // The NRO's file holds all five.
    let has = |registry: &str| files.iter().any(|file| file.registry == registry || file.registry == "nro");
    let missing = REGISTRIES.into_iter().filter(|registry| !has(registry)).collect();
    Ok(Found { table, files, missing })
}

impl Found {
    fn into_countries(self) -> Countries {
        let mut warnings = Vec::new();
        if !self.missing.is_empty() {
            let missing = self.missing.join(", ");
            warnings.push(format!("no statistics of {missing}: their networks belong to no country"));
        }
        for StatisticsFile { file, damaged, .. } in &self.files {
            if let Some((line, error)) = damaged.first {
                let lines = damaged.lines;
                warnings.push(format!(
                    "{file}: {lines} damaged lines left out, the first is line {line}: {error}"
                ));
            }
        }
        Countries { sources: table::sources(&self.table), table: self.table, warnings }
    }
}
