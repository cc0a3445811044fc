//! Where observations come from. One folder for each kind of source.

pub mod archive;
