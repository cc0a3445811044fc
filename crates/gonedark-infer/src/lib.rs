//! From routing observations to visibility, states and exact incidents. No I/O, no clock, no decoder: the same
//! observations give the same report, byte for byte.
//!
//! The pipeline, in the order in which an observation passes through it:
//!
//! | stage | module | what it decides |
//! |---|---|---|
//! | told | [`observation`] | messages, table rows, sessions, gaps: borrowed, per message |
//! | who looks | `sight`, `routing::vantage` | which peers can see, which have a full feed, who is blind and why |
//! | what they hold | `routing::{shard, reading}` | one cell per network and peer; tables settled against messages |
//! | the vote | `routing::vote` | which networks count, which are lost, which are back |
//! | entities | `detection::{track, level}` | how much of a country or an AS is lost |
//! | incidents | `incident::{compose, phases, turn}` | losses grouped into incidents with phases, onset, recovery, witnesses |
//! | said | [`report`], `conclude`, [`news`] | plain values for presenters: all of it, or what is new |
//! | kept | `kept` | all state, for a program that goes on after a crash |
//! | given | [`observation`], [`parameters`], [`entity`] | what callers tell, thresholds, whose network |
//!
//! Start reading at [`Inference`], which drives all of it and owns all of it.
//!
//! Invariants (each has a property test in the crate `gonedark`, `tests/invariants`): losing sight never lowers
//! visibility; what cannot be seen is never a drop; times are intervals with witnesses; order within a stamp changes
//! nothing; any number of shards gives the same report.
#![warn(missing_docs)]

mod conclude;
mod detection;
pub mod entity;
mod incident;
mod inference;
mod kept;
pub mod news;
pub mod observation;
pub mod parameters;
pub mod report;
mod routing;
mod sight;
pub mod traffic;

pub use detection::tracks::Watch;
pub use inference::Inference;
pub use kept::Kept;
