//! NetFlow version 5: a header and up to thirty records of one form (Cisco "NetFlow Services Solutions Guide", table
//! B-3 and B-4).

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::flow::counters::{Damage, add};
use crate::flow::exporter::{Counted, DomainKey, Exporter, ExporterId};
use crate::flow::sampling::{Sampling, SamplingFrom};
use crate::flow::sets::{Taken, count_sampling};
use crate::flow::times::Clocks;
use crate::packet;
use gonedark_route::{Flow, Time};
use std::net::{IpAddr, Ipv4Addr};

/// Length of a header in bytes.
const HEADER: usize = 24;
/// Length of a record in bytes.
const RECORD: usize = 48;
/// The bits of the sampling interval; the two above are its mode, which many exporters leave at zero.
const INTERVAL: u16 = 0x3FFF;

/// The header.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    count: u16,
    clocks: Clocks,
    sequence: u32,
    engine: u16,
    sampling: u16,
}

impl Header {
    pub(super) fn read(datagram: &[u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(datagram, 0);
        cursor.u16(Field::FlowVersion)?;
        let count = cursor.u16(Field::FlowHeader)?;
        let uptime = cursor.u32(Field::FlowHeader)?;
        let seconds = Time::from_seconds(i64::from(cursor.u32(Field::FlowHeader)?));
        // More than a second would be one.
        let nanoseconds = cursor.u32(Field::FlowHeader)?.min(999_999_999);
        let sequence = cursor.u32(Field::FlowHeader)?;
        let engine = cursor.u16(Field::FlowHeader)?;
        let sampling = cursor.u16(Field::FlowHeader)? & INTERVAL;
        let export = seconds.micros().saturating_add(i64::from(nanoseconds / 1_000));
        let export = Time::from_micros(export);
        Ok(Header { count, clocks: Clocks::exact(export, uptime), sequence, engine, sampling })
    }

    pub(super) fn key(&self) -> DomainKey {
        DomainKey { version: super::V5, id: u32::from(self.engine), agent: None }
    }
}

/// Reads a datagram behind its header. Where that counts more records than there are, those that are there are read.
pub(super) fn read<F: FnMut(ExporterId, &Flow)>(
    exporter: &mut Exporter,
    (id, domain_at): (ExporterId, usize),
    header: &Header,
    (received, datagram): (Time, &[u8]),
    each: &mut F,
) -> Taken {
    exporter.header(domain_at, Some(header.clocks.export), header.clocks.uptime, received);
    let told = Sampling { rate: u32::from(header.sampling), from: SamplingFrom::Header };
    let told = Some(told).filter(|told| told.rate > 0);
    let sampling = exporter.rates.of_record((super::V5, u32::from(header.engine)), told, None, 0);
    let (mut records, mut flow) = (0_u64, None);
    let mut rest = datagram.get(HEADER..).unwrap_or_default();
    while records < u64::from(header.count)
        && let Some((record, behind)) = rest.split_first_chunk::<RECORD>()
    {
        let read = flow.insert(record_as_flow(record, &header.clocks, sampling.rate));
        each(id, read);
        records = records.wrapping_add(1);
        rest = behind;
    }
    let mut taken = Taken { records, ..Taken::default() };
    if records < u64::from(header.count) {
        exporter.counters.damage(Damage::Count);
        let cursor = Cursor::new(datagram.get(2..).unwrap_or_default(), 2);
        taken.damage = Some(cursor.value(Field::FlowCount, u32::from(header.count)));
    }
    if records > 0 {
        exporter.rates.last = Some(sampling);
    }
    let counters = &mut exporter.counters;
    add(&mut counters.records, records);
    add(&mut counters.flows, records);
    count_sampling(&mut counters.sampling, sampling.from, records);
    // A header that lies is not believed in what it counts on by.
    let count = u32::try_from(records).ok().filter(|_| taken.damage.is_none());
    exporter.sequence(domain_at, header.sequence, count, Counted::Records);
    taken
}

#[inline]
fn record_as_flow(record: &[u8; RECORD], clocks: &Clocks, sampling: u32) -> Flow {
    let [
        s0,
        s1,
        s2,
        s3,
        t0,
        t1,
        t2,
        t3,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        _,
        p0,
        p1,
        p2,
        p3,
        b0,
        b1,
        b2,
        b3,
        f0,
        f1,
        f2,
        f3,
        l0,
        l1,
        l2,
        l3,
        sp0,
        sp1,
        tp0,
        tp1,
        _,
        flags,
        protocol,
        ..,
    ] = *record;
    let export = clocks.export;
    let at = |stamp: [u8; 4]| clocks.of_uptime(u32::from_be_bytes(stamp)).map_or(export, Time::from_micros);
    let end = at([l0, l1, l2, l3]).min(export);
    Flow {
        source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        target: IpAddr::V4(Ipv4Addr::new(t0, t1, t2, t3)),
        source_port: u16::from_be_bytes([sp0, sp1]),
        target_port: u16::from_be_bytes([tp0, tp1]),
        protocol,
        tcp_flags: if protocol == packet::TCP { flags } else { 0 },
        is_fragment: false,
        packets: u64::from(u32::from_be_bytes([p0, p1, p2, p3])),
        bytes: u64::from(u32::from_be_bytes([b0, b1, b2, b3])),
        sampling,
        begin: at([f0, f1, f2, f3]).min(end),
        end,
    }
}
