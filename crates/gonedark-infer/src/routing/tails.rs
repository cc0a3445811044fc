//! Path tails: the origin of a route and the AS before it.
//!
//! The table keeps of a path what the statements of a replay rest on: who originates, and through whom. With 35 peers
//! of 2014 a row has 28 distinct paths but 2.5 distinct tails (METHOD.md, "What the table keeps"), which is what lets
//! a cell be one byte.

use foldhash::fast::FixedState;
use gonedark_route::{Asn, PathView};
use hashbrown::HashMap;

/// Origin and upstream of a route; `None` where the path does not tell (empty path, AS_SET of several members).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub(crate) struct Tail {
    pub(crate) origin: Option<Asn>,
    pub(crate) upstream: Option<Asn>,
}

impl Tail {
    fn key(origin: Option<Asn>, upstream: Option<Asn>) -> u64 {
        // AS0 is reserved (RFC 7607) and stands for "none".
        u64::from(upstream.unwrap_or_default().0) << 32 | u64::from(origin.unwrap_or_default().0)
    }
}

/// A number for each tail ever seen. Bounded by the pairs of neighbouring ASes (some hundred thousand).
#[derive(Default)]
pub(crate) struct Tails {
    keys: Vec<u64>,
    index: HashMap<u64, u32, FixedState>,
    /// The answer to the last question with the same low bits: tables name the same few tails again and again.
    recent: Vec<(u64, u32)>,
}

/// Slots of the recent-answers cache; 16 bytes each, half of a first-level data cache.
const RECENT: usize = 1024;

impl Tails {
    pub(crate) fn intern(&mut self, path: PathView<'_>) -> u32 {
        let (origin, upstream) = path.tail();
        let key = Tail::key(origin, upstream);
        let slot = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize;
        if self.recent.is_empty() {
            self.recent.resize(RECENT, (u64::MAX, 0));
        }
        if self.recent[slot].0 == key {
            return self.recent[slot].1;
        }
        let keys = &mut self.keys;
        let id = *self.index.entry(key).or_insert_with(|| {
            keys.push(key);
            (keys.len() - 1) as u32
        });
        self.recent[slot] = (key, id);
        id
    }

    pub(crate) fn get(&self, id: u32) -> Tail {
        let key = self.keys[id as usize];
        let asn = |value: u64| (value != 0).then_some(Asn(value as u32));
        Tail { origin: asn(key & 0xFFFF_FFFF), upstream: asn(key >> 32) }
    }
}
