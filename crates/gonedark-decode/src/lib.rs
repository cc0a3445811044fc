//! Placeholder

pub mod delegated;
