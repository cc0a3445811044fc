use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// What can be wrong with a store, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreFault {
    /// The disk is full.
    #[error("{}: the disk is full; nothing that was committed is lost. Make room, or lower [store] retention_days", path.display())]
    Full {
        /// The store.
        path: PathBuf,
    },
    /// There is none.
    #[error("{}: there is no store; start gonedark watch first, or give the right [store] path", path.display())]
    Absent {
        /// Where it would be.
        path: PathBuf,
    },
    /// What lies there was never one.
    #[error(
        "{}: is no store of gonedark: {why}; nothing was touched. Give another path; if it was a store once, move it away \
         and the watch begins anew",
        path.display()
    )]
    Foreign {
        /// What was named as the store.
        path: PathBuf,
        /// By what that was seen.
        why: &'static str,
    },
    /// It cannot be written.
    #[error("{}: cannot be written ({why}); give [store] path a place that this user may write to", path.display())]
    ReadOnly {
        /// The store.
        path: PathBuf,
        /// SQLite's own words.
        why: String,
    },
    /// Another process writes it.
    #[error("{}: another process is writing it; one gonedark watch at a time has a store", path.display())]
    Busy {
        /// The store.
        path: PathBuf,
    },
    /// Pages of it are not what they should be.
    #[error("{}: the file is damaged ({why})", path.display())]
    Damaged {
        /// The store.
        path: PathBuf,
        /// What was found.
        why: String,
    },
    /// It was written by a newer program.
    #[error("{}: has schema {found}, this program knows up to {known}; use a newer gonedark", path.display())]
    Newer {
        /// The store.
        path: PathBuf,
        /// Its schema.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// What it was concluded from rests on something else.
    #[error(
        "{}: was begun with {key} = {before}, and the configuration says {now}: what is stored and what would be added do \
         not compare. Begin another store ([store] path), or set it back",
        path.display()
    )]
    Basis {
        /// The store.
        path: PathBuf,
        /// What differs.
        key: String,
        /// What it was.
        before: String,
        /// What it is now.
        now: String,
    },
    /// It refuses what it is given, as no store does to a program without mistakes.
    #[error(
        "{}: what is to be written is refused ({why}): this is a bug in gonedark, please report it. Nothing that was committed \
         is lost; the next start goes on from there",
        path.display()
    )]
    Refused {
        /// The store.
        path: PathBuf,
        /// SQLite's own words.
        why: String,
    },
    /// Anything else that SQLite says.
    #[error("{}: {why}", path.display())]
    Other {
        /// The store.
        path: PathBuf,
        /// SQLite's own words.
        why: String,
    },
}

impl StoreFault {
    /// What an error of SQLite means.
    pub(super) fn of(path: &Path, error: rusqlite::Error) -> Self {
        let (path, why) = (path.to_owned(), error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => StoreFault::Full { path },
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                StoreFault::ReadOnly { path, why }
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreFault::Busy { path },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreFault::Damaged { path, why },
            Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
                StoreFault::Refused { path, why }
            }
            _ => StoreFault::Other { path, why },
        }
    }

    /// The same of a store whose path was not known where it was found.
    pub(super) fn at(self, known: &Path) -> Self {
        match self {
            StoreFault::Newer { found, known: newest, .. } => {
                StoreFault::Newer { path: known.to_owned(), found, known: newest }
            }
            StoreFault::Damaged { why, .. } => StoreFault::Damaged { path: known.to_owned(), why },
            other => other,
        }
    }

    /// Whether the file itself is damaged, so that what can be read of it has to be taken over.
    pub fn is_damage(&self) -> bool {
        matches!(self, StoreFault::Damaged { .. })
    }

    /// Whether trying again would find the same.
    pub fn is_lasting(&self) -> bool {
        self.is_damage() || matches!(self, StoreFault::Refused { .. })
    }
}
