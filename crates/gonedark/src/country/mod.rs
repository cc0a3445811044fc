//! Countries: which network is whose, what they are called, what their clocks show.
//!
//! - [`place`]: names, capitals, local time;
//! - [`statistics`]: the RIRs' files as they lie on disk, checked;
//! - [`table`]: the table that is made of them, and where it is from;
//! - [`mod@load`]: the table for a run: from files, from the data folder, or built in.

mod gazetteer;
pub mod load;
pub mod place;
pub mod statistics;
pub mod table;

#[cfg(test)]
mod tests;

pub use load::{Countries, load};
pub use place::{LocalTime, is_known, local_time, name};
pub use statistics::CountryError;
pub use table::{Source, build_table};
