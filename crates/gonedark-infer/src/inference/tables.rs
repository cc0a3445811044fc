//! Tables and transfers of sessions: what they say against what is held, and who sees again by them.

use super::Inference;
use crate::observation::{CollectorId, NetworkId, PeerId, TableEntry};
use crate::report::{BlindReason, Interval};
use crate::routing::reading::{Reading, Unsettled};
use crate::routing::table::Table;
use crate::routing::vantage::Session;
use crate::routing::word::{Lent, Source};
use crate::sight::Resync;
use gonedark_route::Time;
use std::collections::HashSet;

impl Inference {
    /// A table of a collector begins. Its peers must have been named by [`Inference::peer`] before.
    pub fn table_begin(&mut self, at: Time, collector: CollectorId) {
        self.advance_to(at);
        let at = at.max(self.now);
        self.reading.retain(|reading| reading.collector != collector);
        self.reading.push(Reading::new(&self.table, &self.vantage, collector, at, &self.parameters));
    }

    /// A row of the table that the collector is giving.
    pub fn table_row(
        &mut self,
        collector: CollectorId,
        network: NetworkId,
        entries: impl Iterator<Item = TableEntry>,
    ) {
        if let Some(reading) = self.reading.iter_mut().find(|reading| reading.collector == collector) {
            let Inference { table, vantage, delegations, .. } = self;
            reading.row(table, vantage, &**delegations, network, entries);
        }
    }

    /// The table ends; `whole` is false where its end was cut off.
    pub fn table_end(&mut self, collector: CollectorId, whole: bool) {
        let Some(place) = self.reading.iter().position(|reading| reading.collector == collector) else {
            return;
        };
        let reading = self.reading.swap_remove(place);
        let at = reading.at;
        let (present, unsettled) = reading.end(&self.table, &mut self.vantage, whole, &self.parameters);
        for peer in &present {
            if self.vantage.get(*peer).session == Session::Unheard {
                self.vantage.get_mut(*peer).session = Session::Up;
                let last = &mut self.vantage.get_mut(*peer).last_message;
                *last = at.max(*last);
            }
        }
        if whole {
            self.miss_silent_peers(collector, at, &present);
        }
        for peer in unsettled.restores(&self.vantage) {
            if let Session::Transfer(transfer) = &mut self.vantage.get_mut(peer).session {
                // What it withdraws from now on is in the table, if not in what was announced.
                (transfer.is_covered, transfer.is_told) = (true, false);
            }
        }
        self.unsettled.push(unsettled);
        self.choose_full_feeds(at);
        self.table.look(at, &self.vantage, &self.parameters);
    }

    /// Settles the differences of tables whose backlog is over.
    pub(super) fn settle_tables(&mut self, due: Time) {
        let (ripe, rest) =
            std::mem::take(&mut self.unsettled).into_iter().partition(|unsettled| unsettled.due <= due);
        self.unsettled = rest;
        let ripe: Vec<Unsettled> = ripe;
        for unsettled in ripe {
            // Not before: until then they hold what they held when they were lost, and would vote with it.
            let restored = unsettled.restores(&self.vantage);
            for peer in &restored {
                self.sight.restored(*peer, unsettled.at, &mut self.vantage);
            }
            if !restored.is_empty() {
                self.choose_full_feeds(due);
            }
            let Inference { table, vantage, delegations, parameters, .. } = self;
            unsettled.settle(table, vantage, &**delegations, parameters);
            // Those that were stale speak again.
            self.redraw = true;
        }
    }

    /// What did not come again in a transfer was lost while the session was down.
    pub(super) fn resync(&mut self, ended: Vec<Resync>) {
        for Resync { peer, since, at, refreshed, speaks, is_covered } in ended {
            let lacking: HashSet<NetworkId> = match is_covered {
                true => {
                    let told = self.unsettled.iter().filter(|it| it.is_still_so(peer, &self.vantage));
                    told.flat_map(|unsettled| unsettled.lacks(peer)).collect()
                }
                false => HashSet::new(),
            };
            let when = Interval { earliest: since, latest: at.max(since) };
            let Inference { table, vantage, delegations, .. } = self;
            let Table { shards, tails, .. } = table;
            for (number, shard) in shards.iter_mut().enumerate() {
                for row in 0..shard.rows.len() as u32 {
                    let came = refreshed.get(number).is_some_and(|rows| rows.get(row as usize));
                    let family = shard.rows[row as usize].prefix.family() as usize;
                    let here = NetworkId { shard: number as u16, row };
                    let is_lost = !came && (!is_covered || lacking.contains(&here));
                    if is_lost && speaks[family] && shard.cell(row, peer) != 0 {
                        let mut lent = Lent { vantage, tails, delegations: &**delegations };
                        shard.put(row, peer, 0, when, Source::Message, &mut lent);
                    }
                }
            }
            self.draw_ballot(self.now);
        }
    }

    /// Peers that are in no table and have been silent for an hour are blind.
    fn miss_silent_peers(&mut self, collector: CollectorId, at: Time, present: &[PeerId]) {
        let absent: Vec<PeerId> =
            self.vantage.peers_of(collector).filter(|peer| !present.contains(peer)).collect();
        for peer in absent {
            let known = self.vantage.get_mut(peer);
            let is_silent = at - known.last_message > self.parameters.silence;
            match &mut known.session {
                Session::Up if is_silent => {
                    let since = known.last_message;
                    known.changed_at = known.changed_at.max(at);
                    self.sight.down((peer, since), BlindReason::Absent, &mut self.vantage, &self.parameters);
                    self.redraw = true;
                }
                Session::Up | Session::Unheard => {}
                Session::Down { .. } => known.changed_at = known.changed_at.max(at),
                Session::Transfer(transfer) => {
                    known.changed_at = known.changed_at.max(at);
                    transfer.is_covered = false;
                }
            }
        }
    }
}
