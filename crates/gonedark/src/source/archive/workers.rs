use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::bzip2::Decoders;

/// Jobs that may wait for a thread before the one who hands them in waits too. A guess: readers bound their own jobs
/// in flight, so this only has to be larger than what a few dozen readers hold.
const QUEUE: usize = 256;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that decompress for any number of [`ArchiveReader`](super::ArchiveReader)s at once.
///
/// Shared between readers, so that thirty collectors read side by side need no more threads, and no more decoder
/// memory, than the machine has cores. A clone is the same pool; the threads end when the last clone is dropped.
#[derive(Clone)]
pub struct Workers {
    queue: Option<SyncSender<Job>>,
    threads: usize,
    decoders: Decoders,
}

impl Workers {
    /// A pool of `threads` threads. With 0 every job runs at once on the thread that asks for it.
    pub fn new(threads: usize) -> Self {
        let (sender, receiver) = mpsc::sync_channel::<Job>(QUEUE);
        let receiver = Arc::new(Mutex::new(receiver));
        let started = (0..threads)
            .take_while(|_| {
                let receiver = Arc::clone(&receiver);
                thread::Builder::new().name("decompress".into()).spawn(move || work(&receiver)).is_ok()
            })
            .count();
        Workers { queue: (started > 0).then_some(sender), threads: started, decoders: Decoders::default() }
    }

    /// One thread for each core that this process may use.
    pub fn per_core() -> Self {
        Self::new(thread::available_parallelism().map_or(1, NonZeroUsize::get))
    }

    /// How many threads work.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The memory to decode blocks of bzip2 in, for all readers.
    pub(super) fn decoders(&self) -> &Decoders {
        &self.decoders
    }

    /// Runs `job` on a thread of the pool, or here where there is none; its result arrives at the receiver.
    pub(super) fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
        let (done, result) = mpsc::sync_channel(1);
        // A reader that was dropped no longer wants its result.
        self.start(move || drop(done.send(job())));
        result
    }

    /// Runs `job` on a thread of the pool, or here where there is none. A job must not wait for another job.
    pub(super) fn start(&self, job: impl FnOnce() + Send + 'static) {
        let job: Job = Box::new(job);
        match &self.queue {
            Some(queue) => {
                if let Err(mpsc::SendError(job)) = queue.send(job) {
                    job();
                }
            }
            None => job(),
        }
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // The lock is held while waiting for a job, never while doing one.
        let job = match jobs.lock() {
            Ok(jobs) => jobs.recv(),
            Err(_) => return,
        };
        match job {
            Ok(job) => job(),
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_threads_does_the_work_itself() {
        let workers = Workers::new(0);
        let here = thread::current().id();
        assert!(workers.run(move || thread::current().id() == here).recv().expect("a result"));
    }

    #[test]
    fn results_come_back_to_whoever_asked() {
        let workers = Workers::new(3);
        let results: Vec<_> = (0..1_000_u32).map(|n| workers.run(move || n * 2)).collect();
        for (n, result) in (0..).zip(results) {
            assert_eq!(result.recv().expect("a result"), n * 2_u32);
        }
    }
}
