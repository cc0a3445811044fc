//! Follows archives as they grow: a folder of files of any number of collectors, which something else fills, or which a
//! fetcher given to it fills before each look.
//!
//! Files are taken in order of their nominal times, each to its end. A place where a collector's own rhythm says that
//! there should be a file and there is none is blindness; a file that is only late is waited for as long as
//! [`Settings::patience`] says, also where the one after it is there already, and then nobody waits any more.

mod bootstrap;
mod catch_up;
mod fetching;
mod followed;

use super::archive::reading::{self, Complaint, FileSummary, Piece};
use super::archive::{self, ArchiveFile, Kind, Listing, Rhythm, WITHOUT_RHYTHM, Workers};
use super::batch::{Observation, Spare};
use super::live::{Outlet, Source};
use super::parcel::{Parcel, Part, StreamKey};
pub use catch_up::catch_up;
use fetching::Fetching;
use followed::{Followed, Place};
use gonedark_infer::report::BlindReason;
use gonedark_route::Time;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Brings the folder up to date before it is looked at; given how far each collector has been read. Says what went wrong.
pub type Fetcher = Box<dyn FnMut(&BTreeMap<String, Time>) -> Result<(), String> + Send>;

/// What to follow, and how.
pub struct Settings {
    /// The name of the source.
    pub name: String,
    /// Where the files are, one folder a collector.
    pub folder: PathBuf,
    /// Whose; all that are there where none is named.
    pub collectors: BTreeSet<String>,
    /// How often to look.
    pub poll: Duration,
    /// How long a file may be late beyond its own length before its collector is blind.
    pub patience: Duration,
    /// Reads what is there and ends, instead of waiting for more.
    pub once: bool,
    /// At the first start only the newest table and what follows it is read; else everything.
    pub from_newest_table: bool,
    /// Reads only until a live source goes on alone.
    pub bootstrap: bool,
}

impl Settings {
    fn wants(&self, collector: &str) -> bool {
        self.collectors.is_empty() || self.collectors.contains(collector)
    }
}

/// The archive follower.
pub struct Follower {
    settings: Settings,
    fetcher: Option<Fetcher>,
    /// Why the last fetch brought less than there should be.
    fault: Option<String>,
    /// Names of files of which the time is none: told once each.
    strange: BTreeSet<PathBuf>,
    streams: BTreeMap<(String, Part), Followed>,
}

impl Follower {
    /// One that waits to be started.
    pub fn new(settings: Settings, fetcher: Option<Fetcher>) -> Self {
        Follower { settings, fetcher, fault: None, strange: BTreeSet::new(), streams: BTreeMap::new() }
    }

    fn stream(&mut self, collector: &str, part: Part, outlet: &Outlet) -> &mut Followed {
        let source = &self.settings.name;
        self.streams.entry((collector.to_owned(), part)).or_insert_with(|| {
            let key = StreamKey { source: source.clone(), collector: collector.to_owned(), part };
            let position = outlet.positions.get(&key).cloned();
            Followed::read_again(key, position.as_deref())
        })
    }

    /// Makes the streams of earlier runs known, so that what follows them is fetched, and not what is newest.
    fn take_up(&mut self, outlet: &Outlet) {
        for StreamKey { source, collector, part } in outlet.positions.keys() {
            if *source == self.settings.name && self.settings.wants(collector) {
                self.stream(collector, *part, outlet);
            }
        }
    }

    /// The files that were not read to their end yet, in the order in which they are to be read. Where not all is fetched
    /// yet, only those of collectors that were begun.
    fn unread<'a>(&mut self, listing: &'a Listing, is_whole: bool, outlet: &Outlet) -> Vec<&'a ArchiveFile> {
        let wanted = |file: &&ArchiveFile| self.settings.wants(&file.collector) && file.time.is_some();
        let files: Vec<&ArchiveFile> = listing.files.iter().filter(wanted).collect();
        let newest = newest_tables(&files);
        let Settings { from_newest_table: from_newest, bootstrap, .. } = self.settings;
        let mut unread = Vec::new();
        for file in files {
            let messages = self.stream(&file.collector, Part::Messages, outlet);
            let (started, speaks_until) = (messages.at.is_some(), messages.speaks_until);
            if messages.is_done && bootstrap {
                continue;
            }
            let stream = self.stream(&file.collector, part_of(file), outlet);
            // All wait for the rest of a table that an earlier run has begun, and nothing else bounds what waits.
            let is_within = |at: &Place| !at.whole && place_of(file) == (at.time, at.name.as_str());
            if !started && !is_whole && !stream.at.as_ref().is_some_and(is_within) {
                continue;
            }
            let behind = match &stream.at {
                Some(at) if at.whole => place_of(file) > (at.time, &at.name),
                Some(at) => place_of(file) >= (at.time, &at.name),
                None => {
                    !from_newest || newest.get(&file.collector).is_none_or(|time| file.time >= Some(*time))
                }
            };
            // A table that is older than what was said already tells nothing that is certain.
            let late = part_of(file) == Part::Tables && started && file.time < Some(speaks_until);
            if behind && !(late && stream.at.as_ref().is_none_or(|at| at.whole)) {
                unread.push(file);
            }
        }
        unread.sort_by_key(|file| (file.time, file.kind != Kind::Rib, &file.collector, name_of(file)));
        unread
    }

    /// The files that there are. Left out are those that are not due for over a day, by a slip of the pen or the clock of
    /// whoever wrote them: one that was read would end its collector, which would have spoken until then. What is read once
    /// may be of any time.
    fn list(&mut self, now: Time) -> Listing {
        let Settings { once, folder, name: source, .. } = &self.settings;
        let mut listing = archive::list(std::slice::from_ref(folder));
        let latest = if *once { Time::MAX } else { now + super::stamp::STRAY };
        for file in listing.files.extract_if(.., |file| file.time > Some(latest)) {
            if self.strange.insert(file.path.clone()) {
                tracing::warn!(source, file = %file.path.display(), "is of the future by its name, and is left out");
            }
        }
        listing
    }

    /// Ends what an earlier run left within a file that is not there any more: else everybody would wait for the rest of a
    /// table for ever, and messages would be missed without a word. False where nobody takes it any more.
    fn leave_gone(&mut self, listing: &Listing, outlet: &Outlet) -> bool {
        for ((collector, part), stream) in &mut self.streams {
            let Some(at) = stream.at.as_ref().filter(|at| !at.whole && !stream.is_done) else { continue };
            let place = (at.time, at.name.as_str());
            let is_it = |file: &ArchiveFile| {
                file.collector == *collector && part_of(file) == *part && place_of(file) == place
            };
            if listing.files.iter().any(is_it) {
                continue;
            }
            tracing::warn!(collector, file = at.name, "read in part, and gone: its rest is not seen");
            if !outlet.send(stream.gone()) {
                return false;
            }
        }
        true
    }

    /// Makes the streams of all files known before the first of them is read: else what is told of one collector would not
    /// wait for what comes of another.
    fn announce(&mut self, unread: &[&ArchiveFile], outlet: &Outlet) -> bool {
        let mut first: BTreeMap<&str, Time> = BTreeMap::new();
        for file in unread.iter().filter(|file| part_of(file) == Part::Messages) {
            first.entry(&file.collector).or_insert(file.time.unwrap_or(Time::MIN));
        }
        first.into_iter().all(|(collector, time)| {
            let stream = self.stream(collector, Part::Messages, outlet);
            // Where something was read before, a hole up to this file begins there, and is told when it is opened.
            let mark = if stream.speaks_until > Time::MIN { stream.speaks_until } else { time };
            outlet.send(Parcel { mark: Some(mark), ..Parcel::of(&stream.key) })
        })
    }

    /// Sends a file; false where it has to stop.
    fn read(
        &mut self,
        file: &ArchiveFile,
        rhythm: Option<&Rhythm>,
        workers: &Workers,
        outlet: &Outlet,
    ) -> bool {
        let (part, time) = (part_of(file), file.time.unwrap_or_default());
        let stream = self.stream(&file.collector, part, outlet);
        if !stream.gap_before(time, rhythm, outlet) {
            return false;
        }
        let place = |batches, whole| Place { time, name: name_of(file), batches, whole };
        let resumed = stream.at.as_ref().filter(|at| !at.whole && at.name == name_of(file));
        let skip = resumed.map_or(0, |at| at.batches);
        // Told with the opening: whoever goes on has to close it, also where the file is not there any more.
        stream.at = Some(place(skip, false));
        let opening = Parcel { mark: Some(time), position: stream.position(), ..Parcel::of(&stream.key) };
        if !outlet.send(opening) {
            return false;
        }
        let latest = followed::latest(time, rhythm, outlet.now());
        let earliest = if time < stream.speaks_until { stream.speaks_until } else { Time::MIN };
        let (mut batches, mut heard, mut summary) = (0, time, None);
        for piece in reading::start(file, None, workers, &Spare::default()) {
            let mut batch = match piece {
                Piece::Batch(batch) => batch,
                Piece::End(end) => {
                    summary = Some(end);
                    break;
                }
            };
            if part == Part::Messages {
                let late = followed::bound(&mut batch, earliest, latest);
                outlet.health.damaged.fetch_add(late, Ordering::Relaxed);
            }
            heard = batch.observations.last().map_or(heard, |(at, _)| heard.max(*at));
            batches += 1;
            if batches <= skip {
                continue;
            }
            outlet.health.messages.fetch_add(batch.observations.len() as u64, Ordering::Relaxed);
            stream.at = Some(place(batches, false));
            let (fresh, position) = (batches == 1, stream.position());
            let parcel = Parcel { batch, fresh, position, ..Parcel::of(&stream.key) };
            if !outlet.send(parcel) || outlet.stop.is_set() {
                return false;
            }
        }
        let mut last = Parcel::of(&stream.key);
        let summary = summary.unwrap_or_else(|| broken_off(file, heard, &mut last));
        outlet.health.damaged.fetch_add(summary.damage.len() as u64, Ordering::Relaxed);
        stream.at = Some(place(batches, true));
        stream.end(&mut last, &summary, (time, rhythm), latest);
        last.position = stream.position();
        if !outlet.send(last) || outlet.stop.is_set() {
            return false;
        }
        outlet.health.session(&file.collector, Some(name_of(file)));
        outlet.health.seen(time);
        true
    }

    /// A file that ended before this is not waited for.
    fn given_up(&self, outlet: &Outlet) -> Time {
        outlet.now() + -i64::try_from(self.settings.patience.as_micros()).unwrap_or(i64::MAX)
    }

    /// Whether a file before this one is only late, or not fetched yet, so that this one has to wait.
    fn is_early(
        &mut self,
        file: &ArchiveFile,
        rhythm: Option<&Rhythm>,
        is_whole: bool,
        outlet: &Outlet,
    ) -> bool {
        if part_of(file) == Part::Tables {
            return false;
        }
        let (given_up, once) = (self.given_up(outlet), self.settings.once);
        let stream = self.stream(&file.collector, Part::Messages, outlet);
        let Some(rhythm) = rhythm else { return !is_whole };
        let step = rhythm.step_at(stream.speaks_until) * 1_000_000;
        let is_late = !once && stream.speaks_until >= given_up + -step;
        stream.misses_before(file.time.unwrap_or_default(), Some(rhythm)) && (is_late || !is_whole)
    }

    /// Notes collectors of which a file is overdue, so that nobody waits for them.
    fn overdue(&mut self, rhythms: &BTreeMap<&str, Rhythm>, outlet: &Outlet) -> bool {
        let given_up = self.given_up(outlet);
        for ((collector, part), stream) in &mut self.streams {
            if *part != Part::Messages || stream.speaks_until == Time::MIN {
                continue;
            }
            // Without a rhythm too somebody has to say that nobody waits: of files that are removed none is left.
            let rhythm = rhythms.get(collector.as_str());
            let step = rhythm.map_or(WITHOUT_RHYTHM, |rhythm| rhythm.step_at(stream.speaks_until));
            let given_up = given_up + -step * 1_000_000;
            if stream.speaks_until >= given_up {
                continue;
            }
            let mut parcel = Parcel { mark: Some(given_up), ..Parcel::of(&stream.key) };
            if !stream.in_gap {
                stream.lose_sight(&mut parcel, stream.speaks_until, BlindReason::MissingFile);
                outlet.health.session(collector, Some(format!("no file since {}", stream.speaks_until)));
                parcel.position = stream.position();
            }
            if !outlet.send(parcel) {
                return false;
            }
        }
        true
    }

    /// Says what it waits for, where nothing new was found.
    fn say_what_is_due(&self, outlet: &Outlet) {
        let messages = self.streams.iter().filter(|((_, part), _)| *part == Part::Messages);
        let mut known = messages.map(|(_, stream)| stream.in_gap).peekable();
        let all_blind = known.peek().is_some() && known.all(|in_gap| in_gap);
        let says = if all_blind { "every file is overdue" } else { "waiting for the next file" };
        self.say(!all_blind, says, outlet);
    }

    /// Says what it does, unless it cannot fetch: then that is what there is to say.
    fn say(&self, is_well: bool, says: &str, outlet: &Outlet) {
        match &self.fault {
            Some(why) => outlet.health.say(false, format!("cannot fetch: {why}")),
            None => outlet.health.say(is_well, says),
        }
    }

    /// Says that nothing more will come.
    fn close(&self, outlet: &Outlet) {
        for stream in self.streams.values() {
            let mark = (stream.speaks_until > Time::MIN).then_some(stream.speaks_until);
            if !outlet.send(Parcel { mark, closed: true, ..Parcel::of(&stream.key) }) {
                return;
            }
        }
    }

    /// Brings the folder up to date; false where that takes longer than a look.
    fn fetch(&mut self, fetching: &mut Fetching, outlet: &Outlet) -> bool {
        let read = self.streams.iter().filter(|((_, part), _)| *part == Part::Messages);
        let read = read.map(|((collector, _), stream)| (collector.clone(), stream.speaks_until)).collect();
        let done = fetching.fetch(read, self.settings.poll, &outlet.stop);
        let source = &self.settings.name;
        match &done {
            Some(Ok(())) if self.fault.take().is_some() => tracing::info!(source, "it can fetch again"),
            Some(Ok(())) => {}
            Some(Err(why)) => {
                if self.fault.as_ref() != Some(why) {
                    tracing::warn!(source, why, "cannot fetch, which is tried again");
                    self.fault = Some(why.clone());
                }
            }
            None => self.say(true, "fetching", outlet),
        }
        done.is_some()
    }
}

impl Source for Follower {
    fn name(&self) -> &str {
        &self.settings.name
    }

    fn goes_on(&self, stream: &StreamKey) -> bool {
        stream.source == self.settings.name && self.settings.wants(&stream.collector)
    }

    fn describe(&self) -> String {
        let Settings { folder, collectors, poll, once, .. } = &self.settings;
        let whose = match collectors.len() {
            0 => "all collectors".to_owned(),
            _ => collectors.iter().cloned().collect::<Vec<_>>().join(", "),
        };
        let how = if self.settings.bootstrap {
            "until what is live goes on alone".to_owned()
        } else if *once {
            "once".to_owned()
        } else {
            format!("every {} s", poll.as_secs())
        };
        let fetched = if self.fetcher.is_some() { ", fetched from the public archives" } else { "" };
        let from = if self.settings.from_newest_table { ", from the newest table on" } else { "" };
        format!("archives of {whose} in {}{fetched}{from}, read {how}", folder.display())
    }

    fn awaited(&self) -> Vec<StreamKey> {
        self.bootstrapped()
    }

    fn prepare(&mut self) -> std::io::Result<()> {
        // Where it is fetched into it is made; elsewhere a wrong name would be an empty folder for ever.
        match self.fetcher.is_some() || self.settings.folder.is_dir() {
            true => Ok(()),
            false => Err(std::io::Error::new(
                std::io::ErrorKind::NotFound,
                format!("{}: no such folder; make it, or set fetch = true", self.settings.folder.display()),
            )),
        }
    }

    fn run(mut self: Box<Self>, outlet: &Outlet) {
        let workers = Workers::per_core();
        let began = outlet.now();
        let mut fetching = match self.fetcher.take().map(Fetching::start).transpose() {
            Ok(fetching) => fetching,
            Err(why) => return outlet.health.say(false, format!("cannot fetch: no thread: {why}")),
        };
        self.take_up(outlet);
        loop {
            if self.is_bootstrapped(outlet) {
                outlet.health.say(true, "a live source goes on alone");
                return;
            }
            self.say(true, "looking for new files", outlet);
            let is_whole = fetching.as_mut().is_none_or(|fetching| self.fetch(fetching, outlet));
            let listing = self.list(outlet.now());
            let rhythms = listing.rhythms();
            // What is not there may still be fetched until all is.
            if is_whole && !self.leave_gone(&listing, outlet) {
                return;
            }
            let unread = self.unread(&listing, is_whole, outlet);
            if !self.announce(&unread, outlet) {
                return;
            }
            let (mut waiting, mut found): (BTreeSet<&str>, _) = (BTreeSet::new(), 0);
            for file in unread {
                let rhythm = rhythms.get(file.collector.as_str());
                if waiting.contains(file.collector.as_str()) || self.is_early(file, rhythm, is_whole, outlet)
                {
                    waiting.insert(&file.collector);
                    continue;
                }
                found += 1;
                self.say(true, &format!("reading {}", file.path.display()), outlet);
                if !self.read(file, rhythm, &workers, outlet) {
                    return;
                }
            }
            if self.settings.once && is_whole {
                self.close(outlet);
                outlet.health.say(true, "everything is read");
                return;
            }
            if found == 0 && is_whole {
                self.say_what_is_due(outlet);
            }
            let go_on = match self.settings.bootstrap {
                // What is fetched so far was not read yet: nobody has failed to come.
                true => !is_whole || self.hand_over(began, outlet),
                // Read once, nothing is late: what is there is all there is.
                false => self.settings.once || self.overdue(&rhythms, outlet),
            };
            let is_done = self.is_bootstrapped(outlet);
            // Where it is being fetched, it has waited already.
            let rest = if is_whole { self.settings.poll } else { Duration::ZERO };
            if !go_on || !is_done && outlet.stop.sleep(rest) {
                return;
            }
        }
    }
}

/// The time of the newest table of each collector.
fn newest_tables(files: &[&ArchiveFile]) -> BTreeMap<String, Time> {
    let mut newest: BTreeMap<String, Time> = BTreeMap::new();
    for file in files.iter().filter(|file| file.kind == Kind::Rib) {
        let known = newest.entry(file.collector.clone()).or_insert(Time::MIN);
        *known = (*known).max(file.time.unwrap_or(Time::MIN));
    }
    newest
}

/// What is to be said of a file whose thread is gone without a word: it panicked, which is a bug. It is not read again, and
/// what it held is not lost in silence; nobody waits for the rest of a table.
fn broken_off(file: &ArchiveFile, heard: Time, last: &mut Parcel) -> Box<FileSummary> {
    tracing::error!(file = %file.path.display(), "its reading ended by a bug in gonedark; please report it");
    if part_of(file) == Part::Tables {
        last.batch.observations.push((heard, Observation::TableEnd { whole: false }));
    }
    Box::new(FileSummary {
        span: Some((heard, heard)),
        damage: vec![Complaint::of_file("reading stopped; this is a bug in gonedark".to_owned())],
        cut_at: Some(heard),
        ..FileSummary::default()
    })
}

fn part_of(file: &ArchiveFile) -> Part {
    if file.kind == Kind::Rib { Part::Tables } else { Part::Messages }
}

fn place_of(file: &ArchiveFile) -> (Time, &str) {
    let name = file.path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    (file.time.unwrap_or_default(), name)
}

fn name_of(file: &ArchiveFile) -> String {
    place_of(file).1.to_owned()
}
