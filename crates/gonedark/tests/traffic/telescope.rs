//! Backscatter by the rules of RSDoS.

use super::{attacks, capture, gonedark, json, text};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

#[test]
fn the_rules_of_rsdos_find_one_victim_in_one_capture_and_none_in_the_other() {
    let Some(path) = capture("packet-captures/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng") else {
        return;
    };
    let report = json(&["telescope", "--addresses", "65536", text(&path)]);
    let [attack] = attacks(&report) else { panic!("{:#}", report["attacks"]) };
    assert_eq!(attack["flooded"], "tcp");
    assert_eq!(attack["packets"], 396);
    assert_eq!(
        report["packets"].as_u64().zip(report["packets_of_no_victim"].as_u64()),
        Some((896, 896 - 542))
    );
    let other = capture("packet-captures/amp.TCP.reflection.SYNACK.pcap").expect("beside it");
    let report = json(&["telescope", "--addresses", "65536", text(&other)]);
    assert!(attacks(&report).is_empty());
    // Each threshold is a setting: by number alone two pass, by duration alone four.
    let pass = |packets: &str, duration: &str| {
        let size = ["telescope", "--addresses", "65536", "--expiry", "1h", "--least-in-window", "1"];
        let rules = ["--least-packets", packets, "--least-duration", duration, text(&path)];
        attacks(&json(&[&size[..], &rules[..]].concat())).len()
    };
    assert_eq!((pass("25", "0s"), pass("1", "60s")), (2, 4));
}

#[test]
fn the_size_of_the_telescope_is_asked_for_and_its_scale_is_said() {
    let Some(path) = capture("packet-captures/amp.TCP.syn.optionallyACK.optionallysamePort.pcapng") else {
        return;
    };
    let unsized_ = gonedark(&["telescope", text(&path)]);
    assert_eq!(unsized_.status.code(), Some(2));
    let report = json(&["telescope", "--addresses", "16777216", text(&path)]);
    assert_eq!(report["telescope"]["scale"], 256);
    assert_eq!(report["telescope"]["least_pps"], 128);
}

/// A SYN-ACK of a victim that reached the telescope, as a packet of a capture (pcap, raw IP).
fn answer(second: u32, number: u8) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0, 198, 51, 100, 7, 192, 0, 2, number];
    packet.extend([0, 80, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0b1_0010, 0, 0, 0, 0, 0, 0]);
    let length = packet.len() as u32;
    let head = [1_419_033_600 + second, 0, length, length].map(u32::to_le_bytes).concat();
    [head, packet].concat()
}

#[test]
fn a_live_capture_is_told_of_while_it_goes_on() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gonedark"));
    command.args(["telescope", "--prefix", "192.0.2.0/24", "--format", "ndjson", "-"]);
    let mut running = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("it runs");
    let mut capture = running.stdin.take().expect("its input");
    let mut lines = BufReader::new(running.stdout.take().expect("its output")).lines();
    let mut attack = || -> serde_json::Value {
        let line = lines.next().expect("a line").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    let head = [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 101].map(u32::to_le_bytes).concat();
    capture.write_all(&head).expect("taken");
    for second in 0..90 {
        capture.write_all(&answer(second, second as u8)).expect("taken");
    }
    // Nothing more has come, and nothing has ended.
    let begun = attack();
    assert_eq!((&begun["victim"], &begun["ongoing"]), (&"198.51.100.7".into(), &true.into()));
    capture.write_all(&answer(500, 1)).expect("taken");
    let over = attack();
    assert_eq!((&over["packets"], &over["ongoing"]), (&90.into(), &false.into()));
    drop(capture);
    assert!(running.wait().expect("it ends").success());
}
