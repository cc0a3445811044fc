//! What is known of one exporter.

use crate::flow::counters::{Counters, add};
use crate::flow::sampling::{RateOf, Rates, Sampling};
use crate::flow::sequence::Sequence;
use crate::flow::template::Templates;
use crate::flow::times::{self, Clocks};
use crate::flow::waiting::Waiting;
use gonedark_route::Time;
use std::net::IpAddr;

/// An exporter, by the order in which they were first heard of: 0, 1, 2...
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ExporterId(pub u32);

/// By what the parts of an exporter are told apart that count for themselves.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DomainKey {
    /// Version: 5, 9, 10 for IPFIX, 0 for sFlow.
    pub version: u16,
    /// Engine type and number (version 5), source identifier (9), observation domain (IPFIX), sub-agent (sFlow).
    pub id: u32,
    /// The agent that a datagram of sFlow names; it may have come by way of a relay.
    pub agent: Option<IpAddr>,
}

/// How many sources of sFlow are told apart in one exporter. A guess: more than a large chassis has interfaces. Samples of
/// others are read all the same; what is missing of them shows in the sequence of the datagrams only.
const SOURCES_MAX: usize = 2048;

/// A part of an exporter that counts for itself.
#[derive(Debug)]
pub(super) struct Domain {
    pub(super) key: DomainKey,
    sequence: Sequence,
    uptime: Option<u32>,
    /// When it came up, as its headers of whole seconds bound it.
    began: Option<i64>,
    /// When it came up, in milliseconds since 1970, where options tell it.
    pub(super) init: Option<u64>,
}

/// What sequence numbers count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Counted {
    Records,
    Datagrams,
}

/// One exporter: its counters, what it says of its sampling, and how its clock stands.
#[derive(Debug)]
pub struct Exporter {
    address: IpAddr,
    pub(super) counters: Counters,
    pub(super) rates: Rates,
    pub(super) templates: Templates,
    pub(super) waiting: Waiting,
    pub(super) domains: Vec<Domain>,
    /// The sources of sFlow, by domain and number, sorted, and the numbers of their samples.
    sources: Vec<((usize, u64), Sequence)>,
    clock_offset: Option<i64>,
}

impl Exporter {
    pub(super) fn new(address: IpAddr, rates: Rates) -> Self {
        Exporter {
            address,
            counters: Counters::default(),
            rates,
            templates: Templates::default(),
            waiting: Waiting::default(),
            domains: Vec::new(),
            sources: Vec::new(),
            clock_offset: None,
        }
    }

    /// Where its datagrams come from. An IPv4 address is one, also where a socket of IPv6 wrote it as such.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// What was counted.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// The sampling of its last flow, and who says so; `None` before the first one. How many flows had their rate from
    /// where is in [`Counters::sampling`].
    pub fn sampling(&self) -> Option<Sampling> {
        self.rates.last
    }

    /// The rates that it told in options: of which version and domain, what for, and one packet in how many.
    pub fn rates(&self) -> impl Iterator<Item = (u16, u32, RateOf, u32)> {
        self.rates.told().map(|((version, domain, of), rate)| (version, domain, of, rate))
    }

    /// How far its clock is ahead of that by which datagrams are received, in microseconds, by the last datagram; the way
    /// of the datagram, and the whole seconds of most headers, are in it. `None` where it tells no time (sFlow). Nothing
    /// is corrected by it.
    pub fn clock_offset(&self) -> Option<i64> {
        self.clock_offset
    }

    /// How many templates are known.
    pub fn templates(&self) -> usize {
        self.templates.len()
    }

    /// How many sets of data wait for their template.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// The parts of it that count for themselves.
    pub fn domains(&self) -> impl Iterator<Item = DomainKey> {
        self.domains.iter().map(|domain| domain.key)
    }

    /// The number of a domain; `None` where there is room for no more.
    pub(super) fn domain(&mut self, key: DomainKey, domains_max: usize) -> Option<usize> {
        if let Some(at) = self.domains.iter().position(|domain| domain.key == key) {
            return Some(at);
        }
        if self.domains.len() >= domains_max {
            return None;
        }
        let sequence = Sequence::default();
        self.domains.push(Domain { key, sequence, uptime: None, began: None, init: None });
        self.domains.len().checked_sub(1)
    }

    /// Takes note of a header: one more datagram, when it was sent, how long the exporter was up by then.
    pub(super) fn header(
        &mut self,
        domain: usize,
        export: Option<Time>,
        uptime: Option<u32>,
        received: Time,
    ) {
        add(&mut self.counters.datagrams, 1);
        self.clock_offset =
            export.map(|export| export.micros().saturating_sub(received.micros())).or(self.clock_offset);
        let sources = &mut self.sources;
        let (Some(known), Some(uptime)) = (self.domains.get_mut(domain), uptime) else { return };
        if times::is_restarted(known.uptime, uptime) {
            add(&mut self.counters.restarts, 1);
            known.sequence.forget();
            sources.retain(|((of, _), _)| *of != domain);
        }
        known.uptime = Some(uptime);
    }

    /// The clocks of a header that tells whole seconds, to the millisecond as far as that can be known.
    pub(super) fn whole_seconds(&mut self, domain: usize, clocks: Clocks) -> Clocks {
        let Some(known) = self.domains.get_mut(domain) else { return clocks };
        let (clocks, began) = clocks.within_second(known.began);
        known.began = began;
        clocks
    }

    /// Takes note of a sequence number and of how much it counts; of a number only where that is not known.
    pub(super) fn sequence(&mut self, domain: usize, number: u32, count: Option<u32>, counted: Counted) {
        let Some(domain) = self.domains.get_mut(domain) else { return };
        let step = domain.sequence.take(number, count.unwrap_or_default());
        if count.is_none() {
            domain.sequence.forget();
        }
        add(&mut self.counters.late, u64::from(step.is_late));
        add(&mut self.counters.restarts, u64::from(step.is_anew));
        let missed = match counted {
            Counted::Records => &mut self.counters.missed_records,
            Counted::Datagrams => &mut self.counters.missed_datagrams,
        };
        *missed = missed.saturating_add(u64::from(step.missed)).saturating_sub(u64::from(step.found));
    }

    /// Takes note of the sequence number of a sample of sFlow.
    pub(super) fn sample(&mut self, domain: usize, source: u64, number: u32) {
        let key = (domain, source);
        let at = match self.sources.binary_search_by_key(&key, |(key, _)| *key) {
            Ok(at) => at,
            Err(_) if self.sources.len() >= SOURCES_MAX => return,
            Err(at) => {
                self.sources.insert(at, (key, Sequence::default()));
                at
            }
        };
        let Some((_, sequence)) = self.sources.get_mut(at) else { return };
        let step = sequence.take(number, 1);
        let missed = &mut self.counters.missed_samples;
        *missed = missed.saturating_add(u64::from(step.missed)).saturating_sub(u64::from(step.found));
    }
}
