//! All files' batches in one order of time.

use super::apply::Numbers;
use crate::source::archive::reading::{self, Complaint, FileSummary, Piece};
use crate::source::archive::{ArchiveFile, Kind, Workers};
use crate::source::batch::{Batch, Observation, Spare};
use gonedark_route::Time;
use std::sync::mpsc::Receiver;

/// Files that are opened ahead of need, so that their first batch is ready when it is wanted.
const AHEAD: usize = 3;
/// A file may begin this much before its nominal time: RIS files begin up to a minute early. Guess.
const EARLY: i64 = 60_000_000;

/// A file that is open.
pub(super) struct Open {
    pub(super) file: usize,
    pieces: Receiver<Piece>,
    pub(super) batch: Batch,
    pub(super) next: usize,
    /// What the file has named, by its numbers; the owner of the inference fills it.
    pub(super) numbers: Numbers,
}

/// What the merge gives next.
pub(super) enum Step {
    /// The observations of an open file from its `next` on, as long as they are earlier than the given time.
    Run(usize, Time),
    /// An open file has a new batch, which may name peers.
    Batch(usize),
    /// A file has ended.
    End(usize, Box<FileSummary>),
}

impl Open {
    /// When its next observation is due. One without a batch at hand comes before all others, and so does what remains
    /// of a table that has begun: a table is taken whole at its time.
    fn head(&self) -> Time {
        match self.batch.observations.get(self.next) {
            None | Some((_, Observation::TableRow { .. } | Observation::TableEnd { .. })) => Time::MIN,
            Some((at, _)) => *at,
        }
    }
}

/// Files waiting to be opened, by when they begin, and those that are open.
pub(super) struct Merge<'a> {
    files: &'a [ArchiveFile],
    /// Numbers of files not yet begun, the earliest last.
    waiting: Vec<usize>,
    /// Files whose reading has begun ahead of need, the earliest first.
    ahead: std::collections::VecDeque<(usize, Receiver<Piece>)>,
    pub(super) open: Vec<Open>,
    until: Option<Time>,
    workers: Workers,
    spare: Spare,
}

impl<'a> Merge<'a> {
    pub(super) fn new(files: &'a [ArchiveFile], until: Option<Time>, workers: Workers) -> Self {
        let mut waiting: Vec<usize> = (0..files.len()).collect();
        // At the same time tables come first: messages then find what they change.
        waiting.sort_by_key(|file| {
            let known = &files[*file];
            (begin(known), known.kind != Kind::Rib, *file)
        });
        waiting.reverse();
        let (ahead, open, spare) = Default::default();
        Merge { files, waiting, ahead, open, until, workers, spare }
    }

    /// The next in order of time; `None` at the end of everything.
    pub(super) fn next(&mut self) -> Option<Step> {
        self.read_ahead();
        let waiting = self.ahead.front().map(|(file, _)| begin(&self.files[*file]));
        let (mut first, mut second) = (None::<((Time, usize), usize)>, None::<Time>);
        for (place, open) in self.open.iter().enumerate() {
            let head = (open.head(), open.file);
            if first.is_none_or(|(earliest, _)| head < earliest) {
                second = first.map(|((at, _), _)| at).into_iter().chain(second).min();
                first = Some((head, place));
            } else {
                second = Some(second.map_or(head.0, |second| second.min(head.0)));
            }
        }
        match (first, waiting) {
            (Some(((at, _), place)), waiting) if waiting.is_none_or(|begin| at < begin) => {
                let open = &self.open[place];
                if open.next >= open.batch.observations.len() {
                    return self.turn(place);
                }
                // At equal stamps the files take turns by stamp: what lies beyond the next other head waits.
                let horizon = second.into_iter().chain(waiting).min().unwrap_or(Time::MAX);
                Some(Step::Run(place, horizon))
            }
            (_, Some(_)) => {
                let (file, pieces) = self.ahead.pop_front()?;
                self.open.push(Open {
                    file,
                    pieces,
                    batch: Batch::default(),
                    next: 0,
                    numbers: Numbers::default(),
                });
                self.turn(self.open.len() - 1)
            }
            _ => None,
        }
    }

    /// Takes the next piece of an open file.
    fn turn(&mut self, place: usize) -> Option<Step> {
        match self.open[place].pieces.recv() {
            Ok(Piece::Batch(batch)) => {
                let open = &mut self.open[place];
                self.spare.put(std::mem::replace(&mut open.batch, batch));
                open.next = 0;
                Some(Step::Batch(place))
            }
            Ok(Piece::End(summary)) => {
                let open = self.open.swap_remove(place);
                self.spare.put(open.batch);
                Some(Step::End(open.file, summary))
            }
            Err(_) => {
                // The thread is gone without a word: it panicked, which is a bug; the file is not lost in silence.
                let open = self.open.swap_remove(place);
                let file = &self.files[open.file];
                let bug = "reading stopped; this is a bug in gonedark".to_owned();
                let summary = FileSummary {
                    path: file.path.clone(),
                    collector: file.collector.clone(),
                    damage: vec![Complaint::of_file(bug)],
                    ..FileSummary::default()
                };
                Some(Step::End(open.file, Box::new(summary)))
            }
        }
    }

    fn read_ahead(&mut self) {
        while self.ahead.len() < AHEAD {
            let Some(file) = self.waiting.pop() else { return };
            self.ahead
                .push_back((file, reading::start(&self.files[file], self.until, &self.workers, &self.spare)));
        }
    }
}

/// When a file may begin. One whose name does not tell is opened at once.
fn begin(file: &ArchiveFile) -> Time {
    file.time.map_or(Time::MIN, |time| time + -EARLY)
}
