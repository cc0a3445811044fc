//! From votes on networks to the state of entities.

pub(crate) mod episode;
pub(crate) mod level;
pub(crate) mod track;
pub(crate) mod tracks;
