//! How a change spreads: which peer sees it when, and which network goes when.

use super::plan::Scenario;
use super::prng::SplitMix64;
use gonedark_route::{Asn, Family};
use std::collections::BTreeMap;

/// Networks that go one after the other go in so many steps at most: bounds the queue.
const STEPS: usize = 60;

/// Each peer's delay in microseconds. Of the ASes with a full IPv4 feed from outside the scenario's own countries of
/// vantage, the first sees the change at once and the last after `spread`; all sessions of an AS see it together.
pub(crate) fn delays(scenario: &Scenario, spread: i64, numbers: &mut SplitMix64) -> Vec<i64> {
    let is_witness = |asn: Asn| {
        scenario.peers.iter().any(|peer| {
            peer.asn == asn && peer.full && peer.country.is_none() && peer.families[Family::V4 as usize]
        })
    };
    let asns: BTreeMap<Asn, bool> =
        scenario.peers.iter().map(|peer| (peer.asn, is_witness(peer.asn))).collect();
    let mut delay: BTreeMap<Asn, i64> = asns.keys().map(|asn| (*asn, numbers.between(0, spread))).collect();
    let mut witnesses: Vec<Asn> = asns.iter().filter(|(_, is)| **is).map(|(asn, _)| *asn).collect();
    numbers.shuffle(&mut witnesses);
    if let [first, .., last] = witnesses.as_slice() {
        delay.insert(*first, 0);
        delay.insert(*last, spread);
    }
    scenario.peers.iter().map(|peer| delay[&peer.asn]).collect()
}

/// Which networks change how long after the first: the first group at once, the last after `stagger`.
pub(crate) fn offsets(networks: &[u32], stagger: i64, numbers: &mut SplitMix64) -> Vec<(i64, Vec<u32>)> {
    if stagger == 0 || networks.len() < 2 {
        return vec![(0, networks.to_vec())];
    }
    let mut shuffled = networks.to_vec();
    numbers.shuffle(&mut shuffled);
    let size = shuffled.len().div_ceil(STEPS);
    let groups: Vec<Vec<u32>> = shuffled
        .chunks(size)
        .map(|group| {
            let mut group = group.to_vec();
            group.sort_unstable();
            group
        })
        .collect();
    let last = (groups.len() - 1).max(1) as i64;
    groups.into_iter().enumerate().map(|(index, group)| (stagger * index as i64 / last, group)).collect()
}
