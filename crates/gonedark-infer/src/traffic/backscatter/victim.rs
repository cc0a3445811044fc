//! What is known of one victim.

use super::super::place::mix;
use super::super::sketch::Distinct;
use super::attack::{BackscatterAttack, Flooded};
use super::echo::Echo;
use super::rules::BackscatterParameters;
use crate::parameters::SECOND;
use gonedark_route::Time;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Networks of attackers that are counted one by one; of more the number is an estimate. Guess.
const ONE_BY_ONE: usize = 256;
/// Registers for them (2 to this power): a standard error of 3.3 %.
const NETWORK_BITS: u32 = 10;

/// A victim that is watched.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Victim {
    first: Time,
    pub(super) last: Time,
    packets: u64,
    bytes: u64,
    mismatches: u64,
    most_in_window: u64,
    /// Packets by slide: its number and how many.
    slides: Vec<(i64, u64)>,
    /// The attackers' networks, and once they are many how many there are, about.
    networks: BTreeSet<u32>,
    many_networks: Option<Distinct>,
    victim_ports: BTreeSet<u16>,
    attacker_ports: BTreeSet<u16>,
    pub(super) told: bool,
}

impl Victim {
    pub(super) fn new(at: Time) -> Self {
        Victim {
            first: at,
            last: at,
            packets: 0,
            bytes: 0,
            mismatches: 0,
            most_in_window: 0,
            slides: Vec::new(),
            networks: BTreeSet::new(),
            many_networks: None,

            victim_ports: BTreeSet::new(),
            attacker_ports: BTreeSet::new(),
            told: false,
        }
    }

    pub(super) fn hear(&mut self, at: Time, bytes: u64, echo: &Echo, parameters: &BackscatterParameters) {
        self.last = self.last.max(at);
        self.packets += 1;
        self.bytes += bytes;
        self.mismatches += u64::from(echo.is_mismatch);
        let slide = at.micros().div_euclid(parameters.slide.max(1));
        match self.slides.last_mut() {
            Some((number, count)) if *number == slide => *count += 1,
            _ => self.slides.push((slide, 1)),
        }
        let kept = (parameters.window / parameters.slide.max(1)).max(1);
        self.slides.retain(|(number, _)| slide - *number < kept);
        let in_window: u64 = self.slides.iter().map(|(_, count)| count).sum();
        self.most_in_window = self.most_in_window.max(in_window);
        let most = parameters.max_remembered;
        remember(&mut self.victim_ports, echo.victim_port, most);
        remember(&mut self.attacker_ports, echo.attacker_port, most);
        let network = match echo.attacker {
            IpAddr::V4(address) => u32::from(address) >> 16,
            IpAddr::V6(address) => (u128::from(address) >> 96) as u32,
        };
        match &mut self.many_networks {
            Some(many) => many.add(mix(u64::from(network))),
            None => {
                self.networks.insert(network);
                if self.networks.len() >= ONE_BY_ONE {
                    let mut many = Distinct::new(NETWORK_BITS);
                    std::mem::take(&mut self.networks).into_iter().for_each(|one| many.add(mix(one.into())));
                    self.many_networks = Some(many);
                }
            }
        }
    }

    pub(super) fn is_attack(&self, parameters: &BackscatterParameters) -> bool {
        self.packets >= parameters.least_packets
            && self.last - self.first >= parameters.least_duration
            && self.most_in_window >= parameters.least_in_window
    }

    pub(super) fn tell(
        &self,
        (flooded, victim): (Flooded, IpAddr),
        is_over: bool,
        scale: u64,
        parameters: &BackscatterParameters,
    ) -> BackscatterAttack {
        let window = (parameters.window / SECOND).max(1) as u64;
        BackscatterAttack {
            victim,
            flooded,
            first: self.first,
            last: self.last,
            is_over,
            packets: self.packets,
            bytes: self.bytes,
            most_per_minute: self.most_in_window * 60 / window,
            mismatches: self.mismatches,
            attacker_networks: match &self.many_networks {
                Some(many) => many.estimate(),
                None => self.networks.len() as u64,
            },
            victim_ports: self.victim_ports.iter().copied().collect(),
            attacker_ports: self.attacker_ports.iter().copied().collect(),
            pps_at_victim: self.most_in_window.saturating_mul(scale) / window,
        }
    }
}

fn remember<T: Ord>(known: &mut BTreeSet<T>, one: T, most: usize) {
    if known.len() < most {
        known.insert(one);
    }
}
