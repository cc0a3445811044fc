//! From an entity's losses to incidents with phases.

pub(crate) mod compose;
pub(crate) mod phases;
pub(crate) mod skew;
pub(crate) mod told;
pub(crate) mod turn;
