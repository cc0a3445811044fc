use super::gazetteer::PLACES;
use super::load::{Countries, load};
use super::place::{capital, has_several_zones, local_time, name, zone};
use super::statistics::{CountryError, StatisticsFile};
use super::table::build_table;
use gonedark_infer::entity::CountryCode;
use gonedark_infer::entity::registry::CountryTable;
use gonedark_route::{Asn, Time};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

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

fn code(text: &str) -> CountryCode {
    CountryCode::new(text).unwrap()
}

/// From `2014-12-22T16:15:00Z`.
fn time(text: &str) -> Time {
    Time::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second())
}

fn built_in(at: &str) -> Countries {
    load(&[], None, time(at)).unwrap()
}

const APNIC: &str = "\
2|apnic|20141222|3||20141221|+1000
apnic|*|asn|*|1|summary
apnic|*|ipv4|*|2|summary
apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated
apnic|KP|asn|131279|1|20091221|allocated
apnic|JP|ipv4|175.45.180.0|256|20141222|allocated
";

fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    path
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

mod places {
    use super::*;

    #[test]
    fn are_in_order_and_none_is_twice() {
        assert!(PLACES.is_sorted_by(|a, b| a.0 < b.0));
        let names: BTreeSet<_> = PLACES.iter().map(|(_, name, ..)| name).collect();
        assert_eq!(names.len(), PLACES.len());
    }

    #[test]
    fn have_the_names_that_people_use() {
        for (country, expected) in
            [("KP", "North Korea"), ("SY", "Syria"), ("EG", "Egypt"), ("TW", "Taiwan"), ("RU", "Russia")]
        {
            assert_eq!(name(code(country)), expected);
        }
        assert_eq!(name(code("XK")), "Kosovo");
        assert_eq!(name(code("QQ")), "Unknown country");
    }

    #[test]
    fn have_capitals_where_people_live() {
        let found = ["KP", "EG", "SY", "EU", "AQ", "QQ"].map(|country| capital(code(country)));
        assert_eq!(found, [Some("Pyongyang"), Some("Cairo"), Some("Damascus"), None, None, None]);
    }

    #[test]
    fn have_zones_that_the_library_knows() {
        for (country, _, _, zone) in PLACES {
            assert!(jiff::tz::TimeZone::get(zone).is_ok(), "{country}: {zone}");
        }
    }

    #[test]
    fn have_zones_and_single_clocks_as_the_iana_database_says() {
        let Some(shared) = shared() else { return };
        let table = std::fs::read_to_string(shared.join("data/geo/iso/zone.tab")).unwrap();
        let mut zones: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
        for line in table.lines().filter(|line| !line.starts_with('#')) {
            let fields: Vec<&str> = line.split('\t').collect();
            zones.entry(fields[0]).or_default().push(fields[2]);
        }
        let moments: Vec<jiff::Timestamp> = (2011..=2025)
            .flat_map(|year| [format!("{year}-01-15T12:00:00Z"), format!("{year}-07-15T12:00:00Z")])
            .map(|text| text.parse().unwrap())
            .collect();
        for (country, zones) in zones {
            if capital(code(country)).is_some() {
                assert!(zones.contains(&zone(code(country))), "{country}");
            }
            let differ = moments.iter().any(|moment| {
                let offset = |zone: &&str| jiff::tz::TimeZone::get(zone).unwrap().to_offset(*moment);
                zones.iter().map(offset).any(|other| other != offset(&zones[0]))
            });
            let unofficial = ["CN", "CY", "UA"].contains(&country);
            assert_eq!(has_several_zones(code(country)), differ && !unofficial, "{country}");
        }
    }

    #[test]
    fn north_korea_s_clock_changes_in_2015_and_2018_at_the_very_second() {
        let offset = |at: &str| local_time(time(at), code("KP")).unwrap().offset();
        assert_eq!(offset("2014-12-22T16:15:00Z"), "+09:00");
        assert_eq!(offset("2015-08-14T14:59:59Z"), "+09:00");
        assert_eq!(offset("2015-08-14T15:00:00Z"), "+08:30");
        assert_eq!(offset("2018-05-04T14:59:59Z"), "+08:30");
        assert_eq!(offset("2018-05-04T15:00:00Z"), "+09:00");
    }

    #[test]
    fn local_time_is_told_in_the_words_of_the_report() {
        let local = local_time(time("2014-12-22T16:15:00Z"), code("KP")).unwrap();
        assert_eq!(local.to_string(), "01:15 on 23 December 2014 in Pyongyang");
        let local = local_time(time("2011-01-27T22:34:30Z"), code("EG")).unwrap();
        assert_eq!(local.to_string(), "00:34 on 28 January 2011 in Cairo");
        let local = local_time(time("2014-12-22T16:15:00Z"), code("VE")).unwrap();
        assert_eq!(local.offset(), "-04:30");
        assert_eq!(local_time(time("2014-12-22T16:15:00Z"), code("EU")), None);
        assert_eq!(local_time(Time::MAX, code("KP")), None);
        assert_eq!(local_time(Time::MIN, code("KP")), None);
    }
}

mod built_in_tables {
    use super::*;

    #[test]
    fn know_north_korea_in_2014_and_in_2018() {
        for at in ["2014-06-01T00:00:00Z", "2014-12-22T16:15:00Z"] {
            let table = built_in(at).table;
            let network = "175.45.176.0/22".parse().unwrap();
            assert_eq!(table.country_of_prefix(network), Some(code("KP")));
            let shares: Vec<_> = table.split(network).iter().collect();
            assert_eq!(shares, [(code("KP"), 4)]);
            assert_eq!(table.country_of_asn(Asn(131_279)), Some(code("KP")));
        }
    }

    #[test]
    fn are_chosen_by_the_nearest_later_day_and_say_where_they_are_from() {
        assert_eq!(built_in("2011-01-27T22:34:00Z").table.date(), 20_140_630);
        assert_eq!(built_in("2014-12-22T16:15:00Z").table.date(), 20_181_013);
        let newest = built_in("2026-01-01T00:00:00Z");
        assert_eq!((newest.table.date(), newest.warnings.len()), (20_181_013, 0));
        let sources: Vec<_> =
            newest.sources.iter().map(|source| (&*source.file, &*source.serial, &*source.date)).collect();
        assert_eq!(sources[1], ("delegated-apnic-extended-20181013", "20181014", "2018-10-12"));
        assert_eq!(sources.len(), 5);
        assert!(newest.sources.iter().all(|source| source.sha256.len() == 64));
    }

    #[test]
    fn have_a_name_for_every_country_in_them() {
        for at in ["2014-06-01T00:00:00Z", "2014-12-22T16:15:00Z"] {
            for country in built_in(at).table.countries() {
                assert_ne!(name(*country), "Unknown country", "{country}");
            }
        }
    }

    #[test]
    fn equal_a_fresh_build_from_the_registries_files() {
        let Some(shared) = shared() else { return };
        let rir = shared.join("data/geo/rir");
        let read = |folder: &str| -> Vec<StatisticsFile> {
            let files = std::fs::read_dir(rir.join(folder)).unwrap();
            files.map(|entry| StatisticsFile::read(&entry.unwrap().path()).unwrap()).collect()
        };
        let october = read("2018-10");
        let mut june = read("2014-07");
        june.extend(october.iter().find(|file| file.registry == "arin").cloned());
        for (files, date) in [(october, 20_181_013), (june, 20_140_630)] {
            let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("data/countries-{date}.gdct"));
            let fresh = build_table(&files, Some(date)).unwrap();
            assert!(
                fresh == std::fs::read(&committed).unwrap(),
                "{} is not a fresh build",
                committed.display()
            );
        }
    }

    #[test]
    fn answer_as_the_registries_records_do() {
        let Some(shared) = shared() else { return };
        let table = built_in("2014-12-22T16:15:00Z").table;
        for entry in std::fs::read_dir(shared.join("data/geo/rir/2018-10")).unwrap() {
            let file = StatisticsFile::read(&entry.unwrap().path()).unwrap();
            for (line, record) in gonedark_decode::delegated::records(&file.bytes) {
                use gonedark_decode::delegated::Resource;
                let record = record.unwrap();
                let expected = record
                    .delegated_to()
                    .map(|code| CountryCode::new(std::str::from_utf8(&code).unwrap()).unwrap());
                let ends = |start: u32, count: u64| [start, (u64::from(start) + count - 1) as u32];
                match record.resource {
                    Resource::Ipv4 { start, count } => {
                        for end in ends(start.into(), count) {
                            let host = gonedark_route::Prefix::v4(end.into(), 32).unwrap();
                            assert_eq!(table.country_of_prefix(host), expected, "{}:{line}", file.file);
                        }
                    }
                    Resource::Ipv6 { prefix } => {
                        assert_eq!(table.country_of_prefix(prefix), expected, "{}:{line}", file.file);
                    }
                    Resource::Asn { start, count } => {
                        for end in ends(start.0, count) {
                            assert_eq!(table.country_of_asn(Asn(end)), expected, "{}:{line}", file.file);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn hold_as_many_addresses_and_asns_per_country_as_an_independent_script_counts() {
        let Some(shared) = shared() else { return };
        let table = built_in("2014-12-22T16:15:00Z").table;
        let all = "0.0.0.0/0".parse().unwrap();
        let mut addresses: std::collections::BTreeMap<CountryCode, u64> = Default::default();
        for piece in table.pieces(all) {
            if let Some(country) = piece.country {
                *addresses.entry(country).or_default() += piece.last - piece.first + 1;
            }
        }
        let counts = std::fs::read_to_string(shared.join("data/geo/derived/counts-2018-10.csv")).unwrap();
        for line in counts.lines().skip(1) {
            let fields: Vec<&str> = line.split(',').collect();
            let Some(country) = CountryCode::new(fields[0]) else { continue };
            assert_eq!(addresses.remove(&country).unwrap_or(0), fields[3].parse::<u64>().unwrap(), "{line}");
        }
        assert!(addresses.is_empty(), "{addresses:?}");
    }
}

mod files {
    use super::*;

    #[test]
    fn of_the_user_replace_the_built_in_table_however_they_are_packed() {
        let folder = tempfile::tempdir().unwrap();
        let plain = write(folder.path(), "delegated-apnic-20141222", APNIC.as_bytes());
        let gz = write(folder.path(), "gz/delegated-apnic-20141222.gz", &gzip(APNIC.as_bytes()));
        let bz2 = write(folder.path(), "bz2/delegated-apnic-20141222.bz2", &bzip2(APNIC.as_bytes()));
        let tables = [plain, gz, bz2].map(|path| load(&[path], None, time("2011-01-27T00:00:00Z")).unwrap());
        for countries in &tables {
            assert_eq!(countries.table.date(), 20_141_221);
            assert_eq!(countries.table.countries(), [code("JP"), code("KP")]);
            assert_eq!(countries.sources, tables[0].sources);
            assert_eq!(countries.sources[0].file, "delegated-apnic-20141222");
            assert_eq!(countries.sources[0].date, "2014-12-21");
            assert_eq!(
                countries.warnings,
                ["no statistics of afrinic, arin, lacnic, ripencc: their networks belong to no country"]
            );
        }
    }

    #[test]
    fn that_are_cut_are_refused_with_the_counts() {
        let folder = tempfile::tempdir().unwrap();
        let cut = &APNIC[..APNIC.len() - 60];
        let path = write(folder.path(), "delegated-apnic-20141222", cut.as_bytes());
        let error = load(&[path], None, Time::MIN).unwrap_err().to_string();
        assert!(
            error.starts_with(
                "delegated-apnic-20141222: the header announces 3 records, 2 are there (last line 5)"
            ),
            "{error}"
        );
        let half = gzip(APNIC.as_bytes());
        let path = write(folder.path(), "half.gz", &half[..half.len() / 2]);
        assert!(matches!(load(&[path], None, Time::MIN), Err(CountryError::Read { .. })));
        let missing = folder.path().join("nowhere");
        assert!(matches!(load(&[missing], None, Time::MIN), Err(CountryError::Read { .. })));
    }

    #[test]
    fn of_the_arin_download_that_broke_off_are_refused() {
        let Some(shared) = shared() else { return };
        let path = shared.join("data/geo/rir/2014-08/delegated-arin-extended-20140804.gz");
        let error = load(&[path], None, Time::MIN).unwrap_err().to_string();
        assert!(error.contains("announces 111240 records, 48961 are there (last line 48965)"), "{error}");
    }

    #[test]
    fn with_damaged_lines_are_used_and_the_damage_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let damaged = APNIC.replace("|175.45.180.0|", "|175.45.180|");
        let path = write(folder.path(), "delegated-apnic-20141222", damaged.as_bytes());
        let countries = load(&[path], None, Time::MIN).unwrap();
        assert_eq!(countries.table.countries(), [code("KP")]);
        assert!(
            countries.warnings[1].contains("1 damaged lines left out, the first is line 6"),
            "{:?}",
            countries.warnings
        );
    }

    #[test]
    fn of_one_registry_are_not_mixed() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a", "b"].map(|name| write(folder.path(), name, APNIC.as_bytes()));
        let error = load(&paths, None, Time::MIN).unwrap_err();
        assert_eq!(error.to_string(), "a and b are both of apnic: give one file of each registry");
    }

    #[test]
    fn in_any_order_make_the_same_table() {
        let other = APNIC.replace("apnic", "ripencc").replace("KP", "SY");
        let [a, b] = [("a", APNIC), ("b", &other)]
            .map(|(name, text)| StatisticsFile::check(name, text.into()).unwrap());
        let one = build_table(&[a.clone(), b.clone()], None).unwrap();
        assert!(one == build_table(&[b, a], None).unwrap());
    }

    #[test]
    fn of_a_later_day_stand_in_without_what_was_delegated_since() {
        let file = StatisticsFile::check("a", APNIC.into()).unwrap();
        let table = CountryTable::from_bytes(build_table(&[file], Some(20_140_630)).unwrap()).unwrap();
        assert_eq!((table.date(), table.countries()), (20_140_630, &[code("KP")][..]));
    }
}

mod data_folder {
    use super::*;

    fn snapshot(folder: &Path, date: &str, registries: &[&str]) {
        for registry in registries {
            let text = APNIC.replace("apnic", registry);
            write(folder, &format!("rir/{date}/delegated-{registry}-extended-latest"), text.as_bytes());
            write(folder, &format!("rir/{date}/delegated-{registry}-extended-latest.md5"), b"checksum");
        }
    }

    const ALL: [&str; 5] = super::super::statistics::REGISTRIES;

    #[test]
    fn snapshots_stand_beside_the_built_in_ones() {
        let folder = tempfile::tempdir().unwrap();
        snapshot(folder.path(), "2014-12-31", &ALL);
        let date = |at: &str| {
            let countries = load(&[], Some(folder.path()), time(at)).unwrap();
            assert_eq!(countries.warnings, [""; 0]);
            countries.table.date()
        };
        // The folder's files describe 2014-12-21, whatever day they were fetched on.
        assert_eq!(date("2014-12-22T16:15:00Z"), 20_141_221);
        assert_eq!(date("2015-01-01T00:00:00Z"), 20_181_013);
        assert_eq!(date("2014-06-30T00:00:00Z"), 20_140_630);
    }

    #[test]
    fn a_snapshot_that_is_cut_or_not_complete_is_passed_over_with_a_warning() {
        let folder = tempfile::tempdir().unwrap();
        snapshot(folder.path(), "2015-01-01", &ALL[..4]);
        snapshot(folder.path(), "20150201", &ALL);
        write(folder.path(), "rir/20150201/delegated-lacnic-extended-latest", &APNIC.as_bytes()[..120]);
        snapshot(folder.path(), "notes", &ALL);
        let countries = load(&[], Some(folder.path()), time("2014-12-22T16:15:00Z")).unwrap();
        assert_eq!(countries.table.date(), 20_181_013);
        let [first, second] = &countries.warnings[..] else { panic!("{:?}", countries.warnings) };
        assert!(first.ends_with("passed over: no file of ripencc"), "{first}");
        assert!(second.contains("delegated-lacnic-extended-latest: the header announces"), "{second}");
    }

    #[test]
    fn a_folder_that_is_not_there_is_the_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let countries = load(&[], Some(&folder.path().join("none")), time("2014-12-22T16:15:00Z")).unwrap();
        assert_eq!(countries.table.date(), 20_181_013);
    }
}
