//! Where observations come from. One folder for each kind of source.
//!
//! All of them give [`batch::Batch`]es, which [`filling`] fills.

pub mod archive;
pub mod batch;
pub mod filling;
