use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::civil::Date;
use md5::{Digest as _, Md5};

use super::failure::Failure;
use super::hosts::politely;
use super::http::{Client, Page, Settings};
use super::part::place;
use super::progress::Progress;

/// The longest delegation file that is read, in bytes. The largest (RIPE NCC, ARIN) have 13 MB.
const LONGEST_FILE: u64 = 128 << 20;
/// A checksum file has one line.
const LONGEST_CHECKSUM: u64 = 64 << 10;

/// The folders in which the five registries, or mirrors of them, publish their statistics. Each RIR mirrors the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RirRoots {
    /// Holds `delegated-afrinic-extended-latest`.
    pub afrinic: String,
    /// Holds `delegated-apnic-extended-latest`.
    pub apnic: String,
    /// Holds `delegated-arin-extended-latest`.
    pub arin: String,
    /// Holds `delegated-lacnic-extended-latest`.
    pub lacnic: String,
    /// Holds `delegated-ripencc-extended-latest`.
    pub ripencc: String,
}

impl Default for RirRoots {
    fn default() -> Self {
        RirRoots {
            afrinic: "https://ftp.afrinic.net/stats/afrinic".into(),
            apnic: "https://ftp.apnic.net/stats/apnic".into(),
            arin: "https://ftp.arin.net/pub/stats/arin".into(),
            lacnic: "https://ftp.lacnic.net/pub/stats/lacnic".into(),
            ripencc: "https://ftp.ripe.net/pub/stats/ripencc".into(),
        }
    }
}

/// What became of one registry's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
    /// `afrinic`, `apnic`, `arin`, `lacnic`, `ripencc`.
    pub registry: &'static str,
    /// Where it was asked for.
    pub url: String,
    /// The file to use now: the new one, or the one kept from before. Nothing if there is none.
    pub path: Option<PathBuf>,
    /// What happened.
    pub outcome: RirOutcome,
}

/// What happened to one registry's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RirOutcome {
    /// A new one was stored.
    New {
        /// Its length.
        bytes: u64,
        /// The registry publishes an MD5 sum, and it is right.
        checked: bool,
    },
    /// The registry has no newer one.
    Unchanged,
    /// What came is not good; the one from before was kept.
    Refused(String),
    /// Nothing came; the one from before was kept.
    Failed(String),
}

/// Fetches the five registries' delegation files to `<data>/rir/<date>/`, each only if it is newer than the newest that is
/// there, if its MD5 sum is right, and if `verify` accepts it (the counts in its header; the text of an error is passed on).
///
/// If any file is new, the folder of `date` ends up with every file that there is, the unchanged ones too: it is one
/// snapshot. If none is, nothing is stored.
///
/// # Errors
/// Only where the folder cannot be made; everything else is told file by file.
pub fn update_rir(
    data: &Path,
    date: Date,
    roots: &RirRoots,
    verify: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
    settings: &Settings,
    progress: &dyn Progress,
) -> Result<Vec<Delegation>, Failure> {
    let client = Client::new(settings, progress);
    let snapshots = data.join("rir");
    let folder = snapshots.join(date.to_string());
    fs::create_dir_all(&snapshots).map_err(|why| Failure::disk(&snapshots, why))?;
    let registries = [
        ("afrinic", &roots.afrinic),
        ("apnic", &roots.apnic),
        ("arin", &roots.arin),
        ("lacnic", &roots.lacnic),
        ("ripencc", &roots.ripencc),
    ];
    let jobs = registries.map(|(registry, root)| {
        let url = format!("{}/{}", root.trim_end_matches('/'), file_of(registry));
        let previous = newest(&snapshots, &file_of(registry));
        Delegation { registry, url, path: previous, outcome: RirOutcome::Unchanged }
    });
    progress.planned(jobs.len());
    let mut delegations = politely(
        jobs.into(),
        client.connections,
        |job| &job.url,
        |mut job| {
            let result = update(&client, &job, &folder, verify);
            progress.finished(&job.url, result.as_ref().map(|_| folder.as_path()));
            match result {
                Ok(None) => {}
                Ok(Some((path, bytes, checked))) => {
                    job.path = Some(path);
                    job.outcome = RirOutcome::New { bytes, checked };
                }
                Err(failure @ Failure::Refused { .. }) => {
                    job.outcome = RirOutcome::Refused(failure.to_string())
                }
                Err(failure) => job.outcome = RirOutcome::Failed(failure.to_string()),
            }
            job
        },
    );
    if delegations.iter().any(|file| matches!(file.outcome, RirOutcome::New { .. })) {
        complete(&mut delegations, &folder)?;
    }
    Ok(delegations)
}

fn file_of(registry: &str) -> String {
    format!("delegated-{registry}-extended-latest")
}

/// The file of that name in the newest dated folder that has it.
fn newest(snapshots: &Path, name: &str) -> Option<PathBuf> {
    let mut dated: Vec<(Date, PathBuf)> = fs::read_dir(snapshots)
        .ok()?
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join(name)))
        })
        .filter(|(_, path)| path.is_file())
        .collect();
    dated.sort();
    dated.pop().map(|(_, path)| path)
}

/// The new file, its length, and whether there was a checksum; nothing if the registry has no newer one.
fn update(
    client: &Client<'_>,
    job: &Delegation,
    folder: &Path,
    verify: &(dyn Fn(&[u8]) -> Result<(), String> + Sync),
) -> Result<Option<(PathBuf, u64, bool)>, Failure> {
    let known = job.path.as_deref().and_then(|path| fs::metadata(path).ok()?.modified().ok());
    let Some((bytes, modified, checked)) = fetch_checked(client, &job.url, known)? else {
        return Ok(None);
    };
    // Some mirrors do not know If-Modified-Since.
    if job.path.as_deref().is_some_and(|path| fs::read(path).is_ok_and(|previous| previous == bytes)) {
        return Ok(None);
    }
    verify(&bytes).map_err(|why| Failure::refused(&job.url, why))?;
    let target = folder.join(file_of(job.registry));
    store(&bytes, modified, &target).map_err(|why| Failure::disk(&target, why))?;
    Ok(Some((target, bytes.len() as u64, checked)))
}

/// File, date, and whether a checksum said that it is right.
type Checked = (Vec<u8>, Option<SystemTime>, bool);

fn fetch_checked(
    client: &Client<'_>,
    url: &str,
    known: Option<SystemTime>,
) -> Result<Option<Checked>, Failure> {
    let mut refused = Failure::refused(url, "");
    // The file may have been replaced between the two requests; then the second time they fit.
    for _ in 0..2 {
        let Some(Page { bytes, modified }) = client.page(url, LONGEST_FILE, known)? else {
            return Ok(None);
        };
        if bytes.is_empty() {
            return Err(Failure::refused(url, "it is empty"));
        }
        let sums = match client.page(&format!("{url}.md5"), LONGEST_CHECKSUM, None) {
            Ok(sums) => sums.map(|sums| sums.bytes).unwrap_or_default(),
            Err(Failure::NotFound { .. }) => return Ok(Some((bytes, modified, false))),
            Err(failure) => return Err(failure),
        };
        let wanted = md5_in(&String::from_utf8_lossy(&sums));
        let actual: [u8; 16] = Md5::digest(&bytes).into();
        match wanted {
            Some(wanted) if wanted == actual => return Ok(Some((bytes, modified, true))),
            Some(_) => {
                refused = Failure::refused(url, "its MD5 sum is not the one that the registry publishes")
            }
            None => refused = Failure::refused(url, "the registry's .md5 file holds no MD5 sum"),
        }
    }
    Err(refused)
}

/// The first MD5 sum in the text: `MD5 (file) = sum`, `sum  file`, `sum *file`, or the sum alone.
fn md5_in(text: &str) -> Option<[u8; 16]> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| word.len() == 32).find_map(|word| {
        let mut sum = [0; 16];
        for (byte, at) in sum.iter_mut().zip((0..32).step_by(2)) {
            *byte = u8::from_str_radix(word.get(at..at + 2)?, 16).ok()?;
        }
        Some(sum)
    })
}

fn store(bytes: &[u8], modified: Option<SystemTime>, target: &Path) -> io::Result<()> {
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    let part = target.with_extension("part");
    fs::write(&part, bytes)?;
    place(&part, target, modified)
}

/// Brings the files that are not new into the folder of those that are.
fn complete(delegations: &mut [Delegation], folder: &Path) -> Result<(), Failure> {
    for delegation in delegations {
        let Some(previous) = &delegation.path else { continue };
        let target = folder.join(file_of(delegation.registry));
        if *previous != target {
            // A second name for the same file, or a copy where the disk has no such thing.
            fs::hard_link(previous, &target)
                .or_else(|_| {
                    let modified = fs::metadata(previous)?.modified().ok();
                    store(&fs::read(previous)?, modified, &target)
                })
                .map_err(|why| Failure::disk(&target, why))?;
            delegation.path = Some(target);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_of_every_registry_are_read() {
        let sum = "d41d8cd98f00b204e9800998ecf8427e";
        let wanted: [u8; 16] = Md5::digest(b"").into();
        for text in [
            format!("MD5 (delegated-ripencc-extended-20141222) = {sum}\n"),
            format!("{sum}  delegated-afrinic-extended-20141222\n"),
            format!("{sum} *delegated-arin-extended-latest"),
            sum.to_uppercase(),
        ] {
            assert_eq!(md5_in(&text), Some(wanted), "{text}");
        }
        for text in ["", "<html>", "MD5 (file) = ", &sum[1..], &format!("{sum}00"), "é"] {
            assert_eq!(md5_in(text), None, "{text}");
        }
    }
}
