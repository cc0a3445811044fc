//! The forms in which a run is told: sentence, text, JSON, CSV, picture, page.

mod attacks;
mod fixtures;
mod golden;
mod odd;
mod schema;
mod sentence;
