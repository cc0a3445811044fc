//! sFlow version 5 (sflow.org "sFlow Version 5", 2004): samples of packets.
//!
//! Each sample is one packet of so many, seen at about the time at which the datagram is received: sFlow has no other
//! time. Samples and the records in them are stepped over by their own lengths, whatever stands at their end.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Field};
use crate::flow::counters::{Damage, add};
use crate::flow::exporter::{Counted, DomainKey, Exporter, ExporterId};
use crate::flow::record;
use crate::flow::sampling::{Sampling, SamplingFrom};
use crate::flow::sets::{Taken, count_sampling};
use crate::flow::settings::Settings;
use crate::packet::{self, Link};
use gonedark_route::{Family, Flow, Time};
use std::net::IpAddr;

/// A sample of packets (section 5, `flow_sample`).
const FLOW_SAMPLE: u32 = 1;
/// The counters of an interface (section 5, `counters_sample`).
const COUNTER_SAMPLE: u32 = 2;
/// A sample of packets with wider numbers of interfaces (section 5, `flow_sample_expanded`).
const EXPANDED_FLOW_SAMPLE: u32 = 3;
/// Counters with wider numbers of interfaces (section 5, `counters_sample_expanded`).
const EXPANDED_COUNTER_SAMPLE: u32 = 4;
/// A packet that was dropped (sflow.org "sFlow Dropped Packet Notification Structures", `discarded_packet`).
const DISCARDED_PACKET: u32 = 5;

/// The first bytes of a frame (section 5, `sampled_header`).
const RAW_HEADER: u32 = 1;
/// Addresses and ports of IPv4 (section 5, `sampled_ipv4`).
const IPV4_DATA: u32 = 3;
/// Addresses and ports of IPv6 (section 5, `sampled_ipv6`).
const IPV6_DATA: u32 = 4;

/// What a header begins with (section 5.3, `header_protocol`).
const LINKS: [(u32, Link); 4] = [(1, Link::Ethernet), (11, Link::Ip), (12, Link::Ip), (13, Link::Mpls)];

/// The header of a datagram.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header<'a> {
    agent: Option<IpAddr>,
    sub_agent: u32,
    sequence: u32,
    uptime: u32,
    samples: u32,
    rest: Cursor<'a>,
}

impl<'a> Header<'a> {
    pub(super) fn read(datagram: &'a [u8]) -> Result<Self, DecodeError> {
        let mut cursor = Cursor::new(datagram, 0);
        cursor.u32(Field::FlowVersion)?;
        let start = cursor;
        let agent = match cursor.u32(Field::FlowHeader)? {
            0 => None,
            1 => Some(cursor.address(Family::V4, Field::FlowHeader)?),
            2 => Some(cursor.address(Family::V6, Field::FlowHeader)?),
            other => return Err(start.value(Field::SflowAddress, other)),
        };
        let sub_agent = cursor.u32(Field::FlowHeader)?;
        let sequence = cursor.u32(Field::FlowHeader)?;
        let uptime = cursor.u32(Field::FlowHeader)?;
        let samples = cursor.u32(Field::FlowHeader)?;
        Ok(Header { agent, sub_agent, sequence, uptime, samples, rest: cursor })
    }

    pub(super) fn key(&self) -> DomainKey {
        DomainKey { version: super::SFLOW, id: self.sub_agent, agent: self.agent }
    }
}

/// Reads a datagram behind its header.
pub(super) fn read<F: FnMut(ExporterId, &Flow)>(
    exporter: &mut Exporter,
    (id, domain_at): (ExporterId, usize),
    settings: &Settings,
    header: &Header<'_>,
    received: Time,
    each: &mut F,
) -> Taken {
    exporter.header(domain_at, None, Some(header.uptime), received);
    exporter.sequence(domain_at, header.sequence, Some(1), Counted::Datagrams);
    let mut taken = Taken::default();
    let mut cursor = header.rest;
    for _ in 0..header.samples {
        let start = cursor;
        if start.is_empty() {
            exporter.counters.damage(Damage::Count);
            taken.damage = taken.damage.or(Some(start.value(Field::FlowCount, header.samples)));
            break;
        }
        let (format, sample) = match opaque(&mut cursor, Field::SflowSample) {
            Ok(opaque) => opaque,
            Err(error) => {
                exporter.counters.damage(Damage::SampleCut);
                taken.damage = taken.damage.or(Some(error));
                break;
            }
        };
        let read = match format {
            FLOW_SAMPLE | EXPANDED_FLOW_SAMPLE => {
                taken.records = taken.records.saturating_add(1);
                sampled(exporter, (id, domain_at), settings, (sample, format), received, each)
            }
            COUNTER_SAMPLE | EXPANDED_COUNTER_SAMPLE => {
                add(&mut exporter.counters.counter_samples, 1);
                Ok(())
            }
            DISCARDED_PACKET => {
                add(&mut exporter.counters.discards, 1);
                Ok(())
            }
            _ => {
                add(&mut exporter.counters.unknown_samples, 1);
                Ok(())
            }
        };
        if let Err(error) = read {
            exporter.counters.damage(Damage::SampleRecordCut);
            taken.damage = taken.damage.or(Some(error));
        }
    }
    taken
}

/// A format, a length, and as many bytes.
fn opaque<'a>(cursor: &mut Cursor<'a>, field: Field) -> Result<(u32, Cursor<'a>), DecodeError> {
    let format = cursor.u32(field)?;
    let length = cursor.u32(field)?;
    Ok((format, cursor.sub(length as usize, field)?))
}

/// A flow sample: hands out the packet of it. Where it is damaged behind a record that could be read, the packet is
/// handed out all the same.
fn sampled<F: FnMut(ExporterId, &Flow)>(
    exporter: &mut Exporter,
    (id, domain_at): (ExporterId, usize),
    settings: &Settings,
    (mut cursor, format): (Cursor<'_>, u32),
    received: Time,
    each: &mut F,
) -> Result<(), DecodeError> {
    let number = cursor.u32(Field::SflowSample)?;
    let mut source = u64::from(cursor.u32(Field::SflowSample)?);
    if format == EXPANDED_FLOW_SAMPLE {
        source = source << 32 | u64::from(cursor.u32(Field::SflowSample)?);
    }
    let rate = cursor.u32(Field::SflowSample)?;
    // Pool and drops; input and output, which are two words each where they are expanded.
    let passed_over = if format == EXPANDED_FLOW_SAMPLE { 24 } else { 16 };
    cursor.take(passed_over, Field::SflowSample)?;
    let records = cursor.u32(Field::SflowSample)?;
    exporter.sample(domain_at, source, number);
    add(&mut exporter.counters.records, 1);
    let (found, result) = find(records, cursor, settings.decapsulate, received);
    match found {
        Some(mut flow) => {
            let told = Some(Sampling { rate, from: SamplingFrom::Record }).filter(|told| told.rate > 0);
            let sampling = exporter.rates.of_record((super::SFLOW, 0), told, None, 0);
            flow.sampling = sampling.rate;
            exporter.rates.last = Some(sampling);
            add(&mut exporter.counters.flows, 1);
            count_sampling(&mut exporter.counters.sampling, sampling.from, 1);
            each(id, &flow);
        }
        None => add(&mut exporter.counters.without_addresses, 1),
    }
    result
}

/// The packet that the records of a sample tell of, and what is wrong with them. A header as it was on the wire tells
/// more than a record of its addresses.
fn find(
    records: u32,
    mut cursor: Cursor<'_>,
    decapsulate: bool,
    received: Time,
) -> (Option<Flow>, Result<(), DecodeError>) {
    let mut found: Option<(bool, Flow)> = None;
    for _ in 0..records {
        let (format, record) = match opaque(&mut cursor, Field::SflowRecord) {
            Ok(opaque) => opaque,
            Err(error) => return (found.map(|(_, flow)| flow), Err(error)),
        };
        let read = match format {
            RAW_HEADER => raw_header(record, decapsulate, received).map(|flow| flow.map(|flow| (true, flow))),
            IPV4_DATA => addressed(record, Family::V4, received).map(|flow| Some((false, flow))),
            IPV6_DATA => addressed(record, Family::V6, received).map(|flow| Some((false, flow))),
            _ => Ok(None),
        };
        match read {
            Ok(Some((is_raw, flow))) if found.is_none_or(|(was_raw, _)| is_raw && !was_raw) => {
                found = Some((is_raw, flow));
            }
            Ok(_) => {}
            Err(error) => return (found.map(|(_, flow)| flow), Err(error)),
        }
    }
    (found.map(|(_, flow)| flow), Ok(()))
}

/// The first bytes of a frame. `None` where they hold no IP packet.
fn raw_header(
    mut cursor: Cursor<'_>,
    decapsulate: bool,
    received: Time,
) -> Result<Option<Flow>, DecodeError> {
    let protocol = cursor.u32(Field::SflowRecord)?;
    let frame_length = cursor.u32(Field::SflowRecord)?;
    let stripped = cursor.u32(Field::SflowRecord)?;
    let length = cursor.u32(Field::SflowRecord)?;
    let header = cursor.take(length as usize, Field::SflowRecord)?;
    let link = LINKS.iter().find(|(number, _)| *number == protocol).map(|(_, link)| *link);
    let packet = link.and_then(|link| packet::linked(link, header).ok());
    let frame = frame_length.saturating_sub(stripped);
    Ok(packet.map(|packet| record::of_packet(&packet, decapsulate, frame, received)))
}

/// A record of addresses, ports and flags.
fn addressed(mut cursor: Cursor<'_>, family: Family, received: Time) -> Result<Flow, DecodeError> {
    let bytes = cursor.u32(Field::SflowRecord)?;
    let protocol = (cursor.u32(Field::SflowRecord)? & 0xFF) as u8;
    let source = cursor.address(family, Field::SflowRecord)?;
    let target = cursor.address(family, Field::SflowRecord)?;
    let source_port = (cursor.u32(Field::SflowRecord)? & 0xFFFF) as u16;
    let target_port = (cursor.u32(Field::SflowRecord)? & 0xFFFF) as u16;
    let flags = (cursor.u32(Field::SflowRecord)? & 0xFF) as u8;
    Ok(Flow {
        source,
        target,
        source_port,
        target_port,
        protocol,
        tcp_flags: if protocol == packet::TCP { flags } else { 0 },
        is_fragment: false,
        packets: 1,
        bytes: u64::from(bytes),
        sampling: 1,
        begin: received,
        end: received,
    })
}
