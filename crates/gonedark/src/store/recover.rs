//! Taking over what can be read of a damaged store.

use super::fault::StoreFault;
use super::{Warnings, schema};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// What is taken over, in an order in which nothing is without what it refers to.
const TABLES: [&str; 12] = [
    "basis", "stream", "entity", "snapshot", "journal", "incident", "point", "blind", "attack", "attacked",
    "deaf", "meter",
];

/// Behind the name of what was taken over whole, until it is in the place of the damaged store.
const WHOLE: &str = ".recovered";
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
///
/// # Errors
/// Those of the new store, for which there may be no room: then the damaged one is left where it is.
pub(super) fn recover(path: &Path, fault: &StoreFault, warnings: &mut Warnings) -> Result<(), StoreFault> {
    let (fresh, whole) = (with_ending(path, ".recovering"), with_ending(path, WHOLE));
    let _ = fs::remove_file(&fresh);
    let lost = take_over(path, &fresh).inspect_err(|_| {
        for ending in ["", "-journal", "-wal", "-shm"] {
            let _ = fs::remove_file(with_ending(&fresh, ending));
        }
    })?;
    fs::rename(&fresh, &whole).map_err(|error| other(path, &error))?;
    let aside = free_name(path);
    exchange(path, &aside)?;
    let what = if lost.is_empty() { "nothing".to_owned() } else { lost.join(", ") };
    warnings.push(format!(
        "{fault}. It was put aside as {}, and what could be read was taken over; not whole: {what}",
        aside.display()
    ));
    Ok(())
}

/// Ends what a start that was killed had begun: the damaged store is put aside, and what was taken over not in its place.
pub(super) fn go_on(path: &Path, warnings: &mut Warnings) -> Result<(), StoreFault> {
    if path.exists() || !with_ending(path, WHOLE).exists() {
        return Ok(());
    }
    let aside = damaged_names(path).take_while(|name| name.exists()).last();
    let aside = aside.unwrap_or_else(|| free_name(path));
    exchange(path, &aside)?;
    warnings.push(format!(
        "{}: an earlier start ended while it put a damaged store aside, as {}. What it had taken over is used.",
        path.display(),
        aside.display()
    ));
    Ok(())
}

/// Puts the damaged store aside, as far as it is not yet, and what was taken over of it in its place.
fn exchange(path: &Path, aside: &Path) -> Result<(), StoreFault> {
    for ending in ["", "-wal", "-shm"] {
        let from = with_ending(path, ending);
        if from.exists() {
            fs::rename(&from, with_ending(aside, ending)).map_err(|error| other(path, &error))?;
        }
    }
    fs::rename(with_ending(path, WHOLE), path).map_err(|error| other(path, &error))
}

fn other(path: &Path, error: &std::io::Error) -> StoreFault {
    StoreFault::Other { path: path.into(), why: error.to_string() }
}

/// Makes a store at `fresh` of what can be read of the damaged one; gives what is not whole.
fn take_over(path: &Path, fresh: &Path) -> Result<Vec<String>, StoreFault> {
    let told = |error| StoreFault::of(path, error);
    let mut new = Connection::open(fresh).map_err(told)?;
    schema::migrate(&mut new).map_err(|fault| fault.at(path))?;
    let old = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).ok();
    let mut lost = Vec::new();
    for table in TABLES {
        let copied = old.as_ref().map(|old| copy(old, &new, table)).transpose().map_err(told)?;
        let (rows, whole) = copied.unwrap_or_default();
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
    new.close().map_err(|(_, error)| told(error))?;
    Ok(lost)
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
/// whether those were all. What it fails with is of the new store: of that more could be read.
fn copy(old: &Connection, new: &Connection, table: &str) -> rusqlite::Result<(u64, bool)> {
    let columns = new.prepare(&format!("SELECT * FROM {table}"))?.column_count();
    // A store that was never opened by this version lacks what is new in it.
    let is_missing = |error: &rusqlite::Error| error.to_string().contains("no such table");
    if old.prepare(&format!("SELECT 1 FROM {table}")).is_err_and(|error| is_missing(&error)) {
        return Ok((0, true));
    }
    let work = new.unchecked_transaction()?;
    let marks = vec!["?"; columns].join(", ");
    let mut insert = work.prepare(&format!("INSERT OR IGNORE INTO {table} VALUES ({marks})"))?;
    let (mut rows, mut whole) = (0, false);
    for order in ["ASC", "DESC"] {
        let key = if table == "point" { "entity" } else { "1" };
        let Ok(mut statement) = old.prepare(&format!("SELECT * FROM {table} ORDER BY {key} {order}")) else {
            break;
        };
        let Ok(mut found) = statement.query([]) else { break };
        whole = true;
        let is_end = loop {
            let Ok(next) = found.next() else { break false };
            let Some(row) = next else { break true };
            let values: rusqlite::Result<Vec<Value>> = (0..columns).map(|column| row.get(column)).collect();
            match values.map(|values| insert.execute(rusqlite::params_from_iter(values))) {
                Ok(Ok(inserted)) => rows += inserted as u64,
                Ok(Err(error)) if !is_unfit(&error) => return Err(error),
                // A row that is not what was written.
                Ok(Err(_)) | Err(_) => whole = false,
            }
        };
        if is_end {
            break;
        }
        whole = false;
    }
    drop(insert);
    work.commit()?;
    Ok((rows, whole))
}

/// Whether a row was refused for what is in it.
fn is_unfit(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    error.sqlite_error_code().is_some_and(|code| matches!(code, ConstraintViolation | TooBig | TypeMismatch))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// `store.db.damaged`, or with a number behind it.
fn free_name(path: &Path) -> PathBuf {
    damaged_names(path).find(|name| !name.exists()).unwrap_or_else(|| with_ending(path, ".damaged"))
}

fn damaged_names(path: &Path) -> impl Iterator<Item = PathBuf> + '_ {
    (0..u32::MAX).map(|number| match number {
        0 => with_ending(path, ".damaged"),
        number => with_ending(path, &format!(".damaged-{number}")),
    })
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
    fn where_there_is_no_room_for_what_can_be_read_the_damaged_store_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let old = Connection::open(folder.path().join("old")).expect("a store");
        let new = Connection::open(folder.path().join("new")).expect("a store");
        for db in [&old, &new] {
            db.execute_batch(&schema::STEPS.concat()).expect("a schema");
        }
        let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
            INSERT INTO entity SELECT i, 'asn', i FROM n";
        old.execute_batch(rows).expect("rows");
        let pages: i64 = new.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("a number");
        let full: i64 = new
            .query_row(&format!("PRAGMA max_page_count = {}", pages + 20), [], |row| row.get(0))
            .expect("a number");
        assert_eq!(full, pages + 20);
        let failed = copy(&old, &new, "entity").expect_err("there is no room");
        assert_eq!(failed.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull), "{failed}");
        let path = folder.path().join("gonedark.db");
        fs::write(&path, [BEGIN.as_slice(), &[0; 4096]].concat()).expect("written");
        // What stands where the new store would be made is as good as no room.
        fs::create_dir(with_ending(&path, ".recovering")).expect("a folder");
        assert!(Store::open(&path).is_err());
        assert!(path.exists() && !with_ending(&path, ".damaged").exists());
    }

    #[test]
    fn a_recovery_that_was_killed_between_two_names_is_ended_by_the_next_start() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("gonedark.db");
        drop(Store::open(&path).expect("a store"));
        let row = "INSERT INTO entity VALUES (7, 'country', 'KP')";
        Connection::open(&path).and_then(|db| db.execute_batch(row)).expect("a row");
        fs::rename(&path, with_ending(&path, WHOLE)).expect("taken over");
        fs::write(with_ending(&path, ".damaged"), "damaged").expect("put aside");
        fs::write(with_ending(&path, "-wal"), "not put aside yet").expect("written");
        let (store, warnings) = Store::open(&path).expect("a store");
        assert!(warnings[0].contains("gonedark.db.damaged."), "{warnings:?}");
        let count = "SELECT count(*) FROM entity WHERE code = 'KP'";
        let kept: u32 = store.db.query_row(count, [], |row| row.get(0)).expect("a count");
        assert_eq!(kept, 1);
        assert_eq!(fs::read(with_ending(&path, ".damaged-wal")).expect("aside"), b"not put aside yet");
        assert!(!with_ending(&path, WHOLE).exists());
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
