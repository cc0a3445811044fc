//! Damage within archive files, as whoever runs `gonedark replay` is told of it.

mod invented;

use gonedark::scenario;
use gonedark_route::Time;
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Three hours of one collector with much to say; `changed` may spoil its third file, whose records begin as told.
fn replayed(changed: impl FnOnce(&mut Vec<u8>, &[usize])) -> (Value, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let peers: Vec<(u32, String)> = (1..=6).map(|n| (100 + n, format!("198.51.100.{n}"))).collect();
    let peers: Vec<(u32, &str)> = peers.iter().map(|(asn, address)| (*asn, address.as_str())).collect();
    let mut text = vec![
        invented::internet("damage", 3, ("2020-03-01T00:00:00Z", "2020-03-01T03:00:00Z")),
        invented::collector(("rrc00", "ris"), ("1h", "8h"), &peers, ""),
        invented::country("KP", &["20.0.0.0/16", "20.1.0.0/16", "20.2.0.0/16"], 64100, ""),
    ];
    for minute in [10, 20, 30, 40] {
        for (minute, what) in [(minute, "withdraw"), (minute + 5, "announce")] {
            let what = format!("{what} = {{ networks.country = \"KP\", spread = \"2m\" }}");
            text.push(invented::event(&format!("2020-03-01T02:{minute}:00Z"), &what));
        }
    }
    let scenario = invented::scenario("damage", &text.concat());
    scenario::write(&scenario, folder.path(), &mut |_| {}).expect("archives");
    let path = folder.path().join("rrc00/updates.20200301.0200.gz");
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).expect("the third file");
    flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).expect("it is whole");
    let (mut at, mut begins) = (0, Vec::new());
    while at < bytes.len() {
        begins.push(at);
        at += 12 + u32::from_be_bytes(bytes[at + 8..at + 12].try_into().expect("four")) as usize;
    }
    assert!(begins.len() > 30, "{} records", begins.len());
    changed(&mut bytes, &begins);
    std::fs::write(&path, bytes).expect("written");
    let run = Command::new(env!("CARGO_BIN_EXE_gonedark"))
        .arg("replay")
        .arg(folder.path())
        .args(["--country", "KP", "--format", "json"])
        .output()
        .expect("it runs");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    (serde_json::from_slice(&run.stdout).expect("JSON"), path)
}

fn input<'a>(report: &'a Value, path: &Path) -> &'a Value {
    let inputs = report["inputs"].as_array().expect("a list");
    inputs.iter().find(|input| input["path"].as_str() == path.to_str()).expect("the file is told")
}

/// The marker of the BGP message in the record that begins at `begin`.
fn marker(bytes: &[u8], begin: usize) -> usize {
    begin + bytes[begin..].windows(16).position(|window| window == [0xFF; 16]).expect("a marker")
}

#[test]
fn equal_complaints_are_counted_together_with_the_offset_of_the_first() {
    let mut first = 0;
    let (report, path) = replayed(|bytes, begins| {
        first = marker(bytes, begins[4]);
        for place in [4, 9, 17] {
            let at = marker(bytes, begins[place]);
            bytes[at] = 7;
        }
    });
    let damage = &input(&report, &path)["damage"];
    let told =
        serde_json::json!([{ "offset": first, "what": "BGP marker byte is 7, expected 255", "count": 3 }]);
    assert_eq!(*damage, told);
}

#[test]
fn a_wrong_length_in_a_file_costs_one_record_and_says_where() {
    let (whole, path) = replayed(|_, _| {});
    let records = input(&whole, &path)["records"].as_u64().expect("a number");
    let mut first = 0;
    let (report, path) = replayed(|bytes, begins| {
        first = begins[5] + 8;
        let length = (begins[25] - begins[5]) as u32 + 3;
        bytes[first..first + 4].copy_from_slice(&length.to_be_bytes());
    });
    let input = input(&report, &path);
    assert_eq!(input["records"], records - 1, "{input:#}");
    assert_eq!((&input["damage"][0]["offset"], &input["damage"][0]["count"]), (&first.into(), &1.into()));
}

#[test]
fn a_damaged_frame_puts_all_peers_of_its_collector_in_doubt() {
    let mut before = String::new();
    let (report, _) = replayed(|bytes, begins| {
        let stamp = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four"));
        before = Time::from_seconds(i64::from(stamp(begins[4]))).to_string();
        bytes[begins[5] + 8..begins[5] + 12].copy_from_slice(&[0xFF; 4]);
    });
    let blind = report["coverage"]["blind"].as_array().expect("a list");
    let told = blind.iter().find(|blind| blind["reason"] == "damage").expect("damage is told");
    assert_eq!((&told["collector"], &told["peer_asn"]), (&"rrc00".into(), &Value::Null));
    assert_eq!((told["from"].as_str(), told["until"].as_str()), (Some(&*before), Some(&*before)));
}
