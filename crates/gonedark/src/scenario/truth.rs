//! What really happened in a scenario, whoever saw it: the answer that an inference is measured against.
//!
//! An [`Observer`] counts, for every network, the ASes with a full feed that hold it in truth, sessions and files left
//! aside; it knows nothing of the inference's code. The words (lost, back, level, onset, flap) are those of the
//! project's design, METHOD.md. The rules about time (10 min, 15 min, 2 h) are applied in `incidents`.

use super::incidents::{Episode, Interval, NetworkLoss, Truth, blind_of, compose};
use super::plan::Scenario;
use gonedark_infer::entity::CountryCode;
use gonedark_infer::report::Level;
use gonedark_route::{Asn, Time};
use std::collections::BTreeMap;

/// A descent or ascent ends where nothing more happens for 10 minutes.
const PAUSE: i64 = 600_000_000;

/// A peer that could not be seen through its session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blindness {
    pub(crate) peer: usize,
    pub(crate) from: Time,
    pub(crate) until: Time,
}

/// One network's vote.
#[derive(Clone, Default)]
struct Vote {
    /// ASes that hold it, and that usually do.
    held: u32,
    usual: u32,
    /// Whether it can be missed: announced from the begin, and of a length that counts.
    counted: bool,
    lost: bool,
    /// Lost, and no network stands over it.
    dark: bool,
    /// Dark, with over a fifth of the vote left.
    split: bool,
    lost_at: Time,
    /// Where the present loss is written down already: its episode ended before it did.
    entry: Option<Entry>,
    /// The last loss, while its returns are still coming in.
    returning: Option<Entry>,
}

/// Where a loss is written down: the country's episode (the open one comes after the done ones), and its place in it.
#[derive(Clone, Copy)]
struct Entry {
    episode: usize,
    place: usize,
}

/// One country and family's sums.
#[derive(Clone, Copy, Default)]
struct Sum {
    networks: u64,
    addresses: u64,
    lost: u64,
    lost_addresses: u64,
    split: u64,
}

struct CountryState {
    code: CountryCode,
    sums: [Sum; 2],
    open: Option<Episode>,
    done: Vec<Episode>,
}

impl CountryState {
    fn loss(&mut self, entry: Entry) -> Option<&mut NetworkLoss> {
        let open = entry.episode == self.done.len();
        let episode = if open { self.open.as_mut() } else { self.done.get_mut(entry.episode) };
        episode?.networks.get_mut(entry.place)
    }
}

/// Counts votes.
pub(crate) struct Observer<'a> {
    scenario: &'a Scenario,
    /// The voting ASes, and each peer's index among them.
    asns: Vec<Asn>,
    voter: Vec<usize>,
    /// network x voter: sessions that hold it, last loss, last return.
    holders: Vec<u8>,
    last_loss: Vec<Time>,
    last_back: Vec<Time>,
    votes: Vec<Vote>,
    covered: Vec<Vec<u32>>,
    countries: Vec<CountryState>,
    country_of: Vec<usize>,
    started: bool,
    blind: Vec<Blindness>,
}

impl<'a> Observer<'a> {
    pub(crate) fn new(scenario: &'a Scenario) -> Self {
        let mut asns: Vec<Asn> =
            scenario.peers.iter().filter(|peer| peer.full).map(|peer| peer.asn).collect();
        asns.sort_unstable();
        asns.dedup();
        let voter =
            scenario.peers.iter().map(|peer| asns.binary_search(&peer.asn).unwrap_or(usize::MAX)).collect();
        let codes: BTreeMap<CountryCode, ()> =
            scenario.networks.iter().filter_map(|network| Some((network.country?, ()))).collect();
        let codes: Vec<CountryCode> = codes.into_keys().collect();
        let index = |code: CountryCode| codes.binary_search(&code).unwrap_or(usize::MAX);
        let mut covered = vec![Vec::new(); scenario.networks.len()];
        for (network, described) in scenario.networks.iter().enumerate() {
            if let Some(cover) = described.cover {
                covered[cover as usize].push(network as u32);
            }
        }
        let cells = scenario.networks.len() * asns.len();
        let country = |code: &CountryCode| CountryState {
            code: *code,
            sums: [Sum::default(); 2],
            open: None,
            done: Vec::new(),
        };
        Observer {
            scenario,
            voter,
            holders: vec![0; cells],
            last_loss: vec![Time::MIN; cells],
            last_back: vec![Time::MIN; cells],
            asns,
            votes: vec![Vote::default(); scenario.networks.len()],
            covered,
            countries: codes.iter().map(country).collect(),
            country_of: scenario.networks.iter().map(|it| it.country.map_or(usize::MAX, index)).collect(),
            started: false,
            blind: Vec::new(),
        }
    }

    /// From now on what is lost is missed.
    pub(crate) fn start(&mut self) {
        for (index, network) in self.scenario.networks.iter().enumerate() {
            let longest = super::address_plan::longest(network.prefix);
            let vote = &mut self.votes[index];
            vote.usual = vote.held;
            let length = network.prefix.length();
            vote.counted = network.country.is_some() && vote.usual > 0 && (8..=longest).contains(&length);
            if vote.counted {
                let sum = &mut self.countries[self.country_of[index]].sums[network.prefix.family() as usize];
                sum.networks += 1;
                sum.addresses += network.exclusive;
            }
        }
        self.started = true;
    }

    pub(crate) fn blind(&mut self, blindness: Blindness) {
        self.blind.push(blindness);
    }

    /// A peer's route to a network comes to count or ceases to.
    pub(crate) fn saw(&mut self, at: Time, peer: usize, network: u32, held: bool) {
        let index = network as usize;
        let described = &self.scenario.networks[index];
        if !self.scenario.peers[peer].votes_on(described.prefix.family(), described.country) {
            return;
        }
        let cell = index * self.asns.len() + self.voter[peer];
        let before = self.holders[cell] > 0;
        self.holders[cell] = if held { self.holders[cell] + 1 } else { self.holders[cell] - 1 };
        let after = self.holders[cell] > 0;
        if before == after {
            return;
        }
        if after {
            self.votes[index].held += 1;
            self.last_back[cell] = at;
        } else {
            self.votes[index].held -= 1;
            self.finish_return(index);
            self.last_loss[cell] = at;
        }
        if self.started && self.votes[index].counted {
            self.count(at, index);
        }
    }

    fn count(&mut self, at: Time, index: usize) {
        let vote = &mut self.votes[index];
        if !vote.lost && vote.held * 2 < vote.usual {
            vote.lost = true;
        } else if vote.lost && vote.held * 10 >= vote.usual * 8 {
            vote.lost = false;
        }
        let mut open = vec![index as u32];
        while let Some(network) = open.pop() {
            self.weigh(at, network as usize);
            open.extend(&self.covered[network as usize]);
        }
        self.level(at, self.country_of[index]);
    }

    /// Puts a network's state into its country's sums.
    fn weigh(&mut self, at: Time, index: usize) {
        if !self.votes[index].counted {
            return;
        }
        let described = &self.scenario.networks[index];
        let mut stands_over = false;
        let mut cover = described.cover;
        while let Some(outer) = cover {
            stands_over |= self.votes[outer as usize].counted && !self.votes[outer as usize].lost;
            cover = self.scenario.networks[outer as usize].cover;
        }
        let country = self.country_of[index];
        let sum = &mut self.countries[country].sums[described.prefix.family() as usize];
        let vote = &mut self.votes[index];
        let (was_dark, was_split) = (vote.dark, vote.split);
        vote.dark = vote.lost && !stands_over;
        vote.split = vote.dark && vote.held * 5 > vote.usual;
        sum.lost = sum.lost + u64::from(vote.dark) - u64::from(was_dark);
        sum.split = sum.split + u64::from(vote.split) - u64::from(was_split);
        match (was_dark, vote.dark) {
            (false, true) => sum.lost_addresses += described.exclusive,
            (true, false) => sum.lost_addresses -= described.exclusive,
            _ => {}
        }
        let is_dark = self.votes[index].dark;
        if was_dark && !is_dark {
            self.returned(at, country, index);
        } else if is_dark && !was_dark {
            self.votes[index].lost_at = at;
        }
    }

    /// A network is back by the vote: its loss is known, its return is still coming in.
    fn returned(&mut self, at: Time, country: usize, index: usize) {
        let loss = NetworkLoss { back_vote: Some(at), ..self.loss_so_far(index) };
        let state = &mut self.countries[country];
        let entry = self.votes[index].entry.take().or_else(|| {
            let episode = state.done.len();
            let networks = &mut state.open.as_mut()?.networks;
            networks.push(loss.clone());
            Some(Entry { episode, place: networks.len() - 1 })
        });
        if let Some(written) = entry.and_then(|entry| state.loss(entry)) {
            *written = loss;
        }
        self.votes[index].returning = entry;
    }

    fn loss_so_far(&self, index: usize) -> NetworkLoss {
        let at = self.votes[index].lost_at;
        let lost = self.around(at, &[index as u32], false).unwrap_or(Interval { earliest: at, latest: at });
        NetworkLoss { network: index, lost, back_vote: None, back: None }
    }

    /// The next loss begins, or the end has come: the last return is complete.
    fn finish_return(&mut self, index: usize) {
        let Some(entry) = self.votes[index].returning.take() else { return };
        let country = self.country_of[index];
        let Some(back_vote) = self.countries[country].loss(entry).and_then(|loss| loss.back_vote) else {
            return;
        };
        let back = self.around(back_vote, &[index as u32], true);
        if let Some(loss) = self.countries[country].loss(entry) {
            loss.back = back;
        }
    }

    /// From the first to the last loss (or return) of these networks by any AS, around `pivot` without a long pause.
    fn around(&self, pivot: Time, networks: &[u32], back: bool) -> Option<Interval> {
        let times = if back { &self.last_back } else { &self.last_loss };
        let width = self.asns.len();
        let cells = networks.iter().flat_map(|network| {
            let start = *network as usize * width;
            times[start..start + width].iter().copied()
        });
        cluster(cells.filter(|time| *time != Time::MIN).collect(), pivot)
    }

    /// The same by AS: when each had lost (or regained) the last of the networks.
    fn by_asn(&self, within: Interval, networks: &[u32], back: bool) -> Vec<(Asn, Time)> {
        let times = if back { &self.last_back } else { &self.last_loss };
        let width = self.asns.len();
        let last = |voter: usize| {
            let cells = networks.iter().map(|network| times[*network as usize * width + voter]);
            cells.filter(|time| within.earliest <= *time && *time <= within.latest).max()
        };
        self.asns.iter().enumerate().filter_map(|(voter, asn)| Some((*asn, last(voter)?))).collect()
    }

    fn level(&mut self, at: Time, country: usize) {
        let state = &mut self.countries[country];
        let level = overall(&state.sums);
        if level == Level::None && state.open.is_none() {
            return;
        }
        if state.open.is_none() {
            self.finish_episode(country);
        }
        let state = &mut self.countries[country];
        let episode = state.open.get_or_insert_with(|| Episode::new(state.code, at));
        if level > episode.level {
            (episode.level, episode.worst_at, episode.left_worst_at) = (level, at, None);
        } else if level < episode.level && episode.left_worst_at.is_none() {
            episode.left_worst_at = Some(at);
        } else if level == episode.level && level != Level::None {
            episode.left_worst_at = None;
        }
        for (most, sum) in episode.families.iter_mut().zip(&state.sums) {
            most.networks = sum.networks;
            most.addresses = sum.addresses;
            most.lost = most.lost.max(sum.lost);
            most.lost_addresses = most.lost_addresses.max(sum.lost_addresses);
        }
        if level == Level::None {
            self.close(Some(at), country);
        }
    }

    /// The episode is over by the vote (or the scenario ends within it): who had lost what when is known now.
    fn close(&mut self, ended: Option<Time>, country: usize) {
        let Some(mut episode) = self.countries[country].open.take() else { return };
        episode.ended = ended;
        self.write_down_still_lost(&mut episode, country);
        let networks: Vec<u32> = episode.networks.iter().map(|loss| loss.network as u32).collect();
        episode.descent = self.around(episode.worst_at, &networks, false);
        let within = Interval { earliest: episode.from + -PAUSE, latest: ended.unwrap_or(Time::MAX) };
        let by_asn = self.by_asn(episode.descent.unwrap_or(within), &networks, false);
        episode.onset = Interval::of(by_asn.iter().map(|(_, time)| *time));
        episode.agreeing = self.by_asn(within, &networks, false).into_iter().map(|(asn, _)| asn).collect();
        let first = networks.first().map(|network| &self.scenario.networks[*network as usize]);
        let votes = |asn: &&Asn| {
            let mut sessions = self.scenario.peers.iter().filter(|peer| peer.asn == **asn);
            first.is_some_and(|it| sessions.any(|peer| peer.votes_on(it.prefix.family(), it.country)))
        };
        episode.asns = self.asns.iter().filter(votes).copied().collect();
        self.countries[country].done.push(episode);
    }

    /// Networks that outlast the episode (too few to make one) belong to it, and their returns will be filled in.
    fn write_down_still_lost(&mut self, episode: &mut Episode, country: usize) {
        for index in 0..self.votes.len() {
            if self.country_of[index] == country
                && self.votes[index].dark
                && self.votes[index].entry.is_none()
            {
                episode.networks.push(self.loss_so_far(index));
                let episode =
                    Entry { episode: self.countries[country].done.len(), place: episode.networks.len() - 1 };
                self.votes[index].entry = Some(episode);
            }
        }
    }

    /// The returns of the last episode are complete.
    fn finish_episode(&mut self, country: usize) {
        let Some(episode) = self.countries[country].done.last() else { return };
        let (Some(ended), true) = (episode.ended, episode.ascent.is_none()) else { return };
        let networks: Vec<u32> = episode.networks.iter().map(|loss| loss.network as u32).collect();
        let ascent = self.around(episode.left_worst_at.unwrap_or(ended), &networks, true);
        let by_asn = ascent.map(|ascent| self.by_asn(ascent, &networks, true)).unwrap_or_default();
        if let Some(episode) = self.countries[country].done.last_mut() {
            episode.ascent = ascent;
            episode.recovery = Interval::of(by_asn.iter().map(|(_, time)| *time));
        }
    }

    pub(crate) fn finish(mut self, until: Time) -> Truth {
        for index in 0..self.votes.len() {
            self.finish_return(index);
        }
        for country in 0..self.countries.len() {
            self.finish_episode(country);
            if self.countries[country].open.is_some() {
                self.close(None, country);
            }
        }
        let episodes = self.countries.into_iter().flat_map(|state| compose(state.done, self.scenario));
        Truth {
            scenario: self.scenario.name.clone(),
            notice: self.scenario.notice.clone(),
            from: self.scenario.from,
            until,
            incidents: episodes.collect(),
            blind: blind_of(self.scenario, &self.blind),
        }
    }
}

/// The times around `pivot` with no pause over [`PAUSE`] between them.
fn cluster(mut times: Vec<Time>, pivot: Time) -> Option<Interval> {
    times.sort_unstable();
    let place = times.partition_point(|time| *time < pivot).min(times.len().checked_sub(1)?);
    let (mut first, mut last) = (place, place);
    while first > 0 && times[first] - times[first - 1] <= PAUSE {
        first -= 1;
    }
    while last + 1 < times.len() && times[last + 1] - times[last] <= PAUSE {
        last += 1;
    }
    Some(Interval { earliest: times[first], latest: times[last] })
}

/// The level of an entity: dark only where every family that it has is dark.
fn overall(sums: &[Sum; 2]) -> Level {
    let levels = sums.iter().filter(|sum| sum.networks > 0).map(family_level);
    let (mut worst, mut all_dark) = (Level::None, true);
    for level in levels {
        worst = worst.max(level);
        all_dark &= level == Level::Dark;
    }
    if all_dark { worst } else { worst.min(Level::Severe) }
}

fn family_level(sum: &Sum) -> Level {
    let share = |lost: u64, all: u64, percent: u64| lost * 100 >= all * percent && lost > 0;
    let over =
        |percent| share(sum.lost, sum.networks, percent) || share(sum.lost_addresses, sum.addresses, percent);
    if sum.lost == sum.networks && sum.split == 0 {
        Level::Dark
    } else if over(50) {
        Level::Severe
    } else if over(10) || (sum.networks < 20 && sum.lost > 0) {
        Level::Partial
    } else {
        Level::None
    }
}
