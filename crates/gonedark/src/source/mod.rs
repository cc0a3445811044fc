//! Where observations come from. One folder for each kind of source.
//!
//! All of them give [`batch::Batch`]es, which [`filling`] fills; live ones send them as [`parcel::Parcel`]s through the
//! [`channel`].

pub mod archive;
pub mod batch;
pub mod bmp;
pub mod channel;
pub mod filling;
pub mod follow;
pub mod live;
pub mod parcel;
pub mod ris_live;
mod stamp;
