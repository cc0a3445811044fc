//! Traffic: flows that are made up, and what is said of them.

mod attacks;
mod crowded;
mod curve;
mod described;
mod invariants;
mod normal;
mod world;
