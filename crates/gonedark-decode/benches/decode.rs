//! How fast the hot paths are, on generated data: `cargo bench -p gonedark-decode`. The allocation columns have to
//! stay empty: a decoder that was used once allocates nothing more.

#[path = "../tests/support/bmp_wire.rs"]
mod bmp_wire;
#[path = "../tests/support/wire.rs"]
mod wire;

use divan::counter::{BytesCount, ItemsCount};
use divan::{AllocProfiler, Bencher, black_box};
use gonedark_decode::mrt::{Decoder, Record, records};
use gonedark_decode::{bmp, ris_live};
use gonedark_route::{AsnSize, Family, Prefix};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[global_allocator]
static ALLOC: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const AT: u32 = 1_419_264_900;

/// The attributes of a route as collectors store them: five hops, and communities behind the path.
fn attributes(seed: u32) -> Vec<u8> {
    let asns = [64500 + seed % 35, 3356, 1239 + seed % 7, 4837, 131_072 + seed % 5000];
    [
        wire::attributes(&asns, AsnSize::Four),
        wire::attribute(0x80, 4, &[0; 4]),
        wire::attribute(0xC0, 8, &[7; 16]),
    ]
    .concat()
}

fn network(seed: u32) -> Prefix {
    Prefix::v4(Ipv4Addr::from_bits(seed.wrapping_mul(2_654_435_761)), 24 - (seed % 5) as u8 % 3).unwrap()
}

/// A table of `rows` prefixes seen by 35 peers, as many as route-views2 had in 2014.
fn table(rows: u32) -> Vec<u8> {
    const PEERS: u16 = 35;
    let peers: Vec<(u32, IpAddr)> =
        (0..u32::from(PEERS)).map(|n| (64500 + n, IpAddr::V4(Ipv4Addr::new(192, 0, 2, n as u8)))).collect();
    let mut file = wire::record(AT, 13, 1, &wire::peer_index_table(&peers));
    for row in 0..rows {
        let entries: Vec<_> =
            (0..PEERS).map(|peer| (peer, None, attributes(row + u32::from(peer)))).collect();
        file.extend(wire::record(AT, 13, 2, &wire::rib_row(row, network(row), &entries)));
    }
    file
}

/// Updates in the proportions of RIS: three quarters IPv4, one in eight a withdrawal, one to four prefixes.
fn updates(count: u32) -> Vec<u8> {
    let peer = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
    let mut file = Vec::new();
    for n in 0..count {
        let prefixes: Vec<u8> = (0..=n % 4).flat_map(|k| wire::prefix(network(n * 4 + k))).collect();
        let v6 =
            wire::prefix(Prefix::v6(Ipv6Addr::from_bits(u128::from(n) << 80 | 0x2001 << 112), 48).unwrap());
        let message = match n % 8 {
            0 => wire::update(&prefixes, &[], &[]),
            1 | 5 => wire::update(&[], &[attributes(n), wire::mp_reach(Family::V6, 1, &v6)].concat(), &[]),
            _ => wire::update(&[], &attributes(n), &prefixes),
        };
        let body = [wire::ends(AsnSize::Four, 64507, 64999, peer), message].concat();
        file.extend(wire::record_et(AT, n % 1_000_000, 4, &body));
    }
    file
}

/// Framing, and of each entry the peer, the origin and its upstream: what the pipeline asks of a table.
#[divan::bench]
fn rib_entries(bencher: Bencher<'_, '_>) {
    let file = table(10_000);
    bencher.counter(ItemsCount::new(350_000_u32)).counter(BytesCount::new(file.len())).bench_local(|| {
        let mut decoder = Decoder::new();
        let mut sum = 0_u64;
        for raw in records(black_box(&file)).flatten() {
            if let Ok(Record::RibRow(row)) = decoder.decode(raw) {
                for entry in row.entries().flatten() {
                    let tail = entry.attributes.path().map(|path| path.tail()).unwrap_or_default();
                    sum += u64::from(entry.peer_index);
                    sum += u64::from(
                        tail.origin().unwrap_or_default().0 ^ tail.upstream().unwrap_or_default().0,
                    );
                }
            }
        }
        sum
    });
}

/// The same without a look into the path.
#[divan::bench]
fn rib_entries_path_found(bencher: Bencher<'_, '_>) {
    let file = table(10_000);
    bencher.counter(ItemsCount::new(350_000_u32)).bench_local(|| {
        let mut decoder = Decoder::new();
        let mut sum = 0;
        for raw in records(black_box(&file)).flatten() {
            if let Ok(Record::RibRow(row)) = decoder.decode(raw) {
                for entry in row.entries().flatten() {
                    sum += entry.attributes.path().map_or(0, |path| path.bytes().len());
                }
            }
        }
        sum
    });
}

/// Framing, decoding, and every prefix.
#[divan::bench]
fn updates_and_their_prefixes(bencher: Bencher<'_, '_>) {
    let file = updates(100_000);
    bencher.counter(ItemsCount::new(100_000_u32)).counter(BytesCount::new(file.len())).bench_local(|| {
        let mut decoder = Decoder::new();
        let mut sum = 0_u64;
        for raw in records(black_box(&file)).flatten() {
            if let Ok(Record::Update { update, .. }) = decoder.decode(raw) {
                for nlri in update.announced().chain(update.withdrawn()) {
                    sum = sum.wrapping_add(nlri.prefix.bits() as u64 ^ u64::from(nlri.prefix.length()));
                }
            }
        }
        sum
    });
}

/// Framing and decoding alone.
#[divan::bench]
fn updates_alone(bencher: Bencher<'_, '_>) {
    let file = updates(100_000);
    bencher.counter(ItemsCount::new(100_000_u32)).bench_local(|| {
        let mut decoder = Decoder::new();
        let raws = records(black_box(&file)).flatten();
        raws.filter(|raw| matches!(decoder.decode(*raw), Ok(Record::Update { .. }))).count()
    });
}

/// A table as a router sends it over BMP: each path with the five prefixes that it has on average.
fn bmp_table(count: u32) -> Vec<u8> {
    let open = wire::open(64_500, &[]);
    let mut stream =
        bmp_wire::up(&bmp_wire::PEER, IpAddr::V4(Ipv4Addr::new(192, 0, 2, 254)), &open, &open, &[]);
    for n in 0..count {
        let prefixes: Vec<u8> = (0..5).flat_map(|k| wire::prefix(network(n * 5 + k))).collect();
        let update = wire::update(&[], &attributes(n), &prefixes);
        stream.extend(bmp_wire::monitoring(&bmp_wire::PEER, &update));
    }
    stream
}

/// Framing, decoding, and every prefix of Route Monitoring.
#[divan::bench]
fn bmp_routes(bencher: Bencher<'_, '_>) {
    let stream = bmp_table(100_000);
    bencher.counter(ItemsCount::new(500_000_u32)).counter(BytesCount::new(stream.len())).bench_local(|| {
        let mut decoder = bmp::Decoder::new();
        let mut sum = 0_u64;
        for raw in bmp::messages(black_box(&stream)).flatten() {
            if let Ok(bmp::Message::RouteMonitoring { update, .. }) = decoder.decode(raw) {
                for nlri in update.announced().chain(update.withdrawn()) {
                    sum = sum.wrapping_add(nlri.prefix.bits() as u64 ^ u64::from(nlri.prefix.length()));
                }
            }
        }
        sum
    });
}

/// Lines of RIS Live with the fields that it sends, and the message itself where `raw`.
fn ris_live_lines(count: u32, raw: bool) -> Vec<u8> {
    let mut lines = String::new();
    for n in 0..count {
        let prefixes: Vec<Prefix> = (0..=n % 4).map(|k| network(n * 4 + k)).collect();
        let wire_prefixes: Vec<u8> = prefixes.iter().flat_map(|prefix| wire::prefix(*prefix)).collect();
        let names: Vec<String> = prefixes.iter().map(|prefix| format!("\"{prefix}\"")).collect();
        let (names, withdrawal) = (names.join(","), n % 8 == 0);
        let message = match withdrawal {
            true => wire::update(&wire_prefixes, &[], &[]),
            false => wire::update(&[], &attributes(n), &wire_prefixes),
        };
        let (peer, second) = (n % 35, n % 100);
        let hex: String = message.iter().map(|byte| format!("{byte:02X}")).collect();
        let hex = if raw { format!(r#""raw":"{hex}","#) } else { String::new() };
        let fields = match withdrawal {
            true => format!(r#""withdrawals":[{names}]"#),
            false => format!(
                r#""path":[{},3356,4837,131072],"community":[[1799,1799],[1799,1799]],"origin":"igp","announcements":[{{"next_hop":"192.0.2.{peer}","prefixes":[{names}]}}]"#,
                64_500 + peer
            ),
        };
        lines += &format!(
            r#"{{"type":"ris_message","data":{{"timestamp":1558620047.{second:02},"peer":"192.0.2.{peer}","peer_asn":"{}","id":"192.0.2.{peer}-1558620047.{second:02}-{n}",{hex}"host":"rrc00","type":"UPDATE",{fields}}}}}"#,
            64_500 + peer
        );
        lines.push('\n');
    }
    lines.into_bytes()
}

/// Every prefix of a RIS Live line, read from the message itself and from the fields.
#[divan::bench(args = [true, false])]
fn ris_live_messages(bencher: Bencher<'_, '_>, raw: bool) {
    let text = ris_live_lines(50_000, raw);
    bencher.counter(ItemsCount::new(50_000_u32)).counter(BytesCount::new(text.len())).bench_local(|| {
        let mut scratch = ris_live::Scratch::default();
        let mut sum = 0_u64;
        for line in black_box(&text).split(|byte| *byte == b'\n') {
            if let Ok(ris_live::Message::Update { update, .. }) = ris_live::decode(line, &mut scratch) {
                for nlri in update.announced().chain(update.withdrawn()) {
                    sum = sum.wrapping_add(nlri.prefix.bits() as u64 ^ u64::from(nlri.prefix.length()));
                }
            }
        }
        sum
    });
}
