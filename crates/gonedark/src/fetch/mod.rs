//! Downloads: routing archives of RIS and RouteViews ([`fetch_archives`]), delegation files of the registries ([`update_rir`]).
//!
//! Blocking, on a few threads: at most [`Settings::connections`] at one host at a time. Every file is written beside its
//! place and moved there only when it is whole and is what it should be, so that a good file is never lost to a bad one.

mod archives;
mod failure;
mod hosts;
mod http;
mod index;
mod part;
mod plan;
mod progress;
mod rir;
mod roots;

pub use archives::{Collectors, Fetched, Missing, Outcome, Report, Request, WhyMissing, fetch_archives};
pub use failure::Failure;
pub use http::{Retry, Settings};
pub use progress::{Progress, Quiet};
pub use rir::{Delegation, RirOutcome, RirRoots, update_rir};
pub use roots::ArchiveRoots;
