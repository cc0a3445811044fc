//! The real statistics files.

use gonedark_decode::delegated::{DelegatedError, Resource, records, verify};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::PathBuf;

/// The folder with the real files; `None`, with a word on it, where a stranger's clone has none.
fn shared() -> Option<PathBuf> {
    let folder = match std::env::var_os("GONEDARK_SHARED") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
    };
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("CI").is_none(), "{} must be there", folder.display());
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    // In one piece, so that nothing stands between.
    let said = format!("test passed over: {test}: no {}\n", folder.display());
    let _ = std::io::stderr().write_all(said.as_bytes());
    None
}

fn gunzip(path: PathBuf) -> Vec<u8> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("whole gzip");
    bytes
}

/// Name and content of every file of a snapshot, by name.
fn files(folder: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let folder = shared()?.join("data/geo/rir").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), gunzip(path)))
        .collect();
    files.sort();
    Some(files)
}

#[test]
fn every_whole_real_file_is_verified_and_no_record_is_lost() {
    for folder in ["2014-07", "2016-01", "2018-10"] {
        let Some(files) = files(folder) else { return };
        assert!(files.len() >= 3);
        for (name, bytes) in files {
            let header = verify(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(name.contains(header.registry));
            let (good, bad): (Vec<_>, Vec<_>) = records(&bytes).partition(|(_, record)| record.is_ok());
            assert_eq!((good.len() as u64, bad.len()), (header.records, 0), "{name}: {bad:?}");
        }
    }
}

#[test]
fn the_arin_download_of_2014_that_broke_off_is_refused() {
    let Some(files) = files("2014-08") else { return };
    for (name, bytes) in files {
        let error = verify(&bytes).expect_err("it is cut");
        assert_eq!(
            error,
            DelegatedError::Records { expected: 111_240, found: 48_961, line: 48_965 },
            "{name}"
        );
    }
}

#[test]
fn north_korea_has_one_block_and_one_asn_in_2014_and_in_2018() {
    for folder in ["2014-07", "2018-10"] {
        let Some(files) = files(folder) else { return };
        let mut found: Vec<String> = files
            .iter()
            .flat_map(|(_, bytes)| records(bytes))
            .filter_map(|(_, record)| record.ok())
            .filter(|record| record.delegated_to() == Some(*b"KP"))
            .map(|record| match record.resource {
                Resource::Ipv4 { start, count } => format!("{start}+{count}"),
                Resource::Ipv6 { prefix } => prefix.to_string(),
                Resource::Asn { start, count } => format!("{start}+{count}"),
            })
            .collect();
        found.sort();
        assert_eq!(found, ["175.45.176.0+1024", "AS131279+1"]);
    }
}

#[test]
fn counts_per_country_of_october_2018_equal_those_of_an_independent_script() {
    let Some(files) = files("2018-10") else { return };
    // IPv4 records, IPv4 addresses, IPv6 records, ASNs.
    let mut counts: BTreeMap<String, [u64; 4]> = BTreeMap::new();
    for (_, record) in files.iter().flat_map(|(_, bytes)| records(bytes)) {
        let record = record.expect("a whole record");
        let Some(country) = record.delegated_to() else { continue };
        let count = counts.entry(String::from_utf8_lossy(&country).into_owned()).or_default();
        match record.resource {
            Resource::Ipv4 { count: addresses, .. } => {
                count[0] += 1;
                count[1] += addresses;
            }
            Resource::Ipv6 { .. } => count[2] += 1,
            Resource::Asn { count: numbers, .. } => count[3] += numbers,
        }
    }
    let Some(shared) = shared() else { return };
    let csv =
        std::fs::read_to_string(shared.join("data/geo/derived/counts-2018-10.csv")).expect("the counts");
    let mut compared = 0;
    for line in csv.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |index: usize| fields[index].parse::<u64>().expect("a number");
        let expected = [number(1), number(3), number(4), number(5)];
        assert_eq!(counts.remove(fields[0]).unwrap_or_default(), expected, "{line}");
        compared += 1;
    }
    assert!(compared > 200 && counts.is_empty(), "{counts:?}");
}
