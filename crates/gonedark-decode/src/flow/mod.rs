//! NetFlow version 5 and 9, IPFIX and sFlow: what routers tell of the traffic through them.
//!
//! | module | what it is |
//! |---|---|
//! | `v5` | NetFlow version 5: a header, and records of one form |
//! | `netflow`, `sets` | version 9 (RFC 3954) and IPFIX (RFC 7011): sets of templates, options and data |
//! | `sflow` | sFlow version 5: samples of packets |
//! | `template`, `plan`, `element` | templates, compiled to the places of the few values that are read (RFC 7012) |
//! | `record`, `value`, `times` | a record as a [`Flow`] |
//! | `sampling` | of how many packets one was counted, and who says so |
//! | `waiting` | data that came before their template |
//! | `exporter`, `sequence`, `counters` | what is known of an exporter, and what did not arrive |
//! | `kept` | what is worth keeping over a restart |
//!
//! A [`Decoder`] takes the datagrams of any number of exporters, in any of these forms, and hands out each record as a
//! [`Flow`]:
//!
//! ```
//! use gonedark_decode::flow::{Decoder, Settings};
//! use gonedark_route::{Flow, Time};
//! use std::net::{IpAddr, Ipv4Addr};
//!
//! let mut decoder = Decoder::new(Settings::default());
//! let router = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
//! let mut bytes = 0;
//! let mut each = |_exporter, flow: &Flow| bytes += flow.bytes * u64::from(flow.sampling);
//! let nothing = decoder.decode(router, Time::from_seconds(1_700_000_000), &[], &mut each);
//! assert!(nothing.is_err());
//! assert_eq!(bytes, 0);
//! ```
//!
//! What cannot be read costs as little as it can: a bad set, template or sample that one, a bad header its datagram.
//! Everything that is lost is counted, in [`Counters`] of the exporter or, where none can be named, in [`Refused`].

mod counters;
mod element;
mod exporter;
mod kept;
mod netflow;
mod plan;
mod record;
mod sampling;
mod sequence;
mod sets;
mod settings;
mod sflow;
mod template;
mod times;
mod v5;
mod value;
mod waiting;

#[cfg(test)]
#[path = "../../tests/support/flow_wire.rs"]
mod flow_wire;
#[cfg(test)]
mod sflow_tests;
#[cfg(test)]
mod tests;

pub use counters::{Counters, Damage};
pub use exporter::{DomainKey, Exporter, ExporterId};
pub use kept::KeptRate;
pub use record::of_packet;
pub use sampling::{RateOf, RateSetting, Sampling, SamplingFrom};
pub use settings::Settings;

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use gonedark_route::{Flow, Time};
use sampling::Rates;
use std::collections::BTreeMap;
use std::net::IpAddr;

/// NetFlow version 5.
const V5: u16 = 5;
/// NetFlow version 9 (RFC 3954 section 5.1).
const V9: u16 = 9;
/// IPFIX (RFC 7011 section 3.1).
const IPFIX: u16 = 10;
/// The upper half of the version of sFlow, which is of 32 bits.
const SFLOW: u16 = 0;
/// The version of sFlow (sFlow version 5, section 5).
const SFLOW_VERSION: u32 = 5;

/// What one datagram came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Decoded {
    /// Whose it is.
    pub exporter: ExporterId,
    /// How many records it has whose template is known, those of options as well; samples of sFlow.
    pub records: u64,
    /// The first damage in it; [`Counters::damaged`] has all of it.
    pub damage: Option<DecodeError>,
}

/// Datagrams that were refused, and are no exporter's.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Refused {
    /// Of a version that is not known, or too short to have one.
    pub versions: u64,
    /// Cut within their header, or with one that makes no sense.
    pub headers: u64,
    /// Of one exporter too many ([`Settings::exporters_max`]).
    pub exporters: u64,
    /// Of one domain too many ([`Settings::domains_max`]).
    pub domains: u64,
}

/// The state of all exporters. Its memory is bounded by its [`Settings`].
#[derive(Debug, Default)]
pub struct Decoder {
    settings: Settings,
    exporters: Vec<Exporter>,
    by_address: BTreeMap<IpAddr, ExporterId>,
    refused: Refused,
}

impl Decoder {
    /// A decoder that knows no exporter.
    pub fn new(settings: Settings) -> Self {
        Decoder { settings, ..Decoder::default() }
    }

    /// Decodes one datagram that came from an address at a time, by the clock of who received it, and hands each flow
    /// in it to `each`. Data that wait for their template are handed out with the datagram that brings it.
    ///
    /// # Errors
    /// Where nothing of the datagram could be read: of an unknown version, cut within its header, or of an exporter or
    /// domain too many. What is damaged behind the header is told in [`Decoded::damage`].
    pub fn decode(
        &mut self,
        from: IpAddr,
        received: Time,
        datagram: &[u8],
        each: &mut impl FnMut(ExporterId, &Flow),
    ) -> Result<Decoded, DecodeError> {
        match datagram {
            [0, 5, ..] => {
                let header = self.header(v5::Header::read(datagram))?;
                let (at, exporter, _) = self.exporter(from, header.key(), received)?;
                let taken = v5::read(exporter, at, &header, (received, datagram), each);
                Ok(Decoded { exporter: at.0, records: taken.records, damage: taken.damage })
            }
            [0, 9 | 10, ..] => {
                let header = self.header(netflow::Header::read(datagram))?;
                let (at, exporter, settings) = self.exporter(from, header.key(), received)?;
                let taken = netflow::read(exporter, at, settings, &header, (received, datagram), each);
                Ok(Decoded { exporter: at.0, records: taken.records, damage: taken.damage })
            }
            [0, 0, 0, 5, ..] => {
                let header = self.header(sflow::Header::read(datagram))?;
                let (at, exporter, settings) = self.exporter(from, header.key(), received)?;
                let taken = sflow::read(exporter, at, settings, &header, received, each);
                Ok(Decoded { exporter: at.0, records: taken.records, damage: taken.damage })
            }
            _ => Err(self.unknown_version(from, datagram)),
        }
    }

    /// The exporters, in the order in which they were first heard of: the first one has the identifier 0.
    pub fn exporters(&self) -> &[Exporter] {
        &self.exporters
    }

    /// One exporter.
    pub fn exporter_of(&self, id: ExporterId) -> Option<&Exporter> {
        self.exporters.get(id.0 as usize)
    }

    /// What was refused.
    pub fn refused(&self) -> Refused {
        self.refused
    }

    #[cold]
    fn unknown_version(&mut self, from: IpAddr, datagram: &[u8]) -> DecodeError {
        counters::add(&mut self.refused.versions, 1);
        let known =
            self.by_address.get(&from.to_canonical()).and_then(|id| self.exporters.get_mut(id.0 as usize));
        if let Some(exporter) = known {
            counters::add(&mut exporter.counters.unknown_versions, 1);
        }
        let mut cursor = Cursor::new(datagram, 0);
        let start = cursor;
        match cursor.u16(Field::FlowVersion) {
            Ok(SFLOW) => match start.rest().first_chunk::<4>() {
                Some(version) => start.value(Field::FlowVersion, u32::from_be_bytes(*version)),
                None => start.cut(Field::FlowVersion, size_of_val(&SFLOW_VERSION)),
            },
            Ok(version) => start.value(Field::FlowVersion, u32::from(version)),
            Err(error) => error,
        }
    }

    fn header<T>(&mut self, header: Result<T, DecodeError>) -> Result<T, DecodeError> {
        header.inspect_err(|_| counters::add(&mut self.refused.headers, 1))
    }

    /// The exporter and the domain of a datagram, made known where they are new.
    #[inline]
    fn exporter(
        &mut self,
        from: IpAddr,
        key: DomainKey,
        received: Time,
    ) -> Result<((ExporterId, usize), &mut Exporter, &Settings), DecodeError> {
        let (id, domain_at) = self.find(from, key)?;
        let full = DecodeError::Missing { offset: 0, field: Field::FlowExporters };
        let exporter = self.exporters.get_mut(id.0 as usize).ok_or(full)?;
        let Exporter { waiting, counters, .. } = exporter;
        waiting.expire(received, self.settings.waiting_age_max, counters);
        Ok(((id, domain_at), exporter, &self.settings))
    }

    fn find(&mut self, from: IpAddr, key: DomainKey) -> Result<(ExporterId, usize), DecodeError> {
        let id = self.find_exporter(from)?;
        let domains_max = self.settings.domains_max;
        let domain =
            self.exporters.get_mut(id.0 as usize).and_then(|exporter| exporter.domain(key, domains_max));
        let Some(domain) = domain else {
            counters::add(&mut self.refused.domains, 1);
            let found = u32::try_from(domains_max).unwrap_or(u32::MAX);
            return Err(DecodeError::Value { offset: 0, field: Field::FlowDomains, found });
        };
        Ok((id, domain))
    }

    fn find_exporter(&mut self, from: IpAddr) -> Result<ExporterId, DecodeError> {
        let from = from.to_canonical();
        if let Some(id) = self.by_address.get(&from) {
            return Ok(*id);
        }
        let known = u32::try_from(self.exporters.len()).unwrap_or(u32::MAX);
        if self.exporters.len() >= self.settings.exporters_max {
            counters::add(&mut self.refused.exporters, 1);
            return Err(DecodeError::Value { offset: 0, field: Field::FlowExporters, found: known });
        }
        let rates = Rates::new(self.settings.sampling_of(from));
        self.exporters.push(Exporter::new(from, rates));
        self.by_address.insert(from, ExporterId(known));
        Ok(ExporterId(known))
    }
}
