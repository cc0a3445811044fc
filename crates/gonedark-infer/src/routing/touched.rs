//! What messages touched a moment ago: for a table that is settled later than its time, which must not overrule them.

use crate::observation::{NetworkId, PeerId};
use gonedark_route::Time;
use std::collections::VecDeque;

/// Bytes of a block. What is forgotten is given back by blocks, so that memory is as much as was said of late, where a ring
/// would keep what the most took, and twice that. Guess.
const BLOCK: usize = 1 << 16;
/// What is remembered, however much messages say within a backlog: 192 MiB. Guess: ten times what all collectors say in two
/// minutes.
const MOST: usize = (192 << 20) / BLOCK;
/// The longest that one touch is: two numbers of 64 bits, two of 16.
const LONGEST: usize = 2 * 10 + 2 * 3;

/// Touches in order of time.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Touched {
    blocks: VecDeque<Block>,
}

/// Touches in the fewest bytes: there are as many as routes where a table is sent, and of 12 bytes each they were a quarter of
/// what a watch in trouble took. Each is the difference of its row from the one before and whether time, shard and peer are
/// the same, then where they are not by how much later it is, and whose.
#[derive(serde::Serialize, serde::Deserialize)]
struct Block {
    begin: Time,
    last: Touch,
    #[serde(with = "serde_bytes")]
    bytes: Vec<u8>,
}

/// A message touched what a peer holds of a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
struct Touch {
    at: Time,
    network: NetworkId,
    peer: PeerId,
}

impl Touch {
    /// What the first of a block is told from.
    fn before_all(at: Time) -> Self {
        Touch { at, network: NetworkId { shard: 0, row: 0 }, peer: PeerId(0) }
    }
}

impl Touched {
    /// Notes one; none is earlier than those before it.
    #[inline]
    pub(crate) fn push(&mut self, at: Time, network: NetworkId, peer: PeerId) {
        let touch = Touch { at, network, peer };
        match self.blocks.back_mut() {
            Some(block) if block.bytes.len() + LONGEST <= BLOCK => block.push(touch),
            _ => self.blocks.push_back(Block::new(touch)),
        }
    }

    /// Forgets blocks that end before `until`, and the earliest of too many.
    pub(crate) fn forget(&mut self, until: Time) {
        while let Some(block) = self.blocks.front()
            && (block.last.at < until || self.blocks.len() > MOST)
        {
            self.blocks.pop_front();
        }
    }

    /// What was touched from `since` on.
    pub(crate) fn since(&self, since: Time) -> impl Iterator<Item = (NetworkId, PeerId)> + '_ {
        let late = self.blocks.iter().rev().take_while(move |block| block.last.at >= since);
        let touches = late.flat_map(Block::touches).filter(move |touch| touch.at >= since);
        touches.map(|touch| (touch.network, touch.peer))
    }
}

impl Block {
    fn new(first: Touch) -> Self {
        let bytes = Vec::with_capacity(BLOCK);
        let mut block = Block { begin: first.at, last: Touch::before_all(first.at), bytes };
        block.push(first);
        block
    }

    #[inline]
    fn push(&mut self, touch: Touch) {
        let Touch { at, network, peer } = self.last;
        let same = (at, network.shard, peer) == (touch.at, touch.network.shard, touch.peer);
        let further = i64::from(touch.network.row) - i64::from(network.row);
        write(&mut self.bytes, zigzag(further) << 1 | u64::from(same));
        if !same {
            write(&mut self.bytes, (touch.at - at) as u64);
            write(&mut self.bytes, u64::from(touch.network.shard));
            write(&mut self.bytes, u64::from(touch.peer.0));
        }
        self.last = touch;
    }

    /// All of them, in order.
    fn touches(&self) -> impl Iterator<Item = Touch> + '_ {
        let (mut bytes, mut last) = (&self.bytes[..], Touch::before_all(self.begin));
        std::iter::from_fn(move || {
            let head = read(&mut bytes)?;
            last.network.row = (i64::from(last.network.row) + unzigzag(head >> 1)) as u32;
            if head & 1 == 0 {
                last.at = last.at + read(&mut bytes)? as i64;
                last.network.shard = read(&mut bytes)? as u16;
                last.peer = PeerId(read(&mut bytes)? as u16);
            }
            Some(last)
        })
    }
}

/// Small differences to either side as small numbers.
fn zigzag(difference: i64) -> u64 {
    (difference << 1 ^ difference >> 63) as u64
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// Appends a number, seven bits a byte (LEB128).
#[inline]
fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number > 0x7f {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Takes one from the front; `None` at the end.
fn read(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_touched_of_late_is_all_there(
            pauses in prop::collection::vec(prop_oneof![Just(0), 0..2_000_000_i64, 0..5_000_000_000_i64], 0..200),
            rows in prop::collection::vec((any::<u16>(), any::<u32>(), 0..3_u16), 1..400),
            backlog in 0..9_000_000_000_i64,
        ) {
            let (mut touched, mut all, mut at) = (Touched::default(), Vec::new(), Time::from_seconds(1_700_000_000));
            for pause in &pauses {
                at = at + *pause;
                touched.forget(at + -backlog);
                for (shard, row, peer) in rows.iter().copied() {
                    let touch = (NetworkId { shard, row }, PeerId(peer));
                    touched.push(at, touch.0, touch.1);
                    all.push((at, touch));
                }
            }
            let late = all.iter().filter(|(then, _)| *then >= at + -backlog).map(|(_, touch)| *touch);
            let mut late: Vec<_> = late.collect();
            let mut found: Vec<_> = touched.since(at + -backlog).collect();
            late.sort();
            found.sort();
            prop_assert_eq!(found, late);
        }

        #[test]
        fn a_number_is_read_as_it_was_written(number: u64, difference: i64, rest: Vec<u8>) {
            let mut bytes = Vec::new();
            write(&mut bytes, number);
            prop_assert!(bytes.len() <= 10);
            bytes.extend(&rest);
            let mut left = &bytes[..];
            prop_assert_eq!(read(&mut left), Some(number));
            prop_assert_eq!(left, &rest[..]);
            prop_assert_eq!(unzigzag(zigzag(difference)), difference);
        }
    }

    #[test]
    fn what_is_forgotten_takes_no_memory_and_there_are_never_too_many() {
        let mut touched = Touched::default();
        let at = Time::from_seconds;
        let touch = |touched: &mut Touched, second: i64, row| {
            touched.forget(at(second - 2));
            touched.push(at(second), NetworkId { shard: 0, row }, PeerId(row as u16));
        };
        for second in 0..10 {
            // Some of each block.
            for row in 0..BLOCK as u32 / 8 {
                touch(&mut touched, second, row << 8);
            }
            assert!(touched.blocks.len() <= 4, "{}", touched.blocks.len());
        }
        for row in 0..(MOST * BLOCK / 4) as u32 {
            touch(&mut touched, 10, row << 4);
        }
        assert!((MOST..=MOST + 1).contains(&touched.blocks.len()), "{}", touched.blocks.len());
        assert!(touched.blocks.iter().all(|block| block.bytes.capacity() == BLOCK));
        touched.forget(Time::MAX);
        assert_eq!(touched.blocks.len(), 0);
    }

    #[test]
    fn the_routes_of_a_table_take_some_bytes_each() {
        let mut touched = Touched::default();
        for row in 0..100_000 {
            touched.push(Time::from_seconds(1), NetworkId { shard: 1, row }, PeerId(7));
        }
        assert!(touched.blocks.len() <= 3, "{} blocks", touched.blocks.len());
    }
}
