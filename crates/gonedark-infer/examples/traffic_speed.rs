//! How many flows a second the meter takes on one core, and how much memory: of a normal mix, of a hundred million random
//! sources to one target, and of random targets.
//!
//! `cargo run --release -p gonedark-infer --example traffic_speed [millions of flows [only this]]`

use gonedark_infer::entity::CountryCode;
use gonedark_infer::observation::Delegations;
use gonedark_infer::traffic::{Origins, Parameters, Traffic, Watched};
use gonedark_route::{Asn, Flow, Prefix, Time};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};

/// Records a second in the time of the records. Guess: a large network.
const A_SECOND: u64 = 1_000_000;
const BEGIN: i64 = 1_419_033_600;

/// A /8 is a country, a /16 an AS.
struct ByAddress;

impl Delegations for ByAddress {
    fn split(&self, prefix: Prefix, into: &mut Vec<(CountryCode, u64)>) {
        let letter = |number: u128| char::from(b'A' + (number % 26) as u8);
        let first = prefix.bits() >> 120;
        let text: String = [letter(first / 26), letter(first)].into_iter().collect();
        into.extend(CountryCode::new(&text).map(|code| (code, 1)));
    }

    fn country_of_asn(&self, _: Asn) -> Option<CountryCode> {
        None
    }
}

impl Origins for ByAddress {
    fn origin(&self, address: IpAddr) -> Option<Asn> {
        match address {
            IpAddr::V4(address) => Some(Asn(u32::from(address) >> 16)),
            IpAddr::V6(_) => None,
        }
    }
}

fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let word = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

fn v4(number: u64) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(number as u32))
}

/// What people do: four fifths downloads and requests over up to a minute, the rest QUIC and a little DNS.
fn normal(lot: u64, other: u64, now: Time) -> Flow {
    let protocol = if lot.is_multiple_of(5) { 17 } else { 6 };
    let is_dns = lot.is_multiple_of(50);
    let packets = if is_dns { 1 } else { 1 + lot % 4 };
    let length = ((other >> 8) % 60_000_000) as i64;
    Flow {
        source: v4(other),
        // 32,000 users in 4,000 blocks of 16 ASes.
        target: v4(0x0b00_0000 | (((lot >> 16) % 4_096) << 8) | ((lot >> 40) % 8)),
        source_port: if is_dns { 53 } else { 443 },
        target_port: 1_024 + (other >> 40) as u16 % 60_000,
        protocol,
        tcp_flags: if protocol == 6 { 0b1_1011 } else { 0 },
        is_fragment: false,
        packets,
        bytes: packets * if is_dns { 150 } else { 900 },
        sampling: 1,
        begin: now + -length,
        end: now,
    }
}

fn flood(source: u64, target: IpAddr, lot: u64, now: Time) -> Flow {
    Flow {
        source: v4(source),
        target,
        source_port: lot as u16,
        target_port: 53,
        protocol: 17,
        tcp_flags: 0,
        is_fragment: false,
        packets: 1,
        bytes: 400,
        sampling: 1,
        begin: now,
        end: now,
    }
}

/// Seconds of processor time of this process, where the system tells it: others may be at work beside it.
fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks = stat.split_whitespace().skip(13).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Resident memory in KiB, where the system tells it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn run(name: &str, count: u64, make: impl Fn(u64, u64, Time) -> Flow) -> std::io::Result<()> {
    if std::env::args().nth(2).is_some_and(|only| !name.starts_with(&only)) {
        return Ok(());
    }
    let (mut state, mut sum) = (1_u64, 0_u64);
    // What it costs to make the flows up is taken off.
    let begin = busy();
    for number in 0..count {
        let (lot, other) = (next(&mut state), next(&mut state));
        let now = Time::from_micros(BEGIN * 1_000_000 + (number * 1_000_000 / A_SECOND) as i64);
        let flow = std::hint::black_box(make(lot, other, now));
        sum = sum.wrapping_add(flow.bytes);
    }
    let making = busy() - begin;
    std::hint::black_box(sum);
    let before = resident();
    let watched = Watched::everything();
    let mut traffic = Traffic::new(Parameters::default(), watched, Box::new(ByAddress), Box::new(ByAddress));
    state = 1;
    let begin = busy();
    for number in 0..count {
        let (lot, other) = (next(&mut state), next(&mut state));
        let now = Time::from_micros(BEGIN * 1_000_000 + (number * 1_000_000 / A_SECOND) as i64);
        traffic.flow(now, (lot % 4) as u16, &make(lot, other, now));
    }
    let took = (busy() - begin) - making;
    let memory = resident().saturating_sub(before) / 1_024;
    let report = traffic.report();
    writeln!(
        std::io::stdout(),
        "{name}: {:.2} M flows/s ({:.0} ns each), {memory} MiB, {} attacks",
        count as f64 / took / 1e6,
        took * 1e9 / count as f64,
        report.attacks.len(),
    )
}

fn main() -> std::io::Result<()> {
    let millions = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_u64);
    let count = millions * 1_000_000;
    run("normal mix", count / 5, normal)?;
    let victim = v4(0xaf2d_b008);
    run("random sources, one target", count, |lot, other, now| flood(other, victim, lot, now))?;
    run("random targets", count / 5, |lot, other, now| flood(lot, v4(other), lot >> 32, now))
}
