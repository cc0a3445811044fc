//! What a live source hands on: batches of its streams, with how far each has come.

use super::batch::Batch;
use gonedark_route::Time;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What a stream carries. Messages and tables of one collector are two streams: each has an order of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// Messages and sessions.
    Messages,
    /// Whole tables.
    Tables,
}

impl Part {
    /// `messages`, `tables`.
    pub const fn name(self) -> &'static str {
        match self {
            Part::Messages => "messages",
            Part::Tables => "tables",
        }
    }
}

/// Which stream of which source.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StreamKey {
    /// The source, by its name in the configuration.
    pub source: String,
    /// Whose routes: `rrc00`, or the name of a router.
    pub collector: String,
    /// What it carries.
    pub part: Part,
}

/// A piece of a stream. What was not accepted is sent again from the last [`Parcel::position`] after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// Which stream.
    pub stream: Arc<StreamKey>,
    /// Observations, in order of time.
    pub batch: Batch,
    /// Whether the numbers of peers and networks begin anew with this batch.
    pub fresh: bool,
    /// Nothing earlier than this will come from this stream any more.
    pub mark: Option<Time>,
    /// Where the source goes on after this, in its own words.
    pub position: Option<String>,
    /// Whether the stream has ended: nobody waits for it any more.
    pub closed: bool,
}

impl Parcel {
    /// Bytes of memory that it takes, about.
    pub fn weight(&self) -> usize {
        self.batch.weight() + size_of::<Self>()
    }

    /// A parcel with nothing in it.
    pub fn of(stream: &Arc<StreamKey>) -> Self {
        let stream = Arc::clone(stream);
        Parcel { stream, batch: Batch::default(), fresh: false, mark: None, position: None, closed: false }
    }
}
