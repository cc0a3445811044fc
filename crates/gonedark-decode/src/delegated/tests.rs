#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]

use super::*;

const FILE: &str = "\
# a comment, as APNIC has them
2.3|apnic|20181014|9||20181012|+1000
apnic|*|asn|*|2|summary
apnic|*|ipv4|*|6|summary
apnic|*|ipv6|*|1|summary

apnic|KP|ipv4|175.45.176.0|1024|20091221|allocated|A9183010
apnic|kp|asn|131279|1|20091221|allocated|A9183010
apnic|JP|ipv6|2001:7fa:0:3::|64|20020226|assigned|A92AEC28
apnic||ipv4|1.2.3.0|256||available|
apnic|ZZ|ipv4|1.2.4.0|768|00000000|reserved|
apnic|AP|ipv4|1.4.0.0|1536|20181399|allocated|x|e-stats
apnic||ipv4|1.5.0.0|256|20100101|assigned
apnic|AU|ipv4|255.255.255.0|256|20100101|assigned
apnic||asn|4294967295|1||ianapool";

fn records_of(text: &str) -> Vec<Record<'_>> {
    records(text.as_bytes()).map(|(_, record)| record.unwrap()).collect()
}

#[test]
fn a_whole_file_without_a_last_newline_is_verified_and_read() {
    let header = verify(FILE.as_bytes()).unwrap();
    assert_eq!((header.version, header.registry, header.serial), ("2.3", "apnic", "20181014"));
    assert_eq!((header.records, header.start, header.end), (9, None, Some(20181012)));
    assert_eq!(header.utc_offset, "+1000");
    let found = records_of(FILE);
    assert_eq!(found.len(), 9);
    assert_eq!(found[0].resource, Resource::Ipv4 { start: Ipv4Addr::new(175, 45, 176, 0), count: 1024 });
    assert_eq!(found[0].opaque_id, found[1].opaque_id);
    assert_eq!(found[1].resource, Resource::Asn { start: Asn(131279), count: 1 });
    assert_eq!(found[2].resource, Resource::Ipv6 { prefix: "2001:7fa:0:3::/64".parse().unwrap() });
}

#[test]
fn only_allocated_and_assigned_records_with_a_country_are_delegated() {
    let delegated: Vec<_> = records_of(FILE).iter().map(Record::delegated_to).collect();
    let [kp, jp, ap, au] = [*b"KP", *b"JP", *b"AP", *b"AU"].map(Some);
    assert_eq!(delegated, [kp, kp, jp, None, None, ap, None, au, None]);
    assert_eq!(records_of(FILE)[8].status, Status::Other("ianapool"));
}

#[test]
fn an_unreadable_date_does_not_lose_the_delegation() {
    let dates: Vec<_> = records_of(FILE).iter().map(|record| record.date).collect();
    assert_eq!(dates[..6], [Some(20091221), Some(20091221), Some(20020226), None, None, None]);
}

#[test]
fn windows_line_ends_change_nothing() {
    let text = FILE.replace('\n', "\r\n");
    assert_eq!(verify(text.as_bytes()).unwrap(), verify(FILE.as_bytes()).unwrap());
    assert_eq!(records_of(&text), records_of(FILE));
}

#[test]
fn a_cut_file_is_refused_with_the_counts_and_the_line() {
    let cut = &FILE[..FILE.len() - "|1||ianapool\napnic||asn|4294967295".len()];
    let error = verify(cut.as_bytes()).unwrap_err();
    assert_eq!(error, DelegatedError::Records { expected: 9, found: 8, line: 14 });
    assert!(error.to_string().contains("announces 9 records, 8 are there (last line 14)"), "{error}");
}

#[test]
fn a_summary_that_does_not_fit_is_refused() {
    let text = FILE.replace("|ipv6|*|1|summary", "|ipv6|*|2|summary");
    let error = verify(text.as_bytes()).unwrap_err();
    assert_eq!(error, DelegatedError::Summary { kind: Kind::Ipv6, expected: 2, found: 1, line: 5 });
}

#[test]
fn another_format_an_empty_file_and_two_files_in_one_are_refused() {
    assert_eq!(verify(b""), Err(DelegatedError::Empty));
    assert_eq!(verify(b"# only\n\n# comments\n"), Err(DelegatedError::Empty));
    assert_eq!(verify(b"<html>\n<title>404</title>"), Err(DelegatedError::NoHeader { line: 1 }));
    assert_eq!(verify(b"\xff\xfe\x00"), Err(DelegatedError::NoHeader { line: 1 }));
    assert_eq!(verify(b"2|apnic|20181014|many||20181012|+1000"), Err(DelegatedError::NoHeader { line: 1 }));
    let twice = format!("{FILE}\n{FILE}");
    assert_eq!(verify(twice.as_bytes()), Err(DelegatedError::SecondHeader { line: 17 }));
}

#[test]
fn a_damaged_record_is_an_error_and_the_next_one_is_read() {
    let record = |line: &str| {
        let text = format!("{line}\nripencc|DE|asn|1|1|20100101|allocated");
        let found: Vec<_> = records(text.as_bytes()).map(|(_, record)| record.map(|_| ())).collect();
        assert_eq!(found[1], Ok(()));
        found[0]
    };
    for (line, error) in [
        ("ripencc|DE|ipv4|1.2.3|256|20100101|allocated", LineError::Start),
        ("ripencc|DE|ipv4|1.2.3.0|0|20100101|allocated", LineError::Value),
        ("ripencc|DE|ipv4|255.255.255.0|257|20100101|allocated", LineError::Value),
        ("ripencc|DE|ipv4|1.2.3.0|18446744073709551615|20100101|allocated", LineError::Value),
        ("ripencc|DE|ipv4|1.2.3.0|+256|20100101|allocated", LineError::Value),
        ("ripencc|DE|ipv6|2001::|129|20100101|allocated", LineError::Value),
        ("ripencc|DE|ipv6|1.2.3.4|32|20100101|allocated", LineError::Start),
        ("ripencc|DE|asn|4294967295|2|20100101|allocated", LineError::Value),
        ("ripencc|DEU|asn|1|2|20100101|allocated", LineError::Country),
        ("ripencc|DE|domain|1|2|20100101|allocated", LineError::Kind),
        ("ripencc|DE|asn|1|2|2010", LineError::Fields),
        ("garbage", LineError::Fields),
        ("ripencc|D\u{c9}|asn|1|2|20100101|allocated", LineError::Fields),
    ] {
        assert_eq!(record(line), Err(error), "{line}");
    }
    assert_eq!(record("iana||ipv4|0.0.0.0|4294967296||ianapool"), Ok(()));
}

mod any_bytes {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn never_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = verify(&bytes);
            for (number, _) in lines(&bytes) {
                prop_assert!(number > 0);
            }
        }

        #[test]
        fn a_file_cut_anywhere_before_its_last_line_is_refused(at in 0..FILE.rfind('\n').unwrap_or(0)) {
            prop_assert!(verify(&FILE.as_bytes()[..at]).is_err());
            let _ = records(&FILE.as_bytes()[..at]).count();
        }

        #[test]
        fn damage_within_a_line_never_makes_the_reader_panic(at in 0..FILE.len(), byte in any::<u8>()) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = verify(&bytes);
            let _ = records(&bytes).count();
        }
    }
}
