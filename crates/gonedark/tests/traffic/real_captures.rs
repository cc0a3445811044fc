//! Real captures of floods give the targets, counts and vectors that are known of them.

use super::{attacks, capture, json, text};

/// Name, packets of the attack, sources, and its vectors with their shares in percent.
type Known = (&'static str, u64, f64, &'static [(&'static str, f64)]);

/// Counted with tshark. The addresses of the targets were made one by whoever published the captures.
///
/// Of the SNMP reflection 250 addresses were said to be the targets; they are those of the reflectors that ICMP errors quote,
/// and the sender that these quote is one address: it is an attack on one.
const KNOWN: [Known; 5] = [
    (
        "amp.UDP.bacnet.IOT.37810.pcapng",
        9_617,
        6_276.0,
        &[
            ("bacnet amplification (udp source port 47808)", 70.0),
            ("dhdiscover amplification (udp source port 37810)", 24.7),
            ("udp source port 30120", 5.1),
        ],
    ),
    (
        "amp.UDP.snmp.src161.pcapng",
        4_373,
        4_276.0,
        &[("snmp amplification (udp source port 161)", 93.9), ("ICMP type 3", 6.7)],
    ),
    ("amp.UDP.isakmp.pcap", 3_984, 2_767.0, &[("isakmp amplification (udp source port 4500)", 100.0)]),
    (
        "amp.TCP.reflection.SYNACK.pcap",
        8_000,
        7_056.0,
        &[("TCP SYN-ACK from port 80", 73.6), ("TCP RST", 12.7), ("TCP SYN-ACK from port 443", 9.5)],
    ),
    ("pkt.TCP.synflood.spoofed.pcap", 37_841, 37_623.0, &[("TCP SYN to port 25565", 100.0)]),
];

#[test]
fn captures_of_floods_give_target_packets_sources_and_vectors() {
    for (name, packets, sources, vectors) in KNOWN {
        let Some(path) = capture(&format!("packet-captures/{name}")) else { return };
        let report = json(&["flows", "--packets", text(&path)]);
        let [attack] = attacks(&report) else { panic!("{name}: {:#}", report["attacks"]) };
        assert_eq!(attack["target"]["kind"], "host", "{name}");
        assert_eq!(attack["targets"]["value"], 1, "{name}");
        let counted = attack["impact"]["packets"].as_f64().expect("a count");
        assert!((counted / packets as f64 - 1.0).abs() < 0.03, "{name}: {counted} of {packets} packets");
        let counted = attack["sources"]["value"].as_f64().expect("a count");
        assert!((counted / sources - 1.0).abs() < 0.1, "{name}: {counted} of {sources} sources");
        let found = attack["vectors"].as_array().expect("a list");
        assert_eq!(found.len(), vectors.len(), "{name}: {found:#?}");
        for (vector, share) in vectors {
            let known = found.iter().find(|known| known["name"] == **vector);
            let known = known.unwrap_or_else(|| panic!("{name}: no {vector} in {found:#?}"));
            let found = known["share"].as_f64().expect("a share") * 100.0;
            assert!((found - share).abs() < 2.0, "{name}: {vector} {found} and not {share} %");
        }
    }
}

#[test]
fn a_scan_is_no_attack() {
    let Some(path) = capture("nDPI/synscan.pcap") else { return };
    let report = json(&["flows", "--packets", text(&path)]);
    assert!(attacks(&report).is_empty(), "{:#}", report["attacks"]);
    assert_eq!(report["records"], 2_011);
}

#[test]
fn a_capture_of_netflow_gives_its_exporters_and_their_sampling() {
    let Some(template) = capture("akvorado/netflow/testdata/samplingrate-template.pcap") else { return };
    let data = capture("akvorado/netflow/testdata/samplingrate-data.pcap").expect("beside it");
    let report = json(&["flows", text(&template), text(&data)]);
    let exporter = &report["exporters"][0];
    assert_eq!(exporter["formats"], serde_json::json!(["NetFlow v9"]));
    assert!(exporter["records"].as_u64().is_some_and(|records| records > 0), "{exporter:#}");
}
