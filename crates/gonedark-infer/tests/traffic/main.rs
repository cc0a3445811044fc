//! Traffic: flows that are made up, and what is said of them.

mod curve;
mod world;
