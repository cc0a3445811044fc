//! The vote on each row: what counts, what is lost, what is back.

use super::bits::Bits;
use super::change::{Change, Loss};
use super::row::Flags;
use super::shard::{HELD, Shard, USUAL, bound};
use super::tails::Tails;
use super::vantage::{Ballot, Vantage};
use crate::observation::PeerId;
use crate::parameters::Parameters;
use crate::report::Interval;
use gonedark_route::{Family, Time};

impl Shard {
    /// Votes on every row that fell or rose since the last look. A row is judged lost only when a voter lost it, and
    /// back only when a voter got it back: that others can no longer see is no reason for either.
    pub(crate) fn look(&mut self, at: Time, vantage: &Vantage, parameters: &Parameters) {
        let ballot = &vantage.ballot;
        self.settle_all(vantage);
        for (unjudged, _) in self.unjudged.iter_mut().zip(ballot.covered).filter(|(_, covered)| *covered) {
            self.dirty.append(unjudged);
        }
        let mut dirty = std::mem::take(&mut self.dirty);
        for row in &dirty {
            let family = self.rows[*row as usize].prefix.family() as usize;
            if !ballot.covered[family] {
                self.unjudged[family].push(*row);
                continue;
            }
            let flags = &mut self.rows[*row as usize].flags;
            let (fell, rose) = (flags.has(Flags::FELL), flags.has(Flags::ROSE));
            flags.clear(Flags::FELL);
            flags.clear(Flags::ROSE);
            self.judge(*row, (fell, rose), at, ballot, parameters);
        }
        dirty.clear();
        self.dirty = dirty;
    }

    /// Whether anything has to be looked at.
    pub(crate) fn has_news(&self, ballot: &Ballot) -> bool {
        let judgeable = |(unjudged, covered): (&Vec<u32>, bool)| covered && !unjudged.is_empty();
        !self.dirty.is_empty()
            || !self.out.is_empty()
            || !self.counted.is_empty()
            || self.is_unsettled()
            || self.unjudged.iter().zip(ballot.covered).any(judgeable)
    }

    fn judge(
        &mut self,
        row: u32,
        (fell, rose): (bool, bool),
        at: Time,
        ballot: &Ballot,
        parameters: &Parameters,
    ) {
        let flags = self.rows[row as usize].flags;
        if !flags.has(Flags::COUNTED) && !self.count(row, at, ballot, parameters) {
            return;
        }
        let (usual, held) = self.tally(row, ballot);
        let lost = flags.has(Flags::LOST);
        let deep = u64::from(held) * 100 <= u64::from(usual) * parameters.dark_left_percent;
        if !lost && fell && held * 2 < usual {
            self.lose(row, at, (usual, deep), ballot);
        } else if lost && rose && u64::from(held) * 100 >= u64::from(usual) * parameters.back_percent {
            let known = &mut self.rows[row as usize];
            known.flags.clear(Flags::LOST);
            known.flags.clear(Flags::DEEP);
            // Stragglers are told for as long as a further loss would still belong to the same incident.
            known.watched_until = at + parameters.unstable_gap;
            self.tell(at, row, Change::Back);
        } else if lost && deep != flags.has(Flags::DEEP) {
            let known = &mut self.rows[row as usize];
            if deep {
                known.flags.set(Flags::DEEP)
            } else {
                known.flags.clear(Flags::DEEP)
            }
            self.tell(at, row, Change::Depth { deep });
        }
    }

    fn lose(&mut self, row: u32, at: Time, (usual, deep): (u32, bool), ballot: &Ballot) {
        let losses = self.losses_of(row, ballot);
        let voters = self.voters_of(row, ballot).into_iter();
        let kept = voters.filter_map(|(voter, held)| held.then_some(voter)).collect();
        let mut times: Vec<Time> = losses.iter().map(|loss| loss.when.latest).collect();
        times.sort_unstable();
        // The loss that left fewer than half; later than `at` it cannot be, earlier only where the voters were chosen
        // after the fact.
        let deciding = times.get(usual as usize / 2).copied().unwrap_or(at).min(at);
        let known = &mut self.rows[row as usize];
        known.flags.set(Flags::LOST);
        if deep {
            known.flags.set(Flags::DEEP);
        }
        known.watched_until = Time::MAX;
        self.tell(deciding, row, Change::Lost { losses, kept, deep });
    }

    /// The losses of those who may vote on the row now, by voter.
    fn losses_of(&self, row: u32, ballot: &Ballot) -> Vec<Loss> {
        let known = &self.rows[row as usize];
        let may_vote = |voter: u16| {
            ballot.word(known.prefix.family(), known.country, usize::from(voter) / 64) >> (voter % 64) & 1
                == 1
        };
        let all = self.losses.get(&row).map(Vec::as_slice).unwrap_or_default();
        let mut losses: Vec<Loss> = all.iter().filter(|loss| may_vote(loss.voter)).copied().collect();
        losses.sort_unstable_by_key(|loss| loss.voter);
        losses
    }

    /// Lets a row count if it may by now. Tells whether it does.
    fn count(&mut self, row: u32, at: Time, ballot: &Ballot, parameters: &Parameters) -> bool {
        let known = &self.rows[row as usize];
        let (family, flags) = (known.prefix.family() as usize, known.flags);
        if !flags.has(Flags::ELIGIBLE) {
            return false;
        }
        // What was lost for so long that it no longer counts does so again once it is back.
        if flags.has(Flags::AGED) {
            let (others, held) = self.tally(row, ballot);
            if held * 2 < others {
                return false;
            }
        }
        let start = row as usize * 2 * self.words;
        let usual = &self.bits[start + self.words..start + 2 * self.words];
        let among = |voters: &Bits| -> u32 {
            let words = usual.iter().enumerate();
            words.map(|(index, word)| (word & voters.word(index)).count_ones()).sum()
        };
        let tabled = ballot.tabled[family].count();
        let counts = if tabled > 0 {
            among(&ballot.tabled[family]) * 2 >= tabled
        } else {
            let spoken = among(&ballot.voters[family]);
            let old = flags.has(Flags::PROVED) || at - known.since >= parameters.usual_after_untabled;
            old && spoken > 0 && spoken * 2 >= ballot.voters[family].count()
        };
        if counts {
            let known = &mut self.rows[row as usize];
            known.flags.set(Flags::COUNTED);
            known.flags.clear(Flags::AGED);
            self.counted.push(row);
        }
        counts
    }

    /// Lets every row count that may by now: looks through the rows only while one may have come to.
    pub(crate) fn count_all(&mut self, at: Time, ballot: &Ballot, parameters: &Parameters) {
        if std::mem::take(&mut self.stirred) {
            self.stirred_by = at;
        } else if self.looked_through >= self.stirred_by + parameters.usual_after_untabled {
            // All rows have been old enough since before the last time, and nothing else has changed.
            return;
        }
        self.looked_through = at;
        for row in 0..self.rows.len() as u32 {
            if !self.rows[row as usize].flags.has(Flags::COUNTED) {
                self.count(row, at, ballot, parameters);
            }
        }
    }

    /// Has rows judged anew for voters that see again: those that they lost, and those lost that they may hold.
    pub(crate) fn look_again(&mut self, gained: &Bits) {
        let concerns = |losses: &[Loss]| losses.iter().any(|loss| gained.get(usize::from(loss.voter)));
        let mut rows: Vec<(u32, bool)> =
            self.losses.iter().map(|(row, losses)| (*row, concerns(losses))).collect();
        rows.sort_unstable();
        for (row, fell) in rows {
            if fell {
                self.touch(row, Flags::FELL);
            }
            if self.rows[row as usize].flags.has(Flags::LOST) {
                self.touch(row, Flags::ROSE);
            }
        }
    }

    /// Settles the peer's whole column anew: its ASN has other peers, and one of them was blinded or sees again.
    pub(crate) fn settle_column(&mut self, peer: PeerId, at: Time, vantage: &Vantage) {
        for row in 0..self.rows.len() as u32 {
            if self.cell(row, peer) != 0 {
                self.settle(row, peer, Interval::at(at), vantage);
            }
        }
    }

    /// What time alone changes: long-held routes become usual, long-lost ones stop being so.
    pub(crate) fn sweep(&mut self, at: Time, ballot: &Ballot, tails: &Tails, parameters: &Parameters) {
        if self.oldest_wait.is_some_and(|oldest| at - oldest >= parameters.usual_after) {
            self.oldest_wait = None;
            self.grow(at, parameters);
            self.accept_strangers(at, tails, parameters);
        }
        if self.oldest_loss.is_some_and(|oldest| at - oldest >= parameters.age_out) {
            self.oldest_loss = None;
            self.age(at, ballot, parameters);
        }
    }

    /// Who has held a network for a day usually does.
    fn grow(&mut self, at: Time, parameters: &Parameters) {
        let (mut grown, mut oldest) = (Vec::<(u32, u16)>::new(), self.oldest_wait);
        self.pending.retain(|key, since| {
            let ripe = at - *since >= parameters.usual_after;
            if ripe {
                grown.push(*key);
            } else {
                oldest = bound(oldest, *since);
            }
            !ripe
        });
        self.oldest_wait = oldest;
        self.stirred |= !grown.is_empty();
        for (row, voter) in grown {
            self.set_bit(row, USUAL, voter, true);
            self.judge_again(row);
        }
    }

    /// Has a lost row judged anew whose usual holders are others than before: it may be back without anybody's saying so.
    fn judge_again(&mut self, row: u32) {
        if self.rows[row as usize].flags.has(Flags::LOST) {
            self.touch(row, Flags::ROSE);
        }
    }

    /// A foreign origin that has been there for a day is no stranger. One that was, and is gone, still is.
    fn accept_strangers(&mut self, at: Time, tails: &Tails, parameters: &Parameters) {
        let mut ripe: Vec<(u32, u32)> = Vec::new();
        let mut oldest = self.oldest_wait;
        let rows = &self.rows;
        self.strangers.retain(|key, since| {
            // While the network is lost nobody becomes acceptable by waiting: that would be a return by hijack.
            let old = at - *since >= parameters.usual_after && !rows[key.0 as usize].flags.has(Flags::LOST);
            if old {
                ripe.push(*key);
            } else {
                oldest = bound(oldest, *since);
            }
            !old
        });
        self.oldest_wait = oldest;
        ripe.sort_unstable();
        for (row, origin) in ripe {
            let start = row as usize * self.stride;
            let cells = &self.cells[start..start + self.stride];
            let known = &mut self.rows[row as usize];
            let of_it =
                |place: &usize| tails.get(known.tails.tail(*place)).origin().unwrap_or_default().0 == origin;
            let places: Vec<usize> = (0..known.tails.len()).filter(of_it).collect();
            if places.iter().any(|place| cells.contains(&(*place as u8 + 1))) {
                places.into_iter().for_each(|place| known.tails.accept(place));
            }
            // Votes follow with the next word of each peer.
        }
    }

    /// Who lost a network for a week no longer usually holds it; a network that nobody usually holds no longer counts.
    fn age(&mut self, at: Time, ballot: &Ballot, parameters: &Parameters) {
        let (mut aged, mut oldest) = (Vec::<(u32, Loss)>::new(), None);
        self.losses.retain(|row, losses| {
            losses.retain(|loss| {
                let old = at - loss.when.latest >= parameters.age_out;
                if old {
                    aged.push((*row, *loss));
                } else {
                    oldest = bound(oldest, loss.when.latest);
                }
                !old
            });
            !losses.is_empty()
        });
        self.oldest_loss = oldest;
        aged.sort_unstable_by_key(|(row, loss)| (*row, loss.voter));
        for group in aged.chunk_by(|a, b| a.0 == b.0) {
            let row = group[0].0;
            for (_, loss) in group {
                self.set_bit(row, USUAL, loss.voter, false);
                self.set_bit(row, HELD, loss.voter, false);
            }
            let known = &self.rows[row as usize];
            let (usual, held) = self.tally(row, ballot);
            if known.flags.has(Flags::LOST) && (usual == 0 || held * 2 < usual) {
                let since = group.iter().map(|(_, loss)| loss.when.latest).max().unwrap_or(at);
                let known = &mut self.rows[row as usize];
                known.flags.clear(Flags::LOST);
                known.flags.clear(Flags::COUNTED);
                known.flags.clear(Flags::DEEP);
                known.flags.set(Flags::AGED);
                known.since = at;
                known.watched_until = Time::MIN;
                self.stirred = true;
                self.tell(at, row, Change::Aged { since });
            } else {
                self.judge_again(row);
            }
        }
    }

    /// Networks of a family that half or more of `candidates` hold, and of them those that each peer holds. Networks that
    /// are going, gone or coming back tell nothing of a feed: whoever still holds one may have a stuck route.
    pub(crate) fn census(
        &self,
        family: Family,
        (candidates, needed): (&[bool], u32),
        (ballot, parameters): (&Ballot, &Parameters),
        counts: &mut [u64],
    ) -> u64 {
        let mut common = 0;
        for (index, row) in self.rows.iter().enumerate() {
            if row.prefix.family() != family || !row.flags.has(Flags::ELIGIBLE) {
                continue;
            }
            let (usual, held) = self.tally(index as u32, ballot);
            if u64::from(held) * 100 < u64::from(usual) * parameters.back_percent {
                continue;
            }
            let cells = &self.cells[index * self.stride..(index + 1) * self.stride];
            let holders: u32 = cells
                .iter()
                .zip(candidates)
                .map(|(cell, candidate)| u32::from(*cell != 0 && *candidate))
                .sum();
            if holders >= needed {
                common += 1;
                for (count, cell) in counts.iter_mut().zip(cells) {
                    *count += u64::from(*cell != 0);
                }
            }
        }
        common
    }
}
