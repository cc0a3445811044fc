//! Who looks, what they hold, and what the vote says of each network.
//!
//! `vantage` knows the peers and who of them can see; `row`, `shard` and `table` hold the routes, `touched` what was said of
//! them a moment ago. `word` takes what a peer says of a network, `cast` makes the votes of ASNs of it, `vote` says of each
//! network whether it counts, is lost or back, and `change` is what it says. `reading` settles a collector's table against
//! what is held.

pub(crate) mod bits;
mod cast;
pub(crate) mod change;
pub(crate) mod filter;
pub(crate) mod reading;
pub(crate) mod row;
pub(crate) mod shard;
pub(crate) mod table;
pub(crate) mod tails;
mod touched;
pub(crate) mod vantage;
mod vote;
pub(crate) mod word;
