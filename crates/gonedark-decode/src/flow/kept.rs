//! What is worth keeping over a restart: templates, which exporters send every few minutes at best, and the rates that
//! they told in options.

use crate::flow::netflow::{Header, IPFIX_HEADER, V9_HEADER};
use crate::flow::sampling::RateOf;
use crate::flow::sets::{Message, Sets, Taken};
use crate::flow::times::Clocks;
use crate::flow::{Decoder, ExporterId, IPFIX, V9};
use crate::{DecodeError, Field};
use gonedark_route::{Flow, Time};
use std::net::IpAddr;

/// A sampling rate that an exporter told in options.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeptRate {
    /// Who told it.
    pub exporter: IpAddr,
    /// In which version: 9, or 10 for IPFIX.
    pub version: u16,
    /// Of which source identifier or observation domain.
    pub domain: u32,
    /// What it is for.
    pub of: RateOf,
    /// One packet in so many.
    pub rate: u32,
}

impl Decoder {
    /// Makes an exporter known of which nothing was heard yet, so that it has the number that it had: to be called in the order
    /// of [`Decoder::exporters`].
    ///
    /// # Errors
    /// Where there is room for no more exporters.
    pub fn take_up_exporter(&mut self, exporter: IpAddr) -> Result<ExporterId, DecodeError> {
        self.find_exporter(exporter)
    }

    /// All templates that are known: the exporter, and a message of its version that holds the one template. For
    /// [`Decoder::take_up_template`] after a restart.
    pub fn templates(&self) -> impl Iterator<Item = (IpAddr, Vec<u8>)> {
        self.exporters.iter().flat_map(|exporter| {
            let written = exporter.templates.written();
            written.map(move |(version, domain, is_options, template)| {
                (exporter.address(), message(version, domain, is_options, template))
            })
        })
    }

    /// Takes up the templates of a message that [`Decoder::templates`] gave. Nothing is counted as received.
    ///
    /// # Errors
    /// Where it is no such message, where a template in it is damaged, or where there is room for no more exporters.
    pub fn take_up_template(&mut self, exporter: IpAddr, message: &[u8]) -> Result<(), DecodeError> {
        let header = Header::read(message)?;
        if !matches!(header.version, V9 | IPFIX) {
            let found = u32::from(header.version);
            return Err(DecodeError::Value { offset: 0, field: Field::FlowVersion, found });
        }
        let at = Time::MIN;
        let (id, domain_at) = self.find(exporter, header.key())?;
        let Some(exporter) = self.exporters.get_mut(id.0 as usize) else { return Ok(()) };
        let before = exporter.counters;
        let message_of = Message {
            version: header.version,
            domain: header.domain,
            domain_at,
            clocks: Clocks { export: at, latest: at, uptime: None },
            received: at,
        };
        let mut nobody = |_: ExporterId, _: &Flow| {};
        let mut sets =
            Sets { exporter, id, settings: &self.settings, each: &mut nobody, taken: Taken::default() };
        sets.read(&message_of, message, header.size());
        let damage = sets.taken.damage;
        exporter.counters = before;
        damage.map_or(Ok(()), Err)
    }

    /// All rates that were told in options. For [`Decoder::take_up_rate`] after a restart.
    pub fn rates(&self) -> impl Iterator<Item = KeptRate> {
        self.exporters.iter().flat_map(|exporter| {
            let exporter_address = exporter.address();
            exporter.rates().map(move |(version, domain, of, rate)| KeptRate {
                exporter: exporter_address,
                version,
                domain,
                of,
                rate,
            })
        })
    }

    /// Takes up a rate that [`Decoder::rates`] gave.
    ///
    /// # Errors
    /// Where there is room for no more exporters.
    pub fn take_up_rate(&mut self, kept: KeptRate) -> Result<(), DecodeError> {
        let id = self.find_exporter(kept.exporter)?;
        if let Some(exporter) = self.exporters.get_mut(id.0 as usize) {
            exporter.rates.tell((kept.version, kept.domain, kept.of), kept.rate);
        }
        Ok(())
    }
}

/// A message of one template.
fn message(version: u16, domain: u32, is_options: bool, template: &[u8]) -> Vec<u8> {
    let (header, first_set) = if version == V9 { (V9_HEADER, 0_u16) } else { (IPFIX_HEADER, 2) };
    let set = u16::try_from(template.len().saturating_add(4)).unwrap_or(u16::MAX);
    let length = u16::try_from(usize::from(set).saturating_add(header)).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(usize::from(length));
    bytes.extend(version.to_be_bytes());
    if version == V9 {
        bytes.extend(1_u16.to_be_bytes());
        bytes.extend([0; 12]);
    } else {
        bytes.extend(length.to_be_bytes());
        bytes.extend([0; 8]);
    }
    bytes.extend(domain.to_be_bytes());
    bytes.extend(first_set.saturating_add(u16::from(is_options)).to_be_bytes());
    bytes.extend(set.to_be_bytes());
    bytes.extend(template);
    bytes
}
