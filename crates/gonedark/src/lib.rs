//! x

pub mod country;
