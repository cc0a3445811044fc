//! Reading a table (RIB dump) of one collector, and settling what it says against what messages said.
//!
//! The first table that names a peer is taken as it is. A later one is compared with what is held; the differences are
//! settled one backlog after the table's time, and only where no message came near: a table's rows have no true time.

use super::bits::Bits;
use super::row::{Row, UNHEARD};
use super::shard::Shard;
use super::table::Table;
use super::vantage::{Peer, Session, Vantage};
use super::word::{Lent, Source};
use crate::observation::{CollectorId, Delegations, NetworkId, PeerId, TableEntry};
use crate::parameters::Parameters;
use crate::report::Interval;
use foldhash::fast::FixedState;
use gonedark_route::Time;
use hashbrown::HashMap;
use std::collections::HashSet;

/// A table that is being read.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Reading {
    pub(crate) collector: CollectorId,
    pub(crate) at: Time,
    /// Every peer of the collector.
    peers: Vec<PeerId>,
    /// Peers that no table named before.
    first: Bits,
    /// The voter of each peer that is the only one of its ASN and gives no ADD-PATH identifiers.
    alone: Vec<Option<u16>>,
    /// Whether anything was held before.
    any_before: bool,
    /// Entries per peer and family.
    entries: Vec<[u64; 2]>,
    /// What each peer held before, per family.
    before: Vec<[u64; 2]>,
    /// Rows seen, per shard.
    seen: Vec<Bits>,
    /// Peers named by the current row, as the number of that row.
    named: Vec<u64>,
    rows: u64,
    recent: HashSet<(NetworkId, PeerId)>,
    differences: Vec<Difference>,
    /// Peers that hold a row by what is known and that it did not name. A network may come in several rows, as those
    /// of peers with and without ADD-PATH do (RFC 8050 section 4): only what none of them names is missing.
    missing: HashMap<NetworkId, Vec<PeerId>, FixedState>,
}

/// A cell in which a later table differs from what is held.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Difference {
    row: NetworkId,
    peer: PeerId,
    /// The tail and ADD-PATH identifier that the table has; `None` where it has no route.
    route: Option<(u32, u32)>,
}

/// Differences that wait for the end of the table's backlog.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Unsettled {
    pub(crate) due: Time,
    pub(crate) at: Time,
    previous: Option<Time>,
    differences: Vec<Difference>,
    /// Peers for which the table speaks, by number.
    speaks_for: Bits,
    /// Whether nothing of it was cut off.
    whole: bool,
}

impl Reading {
    pub(crate) fn new(
        table: &Table,
        vantage: &Vantage,
        collector: CollectorId,
        at: Time,
        parameters: &Parameters,
    ) -> Self {
        let peers: Vec<PeerId> = vantage.peers_of(collector).collect();
        let mut first = Bits::default();
        for peer in peers.iter().filter(|peer| !vantage.get(**peer).by_table) {
            first.set(usize::from(peer.0));
        }
        let count = vantage.peers.len();
        let alone = |peer: &Peer| {
            let only = vantage.voters[usize::from(peer.voter)].peers.len() == 1;
            (only && !peer.add_path).then_some(peer.voter)
        };
        Reading {
            alone: vantage.peers.iter().map(alone).collect(),
            any_before: peers.iter().any(|peer| vantage.get(*peer).held != [0, 0]),
            collector,
            at,
            first,
            entries: vec![[0; 2]; count],
            before: vantage.peers.iter().map(|peer| peer.held).collect(),
            seen: vec![Bits::default(); table.shards.len()],
            named: vec![0; count],
            rows: 0,
            recent: table.touched_since(at + -parameters.table_backlog, |peer| peers.contains(&peer)),
            peers,
            differences: Vec::new(),
            missing: HashMap::default(),
        }
    }

    pub(crate) fn row(
        &mut self,
        table: &mut Table,
        vantage: &mut Vantage,
        delegations: &dyn Delegations,
        at: NetworkId,
        entries: impl Iterator<Item = TableEntry>,
    ) {
        self.rows += 1;
        let Table { shards, tails, .. } = table;
        let (shard, row) = (&mut shards[usize::from(at.shard)], at.row);
        let Row { prefix, since, .. } = shard.rows[row as usize];
        let (family, is_new) = (prefix.family() as usize, since == UNHEARD);
        for entry in entries {
            let index = usize::from(entry.peer.0);
            if index >= self.entries.len() {
                continue;
            }
            self.entries[index][family] += 1;
            self.named[index] = self.rows;
            let tail = tails.intern(entry.tail);
            if !self.recent.is_empty() && self.recent.contains(&(at, entry.peer)) {
                continue;
            }
            let is_first = self.first.get(index);
            if is_first || is_new {
                let source = if is_first { Source::FirstTable } else { Source::Table };
                if entry.path_id != 0 {
                    self.alone[index] = None;
                }
                if is_first
                    && let Some(voter) = self.alone[index]
                    && shard.load((row, tail), (self.at, entry.peer, voter), vantage)
                {
                    continue;
                }
                let mut lent = Lent { vantage, tails, delegations };
                let route = (row, entry.path_id, tail);
                shard.announce(&mut lent, (self.at, entry.peer), route, source);
            } else {
                let cell = shard.cell(row, entry.peer);
                let place = shard.rows[row as usize].tails.find(tail);
                if place.is_none_or(|place| usize::from(cell) != place + 1) {
                    let route = Some((tail, entry.path_id));
                    self.differences.push(Difference { row: at, peer: entry.peer, route });
                }
            }
        }
        // Where nothing was held before, what is held now came from this table.
        if self.any_before {
            let seen = &mut self.seen[usize::from(at.shard)];
            let again = seen.get(row as usize);
            seen.set(row as usize);
            self.miss_unnamed_peers(at, again, shard);
        }
    }

    fn miss_unnamed_peers(&mut self, row: NetworkId, again: bool, shard: &Shard) {
        let Reading { peers, named, rows, recent, missing, .. } = self;
        let unnamed = |peer: &PeerId| named[usize::from(peer.0)] != *rows;
        if again {
            if let Some(missing) = missing.get_mut(&row) {
                missing.retain(unnamed);
            }
            return;
        }
        let held = |peer: &&PeerId| shard.cell(row.row, **peer) != 0 && !recent.contains(&(row, **peer));
        let gone: Vec<PeerId> = peers.iter().filter(|peer| unnamed(peer)).filter(held).copied().collect();
        if !gone.is_empty() {
            missing.insert(row, gone);
        }
    }

    /// Ends the table. `whole` is false where its end was cut off: then it says nothing of what it does not name.
    /// Gives the peers that have rows in it, and what remains to be settled.
    pub(crate) fn end(
        mut self,
        table: &Table,
        vantage: &mut Vantage,
        whole: bool,
        parameters: &Parameters,
    ) -> (Vec<PeerId>, Unsettled) {
        if whole {
            let missing = std::mem::take(&mut self.missing).into_iter();
            let missing = missing.flat_map(|(row, peers)| peers.into_iter().map(move |peer| (row, peer)));
            self.differences.extend(missing.map(|(row, peer)| Difference { row, peer, route: None }));
            self.miss_unseen_rows(table);
        }
        let mut speaks_for = Bits::default();
        let mut present = Vec::new();
        for peer in &self.peers {
            let index = usize::from(peer.0);
            let (entries, before) = (self.entries[index], self.before[index]);
            if entries == [0, 0] {
                continue;
            }
            present.push(*peer);
            let enough = |f: usize| entries[f] * 100 >= before[f] * parameters.resync_percent;
            if self.first.get(index) || (enough(0) && enough(1)) {
                speaks_for.set(index);
                let known = vantage.get_mut(*peer);
                (known.tabled, known.by_table) = (true, true);
            }
        }
        let collector = &mut vantage.collectors[usize::from(self.collector.0)];
        let previous = collector.table_at;
        if whole {
            collector.table_at = Some(self.at);
        }
        collector.table_cut |= !whole;
        let due = self.at + parameters.table_backlog;
        (present, Unsettled { due, at: self.at, previous, differences: self.differences, speaks_for, whole })
    }

    fn miss_unseen_rows(&mut self, table: &Table) {
        if !self.any_before {
            return;
        }
        for (shard, known) in table.shards.iter().enumerate() {
            for row in 0..known.rows.len() as u32 {
                if self.seen[shard].get(row as usize) {
                    continue;
                }
                let row = NetworkId { shard: shard as u16, row };
                for peer in &self.peers {
                    if known.cell(row.row, *peer) != 0 && !self.recent.contains(&(row, *peer)) {
                        self.differences.push(Difference { row, peer: *peer, route: None });
                    }
                }
            }
        }
    }
}

impl Unsettled {
    /// Settles what no message touched meanwhile. What a peer's blindness hid has that blindness's begin as its
    /// earliest time, and otherwise the table before.
    pub(crate) fn settle(
        &self,
        table: &mut Table,
        vantage: &mut Vantage,
        delegations: &dyn Delegations,
        parameters: &Parameters,
    ) {
        let recent = table.touched_since(self.at + -parameters.table_backlog, |_| true);
        let Table { shards, tails, .. } = table;
        for Difference { row, peer, route } in &self.differences {
            if !self.is_still_so(*peer, vantage) || recent.contains(&(*row, *peer)) {
                continue;
            }
            let since = vantage.get(*peer).stale_since.or(self.previous).unwrap_or(self.at).min(self.at);
            let when = Interval { earliest: since, latest: self.at };
            let shard = &mut shards[usize::from(row.shard)];
            let mut lent = Lent { vantage, tails, delegations };
            match route {
                None => shard.put(row.row, *peer, 0, when, Source::Table, &mut lent),
                Some((tail, path_id)) => {
                    let route = (row.row, *path_id, *tail);
                    shard.announce_as_of(&mut lent, (when, *peer), route, Source::Table);
                }
            }
        }
        for index in self.speaks_for.iter() {
            if self.is_still_so(PeerId(index as u16), vantage) {
                vantage.peers[index].stale_since = None;
            }
        }
    }

    /// Whether the table speaks for a peer whose session is still the one of which it was taken: a later one tells anew.
    pub(crate) fn is_still_so(&self, peer: PeerId, vantage: &Vantage) -> bool {
        self.speaks_for.get(usize::from(peer.0)) && vantage.get(peer).changed_at < self.at
    }

    /// What a peer held that the table lacks.
    pub(crate) fn lacks(&self, peer: PeerId) -> impl Iterator<Item = NetworkId> {
        let of_peer =
            self.differences.iter().filter(move |known| known.peer == peer && known.route.is_none());
        of_peer.map(|known| known.row)
    }

    /// Peers that this table, once it is settled, brings back from blindness.
    pub(crate) fn restores(&self, vantage: &Vantage) -> Vec<PeerId> {
        let is_blind =
            |peer: &PeerId| vantage.get(*peer).session != Session::Up && self.is_still_so(*peer, vantage);
        let peers = self.speaks_for.iter().map(|index| PeerId(index as u16));
        peers.filter(|peer| self.whole && is_blind(peer)).collect()
    }
}
