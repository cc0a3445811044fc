//! Writes flows as a router sends them: NetFlow version 9 (RFC 3954) in UDP, as a capture (pcap) of it.

use super::plan::Exporter;
use gonedark_route::{Flow, Time};
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

/// The template of flows.
const FLOWS: u16 = 256;
/// The template of what is told of sampling.
const SAMPLING: u16 = 257;
/// What is told of a flow: element and length (RFC 3954 section 8): source and target, ports, protocol, flags, packets, bytes,
/// begin and end by the router's clock, sampler.
const FIELDS: [(u16, u16); 11] =
    [(8, 4), (12, 4), (7, 2), (11, 2), (4, 1), (6, 1), (2, 4), (1, 4), (22, 4), (21, 4), (48, 1)];
/// Of the sampler: number, algorithm (1: one in every so many), in how many packets.
const SAMPLER: [(u16, u16); 3] = [(48, 1), (49, 1), (50, 4)];
/// Records in a datagram: 1,500 bytes hold that many.
const RECORDS: usize = 40;
/// Every so many datagrams the templates are sent again (guess: routers do it every 20 packets or some minutes).
const TEMPLATES_EVERY: u32 = 20;
/// Datagrams a second: a router sends them as they come, not all at once. Guess.
const PER_SECOND: i64 = 2_000;
/// Milliseconds that the router has been up at the begin. Guess.
const UPTIME: i64 = 86_400_000;
/// Where they are sent to: addresses for documentation (RFC 5737).
const COLLECTOR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 254);
/// The port that most exporters send to.
const PORT: u16 = 2055;
/// Raw IP (tcpdump.org "Link-layer header types").
const RAW: u32 = 101;

/// A capture that is being written.
pub(crate) struct Capture {
    file: BufWriter<File>,
    address: Ipv4Addr,
    sampling: u32,
    /// When the router came up.
    up: Option<Time>,
    sequence: u32,
}

impl Capture {
    pub(crate) fn create(path: &Path, exporter: &Exporter) -> Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        file.write_all(&[2, 0, 4, 0])?;
        for word in [0, 0, 65_535, RAW] {
            file.write_all(&word.to_le_bytes())?;
        }
        Ok(Capture { file, address: exporter.address, sampling: exporter.sampling, up: None, sequence: 0 })
    }

    /// Sends flows from a moment on.
    pub(crate) fn tell(&mut self, at: Time, flows: &[Flow]) -> Result<()> {
        let up = *self.up.get_or_insert(at + -UPTIME * 1000);
        for (number, flows) in flows.chunks(RECORDS).enumerate() {
            let at = at + number as i64 * 1_000_000 / PER_SECOND;
            let mut body = Vec::with_capacity(1500);
            let mut count = flows.len();
            if self.sequence.is_multiple_of(TEMPLATES_EVERY) {
                count += 3;
                templates(&mut body, self.sampling);
            }
            set(&mut body, FLOWS, |body| flows.iter().for_each(|flow| record(body, flow, up)));
            let uptime = (at - up) / 1000;
            let mut datagram = vec![0, 9];
            datagram.extend((count as u16).to_be_bytes());
            for word in [uptime as u32, at.seconds() as u32, self.sequence, 0] {
                datagram.extend(word.to_be_bytes());
            }
            datagram.extend(body);
            self.packet(at, &datagram)?;
            self.sequence += 1;
        }
        Ok(())
    }

    fn packet(&mut self, at: Time, datagram: &[u8]) -> Result<()> {
        let length = 28 + datagram.len();
        let mut packet = vec![0x45, 0];
        packet.extend((length as u16).to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 17, 0, 0]);
        packet.extend(self.address.octets());
        packet.extend(COLLECTOR.octets());
        let checksum = checksum(&packet);
        packet[10..12].copy_from_slice(&checksum.to_be_bytes());
        for word in [PORT, PORT, (8 + datagram.len()) as u16, 0] {
            packet.extend(word.to_be_bytes());
        }
        packet.extend(datagram);
        for word in [at.seconds() as u32, at.subsecond_micros() as u32, length as u32, length as u32] {
            self.file.write_all(&word.to_le_bytes())?;
        }
        self.file.write_all(&packet)
    }

    pub(crate) fn finish(mut self) -> Result<()> {
        self.file.flush()
    }
}

/// Both templates, and how one packet in so many is sampled.
fn templates(body: &mut Vec<u8>, sampling: u32) {
    set(body, 0, |body| {
        body.extend(FLOWS.to_be_bytes());
        body.extend((FIELDS.len() as u16).to_be_bytes());
        fields(body, &FIELDS);
    });
    set(body, 1, |body| {
        body.extend(SAMPLING.to_be_bytes());
        // A scope of four bytes (the system), then the fields.
        body.extend(4_u16.to_be_bytes());
        body.extend((4 * SAMPLER.len() as u16).to_be_bytes());
        fields(body, &[(1, 4)]);
        fields(body, &SAMPLER);
    });
    set(body, SAMPLING, |body| {
        body.extend([0, 0, 0, 0, 1, 1]);
        body.extend(sampling.to_be_bytes());
    });
}

fn fields(body: &mut Vec<u8>, fields: &[(u16, u16)]) {
    for (element, length) in fields {
        body.extend(element.to_be_bytes());
        body.extend(length.to_be_bytes());
    }
}

/// A set with its header, padded to four bytes (RFC 3954 section 5.3).
fn set(body: &mut Vec<u8>, id: u16, write: impl FnOnce(&mut Vec<u8>)) {
    let start = body.len();
    body.extend(id.to_be_bytes());
    body.extend([0, 0]);
    write(body);
    body.resize(start + (body.len() - start).next_multiple_of(4), 0);
    let length = (body.len() - start) as u16;
    body[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
}

fn record(body: &mut Vec<u8>, flow: &Flow, up: Time) {
    for address in [flow.source, flow.target] {
        // Scenarios know floods of IPv4 alone.
        if let IpAddr::V4(address) = address {
            body.extend(address.octets());
        }
    }
    body.extend(flow.source_port.to_be_bytes());
    body.extend(flow.target_port.to_be_bytes());
    body.extend([flow.protocol, flow.tcp_flags]);
    let since_up = |at: Time| ((at - up) / 1000).max(0) as u32;
    for word in [flow.packets as u32, flow.bytes as u32, since_up(flow.begin), since_up(flow.end)] {
        body.extend(word.to_be_bytes());
    }
    body.push(1);
}

/// The checksum of an IPv4 header (RFC 1071).
fn checksum(header: &[u8]) -> u16 {
    let words = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]])));
    let sum: u32 = words.sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    !((folded & 0xffff) + (folded >> 16)) as u16
}
