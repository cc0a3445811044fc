//! What cannot be read is refused with what to do, and what can be read of it is not lost.

use super::{attacks, gonedark, json, text};

/// A capture with a scenario's telemetry, small enough to be cut and changed.
fn telemetry(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let scenario = folder.path().join("flood.toml");
    std::fs::write(&scenario, FLOOD).expect("written");
    let out = folder.path().join("out");
    let written = gonedark(&["scenario", "write", text(&scenario), "--out", text(&out)]);
    assert!(written.status.success(), "{}", String::from_utf8_lossy(&written.stderr));
    out.join("flows/edge.pcap")
}

const FLOOD: &str = r#"
title = "A flood"
notice = "Invented."
seed = 1
from = 2024-01-01T00:00:00Z
until = 2024-01-01T01:00:00Z
[topology]
backbone = [64500]
source = "invented"
[[collector]]
name = "rrc00"
layout = "ris"
updates_every = "1h"
source = "invented"
peer = [{ asn = 64500, address = "192.0.2.1" }]
[[country]]
code = "KP"
[[country.network]]
prefixes = ["175.45.176.0/24"]
origin = 131279
source = "invented"
[[exporter]]
name = "edge"
address = "192.0.2.9"
sampling = 100
active_timeout = "10s"
source = "invented"
[[attack]]
at = 2024-01-01T00:10:00Z
lasts = "5m"
targets = ["175.45.176.8"]
protocol = "udp"
source_port = 123
target_port = 53
packet_bytes = 468
peak_pps = 50000
sources = 200
precision = "1s"
source = "invented"
"#;

#[test]
fn a_cut_capture_gives_what_is_before_the_cut_and_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = telemetry(&folder);
    let bytes = std::fs::read(&whole).expect("a capture");
    let cut = folder.path().join("cut.pcap");
    std::fs::write(&cut, &bytes[..bytes.len() * 2 / 3 + 7]).expect("written");
    let report = json(&["flows", text(&cut)]);
    assert_eq!(attacks(&report).len(), 1);
    assert_eq!(report["inputs"][0]["damage"], "the capture ends within a packet");
    // Packed and cut within the packing as well.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &bytes).expect("packed");
    let packed = packed.finish().expect("packed");
    std::fs::write(&cut, &packed[..packed.len() / 2]).expect("written");
    let report = json(&["flows", text(&cut)]);
    let damage = report["inputs"][0]["damage"].as_str().expect("damage");
    assert!(damage.contains("ends inside compressed data"), "{damage}");
}

#[test]
fn datagrams_that_are_missing_are_told_as_blindness() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = telemetry(&folder);
    let bytes = std::fs::read(&whole).expect("a capture");
    let (header, mut left) = bytes.split_at(24);
    let mut thinned = header.to_vec();
    let mut number = 0;
    while left.len() >= 16 {
        let length = 16 + u32::from_le_bytes([left[8], left[9], left[10], left[11]]) as usize;
        let (packet, rest) = left.split_at(length);
        // The templates are sent again every twenty datagrams.
        if !(100..110).contains(&number) {
            thinned.extend_from_slice(packet);
        }
        (number, left) = (number + 1, rest);
    }
    let holed = folder.path().join("holed.pcap");
    std::fs::write(&holed, thinned).expect("written");
    let report = json(&["flows", text(&holed)]);
    assert_eq!(report["exporters"][0]["missed"], 10);
    assert_eq!(report["deaf"][0]["reason"], "lost");
    assert_eq!(report["deaf"][0]["lost"], 10);
}

#[test]
fn a_file_without_flows_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let [text_file, missing] = ["notes.txt", "missing.pcap"].map(|name| folder.path().join(name));
    std::fs::write(&text_file, "no flows in here, only words").expect("written");
    let output = gonedark(&["flows", text(&text_file)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("neither pcap nor pcapng") && said.lines().count() == 1, "{said}");
    let output = gonedark(&["flows", text(&missing)]);
    assert_eq!(output.status.code(), Some(1));
    let whole = telemetry(&folder);
    // What an exporter sent is traffic, too; but traffic is not what an exporter sent.
    let mirrored = json(&["flows", "--packets", text(&whole)]);
    assert_eq!(mirrored["exporters"][0]["address"], "packets");
}

#[test]
fn the_rate_that_a_user_sets_is_used_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = telemetry(&folder);
    let peak =
        |report: &serde_json::Value| attacks(report)[0]["impact"]["peak"]["pps"].as_f64().expect("a rate");
    let (told, set) = (json(&["flows", text(&whole)]), json(&["flows", text(&whole), "--sampling", "200"]));
    assert_eq!(told["exporters"][0]["sampling_from"], "options");
    assert_eq!(set["exporters"][0]["sampling_from"], "setting");
    assert!((peak(&told) / 50_000.0 - 1.0).abs() < 0.02, "{}", peak(&told));
    assert!((peak(&set) / 100_000.0 - 1.0).abs() < 0.02, "{}", peak(&set));
}
