//! What a stretch of one archive file says, as plain values in vectors: nothing is allocated per route.

use gonedark_decode::mrt::PeerAddress;
use gonedark_route::{AsnSize, Nlri, PathView, Prefix, Time};
use std::ops::Range;

/// A place in one of a batch's vectors.
pub type Span = Range<u32>;

/// A path in a batch: where its bytes lie, and how wide its ASNs are.
#[derive(Clone, Debug)]
pub struct PathSpan {
    start: u32,
    length: u16,
    size: AsnSize,
}

/// One observation. Peers are numbered per file.
#[derive(Clone, Debug)]
pub enum Observation {
    /// An UPDATE.
    Update {
        /// Who sent it.
        peer: u16,
        /// The path of what it announces.
        path: Option<PathSpan>,
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
    /// Its path.
    pub path: PathSpan,
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
    paths: Vec<u8>,
}

impl Batch {
    /// Keeps the bytes of a path.
    pub fn keep_path(&mut self, path: PathView<'_>) -> PathSpan {
        let start = self.paths.len() as u32;
        // A path fills one attribute at most: 65,535 bytes (RFC 4271 section 4.3).
        let bytes = &path.bytes()[..path.bytes().len().min(usize::from(u16::MAX))];
        self.paths.extend_from_slice(bytes);
        PathSpan { start, length: bytes.len() as u16, size: path.size() }
    }

    /// A path that was kept.
    #[inline]
    pub fn path(&self, span: &PathSpan) -> PathView<'_> {
        let start = span.start as usize;
        PathView::new(&self.paths[start..start + usize::from(span.length)], span.size)
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
        self.observations.len() * 48 + self.nlri.len() * 32 + self.entries.len() * 16 + self.paths.len()
    }

    /// Puts the observations in order of time; those of one stamp stay in the order of the file.
    pub fn sort(&mut self) {
        if !self.observations.is_sorted_by_key(|(at, _)| *at) {
            self.observations.sort_by_key(|(at, _)| *at);
        }
    }
}
