//! The schema as numbered steps: each store says which it has (`PRAGMA user_version`), and gets those that it lacks.

use super::fault::StoreFault;
use rusqlite::Connection;
use std::path::PathBuf;

/// Every step, the first at the place 0. A step that was released is never changed.
pub const STEPS: [&str; 1] = [include_str!("schema/001.sql")];

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
