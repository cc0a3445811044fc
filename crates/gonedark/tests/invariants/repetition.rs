//! Invariants 8 and 11: nothing depends on how the same observations are given.

use crate::feed::{Feeding, report, said};
use crate::{difference, kept};
use gonedark::scenario::{self, RandomOptions};

fn compare(seeds: std::ops::Range<u64>, options: RandomOptions, variants: &[(&str, Feeding)]) {
    for seed in seeds {
        let scenario = scenario::random(seed, options);
        let plain = said(&report(&scenario, &Feeding::default()));
        for (name, feeding) in variants {
            if let Some(line) = difference(&plain, &said(&report(&scenario, feeding))) {
                panic!("seed {seed}, {name}: {}\n{line}", kept(&scenario));
            }
        }
    }
}

fn untabled() -> RandomOptions {
    RandomOptions { tables: false, ..RandomOptions::default() }
}

#[test]
fn replaying_twice_says_the_same() {
    compare(0..10, RandomOptions::default(), &[("again", Feeding::default())]);
}

#[test]
fn the_number_of_shards_changes_nothing() {
    let shards = |shards| Feeding { shards, ..Feeding::default() };
    let variants = [("2 shards", shards(2)), ("7 shards", shards(7))];
    compare(0..60, RandomOptions::default(), &variants);
    compare(0..30, untabled(), &variants);
}

#[test]
fn the_order_between_peers_within_a_stamp_changes_nothing() {
    let shuffled = |seed| Feeding { shuffle: Some(seed), ..Feeding::default() };
    let variants = [("shuffled", shuffled(1)), ("shuffled otherwise", shuffled(77))];
    compare(0..60, RandomOptions::default(), &variants);
    // Without a table nobody knows whether a first word of withdrawal and another session's announcement within one
    // second mean that the AS had held the network: there the order of its sessions still shows.
    compare(0..30, RandomOptions { twins: false, ..untabled() }, &variants);
}

#[test]
fn watermarks_in_between_change_nothing() {
    let marked = |watermarks| Feeding { watermarks, ..Feeding::default() };
    let variants = [("one watermark", marked(1)), ("five watermarks", marked(5))];
    compare(0..60, RandomOptions::default(), &variants);
    compare(0..30, untabled(), &variants);
}

#[test]
fn a_restart_at_any_moment_changes_nothing() {
    let restarted = |restarts, shards| Feeding { restarts: Some(restarts), shards, ..Feeding::default() };
    let variants = [("restarted", restarted(3, 1)), ("restarted elsewhere, 3 shards", restarted(99, 3))];
    compare(0..40, RandomOptions::default(), &variants);
    compare(0..20, untabled(), &variants);
}
