//! Captures of the traffic itself.

use super::{attacks, gonedark, json, text};

/// Bytes from the IP header on of what the sending machine left to its card to cut.
const UNCUT: u32 = 1_500;

/// A SYN whose header says a length of 0, behind Ethernet; the first 54 bytes of it.
fn uncut_syn(source: u8) -> [u8; 54] {
    let mut frame = [0; 54];
    frame[12..16].copy_from_slice(&[8, 0, 0x45, 0]);
    // Time to live, TCP; from and to whom.
    (frame[22], frame[23]) = (64, 6);
    frame[26..34].copy_from_slice(&[198, 51, 100, source, 192, 0, 2, 1]);
    // From port 4000 to port 80; a header of 20 bytes, SYN.
    frame[34..38].copy_from_slice(&[15, 160, 0, 80]);
    (frame[46], frame[47]) = (5 << 4, 2);
    frame
}

/// A capture of so many of them a second, for ten seconds, of which the first bytes were kept.
fn capture(a_second: u32) -> Vec<u8> {
    let little = |numbers: &[u32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<_>>();
    // Version 2.4, 54 bytes of a packet, Ethernet.
    let mut pcap = little(&[0xA1B2_C3D4, 4 << 16 | 2, 0, 0, 54, 1]);
    for number in 0..10 * a_second {
        let (second, within) = (number / a_second, number % a_second);
        pcap.extend(little(&[1_700_000_000 + second, within * (1_000_000 / a_second), 54, 14 + UNCUT]));
        pcap.extend(uncut_syn((number % 200) as u8));
    }
    pcap
}

#[test]
fn a_captured_packet_whose_header_says_no_length_counts_the_bytes_that_it_had() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("uncut.pcap");
    std::fs::write(&path, capture(2_000)).expect("written");
    let report = json(&["flows", "--packets", text(&path)]);
    let [attack] = attacks(&report) else { panic!("{:#}", report["attacks"]) };
    let [packets, bytes] = ["packets", "bytes"].map(|of| attack["impact"][of].as_u64().expect("a number"));
    assert!(packets >= 18_000, "{packets}");
    assert_eq!(bytes, packets * u64::from(UNCUT));
    let said = gonedark(&["flows", "--packets", text(&path)]);
    let said = String::from_utf8_lossy(&said.stdout);
    assert!(said.contains("of the threshold of 1,000 pps for TCP SYNs"), "{said}");
}
