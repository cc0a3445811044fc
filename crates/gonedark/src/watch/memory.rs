//! Memory that was freed is used again, or goes back to the system.
//!
//! A connection's thread makes what it says in an arena of the allocator, and the loop frees it there. With an arena for each thread,
//! as glibc has it, each keeps what was the most that ever waited in it, so that a watch of many routers grows for hours towards the
//! sum of all those. So one arena serves all threads, and what is free in it is given back from time to time. And where much waits for
//! a moment, what is kept for weeks comes to lie between, and holds the pages around it: so what waits does not lie in the arena.

use super::now;
use std::time::{Duration, Instant};

/// How often. To compose an incident of thousands of networks takes some ten MiB for a moment, twice a minute while they flap; between
/// two that is free. How long it took says the log, at `debug`.
const PAUSE: Duration = Duration::from_secs(10);

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

/// Has all threads that begin from now on share one arena, of small things alone. To be called before there are any: nobody leaves an
/// arena again.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the standard library has no way to ask for it")]
pub fn share() {
    /// Of all threads together: each takes and frees small things from stores of its own (the tcache), whatever their number.
    const ARENAS: i32 = 1;
    /// What is as large comes from the system and goes back to it when it is freed: parcels, and blocks of what was touched. glibc
    /// begins with twice that, and raises it to 32 MiB by itself with each such thing that is freed.
    const LARGE: i32 = 64 << 10;
    for (name, value) in [(libc::M_ARENA_MAX, ARENAS), (libc::M_MMAP_THRESHOLD, LARGE)] {
        // SAFETY: it takes no pointer, and any thread may call it at any time (mallopt(3)).
        if unsafe { libc::mallopt(name, value) } == 0 {
            tracing::debug!("the allocator refuses {value} for its parameter {name}");
        }
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn share() {}

/// Other allocators than glibc's do so by themselves.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the standard library has no way to ask for it")]
fn give_back() {
    // SAFETY: it takes no pointer, and any thread may call it at any time (malloc_trim(3)).
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_back() {}
