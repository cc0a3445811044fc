//! The headers of NetFlow version 9 (RFC 3954 section 5.1) and IPFIX (RFC 7011 section 3.1).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::flow::counters::Damage;
use crate::flow::exporter::{Counted, DomainKey, Exporter, ExporterId};
use crate::flow::sets::{Message, Sets, Taken};
use crate::flow::settings::Settings;
use crate::flow::times::Clocks;
use crate::flow::{IPFIX, V9};
use gonedark_route::{Flow, Time};

/// Length of a header of version 9 in bytes.
pub(super) const V9_HEADER: usize = 20;
/// Length of a header of IPFIX in bytes.
pub(super) const IPFIX_HEADER: usize = 16;

/// What the headers have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) version: u16,
    /// Of IPFIX the length of the message, which version 9 does not tell.
    length: Option<u16>,
    clocks: Clocks,
    sequence: u32,
    pub(super) domain: u32,
}

impl Header {
    /// Reads the header at the start of a datagram of one of the two versions.
    ///
    /// The number of records in version 9 is of no use: exporters count sets, or templates, or records in it.
    pub(super) fn read(datagram: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(datagram, 0);
        let version = cursor.u16(Field::FlowVersion)?;
        let (length, uptime) = if version == V9 {
            cursor.u16(Field::FlowHeader)?;
            (None, Some(cursor.u32(Field::FlowHeader)?))
        } else {
            (Some(cursor.u16(Field::FlowHeader)?), None)
        };
        let seconds = cursor.u32(Field::FlowHeader)?;
        let sequence = cursor.u32(Field::FlowHeader)?;
        let domain = cursor.u32(Field::FlowHeader)?;
        let clocks = match uptime {
            Some(uptime) => Clocks::exact(Time::from_seconds(i64::from(seconds)), uptime),
            None => Clocks::cut(seconds),
        };
        Ok(Header { version, length, clocks, sequence, domain })
    }

    /// Where the sets begin.
    pub(super) fn size(&self) -> usize {
        if self.version == V9 { V9_HEADER } else { IPFIX_HEADER }
    }

    pub(super) fn key(&self) -> DomainKey {
        DomainKey { version: self.version, id: self.domain, agent: None }
    }
}

/// Reads a datagram behind its header.
pub(super) fn read<F: FnMut(ExporterId, &Flow)>(
    exporter: &mut Exporter,
    (id, domain_at): (ExporterId, usize),
    settings: &Settings,
    header: &Header,
    (received, datagram): (Time, &[u8]),
    each: &mut F,
) -> Taken {
    exporter.header(domain_at, Some(header.clocks.export), header.clocks.uptime, received);
    if header.version == V9 {
        exporter.sequence(domain_at, header.sequence, Some(1), Counted::Datagrams);
    }
    let mut taken = Taken::default();
    let mut bytes = datagram;
    if let Some(length) = header.length
        && usize::from(length) != datagram.len()
    {
        exporter.counters.damage(Damage::Length);
        let cursor = Cursor::new(datagram.get(2..).unwrap_or_default(), 2);
        taken.damage = Some(cursor.value(Field::FlowLength, u32::from(length)));
        // What is behind the message is none of it; what it lacks shows in its last set.
        bytes = datagram.get(..usize::from(length).max(IPFIX_HEADER)).unwrap_or(datagram);
    }
    let message = Message {
        version: header.version,
        domain: header.domain,
        domain_at,
        clocks: exporter.whole_seconds(domain_at, header.clocks),
        received,
    };
    let mut sets = Sets { exporter: &mut *exporter, id, settings, each, taken };
    sets.read(&message, bytes, header.size());
    let taken = sets.taken;
    if header.version == IPFIX {
        let count = u32::try_from(taken.records).ok().filter(|_| !taken.is_partial);
        exporter.sequence(domain_at, header.sequence, count, Counted::Records);
    }
    taken
}
