//! Says which country or network has gone dark, since when, how much of it, and what could not be seen.
//!
//! This crate does all input and output; what it says is concluded in `gonedark_infer`, from what `gonedark_decode`
//! reads. Data flows one way:
//!
//! ```text
//! source -> pipeline -> gonedark_infer -> present
//! source -> watch (pipeline::observatory, gonedark_infer) -> store -> serve
//! ```
//!
//! | module | what lives here |
//! |---|---|
//! | [`source`] | where observations come from: archive files, BMP, RIS Live |
//! | [`config`] | what may be written in `gonedark.toml` |
//! | [`fetch`] | downloads: archives of RIS and RouteViews, the registries' statistics |
//! | [`pipeline`] | files to batches to the inference, merged by time |
//! | [`country`] | which network is whose: tables built in and loaded, names, local clocks |
//! | [`scenario`] | invented and reconstructed Internets as text, and the archives made from them |
//! | [`present`] | the report as text, JSON, CSV, HTML and picture |
//! | [`watch`], [`store`], [`serve`] | the loop of `gonedark watch`, what survives, how it is over HTTP |
//! | [`rows`] | rows of a table on their way out |
//! | [`cli`], [`commands`] | what may be typed, and what it does |
//! | [`clock`] | the only place that asks what time it is |
//!
//! Start reading at [`commands::replay`], which walks the whole way.
#![warn(missing_docs)]

pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod country;
pub mod fetch;
pub mod pipeline;
pub mod present;
pub mod rows;
pub mod scenario;
pub mod serve;
pub mod source;
pub mod store;
pub mod watch;
