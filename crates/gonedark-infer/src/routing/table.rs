//! The routing table: shards by address, the tails they share, and what was touched a moment ago.

use super::change::Transition;
use super::row::Row;
use super::shard::Shard;
use super::tails::Tails;
use super::touched::Touched;
use super::vantage::{Ballot, Peer, Vantage};
use super::word::{Before, Lent, Source};
use crate::observation::{Delegations, Named, NetworkId, PeerId, Update};
use crate::parameters::Parameters;
use gonedark_route::{Asn, Family, Prefix, Tail, Time};

/// All shards.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Table {
    pub(crate) shards: Vec<Shard>,
    pub(crate) tails: Tails,
    /// What messages touched, as far back as a table's backlog reaches.
    touched: Touched,
    /// How far back that is, in microseconds.
    backlog: i64,
    /// How many networks there may be, and how often one was named for which there was no room.
    room: usize,
    pub(crate) refused: u64,
}

impl Table {
    pub(crate) fn new(shards: usize, parameters: &Parameters) -> Self {
        Table {
            shards: (0..shards.max(1)).map(|number| Shard::new(number as u16)).collect(),
            tails: Tails::default(),
            touched: Touched::default(),
            // A table is settled one backlog after its time and looks one backlog before it.
            backlog: 2 * parameters.table_backlog,
            room: parameters.max_networks,
            refused: 0,
        }
    }

    /// Which shard owns a prefix: by its leading 16 bits, so that networks that lie side by side share one.
    #[inline]
    pub(crate) fn shard_of(&self, prefix: Prefix) -> usize {
        let lead = (prefix.bits() >> 112) as usize;
        match self.shards.len() {
            1 => 0,
            several => (lead * several) >> 16,
        }
    }

    /// Makes again what is not kept.
    pub(crate) fn index_again(&mut self) {
        self.shards.iter_mut().for_each(Shard::index_again);
    }

    pub(crate) fn find(&self, prefix: Prefix) -> Option<NetworkId> {
        let shard = self.shard_of(prefix);
        Some(NetworkId { shard: shard as u16, row: self.shards[shard].find(prefix)? })
    }

    /// Looks for networks and does nothing with what is found but to have it near.
    pub(crate) fn look_ahead(&self, prefixes: &[Prefix]) {
        for prefix in prefixes {
            std::hint::black_box(self.find(*prefix));
        }
    }

    /// The row of a network; a new one for one that was never named, `None` where there is no room for it.
    #[inline]
    pub(crate) fn name(&mut self, prefix: Prefix, delegations: &dyn Delegations) -> Option<NetworkId> {
        let shard = self.shard_of(prefix);
        let may_add = self.room > 0;
        let Some((row, is_new)) = self.shards[shard].find_or_add(prefix, may_add, delegations) else {
            self.refused += 1;
            return None;
        };
        self.room -= usize::from(is_new);
        Some(NetworkId { shard: shard as u16, row })
    }

    pub(crate) fn row(&self, at: NetworkId) -> &Row {
        &self.shards[usize::from(at.shard)].rows[at.row as usize]
    }

    pub(crate) fn fit(&mut self, vantage: &Vantage) {
        for shard in &mut self.shards {
            shard.fit(vantage);
        }
    }

    /// Applies one message. Gives the number of announcements that changed nothing, and calls `announced_to` with
    /// every row announced and what the peer held of it before.
    pub(crate) fn update(
        &mut self,
        update: &Update<'_>,
        vantage: &mut Vantage,
        delegations: &dyn Delegations,
        mut announced_to: impl FnMut(NetworkId, Before),
    ) -> u64 {
        let Update { at, peer, tail, announced, withdrawn } = *update;
        self.touched.forget(at + -self.backlog);
        let tail = tail.map(|tail| self.tails.intern(tail));
        let mut repeats = 0;
        let Table { shards, tails, touched, .. } = self;
        let mut lent = Lent { vantage, tails, delegations };
        for Named { network: row, path_id } in withdrawn {
            if shards[usize::from(row.shard)].withdraw(&mut lent, (at, peer), (row.row, *path_id)) {
                touched.push(at, *row, peer);
            }
        }
        let Some(tail) = tail else { return 0 };
        let Peer { voter, add_path: has_ids, .. } = *lent.vantage.get(peer);
        for Named { network: row, path_id } in announced {
            let shard = &mut shards[usize::from(row.shard)];
            let simple = match has_ids || *path_id != 0 {
                true => None,
                false => shard.reannounce((row.row, tail), (peer, voter)),
            };
            let before = simple.unwrap_or_else(|| {
                shard.announce(&mut lent, (at, peer), (row.row, *path_id, tail), Source::Message)
            });
            repeats += u64::from(before == Before::Same);
            touched.push(at, *row, peer);
            announced_to(*row, before);
        }
        repeats
    }

    /// What messages touched from `since` on, among the given peers.
    pub(crate) fn touched_since(
        &self,
        since: Time,
        mut of: impl FnMut(PeerId) -> bool,
    ) -> std::collections::HashSet<(NetworkId, PeerId)> {
        self.touched.since(since).filter(|(_, peer)| of(*peer)).collect()
    }

    /// Whether anything happened since the last look.
    pub(crate) fn has_news(&self, ballot: &Ballot) -> bool {
        self.shards.iter().any(|shard| shard.has_news(ballot))
    }

    pub(crate) fn look(&mut self, at: Time, vantage: &Vantage, parameters: &Parameters) {
        for shard in &mut self.shards {
            shard.look(at, vantage, parameters);
        }
    }

    /// The rows that count since the last call.
    pub(crate) fn take_counted(&mut self) -> Vec<NetworkId> {
        let mut rows = Vec::new();
        for (shard, known) in self.shards.iter_mut().enumerate() {
            rows.extend(known.counted.drain(..).map(|row| NetworkId { shard: shard as u16, row }));
        }
        rows
    }

    /// What came out since the last call, in an order that neither shards nor the order of peers can change.
    pub(crate) fn take_transitions(&mut self, into: &mut Vec<Transition>) {
        for shard in &mut self.shards {
            into.append(&mut shard.out);
        }
        into.sort_by_key(|transition| (transition.at, transition.prefix, order(transition)));
    }

    /// Chooses the full feeds among peers whose table was seen. Tells whether any changed.
    pub(crate) fn choose_full_feeds(&self, vantage: &mut Vantage, parameters: &Parameters) -> bool {
        let mut changed = false;
        for family in Family::ALL {
            let f = family as usize;
            let tabled = vantage.peers.iter().filter(|peer| peer.tabled && peer.held[f] > 0);
            let measure = measure(tabled.map(|peer| peer.held[f]).collect(), parameters);
            // A full feed stays a candidate: what it has lost is judged by the vote, not by its size alone.
            let is_candidate = |(index, peer): (usize, &Peer)| {
                let held = peer.held[f];
                peer.tabled
                    && !vantage.is_gone(PeerId(index as u16), f, parameters)
                    && (peer.full_feed[f] || held > 0 && held * 100 >= measure * parameters.candidate_percent)
            };
            let candidates: Vec<bool> = vantage.peers.iter().enumerate().map(is_candidate).collect();
            let needed = candidates.iter().filter(|candidate| **candidate).count().div_ceil(2) as u32;
            if needed == 0 {
                continue;
            }
            let mut counts = vec![0; vantage.peers.len()];
            let (among, by) = ((&candidates[..], needed), (&vantage.ballot, parameters));
            let common: u64 =
                self.shards.iter().map(|shard| shard.census(family, among, by, &mut counts)).sum();
            if common == 0 {
                // Nothing stands by which a feed could be judged: in a small world all of a family may be lost.
                continue;
            }
            for (peer, count) in vantage.peers.iter_mut().zip(counts) {
                if peer.tabled && !matches!(peer.session, super::vantage::Session::Down { .. }) {
                    let full = count * 100 >= common * parameters.full_feed_percent;
                    changed |= full != peer.full_feed[f];
                    peer.full_feed[f] = full;
                }
            }
        }
        changed
    }

    /// Networks that cover `prefix`, the nearest first.
    pub(crate) fn covers(&self, prefix: Prefix) -> impl Iterator<Item = (Prefix, NetworkId)> + '_ {
        // Shorter than /8 nothing counts.
        (8..prefix.length()).rev().filter_map(move |length| {
            let cover = prefix.shortened(length);
            self.find(cover).map(|row| (cover, row))
        })
    }

    /// Every network of which a route is known or was, with an AS that may speak for it: the first that did.
    pub(crate) fn owners(&self) -> impl Iterator<Item = (Prefix, Asn)> + '_ {
        self.shards.iter().flat_map(|shard| &shard.rows).filter_map(|row| {
            let place = (0..row.tails.len()).find(|place| row.tails.is_accepted(*place))?;
            Some((row.prefix, self.tails.get(row.tails.tail(place)).origin()?))
        })
    }

    /// The accepted origins of a row and the upstreams behind them, of the tails that any cell uses now, or, where
    /// none is held, of all that are known.
    pub(crate) fn origins(&self, at: NetworkId) -> (Vec<Asn>, Vec<Asn>) {
        let shard = &self.shards[usize::from(at.shard)];
        let tails = &shard.rows[at.row as usize].tails;
        let mut used = vec![false; tails.len()];
        for cell in shard.cells_of(at.row) {
            if let Some(used) = usize::from(*cell).checked_sub(1).and_then(|place| used.get_mut(place)) {
                *used = true;
            }
        }
        let held = (0..used.len()).any(|place| used[place] && tails.is_accepted(place));
        let places = (0..tails.len()).filter(|place| tails.is_accepted(*place) && (used[*place] || !held));
        let known: Vec<Tail> = places.map(|place| self.tails.get(tails.tail(place))).collect();
        let sorted = |mut asns: Vec<Asn>| {
            asns.sort_unstable();
            asns.dedup();
            asns
        };
        (
            sorted(known.iter().filter_map(|tail| tail.origin()).collect()),
            sorted(known.iter().filter_map(|tail| tail.upstream()).collect()),
        )
    }
}

/// What a table is measured by: the size that more than half of the tables have within a quarter, so that one peer that
/// leaks does not evict the honest ones; where there is none, as at a collector with one full and many partial feeds,
/// the largest.
fn measure(mut sizes: Vec<u64>, parameters: &Parameters) -> u64 {
    sizes.sort_unstable();
    let Some(largest) = sizes.last().copied() else { return 0 };
    let median = sizes[sizes.len() / 2];
    let near = |size: &&u64| {
        **size * 100 >= median * parameters.full_feed_percent
            && median * 100 >= **size * parameters.full_feed_percent
    };
    if sizes.iter().filter(near).count() * 2 > sizes.len() { median } else { largest }
}

/// Within one row and stamp: what is told of voters before what is concluded from it.
fn order(transition: &Transition) -> (u8, u16) {
    use super::change::Change::*;
    match &transition.change {
        Lost { .. } => (1, 0),
        Witness { voter, .. } => (2, *voter),
        Foreign { .. } => (3, 0),
        Depth { .. } => (4, 0),
        Back => (5, 0),
        Aged { .. } => (6, 0),
    }
}
