//! Says which country or network has gone dark, since when, how much, and what could not be seen.

pub mod scenario;
