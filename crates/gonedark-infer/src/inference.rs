//! The inference: observations in, a report out. It owns all state and is driven by the time of what it is told.

mod tables;

use crate::detection::tracks::{Tracks, Watch};
use crate::entity::Entity;
use crate::incident::told::Told;
use crate::observation::{CollectorId, Delegations, NetworkId, Nobody, PeerId, PeerKey, Update};
use crate::parameters::{Parameters, SECOND};
use crate::report::{BlindReason, Note, Retold, Sample};
use crate::routing::change::Transition;
use crate::routing::reading::{Reading, Unsettled};
use crate::routing::table::Table;
use crate::routing::vantage::{Session, Vantage};
use crate::sight::Sight;
use gonedark_route::{Family, Prefix, Time};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// How often what time alone changes is looked at: hourly. Guess; the thresholds behind it are a day and a week.
const SWEEP: i64 = 3_600 * SECOND;

/// Networks that are looked for ahead of their being named: as many as a processor waits for at once, and a few. Guess.
const AHEAD: usize = 16;

fn nobody() -> Box<dyn Delegations + Send> {
    Box::new(Nobody)
}

/// From observations to incidents.
///
/// Feed it in order of time; call [`Inference::report`] when it should speak.
#[derive(serde::Serialize, serde::Deserialize)]
pub struct Inference {
    #[serde(skip)]
    pub(crate) parameters: Parameters,
    #[serde(skip, default = "nobody")]
    delegations: Box<dyn Delegations + Send>,
    pub(crate) vantage: Vantage,
    pub(crate) table: Table,
    pub(crate) tracks: Tracks,
    pub(crate) sight: Sight,
    reading: Vec<Reading>,
    unsettled: Vec<Unsettled>,
    /// Sessions that were seen to begin and whose table has not ended: since when, and what they held then.
    beginning: Vec<(PeerId, Time, u64)>,
    /// The stamp of the newest observation: everything before it has been voted on.
    pub(crate) now: Time,
    pub(crate) first: Option<Time>,
    next_epoch: Time,
    next_sweep: Time,
    #[serde(skip)]
    transitions: Vec<Transition>,
    /// Whether some peer's sight or feed changed since the ballot was drawn.
    redraw: bool,
    /// Sighted voters over time, per family.
    pub(crate) sighted: [Vec<(Time, Sample)>; 2],
    /// Intervals in which too few could see, per family; the last may be open.
    pub(crate) dim: [Vec<(Time, Option<Time>)>; 2],
    pub(crate) notes: Vec<Note>,
    pub(crate) late: BTreeMap<CollectorId, u64>,
    /// What losses that are forgotten told of the collectors' clocks.
    pub(crate) past_skews: BTreeMap<CollectorId, Vec<i64>>,
    /// What news told of the losses of entities, and when those have to be looked at again though nothing of them changes.
    pub(crate) told: BTreeMap<Entity, Told>,
    /// Up to which transition of the sighted voters news were told, per family, and of how many times without sight.
    pub(crate) told_sighted: [Option<Time>; 2],
    pub(crate) told_dim: usize,
    /// Whether news are told, and those of losses that were forgotten since the last time.
    pub(crate) tells_news: bool,
    /// Whether the next news tell details that could wait.
    pub(crate) tells_rest: bool,
    pub(crate) settled: Vec<Retold>,
}

impl Inference {
    /// An inference that knows nothing yet. `shards` parts the table by address; the results do not depend on it.
    pub fn new(
        parameters: Parameters,
        delegations: Box<dyn Delegations + Send>,
        watch: Watch,
        shards: usize,
    ) -> Self {
        Inference {
            table: Table::new(shards, &parameters),
            parameters,
            delegations,
            vantage: Vantage::default(),
            tracks: Tracks::new(watch),
            sight: Sight::default(),
            reading: Vec::new(),
            unsettled: Vec::new(),
            beginning: Vec::new(),
            now: Time::MIN,
            first: None,
            next_epoch: Time::MAX,
            next_sweep: Time::MAX,
            transitions: Vec::new(),
            redraw: false,
            sighted: Default::default(),
            dim: Default::default(),
            notes: Vec::new(),
            late: BTreeMap::new(),
            past_skews: BTreeMap::new(),
            told: BTreeMap::new(),
            told_sighted: [None; 2],
            told_dim: 0,
            tells_news: false,
            tells_rest: false,
            settled: Vec::new(),
        }
    }

    /// The stamp up to which everything was told.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Which AS originates which network, for the meter of traffic; those that are lost are still their owner's.
    pub fn origins(&self) -> crate::traffic::OriginTable {
        self.table.owners().collect()
    }

    /// Takes up what is not kept with the rest.
    pub(crate) fn take_up(
        &mut self,
        parameters: Parameters,
        delegations: Box<dyn Delegations + Send>,
        watch: Watch,
    ) {
        self.parameters = parameters;
        self.delegations = delegations;
        self.tracks.watch_on(watch);
        self.table.index_again();
    }

    /// The number of a collector; the same name gives the same number.
    pub fn collector(&mut self, name: &str) -> CollectorId {
        self.vantage.collector(name)
    }

    /// The number of a peer; `None` once 65,535 are known, which the report then says.
    pub fn peer(&mut self, key: PeerKey) -> Option<PeerId> {
        let peer = self.vantage.peer(key, &*self.delegations);
        self.table.fit(&self.vantage);
        peer
    }

    /// Where the table keeps a network; to be asked for once rather than with each message. `None` once there is no room
    /// ([`Parameters::max_networks`]), which the report then says.
    pub fn network(&mut self, prefix: Prefix) -> Option<NetworkId> {
        self.table.name(prefix, &*self.delegations)
    }

    /// The same for many, appended in their order: the waits for memory overlap.
    pub fn networks(&mut self, prefixes: &[Prefix], into: &mut Vec<Option<NetworkId>>) {
        for some in prefixes.chunks(AHEAD) {
            self.table.look_ahead(some);
            into.extend(some.iter().map(|prefix| self.table.name(*prefix, &*self.delegations)));
        }
    }

    /// One message.
    pub fn update(&mut self, update: &Update<'_>) {
        let at = self.advance(update.at, update.peer);
        let update = Update { at, ..*update };
        let Update { peer, .. } = update;
        self.heard(peer, at);
        let (transferring, withdrawn) = match &self.vantage.get(peer).session {
            Session::Transfer(transfer) if transfer.is_told => {
                (true, Cow::Owned(self.sight.of_this_session(peer, update.withdrawn)))
            }
            session => (matches!(session, Session::Transfer(_)), Cow::Borrowed(update.withdrawn)),
        };
        let update = Update { withdrawn: &withdrawn, ..update };
        let mut announced = Vec::new();
        let repeats = self.table.update(&update, &mut self.vantage, &*self.delegations, |row, before| {
            if transferring {
                announced.push((row, before));
            }
        });
        let mut is_complete = false;
        for (row, before) in announced {
            let family = self.table.row(row).prefix.family();
            is_complete |= self.sight.refreshed((peer, at), (row, family, before), &mut self.vantage);
        }
        if is_complete {
            let ended = self.sight.end_transfers(at, None, &mut self.vantage, &self.parameters);
            self.resync(ended);
        }
        if !transferring {
            self.count_repeats(peer, at, repeats);
        }
        let last = &mut self.vantage.get_mut(peer).last_message;
        *last = at.max(*last);
        if self.next_epoch == Time::MAX && !self.vantage.get(peer).tabled {
            let epoch = self.parameters.epoch;
            self.next_epoch = Time::from_micros((at.micros().div_euclid(epoch) + 1) * epoch);
        }
    }

    /// A peer's session came up or went down, as its collector tells.
    pub fn peer_state(&mut self, at: Time, peer: PeerId, established: bool) {
        let at = self.advance(at, peer);
        if established {
            if self.vantage.get(peer).session == Session::Unheard && !self.vantage.get(peer).from_begin {
                self.vantage.get_mut(peer).from_begin = true;
                self.beginning.push((peer, at, 0));
            }
            if self.vantage.get(peer).session == Session::Up {
                // Established anew: it was down at some time since its last message, and nobody said so.
                let since = self.vantage.get(peer).last_message.min(at);
                self.sight.down((peer, since), BlindReason::SessionDown, &mut self.vantage, &self.parameters);
                self.redraw = true;
            }
            self.up(peer, at, true);
        } else if self.vantage.get(peer).session != Session::Unheard {
            self.sight.down((peer, at), BlindReason::SessionDown, &mut self.vantage, &self.parameters);
            self.redraw = true;
        }
    }

    /// A peer is there and has nothing to say: a KEEPALIVE.
    pub fn alive(&mut self, at: Time, peer: PeerId) {
        let at = self.advance(at, peer);
        let known = self.vantage.get_mut(peer);
        known.alive_at = known.alive_at.max(at);
    }

    /// A peer sent an End-of-RIB marker (RFC 4724): its table has been sent.
    pub fn end_of_rib(&mut self, at: Time, peer: PeerId) {
        let at = self.advance(at, peer);
        let ended = self.sight.end_transfers(at, Some(peer), &mut self.vantage, &self.parameters);
        self.resync(ended);
        let (quiet, known) = (self.parameters.transfer_quiet, self.vantage.get_mut(peer));
        if !known.from_begin || known.session != Session::Up || known.held == [0, 0] {
            return;
        }
        // Each family has an End-of-RIB of its own. A router that has just begun says it of a table that still grows: what comes
        // then is taken when that has ended, too (`look_at_beginnings`).
        if at - *known.told_whole.get_or_insert(at) <= quiet {
            self.adopt(at, peer);
        }
    }

    /// What a session sends from its begin to its End-of-RIB, or until hardly anything is added any more, is a table like any
    /// other.
    fn adopt(&mut self, at: Time, peer: PeerId) {
        for shard in &mut self.table.shards {
            shard.adopt(peer, &self.vantage);
        }
        self.vantage.get_mut(peer).tabled = true;
        self.choose_full_feeds(at);
    }

    /// Looks at the sessions that began a while ago without an End-of-RIB: BMP stations get none where the router's neighbour
    /// sends none.
    fn look_at_beginnings(&mut self, due: Time) {
        let Parameters { transfer_quiet: quiet, growth_percent, .. } = self.parameters;
        for (peer, since, held) in std::mem::take(&mut self.beginning) {
            let known = self.vantage.get(peer);
            let now = known.held[0] + known.held[1];
            if due - since < quiet {
                self.beginning.push((peer, since, held));
            } else if known.session == Session::Up
                && now > 0
                && (now.saturating_sub(held)) * 100 <= now * growth_percent
            {
                self.adopt(due, peer);
            } else {
                self.beginning.push((peer, due, now));
            }
        }
    }

    /// From `at` on the collector gives nothing, where its rhythm says that it should.
    pub fn gap_begin(&mut self, at: Time, collector: CollectorId, reason: BlindReason) {
        self.advance_to(at);
        // One that is told twice began with the first.
        self.vantage.collectors[usize::from(collector.0)].gap_since.get_or_insert(at.max(self.now));
        self.sight.blind((collector, None), at.max(self.now), reason);
        self.redraw = true;
    }

    /// The collector gives again. Its peers vote at once with what they held, which is no longer certain.
    pub fn gap_end(&mut self, at: Time, collector: CollectorId) {
        self.advance_to(at);
        let Some(since) = self.vantage.collectors[usize::from(collector.0)].gap_since.take() else { return };
        self.sight.see((collector, None), at.max(self.now), &self.vantage);
        let peers: Vec<PeerId> = self.vantage.peers_of(collector).collect();
        for peer in peers {
            self.vantage.get_mut(peer).doubt(since, at);
        }
        self.redraw = true;
    }

    /// Something of a peer, or of the whole collector, could not be read.
    pub fn damage(&mut self, at: Time, collector: CollectorId, peer: Option<PeerId>) {
        self.advance_to(at);
        let at = at.max(self.now);
        self.sight.was_blind((collector, peer), (at, at), BlindReason::Damage, &self.vantage);
        let peers: Vec<PeerId> = match peer {
            Some(peer) => vec![peer],
            None => self.vantage.peers_of(collector).collect(),
        };
        for peer in peers {
            self.vantage.get_mut(peer).doubt(at, at);
        }
        self.redraw = true;
    }

    /// Everything before `at` has been told.
    pub fn watermark(&mut self, at: Time) {
        self.advance_to(at);
    }

    /// Moves on to the stamp of an observation; one that comes late is taken as of now, and counted.
    fn advance(&mut self, at: Time, peer: PeerId) -> Time {
        if at < self.now {
            *self.late.entry(self.vantage.get(peer).key.collector).or_default() += 1;
            return self.now;
        }
        self.advance_to(at);
        at
    }

    /// Closes the current stamp and does what falls due before the next.
    fn advance_to(&mut self, at: Time) {
        if at <= self.now {
            return;
        }
        self.first.get_or_insert(at);
        if self.next_sweep == Time::MAX {
            self.next_sweep = at + SWEEP;
        }
        self.close_stamp();
        while self.next_due() < at {
            let due = self.next_due();
            self.now = self.now.max(due);
            self.do_due(due);
            self.close_stamp();
        }
        self.now = at;
    }

    /// When something falls due without being told.
    fn next_due(&self) -> Time {
        let mut due = self.next_epoch.min(self.next_sweep).min(self.next_beginning());
        if !self.sight.transfers.is_empty() {
            let transfer = self.sight.next_transfer_end(&self.vantage, &self.parameters);
            due = transfer.map_or(due, |transfer| transfer.min(due));
        }
        if self.tells_news {
            due = due.min(self.tracks.next_over());
        }
        self.unsettled.iter().map(|unsettled| unsettled.due).fold(due, Time::min)
    }

    fn next_beginning(&self) -> Time {
        let dues = self.beginning.iter().map(|(_, since, _)| *since + self.parameters.transfer_quiet);
        dues.min().unwrap_or(Time::MAX)
    }

    fn do_due(&mut self, due: Time) {
        if self.next_beginning() <= due {
            self.look_at_beginnings(due);
        }
        if self.tells_news && self.tracks.next_over() <= due {
            self.settle(due);
        }
        let ended = self.sight.end_transfers(due, None, &mut self.vantage, &self.parameters);
        self.resync(ended);
        self.settle_tables(due);
        if self.next_epoch <= due {
            self.next_epoch = Time::MAX;
            if self.vantage.choose_by_speech(&self.parameters) {
                self.draw_ballot(due);
            }
        }
        if self.next_sweep <= due {
            self.next_sweep = due + SWEEP;
            self.vantage.miss(SWEEP);
            self.draw_ballot(due);
            let Inference { table, vantage, parameters, .. } = self;
            let super::routing::table::Table { shards, tails, .. } = table;
            for shard in shards {
                shard.sweep(due, &vantage.ballot, tails, parameters);
                shard.count_all(due, &vantage.ballot, parameters);
            }
        }
    }

    /// Votes on what the past stamp changed and passes it on.
    fn close_stamp(&mut self) {
        if std::mem::take(&mut self.redraw) {
            self.draw_ballot(self.now);
        }
        if !self.table.has_news(&self.vantage.ballot) {
            return;
        }
        self.table.look(self.now, &self.vantage, &self.parameters);
        let counted = self.table.take_counted();
        if !counted.is_empty() {
            self.tracks.count(counted, &self.table);
        }
        self.transitions.clear();
        self.table.take_transitions(&mut self.transitions);
        if !self.transitions.is_empty() || self.tracks.has_touched() {
            let told = (&self.table, &self.vantage.ballot);
            self.tracks.take((self.now, &self.transitions), told, &*self.delegations, &self.parameters);
        }
    }

    /// A message of a peer came: it is there, whatever was said before.
    fn heard(&mut self, peer: PeerId, at: Time) {
        match self.vantage.get(peer).session {
            Session::Up | Session::Transfer(_) => {}
            Session::Unheard => {
                self.vantage.get_mut(peer).session = Session::Up;
                self.redraw = true;
            }
            Session::Down { .. } => self.up(peer, at, false),
        }
    }

    /// A session is up, as its collector tells or because its peer is heard.
    fn up(&mut self, peer: PeerId, at: Time, is_told: bool) {
        let known = self.vantage.get(peer);
        if known.add_path && matches!(known.session, Session::Down { .. }) {
            self.table.shards.iter_mut().for_each(|shard| shard.forget_paths(peer));
        }
        self.sight.up(peer, at, is_told, &mut self.vantage);
    }

    /// A peer that announces half of what it holds without any change has been restarted, or its collector has.
    fn count_repeats(&mut self, peer: PeerId, at: Time, repeats: u64) {
        let window = self.parameters.restart_window;
        let known = self.vantage.get_mut(peer);
        if at - known.repeats.0 > window {
            known.repeats = (at, 0, known.last_message);
        }
        known.repeats.1 += repeats;
        let held = known.held[0] + known.held[1];
        // Below a hundred routes repetition is no sign: a single busy network would do. Guess.
        if repeats > 0
            && known.tabled
            && held >= 100
            && known.repeats.1 * 100 >= held * self.parameters.restart_percent
        {
            let since = known.repeats.2.max(known.repeats.0 + -window);
            known.repeats = (at, 0, at);
            known.doubt(since, at);
            self.redraw = true;
            let collector = known.key.collector;
            self.sight.was_blind(
                (collector, Some(peer)),
                (since, at),
                BlindReason::SilentRestart,
                &self.vantage,
            );
        }
    }

    fn choose_full_feeds(&mut self, at: Time) {
        self.table.choose_full_feeds(&mut self.vantage, &self.parameters);
        self.draw_ballot(at);
        for shard in &mut self.table.shards {
            shard.count_all(at, &self.vantage.ballot, &self.parameters);
        }
    }

    /// Draws the ballot anew. Where an ASN has several peers, a change of one's sight changes what the ASN holds. Only
    /// voters that see again give cause to judge anew; that others no longer do is none.
    fn draw_ballot(&mut self, at: Time) {
        let before = self.vantage.ballot.sighted.clone();
        let Some(changed) = self.vantage.redraw(&self.parameters) else { return };
        for shard in &mut self.table.shards {
            shard.stirred = true;
            for peer in changed.iter().copied() {
                shard.settle_column(peer, at, &self.vantage);
            }
        }
        for (f, before) in before.iter().enumerate() {
            let mut gained = self.vantage.ballot.sighted[f].clone();
            gained.remove_all(before);
            if gained.count() > 0 {
                for shard in &mut self.table.shards {
                    shard.look_again(&gained);
                }
            }
        }
        for family in Family::ALL {
            let f = family as usize;
            let sighted = self.vantage.ballot.sighted[f].count();
            let value = match self.vantage.ballot.covered[f] {
                true => Sample::Value(u64::from(sighted)),
                false => Sample::Missing,
            };
            crate::detection::track::push_sample(&mut self.sighted[f], at, value);
            let dim = &mut self.dim[f];
            match (self.vantage.ballot.covered[f], dim.last_mut()) {
                (true, Some((_, end @ None))) => *end = Some(at),
                (false, None | Some((_, Some(_)))) if self.vantage.ballot.voters[f].count() > 0 => {
                    dim.push((at, None));
                }
                _ => {}
            }
        }
    }

    /// Closes the last stamp, so that the report includes it.
    pub(crate) fn close(&mut self, until: Time) {
        self.advance_to(until);
        self.close_stamp();
        self.tracks.build_asked(&self.table);
    }
}
