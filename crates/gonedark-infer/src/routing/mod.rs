//! Who looks, what they hold, and what the vote says of each network.
//!
//! `vantage` knows the peers and who of them can see; `row`, `shard` and `table` hold the routes; `reading` settles a
//! collector's table against them; `vote` says of each network whether it counts, is lost or back.

pub(crate) mod bits;
pub(crate) mod filter;
pub(crate) mod reading;
pub(crate) mod row;
pub(crate) mod shard;
pub(crate) mod table;
pub(crate) mod tails;
pub(crate) mod vantage;
mod vote;
