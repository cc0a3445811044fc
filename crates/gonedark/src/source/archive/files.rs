use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use gonedark_route::Time;

use super::name::{FileName, Kind, collector_of};
use super::rhythm::Rhythm;

/// Folders in folders that are followed. The archives' own layout is five deep; a guess.
const DEEPEST: usize = 32;

/// Endings of files that still are being written by a downloader (gonedark, wget and rsync, browsers).
const BEING_WRITTEN: [&str; 6] = [".part", ".partial", ".tmp", ".filepart", ".crdownload", ".download"];

/// Endings of files that lie beside archive files and are none.
const BESIDE: [&str; 12] = [
    ".html",
    ".htm",
    ".txt",
    ".md",
    ".md5",
    ".sha256",
    ".asc",
    ".json",
    ".log",
    ".validator",
    ".pcap",
    ".pcapng",
];

/// One archive file, with what its name and folder say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveFile {
    /// As given, or under the folder given.
    pub path: PathBuf,
    /// `rrc00`, `route-views2`: from the name where it carries one, else the folder.
    pub collector: String,
    /// Table or messages.
    pub kind: Kind,
    /// Nominal time; the true times are in the records.
    pub time: Option<Time>,
    /// Length in bytes when it was listed.
    pub length: u64,
}

/// A file or folder that is not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// As given, or under the folder given.
    pub path: PathBuf,
    /// As of an archive file.
    pub collector: String,
    /// As of an archive file.
    pub time: Option<Time>,
    /// Why it is not read.
    pub why: Why,
}

/// Why a file or folder is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has 0 bytes: the collector wrote nothing, so it is blind for that time.
    Empty,
    /// Its ending says that a download is not finished.
    BeingWritten,
    /// What lies beside archive files: lists, checksums, notes. Nothing is lost by it.
    NotAnArchive,
    /// The system's own words.
    Unreadable(String),
}

/// An interval for which a collector wrote no file, by its own rhythm, or only an empty one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// Whose.
    pub collector: String,
    /// The first moment without data.
    pub from: Time,
    /// The nominal time of the next file.
    pub until: Time,
}

/// What was found under the paths that a person gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Sorted by collector, nominal time (unknown ones first), name; each file once.
    pub files: Vec<ArchiveFile>,
    /// Sorted by path.
    pub passed_over: Vec<PassedOver>,
}

impl Listing {
    /// Where the rhythm of a collector's update files says that one should be and there is none.
    pub fn gaps(&self) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (collector, times) in self.update_times() {
            let found = Rhythm::learn(&times).map(|rhythm| rhythm.gaps(&times)).unwrap_or_default();
            gaps.extend(found.into_iter().map(|(from, until)| Gap {
                collector: collector.into(),
                from,
                until,
            }));
        }
        gaps
    }

    /// The rhythm of each collector whose update files have one.
    pub fn rhythms(&self) -> BTreeMap<&str, Rhythm> {
        let times = self.update_times().into_iter();
        times.filter_map(|(collector, times)| Some((collector, Rhythm::learn(&times)?))).collect()
    }

    fn update_times(&self) -> BTreeMap<&str, Vec<Time>> {
        let mut times: BTreeMap<&str, Vec<Time>> = BTreeMap::new();
        for file in self.files.iter().filter(|file| file.kind == Kind::Updates) {
            times.entry(&file.collector).or_default().extend(file.time);
        }
        times
    }
}

/// Finds the archive files among `paths`: files as they are, folders with all that is below them.
///
/// A file given by name is read whatever it is called; in a folder, hidden files and what only lies beside archives are
/// passed over. Nothing that is wrong with one path keeps the others from being found.
pub fn list(paths: &[PathBuf]) -> Listing {
    let mut search = Search::default();
    for path in paths {
        search.visit(path, 0);
    }
    let Listing { mut files, mut passed_over } = search.found;
    files.sort_by(|a, b| {
        let name = |file: &ArchiveFile| file.path.file_name().map(ToOwned::to_owned);
        (&a.collector, a.time, name(a), &a.path).cmp(&(&b.collector, b.time, name(b), &b.path))
    });
    passed_over.sort_by(|a, b| a.path.cmp(&b.path));
    Listing { files, passed_over }
}

#[derive(Default)]
struct Search {
    found: Listing,
    /// What was visited, by its true path: links must not lead in circles, nor a file be read twice.
    seen: HashSet<PathBuf>,
}

impl Search {
    fn visit(&mut self, path: &Path, depth: usize) {
        let read = fs::canonicalize(path).and_then(|real| Ok((fs::metadata(path)?, real)));
        match read {
            Err(error) => self.pass_over(path, Why::Unreadable(error.to_string())),
            Ok((metadata, real)) => {
                let is_new = self.seen.insert(real);
                if is_new && metadata.is_dir() {
                    self.visit_folder(path, depth);
                } else if is_new {
                    self.take(path, metadata.len(), metadata.is_file(), depth);
                }
            }
        }
    }

    fn visit_folder(&mut self, folder: &Path, depth: usize) {
        if depth >= DEEPEST {
            return self.pass_over(folder, Why::Unreadable("too many folders in folders".into()));
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.pass_over(folder, Why::Unreadable(error.to_string())),
        };
        // In order of name, so that of two links to one file always the same is taken.
        let mut below = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => below.push(entry.path()),
                Err(error) => self.pass_over(folder, Why::Unreadable(error.to_string())),
            }
        }
        below.sort();
        for path in below {
            let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
            if !hidden {
                self.visit(&path, depth + 1);
            }
        }
    }

    fn take(&mut self, path: &Path, length: u64, is_file: bool, depth: usize) {
        let name = name_of(path).to_ascii_lowercase();
        let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
        if ends(&BEING_WRITTEN) {
            self.pass_over(path, Why::BeingWritten);
        } else if depth > 0 && (!is_file || ends(&BESIDE)) {
            self.pass_over(path, Why::NotAnArchive);
        } else if is_file && length == 0 {
            self.pass_over(path, Why::Empty);
        } else {
            let (collector, name) = place(path);
            let file = ArchiveFile { path: path.into(), collector, kind: name.kind, time: name.time, length };
            self.found.files.push(file);
        }
    }

    fn pass_over(&mut self, path: &Path, why: Why) {
        let (collector, name) = place(path);
        self.found.passed_over.push(PassedOver { path: path.into(), collector, time: name.time, why });
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn place(path: &Path) -> (String, FileName) {
    let mut name = FileName::parse(&name_of(path));
    let collector = name
        .collector
        .take()
        // Without a current folder only the path as given is left.
        .unwrap_or_else(|| collector_of(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned())));
    (collector, name)
}
