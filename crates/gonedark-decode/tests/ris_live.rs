//! RIS Live: recorded lines by the message and by the fields, the odd ones among them, and lines made here.

#[path = "../../../fuzz/src/lib.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is a library there and a module here")]
mod fuzz;
mod support;

use gonedark_decode::ris_live::{Heard, Message, PeerState, ReadFrom, Scratch, Server, decode};
use gonedark_decode::{DecodeError, Field};
use gonedark_route::{Asn, AsnSize, Family, Time};
use proptest::prelude::*;
use std::collections::BTreeMap;
use support::{captures, wire};

/// What a message says, without what only the one form of it has.
#[derive(Clone, PartialEq, Debug)]
struct Said {
    heard: (Time, Asn, String, String, String),
    announced: Vec<String>,
    withdrawn: Vec<String>,
    /// Where something is announced.
    path: String,
}

fn said(message: &Message<'_>) -> Option<(Said, ReadFrom)> {
    let Message::Update { heard, update, from } = message else { return None };
    let texts = |nlri: Vec<gonedark_route::Nlri>| {
        let mut texts: Vec<String> = nlri.iter().map(|nlri| nlri.prefix.to_string()).collect();
        texts.sort();
        texts
    };
    let announced = texts(update.announced().collect());
    let path = update.path.map(|path| path.to_string()).unwrap_or_default();
    let Heard { at, peer, host, id } = heard;
    let said = Said {
        heard: (*at, peer.asn, peer.address.to_string(), (*host).to_owned(), (*id).to_owned()),
        withdrawn: texts(update.withdrawn().collect()),
        path: if announced.is_empty() { String::new() } else { path },
        announced,
    };
    Some((said, *from))
}

fn name(result: &Result<Message<'_>, DecodeError>) -> &'static str {
    match result {
        Ok(Message::Update { from: ReadFrom::Raw, .. }) => "UPDATE",
        Ok(Message::Update { from: ReadFrom::Fields, .. }) => "UPDATE by fields",
        Ok(Message::Update { from: ReadFrom::FieldsAfterDamage, .. }) => "UPDATE by fields after damage",
        Ok(Message::Open { open: Some(_), .. }) => "OPEN",
        Ok(Message::Open { open: None, .. }) => "OPEN not held",
        Ok(Message::Notification { .. }) => "NOTIFICATION",
        Ok(Message::Keepalive { .. }) => "KEEPALIVE",
        Ok(Message::PeerState { state: PeerState::Up, .. }) => "up",
        Ok(Message::PeerState { state: PeerState::Down, .. }) => "down",
        Ok(Message::PeerState { state: PeerState::Other, .. }) => "other state",
        Ok(Message::Damaged { .. }) => "damaged",
        Ok(Message::Server(_)) => "server",
        Ok(Message::Unsupported { .. }) => "unsupported",
        Err(_) => "error",
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

fn counted(text: &[u8]) -> BTreeMap<&'static str, usize> {
    let mut scratch = Scratch::default();
    let mut counts = BTreeMap::new();
    for line in lines(text) {
        *counts.entry(name(&decode(line, &mut scratch))).or_insert(0) += 1;
    }
    counts
}

/// The line without its `raw`.
fn without_raw(line: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(line).unwrap();
    let start = text.find("\"raw\":").unwrap();
    let end = start + text[start..].find("\",").unwrap() + 2;
    format!("{}{}", &text[..start], &text[end..]).into_bytes()
}

#[test]
fn the_thousand_recorded_messages_are_994_updates_and_6_keepalives() {
    let Some(captures) = captures() else { return };
    let text = std::fs::read(captures.join("morrowc-rislive/1k-msgs")).unwrap();
    assert_eq!(counted(&text), BTreeMap::from([("UPDATE", 994), ("KEEPALIVE", 6)]));
    let mut scratch = Scratch::default();
    let first = decode(lines(&text).next().unwrap(), &mut scratch).unwrap();
    let (said, _) = said(&first).unwrap();
    let id = "196.60.9.165-1558620047.08-11924763".to_owned();
    let at = Time::from_micros(1_558_620_047_080_000);
    assert_eq!(said.heard, (at, Asn(57_695), "196.60.9.165".to_owned(), "rrc19".to_owned(), id));
    assert_eq!((said.path.as_str(), said.announced), ("57695 37650", vec!["196.50.70.0/24".to_owned()]));
}

#[test]
fn by_the_message_and_by_the_fields_every_recorded_update_says_the_same() {
    let Some(captures) = captures() else { return };
    let (mut compared, mut nothing, mut sets) = (0, 0, 0);
    for file in ["1k-msgs", "20-msg", "10-msg", "1-msg"] {
        let text = std::fs::read(captures.join("morrowc-rislive").join(file)).unwrap();
        let (mut one, mut other) = (Scratch::default(), Scratch::default());
        for line in lines(&text) {
            let stripped = without_raw(line);
            let by_raw = decode(line, &mut one).unwrap();
            let Some((mut by_raw, ReadFrom::Raw)) = said(&by_raw) else { continue };
            let by_fields = decode(&stripped, &mut other).unwrap();
            let Some((by_fields, from)) = said(&by_fields) else {
                // What is empty to us as well: End-of-RIB, or another family.
                assert!(by_raw.announced.is_empty() && by_raw.withdrawn.is_empty(), "{by_raw:?}");
                nothing += 1;
                continue;
            };
            assert_eq!(from, ReadFrom::Fields);
            // In 2019 RIS left AS_SETs out of its fields.
            if let Some((sequence, _)) = by_raw.path.split_once(" {") {
                by_raw.path = sequence.to_owned();
                sets += 1;
            }
            assert_eq!(by_raw, by_fields, "{}", String::from_utf8_lossy(line));
            compared += 1;
        }
    }
    assert_eq!((compared, nothing, sets), (1_025, 0, 1));
}

#[test]
fn the_odd_lines_of_2018_and_2019_cost_those_lines_only() {
    let Some(captures) = captures() else { return };
    let of = |suffix: &str| {
        counted(
            &std::fs::read(captures.join(format!("caida-libbgpstream/ris-live-stream.json{suffix}")))
                .unwrap(),
        )
    };
    // Before March 2019: a `body` for each prefix, and types of one letter.
    let early = [("OPEN not held", 2), ("NOTIFICATION", 1), ("UPDATE", 2), ("down", 1), ("up", 1)];
    assert_eq!(of(".5452370"), BTreeMap::from(early));
    assert_eq!(of(".63a6de1"), BTreeMap::from([("UPDATE", 100)]));
    // A quotation mark that is missing, and two objects in one line.
    let broken =
        [("OPEN not held", 2), ("NOTIFICATION", 1), ("UPDATE", 2), ("down", 1), ("up", 1), ("error", 2)];
    assert_eq!(of(".9e19903"), BTreeMap::from(broken));
    // CEEPALIVE is unsupported, a KEEPALIVE with a wrong marker is damaged; with the envelope and without.
    let usual = ["KEEPALIVE", "NOTIFICATION", "OPEN", "UPDATE", "damaged", "down", "unsupported"];
    let usual = BTreeMap::from(usual.map(|name| (name, 1)));
    for suffix in [".7e61f4b", ".b7788ec", ".c96c5fc"] {
        assert_eq!(of(suffix), usual, "{suffix}");
    }
    let mut with_error = usual.clone();
    with_error.insert("server", 1);
    assert_eq!(of(".c3cfe19"), with_error);
    // The last brace is missing in one line.
    let last = ["KEEPALIVE", "NOTIFICATION", "OPEN", "UPDATE", "down", "server", "error"];
    assert_eq!(of(""), BTreeMap::from(last.map(|name| (name, 1))));
}

const HEARD: &str =
    r#""timestamp":1558620047.08,"peer":"192.0.2.7","peer_asn":"64500","id":"x","host":"rrc19.ripe.net""#;

fn line(kind: &str, rest: &str) -> Vec<u8> {
    format!(r#"{{"type":"ris_message","data":{{{HEARD},"type":"{kind}"{rest}}}}}"#).into_bytes()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn by_fields(rest: &str) -> (Said, ReadFrom) {
    let line = line("UPDATE", rest);
    let mut scratch = Scratch::default();
    said(&decode(&line, &mut scratch).unwrap()).unwrap()
}

#[test]
fn the_fields_alone_make_the_same_update_with_sets_both_families_and_withdrawals() {
    let (said, from) = by_fields(
        r#","path":[64500,4837,[131279,64512]],"announcements":[
            {"next_hop":"2001:db8::1","prefixes":["2001:7fb:fe00::/48","175.45.176.0/24"]},
            {"next_hop":"fe80::1","prefixes":["2001:7fb:fe00::/48","175.45.176.0/24"]}],
            "withdrawals":["10.0.0.0/8","::/0"]"#,
    );
    assert_eq!(from, ReadFrom::Fields);
    assert_eq!(said.path, "64500 4837 {131279,64512}");
    assert_eq!(said.announced, ["175.45.176.0/24", "2001:7fb:fe00::/48"]);
    assert_eq!(said.withdrawn, ["10.0.0.0/8", "::/0"]);
    assert_eq!(said.heard.3, "rrc19");
}

#[test]
fn a_path_of_more_than_255_hops_keeps_all_of_them() {
    let asns: Vec<String> = (1..=600).map(|asn| asn.to_string()).collect();
    let rest = format!(r#","path":[{}],"announcements":[{{"prefixes":["10.0.0.0/8"]}}]"#, asns.join(","));
    assert_eq!(by_fields(&rest).0.path, asns.join(" "));
}

#[test]
fn a_message_that_cannot_be_trusted_is_read_from_its_fields_or_else_damaged() {
    let fields = r#","path":[64500,131279],"announcements":[{"prefixes":["175.45.176.0/24"]}]"#;
    for raw in ["FF1F", "0", "zz", &hex(&wire::message(4, &[])), &hex(&wire::message(2, &[0]))] {
        let (said, from) = by_fields(&format!(r#"{fields},"raw":"{raw}""#));
        assert_eq!((from, said.announced.len()), (ReadFrom::FieldsAfterDamage, 1), "{raw}");
        let line = line("UPDATE", &format!(r#","raw":"{raw}""#));
        let mut scratch = Scratch::default();
        assert!(matches!(decode(&line, &mut scratch), Ok(Message::Damaged { .. })), "{raw}");
    }
    // Nothing is said of its routes: an End-of-RIB of whatever family.
    let mut scratch = Scratch::default();
    assert!(matches!(
        decode(&line("UPDATE", ""), &mut scratch),
        Ok(Message::Unsupported { kind: "UPDATE", .. })
    ));
}

#[test]
fn a_session_with_two_byte_asns_is_told_by_its_path() {
    let mut scratch = Scratch::default();
    let nets = wire::prefixes(&["175.45.176.0/24"]);
    let as4 = wire::attribute(0xC0, 17, &wire::path(&[(2, &[131_279])], AsnSize::Four));
    let attributes = [wire::attributes(&[64_500, 4_837, 23_456], AsnSize::Two), as4].concat();
    let line = line("UPDATE", &format!(r#","raw":"{}""#, hex(&wire::update(&[], &attributes, &nets))));
    let (said, _) = said(&decode(&line, &mut scratch).unwrap()).unwrap();
    assert_eq!((said.path.as_str(), said.announced.len()), ("64500 4837 131279", 1));
}

#[test]
fn path_identifiers_and_the_end_of_a_table_are_in_the_message() {
    let mut scratch = Scratch::default();
    let end = wire::update(&[], &wire::mp_unreach(Family::V6, 1, &[]), &[]);
    let line = line("UPDATE", &format!(r#","raw":"{}""#, hex(&end)));
    let Ok(Message::Update { update, .. }) = decode(&line, &mut scratch) else { panic!("refused") };
    assert_eq!(update.end_of_rib, Some(Family::V6));
}

#[test]
fn times_are_exact_to_the_microsecond_and_never_rounded_through_a_float() {
    for (text, micros) in [
        ("1558620047.08", 1_558_620_047_080_000_i64),
        ("1558620047", 1_558_620_047_000_000),
        ("1558620047.1234567", 1_558_620_047_123_456),
        ("1558620047.999999", 1_558_620_047_999_999),
        ("0.000001", 1),
    ] {
        let line = format!(r#"{{{},"type":"KEEPALIVE"}}"#, HEARD.replace("1558620047.08", text));
        let mut scratch = Scratch::default();
        let Ok(Message::Keepalive { heard }) = decode(line.as_bytes(), &mut scratch) else {
            panic!("{text}")
        };
        assert_eq!(heard.at, Time::from_micros(micros), "{text}");
    }
    for text in ["-1", "1e9", "99999999999999999999", "\"\"", "\"now\"", "null"] {
        let line = format!(r#"{{{},"type":"KEEPALIVE"}}"#, HEARD.replace("1558620047.08", text));
        let error = decode(line.as_bytes(), &mut Scratch::default()).unwrap_err();
        assert_eq!(error.field(), Field::RisTimestamp, "{text}");
    }
}

#[test]
fn the_words_of_the_server_are_told_apart() {
    let server = |line: &str| {
        let mut scratch = Scratch::default();
        match decode(line.as_bytes(), &mut scratch) {
            Ok(Message::Server(server)) => format!("{server:?}"),
            other => panic!("{line}: {other:?}"),
        }
    };
    for (line, expected) in [
        (r#"{"type":"ris_error","data":{"message":"no such host"}}"#, Server::Error("no such host")),
        (
            r#"{"type":"ris_subscribe_ok","data":{"subscription":{"host":"rrc00"},"socketOptions":{}}}"#,
            Server::Subscribed,
        ),
        (r#"{"type":"ris_unsubscribe_ok","data":null}"#, Server::Unsubscribed),
        (r#"{"type":"ris_rrc_list","data":["rrc00","rrc01"]}"#, Server::Collectors),
        (r#"{"data":null,"type":"pong"}"#, Server::Pong),
        (r#"{"type":"ris_news"}"#, Server::Other("ris_news")),
    ] {
        assert_eq!(server(line), format!("{expected:?}"));
    }
}

#[test]
fn sessions_come_up_and_go_down() {
    for (word, expected) in [
        ("up", PeerState::Up),
        ("connected", PeerState::Up),
        ("down", PeerState::Down),
        ("odd", PeerState::Other),
    ] {
        let line = line("RIS_PEER_STATE", &format!(r#","state":"{word}""#));
        let mut scratch = Scratch::default();
        let Ok(Message::PeerState { heard, state }) = decode(&line, &mut scratch) else { panic!("{word}") };
        assert_eq!((state, heard.peer.asn), (expected, Asn(64_500)));
    }
}

#[test]
fn an_error_names_the_place_and_what_stands_there() {
    let error = |line: &str| decode(line.as_bytes(), &mut Scratch::default()).unwrap_err().to_string();
    assert_eq!(error(r#"{"type":1,}"#), "byte 10: JSON is 125, expected another character (by its code)");
    assert_eq!(error(""), "byte 0: JSON is 0, expected another character (by its code)");
    assert_eq!(error(r#"{"type":"UPDATE"}"#), "byte 17: host is missing");
    assert_eq!(error("{}"), "byte 2: type is missing");
    let bad_peer = format!(r#"{{{},"type":"UPDATE"}}"#, HEARD.replace("192.0.2.7", "there"));
    assert_eq!(error(&bad_peer), "byte 35: peer is 116, expected an IP address");
}

/// JSON of any form that is not too deep.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    leaf.prop_recursive(6, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((".*", inner), 0..5)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}

/// Whether the scanner takes a text for JSON: what it refuses later is then some other field.
fn is_json(text: &[u8]) -> bool {
    let wrapped = [&b"{\"x\":"[..], text, b"}"].concat();
    match decode(&wrapped, &mut Scratch::default()) {
        Err(error) => !matches!(error.field(), Field::Json | Field::JsonDepth),
        Ok(_) => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn arbitrary_bytes_in_a_line_panic_nowhere(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        fuzz::ris_live(&bytes);
    }

    #[test]
    fn a_changed_byte_in_a_line_panics_nowhere(at in any::<prop::sample::Index>(), value in any::<u8>()) {
        let raw = hex(&wire::update(&[], &wire::attributes(&[64_500], AsnSize::Four), &[8, 10]));
        let fields = r#","path":[64500,[1,2]],"announcements":[{"prefixes":["10.0.0.0/8"]}],"withdrawals":["::/0"]"#;
        for rest in [format!(r#","raw":"{raw}"{fields}"#), fields.to_owned()] {
            let mut line = line("UPDATE", &rest);
            let at = at.index(line.len());
            line[at] = value;
            fuzz::ris_live(&line);
        }
    }

    #[test]
    fn what_serde_json_writes_is_taken_for_json_and_a_cut_of_it_is_not(value in json(), at in any::<prop::sample::Index>()) {
        let text = serde_json::to_vec(&value).unwrap();
        prop_assert!(is_json(&text), "{}", value);
        prop_assert!(is_json(&serde_json::to_vec_pretty(&value).unwrap()), "{}", value);
        let cut = &text[..at.index(text.len())];
        prop_assert_eq!(is_json(cut), serde_json::from_slice::<serde_json::Value>(cut).is_ok(), "{}", value);
    }

    #[test]
    fn what_serde_json_refuses_is_refused(text in r#"[-+0-9eE.,:\[\]{}"\\ntrufalse ]{0,16}"#) {
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        // Numbers that no float holds are numbers all the same.
        let range = theirs.as_ref().is_err_and(|error| error.to_string().contains("out of range"));
        // What closes the object around it and opens another field is no single value.
        let whole = !text.contains(['}', ',', ':', '{']);
        if whole && !range {
            prop_assert_eq!(is_json(text.as_bytes()), theirs.is_ok(), "{}", text);
        }
    }
}
