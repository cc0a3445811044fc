//! What a recording has told of path identifiers, per session: marks are often missing, OPENs are not.

use crate::bgp::{AddPath, AddPathOffer, Open};
use gonedark_route::Family;

/// How many sessions are remembered. The largest collectors have some hundred peers; the bound is a guess that
/// keeps a file of invented addresses from taking memory.
const SESSIONS_MAX: usize = 4096;

/// Sessions by `Key`, sorted by it: in MRT the peer's address, in BMP also its table. The ASN is no part of it: an
/// OPEN may stand in a record with two-byte ASNs and the UPDATEs in such with four.
#[derive(Debug)]
pub(crate) struct Sessions<Key> {
    known: Vec<(Key, Known)>,
}

/// Whose messages are to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Direction {
    /// Those that the peer sends.
    FromPeer,
    /// Those that go to the peer (Adj-RIB-Out).
    ToPeer,
}

#[derive(Clone, Copy, Default, Debug)]
struct Known {
    peer: Option<[AddPathOffer; 2]>,
    collector: Option<[AddPathOffer; 2]>,
    inferred: [bool; 2],
    /// Of the peer and of the collector.
    four_byte: [bool; 2],
}

impl<Key> Default for Sessions<Key> {
    fn default() -> Self {
        Sessions { known: Vec::new() }
    }
}

impl<Key: Ord + Copy> Sessions<Key> {
    /// Whether nothing is known of any.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known for IPv4 and IPv6.
    pub(crate) fn add_path(&self, peer: Key, direction: Direction) -> [AddPath; 2] {
        let Ok(at) = self.find(peer) else { return [AddPath::Unknown; 2] };
        self.known.get(at).map_or([AddPath::Unknown; 2], |(_, known)| known.add_path(direction))
    }

    /// Whether the OPENs of both sides are known, and both can do ASNs of four bytes.
    pub(crate) fn is_four_byte(&self, peer: Key) -> bool {
        let known = self.find(peer).ok().and_then(|at| self.known.get(at));
        known.is_some_and(|(_, known)| known.four_byte == [true; 2])
    }

    /// Whether one of the sides offers anything of ADD-PATH, for IPv4 and IPv6.
    pub(crate) fn offers(&self, peer: Key) -> [bool; 2] {
        let known = self.find(peer).ok().and_then(|at| self.known.get(at));
        let any = |offers: Option<[AddPathOffer; 2]>| {
            offers.unwrap_or_default().map(|offer| offer.send || offer.receive)
        };
        let [peer_offers, collector_offers] =
            known.map_or([[false; 2]; 2], |(_, known)| [any(known.peer), any(known.collector)]);
        let ([a_v4, a_v6], [b_v4, b_v6]) = (peer_offers, collector_offers);
        [a_v4 || b_v4, a_v6 || b_v6]
    }

    /// Takes note of an OPEN, sent by the collector itself or by the peer.
    pub(crate) fn open(&mut self, peer: Key, by_collector: bool, open: &Open<'_>) {
        let offers = Family::ALL.map(|family| open.add_path(family));
        if let Some(known) = self.entry(peer) {
            let [peer_four, collector_four] = known.four_byte;
            match by_collector {
                true => {
                    known.collector = Some(offers);
                    known.four_byte = [peer_four, open.is_four_byte()];
                }
                false => {
                    known.peer = Some(offers);
                    known.four_byte = [open.is_four_byte(), collector_four];
                }
            }
        }
    }

    /// Takes note that a message made no sense without path identifiers.
    pub(crate) fn inferred(&mut self, peer: Key, families: [bool; 2]) {
        if let Some(known) = self.entry(peer) {
            let ([v4, v6], [more_v4, more_v6]) = (known.inferred, families);
            known.inferred = [v4 || more_v4, v6 || more_v6];
        }
    }

    /// Forgets a session that is down: the next one has OPENs of its own.
    pub(crate) fn down(&mut self, peer: Key) {
        if let Ok(at) = self.find(peer) {
            self.known.remove(at);
        }
    }

    fn find(&self, peer: Key) -> Result<usize, usize> {
        self.known.binary_search_by_key(&peer, |(address, _)| *address)
    }

    fn entry(&mut self, peer: Key) -> Option<&mut Known> {
        let at = match self.find(peer) {
            Ok(at) => at,
            Err(_) if self.known.len() >= SESSIONS_MAX => return None,
            Err(at) => {
                self.known.insert(at, (peer, Known::default()));
                at
            }
        };
        self.known.get_mut(at).map(|(_, known)| known)
    }
}

impl Known {
    fn add_path(&self, direction: Direction) -> [AddPath; 2] {
        let (sender, receiver) = match direction {
            Direction::FromPeer => (self.peer, self.collector),
            Direction::ToPeer => (self.collector, self.peer),
        };
        let ([sender_v4, sender_v6], [receiver_v4, receiver_v6]) = (split(sender), split(receiver));
        let [inferred_v4, inferred_v6] = self.inferred;
        [add_path(sender_v4, receiver_v4, inferred_v4), add_path(sender_v6, receiver_v6, inferred_v6)]
    }
}

fn split(offers: Option<[AddPathOffer; 2]>) -> [Option<AddPathOffer>; 2] {
    offers.map_or([None; 2], |[v4, v6]| [Some(v4), Some(v6)])
}

/// There are path identifiers if one side offered to send and the other one to receive them (RFC 7911 section 4).
fn add_path(sender: Option<AddPathOffer>, receiver: Option<AddPathOffer>, inferred: bool) -> AddPath {
    match (sender.map(|offer| offer.send), receiver.map(|offer| offer.receive)) {
        (Some(true), Some(true)) => AddPath::Agreed,
        (Some(false), _) | (_, Some(false)) => AddPath::No,
        (None, None) if !inferred => AddPath::Unknown,
        _ => AddPath::Offered,
    }
}
