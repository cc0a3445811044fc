//! What happens to a row, as it leaves the table.

use crate::observation::NetworkId;
use crate::report::Interval;
use gonedark_route::{Prefix, Time};

/// A voter's loss of a network.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Loss {
    pub(crate) voter: u16,
    pub(crate) when: Interval,
}

/// What happened to a row.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) enum Change {
    /// It no longer counts: lost for so long.
    Aged { since: Time },
    /// Lost by the vote; who lost it when, who still holds it, and whether hardly any vote is left.
    Lost { losses: Vec<Loss>, kept: Vec<u16>, deep: bool },
    /// Back by the vote.
    Back,
    /// Whether hardly any vote is left on a lost network has changed.
    Depth { deep: bool },
    /// One voter lost it or has it back.
    Witness { voter: u16, when: Interval, held: bool },
    /// A foreign origin announced it while it was lost.
    Foreign { origin: gonedark_route::Asn },
}

/// A change of a row, as it leaves the shard.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Transition {
    pub(crate) at: Time,
    pub(crate) row: NetworkId,
    pub(crate) prefix: Prefix,
    pub(crate) change: Change,
}
