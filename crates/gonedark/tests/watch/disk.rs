//! Disks that are full, that cannot be written, and that changed what was written.

use crate::observed::{Observed, difference, recording};
use rusqlite::OpenFlags;
use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A file system of a few megabytes, where that can be had.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let options = format!("size={size}");
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder.path()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(SmallDisk(folder));
        }
        passed_over("no small disk can be mounted: not root");
        None
    }

    fn remount(&self, options: &str) {
        let options = format!("remount,{options}");
        let done =
            Command::new("mount").args(["-o", &options]).arg(self.0.path()).status().expect("mount runs");
        assert!(done.success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[allow(clippy::disallowed_macros, reason = "a test says what it could not do")]
fn passed_over(why: &str) {
    eprintln!("passed over: {why}");
}

fn truth(recording: &Path) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let undisturbed = Observed::new(recording, folder.path());
    assert!(undisturbed.run().status.success());
    undisturbed.concluded()
}

#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    let Some(disk) = SmallDisk::new("400k") else { return };
    let recording = recording();
    let watched = Observed::new(recording.path(), disk.0.path());
    let mut child = watched.start();
    std::thread::sleep(Duration::from_secs(3));
    assert!(child.try_wait().expect("its state").is_none(), "it waits for room and does not end");
    // Killed while it waits: what was committed is whole.
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    disk.remount("size=64m");
    let output = watched.run();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(difference(&truth(recording.path()), &watched.concluded()), None);
}

#[test]
fn a_disk_that_cannot_be_written_is_told_of_with_what_to_do() {
    let Some(disk) = SmallDisk::new("64m") else { return };
    let recording = recording();
    let watched = Observed::new(recording.path(), disk.0.path());
    disk.remount("ro");
    let output = watched.run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot be written") && said.contains("[store] path"), "{said}");
    disk.remount("rw");
    assert!(watched.run().status.success());
}

/// Kills a watch half way, changes its store, and lets it run to the end.
#[allow(clippy::disallowed_methods, reason = "half way has to be measured")]
fn after_damage(recording: &Path, damage: impl FnOnce(&Path)) -> (Vec<String>, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let begin = std::time::Instant::now();
    assert!(Observed::new(recording, folder.path()).run().status.success());
    let whole = begin.elapsed();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording, folder.path());
    let mut child = watched.start();
    std::thread::sleep(whole / 2);
    assert!(child.try_wait().expect("its state").is_none(), "it is half way");
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    damage(&watched.store);
    let output = watched.run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    (watched.concluded(), said)
}

#[test]
fn a_store_that_refuses_what_was_concluded_ends_the_watch_which_goes_on_later() {
    let recording = recording();
    let folder = tempfile::tempdir().expect("a folder");
    let watched = Observed::new(recording.path(), folder.path());
    let change = |statement: &str| {
        let db = rusqlite::Connection::open(&watched.store).expect("a store");
        db.execute_batch(statement).expect("changed");
    };
    let mut child = watched.start();
    // It has begun: there is a first commit, and there are more to come.
    let has_begun = || {
        let db = rusqlite::Connection::open_with_flags(&watched.store, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        db.query_row("SELECT max(seq) FROM journal", [], |row| row.get::<_, Option<i64>>(0))
    };
    for _ in 0..2_000 {
        if matches!(has_begun(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    change("CREATE TRIGGER stubborn BEFORE INSERT ON point BEGIN SELECT RAISE(ABORT, 'never'); END");
    let output = watched.run();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("is refused (never)") && said.contains("please report it"), "{said}");
    change("DROP TRIGGER stubborn");
    assert!(watched.run().status.success());
    assert_eq!(difference(&truth(recording.path()), &watched.concluded()), None);
}

/// Overwrites the last `length` bytes of a file.
fn spoil_end(path: &Path, length: u64) {
    let mut file = OpenOptions::new().read(true).write(true).open(path).expect("a file");
    let end = file.seek(SeekFrom::End(0)).expect("its length");
    let from = end.saturating_sub(length);
    file.seek(SeekFrom::Start(from)).expect("a place");
    let mut bytes = vec![0; (end - from) as usize];
    file.read_exact(&mut bytes).expect("its bytes");
    bytes.iter_mut().for_each(|byte| *byte ^= 0x5a);
    file.seek(SeekFrom::Start(from)).expect("a place");
    file.write_all(&bytes).expect("written");
}

#[test]
fn a_spoiled_end_of_the_log_costs_what_the_sources_give_again() {
    let recording = recording();
    let (concluded, said) = after_damage(recording.path(), |store| {
        spoil_end(&store.with_file_name("gonedark.db-wal"), 4096);
    });
    assert_eq!(difference(&truth(recording.path()), &concluded), None, "{said}");
}

#[test]
fn a_spoiled_page_is_told_of_and_nothing_is_silently_wrong() {
    let recording = recording();
    let truth = truth(recording.path());
    let (concluded, said) = after_damage(recording.path(), |store| {
        // What is still in the log is brought into the file first.
        let db = rusqlite::Connection::open(store).expect("a store");
        let _: i64 =
            db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("a checkpoint");
        drop(db);
        spoil_end(store, 4096);
    });
    if difference(&truth, &concluded).is_some() {
        assert!(said.contains("put aside"), "{said}");
    }
    // Whatever is missing was told of; what is there is right.
    let wrong: Vec<&String> =
        concluded.iter().filter(|line| line.contains("incident") && !truth.contains(line)).collect();
    assert_eq!(wrong, Vec::<&String>::new(), "{said}");
}
