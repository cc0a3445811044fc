//! The fetcher on a thread of its own: an archive that does not answer keeps nobody from telling that a file is overdue, and
//! a watch from being stopped.

use super::Fetcher;
use crate::source::live::Stop;
use gonedark_route::Time;
use std::collections::BTreeMap;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

/// How often it is asked whether to stop meanwhile.
const TICK: Duration = Duration::from_millis(100);

/// A fetcher that fetches, or waits to be asked. Dropped, it is let go: what it has half of goes on at the next start.
pub(super) struct Fetching {
    asked: SyncSender<BTreeMap<String, Time>>,
    answers: Receiver<Result<(), String>>,
    is_busy: bool,
}

impl Fetching {
    pub(super) fn start(mut fetcher: Fetcher) -> io::Result<Self> {
        let (asked, questions) = sync_channel(1);
        let (answer, answers) = sync_channel(1);
        std::thread::Builder::new().name("fetch".into()).spawn(move || {
            while let Ok(read) = questions.recv() {
                if answer.send(fetcher(&read)).is_err() {
                    return;
                }
            }
        })?;
        Ok(Fetching { asked, answers, is_busy: false })
    }

    /// Has it fetch what follows `read`, unless it fetches already, and waits as long as `longest`. Gives how that ended;
    /// nothing where it has not, or is to stop.
    pub(super) fn fetch(
        &mut self,
        read: BTreeMap<String, Time>,
        longest: Duration,
        stop: &Stop,
    ) -> Option<Result<(), String>> {
        let ended = || Some(Err("its thread has ended by a bug".to_owned()));
        if !self.is_busy && self.asked.send(read).is_err() {
            return ended();
        }
        self.is_busy = true;
        let mut left = longest;
        while !stop.is_set() && !left.is_zero() {
            match self.answers.recv_timeout(TICK.min(left)) {
                Ok(done) => {
                    self.is_busy = false;
                    return Some(done);
                }
                Err(RecvTimeoutError::Timeout) => left = left.saturating_sub(TICK),
                Err(RecvTimeoutError::Disconnected) => return ended(),
            }
        }
        None
    }
}
