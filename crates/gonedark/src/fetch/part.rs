use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use ureq::http::{HeaderMap, StatusCode, header};

use super::failure::Failure;
use super::http::{Client, last_modified, text};
use crate::source::archive::Format;

/// A file on its way: `name.part`, and beside it the mark by which the archive knows the version that it is part of.
struct Part {
    path: PathBuf,
    validator: PathBuf,
}

impl Part {
    fn of(target: &Path) -> Self {
        let beside = |ending: &str| {
            let mut name = target.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        Part { path: beside(".part"), validator: beside(".part.validator") }
    }

    /// Bytes that are there and can be continued, with the validator; 0 if there is nothing to go on with.
    fn resumable(&self) -> (u64, String) {
        let length = fs::metadata(&self.path).map_or(0, |metadata| metadata.len());
        match fs::read_to_string(&self.validator) {
            Ok(validator) if length > 0 && !validator.is_empty() => (length, validator),
            _ => (0, String::new()),
        }
    }

    fn length(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |metadata| metadata.len())
    }

    fn discard(&self) {
        // What is not there need not be removed, and what cannot be removed is truncated by the next attempt.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_file(&self.validator);
    }
}

/// Fetches `url` to `target`, going on with what an earlier attempt left; gives the length in bytes.
///
/// The file comes to its place only when it has the length that the archive announced and begins like what its name
/// says; before that `target` is not touched.
pub(super) fn download(client: &Client<'_>, url: &str, target: &Path) -> Result<u64, Failure> {
    let part = Part::of(target);
    let modified = client.persist(url, || part.length(), || transfer(client, url, &part))?;
    if let Err(why) = check(&part.path, target) {
        part.discard();
        return Err(Failure::refused(url, why));
    }
    let length = part.length();
    place(&part.path, target, modified).map_err(|why| Failure::disk(target, why))?;
    part.discard();
    Ok(length)
}

/// Moves a whole file to its place, for good, with the archive's own date.
pub(super) fn place(whole: &Path, target: &Path, modified: Option<SystemTime>) -> io::Result<()> {
    let file = OpenOptions::new().append(true).open(whole)?;
    if let Some(modified) = modified {
        file.set_modified(modified)?;
    }
    file.sync_all()?;
    fs::rename(whole, target)
}

fn transfer(client: &Client<'_>, url: &str, part: &Part) -> Result<Option<SystemTime>, Failure> {
    let (have, validator) = part.resumable();
    let mut headers = Vec::new();
    if have > 0 {
        headers.push((header::RANGE, format!("bytes={have}-")));
        headers.push((header::IF_RANGE, validator));
    }
    let response = match client.ask(url, &headers) {
        Err(Failure::Status { status: 416, .. }) => {
            part.discard();
            return Err(Failure::network(url, "what was there is no part of it; beginning again"));
        }
        response => response?,
    };
    let head = response.headers().clone();
    let announced = text(&head, header::CONTENT_LENGTH).and_then(|length| length.trim().parse::<u64>().ok());
    let (start, length) = if response.status() == StatusCode::PARTIAL_CONTENT {
        match content_range(&head) {
            Some((start, length)) if start == have && have > 0 => (have, length),
            _ => {
                part.discard();
                return Err(Failure::network(
                    url,
                    "the archive sent another part than asked for; beginning again",
                ));
            }
        }
    } else {
        (0, announced)
    };
    let disk = |why| Failure::disk(&part.path, why);
    if start == 0 {
        part.discard();
        fs::write(&part.validator, validator_of(&head)).map_err(disk)?;
    }
    let mut file = OpenOptions::new().create(true).append(true).open(&part.path).map_err(disk)?;
    client.progress.started(url, start, length);
    let received = receive(client, url, response.into_body().into_reader(), &mut file, part);
    file.flush().map_err(disk)?;
    let arrived = start + received?;
    if length.is_some_and(|length| length != arrived) {
        let length = length.unwrap_or_default();
        return Err(Failure::network(url, format!("{arrived} bytes came of {length}")));
    }
    Ok(last_modified(&head))
}

fn receive(
    client: &Client<'_>,
    url: &str,
    mut body: impl Read,
    file: &mut File,
    part: &Part,
) -> Result<u64, Failure> {
    let mut buffer = vec![0; 64 << 10];
    let mut received = 0;
    loop {
        match body.read(&mut buffer) {
            Ok(0) => return Ok(received),
            Ok(count) => {
                file.write_all(&buffer[..count]).map_err(|why| Failure::disk(&part.path, why))?;
                received += count as u64;
                client.progress.advanced(url, count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failure::network(url, format!("broke off after {received} bytes: {error}")));
            }
        }
    }
}

/// First byte and whole length of `bytes 500-999/1000` (RFC 9110, 14.4).
fn content_range(head: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let (range, length) = text(head, header::CONTENT_RANGE)?.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, length.trim().parse().ok()))
}

/// A strong entity tag, else the date: what If-Range may carry (RFC 9110, 13.1.5). Empty if there is neither.
fn validator_of(head: &HeaderMap) -> &str {
    text(head, header::ETAG)
        .filter(|tag| tag.starts_with('"'))
        .or_else(|| text(head, header::LAST_MODIFIED))
        .unwrap_or_default()
}

/// Says what is wrong with a file for its name: empty, or an HTML page called `.gz`.
pub(super) fn check(path: &Path, name: &Path) -> Result<(), String> {
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(16).read_to_end(&mut head));
    read.map_err(|why| why.to_string())?;
    let wanted = match name.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => Format::Gzip,
        Some("bz2") => Format::Bzip2,
        Some("xz") => Format::Xz,
        Some("zst") => Format::Zstd,
        _ => Format::Plain,
    };
    if head.is_empty() {
        Err("it is empty".into())
    } else if wanted != Format::Plain && (Format::of(&head) != wanted || head.len() < 4) {
        let text: String = String::from_utf8_lossy(&head).chars().filter(|c| !c.is_control()).collect();
        Err(format!("it does not begin like its name says, but with \"{text}\""))
    } else {
        Ok(())
    }
}
