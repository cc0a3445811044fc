//! What a stretch of one archive file or live stream says, as plain values in vectors: nothing is allocated per route.
//! The only form in which observations are kept or sent.

use gonedark_infer::report::BlindReason;
use gonedark_route::{Asn, Prefix, Tail, Time};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A place in one of a batch's vectors.
pub type Span = Range<u32>;

/// A network in a message, by the file's number of it, with its ADD-PATH identifier (0 without).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The file's number of the network.
    pub network: u32,
    /// RFC 7911.
    pub path_id: u32,
}

/// One observation. Peers and networks are numbered per file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Observation {
    /// An UPDATE.
    Update {
        /// Who sent it.
        peer: u16,
        /// The end of the path of what it announces.
        tail: Option<Tail>,
        /// Its networks, in [`Batch::nlri`]: first the withdrawn ones.
        networks: Span,
        /// How many of them are withdrawn.
        withdrawn: u32,
    },
    /// A session came up or went down.
    Session {
        /// Whose.
        peer: u16,
        /// Up, or down.
        established: bool,
    },
    /// A KEEPALIVE: the peer is there, and has nothing to say.
    Alive {
        /// Who.
        peer: u16,
    },
    /// An End-of-RIB marker.
    EndOfRib {
        /// Whose.
        peer: u16,
    },
    /// What could not be read: what the peer holds is uncertain from here on.
    Damaged {
        /// Whose; `None` where it is not known, and so may be of any peer of the collector.
        peer: Option<u16>,
    },
    /// A table begins.
    TableBegin,
    /// A row of it.
    TableRow {
        /// The network.
        network: u32,
        /// Its routes, in [`Batch::entries`].
        entries: Span,
    },
    /// The table ends.
    TableEnd {
        /// Whether all of it was read.
        whole: bool,
    },
    /// From here on the collector gives nothing.
    GapBegin {
        /// Why.
        reason: BlindReason,
    },
    /// The collector gives again.
    GapEnd,
}

/// A BGP neighbour of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Neighbour {
    /// Its AS.
    pub asn: Asn,
    /// Its address.
    pub address: IpAddr,
}

/// A route of a table's row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub peer: u16,
    /// ADD-PATH identifier, 0 without.
    pub path_id: u32,
    /// The end of its path.
    pub tail: Tail,
}

/// Batches that are used up, to be filled again: their memory is there already. A clone is the same store.
#[derive(Clone, Default)]
pub struct Spare(Arc<Mutex<Vec<Batch>>>);

impl Spare {
    /// An empty batch.
    pub fn take(&self) -> Batch {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a batch back.
    pub fn put(&self, mut batch: Batch) {
        batch.clear();
        if batch.observations.capacity() == 0 {
            return;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }
}

/// Some observations of one file, in the order in which they are to be applied.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// When, and what.
    pub observations: Vec<(Time, Observation)>,
    /// Networks of messages.
    pub nlri: Vec<Member>,
    /// Routes of tables.
    pub entries: Vec<Entry>,
    /// Peers that the file names for the first time; they go on numbering from those before.
    pub peers: Vec<Neighbour>,
    /// Networks, likewise. One that many messages name is named here once for all of them; a table's rows are each named
    /// anew.
    pub named: Vec<Prefix>,
    /// Whether the numbers of networks begin anew with this batch.
    pub renumbered: bool,
}

impl Batch {
    /// Networks that were kept.
    #[inline]
    pub fn networks(&self, span: &Span) -> &[Member] {
        &self.nlri[span.start as usize..span.end as usize]
    }

    /// Routes that were kept.
    #[inline]
    pub fn routes(&self, span: &Span) -> &[Entry] {
        &self.entries[span.start as usize..span.end as usize]
    }

    /// Whether it says nothing at all: neither observations nor names, nor that numbers begin anew.
    pub fn is_blank(&self) -> bool {
        self.observations.is_empty() && self.named.is_empty() && self.peers.is_empty() && !self.renumbered
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn weight(&self) -> usize {
        let sizes = (size_of::<(Time, Observation)>(), size_of::<Member>(), size_of::<Entry>());
        let named = self.named.len() * size_of::<Prefix>();
        named + self.observations.len() * sizes.0 + self.nlri.len() * sizes.1 + self.entries.len() * sizes.2
    }

    /// Makes room for as much as another says, where there is not as much already.
    pub fn make_room_like(&mut self, other: &Batch) {
        self.observations.reserve(other.observations.len());
        self.nlri.reserve(other.nlri.len());
        self.entries.reserve(other.entries.len());
        self.named.reserve(other.named.len());
    }

    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.observations.clear();
        self.nlri.clear();
        self.entries.clear();
        self.peers.clear();
        self.named.clear();
        self.renumbered = false;
    }

    /// Puts the observations in order of time; those of one stamp stay in the order of the file.
    pub fn sort(&mut self) {
        if !self.observations.is_sorted_by_key(|(at, _)| *at) {
            self.observations.sort_by_key(|(at, _)| *at);
        }
    }
}
