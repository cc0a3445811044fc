//! Backscatter by the rules of RSDoS.

use super::{attacks, capture, gonedark, json, text};

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
