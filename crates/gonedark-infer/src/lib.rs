//! From routing observations to visibility, states and exact incidents.
#![warn(missing_docs)]

pub mod entity;
pub mod report;
