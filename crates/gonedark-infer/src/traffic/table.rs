//! The courses that are kept, in bounded memory: all of them while there is room, and the heavy ones where there is none.

use super::amount::Amount;
use super::course::Course;
use super::credit::Credit;
use super::place::Key;
use hashbrown::HashTable;

/// No account is kept ([`Entry::account`]).
pub(crate) const NO_ACCOUNT: u32 = u32::MAX;

/// A key that has no course.
pub(crate) const NOWHERE: u32 = u32::MAX;

/// Of a full table so much (percent) is kept when room is made. Guess.
const KEPT_PERCENT: usize = 75;
/// From this much (percent) on new ones have to show that they are worth it. Guess.
const CROWDED_PERCENT: usize = 87;
/// Places in which new ones show it: each for all of the same hash. Guess: 256 KiB.
const CONTENDERS: usize = 1 << 14;
/// Whoever has sent so many packets more than those of the same place is taken in: a quarter of the least threshold. Guess.
const WORTH_PACKETS: i64 = 250 * super::amount::SCALE;
/// And in so many records, as with sampling a single one stands for a thousand packets. Guess.
const WORTH_RECORDS: i64 = 4;

/// A target and a kind of traffic.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// The second in which it was last touched, and what came in that.
    pub(crate) touched_at: i64,
    pub(crate) fresh: Amount,
    /// The account that is kept of its target.
    pub(crate) account: u32,
    /// The largest sampling of late.
    pub(crate) sampling: u32,
    pub(crate) course: Course,
}

/// One that has no course yet: a vote by majority among those of one hash (Boyer and Moore).
#[derive(Clone, Copy, Default, Debug, serde::Serialize, serde::Deserialize)]
struct Contender {
    hash: u64,
    packets: i64,
    records: i64,
}

/// Courses by target and kind.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
    #[serde(skip)]
    index: HashTable<u32>,
    /// Touched in the second that goes on.
    pub(crate) touched: Vec<u32>,
    contenders: Vec<Contender>,
    /// Records that were not taken.
    pub(crate) refused: u64,
    #[serde(skip)]
    room: usize,
}

impl Table {
    pub(crate) fn new(room: usize) -> Self {
        Table { room: room.max(8), ..Table::default() }
    }

    /// Takes up what is not kept with the rest.
    pub(crate) fn take_up(&mut self, room: usize) {
        self.room = room.max(8);
        self.index_again();
    }

    fn index_again(&mut self) {
        self.index.clear();
        for (at, entry) in self.entries.iter().enumerate() {
            let hash = |at: &u32| self.entries.get(*at as usize).map_or(0, |entry| entry.key.hash());
            self.index.insert_unique(entry.key.hash(), at as u32, hash);
        }
    }

    #[cfg(test)]
    fn find(&self, key: Key) -> Option<&Entry> {
        self.entries.get(self.at(key, key.hash()) as usize)
    }

    pub(crate) fn find_mut(&mut self, key: Key) -> Option<&mut Entry> {
        let at = self.at(key, key.hash());
        self.entries.get_mut(at as usize)
    }

    /// Where the courses of keys lie ([`NOWHERE`] for those that are not taken in). First all are looked for, and only then
    /// those that are missing are taken in: the waits for memory of the first overlap.
    pub(crate) fn find_all(
        &mut self,
        keys: impl Iterator<Item = (Key, Amount)> + Clone,
        now: i64,
        into: &mut Vec<u32>,
    ) {
        into.clear();
        for (key, _) in keys.clone() {
            into.push(self.at(key, key.hash()));
        }
        for (at, (key, amount)) in into.iter_mut().zip(keys) {
            if *at == NOWHERE {
                *at = self.find_or_admit(key, amount, now);
            }
        }
    }

    #[inline]
    fn at(&self, key: Key, hash: u64) -> u32 {
        self.index.find(hash, |at| self.entries[*at as usize].key == key).copied().unwrap_or(NOWHERE)
    }

    /// Where the course of a key lies; it is taken in where there is none yet.
    #[inline]
    pub(crate) fn find_or_admit(&mut self, key: Key, amount: Amount, now: i64) -> u32 {
        let hash = key.hash();
        match self.at(key, hash) {
            NOWHERE => self.admit(key, hash, amount, now),
            at => at,
        }
    }

    /// Adds a flow to the course that lies there; gives the account that is kept of its target.
    #[inline]
    pub(crate) fn add(
        &mut self,
        at: u32,
        (credit, older): (&Credit, &[Amount]),
        sampling: u32,
        now: i64,
    ) -> u32 {
        let Some(entry) = self.entries.get_mut(at as usize) else { return NO_ACCOUNT };
        if entry.touched_at != now {
            entry.touched_at = now;
            entry.fresh = Amount::default();
            self.touched.push(at);
        }
        entry.fresh = entry.fresh.plus(credit.whole);
        entry.sampling = entry.sampling.max(sampling);
        entry.course.roll(now);
        entry.course.add(credit, older);
        entry.account
    }

    #[cold]
    fn admit(&mut self, key: Key, hash: u64, amount: Amount, now: i64) -> u32 {
        let count = self.entries.len();
        if count >= self.room || count * 100 >= self.room * CROWDED_PERCENT {
            let is_worth_it = self.contend(hash, amount);
            if count >= self.room || !is_worth_it {
                self.refused += 1;
                return NOWHERE;
            }
        }
        let at = count as u32;
        self.entries.push(Entry {
            key,
            touched_at: i64::MIN,
            fresh: Amount::default(),
            account: NO_ACCOUNT,
            sampling: 1,
            course: Course::new(now),
        });
        let entries = &self.entries;
        self.index.insert_unique(hash, at, |at| entries[*at as usize].key.hash());
        at
    }

    /// Whether one that has no course is worth one by now.
    fn contend(&mut self, hash: u64, amount: Amount) -> bool {
        if self.contenders.is_empty() {
            self.contenders = vec![Contender::default(); CONTENDERS];
        }
        let contender = &mut self.contenders[(hash >> 40) as usize % CONTENDERS];
        if contender.hash == hash {
            contender.packets = contender.packets.saturating_add(amount.packets);
            contender.records += 1;
        } else if contender.records <= 1 {
            *contender = Contender { hash, packets: amount.packets, records: 1 };
        } else {
            contender.packets = contender.packets.saturating_sub(amount.packets);
            contender.records -= 1;
        }
        contender.hash == hash && contender.packets >= WORTH_PACKETS && contender.records >= WORTH_RECORDS
    }

    /// Makes room where there is little, at the end of a second: the lightest go, those of the same weight by their keys.
    pub(crate) fn make_room(&mut self, now: i64) {
        self.touched.clear();
        if self.entries.len() * 100 < self.room * CROWDED_PERCENT {
            return;
        }
        let kept = self.room * KEPT_PERCENT / 100;
        let weigh = |entry: &mut Entry| {
            entry.course.roll(now);
            let total = entry.course.total();
            // A packet is worth as much as the bytes of a small one.
            (entry.account != NO_ACCOUNT, total.packets.saturating_add(total.bytes / 64))
        };
        let mut order: Vec<((bool, i64), Key, usize)> =
            self.entries.iter_mut().enumerate().map(|(at, entry)| (weigh(entry), entry.key, at)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        order.truncate(kept);
        let mut keep = vec![false; self.entries.len()];
        for (_, _, at) in order {
            keep[at] = true;
        }
        let mut keep = keep.into_iter();
        self.entries.retain(|_| keep.next().unwrap_or_default());
        self.index_again();
    }

    /// Forgets those that had nothing for five minutes.
    pub(crate) fn forget_idle(&mut self, now: i64) {
        let idle = super::course::STRETCH * (super::course::STRETCHES as i64 + 1);
        let before = self.entries.len();
        self.entries.retain(|entry| now - entry.touched_at < idle || entry.account != NO_ACCOUNT);
        if self.entries.len() != before {
            self.index_again();
        }
        self.contenders.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::super::kind::Misuse;
    use super::super::place::Place;
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    const NOW: i64 = 1_419_264_900;

    fn key(number: u32) -> Key {
        Key { place: Place::host(IpAddr::V4(Ipv4Addr::from(number))), kind: Misuse::UdpFlood }
    }

    fn credit(packets: u64, now: i64) -> Credit {
        Credit::new(
            Amount::estimated(packets, packets * 100, 1),
            (now * 1_000_000, now * 1_000_000),
            now,
            &mut Vec::new(),
        )
    }

    fn put(table: &mut Table, key: Key, credit: &Credit, sampling: u32, now: i64) {
        let at = table.find_or_admit(key, credit.whole, now);
        table.add(at, (credit, &[]), sampling, now);
    }

    #[test]
    fn a_flood_to_random_targets_evicts_no_heavy_host_and_takes_no_memory() {
        let mut table = Table::new(1_000);
        let mut random = 1_u64;
        for second in 0..20 {
            let now = NOW + second;
            for host in 0..100 {
                put(&mut table, key(host), &credit(1_000, now), 1, now);
            }
            for _ in 0..5_000 {
                random = super::super::place::mix(random);
                put(&mut table, key(random as u32 | 1 << 31), &credit(1, now), 1, now);
            }
            table.make_room(now);
            assert!(table.entries.len() <= 1_000);
        }
        for host in 0..100 {
            let entry = table.find(key(host)).expect("a heavy host");
            assert_eq!(entry.course.total().whole_packets(), 20_000);
        }
        assert!(table.refused > 50_000);
    }

    #[test]
    fn a_host_that_becomes_heavy_in_a_full_table_is_taken_in() {
        let mut table = Table::new(1_000);
        let mut random = 1_u64;
        for second in 0..3 {
            let now = NOW + second;
            for round in 0..20_000 {
                random = super::super::place::mix(random);
                put(&mut table, key(random as u32 | 1 << 31), &credit(1_000, now), 1_000, now);
                if second == 2 && round % 20 == 0 {
                    put(&mut table, key(7), &credit(1_000, now), 1_000, now);
                }
            }
            table.make_room(now);
        }
        let entry = table.find(key(7)).expect("taken in");
        assert!(entry.course.total().whole_packets() > 900_000, "{:?}", entry.course.total());
    }
}
