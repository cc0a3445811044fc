//! Memory that was freed goes back to the system.
//!
//! A connection's thread makes what it says in an arena of its own, and the loop frees it there. Each arena keeps what was the most
//! that ever waited in it, so that a watch of many routers grows for hours towards the sum of all those.

use super::now;
use std::time::{Duration, Instant};

/// How often. Guess: what is freed within a minute is mostly needed again. How long it took says the log, at `debug`.
const PAUSE: Duration = Duration::from_secs(60);

/// When it was given back last.
pub(super) struct Memory(Instant);

impl Memory {
    pub(super) fn new() -> Self {
        Memory(now())
    }

    /// Gives back what is free, where it is time.
    pub(super) fn step(&mut self) {
        if self.0.elapsed() >= PAUSE {
            let begin = now();
            give_back();
            tracing::debug!(ms = begin.elapsed().as_millis() as u64, "free memory is given back");
            self.0 = now();
        }
    }
}

/// Other allocators than glibc's do so by themselves.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the standard library has no way to ask for it")]
fn give_back() {
    // SAFETY: it takes no pointer, and any thread may call it at any time (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
