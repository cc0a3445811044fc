//! The courses that are kept, in bounded memory: all of them while there is room, and the heavy ones where there is none.

use super::amount::Amount;
use super::contenders::{Claim, Contenders};
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
/// Places in which it is remembered where a course lies, of those that are asked for again and again. Guess: 4 KiB.
const HINTS: usize = 1 << 10;
/// A target and a kind of traffic: what every record asks for, in one line of the cache. Its course, twenty times as large,
/// lies elsewhere, so that looking for one of many stays within few pages.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[repr(align(64))]
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// The second in which it was last touched, and what came in that.
    pub(crate) touched_at: i64,
    pub(crate) fresh: Amount,
    /// The account that is kept of its target.
    pub(crate) account: u32,
    /// The largest sampling of late.
    pub(crate) sampling: u32,
}

const _: () = assert!(size_of::<Entry>() == 64, "an entry is one line");

/// Courses by target and kind.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
    /// The course of each.
    pub(crate) courses: Vec<Course>,
    #[serde(skip)]
    index: HashTable<u32>,
    /// Where courses lay when they were asked for last.
    #[serde(skip)]
    hints: Vec<u32>,
    /// Touched in the second that goes on.
    pub(crate) touched: Vec<u32>,
    contenders: Contenders,
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
    fn find(&self, key: Key) -> Option<&Course> {
        self.courses.get(self.at(key, key.hash()) as usize)
    }

    pub(crate) fn find_mut(&mut self, key: Key) -> Option<(&mut Entry, &mut Course)> {
        let at = self.at(key, key.hash()) as usize;
        self.entries.get_mut(at).zip(self.courses.get_mut(at))
    }

    /// Where the courses of keys lie ([`NOWHERE`] for those that are not taken in). First all are looked for, and only then
    /// those that are missing are taken in: the waits for memory of the first overlap.
    pub(crate) fn find_all(
        &mut self,
        count: usize,
        wanted: impl Fn(usize) -> (Key, u64, Claim),
        now: i64,
        into: &mut Vec<u32>,
    ) {
        into.clear();
        for number in 0..count {
            let (key, hash, _) = wanted(number);
            into.push(self.at(key, hash));
        }
        for (number, at) in into.iter_mut().enumerate().filter(|(_, at)| **at == NOWHERE) {
            let (key, hash, claim) = wanted(number);
            *at = self.find_or_admit(key, hash, claim, now);
        }
    }

    /// Looks at what adding will change, and at no more than that: the waits for memory of many courses overlap, where adding
    /// to one after the other would have each wait for itself.
    #[inline]
    pub(crate) fn look_ahead<'a>(&self, wanted: impl Iterator<Item = (&'a u32, &'a Credit)>, now: i64) {
        let mut seen = 0;
        for (at, credit) in wanted {
            let at = *at as usize;
            if let (Some(entry), Some(course)) = (self.entries.get(at), self.courses.get(at)) {
                seen ^= course.look_at(credit);
                if entry.touched_at != now {
                    seen ^= course.look_at_first(now);
                }
            }
        }
        std::hint::black_box(seen);
    }

    #[inline]
    fn at(&self, key: Key, hash: u64) -> u32 {
        self.index.find(hash, |at| self.entries[*at as usize].key == key).copied().unwrap_or(NOWHERE)
    }

    /// Where the course of a key lies; it is taken in where there is none yet.
    #[inline]
    pub(crate) fn find_or_admit(&mut self, key: Key, hash: u64, claim: Claim, now: i64) -> u32 {
        match self.at(key, hash) {
            NOWHERE => self.admit(key, hash, claim, now),
            at => at,
        }
    }

    /// The same, for few that have many records.
    #[inline]
    pub(crate) fn find_often(&mut self, key: Key, claim: Claim, now: i64) -> u32 {
        let near = key.nearly() % HINTS;
        match self.hints.get(near) {
            Some(at) if self.entries.get(*at as usize).is_some_and(|entry| entry.key == key) => *at,
            _ => self.find_and_hint(key, claim, now, near),
        }
    }

    fn find_and_hint(&mut self, key: Key, claim: Claim, now: i64, near: usize) -> u32 {
        let at = self.find_or_admit(key, key.hash(), claim, now);
        if at != NOWHERE {
            self.hints.resize(HINTS, NOWHERE);
            self.hints[near] = at;
        }
        at
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
        let at = at as usize;
        let (Some(entry), Some(course)) = (self.entries.get_mut(at), self.courses.get_mut(at)) else {
            return NO_ACCOUNT;
        };
        if entry.touched_at != now {
            entry.touched_at = now;
            entry.fresh = Amount::default();
            self.touched.push(at as u32);
            course.roll(now);
        }
        entry.fresh = entry.fresh.plus(credit.whole);
        entry.sampling = entry.sampling.max(sampling);
        course.add(credit, older);
        entry.account
    }

    #[cold]
    fn admit(&mut self, key: Key, hash: u64, claim: Claim, now: i64) -> u32 {
        let count = self.entries.len();
        if count >= self.room || count * 100 >= self.room * CROWDED_PERCENT {
            let is_worth_it = self.contenders.contend(hash, claim);
            if count >= self.room || !is_worth_it {
                self.refused += u64::from(claim.records);
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
        });
        self.courses.push(Course::new(now));
        let entries = &self.entries;
        self.index.insert_unique(hash, at, |at| entries[*at as usize].key.hash());
        at
    }

    /// Makes room where there is little, at the end of a second: the lightest go, those of the same weight by their keys.
    pub(crate) fn make_room(&mut self, now: i64) {
        self.touched.clear();
        if self.entries.len() * 100 < self.room * CROWDED_PERCENT {
            return;
        }
        let kept = self.room * KEPT_PERCENT / 100;
        let weigh = |entry: &Entry, course: &mut Course| {
            course.roll(now);
            let total = course.total();
            // A packet is worth as much as the bytes of a small one.
            (entry.account != NO_ACCOUNT, total.packets.saturating_add(total.bytes / 64))
        };
        let both = self.entries.iter().zip(&mut self.courses).enumerate();
        let mut order: Vec<((bool, i64), Key, usize)> =
            both.map(|(at, (entry, course))| (weigh(entry, course), entry.key, at)).collect();
        order.sort_unstable_by(|a, b| b.cmp(a));
        order.truncate(kept);
        let mut keep = vec![false; self.entries.len()];
        for (_, _, at) in order {
            keep[at] = true;
        }
        self.keep(&keep);
    }

    fn keep(&mut self, keep: &[bool]) {
        let mut of_entry = keep.iter();
        self.entries.retain(|_| of_entry.next().copied().unwrap_or_default());
        let mut of_course = keep.iter();
        self.courses.retain(|_| of_course.next().copied().unwrap_or_default());
        self.index_again();
    }

    /// Forgets those that had nothing for five minutes.
    pub(crate) fn forget_idle(&mut self, now: i64) {
        let idle = super::course::STRETCH * (super::course::STRETCHES as i64 + 1);
        let is_kept = |entry: &Entry| now - entry.touched_at < idle || entry.account != NO_ACCOUNT;
        let keep: Vec<bool> = self.entries.iter().map(is_kept).collect();
        if keep.contains(&false) {
            self.keep(&keep);
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
        let at = table.find_or_admit(key, key.hash(), Claim { amount: credit.whole, records: 1 }, now);
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
            let course = table.find(key(host)).expect("a heavy host");
            assert_eq!(course.total().whole_packets(), 20_000);
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
        let course = table.find(key(7)).expect("taken in");
        assert!(course.total().whole_packets() > 900_000, "{:?}", course.total());
    }
}
