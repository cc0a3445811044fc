//! From flows to rates, baselines and attacks; and from what strays into a telescope to attacks elsewhere.
//!
//! | stage | module | what it decides |
//! |---|---|---|
//! | told | [`Traffic::flow`], [`Traffic::lost`] | records, as exporters gave them |
//! | who counts | `exporter` | whose clock is wrong and by how much, who cannot be heard |
//! | of what kind | [`kind`] | SYN flood, reflection, conversation, ..., by ports, flags and sizes |
//! | whose | [`whose`], `origins`, `place` | host, /24 or /48, watched prefix, AS, country of a target |
//! | when, how much | `credit`, `course`, `amount`, `counting` | spread over the seconds in which the packets came |
//! | what is kept | `table`, `contenders` | a bounded number of courses, the heavy ones |
//! | what is usual | `baseline`, `learning` | rates at this time of day, with what they vary |
//! | worth a look? | `suspects` | which targets reach a part of a threshold, and get an account |
//! | too much? | `verdict`, `judge` | over a threshold, and no conversation, scan, crowd or part of something smaller |
//! | by what means | `account`, `sketch` | sources, ports, targets; vectors |
//! | over? | `ending` | quiet for long enough, as far as somebody listened |
//! | said | [`report`], `open` | plain values |
//! | elsewhere | [`backscatter`] | what the victims of floods with forged sources answer |
//! | beside an outage | [`evidence`] | which attacks overlap or precede an incident; never that they caused it |
//!
//! Start reading at [`Traffic`], which owns all of it. METHOD.md, "Traffic and attacks", has the formulas.

mod account;
mod amount;
pub mod backscatter;
mod baseline;
mod contenders;
mod counting;
mod course;
mod credit;
mod ending;
pub mod evidence;
mod exporter;
mod judge;
pub mod kind;
mod learning;
mod meter;
mod open;
mod origins;
pub mod parameters;
mod place;
pub mod report;
mod sketch;
mod suspects;
mod table;
mod verdict;
pub mod whose;

pub use exporter::GONE;
pub use meter::{KeptTraffic, Traffic};
pub use origins::{NoOrigins, OriginTable, Origins};
pub use parameters::Parameters;
pub use whose::Watched;
