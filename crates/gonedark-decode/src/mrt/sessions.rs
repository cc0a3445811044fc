//! What the file has told of path identifiers, per session: marks are often missing, OPENs are not.

use crate::bgp::{AddPath, AddPathOffer, Open};
use gonedark_route::Family;
use std::net::IpAddr;

/// How many sessions are remembered. The largest collectors have some hundred peers; the bound is a guess that
/// keeps a file of invented addresses from taking memory.
const SESSIONS_MAX: usize = 4096;

/// Sessions by the peer's address, sorted by it. Its ASN is no part of the key: an OPEN may stand in a record
/// with two-byte ASNs and the UPDATEs in such with four.
#[derive(Default, Debug)]
pub(crate) struct Sessions {
    known: Vec<(IpAddr, Known)>,
}

#[derive(Clone, Copy, Default, Debug)]
struct Known {
    peer: Option<[AddPathOffer; 2]>,
    collector: Option<[AddPathOffer; 2]>,
    inferred: [bool; 2],
}

impl Sessions {
    /// Whether nothing is known of any.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// What is known for IPv4 and IPv6.
    pub(crate) fn add_path(&self, peer: IpAddr) -> [AddPath; 2] {
        let Ok(at) = self.find(peer) else { return [AddPath::Unknown; 2] };
        self.known.get(at).map_or([AddPath::Unknown; 2], |(_, known)| known.add_path())
    }

    /// Takes note of an OPEN, sent by the collector itself or by the peer.
    pub(crate) fn open(&mut self, peer: IpAddr, by_collector: bool, open: &Open<'_>) {
        let offers = Family::ALL.map(|family| open.add_path(family));
        if let Some(known) = self.entry(peer) {
            match by_collector {
                true => known.collector = Some(offers),
                false => known.peer = Some(offers),
            }
        }
    }

    /// Takes note that a message made no sense without path identifiers.
    pub(crate) fn inferred(&mut self, peer: IpAddr, families: [bool; 2]) {
        if let Some(known) = self.entry(peer) {
            let ([v4, v6], [more_v4, more_v6]) = (known.inferred, families);
            known.inferred = [v4 || more_v4, v6 || more_v6];
        }
    }

    /// Forgets a session that is down: the next one has OPENs of its own.
    pub(crate) fn down(&mut self, peer: IpAddr) {
        if let Ok(at) = self.find(peer) {
            self.known.remove(at);
        }
    }

    fn find(&self, peer: IpAddr) -> Result<usize, usize> {
        self.known.binary_search_by_key(&peer, |(address, _)| *address)
    }

    fn entry(&mut self, peer: IpAddr) -> Option<&mut Known> {
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
    fn add_path(&self) -> [AddPath; 2] {
        let [peer_v4, peer_v6] = split(self.peer);
        let [collector_v4, collector_v6] = split(self.collector);
        let [inferred_v4, inferred_v6] = self.inferred;
        [add_path(peer_v4, collector_v4, inferred_v4), add_path(peer_v6, collector_v6, inferred_v6)]
    }
}

fn split(offers: Option<[AddPathOffer; 2]>) -> [Option<AddPathOffer>; 2] {
    offers.map_or([None; 2], |[v4, v6]| [Some(v4), Some(v6)])
}

/// The peer sends path identifiers if it offered to and the collector offered to receive (RFC 7911 section 4).
fn add_path(peer: Option<AddPathOffer>, collector: Option<AddPathOffer>, inferred: bool) -> AddPath {
    match (peer.map(|offer| offer.send), collector.map(|offer| offer.receive)) {
        (Some(true), Some(true)) => AddPath::Agreed,
        (Some(false), _) | (_, Some(false)) => AddPath::No,
        (None, None) if !inferred => AddPath::Unknown,
        _ => AddPath::Offered,
    }
}
