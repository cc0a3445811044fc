//! What a stretch of one archive file says, as plain values in vectors: nothing is allocated per route.

use gonedark_decode::mrt::PeerAddress;
use gonedark_route::{Nlri, Prefix, Tail, Time};
use std::ops::Range;

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
        /// Announced networks, in [`Batch::nlri`].
        announced: Span,
        /// Withdrawn networks, likewise.
        withdrawn: Span,
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
        /// The network.
        prefix: Prefix,
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

/// Some observations of one file, in the order in which they are to be applied.
#[derive(Default, Debug)]
pub struct Batch {
    /// When, and what.
    pub observations: Vec<(Time, Observation)>,
    /// Networks of messages.
    pub nlri: Vec<Nlri>,
    /// Routes of tables.
    pub entries: Vec<Entry>,
    /// Peers that the file names for the first time; they go on numbering from those before.
    pub peers: Vec<PeerAddress>,
}

impl Batch {
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
    }

    /// The networks that the observations from `from` up to `until` name, in their order.
    pub fn named(&self, from: usize, until: usize) -> impl Iterator<Item = Prefix> + '_ {
        self.observations[from..until].iter().flat_map(|(_, observation)| {
            let (networks, row) = match observation {
                Observation::Update { announced, withdrawn, .. } => ([withdrawn, announced], None),
                Observation::TableRow { prefix, .. } => ([&(0..0), &(0..0)], Some(*prefix)),
                _ => ([&(0..0), &(0..0)], None),
            };
            let of_message = networks.into_iter().flat_map(|span| self.networks(span));
            of_message.map(|nlri| nlri.prefix).chain(row)
        })
    }

    /// Puts the observations in order of time; those of one stamp stay in the order of the file.
    pub fn sort(&mut self) {
        if !self.observations.is_sorted_by_key(|(at, _)| *at) {
            self.observations.sort_by_key(|(at, _)| *at);
        }
    }
}
