//! Fills batches: numbers peers and networks, and puts what messages say into vectors.

use super::batch::{Batch, Member, Neighbour, Observation, Spare};
use foldhash::fast::RandomState;
use gonedark_decode::bgp::Update;
use gonedark_route::{Nlri, Prefix, Time};
use std::collections::HashMap;

/// After so many networks an archive's file numbers them anew, so that nobody can take all memory. Guess: as many as there
/// are.
pub const PER_FILE: u32 = 1 << 20;
/// After so many a live stream does: few enough that they stay in the processor's cache, as most are named once where a
/// table is sent, and memory need not grow with the networks that a router has.
pub const PER_STREAM: u32 = 1 << 12;

/// The batch that is being filled, and the numbers that go on from one batch to the next.
pub struct Filling {
    /// What was put in so far.
    pub batch: Batch,
    spare: Spare,
    peers: HashMap<Neighbour, u16, RandomState>,
    last_peer: Option<(Neighbour, u16)>,
    known: HashMap<Prefix, u32, RandomState>,
    next_network: u32,
    /// After how many of them they are numbered anew.
    most: u32,
}

impl Filling {
    /// Begins with a spare batch; numbers begin at zero, and anew with the batch after the one that has `most` networks full.
    pub fn new(spare: Spare, most: u32) -> Self {
        Filling {
            batch: spare.take(),
            spare,
            peers: HashMap::default(),
            last_peer: None,
            known: HashMap::default(),
            next_network: 0,
            most,
        }
    }

    /// The number of a peer; `None` once 65,536 were named.
    #[inline]
    pub fn peer(&mut self, peer: Neighbour) -> Option<u16> {
        // One peer often says several things in a row.
        if let Some((last, number)) = self.last_peer
            && last == peer
        {
            return Some(number);
        }
        let number = match self.peers.get(&peer) {
            Some(number) => *number,
            None => {
                let number = u16::try_from(self.peers.len()).ok()?;
                self.peers.insert(peer, number);
                self.batch.peers.push(peer);
                number
            }
        };
        self.last_peer = Some((peer, number));
        Some(number)
    }

    /// A number for a network that will not be named again, as most are in a table.
    #[inline]
    pub fn network_anew(&mut self, prefix: Prefix) -> u32 {
        self.batch.named.push(prefix);
        self.next_network += 1;
        self.next_network - 1
    }

    /// What one UPDATE says: its networks, or that a table has been sent.
    #[inline]
    pub fn update(&mut self, at: Time, peer: Neighbour, update: &Update<'_>) {
        let Some(peer) = self.peer(peer) else { return };
        let Filling { batch, known, next_network, .. } = self;
        let Batch { nlri, named, observations, .. } = batch;
        let start = nlri.len() as u32;
        let mut push = |Nlri { prefix, path_id }| {
            let network = *known.entry(prefix).or_insert_with(|| {
                named.push(prefix);
                *next_network += 1;
                *next_network - 1
            });
            nlri.push(Member { network, path_id });
            nlri.len() as u32
        };
        // From within: an iterator of several parts goes through each of them at a stretch.
        let middle = update.withdrawn().fold(start, |_, nlri| push(nlri));
        let end = update.announced().fold(middle, |_, nlri| push(nlri));
        if start == end {
            if update.end_of_rib.is_some() {
                observations.push((at, Observation::EndOfRib { peer }));
            }
            return;
        }
        let tail = update.path.filter(|_| middle < end).map(|path| path.tail());
        let (networks, withdrawn) = (start..end, middle - start);
        observations.push((at, Observation::Update { peer, tail, networks, withdrawn }));
    }

    /// Something of a peer that is no UPDATE.
    pub fn of_peer(&mut self, at: Time, peer: Neighbour, what: impl FnOnce(u16) -> Observation) {
        if let Some(peer) = self.peer(peer) {
            self.batch.observations.push((at, what(peer)));
        }
    }

    /// The batch that was filled; a new one is begun.
    pub fn take(&mut self) -> Batch {
        let batch = std::mem::replace(&mut self.batch, self.spare.take());
        // The next says about as much.
        self.batch.make_room_like(&batch);
        if self.next_network >= self.most {
            self.known.clear();
            self.next_network = 0;
            self.batch.renumbered = true;
        }
        batch
    }
}
