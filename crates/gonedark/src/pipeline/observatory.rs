//! Live streams in one order of time, and what is concluded of them.
//!
//! A pure function of the parcels in the order in which they were accepted, and, but for when it is asked, of the streams
//! alone: whose parcel comes first changes nothing, because an observation is applied only once every open stream has
//! said that nothing earlier will come. So the parcels since a snapshot, taken again, give the same state.

use super::apply::{Hand, Numbers};
use crate::source::batch::{Batch, Observation};
use crate::source::parcel::{Parcel, Part, StreamKey, shut};
use gonedark_infer::news::News;
use gonedark_infer::observation::{CollectorId, Delegations};
use gonedark_infer::parameters::Parameters;
use gonedark_infer::report::BlindReason;
use gonedark_infer::traffic::OriginTable;
use gonedark_infer::{Inference, Watch};
use gonedark_route::Time;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// The form of what is kept: raised with every change of it, so that a snapshot of another form is refused.
pub const FORM: u32 = 8;

/// Observations that wait for a stream that lags, in bytes, over all streams. Beyond it nobody waits for those that lag:
/// what they bring is late, and is counted as such. Guess: a quarter of an hour of all of RIS.
const WAITING: usize = 256 << 20;

/// One stream.
#[derive(Serialize, Deserialize)]
struct Stream {
    key: Arc<StreamKey>,
    collector: CollectorId,
    numbers: Numbers,
    /// Batches not yet applied to their end; those with `true` begin the numbers anew.
    waiting: VecDeque<(bool, Batch)>,
    /// What they take together, in bytes.
    weight: usize,
    /// The next observation of the first of them, once its names are known.
    next: usize,
    named: bool,
    mark: Time,
    /// Where its source goes on after what was taken.
    position: Option<String>,
    open: bool,
    /// A table has begun and its end has not come.
    in_table: bool,
}

/// The streams, and what was concluded of them.
pub struct Observatory {
    inference: Inference,
    streams: Vec<Stream>,
    hand: Hand,
    applied: u64,
}

#[derive(Serialize)]
struct Keeping<'a> {
    inference: &'a Inference,
    streams: &'a [Stream],
    applied: u64,
}

#[derive(Deserialize)]
struct Kept {
    inference: gonedark_infer::Kept,
    streams: Vec<Stream>,
    applied: u64,
}

impl Observatory {
    /// One that has seen nothing yet.
    pub fn new(parameters: Parameters, delegations: Box<dyn Delegations + Send>, watch: Watch) -> Self {
        let mut inference = Inference::new(parameters, delegations, watch, 1);
        inference.tell_news();
        Observatory { inference, streams: Vec::new(), hand: Hand::default(), applied: 0 }
    }

    /// All state, to be read again by [`Observatory::restore`].
    ///
    /// # Errors
    /// Those of the writer.
    pub fn keep(&self, into: impl std::io::Write) -> Result<(), postcard::Error> {
        let Observatory { inference, streams, applied, .. } = self;
        postcard::to_io(&Keeping { inference, streams, applied: *applied }, into).map(drop)
    }

    /// Goes on from what was kept.
    ///
    /// # Errors
    /// Bytes that were kept by another version, or changed.
    pub fn restore(
        bytes: &[u8],
        parameters: Parameters,
        delegations: Box<dyn Delegations + Send>,
        watch: Watch,
    ) -> Result<Self, postcard::Error> {
        let Kept { inference, streams, applied } = postcard::from_bytes(bytes)?;
        let mut inference = inference.go_on(parameters, delegations, watch);
        inference.tell_again();
        Ok(Observatory { inference, streams, hand: Hand::default(), applied })
    }

    /// Accepts a parcel. Nothing of it is applied before [`Observatory::advance`].
    pub fn take(&mut self, parcel: Parcel) {
        let Parcel { stream, batch, fresh, mark, position, closed } = parcel;
        let place = self.place_of(stream);
        let known = &mut self.streams[place];
        known.open = !closed;
        known.position = position.or(known.position.take());
        known.mark = mark.map_or(known.mark, |mark| known.mark.max(mark));
        if fresh || !batch.is_blank() {
            known.weight += batch.weight();
            known.waiting.push_back((fresh, batch));
        }
    }

    fn place_of(&mut self, key: Arc<StreamKey>) -> usize {
        if let Some(place) = self.streams.iter().position(|stream| stream.key == key) {
            return place;
        }
        let collector = self.inference.collector(&key.collector);
        self.streams.push(Stream {
            key,
            collector,
            numbers: Numbers::default(),
            waiting: VecDeque::new(),
            weight: 0,
            next: 0,
            named: false,
            mark: Time::MIN,
            position: None,
            open: true,
            in_table: false,
        });
        self.streams.len() - 1
    }

    /// Applies all observations that nothing earlier can precede any more.
    pub fn advance(&mut self) {
        loop {
            for stream in &mut self.streams {
                stream.prepare(&mut self.inference);
            }
            let horizon = self.horizon();
            let Some((place, until)) = self.first(horizon) else {
                if let Some(horizon) = horizon {
                    self.inference.watermark(horizon);
                }
                return;
            };
            self.run(place, until);
        }
    }

    /// Before this moment nothing more will come; `None` while nobody can say, or a table is on its way.
    fn horizon(&self) -> Option<Time> {
        if self.streams.iter().any(|stream| stream.in_table && stream.open && stream.head().is_none()) {
            return None;
        }
        let open = self.streams.iter().filter(|stream| stream.open);
        let crowded = self.waiting() > WAITING;
        // Where too much waits, only those count that have brought something.
        let awaited = open.filter(|stream| !crowded || !stream.waiting.is_empty());
        match awaited.map(|stream| stream.mark).min() {
            Some(mark) => (mark > Time::MIN).then_some(mark),
            // All have ended: what they brought is all there is.
            None => self.streams.iter().map(|stream| stream.mark).max().filter(|mark| *mark > Time::MIN),
        }
    }

    /// The stream whose observation is the earliest before the horizon, and until when it may go on. Of the horizon itself
    /// nothing more comes where every stream has ended.
    fn first(&self, horizon: Option<Time>) -> Option<(usize, Time)> {
        if let Some(place) = self.streams.iter().position(|stream| stream.in_table && stream.head().is_some())
        {
            return Some((place, Time::MAX));
        }
        let is_over = self.streams.iter().all(|stream| !stream.open);
        let horizon = horizon? + i64::from(is_over);
        let mut heads: Vec<((Time, bool, usize), Time)> = Vec::new();
        for (place, stream) in self.streams.iter().enumerate() {
            if let Some((at, observation)) = stream.head() {
                // At the same time tables come first: messages then find what they change.
                let is_table = matches!(observation, Observation::TableBegin);
                heads.push(((*at, !is_table, place), *at));
            }
        }
        heads.sort_unstable();
        let ((at, _, place), _) = *heads.first()?;
        let until = heads.get(1).map_or(horizon, |(_, at)| (*at).min(horizon));
        // A table of the horizon itself can begin: of its time nothing comes before it.
        let is_table = !heads[0].0.1;
        (at < horizon || is_table && at == horizon).then_some((place, until))
    }

    /// Applies a stream's observations before `until`, the first in any case, and a table to the end of what is there.
    fn run(&mut self, place: usize, until: Time) {
        let Observatory { inference, streams, hand, applied } = self;
        let stream = &mut streams[place];
        let Some((_, batch)) = stream.waiting.front() else { return };
        let first = stream.next;
        while let Some((at, observation)) = batch.observations.get(stream.next) {
            if stream.next > first && !stream.in_table && *at >= until {
                break;
            }
            match observation {
                Observation::TableBegin => stream.in_table = true,
                Observation::TableEnd { .. } => stream.in_table = false,
                _ => {}
            }
            hand.apply((stream.collector, &stream.numbers), batch, stream.next, inference);
            stream.next += 1;
            *applied += 1;
        }
    }

    /// What closes the streams that nobody will go on with: those whose source does not take up what it was at. Their
    /// collectors and peers are blind from where they had come to.
    pub fn orphans(&self, goes_on: impl Fn(&StreamKey) -> bool) -> Vec<Parcel> {
        let orphans = self.streams.iter().filter(|stream| stream.open && !goes_on(&stream.key));
        orphans.map(Stream::closing).collect()
    }

    /// Where the sources go on after what was taken so far.
    pub fn positions(&self) -> BTreeMap<StreamKey, String> {
        let known =
            self.streams.iter().filter_map(|stream| Some(((*stream.key).clone(), stream.position.clone()?)));
        known.collect()
    }

    /// Up to when a collector was heard, by any stream.
    pub fn heard(&self, collector: &str) -> Option<Time> {
        let of = self.streams.iter().filter(|stream| stream.key.collector == collector);
        of.map(|stream| stream.mark).filter(|mark| *mark > Time::MIN).max()
    }

    /// Whether anything was ever accepted of a stream.
    pub fn knows(&self, key: &StreamKey) -> bool {
        self.streams.iter().any(|stream| *stream.key == *key)
    }

    /// The stamp up to which everything was applied.
    pub fn now(&self) -> Time {
        self.inference.now()
    }

    /// Who originates what.
    pub fn origins(&self) -> OriginTable {
        self.inference.origins()
    }

    /// Tells details that wait with the next news, which are the last.
    pub fn tell_rest(&mut self) {
        self.inference.tell_rest();
    }

    /// What is new.
    pub fn news(&mut self) -> News {
        self.inference.news()
    }

    /// Observations applied so far.
    pub fn applied(&self) -> u64 {
        self.applied
    }

    /// Observations that wait, in bytes.
    pub fn waiting(&self) -> usize {
        self.streams.iter().map(|stream| stream.weight).sum()
    }

    /// Observations that wait, as a number.
    pub fn not_applied(&self) -> u64 {
        let of = |stream: &Stream| {
            let all: usize = stream.waiting.iter().map(|(_, batch)| batch.observations.len()).sum();
            all.saturating_sub(stream.next) as u64
        };
        self.streams.iter().map(of).sum()
    }

    /// Whether a table is on its way: then nothing else is applied.
    pub fn in_table(&self) -> bool {
        self.streams.iter().any(|stream| stream.in_table)
    }
}

impl Stream {
    /// A parcel after which nobody waits for it, and in which nobody of it sees any more. One that has a position is gone on
    /// with from there, so that its sessions stand: nothing tells the table anew to which they would be taken.
    fn closing(&self) -> Parcel {
        let mut parcel = Parcel { closed: true, ..Parcel::of(&self.key) };
        let waiting = self.waiting.iter().flat_map(|(_, batch)| batch.observations.last());
        let at = waiting.map(|(at, _)| *at).chain([self.mark]).max().unwrap_or(self.mark);
        if self.key.part == Part::Messages && at > Time::MIN {
            let down = |peer| (at, Observation::Session { peer, established: false });
            match &self.position {
                Some(position) => parcel.position = Some(shut(position)),
                None => parcel.batch.observations = (0..self.peers_named()).map(down).collect(),
            }
            let blind = Observation::GapBegin { reason: BlindReason::SessionDown };
            parcel.batch.observations.push((at, blind));
            parcel.mark = Some(at);
        }
        parcel
    }

    /// How many peers have numbers once everything that waits is named.
    fn peers_named(&self) -> u16 {
        let mut count = self.numbers.peers();
        for (fresh, batch) in self.waiting.iter().skip(usize::from(self.named)) {
            count = if *fresh { 0 } else { count }
                .saturating_add(batch.peers.len().min(usize::from(u16::MAX)) as u16);
        }
        count
    }

    fn head(&self) -> Option<&(gonedark_route::Time, Observation)> {
        self.waiting.front()?.1.observations.get(self.next)
    }

    /// Puts batches aside that are applied, and takes the names of the next.
    fn prepare(&mut self, inference: &mut Inference) {
        while let Some((fresh, batch)) = self.waiting.front() {
            if !self.named {
                if *fresh {
                    self.numbers = Numbers::default();
                }
                self.numbers.name(batch, self.collector, inference);
                self.named = true;
            }
            if self.next < batch.observations.len() {
                return;
            }
            self.weight = self.weight.saturating_sub(batch.weight());
            self.waiting.pop_front();
            self.next = 0;
            self.named = false;
        }
        // The end of a table that is not there any more is not waited for.
        self.in_table &= self.open;
    }
}
