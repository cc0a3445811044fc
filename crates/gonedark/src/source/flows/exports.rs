//! What exporters send, and what of it did not arrive.

use gonedark_decode::DecodeError;
use gonedark_decode::flow::{Counters, Damage, Decoder, Exporter, SamplingFrom, Settings};
use gonedark_route::{Flow, Time};
use std::net::IpAddr;

/// What the meter is told.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// A record, received from an exporter.
    Flow {
        /// When it was received.
        at: Time,
        /// By its number.
        exporter: u16,
        /// What it says.
        flow: &'a Flow,
    },
    /// An exporter is there and had nothing to tell.
    Alive {
        /// When that was received.
        at: Time,
        /// By its number.
        exporter: u16,
    },
    /// Something that an exporter sent did not arrive: records or datagrams, as it counts them.
    Lost {
        /// When it was noticed.
        at: Time,
        /// By its number.
        exporter: u16,
        /// As it counts them.
        how_many: u64,
    },
}

impl Told<'_> {
    /// When it was received or noticed.
    pub const fn at(&self) -> Time {
        match self {
            Told::Flow { at, .. } | Told::Alive { at, .. } | Told::Lost { at, .. } => *at,
        }
    }
}

/// The exporters that were heard.
#[derive(Default)]
pub struct Exports {
    pub(super) decoder: Decoder,
    /// What was told to be lost of each.
    lost: Vec<u64>,
}

/// An exporter, and how well it was heard.
#[derive(Clone, Debug, PartialEq)]
pub struct Heard {
    /// Where its datagrams come from.
    pub address: IpAddr,
    /// What it speaks: `NetFlow v9`.
    pub formats: Vec<&'static str>,
    /// Records of flows.
    pub records: u64,
    /// Of how many packets one was counted, as the last record has it.
    pub sampling: u32,
    /// Who says so: header, record, options, setting, assumed.
    pub sampling_from: &'static str,
    /// By how many microseconds its clock was ahead of ours at the last datagram.
    pub clock_ahead: Option<i64>,
    /// Records and datagrams that did not arrive, by their numbers.
    pub missed: u64,
    /// Sets of data without a template, still waiting or given up.
    pub without_template: u64,
    /// What could not be read of it: kind of damage, how often.
    pub damaged: Vec<(&'static str, u64)>,
}

impl Exports {
    /// Nobody was heard yet.
    pub fn new(settings: Settings) -> Self {
        Exports { decoder: Decoder::new(settings), lost: Vec::new() }
    }

    /// Takes a datagram that came from an address at a time.
    ///
    /// # Errors
    /// Where nothing of it could be read. What is damaged behind its header is counted.
    pub fn take(
        &mut self,
        from: IpAddr,
        at: Time,
        datagram: &[u8],
        each: &mut impl FnMut(Told<'_>),
    ) -> Result<(), DecodeError> {
        let mut flows = 0_u64;
        let decoded = self.decoder.decode(from, at, datagram, &mut |exporter, flow| {
            flows += 1;
            // There are at most as many as the settings allow, which is less.
            each(Told::Flow { at, exporter: exporter.0 as u16, flow });
        })?;
        let exporter = decoded.exporter.0 as u16;
        if flows == 0 {
            each(Told::Alive { at, exporter });
        }
        let place = usize::from(exporter);
        if self.lost.len() <= place {
            self.lost.resize(place + 1, 0);
        }
        let missed = self.decoder.exporter_of(decoded.exporter).map_or(0, |known| missed(known.counters()));
        // What came late after all was told to be lost by then: that stays said.
        let how_many = missed.saturating_sub(self.lost[place]);
        if how_many > 0 {
            self.lost[place] = missed;
            each(Told::Lost { at, exporter, how_many });
        }
        Ok(())
    }

    /// The exporters, by their numbers.
    pub fn heard(&self) -> impl Iterator<Item = Heard> {
        self.decoder.exporters().iter().map(heard)
    }
}

fn heard(exporter: &Exporter) -> Heard {
    let counters = exporter.counters();
    let mut formats: Vec<&str> = exporter.domains().map(|domain| format_of(domain.version)).collect();
    formats.sort_unstable();
    formats.dedup();
    let sampling = exporter.sampling();
    let damaged = Damage::ALL.map(|damage| (damage.name(), counters.damaged(damage)));
    Heard {
        address: exporter.address(),
        formats,
        records: counters.records,
        sampling: sampling.map_or(1, |sampling| sampling.rate),
        sampling_from: sampling.map_or(SamplingFrom::Assumed, |sampling| sampling.from).name(),
        clock_ahead: exporter.clock_offset(),
        missed: missed(counters),
        without_template: exporter.waiting() as u64 + counters.sets_too_old + counters.sets_without_room,
        damaged: damaged.into_iter().filter(|(_, count)| *count > 0).collect(),
    }
}

const fn format_of(version: u16) -> &'static str {
    match version {
        0 => "sFlow",
        5 => "NetFlow v5",
        9 => "NetFlow v9",
        _ => "IPFIX",
    }
}

fn missed(counters: &Counters) -> u64 {
    counters.missed_records + counters.missed_datagrams
}

/// Whether a datagram looks like one of an exporter: by its version, and by what its header says of its length.
pub fn is_export(datagram: &[u8]) -> bool {
    let number =
        |at: usize| datagram.get(at..at + 2).map(|raw| usize::from(u16::from_be_bytes([raw[0], raw[1]])));
    match (number(0), number(2)) {
        // Headers of 24 bytes and records of 48. Some count more than there are, and some more than they may.
        (Some(5), Some(1..)) => datagram.len() >= 24 + 48,
        // 20 bytes, and at least one set.
        (Some(9), Some(1..)) => datagram.len() >= 24,
        (Some(10), Some(length)) => length >= 16 && length <= datagram.len(),
        // sFlow: then the agent's address, of one of two kinds.
        (Some(0), Some(5)) => matches!(datagram.get(4..8), Some([0, 0, 0, 1 | 2])),
        _ => false,
    }
}
