//! Bytes to records: the formats that routing archives, registries and flow exporters write.
//!
//! | module | what it reads |
//! |---|---|
//! | [`mrt`] | the records of RIPE RIS and RouteViews archives: tables and updates |
//! | [`bmp`] | what routers tell of their sessions, as they tell it |
//! | [`ris_live`] | the live stream of RIPE RIS |
//! | [`bgp`] | the BGP messages and attributes inside all of them |
//! | [`delegated`] | the registries' statistics of what is delegated to whom |
//! | [`flow`] | what routers tell of the traffic through them: NetFlow, IPFIX and sFlow |
//! | [`packet`] | packets, or their first bytes: what telescopes capture and sFlow samples |
//!
//! All reading goes through one checked cursor. No I/O, no clock, no panic on any input, no allocation per record
//! or route: records borrow the bytes they were read from. An error is a small [`DecodeError`] that says where,
//! what was expected and what was found; the next record can be read after each of them.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)]
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::panic)
)]

pub mod bgp;
pub mod bmp;
mod cursor;
pub mod delegated;
mod error;
pub mod flow;
pub mod mrt;
pub mod packet;
pub mod ris_live;
mod sessions;

pub use error::{DecodeError, Field};
