//! The schema as numbered steps: each store says which it has (`PRAGMA user_version`), and gets those that it lacks.

use super::fault::StoreFault;
use rusqlite::Connection;
use std::path::PathBuf;

/// Every step, the first at the place 0. A step that was released is never changed.
pub const STEPS: [&str; 2] = [include_str!("schema/001.sql"), include_str!("schema/002.sql")];

/// How many tables and other things a file holds, and how many of them every store has had since its first schema.
pub(super) fn held(db: &Connection) -> rusqlite::Result<(i64, i64)> {
    let own =
        "SELECT count(*), coalesce(sum(name IN ('basis', 'incident', 'journal')), 0) FROM sqlite_schema";
    db.query_row(own, [], |row| Ok((row.get(0)?, row.get(1)?)))
}

/// Brings a store to the newest schema, step by step, each in a transaction.
///
/// # Errors
/// A schema that is newer than this program, or what SQLite says.
pub fn migrate(db: &mut Connection) -> Result<(), StoreFault> {
    let path = PathBuf::from(db.path().unwrap_or_default());
    let told = |error| StoreFault::of(&path, error);
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(told)?;
    let known = STEPS.len() as i64;
    if found > known {
        return Err(StoreFault::Newer { path: path.clone(), found, known });
    }
    for (number, step) in STEPS.iter().enumerate().skip(found as usize) {
        let work = db.transaction().map_err(told)?;
        work.execute_batch(step).map_err(told)?;
        work.pragma_update(None, "user_version", number as i64 + 1).map_err(told)?;
        work.commit().map_err(told)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(db: &Connection) -> Vec<(String, Option<String>)> {
        let mut all = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").expect("a query");
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    #[test]
    fn a_store_of_every_schema_is_brought_to_the_newest_and_keeps_its_rows() {
        let mut new = Connection::open_in_memory().expect("a store");
        migrate(&mut new).expect("migrated");
        for version in 0..=STEPS.len() {
            let mut old = Connection::open_in_memory().expect("a store");
            old.execute_batch(&STEPS[..version].concat()).expect("an old schema");
            old.pragma_update(None, "user_version", version as i64).expect("a number");
            if version > 0 {
                let rows =
                    "INSERT INTO entity VALUES (7, 'country', 'KP'); INSERT INTO point VALUES (7, 0, 5, 4)";
                old.execute_batch(rows).expect("rows");
            }
            // Twice is once.
            migrate(&mut old).and_then(|()| migrate(&mut old)).expect("migrated");
            assert_eq!(tables(&old), tables(&new), "from {version}");
            let kept =
                "SELECT count(*) FROM point JOIN entity ON entity = id WHERE code = 'KP' AND value = 4";
            let kept: u32 = old.query_row(kept, [], |row| row.get(0)).expect("a count");
            assert_eq!(kept, u32::from(version > 0), "from {version}");
        }
    }

    #[test]
    fn a_store_of_a_newer_program_is_refused_and_left_alone() {
        let mut db = Connection::open_in_memory().expect("a store");
        db.pragma_update(None, "user_version", STEPS.len() as i64 + 1).expect("a number");
        assert!(matches!(migrate(&mut db), Err(StoreFault::Newer { .. })));
        assert_eq!(tables(&db), []);
    }
}
