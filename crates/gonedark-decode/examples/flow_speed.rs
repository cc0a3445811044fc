//! `flow_speed [SECONDS]`: how many records a core decodes, of invented datagrams like those of real exporters.
//!
//! Version 5 with 29 records of 48 bytes; version 9 with the 23 fields and 65 bytes of a Cisco ASR 9000, 21 a datagram;
//! IPFIX with the 12 fields and 54 bytes of OpenBSD's pflow, 26 a datagram; sFlow with 5 samples in 1,212 bytes. The
//! template is sent with every thousandth datagram. Addresses and ports differ from record to record.

use gonedark_decode::flow::{Decoder, Settings};
use gonedark_route::Time;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};

/// Number and length of the fields of template 260 of a Cisco ASR 9000.
const ASR9K: [(u16, u16); 23] = [
    (1, 4),
    (2, 4),
    (4, 1),
    (5, 1),
    (6, 1),
    (7, 2),
    (8, 4),
    (9, 1),
    (10, 4),
    (11, 2),
    (12, 4),
    (13, 1),
    (14, 4),
    (15, 4),
    (16, 4),
    (17, 4),
    (18, 4),
    (21, 4),
    (22, 4),
    (48, 1),
    (61, 1),
    (89, 1),
    (234, 5),
];
/// Those of template 256 of OpenBSD's pflow.
const PFLOW: [(u16, u16); 12] =
    [(8, 4), (12, 4), (10, 4), (14, 4), (2, 8), (1, 8), (152, 8), (153, 8), (7, 2), (11, 2), (5, 1), (4, 1)];
/// Datagrams of each kind that are gone through again and again.
const DATAGRAMS: u32 = 512;

/// Numbers that look like none (Steele, Lea, Flood 2014).
fn mixed(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn u16s(values: &[u16]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn u32s(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_be_bytes()).collect()
}

fn v5(number: u32, seed: &mut u64) -> Vec<u8> {
    let mut bytes = [u16s(&[5, 29]), u32s(&[90_000_000, 1_700_000_000, 0, number * 29, 100])].concat();
    for _ in 0..29 {
        let (a, b) = (mixed(seed), mixed(seed));
        bytes.extend(u32s(&[a as u32, (a >> 32) as u32, 0, 0, 3, 1_500, 89_990_000, 89_999_000]));
        bytes.extend(u16s(&[b as u16, (b >> 16) as u16, 0x0010, 0x0600, 0, 0, 0, 0]));
    }
    bytes
}

/// A set with its header, padded to four bytes.
fn set(id: u16, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let mut bytes = [u16s(&[id, padded as u16 + 4]), body.to_vec()].concat();
    bytes.resize(padded + 4, 0);
    bytes
}

fn template(id: u16, fields: &[(u16, u16)]) -> Vec<u8> {
    let mut body = u16s(&[id, fields.len() as u16]);
    body.extend(fields.iter().flat_map(|(number, length)| u16s(&[*number, *length])));
    body
}

fn records(fields: &[(u16, u16)], count: usize, seed: &mut u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (number, length) in (0..count).flat_map(|_| fields) {
        let value = match number {
            4 => 6,
            1 => 1_500,
            2 => 3,
            48 => 1,
            21 | 22 => 89_990_000,
            152 | 153 => 1_699_999_999_000,
            _ => mixed(seed),
        };
        bytes.extend(&value.to_be_bytes()[8 - usize::from(*length)..]);
    }
    bytes
}

fn v9(number: u32, seed: &mut u64) -> Vec<u8> {
    let header = [u16s(&[9, 1]), u32s(&[90_000_000, 1_700_000_000, number, 1])].concat();
    let templates = if number == 0 { set(0, &template(260, &ASR9K)) } else { Vec::new() };
    [header, templates, set(260, &records(&ASR9K, 21, seed))].concat()
}

fn ipfix(number: u32, seed: &mut u64) -> Vec<u8> {
    let templates = if number == 0 { set(2, &template(256, &PFLOW)) } else { Vec::new() };
    let body = [templates, set(256, &records(&PFLOW, 26, seed))].concat();
    [u16s(&[10, body.len() as u16 + 16]), u32s(&[1_700_000_000, number * 26, 1]), body].concat()
}

fn sflow(number: u32, seed: &mut u64) -> Vec<u8> {
    let mut bytes = u32s(&[5, 1, 0xC000_0201, 0, number, 90_000_000, 5]);
    for sample in 0..5 {
        let (a, b) = (mixed(seed), mixed(seed));
        // Ethernet, IPv4, TCP, and the first bytes of what they carry.
        let mut header = [vec![2; 12], vec![8, 0, 0x45, 0, 5, 220, 0, 0, 0x40, 0, 64, 6, 0, 0]].concat();
        header.extend(u32s(&[a as u32, (a >> 32) as u32]));
        header.extend(u16s(&[b as u16, (b >> 16) as u16]));
        header.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10]);
        header.resize(128, 0);
        let raw = [u32s(&[1, 144, 1, 1_518, 4, 128]), header].concat();
        let switched = u32s(&[1001, 16, 0, 0, 0, 0]);
        let router = u32s(&[1002, 16, 1, 0, 24, 24]);
        let mut body = u32s(&[number * 5 + sample, 7, 1024, 0, 0, 1, 2, 3]);
        body.extend([raw, switched, router].concat());
        bytes.extend(u32s(&[1, body.len() as u32]));
        bytes.extend(body);
    }
    bytes
}

/// Makes the datagram of a number.
type Make = fn(u32, &mut u64) -> Vec<u8>;

#[allow(clippy::disallowed_methods, reason = "it measures")]
fn main() -> io::Result<()> {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1.0);
    let from = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    let kinds: [(&str, Make); 4] = [("v5", v5), ("v9", v9), ("ipfix", ipfix), ("sflow", sflow)];
    for (name, make) in kinds {
        let mut seed = 1;
        let datagrams: Vec<Vec<u8>> = (0..DATAGRAMS).map(|number| make(number, &mut seed)).collect();
        let mut rates = Vec::new();
        for _ in 0..3 {
            let mut decoder = Decoder::new(Settings::default());
            let (mut flows, mut sum) = (0_u64, 0_u64);
            let began = std::time::Instant::now();
            while began.elapsed().as_secs_f64() < seconds {
                for datagram in &datagrams {
                    let mut each = |_, flow: &gonedark_route::Flow| {
                        flows += 1;
                        sum = sum.wrapping_add(
                            flow.bytes * u64::from(flow.sampling) + u64::from(flow.source_port),
                        );
                    };
                    let decoded =
                        decoder.decode(from, Time::from_seconds(1_700_000_001), datagram, &mut each);
                    assert!(decoded.is_ok_and(|decoded| decoded.damage.is_none()));
                }
            }
            std::hint::black_box(sum);
            rates.push(flows as f64 / began.elapsed().as_secs_f64() / 1e6);
        }
        rates.sort_by(f64::total_cmp);
        let length = datagrams[1].len();
        writeln!(io::stdout(), "{name:6} {:7.2} M records/s  ({length} bytes a datagram)", rates[1])?;
    }
    Ok(())
}
