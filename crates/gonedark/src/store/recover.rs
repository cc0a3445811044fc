//! Taking over what can be read of a damaged store.

use super::fault::StoreFault;
use super::{Warnings, schema};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is taken over, in an order in which nothing is without what it refers to.
const TABLES: [&str; 12] = [
    "basis", "stream", "entity", "snapshot", "journal", "incident", "point", "blind", "attack", "attacked",
    "deaf", "meter",
];

/// How every SQLite file begins (<https://sqlite.org/fileformat.html>, section 1.3.1).
const BEGIN: &[u8; 16] = b"SQLite format 3\0";
/// Bytes of a page of a store: SQLite's default, which no store changes.
const PAGE: u64 = 4096;

/// Whether the file at `path` was never a store, so that it is not this program's to put aside: somebody's notes, or the
/// configuration. A store whose begin was spoiled does not begin as one either. It is known by what only a store has: a
/// log beside it; whole pages and the lock, which stays when a watch ends and is made for no other file; or a first page
/// of zeros, as a disk leaves it that lost what was written.
pub(super) fn is_foreign(path: &Path) -> bool {
    let Some(known) = fs::metadata(path).ok().filter(fs::Metadata::is_file) else { return false };
    let mut page = Vec::new();
    let read = File::open(path).and_then(|file| file.take(PAGE).read_to_end(&mut page));
    // What is empty becomes a store, and of what cannot be read SQLite says why.
    if read.is_err() || page.is_empty() || page.starts_with(BEGIN) {
        return false;
    }
    let has = |ending: &str, least: u64| {
        fs::metadata(with_ending(path, ending)).is_ok_and(|beside| beside.is_file() && beside.len() >= least)
    };
    let is_whole = known.len().is_multiple_of(PAGE);
    let is_blank = is_whole && page.iter().all(|byte| *byte == 0);
    !(is_blank || has("-wal", 1) || is_whole && has(".lock", 0))
}

/// Puts a damaged store aside and makes a new one of what can be read of it, row by row.
pub(super) fn recover(path: &Path, fault: &StoreFault, warnings: &mut Warnings) -> Result<(), StoreFault> {
    let other = |error: std::io::Error| StoreFault::Other { path: path.into(), why: error.to_string() };
    let aside = free_name(path);
    let fresh = with_ending(path, ".recovering");
    let _ = fs::remove_file(&fresh);
    let told = |error| StoreFault::of(path, error);
    let mut new = Connection::open(&fresh).map_err(told)?;
    schema::migrate(&mut new).map_err(|fault| fault.at(path))?;
    let old = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).ok();
    let mut lost = Vec::new();
    for table in TABLES {
        let (rows, whole) = old.as_ref().map_or((0, false), |old| copy(old, &new, table));
        if !whole {
            lost.push(format!("{table} (only {rows} rows)"));
        }
    }
    for table in ["incident", "attack"] {
        // A row may be found whose text is not what was written.
        let spoiled = format!("DELETE FROM {table} WHERE NOT json_valid(body)");
        match new.execute(&spoiled, []).map_err(told)? {
            0 => {}
            rows => lost.push(format!("{table} ({rows} rows spoiled)")),
        }
    }
    name_again(&new).map_err(told)?;
    drop(old);
    new.close().map_err(|(_, error)| told(error))?;
    for ending in ["", "-wal", "-shm"] {
        let from = with_ending(path, ending);
        if from.exists() {
            fs::rename(&from, with_ending(&aside, ending)).map_err(other)?;
        }
    }
    fs::rename(&fresh, path).map_err(other)?;
    let what = if lost.is_empty() { "nothing".to_owned() } else { lost.join(", ") };
    warnings.push(format!(
        "{fault}. It was put aside as {}, and what could be read was taken over; not whole: {what}",
        aside.display()
    ));
    Ok(())
}

/// Entities whose names were lost: incidents still have them. Signals of which nobody knows whose they are go, because a new
/// entity would get the number, and pass for their owner.
fn name_again(new: &Connection) -> rusqlite::Result<()> {
    new.execute_batch(
        "INSERT OR IGNORE INTO entity SELECT DISTINCT entity, body ->> '$.entity.kind', body ->> '$.entity.code' FROM incident;
         DELETE FROM point WHERE entity NOT IN (SELECT id FROM entity);
         DELETE FROM incident WHERE entity NOT IN (SELECT id FROM entity);
         DELETE FROM attacked WHERE entity NOT IN (SELECT id FROM entity);",
    )
}

/// Copies the rows that can be read, from both ends, so that one bad page costs no more than itself. Gives how many, and
/// whether those were all.
fn copy(old: &Connection, new: &Connection, table: &str) -> (u64, bool) {
    let columns = match new.prepare(&format!("SELECT * FROM {table}")) {
        Ok(statement) => statement.column_count(),
        Err(_) => return (0, false),
    };
    let marks = vec!["?"; columns].join(", ");
    let Ok(mut insert) = new.prepare(&format!("INSERT OR IGNORE INTO {table} VALUES ({marks})")) else {
        return (0, false);
    };
    // A store that was never opened by this version lacks what is new in it.
    let is_missing = |error: &rusqlite::Error| error.to_string().contains("no such table");
    if old.prepare(&format!("SELECT 1 FROM {table}")).is_err_and(|error| is_missing(&error)) {
        return (0, true);
    }
    let _ = new.execute_batch("BEGIN");
    let (mut rows, mut whole) = (0, true);
    for order in ["ASC", "DESC"] {
        let key = if table == "point" { "entity" } else { "1" };
        let query = format!("SELECT * FROM {table} ORDER BY {key} {order}");
        let done = old.prepare(&query).and_then(|mut statement| {
            let mut found = statement.query([])?;
            while let Some(row) = found.next()? {
                let values: Vec<rusqlite::types::Value> =
                    (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
                rows += insert.execute(rusqlite::params_from_iter(values))? as u64;
            }
            Ok(())
        });
        whole = done.is_ok();
        if whole {
            break;
        }
    }
    let _ = new.execute_batch("COMMIT");
    (rows, whole)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// `store.db.damaged`, or with a number behind it.
fn free_name(path: &Path) -> PathBuf {
    let numbered = |number: u32| match number {
        0 => with_ending(path, ".damaged"),
        number => with_ending(path, &format!(".damaged-{number}")),
    };
    (0..).map(numbered).find(|name| !name.exists()).unwrap_or_else(|| numbered(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;

    #[test]
    fn a_file_is_foreign_unless_it_begins_as_a_store_or_something_shows_that_it_was_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gonedark.db");
        let beside = |ending: &str| with_ending(&path, ending);
        assert!(!is_foreign(&path), "it is not there");
        assert!(!is_foreign(folder.path()), "of a folder SQLite says what is wrong");
        let page = PAGE as usize;
        let spoiled = vec![0x5a; 2 * page];
        let blank = vec![0; 2 * page];
        let cases: [(&[u8], bool); 7] = [
            (b"", false),
            (b"SQLite format 3\0 and the rest", false),
            (b"SQLite format", true),
            (b"[watch]\n", true),
            (&blank, false),
            (&blank[..7], true),
            (&spoiled, true),
        ];
        for (bytes, foreign) in cases {
            fs::write(&path, bytes).expect("written");
            assert_eq!(is_foreign(&path), foreign, "{} bytes", bytes.len());
        }
        fs::write(beside(".lock"), "").expect("written");
        assert!(!is_foreign(&path), "whole pages and a lock");
        fs::write(&path, "[watch]\n").expect("written");
        assert!(is_foreign(&path), "a lock alone, as other programs make them");
        fs::write(beside("-wal"), "").expect("written");
        assert!(is_foreign(&path), "an empty log");
        fs::write(beside("-wal"), "frames").expect("written");
        assert!(!is_foreign(&path), "a log");
    }

    #[test]
    fn a_store_whose_begin_is_spoiled_is_put_aside_and_begun_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gonedark.db");
        drop(Store::open(&path).expect("a store"));
        let mut bytes = fs::read(&path).expect("a store");
        bytes[..100].fill(0x5a);
        fs::write(&path, &bytes).expect("written");
        let (_, warnings) = Store::open(&path).expect("a store");
        assert!(warnings.iter().any(|warning| warning.contains("put aside")), "{warnings:?}");
        assert_eq!(fs::read(with_ending(&path, ".damaged")).expect("what was there"), bytes);
    }

    #[test]
    fn what_was_never_a_store_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes");
        let others = "CREATE TABLE bookmark (url TEXT)";
        Connection::open(&path).and_then(|db| db.execute_batch(others)).expect("a file of another program");
        for bytes in [fs::read(&path).expect("its bytes"), b"[watch]\n".to_vec()] {
            fs::write(&path, &bytes).expect("written");
            let opened = Store::open(&path).map(drop);
            let read = crate::store::open_to_read(&path).map(drop);
            for done in [opened, read] {
                assert!(matches!(done, Err(StoreFault::Foreign { .. })), "{done:?}");
            }
            assert_eq!(fs::read(&path).expect("it is there"), bytes);
            assert!(!with_ending(&path, ".damaged").exists());
        }
    }

    #[test]
    fn of_a_store_of_every_schema_it_is_told_lost_what_it_had_and_nothing_else() {
        for version in 1..=schema::STEPS.len() {
            let folder = tempfile::tempdir().expect("a folder");
            let path = folder.path().join("gonedark.db");
            let old = Connection::open(&path).expect("a store");
            old.execute_batch(&schema::STEPS[..version].concat()).expect("an old schema");
            old.execute_batch("INSERT INTO entity VALUES (7, 'country', 'KP')").expect("a row");
            drop(old);
            let mut warnings = Warnings::new();
            let fault = StoreFault::Damaged { path: path.clone(), why: "a test".to_owned() };
            recover(&path, &fault, &mut warnings).expect("recovered");
            assert!(warnings[0].ends_with("not whole: nothing"), "from {version}: {}", warnings[0]);
            let new = Connection::open(&path).expect("a store");
            let kept: u32 =
                new.query_row("SELECT count(*) FROM entity", [], |row| row.get(0)).expect("a count");
            assert_eq!(kept, 1, "from {version}");
        }
    }
}
