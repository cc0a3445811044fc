//! What a stretch of one archive file says, as plain values in vectors: nothing is allocated per route.

use gonedark_decode::mrt::PeerAddress;
use gonedark_route::{Nlri, Prefix, Tail, Time};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A place in one of a batch's vectors.
pub type Span = Range<u32>;

/// One observation. Peers are numbered per file.
#[derive(Clone, Debug)]
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
    /// An End-of-RIB marker.
    EndOfRib {
        /// Whose.
        peer: u16,
    },
    /// A message that could not be read: what the peer holds is uncertain from here on.
    Damaged {
        /// Whose.
        peer: u16,
    },
    /// A table begins.
    TableBegin,
    /// A row of it.
    TableRow {
        /// The network, in [`Batch::nlri`].
        network: u32,
        /// Its routes, in [`Batch::entries`].
        entries: Span,
    },
    /// The table ends.
    TableEnd {
        /// Whether all of it was read.
        whole: bool,
    },
}

/// A route of a table's row.
#[derive(Clone, Debug)]
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
pub struct Spare(Arc<Mutex<Vec<Box<Batch>>>>);

impl Spare {
    /// An empty batch.
    pub fn take(&self) -> Box<Batch> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Takes a batch back.
    pub fn put(&self, mut batch: Box<Batch>) {
        batch.clear();
        if batch.observations.capacity() == 0 {
            return;
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(batch);
    }
}

/// Some observations of one file, in the order in which they are to be applied.
#[derive(Default, Debug)]
pub struct Batch {
    /// When, and what.
    pub observations: Vec<(Time, Observation)>,
    /// Networks that the observations name.
    pub nlri: Vec<Nlri>,
    /// Routes of tables.
    pub entries: Vec<Entry>,
    /// Peers that the file names for the first time; they go on numbering from those before.
    pub peers: Vec<PeerAddress>,
    /// Whether the observations are not in the order in which they were put in.
    reordered: bool,
}

impl Batch {
    /// Puts in a row of a table.
    pub fn push_row(&mut self, at: Time, prefix: Prefix, entries: Span) {
        let network = self.nlri.len() as u32;
        self.nlri.push(prefix.into());
        self.observations.push((at, Observation::TableRow { network, entries }));
    }

    /// Networks that were kept.
    #[inline]
    pub fn networks(&self, span: &Span) -> &[Nlri] {
        &self.nlri[span.start as usize..span.end as usize]
    }

    /// Routes that were kept.
    #[inline]
    pub fn routes(&self, span: &Span) -> &[Entry] {
        &self.entries[span.start as usize..span.end as usize]
    }

    /// Roughly the memory that it takes, in bytes.
    pub fn weight(&self) -> usize {
        let sizes = (size_of::<(Time, Observation)>(), size_of::<Nlri>(), size_of::<Entry>());
        self.observations.len() * sizes.0 + self.nlri.len() * sizes.1 + self.entries.len() * sizes.2
    }

    /// Forgets everything but the memory.
    pub fn clear(&mut self) {
        self.observations.clear();
        self.nlri.clear();
        self.entries.clear();
        self.peers.clear();
        self.reordered = false;
    }

    /// The networks that the observations from `from` up to `until` name, in their order. None where the observations
    /// were put in another order than their networks.
    pub fn named(&self, from: usize, until: usize) -> &[Nlri] {
        let spans = |(_, observation): &(Time, Observation)| match observation {
            Observation::Update { networks, .. } => Some(networks.clone()),
            Observation::TableRow { network, .. } => Some(*network..*network + 1),
            _ => None,
        };
        let some = &self.observations[from..until];
        let (first, last) = (some.iter().find_map(spans), some.iter().rev().find_map(spans));
        match (first, last) {
            (Some(first), Some(last)) if !self.reordered => self.networks(&(first.start..last.end)),
            _ => &[],
        }
    }

    /// Puts the observations in order of time; those of one stamp stay in the order of the file.
    pub fn sort(&mut self) {
        if !self.observations.is_sorted_by_key(|(at, _)| *at) {
            self.observations.sort_by_key(|(at, _)| *at);
            self.reordered = true;
        }
    }
}
