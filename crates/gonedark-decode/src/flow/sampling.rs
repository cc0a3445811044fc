//! Of how many packets one was counted, and who says so.
//!
//! Exporters tell it in the header (version 5), in each record, or in options: either for all that they send, or for a
//! sampler, whose number the records carry (IE 48, or 302 as RFC 5477 has it), or for an interface.

use crate::flow::element::Places;
use crate::flow::value::{bytes, low_u32, number};

/// How many rates of samplers and interfaces are remembered of an exporter. A guess: routers have some dozen samplers,
/// and large chassis some hundred interfaces.
const RATES_MAX: usize = 1024;

/// Who says how much was sampled.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum SamplingFrom {
    /// The header of the datagram (version 5).
    Header,
    /// The record or the sample itself.
    Record,
    /// Options of the exporter.
    Options,
    /// [`RateSetting`].
    Setting,
    /// Nobody: every packet is taken for counted. Where that is wrong, all sums are too low.
    Assumed,
}

impl SamplingFrom {
    /// All of them, in the order of their declaration.
    pub const ALL: [SamplingFrom; 5] = [
        SamplingFrom::Header,
        SamplingFrom::Record,
        SamplingFrom::Options,
        SamplingFrom::Setting,
        SamplingFrom::Assumed,
    ];

    /// Its name in logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            SamplingFrom::Header => "header",
            SamplingFrom::Record => "record",
            SamplingFrom::Options => "options",
            SamplingFrom::Setting => "setting",
            SamplingFrom::Assumed => "assumed",
        }
    }
}

/// Of how many packets one was counted, and who says so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sampling {
    /// One packet in so many; at least 1.
    pub rate: u32,
    /// Who says so.
    pub from: SamplingFrom,
}

/// What a rate that was told in options is for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum RateOf {
    /// All that is not sampled otherwise.
    Domain,
    /// A sampler or selector, by its number.
    Sampler(u64),
    /// What came in at an interface, by its number.
    Interface(u64),
}

/// What a user knows of an exporter's sampling.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct RateSetting {
    /// The rate, whatever the exporter says.
    pub always: Option<u32>,
    /// The rate where the exporter does not say.
    pub otherwise: Option<u32>,
}

/// Under what a rate of options is remembered: version, domain, and what it is for.
pub(super) type RateKey = (u16, u32, RateOf);

/// What is known of an exporter's sampling.
#[derive(Debug, Default)]
pub(super) struct Rates {
    setting: RateSetting,
    /// Sorted by key.
    told: Vec<(RateKey, u32)>,
    /// The one rate of all that were told, if it is one.
    uniform: Option<u32>,
    /// What the last flow had.
    pub(super) last: Option<Sampling>,
}

impl Rates {
    pub(super) fn new(setting: RateSetting) -> Self {
        Rates { setting, ..Rates::default() }
    }

    pub(super) fn told(&self) -> impl Iterator<Item = (RateKey, u32)> {
        self.told.iter().copied()
    }

    /// Takes note of a rate, for what is decoded from here on.
    pub(super) fn tell(&mut self, key: RateKey, rate: u32) {
        match self.told.binary_search_by_key(&key, |(key, _)| *key) {
            // Most are told again and again as they were.
            Ok(at) => match self.told.get_mut(at) {
                Some((_, known)) if *known != rate => *known = rate,
                _ => return,
            },
            Err(at) if self.told.len() < RATES_MAX => self.told.insert(at, (key, rate)),
            Err(_) => return,
        }
        let first = self.told.first().map(|(_, rate)| *rate);
        self.uniform = first.filter(|first| self.told.iter().all(|(_, rate)| rate == first));
    }

    fn find(&self, version: u16, domain: u32, of: RateOf) -> Option<u32> {
        let at = self.told.binary_search_by_key(&(version, domain, of), |(key, _)| *key).ok()?;
        self.told.get(at).map(|(_, rate)| *rate)
    }

    /// The rate that options tell. A chassis tells it once for all of its domains, as domain 0 (RFC 7011 section 3.1);
    /// and where the record names no sampler, but all that was told is one rate, it is that.
    fn of_options(&self, version: u16, domain: u32, sampler: Option<u64>, interface: u64) -> Option<u32> {
        if self.told.is_empty() {
            return None;
        }
        let find = |of| self.find(version, domain, of).or_else(|| self.find(version, 0, of));
        let of_sampler = sampler.and_then(|sampler| find(RateOf::Sampler(sampler)));
        let of_rest = || find(RateOf::Interface(interface)).or_else(|| find(RateOf::Domain));
        of_sampler.or_else(of_rest).or(if sampler.is_none() { self.uniform } else { None })
    }

    /// The rate of a record: what the user says, what the record says, what options say, what the header says, what
    /// the user says for want of all of these.
    pub(super) fn of_record(
        &self,
        (version, domain): (u16, u32),
        told: Option<Sampling>,
        sampler: Option<u64>,
        interface: u64,
    ) -> Sampling {
        let with = |from| move |rate| Sampling { rate, from };
        let in_record = told.filter(|told| told.from == SamplingFrom::Record);
        let always = self.setting.always.map(with(SamplingFrom::Setting)).or(in_record);
        let options =
            || self.of_options(version, domain, sampler, interface).map(with(SamplingFrom::Options));
        let otherwise = || self.setting.otherwise.map(with(SamplingFrom::Setting));
        let found = always.or_else(options).or(told).or_else(otherwise);
        let found = found.unwrap_or(Sampling { rate: 1, from: SamplingFrom::Assumed });
        Sampling { rate: found.rate.max(1), ..found }
    }
}

/// The rate that a record tells itself, of data or of options; `None` where it tells none.
///
/// One packet in IE 34 (or 50, for a random one); IE 305 packets in a row, then IE 306 passed over; IE 309 of IE 310
/// chosen; or each with the probability IE 311 (RFC 5477 section 8.2). IE 305 alone says nothing by that: IOS XR sends 1
/// in it beside a population, and where there is neither it can only be meant as IE 34 is (a guess).
pub(super) fn told(places: &Places, record: &[u8]) -> Option<u32> {
    let interval = low_u32(record, places.interval);
    if interval > 0 {
        return Some(interval);
    }
    let counted = number(record, places.packet_interval);
    if counted > 0 && places.packet_space.length > 0 {
        let space = number(record, places.packet_space);
        return rounded(counted.saturating_add(space), counted);
    }
    let size = number(record, places.size);
    if size > 0 {
        return rounded(number(record, places.population), size).filter(|rate| *rate > 0);
    }
    let probability = match bytes(record, places.probability) {
        Some(&[a, b, c, d]) => f64::from(f32::from_be_bytes([a, b, c, d])),
        Some(long) => long.first_chunk::<8>().map_or(0.0, |bytes| f64::from_be_bytes(*bytes)),
        None => 0.0,
    };
    if probability > 0.0 && probability <= 1.0 {
        // What is too large for the type ends at its bound.
        return Some((1.0 / probability).round() as u32);
    }
    (counted > 0).then(|| u32::try_from(counted).unwrap_or(u32::MAX))
}

fn rounded(population: u64, size: u64) -> Option<u32> {
    let half = size >> 1;
    Some(u32::try_from(population.saturating_add(half).checked_div(size)?).unwrap_or(u32::MAX))
}
