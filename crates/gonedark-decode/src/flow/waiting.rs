//! Sets of data whose template has not come yet.

use crate::flow::counters::{Counters, add};
use crate::flow::times::Clocks;
use gonedark_route::Time;
use std::collections::{BTreeMap, VecDeque};

/// What a set waits for: version, domain and template.
pub(super) type Wanted = (u16, u32, u16);

/// A set that waits.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) wanted: Wanted,
    /// What the header of its datagram said of times.
    pub(super) clocks: Clocks,
    received: Time,
    /// The set with its header, and as many bytes before it as reading needs.
    pub(super) bytes: Vec<u8>,
}

/// The sets of one exporter that wait, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    held: VecDeque<Held>,
    /// How many wait for what: most templates are waited for by none, and a datagram may bring thousands.
    wanted: BTreeMap<Wanted, usize>,
    bytes: usize,
}

impl Waiting {
    /// How many sets wait.
    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Lets a set wait. Older ones make room for it.
    pub(super) fn hold(&mut self, held: Held, bytes_max: usize, counters: &mut Counters) {
        add(&mut counters.sets_waited, 1);
        let size = Waiting::size(&held);
        if size > bytes_max {
            add(&mut counters.sets_without_room, 1);
            return;
        }
        self.bytes = self.bytes.saturating_add(size);
        let count = self.wanted.entry(held.wanted).or_default();
        *count = count.saturating_add(1);
        self.held.push_back(held);
        while self.bytes > bytes_max && self.drop_oldest() {
            add(&mut counters.sets_without_room, 1);
        }
    }

    /// Drops those that came more than `age_max` microseconds before `now`.
    pub(super) fn expire(&mut self, now: Time, age_max: i64, counters: &mut Counters) {
        while self.held.front().is_some_and(|held| held.age(now) > age_max) && self.drop_oldest() {
            add(&mut counters.sets_too_old, 1);
        }
    }

    /// What it takes in memory. What stands around the bytes counts as well: many small sets would else be many.
    fn size(held: &Held) -> usize {
        held.bytes.len().saturating_add(size_of::<Held>())
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(held) = self.held.pop_front() else { return false };
        self.is_gone(&held);
        true
    }

    fn is_gone(&mut self, held: &Held) {
        self.bytes = self.bytes.saturating_sub(Waiting::size(held));
        if let Some(count) = self.wanted.get_mut(&held.wanted) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.wanted.remove(&held.wanted);
            }
        }
    }

    /// The oldest set that waits for a template.
    pub(super) fn take(&mut self, wanted: Wanted) -> Option<Held> {
        self.wanted.get(&wanted)?;
        let at = self.held.iter().position(|held| held.wanted == wanted)?;
        let held = self.held.remove(at)?;
        self.is_gone(&held);
        Some(held)
    }
}

impl Held {
    pub(super) fn new(wanted: Wanted, clocks: Clocks, received: Time, bytes: Vec<u8>) -> Self {
        Held { wanted, clocks, received, bytes }
    }

    /// For how many microseconds it waits.
    fn age(&self, now: Time) -> i64 {
        now.micros().saturating_sub(self.received.micros())
    }
}
