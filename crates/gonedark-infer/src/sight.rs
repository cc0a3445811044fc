//! What each peer and collector goes through: sessions, gaps, transfers, silence, and the blindness that follows.

use crate::observation::NetworkId;
use crate::observation::{CollectorId, Named, PeerId};
use crate::parameters::Parameters;
use crate::report::{Blind, BlindReason, Blindness};
use crate::routing::bits::Bits;
use crate::routing::vantage::{Session, Transfer, Vantage};
use crate::routing::word::Before;
use foldhash::fast::FixedState;
use gonedark_route::{Family, Time};
use hashbrown::HashMap;
use std::collections::BTreeSet;

/// The blindness of collectors and peers, open and past, and the transfers under way.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Sight {
    open: HashMap<(CollectorId, Option<PeerId>), (Time, BlindReason), FixedState>,
    past: Vec<Blind>,
    /// Those still open of which news have told.
    told_open: BTreeSet<(CollectorId, Option<PeerId>)>,
    /// Peers whose table is on the way, with the rows that came anew, per shard.
    pub(crate) transfers: Vec<(PeerId, Vec<Bits>)>,
}

/// What became of a transfer that has ended.
pub(crate) struct Resync {
    pub(crate) peer: PeerId,
    /// When the session had gone down: the earliest time of what changed meanwhile.
    pub(crate) since: Time,
    pub(crate) at: Time,
    /// The rows that came anew, per shard.
    pub(crate) refreshed: Vec<Bits>,
    /// Families of which enough came for the rest to be called lost.
    pub(crate) speaks: [bool; 2],
    /// Whether of the rest only that is lost which a table that waits to be settled lacks as well.
    pub(crate) is_covered: bool,
}

impl Sight {
    pub(crate) fn blind(&mut self, who: (CollectorId, Option<PeerId>), from: Time, reason: BlindReason) {
        self.open.entry(who).or_insert((from, reason));
    }

    pub(crate) fn see(&mut self, who: (CollectorId, Option<PeerId>), until: Time, vantage: &Vantage) {
        if let Some((from, reason)) = self.open.remove(&who) {
            self.past.push(record(who, from, until, reason, vantage));
        }
    }

    /// A blindness that is over by the time it is noticed.
    pub(crate) fn was_blind(
        &mut self,
        who: (CollectorId, Option<PeerId>),
        (from, until): (Time, Time),
        reason: BlindReason,
        vantage: &Vantage,
    ) {
        self.past.push(record(who, from, until, reason, vantage));
    }

    /// All of it, those still open until `now`.
    pub(crate) fn all(&self, now: Time, vantage: &Vantage) -> Vec<Blind> {
        let open = self.open.iter().map(|(who, (from, reason))| record(*who, *from, now, *reason, vantage));
        let mut all: Vec<Blind> = self.past.iter().cloned().chain(open).collect();
        all.sort_by(|a, b| {
            (&a.collector, a.from, a.peer_asn, a.until).cmp(&(&b.collector, b.from, b.peer_asn, b.until))
        });
        all.dedup();
        all
    }

    /// Those that are over since the last call, which are forgotten, and those that began and last, with whether they are
    /// over. An AS with several sessions that went down at once (one a family, say) is told over with the last of them: told
    /// apart by no more than the AS, the first would make it see again.
    pub(crate) fn news(&mut self, now: Time, vantage: &Vantage) -> Vec<Blindness> {
        self.told_open.retain(|who| self.open.contains_key(who));
        let mut lasts = BTreeSet::new();
        if !self.past.is_empty() {
            for ((collector, peer), (from, reason)) in &self.open {
                let name = vantage.collectors[usize::from(collector.0)].name.as_str();
                lasts.insert((name, peer.map(|peer| vantage.get(peer).key.asn), *from, *reason));
            }
        }
        let lasts = |blind: &Blind| {
            lasts.contains(&(blind.collector.as_str(), blind.peer_asn, blind.from, blind.reason))
        };
        let over = self.past.drain(..).filter(|blind| !lasts(blind));
        let mut news: Vec<Blindness> = over.map(|blind| Blindness { blind, over: true }).collect();
        for (who, (from, reason)) in &self.open {
            if self.told_open.insert(*who) {
                news.push(Blindness { blind: record(*who, *from, now, *reason, vantage), over: false });
            }
        }
        news.sort_by(|a, b| {
            let key = |news: &Blindness| (news.blind.from, news.blind.peer_asn, news.over);
            (&a.blind.collector, key(a)).cmp(&(&b.blind.collector, key(b)))
        });
        news
    }

    /// Tells of what is open once more.
    pub(crate) fn tell_again(&mut self) {
        self.told_open.clear();
    }

    /// The session went down. Where it died of silence, nothing was heard for up to `hold_time` before: what the peer held
    /// is uncertain from its last message on.
    pub(crate) fn down(
        &mut self,
        (peer, at): (PeerId, Time),
        reason: BlindReason,
        vantage: &mut Vantage,
        parameters: &Parameters,
    ) {
        self.transfers.retain(|(other, _)| *other != peer);
        let collector = vantage.get(peer).key.collector;
        let known = vantage.get_mut(peer);
        let since = match &known.session {
            Session::Down { since } => *since,
            Session::Transfer(transfer) => transfer.down_since,
            Session::Up | Session::Unheard => {
                let heard = known.last_message.max(known.alive_at);
                heard.max(at + -parameters.hold_time).min(at)
            }
        };
        known.session = Session::Down { since };
        known.changed_at = known.changed_at.max(at);
        self.blind((collector, Some(peer)), at, reason);
    }

    /// The session is up again, as its collector tells or because the peer is heard: a transfer begins.
    pub(crate) fn up(&mut self, peer: PeerId, at: Time, is_told: bool, vantage: &mut Vantage) {
        let known = vantage.get_mut(peer);
        if is_told {
            known.changed_at = known.changed_at.max(at);
        }
        if let Session::Down { since } = known.session {
            known.doubt(since, at);
            known.session = Session::Transfer(Transfer {
                down_since: since,
                is_told,
                is_covered: false,
                progress: at,
                before: known.held,
                refreshed: [0, 0],
            });
            self.transfers.push((peer, Vec::new()));
        }
    }

    /// A row came in a transfer; tells whether that was the last that was held before.
    pub(crate) fn refreshed(
        &mut self,
        (peer, at): (PeerId, Time),
        (row, family, before): (NetworkId, Family, Before),
        vantage: &mut Vantage,
    ) -> bool {
        let Some((_, rows)) = self.transfers.iter_mut().find(|(other, _)| *other == peer) else {
            return false;
        };
        let shard = usize::from(row.shard);
        if rows.len() <= shard {
            rows.resize(shard + 1, Bits::default());
        }
        if rows[shard].get(row.row as usize) {
            return false;
        }
        rows[shard].set(row.row as usize);
        if before == Before::NotHeld {
            // New to the peer, so no sign that the table is still on its way.
            return false;
        }
        let Session::Transfer(transfer) = &mut vantage.get_mut(peer).session else { return false };
        transfer.progress = at;
        transfer.refreshed[family as usize] += 1;
        is_complete(transfer)
    }

    /// Leaves out the withdrawals of what was not announced since the session came up: they tell of the session before. FRR's
    /// BMP holds them back until the next Peer Up.
    pub(crate) fn of_this_session(&self, peer: PeerId, withdrawn: &[Named]) -> Vec<Named> {
        let Some((_, rows)) = self.transfers.iter().find(|(other, _)| *other == peer) else {
            return withdrawn.to_vec();
        };
        let came = |NetworkId { shard, row }: NetworkId| {
            rows.get(usize::from(shard)).is_some_and(|rows| rows.get(row as usize))
        };
        withdrawn.iter().filter(|named| came(named.network)).copied().collect()
    }

    /// When the next transfer will have ended if nothing more comes.
    pub(crate) fn next_transfer_end(&self, vantage: &Vantage, parameters: &Parameters) -> Option<Time> {
        let ends = self.transfers.iter().filter_map(|(peer, _)| match &vantage.get(*peer).session {
            Session::Transfer(transfer) if has_come(transfer, parameters) => {
                Some(transfer.progress + parameters.transfer_quiet)
            }
            _ => None,
        });
        ends.min()
    }

    /// Ends the transfers of which nothing came for long enough by `at`; and at once those in which all came again that was
    /// held before, and that of `told`, whose peer said that it has ended.
    pub(crate) fn end_transfers(
        &mut self,
        at: Time,
        told: Option<PeerId>,
        vantage: &mut Vantage,
        parameters: &Parameters,
    ) -> Vec<Resync> {
        let mut ended = Vec::new();
        let mut going_on = Vec::new();
        for (peer, refreshed) in std::mem::take(&mut self.transfers) {
            let Session::Transfer(transfer) = vantage.get(peer).session.clone() else { continue };
            let quiet = at - transfer.progress >= parameters.transfer_quiet;
            // Each family has an end of its own (RFC 4724 section 2): one of them does not tell of the other.
            let told = told == Some(peer) && all_have_come(&transfer, parameters) || is_complete(&transfer);
            if !has_come(&transfer, parameters) || !(quiet || told) {
                going_on.push((peer, refreshed));
                continue;
            }
            let known = vantage.get_mut(peer);
            known.session = Session::Up;
            // All that it holds has been said again.
            known.stale_since = None;
            let collector = known.key.collector;
            let until = transfer.progress;
            self.see((collector, Some(peer)), until, vantage);
            let speaks = Family::ALL.map(|family| family_has_come(&transfer, family as usize, parameters));
            let since = transfer.down_since;
            let is_covered = transfer.is_covered && !told;
            ended.push(Resync { peer, since, at: until, refreshed, speaks, is_covered });
        }
        self.transfers = going_on;
        ended
    }

    /// The peer sees since `at`, when a table was taken that is settled now; a transfer that has not ended is dropped.
    pub(crate) fn restored(&mut self, peer: PeerId, at: Time, vantage: &mut Vantage) {
        self.transfers.retain(|(other, _)| *other != peer);
        let known = vantage.get_mut(peer);
        if let Session::Down { since } = known.session {
            known.doubt(since, at);
        }
        known.session = Session::Up;
        known.last_message = known.last_message.max(at);
        let collector = known.key.collector;
        self.see((collector, Some(peer)), at, vantage);
    }
}

/// Whether as much came again as a peer that speaks for the rest must have.
fn has_come(transfer: &Transfer, parameters: &Parameters) -> bool {
    (0..2).any(|family| family_has_come(transfer, family, parameters)) || transfer.before == [0, 0]
}

/// The same of every family in which it held anything.
fn all_have_come(transfer: &Transfer, parameters: &Parameters) -> bool {
    (0..2).all(|family| transfer.before[family] == 0 || family_has_come(transfer, family, parameters))
}

/// Whether nothing that was held before is still to come.
fn is_complete(transfer: &Transfer) -> bool {
    transfer.before != [0, 0] && (0..2).all(|family| transfer.refreshed[family] >= transfer.before[family])
}

fn family_has_come(transfer: &Transfer, family: usize, parameters: &Parameters) -> bool {
    let (before, refreshed) = (transfer.before[family], transfer.refreshed[family]);
    before > 0 && refreshed * 100 >= before * parameters.resync_percent
}

fn record(
    (collector, peer): (CollectorId, Option<PeerId>),
    from: Time,
    until: Time,
    reason: BlindReason,
    vantage: &Vantage,
) -> Blind {
    Blind {
        collector: vantage.collectors[usize::from(collector.0)].name.clone(),
        peer_asn: peer.map(|peer| vantage.get(peer).key.asn),
        from,
        until: until.max(from),
        reason,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{Nobody, PeerKey};
    use gonedark_route::Asn;

    #[test]
    fn an_as_whose_sessions_went_down_at_once_sees_again_with_the_last_of_them() {
        let (mut vantage, mut sight) = (Vantage::default(), Sight::default());
        let collector = vantage.collector("rrc00");
        let mut peer = |address: &str| {
            let address = address.parse().expect("an address");
            let peer = vantage.peer(PeerKey { collector, asn: Asn(64_500), address }, &Nobody);
            (collector, peer)
        };
        let (four, six) = (peer("192.0.2.1"), peer("2001:db8::1"));
        let at = Time::from_seconds;
        sight.blind(four, at(100), BlindReason::SessionDown);
        sight.blind(six, at(100), BlindReason::SessionDown);
        let told = |sight: &mut Sight, now| {
            let news = sight.news(at(now), &vantage);
            news.iter().map(|news| (news.over, news.blind.until)).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut sight, 110), [(false, at(110)), (false, at(110))]);
        sight.see(four, at(120), &vantage);
        assert_eq!(told(&mut sight, 130), []);
        sight.see(six, at(140), &vantage);
        assert_eq!(told(&mut sight, 150), [(true, at(140))]);
    }
}
