//! What messages touched a moment ago: for a table that is settled later than its time, which must not overrule them.

use crate::observation::{NetworkId, PeerId};
use gonedark_route::Time;
use std::collections::VecDeque;

/// What is remembered, however much messages say within a backlog: 192 MiB. Guess: five times what all collectors say in two
/// minutes.
const MOST: usize = 1 << 24;
/// Touches of a block, 192 KiB: what is forgotten is given back by blocks, so that memory is as much as was said of late,
/// where a ring would keep what the most took, and twice that. Guess.
const BLOCK: usize = 1 << 14;

/// Touches in order of time.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Touched {
    blocks: VecDeque<Block>,
    len: usize,
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Block {
    begin: Time,
    touches: Vec<Touch>,
}

/// A message touched what a peer holds of a row: 12 bytes, as there are as many as routes where a table is sent.
#[derive(serde::Serialize, serde::Deserialize)]
struct Touch {
    /// Microseconds since the begin of the block.
    after: u32,
    row: u32,
    shard: u16,
    peer: PeerId,
}

impl Touched {
    /// Notes one; none is earlier than those before it.
    #[inline]
    pub(crate) fn push(&mut self, at: Time, NetworkId { shard, row }: NetworkId, peer: PeerId) {
        self.len += 1;
        let touch = |after| Touch { after, row, shard, peer };
        if let Some(block) = self.blocks.back_mut()
            && block.touches.len() < BLOCK
            && let Ok(after) = u32::try_from(at - block.begin)
        {
            return block.touches.push(touch(after));
        }
        self.blocks.push_back(Block { begin: at, touches: vec![touch(0)] });
    }

    /// Forgets blocks that end before `until`, and the earliest where `more` to come would be too many.
    pub(crate) fn forget(&mut self, until: Time, more: usize) {
        let most = MOST.saturating_sub(more);
        while let Some(block) = self.blocks.front()
            && (block.end() < until || self.len > most)
        {
            self.len -= block.touches.len();
            self.blocks.pop_front();
        }
    }

    /// What was touched from `since` on, the latest first.
    pub(crate) fn since(&self, since: Time) -> impl Iterator<Item = (NetworkId, PeerId)> + '_ {
        let all = self.blocks.iter().rev().flat_map(|block| {
            block.touches.iter().rev().map(|touch| (block.begin + i64::from(touch.after), touch))
        });
        all.take_while(move |(at, _)| *at >= since)
            .map(|(_, touch)| (NetworkId { shard: touch.shard, row: touch.row }, touch.peer))
    }
}

impl Block {
    fn end(&self) -> Time {
        self.begin + self.touches.last().map_or(0, |last| i64::from(last.after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_touched_of_late_is_all_there_and_in_order(
            pauses in prop::collection::vec(prop_oneof![Just(0), 0..2_000_000_i64, 0..5_000_000_000_i64], 0..200),
            repeats in 1..400_usize,
            backlog in 0..9_000_000_000_i64,
        ) {
            let (mut touched, mut all, mut at) = (Touched::default(), Vec::new(), Time::from_seconds(1_700_000_000));
            for (row, pause) in pauses.iter().enumerate() {
                at = at + *pause;
                touched.forget(at + -backlog, repeats);
                for peer in 0..repeats as u16 {
                    let network = NetworkId { shard: 3, row: row as u32 };
                    touched.push(at, network, PeerId(peer));
                    all.push((at, (network, PeerId(peer))));
                }
            }
            let expected: Vec<_> = all.iter().rev().take_while(|(then, _)| *then >= at + -backlog).map(|(_, what)| *what).collect();
            prop_assert_eq!(touched.since(at + -backlog).collect::<Vec<_>>(), expected);
            prop_assert_eq!(touched.len, touched.blocks.iter().map(|block| block.touches.len()).sum::<usize>());
        }
    }

    #[test]
    fn what_is_forgotten_takes_no_memory_and_there_are_never_too_many() {
        let mut touched = Touched::default();
        let at = Time::from_seconds;
        let network = NetworkId { shard: 0, row: 0 };
        for second in 0..10 {
            touched.forget(at(second - 2), BLOCK);
            for _ in 0..BLOCK {
                touched.push(at(second), network, PeerId(0));
            }
            assert!(touched.blocks.len() <= 3, "{}", touched.blocks.len());
        }
        touched.forget(Time::MIN, MOST - 1);
        assert_eq!((touched.len, touched.blocks.len()), (0, 0));
    }
}
