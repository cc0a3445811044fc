//! Drives the inference with archive files.

use super::apply::Hand;
use super::merge::{Merge, Open, Step};
use crate::source::archive::{FileSummary, Kind, Listing, Rhythm, WITHOUT_RHYTHM, Workers};
use crate::source::batch::Observation;
use gonedark_infer::observation::{CollectorId, Delegations};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::{BlindReason, Report};
use gonedark_infer::traffic::OriginTable;
use gonedark_infer::{Inference, Watch};
use gonedark_route::Time;

/// What to replay, and how.
pub struct Request<'a> {
    /// The files.
    pub listing: &'a Listing,
    /// Begin of the window that is reported on.
    pub from: Option<Time>,
    /// Its end: later records are not read.
    pub until: Option<Time>,
    /// What is watched.
    pub watch: Watch,
    /// Every threshold.
    pub parameters: Parameters,
    /// Parts of the table.
    pub shards: usize,
    /// Intervals for which a collector is known to have nothing.
    pub missing: Vec<crate::source::archive::Gap>,
    /// Whether it is asked who originates what.
    pub origins: bool,
}

/// What came of it.
pub struct Outcome {
    /// What the inference says.
    pub report: Report,
    /// What the files were, by collector and time.
    pub inputs: Vec<FileSummary>,
    /// Who originates what; nobody where it was not asked for.
    pub origins: OriginTable,
}

/// The begin or the end of an interval for which a collector has no data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    at: Time,
    /// Ends before begins: where two gaps touch, the second still begins.
    begins: bool,
    collector: usize,
    damage: bool,
}

/// What is known of a collector's files while they are read.
#[derive(Clone, Default)]
struct Feed {
    /// How often it writes one.
    rhythm: Option<Rhythm>,
    /// Files of which the end has not come yet.
    left: usize,
    /// Until when those that ended speak.
    speaks_until: Option<Time>,
    /// How many gaps it is in: they may overlap.
    gaps: usize,
}

struct Replay<'a> {
    inference: Inference,
    request: Request<'a>,
    collectors: Vec<CollectorId>,
    feeds: Vec<Feed>,
    /// Collector of each file, as an index into `collectors`.
    of_file: Vec<usize>,
    /// Edges of gaps not yet reached, the earliest last.
    edges: Vec<Edge>,
    inputs: Vec<(usize, FileSummary)>,
    hand: Hand,
}

/// Replays the files. `progress` is told the number of bytes read after each file.
pub fn replay(
    request: Request<'_>,
    delegations: Box<dyn Delegations + Send>,
    progress: &mut dyn FnMut(u64),
) -> Outcome {
    let inference =
        Inference::new(request.parameters.clone(), delegations, request.watch.clone(), request.shards);
    let listing = request.listing;
    let mut replay = Replay {
        inference,
        request,
        collectors: Vec::new(),
        feeds: Vec::new(),
        of_file: Vec::new(),
        edges: Vec::new(),
        inputs: Vec::new(),
        hand: Hand::default(),
    };
    replay.name_collectors();
    let mut merge = Merge::new(&listing.files, replay.request.until, Workers::per_core());
    while let Some(step) = merge.next() {
        match step {
            Step::Run(place, horizon) => {
                let open = &mut merge.open[place];
                open.next = replay.run(open, horizon);
            }
            Step::Batch(place) => {
                let Open { file, batch, numbers, .. } = &mut merge.open[place];
                numbers.name(batch, replay.collectors[replay.of_file[*file]], &mut replay.inference);
            }
            Step::End(file, summary) => {
                replay.end_file(file, &summary);
                progress(listing.files[file].length);
                replay.inputs.push((file, *summary));
            }
        }
    }
    replay.conclude()
}

impl Replay<'_> {
    /// Names the collectors in an order that does not depend on that of the paths given.
    fn name_collectors(&mut self) {
        let files = &self.request.listing.files;
        let mut names: Vec<&str> = files.iter().map(|file| file.collector.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        self.collectors = names.iter().map(|name| self.inference.collector(name)).collect();
        let place = |collector: &str| names.binary_search(&collector).ok();
        self.of_file = files.iter().map(|file| place(&file.collector).unwrap_or_default()).collect();
        let mut rhythms = self.request.listing.rhythms();
        let feed = |name| Feed { rhythm: rhythms.remove(name), ..Feed::default() };
        self.feeds = names.iter().copied().map(feed).collect();
        for collector in &self.of_file {
            self.feeds[*collector].left += 1;
        }
        let known = self.request.listing.gaps();
        for gap in known.iter().chain(&self.request.missing) {
            if let Some(collector) = place(&gap.collector) {
                self.edges.push(Edge { at: gap.from, begins: true, collector, damage: false });
                self.edges.push(Edge { at: gap.until, begins: false, collector, damage: false });
            }
        }
        self.sort_edges();
    }

    fn sort_edges(&mut self) {
        self.edges.sort_unstable_by(|a, b| b.cmp(a));
    }

    /// Applies observations of a batch from `next` on up to `horizon`; gives the place of the first one not applied.
    fn run(&mut self, open: &Open, horizon: Time) -> usize {
        let collector = self.collectors[self.of_file[open.file]];
        let mut next = open.next;
        while let Some((at, observation)) = open.batch.observations.get(next) {
            let of_table = matches!(observation, Observation::TableRow { .. } | Observation::TableEnd { .. });
            // The first is due in any case; the others while no other file is.
            if next > open.next && *at >= horizon && !of_table {
                break;
            }
            self.pass_edges(*at);
            self.hand.apply((collector, &open.numbers), &open.batch, next, &mut self.inference);
            next += 1;
        }
        next
    }

    /// Tells the inference of gaps that begin or end before `at`.
    fn pass_edges(&mut self, at: Time) {
        while let Some(edge) = self.edges.last().copied().filter(|edge| edge.at <= at) {
            self.edges.pop();
            let (feed, collector) = (&mut self.feeds[edge.collector], self.collectors[edge.collector]);
            let others = if edge.begins { feed.gaps } else { feed.gaps.saturating_sub(1) };
            feed.gaps = if edge.begins { feed.gaps + 1 } else { others };
            if others > 0 {
                continue;
            }
            let reason = if edge.damage { BlindReason::Damage } else { BlindReason::MissingFile };
            if edge.begins {
                self.inference.gap_begin(edge.at, collector, reason);
            } else {
                self.inference.gap_end(edge.at, collector);
            }
        }
    }

    /// A file that was cut, or of which nothing could be read, leaves its collector blind until the next one begins, and
    /// the last one from when the next would be due.
    fn end_file(&mut self, file: usize, summary: &FileSummary) {
        let files = &self.request.listing.files;
        let (known, collector) = (&files[file], self.of_file[file]);
        let unread = summary.records == 0 && !summary.damage.is_empty() && known.kind != Kind::Rib;
        if let Some(cut) = summary.cut_at.or(known.time.filter(|_| unread)) {
            let own = |other: &&crate::source::archive::ArchiveFile| {
                other.collector == known.collector && other.kind != Kind::Rib
            };
            let next =
                files.iter().filter(own).filter_map(|other| other.time).filter(|time| *time > cut).min();
            self.edges.push(Edge { at: cut, begins: true, collector, damage: true });
            if let Some(next) = next {
                self.edges.push(Edge { at: next, begins: false, collector, damage: true });
            }
        }
        let feed = &mut self.feeds[collector];
        let by_rhythm = known.time.filter(|_| known.kind != Kind::Rib).zip(feed.rhythm.as_ref());
        let last = summary.span.map(|(_, last)| last);
        let speaks_until = match by_rhythm {
            // What it said last it has said: it is not blind yet at that moment.
            Some((time, rhythm)) => Some(last.map_or(time, |last| last + 1).max(rhythm.speaks_until(time))),
            // Silent rather than unheard.
            None => last.map(|last| last + WITHOUT_RHYTHM * 1_000_000),
        };
        feed.left -= 1;
        feed.speaks_until = feed.speaks_until.max(speaks_until);
        // What ends with the window was seen to its end.
        let inside = |at: &Time| self.request.until.is_none_or(|until| *at < until);
        if let (0, Some(at)) = (feed.left, feed.speaks_until.filter(inside)) {
            self.edges.push(Edge { at, begins: true, collector, damage: false });
        }
        self.sort_edges();
    }

    fn conclude(mut self) -> Outcome {
        let last = self.inputs.iter().filter_map(|(_, input)| input.span).map(|(_, last)| last).max();
        // Silence to the end of the last file is as much evidence as what was said in it.
        let regular = self.feeds.iter().filter(|feed| feed.rhythm.is_some());
        let end = regular.filter_map(|feed| feed.speaks_until).max().max(last);
        let until = self.request.until.or(end).unwrap_or_default();
        self.pass_edges(until + -1);
        let mut report = self.inference.report(until);
        if let Some(from) = self.request.from {
            report.window.0 = from;
            report.incidents.retain(|incident| {
                let end = incident.phases.last().and_then(|phase| phase.until);
                end.is_none_or(|end| end >= from)
            });
        }
        self.inputs.sort_by_key(|(file, _)| *file);
        let origins = if self.request.origins { self.inference.origins() } else { OriginTable::default() };
        Outcome { report, inputs: self.inputs.into_iter().map(|(_, input)| input).collect(), origins }
    }
}
