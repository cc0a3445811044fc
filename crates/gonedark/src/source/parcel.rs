//! What a live source hands on: batches of its streams, with how far each has come.

use super::batch::Batch;
use gonedark_infer::traffic::report::{Attack, DeafReason};
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

/// Before the position of a stream that was closed in its source's stead, with a blindness of its collector that its source
/// did not tell and has to end.
const SHUT: &str = "shut ";

/// The position of a stream that is closed in its source's stead.
pub fn shut(position: &str) -> String {
    format!("{SHUT}{}", shut_before(position).1)
}

/// Whether a stream was closed in its source's stead, and its position in the source's own words.
pub fn shut_before(position: &str) -> (bool, &str) {
    position.strip_prefix(SHUT).map_or((false, position), |own| (true, own))
}

/// What a source hands on.
#[derive(Debug)]
pub enum Freight {
    /// Observations: journaled, so that they are taken again after a crash.
    Parcel(Parcel),
    /// What was concluded of traffic, which itself is not kept.
    Tidings(Box<Tidings>),
}

/// What a meter says: what is new of attacks, of those who could not be heard, and now and then all its state.
#[derive(Debug, Default)]
pub struct Tidings {
    /// The source, by its name in the configuration.
    pub source: String,
    /// Up to when everything was metered.
    pub until: Option<Time>,
    /// Attacks that began or ended, or how they go on.
    pub attacks: Vec<AttackTold>,
    /// Who could not be heard.
    pub deaf: Vec<Unheard>,
    /// All state of the meter, to go on from after a restart.
    pub state: Option<Vec<u8>>,
    /// Nothing more will come of it.
    pub is_last: bool,
}

/// An attack, as it is now.
#[derive(Debug)]
pub struct AttackTold {
    /// What it is.
    pub attack: Attack,
    /// The same as JSON (docs/traffic-schema.md).
    pub body: String,
    /// Whether it began, ended or became part of another; else it only goes on.
    pub is_news: bool,
}

/// A time in which an exporter could not be heard, or not wholly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unheard {
    /// Its address; nothing where the kernel dropped what somebody sent.
    pub exporter: Option<String>,
    /// Begin.
    pub from: Time,
    /// End.
    pub until: Time,
    /// Why.
    pub reason: DeafReason,
    /// What was lost, as it counts; 0 where nobody knows.
    pub lost: u64,
}

impl Tidings {
    /// Bytes of memory that they take, about.
    fn weight(&self) -> usize {
        let attacks: usize =
            self.attacks.iter().map(|told| told.body.len() * 2 + size_of::<AttackTold>()).sum();
        let deaf = self.deaf.len() * size_of::<Unheard>();
        attacks + deaf + self.state.as_ref().map_or(0, Vec::len) + size_of::<Self>()
    }
}

impl Freight {
    /// The parcel, where it is one.
    pub fn parcel(self) -> Option<Parcel> {
        match self {
            Freight::Parcel(parcel) => Some(parcel),
            Freight::Tidings(_) => None,
        }
    }

    /// Bytes of memory that it takes, about.
    pub fn weight(&self) -> usize {
        match self {
            Freight::Parcel(parcel) => parcel.weight(),
            Freight::Tidings(tidings) => tidings.weight(),
        }
    }
}

impl From<Parcel> for Freight {
    fn from(parcel: Parcel) -> Self {
        Freight::Parcel(parcel)
    }
}

impl From<Tidings> for Freight {
    fn from(tidings: Tidings) -> Self {
        Freight::Tidings(Box::new(tidings))
    }
}
