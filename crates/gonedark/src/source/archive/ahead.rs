use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{mem, thread};

use super::input::Input;
use super::reader::Part;
use super::stream::Sequence;
use super::workers::Workers;

/// Decompressed bytes in one chunk. A guess: it stays in the second level cache between the thread that writes it
/// and the one that reads it.
const CHUNK: usize = 256 << 10;

/// Chunks that wait for the caller at most. With one alone, measured, the two threads wake each other for each chunk
/// and are slower than one thread.
const READY: usize = 4;

/// Decodes a sequence ahead of the one who reads it: as long as there is room a job on the workers goes on, else
/// it puts the sequence aside, to be taken up again when half of the chunks are read.
pub(super) struct Ahead {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    ready: VecDeque<(Vec<u8>, Part)>,
    /// The memory of chunks that the caller is done with.
    spare: Vec<Vec<u8>>,
    at: Where,
}

#[derive(Default)]
enum Where {
    /// In a job that is waiting or running.
    #[default]
    Running,
    Aside(Box<Sequence>, u64),
    Ended(Input),
    /// The job panicked: a bug in a decoder.
    Lost,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing under the lock can panic half way.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ahead {
    pub(super) fn new(sequence: Sequence, workers: &Workers) -> Self {
        let shared = Arc::new(Shared { state: Mutex::default(), changed: Condvar::new() });
        submit(&shared, Box::new(sequence), 0, workers);
        Ahead { shared }
    }

    /// The next chunk, in exchange for the memory of `chunk`; nothing if the decoder was lost.
    pub(super) fn next(&mut self, chunk: &mut Vec<u8>, workers: &Workers) -> Option<Part> {
        let mut state = self.shared.state();
        loop {
            let waiting = state.ready.len();
            if waiting <= READY / 2 && matches!(state.at, Where::Aside(..)) {
                let Where::Aside(sequence, delivered) = mem::take(&mut state.at) else { return None };
                drop(state);
                submit(&self.shared, sequence, delivered, workers);
                state = self.shared.state();
            } else if let Some((data, part)) = state.ready.pop_front() {
                state.spare.push(mem::replace(chunk, data));
                return Some(part);
            } else if matches!(state.at, Where::Running) {
                state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            } else {
                return None;
            }
        }
    }

    /// The file, for what is left to read of it; waits for a job that still has it.
    pub(super) fn into_input(self) -> Option<Input> {
        let mut state = self.shared.state();
        while matches!(state.at, Where::Running) {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        match mem::replace(&mut state.at, Where::Lost) {
            Where::Aside(sequence, _) => Some(sequence.into_input()),
            Where::Ended(input) => Some(input),
            Where::Running | Where::Lost => None,
        }
    }
}

/// Wakes the one who waits, also where the decoder panics.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.state().at = Where::Lost;
        }
        self.0.changed.notify_one();
    }
}

fn submit(shared: &Arc<Shared>, sequence: Box<Sequence>, delivered: u64, workers: &Workers) {
    let guard = Guard(Arc::clone(shared));
    // Without threads the one who waits is the one who decodes: one chunk at a time.
    let room = if workers.threads() == 0 { 1 } else { READY };
    workers.start(move || decode(&guard.0, sequence, delivered, room));
}

fn decode(shared: &Shared, mut sequence: Box<Sequence>, mut delivered: u64, room: usize) {
    loop {
        let mut chunk = shared.state().spare.pop().unwrap_or_default();
        chunk.clear();
        chunk.reserve(CHUNK);
        let part = sequence.fill(&mut chunk, delivered);
        delivered += chunk.len() as u64;
        let more = matches!(part, Part::More);
        let mut state = shared.state();
        state.ready.push_back((chunk, part));
        if !more {
            state.at = Where::Ended(sequence.into_input());
            return;
        }
        if state.ready.len() >= room {
            state.at = Where::Aside(sequence, delivered);
            return;
        }
        drop(state);
        shared.changed.notify_one();
    }
}
