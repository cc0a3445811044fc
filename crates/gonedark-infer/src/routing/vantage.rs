//! Who looks: collectors, their peers, and which of them can see.

use super::bits::Bits;
use crate::entity::CountryCode;
use crate::observation::{CollectorId, Delegations, PeerId, PeerKey};
use crate::parameters::Parameters;
use foldhash::fast::FixedState;
use gonedark_route::{Asn, Family, Time};
use hashbrown::HashMap;

/// A collector.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Collector {
    pub(crate) name: String,
    /// Begin of the gap that it is in.
    pub(crate) gap_since: Option<Time>,
    /// When its last whole table was taken.
    pub(crate) table_at: Option<Time>,
    /// Whether a table of it could be read only in part.
    pub(crate) table_cut: bool,
}

/// What is known of a peer's session with its collector.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) enum Session {
    /// Named, but neither a message nor a table row has come yet.
    Unheard,
    /// It talks; what it holds is known.
    Up,
    /// Told down, or silent and absent from a table.
    Down { since: Time },
    /// Up again, its table is on the way.
    Transfer(Transfer),
}

/// A table transfer after a reset.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Transfer {
    /// When the session had gone down.
    pub(crate) down_since: Time,
    /// Whether the collector told that it came up: then nothing was announced in it before what comes now.
    pub(crate) is_told: bool,
    /// Whether a table of the collector that waits to be settled speaks for the peer: then its being quiet says nothing of what
    /// was not announced again and is in that table.
    pub(crate) is_covered: bool,
    /// When something of the table last came (at first: when the session came up).
    pub(crate) progress: Time,
    /// Cells that were held before, per family.
    pub(crate) before: [u64; 2],
    /// Of them announced again.
    pub(crate) refreshed: [u64; 2],
}

/// One BGP neighbour of one collector.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Peer {
    pub(crate) key: PeerKey,
    /// Its ASN's place among the voters.
    pub(crate) voter: u16,
    pub(crate) session: Session,
    /// When its session was last told to come up or to be lost, or it was missing from a table: what tables say of it that were
    /// taken before is over.
    pub(crate) changed_at: Time,
    /// Whether a table named what it held before its first message.
    pub(crate) tabled: bool,
    /// Whether a table of its collector was that: the first one counts as such also where the begin of the session was taken
    /// for a table before.
    pub(crate) by_table: bool,
    /// Whether its session was seen to begin before anything of it was heard: then what it sends up to its End-of-RIB is
    /// its whole table. And when that ended first, since each family has an end of its own.
    pub(crate) from_begin: bool,
    pub(crate) told_whole: Option<Time>,
    pub(crate) last_message: Time,
    /// When it last sent a KEEPALIVE, where its collector records them.
    pub(crate) alive_at: Time,
    /// Begin of a gap since which what it holds is not certain, and when what it says could be heard again.
    pub(crate) stale_since: Option<Time>,
    pub(crate) heard_again: Time,
    /// For how long it has been blind while enough others could see, as of the last [`Vantage::miss`], per family.
    missed: [i64; 2],
    /// Cells it holds, per family.
    pub(crate) held: [u64; 2],
    pub(crate) full_feed: [bool; 2],
    /// Whether it ever gave an ADD-PATH identifier.
    pub(crate) add_path: bool,
    /// Announcements without change in the window that began at `.0`, and the last message before that window.
    pub(crate) repeats: (Time, u64, Time),
    /// Sight, full feeds, whether its table was seen, whether it is stale, and whether it is gone, as of the last ballot.
    drawn: (bool, [bool; 2], bool, bool, [bool; 2]),
}

impl Peer {
    /// From `since` to `until` it may have said what nobody heard.
    pub(crate) fn doubt(&mut self, since: Time, until: Time) {
        self.stale_since.get_or_insert(since);
        self.heard_again = self.heard_again.max(until);
    }
}

/// One ASN that may vote, with its peers.
#[derive(serde::Serialize, serde::Deserialize)]
pub(crate) struct Voter {
    pub(crate) asn: Asn,
    pub(crate) peers: Vec<PeerId>,
    /// How many of them hold anything, per family.
    pub(crate) holders: [u16; 2],
    /// Networks that its peers without a table have spoken of, each once, per family.
    pub(crate) spoken: [u64; 2],
    /// Its peers that spoke for it as of the last ballot, per family.
    drawn: [Vec<PeerId>; 2],
}

/// What both the table and the peers decide by: who votes, who of them can see, who votes on whom.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Ballot {
    /// ASNs with a full feed, per family.
    pub(crate) voters: [Bits; 2],
    /// Of them those with a sighted full-feed peer.
    pub(crate) sighted: [Bits; 2],
    /// Of the voters those whose table was seen.
    pub(crate) tabled: [Bits; 2],
    /// ASNs delegated to a country: they do not vote on it.
    pub(crate) domestic: HashMap<CountryCode, Bits, FixedState>,
    /// Whether enough of the usual voters can see, per family.
    pub(crate) covered: [bool; 2],
}

impl Ballot {
    /// Word `index` of the set of those who may vote on a network of `country` now.
    #[inline]
    pub(crate) fn word(&self, family: Family, country: Option<CountryCode>, index: usize) -> u64 {
        let sighted = self.sighted[family as usize].word(index);
        match country.and_then(|country| self.domestic.get(&country)) {
            Some(domestic) => sighted & !domestic.word(index),
            None => sighted,
        }
    }
}

/// Collectors, peers and voters.
#[derive(Default, serde::Serialize, serde::Deserialize)]
pub(crate) struct Vantage {
    pub(crate) collectors: Vec<Collector>,
    pub(crate) peers: Vec<Peer>,
    pub(crate) voters: Vec<Voter>,
    pub(crate) ballot: Ballot,
    /// How often a peer was named for which there was no room.
    pub(crate) refused: u64,
    by_name: HashMap<String, CollectorId, FixedState>,
    by_key: HashMap<PeerKey, PeerId, FixedState>,
    by_asn: HashMap<Asn, u16, FixedState>,
}

/// More peers than this are not told apart: the table's columns are numbered with 16 bits. RIS and RouteViews together
/// had about 3,000 in 2024.
pub(crate) const MAX_PEERS: usize = u16::MAX as usize;

impl Vantage {
    pub(crate) fn collector(&mut self, name: &str) -> CollectorId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = CollectorId(self.collectors.len() as u16);
        self.collectors.push(Collector {
            name: name.to_owned(),
            gap_since: None,
            table_at: None,
            table_cut: false,
        });
        self.by_name.insert(name.to_owned(), id);
        id
    }

    /// The peer's number; `None` once [`MAX_PEERS`] are known.
    pub(crate) fn peer(&mut self, key: PeerKey, delegations: &dyn Delegations) -> Option<PeerId> {
        if let Some(id) = self.by_key.get(&key) {
            return Some(*id);
        }
        if self.peers.len() >= MAX_PEERS {
            self.refused += 1;
            return None;
        }
        let id = PeerId(self.peers.len() as u16);
        let voters = &mut self.voters;
        let domestic = &mut self.ballot.domestic;
        let voter = *self.by_asn.entry(key.asn).or_insert_with(|| {
            let voter = voters.len();
            voters.push(Voter {
                asn: key.asn,
                peers: Vec::new(),
                holders: [0; 2],
                spoken: [0; 2],
                drawn: Default::default(),
            });
            if let Some(country) = delegations.country_of_asn(key.asn) {
                domestic.entry(country).or_default().set(voter);
            }
            voter as u16
        });
        self.voters[usize::from(voter)].peers.push(id);
        self.peers.push(Peer {
            key,
            voter,
            session: Session::Unheard,
            changed_at: Time::MIN,
            tabled: false,
            by_table: false,
            from_begin: false,
            told_whole: None,
            last_message: Time::MIN,
            alive_at: Time::MIN,
            stale_since: None,
            heard_again: Time::MIN,
            missed: [0; 2],
            held: [0; 2],
            full_feed: [false; 2],
            add_path: false,
            repeats: (Time::MIN, 0, Time::MIN),
            drawn: Default::default(),
        });
        self.by_key.insert(key, id);
        Some(id)
    }

    pub(crate) fn get(&self, id: PeerId) -> &Peer {
        &self.peers[usize::from(id.0)]
    }

    pub(crate) fn get_mut(&mut self, id: PeerId) -> &mut Peer {
        &mut self.peers[usize::from(id.0)]
    }

    /// The collector of an ASN whose peers are all of one.
    pub(crate) fn collector_of(&self, voter: u16) -> Option<CollectorId> {
        let mut collectors =
            self.voters[usize::from(voter)].peers.iter().map(|peer| self.get(*peer).key.collector);
        let first = collectors.next()?;
        collectors.all(|other| other == first).then_some(first)
    }

    /// How many ASNs can see and have no full feed that is certain (each may have said what nobody heard), and from when
    /// until when they may have said it; `None` where enough of the usual voters are certain.
    pub(crate) fn uncertain(&self, family: usize, parameters: &Parameters) -> Option<(u64, Time, Time)> {
        let mut certain = Bits::default();
        let mut uncertain = Bits::default();
        let mut spell: Option<(Time, Time)> = None;
        for (index, peer) in self.peers.iter().enumerate() {
            if !peer.full_feed[family] || !self.is_sighted(PeerId(index as u16)) {
                continue;
            }
            let Some(since) = peer.stale_since else {
                certain.set(usize::from(peer.voter));
                continue;
            };
            uncertain.set(usize::from(peer.voter));
            let (from, until) = spell.unwrap_or((since, peer.heard_again));
            spell = Some((from.min(since), until.max(peer.heard_again)));
        }
        let (from, until) = spell?;
        let normal = u64::from(self.ballot.voters[family].count());
        let enough = u64::from(certain.count()) * 100 >= normal * parameters.coverage_percent;
        let count = uncertain.iter().filter(|voter| !certain.get(*voter)).count() as u64;
        (!enough && count > 0).then_some((count, from, until))
    }

    pub(crate) fn peers_of(&self, collector: CollectorId) -> impl Iterator<Item = PeerId> + '_ {
        (0..self.peers.len() as u16).map(PeerId).filter(move |id| self.get(*id).key.collector == collector)
    }

    /// Whether what the peer says now is what its network sees.
    pub(crate) fn is_sighted(&self, id: PeerId) -> bool {
        let peer = self.get(id);
        peer.session == Session::Up && self.collectors[usize::from(peer.key.collector.0)].gap_since.is_none()
    }

    /// The peers that speak for an ASN: those with a full feed if any has one, of them those that can see if any can, and of
    /// these those of which nothing was missed if there are any: what the others hold may be long gone.
    pub(crate) fn speakers<'a>(
        &'a self,
        voter: &'a Voter,
        family: usize,
    ) -> impl Iterator<Item = PeerId> + 'a {
        let weight = move |peer: &PeerId| {
            let known = self.get(*peer);
            let sees = self.is_sighted(*peer);
            (known.full_feed[family], sees, sees && known.stale_since.is_none())
        };
        let most = voter.peers.iter().map(weight).max();
        voter.peers.iter().copied().filter(move |peer| Some(weight(peer)) == most)
    }

    /// Counts a while in which peers were blind. Of one in which most others were as well nobody knows who is gone: the
    /// program may have been down, or a source, and a few that are left must not judge alone.
    pub(crate) fn miss(&mut self, during: i64) {
        for index in 0..self.peers.len() {
            if self.is_sighted(PeerId(index as u16)) {
                continue;
            }
            for (missed, _) in
                self.peers[index].missed.iter_mut().zip(self.ballot.covered).filter(|(_, covered)| *covered)
            {
                *missed = missed.saturating_add(during);
            }
        }
    }

    /// Whether a peer has been blind for so long that it is no voter of a family any more, until it sees again.
    pub(crate) fn is_gone(&self, id: PeerId, family: usize, parameters: &Parameters) -> bool {
        self.get(id).missed[family] >= parameters.age_out && !self.is_sighted(id)
    }

    /// Redraws the ballot from the peers' full feeds, sight and tables. Gives those peers of which any changed, whose ASN has
    /// another peer that carries the same family, and is spoken for by other peers than before; `None` where nothing
    /// changed at all.
    pub(crate) fn redraw(&mut self, parameters: &Parameters) -> Option<Vec<PeerId>> {
        let mut changed = Vec::new();
        for index in 0..self.peers.len() {
            let id = PeerId(index as u16);
            let sees = self.is_sighted(id);
            if sees {
                self.peers[index].missed = [0; 2];
            }
            let is_gone = [0, 1].map(|family| self.is_gone(id, family, parameters));
            let known = &self.peers[index];
            let now = (sees, known.full_feed, known.tabled, known.stale_since.is_some(), is_gone);
            if std::mem::replace(&mut self.peers[index].drawn, now) != now {
                changed.push(id);
            }
        }
        if changed.is_empty() {
            return None;
        }
        let spoken_for_anew: Vec<bool> =
            (0..self.voters.len()).map(|voter| self.draw_speakers(voter)).collect();
        changed.retain(|id| {
            spoken_for_anew[usize::from(self.get(*id).voter)]
                && !(0..2).all(|family| self.is_alone(*id, family))
        });
        for family in Family::ALL {
            let f = family as usize;
            let (mut voters, mut sighted) = (Bits::default(), Bits::default());
            // A table of one that is gone says what there is as long as nobody else's does.
            let (mut tabled, mut once) = (Bits::default(), Bits::default());
            for (index, peer) in self.peers.iter().enumerate().filter(|(_, peer)| peer.full_feed[f]) {
                let id = PeerId(index as u16);
                if peer.tabled {
                    once.set(usize::from(peer.voter));
                }
                if self.is_gone(id, f, parameters) {
                    continue;
                }
                voters.set(usize::from(peer.voter));
                if peer.tabled {
                    tabled.set(usize::from(peer.voter));
                }
                if self.is_sighted(id) {
                    sighted.set(usize::from(peer.voter));
                }
            }
            let (normal, now) = (u64::from(voters.count()), u64::from(sighted.count()));
            self.ballot.covered[f] = now > 0 && now * 100 >= normal * parameters.coverage_percent;
            self.ballot.voters[f] = voters;
            self.ballot.sighted[f] = sighted;
            self.ballot.tabled[f] = if tabled.count() > 0 { tabled } else { once };
        }
        Some(changed)
    }

    /// Notes who speaks for an ASN now; tells whether that is new.
    fn draw_speakers(&mut self, voter: usize) -> bool {
        let known = &self.voters[voter];
        let now = [0, 1].map(|family| self.speakers(known, family).collect::<Vec<_>>());
        std::mem::replace(&mut self.voters[voter].drawn, now.clone()) != now
    }

    /// Whether no other peer of its ASN holds anything of a family: then it alone casts the ASN's vote.
    #[inline]
    pub(crate) fn is_alone(&self, id: PeerId, family: usize) -> bool {
        let peer = self.get(id);
        self.voters[usize::from(peer.voter)].holders[family] <= u16::from(peer.held[family] > 0)
    }

    /// Notes that a peer holds one network more, or one less.
    #[inline]
    pub(crate) fn hold(&mut self, id: PeerId, family: usize, more: bool) {
        let peer = &mut self.peers[usize::from(id.0)];
        let before = peer.held[family];
        peer.held[family] = if more { before + 1 } else { before.saturating_sub(1) };
        let (now, holders) = (peer.held[family], &mut self.voters[usize::from(peer.voter)].holders[family]);
        match (before, now) {
            (0, 1) => *holders += 1,
            (1, 0) => *holders = holders.saturating_sub(1),
            _ => {}
        }
    }

    /// Chooses the full feeds among peers whose table was not seen, by how much they have spoken of: an ASN votes that
    /// spoke of at least a tenth of what the second most talkative did (the second, so that one that leaks or re-sends
    /// its table does not evict the others). Of its peers those count that hold at least a tenth of what the one that
    /// holds most does: a session with a few routes must not speak for the ASN while the others are blind.
    pub(crate) fn choose_by_speech(&mut self, parameters: &Parameters) -> bool {
        let mut changed = false;
        for f in [0, 1] {
            let untabled = |voter: &Voter| {
                let peers =
                    voter.peers.iter().map(|id| &self.peers[usize::from(id.0)]).filter(|peer| !peer.tabled);
                peers.map(|peer| peer.held[f]).max().map_or((0, 0), |most| (voter.spoken[f], most))
            };
            let by_voter: Vec<(u64, u64)> = self.voters.iter().map(untabled).collect();
            let mut spoken: Vec<u64> = by_voter.iter().map(|(spoken, _)| *spoken).collect();
            spoken.sort_unstable_by(|a, b| b.cmp(a));
            let measure = match spoken[..] {
                [first, second, ..] if second > 0 => first.min(second),
                [first, ..] => first,
                [] => 0,
            };
            for peer in self.peers.iter_mut().filter(|peer| !peer.tabled) {
                let (own, most) = by_voter[usize::from(peer.voter)];
                let talks = own > 0 && own * 100 >= measure * parameters.candidate_percent;
                let full = talks && peer.held[f] * 100 >= most * parameters.candidate_percent;
                changed |= full != peer.full_feed[f];
                peer.full_feed[f] = full;
            }
        }
        changed
    }
}
