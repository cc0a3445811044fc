//! Gives the observations of batches to the inference: the same for archives and for live streams.

use crate::source::batch::{Batch, Entry, Member, Observation};
use gonedark_infer::Inference;
use gonedark_infer::observation::{CollectorId, Named, NetworkId, PeerId, PeerKey, TableEntry, Update};
use serde::{Deserialize, Serialize};

/// What the numbers of a file or a stream stand for.
#[derive(Default, Serialize, Deserialize)]
pub struct Numbers {
    peers: Vec<Option<PeerId>>,
    networks: Vec<Option<NetworkId>>,
}

impl Numbers {
    /// How many peers were named.
    pub fn peers(&self) -> u16 {
        // A peer's number has 16 bits.
        self.peers.len().min(usize::from(u16::MAX)) as u16
    }

    /// Takes what a batch names for the first time: all at once, so that the waits for memory overlap.
    pub fn name(&mut self, batch: &Batch, collector: CollectorId, inference: &mut Inference) {
        for peer in &batch.peers {
            let key = PeerKey { collector, asn: peer.asn, address: peer.address };
            self.peers.push(inference.peer(key));
        }
        if batch.renumbered {
            self.networks.clear();
        }
        inference.networks(&batch.named, &mut self.networks);
    }
}

/// Room for the networks of one message, used again for each.
#[derive(Default)]
pub struct Hand {
    named: Vec<Named>,
}

impl Hand {
    /// Applies the observation of a batch at `place`, as of its time.
    pub fn apply(
        &mut self,
        (collector, numbers): (CollectorId, &Numbers),
        batch: &Batch,
        place: usize,
        inference: &mut Inference,
    ) {
        let Some((at, observation)) = batch.observations.get(place) else { return };
        let at = *at;
        let peer = |peer: u16| numbers.peers.get(usize::from(peer)).copied().flatten();
        match observation {
            Observation::Update { peer: from, tail, networks, withdrawn } => {
                let Some(peer) = peer(*from) else { return };
                let named = |Member { network, path_id }: &Member| {
                    let network = numbers.networks.get(*network as usize).copied().flatten()?;
                    Some(Named { network, path_id: *path_id })
                };
                let (withdrawn, announced) = batch.networks(networks).split_at(*withdrawn as usize);
                self.named.clear();
                self.named.extend(withdrawn.iter().filter_map(named));
                let middle = self.named.len();
                self.named.extend(announced.iter().filter_map(named));
                let (withdrawn, announced) = self.named.split_at(middle);
                inference.update(&Update { at, peer, tail: *tail, announced, withdrawn });
            }
            Observation::TableRow { network, entries } => {
                let routes = batch.routes(entries).iter().filter_map(|entry| {
                    let Entry { peer: from, path_id, tail } = *entry;
                    peer(from).map(|peer| TableEntry { peer, path_id, tail })
                });
                if let Some(network) = numbers.networks.get(*network as usize).copied().flatten() {
                    inference.table_row(collector, network, routes);
                }
            }
            Observation::Session { peer: of, established } => {
                if let Some(peer) = peer(*of) {
                    inference.peer_state(at, peer, *established);
                }
            }
            Observation::Alive { peer: of } => {
                if let Some(peer) = peer(*of) {
                    inference.alive(at, peer);
                }
            }
            Observation::EndOfRib { peer: of } => {
                if let Some(peer) = peer(*of) {
                    inference.end_of_rib(at, peer);
                }
            }
            Observation::Damaged { peer: None } => inference.damage(at, collector, None),
            Observation::Damaged { peer: Some(of) } => {
                if let Some(peer) = peer(*of) {
                    inference.damage(at, collector, Some(peer));
                }
            }
            Observation::TableBegin => inference.table_begin(at, collector),
            Observation::TableEnd { whole } => inference.table_end(collector, *whole),
            Observation::GapBegin { reason } => inference.gap_begin(at, collector, *reason),
            Observation::GapEnd => inference.gap_end(at, collector),
        }
    }
}
