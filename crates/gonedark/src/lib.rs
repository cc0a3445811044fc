//! x

pub mod present;
