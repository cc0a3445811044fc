//! x

pub mod delegated;
