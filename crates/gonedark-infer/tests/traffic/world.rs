//! A small Internet of flows: whose addresses are whose, and generators that give the same each time.

use gonedark_infer::entity::CountryCode;
use gonedark_infer::observation::Delegations;
use gonedark_infer::traffic::report::Attack;
use gonedark_infer::traffic::{Origins, Parameters, Traffic, Watched};
use gonedark_route::{Asn, Flow, Prefix, Time};
use std::net::{IpAddr, Ipv4Addr};

/// 20 December 2014, 00:00 UTC.
pub(crate) const BEGIN: i64 = 1_419_033_600;
pub(crate) const SECOND: i64 = 1_000_000;

/// North Korea has 175.45.176.0/22, Utopia all the rest.
pub(crate) struct Registry;

impl Delegations for Registry {
    fn split(&self, prefix: Prefix, into: &mut Vec<(CountryCode, u64)>) {
        let north_korea: Prefix = "175.45.176.0/22".parse().expect("a prefix");
        let code = if north_korea.covers(prefix) { "KP" } else { "UT" };
        into.push((CountryCode::new(code).expect("a code"), 1));
    }

    fn country_of_asn(&self, _: Asn) -> Option<CountryCode> {
        None
    }
}

/// Star JV announces 175.45.176.0/22, each /16 of the rest is an AS.
pub(crate) struct Table;

impl Origins for Table {
    fn origin(&self, address: IpAddr) -> Option<Asn> {
        match address {
            IpAddr::V4(address) => match address.octets() {
                [175, 45, 176..=179, _] => Some(Asn(131_279)),
                [a, b, _, _] => Some(Asn(100_000 + u32::from(a) * 256 + u32::from(b))),
            },
            IpAddr::V6(_) => None,
        }
    }
}

pub(crate) fn meter(parameters: Parameters) -> Traffic {
    Traffic::new(parameters, Watched::everything(), Box::new(Registry), Box::new(Table))
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub(crate) fn at(second: i64) -> Time {
    Time::from_seconds(BEGIN + second)
}

/// Microseconds after the begin.
pub(crate) fn micros(micros: i64) -> Time {
    Time::from_micros(BEGIN * SECOND + micros)
}

/// The same numbers each time (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }

    pub(crate) fn address(&mut self) -> IpAddr {
        let number = self.next() as u32;
        // Neither 0/8, 10/8, 127/8 nor what is attacked.
        IpAddr::V4(Ipv4Addr::new(
            20 + (number >> 24) as u8 % 80,
            (number >> 16) as u8,
            (number >> 8) as u8,
            number as u8,
        ))
    }
}

/// A UDP flow of one moment; the rest is set by the caller.
pub(crate) fn flow(target: IpAddr, end: Time) -> Flow {
    Flow {
        source: address("192.0.2.1"),
        target,
        source_port: 40_000,
        target_port: 80,
        protocol: 17,
        tcp_flags: 0,
        is_fragment: false,
        packets: 1,
        bytes: 100,
        sampling: 1,
        begin: end,
        end,
    }
}

/// A flood from random sources and ports, `pps` packets a second of `size` bytes, in records of one moment each.
pub(crate) struct Flood {
    pub(crate) target: IpAddr,
    pub(crate) pps: u64,
    pub(crate) size: u64,
    pub(crate) shape: fn(&mut Flow, &mut Dice),
}

impl Flood {
    pub(crate) fn udp(target: IpAddr, pps: u64) -> Self {
        let shape = |flow: &mut Flow, dice: &mut Dice| {
            flow.source_port = 1_024 + dice.below(60_000) as u16;
            flow.target_port = 1_024 + dice.below(60_000) as u16;
        };
        Flood { target, pps, size: 100, shape }
    }

    /// What is sent in `micros` microseconds from `from` (since the begin) on, in about 400 records a second.
    pub(crate) fn send(&self, (from, until): (i64, i64), dice: &mut Dice, mut into: impl FnMut(Flow)) {
        let records = 400.min(self.pps.max(1)) as i64;
        let step = SECOND / records;
        let first = from.div_euclid(step) + i64::from(from.rem_euclid(step) > 0);
        for number in first.. {
            let moment = number * step;
            if moment >= until {
                break;
            }
            // Whole packets, whose sum keeps to the rate.
            let sent = |number: i64| number as u64 * self.pps / records as u64;
            let packets = sent(number + 1) - sent(number);
            let mut flow = flow(self.target, micros(moment));
            flow.source = dice.address();
            flow.packets = packets;
            (self.shape)(&mut flow, dice);
            flow.bytes = flow.packets * self.size;
            into(flow);
        }
    }
}

/// Everything that the meter would say at the end.
pub(crate) fn attacks(traffic: &Traffic) -> Vec<Attack> {
    traffic.report().attacks
}
