//! Where observations come from. One folder for each kind of source.
//!
//! All of them give [`batch::Batch`]es, which [`filling`] fills; live ones send them as [`parcel::Parcel`]s through the
//! [`channel`]. Of traffic, [`flows`] gives records instead: there are too many of them to keep.

pub mod archive;
pub mod batch;
pub mod bmp;
pub mod capture;
pub mod channel;
pub mod filling;
pub mod flows;
pub mod follow;
pub mod live;
pub mod parcel;
pub mod ris_live;
mod stamp;
mod steady;
pub mod telescope;
